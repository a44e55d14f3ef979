// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/simd/kernels.hpp>
#include <kindred/simd/level.hpp>
#include <kindred/simd/score_block.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Orders rows so that each block of score_block rows points in like directions: two-means on the unit sphere, halved at the median, again and again.
///
/// The halves of a piece are whole blocks. The two means come from a sample of the piece; then each row goes by its product with their difference.
template <Real Scalar>
class RowGroups {
 public:
  /// `rows`: n_rows x factors. `inverse`: 1 / length of each row, length n_rows; rows that are ordered have lengths in the range of CosineIndex.
  RowGroups(const FactorMatrix<Scalar>& rows, std::span<const Scalar> inverse, SimdLevel level,
            const ParallelOptions& parallel = {.threads = 1})
      : rows_(rows), inverse_(inverse), kernels_(&row_kernels<Scalar>(level)), parallel_(parallel), direction_(rows.stride()) {}

  /// Orders `order`, rows of the matrix, each at most once; the same order for any number of threads. O(n factors log(n / score_block)).
  void sort(std::span<Index> order) {
    std::vector<std::span<Index>> pieces{order}, halves;
    // A large piece has all threads for its products; of many pieces each has one thread.
    const ParallelOptions all = std::exchange(parallel_, {.threads = 1});
    std::vector<RowGroups> workers(resolve_threads(all.threads), *this);
    for (; !pieces.empty(); pieces.swap(halves)) {
      halves.clear();
      std::erase_if(pieces, [](std::span<Index> piece) { return piece.size() <= score_block; });
      if (pieces.size() < workers.size()) {
        parallel_ = all;
        for (const std::span<Index> piece : pieces) halve(piece);
      } else {
        parallel_for(pieces.size(), all, [&](std::size_t n, std::size_t, std::size_t worker) { workers[worker].halve(pieces[n]); });
      }
      for (const std::span<Index> piece : pieces) {
        halves.push_back(piece.first(middle_of(piece)));
        halves.push_back(piece.subspan(middle_of(piece)));
      }
    }
  }

 private:
  [[nodiscard]] static std::size_t middle_of(std::span<const Index> piece) noexcept {
    return (piece.size() + score_block - 1) / score_block / 2 * score_block;
  }

  static constexpr std::size_t most_sampled = 1024;
  static constexpr std::size_t rounds = 4;  // with 2 a list searches a fifth more blocks, with 6 a twentieth fewer

  [[nodiscard]] GatherArguments<Scalar> gathered(std::span<const Index> rows) const noexcept {
    return {.fixed = rows_.data(),
            .stride = rows_.stride(),
            .factors = static_cast<std::size_t>(rows_.factors()),
            .columns = rows.data(),
            .count = rows.size()};
  }

  /// Products of `direction_` with the unit vectors of `rows`.
  [[nodiscard]] std::span<const Scalar> products(std::span<const Index> rows) {
    products_.resize(rows.size());
    parallel_for(rows.size(), {.threads = parallel_.threads, .grain = 4096, .executor = parallel_.executor},
                 [&](std::size_t first, std::size_t last, std::size_t) {
                   kernels_->dots(gathered(rows.subspan(first, last - first)), direction_.data(), products_.data() + first);
                   for (std::size_t n = first; n < last; ++n) products_[n] *= inverse_[static_cast<std::size_t>(rows[n])];
                 });
    return products_;
  }

  /// direction_ = sum over the sample of weight(n) times the n-th unit vector.
  template <typename Weight>
  void combine(const Weight& weight) {
    weights_.resize((sample_.size() + 3) / 4 * 4);
    for (std::size_t n = 0; n < sample_.size(); ++n) weights_[n] = weight(n) * inverse_[static_cast<std::size_t>(sample_[n])];
    kernels_->combine(gathered(sample_), weights_.data(), direction_.data());
  }

  /// The row of the sample farthest from direction_, as its number in the sample.
  [[nodiscard]] std::size_t farthest() {
    const std::span<const Scalar> found = products(sample_);
    return static_cast<std::size_t>(std::min_element(found.begin(), found.end()) - found.begin());
  }

  /// The direction between the means of two halves of a sample of `piece`.
  void find_direction(std::span<const Index> piece) {
    const std::size_t step = (piece.size() + most_sampled - 1) / most_sampled;
    sample_.clear();
    for (std::size_t n = 0; n < piece.size(); n += step) sample_.push_back(piece[n]);
    combine([](std::size_t) { return Scalar(1); });
    const std::size_t one = farthest();
    combine([&](std::size_t n) { return n == one ? Scalar(1) : Scalar(0); });
    const std::size_t other = farthest();
    combine([&](std::size_t n) { return static_cast<Scalar>((n == one ? 1 : 0) - (n == other ? 1 : 0)); });
    for (std::size_t round = 0; round < rounds; ++round) {
      const std::span<const Scalar> found = products(sample_);
      sorted_.assign(found.begin(), found.end());
      const auto half = sorted_.begin() + static_cast<std::ptrdiff_t>(sorted_.size() / 2);
      std::nth_element(sorted_.begin(), half, sorted_.end());
      const Scalar median = *half;
      const auto below = static_cast<std::size_t>(std::count_if(found.begin(), found.end(), [&](Scalar p) { return p < median; }));
      if (below == 0) return;  // all alike
      const Scalar low = Scalar(-1) / static_cast<Scalar>(below), high = Scalar(1) / static_cast<Scalar>(sample_.size() - below);
      combine([&](std::size_t n) { return found[n] < median ? low : high; });
    }
  }

  void halve(std::span<Index> piece) {
    const std::size_t middle = middle_of(piece);
    find_direction(piece);
    const std::span<const Scalar> found = products(piece);
    keys_.clear();
    for (std::size_t n = 0; n < piece.size(); ++n) keys_.emplace_back(found[n], piece[n]);
    std::nth_element(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(middle), keys_.end());
    for (std::size_t n = 0; n < piece.size(); ++n) piece[n] = keys_[n].second;
  }

  const FactorMatrix<Scalar>& rows_;
  std::span<const Scalar> inverse_;
  const RowKernels<Scalar>* kernels_;
  ParallelOptions parallel_;
  AlignedVector<Scalar> direction_;
  AlignedVector<Scalar> weights_;
  std::vector<Index> sample_;
  std::vector<Scalar> products_, sorted_;
  std::vector<std::pair<Scalar, Index>> keys_;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
