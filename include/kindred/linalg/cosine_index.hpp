// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/rounding.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/row_groups.hpp>
#include <kindred/simd/score_block.hpp>
#include <kindred/simd/score_kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

template <Real Scalar>
class CosineSearch;

/// Rows of factors laid out for finding those of the largest cosine with one of them without computing most products.
///
/// Rows stand in blocks of 64 that point in like directions (RowGroups). A block has a centre c, the mean of its unit vectors, and a reach: the longest
/// difference of a unit vector from it. So x.y <= x.c + reach for a unit vector x, and most blocks are ruled out by one product. For the rows of the others,
/// x.y - x.c is judged by codes of one byte a factor of the differences, which are short, so that codes are fine. Scores are those of ScoreKernels, so the
/// result equals a full scan's to the bit. const methods may be called from many threads.
template <Real Scalar>
class CosineIndex {
 public:
  CosineIndex() = default;

  /// `rows`: n_rows x factors, finite. O(n_rows factors log n_rows) time, n_rows * (factors + 24) bytes and 4 bytes a factor of each block.
  /// @throws InvalidArgument if this processor does not have `level`.
  /// The same index for any number of threads.
  CosineIndex(const FactorMatrix<Scalar>& rows, SimdLevel level, const ParallelOptions& parallel = {.threads = 1});

  [[nodiscard]] std::size_t rows() const noexcept { return lengths_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    return codes_.size() + (order_.size() + place_.size() + apart_.size() + without_length_.size()) * sizeof(Index) +
           (lengths_.size() + 3 * unit_.size()) * sizeof(double) + inverse_.size() * sizeof(Scalar) +
           (reach_.size() + centres_.size() + panel_means_.size()) * sizeof(float);
  }

  /// The Euclidean length of row `r`: the root of its score with itself.
  [[nodiscard]] double length(Index r) const noexcept { return lengths_[static_cast<std::size_t>(r)]; }

  /// Where row `r` stands among the rows in blocks, near to rows like it; rows() for a row whose length is out of range.
  [[nodiscard]] std::size_t place(Index r) const noexcept { return static_cast<std::size_t>(place_[static_cast<std::size_t>(r)]); }

 private:
  friend class CosineSearch<Scalar>;

  // Lengths of rows in blocks: their squares and products neither overflow nor lose more than rounding.
  static constexpr double least_length = sizeof(Scalar) == 4 ? 1e-15 : 1e-140;
  static constexpr double largest_length = sizeof(Scalar) == 4 ? 1e15 : 1e140;
  static constexpr double margin = 1.0 + 1e-9;  // for the rounding of norms

  void measure(const FactorMatrix<Scalar>& rows, const ParallelOptions& parallel);
  void sort(const FactorMatrix<Scalar>& rows, SimdLevel level, const ParallelOptions& parallel);
  void add_piece(const FactorMatrix<Scalar>& rows, std::size_t piece, std::vector<double>& units);
  [[nodiscard]] double add_centre(const FactorMatrix<Scalar>& rows, std::size_t b, double* units);
  void add_codes(std::size_t b, double step, const double* units);

  std::size_t factors_ = 0;
  std::size_t groups_ = 0;  // of four factors
  const ScoreKernels<Scalar>* kernels_ = nullptr;
  const ScoreKernels<float>* centre_kernels_ = nullptr;
  const CodeKernels* code_kernels_ = nullptr;
  std::vector<Index> order_;           // rows in blocks
  std::vector<Index> place_;           // in order_ of each row, or n_rows
  std::vector<Index> apart_;           // rows whose lengths are out of range, scored for every list
  std::vector<Index> without_length_;  // rows of length 0, whose cosines are 0
  std::vector<double> lengths_;        // of each row
  std::vector<Scalar> inverse_;        // 1 / length of the rows in blocks, for whole blocks
  AlignedVector<std::uint8_t> codes_;  // of the difference from the centre
  // Of each block: 1 / s for codes of step s; the longest rounding error and the longest difference, both over s.
  std::vector<double> unit_;
  std::vector<double> rest_;
  std::vector<double> norm_;
  AlignedVector<float> reach_;      // of each block, for whole panels
  AlignedVector<float> centres_;    // panels of 64 blocks, transposed as scores want them
  std::vector<float> panel_means_;  // panels x factors: the sum of the centres
};

template <Real Scalar>
CosineIndex<Scalar>::CosineIndex(const FactorMatrix<Scalar>& rows, SimdLevel level, const ParallelOptions& parallel)
    : factors_(static_cast<std::size_t>(rows.factors())),
      groups_((factors_ + 3) / 4),
      kernels_(&kindred::detail::score_kernels<Scalar>(level)),
      centre_kernels_(&kindred::detail::score_kernels<float>(level)),
      code_kernels_(&kindred::detail::code_kernels(level)) {
  const RoundToNearest rounding;  // codes are rounded, and their errors bounded, in this mode
  measure(rows, parallel);
  sort(rows, level, parallel);
  const std::size_t blocks = (order_.size() + score_block - 1) / score_block, panels = (blocks + score_block - 1) / score_block;
  codes_.assign(blocks * groups_ * score_block * 4, static_cast<std::uint8_t>(code_kernels_->offset));
  unit_.assign(panels * score_block, 0.0);
  rest_.assign(panels * score_block, 0.0);
  norm_.assign(panels * score_block, 0.0);
  reach_.assign(panels * score_block, 0.0F);
  centres_.assign(panels * factors_ * score_block, 0.0F);
  panel_means_.assign(panels * factors_, 0.0F);
  // A panel has a sum of its own.
  parallel_for(panels, parallel, [&](std::size_t panel, std::size_t, std::size_t) {
    std::vector<double> units(blocks_of_piece * score_block * factors_);
    constexpr std::size_t pieces = score_block / blocks_of_piece;
    for (std::size_t piece = panel * pieces; piece < (panel + 1) * pieces; ++piece) add_piece(rows, piece, units);
  });
}

/// Finds the lengths of the rows, and which rows stand in blocks.
template <Real Scalar>
void CosineIndex<Scalar>::measure(const FactorMatrix<Scalar>& rows, const ParallelOptions& parallel) {
  const auto n_rows = static_cast<std::size_t>(rows.rows());
  lengths_.resize(n_rows);
  parallel_for(n_rows, {.threads = parallel.threads, .grain = 64 * score_block, .executor = parallel.executor},
               [&](std::size_t from, std::size_t to, std::size_t) {
                 AlignedVector<Scalar> panel(score_block * factors_), squares(score_block);
                 std::vector<Index> some(score_block);
                 for (std::size_t first = from; first < to; first += score_block) {
                   const std::size_t count = (std::min)(score_block, to - first);
                   std::iota(some.begin(), some.end(), static_cast<Index>(first));
                   kernels_->pack(rows.data(), rows.stride(), some.data(), count, factors_, panel.data());
                   kernels_->squares(panel.data(), count, factors_, squares.data());
                   for (std::size_t n = 0; n < count; ++n) lengths_[first + n] = std::sqrt(static_cast<double>(squares[n]));
                 }
               });
  for (std::size_t r = 0; r < n_rows; ++r) {
    const double length = lengths_[r];
    (length >= least_length && length <= largest_length ? order_
     : length == 0.0                                    ? without_length_
                                                        : apart_)
        .push_back(static_cast<Index>(r));
  }
}

template <Real Scalar>
void CosineIndex<Scalar>::sort(const FactorMatrix<Scalar>& rows, SimdLevel level, const ParallelOptions& parallel) {
  std::vector<Scalar> inverse(lengths_.size(), Scalar(0));
  for (const Index row : order_) inverse[static_cast<std::size_t>(row)] = static_cast<Scalar>(1.0 / length(row));
  RowGroups<Scalar>(rows, inverse, level, parallel).sort(order_);
  inverse_.assign((order_.size() + score_block - 1) / score_block * score_block, Scalar(0));
  for (std::size_t at = 0; at < order_.size(); ++at) inverse_[at] = static_cast<Scalar>(1.0 / length(order_[at]));
  place_.assign(lengths_.size(), rows.rows());
  for (std::size_t at = 0; at < order_.size(); ++at) place_[static_cast<std::size_t>(order_[at])] = static_cast<Index>(at);
}

/// Centres, reaches and codes of some blocks. Their codes have one step, so that sums of products can be compared. `units`: memory for their unit vectors.
template <Real Scalar>
void CosineIndex<Scalar>::add_piece(const FactorMatrix<Scalar>& rows, std::size_t piece, std::vector<double>& units) {
  const std::size_t first = piece * blocks_of_piece, blocks = (order_.size() + score_block - 1) / score_block;
  const std::size_t last = (std::min)(first + blocks_of_piece, blocks), length = score_block * factors_;
  double largest = 0.0;
  for (std::size_t b = first; b < last; ++b) largest = (std::max)(largest, add_centre(rows, b, units.data() + (b - first) * length));
  const double step = (std::max)(largest / (code_kernels_->offset - 1), 1e-20);
  for (std::size_t b = first; b < last; ++b) add_codes(b, step, units.data() + (b - first) * length);
}

/// Makes the centre of block `b`, and of its unit vectors their differences from it. Returns the largest coordinate of these.
template <Real Scalar>
double CosineIndex<Scalar>::add_centre(const FactorMatrix<Scalar>& rows, std::size_t b, double* units) {
  const std::size_t first = b * score_block, count = (std::min)(score_block, order_.size() - first);
  for (std::size_t n = 0; n < count; ++n) {
    const std::span<const Scalar> row = rows.row(order_[first + n]);
    double sum = 0.0;
    for (std::size_t f = 0; f < factors_; ++f) sum += static_cast<double>(row[f]) * static_cast<double>(row[f]);
    const double inverse = 1.0 / std::sqrt(sum);
    for (std::size_t f = 0; f < factors_; ++f) units[n * factors_ + f] = static_cast<double>(row[f]) * inverse;
  }
  float* const centres = centres_.data() + b / score_block * factors_ * score_block + b % score_block;
  float* const panel_mean = panel_means_.data() + b / score_block * factors_;
  double largest = 0.0;
  for (std::size_t f = 0; f < factors_; ++f) {
    double sum = 0.0;
    for (std::size_t n = 0; n < count; ++n) sum += units[n * factors_ + f];
    const auto centre = static_cast<float>(sum / static_cast<double>(count));
    centres[f * score_block] = centre;
    panel_mean[f] += centre;
    for (std::size_t n = 0; n < count; ++n) {
      units[n * factors_ + f] -= static_cast<double>(centre);
      largest = (std::max)(largest, std::abs(units[n * factors_ + f]));
    }
  }
  return largest;
}

template <Real Scalar>
void CosineIndex<Scalar>::add_codes(std::size_t b, double step, const double* units) {
  const std::size_t count = (std::min)(score_block, order_.size() - b * score_block);
  const auto offset = code_kernels_->offset;
  const double inverse = 1.0 / step;
  double rest = 0.0, reach = 0.0;
  for (std::size_t n = 0; n < count; ++n) {
    double error = 0.0, squares = 0.0;
    for (std::size_t f = 0; f < factors_; ++f) {
      const double exact = units[n * factors_ + f];
      const double code = std::nearbyint(exact * inverse);
      squares += exact * exact;
      error += (exact - code * step) * (exact - code * step);
      codes_[((b * groups_ + f / 4) * score_block + n) * 4 + f % 4] = static_cast<std::uint8_t>(static_cast<int>(code) + offset);
    }
    rest = (std::max)(rest, error);
    reach = (std::max)(reach, squares);
  }
  unit_[b] = inverse;
  rest_[b] = std::sqrt(rest) * inverse * margin;
  norm_[b] = std::sqrt(reach) * inverse * margin;
  reach_[b] = static_cast<float>(std::sqrt(reach) * (1.0 + 1e-6));
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
