// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/random.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/models/als_options.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/tuning/search_space.hpp>

namespace kindred::inline v0 {

/// What a search maximises.
enum class SearchMetric { precision, recall, ndcg, map, mrr, hit_rate };

struct RandomSearchOptions {
  std::size_t trials = 12;  ///< >= 1; a space with fewer settings is tried whole.
  std::uint64_t seed = 42;  ///< Of the settings drawn and of the users sampled.
  SearchMetric metric = SearchMetric::precision;
  std::size_t cutoff = 10;  ///< >= 1.
  std::size_t users = 0;    ///< Users that every trial is measured on, drawn from those with test items; 0, or more than there are: all.
  AlsOptions base = {};     ///< Options that the space does not name.
  ProgressCallback progress = {};  ///< After every trial.
};

/// One setting and what came of it.
struct Trial {
  SearchSetting setting;
  AlsOptions options;  ///< The setting on top of the base.
  std::string error;   ///< Empty, or why this trial has no figures.
  Estimate metric;
  double behind_best = 0.0;     ///< Mean over users of the best trial's value minus this one's.
  double behind_best_se = 0.0;  ///< Its paired standard error.
  bool tied = false;            ///< Within one (paired) standard error of the best.
  double final_loss = 0.0;      ///< Per total weight, see AlsLoss.
  double fit_seconds = 0.0;     ///< Of its own iterations.

  [[nodiscard]] bool failed() const noexcept { return !error.empty(); }
};

struct SearchResult {
  std::vector<Trial> trials;        ///< In the order drawn.
  std::optional<std::size_t> best;  ///< Highest mean, ties to the earlier trial; none if all failed.
  Index users = 0;                  ///< Users that every trial was measured on.
};

namespace detail {

[[nodiscard]] inline double RankingScores::*metric_field(SearchMetric metric) noexcept {
  switch (metric) {
    case SearchMetric::precision: return &RankingScores::precision;
    case SearchMetric::recall: return &RankingScores::recall;
    case SearchMetric::ndcg: return &RankingScores::ndcg;
    case SearchMetric::map: return &RankingScores::average_precision;
    case SearchMetric::mrr: return &RankingScores::reciprocal_rank;
    case SearchMetric::hit_rate: return &RankingScores::hit_rate;
  }
  return &RankingScores::precision;
}

/// `count` of the users with a positive test value (all for 0), rising. A function of test and seed.
[[nodiscard]] inline std::vector<Index> sample_test_users(const CsrView& test, std::size_t count, std::uint64_t seed) {
  std::vector<Index> users;
  std::vector<Index> relevant;
  for (Index u = 0; u < test.rows(); ++u) {
    relevant_items(test.row(u), relevant);
    if (!relevant.empty()) users.push_back(u);
  }
  if (count == 0 || count >= users.size()) return users;
  Random random(seed, RandomStream::sample);
  shuffle_front(std::span<Index>(users), count, random);
  users.resize(count);
  std::sort(users.begin(), users.end());
  return users;
}

}  // namespace detail

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
                                         const RandomSearchOptions& options = {}) {
  if (options.trials < 1) throw InvalidArgument("trials", options.trials, "at least 1");
  if (options.cutoff < 1) throw InvalidArgument("cutoff", options.cutoff, "at least 1");
  validate(options.base);
  detail::check_space(space);
  detail::check_shape("validation", validation.shape(), "train", train.shape());
  if (train.nnz() == 0)
    throw InvalidArgument("train", detail::shape_text(train.shape()) + " without interactions", "a matrix with at least one");
  const std::vector<Index> users = detail::sample_test_users(validation, options.users, options.seed);
  if (users.empty()) throw InvalidArgument("validation", "without a positive interaction", "a matrix with something to predict");

  const Stopwatch watch;
  const EvaluateOptions evaluation{.cutoffs = {options.cutoff}, .users = users, .keep_per_user = true, .threads = options.base.threads};
  double RankingScores::*const field = detail::metric_field(options.metric);

  SearchResult result;
  result.users = static_cast<Index>(users.size());
  for (SearchSetting& setting : detail::draw_settings(space, options.trials, options.seed)) {
    Trial& trial = result.trials.emplace_back();
    trial.options = options.base;
    for (const auto& parameter : setting) set_option(trial.options, parameter.first, parameter.second);
    trial.setting = std::move(setting);
  }
  const auto same_but_iterations = [](const SearchSetting& a, const SearchSetting& b) {
    for (std::size_t n = 0; n < a.size(); ++n)
      if (a[n].first != "iterations" && a[n].second != b[n].second) return false;
    return true;
  };

  std::vector<std::vector<double>> values(result.trials.size());  // the metric, per user
  std::vector<char> finished(result.trials.size(), 0);
  std::size_t done = 0;
  struct Stop {};            // no std::exception, so that it is no trial's failure
  std::exception_ptr abort;  // why a stopped search has no result
  const auto finish = [&](std::size_t t) {
    finished[t] = 1;
    ++done;
    if (!options.progress) return;
    auto answer = ProgressAnswer::cancel;
    try {
      answer = options.progress({.what = "random search", .done = done, .total = result.trials.size(), .elapsed_seconds = watch.seconds()});
      if (answer == ProgressAnswer::cancel) throw Cancelled("random_search");
    } catch (...) {
      abort = std::current_exception();
    }
    if (answer != ProgressAnswer::keep_going) throw Stop{};
  };
  const auto fail = [&](std::size_t t, const std::exception& error) {
    result.trials[t].error = error.what();
    finish(t);
  };
  const auto measure = [&](std::size_t t, const ImplicitALS<Scalar>& model, const AlsLoss& loss, double fit_seconds) {
    const RankingReport report = evaluate(model, train, validation, evaluation);
    for (const UserScores& user : report.per_user) values[t].push_back(user.cutoffs.front().*field);
    Trial& trial = result.trials[t];
    trial.metric = estimate(values[t]);
    trial.final_loss = loss.loss_per_total_weight;
    trial.fit_seconds = fit_seconds;
    finish(t);
  };

  const auto run_group = [&](std::size_t first) {
    std::vector<std::size_t> group;
    AlsOptions longest = result.trials[first].options;
    for (std::size_t t = first; t < result.trials.size(); ++t) {
      if (!same_but_iterations(result.trials[first].setting, result.trials[t].setting)) continue;
      try {
        validate(result.trials[t].options);
      } catch (const InvalidArgument& error) {
        fail(t, error);
        continue;
      }
      group.push_back(t);
      longest.iterations = (std::max)(longest.iterations, result.trials[t].options.iterations);
    }
    if (group.empty()) return;

    double fit_seconds = 0.0;
    typename ImplicitALS<Scalar>::FitOptions fit_options;
    fit_options.record_loss = true;
    fit_options.after_iteration = [&](const ImplicitALS<Scalar>& model, const IterationReport& iteration) {
      fit_seconds += iteration.seconds;
      for (const std::size_t t : group)
        if (result.trials[t].options.iterations == iteration.iteration) measure(t, model, *iteration.loss, fit_seconds);
    };
    try {
      ImplicitALS<Scalar> model(longest);
      const FitReport fit = model.fit(train, fit_options);
      // A tolerance has ended the fit: the longer trials, fitted alone, would have ended there too.
      for (const std::size_t t : group)
        if (!finished[t]) measure(t, model, *fit.iterations.back().loss, fit_seconds);
    } catch (const std::exception& error) {
      for (const std::size_t t : group)
        if (!finished[t]) fail(t, error);
    }
  };
  try {
    for (std::size_t first = 0; first < result.trials.size(); ++first)
      if (!finished[first]) run_group(first);
  } catch (const Stop&) {
    if (abort) std::rethrow_exception(abort);
  }

  // A search that was stopped keeps what was finished.
  std::size_t kept = 0;
  for (std::size_t t = 0; t < result.trials.size(); ++t) {
    if (!finished[t]) continue;
    if (kept != t) {
      result.trials[kept] = std::move(result.trials[t]);
      values[kept] = std::move(values[t]);
    }
    ++kept;
  }
  result.trials.resize(kept);
  values.resize(kept);

  for (std::size_t t = 0; t < kept; ++t)
    if (!result.trials[t].failed() && (!result.best || result.trials[t].metric.mean > result.trials[*result.best].metric.mean))
      result.best = t;
  for (std::size_t t = 0; t < kept && result.best; ++t) {
    Trial& trial = result.trials[t];
    if (trial.failed()) continue;
    std::vector<double> differences(values[t].size());
    for (std::size_t n = 0; n < differences.size(); ++n) differences[n] = values[*result.best][n] - values[t][n];
    const Estimate behind = estimate(differences);
    trial.behind_best = behind.mean;
    trial.behind_best_se = behind.standard_error;
    trial.tied = behind.mean <= behind.standard_error;
  }
  return result;
}

}  // namespace kindred::inline v0
