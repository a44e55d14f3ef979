// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <kindred/core/rounding.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/block_parser.hpp>
#include <kindred/io/column_places.hpp>
#include <kindred/io/delimited_format.hpp>
#include <kindred/io/parallel_records.hpp>
#include <kindred/io/record.hpp>
#include <kindred/io/record_parser.hpp>
#include <kindred/io/table.hpp>

namespace kindred::inline v0 {

namespace detail {

/// read_delimited of an open file, with a last word on the item keys.
[[nodiscard]] inline Dataset read_records(LineSource source, const DelimitedFormat& format, const ReadOptions& options,
                                          const Rekey& rekey = {}) {
  const RoundToNearest rounding;
  check_format(format);
  TableReader table(std::move(source), table_format(format), options);
  ColumnPlaces places;
  const bool more = find_first_row(format, table, places);
  const RecordParser parser(format, places);
  const RecordParts parts{.item_names = places.item_name != no_place, .times = places.time != no_place};
  ParallelRecords records(table, format, parser, parts, rekey);
  if (more) records.take_first_row();
  return records.finish();
}

/// The same by path.
[[nodiscard]] inline Dataset read_records(const std::string& path, const DelimitedFormat& format, const ReadOptions& options,
                                          const Rekey& rekey = {}) {
  check_format(format);
  return read_records(TableReader::open(path, options), format, options, rekey);
}

}  // namespace detail

}  // namespace kindred::inline v0
