// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <string_view>
#include <vector>

#include <kindred/simd/level.hpp>

namespace kindred_test {

/// The levels that this processor has, or the one that the environment variable KINDRED_SIMD names.
inline std::vector<kindred::SimdLevel> simd_levels() {
  const char* const asked = std::getenv("KINDRED_SIMD");
  std::vector<kindred::SimdLevel> levels;
  for (const kindred::SimdLevel level : {kindred::SimdLevel::base, kindred::SimdLevel::avx2, kindred::SimdLevel::avx512})
    if (level <= kindred::highest_simd_level() && (asked == nullptr || asked == kindred::name_of(level))) levels.push_back(level);
  return levels;
}

}  // namespace kindred_test
