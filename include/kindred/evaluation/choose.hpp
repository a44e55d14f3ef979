// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/evaluation/report.hpp>
#include <kindred/metrics/mean_and_error.hpp>
#include <kindred/metrics/ranking.hpp>

namespace kindred::inline v0 {

/// When choose keeps an extra.
struct ChooseOptions {
  Metric metric = Metric::ndcg;
  std::size_t cutoff = 10;  ///< One of those that all reports have.
  double least_t = 2.5;     ///< Finite, at least 0: the least mean gain over its standard error.
};

/// What choose found.
struct Choice {
  /// One extra beside the plain model.
  struct Extra {
    double mean = 0.0;  ///< Of the metric, over users in windows.
    MeanAndError gain;  ///< Extra minus plain, paired, over users in windows.
    double t = 0.0;     ///< gain.mean / gain.standard_error; 0 where both are 0.
  };

  std::optional<std::size_t> kept;  ///< The extra of the largest mean gain among those with t >= least_t; none: stay with the plain model.
  double plain = 0.0;               ///< Mean of the metric, over users in windows.
  std::vector<Extra> extras;        ///< In the order given.
};

/// Decides whether an extra (an offset, repeats, a half-life) is worth having: only where it is surely better than the plain model on EARLIER windows.
///
/// `plain`: reports of evaluate() with keep_per_user, one a window; `extras[e]`: those of extra e over the same windows and users. Each user of each window
/// counts the same. Use windows that end before the one that you report, else the figure is of a choice that looked ahead. O(extras * users of all windows).
/// @throws InvalidArgument if there is no window, no extra or least_t is out of range; ShapeError if the numbers of windows differ; both as compare() of two
/// reports does.
[[nodiscard]] KINDRED_ONCE Choice choose(std::span<const RankingReport> plain, std::span<const std::vector<RankingReport>> extras,
                                         const ChooseOptions& options = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/evaluation/choose.ipp>  // IWYU pragma: export
#endif
