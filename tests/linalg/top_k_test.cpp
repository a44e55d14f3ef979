// SPDX-License-Identifier: MIT
#include <kindred/linalg/top_k.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

#include "../support/simd_levels.hpp"
#include "../support/textbook_als.hpp"

namespace kd = kindred;

TEST_SUITE("linalg/top_k") {
  TEST_CASE("the best of a stream, ties to the lower item") {
    kd::detail::BestOf best(2);
    CHECK(best.threshold() < -1e300);
    for (const kd::Scored& scored : {kd::Scored{4, 1.0}, kd::Scored{3, 1.0}, kd::Scored{9, 2.0}, kd::Scored{5, 1.0}})
      if (best.would_enter(scored)) best.add(scored);
    CHECK(best.threshold() == 1.0);
    CHECK_FALSE(best.would_enter({3, 1.0}));
    CHECK(best.would_enter({2, 1.0}));
    CHECK(best.take() == std::vector<kd::Scored>{{9, 2.0}, {3, 1.0}});
    CHECK_FALSE(kd::detail::BestOf(0).would_enter({0, 1e300}));
  }

  TEST_CASE("short and long lists of a stream are the first of all in order, with many ties") {
    kd::detail::Random random(1, kd::detail::RandomStream::sample, 7);
    for (const std::size_t count : {1u, 10u, 63u, 64u, 65u, 300u}) {
      for (const std::size_t length : {0u, 5u, 64u, 1000u}) {
        std::vector<kd::Scored> all;
        kd::detail::BestOf best(count);
        for (std::size_t n = 0; n < length; ++n) {
          all.push_back({static_cast<kd::Index>((n * 7919) % 1009), static_cast<double>(random.below(20))});
          if (best.would_enter(all.back())) best.add(all.back());
          CHECK(best.full() == (n + 1 >= count));
        }
        std::sort(all.begin(), all.end(), kd::ranks_before);
        all.resize((std::min)(count, length));
        CHECK(best.threshold() == (length < count ? -std::numeric_limits<double>::infinity() : all.back().score));
        CHECK(best.take() == all);
        CHECK(best.empty());
      }
    }
  }

  TEST_CASE("filters that need no score") {
    const std::vector<kd::Index> counts{0, 1, 1, 1}, exclude{1}, allow{0, 1, 2};
    const kd::detail::TopKRequest request{.exclude = exclude, .allow = allow, .counts = counts};
    CHECK_FALSE(kd::detail::is_eligible(request, 0));
    CHECK_FALSE(kd::detail::is_eligible(request, 1));
    CHECK(kd::detail::is_eligible(request, 2));
    CHECK_FALSE(kd::detail::is_eligible(request, 3));
    CHECK(kd::detail::is_eligible({}, 0));
    CHECK_FALSE(kd::detail::is_eligible({.without = 0}, 0));
    CHECK(kd::detail::is_eligible({.without = 0}, 1));
  }

  TEST_CASE_TEMPLATE("an index takes about a byte a factor", T, float, double) {
    const kd::FactorMatrix<T> rows = kindred_test::random_factors<T>(1000, 40, 1.0, 1);
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::detail::TopKIndex<T> index(rows, rows, level);
      CHECK(index.memory_bytes() >= 40'000);
      CHECK(index.memory_bytes() < 50'000);
    }
  }
}
