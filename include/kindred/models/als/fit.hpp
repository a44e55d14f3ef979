// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/random.hpp>
#include <kindred/core/team.hpp>
#include <kindred/core/thread_team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/models/als/feature_learner.hpp>
#include <kindred/models/als/features.hpp>
#include <kindred/models/als/fit_options.hpp>
#include <kindred/models/als/half_step.hpp>
#include <kindred/models/als/item_bias.hpp>
#include <kindred/models/als/loss.hpp>
#include <kindred/models/als/memory_estimate.hpp>
#include <kindred/models/als/prior_mean.hpp>
#include <kindred/models/als/report.hpp>
#include <kindred/models/als/spectral_start.hpp>
#include <kindred/models/als/start.hpp>
#include <kindred/models/als/state.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// @throws InvalidArgument if features and other parts of a fit do not go together.
template <Real Scalar>
void check_feature_fit(const AlsSettings& options, const AlsFitOptions<Scalar>& fit) {
  if (options.regularization == 0.0)
    throw InvalidArgument("regularization", 0, "above 0 with features, which the penalty ties the factors to");
  if (fit.on_snapshot || fit.resume_from != nullptr)
    throw InvalidArgument("user_features or item_features", "set together with on_snapshot or resume_from",
                          "not set: a snapshot does not hold the maps of features");
  if (options.item_bias && fit.schedule == FeatureSchedule::sparse_rows)
    throw InvalidArgument("item_bias", *options.item_bias, "not set together with FeatureSchedule::sparse_rows");
  if (fit.team != nullptr) throw InvalidArgument("user_features or item_features", "set in a fit of several processes", "not set");
}

/// Bytes that learning from the features of one side takes, about: copies of the table and of its transpose for the two maps and their check, a matrix of the
/// side's shape, and a few of the map's.
template <Real Scalar>
[[nodiscard]] std::uint64_t feature_bytes(const FeatureTable& table, std::uint64_t factors) {
  const auto columns = static_cast<std::uint64_t>(table.columns().size()), rows = static_cast<std::uint64_t>(table.rows());
  if (columns == 0) return 0;
  const auto entries = static_cast<std::uint64_t>(table.matrix().nnz());
  return entries * (56 + 6 * sizeof(Scalar)) + (rows + columns) * 48 + (rows + 6 * columns) * factors * sizeof(Scalar);
}

/// Checks what can be known before a fit starts. `refits`: the model is fitted already, and stays until the new one is there.
template <Real Scalar>
void check_fit(const AlsOptions& asked, MatrixShape shape, Offset nnz, bool in_memory, bool refits, const AlsFitOptions<Scalar>& fit) {
  if (nnz == 0) throw InvalidArgument("train", shape_text(shape) + " without interactions", "a matrix with at least one");
  if (fit.snapshot_every < 1) throw InvalidArgument("snapshot_every", fit.snapshot_every, "at least 1");
  if (fit.patience < 1) throw InvalidArgument("patience", fit.patience, "at least 1");
  if (fit.score && (fit.on_snapshot || fit.resume_from != nullptr))
    throw InvalidArgument("score", "with snapshots", "a fit without them: a snapshot does not hold the best iteration");
  const AlsSettings options = settings_of(asked);
  if (options.item_bias && (fit.on_snapshot || fit.resume_from != nullptr))
    throw InvalidArgument("item_bias", *options.item_bias,
                          "not set together with on_snapshot or resume_from: a snapshot does not hold biases");
  if (const std::size_t done = fit.resume_from != nullptr ? fit.resume_from->iteration : 0; done > 0 && done >= options.iterations)
    throw InvalidArgument("iterations", options.iterations, "above the " + std::to_string(done) + " of the fit that is resumed");
  if (!fit.undecayed.empty()) {
    if (!in_memory || fit.team != nullptr)
      throw InvalidArgument("undecayed", "set", "empty for a train that is not in memory, or with a team");
    if (static_cast<Offset>(fit.undecayed.size()) != nnz)
      throw ShapeError("undecayed has " + std::to_string(fit.undecayed.size()) + " values; train has " + std::to_string(nnz) +
                       " interactions");
    for (std::size_t n = 0; n < fit.undecayed.size(); ++n)
      if (!is_finite(fit.undecayed[n])) throw InvalidArgument("undecayed[" + std::to_string(n) + "]", fit.undecayed[n], "finite");
  }
  const FeatureTable &of_users = fit.user_features.table(), &of_items = fit.item_features.table();
  check_features(of_users, "user_features", "users", shape.users);
  check_features(of_items, "item_features", "items", shape.items);
  if (of_users.columns().size() > 0 || of_items.columns().size() > 0) check_feature_fit(options, fit);
  if (!fit.memory_limit) return;
  const MemoryEstimate estimate = estimate_memory<Scalar>(shape.users, shape.items, nnz, asked, fit.execution);
  std::uint64_t needed = refits ? estimate.refit_total() : estimate.total();
  if (!in_memory) needed -= estimate.transposed + estimate.strengths;
  if (fit.score) needed += estimate.factors;
  const std::size_t factors = asked.factors.value_or(asked.units == Units::data ? automatic_factors(shape.items) : options.factors);
  const std::uint64_t features = feature_bytes<Scalar>(of_users, factors) + feature_bytes<Scalar>(of_items, factors);
  needed += features;
  if (needed > *fit.memory_limit)
    throw InvalidArgument("memory_limit", *fit.memory_limit,
                          "at least " + std::to_string(needed) + " bytes, which is what estimate_memory says " +
                              (features > 0 ? "and features take " : "") + "for " + shape_text(shape) + " with " + std::to_string(nnz) +
                              " interactions and " + std::to_string(options.factors) + " factors");
}

/// One fit: first factors, iterations, and what is asked for between them.
template <Real Scalar>
class AlsFit {
 public:
  /// `train` and `by_items`: all rows, or those of this member's `shares`; `weights`: of all of train. `total`: started before the transposing;
  /// `choice_seconds`: what choosing options took of it.
  AlsFit(const AlsOptions& options, AlsWeights weights, const RowsRef& train, const RowsRef& by_items, const AlsFitOptions<Scalar>& asked,
         const Stopwatch& total, double choice_seconds, RankShares shares = {})
      : asked_(asked),
        total_(total),
        team_(asked.team != nullptr ? *asked.team : alone_),
        shares_(std::move(shares)),
        threads_(asked.execution.executor),
        execution_{.threads = resolve_threads(asked.execution.threads), .executor = threads_.executor(), .simd = asked.execution.simd} {
    state_.options = options;
    report_.options = filled_in(options, weights.settings());
    state_.weights = std::move(weights);
    start(train, by_items);
    users_.emplace(prepare_side<Scalar>(state_.weights, AlsSide::users, train, loop_of(execution_, 1)));
    items_.emplace(prepare_side<Scalar>(state_.weights, AlsSide::items, by_items, loop_of(execution_, 1)));
    if (const auto learner = asked.user_features.learner() != nullptr ? asked.user_features.learner() : asked.item_features.learner();
        learner != nullptr)
      features_ = learner(state_, asked.user_features.table(), asked.item_features.table(), asked.schedule, execution_, report_,
                          [this] { stops_early_ = asks_to_stop("features", 0, 0) || stops_early_; });
    report_.choice_seconds = choice_seconds;
    report_.prepare_seconds = total_.seconds() - report_.start_seconds - choice_seconds;
  }

  /// @throws as ImplicitALS::fit does.
  [[nodiscard]] std::pair<AlsState<Scalar>, FitReport> run() {
    if (from_items_) half_step(*users_, 0);
    const std::size_t done_before = asked_.resume_from != nullptr ? asked_.resume_from->iteration : 0;
    if (asked_.resume_from != nullptr) last_loss_ = asked_.resume_from->last_loss;
    if (features_) features_->begin();
    for (std::size_t iteration = done_before + 1; iteration <= settings().iterations; ++iteration) {
      FitReport::Iteration& done = iterate(iteration);
      if (asked_.score || asked_.after_iteration) show(done);
      if (has_converged(done)) {
        report_.stop = FitReport::Stop::tolerance;
        break;
      }
      if (asked_.on_snapshot && iteration % asked_.snapshot_every == 0 && iteration < settings().iterations) snapshot(iteration);
      if (asked_.score && iteration - report_.kept_iteration >= asked_.patience && iteration < settings().iterations) {
        report_.stop = FitReport::Stop::score;
        break;
      }
      if (is_stopped(iteration)) {
        report_.stop = FitReport::Stop::callback;
        break;
      }
    }
    if (!asked_.score)
      report_.kept_iteration = report_.iterations.back().iteration;
    else if (report_.kept_iteration != report_.iterations.back().iteration)
      take_best();
    if (features_ && features_->after_fit()) learn_after_fit();
    if (features_) features_->finish();
    return {std::move(state_), std::move(report_)};
  }

 private:
  struct BestIteration {
    std::optional<double> score;
    FactorMatrix<Scalar> users, items;
    std::vector<double> eigenvalues;
    FactorMatrix<Scalar> user_map, item_map;
    std::vector<float> item_bias;
  };

  /// The exact solver overwrites the factors that it solves for without reading them: zeros will do.
  void start(const RowsRef& train, const RowsRef& by_items) {
    const FitSnapshot<Scalar>* const resumed = asked_.resume_from;
    const auto given = [&](const FactorMatrix<Scalar> FitSnapshot<Scalar>::*part, const std::optional<FactorMatrix<Scalar>>& option) {
      return resumed != nullptr ? &(resumed->*part) : option ? &*option : nullptr;
    };
    const FactorMatrix<Scalar>* const first_users = given(&FitSnapshot<Scalar>::users, asked_.initial_users);
    const FactorMatrix<Scalar>* const first_items = given(&FitSnapshot<Scalar>::items, asked_.initial_items);
    const AlsSettings& settings = this->settings();
    const bool exact = settings.solver == Solver::cholesky;
    const auto first = [&](const FactorMatrix<Scalar>* from, std::string_view name, Index rows, RandomStream stream, bool read) {
      if (from != nullptr) return checked_factors(*from, name, rows, settings.factors);
      return read ? random_factors<Scalar>(settings, rows, stream, loop_of(execution_, 1))
                  : FactorMatrix<Scalar>(rows, static_cast<Index>(settings.factors), loop_of(execution_, 1));
    };
    from_items_ = first_users == nullptr;
    if (settings.start == Start::spectral && from_items_ && first_items == nullptr)
      state_.items = items_from_likes(train, by_items);
    else
      state_.items = first(first_items, "initial_items", train.cols(), RandomStream::item_factors, from_items_ || !exact);
    state_.users = first(first_users, "initial_users", train.rows(), RandomStream::user_factors, !exact);
    if (settings.item_bias) state_.item_bias.assign(static_cast<std::size_t>(train.cols()), 0.0F);
  }

  [[nodiscard]] FactorMatrix<Scalar> items_from_likes(const RowsRef& train, const RowsRef& by_items) {
    const Stopwatch watch;
    const AlsSettings& settings = this->settings();
    const auto after_product = [this](std::size_t done, std::size_t total) {
      if (asks_to_stop("spectral start", done, total)) stops_early_ = true;
    };
    const SvdOptions wanted{.count = settings.factors,
                            .power_steps = settings.power_steps,
                            .seed = settings.seed,
                            .level = execution_.simd,
                            .parallel = loop_of(execution_, 1),
                            .after_product = after_product};
    FactorMatrix<Scalar> items =
        spectral_items<Scalar>(svd_of_likes<Scalar>(train, by_items, wanted, team_, shares_), settings, loop_of(execution_, 1));
    report_.start_seconds = watch.seconds();
    return items;
  }

  void half_step(const SideData<Scalar>& data, std::size_t iteration) {
    const std::vector<std::uint64_t>& shares = data.side == AlsSide::users ? shares_.users : shares_.items;
    FeatureLearner<Scalar>* const features = features_ && features_->learns() ? features_.get() : nullptr;
    if (data.side == AlsSide::users || !settings().item_bias) {
      HalfStep<Scalar>(state_, data, iteration, execution_, team_, shares, report_, features).run();
      return;
    }
    // Items with a bias: one factor more, against users that hold the same number there. Users stay in the basis they are in.
    if (features != nullptr) features->regress(AlsSide::items);
    const double unit = bias_unit(*settings().item_bias);
    FactorMatrix<Scalar> users = std::exchange(state_.users, lifted(state_.users, unit, loop_of(execution_, 1)));
    state_.items = widened<Scalar>(state_.items, state_.item_bias, unit, loop_of(execution_, 1));
    WidenedMaps<Scalar> maps(state_.features);
    HalfStep<Scalar> step(state_, data, iteration, execution_, team_, shares, report_);
    step.run();
    turn_back(state_.items, step.basis(), loop_of(execution_, 1), execution_.simd);
    std::tie(state_.items, state_.item_bias) = without_bias(state_.items, unit, loop_of(execution_, 1));
    state_.users = std::move(users);
    maps.restore();
  }

  void measure_loss(FitReport::Iteration& done) {
    if (!asked_.record_loss && !(settings().loss_tolerance > 0.0)) return;
    const Stopwatch watch;
    done.loss = LossSum<Scalar>(state_, *users_, execution_.simd).total(loop_of(execution_, 1), team_);
    report_.loss_seconds += watch.seconds();
  }

  FitReport::Iteration& iterate(std::size_t iteration) {
    const Stopwatch watch;
    half_step(*items_, iteration);
    half_step(*users_, iteration);
    FitReport::Iteration& done = report_.iterations.emplace_back();
    done.iteration = iteration;
    done.seconds = watch.seconds();
    measure_loss(done);
    return done;
  }

  /// Lends the state to a model that the callbacks see.
  void show(FitReport::Iteration& done) {
    ImplicitALS<Scalar> model(std::move(state_), execution_.simd);
    const ImplicitALS<Scalar>& so_far = model;
    if (asked_.score) {
      done.score = asked_.score(so_far);
      if (!is_finite(*done.score)) throw InvalidArgument("score", *done.score, "a finite number");
    }
    if (asked_.after_iteration) asked_.after_iteration(so_far, done);
    state_ = std::move(model).release();
    if (done.score) keep_if_best(done);
  }

  void keep_if_best(const FitReport::Iteration& done) {
    if (best_.score && !(*done.score > *best_.score)) return;
    report_.kept_iteration = done.iteration;
    best_ = {done.score,
             state_.users,
             state_.items,
             state_.eigenvalues,
             state_.features.users.map(MapKind::fit),
             state_.features.items.map(MapKind::fit),
             state_.item_bias};
  }

  /// One more iteration, with maps that were learned from the factors as they are.
  void learn_after_fit() { report_.kept_iteration = iterate(report_.iterations.back().iteration + 1).iteration; }

  void take_best() {
    state_.users = std::move(best_.users);
    state_.items = std::move(best_.items);
    state_.eigenvalues = std::move(best_.eigenvalues);
    state_.item_bias = std::move(best_.item_bias);
    set_map(state_.features.users, MapKind::fit, std::move(best_.user_map));
    set_map(state_.features.items, MapKind::fit, std::move(best_.item_map));
  }

  [[nodiscard]] const AlsSettings& settings() const noexcept { return state_.weights.settings(); }

  [[nodiscard]] bool has_converged(const FitReport::Iteration& done) {
    if (!(settings().loss_tolerance > 0.0)) return false;
    const double now = done.loss->total;
    const bool converged = last_loss_ && *last_loss_ - now < settings().loss_tolerance * std::abs(*last_loss_);
    last_loss_ = now;
    return converged;
  }

  void snapshot(std::size_t iteration) {
    FitSnapshot<Scalar> lent{iteration, last_loss_, std::move(state_.users), std::move(state_.items)};
    asked_.on_snapshot(std::as_const(lent));
    state_.users = std::move(lent.users);
    state_.items = std::move(lent.items);
  }

  [[nodiscard]] bool is_stopped(std::size_t iteration) const {
    return asks_to_stop("fit", iteration, settings().iterations) || stops_early_;
  }

  /// @throws Cancelled.
  [[nodiscard]] bool asks_to_stop(std::string_view what, std::size_t done, std::size_t total) const {
    if (!asked_.progress) return false;
    const ProgressAnswer answer = asked_.progress({.what = what, .done = done, .total = total, .elapsed_seconds = total_.seconds()});
    if (answer == ProgressAnswer::cancel) throw Cancelled("fit");
    return answer == ProgressAnswer::stop_and_keep;
  }

  const AlsFitOptions<Scalar>& asked_;
  const Stopwatch& total_;
  Team alone_;
  const Team& team_;
  RankShares shares_;
  ThreadTeam threads_;  // for all half-steps
  Execution execution_;
  AlsState<Scalar> state_;
  std::optional<SideData<Scalar>> users_;
  std::optional<SideData<Scalar>> items_;
  std::unique_ptr<FeatureLearner<Scalar>> features_;  // null without features
  bool from_items_ = true;
  bool stops_early_ = false;  // asked for during the spectral start
  std::optional<double> last_loss_;
  BestIteration best_;
  FitReport report_;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
