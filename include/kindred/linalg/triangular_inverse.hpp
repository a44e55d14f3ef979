// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/simd/kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// R^-1 for the Cholesky factor R (upper triangular) of a positive semidefinite matrix: with the Gram matrix of Y, the
/// columns of Y R^-1 are orthonormal.
///
/// `symmetric`: size x size. A pivot of at most `least_share` of the largest diagonal entry is none: that row and
/// column of the result are zero, and the other columns are what they would be without it. The result: size x size,
/// rows spread_stride(size) apart, zero rows up to a multiple of 64.
/// O(size^3 / 2). Source: Golub and Van Loan, Matrix Computations, 4th ed., section 4.2.
/// @throws InvalidArgument if this processor does not have `level`.
[[nodiscard]] inline AlignedVector<double> triangular_inverse(std::span<const double> symmetric, std::size_t size, double least_share,
                                                              SimdLevel level) {
  constexpr std::size_t panel = 64;  // rows at a time; what they do to the others is left to kernels
  const MatrixKernels<double>& kernels = matrix_kernels<double>(level);
  const std::size_t ld = spread_stride<double>(size);
  const std::size_t padded = (size + panel - 1) / panel * panel;
  AlignedVector<double> factor(padded * ld, 0.0), inverse(padded * ld, 0.0), negative(panel * ld, 0.0);
  if (size == 0) return inverse;
  double largest = 0.0;
  for (std::size_t p = 0; p < size; ++p) {
    std::copy_n(symmetric.data() + p * size, size, factor.data() + p * ld);
    largest = (std::max)(largest, symmetric[p * size + p]);
  }
  const auto row = [&](AlignedVector<double>& matrix, std::size_t p) { return matrix.data() + p * ld; };
  const auto subtract = [size](double times, const double* what, double* from, std::size_t first) {
    for (std::size_t c = first; c < size; ++c) from[c] -= times * what[c];
  };

  for (std::size_t first = 0; first < size; first += panel) {
    const std::size_t last = (std::min)(size, first + panel);
    for (std::size_t p = first; p < last; ++p) {
      double* const own = row(factor, p);
      const double pivot = own[p];
      const bool counts = pivot > least_share * largest;
      const double root = counts ? std::sqrt(pivot) : 1.0;
      for (std::size_t c = p; c < size; ++c) own[c] = counts ? own[c] / root : 0.0;
      for (std::size_t q = p + 1; q < last; ++q) subtract(own[q], own, row(factor, q), q);
      std::transform(own, own + ld, row(negative, p - first), [](double value) { return -value; });
    }
    if (last < size)  // the last rows of a panel are full where others follow
      kernels.accumulate(row(factor, last) + last, ld, size - last, negative.data() + last, row(factor, first) + last, panel, {});
  }

  // Row p of the inverse: (e_p - sum over q > p of R_pq times row q) / R_pp, from the bottom.
  for (std::size_t first = padded - panel;; first -= panel) {
    const std::size_t last = (std::min)(size, first + panel);
    if (last < size)
      kernels.multiply(row(factor, first) + last, ld, panel, row(inverse, last), ld, ld, size - last, row(inverse, first), ld);
    for (std::size_t p = last; p-- > first;) {
      double* const own = row(inverse, p);
      const double* const weights = row(factor, p);
      if (!(weights[p] > 0.0)) {
        std::fill(own, own + ld, 0.0);
        continue;
      }
      for (std::size_t c = p; c < size; ++c) own[c] = -own[c];
      own[p] += 1.0;
      for (std::size_t q = p + 1; q < last; ++q) subtract(weights[q], row(inverse, q), own, q);
      for (std::size_t c = p; c < size; ++c) own[c] /= weights[p];
    }
    if (first == 0) break;
  }
  return inverse;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
