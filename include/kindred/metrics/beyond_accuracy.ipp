// SPDX-License-Identifier: MIT
#pragma once

// The bodies of metrics/beyond_accuracy.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/statistics.hpp>
#include <kindred/metrics/beyond_accuracy.hpp>

namespace kindred::inline v0 {

namespace detail {

KINDRED_ONCE void check_listed_item(std::span<const Index> list, std::size_t n, std::size_t n_items) {
  if (list[n] < 0 || static_cast<std::size_t>(list[n]) >= n_items)
    throw InvalidArgument("ranked[" + std::to_string(n) + "]", list[n], "an item index in [0, " + std::to_string(n_items) + ")");
}

}  // namespace detail

namespace metrics {

KINDRED_ONCE std::vector<Offset> recommendation_counts(std::span<const std::vector<Index>> lists, Index n_items) {
  if (n_items < 0) throw InvalidArgument("n_items", n_items, "at least 0");
  std::vector<Offset> counts(static_cast<std::size_t>(n_items), 0);
  for (const std::vector<Index>& list : lists) {
    for (std::size_t n = 0; n < list.size(); ++n) {
      detail::check_listed_item(list, n, counts.size());
      ++counts[static_cast<std::size_t>(list[n])];
    }
  }
  return counts;
}

KINDRED_ONCE double catalogue_coverage(std::span<const Offset> counts, Index n_items) {
  if (n_items < 1) throw InvalidArgument("n_items", n_items, "at least 1");
  const Index distinct = detail::distinct_items(counts);
  if (distinct > n_items)
    throw InvalidArgument("n_items", n_items, "at least the number of distinct recommended items, " + std::to_string(distinct));
  return static_cast<double>(distinct) / static_cast<double>(n_items);
}

KINDRED_ONCE double catalogue_coverage(std::span<const std::vector<Index>> lists, Index n_items) {
  return metrics::catalogue_coverage(metrics::recommendation_counts(lists, n_items), n_items);
}

KINDRED_ONCE double recommendation_gini(std::span<const Offset> counts) {
  std::vector<double> values(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) values[i] = static_cast<double>(counts[i]);
  return statistics::gini(values);
}

KINDRED_ONCE double novelty(std::span<const Index> ranked, std::span<const Index> users_per_item, Index n_users) {
  if (ranked.empty()) throw InvalidArgument("ranked", "an empty list", "at least one item");
  if (n_users < 1) throw InvalidArgument("n_users", n_users, "at least 1");
  double bits = 0.0;
  for (std::size_t n = 0; n < ranked.size(); ++n) {
    detail::check_listed_item(ranked, n, users_per_item.size());
    const Index users = users_per_item[static_cast<std::size_t>(ranked[n])];
    if (users < 0 || users > n_users)
      throw InvalidArgument("users_per_item[" + std::to_string(ranked[n]) + "]", users, "in [0, " + std::to_string(n_users) + "]");
    bits += std::log2((static_cast<double>(n_users) + 1.0) / (static_cast<double>(users) + 1.0));
  }
  return bits / static_cast<double>(ranked.size());
}

}  // namespace metrics

}  // namespace kindred::inline v0
