// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/rounding.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/packed_sort.hpp>
#include <kindred/linalg/top_k_request.hpp>
#include <kindred/simd/score_kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

template <Real Scalar>
class TopKSearch;

/// Rows of factors (items, say) laid out for finding those of the largest inner product with a vector without computing most products.
///
/// Rows stand in blocks of 64 by falling length. Of each there is a code of one byte a factor, in coordinates that are scaled so that queries and rows
/// weigh alike in each: an inner product of codes takes a quarter of the work of a score, and differs from it by no more than what the norms of both
/// rounding errors allow (Cauchy-Schwarz, in double, with the rounding of the score itself). Only rows that can reach the list are scored.
/// The scores are those of ScoreKernels, so the result equals a full scan's to the bit. const methods may be called from many threads.
template <Real Scalar>
class TopKIndex {
 public:
  TopKIndex() = default;

  /// `rows`: n_rows x factors, finite. `queries`: factors of those who will ask, or some of them; they set the scale of the coordinates, which
  /// decides about speed only. O(n_rows (factors + log n_rows)) time, n_rows * (factors + 8) bytes.
  /// @throws InvalidArgument if this processor does not have `level`.
  /// `added`: empty, or what is added to the score of each row for most queries (their offsets times a weight). Rows then stand by what they can reach with
  /// it, so that those of a block have offsets alike: that too decides about speed only.
  /// The same index for any number of threads.
  TopKIndex(const FactorMatrix<Scalar>& rows, const FactorMatrix<Scalar>& queries, SimdLevel level, std::span<const double> added = {},
            const ParallelOptions& parallel = {.threads = 1});

  [[nodiscard]] std::size_t rows() const noexcept { return order_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    return codes_.size() + 2 * order_.size() * sizeof(Index) + (5 * unit_.size() + scale_.size()) * sizeof(double);
  }

  /// All rows, in blocks of score_block by falling length.
  [[nodiscard]] std::span<const Index> order() const noexcept { return order_; }

 private:
  friend class TopKSearch<Scalar>;

  void balance(const FactorMatrix<Scalar>& rows, const FactorMatrix<Scalar>& queries);
  [[nodiscard]] std::vector<double> sort_by_reach(const FactorMatrix<Scalar>& rows, const FactorMatrix<Scalar>& queries,
                                                  std::span<const double> added, const ParallelOptions& parallel);
  [[nodiscard]] std::vector<double> keys_of(std::span<const double> reach, const FactorMatrix<Scalar>& queries,
                                            std::span<const double> added) const;
  [[nodiscard]] double step_of(const FactorMatrix<Scalar>& rows, std::size_t piece) const noexcept;
  void add_block(const FactorMatrix<Scalar>& rows, std::span<const double> reach, std::size_t b, double step, std::vector<double>& scaled,
                 std::span<std::int8_t> codes);

  static constexpr double least_length = sizeof(Scalar) == 4 ? 1e-20 : 1e-150;

  std::size_t factors_ = 0;
  std::size_t groups_ = 0;  // of four factors
  const ScoreKernels<Scalar>* kernels_ = nullptr;
  const CodeKernels* code_kernels_ = nullptr;
  std::vector<Index> order_;  // rows by falling length
  std::vector<Index> place_;  // in order_ of each row
  AlignedVector<std::uint8_t> codes_;
  std::vector<double> scale_;  // of each coordinate: a query is multiplied, a row divided by it
  // Of each block, in scaled coordinates: 1 / s for codes of step s; the longest rounding error and the longest row, both over s.
  std::vector<double> unit_;
  std::vector<double> rest_;
  std::vector<double> norm_;
  double longest_ = 0.0;       // of all rows, in scaled coordinates
  std::vector<double> reach_;  // length of the longest row, in scaled coordinates
  std::vector<double> tail_;   // the largest of reach_ from here on
};

template <Real Scalar>
TopKIndex<Scalar>::TopKIndex(const FactorMatrix<Scalar>& rows, const FactorMatrix<Scalar>& queries, SimdLevel level,
                             std::span<const double> added, const ParallelOptions& parallel)
    : factors_(static_cast<std::size_t>(rows.factors())),
      groups_((factors_ + 3) / 4),
      kernels_(&kindred::detail::score_kernels<Scalar>(level)),
      code_kernels_(&kindred::detail::code_kernels(level)),
      order_(static_cast<std::size_t>(rows.rows())),
      scale_(factors_, 1.0) {
  const RoundToNearest rounding;  // codes are rounded, and their errors bounded, in this mode
  balance(rows, queries);
  const std::vector<double> reach = sort_by_reach(rows, queries, added, parallel);
  const std::size_t blocks = (order_.size() + score_block - 1) / score_block;
  codes_.assign(blocks * groups_ * score_block * 4, static_cast<std::uint8_t>(code_kernels_->offset));
  for (std::vector<double>* const of_blocks : {&unit_, &rest_, &norm_, &reach_}) of_blocks->resize(blocks);
  parallel_for(blocks, {.threads = parallel.threads, .grain = blocks_of_piece, .executor = parallel.executor},
               [&](std::size_t from, std::size_t to, std::size_t) {
                 std::vector<double> scaled(score_block * factors_);
                 std::vector<std::int8_t> codes(factors_);
                 double step = 0.0;
                 for (std::size_t b = from; b < to; ++b) {
                   if (b == from || b % blocks_of_piece == 0) step = step_of(rows, b / blocks_of_piece);
                   add_block(rows, reach, b, step, scaled, codes);
                 }
               });
  place_.resize(order_.size());
  for (std::size_t at = 0; at < order_.size(); ++at) place_[static_cast<std::size_t>(order_[at])] = static_cast<Index>(at);
  for (const double one : reach_) longest_ = (std::max)(longest_, one);
  tail_ = reach_;
  for (std::size_t b = blocks; b-- > 1;) tail_[b - 1] = (std::max)(tail_[b - 1], tail_[b]);
}

/// Sets the scale of each coordinate.
template <Real Scalar>
void TopKIndex<Scalar>::balance(const FactorMatrix<Scalar>& rows, const FactorMatrix<Scalar>& queries) {
  // With a_f^4 = (sum of squares of column f of the rows) / (the same of the queries) the mean of |x a| |y / a| is smallest.
  const auto squares = [&](const FactorMatrix<Scalar>& matrix) {
    std::vector<double> sums(factors_, 0.0);
    const Index step = (std::max)(Index{1}, matrix.rows() / 8192);
    for (Index r = 0; r < matrix.rows(); r += step) {
      const std::span<const Scalar> row = matrix.row(r);
      for (std::size_t f = 0; f < factors_; ++f) sums[f] += static_cast<double>(row[f]) * static_cast<double>(row[f]);
    }
    const Index sampled = (matrix.rows() + step - 1) / step;
    for (double& sum : sums) sum /= static_cast<double>(sampled);
    return sums;
  };
  if (rows.rows() == 0 || queries.rows() == 0) return;
  const std::vector<double> of_rows = squares(rows), of_queries = squares(queries);
  for (std::size_t f = 0; f < factors_; ++f) {
    if (!(of_queries[f] > 0.0)) continue;
    const double scale = std::sqrt(std::sqrt(of_rows[f] / of_queries[f]));
    if (scale > 1e-9 && scale < 1e9) scale_[f] = scale;
  }
}

/// What rows can reach for a mean query: a quarter of the product of the lengths, since few products come near it, and what is added.
template <Real Scalar>
std::vector<double> TopKIndex<Scalar>::keys_of(std::span<const double> reach, const FactorMatrix<Scalar>& queries,
                                               std::span<const double> added) const {
  double squares = 0.0;
  const Index step = (std::max)(Index{1}, queries.rows() / 1024);
  for (Index r = 0; r < queries.rows(); r += step)
    for (std::size_t f = 0; f < factors_; ++f) {
      const double x = static_cast<double>(queries.row(r)[f]) * scale_[f];
      squares += x * x;
    }
  const Index sampled = (queries.rows() + step - 1) / step;
  const double length = sampled > 0 ? std::sqrt(squares / static_cast<double>(sampled)) : 0.0;
  std::vector<double> keys(reach.size());
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = 0.75 * length * reach[i] + added[i];
  return keys;
}

/// Orders the rows by falling length in scaled coordinates, or by what they reach with `added`. Returns the lengths.
template <Real Scalar>
std::vector<double> TopKIndex<Scalar>::sort_by_reach(const FactorMatrix<Scalar>& rows, const FactorMatrix<Scalar>& queries,
                                                     std::span<const double> added, const ParallelOptions& parallel) {
  std::vector<double> reach(order_.size());
  parallel_for(reach.size(), {.threads = parallel.threads, .grain = 1024, .executor = parallel.executor},
               [&](std::size_t first, std::size_t last, std::size_t) {
                 for (std::size_t i = first; i < last; ++i) {
                   const std::span<const Scalar> row = rows.row(static_cast<Index>(i));
                   double sum = 0.0;
                   for (std::size_t f = 0; f < factors_; ++f) {
                     const double y = static_cast<double>(row[f]) / scale_[f];
                     sum += y * y;
                   }
                   reach[i] = std::sqrt(sum);
                 }
               });
  if (added.empty()) {
    std::vector<std::uint64_t> falling(reach.size());  // floats of one sign have the order of their bits
    for (std::size_t i = 0; i < reach.size(); ++i)
      falling[i] = static_cast<std::uint64_t>(~bit_cast<std::uint32_t>(static_cast<float>(reach[i]))) << 32 | i;
    PackedSort().sort(falling);
    for (std::size_t n = 0; n < falling.size(); ++n) order_[n] = static_cast<Index>(falling[n] & 0xFFFFFFFFu);
    return reach;
  }
  std::iota(order_.begin(), order_.end(), Index{0});
  const std::vector<double> keys = keys_of(reach, queries, added);
  const auto falling = [](std::span<const double> by) {
    return [by](Index a, Index b) {
      const double left = by[static_cast<std::size_t>(a)], right = by[static_cast<std::size_t>(b)];
      return left > right || (left == right && a < b);
    };
  };
  std::sort(order_.begin(), order_.end(), falling(keys));
  // Within a few blocks the order is free: rows of like offsets share a block. A list of a trend then takes a third to two thirds of the time.
  constexpr std::size_t together = 8 * score_block;
  for (std::size_t first = 0; first < order_.size(); first += together)
    std::sort(order_.begin() + static_cast<std::ptrdiff_t>(first),
              order_.begin() + static_cast<std::ptrdiff_t>((std::min)(first + together, order_.size())), falling(added));
  return reach;
}

/// The step of the codes of a piece: one for all its blocks, so that sums of products can be compared.
template <Real Scalar>
double TopKIndex<Scalar>::step_of(const FactorMatrix<Scalar>& rows, std::size_t piece) const noexcept {
  constexpr std::size_t length = blocks_of_piece * score_block;
  double largest = 0.0;
  for (std::size_t n = piece * length; n < (std::min)((piece + 1) * length, order_.size()); ++n) {
    const std::span<const Scalar> row = rows.row(order_[n]);
    for (std::size_t f = 0; f < factors_; ++f) largest = (std::max)(largest, std::abs(static_cast<double>(row[f]) / scale_[f]));
  }
  return (std::max)(largest / (code_kernels_->offset - 1), least_length);
}

/// Codes and bounds of block `b` of the order. `scaled`, `codes`: memory for its rows and for one.
template <Real Scalar>
void TopKIndex<Scalar>::add_block(const FactorMatrix<Scalar>& rows, std::span<const double> reach, std::size_t b, double step,
                                  std::vector<double>& scaled, std::span<std::int8_t> codes) {
  constexpr double margin = 1.0 + 1e-9;  // for the rounding of the norms themselves
  const auto offset = code_kernels_->offset;
  const std::size_t first = b * score_block, count = (std::min)(score_block, order_.size() - first);
  double farthest = 0.0;
  for (std::size_t n = 0; n < count; ++n) {
    farthest = (std::max)(farthest, reach[static_cast<std::size_t>(order_[first + n])]);
    const std::span<const Scalar> row = rows.row(order_[first + n]);
    for (std::size_t f = 0; f < factors_; ++f) scaled[n * factors_ + f] = static_cast<double>(row[f]) / scale_[f];
  }
  const double inverse = 1.0 / step;
  double rest = 0.0;
  for (std::size_t n = 0; n < count; ++n) {
    rest = (std::max)(rest, code_kernels_->encode(scaled.data() + n * factors_, inverse, step, factors_, codes.data()).rest);
    for (std::size_t f = 0; f < factors_; ++f)
      codes_[((b * groups_ + f / 4) * score_block + n) * 4 + f % 4] = static_cast<std::uint8_t>(codes[f] + offset);
  }
  const double longest = (std::max)(farthest, least_length) * margin;
  reach_[b] = longest;
  unit_[b] = inverse;
  rest_[b] = std::sqrt(rest) * inverse * margin;
  norm_[b] = longest * inverse;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
