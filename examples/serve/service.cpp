// SPDX-License-Identifier: MIT
#include "service.hpp"

#include <cstdio>
#include <exception>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/persistence/model_file.hpp>

#include "memory.hpp"

namespace kd = kindred;
using nlohmann::json;

namespace serve {

namespace {

/// The field that an error of the library names: it begins with "<name> is".
std::string field_of(const std::string& text) {
  constexpr std::string_view of_event = " of an observed event is";
  if (const std::size_t at = text.find(of_event); at != std::string::npos && text.starts_with("the ")) return text.substr(4, at - 4);
  if (text.starts_with("the sum of user")) return "value";
  const std::size_t end = text.find(" is ");
  const std::string name = text.substr(0, end);
  return end == std::string::npos || name.find(' ') != std::string::npos ? "" : name;
}

void need(bool there, const char* field) {
  if (!there) throw BadRequest(400, field, "is missing");
}

}  // namespace

std::string error_body(const std::string& field, const std::string& message) {
  json error{{"message", message}};
  if (!field.empty()) error["field"] = field;
  return text_of({{"error", error}});
}

bool same_secret(const std::string& a, const std::string& b) noexcept {
  volatile unsigned difference = a.size() == b.size() ? 0U : 1U;
  for (std::size_t n = 0; n < a.size(); ++n)
    difference = difference | (static_cast<unsigned char>(a[n]) ^ static_cast<unsigned char>(b.empty() ? '\0' : b[n % b.size()]));
  return difference == 0;
}

Reply Service::post(const std::string& path, const std::string& body) noexcept {
  try {
    if (body.size() > limits_.body_bytes)
      throw BadRequest(413, "", "the body has more than " + std::to_string(limits_.body_bytes) + " bytes");
    return {200, text_of(answer(path, body))};
  } catch (const BadRequest& error) {
    return {error.status(), error_body(error.field(), error.what())};
  } catch (const kd::InvalidArgument& error) {
    const std::string field = field_of(error.what());
    const bool unknown =
        (field == "item" || field == "user") && std::string_view(error.what()).find("that the model knows") != std::string_view::npos;
    return {unknown ? 404 : 400, error_body(field, error.what())};
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", path.c_str(), error.what());  // paths of files are not for clients
    return {500, error_body("", "the request could not be answered")};
  }
}

json Service::answer(const std::string& path, const std::string& body) {
  if (path == "/recommend") {
    const Request request =
        parse(body, {"user", "history", "profile", "count", "only", "exclude", "known", "fallback", "popularity_penalty"}, limits_);
    std::vector<kd::FeatureColumns::Value> profile;
    for (const auto& [group, value] : request.profile) profile.push_back({group, value});
    if (!request.user.empty() && !profile.empty()) throw BadRequest(400, "profile", "is for requests without a user");
    const std::vector<kd::KeyedInteraction> history = request.interactions();
    if (!request.user.empty()) return to_json(recommender_.recommend(request.user, history, request.options));
    return to_json(recommender_.recommend(history, profile, request.options));
  }
  if (path == "/similar") {
    const Request request = parse(body, {"item", "count", "only", "exclude"}, limits_);
    need(!request.item.empty(), "item");
    return to_json(recommender_.similar(request.item, request.options));
  }
  if (path == "/explain") {
    const Request request = parse(body, {"user", "history", "item"}, limits_);
    need(!request.item.empty(), "item");
    if (request.user.empty()) return to_json(recommender_.explain(request.interactions(), request.item));
    if (!request.history.empty()) throw BadRequest(400, "history", "is for requests without a user");
    return to_json(recommender_.explain(request.user, request.item));
  }
  if (path == "/observe") {
    const Request request = parse(body, {"user", "item", "value", "time", "kind"}, limits_);
    need(!request.user.empty(), "user");
    need(!request.item.empty(), "item");
    recommender_.observe(request.user, request.item, {.value = request.value, .time = request.time, .kind = request.kind});
    ++metrics.observed;
    return {{"version", recommender_.version()}};
  }
  if (path == "/reload") {
    (void)parse(body.empty() ? "{}" : body, {}, limits_);
    return reload();
  }
  throw BadRequest(404, "", "there is no such path");
}

json Service::reload() {
  if (file_.empty()) throw BadRequest(409, "", "the service was started without a model file");
  const std::unique_lock<std::mutex> lock(of_file_, std::try_to_lock);
  if (!lock) throw BadRequest(409, "", "the model file is being read or written already");
  const std::uint64_t version = recommender_.replace(kd::load<kd::KeyedRecommender<float>>(file_, {.execution = {.threads = 1}}));
  return_freed_blocks();  // of the old model, but for requests that still use it
  ++metrics.reloads;
  return {{"version", version}};
}

void Service::save() {
  const std::lock_guard lock(of_file_);
  const std::uint64_t observed = metrics.observed;
  if (file_.empty() || observed == saved_) return;
  kd::save(recommender_, file_);
  saved_ = observed;
}

std::string Service::health() const {
  const auto now = recommender_.snapshot();
  return text_of(
      {{"status", "ok"}, {"version", recommender_.version()}, {"users", now.data->users.size()}, {"items", now.data->items.size()}});
}

}  // namespace serve
