// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>

// Code for more than one instruction set in one build needs target regions (GCC, clang) and an x86 processor to choose on.
#if (defined(__x86_64__) || defined(__i386__)) && (defined(__GNUC__) || defined(__clang__))
#define KINDRED_SIMD_X86 1
#else
#define KINDRED_SIMD_X86 0
#endif

namespace kindred::inline v0 {

/// The highest level that this processor (and its operating system) has.
[[nodiscard]] inline SimdLevel highest_simd_level() noexcept {
#if KINDRED_SIMD_X86
  // Single features, because clang 14 does not know the name "x86-64-v4".
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq"))
    return SimdLevel::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return SimdLevel::avx2;
#endif
  return SimdLevel::base;
}

namespace detail {

/// `level` itself, or the highest one for `best`. @throws InvalidArgument if this processor does not have it.
[[nodiscard]] inline SimdLevel resolve_level(SimdLevel level) {
  const SimdLevel highest = highest_simd_level();
  if (level == SimdLevel::best) return highest;
  if (level > highest)
    throw InvalidArgument("simd", name_of(level), "at most " + std::string(name_of(highest)) + ", which is what this processor has");
  return level;
}

}  // namespace detail

}  // namespace kindred::inline v0
