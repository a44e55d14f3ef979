// SPDX-License-Identifier: MIT
#include <kindred/split/split.hpp>
#include <kindred/split/split_builder.hpp>

#include <vector>

#include <doctest/doctest.h>

#include "../support/split_checks.hpp"

namespace kd = kindred;

TEST_SUITE("split/split") {
  TEST_CASE("a share of a count is not one short where the product is not exact") {
    CHECK(kd::detail::floor_share(0.2, 5) == 1);
    CHECK(kd::detail::floor_share(0.2, 9) == 1);
    CHECK(kd::detail::floor_share(0.2, 4) == 0);
    CHECK(kd::detail::floor_share(0.29, 100) == 29);  // 28.999999999999996 in double
    for (std::size_t percent = 1; percent < 100; ++percent)
      CHECK(kd::detail::floor_share(static_cast<double>(percent) / 100.0, 100'000) == percent * 1000);
  }

  TEST_CASE("a builder deals rows out, and Split opens into train and test") {
    const kd::CsrMatrix matrix({3, 4}, {0, 2, 2, 4}, {0, 3, 1, 2}, {1, 2, 3, 4});
    kd::detail::SplitBuilder builder(matrix.shape());
    builder.add(matrix.row(0), std::vector<char>{0, 1});
    builder.add(matrix.row(1), {});
    builder.add_to_train(matrix.row(2));
    const auto [train, test] = builder.finish();
    CHECK(train == kd::CsrMatrix({3, 4}, {0, 1, 1, 3}, {0, 1, 2}, {1, 3, 4}));
    CHECK(test == kd::CsrMatrix({3, 4}, {0, 1, 1, 1}, {3}, {2}));
    CHECK(kindred_test::is_partition({train, test}, matrix));
    CHECK_FALSE(kindred_test::is_partition({train, train}, matrix));
  }
}
