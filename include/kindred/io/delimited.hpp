// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <kindred/core/error.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/dataset_builder.hpp>
#include <kindred/io/dates.hpp>
#include <kindred/io/delimited_format.hpp>
#include <kindred/io/numbers.hpp>
#include <kindred/io/table.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The fields of one line to a record, or the reason why not. Knows no file and holds nothing of the line.
class RecordParser {
 public:
  enum class Outcome { kept, bad, no_item_key, zero_value, below_minimum };

  RecordParser(const DelimitedFormat& format, const ColumnPlaces& places)
      : places_(places),
        empty_item_(format.empty_item),
        negative_(format.negative),
        time_format_(format.time_format),
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
    const bool is_number = time_format_ == TimeFormat::unix_seconds;
    const std::optional<std::int64_t> time = is_number ? parse_integer<std::int64_t>(text) : parse_iso_8601(text);
    if (!time) {
      problem = {places_.time + 1, printable(text),
                 is_number ? "a time in whole seconds since 1970" : "a time in UTC such as 2009-05-04T23:08:57Z"};
      return false;
    }
    record.time = *time;
    return true;
  }

  ColumnPlaces places_;
  EmptyItem empty_item_;
  NegativeValue negative_;
  TimeFormat time_format_;
  float min_value_;
};

/// read_delimited, with a last word on the item keys: `rekey(key)` answers the key to use instead, or an empty one for no change.
template <typename Rekey>
[[nodiscard]] Dataset read_records(const std::string& path, const DelimitedFormat& format, const ReadOptions& options, Rekey&& rekey) {
  check_format(format);
  TableReader table(path, table_format(format), options);
  // Columns in use must be there; optional ones are settled by the header, or else by the first row.
  const std::size_t width = table.header().size();
  ColumnPlaces places = find_columns(format, table, width);
  if (width > 0 && places.fields_needed() > width)
    throw ParseError(path, table.header_line(), 0, std::to_string(width) + " columns",
                     "at least " + std::to_string(places.fields_needed()));
  table.require_fields(places.fields_needed());

  bool more = table.next();
  if (more && width == 0) {
    places = find_columns(format, table, table.fields().size());
    table.require_fields(places.fields_needed());
  }
  const RecordParser parser(format, places);
  DatasetBuilder builder({.item_names = places.item_name != no_place, .times = places.time != no_place});
  Record record;
  LineProblem problem;
  for (; more; more = table.next()) {
    switch (parser.parse(table.fields(), record, problem)) {
      case RecordParser::Outcome::bad: table.bad(problem); continue;
      case RecordParser::Outcome::no_item_key: table.dropped("no item key"); continue;
      case RecordParser::Outcome::zero_value: table.dropped("zero value"); continue;
      case RecordParser::Outcome::below_minimum: table.dropped("below the minimum"); continue;
      case RecordParser::Outcome::kept: break;
    }
    if (const std::string_view key = rekey(record.item); !key.empty()) {
      record.item = key;
      table.noted("alias applied");
    }
    builder.add(record);
  }
  return builder.finish(table.finish());
}

}  // namespace detail

/// Reads a text file of interactions: one line for each `user item [value [time]]`, in the columns that `format` names.
///
/// The dataset is n_users x n_items, both numbered in the order in which they first come with a row that is kept. Rows of the same user and item
/// are summed; `times` holds the first time of each pair, `raw_rows` how many rows it was summed from (empty if no pair came twice).
/// Values are decimal numbers in the range of a float, 1 where there is no value column.
/// O(bytes of the file); memory about 40 bytes a row beside the keys.
///
/// What is decided about doubtful files:
/// - A value of 0, or a pair that sums to 0, is no interaction: dropped and counted, never an error.
/// - Bad lines: another number of fields than the first line; an empty user or item; a number that is empty, not finite, hexadecimal, signed '+',
///   beyond a float, longer than 64 characters or with anything beside it; a negative value; an impossible time; a byte that is not UTF-8, or
///   NUL; an open quote; a line beyond `max_line_bytes`. Strict reading throws at the first, skipping counts them.
/// - CR LF, a missing last line end, a UTF-8 byte order mark, blank lines and comments are accepted. Ids keep their spaces and quotes.
/// - A file whose rows were all dropped is an empty dataset; one without rows, or with bad lines alone, is an error even when skipping.
///
/// @throws IoError if the file is missing, a directory, or unreadable; ParseError (file, line, column, found, expected) for a bad line, a bad
/// header, or no rows; InvalidArgument if `format` or `options` make no sense, or a sum is beyond a float.
/// Source: quoting as in RFC 4180, except that line ends inside quotes are refused.
[[nodiscard]] inline Dataset read_delimited(const std::string& path, const DelimitedFormat& format = {}, const ReadOptions& options = {}) {
  return detail::read_records(path, format, options, [](std::string_view) { return std::string_view{}; });
}

}  // namespace kindred::inline v0
