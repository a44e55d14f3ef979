// SPDX-License-Identifier: MIT
#include <kindred/linalg/gram.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

#include "../support/same.hpp"
#include "../support/simd_levels.hpp"
#include "../support/textbook_als.hpp"

namespace kd = kindred;

namespace {

template <typename T>
std::vector<long double> textbook_gram(const kd::FactorMatrix<T>& factors, std::span<const double> weights) {
  const auto k = static_cast<std::size_t>(factors.factors());
  std::vector<long double> sum(k * k, 0.0L);
  for (kd::Index r = 0; r < factors.rows(); ++r) {
    const long double weight = weights.empty() ? 1.0L : static_cast<long double>(weights[static_cast<std::size_t>(r)]);
    for (std::size_t a = 0; a < k; ++a)
      for (std::size_t b = 0; b < k; ++b)
        sum[a * k + b] += weight * static_cast<long double>(factors.row(r)[a]) * static_cast<long double>(factors.row(r)[b]);
  }
  return sum;
}

}  // namespace

TEST_SUITE("linalg/gram") {
  TEST_CASE("two rows by hand") {
    const kd::FactorMatrix<float> factors(2, 2, std::vector<float>{1, 2, 3, -1});
    const kd::detail::AlignedVector<double> plain = kd::detail::gram(factors);
    CHECK(std::vector<double>(plain.begin(), plain.end()) == std::vector<double>{10, -1, -1, 5});
    const std::vector<double> weights{4, 0};
    const kd::detail::AlignedVector<double> weighted = kd::detail::gram(factors, std::span<const double>(weights));
    CHECK(std::vector<double>(weighted.begin(), weighted.end()) == std::vector<double>{4, 8, 8, 16});
  }

  // Around the row chunks of 128 and the 16 blocks of them.
  TEST_CASE_TEMPLATE("agrees with the sum over all rows, at every awkward size", T, float, double) {
    for (const kd::Index rows : {0, 1, 2, 127, 128, 129, 500, 16 * 128 + 1, 3000}) {
      for (const kd::Index k : {1, 3, 16, 17}) {
        const kd::FactorMatrix<T> factors = kindred_test::random_factors<T>(rows, k, 1.0, 3);
        std::vector<double> weights;
        kd::detail::Random random(5, kd::detail::RandomStream::sample);
        for (kd::Index r = 0; r < rows; ++r) weights.push_back(random.below(4) == 0 ? 0.0 : 3.0 * random.uniform());
        for (const std::span<const double> w : {std::span<const double>(), std::span<const double>(weights)}) {
          CAPTURE(rows);
          CAPTURE(k);
          const std::vector<long double> wanted = textbook_gram(factors, w);
          for (const kd::SimdLevel level : kindred_test::simd_levels()) {
            const kd::detail::AlignedVector<double> found = kd::detail::gram(factors, w, {.threads = 1}, level);
            REQUIRE(found.size() == wanted.size());
            // At most 3000 terms in double: 3000 * eps = 7e-13 of the largest sum.
            CHECK(kindred_test::distance(found, wanted) < 1e-12L);
            for (std::size_t a = 0; a < static_cast<std::size_t>(k); ++a)
              for (std::size_t b = 0; b < a; ++b)
                CHECK(kindred_test::same_element(found[a * static_cast<std::size_t>(k) + b], found[b * static_cast<std::size_t>(k) + a]));
          }
        }
      }
    }
  }

  TEST_CASE("the same bytes for any number of threads, and on a caller's executor") {
    const kd::FactorMatrix<float> factors = kindred_test::random_factors<float>(5000, 21, 1.0, 3);
    const kd::detail::AlignedVector<double> one = kd::detail::gram(factors, {}, {.threads = 1});
    for (const std::size_t threads : {2u, 3u, 8u})
      CHECK(kindred_test::same_array(kd::detail::gram(factors, {}, {.threads = threads}), one));
    const kd::Executor backwards = [](std::size_t workers, const std::function<void(std::size_t)>& task) {
      while (workers-- > 0) task(workers);
    };
    CHECK(kindred_test::same_array(kd::detail::gram(factors, {}, {.threads = 4, .executor = &backwards}), one));
  }

  TEST_CASE("the same bytes for any number of threads at every level") {
    const kd::FactorMatrix<double> factors = kindred_test::random_factors<double>(3000, 9, 1.0, 3);
    for (const kd::SimdLevel level : kindred_test::simd_levels())
      CHECK(kindred_test::same_array(kd::detail::gram(factors, {}, {.threads = 3}, level),
                                     kd::detail::gram(factors, {}, {.threads = 1}, level)));
  }

  TEST_CASE("weights of another length are an error") {
    const kd::FactorMatrix<float> factors(3, 2);
    const std::vector<double> two(2, 1.0);
    CHECK_THROWS_WITH_AS((void)kd::detail::gram(factors, std::span<const double>(two)), doctest::Contains("2 entries for 3 rows"),
                         kd::ShapeError);
  }
}
