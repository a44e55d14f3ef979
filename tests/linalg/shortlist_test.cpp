// SPDX-License-Identifier: MIT
#include <kindred/linalg/shortlist.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

#include "../support/hard_factors.hpp"
#include "../support/simd_levels.hpp"

namespace kd = kindred;

namespace {

/// Blocks of an index of random codes, four factors a row, whose rows stand backwards.
struct MadeUp {
  explicit MadeUp(kd::SimdLevel level, std::size_t n_rows) : kernels(kd::detail::code_kernels(level)), order(n_rows), place(n_rows) {
    std::iota(order.rbegin(), order.rend(), kd::Index{0});
    for (std::size_t at = 0; at < n_rows; ++at) place[static_cast<std::size_t>(order[at])] = static_cast<kd::Index>(at);
    kd::detail::Random random(3, kd::detail::RandomStream::sample, 9);
    codes.resize((n_rows + 63) / 64 * 256);
    for (std::uint8_t& code : codes) code = static_cast<std::uint8_t>(1 + random.below(static_cast<std::uint32_t>(2 * kernels.offset - 1)));
  }

  [[nodiscard]] kd::detail::Shortlist::Blocks blocks(std::size_t first, std::size_t count) const {
    return {.kernels = &kernels,
            .codes = codes.data() + first * 256,
            .groups = 1,
            .order = order,
            .place = place,
            .first_row = first * 64,
            .n_blocks = count};
  }

  /// The product of the codes of `user` and of the row at a place.
  [[nodiscard]] std::int32_t sum(const std::vector<std::int8_t>& user, std::size_t at) const {
    std::int32_t total = 0;
    for (std::size_t f = 0; f < 4; ++f) total += user[f] * codes[at * 4 + f];
    return total;
  }

  const kd::detail::CodeKernels& kernels;
  std::vector<kd::Index> order, place;
  kd::detail::AlignedVector<std::uint8_t> codes;
};

}  // namespace

TEST_SUITE("linalg/shortlist") {
  TEST_CASE("the best eligible rows of some blocks are found, with what they reach") {
    constexpr std::size_t n_rows = 300, first = 1, count = 4;  // the last block has 44 rows
    kd::detail::Random random(4, kd::detail::RandomStream::sample, 9);
    std::vector<kd::Index> counts(n_rows, 1);
    for (std::size_t row = 0; row < n_rows; row += 5) counts[row] = 0;
    const std::vector<kd::Index> allow = kindred_test::random_rows(n_rows, 0.5, random);
    std::vector<std::vector<kd::Index>> excludes;
    std::vector<kd::detail::TopKRequest> requests;
    std::vector<std::vector<std::int8_t>> users;
    for (std::size_t n = 0; n < 40; ++n) {
      excludes.push_back(kindred_test::random_rows(n_rows, n % 3 == 0 ? 0.8 : 0.1, random));
      users.emplace_back();
      for (std::size_t f = 0; f < 4; ++f) users[n].push_back(static_cast<std::int8_t>(static_cast<int>(random.below(255)) - 127));
    }
    for (std::size_t n = 0; n < users.size(); ++n) {
      kd::detail::TopKRequest request{.count = 1 + n, .exclude = excludes[n], .without = static_cast<kd::Index>(7 * n)};
      if (n % 2 == 0) request.counts = counts;
      if (n % 4 == 1) request.allow = allow;
      requests.push_back(request);
    }
    const std::vector<std::int32_t> start(count, 100), slack(count, 250);
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const MadeUp made(level, n_rows);
      std::vector<std::uint64_t> found(users.size() * count);
      std::vector<kd::detail::Shortlist::Asked> asked;
      for (std::size_t n = 0; n < users.size(); ++n)
        asked.push_back({.request = &requests[n],
                         .codes = users[n].data(),
                         .start = start.data(),
                         .slack = slack.data(),
                         .rank = requests[n].count,
                         .floor = n % 5 == 0 ? 1'000.5 : -1e300,
                         .found = found.data() + n * count});
      kd::detail::Shortlist shortlist;
      shortlist.find(made.blocks(first, count), asked);
      for (std::size_t n = 0; n < users.size(); ++n) {
        std::vector<std::int32_t> eligible;
        const auto sum_at = [&](std::size_t at) { return made.sum(users[n], at) + 100; };
        const auto takes = [&](std::size_t at) { return at < n_rows && kd::detail::is_eligible(requests[n], made.order[at]); };
        for (std::size_t at = first * 64; at < n_rows; ++at)
          if (takes(at)) eligible.push_back(sum_at(at));
        std::sort(eligible.rbegin(), eligible.rend());
        const std::int32_t floor = n % 5 == 0 ? 1'000 : -(1 << 29);
        if (asked[n].sure) {
          REQUIRE(eligible.size() >= requests[n].count);
          CHECK(*asked[n].sure <= eligible[requests[n].count - 1] - 250);
          CHECK(*asked[n].sure > floor);
        } else {
          CHECK((eligible.size() < requests[n].count || eligible[requests[n].count - 1] - 250 <= floor + 256 || requests[n].count <= 24));
        }
        const std::int32_t least = asked[n].sure.value_or(floor);
        std::size_t wrong = 0;
        for (std::size_t at = first * 64; at < (first + count) * 64; ++at) {
          const bool is_found = ((found[n * count + at / 64 - first] >> (at % 64)) & 1) != 0;
          wrong += is_found == (takes(at) && sum_at(at) >= least) ? 0 : 1;
        }
        CHECK(wrong == 0);
      }
      CHECK(std::count_if(asked.begin(), asked.end(), [](const auto& one) { return one.sure.has_value(); }) > 20);
    }
  }
}
