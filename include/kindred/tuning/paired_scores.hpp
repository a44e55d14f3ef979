// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/evaluation/report.hpp>
#include <kindred/metrics/mean_and_error.hpp>
#include <kindred/metrics/ranking.hpp>

namespace kindred::inline v0::detail {

/// The metric of each user of a report with one cutoff, made with keep_per_user.
[[nodiscard]] inline std::vector<double> scores_of_users(const RankingReport& report, Metric metric) {
  std::vector<double> scores;
  for (const RankingReport::UserScores& user : report.per_user) scores.push_back(user.cutoffs.front().of(metric));
  return scores;
}

/// The mean over users of `best` minus `scores`, paired.
[[nodiscard]] inline MeanAndError behind(std::span<const double> best, std::span<const double> scores) {
  std::vector<double> differences(best.size());
  for (std::size_t n = 0; n < best.size(); ++n) differences[n] = best[n] - scores[n];
  return metrics::mean_and_error(differences);
}

/// True within one standard error of the best.
[[nodiscard]] inline bool is_tied(const MeanAndError& behind_best) noexcept { return behind_best.mean <= behind_best.standard_error; }

}  // namespace kindred::inline v0::detail
