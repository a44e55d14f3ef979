// SPDX-License-Identifier: MIT
#include <kindred/linalg/row_groups.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

#include "../support/simd_levels.hpp"
#include "../support/textbook_als.hpp"

namespace kd = kindred;

TEST_SUITE("linalg/row_groups") {
  TEST_CASE_TEMPLATE("rows of like directions stand together, whatever their lengths", T, float, double) {
    // 4 blocks of rows: row r points along axis r % 4, nearly.
    constexpr kd::Index n = 256, k = 5;
    kd::detail::Random random(1, kd::detail::RandomStream::sample, 5);
    kd::FactorMatrix<T> rows(n, k);
    std::vector<T> inverse;
    for (kd::Index r = 0; r < n; ++r) {
      const double length = std::pow(10.0, static_cast<double>(random.below(20)) - 10.0);
      for (T& value : rows.row(r)) value = static_cast<T>(0.01 * length * random.normal());
      rows.row(r)[static_cast<std::size_t>(r % 4)] += static_cast<T>(length);
      inverse.push_back(static_cast<T>(1.0 / length));
    }
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      std::vector<kd::Index> order(n);
      std::iota(order.begin(), order.end(), kd::Index{0});
      kd::detail::RowGroups<T>(rows, inverse, level).sort(order);
      for (std::size_t at = 0; at < order.size(); ++at) CHECK(order[at] % 4 == order[at / 64 * 64] % 4);
      std::sort(order.begin(), order.end());
      for (std::size_t at = 0; at < order.size(); ++at) CHECK(order[at] == static_cast<kd::Index>(at));
    }
  }

  TEST_CASE_TEMPLATE("the same order for any number of threads", T, float, double) {
    constexpr kd::Index n = 20'011;
    const kd::FactorMatrix<T> rows = kindred_test::random_factors<T>(n, 6, 1.0, 4);
    std::vector<T> inverse;
    for (kd::Index r = 0; r < n; ++r) {
      double squares = 0.0;
      for (const T value : rows.row(r)) squares += static_cast<double>(value) * static_cast<double>(value);
      inverse.push_back(static_cast<T>(1.0 / std::sqrt(squares)));
    }
    std::vector<kd::Index> wanted(n);
    std::iota(wanted.begin(), wanted.end(), kd::Index{0});
    std::vector<kd::Index> given = wanted;
    kd::detail::RowGroups<T>(rows, inverse, kd::SimdLevel::best).sort(wanted);
    for (const std::size_t threads : {2u, 3u, 8u}) {
      std::vector<kd::Index> order = given;
      kd::detail::RowGroups<T>(rows, inverse, kd::SimdLevel::best, {.threads = threads}).sort(order);
      CHECK(order == wanted);
    }
  }

  TEST_CASE("rows that are all alike, and fewer than a block") {
    const kd::FactorMatrix<float> alike(200, 3, std::vector<float>(600, 2.0F));
    const std::vector<float> inverse(200, 1.0F / std::sqrt(12.0F));
    for (const std::size_t n : {0u, 1u, 64u, 65u, 200u}) {
      std::vector<kd::Index> order(n);
      std::iota(order.rbegin(), order.rend(), kd::Index{0});
      kd::detail::RowGroups<float>(alike, inverse, kd::SimdLevel::best).sort(order);
      std::sort(order.begin(), order.end());
      for (std::size_t at = 0; at < n; ++at) CHECK(order[at] == static_cast<kd::Index>(at));
    }
  }
}
