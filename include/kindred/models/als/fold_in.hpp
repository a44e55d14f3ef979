// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/linalg/eigenbasis.hpp>
#include <kindred/linalg/row_solver.hpp>
#include <kindred/models/als/cancellation.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/models/als/row_assembler.hpp>
#include <kindred/models/als/weights.hpp>

namespace kindred::inline v0 {

/// Why an item has its score: what each interaction of the history adds to it.
struct Explanation {
  double score = 0.0;         ///< Of the item for somebody with this history, whose factors are solved for exactly.
  std::vector<Scored> parts;  ///< Every item of the history and what it adds, largest first, ties by the lower item; they sum to the score.
};

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

/// `given` where it stores no zero, else a copy without them in `storage`.
[[nodiscard]] inline CsrView without_stored_zeros(const CsrView& given, CsrMatrix& storage) {
  if (std::find(given.values().begin(), given.values().end(), 0.0F) == given.values().end()) return given;
  storage = without_zeros(given);
  return storage;
}

/// The row that a solve failed for, in words.
[[noreturn, gnu::cold]] inline void throw_als_failure(const AlsOptions& options, RowOutcome outcome, AlsSide side, std::string_view where,
                                                      double penalty) {
  std::string text(where);
  text += outcome == RowOutcome::singular ? ": the system is singular to working precision" : ": the solution overflows";
  text += std::string(" (side ") + (side == AlsSide::users ? "users" : "items") + ", penalty " + number_text(penalty) + ", lambda " +
          number_text(options.regularization) + ", alpha " + number_text(options.alpha) + ")";
  text += outcome == RowOutcome::singular ? "; raise regularization above " + number_text(options.regularization)
                                          : "; lower alpha or cap the values, or use Confidence::log";
  throw NumericalError(text);
}

}  // namespace detail
}  // namespace kindred::inline v0

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Solves for rows of one side that are not part of fit, with the arithmetic of its half-steps; one per thread.
template <Real Scalar>
class AlsFoldIn {
 public:
  /// All references must outlive this object.
  AlsFoldIn(const AlsOptions& options, const AlsWeights& weights, AlsSide side, const FactorMatrix<Scalar>& fixed,
            std::span<const double> eigenvalues)
      : options_(options),
        weights_(weights),
        side_(side),
        fixed_(fixed),
        eigenvalues_(eigenvalues),
        may_cancel_(weights.may_cancel()),
        solver_(fixed, eigenvalues, options.simd),
        assembler_(weights, side, options.simd) {}

  /// The factors of `row` with these interactions (checked, no zeros), `background` its a_u or b_i; conjugate gradients start from 0.
  /// @throws NumericalError naming `where`; InvalidArgument if a confidence is negative.
  void solve(Index row, const SparseRow& interactions, double background, std::string_view where, std::span<Scalar> x) {
    std::fill(x.begin(), x.end(), Scalar(0));
    if (interactions.empty()) return;
    const RowSystem<Scalar> system = assemble(row, interactions, background);
    finish(options_.solver == Solver::cholesky || !solver_.determined(system.background, system.penalty)
               ? exact(system, x)
               : solver_.improve(system, options_.cg_steps, options_.cg_tolerance, x),
           system, where);
  }

  /// With A x = sum_n c_n p_n y_n the system of the history, the score x . y is the sum of c_n p_n (y_n . v) with A v = y.
  [[nodiscard]] Explanation explain(const SparseRow& interactions, double background, Index item) {
    Explanation explanation;
    if (interactions.empty()) return explanation;
    const RowSystem<Scalar> system = assemble(0, interactions, background);
    std::vector<Scalar> x(options_.factors), v(options_.factors);
    finish(exact(system, x), system, "explain");
    explanation.score = inner(x, item);

    // y as the right-hand side: one more column that carries a target and no excess.
    std::vector<Index> columns(interactions.columns.begin(), interactions.columns.end());
    std::vector<double> excess(system.excess.begin(), system.excess.end()), target(columns.size(), 0.0);
    columns.push_back(item);
    excess.push_back(0.0);
    target.push_back(1.0);
    const RowSystem<Scalar> adjoint{.columns = columns,
                                    .excess = excess,
                                    .target = target,
                                    .background = system.background,
                                    .penalty = system.penalty,
                                    .prior_mean = {}};
    finish(exact(adjoint, v), system, "explain");
    for (std::size_t n = 0; n < interactions.size(); ++n)
      explanation.parts.push_back({interactions.columns[n], system.target[n] * inner(v, interactions.columns[n])});
    std::sort(explanation.parts.begin(), explanation.parts.end(), ranks_before);
    return explanation;
  }

 private:
  [[nodiscard]] RowSystem<Scalar> assemble(Index row, const SparseRow& interactions, double background) {
    strengths_.clear();  // where fit keeps strengths it keeps them as scalars
    if (weights_.strength_is_costly()) weights_.append_strengths(side_, interactions, strengths_);
    return assembler_.assemble(row, interactions, strengths_, background);
  }

  [[nodiscard]] RowOutcome exact(const RowSystem<Scalar>& system, std::span<Scalar> x) {
    if (!solver_.determined(system.background, system.penalty)) return RowOutcome::singular;
    if (may_cancel_ && cancels(weights_, side_, fixed_, eigenvalues_, system)) return RowOutcome::singular;
    return solver_.solve(system, x);
  }

  void finish(RowOutcome outcome, const RowSystem<Scalar>& system, std::string_view where) const {
    if (outcome != RowOutcome::solved) throw_als_failure(options_, outcome, side_, where, system.penalty);
  }

  [[nodiscard]] double inner(std::span<const Scalar> v, Index row) const noexcept {
    double sum = 0.0;
    for (std::size_t f = 0; f < v.size(); ++f) sum += static_cast<double>(v[f]) * static_cast<double>(fixed_.row(row)[f]);
    return sum;
  }

  const AlsOptions& options_;
  const AlsWeights& weights_;
  AlsSide side_;
  const FactorMatrix<Scalar>& fixed_;
  std::span<const double> eigenvalues_;
  bool may_cancel_;
  RowSolver<Scalar> solver_;
  RowAssembler<Scalar> assembler_;
  std::vector<Scalar> strengths_;
};

/// `matrix` with the rows of `more` below it.
template <Real Scalar>
[[nodiscard]] FactorMatrix<Scalar> with_rows(const FactorMatrix<Scalar>& matrix, const FactorMatrix<Scalar>& more) {
  if (more.rows() > (std::numeric_limits<Index>::max)() - matrix.rows())
    throw InvalidArgument("rows", more.rows(), "few enough for fewer than 2^31 in all");
  FactorMatrix<Scalar> all(matrix.rows() + more.rows(), matrix.factors());
  std::copy_n(matrix.data(), static_cast<std::size_t>(matrix.rows()) * matrix.stride(), all.data());
  std::copy_n(more.data(), static_cast<std::size_t>(more.rows()) * more.stride(),
              all.data() + static_cast<std::size_t>(matrix.rows()) * all.stride());
  return all;
}

/// The basis that rotates back: rotate(y, basis) and then rotate(y, inverse(basis)) leaves y but for rounding. Its values are not used.
[[nodiscard]] inline Eigenbasis inverse(const Eigenbasis& basis) {
  Eigenbasis transposed = basis;
  const std::size_t k = basis.values.size();
  for (std::size_t row = 0; row < k; ++row)
    for (std::size_t column = 0; column < k; ++column) transposed.vectors[row * k + column] = basis.vectors[column * k + row];
  return transposed;
}

/// The factors of every row of `rows` (no zeros), n_rows x factors. Row n is row named[n] of `side`, whose background weights `weights` knows; without
/// names rows are new users. The same bytes for any number of threads.
template <Real Scalar>
[[nodiscard]] FactorMatrix<Scalar> fold_in_rows(const AlsOptions& options, const AlsWeights& weights, AlsSide side,
                                                const FactorMatrix<Scalar>& fixed, std::span<const double> eigenvalues, const CsrView& rows,
                                                std::span<const Index> named, std::size_t threads, std::string_view where) {
  FactorMatrix<Scalar> solved(rows.rows(), static_cast<Index>(options.factors));
  const ParallelOptions parallel{.threads = threads, .grain = 16};
  const auto count = static_cast<std::size_t>(rows.rows());
  std::vector<AlsFoldIn<Scalar>> workers;
  for (std::size_t n = 0; n < worker_count(count, parallel); ++n) workers.emplace_back(options, weights, side, fixed, eigenvalues);
  const std::span<const double> backgrounds = weights.background(side);
  parallel_for(count, parallel, [&](std::size_t first, std::size_t last, std::size_t worker) {
    for (std::size_t n = first; n < last; ++n) {
      const auto r = static_cast<Index>(n);
      const Index row = named.empty() ? r : named[n];
      const double background = named.empty()         ? weights.new_user_background(rows.row(r).size())
                                : backgrounds.empty() ? 1.0
                                                      : backgrounds[static_cast<std::size_t>(row)];
      workers[worker].solve(row, rows.row(r), background, std::string(where) + ", row " + std::to_string(n), solved.row(r));
    }
  });
  return solved;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
