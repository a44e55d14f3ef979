// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/metrics/mean_and_error.hpp>
#include <kindred/metrics/ranking.hpp>

namespace kindred::inline v0 {

/// All metrics at one cutoff K: macro averages over users, as metrics/ranking.hpp defines them.
struct CutoffReport {
  std::size_t cutoff = 0;
  MeanAndError precision;
  MeanAndError recall;
  MeanAndError ndcg;
  MeanAndError map;                  ///< Mean average precision.
  MeanAndError mrr;                  ///< Mean reciprocal rank.
  MeanAndError hit_rate;             ///< Share of users with a hit.
  Index distinct_items = 0;          ///< Items that stand in some user's first K.
  double coverage = 0.0;             ///< distinct_items / items of the matrix.
  double coverage_of_trained = 0.0;  ///< distinct_items / items with train data.
  double average_popularity = 0.0;   ///< Mean over users with a list of the mean number of train users of its items (ARP, Yin et al. 2012).
  /// Share of the places in lists that items of the tail have: the least popular items that together hold at most a fifth of the train interactions.
  double tail_share = 0.0;

  /// The average that `metric` names.
  [[nodiscard]] const MeanAndError& of(Metric metric) const noexcept {
    switch (metric) {
      case Metric::precision: return precision;
      case Metric::recall: return recall;
      case Metric::ndcg: return ndcg;
      case Metric::map: return map;
      case Metric::mrr: return mrr;
      case Metric::hit_rate: return hit_rate;
    }
    return precision;
  }
};

/// What evaluate measured, and how.
struct RankingReport {
  /// The metrics of a part of the users, at the same cutoffs.
  struct UserGroup {
    std::string name;
    Index users = 0;
    std::vector<CutoffReport> cutoffs;
  };

  /// What the lists at the largest cutoff do with a part of the items.
  struct ItemGroup {
    std::string name;
    Index items = 0;
    double share_of_recommendations = 0.0;
    double recall = 0.0;  ///< Hits / test interactions, both with items of the group only, over all users together.
    Offset test_interactions = 0;
  };

  /// The scores of one user, if they were asked for.
  struct UserScores {
    Index user = 0;
    std::vector<RankingScores> cutoffs;
  };

  std::string protocol;           ///< One sentence: who was averaged, what was excluded, which variants.
  Index users = 0;                ///< Users with a non-empty test row: those averaged over.
  Index users_without_test = 0;   ///< Users asked for whose test row is empty: not averaged.
  Index users_without_train = 0;  ///< Averaged users whose train row is empty.
  Index users_without_list = 0;   ///< Averaged users with an empty list: all their metrics are 0.
  Index users_with_fallback = 0;  ///< Averaged users whose list is the fallback.
  Index users_with_equal_scores =
      0;  ///< Averaged users whose list has one score at all places, of two or more: the numbers of the items decide.
  Offset test_interactions = 0;     ///< Of the averaged users.
  Offset untrained_test_items = 0;  ///< Test interactions with items that have no train data: no model can find them.
  Offset test_items_in_train =
      0;  ///< Test interactions that the same user has in train: left out of the lists unless EvaluateOptions::SeenItems::allowed.
  Offset test_pairs_in_train = 0;  ///< Stored test pairs of the averaged users, whatever their value, that the same user has in train.
  Offset test_items_excluded =
      0;  ///< Test interactions that lists were asked to leave out, as items of train or of EvaluateOptions::exclude: 0 is right.
  Offset listed_against_request = 0;  ///< Places in lists with an item that the model was asked to leave out.
  std::vector<CutoffReport> cutoffs;
  double novelty = 0.0;  ///< Mean over users of -log2 of the recommended items' popularity, at the largest cutoff.
  double gini = 0.0;     ///< Inequality of the recommendations over all items, at the largest cutoff.
  std::vector<UserGroup> user_groups;
  std::vector<ItemGroup> item_groups;
  std::vector<UserScores> per_user;

  /// The metrics at `cutoff`. @throws InvalidArgument if it was not asked for.
  [[nodiscard]] const CutoffReport& at(std::size_t cutoff) const {
    for (const CutoffReport& report : cutoffs)
      if (report.cutoff == cutoff) return report;
    throw InvalidArgument("cutoff", cutoff, "one of those that evaluate was asked for");
  }
};

}  // namespace kindred::inline v0
