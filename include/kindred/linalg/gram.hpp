// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/simd/kernels.hpp>

namespace kindred::inline v0::detail {

/// Rows converted to double at a time.
inline constexpr std::size_t gram_chunk = 64;

/// Blocks of rows with a sum of their own, at the most: 16, fewer where these would take more than 64 MiB, but at least 4.
[[nodiscard]] constexpr std::size_t gram_blocks(std::size_t factors) noexcept {
  const std::size_t fit = (std::size_t{64} << 20) / (spread_stride<double>(factors) * spread_stride<double>(factors) * sizeof(double));
  return fit > 16 ? 16 : fit < 4 ? 4 : fit;
}

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0::inline KINDRED_BUILD {

/// Weighted Gram matrix sum_r w_r y_r y_r' of the rows y_r of `factors`: factors x factors, symmetric, both triangles filled, in double.
///
/// `weights`: length n_rows, >= 0, or empty for all ones. Summed over a grid of at most 16 blocks of rows that depends on the numbers of rows and factors
/// alone, in a fixed order: the same bytes for any number of threads. O(n_rows * factors^2).
/// @throws ShapeError if `weights` is neither empty nor as long as the rows; InvalidArgument if this processor does not have `level`.
template <Real Scalar>
[[nodiscard]] AlignedVector<double> gram(const FactorMatrix<Scalar>& factors, std::span<const double> weights = {},
                                         const ParallelOptions& parallel = {}, SimdLevel level = SimdLevel::best) {
  const auto rows = static_cast<std::size_t>(factors.rows());
  const auto k = static_cast<std::size_t>(factors.factors());
  if (!weights.empty() && weights.size() != rows)
    throw ShapeError("weights has " + std::to_string(weights.size()) + " entries for " + std::to_string(rows) + " rows of factors");

  constexpr std::size_t chunk = detail::gram_chunk;
  const std::size_t chunks = (rows + chunk - 1) / chunk;
  const std::size_t blocks = (std::max)(std::size_t{1}, (std::min)(detail::gram_blocks(k), chunks));
  const std::size_t ld = detail::spread_stride<double>(k);
  const MatrixKernels<double>& kernels = matrix_kernels<double>(level);
  AlignedVector<double> sums(blocks * ld * ld, 0.0);

  parallel_for(blocks, {.threads = parallel.threads, .grain = 1, .executor = parallel.executor},
               [&](std::size_t first_block, std::size_t last_block, std::size_t) {
                 AlignedVector<double> buffer(chunk * ld);
                 for (std::size_t block = first_block; block < last_block; ++block) {
                   const std::size_t last_row = (std::min)(rows, chunks * (block + 1) / blocks * chunk);
                   for (std::size_t first = chunks * block / blocks * chunk; first < last_row; first += chunk) {
                     const std::size_t count = (std::min)(chunk, last_row - first);
                     for (std::size_t r = 0; r < count; ++r) {
                       const std::span<const Scalar> row = factors.row(static_cast<Index>(first + r));
                       const double scale = weights.empty() ? 1.0 : std::sqrt(weights[first + r]);
                       for (std::size_t f = 0; f < k; ++f) buffer[r * ld + f] = static_cast<double>(row[f]) * scale;
                     }
                     kernels.accumulate(sums.data() + block * ld * ld, ld, k, buffer.data(), buffer.data(), count, {});
                   }
                 }
               });

  for (std::size_t block = 1; block < blocks; ++block)
    for (std::size_t at = 0; at < ld * ld; ++at) sums[at] += sums[block * ld * ld + at];
  AlignedVector<double> total(k * k);
  for (std::size_t row = 0; row < k; ++row)
    for (std::size_t column = row; column < k; ++column) total[row * k + column] = total[column * k + row] = sums[row * ld + column];
  return total;
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
