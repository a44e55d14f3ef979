// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

#include <kindred/core/error.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/dataset_builder.hpp>
#include <kindred/io/delimited.hpp>
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
  kindred::detail::DatasetBuilder builder(
      {.item_names = places.item_name != kindred::detail::no_place, .times = places.time != kindred::detail::no_place});
  kindred::detail::Record record;
  kindred::detail::LineProblem problem;
  for (; more; more = table.next()) {
    switch (parser.parse(table.fields(), record, problem)) {
      case kindred::detail::RecordParser::Outcome::bad: table.bad(problem); continue;
      case kindred::detail::RecordParser::Outcome::no_item_key: table.dropped("no item key"); continue;
      case kindred::detail::RecordParser::Outcome::zero_value: table.dropped("zero value"); continue;
      case kindred::detail::RecordParser::Outcome::below_minimum: table.dropped("below the minimum"); continue;
      case kindred::detail::RecordParser::Outcome::kept: break;
    }
    builder.add(record);
  }
  return builder.finish(table.finish());
}

}  // namespace kindred_test
