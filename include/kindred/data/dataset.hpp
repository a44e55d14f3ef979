// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/data/load_report.hpp>

namespace kindred::inline v0 {

/// What is known of a user beside the interactions; anything may be missing.
struct UserProfile {
  std::string gender;                  ///< As the source writes it ("m", "f"); empty: unknown.
  std::optional<int> age;              ///< Years.
  std::string country;                 ///< Empty: unknown.
  std::optional<std::int64_t> signup;  ///< Seconds since the Unix epoch.

  friend bool operator==(const UserProfile&, const UserProfile&) = default;
};

/// The size of a dataset after one step of its preparation.
struct FunnelStep {
  std::string step;
  Index users = 0;
  Index items = 0;
  Offset interactions = 0;
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
  std::vector<FunnelStep> funnel;       ///< The sizes after each step of preparation, in order.

  /// What to call item `i`: its name, or its key where it has none.
  [[nodiscard]] std::string_view item_name(Index i) const {
    const auto at = static_cast<std::size_t>(i);
    return i >= 0 && at < item_names.size() && !item_names[at].empty() ? std::string_view(item_names[at]) : items.key(i);
  }
};

/// @throws ShapeError if the parts of `data` do not belong together.
inline void check_dataset(const Dataset& data) {
  const auto expect = [](std::string_view what, std::size_t found, std::size_t wanted, std::string_view unit) {
    if (found != wanted)
      throw ShapeError("dataset." + std::string(what) + " has " + std::to_string(found) + " entries; the matrix has " +
                       std::to_string(wanted) + " " + std::string(unit));
  };
  const auto users = static_cast<std::size_t>(data.matrix.rows());
  const auto items = static_cast<std::size_t>(data.matrix.cols());
  const auto nnz = static_cast<std::size_t>(data.matrix.nnz());
  expect("users", static_cast<std::size_t>(data.users.size()), users, "users");
  expect("items", static_cast<std::size_t>(data.items.size()), items, "items");
  if (!data.item_names.empty()) expect("item_names", data.item_names.size(), items, "items");
  if (!data.profiles.empty()) expect("profiles", data.profiles.size(), users, "users");
  if (!data.times.empty()) expect("times", data.times.size(), nnz, "interactions");
  if (!data.raw_rows.empty()) expect("raw_rows", data.raw_rows.size(), nnz, "interactions");
}

namespace detail {

[[nodiscard]] inline FunnelStep funnel_step(std::string step, const CsrView& matrix) {
  return {std::move(step), matrix.rows(), matrix.cols(), matrix.nnz()};
}

}  // namespace detail

/// The part of `data` that `users` and `items` (both strictly increasing) span: keys, names, profiles, times and raw rows go along.
/// The funnel gets one more step, called `step`. O(nnz + users + items).
/// @throws InvalidArgument if an index is out of range or not above the one before it; ShapeError if the parts of `data` do not belong together.
[[nodiscard]] inline Dataset select(const Dataset& data, std::span<const Index> users, std::span<const Index> items, std::string step) {
  check_dataset(data);
  detail::check_index_list(items, "items", "an item", data.matrix.cols());
  detail::check_index_list(users, "users", "a user", data.matrix.rows());

  std::vector<Index> renumbered(static_cast<std::size_t>(data.matrix.cols()), -1);
  for (std::size_t n = 0; n < items.size(); ++n) renumbered[static_cast<std::size_t>(items[n])] = static_cast<Index>(n);

  Dataset kept;
  detail::CsrBuilder builder({static_cast<Index>(users.size()), static_cast<Index>(items.size())});
  for (const Index u : users) {
    const SparseRow row = data.matrix.row(u);
    const auto start = static_cast<std::size_t>(data.matrix.offsets()[static_cast<std::size_t>(u)]);
    for (std::size_t n = 0; n < row.size(); ++n) {
      const Index item = renumbered[static_cast<std::size_t>(row.columns[n])];
      if (item < 0) continue;
      builder.add(item, row.values[n]);
      if (!data.times.empty()) kept.times.push_back(data.times[start + n]);
      if (!data.raw_rows.empty()) kept.raw_rows.push_back(data.raw_rows[start + n]);
    }
    builder.end_row();
  }
  kept.matrix = builder.finish();
  kept.users = data.users.select(users);
  kept.items = data.items.select(items);
  if (!data.item_names.empty())
    for (const Index i : items) kept.item_names.push_back(data.item_names[static_cast<std::size_t>(i)]);
  if (!data.profiles.empty())
    for (const Index u : users) kept.profiles.push_back(data.profiles[static_cast<std::size_t>(u)]);
  kept.load = data.load;
  kept.funnel = data.funnel;
  kept.funnel.push_back(detail::funnel_step(std::move(step), kept.matrix));
  return kept;
}

}  // namespace kindred::inline v0
