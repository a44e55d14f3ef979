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
    in_block_.resize(blocks);
    for (std::size_t b = 0; b < blocks; ++b) {
      Range& range = in_block_[b];
      range = {values_[static_cast<std::size_t>(order[b * score_block])], values_[static_cast<std::size_t>(order[b * score_block])]};
      for (const Index row : order.subspan(b * score_block, (std::min)(score_block, order.size() - b * score_block)))
        range.include(values_[static_cast<std::size_t>(row)]);
    }
  }

  [[nodiscard]] double of(float weight, Index row) const noexcept { return product(weight, values_[static_cast<std::size_t>(row)]); }
  /// The largest of a block of the index.
  [[nodiscard]] double most_in(float weight, std::size_t block) const noexcept { return in_block_[block].most(weight); }

 private:
  [[nodiscard]] static double product(float weight, float value) noexcept {
    return static_cast<double>(weight) * static_cast<double>(value);
  }
  struct Range {
    float low = 0.0F;
    float high = 0.0F;

    void include(float value) noexcept {
      low = (std::min)(low, value);
      high = (std::max)(high, value);
    }
    [[nodiscard]] double most(float weight) const noexcept { return product(weight, weight > 0.0F ? high : low); }
  };

  std::vector<float> values_;
  std::vector<Range> in_block_;
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

/// The most that offsets add to a score in a block of the index, and how large the terms are.
struct OffsetBound {
  double most = 0.0;
  double size = 0.0;
};

[[nodiscard]] inline OffsetBound bound_in(std::span<const WeightedOffsets> offsets, std::size_t block) noexcept {
  OffsetBound bound;
  for (const WeightedOffsets& one : offsets) {
    if (one.weight == 0.0F) continue;
    const double most = one.offsets->most_in(one.weight, block);
    bound.most += most;
    bound.size += most < 0.0 ? -most : most;
  }
  return bound;
}

/// A margin for the rounding of scores with offsets, and of what they are compared with: far above that of a few sums of numbers of this size.
[[nodiscard]] inline double offset_margin(double size) noexcept { return 1e-9 * (size < 0.0 ? -size : size); }

}  // namespace kindred::inline v0::detail
