// SPDX-License-Identifier: MIT
#include <kindred/linalg/triangular_inverse.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

#include "../support/simd_levels.hpp"

namespace kd = kindred;

namespace {

/// Y' Y of 3 size rows of uniform numbers, in which the columns `copies` repeat column 0.
std::vector<double> triangular_gram(std::size_t size, const std::vector<std::size_t>& copies) {
  kd::detail::Random random(11, kd::detail::RandomStream::sample, size);
  std::vector<double> gram(size * size, 0.0), row(size);
  for (std::size_t r = 0; r < 3 * size; ++r) {
    for (double& value : row) value = random.uniform() - 0.5;
    for (const std::size_t copy : copies) row[copy] = row[0];
    for (std::size_t a = 0; a < size; ++a)
      for (std::size_t b = 0; b < size; ++b) gram[a * size + b] += row[a] * row[b];
  }
  return gram;
}

/// The largest entry of T' G T - I, where columns `dead` of I are zero.
double departure(const std::vector<double>& gram, std::size_t size, const kd::detail::AlignedVector<double>& inverse,
                 const std::vector<std::size_t>& dead) {
  const std::size_t ld = kd::detail::spread_stride<double>(size);
  double worst = 0.0;
  for (std::size_t a = 0; a < size; ++a) {
    std::vector<double> half(size, 0.0);  // row a of T' G
    for (std::size_t p = 0; p < size; ++p)
      for (std::size_t q = 0; q < size; ++q) half[q] += inverse[p * ld + a] * gram[p * size + q];
    for (std::size_t b = 0; b < size; ++b) {
      double entry = 0.0;
      for (std::size_t q = 0; q < size; ++q) entry += half[q] * inverse[q * ld + b];
      const bool counts = a == b && std::find(dead.begin(), dead.end(), a) == dead.end();
      worst = (std::max)(worst, std::abs(entry - (counts ? 1.0 : 0.0)));
    }
  }
  return worst;
}

}  // namespace

TEST_SUITE("linalg/triangular_inverse") {
  TEST_CASE("two columns by hand") {
    // R = (2 1; 0 3).
    const std::vector<double> gram{4, 2, 2, 10};
    const kd::detail::AlignedVector<double> inverse = kd::detail::triangular_inverse(gram, 2, 1e-12, kd::SimdLevel::best);
    const std::size_t ld = kd::detail::spread_stride<double>(2);
    CHECK(inverse[0] == doctest::Approx(0.5));
    CHECK(inverse[1] == doctest::Approx(-1.0 / 6.0));
    CHECK(inverse[ld] == 0.0);
    CHECK(inverse[ld + 1] == doctest::Approx(1.0 / 3.0));
  }

  // Around the panels of 64 rows.
  TEST_CASE("makes columns orthonormal at every awkward size and level") {
    for (const std::size_t size : {1u, 2u, 7u, 63u, 64u, 65u, 127u, 129u, 200u})
      for (const kd::SimdLevel level : kindred_test::simd_levels()) {
        CAPTURE(size);
        const std::vector<double> gram = triangular_gram(size, {});
        // Condition numbers below 200: size * eps * condition.
        CHECK(departure(gram, size, kd::detail::triangular_inverse(gram, size, 1e-12, level), {}) < 1e-11);
      }
  }

  TEST_CASE("columns that depend on others are zero, and the others orthonormal") {
    const std::vector<std::size_t> copies{3, 64, 69};
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const std::vector<double> gram = triangular_gram(70, copies);
      const kd::detail::AlignedVector<double> inverse = kd::detail::triangular_inverse(gram, 70, 1e-12, level);
      const std::size_t ld = kd::detail::spread_stride<double>(70);
      for (const std::size_t copy : copies)
        for (std::size_t n = 0; n < 70; ++n) {
          CHECK(inverse[copy * ld + n] == 0.0);
          CHECK(inverse[n * ld + copy] == 0.0);
        }
      CHECK(departure(gram, 70, inverse, copies) < 1e-11);
    }
  }

  TEST_CASE("a matrix of zeros has none, and no column an empty one") {
    const std::vector<double> zeros(9, 0.0);
    for (const double entry : kd::detail::triangular_inverse(zeros, 3, 1e-12, kd::SimdLevel::best)) CHECK(entry == 0.0);
    CHECK(kd::detail::triangular_inverse({}, 0, 1e-12, kd::SimdLevel::best).empty());
  }
}
