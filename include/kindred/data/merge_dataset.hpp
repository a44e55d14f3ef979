// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/text.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/column_input.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/data/key_column.hpp>
#include <kindred/data/load_report.hpp>
#include <kindred/data/row_merge.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Puts matrix, times and raw rows of merged interactions into `data`, whose keys they belong to, and `merged` into the report.
/// @throws InvalidArgument if a sum is beyond the range of a float, naming the first such pair.
inline void set_interactions(Dataset& data, LoadReport& report, RowMerge& merge) {
  if (const auto& failed = merge.too_large())
    throw InvalidArgument("the sum of user " + printable(data.users.key(failed->user)) + " and item " +
                              printable(data.items.key(failed->item)) + " in " + report.source,
                          failed->sum, "within the range of a float");
  GatheredRows rows = merge.finish(data.raw_rows);
  data.matrix = CsrMatrix({data.users.size(), data.items.size()}, std::move(rows.offsets), std::move(rows.columns), std::move(rows.values));
  data.times = std::move(rows.times);
  report.merged += merge.merged();
}

/// The last steps of a reader: users and items of sums of zero go, as if the source had not named them, and the report comes in.
[[nodiscard]] inline Dataset finished_dataset(Dataset data, LoadReport report, std::uint64_t zero_rows) {
  if (zero_rows > 0) {
    report.rows -= zero_rows;
    report.dropped["sum of zero"] += zero_rows;
    const auto used = [](const std::vector<Index>& counts) {
      std::vector<Index> indices;
      for (std::size_t n = 0; n < counts.size(); ++n)
        if (counts[n] > 0) indices.push_back(static_cast<Index>(n));
      return indices;
    };
    data = select(data, used(row_counts(data.matrix)), used(column_counts(data.matrix)));
  }
  data.load = std::move(report);
  return data;
}

/// The indices in `ids` of the keys of `column`, called `field` in errors, with new keys taken in; -1 for a row with the value 0, which takes no key in.
/// Keys are looked up in groups, so that the visits to memory of a group overlap: with 10 million rows in random order half of the
/// time of one after the other (columns_benchmark, int64_keys).
/// @throws InvalidArgument if a key is empty, naming the first, or beyond 2^31 - 1 keys.
[[nodiscard]] inline std::vector<Index> intern_column(IdMap& ids, const KeyColumn& column, std::string_view field,
                                                      std::span<const float> values) {
  constexpr std::size_t group = 32;
  KeyColumn::Buffer buffers[group];
  std::string_view texts[group];
  std::uint32_t hashes[group];
  std::vector<Index> indices(column.size(), -1);
  for (std::size_t first = 0; first < column.size(); first += group) {
    const std::size_t count = (std::min)(group, column.size() - first);
    for (std::size_t n = 0; n < count; ++n) {
      texts[n] = column.text(first + n, buffers[n]);
      if (texts[n].empty()) throw InvalidArgument(ColumnInput::name(field, first + n), "''", "a key that is not empty");
      hashes[n] = ids.hash_of(texts[n]);
      ids.prefetch_slot(hashes[n]);
    }
    for (std::size_t n = 0; n < count; ++n) ids.prefetch_key(hashes[n]);
    for (std::size_t n = 0; n < count; ++n)
      if (values.empty() || values[first + n] != 0.0F) indices[first + n] = ids.intern(texts[n], hashes[n]);
  }
  return indices;
}

/// `data` has keys, and names where there are any; the interactions of `input`, whose indices are those of the keys, go into it. The report says what was read
/// until now. @throws InvalidArgument if a sum is beyond the range of a float.
[[nodiscard]] inline Dataset merged_dataset(Dataset data, const ColumnInput& input, LoadReport report) {
  RowMerge merge(gather_rows(data.users.size(), input));
  merge.add(merge.merge(0, static_cast<std::size_t>(data.users.size())));
  set_interactions(data, report, merge);
  return finished_dataset(std::move(data), std::move(report), merge.zero_rows());
}

}  // namespace detail

}  // namespace kindred::inline v0
