// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/metrics/mean_and_error.hpp>
#include <kindred/metrics/ranking.hpp>
#include <kindred/models/blend/options.hpp>

namespace kindred::inline v0 {

/// How tune_blend searches.
struct BlendTuneOptions {
  std::size_t trials =
      32;  ///< >= 1; settings tried, before the last few at more iterations. Those with the factors or the neighbours of another one cost lists alone.
  Metric metric = Metric::ndcg;      ///< What is maximised.
  std::size_t cutoff = 20;           ///< >= 1.
  double validation_fraction = 0.2;  ///< (0, 1): the share of each user's items that the trials are measured on.
  std::uint64_t seed = 42;           ///< Of the inner split.
  BlendedOptions base = {};          ///< Units::data, weight above 0: where the search begins. What it does not move stays.
  std::optional<double> limit_seconds =
      std::nullopt;                ///< > 0; no further trial begins after this time. The result then depends on the machine.
  ProgressCallback progress = {};  ///< After every trial; stop_and_keep chooses among those that are done.
  Execution execution = {};
};

/// What tune_blend found.
struct BlendTuneResult {
  /// One setting that was tried.
  struct Trial {
    BlendedOptions options;    ///< With the number of iterations measured; a weight of 0: factors alone.
    MeanAndError metric;       ///< Over the users with validation items.
    MeanAndError behind_best;  ///< The best trial's value minus this one's, paired by user.
    bool tied = false;         ///< Within one standard error of the best.
    double distance = 0.0;     ///< From `base`, in steps of the search.
    double seconds = 0.0;      ///< Of fitting and measuring.
  };

  BlendedOptions options;     ///< The tied trial that is nearest to `base`; with its weight above 0 even where neighbours do not help.
  std::vector<Trial> trials;  ///< In the order tried.
  std::size_t best = 0;       ///< The trial of the highest mean, of those with the popularity that the search ended at.
  std::size_t chosen = 0;     ///< The trial of `options`.
  MeanAndError gain;          ///< What the chosen trial has over the best trial of factors alone, paired by user.
  /// True if `gain` is above two of its standard errors: neighbours are worth their memory on these data.
  bool neighbours_help = false;
  Index users = 0;  ///< Users that trials were measured on.
  double seconds = 0.0;
};

/// Settings of BlendedRecommender for `train`: factors, neighbours and weight together, searched on an inner split of it, coordinate by coordinate from `base`.
///
/// Trials share fits: a step of the weight costs lists alone, a step of popularity a graph. Factors take two iterations from one shared singular value
/// decomposition, the best three trials five; from a random start all take those of `base`. Popularity moves for a gain of 1 % alone. Of the settings that cannot be told from
/// the best by paired errors the nearest to `base` is taken. Factors alone are
/// measured too, with the automatic settings and with those found. The same result for any number of threads, unless a time limit ends it.
/// @throws InvalidArgument if an option is not valid, `base` has Units::paper or a weight of 0, or train has nothing to learn from or to predict; Cancelled; what
/// `progress` throws.
template <Real Scalar = float>
[[nodiscard]] BlendTuneResult tune_blend(const CsrView& train, const BlendTuneOptions& options = {});

#if defined(KINDRED_COMPILED)
extern template BlendTuneResult tune_blend<float>(const CsrView&, const BlendTuneOptions&);  // in compiled/models.cpp
extern template BlendTuneResult tune_blend<double>(const CsrView&, const BlendTuneOptions&);
#endif

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/tuning/tune_blend.ipp>  // IWYU pragma: export
#endif
