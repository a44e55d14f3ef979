// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include <kindred/core/text.hpp>
#include <kindred/data/ratings.hpp>
#include <kindred/io/column_places.hpp>
#include <kindred/io/dates.hpp>
#include <kindred/io/delimited_format.hpp>
#include <kindred/io/line_parser.hpp>
#include <kindred/io/numbers.hpp>
#include <kindred/io/record.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The fields of one line to a record, or the reason why not. Knows no file and holds nothing of the line.
class RecordParser {
 public:
  enum class Outcome { kept, bad, no_item_key, zero_value, below_minimum, no_opinion };
  /// Why a row is dropped that is neither kept nor bad.
  static constexpr const char* reasons[] = {"no item key", "zero value", "below the minimum", "neither liked nor disliked"};
  [[nodiscard]] static constexpr std::size_t reason_of(Outcome outcome) noexcept {
    return static_cast<std::size_t>(outcome) - static_cast<std::size_t>(Outcome::no_item_key);
  }

  RecordParser(const DelimitedFormat& format, const ColumnPlaces& places)
      : places_(places),
        empty_item_(format.empty_item),
        negative_(format.negative),
        time_format_(format.time_format),
        ratings_(format.ratings),
        min_value_(format.min_value.value_or((std::numeric_limits<float>::lowest)())) {}

  /// Whatever is malformed is bad, also in a row that would be dropped. `problem` is filled in if the row is bad.
  [[nodiscard]] Outcome parse(std::span<const std::string_view> fields, Record& record, LineProblem& problem) const {
    record = {};
    record.user = fields[places_.user];
    if (record.user.empty()) {
      problem = {places_.user + 1, "an empty user id", "a user id"};
      return Outcome::bad;
    }
    record.item = fields[places_.item];
    if (record.item.empty() && places_.item_fallback != no_place) record.item = fields[places_.item_fallback];
    if (record.item.empty() && empty_item_ == EmptyItem::bad_line) {
      problem = {places_.item + 1, "an empty item id", "an item id"};
      return Outcome::bad;
    }
    if (!parse_value(fields, record, problem) || !parse_time(fields, record, problem)) return Outcome::bad;
    if (places_.item_name != no_place) record.item_name = fields[places_.item_name];
    if (record.item.empty()) return Outcome::no_item_key;
    if (ratings_) {
      record.value = opinion(*ratings_, record.value);
      return record.value == 0.0F ? Outcome::no_opinion : Outcome::kept;
    }
    if (record.value == 0.0F) return Outcome::zero_value;
    return record.value < min_value_ ? Outcome::below_minimum : Outcome::kept;
  }

 private:
  [[nodiscard]] bool parse_value(std::span<const std::string_view> fields, Record& record, LineProblem& problem) const {
    if (places_.value == no_place) return true;
    const std::string_view text = fields[places_.value];
    const std::optional<float> value = parse_float(text);
    if (!value) {
      problem = {places_.value + 1, printable(text), "a decimal number within the range of a float"};
      return false;
    }
    if (*value < 0.0F && negative_ == NegativeValue::bad_line) {
      problem = {places_.value + 1, printable(text), "a value of at least 0 (NegativeValue::keep reads dislikes)"};
      return false;
    }
    record.value = *value;
    return true;
  }

  [[nodiscard]] bool parse_time(std::span<const std::string_view> fields, Record& record, LineProblem& problem) const {
    if (places_.time == no_place) return true;
    const std::string_view text = fields[places_.time];
    const std::optional<std::int64_t> time = time_format_ == TimeFormat::iso_8601 ? parse_iso_8601(text) : parse_floor(text);
    if (!time || !is_possible(*time)) {
      problem = {places_.time + 1, printable(text), expected_time()};
      return false;
    }
    const bool divide = time_format_ == TimeFormat::unix_milliseconds;
    record.time = !divide ? *time : *time / 1'000 - (*time % 1'000 < 0 ? 1 : 0);
    return true;
  }

  /// Seconds of today have 10 digits, milliseconds 13: one taken for the other would be off by thousands of years.
  [[nodiscard]] bool is_possible(std::int64_t time) const noexcept {
    if (time_format_ == TimeFormat::iso_8601) return true;
    constexpr std::int64_t seconds = 100'000'000'000;
    const std::int64_t end = time_format_ == TimeFormat::unix_milliseconds ? 1'000 * seconds : seconds;
    return time > -end && time < end;
  }
  [[nodiscard]] const char* expected_time() const noexcept {
    switch (time_format_) {
      case TimeFormat::unix_seconds:
        return "a time in seconds since 1970, below 10^11 (TimeFormat::unix_milliseconds reads milliseconds, iso_8601 dates)";
      case TimeFormat::unix_milliseconds: return "a time in milliseconds since 1970, below 10^14";
      case TimeFormat::iso_8601: break;
    }
    return "a time such as 2009-05-04T23:08:57Z, 2009-05-04 23:08:57 or 2009-05-04";
  }

  ColumnPlaces places_;
  EmptyItem empty_item_;
  NegativeValue negative_;
  TimeFormat time_format_;
  std::optional<RatingRule> ratings_;
  float min_value_;
};

}  // namespace detail

}  // namespace kindred::inline v0
