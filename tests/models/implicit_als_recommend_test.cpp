// SPDX-License-Identifier: MIT
// Lists and scores of ImplicitALS against brute force.
#include <kindred/models/implicit_als.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/brute_force_ranking.hpp"
#include "../support/random_matrix.hpp"
#include "../support/simd_levels.hpp"

namespace kd = kindred;
using doctest::Contains;

namespace {

// 75 users x 83 items. User 0 has nothing, so every score is 0; items 5, 21 and 60 have the same users, so their scores are equal to the bit;
// items 7 and 82 have no users.
kd::CsrMatrix tied_train() {
  const kd::CsrMatrix plain = kindred_test::random_matrix(75, 83, 0.1, 3);
  std::vector<kd::Interaction> triplets;
  for (kd::Index u = 1; u < plain.rows(); ++u) {
    const kd::SparseRow row = plain.row(u);
    for (std::size_t n = 0; n < row.size(); ++n) {
      const kd::Index item = row.columns[n];
      if (item == 7 || item == 82 || item == 21 || item == 60) continue;
      triplets.push_back({u, item, row.values[n]});
      if (item == 5) triplets.push_back({u, 21, row.values[n]});
      if (item == 5) triplets.push_back({u, 60, row.values[n]});
    }
  }
  return kd::CsrMatrix::from_triplets(plain.shape(), triplets);
}

}  // namespace

TEST_SUITE("models/implicit_als, recommending") {
  TEST_CASE_TEMPLATE("recommend, recommend_all and predict agree with brute force over random filters, to the bit", T, float, double) {
    const kd::CsrMatrix train = tied_train();
    for (const std::size_t factors : {1u, 6u, 19u}) {
      for (const kd::SimdLevel level : kindred_test::simd_levels()) {
        kd::AlsOptions options = kindred_test::small_als();
        options.factors = factors;
        options.iterations = 2;
        kd::ImplicitALS<T> model(options);
        model.fit(train, {.execution = {.simd = level}});
        REQUIRE(model.predict(3, 5) == model.predict(3, 21));
        REQUIRE(model.predict(3, 5) == model.predict(3, 60));
        CHECK(kindred_test::agrees_with_brute_force(model, train, factors, 100));
      }
    }
  }

  TEST_CASE_TEMPLATE("a score is the inner product of the stored factors", T, float, double) {
    const kd::CsrMatrix train = tied_train();
    kd::ImplicitALS<T> model(kindred_test::small_als());
    model.fit(train);
    for (kd::Index u = 0; u < train.rows(); ++u) {
      for (kd::Index i = 0; i < train.cols(); ++i) {
        double sum = 0.0, scale = 0.0;
        for (std::size_t f = 0; f < 6; ++f) {
          const double term = static_cast<double>(model.user_factors().row(u)[f]) * static_cast<double>(model.item_factors().row(i)[f]);
          sum += term;
          scale += std::abs(term);
        }
        CHECK(std::abs(model.predict(u, i) - sum) <= 6.0 * static_cast<double>(std::numeric_limits<T>::epsilon()) * scale);
      }
    }
  }

  TEST_CASE("always min(count, eligible) items, also where scores tie or are negative") {
    const kd::CsrMatrix train = tied_train();
    kd::ImplicitALS<float> model(kindred_test::small_als());
    model.fit(train);
    CHECK(model.recommend(0, {.count = 9}).empty());  // a user without interactions
    CHECK(model.recommend(1, {.count = 1000}).size() == 81);
    CHECK(model.recommend(1, {.count = 1000, .filter = {.candidates = kd::Candidates::all}}).size() == 83);
    CHECK(model.recommend(1, {.count = 1000, .exclude = train.row(1)}).size() == 81 - train.row(1).size());
    CHECK(model.recommend(1, {.count = std::numeric_limits<std::size_t>::max()}).size() == 81);
    CHECK(model.recommend(1, {.count = 0}).empty());
    const std::vector<kd::Index> none, untrained{7, 82};
    CHECK(model.recommend(1, {.filter = {.allow = none}}).empty());
    CHECK(model.recommend(1, {.filter = {.allow = untrained}}).empty());
    CHECK(model.recommend(1, {.filter = {.allow = untrained, .candidates = kd::Candidates::all}}) ==
          std::vector<kd::Scored>{{7, 0.0}, {82, 0.0}});
    CHECK(model.recommend(1, {.filter = {.min_score = 1e9}}).empty());
    CHECK(model.recommend_all({}).size() == 0);
  }

  TEST_CASE_TEMPLATE("the same lists for any number of threads", T, float, double) {
    const kd::CsrMatrix train = kindred_test::random_matrix(500, 83, 0.1, 3);
    kd::ImplicitALS<T> model(kindred_test::small_als());
    model.fit(train);
    std::vector<kd::Index> users(500);
    for (std::size_t u = 0; u < users.size(); ++u) users[u] = static_cast<kd::Index>(499 - u);
    const kd::RankedLists one = model.recommend_all(users, {.exclude = train, .execution = {.threads = 1}});
    for (const std::size_t threads : {2u, 3u, 8u})
      CHECK(model.recommend_all(users, {.exclude = train, .execution = {.threads = threads}}) == one);
  }

  TEST_CASE("what recommending refuses") {
    const kd::CsrMatrix train = tied_train();
    kd::ImplicitALS<float> model(kindred_test::small_als());
    model.fit(train);
    const std::vector<kd::Index> falling{3, 1}, twice{3, 3}, outside{83}, negative{-1}, users{0, 75};
    CHECK_THROWS_WITH_AS((void)model.recommend(75), "user is 75; it must be a user index in [0, 75)", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.recommend(-1), Contains("user is -1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.predict(75, 0), Contains("user is 75"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.predict(0, 83), "item is 83; it must be an item index in [0, 83)", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.predict(0, -1), Contains("item is -1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.recommend(0, {.exclude = falling}), Contains("exclude[1] is 1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.recommend(0, {.exclude = twice}), Contains("exclude[1] is 3"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.recommend(0, {.exclude = outside}), Contains("exclude[0] is 83"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.recommend(0, {.filter = {.allow = negative}}), Contains("allow[0] is -1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.recommend_all(users), Contains("user is 75"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.recommend_all({}, {.filter = {.allow = falling}}), Contains("allow[1] is 1"), kd::InvalidArgument);
    const kd::CsrMatrix transposed = kd::transpose(train), other({75, 84}, std::vector<kd::Offset>(76, 0), {}, {});
    CHECK_THROWS_WITH_AS(
        (void)model.recommend_all({}, {.exclude = transposed}),
        "exclude is 83 users x 75 items; the model is 75 users x 83 items; the transposed shape would fit: is the input items x users? "
        "Kindred takes users as rows",
        kd::ShapeError);
    CHECK_THROWS_WITH_AS((void)model.recommend_all({}, {.exclude = other}),
                         "exclude is 75 users x 84 items; the model is 75 users x 83 items", kd::ShapeError);
  }
}
