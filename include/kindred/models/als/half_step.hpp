// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <exception>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/eigenbasis.hpp>
#include <kindred/linalg/gram.hpp>
#include <kindred/linalg/row_cost.hpp>
#include <kindred/linalg/row_solver.hpp>
#include <kindred/models/als/cancellation.hpp>
#include <kindred/models/als/feature_learner.hpp>
#include <kindred/models/als/features.hpp>
#include <kindred/models/als/fold_in.hpp>
#include <kindred/models/als/item_bias.hpp>
#include <kindred/models/als/prior_mean.hpp>
#include <kindred/models/als/report.hpp>
#include <kindred/models/als/row_assembler.hpp>
#include <kindred/models/als/state.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Solves all rows of one side against the other, which turns into the eigenbasis of its Gram matrix first.
template <Real Scalar>
class HalfStep {
 public:
  /// All references must outlive this object. `shares`: of the rows of this side, among the members of the team. `features`: null where the maps stay
  /// as they are.
  HalfStep(AlsState<Scalar>& state, const SideData<Scalar>& data, std::size_t iteration, const Execution& execution, const Team& team,
           std::span<const std::uint64_t> shares, FitReport& report, FeatureLearner<Scalar>* features = nullptr)
      : settings_(state.weights.settings()),
        weights_(state.weights),
        eigenvalues_(state.eigenvalues),
        item_bias_(data.side == AlsSide::users ? std::span<const float>(state.item_bias) : std::span<const float>()),
        maps_(state.features),
        data_(data),
        fixed_(state.factors(other())),
        solved_(state.factors(data.side)),
        where_("iteration " + std::to_string(iteration)),
        parallel_(loop_of(execution, 1)),
        simd_(execution.simd),
        team_(team),
        shares_(shares),
        report_(report),
        features_(features) {}

  /// @throws NumericalError naming the row if a system is singular or overflows; InvalidArgument if a confidence is negative.
  void run() {
    if (features_ != nullptr) features_->regress(data_.side);
    turn(gram());
    pull_ = pull_of(fixed_, item_bias_, weights_.background(other()));
    if (features_ != nullptr) features_->improve_jointly(data_, fixed_, solved_, eigenvalues_);
    const Stopwatch watch;
    team_.on([&] { solve_rows(); });
    gather_rows(team_, shares_, solved_);
    (data_.side == AlsSide::users ? report_.user_seconds : report_.item_seconds) += watch.seconds();
  }

  /// What the fixed side was turned by.
  [[nodiscard]] const Eigenbasis& basis() const noexcept { return basis_; }

 private:
  struct Worker {
    RowSolver<Scalar> solver;
    RowAssembler<Scalar> assembler;
    PriorMean<Scalar> prior;
    std::vector<Scalar> strengths;  // of the row at hand, where none are kept
  };
  /// A row that threads solve together.
  struct SharedRow {
    Index row;
    Worker own;
    RowSystem<Scalar> system;
    std::vector<RowPart<Scalar>> parts;
  };

  /// Of the factors: one more than the model's where items are solved with their bias.
  [[nodiscard]] std::size_t width() const noexcept { return static_cast<std::size_t>(fixed_.factors()); }
  [[nodiscard]] AlsSide other() const noexcept { return data_.side == AlsSide::users ? AlsSide::items : AlsSide::users; }

  [[noreturn]] void fail(RowOutcome outcome, AlsSide side, const std::string& what, double penalty) const {
    throw_als_failure(settings_, outcome, side, where_ + ", " + what, penalty);
  }
  void check(RowOutcome outcome, Index row, double penalty) const {
    if (outcome != RowOutcome::solved) fail(outcome, data_.side, "row " + std::to_string(row), penalty);
  }

  /// The weighted Gram matrix of the fixed side, factors x factors.
  [[nodiscard]] AlignedVector<double> gram() {
    const Stopwatch watch;
    BlockedGram<Scalar> blocked(fixed_, weights_.background(other()), simd_);
    blocked.add_all_blocks(parallel_, team_);
    AlignedVector<double> matrix = blocked.total();
    for (std::size_t f = 0; f < width(); ++f)
      if (!is_finite(matrix[f * width() + f]))
        fail(RowOutcome::not_finite, data_.side, "the Gram matrix of the other side", settings_.regularization);
    report_.gram_seconds += watch.seconds();
    return matrix;
  }

  /// Turns the fixed side, and the solved one where it is a warm start, into the eigenbasis of `matrix`.
  void turn(const AlignedVector<double>& matrix) {
    const Stopwatch eigen_watch;
    basis_ = eigenbasis(matrix, width(), parallel_, simd_);
    report_.eigen_seconds += eigen_watch.seconds();

    const Stopwatch rotate_watch;
    const std::size_t n_float = std::is_same_v<Scalar, float> ? float_columns(basis_, weights_.least_ridge(data_.side)) : 0;
    rotate(fixed_, basis_, parallel_, simd_, n_float);
    if (settings_.solver == Solver::conjugate_gradient || (features_ != nullptr && features_->is_joint()))
      rotate(solved_, basis_, parallel_, simd_, n_float);
    rotate_features(maps_, basis_, parallel_, simd_, n_float);
    eigenvalues_ = basis_.values;
    check_turned();
    report_.rotate_seconds += rotate_watch.seconds();
  }

  // The solver answers for the rows it solves. A turn keeps the length of a row, so that only one longer than the largest Scalar can overflow; the
  // Gram matrix bounds the length of all rows.
  void check_turned() const {
    double least_weight = 1.0;
    for (const double weight : weights_.background(other()))
      if (weight > 0.0) least_weight = (std::min)(least_weight, weight);
    const double longest = std::sqrt(std::accumulate(eigenvalues_.begin(), eigenvalues_.end(), 0.0) / least_weight);
    if (longest < 0.25 * static_cast<double>((std::numeric_limits<Scalar>::max)())) return;
    parallel_for(static_cast<std::size_t>(fixed_.rows()), {.threads = parallel_.threads, .grain = 1024, .executor = parallel_.executor},
                 [&](std::size_t first, std::size_t last, std::size_t) {
                   for (std::size_t r = first; r < last; ++r)
                     for (const Scalar value : std::as_const(fixed_).row(static_cast<Index>(r)))
                       if (!is_finite(value)) fail(RowOutcome::not_finite, other(), "row " + std::to_string(r), settings_.regularization);
                 });
  }

  [[nodiscard]] Worker new_worker() const {
    return {RowSolver<Scalar>(fixed_, eigenvalues_, simd_),
            RowAssembler<Scalar>(weights_, data_.side, simd_, {item_bias_, pull_}),
            PriorMean<Scalar>(maps_.of(data_.side), MapKind::fit, simd_),
            {}};
  }

  void solve_rows() {
    may_cancel_ = weights_.may_cancel();
    std::vector<Worker> workers;
    for (std::size_t n = 0; n < worker_count(data_.pieces.size() + data_.parts, parallel_); ++n) workers.push_back(new_worker());
    data_.rows.for_each_block([&](const RowBlock& block) {
      const auto first = static_cast<std::size_t>(block.first), last = first + static_cast<std::size_t>(block.rows.rows());
      const auto is_shared = [&](std::size_t place) {
        const std::size_t n = block.rows.row(data_.order[place] - block.first).size();
        return settings_.solver == Solver::cholesky && n >= width() && row_parts(n) > 1;
      };
      std::size_t shared_end = first;
      while (shared_end < last && is_shared(shared_end)) ++shared_end;
      const auto piece_of = [&](std::size_t place) {
        return static_cast<std::size_t>(std::lower_bound(data_.pieces.begin(), data_.pieces.end(), place) - data_.pieces.begin());
      };
      // Shared rows in groups, for the memory of their parts; with the last of them all other rows.
      const std::size_t most_parts = row_parts_bytes / (width() * width() * sizeof(Scalar));
      std::size_t at = first;
      do {
        std::vector<SharedRow> shared;
        for (std::size_t parts = 0; at < shared_end; ++at) {
          const Index row = data_.order[at];
          parts += row_parts(block.rows.row(row - block.first).size());
          if (!shared.empty() && parts > most_parts) break;
          shared.push_back({row, new_worker(), {}, {}});
        }
        const std::size_t pieces = at == shared_end ? piece_of(last) - piece_of(shared_end) : 0;
        solve_together(block, shared, std::span<const std::size_t>(data_.pieces).subspan(piece_of(shared_end), pieces + 1), workers);
      } while (at < shared_end);
    });
  }

  /// Rows that are shared, a part at a time, and beside them the pieces that begin at all but the last of `pieces`.
  void solve_together(const RowBlock& block, std::vector<SharedRow>& shared, std::span<const std::size_t> pieces,
                      std::vector<Worker>& workers) {
    parallel_for(shared.size(), parallel_, [&](std::size_t n, std::size_t, std::size_t) {
      shared[n].system = system_of(block, shared[n].row, shared[n].own);
      shared[n].parts.resize(row_parts(shared[n].system.columns.size()));
    });
    std::vector<std::pair<SharedRow*, std::size_t>> parts;
    for (SharedRow& row : shared)
      for (std::size_t part = 0; part < row.parts.size(); ++part) parts.emplace_back(&row, part);
    const std::span<const Index> order =
        std::span<const Index>(data_.order).first(static_cast<std::size_t>(block.first) + static_cast<std::size_t>(block.rows.rows()));
    parallel_for(parts.size() + pieces.size() - 1, parallel_, [&](std::size_t n, std::size_t, std::size_t worker) {
      if (n < parts.size()) {
        const auto& [row, part] = parts[n];
        workers[worker].solver.sum_part(row->system, part, row->parts[part]);
      } else {
        solve_piece(block, order, pieces[n - parts.size()], pieces[n - parts.size() + 1], workers[worker]);
      }
    });
    parallel_for(shared.size(), parallel_, [&](std::size_t n, std::size_t, std::size_t) { finish(shared[n]); });
  }

  void finish(SharedRow& shared) {
    const RowSystem<Scalar>& system = shared.system;
    RowSolver<Scalar>& solver = shared.own.solver;
    if (may_cancel_ && cancels(weights_, data_.side, fixed_, eigenvalues_, system, system.columns))
      check(RowOutcome::singular, shared.row, system.penalty);
    const bool determined = solver.determined(system.background, system.penalty);
    check(determined ? solver.solve(system, solved_.row(shared.row), shared.parts) : RowOutcome::singular, shared.row, system.penalty);
  }

  [[nodiscard]] RowSystem<Scalar> system_of(const RowBlock& block, Index row, Worker& worker) const {
    const std::span<const double> background = weights_.background(data_.side);
    RowSystem<Scalar> system =
        worker.assembler.assemble(row, block.rows.row(row - block.first), strengths_of(data_, weights_, block, row, worker.strengths),
                                  background.empty() ? 1.0 : background[static_cast<std::size_t>(row)], 1.0, worker.prior.of_row(row));
    worker.assembler.add_pull(system, pull_);
    return system;
  }

  /// The rows order[first, last) of a block.
  void solve_piece(const RowBlock& block, std::span<const Index> order, std::size_t first, std::size_t last, Worker& worker) {
    const auto interactions_of = [&](Index row) { return block.rows.row(row - block.first); };
    const auto again = [&](std::span<Scalar> x) {
      const auto row = static_cast<Index>(static_cast<std::size_t>(x.data() - solved_.data()) / solved_.stride());
      const RowSystem<Scalar> system = system_of(block, row, worker);
      check(solve_row(worker.solver, system, x), row, system.penalty);
    };
    for (std::size_t n = first; n < last; ++n) {
      const Index row = order[n];
      const RowSystem<Scalar> system = system_of(block, row, worker);
      if (n + 1 < last) worker.solver.expect(interactions_of(order[n + 1]).columns);
      // Further ahead than the interactions, which are found by it.
      if (n + 8 < order.size()) prefetch(block.rows.offsets().data() + (order[n + 8] - block.first));
      if (n + 3 < order.size()) worker.assembler.prefetch(interactions_of(order[n + 3]));
      if (may_cancel_ && !system.columns.empty() && cancels(weights_, data_.side, fixed_, eigenvalues_, system, system.columns))
        check(RowOutcome::singular, row, system.penalty);
      if (settings_.solver == Solver::cholesky && !system.columns.empty() && worker.solver.determined(system.background, system.penalty))
        worker.solver.enqueue(system, solved_.row(row), again);
      else
        check(solve_row(worker.solver, system, solved_.row(row)), row, system.penalty);
    }
    worker.solver.flush(again);
  }

  [[nodiscard]] RowOutcome solve_row(RowSolver<Scalar>& solver, const RowSystem<Scalar>& system, std::span<Scalar> x) const {
    if (system.columns.empty()) {  // nothing but its features pulls it away from 0
      std::fill(x.begin(), x.end(), Scalar(0));
      if (!system.prior_mean.empty()) shrink_prior(eigenvalues_, system, x);
      return RowOutcome::solved;
    }
    if (!solver.determined(system.background, system.penalty)) return RowOutcome::singular;
    if (settings_.solver == Solver::cholesky) return solver.solve(system, x);
    return solver.improve(system, settings_.solver_steps, settings_.solver_tolerance, x);
  }

  const AlsSettings& settings_;
  const AlsWeights& weights_;
  std::vector<double>& eigenvalues_;
  std::span<const float> item_bias_;
  std::vector<Scalar> pull_;
  Eigenbasis basis_;
  ModelFeatures<Scalar>& maps_;
  const SideData<Scalar>& data_;
  FactorMatrix<Scalar>& fixed_;
  FactorMatrix<Scalar>& solved_;
  std::string where_;
  ParallelOptions parallel_;
  SimdLevel simd_;
  const Team& team_;
  std::span<const std::uint64_t> shares_;
  FitReport& report_;
  FeatureLearner<Scalar>* features_;
  bool may_cancel_ = false;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
