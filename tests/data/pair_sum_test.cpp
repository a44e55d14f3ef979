// SPDX-License-Identifier: MIT
#include <limits>

#include <kindred/data/pair_sum.hpp>

#include <doctest/doctest.h>

using kindred::detail::PairSum;

TEST_SUITE("data/pair_sum") {
  TEST_CASE("sums cancel within rounding alone") {
    PairSum sum;
    CHECK(sum.cancels());
    sum.add(0.1);
    CHECK_FALSE(sum.cancels());
    sum.add(0.2);
    sum.add(-0.3);  // leaves 5.6e-17
    CHECK(sum.value() != 0.0);
    CHECK(sum.cancels());
    sum.add(1e-10);
    CHECK_FALSE(sum.cancels());
  }

  TEST_CASE("sums beyond the range of a float say so; NaN is for the caller to find") {
    PairSum sum;
    sum.add(static_cast<double>(std::numeric_limits<float>::max()));
    CHECK_FALSE(sum.exceeds_float());
    sum.add(1e32);
    CHECK(sum.exceeds_float());
    sum.add(std::numeric_limits<double>::quiet_NaN());
    CHECK_FALSE(sum.exceeds_float());
    CHECK_FALSE(sum.cancels());
  }
}
