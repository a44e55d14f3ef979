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
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/data/key_column.hpp>
#include <kindred/data/load_report.hpp>
#include <kindred/data/row_merge.hpp>

namespace kindred::inline v0 {

/// What is known of a user beside the interactions; anything may be missing.
struct UserProfile {
  std::string gender;                  ///< As the source writes it ("m", "f"); empty: unknown.
  std::optional<int> age;              ///< Years.
  std::string country;                 ///< Empty: unknown.
  std::optional<std::int64_t> signup;  ///< Seconds since the Unix epoch.

  friend bool operator==(const UserProfile&, const UserProfile&) = default;
};

/// Interactions with everything that belongs to them. A plain value: readers and generators make it, filters return a smaller one.
struct Dataset {
  CsrMatrix matrix;                     ///< n_users x n_items; values are plays, ratings or counts, summed over repeats.
  IdMap users;                          ///< n_users keys.
  IdMap items;                          ///< n_items keys.
  std::vector<std::string> item_names;  ///< For people; empty, or length n_items.
  std::vector<UserProfile> profiles;    ///< Empty, or length n_users.
  std::vector<std::int64_t> times;  ///< Seconds since the Unix epoch of the first event of each stored interaction; empty, or length nnz.
  std::vector<std::uint32_t> raw_rows;  ///< Rows of the source that each stored interaction was summed from; empty (all 1), or length nnz.
  LoadReport load;                      ///< What was read, if it was read.

  /// Builds a dataset from columns in memory: interaction n is `values[n]` of the user `users[n]` and the item `items[n]`, at `times[n]`; rows in any order.
  ///
  /// `users`, `items`: keys, equally long, none an empty text; a number is its decimal text as a key, which `IdMap::find(std::int64_t)` finds.
  /// `values`: as long, finite, negative for a dislike; empty: 1 each. `times`: as long, seconds since the Unix epoch; empty: unknown.
  /// The readers' rules hold: users and items are numbered in the order in which they first come with a row that is kept; rows of a pair are summed in double;
  /// `times` has the first time of each pair, `raw_rows` how many rows it was summed from (empty if no pair came twice); a value of 0 and a pair that sums to 0
  /// are no interaction, but dropped and counted in `load`, whose `source` is "columns in memory" and whose `lines` are the rows given.
  /// O(rows * log(longest row) + bytes of the keys); memory 16 bytes a row beside the keys, 24 with times.
  /// @throws ShapeError if the lengths differ; InvalidArgument for an empty key, a value that is not finite, a sum beyond the range of a float, naming the
  /// first of its column, or beyond 2^31 - 1 users or items.
  [[nodiscard]] static Dataset from_columns(const KeyColumn& users, const KeyColumn& items, std::span<const float> values = {},
                                            std::span<const std::int64_t> times = {});

  /// @throws ShapeError if the parts do not belong together.
  void check() const;

  /// The part that these users and items (both strictly increasing) span: keys, names, profiles, times and raw rows go along.
  /// O(nnz + users + items).
  /// @throws InvalidArgument if an index is out of range or not above the one before it; ShapeError if the parts do not belong together.
  [[nodiscard]] Dataset select(std::span<const Index> of_users, std::span<const Index> of_items) const;

  /// What to call item `i`: its name, or its key where it has none.
  [[nodiscard]] std::string_view item_name(Index i) const {
    const auto at = static_cast<std::size_t>(i);
    return i >= 0 && at < item_names.size() && !item_names[at].empty() ? std::string_view(item_names[at]) : items.key(i);
  }
};

inline void Dataset::check() const {
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
}

inline Dataset Dataset::select(std::span<const Index> of_users, std::span<const Index> of_items) const {
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
    data = data.select(used(row_counts(data.matrix)), used(column_counts(data.matrix)));
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

inline Dataset Dataset::from_columns(const KeyColumn& users, const KeyColumn& items, std::span<const float> values,
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
  const std::vector<Index> user_indices = detail::intern_column(data.users, users, "user", values);
  const std::vector<Index> item_indices = detail::intern_column(data.items, items, "item", values);
  return detail::merged_dataset(std::move(data), {user_indices, item_indices, values, times}, std::move(report));
}

}  // namespace kindred::inline v0
