// SPDX-License-Identifier: MIT
#include <kindred/linalg/row_fallback.hpp>

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

#include "../support/textbook_als.hpp"

namespace kd = kindred;

TEST_SUITE("linalg/row_fallback") {
  // By hand: 4x + 2y = 10, 2x + 3y = 7.
  TEST_CASE("a system of two by hand") {
    std::vector<double> a{4.0, 2.0, 2.0, 3.0}, b{10.0, 7.0};
    REQUIRE(kd::detail::solve_symmetric(a, b));
    CHECK(b[0] == doctest::Approx(2.0));
    CHECK(b[1] == doctest::Approx(1.0));
  }

  TEST_CASE("a matrix without an inverse, or not positive definite, is noticed") {
    std::vector<double> a{1.0, 1.0, 1.0, 1.0}, b{1.0, 1.0};
    CHECK_FALSE(kd::detail::solve_symmetric(a, b));
    a = {1.0, 0.0, 0.0, -1.0};
    CHECK_FALSE(kd::detail::solve_symmetric(a, b));
    a = {std::nan(""), 0.0, 0.0, 1.0};
    CHECK_FALSE(kd::detail::solve_symmetric(a, b));
  }

  // Rows of an orthogonal fixed side, so that the eigenbasis is the given one: e_f = 1 for each of the first k rows.
  TEST_CASE("both forms solve the row's equations") {
    for (const kd::Index k : {1, 5, 12}) {
      kd::detail::Random random(static_cast<std::uint64_t>(k), kd::detail::RandomStream::sample);
      const kd::Index n_fixed = 40;
      kd::FactorMatrix<double> fixed(n_fixed, k);
      for (kd::Index r = 0; r < n_fixed; ++r)
        for (double& value : fixed.row(r)) value = random.normal();
      std::vector<double> eigenvalues;
      for (kd::Index f = 0; f < k; ++f) eigenvalues.push_back(10.0 - static_cast<double>(f) * 0.5);
      for (const std::size_t n : std::vector<std::size_t>{0, 1, 4, 20}) {
        for (const bool negative : {false, true}) {
          std::vector<kd::Index> columns;
          std::vector<double> excess, target, prior;
          for (std::size_t at = 0; at < n; ++at) {
            columns.push_back(static_cast<kd::Index>(2 * at));
            excess.push_back(at % 4 == 3 ? 0.0 : negative && at % 4 == 2 ? -0.01 : 1e-5 + random.uniform());
            target.push_back(at % 3 == 2 ? 0.0 : 1.0 + random.uniform());
          }
          for (kd::Index f = 0; f < k; ++f) prior.push_back(random.normal());
          std::vector<double> x(static_cast<std::size_t>(k));
          const kd::detail::RowSystem<double> system{
              .columns = columns, .excess = excess, .target = target, .background = 0.7, .penalty = 0.3, .prior_mean = prior};
          REQUIRE(kd::detail::solve_row_in_double<double>(fixed, eigenvalues, system, x) == kd::detail::RowOutcome::solved);
          for (std::size_t f = 0; f < x.size(); ++f) {
            long double left = (0.7L * eigenvalues[f] + 0.3L) * x[f], right = 0.3L * prior[f], scale = std::abs(left) + std::abs(right);
            for (std::size_t at = 0; at < n; ++at) {
              const std::span<const double> y = fixed.row(columns[at]);
              long double dot = 0.0L;
              for (std::size_t g = 0; g < x.size(); ++g) dot += static_cast<long double>(y[g]) * x[g];
              left += excess[at] * dot * y[f];
              right += target[at] * static_cast<long double>(y[f]);
              scale += std::abs(excess[at] * dot * y[f]) + std::abs(target[at] * static_cast<long double>(y[f]));
            }
            CHECK(std::abs(left - right) < 1e-12L * (1.0L + scale));
          }
        }
      }
    }
  }

  TEST_CASE("a solution beyond the type of the factors is told") {
    const kd::FactorMatrix<float> fixed(1, 1, std::vector<float>{1e-37F});
    const std::vector<double> eigenvalues{0.0}, excess{1.0}, target{100.0};
    const std::vector<kd::Index> columns{0};
    std::vector<float> x(1);
    CHECK(kd::detail::solve_row_in_double<float>(
              fixed, eigenvalues,
              {.columns = columns, .excess = excess, .target = target, .background = 1.0, .penalty = 1e-90, .prior_mean = {}},
              x) == kd::detail::RowOutcome::not_finite);
  }
}
