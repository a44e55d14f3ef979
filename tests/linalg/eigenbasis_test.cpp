// SPDX-License-Identifier: MIT
#include <kindred/linalg/eigenbasis.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/linalg/gram.hpp>

#include "../support/simd_levels.hpp"
#include "../support/textbook_als.hpp"

namespace kd = kindred;

namespace {

double entry(const kd::detail::Eigenbasis& basis, std::size_t row, std::size_t column) {
  return basis.vectors[column * basis.values.size() + row];
}

}  // namespace

TEST_SUITE("linalg/eigenbasis") {
  // By hand: [[2, 1], [1, 2]] has the eigenvalues 3 and 1 with (1, 1) and (1, -1) over sqrt(2).
  TEST_CASE("a matrix of order two by hand") {
    const std::vector<double> matrix{2, 1, 1, 2};
    const kd::detail::Eigenbasis basis = kd::detail::eigenbasis(matrix, 2);
    CHECK(basis.values[0] == doctest::Approx(3.0).epsilon(1e-15));
    CHECK(basis.values[1] == doctest::Approx(1.0).epsilon(1e-15));
    CHECK(entry(basis, 0, 0) == doctest::Approx(std::sqrt(0.5)).epsilon(1e-15));
    CHECK(entry(basis, 1, 0) == doctest::Approx(std::sqrt(0.5)).epsilon(1e-15));
    CHECK(std::abs(entry(basis, 0, 1)) == doctest::Approx(std::sqrt(0.5)).epsilon(1e-15));
    CHECK(entry(basis, 0, 1) * entry(basis, 1, 1) == doctest::Approx(-0.5).epsilon(1e-15));
  }

  TEST_CASE("vectors are orthonormal, rebuild the matrix, and have a positive largest entry; values fall") {
    for (const kd::Index order : {1, 2, 3, 5, 8, 9, 16, 33, 64, 100}) {
      for (const kd::Index rows : {order / 2 + 1, 3 * order}) {  // with and without a null space
        const auto k = static_cast<std::size_t>(order);
        const kd::detail::AlignedVector<double> matrix = kd::detail::gram(kindred_test::random_factors<double>(rows, order, 1.0, k));
        for (const kd::SimdLevel level : kindred_test::simd_levels()) {
          const kd::detail::Eigenbasis basis = kd::detail::eigenbasis(matrix, k, {}, level);
          REQUIRE(basis.values.size() == k);
          REQUIRE(basis.vectors.size() == k * k);
          CHECK(std::is_sorted(basis.values.rbegin(), basis.values.rend()));
          CHECK(basis.values.back() >= 0.0);
          const double scale = basis.values.front();
          double worst_dot = 0.0, worst_entry = 0.0;
          for (std::size_t a = 0; a < k; ++a) {
            double largest = 0.0;
            for (std::size_t b = 0; b < k; ++b) {
              double dot = 0.0, rebuilt = 0.0;
              for (std::size_t f = 0; f < k; ++f) {
                dot += entry(basis, f, a) * entry(basis, f, b);
                rebuilt += entry(basis, a, f) * basis.values[f] * entry(basis, b, f);
              }
              worst_dot = (std::max)(worst_dot, std::abs(dot - (a == b ? 1.0 : 0.0)));
              worst_entry = (std::max)(worst_entry, std::abs(rebuilt - matrix[a * k + b]) / scale);
              if (std::abs(entry(basis, b, a)) > std::abs(largest)) largest = entry(basis, b, a);
            }
            CHECK(largest > 0.0);
          }
          // k * eps is 2.2e-14 at order 100; a few of those.
          CHECK(worst_dot < 1e-13);
          CHECK(worst_entry < 1e-13);
        }
      }
    }
  }

  // Shapes that trip eigensolvers: already diagonal, nearly so, equal values, values over many magnitudes, one block of zeros.
  TEST_CASE("awkward matrices") {
    constexpr std::size_t k = 24;
    std::vector<std::vector<double>> matrices(5, std::vector<double>(k * k, 0.0));
    for (std::size_t n = 0; n < k; ++n) {
      matrices[0][n * k + n] = static_cast<double>((n * 7) % k);
      matrices[1][n * k + n] = 1.0;
      matrices[2][n * k + n] = std::pow(10.0, -static_cast<double>(n));
      matrices[3][n * k + n] = n < k / 2 ? 3.0 : 0.0;
      matrices[4][n * k + n] = 2.0;
      if (n + 1 < k) matrices[1][n * k + n + 1] = matrices[1][(n + 1) * k + n] = 1e-17;
      if (n + 1 < k) matrices[4][n * k + n + 1] = matrices[4][(n + 1) * k + n] = -1.0;
    }
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      for (const std::vector<double>& matrix : matrices) {
        const kd::detail::Eigenbasis basis = kd::detail::eigenbasis(matrix, k, {}, level);
        CHECK(std::is_sorted(basis.values.rbegin(), basis.values.rend()));
        for (std::size_t a = 0; a < k; ++a) {
          for (std::size_t b = 0; b < k; ++b) {
            double dot = 0.0, rebuilt = 0.0;
            for (std::size_t f = 0; f < k; ++f) {
              dot += entry(basis, f, a) * entry(basis, f, b);
              rebuilt += entry(basis, a, f) * basis.values[f] * entry(basis, b, f);
            }
            CHECK(std::abs(dot - (a == b ? 1.0 : 0.0)) < 1e-13);
            CHECK(std::abs(rebuilt - matrix[a * k + b]) < 1e-13 * basis.values[0]);
          }
        }
      }
      // The second difference matrix: 2 - 2 cos(pi n / (k + 1)).
      const kd::detail::Eigenbasis known = kd::detail::eigenbasis(matrices[4], k, {}, level);
      for (std::size_t n = 0; n < k; ++n)
        CHECK(std::abs(known.values[n] - (2.0 - 2.0 * std::cos(3.14159265358979323846 * static_cast<double>(k - n) / (k + 1)))) <
              1e-14 * 4.0);
    }
  }

  // Orders at which the work is shared among threads: the same bytes, and still orthonormal. By products with random vectors, as all pairs take too long.
  TEST_CASE("large orders") {
    for (const std::size_t k : {std::size_t{256}, std::size_t{301}}) {
      const auto order = static_cast<kd::Index>(k);
      const kd::detail::AlignedVector<double> matrix = kd::detail::gram(kindred_test::random_factors<double>(2 * order / 3, order, 1.0, k));
      const kd::detail::Eigenbasis basis = kd::detail::eigenbasis(matrix, k, {.threads = 1});
      for (const std::size_t threads : {2u, 3u, 8u})
        CHECK(kd::detail::eigenbasis(matrix, k, {.threads = threads}).vectors == basis.vectors);
      std::vector<double> turned(k), back(k), image(k);
      for (std::size_t test = 0; test < 5; ++test) {
        kd::detail::Random random(test, kd::detail::RandomStream::sample);
        std::vector<double> x(k);
        for (double& value : x) value = random.normal();
        for (std::size_t f = 0; f < k; ++f) {
          turned[f] = 0.0;
          for (std::size_t row = 0; row < k; ++row) turned[f] += entry(basis, row, f) * x[row];
        }
        for (std::size_t row = 0; row < k; ++row) {
          back[row] = image[row] = 0.0;
          for (std::size_t f = 0; f < k; ++f) back[row] += entry(basis, row, f) * turned[f];
          for (std::size_t f = 0; f < k; ++f) image[row] += entry(basis, row, f) * basis.values[f] * turned[f];
          double product = 0.0;
          for (std::size_t column = 0; column < k; ++column) product += matrix[row * k + column] * x[column];
          CHECK(std::abs(back[row] - x[row]) < 1e-12);
          CHECK(std::abs(image[row] - product) < 1e-12 * basis.values[0]);
        }
      }
    }
  }

  TEST_CASE("eigenvalues that rounding made negative are 0") {
    std::vector<double> matrix(16, 1.0);  // one eigenvalue 4, three 0
    const kd::detail::Eigenbasis basis = kd::detail::eigenbasis(matrix, 4);
    CHECK(basis.values[0] == doctest::Approx(4.0).epsilon(1e-14));
    for (std::size_t f = 1; f < 4; ++f) {
      CHECK(basis.values[f] >= 0.0);
      CHECK(basis.values[f] < 1e-14);
    }
    const kd::detail::Eigenbasis zero = kd::detail::eigenbasis(std::vector<double>(9, 0.0), 3);
    CHECK(zero.values == std::vector<double>(3, 0.0));
  }

  TEST_CASE("errors: not square, not finite") {
    CHECK_THROWS_WITH_AS((void)kd::detail::eigenbasis(std::vector<double>(5, 1.0), 2), doctest::Contains("order 2"), kd::ShapeError);
    std::vector<double> matrix{1, 0, 0, 1};
    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
      matrix[3] = bad;
      CHECK_THROWS_WITH_AS((void)kd::detail::eigenbasis(matrix, 2), doctest::Contains("not finite"), kd::NumericalError);
    }
  }

  TEST_CASE_TEMPLATE("rotating keeps every inner product and makes the Gram matrix diagonal", T, float, double) {
    constexpr std::size_t k = 19;
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      kd::FactorMatrix<T> factors = kindred_test::random_factors<T>(300, k, 1.0, 4);
      const kd::FactorMatrix<T> before = factors;
      const kd::detail::Eigenbasis basis = kd::detail::eigenbasis(kd::detail::gram(factors), k);
      kd::detail::rotate(factors, basis, {}, level);
      // A rotated entry sums 19 products in double and is rounded once to T; |y|^2 is about 19 too: 19 * 19 * eps at most, for double.
      const double tolerance = 361.0 * static_cast<double>(std::numeric_limits<T>::epsilon());
      for (kd::Index r = 0; r < 300; ++r) {
        const kd::Index other = (r * 7 + 1) % 300;
        double dot = 0.0, dot_before = 0.0;
        for (std::size_t f = 0; f < k; ++f) {
          dot += static_cast<double>(factors.row(r)[f]) * static_cast<double>(factors.row(other)[f]);
          dot_before += static_cast<double>(before.row(r)[f]) * static_cast<double>(before.row(other)[f]);
        }
        CHECK(std::abs(dot - dot_before) < tolerance);
        for (std::size_t pad = k; pad < factors.stride(); ++pad)
          CHECK(factors.data()[static_cast<std::size_t>(r) * factors.stride() + pad] == T(0));
      }
      const kd::detail::AlignedVector<double> diagonal = kd::detail::gram(factors);
      for (std::size_t a = 0; a < k; ++a)
        for (std::size_t b = 0; b < k; ++b)
          CHECK(std::abs(diagonal[a * k + b] - (a == b ? basis.values[a] : 0.0)) < tolerance * basis.values[0]);
    }
  }

  TEST_CASE_TEMPLATE("rotating gives the same bytes for any number of threads", T, float, double) {
    const kd::FactorMatrix<T> factors = kindred_test::random_factors<T>(1000, 17, 1.0, 4);
    const kd::detail::Eigenbasis basis = kd::detail::eigenbasis(kd::detail::gram(factors), 17);
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      kd::FactorMatrix<T> one = factors;
      kd::detail::rotate(one, basis, {.threads = 1}, level);
      for (const std::size_t threads : {2u, 3u, 8u}) {
        kd::FactorMatrix<T> several = factors;
        kd::detail::rotate(several, basis, {.threads = threads}, level);
        CHECK(several.same_bytes(one));
      }
    }
  }

  // In float an entry keeps its digits though it is tiny beside the others of its row: the small eigenvalues live on these.
  TEST_CASE("rotating rounds relative to an entry, not to its row") {
    constexpr std::size_t k = 4;
    kd::FactorMatrix<double> exact = kindred_test::random_factors<double>(200, k, 1.0, 6);
    for (kd::Index r = 0; r < exact.rows(); ++r) {
      const std::span<double> row = exact.row(r);
      for (double& value : row) value = static_cast<double>(static_cast<float>(value));
      row[3] = static_cast<double>(static_cast<float>(row[0] + 1e-3 * row[3]));  // nearly the first column again
    }
    kd::FactorMatrix<float> rounded(exact.rows(), k);
    for (kd::Index r = 0; r < exact.rows(); ++r) std::copy(exact.row(r).begin(), exact.row(r).end(), rounded.row(r).begin());
    const kd::detail::Eigenbasis basis = kd::detail::eigenbasis(kd::detail::gram(exact), k);
    REQUIRE(basis.values[3] < 1e-4 * basis.values[0]);
    kd::detail::rotate(exact, basis);
    kd::detail::rotate(rounded, basis);
    for (kd::Index r = 0; r < exact.rows(); ++r)
      for (std::size_t f = 0; f < k; ++f)
        CHECK(std::abs(static_cast<double>(rounded.row(r)[f]) - exact.row(r)[f]) <=
              static_cast<double>(std::numeric_limits<float>::epsilon()) * std::abs(exact.row(r)[f]));
  }
}
