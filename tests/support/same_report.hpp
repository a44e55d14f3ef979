// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <vector>

#include <kindred/evaluation/report.hpp>

namespace kindred_test {

[[nodiscard]] inline bool same(const kindred::CutoffReport& a, const kindred::CutoffReport& b) {
  return a.cutoff == b.cutoff && a.precision == b.precision && a.recall == b.recall && a.ndcg == b.ndcg && a.map == b.map &&
         a.mrr == b.mrr && a.hit_rate == b.hit_rate && a.distinct_items == b.distinct_items && a.coverage == b.coverage &&
         a.coverage_of_trained == b.coverage_of_trained && a.average_popularity == b.average_popularity && a.tail_share == b.tail_share;
}

[[nodiscard]] inline bool same(const kindred::RankingReport::UserScores& a, const kindred::RankingReport::UserScores& b) {
  return a.user == b.user && a.cutoffs == b.cutoffs;
}

[[nodiscard]] inline bool same(const kindred::RankingReport::ItemGroup& a, const kindred::RankingReport::ItemGroup& b) {
  return a.name == b.name && a.items == b.items && a.share_of_recommendations == b.share_of_recommendations && a.recall == b.recall &&
         a.test_interactions == b.test_interactions;
}

[[nodiscard]] inline bool same(const kindred::RankingReport::UserGroup& a, const kindred::RankingReport::UserGroup& b);

template <typename T>
[[nodiscard]] inline bool same_each(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const T& x, const T& y) { return same(x, y); });
}

[[nodiscard]] inline bool same(const kindred::RankingReport::UserGroup& a, const kindred::RankingReport::UserGroup& b) {
  return a.name == b.name && a.users == b.users && same_each(a.cutoffs, b.cutoffs);
}

/// Every number, to the bit.
[[nodiscard]] inline bool same(const kindred::RankingReport& a, const kindred::RankingReport& b) {
  return a.protocol == b.protocol && a.users == b.users && a.users_without_test == b.users_without_test &&
         a.test_interactions == b.test_interactions && a.untrained_test_items == b.untrained_test_items &&
         a.test_pairs_in_train == b.test_pairs_in_train && same_each(a.cutoffs, b.cutoffs) && a.novelty == b.novelty && a.gini == b.gini &&
         same_each(a.user_groups, b.user_groups) && same_each(a.item_groups, b.item_groups) && same_each(a.per_user, b.per_user);
}

}  // namespace kindred_test
