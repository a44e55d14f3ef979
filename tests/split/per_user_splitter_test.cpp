// SPDX-License-Identifier: MIT
#include <kindred/split/per_user_splitter.hpp>

#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../support/split_checks.hpp"

namespace kd = kindred;

namespace {

std::vector<std::size_t> test_sizes(const kd::TrainTestSplit& split) {
  std::vector<std::size_t> sizes;
  for (kd::Index u = 0; u < split.test.rows(); ++u) sizes.push_back(split.test.row(u).size());
  return sizes;
}

}  // namespace

TEST_SUITE("split/per_user_splitter") {
  TEST_CASE("sizes by hand: floor of a fifth, from five items on") {
    const kd::CsrMatrix matrix = kindred_test::matrix_with_lengths(std::vector<std::size_t>{0, 1, 4, 5, 9, 10, 24}, 30, 1);
    const kd::TrainTestSplit split = kd::PerUserSplitter({.test_fraction = 0.2, .min_interactions = 5}).split(matrix);
    CHECK(test_sizes(split) == std::vector<std::size_t>{0, 0, 0, 1, 1, 2, 4});
    CHECK(kindred_test::is_partition(split, matrix));
  }

  TEST_CASE("one at least when asked, but never the last training item") {
    const kd::CsrMatrix matrix = kindred_test::matrix_with_lengths(std::vector<std::size_t>{0, 1, 2, 4, 10}, 30, 1);
    const auto sizes = [&](const kd::PerUserSplitter::Options& options) { return test_sizes(kd::PerUserSplitter(options).split(matrix)); };
    CHECK(sizes({.min_interactions = 1}) == std::vector<std::size_t>{0, 0, 0, 0, 2});
    CHECK(sizes({.min_interactions = 1, .at_least_one = true}) == std::vector<std::size_t>{0, 0, 1, 1, 2});
    CHECK(sizes({.min_interactions = 4, .at_least_one = true}) == std::vector<std::size_t>{0, 0, 0, 1, 2});
    CHECK(sizes({.test_fraction = 0.99999999999, .min_interactions = 1}) == std::vector<std::size_t>{0, 0, 1, 3, 9});
  }

  TEST_CASE("drawn by item, popular and rare items are tested about equally often; the sizes stay") {
    // Item i is had by about every user for i < 4, and by few for the others.
    std::vector<kd::Interaction> cells;
    kd::detail::Random random(5, kd::detail::RandomStream::sample);
    for (kd::Index u = 0; u < 2000; ++u)
      for (kd::Index i = 0; i < 40; ++i)
        if (random.uniform() < (i < 4 ? 0.9 : 0.15)) cells.push_back({u, i, 1.0F});
    const kd::CsrMatrix matrix = kd::CsrMatrix::from_triplets({2000, 40}, cells);
    const kd::PerUserSplitter flat({.draw = kd::PerUserSplitter::Options::Draw::by_item}), plain;
    const kd::TrainTestSplit by_item = flat.split(matrix), by_interaction = plain.split(matrix);
    CHECK(kindred_test::is_partition(by_item, matrix));
    CHECK(test_sizes(by_item) == test_sizes(by_interaction));
    CHECK(by_item.test == flat.split(matrix).test);
    const auto ratio = [](const kd::CsrMatrix& test) {
      const std::vector<kd::Index> counts = kd::column_counts(test);
      double popular = 0.0, rare = 0.0;
      for (std::size_t i = 0; i < 40; ++i) (i < 4 ? popular : rare) += static_cast<double>(counts[i]) / (i < 4 ? 4.0 : 36.0);
      return popular / rare;
    };
    CHECK(ratio(by_interaction.test) == doctest::Approx(6.0).epsilon(0.1));
    CHECK(ratio(by_item.test) == doctest::Approx(1.0).epsilon(0.25));  // sequential Poisson sampling is proportional in the limit
  }

  TEST_CASE("train and test add up to the input, stored zeros included") {
    const kd::CsrMatrix matrix = kindred_test::random_matrix(80, 60, 0.3, 2);
    for (const double fraction : {0.01, 0.2, 0.5, 0.9}) {
      const kd::TrainTestSplit split = kd::PerUserSplitter({.test_fraction = fraction}).split(matrix);
      CHECK(kindred_test::is_partition(split, matrix));
    }
    const kd::CsrMatrix zeros({1, 5}, {0, 5}, {0, 1, 2, 3, 4}, {0, 0, 0, 0, 0});
    const kd::TrainTestSplit split = kd::PerUserSplitter().split(zeros);
    CHECK(split.test.nnz() == 1);
    CHECK(kindred_test::is_partition(split, zeros));
    CHECK(kindred_test::is_partition(kd::PerUserSplitter().split(kd::CsrMatrix()), kd::CsrMatrix()));
  }

  // Fixed for ever: a split is part of a published figure.
  TEST_CASE("the draw of seed 42 is what it was") {
    const kd::CsrMatrix matrix = kindred_test::matrix_with_lengths(std::vector<std::size_t>{10, 10, 10}, 10, 1);
    const kd::TrainTestSplit split = kd::PerUserSplitter({.test_fraction = 0.3, .seed = 42}).split(matrix);
    const std::vector<kd::Index> columns(split.test.columns().begin(), split.test.columns().end());
    CHECK(columns == std::vector<kd::Index>{0, 6, 7, 0, 6, 7, 3, 6, 9});  // as a Python Philox draws them
  }

  TEST_CASE("the seed decides, and nothing but seed, user and number of items") {
    const kd::CsrMatrix matrix = kindred_test::random_matrix(50, 40, 0.5, 3);
    const kd::TrainTestSplit first = kd::PerUserSplitter({.seed = 1}).split(matrix);
    CHECK(first.test == kd::PerUserSplitter({.seed = 1}).split(matrix).test);
    CHECK_FALSE(first.test == kd::PerUserSplitter({.seed = 2}).split(matrix).test);

    // The users above leave, the last row keeps its index: the same places are drawn.
    std::vector<std::size_t> lengths(50, 0);
    lengths[49] = matrix.row(49).size();
    const kd::CsrMatrix alone = kindred_test::matrix_with_lengths(lengths, 40, 9);
    const kd::TrainTestSplit second = kd::PerUserSplitter({.seed = 1}).split(alone);
    const auto places = [](const kd::SparseRow& all, const kd::SparseRow& drawn) {
      std::vector<std::size_t> out;
      for (std::size_t n = 0, d = 0; n < all.size() && d < drawn.size(); ++n)
        if (all.columns[n] == drawn.columns[d]) {
          out.push_back(n);
          ++d;
        }
      return out;
    };
    CHECK(places(matrix.row(49), first.test.row(49)) == places(alone.row(49), second.test.row(49)));
  }

  TEST_CASE("every place of a row is drawn equally often") {
    const std::vector<std::size_t> lengths(20'000, 10);
    const kd::CsrMatrix matrix = kindred_test::matrix_with_lengths(lengths, 10, 1);
    const kd::TrainTestSplit split = kd::PerUserSplitter({.test_fraction = 0.2}).split(matrix);
    // 4,000 expected in each of 10 places; without replacement within a user the sd is sqrt(20000 * .2 * .8) = 57: five of them.
    for (const kd::Index count : kd::column_counts(split.test)) CHECK(std::abs(count - 4000) < 285);
  }

  TEST_CASE("test users are drawn from those with enough interactions") {
    std::vector<std::size_t> lengths(200, 3);
    for (std::size_t u = 0; u < 100; ++u) lengths[2 * u] = 10;
    const kd::CsrMatrix matrix = kindred_test::matrix_with_lengths(lengths, 20, 1);
    const kd::TrainTestSplit all = kd::PerUserSplitter({.seed = 5}).split(matrix);
    const kd::TrainTestSplit some = kd::PerUserSplitter({.test_users = 30, .seed = 5}).split(matrix);
    CHECK(kindred_test::is_partition(some, matrix));
    int users = 0, below_half = 0;
    for (kd::Index u = 0; u < 200; ++u) {
      if (some.test.row(u).empty()) continue;
      ++users;
      below_half += u < 100 ? 1 : 0;
      CHECK(u % 2 == 0);
      CHECK(kindred_test::cells_of(kd::select_rows(some.test, std::vector<kd::Index>{u})) ==
            kindred_test::cells_of(kd::select_rows(all.test, std::vector<kd::Index>{u})));
    }
    CHECK(users == 30);
    CHECK(below_half > 5);  // 15 expected, hypergeometric sd 2.3
    CHECK(below_half < 25);

    CHECK(kd::PerUserSplitter({.test_users = 101, .seed = 5}).split(matrix).test == all.test);
    CHECK(kd::PerUserSplitter({.test_users = 100, .seed = 5}).split(matrix).test == all.test);
  }

  TEST_CASE("what it refuses, and in which words") {
    CHECK_THROWS_WITH_AS(kd::PerUserSplitter({.test_fraction = 0.0}), "test_fraction is 0; it must be above 0 and below 1",
                         kd::InvalidArgument);
    CHECK_THROWS_AS(kd::PerUserSplitter({.test_fraction = 1.0}), kd::InvalidArgument);
    CHECK_THROWS_AS(kd::PerUserSplitter({.test_fraction = -0.2}), kd::InvalidArgument);
    for (const double inside : {std::numeric_limits<double>::denorm_min(), 0.5, 1.0 - 0x1p-53})
      CHECK_NOTHROW(kd::PerUserSplitter({.test_fraction = inside, .min_interactions = 1, .test_users = 0}));
    CHECK_THROWS_AS(kd::PerUserSplitter({.test_fraction = std::numeric_limits<double>::quiet_NaN()}), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(kd::PerUserSplitter({.min_interactions = 0}), "min_interactions is 0; it must be at least 1", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(kd::PerUserSplitter({.test_users = -1}), "test_users is -1; it must be at least 0 (0: all users)",
                         kd::InvalidArgument);
  }
}
