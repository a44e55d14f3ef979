// SPDX-License-Identifier: MIT
#pragma once

// The bodies of data/filters.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/filters.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Activity of each row (or column) among the rows (and columns) still kept.
[[nodiscard]] inline std::vector<Offset> activity(const Dataset& data, ActivityFilter::Count count, const std::vector<char>& user_kept,
                                                  const std::vector<char>& item_kept, bool of_users) {
  std::vector<Offset> totals(of_users ? user_kept.size() : item_kept.size(), 0);
  const bool raw = count == ActivityFilter::Count::raw_rows && !data.raw_rows.empty();
  for (Index u = 0; u < data.matrix.rows(); ++u) {
    const auto user = static_cast<std::size_t>(u);
    if (!user_kept[user]) continue;
    const auto start = static_cast<std::size_t>(data.matrix.offsets()[user]);
    const SparseRow row = data.matrix.row(u);
    for (std::size_t n = 0; n < row.size(); ++n) {
      const auto item = static_cast<std::size_t>(row.columns[n]);
      if (item_kept[item]) totals[of_users ? user : item] += raw ? Offset{data.raw_rows[start + n]} : Offset{1};
    }
  }
  return totals;
}

[[nodiscard]] inline std::vector<Index> kept_indices(const std::vector<char>& kept) {
  std::vector<Index> indices;
  for (std::size_t n = 0; n < kept.size(); ++n)
    if (kept[n]) indices.push_back(static_cast<Index>(n));
  return indices;
}

/// Drops users and items below their thresholds. Repeats until every remaining user and item meets its threshold. Returns how many entries
/// were visited on the way: each at most once from its user and once from its item, however long the chain of consequences.
inline Offset drop_until_stable(const Dataset& data, const ActivityFilter& options, std::vector<char>& user_kept,
                                std::vector<char>& item_kept) {
  const bool raw = options.count == ActivityFilter::Count::raw_rows && !data.raw_rows.empty();
  const std::span<const Index> columns = data.matrix.columns();
  const std::span<const Offset> offsets = data.matrix.offsets();
  const auto weight = [&](Offset entry) { return raw ? Offset{data.raw_rows[static_cast<std::size_t>(entry)]} : Offset{1}; };
  // The entries of each item: where they are, and whose.
  std::vector<Offset> ends(item_kept.size(), 0), entries(columns.size());
  std::vector<Index> users(columns.size());
  for (const Index item : columns) ++ends[static_cast<std::size_t>(item)];
  for (std::size_t i = 1; i < ends.size(); ++i) ends[i] += ends[i - 1];
  std::vector<Offset> starts(ends);
  for (std::size_t u = user_kept.size(); u-- > 0;)
    for (Offset entry = offsets[u + 1]; entry-- > offsets[u];) {
      const auto place = static_cast<std::size_t>(--starts[static_cast<std::size_t>(columns[static_cast<std::size_t>(entry)])]);
      entries[place] = entry;
      users[place] = static_cast<Index>(u);
    }

  std::vector<Offset> user_totals = activity(data, options.count, user_kept, item_kept, true);
  std::vector<Offset> item_totals = activity(data, options.count, user_kept, item_kept, false);
  std::vector<std::size_t> lost_users, lost_items;
  const auto lose = [](std::size_t n, const std::vector<Offset>& totals, Offset minimum, std::vector<char>& kept,
                       std::vector<std::size_t>& lost) {
    if (!kept[n] || totals[n] >= minimum) return;
    kept[n] = 0;
    lost.push_back(n);
  };
  const auto lose_user = [&](std::size_t u) { lose(u, user_totals, options.min_items_per_user, user_kept, lost_users); };
  const auto lose_item = [&](std::size_t i) { lose(i, item_totals, options.min_users_per_item, item_kept, lost_items); };
  for (std::size_t u = 0; u < user_kept.size(); ++u) lose_user(u);
  for (std::size_t i = 0; i < item_kept.size(); ++i) lose_item(i);
  Offset visited = 0;
  while (!lost_users.empty() || !lost_items.empty()) {
    if (!lost_users.empty()) {
      const std::size_t u = lost_users.back();
      lost_users.pop_back();
      for (Offset entry = offsets[u]; entry < offsets[u + 1]; ++entry, ++visited) {
        const auto item = static_cast<std::size_t>(columns[static_cast<std::size_t>(entry)]);
        item_totals[item] -= weight(entry);
        lose_item(item);
      }
    } else {
      const std::size_t i = lost_items.back();
      lost_items.pop_back();
      for (auto place = static_cast<std::size_t>(starts[i]); place < static_cast<std::size_t>(ends[i]); ++place, ++visited) {
        const auto user = static_cast<std::size_t>(users[place]);
        user_totals[user] -= weight(entries[place]);
        lose_user(user);
      }
    }
  }
  return visited;
}

}  // namespace detail

KINDRED_ONCE Dataset filter_active(const Dataset& data, const ActivityFilter& options) {
  if (options.min_items_per_user < 0) throw InvalidArgument("min_items_per_user", options.min_items_per_user, "at least 0");
  if (options.min_users_per_item < 0) throw InvalidArgument("min_users_per_item", options.min_users_per_item, "at least 0");
  data.check();

  std::vector<char> user_kept(static_cast<std::size_t>(data.matrix.rows()), 1);
  std::vector<char> item_kept(static_cast<std::size_t>(data.matrix.cols()), 1);
  const auto apply = [&](std::vector<char>& kept, bool of_users, Offset minimum) {
    const std::vector<Offset> totals = detail::activity(data, options.count, user_kept, item_kept, of_users);
    for (std::size_t n = 0; n < kept.size(); ++n)
      if (totals[n] < minimum) kept[n] = 0;
  };

  apply(user_kept, true, options.min_items_per_user);
  apply(item_kept, false, options.min_users_per_item);
  if (options.passes == ActivityFilter::Passes::until_stable) (void)detail::drop_until_stable(data, options, user_kept, item_kept);
  apply(user_kept, true, (std::min)(Offset{1}, options.min_items_per_user));
  apply(item_kept, false, (std::min)(Offset{1}, options.min_users_per_item));
  return data.select(detail::kept_indices(user_kept), detail::kept_indices(item_kept));
}

KINDRED_ONCE Dataset drop_unused_items(const Dataset& data) {
  const std::vector<Index> counts = column_counts(data.matrix);
  std::vector<Index> users(static_cast<std::size_t>(data.matrix.rows()));
  std::iota(users.begin(), users.end(), 0);
  std::vector<Index> items;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0) items.push_back(static_cast<Index>(i));
  return data.select(users, items);
}

KINDRED_ONCE Dataset keep_most_active_users(const Dataset& data, Index n_users, ActivityFilter::Count count) {
  if (n_users < 1) throw InvalidArgument("n_users", n_users, "at least 1");
  data.check();
  const std::vector<char> all_users(static_cast<std::size_t>(data.matrix.rows()), 1);
  const std::vector<char> all_items(static_cast<std::size_t>(data.matrix.cols()), 1);
  const std::vector<Offset> totals = detail::activity(data, count, all_users, all_items, true);

  std::vector<Index> users = detail::kept_indices(all_users);
  if (users.size() > static_cast<std::size_t>(n_users)) {
    std::sort(users.begin(), users.end(), [&](Index a, Index b) {
      const Offset more = totals[static_cast<std::size_t>(a)];
      const Offset less = totals[static_cast<std::size_t>(b)];
      return more != less ? more > less : data.users.key(a) < data.users.key(b);
    });
    users.resize(static_cast<std::size_t>(n_users));
    std::sort(users.begin(), users.end());
  }
  return drop_unused_items(data.select(users, detail::kept_indices(all_items)));
}

}  // namespace kindred::inline v0
