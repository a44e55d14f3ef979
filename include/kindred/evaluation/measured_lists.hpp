// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/evaluation/evaluate_options.hpp>
#include <kindred/evaluation/report.hpp>
#include <kindred/metrics/ranking.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0::detail {

/// The test items of a user: those with a value above 0.
inline void relevant_items(const SparseRow& row, std::vector<Index>& relevant) {
  relevant.clear();
  for (std::size_t n = 0; n < row.size(); ++n)
    if (row.values[n] > 0.0F) relevant.push_back(row.columns[n]);
}

/// The items that were tested with a user: those with a value.
inline void tested_items(const SparseRow& row, std::vector<Index>& tested) {
  tested.clear();
  for (std::size_t n = 0; n < row.size(); ++n)
    if (row.values[n] != 0.0F) tested.push_back(row.columns[n]);
}

/// What is odd about one list.
struct ListFacts {
  Index against_request = 0;
  ListSource source = ListSource::model;
  bool empty = false;
  bool equal_scores = false;
};

/// The users that evaluate measures, with the list and the scores of each.
struct MeasuredLists {
  std::vector<Index> item_users;  ///< Of each item, its users in train.
  std::vector<Index> users;       ///< To measure, strictly increasing.
  std::size_t length = 0;         ///< Items of a list.
  std::size_t n_cutoffs = 0;
  std::vector<Index> items;           ///< `length` a user, -1 beyond the end of a list.
  std::vector<RankingScores> scores;  ///< `n_cutoffs` a user.
  std::vector<ListFacts> facts;       ///< Of each user.
  std::vector<double> group_hits;     ///< Hits in each group of items.

  [[nodiscard]] std::span<const Index> list(std::size_t n) const { return std::span<const Index>(items).subspan(n * length, length); }
  [[nodiscard]] std::span<const RankingScores> scores_of(std::size_t n) const {
    return std::span<const RankingScores>(scores).subspan(n * n_cutoffs, n_cutoffs);
  }
};

/// Counts the users of each item in `train`.
[[nodiscard]] inline std::vector<Index> count_item_users(const RowsRef& train) {
  std::vector<Index> item_users(static_cast<std::size_t>(train.cols()), 0);
  train.for_each_block([&](const RowBlock& block) {
    for (const Index item : block.rows.columns()) ++item_users[static_cast<std::size_t>(item)];
  });
  return item_users;
}

/// The users asked for that have test items; the report counts the others.
[[nodiscard]] inline std::vector<Index> users_with_test(const RowsRef& test, const EvaluateOptions& options, RankingReport& report) {
  std::vector<Index> users;
  std::vector<Index> relevant;
  std::size_t next_asked_for = 0;
  test.for_each_block([&](const RowBlock& block) {
    const auto consider = [&](Index user) {
      relevant_items(block.rows.row(user - block.first), relevant);
      if (relevant.empty())
        ++report.users_without_test;
      else
        users.push_back(user);
    };
    const Index end = block.first + block.rows.rows();
    if (!options.users) {
      for (Index user = block.first; user < end; ++user) consider(user);
    } else {
      for (; next_asked_for < options.users->size() && (*options.users)[next_asked_for] < end; ++next_asked_for)
        consider((*options.users)[next_asked_for]);
    }
  });
  if (users.empty())
    throw InvalidArgument("test", "without a positive interaction of the users asked for", "a matrix with something to predict");
  return users;
}

/// Gathers the lists and scores of all members of the team, each of which measured its share of the users, and sums their counts.
inline void gather_lists(const Team& team, std::span<const std::uint64_t> shares, MeasuredLists& lists, RankingReport& report) {
  team.gather(std::as_writable_bytes(std::span(lists.items)), shares, lists.length * sizeof(Index));
  team.gather(std::as_writable_bytes(std::span(lists.scores)), shares, lists.n_cutoffs * sizeof(RankingScores));
  Index* const of_users[] = {&report.users_without_train, &report.users_without_list, &report.users_with_fallback,
                             &report.users_with_equal_scores};
  std::vector<Offset*> of_items = {&report.test_interactions,   &report.untrained_test_items, &report.test_items_in_train,
                                   &report.test_pairs_in_train, &report.test_items_excluded,  &report.listed_against_request};
  for (RankingReport::ItemGroup& group : report.item_groups) of_items.push_back(&group.test_interactions);
  std::vector<double> counted = lists.group_hits;
  for (const Index* count : of_users) counted.push_back(static_cast<double>(*count));
  for (const Offset* count : of_items) counted.push_back(static_cast<double>(*count));
  team.sum(counted);  // whole numbers: exact
  std::copy_n(counted.begin(), lists.group_hits.size(), lists.group_hits.begin());
  auto next = counted.begin() + static_cast<std::ptrdiff_t>(lists.group_hits.size());
  for (Index* count : of_users) *count = static_cast<Index>(*next++);
  for (Offset* count : of_items) *count = static_cast<Offset>(*next++);
}

}  // namespace kindred::inline v0::detail
