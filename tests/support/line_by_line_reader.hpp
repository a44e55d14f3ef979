// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/delimited.hpp>
#include <kindred/io/record.hpp>
#include <kindred/io/table.hpp>

namespace kindred_test {

/// read_delimited as it is written down rather than as it is fast: one thread, one line after the other, one map of ids, sums at the end.
[[nodiscard]] inline kindred::Dataset read_line_by_line(const std::string& path, const kindred::DelimitedFormat& format,
                                                        const kindred::ReadOptions& options) {
  kindred::detail::check_format(format);
  kindred::detail::TableReader table(path, kindred::detail::table_format(format), options);
  // Columns in use must be there; optional ones are settled by the header, or else by the first row.
  const std::size_t width = table.header().size();
  kindred::detail::ColumnPlaces places = kindred::detail::find_columns(format, table, width);
  if (width > 0 && places.fields_needed() > width)
    throw kindred::ParseError(path, table.header_line(), 0, std::to_string(width) + " columns",
                              "at least " + std::to_string(places.fields_needed()));
  table.require_fields(places.fields_needed());

  bool more = table.next();
  if (more && width == 0) {
    places = kindred::detail::find_columns(format, table, table.fields().size());
    table.require_fields(places.fields_needed());
  }
  const kindred::detail::RecordParser parser(format, places);
  kindred::Dataset data;
  std::vector<kindred::Index> users, items;
  std::vector<float> values;
  std::vector<std::int64_t> times;
  kindred::detail::Record record;
  kindred::detail::LineProblem problem;
  for (; more; more = table.next()) {
    switch (parser.parse(table.fields(), record, problem)) {
      case kindred::detail::RecordParser::Outcome::bad: table.bad(problem); continue;
      case kindred::detail::RecordParser::Outcome::no_item_key: table.dropped("no item key"); continue;
      case kindred::detail::RecordParser::Outcome::zero_value: table.dropped("zero value"); continue;
      case kindred::detail::RecordParser::Outcome::below_minimum: table.dropped("below the minimum"); continue;
      case kindred::detail::RecordParser::Outcome::no_opinion: table.dropped("neither liked nor disliked"); continue;
      case kindred::detail::RecordParser::Outcome::kept: break;
    }
    users.push_back(data.users.intern(record.user));
    items.push_back(data.items.intern(record.item));
    values.push_back(record.value);
    if (places.time != kindred::detail::no_place) times.push_back(record.time);
    if (places.item_name == kindred::detail::no_place) continue;
    data.item_names.resize(static_cast<std::size_t>(data.items.size()));
    if (std::string& name = data.item_names[static_cast<std::size_t>(items.back())]; name.empty()) name = record.item_name;
  }
  return kindred::detail::merged_dataset(std::move(data), {users, items, values, times}, table.finish());
}

}  // namespace kindred_test
