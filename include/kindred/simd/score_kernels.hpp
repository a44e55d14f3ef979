// SPDX-License-Identifier: MIT
#pragma once

// The loops that score items for users, compiled once for every level and chosen at run time as in kernels.hpp.
//
// A score has one definition: one accumulator over f in stored column order, fused where the level has FMA and the compiler makes use of it (GCC from -O2
// on). Items stand in lanes, so a score has the same bits whether one item or a tile of them is scored, for one user or for many. Codes (8-bit
// approximations) only ever decide which items are worth a score; they are sums of integers, so no result depends on how they are computed.

#include <cstddef>
#include <cstdint>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/simd/level.hpp>
#include <kindred/simd/score_block.hpp>

// Tiles of codes (AMX) belong to processors of 64 bits, and the system must let a process use them: this is written for Linux.
#if KINDRED_SIMD_X86 && defined(__x86_64__) && defined(__linux__)
#define KINDRED_SIMD_TILES 1
#include <sys/syscall.h>
#include <unistd.h>
#else
#define KINDRED_SIMD_TILES 0
#endif

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Of a query in scaled coordinates.
struct QuerySize {
  double squares = 0.0;  ///< The sum of the squares.
  double largest = 0.0;  ///< The largest magnitude.
};

/// The kernels of one level for factors of one scalar type.
template <Real Scalar>
struct ScoreKernels {
  /// panel[f * score_block + n] = factor f of row rows[n], for n < count <= score_block; lanes up to the next full vector get some row again.
  /// `factors`: rows `stride` scalars apart on 64-byte boundaries, padded with zeros to 64 bytes.
  void (*pack)(const Scalar* factors, std::size_t stride, const Index* rows, std::size_t count, std::size_t k, Scalar* panel);
  /// scores[u * score_block + n] = sum_f users[u][f] panel[f][n] for n < count, n_users x score_block; `scores` on a 64-byte boundary.
  void (*score)(const Scalar* const* users, std::size_t n_users, const Scalar* panel, std::size_t count, std::size_t k, Scalar* scores);
  /// As score, but each user has score_group columns of the panel for its own: scores[n] = sum_f users[n / score_group][f] panel[f][n] for all n < score_block,
  /// whatever stands in columns without a row.
  void (*score_groups)(const Scalar* const* users, const Scalar* panel, std::size_t k, Scalar* scores);
  /// sums[n] = the score of the n-th row of a panel with itself, n < count, to the bit. Length count rounded up to 128 bytes, on a 64-byte boundary.
  void (*squares)(const Scalar* panel, std::size_t count, std::size_t k, Scalar* sums);
  /// to[f] = x[f] * scale[f], f < k.
  QuerySize (*widen)(const Scalar* x, const double* scale, std::size_t k, double* to);
};

/// Which items of consecutive blocks may score enough for each of some users, judged by codes.
struct CodeScan {
  static constexpr std::int32_t no_item = -(1 << 30);  ///< A start for blocks that a user does not search.
  const std::uint8_t* items = nullptr;         ///< n_blocks x groups x score_block x 4: codes plus the offset, on a 64-byte boundary.
  const std::int8_t* const* users = nullptr;   ///< n_users, each groups x 4 codes.
  const std::int32_t* const* start = nullptr;  ///< n_users, each n_blocks: what the sum of products starts from.
  std::uint64_t* const* found = nullptr;       ///< Out: n_users, each n_blocks: bit n is set if the sum for item n of the block is >= 0.
  std::int32_t* const* sums = nullptr;  ///< Out, if set, in place of `found`: n_users, each n_blocks x score_block, on 64-byte boundaries.
  std::size_t n_users = 0;
  std::size_t groups = 0;
  std::size_t n_blocks = 0;
  // What is taken off the sum of item n: the sum over j < n_added of slopes[user][block * n_added + j] * (ends[j][block] - added[j][n]), no term negative,
  // rounded down.
  std::size_t n_added = 0;
  const float* const* added = nullptr;   ///< n_added, each n_blocks x score_block.
  const float* const* ends = nullptr;    ///< n_added, each n_blocks.
  const float* const* slopes = nullptr;  ///< n_users, each n_blocks x n_added, finite.
};

/// What the codes of a query add up to.
struct EncodedQuery {
  double squares = 0.0;    ///< Of the codes.
  double rest = 0.0;       ///< Of what they leave out: the squared length of x - step * codes.
  std::int32_t total = 0;  ///< Their sum.
};

/// The kernels of one level on codes.
struct CodeKernels {
  void (*scan)(const CodeScan& arguments);
  /// start[b] = offset - trunc(max(-bound, min(bound, level * unit[b] - spread * rest[b] - distance * norm[b])) - 2), length n.
  void (*limits)(const double* unit, const double* rest, const double* norm, double level, double spread, double distance, double bound,
                 std::int32_t offset, std::int32_t* start, std::size_t n);
  /// Lets the sums of some blocks say how good the `rank`-th best of their items is at least, and finds the items that can be as good. Sums less
  /// slack[block] are what is sure. found[block] has bit n set if its sum is at least `floor` and at least some number that `rank` sure sums reach;
  /// not always the largest. Sums on a 64-byte boundary; no sum, slack or floor is beyond 2^30 in magnitude, floor not beyond 2^29. Returns the larger of the two.
  std::int32_t (*raise)(const std::int32_t* sums, const std::int32_t* slack, std::size_t n_blocks, std::size_t rank, std::int32_t floor,
                        std::uint64_t* found);
  /// codes[f] = x[f] * inverse to the nearest integer, f < k; all in [-127, 127].
  EncodedQuery (*encode)(const double* x, double inverse, double step, std::size_t k, std::int8_t* codes);
  /// Bit n is set unless sums[n] + added[n] < least, n < score_block; arrays on 64-byte boundaries, nothing a NaN.
  std::uint64_t (*at_least)(const float* sums, const float* added, float least);
  /// The offset that makes item codes positive; they are in [-(offset - 1), offset - 1], a user's in [-127, 127].
  int offset;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

#include <kindred/simd/kernels_macros.inl>

// How four products of bytes are added to each 32-bit lane: plain, SSE2, AVX2, AVX-512, AVX-512 with VNNI.
#define KINDRED_CODES_PLAIN 0
#define KINDRED_CODES_SSE2 1
#define KINDRED_CODES_AVX2 2
#define KINDRED_CODES_AVX512 3
#define KINDRED_CODES_VNNI 4

#define KINDRED_SIMD_NAMESPACE score_base
#define KINDRED_SIMD_BYTES 16
#if KINDRED_SIMD_X86 && defined(__SSE2__)
#define KINDRED_CODES KINDRED_CODES_SSE2
#else
#define KINDRED_CODES KINDRED_CODES_PLAIN
#endif
#include <kindred/simd/kernels_codes.inl>
#include <kindred/simd/kernels_score.inl>
#undef KINDRED_SIMD_NAMESPACE
#undef KINDRED_SIMD_BYTES
#undef KINDRED_CODES

#if KINDRED_SIMD_X86

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#define KINDRED_SIMD_NAMESPACE score_avx2
#define KINDRED_SIMD_BYTES 32
#define KINDRED_CODES KINDRED_CODES_AVX2
#include <kindred/simd/kernels_codes.inl>
#include <kindred/simd/kernels_score.inl>
#undef KINDRED_SIMD_NAMESPACE
#undef KINDRED_SIMD_BYTES
#undef KINDRED_CODES
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
#define KINDRED_SIMD_NAMESPACE score_avx512
#define KINDRED_SIMD_BYTES 64
#define KINDRED_CODES KINDRED_CODES_AVX512
#include <kindred/simd/kernels_codes.inl>
#include <kindred/simd/kernels_score.inl>
#undef KINDRED_SIMD_NAMESPACE
#undef KINDRED_SIMD_BYTES
#undef KINDRED_CODES
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512vl,avx512bw,avx512dq,avx512vnni"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512vl,avx512bw,avx512dq,avx512vnni,prefer-vector-width=512")
#endif
#define KINDRED_SIMD_NAMESPACE score_vnni
#define KINDRED_SIMD_BYTES 64
#define KINDRED_CODES KINDRED_CODES_VNNI
#include <kindred/simd/kernels_codes.inl>
#if KINDRED_SIMD_TILES
#include <kindred/simd/kernels_tiles.inl>
#endif
#undef KINDRED_SIMD_NAMESPACE
#undef KINDRED_SIMD_BYTES
#undef KINDRED_CODES
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif  // KINDRED_SIMD_X86

#undef KINDRED_CODES_PLAIN
#undef KINDRED_CODES_SSE2
#undef KINDRED_CODES_AVX2
#undef KINDRED_CODES_AVX512
#undef KINDRED_CODES_VNNI
#undef KINDRED_INLINE
#undef KINDRED_UNROLL
#undef KINDRED_SHUFFLE
#undef KINDRED_JOIN_FOURS

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// The kernels of `level`. @throws InvalidArgument if this processor does not have it.
template <Real Scalar>
[[nodiscard]] const ScoreKernels<Scalar>& score_kernels(SimdLevel level = SimdLevel::best) {
  static constexpr ScoreKernels<Scalar> base = score_base::score_kernels<Scalar>();
#if KINDRED_SIMD_X86
  static constexpr ScoreKernels<Scalar> avx2 = score_avx2::score_kernels<Scalar>();
  static constexpr ScoreKernels<Scalar> avx512 = score_avx512::score_kernels<Scalar>();
  switch (resolve_level(level)) {
    case SimdLevel::avx512: return avx512;
    case SimdLevel::avx2: return avx2;
    default: return base;
  }
#else
  (void)resolve_level(level);
  return base;
#endif
}

#if KINDRED_SIMD_TILES
/// Asks the system for the tiles of the processor, if it has them. The permission holds for the process, whose frames of signals become 8 KiB longer; asking
/// again changes nothing.
[[nodiscard]] inline bool tiles_allowed() noexcept {
  // Processors with VNNI have leaf 7. (The header of clang 14 for this is in one dialect of assembly alone.)
  unsigned a = 7, b = 0, c = 0, d = 0;
  __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  constexpr unsigned tiles = 1u << 24, products_of_bytes = 1u << 25;
  constexpr long ask = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, which headers of older systems lack
  return (d & tiles) != 0 && (d & products_of_bytes) != 0 && syscall(SYS_arch_prctl, ask, tile_data) == 0;
}
#endif

/// Whether the level avx512 may use instructions for products of bytes that some of its processors have: in tiles, in vectors, none.
enum class CodeDots { best, vectors, plain };

/// The kernels of `level`; the choice within a level changes the time only. @throws InvalidArgument if this processor does not have it.
[[nodiscard]] inline const CodeKernels& code_kernels(SimdLevel level = SimdLevel::best, [[maybe_unused]] CodeDots dots = CodeDots::best) {
  static constexpr CodeKernels base = score_base::code_kernels();
#if KINDRED_SIMD_X86
  static constexpr CodeKernels avx2 = score_avx2::code_kernels();
  static constexpr CodeKernels avx512 = score_avx512::code_kernels();
  static constexpr CodeKernels vnni = score_vnni::code_kernels();
#if KINDRED_SIMD_TILES
  static constexpr CodeKernels tiles = score_vnni::tile_kernels();
#endif
  switch (resolve_level(level)) {
    case SimdLevel::avx512:
      if (dots == CodeDots::plain || !__builtin_cpu_supports("avx512vnni")) return avx512;
#if KINDRED_SIMD_TILES
      if (dots == CodeDots::best && tiles_allowed()) return tiles;
#endif
      return vnni;
    case SimdLevel::avx2: return avx2;
    default: return base;
  }
#else
  (void)resolve_level(level);
  return base;
#endif
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

#undef KINDRED_SIMD_TILES
