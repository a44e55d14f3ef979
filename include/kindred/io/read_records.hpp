// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <kindred/core/rounding.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/column_places.hpp>
#include <kindred/io/delimited_format.hpp>
#include <kindred/io/parallel_records.hpp>
#include <kindred/io/record.hpp>
#include <kindred/io/record_parser.hpp>
#include <kindred/io/table.hpp>

namespace kindred::inline v0 {

namespace detail {

/// read_delimited of an open file, with a last word on the item keys: `rekey(key)` answers the key to use instead, or an empty one for no change.
/// It is called from many threads.
template <typename Rekey>
[[nodiscard]] Dataset read_records(LineSource source, const DelimitedFormat& format, const ReadOptions& options, Rekey&& rekey) {
  const RoundToNearest rounding;
  check_format(format);
  TableReader table(std::move(source), table_format(format), options);
  ColumnPlaces places;
  const bool more = find_first_row(format, table, places);
  const RecordParser parser(format, places);
  const RecordParts parts{.item_names = places.item_name != no_place, .times = places.time != no_place};
  ParallelRecords<std::remove_reference_t<Rekey>> records(table, format, parser, parts, rekey);
  if (more) records.take_first_row();
  return records.finish();
}

/// The same by path.
template <typename Rekey>
[[nodiscard]] Dataset read_records(const std::string& path, const DelimitedFormat& format, const ReadOptions& options, Rekey&& rekey) {
  check_format(format);
  return read_records(TableReader::open(path, options), format, options, std::forward<Rekey>(rekey));
}

/// The rekey of readers that keep every key.
inline constexpr auto keep_keys = [](std::string_view) { return std::string_view{}; };

}  // namespace detail

}  // namespace kindred::inline v0
