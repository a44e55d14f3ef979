// SPDX-License-Identifier: MIT
// The library in a browser: a KeyedRecommender behind one function of JSON texts. page.html runs it in a worker, so that the page stays alive while it computes.
//
//   {"call": "fit", "users": 2000, "items": 1500}        a model of made-up listeners; progress comes as {"progress": 0.4}
//   {"call": "load"}                                     the model file whose bytes were written to /model.kindred
//   {"call": "names", "text": "bra"}                     items whose names hold a text, the most used first
//   {"call": "recommend", "history": ["key", ...], "count": 10}    a list, with what in the history speaks for each item
//   {"call": "similar", "item": "key"}
#include <emscripten.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <kindred/kindred.hpp>
#include <kindred/persistence/model_file.hpp>

namespace kd = kindred;
using Json = nlohmann::json;

namespace {

std::unique_ptr<kd::KeyedRecommender<float>> recommender;
std::vector<kd::Index> by_users;  // all items, the most used first
std::vector<std::string> names;   // of the items, in lower case

/// Of ASCII letters; others stay as they are.
std::string lower(std::string_view text) {
  std::string small(text);
  for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return small;
}

std::string_view name_of(const kd::Dataset& data, kd::Index item) {
  return data.item_names.empty() ? data.items.key(item) : std::string_view(data.item_names[static_cast<std::size_t>(item)]);
}

Json about() {
  const auto snapshot = recommender->snapshot();
  const kd::CsrMatrix& matrix = snapshot.data->matrix;
  const std::vector<kd::Index> counts = kd::column_counts(matrix);
  by_users.clear();
  names.clear();
  for (kd::Index i = 0; i < matrix.cols(); ++i) {
    by_users.push_back(i);
    names.push_back(lower(name_of(*snapshot.data, i)));
  }
  std::sort(by_users.begin(), by_users.end(), [&](kd::Index a, kd::Index b) {
    const kd::Index of_a = counts[static_cast<std::size_t>(a)], of_b = counts[static_cast<std::size_t>(b)];
    return of_a > of_b || (of_a == of_b && a < b);
  });
  return {{"users", matrix.rows()}, {"items", matrix.cols()}, {"factors", snapshot.model->item_factors().factors()}};
}

Json fit(const Json& request) {
  kd::Dataset data =
      kd::synthetic_listening({.users = request.value("users", kd::Index{2'000}), .items = request.value("items", kd::Index{1'500})});
  kd::ImplicitALS<float> als;
  const auto progress = [](const kd::Progress& step) {
    EM_ASM({ self.postMessage(JSON.stringify({progress : $0, what : UTF8ToString($1)})); },
           static_cast<double>(step.done) / static_cast<double>(step.total), std::string(step.what).c_str());
    return kd::ProgressAnswer::keep_going;
  };
  als.fit(data.matrix, {.progress = progress, .execution = {.threads = 1}});
  recommender = std::make_unique<kd::KeyedRecommender<float>>(std::move(als), std::move(data));
  return about();
}

Json load() {
  recommender.reset(
      new kd::KeyedRecommender<float>(kd::load<kd::KeyedRecommender<float>>("/model.kindred", {.execution = {.threads = 1}})));
  return about();
}

Json find_names(const Json& request) {
  const std::string wanted = lower(request.at("text").get<std::string>());
  const auto data = recommender->snapshot().data;
  Json found = Json::array();
  for (const kd::Index item : by_users) {
    if (names[static_cast<std::size_t>(item)].find(wanted) == std::string::npos) continue;
    found.push_back({{"key", data->items.key(item)}, {"name", name_of(*data, item)}});
    if (found.size() == 8) break;
  }
  return found;
}

Json recommend(const Json& request) {
  const auto keys = request.at("history").get<std::vector<std::string>>();
  std::vector<kd::KeyedInteraction> history;
  for (const std::string& key : keys) history.push_back({key});
  const kd::KeyedAnswer answer =
      recommender->recommend(history, {.count = request.value("count", std::size_t{10}), .fallback = kd::Fallback::popularity});
  Json list = Json::array();
  for (const kd::NamedItem& item : answer.items) {
    Json reasons = Json::array();
    if (answer.source == kd::ListSource::model)
      for (const kd::NamedItem& part : recommender->explain(history, item.key).parts)
        if (part.score > 0.0 && reasons.size() < 2) reasons.push_back({{"name", part.name}, {"adds", part.score}});
    list.push_back({{"key", item.key}, {"name", item.name}, {"score", item.score}, {"reasons", std::move(reasons)}});
  }
  return {{"source", answer.source == kd::ListSource::model ? "model" : "popularity"}, {"items", std::move(list)}};
}

Json similar(const Json& request) {
  Json list = Json::array();
  for (const kd::NamedItem& item : recommender->similar(request.at("item").get<std::string>(), 8).items)
    list.push_back({{"key", item.key}, {"name", item.name}, {"score", item.score}});
  return list;
}

Json answer(const Json& request) {
  const auto call = request.at("call").get<std::string>();
  if (call == "fit") return fit(request);
  if (call == "load") return load();
  if (!recommender) throw kd::NotFitted("the recommender of this page");
  if (call == "names") return find_names(request);
  if (call == "recommend") return recommend(request);
  if (call == "similar") return similar(request);
  throw kd::InvalidArgument("call", call, "fit, load, names, recommend or similar");
}

}  // namespace

/// The answer to a request, {"result": ...} or {"error": "..."}; valid until the next call.
extern "C" EMSCRIPTEN_KEEPALIVE const char* kindred_call(const char* request) {
  static std::string text;
  try {
    text = Json{{"result", answer(Json::parse(request))}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  } catch (const std::exception& error) {
    text = Json{{"error", error.what()}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return text.c_str();
}
