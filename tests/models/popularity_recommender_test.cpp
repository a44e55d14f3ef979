// SPDX-License-Identifier: MIT
#include <kindred/models/popularity_recommender.hpp>

#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

#include "../support/brute_force_ranking.hpp"
#include "../support/random_matrix.hpp"

namespace kd = kindred;
using doctest::Contains;

namespace {

std::vector<kd::Index> items_of(const std::vector<kd::Scored>& list) {
  std::vector<kd::Index> items;
  for (const kd::Scored& scored : list) items.push_back(scored.item);
  return items;
}

// Plays per item 11 2 3 3 0 0, listeners 2 2 2 1 0 0; a stored zero and a dislike among them.
const kd::CsrMatrix six_items({3, 6}, {0, 3, 6, 9}, {0, 1, 2, 0, 2, 4, 1, 2, 3}, {10, 1, 3, 1, 1, 0, 1, -1, 3});

}  // namespace

TEST_SUITE("models/popularity_recommender") {
  TEST_CASE("plays and listeners by hand") {
    kd::PopularityRecommender plays;
    plays.fit(six_items);
    CHECK(plays.recommend(0) == std::vector<kd::Scored>{{0, 11}, {2, 3}, {3, 3}, {1, 2}});
    CHECK(items_of(plays.recommend(1, {.filter = {.candidates = kd::Candidates::all}})) == std::vector<kd::Index>{0, 2, 3, 1, 4, 5});
    CHECK(items_of(plays.recommend(2, {.count = 2, .exclude = six_items.row(0)})) == std::vector<kd::Index>{3});
    CHECK(plays.predict(2, 0) == 11.0);
    CHECK(plays.predict(0, 5) == 0.0);

    kd::PopularityRecommender listeners({.by = kd::PopularityOptions::By::users});
    listeners.fit(six_items);
    CHECK(listeners.recommend(0) == std::vector<kd::Scored>{{0, 2}, {1, 2}, {2, 2}, {3, 1}});
    CHECK(listeners.options().by == kd::PopularityOptions::By::users);
  }

  TEST_CASE("recommend, recommend_all and predict agree with brute force over random filters") {
    const kd::CsrMatrix random = kindred_test::random_matrix(40, 57, 0.08, 3);  // many ties
    for (const kd::PopularityOptions::By by : {kd::PopularityOptions::By::summed_values, kd::PopularityOptions::By::users}) {
      kd::PopularityRecommender model({.by = by});
      model.fit(random);
      CHECK(kindred_test::agrees_with_brute_force(model, random, 5, 300));
    }
  }

  TEST_CASE("the same lists for any number of threads") {
    const kd::CsrMatrix random = kindred_test::random_matrix(700, 57, 0.08, 3);
    kd::PopularityRecommender model;
    model.fit(random);
    std::vector<kd::Index> users(700);
    for (std::size_t u = 0; u < users.size(); ++u) users[u] = static_cast<kd::Index>(u);
    const kd::RankedLists one = model.recommend_all(users, {.exclude = random, .execution = {.threads = 1}});
    for (const std::size_t threads : {2u, 3u, 8u})
      CHECK(model.recommend_all(users, {.exclude = random, .execution = {.threads = threads}}) == one);
  }

  TEST_CASE("errors: not fitted, empty, out of range, another shape") {
    kd::PopularityRecommender model;
    CHECK_FALSE(model.fitted());
    CHECK(model.shape() == kd::MatrixShape{});
    CHECK_THROWS_WITH_AS((void)model.recommend(0), Contains("PopularityRecommender is not fitted"), kd::NotFitted);
    CHECK_THROWS_AS((void)model.predict(0, 0), kd::NotFitted);
    CHECK_THROWS_AS((void)model.recommend_all({}), kd::NotFitted);
    CHECK_THROWS_WITH_AS(model.fit(kd::CsrMatrix({2, 3}, {0, 0, 0}, {}, {})), Contains("2 users x 3 items without interactions"),
                         kd::InvalidArgument);
    model.fit(six_items);
    CHECK_THROWS_AS(model.fit(kd::CsrMatrix()), kd::InvalidArgument);
    CHECK(model.shape() == kd::MatrixShape{3, 6});
    CHECK(model.recommend(0).size() == 4);

    const std::vector<kd::Index> falling{3, 1}, outside{6}, users{0, 3};
    CHECK_THROWS_WITH_AS((void)model.recommend(3), Contains("user is 3"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.recommend(-1), Contains("user is -1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.predict(0, 6), Contains("item is 6"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.recommend(0, {.exclude = falling}), Contains("exclude[1] is 1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.recommend(0, {.filter = {.allow = outside}}), Contains("allow[0] is 6"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.recommend_all(users), Contains("user is 3"), kd::InvalidArgument);
    const kd::CsrMatrix transposed = kd::transpose(six_items);
    CHECK_THROWS_WITH_AS((void)model.recommend_all({}, {.exclude = transposed}), Contains("is the input items x users?"), kd::ShapeError);
  }
}
