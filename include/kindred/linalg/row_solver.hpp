// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/row_fallback.hpp>
#include <kindred/linalg/row_system.hpp>
#include <kindred/linalg/row_workspace.hpp>
#include <kindred/simd/kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Solves row systems against one fixed side; one per thread, its workspace kept between rows.
///
/// Substituting x = s o z with s_f = (background e_f + penalty)^(-1/2) turns the system into (I + B' S B) z = r, with B = diag(sqrt|d|) Y diag(s)
/// (n x factors) and S = sign(d). Exact solves take the cheaper of two equal forms, by a rule that looks at the row alone:
///   n < factors, all d >= 0:  z = g + B' (I + B B')^{-1} (t - B g)     n^2 k + n^3 / 3 flops
///   otherwise:                z = (I + B' S B)^{-1} r                   n k^2 + k^3 / 3 flops
/// where r = B' t + g splits the right-hand side into what divides by sqrt(d) safely (t_n = target_n / sqrt(d_n)) and the rest (g).
/// With d >= 0 both matrices have all eigenvalues >= 1. A row that fails in float is done again in double (linalg/row_fallback.hpp).
///
/// Source of the model: Hu, Koren, Volinsky 2008, eq. 4; of the short form: the Sherman-Morrison-Woodbury identity.
template <Real Scalar>
class RowSolver {
 public:
  /// `fixed`: n_fixed x factors, in the eigenbasis; `eigenvalues`: length factors, falling, >= 0. Both must outlive the solver.
  /// @throws InvalidArgument if this processor does not have `level`.
  RowSolver(const FactorMatrix<Scalar>& fixed, std::span<const double> eigenvalues, SimdLevel level = SimdLevel::best)
      : fixed_(fixed),
        eigenvalues_(eigenvalues),
        workspace_(static_cast<std::size_t>(fixed.factors()), fixed.stride(), row_kernels<Scalar>(level)),
        waiting_(workspace_.lanes()) {}

  /// False if a direction carries neither data nor penalty, so that the system has no unique solution to working precision:
  /// background e_f + penalty must exceed factors * eps * background * e_max for every f.
  [[nodiscard]] bool determined(double background, double penalty) const noexcept {
    if (eigenvalues_.empty()) return true;
    const double eps = std::numeric_limits<double>::epsilon();
    return background * eigenvalues_.back() + penalty > static_cast<double>(eigenvalues_.size()) * eps * background * eigenvalues_.front();
  }

  /// Sums part `part` of row_parts(system.columns.size()) for solve(). O(row_part factors^2).
  void sum_part(const RowSystem<Scalar>& system, std::size_t part, RowPart<Scalar>& sum) {
    workspace_.set_scale(eigenvalues_, system.background, system.penalty);
    workspace_.sum_part(fixed_.data(), system.columns.data(), system, part, sum);
  }

  /// The exact solution into `x` (length factors). Needs determined(system.background, system.penalty). A failed row leaves `x` unspecified.
  /// `parts`: all of sum_part, where a row of at least `factors` interactions has more than one; empty: they are summed here, to the same bytes.
  [[nodiscard]] RowOutcome solve(const RowSystem<Scalar>& system, std::span<Scalar> x, std::span<const RowPart<Scalar>> parts = {}) {
    workspace_.set_scale(eigenvalues_, system.background, system.penalty);
    ReducedRow<Scalar>& row = waiting_.front();
    workspace_.reduce(fixed_.data(), system.columns.data(), system, row, parts);
    const RowOutcome outcome = workspace_.solve_alone(row) ? workspace_.finish(fixed_.data(), row, x) : RowOutcome::singular;
    if constexpr (std::is_same_v<Scalar, float>)
      if (outcome != RowOutcome::solved) return solve_row_in_double(fixed_, eigenvalues_, system, x);
    return outcome;
  }

  /// Columns of the row that will come after the next one: what they name is brought nearer meanwhile. Changes no result.
  void expect(std::span<const Index> columns) { workspace_.expect(fixed_.data(), columns); }

  /// The same solution as solve() gives, to the byte, perhaps only once flush() is called: small systems wait until there are enough to be solved together, a
  /// system a lane. system.columns and `x` must last until then. `fail(x)` hears of each that failed in Scalar: solve() it again, which ends in double.
  template <typename Fail>
  void enqueue(const RowSystem<Scalar>& system, std::span<Scalar> x, Fail&& fail) {
    workspace_.set_scale(eigenvalues_, system.background, system.penalty);
    ReducedRow<Scalar>& row = waiting_[n_waiting_];
    workspace_.reduce(fixed_.data(), system.columns.data(), system, row);
    if (row.size > RowWorkspace<Scalar>::most_batched) {
      const RowOutcome outcome = workspace_.solve_alone(row) ? workspace_.finish(fixed_.data(), row, x) : RowOutcome::singular;
      if (outcome != RowOutcome::solved) fail(x);
      return;
    }
    solutions_[n_waiting_++] = x;
    if (n_waiting_ == workspace_.lanes()) flush(fail);
  }

  /// Solves what waits.
  template <typename Fail>
  void flush(Fail&& fail) {
    std::array<bool, 16> trusted{};
    workspace_.solve_together(std::span(waiting_).first(n_waiting_), trusted);
    for (std::size_t n = 0; n < n_waiting_; ++n)
      if (!trusted[n] || workspace_.finish(fixed_.data(), waiting_[n], solutions_[n]) != RowOutcome::solved) fail(solutions_[n]);
    n_waiting_ = 0;
  }

  /// Improves `x` by at most `steps` steps of conjugate gradients, fewer once the residual is below `tolerance` times the right-hand side.
  /// A step costs 4 n k flops. Source: Hestenes and Stiefel 1952; in the z coordinates the Gram term is the identity, a preconditioner for free.
  [[nodiscard]] RowOutcome improve(const RowSystem<Scalar>& system, std::size_t steps, double tolerance, std::span<Scalar> x) {
    workspace_.set_scale(eigenvalues_, system.background, system.penalty);
    return workspace_.improve(fixed_.data(), system, steps, tolerance, x);
  }

 private:
  const FactorMatrix<Scalar>& fixed_;
  std::span<const double> eigenvalues_;
  RowWorkspace<Scalar> workspace_;
  std::vector<ReducedRow<Scalar>> waiting_;
  std::array<std::span<Scalar>, 16> solutions_;
  std::size_t n_waiting_ = 0;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
