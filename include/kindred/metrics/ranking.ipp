// SPDX-License-Identifier: MIT
#pragma once

// The bodies of metrics/ranking.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

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
#include <kindred/metrics/ranking.hpp>

namespace kindred::inline v0 {

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

KINDRED_ONCE void ranking_scores_into(std::span<const Index> ranked, std::span<const Index> relevant, std::span<const std::size_t> cutoffs,
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

namespace metrics {

KINDRED_ONCE std::vector<RankingScores> ranking_scores(std::span<const Index> ranked, std::span<const Index> relevant,
                                                       std::span<const std::size_t> cutoffs, const RankingOptions& options) {
  std::vector<RankingScores> scores(cutoffs.size());
  detail::ranking_scores_into(ranked, relevant, cutoffs, options, scores);
  return scores;
}

KINDRED_ONCE double precision(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff) {
  return detail::ranking_scores_at(ranked, relevant, cutoff).precision;
}

KINDRED_ONCE double recall(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff,
                           RankingOptions::RecallDenominator denominator) {
  return detail::ranking_scores_at(ranked, relevant, cutoff, {.recall_denominator = denominator}).recall;
}

KINDRED_ONCE double ndcg(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff) {
  return detail::ranking_scores_at(ranked, relevant, cutoff).ndcg;
}

KINDRED_ONCE double ndcg_with_gains(std::span<const Index> ranked, std::span<const Index> relevant, std::span<const float> gains,
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

KINDRED_ONCE double average_precision(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff,
                                      RankingOptions::ApDenominator denominator) {
  return detail::ranking_scores_at(ranked, relevant, cutoff, {.ap_denominator = denominator}).average_precision;
}

KINDRED_ONCE double reciprocal_rank(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff) {
  return detail::ranking_scores_at(ranked, relevant, cutoff).reciprocal_rank;
}

KINDRED_ONCE double hit_rate(std::span<const Index> ranked, std::span<const Index> relevant, std::size_t cutoff) {
  return detail::ranking_scores_at(ranked, relevant, cutoff).hit_rate;
}

}  // namespace metrics

}  // namespace kindred::inline v0
