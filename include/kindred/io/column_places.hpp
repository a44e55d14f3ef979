// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/text.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/io/delimited_format.hpp>
#include <kindred/io/line_parser.hpp>
#include <kindred/io/table.hpp>

namespace kindred::inline v0 {

namespace detail {

inline constexpr std::size_t no_place = (std::numeric_limits<std::size_t>::max)();

/// Where the columns of a format are in a line; no_place for none.
struct ColumnPlaces {
  std::size_t user = no_place;
  std::size_t item = no_place;
  std::size_t item_fallback = no_place;
  std::size_t value = no_place;
  std::size_t time = no_place;
  std::size_t item_name = no_place;

  /// Fields that a line needs to have all of them.
  [[nodiscard]] std::size_t fields_needed() const noexcept {
    std::size_t needed = 0;
    for (const std::size_t place : {user, item, item_fallback, value, time, item_name})
      if (place != no_place) needed = (std::max)(needed, place + 1);
    return needed;
  }
};

[[nodiscard]] inline TableFormat table_format(const DelimitedFormat& format) {
  return {format.separator, format.header, format.quoting, format.comment_prefix, format.field_rule, format.field_count};
}

/// @throws InvalidArgument if the format cannot be that of any file.
inline void check_format(const DelimitedFormat& format) {
  if (format.user.is_none() || format.user.optional) throw InvalidArgument("user", "no or an optional column", "a column");
  if (format.item.is_none() || format.item.optional) throw InvalidArgument("item", "no or an optional column", "a column");
  if (format.user.place == format.item.place) throw InvalidArgument("item", "the same column as user", "a column of its own");
  if (format.min_value && !is_finite(*format.min_value)) throw InvalidArgument("min_value", *format.min_value, "finite");
  if (format.ratings) check_rating_rule(*format.ratings, "ratings.");
  if (format.ratings && format.min_value)
    throw InvalidArgument("min_value", *format.min_value, "not set: `ratings` says what becomes of values");
  if (format.header != Header::none) return;
  for (const Column* column : {&format.user, &format.item, &format.item_fallback, &format.value, &format.time, &format.item_name})
    if (const auto* name = std::get_if<std::string>(&column->place))
      throw InvalidArgument("column", printable(*name), "an index from 0: the format has no header to find a name in");
}

/// Finds the columns that are named by index in lines of `width` fields: optional ones beyond it are none.
[[nodiscard]] inline std::size_t place_by_index(std::size_t index, const Column& column, std::size_t width) noexcept {
  return column.optional && index >= width ? no_place : index;
}

/// Finds a column that is named by its header. @throws ParseError if it is missing or there twice.
[[nodiscard]] inline std::size_t place_by_name(const std::string& name, const Column& column, const TableReader& table) {
  const std::vector<std::string>& header = table.header();
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) {
    if (column.optional) return no_place;
    std::string names;
    constexpr std::size_t named = 12;
    for (std::size_t n = 0; n < (std::min)(header.size(), named); ++n) names += (n == 0 ? "" : ", ") + printable(header[n]);
    if (header.size() > named) names += " and " + std::to_string(header.size() - named) + " more";
    throw ParseError(table.path(), table.header_line(), 0, "the columns " + names, "a column " + printable(name));
  }
  const auto place = static_cast<std::size_t>(found - header.begin());
  if (std::find(found + 1, header.end(), name) != header.end())
    throw ParseError(table.path(), table.header_line(), place + 1, "the column " + printable(name) + " twice", "every name once");
  return place;
}

/// Finds the columns of a format in lines of `width` fields. @throws ParseError if the header lacks one.
[[nodiscard]] inline ColumnPlaces find_columns(const DelimitedFormat& format, const TableReader& table, std::size_t width) {
  const auto place_of = [&](const Column& column) {
    if (const auto* name = std::get_if<std::string>(&column.place)) return place_by_name(*name, column, table);
    if (const auto* index = std::get_if<std::size_t>(&column.place)) return place_by_index(*index, column, width);
    return no_place;
  };
  ColumnPlaces places;
  places.user = place_of(format.user);
  places.item = place_of(format.item);
  places.item_fallback = place_of(format.item_fallback);
  places.value = place_of(format.value);
  places.time = place_of(format.time);
  places.item_name = place_of(format.item_name);
  return places;
}

/// Goes to the first row and says where the columns are: those in use must be there; optional ones are settled by the header, or else by that row. False if
/// there is no row. @throws ParseError if the header is too short or lacks a column; and as TableReader::next does.
[[nodiscard]] inline bool find_first_row(const DelimitedFormat& format, TableReader& table, ColumnPlaces& places) {
  const std::size_t width = table.header().size();
  places = find_columns(format, table, width);
  if (width > 0 && places.fields_needed() > width)
    throw ParseError(table.path(), table.header_line(), 0, std::to_string(width) + " columns",
                     "at least " + std::to_string(places.fields_needed()));
  table.require_fields(places.fields_needed());
  if (!table.next()) return false;
  if (width == 0) {
    places = find_columns(format, table, table.fields().size());
    table.require_fields(places.fields_needed());
  }
  return true;
}

}  // namespace detail

}  // namespace kindred::inline v0
