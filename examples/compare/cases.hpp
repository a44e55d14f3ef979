// SPDX-License-Identifier: MIT
// Test cases with a number each: means with standard errors, paired differences, folds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <span>
#include <vector>

#include <kindred/kindred.hpp>

#include "../random_numbers.hpp"

namespace compare {

namespace kd = kindred;

/// A number for each test case, of one model.
struct Scores {
  std::vector<double> cases;

  [[nodiscard]] double mean() const { return kd::metrics::mean_and_error(cases).mean; }
  [[nodiscard]] double error() const { return kd::metrics::mean_and_error(cases).standard_error; }
};

inline Scores difference(const Scores& a, const Scores& b) {
  Scores d;
  for (std::size_t n = 0; n < a.cases.size(); ++n) d.cases.push_back(a.cases[n] - b.cases[n]);
  return d;
}

/// The metrics of one list at `cutoff`. `relevant`: rising.
inline kd::RankingScores scores_of(std::span<const kd::Scored> list, std::span<const kd::Index> relevant, std::size_t cutoff) {
  std::vector<kd::Index> items;
  for (std::size_t n = 0; n < (std::min)(list.size(), cutoff); ++n) items.push_back(list[n].item);
  return kd::metrics::ranking_scores(items, relevant, std::vector{cutoff}).front();
}

/// Hits in the first ten, and reciprocal ranks there; the seconds of each fit behind them.
struct TopTen {
  Scores hits, ranks, fit_seconds;
  void add(std::span<const kd::Scored> list, kd::Index wanted) {
    const kd::RankingScores scores = scores_of(list, {&wanted, 1}, 10);
    hits.cases.push_back(scores.hit_rate);
    ranks.cases.push_back(scores.reciprocal_rank);
  }
};

inline void print(const char* name, const TopTen& of, const TopTen* beside = nullptr) {
  std::printf("  %-34s HR@10 %.4f (%.4f)  MRR@10 %.4f (%.4f)", name, of.hits.mean(), of.hits.error(), of.ranks.mean(), of.ranks.error());
  if (beside != nullptr) {
    const Scores hits = difference(of.hits, beside->hits), ranks = difference(of.ranks, beside->ranks);
    std::printf("  paired %+.4f (%.4f) t %.1f, %+.4f (%.4f) t %.1f", hits.mean(), hits.error(), hits.mean() / hits.error(), ranks.mean(),
                ranks.error(), ranks.mean() / ranks.error());
  }
  std::printf("  n %zu", of.hits.cases.size());
  if (!of.fit_seconds.cases.empty()) std::printf("  fit %.2f s", of.fit_seconds.mean());
  std::printf("\n");
  std::fflush(stdout);
}

/// The same rows in another order.
inline kd::FeatureTable permuted(const kd::FeatureTable& table, std::uint64_t seed) {
  std::vector<kd::Index> order(static_cast<std::size_t>(table.rows()));
  std::iota(order.begin(), order.end(), kd::Index{0});
  examples::Random random(seed, 4, 0);
  random.shuffle_front(std::span<kd::Index>(order), order.size());
  return table.select(order);
}

/// A number below `folds` for each of `count`, equally often.
inline std::vector<std::size_t> folds_of(kd::Index count, std::size_t folds, std::uint64_t seed) {
  std::vector<kd::Index> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), kd::Index{0});
  examples::Random random(seed, 4, 1);
  random.shuffle_front(std::span<kd::Index>(order), order.size());
  std::vector<std::size_t> fold(order.size());
  for (std::size_t n = 0; n < order.size(); ++n) fold[static_cast<std::size_t>(order[n])] = n % folds;
  return fold;
}

}  // namespace compare
