// SPDX-License-Identifier: MIT
#include <kindred/models/factor_model.hpp>

#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/evaluation/evaluate.hpp>
#include <kindred/models/implicit_als.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/brute_force_ranking.hpp"
#include "../support/random_matrix.hpp"

namespace kd = kindred;
using doctest::Approx;
using doctest::Contains;

namespace {

/// Three users, four items, two factors; user 2 and item 3 are zero.
kd::FactorModel<double> by_hand(std::vector<kd::Index> item_users = {}) {
  return {kd::FactorMatrix<double>(3, 2, std::vector<double>{1, 0, 1, 2, 0, 0}),
          kd::FactorMatrix<double>(4, 2, std::vector<double>{3, 0, 0, 2, 1, 1, 0, 0}), std::move(item_users)};
}

}  // namespace

TEST_SUITE("models/factor_model") {
  TEST_CASE("factors from elsewhere, by hand") {
    const kd::FactorModel<double> model = by_hand();
    CHECK(model.fitted());
    CHECK(model.shape() == kd::MatrixShape{3, 4});
    CHECK(model.predict(1, 1) == 4.0);
    CHECK(model.recommend(0) == std::vector<kd::Scored>{{0, 3.0}, {2, 1.0}, {1, 0.0}});  // item 3 has no direction: no candidate
    CHECK(model.recommend(1, {.count = 2}) == std::vector<kd::Scored>{{1, 4.0}, {0, 3.0}});
    CHECK(model.recommend(1, {.count = 9, .filter = {.candidates = kd::Candidates::all}}).size() == 4);
    CHECK(model.similar_items(2, {.count = 1}).front().item == 0);
    CHECK(model.similar_items(2, {.count = 1}).front().score == Approx(1.0 / std::sqrt(2.0)));
    CHECK(model.similar_items(3).empty());
    CHECK(model.recommend_users(1) == std::vector<kd::Scored>{{1, 4.0}, {0, 0.0}});
    CHECK_FALSE(model.knows(2));
    CHECK(model.recommend(2).empty());
    CHECK(model.recommend_all(kd::every_user).source(2) == kd::ListSource::none);
  }

  TEST_CASE("counts decide about candidates and the fallback") {
    const kd::FactorModel<double> model = by_hand({5, 0, 7, 6});
    CHECK(model.recommend(0) == std::vector<kd::Scored>{{0, 3.0}, {2, 1.0}, {3, 0.0}});
    CHECK(model.recommend(2, {.fallback = kd::Fallback::popularity}) == std::vector<kd::Scored>{{2, 7.0}, {3, 6.0}, {0, 5.0}});
    CHECK_THROWS_WITH_AS((void)by_hand().recommend(2, {.fallback = kd::Fallback::popularity}), Contains("made without item_users"),
                         kd::InvalidArgument);
    CHECK_THROWS_AS((void)by_hand().recommend_all(kd::every_user, {.fallback = kd::Fallback::popularity}), kd::InvalidArgument);
  }

  TEST_CASE_TEMPLATE("the factors of a fit give its lists, to the bit, and are measured as it is", T, float, double) {
    const kd::CsrMatrix train = kindred_test::random_matrix(70, 90, 0.1, 3), test = kindred_test::random_matrix(70, 90, 0.1, 4);
    kd::ImplicitALS<T> als(kindred_test::small_als());
    als.fit(train);
    const kd::FactorModel<T> model(als.user_factors(), als.item_factors(), kd::column_counts(train));
    CHECK(model.recommend_all(kd::every_user, {.exclude = train}) == als.recommend_all(kd::every_user, {.exclude = train}));
    CHECK(kindred_test::agrees_with_brute_force(model, train, 5, 40));
    for (kd::Index i = 0; i < 90; ++i) {
      CHECK(model.similar_items(i) == als.similar_items(i));
      CHECK(model.recommend_users(i) == als.recommend_users(i));
    }
    for (kd::Index u = 0; u < 70; ++u) CHECK(model.similar_users(u) == als.similar_users(u));
    CHECK(kd::evaluate(model, train, test).at(10).ndcg.mean == kd::evaluate(als, train, test).at(10).ndcg.mean);
  }

  TEST_CASE("what is refused") {
    using Factors = kd::FactorMatrix<float>;
    const float infinite = std::numeric_limits<float>::infinity();
    CHECK_THROWS_WITH_AS(kd::FactorModel<float>(Factors(3, 2), Factors(4, 3)),
                         "users have 2 factors and items 3; both need the same number, at least 1", kd::ShapeError);
    CHECK_THROWS_AS(kd::FactorModel<float>(Factors(3, 0), Factors(4, 0)), kd::ShapeError);
    CHECK_THROWS_WITH_AS(kd::FactorModel<float>(Factors(3, 2), Factors(4, 2), {1, 2, 3}), "item_users has 3 entries for 4 items",
                         kd::ShapeError);
    CHECK_THROWS_WITH_AS(kd::FactorModel<float>(Factors(3, 2), Factors(2, 2), {1, -2}), "item_users[1] is -2; it must be at least 0",
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(kd::FactorModel<float>(Factors(1, 2, std::vector<float>{0, infinite}), Factors(4, 2)),
                         Contains("users, row 0 is inf"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(kd::FactorModel<float>(Factors(1, 2), Factors(1, 2, std::vector<float>{infinite, 1})),
                         Contains("items, row 0 is inf"), kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::FactorModel<float>().recommend(0), kd::NotFitted);
  }

  TEST_CASE("no users, no items") {
    const kd::FactorModel<float> no_users(kd::FactorMatrix<float>(0, 2), kd::FactorMatrix<float>(4, 2));
    CHECK(no_users.recommend_all(kd::every_user).size() == 0);
    CHECK_THROWS_AS((void)no_users.recommend(0), kd::InvalidArgument);
    const kd::FactorModel<float> no_items(kd::FactorMatrix<float>(1, 2, std::vector<float>{1, 1}), kd::FactorMatrix<float>(0, 2));
    CHECK(no_items.recommend(0).empty());
    CHECK(no_items.recommend_all(kd::every_user).row(0).empty());
  }
}
