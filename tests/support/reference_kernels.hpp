// SPDX-License-Identifier: MIT
// What the kernels of simd/ compute, in plain loops and long double.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/types.hpp>

namespace kindred_test {

/// A sum of products and the sum of their absolute values, which says how far rounding may take it.
struct Sum {
  long double value = 0.0L;
  long double scale = 0.0L;

  void add(long double term) {
    value += term;
    scale += std::abs(term);
  }
};

/// Rounding errors of a sum of n products: n eps scale, and a little for the underflow of denormals.
template <typename T>
bool close(T computed, const Sum& wanted, std::size_t n) {
  const long double eps = static_cast<long double>(std::numeric_limits<T>::epsilon());
  const long double tiny = static_cast<long double>((std::numeric_limits<T>::min)());
  return std::abs(static_cast<long double>(computed) - wanted.value) <= static_cast<long double>(n + 4) * (eps * wanted.scale + tiny);
}

/// Rows of the fixed side as row-major long double, n x factors: y_n[f] * scale[f] * weight[n]; empty factors count as ones.
template <typename T>
std::vector<long double> gathered(const kindred::FactorMatrix<T>& fixed, std::span<const kindred::Index> columns, std::span<const T> scale,
                                  std::span<const T> weight) {
  std::vector<long double> rows;
  for (std::size_t n = 0; n < columns.size(); ++n) {
    const std::span<const T> y = fixed.row(columns[n]);
    for (std::size_t f = 0; f < y.size(); ++f)
      rows.push_back(static_cast<long double>(y[f]) * (scale.empty() ? 1.0L : static_cast<long double>(scale[f])) *
                     (weight.empty() ? 1.0L : static_cast<long double>(weight[n])));
  }
  return rows;
}

/// sum_p left[p][i] right[p][j].
template <typename T>
Sum outer(const T* left, const T* right, std::size_t ld, std::size_t n, std::size_t i, std::size_t j) {
  Sum sum;
  for (std::size_t p = 0; p < n; ++p) sum.add(static_cast<long double>(left[p * ld + i]) * static_cast<long double>(right[p * ld + j]));
  return sum;
}

/// Backward stability of a solution of the symmetric `matrix` x = b: |A x - b| <= 4 n eps (|A| |x| + |b|), with sqrt(a_ii a_jj) for |a_ij|.
template <typename T>
bool solves(const std::vector<long double>& matrix, std::span<const long double> b, const T* x, std::size_t terms) {
  const std::size_t size = b.size();
  const long double eps = static_cast<long double>(std::numeric_limits<T>::epsilon());
  for (std::size_t i = 0; i < size; ++i) {
    long double residual = -b[i], scale = std::abs(b[i]);
    for (std::size_t j = 0; j < size; ++j) {
      residual += matrix[i * size + j] * static_cast<long double>(x[j]);
      scale += std::sqrt(matrix[i * size + i] * matrix[j * size + j]) * std::abs(static_cast<long double>(x[j]));
    }
    if (!(std::abs(residual) <= 4.0L * static_cast<long double>(size + terms) * eps * scale)) return false;
  }
  return true;
}

}  // namespace kindred_test
