// SPDX-License-Identifier: MIT
#include <kindred/distributed/plan.hpp>

#include <cstddef>

#include <doctest/doctest.h>

#include <kindred/models/als/memory_estimate.hpp>

namespace kd = kindred;

TEST_SUITE("distributed/plan") {
  TEST_CASE("by hand: 1,000 users and 500 items of 16 floats") {
    const kd::AlsOptions options{.factors = 16, .units = kd::Units::paper};
    // Factors, and sums over 16 blocks of users and 8 of items (64 rows at least), each 16 x 16 doubles.
    constexpr double moved = 1'500 * 64 + (16 + 8) * 16 * 16 * 8;
    const kd::Network network{.bytes_per_second = 1e6, .latency_seconds = 0.01};
    const kd::MemoryEstimate one = kd::estimate_memory<float>(1'000, 500, 9'000, options);
    for (const std::size_t ranks : {1u, 2u, 4u}) {
      const auto share = static_cast<double>(ranks - 1) / static_cast<double>(ranks);
      const double rounds = ranks == 1 ? 0.0 : ranks == 2 ? 4.0 : 8.0;  // four exchanges of a message to one, or to two partners
      const kd::DistributedPlan plan = kd::estimate_distributed(1'000, 500, 9'000, options, ranks, kd::Interactions::in_file, network);
      CHECK(static_cast<double>(plan.bytes_per_iteration) == moved * share);
      CHECK(plan.seconds_per_iteration == doctest::Approx(moved * share / 1e6 + 0.01 * rounds));
      CHECK(plan.memory == one.total() - one.transposed);
      CHECK(kd::estimate_distributed(1'000, 500, 9'000, options, ranks, kd::Interactions::in_memory).memory == one.total());
    }
  }

  TEST_CASE("what it refuses") {
    const auto plan = [](std::size_t ranks, const kd::Network& network) {
      return kd::estimate_distributed(1, 1, 1, {.factors = 4, .units = kd::Units::paper}, ranks, kd::Interactions::in_file, network);
    };
    CHECK_THROWS_WITH_AS((void)plan(0, {}), "ranks is 0; it must be at least 1", kd::InvalidArgument);
    CHECK_THROWS_AS((void)plan(1, {.bytes_per_second = 0.0}), kd::InvalidArgument);
    CHECK_THROWS_AS((void)plan(1, {.latency_seconds = -1.0}), kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::estimate_distributed(0, 1, 1, {.factors = 4, .units = kd::Units::paper}, 1), kd::InvalidArgument);
    CHECK(plan(1, {.latency_seconds = 0.0}).bytes_per_iteration == 0);
  }
}
