// SPDX-License-Identifier: MIT
#pragma once

// The hot loops, compiled once for every level and chosen at run time, so that a build without any -m flag runs at full speed.
//
// kernels_row.inl holds each loop once, in the vector extensions that GCC and clang share. It is included below once a level inside a region that
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

namespace kindred::inline v0::inline KINDRED_BUILD {

/// Rows of the fixed side that one row system refers to.
template <Real Scalar>
struct GatherArguments {
  const Scalar* fixed = nullptr;  ///< n_fixed rows, `stride` scalars apart, each padded with zeros to 64 bytes; on a 64-byte boundary.
  std::size_t stride = 0;
  std::size_t factors = 0;
  const Index* columns = nullptr;  ///< The rows to take, length `count`.
  std::size_t count = 0;
};

/// A symmetric matrix of order `size` to factorise as U' D U: start + sum_p plus_p plus_p' - sum_p minus_p minus_p', plus the identity.
template <Real Scalar>
struct FactorizeArguments {
  Scalar* v = nullptr;  ///< Out: row p holds D U, from the diagonal on; padded size x ld.
  std::size_t ld = 0;   ///< Scalars from row to row of every matrix here, a multiple of 64 bytes.
  std::size_t size = 0;
  const Scalar* plus = nullptr;  ///< n_plus x ld, row-major, zero beyond `size`.
  std::size_t n_plus = 0;
  const Scalar* minus = nullptr;
  std::size_t n_minus = 0;
  const Scalar* start = nullptr;  ///< padded size x ld, upper triangle, or none for zero.
  Scalar* rhs = nullptr;          ///< In: right-hand side, padded with zeros. Out: U'^-1 of it.
  Scalar* inverse = nullptr;      ///< Out: 1 / D, length padded size.
  Scalar* panel = nullptr;        ///< Scratch, padded size x 8.
};

/// A row system to improve by conjugate gradients; vectors have length stride, zero beyond the factors.
template <Real Scalar>
struct CgArguments {
  GatherArguments<Scalar> from;
  const Scalar* weight = nullptr;  ///< Length count.
  const Scalar* scale = nullptr;
  const Scalar* rhs = nullptr;
  Scalar* z = nullptr;        ///< In: the first guess. Out: the improved one.
  Scalar* scratch = nullptr;  ///< 4 x stride.
  std::size_t steps = 0;
  Scalar tolerance = 0;  ///< On the residual, relative to rhs.
};

/// The kernels of one level for one scalar type; all pointers to matrices on 64-byte boundaries.
template <Real Scalar>
struct RowKernels {
  /// out[f][n] = y_n[f] * scale[f] * weight[n], factors x ld; `weight` padded with zeros to ld.
  void (*gather_transposed)(const GatherArguments<Scalar>& from, const Scalar* scale, const Scalar* weight, Scalar* out, std::size_t ld);
  /// out[n][f] = y_n[f] * scale[f] * weight[n], count x ld; `scale` padded with zeros.
  void (*gather)(const GatherArguments<Scalar>& from, const Scalar* scale, const Scalar* weight, Scalar* out, std::size_t ld);
  /// sum[f] = sum_n coefficient[n] y_n[f], length stride.
  void (*combine)(const GatherArguments<Scalar>& from, const Scalar* coefficient, Scalar* sum);
  /// dots[n] = sum_f y_n[f] v[f].
  void (*dots)(const GatherArguments<Scalar>& from, const Scalar* v, Scalar* dots);
  /// dots[n] = sum_f y_n[f] v[f] with products and sums in double; `v` of length stride, on a 64-byte boundary.
  void (*exact_dots)(const GatherArguments<Scalar>& from, const double* v, double* dots);
  /// Conjugate gradients on (I + diag(scale) Y' diag(weight) Y diag(scale)) z = rhs.
  void (*conjugate_gradient)(const CgArguments<Scalar>& arguments);
  /// Returns the smallest pivot over the largest diagonal entry, or a negative number once a pivot is not above 0.
  Scalar (*factorize)(const FactorizeArguments<Scalar>& arguments);
  /// Solves D U x = rhs, the second half of what factorize began; `x` (padded size) is zero on entry.
  void (*back_substitute)(const FactorizeArguments<Scalar>& arguments, Scalar* x);
  /// start += sign * sum_p rows_p rows_p', upper triangle; padded size x ld.
  void (*accumulate)(Scalar* start, std::size_t ld, std::size_t size, const Scalar* rows, std::size_t n_rows, bool negative);
  /// Sizes are padded to a multiple of this.
  std::size_t granularity;
};

/// Kernels on whole matrices, apart from the others so that a program pays in compile time only for those that it uses.
template <Real Scalar>
struct MatrixKernels {
  /// start += sign * sum_p rows_p rows_p', upper triangle; padded size x ld.
  void (*accumulate)(Scalar* start, std::size_t ld, std::size_t size, const Scalar* rows, std::size_t n_rows, bool negative);
  /// out = left right: n x k times k x ld; left has `left_ld` scalars from row to row; out n x ld.
  void (*multiply)(const Scalar* left, std::size_t left_ld, std::size_t n, const Scalar* right, std::size_t ld, std::size_t k, Scalar* out);
};

/// Kernels on vectors of doubles: lengths a multiple of 8, on 64-byte boundaries.
struct VectorKernels {
  double (*dot)(const double* x, const double* y, std::size_t n);
  /// y += a x
  void (*axpy)(double a, const double* x, double* y, std::size_t n);
  /// (x, y) <- (c x - s y, s x + c y)
  void (*plane_rotation)(double* x, double* y, double c, double s, std::size_t n);
  /// row -= a x + b y; returns row . v
  double (*update_and_dot)(double* row, double a, const double* x, double b, const double* y, const double* v, std::size_t n);
};

}  // namespace kindred::inline v0::inline KINDRED_BUILD

#define KINDRED_UNROLL _Pragma("GCC unroll 16")

#define KINDRED_SIMD_NAMESPACE simd_base
#define KINDRED_SIMD_BYTES 16
#define KINDRED_SIMD_ROWS 4
#include <kindred/simd/kernels_row.inl>
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
#include <kindred/simd/kernels_row.inl>
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
#include <kindred/simd/kernels_row.inl>
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

namespace kindred::inline v0::inline KINDRED_BUILD {

/// The kernels of `level`. @throws InvalidArgument if this processor does not have it.
template <Real Scalar>
[[nodiscard]] const RowKernels<Scalar>& row_kernels(SimdLevel level = SimdLevel::best) {
  static constexpr RowKernels<Scalar> base = detail::simd_base::row_kernels<Scalar>();
#if KINDRED_SIMD_X86
  static constexpr RowKernels<Scalar> avx2 = detail::simd_avx2::row_kernels<Scalar>();
  static constexpr RowKernels<Scalar> avx512 = detail::simd_avx512::row_kernels<Scalar>();
  return detail::choose_level(level, base, avx2, avx512);
#else
  return detail::choose_level(level, base, base, base);
#endif
}

/// The kernels of the base level alone: for work so rare that compiling the other levels would not pay.
template <Real Scalar>
[[nodiscard]] const RowKernels<Scalar>& base_row_kernels() noexcept {
  static constexpr RowKernels<Scalar> base = detail::simd_base::row_kernels<Scalar>();
  return base;
}

/// The same for whole matrices.
template <Real Scalar>
[[nodiscard]] const MatrixKernels<Scalar>& matrix_kernels(SimdLevel level = SimdLevel::best) {
  static constexpr MatrixKernels<Scalar> base = detail::simd_base::matrix_kernels<Scalar>();
#if KINDRED_SIMD_X86
  static constexpr MatrixKernels<Scalar> avx2 = detail::simd_avx2::matrix_kernels<Scalar>();
  static constexpr MatrixKernels<Scalar> avx512 = detail::simd_avx512::matrix_kernels<Scalar>();
  return detail::choose_level(level, base, avx2, avx512);
#else
  return detail::choose_level(level, base, base, base);
#endif
}

/// The same for vectors of doubles.
[[nodiscard]] inline const VectorKernels& vector_kernels(SimdLevel level = SimdLevel::best) {
  static constexpr VectorKernels base = detail::simd_base::vector_kernels();
#if KINDRED_SIMD_X86
  static constexpr VectorKernels avx2 = detail::simd_avx2::vector_kernels();
  static constexpr VectorKernels avx512 = detail::simd_avx512::vector_kernels();
  return detail::choose_level(level, base, avx2, avx512);
#else
  return detail::choose_level(level, base, base, base);
#endif
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
