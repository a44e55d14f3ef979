// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/rounding.hpp>
#include <kindred/core/types.hpp>

namespace kindred::inline v0::detail {

/// A JSON object of plain values, {"factors":100,"solver":"cholesky"}: options and numbers of a model as one text. Reading refuses everything nested,
/// names that come twice, and in the end names that were not asked for.
class FlatObject {
 public:
  FlatObject() = default;

  /// `what` names the text in errors. @throws FormatError.
  FlatObject(std::string_view text, std::string what) : what_(std::move(what)) {
    const RoundToNearest rounding;
    Sax sax{*this, {}};
    (void)nlohmann::json::sax_parse(text.begin(), text.end(), &sax);
  }

  template <typename T>
  void set(const std::string& key, const T& value) {
    json_[key] = value;
  }
  template <typename T>
  void set(const std::string& key, const std::optional<T>& value) {
    json_[key] = value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
  }
  [[nodiscard]] std::string text() const { return json_.dump(); }

  [[nodiscard]] bool has(const std::string& key) const { return values_.contains(key); }
  /// True if the entry is there and null, which counts as a use of it.
  [[nodiscard]] bool is_null(const std::string& key) { return std::holds_alternative<std::nullptr_t>(at(key)); }
  [[nodiscard]] std::string text_of(const std::string& key) {
    const Value& value = at(key);
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    fail("'" + key + "' is no text");
  }
  [[nodiscard]] std::uint64_t whole_of(const std::string& key) {
    const Value& value = at(key);
    if (const auto* number = std::get_if<std::uint64_t>(&value)) return *number;
    fail("'" + key + "' is no whole number");
  }
  [[nodiscard]] double number_of(const std::string& key) {
    const std::optional<double> number = optional_of(key);
    if (!number) fail("'" + key + "' is no number");
    return *number;
  }
  [[nodiscard]] std::optional<double> optional_of(const std::string& key) {
    const Value& value = at(key);
    if (const auto* number = std::get_if<double>(&value)) return *number;
    if (const auto* number = std::get_if<std::uint64_t>(&value)) return static_cast<double>(*number);
    if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<double>(*number);
    if (!std::holds_alternative<std::nullptr_t>(value)) fail("'" + key + "' is no number");
    return std::nullopt;
  }
  /// The one of `names` that the text is, by its place.
  template <typename Enumeration, std::size_t count>
  [[nodiscard]] Enumeration choice_of(const std::string& key, const std::string_view (&names)[count]) {
    const std::string text = text_of(key);
    for (std::size_t n = 0; n < count; ++n)
      if (names[n] == text) return static_cast<Enumeration>(n);
    fail("'" + key + "' is '" + text + "', which this version does not know");
  }

  void check_all_used() const {
    for (const auto& [key, value] : values_)
      if (!used_.contains(key)) fail("the unknown entry '" + key + "'");
  }

 private:
  using Value = std::variant<std::nullptr_t, bool, std::uint64_t, std::int64_t, double, std::string>;

  struct Sax {
    FlatObject& object;
    std::string key_text;

    bool null() { return keep(nullptr); }
    bool boolean(bool value) { return keep(value); }
    bool number_integer(std::int64_t value) { return keep(value); }
    bool number_unsigned(std::uint64_t value) { return keep(value); }
    bool number_float(double value, const std::string&) {
      if (!is_finite(value)) object.fail("a number beyond the range of a double");
      return keep(value);
    }
    bool string(std::string& value) { return keep(value); }
    bool binary(nlohmann::json::binary_t&) { object.fail("binary data"); }
    bool start_object(std::size_t) {
      if (std::exchange(object.started_, true)) object.fail("an object inside");
      return true;
    }
    bool key(std::string& name) {
      constexpr std::size_t most = 1'000, longest = 1'000;
      if (name.size() > longest) object.fail("a name of " + std::to_string(name.size()) + " bytes");
      if (object.values_.size() == most) object.fail("more than " + std::to_string(most) + " names");
      key_text = name;
      if (!object.values_.emplace(name, nullptr).second) object.fail("the name '" + name + "' twice");
      return true;
    }
    bool end_object() { return true; }
    bool start_array(std::size_t) { object.fail("an array"); }
    bool end_array() { return true; }
    template <typename Exception>
    bool parse_error(std::size_t, const std::string&, const Exception& error) {
      object.fail(std::string("no JSON: ") + error.what());
      return false;
    }

    bool keep(Value value) {
      if (!object.started_) object.fail("a value instead of an object");
      object.values_[key_text] = std::move(value);
      return true;
    }
  };

  [[noreturn]] void fail(const std::string& problem) const { throw FormatError(what_ + ": " + problem); }
  [[nodiscard]] const Value& at(const std::string& key) {
    const auto found = values_.find(key);
    if (found == values_.end()) fail("'" + key + "' is missing");
    used_.insert(key);
    return found->second;
  }

  std::string what_;
  nlohmann::ordered_json json_ = nlohmann::ordered_json::object();
  std::map<std::string, Value> values_;
  std::set<std::string> used_;
  bool started_ = false;
};

}  // namespace kindred::inline v0::detail
