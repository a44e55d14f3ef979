// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/row_offsets.hpp>
#include <kindred/simd/score_block.hpp>
#include <kindred/simd/score_kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// What offsets do to the bounds of a tile of lists, and to the scan of codes: the workspace of a TopKSearch.
///
/// A block is bounded by the most that its rows are given. Within a block the scan tells rows apart, for all lists whose offsets are those of the first
/// with offsets, with weights of the same signs; the others are bounded by blocks alone, which decides about speed only.
class TileOffsets {
 public:
  /// A new tile of lists over an index of `blocks` blocks; its scans have at most `length` blocks.
  void start(std::size_t blocks, std::size_t length) {
    blocks_ = blocks;
    length_ = length;
    told_apart_.clear();
    bounded_.clear();
    most_.clear();
  }

  /// Takes in the offsets of one list of the tile.
  void add(std::span<const WeightedOffsets> offsets) {
    if (!told_apart_.empty() || offsets.empty()) return;
    if (std::all_of(offsets.begin(), offsets.end(), [](const WeightedOffsets& one) { return one.offsets->differences_are_finite(); }))
      told_apart_.assign(offsets.begin(), offsets.end());
  }

  /// The most that `offsets` add in each block. Kept for the lists that share them.
  [[nodiscard]] std::span<const double> most(std::span<const WeightedOffsets> offsets) {
    if (!has_bounds_of(offsets)) {
      bounded_.assign(offsets.begin(), offsets.end());
      most_.resize(blocks_);
      for (std::size_t b = 0; b < blocks_; ++b) most_[b] = most_in(offsets, b);
    }
    return most_;
  }

  /// The most that they add in one block.
  [[nodiscard]] double most_of(std::span<const WeightedOffsets> offsets, std::size_t block) const noexcept {
    return has_bounds_of(offsets) ? most_[block] : most_in(offsets, block);
  }

  /// Begins a scan from `block` on, of `n_lists` lists.
  void start_scan(std::size_t block, std::size_t n_lists) {
    slopes_.assign(n_lists * length_ * told_apart_.size(), 0.0F);
    added_.clear();
    ends_.clear();
    for (const WeightedOffsets& one : told_apart_) {
      added_.push_back(one.offsets->in_order() + block * score_block);
      ends_.push_back(one.offsets->ends(one.weight) + block);
    }
  }

  /// Lets list `at` of the scan be told how much less than the most of its block is added to each row. `units`: sums of products of codes that a score of 1
  /// is worth in each block. `start`: what sums start from; blocks in which that is `everything` or more have no limit that rows could miss.
  void tell_apart(std::size_t at, std::span<const WeightedOffsets> offsets, const double* units, double inverse, const std::int32_t* start,
                  std::int32_t everything, std::size_t length) {
    if (!is_told_apart(offsets)) return;
    const std::size_t n = told_apart_.size();
    float* const slopes = slopes_.data() + at * length_ * n;
    for (std::size_t b = 0; b < length; ++b) {
      if (start[b] >= everything) continue;
      for (std::size_t j = 0; j < n; ++j) slopes[b * n + j] = slope(static_cast<double>(offsets[j].weight) * units[b] * inverse);
    }
  }

  /// Puts the offsets of the scan into it. It refers to this object until the next start_scan.
  void put_into(CodeScan& scan) {
    pointers_.clear();
    for (std::size_t at = 0; at < scan.n_users; ++at) pointers_.push_back(slopes_.data() + at * length_ * told_apart_.size());
    scan.n_added = told_apart_.size();
    scan.added = added_.data();
    scan.ends = ends_.data();
    scan.slopes = pointers_.data();
  }

 private:
  [[nodiscard]] bool has_bounds_of(std::span<const WeightedOffsets> offsets) const noexcept {
    return !most_.empty() && std::equal(offsets.begin(), offsets.end(), bounded_.begin(), bounded_.end());
  }

  [[nodiscard]] bool is_told_apart(std::span<const WeightedOffsets> offsets) const noexcept {
    const auto alike = [](const WeightedOffsets& a, const WeightedOffsets& b) {
      return a.offsets == b.offsets && (a.weight == 0.0F || (a.weight > 0.0F) == (b.weight > 0.0F));
    };
    return !told_apart_.empty() && std::equal(offsets.begin(), offsets.end(), told_apart_.begin(), told_apart_.end(), alike);
  }

  /// A little nearer to 0, so that the few roundings of the scan never make a row miss a list. Differences times this stay finite.
  [[nodiscard]] static float slope(double exact) noexcept {
    constexpr double largest = 1e30;
    return static_cast<float>((std::clamp)(exact, -largest, largest) * (1.0 - 0x1p-18));
  }

  std::size_t blocks_ = 0;
  std::size_t length_ = 0;  // of a scan at most
  std::vector<WeightedOffsets> told_apart_;
  std::vector<WeightedOffsets> bounded_;  // the offsets that most_ is of
  std::vector<double> most_;              // by block
  std::vector<float> slopes_;             // of each list of a scan
  std::vector<const float*> added_, ends_, pointers_;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
