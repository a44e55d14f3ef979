// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <kindred/data/dataset.hpp>
#include <kindred/data/filters.hpp>

namespace kindred_test {

/// Interactions as (user key, item key), each with its weight.
using Pairs = std::map<std::pair<std::string, std::string>, kindred::Offset>;

inline Pairs pairs_of(const kindred::Dataset& data, kindred::ActivityFilter::Count count) {
  Pairs pairs;
  std::size_t at = 0;
  for (kindred::Index u = 0; u < data.matrix.rows(); ++u)
    for (const kindred::Index i : data.matrix.row(u).columns)
      pairs[{std::string(data.users.key(u)), std::string(data.items.key(i))}] =
          count == kindred::ActivityFilter::Count::raw_rows && !data.raw_rows.empty() ? kindred::Offset{data.raw_rows[at++]} : 1;
  return pairs;
}

/// Whom and what it keeps.
struct FilteredSets {
  std::set<std::string> users;
  std::set<std::string> items;
  Pairs pairs;
};

/// filter_active with sets, written for clarity: keys that stay, and the pairs between them.
inline FilteredSets filter_by_sets(const kindred::Dataset& data, const kindred::ActivityFilter& filter) {
  FilteredSets r;
  for (kindred::Index u = 0; u < data.users.size(); ++u) r.users.emplace(data.users.key(u));
  for (kindred::Index i = 0; i < data.items.size(); ++i) r.items.emplace(data.items.key(i));
  r.pairs = pairs_of(data, filter.count);
  const auto restrict_pairs = [&] {
    for (auto pair = r.pairs.begin(); pair != r.pairs.end();)
      pair = r.users.count(pair->first.first) && r.items.count(pair->first.second) ? std::next(pair) : r.pairs.erase(pair);
  };
  const auto drop_users = [&] {
    std::map<std::string, kindred::Offset> totals;
    for (const auto& [pair, weight] : r.pairs) totals[pair.first] += weight;
    for (auto user = r.users.begin(); user != r.users.end();)
      user = totals[*user] >= filter.min_items_per_user ? std::next(user) : r.users.erase(user);
    restrict_pairs();
  };
  const auto drop_items = [&] {
    std::map<std::string, kindred::Offset> totals;
    for (const auto& [pair, weight] : r.pairs) totals[pair.second] += weight;
    for (auto item = r.items.begin(); item != r.items.end();)
      item = totals[*item] >= filter.min_users_per_item ? std::next(item) : r.items.erase(item);
    restrict_pairs();
  };
  for (;;) {
    const std::size_t before = r.users.size() + r.items.size();
    drop_users();
    drop_items();
    if (filter.passes == kindred::ActivityFilter::Passes::once || r.users.size() + r.items.size() == before) break;
  }
  // Who has nothing left goes too, unless nothing was asked of them.
  std::set<std::string> busy_users, busy_items;
  for (const auto& pair : r.pairs) {
    busy_users.insert(pair.first.first);
    busy_items.insert(pair.first.second);
  }
  if (filter.min_items_per_user > 0) r.users = busy_users;
  if (filter.min_users_per_item > 0) r.items = busy_items;
  return r;
}

}  // namespace kindred_test
