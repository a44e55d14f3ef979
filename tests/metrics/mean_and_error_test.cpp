// SPDX-License-Identifier: MIT
#include <kindred/metrics/mean_and_error.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

#include "../support/brute_force_evaluation.hpp"

namespace kd = kindred;
using doctest::Approx;

TEST_SUITE("metrics/mean_and_error") {
  // By hand: mean 3, squares 4 1 0 1 4, variance 10 / 4, standard error sqrt(2.5 / 5).
  TEST_CASE("mean and standard error by hand") {
    const kd::MeanAndError five = kd::metrics::mean_and_error(std::vector<double>{1, 2, 3, 4, 5});
    CHECK(five.count == 5);
    CHECK(five.mean == Approx(3.0).epsilon(1e-15));
    CHECK(five.standard_error == Approx(std::sqrt(0.5)).epsilon(1e-15));
    const kd::MeanAndError two = kd::metrics::mean_and_error(std::vector<double>{0, 1});
    CHECK(two.mean == 0.5);
    CHECK(two.standard_error == Approx(0.5).epsilon(1e-15));
  }

  TEST_CASE("too few values for an error, or none") {
    const kd::MeanAndError one = kd::metrics::mean_and_error(std::vector<double>{7});
    CHECK(one.mean == 7.0);
    CHECK(one.standard_error == 0.0);
    const kd::MeanAndError none = kd::metrics::mean_and_error({});
    CHECK(none.count == 0);
    CHECK(none.mean == 0.0);
    CHECK(none.standard_error == 0.0);
    CHECK(kd::metrics::mean_and_error(std::vector<double>(9, 0.25)).standard_error < 1e-15);  // the rounding of a mean of nine
  }

  TEST_CASE("agrees with the definition on random values") {
    kd::detail::Random random(1, kd::detail::RandomStream::sample);
    for (std::size_t n = 2; n < 200; n += 17) {
      std::vector<double> values(n);
      for (double& value : values) value = random.normal();
      const kd::MeanAndError found = kd::metrics::mean_and_error(values);
      const kindred_test::BruteEstimate wanted = kindred_test::brute_estimate(values);
      // At most 200 terms of a few units: 200 * eps.
      CHECK(std::abs(found.mean - wanted.mean) < 1e-13);
      CHECK(std::abs(found.standard_error - wanted.standard_error) < 1e-13);
    }
  }
}
