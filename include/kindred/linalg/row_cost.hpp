// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include <kindred/core/config.hpp>

namespace kindred::inline v0::detail {

/// About how many multiplications an exact solve of a row of n interactions takes: those of the cheaper form (linalg/row_solver.hpp), and a gather.
[[nodiscard]] constexpr double row_cost(std::size_t n, std::size_t factors) noexcept {
  const auto length = static_cast<double>(n), k = static_cast<double>(factors);
  const double products = n < factors ? length * length * k + length * length * length / 3.0 : length * k * k + k * k * k / 3.0;
  return products / 2.0 + 8.0 * length * k;
}

/// A very long row is summed in parts, so that threads can share it: in this many, 1 unless it is long. They depend on its length alone, and so do the bytes of
/// its solution.
inline constexpr std::size_t row_part = std::size_t{1} << 14;
inline constexpr std::size_t most_row_parts = 64;
[[nodiscard]] constexpr std::size_t row_parts(std::size_t n) noexcept {
  const std::size_t parts = n / row_part;
  return parts < 2 ? 1 : parts < most_row_parts ? parts : most_row_parts;
}
/// The first interaction of part `part` of a row of n, a multiple of 256; n for part = row_parts(n).
[[nodiscard]] constexpr std::size_t row_part_begin(std::size_t n, std::size_t part) noexcept {
  return part == row_parts(n) ? n : n / row_parts(n) * part / 256 * 256;
}

/// Rows that are dealt to a thread at once, at most.
inline constexpr std::size_t most_dealt = 16;

/// Deals rows, longest first, into pieces: at most most_dealt rows, fewer where they cost more than as many rows of `factors` interactions, so that nothing
/// waits for a piece of many long rows; a row that has parts is alone.
class RowDealing {
 public:
  explicit RowDealing(std::size_t factors) : factors_(factors), limit_(static_cast<double>(most_dealt) * row_cost(factors, factors)) {}

  /// True if the next row, of n interactions, begins a piece.
  [[nodiscard]] bool begins(std::size_t n) noexcept {
    const double cost = row_cost(n, factors_);
    const bool is_new = rows_ == 0 || rows_ == most_dealt || cost_ + cost > limit_;
    if (is_new) {
      rows_ = 0;
      cost_ = 0.0;
    }
    rows_ = row_parts(n) > 1 ? most_dealt : rows_ + 1;
    cost_ += cost;
    return is_new;
  }
  /// The next row begins a piece.
  void end_piece() noexcept { rows_ = 0; }

 private:
  std::size_t factors_;
  double limit_;
  std::size_t rows_ = 0;
  double cost_ = 0.0;
};

/// Bytes of the sums of parts that are kept at a time, about, unless those of one row are more.
inline constexpr std::size_t row_parts_bytes = std::size_t{16} << 20;

}  // namespace kindred::inline v0::detail
