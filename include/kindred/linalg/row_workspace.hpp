// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/reduced_row.hpp>
#include <kindred/linalg/row_cost.hpp>
#include <kindred/linalg/row_system.hpp>
#include <kindred/simd/kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Solves row systems in one precision. The workspace grows to the largest row seen and is used again for the next.
template <Real T>
class RowWorkspace {
 public:
  /// Systems up to this order are solved in batches, to the same bytes. Larger ones alone: 16 of order 128 take 1 MiB beside the rows that are being brought
  /// nearer, and an iteration at 128 factors took 6 % longer.
  static constexpr std::size_t most_batched = 96;

  RowWorkspace(std::size_t factors, std::size_t stride, const RowKernels<T>& kernels)
      : k_(factors), stride_(stride), ld_(spread_stride<T>(factors)), kernels_(kernels) {}

  [[nodiscard]] std::size_t lanes() const noexcept { return kernels_.lanes; }

  /// Columns of the row after the next one, to be brought nearer while that is reduced.
  void expect(const T* fixed, std::span<const Index> columns) {
    ahead_ = from(fixed, columns.data(), (std::min)(columns.size(), 2 * block_rows));
  }

  /// s_f = (background e_f + penalty)^(-1/2), kept while rows ask for the same.
  void set_scale(std::span<const double> eigenvalues, double background, double penalty) {
    if (background == background_ && penalty == penalty_) return;
    scale_.assign(stride_, T(0));
    inverse_scale_.assign(stride_, T(0));
    for (std::size_t f = 0; f < k_; ++f) {
      const double root = std::sqrt(background * eigenvalues[f] + penalty);
      scale_[f] = static_cast<T>(1.0 / root);
      inverse_scale_[f] = static_cast<T>(root);
    }
    background_ = background;
    penalty_ = penalty;
    ++scale_number_;
  }

  /// Brings a row's system into `row`; `fixed` has rows of `stride` as the constructor was told, `columns` are rows of it and must outlive `row`.
  /// A system of at most most_batched stands in row.tiles, a larger one in this workspace until the next call.
  /// `parts`: of sum_part, or empty.
  void reduce(const T* fixed, const Index* columns, const RowSystem<T>& system, ReducedRow<T>& row,
              std::span<const RowPart<T>> parts = {}) {
    const std::size_t n = system.columns.size();
    if (row.scale_number != scale_number_) {
      row.scale.assign(scale_.begin(), scale_.end());
      row.scale_number = scale_number_;
    }
    // Where a short row wants them, if it may be one.
    AlignedVector<T>& weight = n < k_ ? row.weight : weight_;
    AlignedVector<T>& quotient = n < k_ ? row.rhs : quotient_;
    grow(weight, padded(n));
    grow(quotient, padded((std::max)(n, kernels_.rows)));
    const bool regular =
        kernels_.regular_weights(system.excess.data(), system.target.data(), n, smallest_share, weight.data(), quotient.data());
    bool all_positive = true;
    std::size_t observed = n;  // entries with d != 0
    if (!regular) {
      observed = 0;
      for (const double d : system.excess) {
        observed += d != 0.0 ? 1 : 0;
        all_positive = all_positive && d >= 0.0;
      }
    }
    row.is_short = all_positive && observed < k_;
    row.size = row.is_short ? observed : k_;
    if (row.is_short && regular)
      std::fill(row.rhs.begin() + static_cast<std::ptrdiff_t>(n), row.rhs.end(), T(0));
    else
      row.rhs.assign(padded((std::max)(row.size, kernels_.rows)), T(0));
    if (row.is_short)
      reduce_short(fixed, columns, system, regular, row);
    else
      reduce_long(fixed, columns, system, regular, row, parts);
  }

  /// Sums part `part` of a row of more than one.
  void sum_part(const T* fixed, const Index* columns, const RowSystem<T>& system, std::size_t part, RowPart<T>& to) {
    const std::size_t n = system.columns.size(), first = row_part_begin(n, part), count = row_part_begin(n, part + 1) - first;
    grow(weight_, padded(count));
    grow(quotient_, padded((std::max)(count, kernels_.rows)));
    to.regular = kernels_.regular_weights(system.excess.data() + first, system.target.data() + first, count, smallest_share, weight_.data(),
                                          quotient_.data());
    if (!to.regular) return;
    to.matrix.assign(matrix_size(), T(0));
    to.sum.assign(stride_, 0.0);
    part_.resize(stride_);
    grow(coefficient_, block_rows);
    sum_blocks(fixed, columns, system, first, first + count, weight_.data(), to.matrix.data(), to.sum.data());
  }

  /// Solves a reduced row alone; false if a pivot is too small to trust.
  [[nodiscard]] bool solve_alone(ReducedRow<T>& row) {
    if (row.size == 0) return true;
    const std::size_t ld = spread_stride<T>(row.size);
    const std::size_t order = (row.size + kernels_.rows - 1) / kernels_.rows * kernels_.rows;
    if (row.size <= most_batched) rows_from_tiles(row, ld, order);
    for (std::size_t i = row.size; i < order; ++i) {
      std::fill_n(matrix_.begin() + static_cast<std::ptrdiff_t>(i * ld), ld, T(0));
      matrix_[i * ld + i] = row.largest;
    }
    grow(row.rhs, ld);
    grow(inverse_, order);
    grow(panel_, order * kernels_.rows);
    const FactorizeArguments<T> a{
        .v = matrix_.data(), .ld = ld, .size = row.size, .rhs = row.rhs.data(), .inverse = inverse_.data(), .panel = panel_.data()};
    if (!trusted(kernels_.factorize(a), row)) return false;
    z_.resize(order);
    kernels_.back_substitute(a, z_.data());
    std::copy_n(z_.begin(), row.size, row.rhs.begin());
    return true;
  }

  /// Solves up to lanes() reduced rows of at most most_batched; trusted[n] tells of row n what solve_alone returns.
  void solve_together(std::span<ReducedRow<T>> reduced, std::span<bool> trusted_rows) {
    std::array<BatchSystem<T>, 16> systems{};
    alignas(row_alignment) std::array<T, 16> smallest{};
    std::size_t size = 0;
    for (const ReducedRow<T>& row : reduced) size = (std::max)(size, (row.size + 3) / 4 * 4);
    idle_.assign(size, T(0));
    for (std::size_t n = 0; n < kernels_.lanes; ++n) {
      if (n < reduced.size()) {
        ReducedRow<T>& row = reduced[n];
        grow(row.rhs, size);
        systems[n] = {.tiles = row.tiles.data(), .size = (row.size + 3) / 4 * 4, .largest = row.largest, .rhs = row.rhs.data()};
      } else {
        systems[n].rhs = idle_.data();
      }
    }
    grow(batch_, batch_work(size, kernels_.lanes));
    if (size > 0) kernels_.solve_batch({.size = size, .systems = systems.data(), .smallest = smallest.data(), .work = batch_.data()});
    for (std::size_t n = 0; n < reduced.size(); ++n) trusted_rows[n] = reduced[n].size == 0 || trusted(smallest[n], reduced[n]);
  }

  /// From the solution of the reduced system to that of the row.
  [[nodiscard]] RowOutcome finish(const T* fixed, ReducedRow<T>& row, std::span<T> x) {
    if (!row.is_short) return store(row.rhs.data(), row.scale, x);
    const T* const rest = row.rest.empty() ? nullptr : row.rest.data();
    z_.resize(stride_);
    const bool finite =
        kernels_.expand(from(fixed, row.columns, row.count), row.weight.data(), row.rhs.data(), row.scale.data(), rest, z_.data());
    std::copy_n(z_.begin(), k_, x.begin());
    return finite ? RowOutcome::solved : RowOutcome::not_finite;
  }

  [[nodiscard]] RowOutcome improve(const T* fixed, const RowSystem<T>& system, std::size_t steps, double tolerance, std::span<T> x) {
    const std::size_t n = system.columns.size();
    const std::size_t padded_n = (n + 3) / 4 * 4;
    const std::size_t most = (std::min)(padded_n, block_rows);
    grow(weight_, padded_n);
    grow(quotient_, padded_n);
    kernels_.narrow(system.excess.data(), n, weight_.data());
    kernels_.narrow(system.target.data(), n, quotient_.data());
    for (std::size_t at = n; at < padded_n; ++at) weight_[at] = quotient_[at] = T(0);
    base_.assign(system.prior_mean.empty() ? 0 : stride_, T(0));
    for (std::size_t f = 0; f < system.prior_mean.size(); ++f)
      base_[f] = static_cast<T>(system.penalty * static_cast<double>(system.prior_mean[f])) * scale_[f];
    z_.assign(stride_, T(0));
    std::copy(x.begin(), x.end(), z_.begin());
    (void)kernels_.scale_by(z_.data(), inverse_scale_.data(), stride_, z_.data());
    grow(scratch_, 3 * stride_);
    grow(b_, most * stride_);
    if (ones_.empty()) ones_.assign(block_rows, T(1));
    kernels_.conjugate_gradient({.from = from(fixed, system.columns.data(), n),
                                 .weight = weight_.data(),
                                 .target = quotient_.data(),
                                 .scale = scale_.data(),
                                 .ones = ones_.data(),
                                 .base = base_.empty() ? nullptr : base_.data(),
                                 .z = z_.data(),
                                 .scratch = scratch_.data(),
                                 .rows = b_.data(),
                                 .block = block_rows,
                                 .steps = steps,
                                 .tolerance = static_cast<T>(tolerance),
                                 .ahead = std::exchange(ahead_, {})});
    return store(z_.data(), scale_, x);
  }

 private:
  /// Rows of B held at a time when many are summed up: the block stays in the second-level cache.
  static constexpr std::size_t block_rows = 256;

  /// A right-hand side whose d is a small part of its confidence goes into g: dividing it by sqrt(d) would lose digits or overflow.
  static constexpr double smallest_share = 0.01;

  /// To `size` at least; what is added is zero.
  static void grow(AlignedVector<T>& vector, std::size_t size) {
    if (vector.size() < size) vector.resize(size);
  }

  static constexpr std::size_t padded(std::size_t size) noexcept {
    constexpr std::size_t line = row_alignment / sizeof(T);
    return (size + line - 1) / line * line;
  }

  [[nodiscard]] GatherArguments<T> from(const T* fixed, const Index* columns, std::size_t count) const noexcept {
    return {.fixed = fixed, .stride = stride_, .factors = k_, .columns = columns, .count = count};
  }

  [[nodiscard]] static bool trusted(T smallest, const ReducedRow<T>& row) noexcept {
    return smallest > static_cast<T>(row.size) * std::numeric_limits<T>::epsilon() * row.largest;
  }

  /// x = s o z; z is used up.
  [[nodiscard]] RowOutcome store(T* z, const AlignedVector<T>& scale, std::span<T> x) const noexcept {
    const bool finite = kernels_.scale_by(z, scale.data(), stride_, z);
    std::copy_n(z, k_, x.begin());
    return finite ? RowOutcome::solved : RowOutcome::not_finite;
  }

  // z = g + B' (I + B B')^{-1} (t - B g)
  void reduce_short(const T* fixed, const Index* columns, const RowSystem<T>& system, bool regular, ReducedRow<T>& row) {
    const std::size_t size = (row.size + 3) / 4 * 4;
    row.columns = columns;
    row.count = row.size;
    rest_columns_.clear();
    rest_.clear();
    if (!regular) {
      row.weight.assign(padded(size), T(0));
      row.split_weights(columns, system, smallest_share, rest_columns_, rest_);
    }
    const GatherArguments<T> rows = from(fixed, row.columns, row.count);
    row.rest.clear();
    if (!rest_.empty() || !system.prior_mean.empty()) {
      row.rest.resize(stride_);
      kernels_.combine(from(fixed, rest_columns_.data(), rest_.size()), rest_.data(), row.rest.data());
      for (std::size_t f = 0; f < system.prior_mean.size(); ++f)
        row.rest[f] += static_cast<T>(system.penalty * static_cast<double>(system.prior_mean[f]));
      grow(scratch_, stride_);
      for (std::size_t f = 0; f < stride_; ++f) {
        row.rest[f] *= scale_[f];
        scratch_[f] = row.rest[f] * scale_[f];
      }
      grow(coefficient_, row.count);
      kernels_.dots(rows, scratch_.data(), coefficient_.data());
      for (std::size_t n = 0; n < row.count; ++n) row.rhs[n] -= row.weight[n] * coefficient_[n];
    }
    if (row.size == 0) return;

    grow(b_, size * stride_);
    kernels_.gather_blocks(rows, scale_.data(), row.weight.data(), b_.data());
    const std::size_t blocks = size / 4;
    grow(row.tiles, blocks * (blocks + 1) / 2 * 16);
    kernels_.row_products(b_.data(), stride_, size, (k_ + 3) / 4 * 4, row.tiles.data(), std::exchange(ahead_, {}));
    std::array<T, 4> largest{};  // four, or each comparison would wait for the last
    T* tile = row.tiles.data();  // of the diagonal
    for (std::size_t j = 0; j < blocks; tile += 16 * (++j + 1))
      for (std::size_t c = 0; c < 4; ++c) largest[c] = (std::max)(largest[c], tile[5 * c] += T(1));
    row.largest = *std::max_element(largest.begin(), largest.end());
    row.pad_tiles();
    if (row.size > most_batched) rows_from_tiles(row, spread_stride<T>(row.size), size);
  }

  void rows_from_tiles(const ReducedRow<T>& row, std::size_t ld, std::size_t order) {
    grow(matrix_, (std::max)(order, padded(row.size)) * ld);
    row.copy_tiles(matrix_.data(), ld, order);
  }

  // z = (I + B' S B)^{-1} r, with r = s o (sum_n target_n y_n + penalty m); blocks of rows are summed in T, blocks in double.
  void reduce_long(const T* fixed, const Index* columns, const RowSystem<T>& system, bool regular, ReducedRow<T>& row,
                   std::span<const RowPart<T>> parts) {
    const std::size_t n = system.columns.size(), n_parts = regular ? row_parts(n) : 1;
    matrix_.assign(matrix_size(), T(0));
    for (std::size_t f = 0; f < k_; ++f) matrix_[f * ld_ + f] = T(1);
    sum_.assign(stride_, 0.0);
    part_.resize(stride_);
    grow(coefficient_, block_rows);
    if (n_parts == 1) sum_blocks(fixed, columns, system, 0, n, regular ? weight_.data() : nullptr, matrix_.data(), sum_.data());
    for (std::size_t part = 0; n_parts > 1 && part < n_parts; ++part) {
      if (parts.empty()) sum_part(fixed, columns, system, part, own_part_);
      const RowPart<T>& sum = parts.empty() ? own_part_ : parts[part];
      for (std::size_t at = 0; at < matrix_.size(); ++at) matrix_[at] += sum.matrix[at];
      for (std::size_t f = 0; f < stride_; ++f) sum_[f] += sum.sum[f];
    }
    for (std::size_t f = 0; f < system.prior_mean.size(); ++f) sum_[f] += system.penalty * static_cast<double>(system.prior_mean[f]);
    for (std::size_t f = 0; f < stride_; ++f) row.rhs[f] = static_cast<T>(sum_[f] * static_cast<double>(scale_[f]));
    if (!regular) {
      add_part(fixed, columns, system, false);
      add_part(fixed, columns, system, true);
    }
    row.largest = T(0);
    for (std::size_t f = 0; f < k_; ++f) row.largest = (std::max)(row.largest, matrix_[f * ld_ + f]);
    if (k_ > most_batched) return;
    const std::size_t blocks = (k_ + 3) / 4;
    grow(row.tiles, blocks * (blocks + 1) / 2 * 16);
    kernels_.tiles_of(matrix_.data(), ld_, blocks, row.tiles.data());
    row.pad_tiles();
  }

  /// Adds the interactions [first, last) of a row to `matrix` and `sum`, block by block. `weight`: of the interaction `first` on; null: only to `sum`.
  void sum_blocks(const T* fixed, const Index* columns, const RowSystem<T>& system, std::size_t first, std::size_t last, const T* weight,
                  T* matrix, double* sum) {
    for (std::size_t at = first; at < last; at += block_rows) {
      const GatherArguments<T> rows = from(fixed, columns + at, (std::min)(block_rows, last - at));
      kernels_.narrow(system.target.data() + at, rows.count, coefficient_.data());
      if (weight != nullptr) {
        grow(b_, (rows.count + 3) / 4 * 4 * ld_);
        kernels_.gather_and_sum(rows, scale_.data(), weight + (at - first), coefficient_.data(), b_.data(), ld_, part_.data());
        kernels_.accumulate(matrix, ld_, k_, b_.data(), b_.data(), rows.count, std::exchange(ahead_, {}));
      } else {
        kernels_.combine(rows, coefficient_.data(), part_.data());
      }
      for (std::size_t f = 0; f < k_; ++f) sum[f] += static_cast<double>(part_[f]);
    }
  }

  /// Of the matrix of a system of order k, padded as its factorisation wants it.
  [[nodiscard]] std::size_t matrix_size() const noexcept {
    const std::size_t order = (k_ + kernels_.rows - 1) / kernels_.rows * kernels_.rows;
    return (std::max)(order, stride_) * ld_;
  }

  /// matrix_ += or -= the outer products of these rows, scaled.
  void add_products(const T* fixed, std::span<const Index> columns, const T* weight, bool negative) {
    grow(b_, (columns.size() + 3) / 4 * 4 * ld_);
    kernels_.gather(from(fixed, columns.data(), columns.size()), scale_.data(), weight, b_.data(), ld_);
    T* left = b_.data();
    if (negative) {
      negative_.assign(b_.begin(), b_.end());
      for (T& entry : negative_) entry = -entry;
      left = negative_.data();
    }
    kernels_.accumulate(matrix_.data(), ld_, k_, left, b_.data(), columns.size(), std::exchange(ahead_, {}));
  }

  /// The same for the rows whose d is above 0, or below it.
  void add_part(const T* fixed, const Index* columns, const RowSystem<T>& system, bool negative) {
    const std::size_t n = system.columns.size();
    for (std::size_t at = 0; at < n;) {
      rest_columns_.clear();
      rest_.clear();
      for (; at < n && rest_columns_.size() < block_rows; ++at) {
        const double d = system.excess[at];
        if (negative ? !(d < 0.0) : !(d > 0.0)) continue;
        rest_columns_.push_back(columns[at]);
        rest_.push_back(static_cast<T>(std::sqrt(std::abs(d))));
      }
      if (!rest_columns_.empty()) add_products(fixed, rest_columns_, rest_.data(), negative);
    }
  }

  std::size_t k_;
  std::size_t stride_;
  std::size_t ld_;  // of matrix_ where the system is of order k, and of rows to be summed up
  const RowKernels<T>& kernels_;
  GatherArguments<T> ahead_;
  double background_ = -1.0;
  double penalty_ = -1.0;
  std::size_t scale_number_ = 0;  // of the call of set_scale that changed it last
  AlignedVector<T> scale_;        // s, zero beyond the factors
  AlignedVector<T> inverse_scale_;
  AlignedVector<T> b_;  // B, or a block of it
  AlignedVector<T> negative_;
  AlignedVector<T> matrix_;  // a system to be solved alone, then its factorisation
  AlignedVector<T> inverse_;
  AlignedVector<T> panel_;
  AlignedVector<T> batch_;
  AlignedVector<T> idle_;
  AlignedVector<T> base_;
  AlignedVector<T> z_;
  AlignedVector<T> weight_;
  AlignedVector<T> quotient_;
  AlignedVector<T> ones_;
  AlignedVector<T> rest_;
  AlignedVector<T> coefficient_;
  AlignedVector<T> scratch_;
  AlignedVector<T> part_;
  AlignedVector<double> sum_;
  RowPart<T> own_part_;
  std::vector<Index> rest_columns_;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
