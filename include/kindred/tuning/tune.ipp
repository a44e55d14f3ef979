// SPDX-License-Identifier: MIT
#pragma once

// The bodies of tuning/tune.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/evaluation/rolling.hpp>
#include <kindred/metrics/mean_and_error.hpp>
#include <kindred/models/als/automatic.hpp>
#include <kindred/models/als/spectral_start.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/split/per_user_splitter.hpp>
#include <kindred/split/rolling.hpp>
#include <kindred/tuning/budget.hpp>
#include <kindred/tuning/paired_scores.hpp>
#include <kindred/tuning/tune.hpp>

namespace kindred::inline v0 {

namespace detail {

/// A point of the search; what is not searched stays as the base has it.
struct TunePoint {
  double regularization;
  double ratio;
  double item_exponent;
  double popularity_damping;
  double dislike_weight;
  std::size_t factors;

  friend bool operator==(const TunePoint&, const TunePoint&) = default;
};

/// @throws InvalidArgument unless the options are in range.
inline void check_tune(const TuneOptions& options) {
  check_tuning(options);
  if (options.base.units != Units::data) throw InvalidArgument("base.units", "Units::paper", "Units::data, which tune searches in");
  validate(options.base);
}

/// One search by coordinates around the automatic settings.
template <Real Scalar>
class TuneRun {
 public:
  /// All references must outlive this object.
  TuneRun(const CsrView& train, const TuneOptions& options)
      : options_(options),
        sample_(sample_step(train.nnz()) > 1 ? sampled(train) : CsrMatrix()),
        split_(PerUserSplitter({.test_fraction = options.validation_fraction, .seed = options.seed})
                   .split(sample_.nnz() > 0 ? CsrView(sample_) : train)) {
    parts_.push_back({split_.train, split_.test, {}, {}, {}});
    prepare();
  }
  /// The same over windows in time.
  TuneRun(std::span<const RollingSplit> windows, const TuneOptions& options) : options_(options) {
    for (const RollingSplit& window : windows) parts_.push_back({window.train.matrix, window.test, &window, {}, {}});
    prepare();
  }

  [[nodiscard]] TuneResult run() {
    const AlsSettings automatic = settings_for<Scalar>(options_.base, RowsRef(parts_.back().train), options_.execution);
    origin_ = {automatic.regularization,     *automatic.ratio,         automatic.item_exponent,
               automatic.popularity_damping, automatic.dislike_weight, automatic.factors};
    for (Part& part : parts_) part.by_items = transpose(part.train);
    try {
      try {
        search();
      } catch (const TrialsUsed&) {
      }
      finish();
    } catch (const Enough&) {
    }
    return result();
  }

 private:
  struct TrialsUsed {};  // ends the search: the finals follow
  struct Enough {};      // ends everything: too few users, the time, or the callback's answer
  /// A train, its test, and the start of all trials on it.
  struct Part {
    CsrView train;
    CsrView test;
    const RollingSplit* window;
    CsrMatrix by_items;
    FactorMatrix<Scalar> start;
  };
  struct Measured {
    TunePoint point;
    std::size_t iterations;
    std::vector<double> values;  // of the metric, per user
  };

  static constexpr double regularization_step = 1.5, ratio_step = 2.0, exponent_step = 0.1, damping_step = 0.05, dislike_step = 2.0;
  static constexpr std::size_t short_fit = 2, long_fit = 5;

  void prepare() {
    evaluation_ = {.cutoffs = {options_.cutoff}, .keep_per_user = true, .execution = options_.execution};
    const auto has_dislikes = [](const Part& part) {
      const std::span<const float> values = part.train.values();
      return std::any_of(values.begin(), values.end(), [](float value) { return value < 0.0F; });
    };
    searches_dislikes_ = !options_.base.confidence.dislike_weight && std::any_of(parts_.begin(), parts_.end(), has_dislikes);
  }

  /// Every n-th user where train is larger than a trial should be.
  [[nodiscard]] static CsrMatrix sampled(const CsrView& train) {
    std::vector<Index> users;
    for (Index u = 0; u < train.rows(); u += sample_step(train.nnz())) users.push_back(u);
    return select_rows(train, users);
  }

  void search() {
    TunePoint best = origin_;
    double best_mean = measure(best, short_fit);
    if (measured_.front().values.size() < least_users) throw Enough{};
    const auto climb = [&](bool searched, auto&& moved) {
      if (!searched) return;
      bool better_up = false;
      for (const int direction : {1, -1}) {
        if (direction < 0 && better_up) break;
        for (;;) {
          const std::optional<TunePoint> next = moved(best, direction);
          if (!next || *next == best || known(*next)) break;
          if (measured_.size() >= options_.trials) throw TrialsUsed{};
          const double mean = measure(*next, short_fit);
          if (!(mean > best_mean)) break;
          best_mean = mean;
          best = *next;
          better_up = direction > 0;
        }
      }
    };
    const AlsOptions& base = options_.base;
    const auto scale = [](double TunePoint::*field, double factor, double low, double high) {
      return [=](TunePoint from, int direction) -> std::optional<TunePoint> {
        from.*field *= direction > 0 ? factor : 1.0 / factor;
        if (from.*field < low || from.*field > high) return std::nullopt;
        return from;
      };
    };
    const auto shift = [](double TunePoint::*field, double step, double high) {
      return [=](TunePoint from, int direction) -> std::optional<TunePoint> {
        from.*field = (std::clamp)(from.*field + direction * step, 0.0, high);
        return from;
      };
    };
    climb(!base.regularization, scale(&TunePoint::regularization, regularization_step, 1e-3, 3.0));
    climb(!base.background.ratio, scale(&TunePoint::ratio, ratio_step, 0.5, 512.0));
    climb(!base.background.item_exponent, shift(&TunePoint::item_exponent, exponent_step, 0.8));
    climb(!base.confidence.popularity_damping, shift(&TunePoint::popularity_damping, damping_step, 0.6));
    climb(searches_dislikes_, scale(&TunePoint::dislike_weight, dislike_step, 1.0 / 16.0, 4.0));
    climb(!base.regularization, scale(&TunePoint::regularization, std::sqrt(regularization_step), 1e-3, 3.0));
    climb(!base.background.ratio, scale(&TunePoint::ratio, std::sqrt(ratio_step), 0.5, 512.0));
  }

  /// Gives the best three more iterations, and the best of them another number of factors.
  void finish() {
    if (!options_.base.iterations) {
      std::vector<std::size_t> order(measured_.size());
      for (std::size_t n = 0; n < order.size(); ++n) order[n] = n;
      std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return mean(a) > mean(b); });
      for (std::size_t n = 0; n < (std::min)(std::size_t{3}, order.size()); ++n) measure(measured_[order[n]].point, long_fit);
    }
    if (options_.base.factors) return;
    const std::size_t best = best_of();
    TunePoint wider = measured_[best].point;
    wider.factors *= 2;
    if (wider.factors < static_cast<std::size_t>((std::min)(parts_.back().train.rows(), parts_.back().train.cols())))
      measure(wider, measured_[best].iterations);
  }

  [[nodiscard]] bool known(const TunePoint& point) const {
    return std::any_of(measured_.begin(), measured_.end(), [&](const Measured& one) { return one.point == point; });
  }
  [[nodiscard]] double mean(std::size_t n) const { return trials_[n].metric.mean; }
  [[nodiscard]] std::size_t best_of() const {
    std::size_t best = 0;
    for (std::size_t n = 1; n < trials_.size(); ++n)
      if (mean(n) > mean(best)) best = n;
    return best;
  }

  [[nodiscard]] AlsOptions options_of_point(const TunePoint& point, std::size_t iterations) const {
    AlsOptions o = options_.base;
    o.factors = point.factors;
    o.regularization = point.regularization;
    o.background.ratio = point.ratio;
    o.background.item_exponent = point.item_exponent;
    o.confidence.popularity_damping = point.popularity_damping;
    if (searches_dislikes_) o.confidence.dislike_weight = point.dislike_weight;
    if (!o.iterations) o.iterations = iterations;
    return o;
  }

  /// Fits and measures; the mean of the metric. @throws Enough where the time is used up or the callback stops the search.
  double measure(const TunePoint& point, std::size_t iterations) {
    if (!trials_.empty() && options_.limit_seconds && watch_.seconds() > *options_.limit_seconds) throw Enough{};
    const Stopwatch watch;
    TuneTrial trial;
    trial.options = options_of_point(point, iterations);
    std::vector<double> values;
    for (Part& part : parts_) {
      ImplicitALS<Scalar> model(trial.options);
      typename ImplicitALS<Scalar>::FitOptions fit{.execution = options_.execution};
      if (part.window != nullptr) fit.undecayed = part.window->train.undecayed;
      if (settings_of(trial.options).start == Start::spectral) fit.initial_items = first_items(trial.options, part);
      model.fit(part.train, fit);
      const EvaluateOptions evaluation = part.window != nullptr ? options_of_split(*part.window, evaluation_) : evaluation_;
      const std::vector<double> own = scores_of_users(evaluate(model, part.train, part.test, evaluation), options_.metric);
      values.insert(values.end(), own.begin(), own.end());
    }
    trial.metric = metrics::mean_and_error(values);
    trial.distance = distance_of(point);
    trial.seconds = watch.seconds();
    trials_.push_back(trial);
    measured_.push_back({point, *trial.options.iterations, std::move(values)});
    if (options_.progress) {
      const ProgressAnswer answer = options_.progress({.what = "tune",
                                                       .done = trials_.size(),
                                                       .total = (std::max)(trials_.size(), options_.trials + 4),
                                                       .elapsed_seconds = watch_.seconds()});
      if (answer == ProgressAnswer::cancel) throw Cancelled("tune");
      if (answer == ProgressAnswer::stop_and_keep) throw Enough{};
    }
    return trial.metric.mean;
  }

  /// The start of all trials with this number of factors: it depends on the likes alone.
  [[nodiscard]] const FactorMatrix<Scalar>& first_items(const AlsOptions& options, Part& part) {
    const AlsSettings settings = settings_of(options);
    if (static_cast<std::size_t>(part.start.factors()) == settings.factors) return part.start;
    ThreadTeam team(options_.execution.executor);
    const Execution run{.threads = options_.execution.threads, .executor = team.executor(), .simd = options_.execution.simd};
    return part.start = spectral_start_of<Scalar>(part.train, part.by_items, settings, run);
  }

  /// Steps of the search between a point and the automatic settings.
  [[nodiscard]] double distance_of(const TunePoint& point) const {
    const auto steps = [](double a, double b, double step) { return std::abs(std::log(a / b)) / std::log(step); };
    return steps(point.regularization, origin_.regularization, regularization_step) + steps(point.ratio, origin_.ratio, ratio_step) +
           std::abs(point.item_exponent - origin_.item_exponent) / exponent_step +
           std::abs(point.popularity_damping - origin_.popularity_damping) / damping_step +
           (searches_dislikes_ ? steps(point.dislike_weight, origin_.dislike_weight, dislike_step) : 0.0) +
           (point.factors == origin_.factors ? 0.0 : 1.0);
  }

  [[nodiscard]] TuneResult result() {
    TuneResult found;
    found.best = found.chosen = best_of();
    found.users = static_cast<Index>(measured_.front().values.size());
    const std::vector<double>& best = measured_[found.best].values;
    for (std::size_t n = 0; n < trials_.size(); ++n) {
      trials_[n].behind_best = behind(best, measured_[n].values);
      trials_[n].tied = is_tied(trials_[n].behind_best);
      found.conclusive = found.conclusive || !trials_[n].tied;
      if (!trials_[n].tied) continue;
      const TuneTrial& chosen = trials_[found.chosen];
      if (trials_[n].distance < chosen.distance) found.chosen = n;
    }
    found.options = trials_[found.chosen].options;
    if (found.users < static_cast<Index>(least_users)) found.conclusive = false;
    found.trials = std::move(trials_);
    found.seconds = watch_.seconds();
    return found;
  }

  static constexpr std::size_t least_users = 30;

  const TuneOptions& options_;
  Stopwatch watch_;
  CsrMatrix sample_;  // of train, where that is too large
  TrainTestSplit split_;
  std::vector<Part> parts_;
  EvaluateOptions evaluation_;
  TunePoint origin_{};
  std::vector<TuneTrial> trials_;
  std::vector<Measured> measured_;
  bool searches_dislikes_ = false;
};

}  // namespace detail

template <Real Scalar>
TuneResult tune(const CsrView& train, const TuneOptions& options) {
  detail::check_tune(options);
  if (train.nnz() == 0)
    throw InvalidArgument("train", detail::shape_text(train.shape()) + " without interactions", "a matrix with at least one");
  return detail::TuneRun<Scalar>(train, options).run();
}

template <Real Scalar>
TuneResult tune(std::span<const RollingSplit> windows, const TuneOptions& options) {
  detail::check_tune(options);
  if (windows.empty()) throw InvalidArgument("number of windows", 0, "at least 1");
  return detail::TuneRun<Scalar>(windows, options).run();
}

}  // namespace kindred::inline v0
