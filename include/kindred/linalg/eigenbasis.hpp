// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/basis.hpp>
#include <kindred/linalg/gram.hpp>
#include <kindred/simd/kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// A symmetric matrix on its way to its eigenvectors; everything row by row, so that every inner loop is a kernel on contiguous memory.
///
/// Householder tridiagonalisation (Golub and Van Loan, Matrix Computations, 4th ed., algorithm 8.3.1) and implicit QL with Wilkinson's shift
/// (Bowdler, Martin, Reinsch, Wilkinson 1968). What large orders pay for is memory traffic, so: rows are updated and multiplied with the next reflector in
/// one pass over half of the matrix; the orthogonal matrix is kept transposed, and its rows are reflected a few at a time by all reflectors; plane rotations are
/// collected over many sweeps and then applied to strips of columns that stay in the second-level cache.
class SymmetricEigenproblem {
 public:
  SymmetricEigenproblem(std::span<const double> symmetric, std::size_t size, SimdLevel level, const ParallelOptions& parallel)
      : size_(size),
        ld_(spread_stride<double>(size)),
        kernels_(vector_kernels(level)),
        parallel_{.threads = size < least_shared ? 1 : parallel.threads, .grain = 1, .executor = parallel.executor},
        matrix_((size + 7) / 8 * 8 * ld_, 0.0),
        basis_((size + group - 1) / group * group * ld_, 0.0),
        diagonal_(size, 0.0),
        off_(size, 0.0),
        factor_(size, 0.0) {
    for (std::size_t r = 0; r < size; ++r) std::copy_n(symmetric.data() + r * size, size, matrix_.data() + r * ld_);
  }

  /// False if the iteration does not converge.
  [[nodiscard]] bool solve() {
    tridiagonalize();
    form_basis();
    return diagonalize();
  }

  [[nodiscard]] double value(std::size_t n) const noexcept { return diagonal_[n]; }
  [[nodiscard]] std::span<const double> vector(std::size_t n) const noexcept { return {basis_.data() + n * ld_, size_}; }

 private:
  static constexpr std::size_t least_shared = 256;  // smaller problems are done before a thread has started
  static constexpr std::size_t group = 16;          // rows of the basis that are reflected together
  static constexpr std::size_t strip = 32;          // columns of the basis that are rotated together

  /// Plane rotations of one sweep: of row `bottom` with the one above it, and so on upwards.
  struct Sweep {
    std::size_t bottom, first, count;  // `first` of cosines_ and sines_
  };

  [[nodiscard]] double* row(std::size_t r) noexcept { return matrix_.data() + r * ld_; }
  [[nodiscard]] static std::size_t aligned_down(std::size_t n) noexcept { return n / 8 * 8; }

  // Step i maps column i beyond the diagonal to a multiple of a unit vector by the reflector I - factor v v'. v is zero up to place i and replaces row i.
  // A <- A - v w' - w v' with w = factor A v - (factor^2 / 2) (v' A v) v. Of a row only what is right of its 8 x 8 block on the diagonal is kept up to
  // date, and the block itself.
  void tridiagonalize() {
    if (size_ == 0) return;
    AlignedVector<double> w(ld_, 0.0);
    AlignedVector<double> product(ld_, 0.0);  // A v for the rows still to come
    make_reflector(0);
    update(0, w.data(), w.data(), product.data());
    for (std::size_t i = 0; i + 1 < size_; ++i) {
      const std::size_t first = i + 1;
      const std::size_t start = aligned_down(first);  // lanes before `first` meet zeros of v and w
      const double* const v = row(i);
      const double shift = 0.5 * factor_[i] * factor_[i] * kernels_.dot(product.data() + start, v + start, ld_ - start);
      for (std::size_t c = start; c < ld_; ++c) w[c] = factor_[i] * product[c] - shift * v[c];

      // The next row is updated first: it becomes the next reflector, with which the others are multiplied while they are updated.
      double* const next = row(first);
      for (std::size_t c = start; c < ld_; ++c) next[c] -= v[first] * w[c] + w[first] * v[c];
      make_reflector(first);
      update(first, v, w.data(), product.data());
    }
  }

  /// The rows below row `last`: A <- A - v w' - w v', then product = A times the reflector in row `last`.
  void update(std::size_t last, const double* v, const double* w, double* product) {
    const double* const reflector = row(last);
    std::fill(product + aligned_down(last), product + ld_, 0.0);
    for (std::size_t r = (last + 1) / 4 * 4; r < size_; r += 4) {
      double along_v[4], along_w[4], mirror[4], dots[4];
      for (std::size_t n = 0; n < 4; ++n) {  // rows up to the last one are done with
        const bool below = r + n > last;
        along_v[n] = below ? w[r + n] : 0.0;
        along_w[n] = below ? v[r + n] : 0.0;
        mirror[n] = reflector[r + n];
      }
      const std::size_t start = aligned_down(r);
      kernels_.update_rows({.rows = row(r) + start,
                            .ld = ld_,
                            .count = ld_ - start,
                            .along_x = along_v,
                            .x = v + start,
                            .along_y = along_w,
                            .y = w + start,
                            .v = reflector + start,
                            .dots = dots,
                            .mirror = mirror,
                            .product = product + start,
                            .skip = 8});
      for (std::size_t n = 0; n < 4; ++n)
        if (r + n > last) product[r + n] += dots[n];
    }
  }

  /// Takes the diagonal entry of row i and turns the rest of the row into v; sets off_[i] and factor_[i].
  void make_reflector(std::size_t i) {
    double* const v = row(i);
    const std::size_t first = i + 1;
    diagonal_[i] = v[i];
    std::fill(v, v + first, 0.0);
    if (first == size_) return;
    double largest = 0.0;
    for (std::size_t c = first; c < size_; ++c) largest = (std::max)(largest, std::abs(v[c]));
    double tail = 0.0;
    if (largest > 0.0) {
      for (std::size_t c = first; c < size_; ++c) {
        v[c] /= largest;  // neither overflow nor underflow in the squares
        if (c > first) tail += v[c] * v[c];
      }
    }
    if (!(tail > 0.0)) {  // nothing to eliminate
      off_[i] = v[first] * largest;
      std::fill(v + first, v + size_, 0.0);
      return;
    }
    const double norm = std::sqrt(v[first] * v[first] + tail);
    const double image = v[first] > 0.0 ? -norm : norm;
    off_[i] = image * largest;
    v[first] -= image;
    factor_[i] = 2.0 / (v[first] * v[first] + tail);
  }

  /// The product of the reflectors, transposed. Each row meets them from the last to the first; those that begin right of its one leave it alone.
  void form_basis() {
    for (std::size_t r = 0; r < size_; ++r) basis_[r * ld_ + r] = 1.0;
    parallel_for((size_ + group - 1) / group, parallel_, [&](std::size_t first_group, std::size_t last_group, std::size_t) {
      for (std::size_t top = first_group * group; top < last_group * group; top += group) {
        for (std::size_t i = (std::min)(top + group, size_) - 1; i-- > 0;) {
          if (factor_[i] == 0.0) continue;
          const std::size_t start = aligned_down(i + 1);
          for (std::size_t r = top; r < top + group; r += 4)
            kernels_.reflect_rows(basis_.data() + r * ld_ + start, ld_, row(i) + start, factor_[i], ld_ - start);
        }
      }
    });
  }

  [[nodiscard]] bool diagonalize();

  /// Applies the collected rotations to the basis.
  void rotate_basis() {
    parallel_for((size_ + strip - 1) / strip, parallel_, [&](std::size_t first_strip, std::size_t last_strip, std::size_t) {
      for (std::size_t column = first_strip * strip; column < last_strip * strip; column += strip)
        for (const Sweep& sweep : sweeps_)
          kernels_.rotate_rows(basis_.data() + sweep.bottom * ld_ + column, ld_, cosines_.data() + sweep.first, sines_.data() + sweep.first,
                               sweep.count, (std::min)(strip, ld_ - column));
    });
    sweeps_.clear();
    cosines_.clear();
    sines_.clear();
  }

  std::size_t size_;
  std::size_t ld_;
  const VectorKernels& kernels_;
  ParallelOptions parallel_;
  AlignedVector<double> matrix_;
  AlignedVector<double> basis_;  // row n belongs to diagonal_[n]
  std::vector<double> diagonal_;
  std::vector<double> off_;     // off_[n] couples n and n + 1
  std::vector<double> factor_;  // 2 / v'v of each reflector
  std::vector<Sweep> sweeps_;
  std::vector<double> cosines_;
  std::vector<double> sines_;
};

inline bool SymmetricEigenproblem::diagonalize() {
  constexpr int most_sweeps = 60;  // a value takes two on average
  constexpr double eps = std::numeric_limits<double>::epsilon();
  const std::size_t enough = 32 * size_;  // rotations to collect: a strip is then read once for 32 sweeps
  std::vector<double>& d = diagonal_;
  std::vector<double>& e = off_;
  // Couplings below the rounding error of the whole matrix are none. Relative to their neighbours alone they might never vanish where the matrix is
  // rank-deficient: every sweep passes rounding errors of the large entries on to the small ones.
  double tiny = (std::numeric_limits<double>::min)();
  for (std::size_t n = 0; n < size_; ++n) tiny = (std::max)(tiny, 0.5 * eps * (std::abs(d[n]) + std::abs(e[n])));
  for (std::size_t l = 0; l < size_; ++l) {
    for (int sweep = 0;; ++sweep) {
      std::size_t m = l;  // the block l..m is coupled, m and m + 1 are not
      while (m + 1 < size_ && std::abs(e[m]) > tiny) ++m;
      if (m == l) break;
      if (sweep == most_sweeps) return false;

      const double half = (d[l + 1] - d[l]) / (2.0 * e[l]);
      const double root = std::hypot(half, 1.0);
      double g = d[m] - d[l] + e[l] / (half + (half < 0.0 ? -root : root));
      double c = 1.0;
      double s = 1.0;
      double p = 0.0;
      std::size_t i = m;
      bool split = false;
      sweeps_.push_back({.bottom = m, .first = cosines_.size(), .count = 0});
      while (i-- > l) {
        const double f = s * e[i];
        const double b = c * e[i];
        const double r = std::sqrt(f * f + g * g);
        e[i + 1] = r;
        if (!(r > 0.0)) {  // the bulge has vanished: the block falls apart here
          d[i + 1] -= p;
          e[m] = 0.0;
          split = true;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        const double turn = (d[i] - g) * s + 2.0 * c * b;
        p = s * turn;
        d[i + 1] = g + p;
        g = c * turn - b;
        cosines_.push_back(c);
        sines_.push_back(s);
        ++sweeps_.back().count;
      }
      if (cosines_.size() >= enough) rotate_basis();
      if (split) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0.0;
    }
  }
  rotate_basis();
  return true;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// The eigenbasis of `symmetric` (factors x factors, both triangles filled). O(factors^3); the same bytes for any number of threads.
/// @throws ShapeError if it is not square; NumericalError if it holds a non-finite value or the iteration does not converge; InvalidArgument if this
/// processor does not have `level`.
[[nodiscard]] inline Eigenbasis eigenbasis(std::span<const double> symmetric, std::size_t factors, const ParallelOptions& parallel = {},
                                           SimdLevel level = SimdLevel::best) {
  if (symmetric.size() != factors * factors)
    throw ShapeError("a symmetric matrix of order " + std::to_string(factors) + " has " + std::to_string(factors * factors) +
                     " entries, not " + std::to_string(symmetric.size()));
  for (const double entry : symmetric)
    if (!is_finite(entry)) throw NumericalError("a Gram matrix is not finite: factors have overflowed");

  SymmetricEigenproblem problem(symmetric, factors, level, parallel);
  if (!problem.solve()) throw NumericalError("the eigenvalues of a Gram matrix did not converge");

  // Falling, by insertion: O(factors^2), and cheaper to compile than a sort.
  std::vector<std::size_t> order;
  for (std::size_t f = 0; f < factors; ++f) {
    std::size_t place = f;
    while (place > 0 && problem.value(f) > problem.value(order[place - 1])) --place;
    order.insert(order.begin() + static_cast<std::ptrdiff_t>(place), f);
  }
  Eigenbasis basis{std::vector<double>(factors), AlignedVector<double>(factors * factors)};
  for (std::size_t f = 0; f < factors; ++f) {
    basis.values[f] = (std::max)(0.0, problem.value(order[f]));
    const std::span<const double> vector = problem.vector(order[f]);
    const auto largest = std::max_element(vector.begin(), vector.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
    const double sign = *largest < 0.0 ? -1.0 : 1.0;
    for (std::size_t row = 0; row < factors; ++row) basis.vectors[f * factors + row] = sign * vector[row];
  }
  return basis;
}

/// How many of the first columns of a basis a float may compute: those whose eigenvalue, with `ridge`, is within a factor of 64 of the largest. An entry's rounding
/// error is then at most 8 times what rounding the row itself to float has cost it. A multiple of 16, or all.
[[nodiscard]] inline std::size_t float_columns(const Eigenbasis& basis, double ridge) {
  const std::size_t k = basis.values.size();
  std::size_t columns = 0;
  while (columns < k && 64.0 * (basis.values[columns] + ridge) >= basis.values[0] + ridge) ++columns;
  return columns == k ? k : columns / 16 * 16;
}

/// Replaces every row y of `factors` by y Q, Q the eigenvectors: the same geometry in the basis where the Gram matrix is diagonal.
///
/// The first `n_float` columns are computed in Scalar, the others in double, so that the rounding error of an entry is relative to the entry itself and
/// not to the largest of its row: that is what keeps the directions of small eigenvalues usable in float. O(n_rows * factors^2); the same bytes for any number
/// of threads.
/// @throws InvalidArgument if this processor does not have `level`.
template <Real Scalar>
void rotate(FactorMatrix<Scalar>& factors, const Eigenbasis& basis, const ParallelOptions& parallel = {}, SimdLevel level = SimdLevel::best,
            std::size_t n_float = 0) {
  const auto rows = static_cast<std::size_t>(factors.rows());
  const auto k = static_cast<std::size_t>(factors.factors());
  const std::size_t single_width = n_float < k ? n_float : factors.stride();  // padding included: zero columns of Q
  const std::size_t single_ld = spread_stride<Scalar>(single_width);
  const std::size_t ld = spread_stride<double>(k);
  AlignedVector<double> q(n_float < k ? k * ld : 0, 0.0);
  AlignedVector<Scalar> q_single(k * single_ld, Scalar(0));
  for (std::size_t f = 0; f < k; ++f) {
    for (std::size_t row = 0; row < k; ++row) {
      const double entry = basis.vectors[f * k + row];
      if (f < n_float)
        q_single[row * single_ld + f] = static_cast<Scalar>(entry);
      else
        q[row * ld + f] = entry;
    }
  }

  const MatrixKernels<Scalar>& kernels = matrix_kernels<Scalar>(level);
  const MatrixKernels<double>& kernels_in_double = matrix_kernels<double>(level);
  constexpr std::size_t chunk = 64;
  const ParallelOptions by_chunk{.threads = parallel.threads, .grain = chunk, .executor = parallel.executor};
  struct Buffers {
    AlignedVector<double> before;
    AlignedVector<double> after;
    AlignedVector<Scalar> single;
  };
  std::vector<Buffers> buffers(worker_count(rows, by_chunk));
  parallel_for(rows, by_chunk, [&](std::size_t first, std::size_t last, std::size_t worker) {
    auto& [before, after, single] = buffers[worker];
    const std::size_t count = last - first;
    Scalar* const at = factors.row(static_cast<Index>(first)).data();
    if (single_width > 0) {
      single.resize(chunk * single_width);
      kernels.multiply(at, factors.stride(), count, q_single.data(), single_ld, single_width, k, single.data(), single_width);
    }
    if (n_float < k) {
      before.resize(chunk * ld);
      after.resize(chunk * ld);
      for (std::size_t r = 0; r < count; ++r) kernels.scale_to_double(at + r * factors.stride(), 1.0, k, before.data() + r * ld);
      kernels_in_double.multiply(before.data(), ld, count, q.data() + n_float, ld, ld - n_float, k, after.data() + n_float, ld);
    }
    for (std::size_t r = 0; r < count; ++r) {
      Scalar* const row = at + r * factors.stride();
      std::copy_n(single.begin() + static_cast<std::ptrdiff_t>(r * single_width), single_width, row);
      for (std::size_t f = n_float; f < k; ++f) row[f] = static_cast<Scalar>(after[r * ld + f]);
    }
  });
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
