// SPDX-License-Identifier: MIT
#include <kindred/core/types.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace kd = kindred;

static_assert(sizeof(kd::Index) == 4 && sizeof(kd::Offset) == 8);
static_assert(kd::Real<float> && kd::Real<double> && !kd::Real<int> && !kd::Real<long double>);

TEST_SUITE("core/types") {
  TEST_CASE("a ranked list is ordered best first, ties by the lower item") {
    std::vector<kd::Scored> list{{4, 1.0}, {2, 3.0}, {1, 1.0}, {9, -1.0}};
    std::sort(list.begin(), list.end(), kd::ranks_before);
    CHECK(list == std::vector<kd::Scored>{{2, 3.0}, {1, 1.0}, {4, 1.0}, {9, -1.0}});
    CHECK_FALSE(kd::ranks_before(list[0], list[0]));
  }

  TEST_CASE("finite is told by bits") {
    CHECK(kd::detail::is_finite(0.0F));
    CHECK(kd::detail::is_finite(-0.0));
    CHECK(kd::detail::is_finite((std::numeric_limits<float>::max)()));
    CHECK(kd::detail::is_finite(std::numeric_limits<double>::lowest()));
    CHECK(kd::detail::is_finite(std::numeric_limits<double>::denorm_min()));
    CHECK_FALSE(kd::detail::is_finite(std::numeric_limits<float>::infinity()));
    CHECK_FALSE(kd::detail::is_finite(-std::numeric_limits<double>::infinity()));
    CHECK_FALSE(kd::detail::is_finite(std::numeric_limits<float>::quiet_NaN()));
    CHECK_FALSE(kd::detail::is_finite(std::numeric_limits<double>::quiet_NaN()));
  }
}
