// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/simd/kernels.hpp>

namespace kindred::inline v0::detail {

/// Rows converted to double at a time.
inline constexpr std::size_t gram_chunk = 64;

/// What the sum over a block of rows takes.
[[nodiscard]] constexpr std::size_t gram_block_bytes(std::size_t factors) noexcept {
  return spread_stride<double>(factors) * spread_stride<double>(factors) * sizeof(double);
}

/// Blocks of rows with a sum of their own, at the most: 16, fewer where these would take more than 64 MiB, but at least 4.
[[nodiscard]] constexpr std::size_t gram_blocks(std::size_t factors) noexcept {
  const std::size_t fit = (std::size_t{64} << 20) / gram_block_bytes(factors);
  return fit > 16 ? 16 : fit < 4 ? 4 : fit;
}

/// How many such blocks there are for `rows` rows.
[[nodiscard]] constexpr std::size_t gram_blocks(std::size_t rows, std::size_t factors) noexcept {
  return (std::max)(std::size_t{1}, (std::min)(gram_blocks(factors), (rows + gram_chunk - 1) / gram_chunk));
}

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// A weighted Gram matrix in the making: sums over blocks of rows, which may be computed here or come from elsewhere, and their total.
template <Real Scalar>
class BlockedGram {
 public:
  /// @throws as gram does.
  BlockedGram(const FactorMatrix<Scalar>& factors, std::span<const double> weights, SimdLevel level)
      : factors_(factors),
        weights_(weights),
        kernels_(matrix_kernels<double>(level)),
        factor_kernels_(matrix_kernels<Scalar>(level)),
        rows_(static_cast<std::size_t>(factors.rows())),
        k_(static_cast<std::size_t>(factors.factors())),
        ld_(spread_stride<double>(k_)),
        blocks_(gram_blocks(rows_, k_)) {
    if (!weights.empty() && weights.size() != rows_)
      throw ShapeError("weights has " + std::to_string(weights.size()) + " entries for " + std::to_string(rows_) + " rows of factors");
    sums_.assign(blocks_ * ld_ * ld_, 0.0);
  }

  [[nodiscard]] std::size_t blocks() const noexcept { return blocks_; }

  /// Once for each block.
  void add_blocks(std::size_t first, std::size_t last, const ParallelOptions& parallel) {
    parallel_for(last - first, {.threads = parallel.threads, .grain = 1, .executor = parallel.executor},
                 [&](std::size_t begin, std::size_t end, std::size_t) {
                   AlignedVector<double> buffer(gram_chunk * ld_);
                   for (std::size_t block = first + begin; block < first + end; ++block) add_block(block, buffer);
                 });
  }

  /// All blocks, each by one member of the team, which all have all factors.
  void add_all_blocks(const ParallelOptions& parallel, const Team& team) {
    const std::vector<std::uint64_t> shares = team.even_shares(blocks_);
    add_blocks(shares[team.rank()], shares[team.rank() + 1], parallel);
    team.gather(std::as_writable_bytes(std::span<double>(sums_)), shares, ld_ * ld_ * sizeof(double));
  }

  /// The sum of the blocks, in their order: factors x factors. Leaves the sums of no use.
  [[nodiscard]] AlignedVector<double> total() {
    for (std::size_t block = 1; block < blocks_; ++block)
      for (std::size_t at = 0; at < ld_ * ld_; ++at) sums_[at] += sums_[block * ld_ * ld_ + at];
    AlignedVector<double> total(k_ * k_);
    for (std::size_t row = 0; row < k_; ++row)
      for (std::size_t column = row; column < k_; ++column) total[row * k_ + column] = total[column * k_ + row] = sums_[row * ld_ + column];
    return total;
  }

 private:
  void add_block(std::size_t block, AlignedVector<double>& buffer) {
    const std::size_t chunks = (rows_ + gram_chunk - 1) / gram_chunk;
    const std::size_t last_row = (std::min)(rows_, chunks * (block + 1) / blocks_ * gram_chunk);
    for (std::size_t first = chunks * block / blocks_ * gram_chunk; first < last_row; first += gram_chunk) {
      const std::size_t count = (std::min)(gram_chunk, last_row - first);
      for (std::size_t r = 0; r < count; ++r) {
        const double scale = weights_.empty() ? 1.0 : std::sqrt(weights_[first + r]);
        factor_kernels_.scale_to_double(factors_.row(static_cast<Index>(first + r)).data(), scale, k_, buffer.data() + r * ld_);
      }
      kernels_.accumulate(sums_.data() + block * ld_ * ld_, ld_, k_, buffer.data(), buffer.data(), count, {});
    }
  }

  const FactorMatrix<Scalar>& factors_;
  std::span<const double> weights_;
  const MatrixKernels<double>& kernels_;
  const MatrixKernels<Scalar>& factor_kernels_;
  std::size_t rows_;
  std::size_t k_;
  std::size_t ld_;
  std::size_t blocks_;
  AlignedVector<double> sums_;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// All-gathers the rows of `factors`, of which this member of the team has filled those of its share.
template <Real Scalar>
void gather_rows(const Team& team, std::span<const std::uint64_t> shares, FactorMatrix<Scalar>& factors) {
  if (team.size() == 1) return;
  const std::size_t numbers = static_cast<std::size_t>(factors.rows()) * factors.stride();
  team.gather(std::as_writable_bytes(std::span(factors.data(), numbers)), shares, factors.stride() * sizeof(Scalar));
}

/// Weighted Gram matrix sum_r w_r y_r y_r' of the rows y_r of `factors`: factors x factors, symmetric, both triangles filled, in double.
///
/// `weights`: length n_rows, >= 0, or empty for all ones. Summed over a grid of at most 16 blocks of rows that depends on the numbers of rows and factors
/// alone, in a fixed order: the same bytes for any number of threads. O(n_rows * factors^2).
/// @throws ShapeError if `weights` is neither empty nor as long as the rows; InvalidArgument if this processor does not have `level`.
template <Real Scalar>
[[nodiscard]] AlignedVector<double> gram(const FactorMatrix<Scalar>& factors, std::span<const double> weights = {},
                                         const ParallelOptions& parallel = {}, SimdLevel level = SimdLevel::best) {
  BlockedGram<Scalar> made(factors, weights, level);
  made.add_blocks(0, made.blocks(), parallel);
  return made.total();
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
