// SPDX-License-Identifier: MIT
#include <kindred/split/leave_last_out.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../support/same.hpp"
#include "../support/split_checks.hpp"

namespace kd = kindred;

TEST_SUITE("split/leave_last_out") {
  // User 0 discovered item 4 last; user 1 has one item; user 2 discovered items 1 and 3 in the same second.
  TEST_CASE("the latest item of each user, by hand") {
    const kd::CsrMatrix matrix({3, 5}, {0, 3, 4, 7}, {0, 2, 4, 1, 0, 1, 3}, {1, 2, 3, 4, 5, 6, 7});
    const std::vector<std::int64_t> times{10, 30, 40, 99, 5, 20, 20};
    const kd::TrainTestSplit split = kd::leave_last_out(matrix, times);
    CHECK(split.test == kd::CsrMatrix({3, 5}, {0, 1, 1, 2}, {4, 3}, {3, 7}));
    CHECK(kindred_test::is_partition(split, matrix));

    const kd::TrainTestSplit two = kd::leave_last_out(matrix, times, {.count = 2, .min_interactions = 3});
    CHECK(two.test == kd::CsrMatrix({3, 5}, {0, 2, 2, 4}, {2, 4, 1, 3}, {2, 3, 6, 7}));
  }

  TEST_CASE("no test item is older than a training item of its user") {
    const kd::CsrMatrix matrix = kindred_test::random_matrix(60, 40, 0.3, 1);
    kd::detail::Random random(2, kd::detail::RandomStream::sample);
    std::vector<std::int64_t> times;
    for (kd::Offset n = 0; n < matrix.nnz(); ++n) times.push_back(static_cast<std::int64_t>(random.below(8)) - 4);  // many ties
    for (const kd::Index count : {1, 2, 5}) {
      const kd::TrainTestSplit split = kd::leave_last_out(matrix, times, {.count = count, .min_interactions = count + 1});
      REQUIRE(kindred_test::is_partition(split, matrix));
      for (kd::Index u = 0; u < matrix.rows(); ++u) {
        const kd::SparseRow row = matrix.row(u);
        if (row.size() <= static_cast<std::size_t>(count)) {
          CHECK(split.test.row(u).empty());
          continue;
        }
        // Brute force: (time, item) pairs, the largest `count` of them.
        std::vector<std::pair<std::int64_t, kd::Index>> events;
        for (std::size_t n = 0; n < row.size(); ++n)
          events.emplace_back(times[static_cast<std::size_t>(matrix.offsets()[static_cast<std::size_t>(u)]) + n], row.columns[n]);
        std::sort(events.rbegin(), events.rend());
        std::vector<kd::Index> wanted;
        for (std::size_t n = 0; n < static_cast<std::size_t>(count); ++n) wanted.push_back(events[n].second);
        std::sort(wanted.begin(), wanted.end());
        const kd::SparseRow test = split.test.row(u);
        CHECK(kindred_test::same_array(wanted, test.columns));
      }
    }
  }

  TEST_CASE("an empty matrix has nothing to hold out") {
    CHECK(kindred_test::is_partition(kd::leave_last_out(kd::CsrMatrix(), {}), kd::CsrMatrix()));
  }

  TEST_CASE("what it refuses, and in which words") {
    const kd::CsrMatrix matrix({1, 3}, {0, 3}, {0, 1, 2}, {1, 1, 1});
    const std::vector<std::int64_t> times{1, 2, 3}, short_times{1, 2};
    CHECK_THROWS_WITH_AS((void)kd::leave_last_out(matrix, short_times), "times has 2 entries; the matrix has 3 interactions",
                         kd::ShapeError);
    CHECK_THROWS_WITH_AS((void)kd::leave_last_out(matrix, {}),
                         "times has 0 entries; the matrix has 3 interactions; does the source of the data have times?", kd::ShapeError);
    CHECK_THROWS_WITH_AS((void)kd::leave_last_out(matrix, times, {.count = 0}), "count is 0; it must be at least 1", kd::InvalidArgument);
    CHECK(kd::leave_last_out(matrix, times, {.count = 2, .min_interactions = 3}).test.nnz() == 2);
    CHECK_THROWS_WITH_AS((void)kd::leave_last_out(matrix, times, {.count = 2, .min_interactions = 2}),
                         "min_interactions is 2; it must be above count, which is 2", kd::InvalidArgument);
  }
}
