// SPDX-License-Identifier: MIT
#pragma once

// The hot loops, compiled once for every level and chosen at run time, so that a build without any -m flag runs at full speed.
//
// kernels_*.inl hold each loop once, in the vector extensions that GCC and clang share. They are included below once a level inside a region that
// allows the level's instructions, each time in a namespace of its own. Inside a region __AVX2__ and its like are not defined, so the width comes
// from our macros. No vector type crosses the border, only pointers and sizes. All standard headers are included before the first region: a
// template of theirs instantiated inside one would be merged with the program's own and carry the level's instructions to where they must not be.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/simd/level.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Rows of the fixed side that one row system refers to.
template <Real Scalar>
struct GatherArguments {
  const Scalar* fixed = nullptr;  ///< n_fixed rows, `stride` scalars apart, each padded with zeros to 64 bytes; on a 64-byte boundary.
  std::size_t stride = 0;
  std::size_t factors = 0;
  const Index* columns = nullptr;  ///< The rows to take, length `count`.
  std::size_t count = 0;
};

/// The weights of one row's interactions where every column has the same base.
template <Real Scalar>
struct TermsArguments {
  const float* values = nullptr;
  const Scalar* strengths = nullptr;  ///< g of each value, or none: its magnitude, at most `cap`.
  std::size_t count = 0;
  double cap = 0.0;
  double alpha = 0.0;
  double base = 0.0;         ///< Of the confidence.
  double excess_base = 0.0;  ///< The same less what the background counts.
  double* excess = nullptr;  ///< Out: excess_base + alpha g; length count rounded up to 8, as target.
  double* target = nullptr;  ///< Out: base + alpha g for values above 0, else 0.
};

/// A symmetric positive definite system of order `size`, to be factorised as U' D U. Sizes are padded to a multiple of RowKernels::rows by a diagonal that
/// says nothing about the matrix: its largest entry.
template <Real Scalar>
struct FactorizeArguments {
  Scalar* v =
      nullptr;  ///< In: upper triangle. Out: row p holds D U, from the diagonal on. Padded size x ld, finite on the lines of the diagonal too.
  std::size_t ld = 0;  ///< Scalars from row to row, a multiple of 64 bytes.
  std::size_t size = 0;
  Scalar* rhs = nullptr;      ///< In: right-hand side, length ld, padded with zeros. Out: U'^-1 of it.
  Scalar* inverse = nullptr;  ///< Out: 1 / D, length padded size.
  Scalar* panel = nullptr;    ///< Scratch, padded size x RowKernels::rows.
};

/// One of the systems of a batch.
template <Real Scalar>
struct BatchSystem {
  const Scalar* tiles = nullptr;  ///< Upper triangle in tiles of 4 x 4, column after column, each row-major.
  std::size_t size = 0;           ///< A multiple of 4, at most BatchArguments::size.
  Scalar largest = Scalar(1);     ///< Its largest diagonal entry.
  Scalar* rhs = nullptr;          ///< In: right-hand side. Out: solution. Length BatchArguments::size, zeros beyond its own.
};

/// Up to RowKernels::lanes systems, each solved in a lane of its own.
template <Real Scalar>
struct BatchArguments {
  std::size_t size = 0;                          ///< Of the largest system, a multiple of 4.
  const BatchSystem<Scalar>* systems = nullptr;  ///< Length lanes; unused ones have size 0.
  Scalar* smallest = nullptr;                    ///< Out: the smallest pivot of each, length lanes.
  Scalar* work = nullptr;                        ///< batch_work(size, lanes) scalars.
};

/// Scalars of BatchArguments::work.
[[nodiscard]] constexpr std::size_t batch_work(std::size_t size, std::size_t lanes) noexcept {
  return (size / 4 * (size / 4 + 1) / 2 * 16 + 6 * size) * lanes;
}

/// A row system to improve by conjugate gradients; vectors have length stride, zero beyond the factors.
template <Real Scalar>
struct CgArguments {
  GatherArguments<Scalar> from;
  const Scalar* weight = nullptr;  ///< Length count, zeros up to the next multiple of 4; as target.
  const Scalar* target = nullptr;
  const Scalar* scale = nullptr;
  const Scalar* ones = nullptr;  ///< Length block, all 1.
  const Scalar* base = nullptr;  ///< What the right-hand side holds beside the rows' part; nullptr for nothing.
  Scalar* z = nullptr;           ///< In: the first guess. Out: the improved one.
  Scalar* scratch = nullptr;     ///< 3 x stride.
  Scalar* rows = nullptr;        ///< Scratch, min(count, block) rounded up to 4 x stride.
  std::size_t block = 0;         ///< Rows packed at a time, a multiple of 4.
  std::size_t steps = 0;
  Scalar tolerance = 0;           ///< On the residual, relative to the right-hand side.
  GatherArguments<Scalar> ahead;  ///< Rows to bring nearer meanwhile.
};

/// The kernels of one level for one scalar type; all pointers to matrices on 64-byte boundaries.
template <Real Scalar>
struct RowKernels {
  /// Brings interactions nearer. (In a function of the header GCC would find that nothing happens, and drop the call.)
  void (*prefetch)(const Index* columns, const float* values, std::size_t count);
  /// Returns false if a confidence is not finite or below 0.
  bool (*terms)(const TermsArguments<Scalar>& arguments);
  /// weight = sqrt(excess), rhs = target / sqrt(excess), length count. Returns false, and means nothing, unless every excess is above 0 and at least
  /// smallest_share of its target.
  bool (*regular_weights)(const double* excess, const double* target, std::size_t count, double smallest_share, Scalar* weight,
                          Scalar* rhs);
  /// to = from, length count.
  void (*narrow)(const double* from, std::size_t count, Scalar* to);
  /// out = a o b, length stride; false if an entry is not finite.
  bool (*scale_by)(const Scalar* a, const Scalar* b, std::size_t stride, Scalar* out);
  /// out[n][f] = y_n[f] * scale[f] * weight[n], count x ld, zero rows up to a multiple of 4; `scale` padded with zeros.
  void (*gather)(const GatherArguments<Scalar>& from, const Scalar* scale, const Scalar* weight, Scalar* out, std::size_t ld);
  /// The same, and sum[f] = sum_n coefficient[n] y_n[f], as combine gives it.
  void (*gather_and_sum)(const GatherArguments<Scalar>& from, const Scalar* scale, const Scalar* weight, const Scalar* coefficient,
                         Scalar* out, std::size_t ld, Scalar* sum);
  /// The values of gather, `count` rounded up to 4 x stride, with every 4 rows interleaved as row_products wants them.
  void (*gather_blocks)(const GatherArguments<Scalar>& from, const Scalar* scale, const Scalar* weight, Scalar* out);
  /// sum[f] = sum_n coefficient[n] y_n[f], length stride.
  void (*combine)(const GatherArguments<Scalar>& from, const Scalar* coefficient, Scalar* sum);
  /// out[f] = scale[f] (scale[f] sum_n weight[n] z[n] y_n[f] + rest[f]), length stride; `rest` may be nullptr for zeros. False if an entry is not finite.
  bool (*expand)(const GatherArguments<Scalar>& from, const Scalar* weight, const Scalar* z, const Scalar* scale, const Scalar* rest,
                 Scalar* out);
  /// dots[n] = sum_f y_n[f] v[f].
  void (*dots)(const GatherArguments<Scalar>& from, const Scalar* v, Scalar* dots);
  /// dots[n] = sum_f y_n[f] v[f] with products and sums in double; `v` of length stride, on a 64-byte boundary.
  void (*exact_dots)(const GatherArguments<Scalar>& from, const double* v, double* dots);
  /// Conjugate gradients on (I + S Y' diag(weight) Y S) z = base + S Y' target, S = diag(scale).
  void (*conjugate_gradient)(const CgArguments<Scalar>& arguments);
  /// Dot products of all pairs of `n` rows (a multiple of 4), each `depth` long (a multiple of 4), from gather_blocks into tiles as BatchSystem has them.
  /// `ahead`: rows to bring nearer meanwhile, as in accumulate.
  void (*row_products)(const Scalar* rows, std::size_t ld, std::size_t n, std::size_t depth, Scalar* tiles,
                       const GatherArguments<Scalar>& ahead);
  /// start += sum_p left_p right_p', upper triangle; all of padded size x ld. (left is right, or its negative.) `ahead`: rows to bring nearer meanwhile.
  void (*accumulate)(Scalar* start, std::size_t ld, std::size_t size, const Scalar* left, const Scalar* right, std::size_t n_rows,
                     const GatherArguments<Scalar>& ahead);
  /// Returns the smallest pivot, or a negative number once a pivot is not above 0.
  Scalar (*factorize)(const FactorizeArguments<Scalar>& arguments);
  /// Solves D U x = rhs, the second half of what factorize began; `x` has length padded size and need not be set.
  void (*back_substitute)(const FactorizeArguments<Scalar>& arguments, Scalar* x);
  /// The upper triangle of a matrix of 4 `blocks` x `ld` as BatchSystem has it.
  void (*tiles_of)(const Scalar* matrix, std::size_t ld, std::size_t blocks, Scalar* tiles);
  /// factorize and back_substitute for several systems at once, with the same bytes.
  void (*solve_batch)(const BatchArguments<Scalar>& arguments);
  std::size_t lanes;  ///< Systems of a batch.
  std::size_t rows;   ///< Of a block of factorize.
};

/// Kernels on whole matrices, apart from the others so that a program pays in compile time only for those that it uses.
template <Real Scalar>
struct MatrixKernels {
  /// start += sum_p left_p right_p', upper triangle; all of padded size x ld. (left is right, or its negative.) `ahead`: rows to bring nearer meanwhile.
  void (*accumulate)(Scalar* start, std::size_t ld, std::size_t size, const Scalar* left, const Scalar* right, std::size_t n_rows,
                     const GatherArguments<Scalar>& ahead);
  /// out = left right: n x k times k x width, a multiple of 64 bytes; `left_ld`, `ld` and `out_ld` scalars from row to row.
  void (*multiply)(const Scalar* left, std::size_t left_ld, std::size_t n, const Scalar* right, std::size_t ld, std::size_t width,
                   std::size_t k, Scalar* out, std::size_t out_ld);
  /// out[f] = from[f] * scale, in double, length n; `out` on a 64-byte boundary.
  void (*scale_to_double)(const Scalar* from, double scale, std::size_t n, double* out);
  /// sum[f] = sum_n coefficient[n] y_n[f], length stride: RowKernels::combine for rows that are far away. `readable`:
  /// how many columns there are from `from.columns` on, at least `from.count`; rows of those after the last are brought
  /// nearer.
  void (*sum_rows)(const GatherArguments<Scalar>& from, std::size_t readable, const Scalar* coefficient, Scalar* sum);
};

/// Four rows of a symmetric matrix of which only what is right of its diagonal blocks is kept: a rank-2 update, and their part of a product with a vector.
struct UpdateArguments {
  double* rows = nullptr;  ///< 4 rows, `ld` apart, `count` long. rows[r] -= along_x[r] x + along_y[r] y.
  std::size_t ld = 0;
  std::size_t count = 0;
  const double* along_x = nullptr;
  const double* x = nullptr;
  const double* along_y = nullptr;
  const double* y = nullptr;
  const double* v = nullptr;       ///< dots[r] = rows[r] . v, after the update.
  double* dots = nullptr;          ///< Out: length 4.
  const double* mirror = nullptr;  ///< product += sum_r mirror[r] rows[r] from place `skip` on: what the mirrored half of the matrix adds.
  double* product = nullptr;
  std::size_t skip = 0;  ///< A multiple of 8.
};

/// Kernels on rows of doubles: lengths a multiple of 8, on 64-byte boundaries.
struct VectorKernels {
  double (*dot)(const double* x, const double* y, std::size_t n);
  void (*update_rows)(const UpdateArguments& arguments);
  /// row -= factor (row . v) v for 4 rows, `ld` apart.
  void (*reflect_rows)(double* rows, std::size_t ld, const double* v, double factor, std::size_t n);
  /// `count` plane rotations from the bottom up: of the row at `bottom` (y) with the one above it (x), then of that one with the next, and so on:
  /// (x, y) <- (c x - s y, s x + c y). The first `n` places of each row.
  void (*rotate_rows)(double* bottom, std::size_t ld, const double* c, const double* s, std::size_t count, std::size_t n);
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

#include <kindred/simd/kernels_macros.inl>

#define KINDRED_SIMD_NAMESPACE simd_base
#define KINDRED_SIMD_BYTES 16
#define KINDRED_SIMD_ROWS 4
#include <kindred/simd/kernels_level.inl>
#undef KINDRED_SIMD_NAMESPACE
#undef KINDRED_SIMD_BYTES
#undef KINDRED_SIMD_ROWS

#if KINDRED_SIMD_X86

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#define KINDRED_SIMD_NAMESPACE simd_avx2
#define KINDRED_SIMD_BYTES 32
#define KINDRED_SIMD_ROWS 4
#include <kindred/simd/kernels_level.inl>
#undef KINDRED_SIMD_NAMESPACE
#undef KINDRED_SIMD_BYTES
#undef KINDRED_SIMD_ROWS
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512vl,avx512bw,avx512dq"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512vl,avx512bw,avx512dq,prefer-vector-width=512")
#endif
#define KINDRED_SIMD_NAMESPACE simd_avx512
#define KINDRED_SIMD_BYTES 64
#define KINDRED_SIMD_ROWS 8
#include <kindred/simd/kernels_level.inl>
#undef KINDRED_SIMD_NAMESPACE
#undef KINDRED_SIMD_BYTES
#undef KINDRED_SIMD_ROWS
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif  // KINDRED_SIMD_X86

#undef KINDRED_UNROLL
#undef KINDRED_SHUFFLE
#undef KINDRED_JOIN_FOURS
#undef KINDRED_INLINE

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Of the tables of all levels, the one of `level`. @throws InvalidArgument if this processor does not have it.
template <typename Table>
[[nodiscard]] const Table& choose_level(SimdLevel level, const Table& base, [[maybe_unused]] const Table& avx2,
                                        [[maybe_unused]] const Table& avx512) {
  switch (resolve_level(level)) {
    case SimdLevel::avx512: return avx512;
    case SimdLevel::avx2: return avx2;
    default: return base;
  }
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// The kernels of `level`. @throws InvalidArgument if this processor does not have it.
template <Real Scalar>
[[nodiscard]] const RowKernels<Scalar>& row_kernels(SimdLevel level = SimdLevel::best) {
  static constexpr RowKernels<Scalar> base = simd_base::row_kernels<Scalar>();
#if KINDRED_SIMD_X86
  static constexpr RowKernels<Scalar> avx2 = simd_avx2::row_kernels<Scalar>();
  static constexpr RowKernels<Scalar> avx512 = simd_avx512::row_kernels<Scalar>();
  return choose_level(level, base, avx2, avx512);
#else
  return choose_level(level, base, base, base);
#endif
}

/// The same for whole matrices.
template <Real Scalar>
[[nodiscard]] const MatrixKernels<Scalar>& matrix_kernels(SimdLevel level = SimdLevel::best) {
  static constexpr MatrixKernels<Scalar> base = simd_base::matrix_kernels<Scalar>();
#if KINDRED_SIMD_X86
  static constexpr MatrixKernels<Scalar> avx2 = simd_avx2::matrix_kernels<Scalar>();
  static constexpr MatrixKernels<Scalar> avx512 = simd_avx512::matrix_kernels<Scalar>();
  return choose_level(level, base, avx2, avx512);
#else
  return choose_level(level, base, base, base);
#endif
}

/// The same for vectors of doubles.
[[nodiscard]] inline const VectorKernels& vector_kernels(SimdLevel level = SimdLevel::best) {
  static constexpr VectorKernels base = simd_base::vector_kernels();
#if KINDRED_SIMD_X86
  static constexpr VectorKernels avx2 = simd_avx2::vector_kernels();
  static constexpr VectorKernels avx512 = simd_avx512::vector_kernels();
  return choose_level(level, base, avx2, avx512);
#else
  return choose_level(level, base, base, base);
#endif
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
