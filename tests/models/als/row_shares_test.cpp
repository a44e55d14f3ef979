// SPDX-License-Identifier: MIT
#include <kindred/models/als/row_shares.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

namespace kd = kindred;

TEST_SUITE("models/als/row_shares") {
  TEST_CASE("every row has one rank, runs begin at units, and costs are even to a unit or a row") {
    const kd::AlsOptions options{.factors = 32, .units = kd::Units::paper};
    kd::detail::Random random(1, kd::detail::RandomStream::sample, 0);
    std::vector<kd::Index> counts(5'000);
    for (kd::Index& count : counts) count = static_cast<kd::Index>(random.below(random.below(40) == 0 ? 3'000 : 60));
    double all = 0.0, dearest = 0.0;
    for (const kd::Index count : counts) {
      all += kd::detail::solve_cost(count, kd::detail::settings_of(options));
      dearest = (std::max)(dearest, kd::detail::solve_cost(count, kd::detail::settings_of(options)));
    }
    for (const kd::Index unit : {1, 256})
      for (const std::size_t ranks : {1u, 2u, 3u, 8u}) {
        const std::vector<std::uint64_t> shares = kd::detail::row_shares(counts, kd::detail::settings_of(options), ranks, unit);
        REQUIRE(shares.size() == ranks + 1);
        CHECK(shares.front() == 0);
        CHECK(shares.back() == 5'000);
        for (std::size_t r = 0; r < ranks; ++r) {
          REQUIRE(shares[r] <= shares[r + 1]);
          CHECK(shares[r] % static_cast<std::uint64_t>(unit) == 0);
          double cost = 0.0;
          for (std::uint64_t row = shares[r]; row < shares[r + 1]; ++row)
            cost += kd::detail::solve_cost(counts[row], kd::detail::settings_of(options));
          if (unit == 1) {
            CHECK(cost <= all / static_cast<double>(ranks) + 2.0 * dearest);
            CHECK(cost >= all / static_cast<double>(ranks) - 2.0 * dearest);
          }
        }
      }
  }

  TEST_CASE("more ranks than rows, no rows, and one row that costs everything") {
    const kd::detail::AlsSettings options = kd::detail::settings_of({.factors = 8, .units = kd::Units::paper});
    CHECK(kd::detail::row_shares(std::vector<kd::Index>{5}, options, 3, 1) == std::vector<std::uint64_t>{0, 1, 1, 1});
    CHECK(kd::detail::row_shares(std::vector<kd::Index>{}, options, 2, 1) == std::vector<std::uint64_t>{0, 0, 0});
    CHECK(kd::detail::row_shares(std::vector<kd::Index>{1'000'000, 1, 1, 1}, options, 2, 1) == std::vector<std::uint64_t>{0, 1, 4});
    CHECK_THROWS_AS((void)kd::detail::row_shares(std::vector<kd::Index>{5}, options, 0, 1), kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::detail::row_shares(std::vector<kd::Index>{5}, options, 1, 0), kd::InvalidArgument);
  }

  TEST_CASE("the cost is that of the cheaper form, and grows with the row") {
    const kd::AlsOptions options{.factors = 64, .units = kd::Units::paper};
    for (kd::Index n = 0; n < 200; ++n)
      CHECK(kd::detail::solve_cost(n + 1, kd::detail::settings_of(options)) > kd::detail::solve_cost(n, kd::detail::settings_of(options)));
    kd::AlsOptions steps = options;
    steps.solver.kind = kd::Solver::conjugate_gradient;
    CHECK(kd::detail::solve_cost(1'000, kd::detail::settings_of(steps)) < kd::detail::solve_cost(1'000, kd::detail::settings_of(options)));
    // By hand, of 2 factors: 8 for the row and 16 an interaction; then 1 + 1/6, 6 + 8/6, and four products of 2 x 3 x 2 (three steps and a start).
    const kd::AlsOptions two{.factors = 2, .units = kd::Units::paper};
    CHECK(kd::detail::solve_cost(1, kd::detail::settings_of(two)) == doctest::Approx(24.0 + 1.0 + 1.0 / 6.0));
    CHECK(kd::detail::solve_cost(3, kd::detail::settings_of(two)) == doctest::Approx(56.0 + 6.0 + 8.0 / 6.0));
    const kd::AlsOptions two_steps{.factors = 2, .units = kd::Units::paper, .solver = {.kind = kd::Solver::conjugate_gradient, .steps = 3}};
    CHECK(kd::detail::solve_cost(3, kd::detail::settings_of(two_steps)) == doctest::Approx(56.0 + 48.0));
  }
}
