// SPDX-License-Identifier: MIT
#include <kindred/linalg/cosine_index.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

#include "../support/simd_levels.hpp"
#include "../support/textbook_als.hpp"

namespace kd = kindred;

TEST_SUITE("linalg/cosine_index") {
  TEST_CASE_TEMPLATE("lengths are those of the rows, each row has a place, and an index takes about a byte a factor", T, float, double) {
    const kd::FactorMatrix<T> rows = kindred_test::random_factors<T>(1000, 40, 1.0, 1);
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::detail::CosineIndex<T> index(rows, level);
      CHECK(index.rows() == 1000);
      std::vector<bool> taken(1000, false);
      for (kd::Index r = 0; r < rows.rows(); ++r) {
        double sum = 0.0;
        for (const T value : rows.row(r)) sum += static_cast<double>(value) * static_cast<double>(value);
        CHECK(index.length(r) == doctest::Approx(std::sqrt(sum)).epsilon(1e-5));
        REQUIRE(index.place(r) < 1000);
        CHECK_FALSE(taken[index.place(r)]);
        taken[index.place(r)] = true;
      }
      CHECK(index.memory_bytes() >= 40'000);
      CHECK(index.memory_bytes() < 80'000);
    }
  }

  TEST_CASE("rows whose lengths are out of range have no place") {
    const kd::FactorMatrix<float> rows(5, 2, std::vector<float>{3, 4, 0, 0, 1e-30F, 0, 1e30F, 1e30F, -1, 0});
    const kd::detail::CosineIndex<float> index(rows, kd::SimdLevel::best);
    CHECK(index.length(0) == 5.0);
    CHECK(index.length(1) == 0.0);
    CHECK(index.place(0) + index.place(4) == 1);
    for (const kd::Index r : {1, 2, 3}) CHECK(index.place(r) == 5);
    CHECK(kd::detail::CosineIndex<double>(kd::FactorMatrix<double>(0, 3), kd::SimdLevel::best).rows() == 0);
  }
}
