// SPDX-License-Identifier: MIT
#include <kindred/simd/score_kernels.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "../support/full_scan.hpp"
#include "../support/same.hpp"
#include "../support/simd_levels.hpp"
#include "../support/textbook_als.hpp"

namespace kd = kindred;

TEST_SUITE("simd/score_kernels") {
  TEST_CASE_TEMPLATE("scores are one accumulator in stored order, to the bit, at every level and awkward size", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::detail::ScoreKernels<T>& kernels = kd::detail::score_kernels<T>(level);
      for (const kd::Index k : {1, 2, 3, 15, 16, 17, 40, 300}) {
        const kd::FactorMatrix<T> rows = kindred_test::random_factors<T>(90, k, 1.0, 1);
        const kd::FactorMatrix<T> users = kindred_test::random_factors<T>(9, k, 1.0, 2);
        for (const std::size_t count : {1u, 2u, 7u, 16u, 17u, 33u, 63u, 64u}) {
          std::vector<kd::Index> chosen;
          for (std::size_t n = 0; n < count; ++n) chosen.push_back(static_cast<kd::Index>((n * 37 + count) % 90));
          kd::detail::AlignedVector<T> panel(static_cast<std::size_t>(k) * kd::detail::score_block), scores(9 * kd::detail::score_block),
              squares(kd::detail::score_block);
          kernels.pack(rows.data(), rows.stride(), chosen.data(), count, static_cast<std::size_t>(k), panel.data());
          kernels.squares(panel.data(), count, static_cast<std::size_t>(k), squares.data());
          for (const std::size_t n_users : {1u, 3u, 4u, 9u}) {
            std::vector<const T*> pointers;
            for (std::size_t u = 0; u < n_users; ++u) pointers.push_back(users.row(static_cast<kd::Index>(u)).data());
            kernels.score(pointers.data(), n_users, panel.data(), count, static_cast<std::size_t>(k), scores.data());
            kindred_test::Same same;
            for (std::size_t u = 0; u < n_users; ++u) {
              for (std::size_t n = 0; n < count; ++n) {
                const T wanted =
                    kindred_test::plain_score<T>(users.row(static_cast<kd::Index>(u)), rows.row(chosen[n]), kindred_test::fuses<T>(level));
                same = same + kindred_test::same_array(std::span(&wanted, 1), std::span(&scores[u * kd::detail::score_block + n], 1),
                                                       "user " + std::to_string(u) + ", row " + std::to_string(n));
              }
            }
            CHECK(same);
          }
          for (std::size_t n = 0; n < count; ++n)
            CHECK(squares[n] == kindred_test::plain_score<T>(rows.row(chosen[n]), rows.row(chosen[n]), kindred_test::fuses<T>(level)));
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("groups of columns of several users have the scores of their users, to the bit", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::detail::ScoreKernels<T>& kernels = kd::detail::score_kernels<T>(level);
      for (const kd::Index k : {1, 2, 16, 17, 300}) {
        const auto factors = static_cast<std::size_t>(k);
        const kd::FactorMatrix<T> rows = kindred_test::random_factors<T>(90, k, 1.0, 1);
        const kd::FactorMatrix<T> users = kindred_test::random_factors<T>(4, k, 1.0, 2);
        kd::detail::AlignedVector<T> panel(factors * kd::detail::score_block), scores(kd::detail::score_block);
        std::vector<kd::Index> chosen;
        std::vector<const T*> pointers;
        for (std::size_t g = 0; g < kd::detail::groups_of_block; ++g) {
          const kd::Index own[5] = {static_cast<kd::Index>(7 * g), 3, static_cast<kd::Index>(89 - g), 3, 50};
          kernels.pack(rows.data(), rows.stride(), own, 5, factors, panel.data() + g * kd::detail::score_group);
          chosen.insert(chosen.end(), own, own + 5);
          pointers.push_back(users.row(static_cast<kd::Index>(g == 2 ? 0 : g)).data());  // a user with two groups
        }
        kernels.score_groups(pointers.data(), panel.data(), factors, scores.data());
        for (std::size_t n = 0; n < chosen.size(); ++n) {
          const std::size_t g = n / 5;
          const T wanted = kindred_test::plain_score<T>(users.row(static_cast<kd::Index>(g == 2 ? 0 : g)), rows.row(chosen[n]),
                                                        kindred_test::fuses<T>(level));
          CHECK(scores[g * kd::detail::score_group + n % 5] == wanted);
        }
      }
    }
  }

  TEST_CASE("codes of a query are its nearest integers, and what they leave out is what is told") {
    kd::detail::Random random(1, kd::detail::RandomStream::sample, 6);
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      for (const kd::detail::CodeDots dots : {kd::detail::CodeDots::best, kd::detail::CodeDots::vectors, kd::detail::CodeDots::plain}) {
        for (const std::size_t k : {1u, 2u, 3u, 7u, 8u, 9u, 64u, 100u}) {
          std::vector<double> x(k);
          for (double& one : x) one = random.normal();
          x[k / 2] = -5.0;
          const double step = 5.0 / 127.0;
          std::vector<std::int8_t> codes(k + 1, 77);
          const kd::detail::EncodedQuery encoded =
              kd::detail::code_kernels(level, dots).encode(x.data(), 1.0 / step, step, k, codes.data());
          double squares = 0.0, rest = 0.0;
          std::int32_t total = 0;
          for (std::size_t f = 0; f < k; ++f) {
            CHECK(std::abs(codes[f] * step - x[f]) <= step * 0.500001);
            squares += codes[f] * codes[f];
            rest += (x[f] - codes[f] * step) * (x[f] - codes[f] * step);
            total += codes[f];
          }
          CHECK(codes[k / 2] == -127);
          CHECK(codes[k] == 77);  // no byte more
          CHECK(encoded.squares == squares);
          CHECK(encoded.rest == doctest::Approx(rest).epsilon(1e-12));
          CHECK(encoded.total == total);
        }
      }
    }
  }

  TEST_CASE("the sums of products of codes have the right signs, at every level, extremes included") {
    kd::detail::Random random(1, kd::detail::RandomStream::sample, 5);
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      for (const kd::detail::CodeDots dots : {kd::detail::CodeDots::best, kd::detail::CodeDots::vectors, kd::detail::CodeDots::plain}) {
        const kd::detail::CodeKernels& kernels = kd::detail::code_kernels(level, dots);
        for (const std::size_t groups : {1u, 2u, 5u, 16u, 18u, 80u, 300u}) {
          for (const std::size_t n_users : {1u, 2u, 3u, 4u, 5u, 7u, 8u, 21u}) {
            constexpr std::size_t n_blocks = 3;
            kd::detail::AlignedVector<std::uint8_t> items(n_blocks * groups * kd::detail::score_block * 4);
            const bool extreme = random.below(2) == 0;
            for (std::uint8_t& code : items)
              code = static_cast<std::uint8_t>(
                  extreme ? 1 + (2 * kernels.offset - 2) * static_cast<int>(random.below(2))
                          : 1 + static_cast<int>(random.below(static_cast<std::uint32_t>(2 * kernels.offset - 1))));
            std::vector<std::vector<std::int8_t>> users(n_users, std::vector<std::int8_t>(groups * 4));
            std::vector<std::vector<std::int32_t>> start(n_users, std::vector<std::int32_t>(n_blocks));
            std::vector<std::vector<std::uint64_t>> found(n_users, std::vector<std::uint64_t>(n_blocks));
            std::vector<const std::int8_t*> user_pointers;
            std::vector<const std::int32_t*> start_pointers;
            std::vector<std::uint64_t*> found_pointers;
            for (std::size_t u = 0; u < n_users; ++u) {
              for (std::int8_t& code : users[u])
                code = static_cast<std::int8_t>(extreme ? (random.below(2) == 0 ? -127 : 127) : static_cast<int>(random.below(255)) - 127);
              for (std::int32_t& one : start[u]) one = static_cast<std::int32_t>(random.below(200'000)) - 100'000;
              start[u][1] = kd::detail::CodeScan::no_item;  // of all users in the middle block, of some in the last
              if (u % 2 == 1) start[u][2] = kd::detail::CodeScan::no_item;
              user_pointers.push_back(users[u].data());
              start_pointers.push_back(start[u].data());
              found_pointers.push_back(found[u].data());
            }
            kd::detail::CodeScan scan{.items = items.data(),
                                      .users = user_pointers.data(),
                                      .start = start_pointers.data(),
                                      .found = found_pointers.data(),
                                      .n_users = n_users,
                                      .groups = groups,
                                      .n_blocks = n_blocks};
            kernels.scan(scan);
            kd::detail::AlignedVector<std::int32_t> sums(n_users * n_blocks * kd::detail::score_block, 1);
            std::vector<std::int32_t*> sum_pointers;
            for (std::size_t u = 0; u < n_users; ++u) sum_pointers.push_back(sums.data() + u * n_blocks * kd::detail::score_block);
            scan.found = nullptr;
            scan.sums = sum_pointers.data();
            kernels.scan(scan);
            std::size_t wrong_sums = 0;  // a block that nobody searches has none
            for (std::size_t u = 0; u < n_users; ++u) {
              for (std::size_t b = 0; b < n_blocks; ++b) {
                std::uint64_t wanted = 0;
                for (std::size_t n = 0; n < kd::detail::score_block; ++n) {
                  std::int64_t sum = start[u][b];
                  for (std::size_t f = 0; f < groups * 4; ++f)
                    sum += std::int64_t{users[u][f]} * items[((b * groups + f / 4) * kd::detail::score_block + n) * 4 + f % 4];
                  if (sum >= 0) wanted |= std::uint64_t{1} << n;
                  if (b != 1) wrong_sums += sums[(u * n_blocks + b) * kd::detail::score_block + n] == sum ? 0 : 1;
                }
                CHECK(found[u][b] == wanted);
              }
            }
            CHECK(wrong_sums == 0);
          }
        }
      }
    }
  }

  TEST_CASE("codes: rows to which less is added start from less, rounded down, by any number of terms") {
    constexpr std::size_t n_blocks = 3, n_added = 2, n_users = 7, rows = n_blocks * kd::detail::score_block;
    kd::detail::Random random(5, kd::detail::RandomStream::sample, 1);
    std::vector<std::vector<float>> added(n_added, std::vector<float>(rows)), ends(n_added, std::vector<float>(n_blocks)),
        slopes(n_users, std::vector<float>(n_blocks * n_added));
    for (std::vector<float>& values : added)
      for (float& value : values) value = static_cast<float>(random.normal());
    for (std::size_t b = 0; b < n_blocks; ++b) {
      // The first term is largest at the high end, the second, whose slope is negative, at the low one.
      const auto first = static_cast<std::ptrdiff_t>(b * kd::detail::score_block);
      ends[0][b] = *std::max_element(added[0].begin() + first, added[0].begin() + first + 64);
      ends[1][b] = *std::min_element(added[1].begin() + first, added[1].begin() + first + 64);
    }
    for (std::size_t u = 0; u < n_users; ++u)
      for (std::size_t n = 0; n < n_blocks * n_added; ++n) {
        const double size = u == 0 ? 0.0 : u == 1 ? 1e30 : 30.0 * std::abs(random.normal());
        slopes[u][n] = static_cast<float>(n % n_added == 0 ? size : -size);
      }
    const std::vector<const float*> added_rows{added[0].data(), added[1].data()}, added_ends{ends[0].data(), ends[1].data()};
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      for (const std::size_t terms : {std::size_t{1}, n_added}) {
        const kd::detail::CodeKernels& kernels = kd::detail::code_kernels(level);
        const kd::detail::AlignedVector<std::uint8_t> items(n_blocks * kd::detail::score_block * 4, 0);
        const std::vector<std::int8_t> codes(4, 1);
        const std::vector<std::int32_t> start(n_blocks, 40);
        std::vector<std::vector<std::uint64_t>> found(n_users, std::vector<std::uint64_t>(n_blocks));
        std::vector<std::vector<float>> of_users;
        std::vector<const std::int8_t*> users(n_users, codes.data());
        std::vector<const std::int32_t*> starts(n_users, start.data());
        std::vector<std::uint64_t*> found_rows;
        std::vector<const float*> slope_rows;
        for (std::size_t u = 0; u < n_users; ++u) {
          of_users.emplace_back();
          for (std::size_t b = 0; b < n_blocks; ++b)
            for (std::size_t j = 0; j < terms; ++j) of_users.back().push_back(slopes[u][b * n_added + j]);
          found_rows.push_back(found[u].data());
        }
        for (const std::vector<float>& of_user : of_users) slope_rows.push_back(of_user.data());
        kernels.scan({.items = items.data(),
                      .users = users.data(),
                      .start = starts.data(),
                      .found = found_rows.data(),
                      .n_users = n_users,
                      .groups = 1,
                      .n_blocks = n_blocks,
                      .n_added = terms,
                      .added = added_rows.data(),
                      .ends = added_ends.data(),
                      .slopes = slope_rows.data()});
        for (std::size_t u = 0; u < n_users; ++u) {
          for (std::size_t n = 0; n < rows; ++n) {
            const std::size_t b = n / kd::detail::score_block;
            double off = 0.0;
            for (std::size_t j = 0; j < terms; ++j)
              off += static_cast<double>(slopes[u][b * n_added + j]) * (static_cast<double>(ends[j][b]) - static_cast<double>(added[j][n]));
            // 40 is left by less than 41; within the rounding of floats of that either answer is right.
            if (std::abs(off - 41.0) < 1e-4) continue;
            CHECK(((found[u][b] >> (n % kd::detail::score_block)) & 1) == (off < 41.0 ? 1 : 0));
          }
        }
      }
    }
  }

  TEST_CASE("sums say how good the best rows are at least, and which rows can be as good") {
    constexpr std::size_t n_blocks = 5, rows = n_blocks * kd::detail::score_block;
    kd::detail::Random random(6, kd::detail::RandomStream::sample, 2);
    kd::detail::AlignedVector<std::int32_t> sums(rows);
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      for (const std::size_t rank :
           std::vector<std::size_t>{1, 2, 10, 24, 25, 100, 319, 320, 321, std::numeric_limits<std::size_t>::max()}) {
        for (const bool barred : {false, true}) {
          for (std::int32_t& sum : sums) sum = static_cast<std::int32_t>(random.below(200'000)) - 100'000;
          if (barred)
            for (std::size_t n = 0; n < rows; n += 2) sums[n] = -(1 << 30);
          const std::vector<std::int32_t> slack{0, 500, 40, 1 << 30, 3};  // of the fourth block nothing is sure
          std::vector<std::int32_t> sure;
          for (std::size_t n = 0; n < rows; ++n) sure.push_back(sums[n] - slack[n / kd::detail::score_block]);
          for (const std::int32_t floor : {-(1 << 29), -2'000, 99'000}) {
            std::vector<std::uint64_t> found(n_blocks);
            const std::int32_t least =
                kd::detail::code_kernels(level).raise(sums.data(), slack.data(), n_blocks, rank, floor, found.data());
            const auto n_sure =
                static_cast<std::size_t>(std::count_if(sure.begin(), sure.end(), [&](std::int32_t one) { return one >= least; }));
            CHECK((least == floor || (least > floor && n_sure >= rank)));
            if (rank <= 10 && floor < 0) CHECK((barred || least > 50'000));  // of 256 numbers up to 100,000
            if (rank == 100 && floor < 0 && !barred) CHECK(n_sure <= 102);
            std::size_t wrong = 0;
            for (std::size_t n = 0; n < rows; ++n)
              wrong += ((found[n / kd::detail::score_block] >> (n % kd::detail::score_block)) & 1) == (sums[n] >= least ? 1 : 0) ? 0 : 1;
            CHECK(wrong == 0);
          }
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("queries are scaled and measured", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      for (const std::size_t k : {1u, 7u, 8u, 16u, 67u}) {
        std::vector<T> x;
        std::vector<double> scale, to(k + 1, 77.0);
        double squares = 0.0;
        for (std::size_t f = 0; f < k; ++f) {
          x.push_back(static_cast<T>(f % 3 == 0 ? 0.25 : -1.0) * static_cast<T>(f + 1));
          scale.push_back(f == 0 ? 4.0 : 0.5);
          squares += static_cast<double>(x[f]) * scale[f] * static_cast<double>(x[f]) * scale[f];
        }
        const kd::detail::QuerySize size = kd::detail::score_kernels<T>(level).widen(x.data(), scale.data(), k, to.data());
        for (std::size_t f = 0; f < k; ++f) CHECK(to[f] == static_cast<double>(x[f]) * scale[f]);
        CHECK(to[k] == 77.0);  // no number more
        CHECK(size.squares == doctest::Approx(squares).epsilon(1e-14));
        double largest = 0.0;
        for (std::size_t f = 0; f < k; ++f) largest = std::max(largest, std::abs(to[f]));
        CHECK(size.largest == largest);
      }
    }
  }

  TEST_CASE("limits are cut to whole numbers within the bound") {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      std::vector<double> unit, rest, norm;
      for (int n = 0; n < 19; ++n) {
        unit.push_back(0.5 * n);
        rest.push_back(1.0 + n);
        norm.push_back(2.0 * n);
      }
      std::vector<std::int32_t> start(19);
      kd::detail::code_kernels(level).limits(unit.data(), rest.data(), norm.data(), 40.0, 3.0, 0.25, 200.0, -7, start.data(), start.size());
      for (std::size_t n = 0; n < 19; ++n) {
        const double limit = std::clamp(40.0 * unit[n] - 3.0 * rest[n] - 0.25 * norm[n], -200.0, 200.0);
        CHECK(start[n] == -7 + 2 - static_cast<std::int32_t>(limit));
      }
    }
  }

  TEST_CASE("at_least: the bits of sums that are not below a number") {
    kd::detail::Random random(3, kd::detail::RandomStream::sample, 4);
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      kd::detail::AlignedVector<float> sums(kd::detail::score_block), added(kd::detail::score_block);
      for (int turn = 0; turn < 50; ++turn) {
        for (std::size_t n = 0; n < kd::detail::score_block; ++n) {  // quarters, so that sums are exact and some are equal to the number
          sums[n] = 0.25F * static_cast<float>(random.below(9));
          added[n] = -0.25F * static_cast<float>(random.below(9));
        }
        for (const float least : {-4.0F, -0.25F, 0.0F, 0.5F, 4.0F}) {
          std::uint64_t wanted = 0;
          for (std::size_t n = 0; n < kd::detail::score_block; ++n)
            if (!(sums[n] + added[n] < least)) wanted |= std::uint64_t{1} << n;
          CHECK(kd::detail::code_kernels(level).at_least(sums.data(), added.data(), least) == wanted);
        }
      }
    }
  }
}
