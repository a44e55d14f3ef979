// SPDX-License-Identifier: MIT
#include <kindred/split/temporal.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "../support/split_checks.hpp"

namespace kd = kindred;

TEST_SUITE("split/temporal") {
  const kd::CsrMatrix matrix({2, 4}, {0, 3, 5}, {0, 1, 3, 0, 2}, {1, 2, 3, 4, 5});
  const std::vector<std::int64_t> times{10, 20, 30, 20, 40};

  TEST_CASE("a cut by hand: from its second on is test") {
    const kd::TrainTestSplit split = kd::temporal_split(matrix, times, {.cut_time = 20});
    CHECK(split.train == kd::CsrMatrix({2, 4}, {0, 1, 1}, {0}, {1}));
    CHECK(split.test == kd::CsrMatrix({2, 4}, {0, 2, 4}, {1, 3, 0, 2}, {2, 3, 4, 5}));
    CHECK(kd::temporal_split(matrix, times, {.cut_time = 21}).test.nnz() == 2);
    CHECK(kd::temporal_split(matrix, times, {.cut_time = 41}).test.nnz() == 0);
    CHECK(kd::temporal_split(matrix, times, {.cut_time = -5}).train.nnz() == 0);
  }

  // Sorted: 10 20 20 30 40. Three of five would cut between the two 20s: both go to test.
  TEST_CASE("a cut by share keeps a second together") {
    CHECK(kd::temporal_cut(times, 0.2) == 40);
    CHECK(kd::temporal_cut(times, 0.39) == 40);
    CHECK(kd::temporal_cut(times, 0.4) == 30);
    CHECK(kd::temporal_cut(times, 0.6) == 20);
    CHECK(kd::temporal_split(matrix, times, {.test_fraction = 0.6}).test.nnz() == 4);
    CHECK(kd::temporal_split(matrix, times).test == kd::temporal_split(matrix, times, {.cut_time = 40}).test);
  }

  TEST_CASE("the share is met and not overshot by more than ties, and no train entry is later than a test entry") {
    const kd::CsrMatrix random = kindred_test::random_matrix(50, 60, 0.3, 1);
    kd::detail::Random numbers(3, kd::detail::RandomStream::sample);
    std::vector<std::int64_t> when;
    for (kd::Offset n = 0; n < random.nnz(); ++n) when.push_back(static_cast<std::int64_t>(numbers.below(100)) - 50);
    for (const double fraction : {0.01, 0.2, 0.5, 0.99}) {
      const kd::TrainTestSplit split = kd::temporal_split(random, when, {.test_fraction = fraction});
      CHECK(kindred_test::is_partition(split, random));
      const std::int64_t cut = kd::temporal_cut(when, fraction);
      std::size_t at_or_after = 0, after = 0;
      for (const std::int64_t t : when) {
        at_or_after += t >= cut ? 1 : 0;
        after += t > cut ? 1 : 0;
      }
      const std::size_t share = kd::detail::floor_share(fraction, when.size());
      CHECK(static_cast<std::size_t>(split.test.nnz()) == at_or_after);
      CHECK(at_or_after >= share);
      CHECK(after < share);
    }
  }

  TEST_CASE("what it refuses, and in which words") {
    const std::vector<std::int64_t> three{1, 2, 3};
    CHECK_THROWS_WITH_AS((void)kd::temporal_split(matrix, three), "times has 3 entries; the matrix has 5 interactions", kd::ShapeError);
    CHECK_THROWS_AS((void)kd::temporal_split(matrix, three, {.cut_time = 1}), kd::ShapeError);
    CHECK_THROWS_WITH_AS((void)kd::temporal_split(matrix, times, {.test_fraction = 1.0}),
                         "test_fraction is 1; it must be above 0 and below 1", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::temporal_split(matrix, times, {.test_fraction = 0.1}),
                         "test_fraction is 0.1; it must be enough for one of the 5 interactions", kd::InvalidArgument);
    for (const double bad : {0.0, 1.0, -0.5, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
      CHECK_THROWS_AS((void)kd::temporal_cut(times, bad), kd::InvalidArgument);
      CHECK_THROWS_AS((void)kd::temporal_split(matrix, times, {.cut_time = 20, .test_fraction = bad}), kd::InvalidArgument);
    }
    CHECK_THROWS_AS((void)kd::temporal_split(kd::CsrMatrix(), {}), kd::InvalidArgument);
    CHECK_NOTHROW((void)kd::temporal_split(kd::CsrMatrix(), {}, {.cut_time = 0}));
  }
}
