// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <kindred/core/config.hpp>

namespace kindred::inline v0::detail {

/// Sorts the interactions of a row: numbers with a column in the upper half and a place in the lower one, which come in the order of their places.
///
/// Rows in order already, as a database gives them, take one look; long ones are counted by the bytes of their columns that differ (a radix sort), which for 100
/// columns in random order takes a fifth of std::sort, most of whose branches are mispredicted. O(length).
class PackedSort {
 public:
  void sort(std::vector<std::uint64_t>& row) {
    constexpr std::size_t least = 48;  // below it the counts of a byte cost more than comparisons
    if (std::is_sorted(row.begin(), row.end())) return;
    if (row.size() < least || row.size() > (std::numeric_limits<std::uint32_t>::max)()) {
      std::sort(row.begin(), row.end());
      return;
    }
    std::uint64_t differing = 0;
    for (const std::uint64_t one : row) differing |= one ^ row.front();
    other_.resize(row.size());
    for (int shift = 32; shift < 64; shift += 8)
      if ((differing >> shift & 0xFF) != 0) sort_by_byte(row, shift);
  }

 private:
  /// Stable.
  void sort_by_byte(std::vector<std::uint64_t>& row, int shift) {
    std::array<std::uint32_t, 256> places{};
    for (const std::uint64_t one : row) ++places[one >> shift & 0xFF];
    std::uint32_t sum = 0;
    for (std::uint32_t& place : places) {
      const std::uint32_t count = place;
      place = sum;
      sum += count;
    }
    for (const std::uint64_t one : row) other_[places[one >> shift & 0xFF]++] = one;
    row.swap(other_);
  }

  std::vector<std::uint64_t> other_;
};

}  // namespace kindred::inline v0::detail
