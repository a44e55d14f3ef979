// SPDX-License-Identifier: MIT
#pragma once

// The bodies of tuning/tune_blend.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/thread_team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/metrics/mean_and_error.hpp>
#include <kindred/models/als/automatic.hpp>
#include <kindred/models/als/spectral_start.hpp>
#include <kindred/models/blended_recommender.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/item_neighbours.hpp>
#include <kindred/split/per_user_splitter.hpp>
#include <kindred/tuning/budget.hpp>
#include <kindred/tuning/paired_scores.hpp>
#include <kindred/tuning/tune_blend.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The part of a point that the factors depend on.
struct FactorPoint {
  double regularization;
  double ratio;
  double item_exponent;
  double popularity_damping;
  std::size_t iterations;

  friend bool operator==(const FactorPoint&, const FactorPoint&) = default;
};

/// A point of the search; what is not searched stays as the base has it.
struct BlendPoint {
  FactorPoint factors;
  double popularity;
  double weight;

  friend bool operator==(const BlendPoint&, const BlendPoint&) = default;
};

/// One search by coordinates.
template <Real Scalar>
class BlendTuneRun {
 public:
  /// All references must outlive this object.
  BlendTuneRun(const CsrView& train, const BlendTuneOptions& options)
      : options_(options),
        sample_(sample_step(train.nnz()) > 1 ? sampled(train) : CsrMatrix()),
        split_(PerUserSplitter({.test_fraction = options.validation_fraction, .seed = options.seed})
                   .split(sample_.nnz() > 0 ? CsrView(sample_) : train)) {
    evaluation_ = {.cutoffs = {options.cutoff}, .keep_per_user = true, .execution = options.execution};
  }

  [[nodiscard]] BlendTuneResult run() {
    const CsrView inner = split_.train;
    AlsOptions open = options_.base.factors;
    const AlsSettings base = settings_for<Scalar>(open, RowsRef(inner), options_.execution);
    open.regularization.reset();
    open.background.ratio.reset();
    open.background.item_exponent.reset();
    open.confidence.popularity_damping.reset();
    const AlsSettings automatic = settings_for<Scalar>(open, RowsRef(inner), options_.execution);
    by_items_ = transpose(inner);
    starts_well_ = base.start == Start::spectral;
    origin_ = {{base.regularization, *base.ratio, base.item_exponent, base.popularity_damping, starts_well_ ? short_fit : base.iterations},
               options_.base.neighbours.popularity,
               options_.base.weight};
    factors_of_ = base.factors;
    popularity_ = origin_.popularity;
    try {
      measure(origin_);
      if (values_.front().size() >= least_users) search(automatic);
    } catch (const Enough&) {
    }
    return result();
  }

 private:
  struct TrialsUsed {};  // ends the search: the finals follow
  struct Enough {};      // ends everything: the time, or the callback's answer

  static constexpr double regularization_step = 1.5, ratio_step = 2.0, exponent_step = 0.1, damping_step = 0.05, weight_step = 1.5,
                          popularity_gain = 1.01;
  static constexpr std::size_t short_fit = 2, long_fit = 5, least_users = 30;

  [[nodiscard]] static CsrMatrix sampled(const CsrView& train) {
    std::vector<Index> users;
    for (Index u = 0; u < train.rows(); u += sample_step(train.nnz())) users.push_back(u);
    return select_rows(train, users);
  }

  void search(const AlsSettings& automatic) {
    // The same with the penalty that the data's structure asks for, and factors alone as they are best alone.
    BlendPoint penalised = origin_;
    penalised.factors.regularization = automatic.regularization;
    const BlendPoint alone{
        {automatic.regularization, *automatic.ratio, automatic.item_exponent, automatic.popularity_damping, origin_.factors.iterations},
        origin_.popularity,
        0.0};
    try {
      attempt(alone);
      attempt(penalised);
      climb();
    } catch (const TrialsUsed&) {
    }
    finish();
  }

  void climb() {
    const auto scale = [](double& value, double factor, double low, double high) {
      value *= factor;
      return value >= low && value <= high;
    };
    const auto shift = [](double& value, double by, double high) {
      value = (std::clamp)(value + by, 0.0, high);
      return true;
    };
    along([&](BlendPoint& at, double sign) { return scale(at.factors.regularization, std::pow(regularization_step, sign), 1e-3, 3.0); });
    along([&](BlendPoint& at, double sign) { return scale(at.weight, std::pow(weight_step, sign), 0.01, 16.0); });
    along_popularity();
    along([&](BlendPoint& at, double sign) { return scale(at.factors.ratio, std::pow(ratio_step, sign), 0.5, 512.0); });
    along([&](BlendPoint& at, double sign) { return shift(at.factors.item_exponent, sign * exponent_step, 0.8); });
    along([&](BlendPoint& at, double sign) { return shift(at.factors.popularity_damping, sign * damping_step, 0.6); });
    along([&](BlendPoint& at, double sign) { return scale(at.weight, std::pow(weight_step, sign), 0.01, 16.0); });
    along([&](BlendPoint& at, double sign) {
      return scale(at.factors.regularization, std::pow(regularization_step, 0.5 * sign), 1e-3, 3.0);
    });
  }

  /// @throws TrialsUsed where there were enough.
  void attempt(const BlendPoint& point) {
    if (trials_.size() >= options_.trials) throw TrialsUsed{};
    if (!is_known(point)) measure(point);
  }

  /// Moves the best point one way while that is better, then the other way.
  template <typename Move>
  void along(Move&& move) {
    bool better_up = false;
    for (const double sign : {1.0, -1.0}) {
      if (sign < 0.0 && better_up) break;
      for (;;) {
        const std::size_t best = best_of();
        BlendPoint next = points_[best];
        if (!move(next, sign) || is_known(next)) break;
        attempt(next);
        if (best_of() == best) break;
        better_up = sign > 0.0;
      }
    }
  }

  /// Moves the neighbours' popularity, which takes a gain of 1 %: inner splits overstate it. On Gowalla a step gains .9 % there, and loses .6 % on the
  /// published test.
  void along_popularity() {
    for (const double sign : {1.0, -1.0}) {
      const double from = popularity_;
      for (;;) {
        BlendPoint next = points_[best_of()];
        next.popularity = (std::clamp)(popularity_ + sign * exponent_step, 0.0, 1.0);
        if (is_known(next)) break;
        const double before = mean(best_of());
        attempt(next);
        if (!(trials_.back().metric.mean > popularity_gain * before)) break;
        popularity_ = next.popularity;
      }
      if (popularity_ != from) break;
    }
  }

  /// Measures the best factors without neighbours, and gives the best three trials more iterations.
  void finish() {
    std::vector<std::size_t> order;
    for (std::size_t n = 0; n < trials_.size(); ++n)
      if (is_candidate(n)) order.push_back(n);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return mean(a) > mean(b); });
    if (order.size() > 3) order.resize(3);
    BlendPoint alone = points_[order.front()];
    alone.weight = 0.0;
    if (!is_known(alone)) measure(alone);
    for (const std::size_t n : order) {
      if (!starts_well_) break;
      BlendPoint longer = points_[n];
      longer.factors.iterations = long_fit;
      measure(longer);
    }
  }

  [[nodiscard]] bool is_known(const BlendPoint& point) const { return std::find(points_.begin(), points_.end(), point) != points_.end(); }
  [[nodiscard]] double mean(std::size_t n) const { return trials_[n].metric.mean; }
  /// The best trial with neighbours.
  [[nodiscard]] std::size_t best_of() const {
    std::optional<std::size_t> best;
    for (std::size_t n = 0; n < trials_.size(); ++n)
      if (is_candidate(n) && (!best || mean(n) > mean(*best))) best = n;
    return best.value_or(0);
  }
  /// A trial with neighbours of the popularity that was moved to.
  [[nodiscard]] bool is_candidate(std::size_t n) const { return points_[n].weight > 0.0 && points_[n].popularity == popularity_; }

  [[nodiscard]] BlendedOptions options_of(const BlendPoint& point) const {
    BlendedOptions o = options_.base;
    o.factors.factors = factors_of_;
    o.factors.regularization = point.factors.regularization;
    o.factors.background.ratio = point.factors.ratio;
    o.factors.background.item_exponent = point.factors.item_exponent;
    o.factors.confidence.popularity_damping = point.factors.popularity_damping;
    o.factors.iterations = point.factors.iterations;
    o.neighbours.popularity = point.popularity;
    o.weight = point.weight;
    return o;
  }

  /// Parts that were fitted last, by what they depend on.
  [[nodiscard]] const ImplicitALS<Scalar>& factors_at(const BlendPoint& point, const AlsOptions& options) {
    for (const auto& [key, kept] : factors_)
      if (key == point.factors) return *kept;
    auto model = std::make_shared<ImplicitALS<Scalar>>(options);
    typename ImplicitALS<Scalar>::FitOptions fit{.execution = options_.execution};
    if (settings_of(options).start == Start::spectral) fit.initial_items = first_items(options);
    model->fit(split_.train, fit);
    if (factors_.size() == 2) factors_.erase(factors_.begin() + (factors_.front().first == points_.at(best_of()).factors ? 1 : 0));
    factors_.emplace_back(point.factors, std::move(model));
    return *factors_.back().second;
  }
  [[nodiscard]] const ItemNeighbours& neighbours_at(const BlendPoint& point, const ItemNeighboursOptions& options) {
    for (const auto& [key, kept] : neighbours_)
      if (key == point.popularity) return *kept;
    auto model = std::make_shared<ItemNeighbours>(options);
    model->fit(split_.train, options_.execution);
    if (neighbours_.size() == 2)
      neighbours_.erase(neighbours_.begin() + (neighbours_.front().first == points_.at(best_of()).popularity ? 1 : 0));
    neighbours_.emplace_back(point.popularity, std::move(model));
    return *neighbours_.back().second;
  }

  /// Fits what is new and measures. @throws Enough where the time is used up or the callback stops the search.
  void measure(const BlendPoint& point) {
    if (!trials_.empty() && options_.limit_seconds && watch_.seconds() > *options_.limit_seconds) throw Enough{};
    const Stopwatch watch;
    BlendTuneResult::Trial trial;
    trial.options = options_of(point);
    const ImplicitALS<Scalar>& factors = factors_at(point, trial.options.factors);
    const RankingReport report =
        point.weight > 0.0 ? evaluate(BlendedRecommender<Scalar>(factors, neighbours_at(point, trial.options.neighbours), point.weight),
                                      split_.train, split_.test, evaluation_)
                           : evaluate(factors, split_.train, split_.test, evaluation_);
    std::vector<double> values = scores_of_users(report, options_.metric);
    trial.metric = metrics::mean_and_error(values);
    trial.distance = distance_of(point);
    trial.seconds = watch.seconds();
    trials_.push_back(std::move(trial));
    points_.push_back(point);
    values_.push_back(std::move(values));
    if (!options_.progress) return;
    const ProgressAnswer answer = options_.progress({.what = "tune_blend",
                                                     .done = trials_.size(),
                                                     .total = (std::max)(trials_.size(), options_.trials + 4),
                                                     .elapsed_seconds = watch_.seconds()});
    if (answer == ProgressAnswer::cancel) throw Cancelled("tune_blend");
    if (answer == ProgressAnswer::stop_and_keep) throw Enough{};
  }

  /// The start of all trials: it depends on the likes alone.
  [[nodiscard]] const FactorMatrix<Scalar>& first_items(const AlsOptions& options) {
    if (start_.factors() > 0) return start_;
    const AlsSettings settings = settings_of(options);
    ThreadTeam team(options_.execution.executor);
    const Execution run{.threads = options_.execution.threads, .executor = team.executor(), .simd = options_.execution.simd};
    return start_ = spectral_start_of<Scalar>(split_.train, by_items_, settings, run);
  }

  /// Steps of the search between a point and the base.
  [[nodiscard]] double distance_of(const BlendPoint& point) const {
    const auto steps = [](double a, double b, double step) { return std::abs(std::log(a / b)) / std::log(step); };
    return steps(point.factors.regularization, origin_.factors.regularization, regularization_step) +
           steps(point.factors.ratio, origin_.factors.ratio, ratio_step) +
           std::abs(point.factors.item_exponent - origin_.factors.item_exponent) / exponent_step +
           std::abs(point.factors.popularity_damping - origin_.factors.popularity_damping) / damping_step +
           std::abs(point.popularity - origin_.popularity) / exponent_step +
           (point.weight > 0.0 ? steps(point.weight, origin_.weight, weight_step) : 0.0);
  }

  [[nodiscard]] BlendTuneResult result() {
    BlendTuneResult found;
    found.best = found.chosen = best_of();
    found.users = static_cast<Index>(values_.front().size());
    const std::vector<double>& best = values_[found.best];
    std::optional<std::size_t> alone;
    for (std::size_t n = 0; n < trials_.size(); ++n) {
      trials_[n].behind_best = behind(best, values_[n]);
      trials_[n].tied = is_tied(trials_[n].behind_best);
      if (!(points_[n].weight > 0.0)) {
        if (!alone || mean(n) > mean(*alone)) alone = n;
      } else if (is_candidate(n) && trials_[n].tied && trials_[n].distance < trials_[found.chosen].distance) {
        found.chosen = n;
      }
    }
    found.options = trials_[found.chosen].options;
    if (alone) {
      found.gain = behind(values_[found.chosen], values_[*alone]);
      found.neighbours_help = found.gain.mean > 2.0 * found.gain.standard_error;
    }
    found.trials = std::move(trials_);
    found.seconds = watch_.seconds();
    return found;
  }

  const BlendTuneOptions& options_;
  Stopwatch watch_;
  CsrMatrix sample_;  // of train, where that is too large
  TrainTestSplit split_;
  CsrMatrix by_items_;
  EvaluateOptions evaluation_;
  BlendPoint origin_{};
  std::size_t factors_of_ = 0;
  double popularity_ = 0.0;  // of the neighbours, as far as the search has moved it
  bool starts_well_ = true;  // few iterations are enough
  std::vector<BlendTuneResult::Trial> trials_;
  std::vector<BlendPoint> points_;
  std::vector<std::vector<double>> values_;  // of the metric, per user
  FactorMatrix<Scalar> start_;
  std::vector<std::pair<FactorPoint, std::shared_ptr<const ImplicitALS<Scalar>>>> factors_;  // the best and the last
  std::vector<std::pair<double, std::shared_ptr<const ItemNeighbours>>> neighbours_;
};

}  // namespace detail

template <Real Scalar>
BlendTuneResult tune_blend(const CsrView& train, const BlendTuneOptions& options) {
  detail::check_tuning(options);
  validate(options.base);
  if (options.base.factors.units != Units::data)
    throw InvalidArgument("base.factors.units", "Units::paper", "Units::data, which tune_blend searches in");
  if (!(options.base.weight > 0.0)) throw InvalidArgument("base.weight", options.base.weight, "above 0");
  if (train.nnz() == 0)
    throw InvalidArgument("train", detail::shape_text(train.shape()) + " without interactions", "a matrix with at least one");
  return detail::BlendTuneRun<Scalar>(train, options).run();
}

}  // namespace kindred::inline v0
