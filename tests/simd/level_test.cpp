// SPDX-License-Identifier: MIT
#include <kindred/simd/level.hpp>

#include <string>

#include <doctest/doctest.h>

namespace kd = kindred;

TEST_SUITE("simd/level") {
  TEST_CASE("base is always there, and best is the highest there is") {
    CHECK(kd::detail::resolve_level(kd::SimdLevel::base) == kd::SimdLevel::base);
    CHECK(kd::detail::resolve_level(kd::SimdLevel::best) == kd::highest_simd_level());
    CHECK(kd::detail::resolve_level(kd::highest_simd_level()) == kd::highest_simd_level());
    CHECK(kd::highest_simd_level() != kd::SimdLevel::best);
  }

  TEST_CASE("a level that the processor lacks is refused in words") {
    if (kd::highest_simd_level() == kd::SimdLevel::avx512) {
      MESSAGE("this processor has every level: nothing to refuse");
      return;
    }
    CHECK_THROWS_WITH_AS(
        (void)kd::detail::resolve_level(kd::SimdLevel::avx512),
        ("simd is avx512; it must be at most " + std::string(kd::name_of(kd::highest_simd_level())) + ", which is what this processor has")
            .c_str(),
        kd::InvalidArgument);
  }

  TEST_CASE("names") {
    CHECK(kd::name_of(kd::SimdLevel::best) == "best");
    CHECK(kd::name_of(kd::SimdLevel::base) == "base");
    CHECK(kd::name_of(kd::SimdLevel::avx2) == "avx2");
    CHECK(kd::name_of(kd::SimdLevel::avx512) == "avx512");
  }
}
