// SPDX-License-Identifier: MIT
#include <kindred/linalg/row_offsets.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

namespace kd = kindred;
using kd::detail::RowOffsets;
using kd::detail::WeightedOffsets;

TEST_SUITE("linalg/row_offsets") {
  TEST_CASE("two offsets by hand, one of weight 0, in their order") {
    const RowOffsets a({1.0F, -2.0F}), b({0.5F, 4.0F}), never({std::numeric_limits<float>::max(), 1.0F});
    const std::vector<WeightedOffsets> both{{2.0F, &a}, {0.0F, &never}, {-1.0F, &b}};
    CHECK(kd::detail::with_offsets(both, 0, 10.0) == 11.5);
    CHECK(kd::detail::with_offsets(both, 1, 10.0) == 2.0);
    CHECK(kd::detail::with_offsets({}, 1, 10.0) == 10.0);
  }

  TEST_CASE("the largest of a block is that of a plain loop") {
    kd::detail::Random random(3, kd::detail::RandomStream::sample);
    for (const std::size_t n : {1U, 63U, 64U, 65U, 200U, 641U}) {
      std::vector<float> values(n);
      for (float& value : values) value = static_cast<float>(random.normal());
      std::vector<kd::Index> order(n);
      std::iota(order.begin(), order.end(), 0);
      std::reverse(order.begin(), order.end());
      const RowOffsets offsets(values, order);
      CHECK(offsets.differences_are_finite());
      for (std::size_t place = 0; place < n; ++place) CHECK(offsets.in_order()[place] == values[static_cast<std::size_t>(order[place])]);
      for (const float weight : {-1.5F, 0.25F}) {
        for (std::size_t block = 0; block * 64 < n; ++block) {
          double in = -1e300;
          for (std::size_t place = block * 64; place < (std::min)(n, block * 64 + 64); ++place) {
            const double term = static_cast<double>(weight) * static_cast<double>(values[static_cast<std::size_t>(order[place])]);
            CHECK(offsets.of(weight, order[place]) == term);
            in = (std::max)(in, term);
          }
          CHECK(offsets.most_in(weight, block) == in);
          CHECK(static_cast<double>(weight) * static_cast<double>(offsets.ends(weight)[block]) == in);
        }
      }
    }
  }

  TEST_CASE("bounds add up the largest terms, with a margin by their absolute values") {
    std::vector<float> values(70, -3.0F);
    values[65] = 2.0F;
    std::vector<kd::Index> order(70);
    std::iota(order.begin(), order.end(), 0);
    const RowOffsets a(values, order), b(std::vector<float>(70, 1.5F), order);
    const std::vector<WeightedOffsets> all{{2.0F, &a}, {0.0F, &a}, {-1.0F, &b}};
    // The margin is 1e-9 of the sizes 7.5, 5.5 and 0.
    CHECK(kd::detail::most_in(all, 0) == -7.5 + 7.5e-9);
    CHECK(kd::detail::most_in(all, 1) == 2.5 + 5.5e-9);
    CHECK(kd::detail::most_in({}, 0) == 0.0);
    CHECK(kd::detail::offset_margin(-2.0) == 2e-9);
  }

  TEST_CASE("rows whose differences leave the range say so") {
    CHECK_FALSE(RowOffsets({3e38F, -3e38F}, std::vector<kd::Index>{1, 0}).differences_are_finite());
    CHECK(RowOffsets({3e38F, 1e38F}, std::vector<kd::Index>{1, 0}).differences_are_finite());
  }
}
