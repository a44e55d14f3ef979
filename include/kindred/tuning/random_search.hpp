// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/metrics/mean_and_error.hpp>
#include <kindred/metrics/ranking.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/tuning/search_space.hpp>

namespace kindred::inline v0::inline KINDRED_BUILD {

template <Real Scalar>
class ImplicitALS;

}  // namespace kindred::inline v0::inline KINDRED_BUILD

namespace kindred::inline v0 {

namespace detail {

class Team;

template <Real Scalar>
using SearchObjective = std::function<std::vector<double>(const ImplicitALS<Scalar>& model)>;

}  // namespace detail

/// How random_search draws and measures.
struct RandomSearchOptions {
  std::size_t trials = 12;  ///< >= 1; a space with fewer settings is tried whole.
  std::uint64_t seed = 42;  ///< Of the settings drawn and of the users sampled.
  Metric metric = Metric::precision;
  std::size_t cutoff = 10;  ///< >= 1.
  std::size_t users = 0;    ///< Users that every trial is measured on, drawn from those with test items; 0, or more than there are: all.
  AlsOptions base = {};     ///< Options that the space does not name.
  Execution execution = {};
  ProgressCallback progress = {};  ///< After every trial.
  /// After every iteration of every fit; stop_and_keep ends the search there and keeps the trials that are finished.
  ProgressCallback fit_progress = {};
  /// Other processes that share every fit and every measurement: a CommunicatorTeam (distributed/team.hpp), which must outlive the call. Every rank has the
  /// result of one process, but for seconds. Callbacks must be set on all ranks or on none; those of rank 0 are asked for all.
  const detail::Team* team = nullptr;
};

/// One setting and what came of it.
struct SearchTrial {
  detail::SearchSetting setting;
  AlsOptions options;  ///< The setting on top of the base.
  std::string error;   ///< Empty, or why this trial has no figures.
  MeanAndError metric;
  MeanAndError behind_best;  ///< Over users, of the best trial's value minus this one's.
  bool tied = false;         ///< Within one (paired) standard error of the best.
  double final_loss = 0.0;   ///< Per total weight, see AlsLoss.
  double fit_seconds = 0.0;  ///< Of its own iterations.

  [[nodiscard]] bool failed() const noexcept { return !error.empty(); }
};

/// What random_search found.
struct SearchResult {
  std::vector<SearchTrial> trials;  ///< In the order drawn.
  std::optional<std::size_t> best;  ///< Highest mean, ties to the earlier trial; none if all failed.
  Index users = 0;                  ///< Users that every trial was measured on.
  /// True if there are several trials with figures and all are tied with the best: the search found no difference, `best` is as good as any.
  bool all_tied = false;
};

/// Tries settings of ImplicitALS drawn at random and ranks them on `validation`.
///
/// `train`, `validation`: n_users x n_items, without a common interaction; keep the test set of your final table out of both. Settings that differ in
/// `iterations` alone share one fit. Every trial is measured on the same users, so differences are paired.
/// A trial that fails is a row with its error. `progress` may stop the search: trials not run yet are then left out.
/// @throws InvalidArgument if an option or the space is not valid, or a matrix has nothing to learn from or to predict; ShapeError if shapes differ;
/// Cancelled; what `progress` throws.
/// Source: Bergstra and Bengio, "Random search for hyper-parameter optimization", JMLR 2012.
template <Real Scalar = float>
[[nodiscard]] SearchResult random_search(const CsrView& train, const CsrView& validation, const SearchSpace& space,
                                         const RandomSearchOptions& options = {});

/// The same by an objective of the caller's: values of a model, higher is better, as many for every trial (one a user, one a query, or a single one), whose
/// means are compared, paired. `metric` and `cutoff` do not matter; a trial whose objective throws fails.
/// @throws InvalidArgument also if users or team is set.
template <Real Scalar = float>
[[nodiscard]] SearchResult random_search(const CsrView& train, const std::type_identity_t<detail::SearchObjective<Scalar>>& objective,
                                         const SearchSpace& space, const RandomSearchOptions& options = {});

#if defined(KINDRED_COMPILED)
extern template SearchResult random_search<float>(const CsrView&, const CsrView&, const SearchSpace&,
                                                  const RandomSearchOptions&);  // in compiled/models.cpp
extern template SearchResult random_search<double>(const CsrView&, const CsrView&, const SearchSpace&, const RandomSearchOptions&);
extern template SearchResult random_search<float>(const CsrView&, const detail::SearchObjective<float>&, const SearchSpace&,
                                                  const RandomSearchOptions&);
extern template SearchResult random_search<double>(const CsrView&, const detail::SearchObjective<double>&, const SearchSpace&,
                                                   const RandomSearchOptions&);
#endif

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/tuning/random_search.ipp>  // IWYU pragma: export
#endif
