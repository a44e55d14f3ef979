// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/metrics/mean_and_error.hpp>
#include <kindred/metrics/ranking.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/split/rolling.hpp>

namespace kindred::inline v0 {

/// How tune searches.
struct TuneOptions {
  std::size_t trials = 24;           ///< >= 1; settings tried at two iterations, the automatic ones first.
  Metric metric = Metric::ndcg;      ///< What is maximised.
  std::size_t cutoff = 20;           ///< >= 1.
  double validation_fraction = 0.2;  ///< (0, 1): the share of each user's items that the trials are measured on.
  std::uint64_t seed = 42;           ///< Of the inner split.
  AlsOptions base = {};              ///< Units::data; what is set here is not searched.
  std::optional<double> limit_seconds =
      std::nullopt;                ///< > 0; no further trial begins after this time. The result then depends on the machine.
  ProgressCallback progress = {};  ///< After every trial; stop_and_keep chooses among those that are done.
  Execution execution = {};
};

/// One setting that tune has tried.
struct TuneTrial {
  AlsOptions options;        ///< All of them, with the number of iterations measured.
  MeanAndError metric;       ///< Over the users with validation items.
  MeanAndError behind_best;  ///< The best trial's value minus this one's, paired by user.
  bool tied = false;         ///< Within one standard error of the best.
  double distance = 0.0;     ///< From the automatic settings, in steps of the search.
  double seconds = 0.0;      ///< Of fitting and measuring.
};

/// What tune found.
struct TuneResult {
  AlsOptions options;             ///< base with the chosen settings: the tied trial that is nearest to the automatic settings.
  std::vector<TuneTrial> trials;  ///< In the order tried.
  std::size_t best = 0;           ///< The trial of the highest mean.
  std::size_t chosen = 0;         ///< The trial of `options`.
  Index users = 0;                ///< Users that trials were measured on.
  double seconds = 0.0;
  /// True if at least one setting could be told from the best. False where the data are too small to tune on.
  bool conclusive = false;
};

/// Settings of ImplicitALS for `train`: searched on an inner split of it, coordinate by coordinate around the automatic settings.
///
/// A fit of two iterations from one shared singular value decomposition tells settings apart as well as a long one. Of the settings that cannot be told
/// from the best by paired errors, the nearest to the automatic ones is taken. The same result for any number of threads, unless a time limit ends it.
/// O(trials) fits of two iterations, and a few of five. @throws InvalidArgument if an option is not valid, `base` has Units::paper, or train has nothing
/// to learn from or to predict; Cancelled; what `progress` throws.
template <Real Scalar = float>
[[nodiscard]] TuneResult tune(const CsrView& train, const TuneOptions& options = {});

/// Settings of ImplicitALS for what comes later: each trial is fitted on the train of every window and measured on the users of all windows.
///
/// `windows`: as rolling_split makes them, at least 1; use those that end before the window that you report. The automatic settings are those of the last
/// train. Lists leave out `known` where targets are new pairs, and nothing otherwise, as evaluate() over windows does. `validation_fraction` and `seed` are
/// not used: the windows are the split. O(trials * windows) fits of two iterations, and a few of five.
/// @throws as the overload for a matrix; InvalidArgument if there is no window.
template <Real Scalar = float>
[[nodiscard]] TuneResult tune(std::span<const RollingSplit> windows, const TuneOptions& options = {});

#if defined(KINDRED_COMPILED)
extern template TuneResult tune<float>(const CsrView&, const TuneOptions&);  // in compiled/models.cpp
extern template TuneResult tune<double>(const CsrView&, const TuneOptions&);
extern template TuneResult tune<float>(std::span<const RollingSplit>, const TuneOptions&);
extern template TuneResult tune<double>(std::span<const RollingSplit>, const TuneOptions&);
#endif

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/tuning/tune.ipp>  // IWYU pragma: export
#endif
