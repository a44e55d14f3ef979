// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/row_system.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Solves the symmetric positive definite system `a` x = `b` (both triangles of `a` filled, row-major), leaving x in `b`. False if a pivot is too small to trust.
[[nodiscard, gnu::cold]] inline bool solve_symmetric(std::vector<double>& a, std::span<double> b) {
  const std::size_t n = b.size();
  double largest = 0.0;
  for (std::size_t i = 0; i < n; ++i) largest = (std::max)(largest, a[i * n + i]);
  for (std::size_t i = 0; i < n; ++i) {
    const double pivot = a[i * n + i];
    if (!(pivot > static_cast<double>(n) * std::numeric_limits<double>::epsilon() * largest)) return false;
    for (std::size_t j = i + 1; j < n; ++j) {
      const double u = a[i * n + j] / pivot;
      for (std::size_t c = j; c < n; ++c) a[j * n + c] -= u * a[i * n + c];
      b[j] -= u * b[i];
    }
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t j = i + 1; j < n; ++j) b[i] -= a[i * n + j] * b[j];
    b[i] /= a[i * n + i];
  }
  return true;
}

/// The solution of a row that float could not resolve, in double and plain loops: rows like it are so rare that a kernel would not pay for its compilation.
/// The two forms are those of RowSolver.
template <Real Scalar>
[[nodiscard, gnu::cold]] RowOutcome solve_row_in_double(const FactorMatrix<Scalar>& fixed, std::span<const double> eigenvalues,
                                                        const RowSystem<Scalar>& system, std::span<Scalar> x) {
  const std::size_t k = eigenvalues.size();
  std::vector<double> scale(k), rest(k, 0.0);  // s and g
  for (std::size_t f = 0; f < k; ++f) scale[f] = 1.0 / std::sqrt(system.background * eigenvalues[f] + system.penalty);
  for (std::size_t f = 0; f < system.prior_mean.size(); ++f)
    rest[f] = scale[f] * system.penalty * static_cast<double>(system.prior_mean[f]);

  std::vector<double> rows;  // B, of the entries with d != 0
  std::vector<double> signs, quotients;
  bool all_positive = true;
  for (std::size_t n = 0; n < system.columns.size(); ++n) {
    const std::span<const Scalar> y = fixed.row(system.columns[n]);
    const double d = system.excess[n];
    const bool divides = std::abs(d) >= 0.01 * system.target[n] && d != 0.0;
    if (!divides)
      for (std::size_t f = 0; f < k; ++f) rest[f] += system.target[n] * static_cast<double>(y[f]) * scale[f];
    if (d == 0.0) continue;
    all_positive = all_positive && d > 0.0;
    const double root = std::sqrt(std::abs(d));
    for (std::size_t f = 0; f < k; ++f) rows.push_back(root * static_cast<double>(y[f]) * scale[f]);
    signs.push_back(d > 0.0 ? 1.0 : -1.0);
    quotients.push_back(divides ? system.target[n] / root : 0.0);
  }

  const std::size_t n = signs.size();
  const auto row = [&](std::size_t r) { return std::span<const double>(rows).subspan(r * k, k); };
  std::vector<double> z = rest;
  if (all_positive && n < k) {
    std::vector<double> matrix(n * n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        double dot = i == j ? 1.0 : 0.0;
        for (std::size_t f = 0; f < k; ++f) dot += row(i)[f] * row(j)[f];
        matrix[i * n + j] = dot;
      }
      for (std::size_t f = 0; f < k; ++f) quotients[i] -= row(i)[f] * rest[f];
    }
    if (!solve_symmetric(matrix, quotients)) return RowOutcome::singular;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t f = 0; f < k; ++f) z[f] += quotients[i] * row(i)[f];
  } else {
    std::vector<double> matrix(k * k, 0.0);
    for (std::size_t f = 0; f < k; ++f) matrix[f * k + f] = 1.0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t f = 0; f < k; ++f) {
        for (std::size_t g = 0; g < k; ++g) matrix[f * k + g] += signs[i] * row(i)[f] * row(i)[g];
        z[f] += quotients[i] * row(i)[f];
      }
    }
    if (!solve_symmetric(matrix, z)) return RowOutcome::singular;
  }
  bool finite = true;
  for (std::size_t f = 0; f < k; ++f) {
    x[f] = static_cast<Scalar>(scale[f] * z[f]);
    finite = finite && is_finite(x[f]);
  }
  return finite ? RowOutcome::solved : RowOutcome::not_finite;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
