// SPDX-License-Identifier: MIT
#include <kindred/linalg/top_k.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "../support/simd_levels.hpp"
#include "../support/textbook_als.hpp"

namespace kd = kindred;

namespace {

// Scores of all items, users.rows() x padded items.
template <typename T>
std::vector<kd::AlignedVector<T>> all_scores(const kd::ItemBlocks<T>& blocks, const kd::FactorMatrix<T>& users) {
  const auto n_users = static_cast<std::size_t>(users.rows());
  std::vector<kd::AlignedVector<T>> scores(n_users);
  for (std::size_t block = 0; block < blocks.blocks(); ++block) {
    kd::AlignedVector<T> tile(n_users * blocks.lanes, T(77));
    blocks.score(block, users.data(), users.stride(), n_users, tile.data());
    for (std::size_t u = 0; u < n_users; ++u)
      scores[u].insert(scores[u].end(), tile.begin() + static_cast<std::ptrdiff_t>(u * blocks.lanes),
                       tile.begin() + static_cast<std::ptrdiff_t>((u + 1) * blocks.lanes));
  }
  return scores;
}

}  // namespace

TEST_SUITE("linalg/top_k") {
  TEST_CASE("three items by hand, the other lanes 0") {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::FactorMatrix<float> items(3, 2, std::vector<float>{1, 2, 3, 4, -1, 0.5F});
      const kd::FactorMatrix<float> user(1, 2, std::vector<float>{2, 10});
      const kd::ItemBlocks<float> blocks(items, level);
      REQUIRE(blocks.blocks() == 1);
      CHECK(blocks.items() == 3);
      const kd::AlignedVector<float> scores = all_scores(blocks, user)[0];
      CHECK(scores[0] == 22.0F);
      CHECK(scores[1] == 46.0F);
      CHECK(scores[2] == 3.0F);
      for (std::size_t lane = 3; lane < scores.size(); ++lane) CHECK(scores[lane] == 0.0F);
    }
  }

  TEST_CASE_TEMPLATE("every lane is its item's inner product, at every awkward size and level", T, float, double) {
    constexpr std::size_t lanes = kd::ItemBlocks<T>::lanes;
    for (const std::size_t n : {std::size_t{1}, lanes - 1, lanes, lanes + 1, 3 * lanes + 5}) {
      for (const kd::Index k : {1, 3, 16, 17, 40}) {
        for (const kd::Index n_users : {1, 2, 7, 8, 9, 32}) {
          const kd::FactorMatrix<T> items = kindred_test::random_factors<T>(static_cast<kd::Index>(n), k, 1.0, 1);
          const kd::FactorMatrix<T> users = kindred_test::random_factors<T>(n_users, k, 1.0, 2);
          for (const kd::SimdLevel level : kindred_test::simd_levels()) {
            const kd::ItemBlocks<T> blocks(items, level);
            REQUIRE(blocks.blocks() == (n + lanes - 1) / lanes);
            CHECK(blocks.memory_bytes() >= n * static_cast<std::size_t>(k) * sizeof(T));
            const std::vector<kd::AlignedVector<T>> scores = all_scores(blocks, users);
            double worst = 0.0;  // in units of what is allowed: k * eps of the sum of the magnitudes
            for (kd::Index u = 0; u < n_users; ++u) {
              for (std::size_t i = 0; i < n; ++i) {
                double wanted = 0.0, scale = 0.0;
                for (std::size_t f = 0; f < static_cast<std::size_t>(k); ++f) {
                  const double term = static_cast<double>(users.row(u)[f]) * static_cast<double>(items.row(static_cast<kd::Index>(i))[f]);
                  wanted += term;
                  scale += std::abs(term);
                }
                const double off = std::abs(static_cast<double>(scores[static_cast<std::size_t>(u)][i]) - wanted);
                worst = (std::max)(worst, off / (k * static_cast<double>(std::numeric_limits<T>::epsilon()) * scale));
              }
            }
            CHECK(worst <= 1.0);
          }
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("a score has the same bits in whatever block, lane and tile of users it is computed", T, float, double) {
    constexpr kd::Index k = 13;
    const kd::FactorMatrix<T> one = kindred_test::random_factors<T>(1, k, 1.0, 1);
    const kd::FactorMatrix<T> user = kindred_test::random_factors<T>(1, k, 1.0, 2);
    const kd::Index n_items = 3 * static_cast<kd::Index>(kd::ItemBlocks<T>::lanes) + 7;
    kd::FactorMatrix<T> many(n_items, k);
    for (kd::Index i = 0; i < many.rows(); ++i) std::copy(one.row(0).begin(), one.row(0).end(), many.row(i).begin());
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const T wanted = all_scores(kd::ItemBlocks<T>(one, level), user)[0][0];
      const kd::ItemBlocks<T> blocks(many, level);
      for (const kd::Index n_users : {1, 2, 3, 4, 5, 8, 11, 32}) {
        kd::FactorMatrix<T> users(n_users, k);
        for (kd::Index u = 0; u < n_users; ++u) std::copy(user.row(0).begin(), user.row(0).end(), users.row(u).begin());
        bool same = true;
        for (const kd::AlignedVector<T>& scores : all_scores(blocks, users))
          for (std::size_t i = 0; i < static_cast<std::size_t>(n_items); ++i)
            same = same && std::memcmp(&scores[i], &wanted, sizeof(T)) == 0;
        CHECK(same);
      }
    }
  }

  TEST_CASE("no items, no blocks") {
    CHECK(kd::ItemBlocks<float>().blocks() == 0);
    CHECK(kd::ItemBlocks<double>(kd::FactorMatrix<double>(0, 5), kd::SimdLevel::best).blocks() == 0);
  }
}
