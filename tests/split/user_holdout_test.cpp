// SPDX-License-Identifier: MIT
#include <kindred/split/user_holdout.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/split/per_user_splitter.hpp>

#include "../support/split_checks.hpp"

namespace kd = kindred;

namespace {

kd::CsrMatrix hundred_users() {
  std::vector<std::size_t> lengths;
  for (std::size_t u = 0; u < 100; ++u) lengths.push_back(u % 20);  // 75 users with at least 5 items
  return kindred_test::matrix_with_lengths(lengths, 40, 1);
}

}  // namespace

TEST_SUITE("split/user_holdout") {
  TEST_CASE("whole users leave; their rows are divided; nothing is lost") {
    const kd::CsrMatrix matrix = hundred_users();
    const kd::UserHoldout parts = kd::user_holdout(matrix, {.heldout_users = 12});
    REQUIRE(parts.heldout_users.size() == 12);
    CHECK(parts.train_users.size() == 88);
    CHECK(std::is_sorted(parts.heldout_users.begin(), parts.heldout_users.end()));
    std::vector<kd::Index> all = parts.train_users;
    all.insert(all.end(), parts.heldout_users.begin(), parts.heldout_users.end());
    std::sort(all.begin(), all.end());
    for (std::size_t u = 0; u < all.size(); ++u) CHECK(all[u] == static_cast<kd::Index>(u));

    CHECK(parts.train == kd::select_rows(matrix, parts.train_users));
    CHECK(kindred_test::is_partition({parts.fold_in, parts.target}, kd::select_rows(matrix, parts.heldout_users)));
    for (kd::Index n = 0; n < parts.target.rows(); ++n) {
      const std::size_t size = matrix.row(parts.heldout_users[static_cast<std::size_t>(n)]).size();
      CHECK(size >= 5);
      CHECK(parts.target.row(n).size() == size / 5);
      CHECK_FALSE(parts.fold_in.row(n).empty());
    }
  }

  TEST_CASE("a share of the users with enough interactions") {
    const kd::UserHoldout parts = kd::user_holdout(hundred_users(), {.heldout_fraction = 0.2});
    CHECK(parts.heldout_users.size() == 15);
    CHECK(parts.train.rows() == 85);
    CHECK(parts.train.cols() == 40);
    CHECK(parts.fold_in.shape() == kd::MatrixShape{15, 40});
  }

  TEST_CASE("the targets are what PerUserSplitter holds out of the same users") {
    const kd::CsrMatrix matrix = hundred_users();
    const kd::UserHoldout parts = kd::user_holdout(matrix, {.heldout_users = 20, .target_fraction = 0.4, .seed = 3});
    const kd::TrainTestSplit split = kd::PerUserSplitter({.test_fraction = 0.4, .seed = 3}).split(matrix);
    CHECK(parts.target == kd::select_rows(split.test, parts.heldout_users));
  }

  TEST_CASE("a target and a fold-in for everybody, however small the row") {
    const kd::CsrMatrix matrix = kindred_test::matrix_with_lengths(std::vector<std::size_t>{2, 2, 3, 2}, 10, 1);
    for (const double fraction : {0.01, 0.99, 1.0 - 1e-12}) {  // the last one is rounded up to the whole row
      const kd::UserHoldout parts = kd::user_holdout(matrix, {.heldout_users = 3, .target_fraction = fraction, .min_interactions = 2});
      for (kd::Index n = 0; n < 3; ++n) {
        CHECK_FALSE(parts.fold_in.row(n).empty());
        CHECK_FALSE(parts.target.row(n).empty());
      }
    }
  }

  TEST_CASE("the seed decides") {
    const kd::CsrMatrix matrix = hundred_users();
    CHECK(kd::user_holdout(matrix, {.seed = 1}).heldout_users == kd::user_holdout(matrix, {.seed = 1}).heldout_users);
    CHECK(kd::user_holdout(matrix, {.seed = 1}).heldout_users != kd::user_holdout(matrix, {.seed = 2}).heldout_users);
  }

  TEST_CASE("what it refuses, and in which words") {
    const kd::CsrMatrix matrix = hundred_users();
    const auto refuse = [&](const kd::UserHoldoutOptions& options) { (void)kd::user_holdout(matrix, options); };
    CHECK_THROWS_WITH_AS(refuse({.heldout_users = 76}),
                         "heldout_users is 76; it must be at most the number of users to draw from, and leave one to learn from; 75 of 100 "
                         "users have at least 5 interactions",
                         kd::InvalidArgument);
    CHECK_NOTHROW(refuse({.heldout_users = 75}));
    CHECK_THROWS_WITH_AS(refuse({.heldout_fraction = 0.001}),
                         "heldout_fraction is 0.001; it must be enough to hold out one user; 75 of 100 users have at least 5 interactions",
                         kd::InvalidArgument);
    CHECK_THROWS_AS(refuse({.heldout_users = -1}), kd::InvalidArgument);
    for (const double bad : {0.0, 1.0, -0.5, std::numeric_limits<double>::quiet_NaN()}) {
      CHECK_THROWS_AS(refuse({.heldout_fraction = bad}), kd::InvalidArgument);
      CHECK_THROWS_AS(refuse({.heldout_users = 3, .heldout_fraction = bad}), kd::InvalidArgument);
      CHECK_THROWS_AS(refuse({.target_fraction = bad}), kd::InvalidArgument);
    }
    CHECK_NOTHROW(refuse({.heldout_fraction = 0.99, .target_fraction = 1.0 - 0x1p-53, .min_interactions = 2}));
    CHECK_THROWS_WITH_AS(refuse({.target_fraction = 0.0}), "target_fraction is 0; it must be above 0 and below 1", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({.min_interactions = 1}), "min_interactions is 1; it must be at least 2", kd::InvalidArgument);
    const kd::CsrMatrix two = kindred_test::matrix_with_lengths(std::vector<std::size_t>{5, 5}, 10, 1);
    CHECK_THROWS_AS((void)kd::user_holdout(two, {.heldout_users = 2}), kd::InvalidArgument);  // nobody to learn from
    CHECK_THROWS_AS((void)kd::user_holdout(kd::CsrMatrix()), kd::InvalidArgument);
  }
}
