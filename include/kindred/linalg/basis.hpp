// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Eigenvalues and eigenvectors of a symmetric positive semidefinite matrix.
struct Eigenbasis {
  std::vector<double> values;  ///< Length factors, falling, floored at 0.
  AlignedVector<double>
      vectors;  ///< factors x factors, column-major: column f belongs to values[f]; the entry of largest magnitude is positive.
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
