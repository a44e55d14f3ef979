// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/linalg/eigenbasis.hpp>
#include <kindred/linalg/row_solver.hpp>
#include <kindred/models/als/cancellation.hpp>
#include <kindred/models/als/features.hpp>
#include <kindred/models/als/fold_in_options.hpp>
#include <kindred/models/als/item_bias.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/models/als/prior_mean.hpp>
#include <kindred/models/als/row_assembler.hpp>
#include <kindred/models/als/weights.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Interactions from outside: checked, and without stored zeros.
struct CheckedRow {
  /// @throws InvalidArgument, ShapeError naming `what` and the place.
  CheckedRow(const SparseRow& given, std::string_view what, Index bound) {
    check_index_list(given.columns, what, "an item", bound);
    if (given.columns.size() != given.values.size())
      throw ShapeError(std::string(what) + " has " + std::to_string(given.columns.size()) + " columns and " +
                       std::to_string(given.values.size()) + " values");
    for (std::size_t n = 0; n < given.size(); ++n) {
      if (!is_finite(given.values[n]))
        throw InvalidArgument(std::string(what) + ".values[" + std::to_string(n) + "]", given.values[n], "finite");
      if (given.values[n] == 0.0F) continue;
      columns.push_back(given.columns[n]);
      values.push_back(given.values[n]);
    }
  }
  [[nodiscard]] SparseRow row() const noexcept { return {columns, values}; }

  std::vector<Index> columns;
  std::vector<float> values;
};

/// The row that a solve failed for, in words.
[[noreturn, gnu::cold]] inline void throw_als_failure(const AlsSettings& settings, RowOutcome outcome, AlsSide side, std::string_view where,
                                                      double penalty) {
  std::string text(where);
  text += outcome == RowOutcome::singular ? ": the system is singular to working precision" : ": the solution overflows";
  text += std::string(" (side ") + (side == AlsSide::users ? "users" : "items") + ", penalty " + number_text(penalty) + ", lambda " +
          number_text(settings.regularization) + ", alpha " + number_text(settings.alpha) + ")";
  text += outcome == RowOutcome::singular ? "; raise regularization above " + number_text(settings.regularization)
                                          : "; lower alpha or cap the values, or use Confidence::log";
  throw NumericalError(text);
}

}  // namespace detail
}  // namespace kindred::inline v0

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// What rows of one side are solved against outside of a fit.
template <Real Scalar>
struct FixedSide {
  const FactorMatrix<Scalar>& factors;
  std::span<const double> eigenvalues;  // of the weighted Gram matrix, falling
  const Eigenbasis* basis = nullptr;    // null: the factors are in the eigenbasis; else what turns them into it
  ItemBias<Scalar> bias = {};           // of items with biases, in the basis of the factors
  double unit = 0.0;  // of users, where items are solved with their biases: rows of one factor more, this number; then there is a basis

  /// Length of a solution.
  [[nodiscard]] Index width() const noexcept { return factors.factors() + (unit > 0.0 ? 1 : 0); }
};

/// Solves for rows of one side that are not part of fit, with the arithmetic of its half-steps; one per thread.
template <Real Scalar>
class AlsFoldIn {
 public:
  /// All references must outlive this object.
  AlsFoldIn(const AlsWeights& weights, AlsSide side, const FixedSide<Scalar>& fixed, SimdLevel simd)
      : settings_(weights.settings()),
        weights_(weights),
        side_(side),
        fixed_(fixed),
        may_cancel_(weights.may_cancel()),
        gathered_(std::make_unique<FactorMatrix<Scalar>>(0, fixed.width())),
        solver_(rows(), fixed.eigenvalues, simd),
        assembler_(weights, side, simd, fixed.bias),
        simd_(simd) {
    if (!fixed.bias.pull.empty()) pull_ = turned(fixed.bias.pull);
  }

  /// The factors of `row` with these interactions (checked, no zeros), `background` its a_u or b_i; conjugate gradients start from 0. `prior`: the prior
  /// mean of a row with features, length factors, or empty.
  /// @throws NumericalError naming `where`; InvalidArgument if a confidence is negative.
  void solve(Index row, const SparseRow& interactions, double background, FoldInBackground kind, std::string_view where,
             std::span<Scalar> x, std::span<const Scalar> prior = {}) {
    std::fill(x.begin(), x.end(), Scalar(0));
    const double share = share_of(interactions, kind);
    if (prior.empty() && (interactions.empty() || share == 0.0)) return;
    if (kind == FoldInBackground::by_history && interactions.empty()) {
      std::copy(prior.begin(), prior.end(), x.begin());
      return;
    }
    RowSystem<Scalar> system = assemble(row, interactions, background, share, kind, turned_prior(prior));
    if (system.columns.empty()) {
      if (system.prior_mean.empty()) return;
      shrink_prior(fixed_.eigenvalues, system, x);
      turn_back(x);
      return;
    }
    gather(interactions.columns);
    system.columns = places(interactions.columns);
    finish(settings_.solver == Solver::cholesky || !solver_.determined(system.background, system.penalty)
               ? exact(system, interactions.columns, x)
               : solver_.improve(system, settings_.solver_steps, settings_.solver_tolerance, x),
           system, where);
    turn_back(x);
  }

  /// With A x = sum_n c_n p_n y_n + l m the system of the history, the score x . y is the sum of c_n p_n (y_n . v), and l m . v, with A v = y.
  /// `prior`: m, or empty; then `along_prior` gets l v, in the basis of the factors.
  [[nodiscard]] Explanation explain(const SparseRow& interactions, double background, FoldInBackground kind, Index item,
                                    std::span<const Scalar> prior = {}, std::span<Scalar> along_prior = {}) {
    Explanation explanation;
    const double share = share_of(interactions, kind);
    if (prior.empty() && (interactions.empty() || share == 0.0)) return explanation;
    if (interactions.empty()) return explain_prior(background, kind, item, prior, along_prior);
    const std::size_t n = interactions.size();
    // y as the right-hand side: one more column that carries a target and no excess.
    std::vector<Index> columns(interactions.columns.begin(), interactions.columns.end());
    columns.push_back(item);
    RowSystem<Scalar> system = assemble(0, interactions, background, share, kind, turned_prior(prior));
    if (system.columns.empty()) return explanation;
    gather(columns);
    const std::span<const Index> at = places(columns);
    system.columns = at.first(n);
    std::vector<Scalar> x(settings_.factors), v(settings_.factors);
    finish(exact(system, interactions.columns, x), system, "explain");
    explanation.score = inner(x, at[n]) + bias_of(item);

    std::vector<double> excess(system.excess.begin(), system.excess.end()), target(n, 0.0);
    excess.push_back(0.0);
    target.push_back(1.0);
    const RowSystem<Scalar> adjoint{
        .columns = at, .excess = excess, .target = target, .background = system.background, .penalty = system.penalty, .prior_mean = {}};
    finish(exact(adjoint, columns, v), system, "explain");
    explanation.bias = bias_of(item) - system.background * dot(v, pull_);
    for (std::size_t i = 0; i < n; ++i) explanation.parts.push_back({columns[i], system.target[i] * inner(v, at[i])});
    std::sort(explanation.parts.begin(), explanation.parts.end(), ranks_before);
    if (prior.empty()) return explanation;
    std::transform(v.begin(), v.end(), along_prior.begin(),
                   [&](Scalar value) { return static_cast<Scalar>(system.penalty * static_cast<double>(value)); });
    turn_back(along_prior);
    return explanation;
  }

 private:
  /// Of a row without interactions, which is its prior mean, or with the full background between 0 and it.
  [[nodiscard]] Explanation explain_prior(double background, FoldInBackground kind, Index item, std::span<const Scalar> prior,
                                          std::span<Scalar> along_prior) {
    Explanation explanation;
    gather({&item, 1});
    const Index at = places({&item, 1}).front();
    std::vector<Scalar> x(prior.size());
    if (kind == FoldInBackground::by_history) {
      const std::span<const Scalar> y = fixed_.factors.row(item);
      std::copy(y.begin(), y.end(), along_prior.begin());
      explanation.bias = bias_of(item);
      explanation.score = dot(prior, y) + explanation.bias;
      return explanation;
    }
    RowSystem<Scalar> system = assemble(0, {}, background, 1.0, kind, turned_prior(prior));
    shrink_prior(fixed_.eigenvalues, system, std::span<Scalar>(x));
    explanation.score = inner(x, at) + bias_of(item);
    system.prior_mean = rows().row(at);
    shrink_prior(fixed_.eigenvalues, system, along_prior);
    explanation.bias = bias_of(item) - system.background / system.penalty * dot(along_prior, pull_);
    turn_back(along_prior);
    return explanation;
  }

  [[nodiscard]] bool turns() const noexcept { return fixed_.basis != nullptr; }
  /// The rows that systems refer to.
  [[nodiscard]] const FactorMatrix<Scalar>& rows() const noexcept { return turns() ? *gathered_ : fixed_.factors; }

  /// Brings the rows that a system needs into the eigenbasis. O(columns * factors^2), what their part of the solve costs too.
  void gather(std::span<const Index> columns) {
    if (!turns()) return;
    *gathered_ = FactorMatrix<Scalar>(static_cast<Index>(columns.size()), fixed_.width());
    for (std::size_t n = 0; n < columns.size(); ++n) {
      const std::span<const Scalar> row = fixed_.factors.row(columns[n]);
      if (fixed_.unit > 0.0)
        lift<Scalar>(row, fixed_.unit, gathered_->row(static_cast<Index>(n)));
      else
        std::copy(row.begin(), row.end(), gathered_->row(static_cast<Index>(n)).begin());
    }
    rotate(*gathered_, *fixed_.basis, {.threads = 1}, simd_);
  }
  /// Where rows() has the rows `columns` of the fixed side.
  [[nodiscard]] std::span<const Index> places(std::span<const Index> columns) {
    if (!turns()) return columns;
    places_.resize(columns.size());
    std::iota(places_.begin(), places_.end(), Index{0});
    return places_;
  }
  /// A prior mean in the eigenbasis.
  [[nodiscard]] std::span<const Scalar> turned_prior(std::span<const Scalar> prior) {
    if (!turns() || prior.empty()) return prior;
    return prior_ = turned(prior);
  }
  [[nodiscard]] std::vector<Scalar> turned(std::span<const Scalar> x) const {
    std::vector<Scalar> in_basis(x.begin(), x.end());
    for (std::size_t f = 0; turns() && f < x.size(); ++f) {
      double sum = 0.0;
      for (std::size_t r = 0; r < x.size(); ++r) sum += static_cast<double>(x[r]) * fixed_.basis->vectors[f * x.size() + r];
      in_basis[f] = static_cast<Scalar>(sum);
    }
    return in_basis;
  }
  /// A solution back into the basis that the factors are in.
  void turn_back(std::span<Scalar> x) {
    if (!turns()) return;
    turned_.assign(x.size(), 0.0);
    for (std::size_t f = 0; f < x.size(); ++f)
      for (std::size_t r = 0; r < x.size(); ++r) turned_[r] += static_cast<double>(x[f]) * fixed_.basis->vectors[f * x.size() + r];
    std::transform(turned_.begin(), turned_.end(), x.begin(), [](double value) { return static_cast<Scalar>(value); });
  }

  /// The share of the background that counts; 0 without a like, where the solution is 0.
  [[nodiscard]] double share_of(const SparseRow& interactions, FoldInBackground kind) const {
    if (kind == FoldInBackground::full) return 1.0;
    return (std::min)(1.0, static_cast<double>(count_likes(interactions)) / weights_.mean_count(side_));
  }

  [[nodiscard]] RowSystem<Scalar> assemble(Index row, const SparseRow& interactions, double background, double share, FoldInBackground kind,
                                           std::span<const Scalar> prior) {
    strengths_.resize(weights_.strength_is_costly() ? interactions.size() : 0);  // where fit keeps strengths it keeps them as scalars
    if (!strengths_.empty()) weights_.put_strengths(side_, interactions, strengths_.data());
    RowSystem<Scalar> system = assembler_.assemble(row, interactions, strengths_, background, share, prior);
    // A short history is no reason to be held near the prior mean as firmly as a long one.
    if (kind == FoldInBackground::by_history && !system.prior_mean.empty()) system.penalty *= (std::max)(0.1, share);
    assembler_.add_pull(system, pull_);
    return system;
  }

  /// `names`: the rows of the fixed side that stand at system.columns.
  [[nodiscard]] RowOutcome exact(const RowSystem<Scalar>& system, std::span<const Index> names, std::span<Scalar> x) {
    if (!solver_.determined(system.background, system.penalty)) return RowOutcome::singular;
    if (may_cancel_ && cancels(weights_, side_, rows(), fixed_.eigenvalues, system, names)) return RowOutcome::singular;
    return solver_.solve(system, x);
  }

  void finish(RowOutcome outcome, const RowSystem<Scalar>& system, std::string_view where) const {
    if (outcome != RowOutcome::solved) throw_als_failure(settings_, outcome, side_, where, system.penalty);
  }

  [[nodiscard]] static double dot(std::span<const Scalar> a, std::span<const Scalar> b) noexcept {
    double sum = 0.0;
    for (std::size_t f = 0; f < b.size(); ++f) sum += static_cast<double>(a[f]) * static_cast<double>(b[f]);
    return sum;
  }
  [[nodiscard]] double inner(std::span<const Scalar> v, Index row) const noexcept { return dot(v, rows().row(row).first(v.size())); }
  [[nodiscard]] double bias_of(Index item) const noexcept {
    return fixed_.bias.values.empty() ? 0.0 : static_cast<double>(fixed_.bias.values[static_cast<std::size_t>(item)]);
  }

  const AlsSettings& settings_;
  const AlsWeights& weights_;
  AlsSide side_;
  FixedSide<Scalar> fixed_;
  bool may_cancel_;
  std::unique_ptr<FactorMatrix<Scalar>> gathered_;  // at an address of its own, which the solver keeps
  RowSolver<Scalar> solver_;
  RowAssembler<Scalar> assembler_;
  SimdLevel simd_;
  std::vector<Scalar> strengths_;
  std::vector<Index> places_;
  std::vector<double> turned_;
  std::vector<Scalar> prior_;
  std::vector<Scalar> pull_;  // of the biases, in the eigenbasis
};

/// The features of rows that are folded in.
template <Real Scalar>
struct FoldInFeatures {
  const FeatureSide<Scalar>* side = nullptr;  ///< Null: none.
  CsrView rows;                               ///< A row for each row that is solved.
  bool are_new = false;                       ///< Rows that train does not hold: without likes they are their cold prior mean.
};

/// The factors of every row of `rows` (no zeros), n_rows x factors. Row n is row named[n] of `side`, whose background weights `weights` knows; without
/// names rows are new users. The same bytes for any number of threads.
template <Real Scalar>
[[nodiscard]] FactorMatrix<Scalar> fold_in_rows(const AlsWeights& weights, AlsSide side, const FixedSide<Scalar>& fixed,
                                                const CsrView& rows, std::span<const Index> named, const FoldInOptions& options,
                                                std::string_view where, const FoldInFeatures<Scalar>& features = {}) {
  const ParallelOptions parallel = loop_of(options.execution, 16);
  FactorMatrix<Scalar> solved(rows.rows(), fixed.width(), parallel);
  const auto count = static_cast<std::size_t>(rows.rows());
  std::vector<AlsFoldIn<Scalar>> workers;
  for (std::size_t n = 0; n < worker_count(count, parallel); ++n) workers.emplace_back(weights, side, fixed, options.execution.simd);
  const std::span<const double> backgrounds = weights.background(side);
  const FeatureSide<Scalar> none;
  std::vector<std::pair<PriorMean<Scalar>, PriorMean<Scalar>>> priors;
  for (std::size_t n = 0; n < workers.size(); ++n) {
    const FeatureSide<Scalar>& of = features.side != nullptr ? *features.side : none;
    priors.emplace_back(PriorMean<Scalar>(of, MapKind::fit, options.execution.simd),
                        PriorMean<Scalar>(of, MapKind::cold, options.execution.simd));
  }
  parallel_for(count, parallel, [&](std::size_t first, std::size_t last, std::size_t worker) {
    std::vector<Scalar> wide;  // a prior mean with a bias of 0
    for (std::size_t n = first; n < last; ++n) {
      const auto r = static_cast<Index>(n);
      const Index row = named.empty() ? r : named[n];
      const double background = named.empty()         ? weights.new_user_background(weights.likes_of(rows.row(r)))
                                : backgrounds.empty() ? 1.0
                                                      : backgrounds[static_cast<std::size_t>(row)];
      const SparseRow own = features.side != nullptr ? features.rows.row(r) : SparseRow{};
      const bool is_cold = features.are_new && weights.likes_of(rows.row(r)) == 0;
      std::span<const Scalar> prior = is_cold || options.background == FoldInBackground::by_history
                                          ? priors[worker].second.of(own, weights.likes_of(rows.row(r)))
                                          : priors[worker].first.of(own);
      if (fixed.unit > 0.0 && !prior.empty()) {
        wide.assign(prior.begin(), prior.end());
        wide.push_back(Scalar(0));
        prior = wide;
      }
      if (is_cold && !prior.empty())
        std::copy(prior.begin(), prior.end(), solved.row(r).begin());
      else
        workers[worker].solve(row, rows.row(r), background, options.background, std::string(where) + ", row " + std::to_string(n),
                              solved.row(r), prior);
    }
  });
  return solved;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
