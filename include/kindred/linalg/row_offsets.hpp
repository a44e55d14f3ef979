// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/types.hpp>
#include <kindred/simd/score_block.hpp>

namespace kindred::inline v0::detail {

/// A number for each row of factors that is added to scores, times a weight of each list: the popularity of an item, say, whoever asks.
///
/// Weights and numbers are floats: their product is exact in double, so that a list has the same bytes whether or not a compiler fuses it with the sum.
class RowOffsets {
 public:
  /// `values`: length n_rows, finite. `order`: the rows as an index has them, in blocks of score_block; empty for scans of every row. O(n_rows).
  explicit RowOffsets(std::vector<float> values, std::span<const Index> order = {}) : values_(std::move(values)) {
    const std::size_t blocks = (order.size() + score_block - 1) / score_block;
    in_order_.reserve(blocks * score_block);
    low_.reserve(blocks);
    high_.reserve(blocks);
    for (std::size_t b = 0; b < blocks; ++b) {
      const std::size_t first = in_order_.size();
      for (const Index row : order.subspan(first, (std::min)(score_block, order.size() - first)))
        in_order_.push_back(values_[static_cast<std::size_t>(row)]);
      const auto [low, high] = std::minmax_element(in_order_.begin() + static_cast<std::ptrdiff_t>(first), in_order_.end());
      low_.push_back(*low);
      high_.push_back(*high);
      differences_are_finite_ = differences_are_finite_ && is_finite(high_.back() - low_.back());
      in_order_.resize(first + score_block, low_.back());
    }
  }

  [[nodiscard]] double of(float weight, Index row) const noexcept { return product(weight, values_[static_cast<std::size_t>(row)]); }
  /// The largest of a block of the index.
  [[nodiscard]] double most_in(float weight, std::size_t block) const noexcept { return product(weight, ends(weight)[block]); }

  /// As rows of whole blocks of the index.
  [[nodiscard]] const float* in_order() const noexcept { return in_order_.data(); }
  /// Of each block of the index the value that adds most with a weight of this sign.
  [[nodiscard]] const float* ends(float weight) const noexcept { return weight > 0.0F ? high_.data() : low_.data(); }
  /// Whether differences within blocks are finite.
  [[nodiscard]] bool differences_are_finite() const noexcept { return differences_are_finite_; }

 private:
  [[nodiscard]] static double product(float weight, float value) noexcept {
    return static_cast<double>(weight) * static_cast<double>(value);
  }

  std::vector<float> values_;
  std::vector<float> in_order_;
  std::vector<float> low_;  // by block
  std::vector<float> high_;
  bool differences_are_finite_ = true;
};

/// What one list adds to scores: weight * offset of the row, nothing where the weight is 0.
struct WeightedOffsets {
  float weight = 0.0F;
  const RowOffsets* offsets = nullptr;

  friend bool operator==(const WeightedOffsets& a, const WeightedOffsets& b) noexcept {
    return a.weight == b.weight && a.offsets == b.offsets;
  }
};

/// `score` and the offsets of `row`, added last, in their order.
[[nodiscard]] inline double with_offsets(std::span<const WeightedOffsets> offsets, Index row, double score) noexcept {
  for (const WeightedOffsets& one : offsets)
    if (one.weight != 0.0F) score += one.offsets->of(one.weight, row);
  return score;
}

/// A margin for the rounding of scores with offsets, and of what they are compared with: far above that of a few sums of numbers of this size.
[[nodiscard]] inline double offset_margin(double size) noexcept { return 1e-9 * (size < 0.0 ? -size : size); }

/// The most that offsets add to a score in a block of the index, with a margin for rounding.
[[nodiscard]] inline double most_in(std::span<const WeightedOffsets> offsets, std::size_t block) noexcept {
  double most = 0.0, size = 0.0;
  for (const WeightedOffsets& one : offsets) {
    if (one.weight == 0.0F) continue;
    const double own = one.offsets->most_in(one.weight, block);
    most += own;
    size += own < 0.0 ? -own : own;
  }
  return most + offset_margin(size);
}

}  // namespace kindred::inline v0::detail
