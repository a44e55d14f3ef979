// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>

// Every function here scores one user's ranked list. What they share:
//
//   ranked    item indices, best first, none twice; only the first `cutoff` (K) count, and a shorter list is simply shorter.
//   relevant  the user's test items T, strictly increasing, not empty: users without test items are left to the caller.
//   h_i       relevant items among the first i; h = h_K.

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

/// 1 / log2(rank + 1) of the place before which `place` others stand.
[[nodiscard]] inline double rank_discount(std::size_t place) { return 1.0 / std::log2(static_cast<double>(place) + 2.0); }

/// @throws InvalidArgument unless `relevant` is strictly increasing and not empty.
inline void check_relevant(std::span<const Index> relevant) {
  if (relevant.empty()) throw InvalidArgument("relevant", "an empty list", "at least one item");
  check_index_list(relevant, "relevant", "an item", (std::numeric_limits<Index>::max)());
}

/// Finds the hits of a list, asked for its places from the first on. Only a repeated hit could push a score above 1, so only hits are searched for repeats: by a
/// look back at the list or, once that has become long, by marks beside the relevant items.
class Hits {
 public:
  Hits(std::span<const Index> ranked, std::span<const Index> relevant) : ranked_(ranked), relevant_(relevant) {}

  /// Whether the item at `place` is relevant. @throws InvalidArgument if it is and stands earlier in the list too.
  [[nodiscard]] bool operator()(std::size_t place) {
    const Index item = ranked_[place];
    const auto found = std::lower_bound(relevant_.begin(), relevant_.end(), item);
    if (found == relevant_.end() || *found != item) return false;
    bool repeated = false;
    if (place < short_list) {
      const auto here = ranked_.begin() + static_cast<std::ptrdiff_t>(place);
      repeated = std::find(ranked_.begin(), here, item) != here;
    } else {
      if (seen_.empty()) mark_first_places();
      char& seen = seen_[static_cast<std::size_t>(found - relevant_.begin())];
      repeated = seen != 0;
      seen = 1;
    }
    if (repeated) throw InvalidArgument("ranked[" + std::to_string(place) + "]", item, "an item that does not stand earlier in the list");
    return true;
  }

 private:
  static constexpr std::size_t short_list = 256;

  void mark_first_places() {
    seen_.assign(relevant_.size(), 0);
    for (std::size_t place = 0; place < short_list; ++place) {
      const auto found = std::lower_bound(relevant_.begin(), relevant_.end(), ranked_[place]);
      if (found != relevant_.end() && *found == ranked_[place]) seen_[static_cast<std::size_t>(found - relevant_.begin())] = 1;
    }
  }

  std::span<const Index> ranked_;
  std::span<const Index> relevant_;
  std::vector<char> seen_;
};

/// ranking_scores into storage of the caller, `scores` as long as `cutoffs`: no allocation before place 256.
///
/// Sums of quotients and no products: no compiler can fuse them, so every caller gets the same bits.
inline void ranking_scores_into(std::span<const Index> ranked, std::span<const Index> relevant, std::span<const std::size_t> cutoffs,
                                const RankingOptions& options, std::span<RankingScores> scores) {
  KINDRED_ASSERT(scores.size() == cutoffs.size());
  if (cutoffs.empty()) throw InvalidArgument("cutoffs", "an empty list", "at least one cutoff");
  for (std::size_t c = 0; c < cutoffs.size(); ++c) {
    const auto name = [&] { return cutoffs.size() == 1 ? std::string("cutoff") : "cutoffs[" + std::to_string(c) + "]"; };
    if (cutoffs[c] == 0) throw InvalidArgument(name(), cutoffs[c], "at least 1");
    if (c > 0 && cutoffs[c] <= cutoffs[c - 1])
      throw InvalidArgument(name(), cutoffs[c], "above the cutoff before it, which is " + std::to_string(cutoffs[c - 1]));
  }
  check_relevant(relevant);

  std::size_t hits = 0;
  std::size_t first_hit = 0;  // rank, from 1
  double gain = 0.0;
  double ideal = 0.0;
  double precisions = 0.0;
  std::size_t place = 0;
  Hits is_hit(ranked, relevant);
  for (std::size_t c = 0; c < cutoffs.size(); ++c) {
    const std::size_t most = (std::min)(cutoffs[c], relevant.size());
    for (; place < cutoffs[c] && (place < ranked.size() || place < most); ++place) {
      const bool counts_as_ideal = place < most;
      const bool hit = place < ranked.size() && is_hit(place);
      if (!counts_as_ideal && !hit) continue;
      const double discount = rank_discount(place);
      if (counts_as_ideal) ideal += discount;
      if (!hit) continue;
      ++hits;
      if (first_hit == 0) first_hit = place + 1;
      gain += discount;
      precisions += static_cast<double>(hits) / static_cast<double>(place + 1);
    }
    const bool over_min_recall = options.recall_denominator == RankingOptions::RecallDenominator::min_cutoff_relevant;
    const bool over_min_ap = options.ap_denominator == RankingOptions::ApDenominator::min_cutoff_relevant;
    scores[c].precision = static_cast<double>(hits) / static_cast<double>(cutoffs[c]);
    scores[c].recall = static_cast<double>(hits) / static_cast<double>(over_min_recall ? most : relevant.size());
    scores[c].ndcg = gain / ideal;
    scores[c].average_precision = precisions / static_cast<double>(over_min_ap ? most : relevant.size());
    scores[c].reciprocal_rank = first_hit == 0 ? 0.0 : 1.0 / static_cast<double>(first_hit);
    scores[c].hit_rate = hits > 0 ? 1.0 : 0.0;
  }
}

[[nodiscard]] inline RankingScores ranking_scores_at(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff,
                                                     const RankingOptions& options = {}) {
  RankingScores scores;
  ranking_scores_into(ranked, relevant, {&cutoff, 1}, options, {&scores, 1});
  return scores;
}

}  // namespace detail

/// Functions that score ranked lists. They know no model.
namespace metrics {

/// All scores of one ranked list at several cutoffs, in one pass.
///
/// `cutoffs`: strictly increasing, each at least 1. Returns one RankingScores a cutoff, in [0, 1], each to the last bit what the function of its
/// name returns. O(|relevant| + largest cutoff * log |relevant|).
/// @throws InvalidArgument if `cutoffs` or `relevant` is empty or not strictly increasing, a cutoff is 0, or a relevant item is ranked twice.
[[nodiscard]] inline std::vector<RankingScores> ranking_scores(std::span<const Index> ranked, std::span<const Index> relevant,
                                                               std::span<const std::size_t> cutoffs, const RankingOptions& options = {}) {
  std::vector<RankingScores> scores(cutoffs.size());
  detail::ranking_scores_into(ranked, relevant, cutoffs, options, scores);
  return scores;
}

/// Share of the first K places that hold a relevant item, in [0, 1]: h / K, also when the list is shorter than K.
///
/// O(|relevant| + cutoff * log |relevant|); allocates nothing up to place 256.
/// @throws InvalidArgument if `cutoff` is 0, `relevant` is empty or not strictly increasing, or a relevant item is ranked twice.
[[nodiscard]] inline double precision(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff) {
  return detail::ranking_scores_at(ranked, relevant, cutoff).precision;
}

/// Share of the relevant items that are among the first K, in [0, 1]: h / |T|, or h / min(K, |T|) when asked.
///
/// O(|relevant| + cutoff * log |relevant|); allocates nothing up to place 256.
/// @throws InvalidArgument as precision() does.
[[nodiscard]] inline double recall(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff,
                                   RankingOptions::RecallDenominator denominator = RankingOptions::RecallDenominator::relevant) {
  return detail::ranking_scores_at(ranked, relevant, cutoff, {.recall_denominator = denominator}).recall;
}

/// Normalised discounted cumulative gain, in [0, 1], with binary gain.
///
/// Discount 1 / log2(rank + 1) with ranks from 1; the ideal list holds min(K, |T|) hits. O(|relevant| + cutoff * log |relevant|); allocates nothing up to place 256.
/// @throws InvalidArgument as precision() does.
/// Source: Jarvelin and Kekalainen 2002, eq. 3, binary form. Tools that normalise by the hits found, or over K places however few items are
/// relevant, report other numbers.
[[nodiscard]] inline double ndcg(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff) {
  return detail::ranking_scores_at(ranked, relevant, cutoff).ndcg;
}

/// Normalised discounted cumulative gain, in [0, 1], where a hit is worth its gain (the number of plays) instead of 1.
///
/// `gains`: length |relevant|, beside `relevant`, positive and finite. Linear gain, discount 1 / log2(rank + 1) with ranks from 1; the ideal list
/// shows the min(K, |T|) largest gains in falling order. O(|relevant| log |relevant| + cutoff * log |relevant|).
/// @throws InvalidArgument as precision() does, or if a gain is not positive and finite; ShapeError if `gains` is not as long as `relevant`.
/// Source: Jarvelin and Kekalainen 2002, eq. 3.
[[nodiscard]] inline double ndcg_with_gains(std::span<const Index> ranked, std::span<const Index> relevant, std::span<const float> gains,
                                            std::size_t cutoff) {
  if (cutoff == 0) throw InvalidArgument("cutoff", cutoff, "at least 1");
  detail::check_relevant(relevant);
  if (gains.size() != relevant.size())
    throw ShapeError("gains has " + std::to_string(gains.size()) + " entries; relevant has " + std::to_string(relevant.size()));
  for (std::size_t n = 0; n < gains.size(); ++n)
    if (!detail::is_finite(gains[n]) || !(gains[n] > 0.0F))
      throw InvalidArgument("gains[" + std::to_string(n) + "]", gains[n], "positive and finite");

  double gain = 0.0;
  detail::Hits is_hit(ranked, relevant);
  const std::size_t shown = (std::min)(cutoff, ranked.size());
  for (std::size_t place = 0; place < shown; ++place) {
    if (!is_hit(place)) continue;
    const auto at = std::lower_bound(relevant.begin(), relevant.end(), ranked[place]) - relevant.begin();
    gain += static_cast<double>(gains[static_cast<std::size_t>(at)]) * detail::rank_discount(place);
  }
  const std::size_t most = (std::min)(cutoff, relevant.size());
  std::vector<float> best(gains.begin(), gains.end());
  std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(most), best.end(), std::greater<>());
  double ideal = 0.0;
  for (std::size_t place = 0; place < most; ++place) ideal += static_cast<double>(best[place]) * detail::rank_discount(place);
  return gain / ideal;
}

/// Average precision, in [0, 1]: the sum of h_i / i over the ranks i <= K of hits, over min(K, |T|), or over |T| when asked. Its mean over users is MAP.
///
/// O(|relevant| + cutoff * log |relevant|); allocates nothing up to place 256.
/// @throws InvalidArgument as precision() does.
[[nodiscard]] inline double average_precision(
    std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff,
    RankingOptions::ApDenominator denominator = RankingOptions::ApDenominator::min_cutoff_relevant) {
  return detail::ranking_scores_at(ranked, relevant, cutoff, {.ap_denominator = denominator}).average_precision;
}

/// 1 / rank of the first hit, or 0 without a hit among the first K. Its mean over users is MRR.
///
/// O(|relevant| + cutoff * log |relevant|); allocates nothing up to place 256.
/// @throws InvalidArgument as precision() does.
[[nodiscard]] inline double reciprocal_rank(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff) {
  return detail::ranking_scores_at(ranked, relevant, cutoff).reciprocal_rank;
}

/// 1 if the first K hold a relevant item, else 0. Its mean over users is the hit rate.
///
/// O(|relevant| + cutoff * log |relevant|); allocates nothing up to place 256.
/// @throws InvalidArgument as precision() does.
[[nodiscard]] inline double hit_rate(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff) {
  return detail::ranking_scores_at(ranked, relevant, cutoff).hit_rate;
}

}  // namespace metrics

}  // namespace kindred::inline v0
