// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <type_traits>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/simd/kernels.hpp>

namespace kindred::inline v0::inline KINDRED_BUILD {

/// The linear system of one row (a user, say) while the other side (the items) is fixed, in the eigenbasis of the other side's Gram matrix:
///   (background E + penalty I + sum_n excess_n y_n y_n') x = sum_n target_n y_n + penalty prior_mean
template <Real Scalar>
struct RowSystem {
  std::span<const Index> columns;      ///< Rows of the fixed side, length n.
  std::span<const double> excess;      ///< d_n: confidence less what the background already counts, length n; any sign.
  std::span<const double> target;      ///< Confidence times preference, length n, >= 0.
  double background = 1.0;             ///< Weight of the Gram matrix in this row, >= 0.
  double penalty = 0.0;                ///< l, >= 0.
  std::span<const Scalar> prior_mean;  ///< Length factors in the same basis, or empty for zero.
};

/// How a row solve ended.
enum class RowOutcome {
  solved,
  singular,    ///< Not positive definite to working precision, even in double.
  not_finite,  ///< The solution overflowed, even in double.
};

}  // namespace kindred::inline v0::inline KINDRED_BUILD

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Solves row systems in one precision. The workspace grows to the largest row seen and is used again for the next.
template <Real T>
class RowWorkspace {
 public:
  RowWorkspace(std::size_t factors, std::size_t stride, const RowKernels<T>& kernels) : k_(factors), stride_(stride), kernels_(kernels) {}

  /// s_f = (background e_f + penalty)^(-1/2), kept while rows ask for the same.
  void set_scale(std::span<const double> eigenvalues, double background, double penalty) {
    if (background == background_ && penalty == penalty_) return;
    scale_.assign(stride_, T(0));
    for (std::size_t f = 0; f < k_; ++f) scale_[f] = static_cast<T>(1.0 / std::sqrt(background * eigenvalues[f] + penalty));
    background_ = background;
    penalty_ = penalty;
  }

  /// The exact solution; `fixed` has rows of `stride` as the constructor was told, `columns` are rows of it.
  template <Real Scalar>
  [[nodiscard]] RowOutcome solve(const T* fixed, const Index* columns, const RowSystem<Scalar>& system, std::span<Scalar> x) {
    std::size_t observed = 0;  // entries with d != 0
    bool all_positive = true;
    for (const double d : system.excess) {
      observed += d != 0.0 ? 1 : 0;
      all_positive = all_positive && d >= 0.0;
    }
    return all_positive && observed < k_ ? solve_short(fixed, columns, system, observed, x) : solve_long(fixed, columns, system, x);
  }

  template <Real Scalar>
  [[nodiscard]] RowOutcome improve(const T* fixed, const RowSystem<Scalar>& system, std::size_t steps, double tolerance,
                                   std::span<Scalar> x) {
    const std::size_t n = system.columns.size();
    weight_.resize((std::max)(weight_.size(), n));
    for (std::size_t at = 0; at < n; ++at) weight_[at] = static_cast<T>(system.excess[at]);
    right_hand_side(fixed, system.columns.data(), system);
    z_.assign(stride_, T(0));
    for (std::size_t f = 0; f < k_; ++f) z_[f] = static_cast<T>(x[f]) / scale_[f];
    scratch_.resize((std::max)(scratch_.size(), 4 * stride_));
    kernels_.conjugate_gradient({.from = from(fixed, system.columns.data(), n),
                                 .weight = weight_.data(),
                                 .scale = scale_.data(),
                                 .rhs = rhs_.data(),
                                 .z = z_.data(),
                                 .scratch = scratch_.data(),
                                 .steps = steps,
                                 .tolerance = static_cast<T>(tolerance)});
    return finish(z_.data(), x);
  }

 private:
  /// Rows of B held at a time when many are summed up: the block stays in the second-level cache.
  static constexpr std::size_t block_rows = 256;

  /// A right-hand side whose d is a small part of its confidence goes into g: dividing it by sqrt(d) would lose digits or overflow.
  static constexpr double smallest_share = 0.01;

  static constexpr std::size_t padded(std::size_t size) noexcept {
    constexpr std::size_t line = row_alignment / sizeof(T);
    return (size + line - 1) / line * line;
  }

  [[nodiscard]] GatherArguments<T> from(const T* fixed, const Index* columns, std::size_t count) const noexcept {
    return {.fixed = fixed, .stride = stride_, .factors = k_, .columns = columns, .count = count};
  }

  template <Real Scalar>
  [[nodiscard]] RowOutcome finish(const T* z, std::span<Scalar> x) const noexcept {
    bool finite = true;
    for (std::size_t f = 0; f < k_; ++f) {
      x[f] = static_cast<Scalar>(z[f] * scale_[f]);
      finite = finite && is_finite(x[f]);
    }
    return finite ? RowOutcome::solved : RowOutcome::not_finite;
  }

  /// rhs_ = s o (sum_n target_n y_n + penalty m), blocks of rows summed in T, blocks in double.
  template <Real Scalar>
  void right_hand_side(const T* fixed, const Index* columns, const RowSystem<Scalar>& system) {
    const std::size_t n = system.columns.size();
    sum_.assign(stride_, 0.0);
    rhs_.resize((std::max)(rhs_.size(), stride_));
    coefficient_.resize((std::max)(coefficient_.size(), block_rows));
    for (std::size_t first = 0; first < n; first += block_rows) {
      const std::size_t count = (std::min)(block_rows, n - first);
      for (std::size_t at = 0; at < count; ++at) coefficient_[at] = static_cast<T>(system.target[first + at]);
      kernels_.combine(from(fixed, columns + first, count), coefficient_.data(), rhs_.data());
      for (std::size_t f = 0; f < k_; ++f) sum_[f] += static_cast<double>(rhs_[f]);
    }
    for (std::size_t f = 0; f < system.prior_mean.size(); ++f) sum_[f] += system.penalty * static_cast<double>(system.prior_mean[f]);
    for (std::size_t f = 0; f < stride_; ++f) rhs_[f] = static_cast<T>(sum_[f] * static_cast<double>(scale_[f]));
  }

  /// Factorises and solves; the solution stands in z_. False if a pivot is too small to trust.
  [[nodiscard]] bool factorize_and_solve(FactorizeArguments<T>& a) {
    const std::size_t order = (a.size + kernels_.granularity - 1) / kernels_.granularity * kernels_.granularity;
    v_.resize((std::max)(v_.size(), order * a.ld));
    inverse_.resize((std::max)(inverse_.size(), order));
    panel_.resize((std::max)(panel_.size(), order * 8));
    a.v = v_.data();
    a.rhs = rhs_.data();
    a.inverse = inverse_.data();
    a.panel = panel_.data();
    const T ratio = kernels_.factorize(a);
    if (!(ratio > static_cast<T>(a.size) * std::numeric_limits<T>::epsilon())) return false;
    z_.assign(a.ld, T(0));
    kernels_.back_substitute(a, z_.data());
    return true;
  }

  // z = g + B' (I + B B')^{-1} (t - B g)
  template <Real Scalar>
  [[nodiscard]] RowOutcome solve_short(const T* fixed, const Index* columns, const RowSystem<Scalar>& system, std::size_t observed,
                                       std::span<Scalar> x) {
    const std::size_t ld = padded(observed);
    weight_.assign(ld, T(0));
    rhs_.assign((std::max)(ld, stride_), T(0));
    columns_.clear();
    rest_columns_.clear();
    rest_.clear();
    for (std::size_t n = 0; n < system.columns.size(); ++n) {
      const double d = system.excess[n];
      const double target = system.target[n];
      const bool divides = d > 0.0 && d >= smallest_share * target;
      if (d > 0.0) {
        const double root = std::sqrt(d);
        weight_[columns_.size()] = static_cast<T>(root);
        if (divides) rhs_[columns_.size()] = static_cast<T>(target / root);
        columns_.push_back(columns[n]);
      }
      if (!divides && target != 0.0) {
        rest_columns_.push_back(columns[n]);
        rest_.push_back(static_cast<T>(target));
      }
    }
    const GatherArguments<T> rows = from(fixed, columns_.data(), observed);
    const bool has_rest = !rest_.empty() || !system.prior_mean.empty();
    if (has_rest) {
      g_.resize(stride_);
      kernels_.combine(from(fixed, rest_columns_.data(), rest_.size()), rest_.data(), g_.data());
      for (std::size_t f = 0; f < system.prior_mean.size(); ++f)
        g_[f] += static_cast<T>(system.penalty * static_cast<double>(system.prior_mean[f]));
      scratch_.resize((std::max)(scratch_.size(), (std::max)(stride_, ld)));
      for (std::size_t f = 0; f < stride_; ++f) {
        g_[f] *= scale_[f];
        scratch_[f] = g_[f] * scale_[f];
      }
      coefficient_.resize((std::max)(coefficient_.size(), (std::max)(observed, block_rows)));
      kernels_.dots(rows, scratch_.data(), coefficient_.data());
      for (std::size_t n = 0; n < observed; ++n) rhs_[n] -= weight_[n] * coefficient_[n];
    }
    z_.assign((std::max)(ld, stride_), T(0));
    if (observed > 0) {
      b_.resize((std::max)(b_.size(), k_ * ld));
      kernels_.gather_transposed(rows, scale_.data(), weight_.data(), b_.data(), ld);
      FactorizeArguments<T> a{.ld = ld, .size = observed, .plus = b_.data(), .n_plus = k_};
      if (!factorize_and_solve(a)) return RowOutcome::singular;
      // B' u once more from the rows themselves, which are still in the cache: B was only ever stored transposed.
      for (std::size_t n = 0; n < observed; ++n) weight_[n] *= z_[n];
      z_.resize((std::max)(ld, stride_));
      kernels_.combine(rows, weight_.data(), z_.data());
      for (std::size_t f = 0; f < stride_; ++f) z_[f] *= scale_[f];
    }
    if (has_rest)
      for (std::size_t f = 0; f < stride_; ++f) z_[f] += g_[f];
    return finish(z_.data(), x);
  }

  // z = (I + B' S B)^{-1} r
  template <Real Scalar>
  [[nodiscard]] RowOutcome solve_long(const T* fixed, const Index* columns, const RowSystem<Scalar>& system, std::span<Scalar> x) {
    right_hand_side(fixed, columns, system);
    FactorizeArguments<T> a{.ld = stride_, .size = k_};
    struct Part {
      std::vector<Index>& columns;
      AlignedVector<T>& weight;
      AlignedVector<T>& rows;
      bool negative;
    };
    Part parts[2] = {{columns_, weight_, b_, false}, {rest_columns_, rest_, negative_, true}};
    for (Part& part : parts) {
      part.columns.clear();
      part.weight.clear();
    }
    bool summed = false;
    const auto flush = [&](Part& part) {
      gather_part(fixed, part.columns, part.weight, part.rows);
      if (!summed) start_.assign(padded((k_ + kernels_.granularity - 1) / kernels_.granularity * kernels_.granularity) * stride_, T(0));
      summed = true;
      kernels_.accumulate(start_.data(), stride_, k_, part.rows.data(), part.columns.size(), part.negative);
      part.columns.clear();
      part.weight.clear();
    };
    for (std::size_t n = 0; n < system.columns.size(); ++n) {
      const double d = system.excess[n];
      if (d == 0.0) continue;
      Part& part = parts[d < 0.0 ? 1 : 0];
      if (part.columns.size() == block_rows) flush(part);
      part.columns.push_back(columns[n]);
      part.weight.push_back(static_cast<T>(std::sqrt(std::abs(d))));
    }
    for (Part& part : parts) gather_part(fixed, part.columns, part.weight, part.rows);
    a.plus = b_.data();
    a.n_plus = columns_.size();
    a.minus = negative_.data();
    a.n_minus = rest_columns_.size();
    a.start = summed ? start_.data() : nullptr;
    if (!factorize_and_solve(a)) return RowOutcome::singular;
    return finish(z_.data(), x);
  }

  void gather_part(const T* fixed, const std::vector<Index>& columns, const AlignedVector<T>& weight, AlignedVector<T>& rows) {
    if (columns.empty()) return;
    rows.resize((std::max)(rows.size(), (std::min)(block_rows, (std::max)(columns.size(), k_)) * stride_));
    rows.resize((std::max)(rows.size(), columns.size() * stride_));
    kernels_.gather(from(fixed, columns.data(), columns.size()), scale_.data(), weight.data(), rows.data(), stride_);
  }

  std::size_t k_;
  std::size_t stride_;
  const RowKernels<T>& kernels_;
  double background_ = -1.0;
  double penalty_ = -1.0;
  AlignedVector<T> scale_;     // s, zero beyond the factors
  AlignedVector<T> b_;         // B, or its transpose
  AlignedVector<T> negative_;  // rows of B whose d is negative
  AlignedVector<T> start_;     // sum of the blocks of a very long row
  AlignedVector<T> v_;         // the factorisation
  AlignedVector<T> inverse_;
  AlignedVector<T> panel_;
  AlignedVector<T> rhs_;
  AlignedVector<T> z_;
  AlignedVector<T> g_;
  AlignedVector<T> weight_;
  AlignedVector<T> rest_;
  AlignedVector<T> coefficient_;
  AlignedVector<T> scratch_;
  AlignedVector<double> sum_;
  std::vector<Index> columns_;
  std::vector<Index> rest_columns_;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

namespace kindred::inline v0::inline KINDRED_BUILD {

/// Solves row systems against one fixed side; one per thread, its workspace kept between rows.
///
/// Substituting x = s o z with s_f = (background e_f + penalty)^(-1/2) turns the system into (I + B' S B) z = r, with B = diag(sqrt|d|) Y diag(s)
/// (n x factors) and S = sign(d). Exact solves take the cheaper of two equal forms, by a rule that looks at the row alone:
///   n < factors, all d >= 0:  z = g + B' (I + B B')^{-1} (t - B g)     n^2 k + n^3 / 3 flops
///   otherwise:                z = (I + B' S B)^{-1} r                   n k^2 + k^3 / 3 flops
/// where r = B' t + g splits the right-hand side into what divides by sqrt(d) safely (t_n = target_n / sqrt(d_n)) and the rest (g).
/// With d >= 0 both matrices have all eigenvalues >= 1. A row that fails in float is done again in double, at the base level.
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
        workspace_(static_cast<std::size_t>(fixed.factors()), fixed.stride(), row_kernels<Scalar>(level)) {}

  /// False if a direction carries neither data nor penalty, so that the system has no unique solution to working precision:
  /// background e_f + penalty must exceed factors * eps * background * e_max for every f.
  [[nodiscard]] bool determined(double background, double penalty) const noexcept {
    if (eigenvalues_.empty()) return true;
    const double eps = std::numeric_limits<double>::epsilon();
    return background * eigenvalues_.back() + penalty > static_cast<double>(eigenvalues_.size()) * eps * background * eigenvalues_.front();
  }

  /// The exact solution into `x` (length factors). Needs determined(system.background, system.penalty). A failed row leaves `x` unspecified.
  [[nodiscard]] RowOutcome solve(const RowSystem<Scalar>& system, std::span<Scalar> x) {
    workspace_.set_scale(eigenvalues_, system.background, system.penalty);
    const RowOutcome outcome = workspace_.solve(fixed_.data(), system.columns.data(), system, x);
    if constexpr (std::is_same_v<Scalar, float>)
      if (outcome != RowOutcome::solved) return solve_in_double(system, x);
    return outcome;
  }

  /// Improves `x` by at most `steps` steps of conjugate gradients, fewer once the residual is below `tolerance` times the right-hand side.
  /// A step costs 4 n k flops. Source: Hestenes and Stiefel 1952; in the z coordinates the Gram term is the identity, a preconditioner for free.
  [[nodiscard]] RowOutcome improve(const RowSystem<Scalar>& system, std::size_t steps, double tolerance, std::span<Scalar> x) {
    workspace_.set_scale(eigenvalues_, system.background, system.penalty);
    return workspace_.improve(fixed_.data(), system, steps, tolerance, x);
  }

 private:
  /// The rows that the system names are converted first; it happens so seldom that nothing is kept for it.
  [[nodiscard]] RowOutcome solve_in_double(const RowSystem<Scalar>& system, std::span<Scalar> x) const {
    FactorMatrix<double> rows(static_cast<Index>(system.columns.size()), fixed_.factors());
    std::vector<Index> columns(system.columns.size());
    std::iota(columns.begin(), columns.end(), 0);
    for (std::size_t n = 0; n < columns.size(); ++n) {
      const std::span<const Scalar> y = fixed_.row(system.columns[n]);
      std::copy(y.begin(), y.end(), rows.row(columns[n]).begin());
    }
    detail::RowWorkspace<double> workspace(static_cast<std::size_t>(rows.factors()), rows.stride(), base_row_kernels<double>());
    workspace.set_scale(eigenvalues_, system.background, system.penalty);
    return workspace.solve(rows.data(), columns.data(), system, x);
  }

  const FactorMatrix<Scalar>& fixed_;
  std::span<const double> eigenvalues_;
  detail::RowWorkspace<Scalar> workspace_;
};

}  // namespace kindred::inline v0::inline KINDRED_BUILD
