// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// The linear system of one row (a user, say) while the other side (the items) is fixed, in the eigenbasis of the other side's Gram matrix:
///   (background E + penalty I + sum_n excess_n y_n y_n') x = sum_n target_n y_n + penalty prior_mean
template <Real Scalar>
struct RowSystem {
  std::span<const Index> columns;      ///< Rows of the fixed side, length n.
  std::span<const double> excess;      ///< d_n: confidence less what the background already counts, length n; any sign.
  std::span<const double> target;      ///< Confidence times preference, less excess times bias where items have one, length n.
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

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
