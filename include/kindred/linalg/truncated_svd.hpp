// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/random.hpp>
#include <kindred/core/team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/linalg/eigenbasis.hpp>
#include <kindred/linalg/gram.hpp>
#include <kindred/linalg/triangular_inverse.hpp>
#include <kindred/simd/kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// The two sides of a matrix that is decomposed.
enum class SvdSide { rows, columns };

/// The weights of all interactions of row `row` of `block`, valid until the next call. For one thread.
template <Real Scalar>
using RowWeights = std::function<const Scalar*(const RowBlock& block, Index row)>;

/// One side of a sparse matrix: its entry in row r and column c is scale_r scale_c times the weight of the stored
/// interaction.
/// Both sides describe the same interactions with the same weights.
template <Real Scalar>
struct WeightedRows {
  RowsRef rows;  ///< All of them, or those of this member of the team; what it refers to must outlive the decomposition.
  std::function<RowWeights<Scalar>()> weights;  ///< Called once for each thread.
  std::span<const double> scales = {};          ///< > 0, one for each row of the whole matrix; empty: all are 1.
  std::span<const std::uint64_t> shares =
      {};  ///< Where the run of each member of the team begins, length its size + 1; unused for a team of one.
};

/// The stored values as weights. `matrix` and `scales` must outlive the result.
template <Real Scalar, RowSource Rows>
[[nodiscard]] WeightedRows<Scalar> weighted_by_values(const Rows& matrix, std::span<const double> scales = {}) {
  return {RowsRef(matrix),
          []() -> RowWeights<Scalar> {
            return [buffer = std::vector<Scalar>()](const RowBlock& block, Index row) mutable {
              const std::span<const float> values = block.rows.row(row - block.first).values;
              buffer.assign(values.begin(), values.end());
              return static_cast<const Scalar*>(buffer.data());
            };
          },
          scales};
}
template <Real Scalar, RowSource Rows>
WeightedRows<Scalar> weighted_by_values(const Rows&& matrix, std::span<const double> scales = {}) = delete;

/// Which singular vectors are computed beside the values.
enum class SvdVectors { none, right, both };

struct SvdOptions {
  std::size_t count = 1;        ///< Singular values, >= 1.
  std::size_t extra = 10;       ///< Columns beyond them while iterating; they make the last values accurate.
  std::size_t power_steps = 2;  ///< Each costs two products and makes directions of small singular values die out faster.
  std::uint64_t seed = 42;      ///< Of the first block of columns.
  SvdVectors vectors = SvdVectors::right;
  SimdLevel level = SimdLevel::best;
  ParallelOptions parallel = {};
  /// After each of the 2 power_steps + 2 products, on the calling thread. Throws to end the decomposition.
  std::function<void(std::size_t done, std::size_t total)> after_product = {};
};

/// The largest singular values of a matrix, and their vectors.
template <Real Scalar>
struct TruncatedSvd {
  std::vector<double> values;  ///< Length count, falling; 0 beyond the numerical rank.
  FactorMatrix<Scalar> left;   ///< n_rows x count, orthonormal columns, zero beyond the rank; empty unless asked for.
  FactorMatrix<Scalar> right;  ///< n_columns x count, the same; the entry of largest magnitude of a column is positive.
  std::size_t rank = 0;        ///< Values above 0.
};

/// A singular value below this share of the largest one counts as 0: products in Scalar have no digits left there, or
/// Gram matrices in double.
template <Real Scalar>
[[nodiscard]] constexpr double least_singular_share() noexcept {
  return sizeof(Scalar) == 4 ? 1e-5 : 1e-6;
}

/// A randomised truncated SVD in the making.
///
/// With the matrix A = D C E (D, E the scales, C the weights), the blocks hold D Q and E Q, Q orthonormal: scales cost
/// nothing in the products.
template <Real Scalar>
class RandomizedSvd {
 public:
  RandomizedSvd(const WeightedRows<Scalar>& rows, const WeightedRows<Scalar>& columns, const SvdOptions& options, const Team& team)
      : sides_{rows, columns},
        options_(options),
        team_(team),
        kernels_(matrix_kernels<Scalar>(options.level)),
        kernels_in_double_(matrix_kernels<double>(options.level)),
        // More columns than rows or columns of A would all be dependent.
        width_((std::min)(
            {options.count + options.extra, static_cast<std::size_t>(rows.rows.rows()), static_cast<std::size_t>(columns.rows.rows())})) {
    for (std::size_t n = 0; n < 2; ++n)
      for (std::size_t worker = 0; worker < resolve_threads(options.parallel.threads); ++worker) weights_[n].push_back(sides_[n].weights());
  }

  [[nodiscard]] TruncatedSvd<Scalar> run() {
    TruncatedSvd<Scalar> svd;
    svd.values.assign(options_.count, 0.0);
    blocks_[1] = random_block();
    blocks_[0] = FactorMatrix<Scalar>(sides_[0].rows.rows(), static_cast<Index>(width_), options_.parallel);
    multiply(SvdSide::rows);
    for (std::size_t step = 0; step < options_.power_steps; ++step) {
      orthonormalise(SvdSide::rows);
      multiply(SvdSide::columns);
      orthonormalise(SvdSide::columns);
      multiply(SvdSide::rows);
    }
    orthonormalise(SvdSide::rows);
    orthonormalise_again();
    multiply(SvdSide::columns);
    finish(svd);
    return svd;
  }

 private:
  [[nodiscard]] const WeightedRows<Scalar>& side(SvdSide which) const noexcept { return sides_[static_cast<std::size_t>(which)]; }
  [[nodiscard]] FactorMatrix<Scalar>& block(SvdSide which) noexcept { return blocks_[static_cast<std::size_t>(which)]; }
  [[nodiscard]] ParallelOptions by(std::size_t grain) const noexcept {
    return {.threads = options_.parallel.threads, .grain = grain, .executor = options_.parallel.executor};
  }

  /// Uniform in [-1, 1), which spans as well as the normal numbers of the paper and costs a quarter: a multiplication
  /// and a quarter of a Philox block.
  [[nodiscard]] FactorMatrix<Scalar> random_block() const {
    const WeightedRows<Scalar>& columns = side(SvdSide::columns);
    FactorMatrix<Scalar> made(columns.rows.rows(), static_cast<Index>(width_), options_.parallel);
    parallel_for(static_cast<std::size_t>(made.rows()), by(256), [&](std::size_t first, std::size_t last, std::size_t) {
      for (std::size_t r = first; r < last; ++r) {
        Random random(options_.seed, RandomStream::truncated_svd, r);
        const double scale = 0x1.0p-31 * (columns.scales.empty() ? 1.0 : columns.scales[r]);
        for (Scalar& value : made.row(static_cast<Index>(r)))
          value = static_cast<Scalar>(scale * static_cast<double>(static_cast<std::int32_t>(random())));
      }
    });
    return made;
  }

  /// The block of `to` = weights of its rows times the block of the other side.
  void multiply(SvdSide to) {
    team_.on([&] { multiply_rows(to, block(to == SvdSide::rows ? SvdSide::columns : SvdSide::rows), block(to)); });
    gather_rows(team_, side(to).shares, block(to));
    if (options_.after_product) options_.after_product(++products_, 2 * options_.power_steps + 2);
  }

  void multiply_rows(SvdSide of, const FactorMatrix<Scalar>& other, FactorMatrix<Scalar>& out) {
    std::vector<RowWeights<Scalar>>& weights = weights_[static_cast<std::size_t>(of)];
    side(of).rows.for_each_block([&](const RowBlock& read) {
      const std::span<const Index> columns = read.rows.columns();
      parallel_for(static_cast<std::size_t>(read.rows.rows()), by(16), [&](std::size_t first, std::size_t last, std::size_t worker) {
        for (auto r = static_cast<Index>(first); r < static_cast<Index>(last); ++r) {
          const std::size_t begin = read.rows.row_begin(r);
          const GatherArguments<Scalar> rows{.fixed = other.data(),
                                             .stride = other.stride(),
                                             .factors = width_,
                                             .columns = columns.data() + begin,
                                             .count = read.rows.row_begin(r + 1) - begin};
          kernels_.sum_rows(rows, columns.size() - begin, weights[worker](read, read.first + r), out.row(read.first + r).data());
        }
      });
    });
  }

  /// The Gram matrix of a block whose rows are multiplied by the square roots of `weights`.
  [[nodiscard]] AlignedVector<double> gram(const FactorMatrix<Scalar>& of, std::span<const double> weights) const {
    BlockedGram<Scalar> blocked(of, weights, options_.level);
    blocked.add_all_blocks(options_.parallel, team_);
    AlignedVector<double> total = blocked.total();
    for (std::size_t f = 0; f < width_; ++f)
      if (!is_finite(total[f * width_ + f])) throw NumericalError("a truncated SVD is not finite: the weights of the matrix are too large");
    return total;
  }

  [[nodiscard]] static std::vector<double> squares(std::span<const double> scales) {
    std::vector<double> made(scales.begin(), scales.end());
    for (double& value : made) value *= value;
    return made;
  }

  /// A block C P becomes D Q, Q an orthonormal basis of D C P; columns that depend on those before them become zero.
  void orthonormalise(SvdSide which) {
    const std::vector<double> weights = squares(side(which).scales);
    transform(block(which), weights, inverse_of(gram(block(which), weights)), width_, true, block(which));
  }

  /// D Q again, with Q orthonormal to the last digits: the first time rounding in the Gram matrix counts by the square
  /// of the block's condition.
  void orthonormalise_again() {
    std::vector<double> weights(side(SvdSide::rows).scales.begin(), side(SvdSide::rows).scales.end());
    for (double& value : weights) value = 1.0 / (value * value);
    transform(block(SvdSide::rows), {}, inverse_of(gram(block(SvdSide::rows), weights)), width_, true, block(SvdSide::rows));
  }

  [[nodiscard]] AlignedVector<double> inverse_of(const AlignedVector<double>& symmetric) const {
    const double share = least_singular_share<Scalar>();
    return triangular_inverse(symmetric, width_, share * share, options_.level);
  }

  /// out = diag(scales) block matrix; `matrix`: width x `n_out`, spread_stride apart, perhaps upper triangular. `out`
  /// may be `in`.
  void transform(const FactorMatrix<Scalar>& in, std::span<const double> scales, const AlignedVector<double>& matrix, std::size_t n_out,
                 bool is_upper, FactorMatrix<Scalar>& out) const {
    constexpr std::size_t chunk = 64, strip = 24;  // the width of a tile of the kernel, or a multiple of it
    const std::size_t ld = spread_stride<double>(width_), out_ld = spread_stride<double>(n_out);
    const std::size_t wide = (n_out + 7) / 8 * 8;
    struct Buffers {
      AlignedVector<double> before, after;
    };
    const auto rows = static_cast<std::size_t>(in.rows());
    std::vector<Buffers> buffers(worker_count(rows, by(chunk)));
    for (Buffers& each : buffers) each = {AlignedVector<double>(chunk * ld, 0.0), AlignedVector<double>(chunk * out_ld, 0.0)};
    parallel_for(rows, by(chunk), [&](std::size_t first, std::size_t last, std::size_t worker) {
      auto& [before, after] = buffers[worker];
      for (std::size_t r = first; r < last; ++r)
        kernels_.scale_to_double(in.row(static_cast<Index>(r)).data(), scales.empty() ? 1.0 : scales[r], width_,
                                 before.data() + (r - first) * ld);
      for (std::size_t at = 0; at < wide; at += strip) {
        const std::size_t columns = (std::min)(strip, wide - at);
        kernels_in_double_.multiply(before.data(), ld, last - first, matrix.data() + at, out_ld, columns,
                                    is_upper ? (std::min)(width_, at + columns) : width_, after.data() + at, out_ld);
      }
      for (std::size_t r = first; r < last; ++r) {
        const std::span<Scalar> to = out.row(static_cast<Index>(r));
        for (std::size_t f = 0; f < n_out; ++f) to[f] = static_cast<Scalar>(after[(r - first) * out_ld + f]);
      }
    });
  }

  /// With B = A' Q in the columns' block: B' B = W S^2 W', V = B W S^-1, U = Q W.
  void finish(TruncatedSvd<Scalar>& svd) {
    const std::vector<double> weights = squares(side(SvdSide::columns).scales);
    const Eigenbasis basis = eigenbasis(gram(block(SvdSide::columns), weights), width_, options_.parallel, options_.level);
    const std::size_t found = (std::min)(options_.count, width_);
    for (std::size_t f = 0; f < found; ++f) svd.values[f] = std::sqrt(basis.values[f]);
    for (double& value : svd.values)
      if (!(value > least_singular_share<Scalar>() * svd.values.front())) value = 0.0;
    while (svd.rank < found && svd.values[svd.rank] > 0.0) ++svd.rank;
    if (options_.vectors == SvdVectors::none) return;

    const std::size_t ld = spread_stride<double>(options_.count);
    AlignedVector<double> turn(width_ * ld, 0.0), shrink(width_ * ld, 0.0);
    for (std::size_t f = 0; f < svd.rank; ++f)
      for (std::size_t row = 0; row < width_; ++row) {
        turn[row * ld + f] = basis.vectors[f * width_ + row];
        shrink[row * ld + f] = turn[row * ld + f] / svd.values[f];
      }
    if (options_.vectors == SvdVectors::both) {
      std::vector<double> unscaled(side(SvdSide::rows).scales.begin(), side(SvdSide::rows).scales.end());
      for (double& value : unscaled) value = 1.0 / value;
      svd.left = FactorMatrix<Scalar>(block(SvdSide::rows).rows(), static_cast<Index>(options_.count), options_.parallel);
      transform(block(SvdSide::rows), unscaled, turn, options_.count, false, svd.left);
    }
    block(SvdSide::rows) = {};
    svd.right = FactorMatrix<Scalar>(block(SvdSide::columns).rows(), static_cast<Index>(options_.count), options_.parallel);
    transform(block(SvdSide::columns), side(SvdSide::columns).scales, shrink, options_.count, false, svd.right);
    fix_signs(svd);
  }

  /// The entry of largest magnitude of each right vector, the first of equal ones, becomes positive.
  void fix_signs(TruncatedSvd<Scalar>& svd) const {
    constexpr std::size_t grain = 1024;
    const auto rows = static_cast<std::size_t>(svd.right.rows());
    std::vector<std::vector<Scalar>> largest((rows + grain - 1) / grain, std::vector<Scalar>(svd.rank, Scalar(0)));
    const auto keep_larger = [](Scalar& kept, Scalar value) {
      if (std::abs(value) > std::abs(kept)) kept = value;
    };
    parallel_for(rows, by(grain), [&](std::size_t first, std::size_t last, std::size_t) {
      for (std::size_t r = first; r < last; ++r)
        for (std::size_t f = 0; f < svd.rank; ++f)
          keep_larger(largest[first / grain][f], std::as_const(svd.right).row(static_cast<Index>(r))[f]);
    });
    for (const std::vector<Scalar>& piece : largest)
      for (std::size_t f = 0; f < svd.rank; ++f) keep_larger(largest.front()[f], piece[f]);
    for (FactorMatrix<Scalar>* vectors : {&svd.right, &svd.left})
      parallel_for(static_cast<std::size_t>(vectors->rows()), by(grain), [&](std::size_t first, std::size_t last, std::size_t) {
        for (std::size_t r = first; r < last; ++r)
          for (std::size_t f = 0; f < svd.rank; ++f)
            if (largest.front()[f] < Scalar(0)) vectors->row(static_cast<Index>(r))[f] = -vectors->row(static_cast<Index>(r))[f];
      });
  }

  WeightedRows<Scalar> sides_[2];
  std::vector<RowWeights<Scalar>> weights_[2];  // of each worker
  const SvdOptions& options_;
  const Team& team_;
  const MatrixKernels<Scalar>& kernels_;
  const MatrixKernels<double>& kernels_in_double_;
  std::size_t width_;
  FactorMatrix<Scalar> blocks_[2];  // of rows, of columns
  std::size_t products_ = 0;
};

/// The largest singular values and vectors of a sparse matrix of which `rows` and `columns` are the two sides: A ~ U
/// diag(values) V'.
///
/// O(power_steps (nnz + (n_rows + n_columns) width) width), width = count + extra. Sums are in a fixed order: the same
/// bytes for any number of threads, of blocks of rows and of members of `team`, each of which has the rows of its share.
/// Source: Halko, Martinsson, Tropp 2011, algorithms 4.4 and 5.1, with uniform numbers in the first block and
/// orthonormalisation by Cholesky factors of Gram matrices.
/// @throws InvalidArgument if options.count is 0 or this processor does not have the level; ShapeError if the sides do
/// not belong together; NumericalError if a product overflows; what a weight, a source, the team or after_product
/// throws.
template <Real Scalar>
[[nodiscard]] TruncatedSvd<Scalar> truncated_svd(const WeightedRows<Scalar>& rows, const WeightedRows<Scalar>& columns,
                                                 const SvdOptions& options, const Team& team = Team()) {
  if (options.count < 1) throw InvalidArgument("count", options.count, "at least 1");
  if (rows.rows.rows() != columns.rows.cols() || rows.rows.cols() != columns.rows.rows())
    throw ShapeError("a truncated SVD of " + shape_text(rows.rows.shape()) + " whose columns are " + shape_text(columns.rows.shape()));
  for (const WeightedRows<Scalar>* side : {&rows, &columns})
    if (!side->scales.empty() && side->scales.size() != static_cast<std::size_t>(side->rows.rows()))
      throw ShapeError(std::to_string(side->scales.size()) + " scales for " + std::to_string(side->rows.rows()) + " rows");
  if (rows.rows.rows() == 0 || columns.rows.rows() == 0) {
    TruncatedSvd<Scalar> none;
    none.values.assign(options.count, 0.0);
    return none;
  }
  return RandomizedSvd<Scalar>(rows, columns, options, team).run();
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
