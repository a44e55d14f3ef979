// SPDX-License-Identifier: MIT
#pragma once

// The bodies of data/dataset.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <array>
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
#include <kindred/data/csr_builder.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_matrix.ipp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/data/key_column.hpp>
#include <kindred/data/load_report.hpp>
#include <kindred/data/row_merge.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Puts matrix, times and raw rows of merged interactions into `data`, whose keys they belong to, and `merged` into the report.
/// @throws InvalidArgument if a sum is beyond the range of a float, naming the first such pair.
inline void set_interactions(Dataset& data, LoadReport& report, RowMerge& merge, const ParallelOptions& parallel) {
  if (const auto& failed = merge.too_large())
    throw InvalidArgument("the sum of user " + printable(data.users.key(failed->user)) + " and item " +
                              printable(data.items.key(failed->item)) + " in " + report.source,
                          failed->sum, "within the range of a float");
  GatheredRows rows = merge.finish(data.raw_rows, parallel);
  // Merged rows rise, their indices are those of keys, their sums were checked.
  data.matrix =
      CsrMatrix(unchecked, {data.users.size(), data.items.size()}, std::move(rows.offsets), std::move(rows.columns), std::move(rows.values));
  data.times = std::move(rows.times);
  report.merged += merge.merged();
}

/// `data` without the users and items that have no interaction.
[[nodiscard]] inline Dataset without_unused(Dataset data) {
  const auto used = [](const std::vector<Index>& counts) {
    std::vector<Index> indices;
    for (std::size_t n = 0; n < counts.size(); ++n)
      if (counts[n] > 0) indices.push_back(static_cast<Index>(n));
    return indices;
  };
  const std::vector<Index> users = used(row_counts(data.matrix)), items = used(column_counts(data.matrix));
  if (users.size() == static_cast<std::size_t>(data.users.size()) && items.size() == static_cast<std::size_t>(data.items.size()))
    return data;
  return data.select(users, items);
}

/// The last steps of a reader: users and items of sums of zero go, as if the source had not named them, and the report comes in.
[[nodiscard]] inline Dataset finished_dataset(Dataset data, LoadReport report, std::uint64_t zero_rows) {
  if (zero_rows > 0) {
    report.rows -= zero_rows;
    report.dropped["sum of zero"] += zero_rows;
    data = without_unused(std::move(data));
  }
  data.load = std::move(report);
  return data;
}

/// intern_column for whole numbers that lie close together, as ids of a database do: a table from number to index, so that a key becomes text and is hashed
/// once, not in every row. Nothing for other columns: text, and numbers of which the table would have more than four entries a row.
template <typename Keep>
[[nodiscard]] std::optional<std::vector<Index>> intern_numbers(IdMap& ids, const KeyColumn& column, const Keep& keep) {
  if (!column.has_numbers() || column.size() == 0) return std::nullopt;
  std::array<std::int64_t, 256> keys;
  const auto each_piece = [&](const auto& take) {
    for (std::size_t first = 0; first < column.size(); first += keys.size()) {
      const std::span<std::int64_t> piece(keys.data(), (std::min)(keys.size(), column.size() - first));
      column.numbers(first, piece);
      take(first, std::span<const std::int64_t>(piece));
    }
  };
  std::int64_t low = (std::numeric_limits<std::int64_t>::max)(), high = (std::numeric_limits<std::int64_t>::min)();
  each_piece([&](std::size_t, std::span<const std::int64_t> piece) {
    for (const std::int64_t key : piece) {
      low = (std::min)(low, key);
      high = (std::max)(high, key);
    }
  });
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);  // without overflow
  if (range / 4 >= column.size()) return std::nullopt;
  std::vector<Index> known(static_cast<std::size_t>(range) + 1, -1), indices;
  resize_large(indices, column.size(), Index{-1});
  KeyColumn::Buffer buffer;
  each_piece([&](std::size_t first, std::span<const std::int64_t> piece) {
    for (std::size_t n = 0; n < piece.size(); ++n) {
      if (!keep(first + n)) continue;
      Index& index = known[static_cast<std::size_t>(static_cast<std::uint64_t>(piece[n]) - static_cast<std::uint64_t>(low))];
      if (index < 0) index = ids.intern(column.text(first + n, buffer));
      indices[first + n] = index;
    }
  });
  return indices;
}

/// The indices in `ids` of the keys of `column`, called `field` in errors, with new keys taken in; -1 for a row n without keep(n), which takes no key in.
/// Keys are looked up in groups, so that the visits to memory of a group overlap: with 10 million rows in random order half of the
/// time of one after the other (columns_benchmark, int64_keys).
/// @throws InvalidArgument if a key is empty, naming the first, or beyond 2^31 - 1 keys.
template <typename Keep>
[[nodiscard]] std::vector<Index> intern_column(IdMap& ids, const KeyColumn& column, std::string_view field, const Keep& keep) {
  if (std::optional<std::vector<Index>> indices = intern_numbers(ids, column, keep)) return std::move(*indices);
  constexpr std::size_t group = 32;
  KeyColumn::Buffer buffers[group];
  std::string_view texts[group];
  std::uint32_t hashes[group];
  std::vector<Index> indices;
  resize_large(indices, column.size(), Index{-1});
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
      if (keep(first + n)) indices[first + n] = ids.intern(texts[n], hashes[n]);
  }
  return indices;
}

/// `data` has keys, and names where there are any; the interactions of `input`, whose indices are those of the keys, go into it. The report says what was read
/// until now. @throws InvalidArgument if a sum is beyond the range of a float.
[[nodiscard]] inline Dataset merged_dataset(Dataset data, const ColumnInput& input, LoadReport report) {
  RowMerge merge(gather_rows(data.users.size(), input));
  merge.add(merge.merge(0, static_cast<std::size_t>(data.users.size())));
  set_interactions(data, report, merge, {.threads = 1});
  return finished_dataset(std::move(data), std::move(report), merge.zero_rows());
}

}  // namespace detail

KINDRED_ONCE void Dataset::check() const {
  const auto expect = [](std::string_view what, std::size_t found, std::size_t wanted, std::string_view unit) {
    if (found != wanted)
      throw ShapeError("dataset." + std::string(what) + " has " + std::to_string(found) + " entries; the matrix has " +
                       std::to_string(wanted) + " " + std::string(unit));
  };
  const auto n_users = static_cast<std::size_t>(matrix.rows());
  const auto n_items = static_cast<std::size_t>(matrix.cols());
  const auto nnz = static_cast<std::size_t>(matrix.nnz());
  expect("users", static_cast<std::size_t>(users.size()), n_users, "users");
  expect("items", static_cast<std::size_t>(items.size()), n_items, "items");
  if (!item_names.empty()) expect("item_names", item_names.size(), n_items, "items");
  if (!profiles.empty()) expect("profiles", profiles.size(), n_users, "users");
  if (!times.empty()) expect("times", times.size(), nnz, "interactions");
  if (!raw_rows.empty()) expect("raw_rows", raw_rows.size(), nnz, "interactions");
  if (!undecayed.empty()) expect("undecayed", undecayed.size(), nnz, "interactions");
}

KINDRED_ONCE Dataset Dataset::select(std::span<const Index> of_users, std::span<const Index> of_items) const {
  check();
  detail::check_index_list(of_items, "items", "an item", matrix.cols());
  detail::check_index_list(of_users, "users", "a user", matrix.rows());

  std::vector<Index> renumbered(static_cast<std::size_t>(matrix.cols()), -1);
  for (std::size_t n = 0; n < of_items.size(); ++n) renumbered[static_cast<std::size_t>(of_items[n])] = static_cast<Index>(n);

  Dataset kept;
  detail::CsrBuilder builder({static_cast<Index>(of_users.size()), static_cast<Index>(of_items.size())});
  for (const Index u : of_users) {
    const SparseRow row = matrix.row(u);
    const auto start = static_cast<std::size_t>(matrix.offsets()[static_cast<std::size_t>(u)]);
    for (std::size_t n = 0; n < row.size(); ++n) {
      const Index item = renumbered[static_cast<std::size_t>(row.columns[n])];
      if (item < 0) continue;
      builder.add(item, row.values[n]);
      if (!times.empty()) kept.times.push_back(times[start + n]);
      if (!raw_rows.empty()) kept.raw_rows.push_back(raw_rows[start + n]);
      if (!undecayed.empty()) kept.undecayed.push_back(undecayed[start + n]);
    }
    builder.end_row();
  }
  kept.matrix = builder.finish();
  kept.users = users.select(of_users);
  kept.items = items.select(of_items);
  if (!item_names.empty())
    for (const Index i : of_items) kept.item_names.push_back(item_names[static_cast<std::size_t>(i)]);
  if (!profiles.empty())
    for (const Index u : of_users) kept.profiles.push_back(profiles[static_cast<std::size_t>(u)]);
  kept.load = load;
  return kept;
}

KINDRED_ONCE Dataset Dataset::from_columns(const KeyColumn& users, const KeyColumn& items, std::span<const float> values,
                                           std::span<const std::int64_t> times) {
  detail::check_column_length(users.size(), "items", items.size(), false);
  detail::check_column_length(users.size(), "values", values.size(), true);
  detail::check_column_length(users.size(), "times", times.size(), true);
  Dataset data;
  LoadReport report;
  report.source = "columns in memory";
  report.lines = users.size();
  report.rows = users.size();
  for (std::size_t n = 0; n < values.size(); ++n) {
    if (!detail::is_finite(values[n])) throw InvalidArgument(detail::ColumnInput::name("value", n), values[n], "finite");
    if (values[n] != 0.0F) continue;
    --report.rows;
    ++report.dropped["zero value"];
  }
  const auto keep = [values](std::size_t n) { return values.empty() || values[n] != 0.0F; };
  const std::vector<Index> user_indices = detail::intern_column(data.users, users, "user", keep);
  const std::vector<Index> item_indices = detail::intern_column(data.items, items, "item", keep);
  return detail::merged_dataset(std::move(data), {user_indices, item_indices, values, times}, std::move(report));
}

}  // namespace kindred::inline v0
