// SPDX-License-Identifier: MIT
#include "requests.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

namespace kd = kindred;
using nlohmann::json;

namespace serve {

namespace {

[[noreturn]] void refuse(const std::string& field, const std::string& message) { throw BadRequest(400, field, message); }

/// A key: text, or a whole number, which is its decimal text.
std::string key_of(const json& value, const std::string& field, const Limits& limits) {
  if (value.is_number_integer()) return value.dump();
  if (!value.is_string()) refuse(field, "must be a text or a whole number");
  const auto& text = value.get_ref<const std::string&>();
  if (text.empty()) refuse(field, "must not be empty");
  if (text.size() > limits.key_bytes) refuse(field, "has more than " + std::to_string(limits.key_bytes) + " bytes");
  return text;
}

double number_of(const json& value, const std::string& field) {
  if (!value.is_number()) refuse(field, "must be a number");
  return value.get<double>();
}

float float_of(const json& value, const std::string& field) {
  const double number = number_of(value, field);
  if (!(std::abs(number) <= static_cast<double>(std::numeric_limits<float>::max()))) refuse(field, "must be within the range of a float");
  return static_cast<float>(number);
}

std::int64_t whole_of(const json& value, const std::string& field, std::int64_t lowest, std::int64_t highest) {
  const bool fits = value.is_number_unsigned() ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(highest)
                                               : value.is_number_integer() && value.get<std::int64_t>() <= highest;
  if (!fits || (!value.is_number_unsigned() && value.get<std::int64_t>() < lowest) ||
      (value.is_number_unsigned() && lowest > 0 && value.get<std::uint64_t>() < static_cast<std::uint64_t>(lowest)))
    refuse(field, "must be a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest));
  return value.get<std::int64_t>();
}

const json& list_of(const json& value, const std::string& field, const Limits& limits) {
  if (!value.is_array()) refuse(field, "must be a list");
  if (value.size() > limits.items) refuse(field, "has " + std::to_string(value.size()) + " items; at most " + std::to_string(limits.items));
  return value;
}

std::vector<std::string> keys_of(const json& value, const std::string& field, const Limits& limits) {
  std::vector<std::string> keys;
  for (const json& one : list_of(value, field, limits))
    keys.push_back(key_of(one, field + "[" + std::to_string(keys.size()) + "]", limits));
  return keys;
}

/// Keys, or objects of an item and a value.
std::vector<Request::Play> history_of(const json& value, const Limits& limits) {
  std::vector<Request::Play> history;
  for (const json& one : list_of(value, "history", limits)) {
    const std::string field = "history[" + std::to_string(history.size()) + "]";
    if (!one.is_object()) {
      history.push_back({key_of(one, field, limits)});
      continue;
    }
    for (const auto& [name, unused] : one.items())
      if (name != "item" && name != "value") refuse(field + "." + name.substr(0, 40), "is not known; there are item and value");
    if (!one.contains("item")) refuse(field + ".item", "is missing");
    history.push_back(
        {key_of(one["item"], field + ".item", limits), one.contains("value") ? float_of(one["value"], field + ".value") : 1.0F});
  }
  return history;
}

std::vector<std::pair<std::string, std::string>> profile_of(const json& value, const Limits& limits) {
  if (!value.is_object()) refuse("profile", "must be an object of texts");
  if (value.size() > 100) refuse("profile", "has more than 100 values");
  std::vector<std::pair<std::string, std::string>> profile;
  for (const auto& [name, one] : value.items()) profile.emplace_back(name, key_of(one, "profile." + name.substr(0, 40), limits));
  return profile;
}

/// One of the texts, as its place.
std::size_t choice_of(const json& value, const std::string& field, const std::vector<std::string>& texts) {
  const auto found = value.is_string() ? std::find(texts.begin(), texts.end(), value.get_ref<const std::string&>()) : texts.end();
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  if (found == texts.end()) refuse(field, "must be one of " + all);
  return static_cast<std::size_t>(found - texts.begin());
}

void take(Request& request, const std::string& field, const json& value, const Limits& limits) {
  using Known = kd::KeyedOptions::KnownItems;
  if (field == "user") request.user = key_of(value, field, limits);
  if (field == "item") request.item = key_of(value, field, limits);
  if (field == "kind") request.kind = key_of(value, field, limits);
  if (field == "history") request.history = history_of(value, limits);
  if (field == "profile") request.profile = profile_of(value, limits);
  if (field == "only") request.options.only = keys_of(value, field, limits);
  if (field == "exclude") request.options.exclude = keys_of(value, field, limits);
  if (field == "value") request.value = float_of(value, field);
  if (field == "time") request.time = whole_of(value, field, -99'999'999'999, 99'999'999'999);
  if (field == "count")
    request.options.count = static_cast<std::size_t>(whole_of(value, field, 1, static_cast<std::int64_t>(limits.count)));
  if (field == "known") {
    constexpr Known known[] = {Known::excluded, Known::included, Known::all};
    request.options.known = known[choice_of(value, field, {"excluded", "included", "all"})];
  }
  if (field == "fallback")
    request.options.fallback = choice_of(value, field, {"none", "popularity"}) == 0 ? kd::Fallback::none : kd::Fallback::popularity;
  if (field == "popularity_penalty") {
    request.options.popularity_penalty = number_of(value, field);
    if (!(request.options.popularity_penalty >= 0.0 && request.options.popularity_penalty <= 1.0)) refuse(field, "must be from 0 to 1");
  }
}

json items_json(const std::vector<kd::NamedItem>& items) {
  json list = json::array();
  for (const kd::NamedItem& item : items) list.push_back({{"key", item.key}, {"name", item.name}, {"score", item.score}});
  return list;
}

}  // namespace

std::vector<kd::KeyedInteraction> Request::interactions() const {
  std::vector<kd::KeyedInteraction> found;
  for (const Play& play : history) found.push_back({play.item, play.value});
  return found;
}

Request parse(const std::string& body, const std::vector<std::string>& fields, const Limits& limits) {
  const json object = json::parse(body, nullptr, false);
  if (!object.is_object()) throw BadRequest(400, "", "the body must be a JSON object");
  Request request;
  request.options.fallback = kd::Fallback::popularity;
  for (const auto& [field, value] : object.items()) {
    if (std::find(fields.begin(), fields.end(), field) == fields.end()) {
      std::string all;
      for (const std::string& known : fields) all += (all.empty() ? "" : ", ") + known;
      refuse(field.substr(0, 40), "is not known; there are " + all);
    }
    take(request, field, value, limits);
  }
  return request;
}

json to_json(const kd::KeyedAnswer& answer) {
  constexpr const char* sources[] = {"model", "popularity", "none", "features"};
  return {{"version", answer.version},
          {"source", sources[static_cast<std::size_t>(answer.source)]},
          {"items", items_json(answer.items)},
          {"unknown_items", answer.unknown_items},
          {"unknown", answer.unknown}};
}

json to_json(const kd::NamedExplanation& explanation) {
  return {{"version", explanation.version},
          {"score", explanation.score},
          {"parts", items_json(explanation.parts)},
          {"features", items_json(explanation.features)},
          {"mean", explanation.mean},
          {"bias", explanation.bias},
          {"unknown_items", explanation.unknown_items}};
}

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

}  // namespace serve
