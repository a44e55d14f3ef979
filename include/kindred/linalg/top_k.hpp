// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/simd/kernels.hpp>

namespace kindred::inline v0::inline KINDRED_BUILD {

/// Items laid out for scoring: blocks of `lanes` items, factor by factor, so that one load fetches a factor of several items.
///
/// A score is one sum over the factors in stored order, whoever asks: one item, one user or many users get the same bits.
/// const methods may be called from many threads.
template <Real Scalar>
class ItemBlocks {
 public:
  static constexpr std::size_t lanes = 3 * row_alignment / sizeof(Scalar);  // a whole tile of the kernel at the widest level
  static constexpr std::size_t most_users = 32;                             // scored at a time

  ItemBlocks() = default;

  /// O(n_items * factors) time and memory. @throws InvalidArgument if this processor does not have `level`.
  ItemBlocks(const FactorMatrix<Scalar>& items, SimdLevel level)
      : items_(static_cast<std::size_t>(items.rows())),
        factors_(static_cast<std::size_t>(items.factors())),
        kernels_(&matrix_kernels<Scalar>(level)),
        values_(blocks() * factors_ * lanes) {
    for (std::size_t i = 0; i < items_; ++i) {
      const std::span<const Scalar> row = items.row(static_cast<Index>(i));
      Scalar* block = values_.data() + i / lanes * factors_ * lanes;
      for (std::size_t f = 0; f < factors_; ++f) block[f * lanes + i % lanes] = row[f];
    }
  }

  [[nodiscard]] std::size_t blocks() const noexcept { return (items_ + lanes - 1) / lanes; }
  [[nodiscard]] std::size_t items() const noexcept { return items_; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return values_.size() * sizeof(Scalar); }

  /// Scores of `n_users` users with the items of `block`, n_users x lanes; lanes beyond the last item get 0.
  /// `users`: rows `stride` scalars apart. `scores`: on a 64-byte boundary.
  void score(std::size_t block, const Scalar* users, std::size_t stride, std::size_t n_users, Scalar* scores) const noexcept {
    kernels_->multiply(users, stride, n_users, values_.data() + block * factors_ * lanes, lanes, lanes, factors_, scores, lanes);
  }

 private:
  std::size_t items_ = 0;
  std::size_t factors_ = 0;
  const MatrixKernels<Scalar>* kernels_ = nullptr;
  AlignedVector<Scalar> values_;
};

}  // namespace kindred::inline v0::inline KINDRED_BUILD
