// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/random.hpp>
#include <kindred/core/types.hpp>

namespace kindred_test {

/// Each of n rows with the probability `share`.
inline std::vector<kindred::Index> random_rows(kindred::Index n, double share, kindred::detail::Random& random) {
  std::vector<kindred::Index> rows;
  for (kindred::Index r = 0; r < n; ++r)
    if (random.uniform() < share) rows.push_back(r);
  return rows;
}

/// Factors of many kinds: what is easy to prune and what is not, ties, zeros, numbers at the ends of the range.
template <typename T>
void fill(kindred::FactorMatrix<T>& matrix, std::uint32_t kind, kindred::detail::Random& random) {
  const double decay = 0.1 + random.uniform();
  for (kindred::Index r = 0; r < matrix.rows(); ++r) {
    const double popularity = std::pow(static_cast<double>(1 + random.below(1000)), -0.7);
    for (std::size_t f = 0; f < matrix.row(r).size(); ++f) {
      double value = random.normal();
      if (kind == 1) value *= popularity;                                                             // few long rows
      if (kind == 2) value = (value + 2.0) * popularity * std::exp(-decay * static_cast<double>(f));  // and leading factors
      if (kind == 3) value = std::round(value);                                                       // ties
      if (kind == 4) value = -std::abs(value);                                                        // negative against positive queries
      if (kind == 5) value *= static_cast<double>((std::numeric_limits<T>::denorm_min)()) * 8.0;
      if (kind == 6) value *= static_cast<double>((std::numeric_limits<T>::max)()) / 16.0;  // products overflow
      if (kind == 7) value *= std::pow(10.0, static_cast<double>(random.below(60)) - 30.0);
      if (kind == 8) value = std::abs(value);
      if (kind == 9) value *= std::sqrt(static_cast<double>((std::numeric_limits<T>::min)()));  // products nearly vanish
      matrix.row(r)[f] = static_cast<T>(value);
    }
    if (random.below(20) == 0) std::fill(matrix.row(r).begin(), matrix.row(r).end(), T(0));
    if (r > 0 && random.below(4) == 0) {  // a copy of an earlier row
      const std::span<const T> earlier = matrix.row(static_cast<kindred::Index>(random.below(static_cast<std::uint32_t>(r))));
      std::copy(earlier.begin(), earlier.end(), matrix.row(r).begin());
    }
  }
}

}  // namespace kindred_test
