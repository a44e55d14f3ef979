// SPDX-License-Identifier: MIT
#pragma once

// The bodies of evaluation/groups.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/evaluation/groups.hpp>

namespace kindred::inline v0 {

KINDRED_ONCE EvaluationGroups EvaluationGroups::by_count(std::span<const Index> counts, std::size_t n_groups, const std::string& unit) {
  if (n_groups < 1) throw InvalidArgument("n_groups", n_groups, "at least 1");
  std::vector<Index> order;
  for (std::size_t n = 0; n < counts.size(); ++n)
    if (counts[n] > 0) order.push_back(static_cast<Index>(n));
  std::stable_sort(order.begin(), order.end(),
                   [&](Index a, Index b) { return counts[static_cast<std::size_t>(a)] < counts[static_cast<std::size_t>(b)]; });

  EvaluationGroups groups{std::vector<std::string>(n_groups), std::vector<Index>(counts.size(), -1)};
  for (std::size_t group = 0; group < n_groups; ++group) {
    const std::size_t first = order.size() * group / n_groups;
    const std::size_t last = order.size() * (group + 1) / n_groups;
    if (first == last) {
      groups.names[group] = "empty";
      continue;
    }
    for (std::size_t n = first; n < last; ++n) groups.labels[static_cast<std::size_t>(order[n])] = static_cast<Index>(group);
    const Index low = counts[static_cast<std::size_t>(order[first])];
    const Index high = counts[static_cast<std::size_t>(order[last - 1])];
    groups.names[group] = (low == high ? std::to_string(low) : std::to_string(low) + " to " + std::to_string(high)) + " " + unit;
  }
  return groups;
}

KINDRED_ONCE EvaluationGroups EvaluationGroups::by_activity(const CsrView& train, std::size_t n_groups) {
  CsrMatrix cleaned;
  return by_count(row_counts(detail::without_stored_zeros(train, cleaned)), n_groups, "items");
}

KINDRED_ONCE EvaluationGroups EvaluationGroups::by_popularity(const CsrView& train, std::size_t n_groups) {
  CsrMatrix cleaned;
  return by_count(column_counts(detail::without_stored_zeros(train, cleaned)), n_groups, "users");
}

KINDRED_ONCE EvaluationGroups EvaluationGroups::by_mainstreamness(const CsrView& train, std::size_t n_groups) {
  CsrMatrix cleaned;
  const CsrView known = detail::without_stored_zeros(train, cleaned);
  const std::vector<Index> item_users = column_counts(known);
  std::vector<Index> means;
  for (Index u = 0; u < known.rows(); ++u) {
    Offset sum = 0;
    for (const Index item : known.row(u).columns) sum += item_users[static_cast<std::size_t>(item)];
    const auto size = static_cast<Offset>(known.row(u).size());
    means.push_back(size == 0 ? 0 : static_cast<Index>((sum + size / 2) / size));
  }
  return by_count(means, n_groups, "users an item");
}

KINDRED_ONCE EvaluationGroups EvaluationGroups::by_country(std::span<const UserProfile> profiles, std::size_t n_countries) {
  if (n_countries < 1) throw InvalidArgument("n_countries", n_countries, "at least 1");
  std::map<std::string, std::size_t> frequency;
  for (const UserProfile& profile : profiles)
    if (!profile.country.empty()) ++frequency[profile.country];
  std::vector<std::pair<std::string, std::size_t>> ranked(frequency.begin(), frequency.end());
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  if (ranked.size() > n_countries) ranked.resize(n_countries);

  EvaluationGroups groups;
  std::map<std::string, Index> label;
  for (const auto& [country, users] : ranked) {
    label.emplace(country, static_cast<Index>(groups.names.size()));
    groups.names.push_back(country);
  }
  for (const UserProfile& profile : profiles) {
    const auto found = label.find(profile.country);
    groups.labels.push_back(found == label.end() ? -1 : found->second);
  }
  return groups;
}

}  // namespace kindred::inline v0
