// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/row_system.hpp>
#include <kindred/models/als/weights.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Whether an exact solve of a row would lose its digits because its confidences replace a background that is far heavier: then it is as good as singular.
///
/// The system of a row is background E + l I plus the sum of d y y'. Where the row's own columns hold nearly all of the background in some direction, what is
/// left there is the small c of d = c - background, a difference of two large numbers, and factors are stored as Scalars. In coordinates where background
/// E + l I is the identity, negative d take away at most their leverage, the sum of |d| y' (background E + l I)^-1 y: up to 0.99 nothing is lost.
/// O(n), and O(n k) for a row with such confidences. Only rows where `weights.may_cancel()` need to be asked about.
/// `names`: the rows of the fixed side whose factors stand in `fixed` at system.columns.
template <Real Scalar>
[[nodiscard]] bool cancels(const AlsWeights& weights, AlsSide side, const FactorMatrix<Scalar>& fixed, std::span<const double> eigenvalues,
                           const RowSystem<Scalar>& system, std::span<const Index> names) {
  constexpr double least_share = sizeof(Scalar) == 4 ? 1e-4 : 1e-9;  // of the background: some three digits are left
  // The penalty holds every direction, however little is left of the background.
  if (system.penalty >= least_share * (system.background * eigenvalues.front() + system.penalty)) return false;
  const std::span<const double> column_background = weights.background(side == AlsSide::users ? AlsSide::items : AlsSide::users);
  const bool light = std::any_of(names.begin(), names.end(), [&, n = std::size_t{0}](Index column) mutable {
    const double b = column_background.empty() ? 1.0 : column_background[static_cast<std::size_t>(column)];
    return system.excess[n++] < (least_share - 1.0) * system.background * b;
  });
  if (!light) return false;
  double leverage = 0.0;
  for (std::size_t n = 0; n < system.columns.size() && leverage <= 0.99; ++n) {
    if (system.excess[n] >= 0.0) continue;
    const std::span<const Scalar> y = fixed.row(system.columns[n]);
    for (std::size_t f = 0; f < eigenvalues.size(); ++f) {
      const double taken = system.excess[n] * static_cast<double>(y[f]) * static_cast<double>(y[f]);
      if (taken == 0.0) continue;
      const double held = system.background * eigenvalues[f] + system.penalty;
      if (held == 0.0) return true;  // nothing holds this direction
      leverage -= taken / held;
    }
  }
  return leverage > 0.99;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
