// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>

namespace kindred::inline v0 {

/// Which variants ranking_scores computes.
struct RankingOptions {
  /// What recall divides the hits by.
  enum class RecallDenominator {
    relevant,             ///< |T|, as most play-count studies do.
    min_cutoff_relevant,  ///< min(K, |T|), so that a perfect list scores 1 at every cutoff (Liang et al. 2018).
  };

  /// What average precision divides the sum of precisions by.
  enum class ApDenominator {
    min_cutoff_relevant,  ///< min(K, |T|), so that a perfect list scores 1 at every cutoff.
    relevant,             ///< |T|, as trec_eval does.
  };

  RecallDenominator recall_denominator = RecallDenominator::relevant;
  ApDenominator ap_denominator = ApDenominator::min_cutoff_relevant;
};

/// The name of a metric: what evaluate reports, compare tests and a search maximises.
enum class Metric { precision, recall, ndcg, map, mrr, hit_rate };

/// The scores of one ranked list at one cutoff, each in [0, 1].
struct RankingScores {
  double precision = 0.0;
  double recall = 0.0;
  double ndcg = 0.0;
  double average_precision = 0.0;
  double reciprocal_rank = 0.0;
  double hit_rate = 0.0;

  /// The score that `metric` names; of one list, map is the average precision and mrr the reciprocal rank.
  [[nodiscard]] double of(Metric metric) const noexcept {
    switch (metric) {
      case Metric::precision: return precision;
      case Metric::recall: return recall;
      case Metric::ndcg: return ndcg;
      case Metric::map: return average_precision;
      case Metric::mrr: return reciprocal_rank;
      case Metric::hit_rate: return hit_rate;
    }
    return precision;
  }

  friend bool operator==(const RankingScores&, const RankingScores&) = default;
};

namespace detail {

/// ranking_scores into storage of the caller, `scores` as long as `cutoffs`: no allocation before place 256.
///
/// Sums of quotients and no products: no compiler can fuse them, so every caller gets the same bits.
KINDRED_ONCE void ranking_scores_into(std::span<const Index> ranked, std::span<const Index> relevant, std::span<const std::size_t> cutoffs,
                                      const RankingOptions& options, std::span<RankingScores> scores);

}  // namespace detail

/// Functions that score ranked lists. They know no model.
namespace metrics {

/// All scores of one ranked list at several cutoffs, in one pass.
///
/// `cutoffs`: strictly increasing, each at least 1. Returns one RankingScores a cutoff, in [0, 1], each to the last bit what the function of its
/// name returns. O(|relevant| + largest cutoff * log |relevant|).
/// @throws InvalidArgument if `cutoffs` or `relevant` is empty or not strictly increasing, a cutoff is 0, or a relevant item is ranked twice.
[[nodiscard]] KINDRED_ONCE std::vector<RankingScores> ranking_scores(std::span<const Index> ranked, std::span<const Index> relevant,
                                                                     std::span<const std::size_t> cutoffs,
                                                                     const RankingOptions& options = {});

/// Share of the first K places that hold a relevant item, in [0, 1]: h / K, also when the list is shorter than K.
///
/// O(|relevant| + cutoff * log |relevant|); allocates nothing up to place 256.
/// @throws InvalidArgument if `cutoff` is 0, `relevant` is empty or not strictly increasing, or a relevant item is ranked twice.
[[nodiscard]] KINDRED_ONCE double precision(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff);

/// Share of the relevant items that are among the first K, in [0, 1]: h / |T|, or h / min(K, |T|) when asked.
///
/// O(|relevant| + cutoff * log |relevant|); allocates nothing up to place 256.
/// @throws InvalidArgument as precision() does.
[[nodiscard]] KINDRED_ONCE double recall(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff,
                                         RankingOptions::RecallDenominator denominator = RankingOptions::RecallDenominator::relevant);

/// Normalised discounted cumulative gain, in [0, 1], with binary gain.
///
/// Discount 1 / log2(rank + 1) with ranks from 1; the ideal list holds min(K, |T|) hits. O(|relevant| + cutoff * log |relevant|); allocates nothing up to place 256.
/// @throws InvalidArgument as precision() does.
/// Source: Jarvelin and Kekalainen 2002, eq. 3, binary form. Tools that normalise by the hits found, or over K places however few items are
/// relevant, report other numbers.
[[nodiscard]] KINDRED_ONCE double ndcg(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff);

/// Normalised discounted cumulative gain, in [0, 1], where a hit is worth its gain (the number of plays) instead of 1.
///
/// `gains`: length |relevant|, beside `relevant`, positive and finite. Linear gain, discount 1 / log2(rank + 1) with ranks from 1; the ideal list
/// shows the min(K, |T|) largest gains in falling order. O(|relevant| log |relevant| + cutoff * log |relevant|).
/// @throws InvalidArgument as precision() does, or if a gain is not positive and finite; ShapeError if `gains` is not as long as `relevant`.
/// Source: Jarvelin and Kekalainen 2002, eq. 3.
[[nodiscard]] KINDRED_ONCE double ndcg_with_gains(std::span<const Index> ranked, std::span<const Index> relevant,
                                                  std::span<const float> gains, std::size_t cutoff);

/// Average precision, in [0, 1]: the sum of h_i / i over the ranks i <= K of hits, over min(K, |T|), or over |T| when asked. Its mean over users is MAP.
///
/// O(|relevant| + cutoff * log |relevant|); allocates nothing up to place 256.
/// @throws InvalidArgument as precision() does.
[[nodiscard]] KINDRED_ONCE double average_precision(
    std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff,
    RankingOptions::ApDenominator denominator = RankingOptions::ApDenominator::min_cutoff_relevant);

/// 1 / rank of the first hit, or 0 without a hit among the first K. Its mean over users is MRR.
///
/// O(|relevant| + cutoff * log |relevant|); allocates nothing up to place 256.
/// @throws InvalidArgument as precision() does.
[[nodiscard]] KINDRED_ONCE double reciprocal_rank(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff);

/// 1 if the first K hold a relevant item, else 0. Its mean over users is the hit rate.
///
/// O(|relevant| + cutoff * log |relevant|); allocates nothing up to place 256.
/// @throws InvalidArgument as precision() does.
[[nodiscard]] KINDRED_ONCE double hit_rate(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff);

}  // namespace metrics

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/metrics/ranking.ipp>  // IWYU pragma: export
#endif
