// SPDX-License-Identifier: MIT
#include <kindred/data/ratings.hpp>

#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace kd = kindred;

TEST_SUITE("data/ratings") {
  TEST_CASE("likes, dislikes and what lies between, by hand") {
    const kd::CsrMatrix stars({3, 5}, {0, 5, 5, 7}, {0, 1, 2, 3, 4, 0, 4}, {1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 3.5F, 0.0F});
    CHECK(kd::likes_and_dislikes(stars) == kd::CsrMatrix({3, 5}, {0, 4, 4, 5}, {0, 1, 3, 4, 4}, {-1.0F, -1.0F, 1.0F, 1.0F, -1.0F}));
    CHECK(kd::likes_and_dislikes(stars, {.likes_from = 3.5F, .dislikes_to = -1.0F}) ==
          kd::CsrMatrix({3, 5}, {0, 2, 2, 3}, {3, 4, 0}, {1.0F, 1.0F, 1.0F}));
    CHECK(kd::likes_and_dislikes(stars.rows(2, 3)).nnz() == 1);
  }

  TEST_CASE("rules that are refused") {
    const kd::CsrMatrix stars({1, 1}, {0, 1}, {0}, {4.0F});
    CHECK_THROWS_WITH_AS((void)kd::likes_and_dislikes(stars, {.likes_from = 2.0F, .dislikes_to = 2.0F}),
                         "rule.likes_from is 2; it must be finite and above dislikes_to, which is 2", kd::InvalidArgument);
    const float nan = std::numeric_limits<float>::quiet_NaN(), infinite = std::numeric_limits<float>::infinity();
    CHECK_THROWS_AS((void)kd::likes_and_dislikes(stars, {.likes_from = nan}), kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::likes_and_dislikes(stars, {.likes_from = infinite}), kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::likes_and_dislikes(stars, {.dislikes_to = nan}), kd::InvalidArgument);
  }
}
