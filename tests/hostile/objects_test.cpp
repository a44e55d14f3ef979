// SPDX-License-Identifier: MIT
// Objects in a state that is legal but odd: moved from, not fitted, grown since, asked with what belongs to another one.
#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/kindred.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"
#include "../support/small_dataset.hpp"
#include "outcome.hpp"

namespace kd = kindred;
using kindred_test::outcome_of;
using kindred_test::text_of;

namespace {

using Model = kd::ImplicitALS<float>;

struct ModelCall {
  std::string name;
  std::function<std::string(Model& model)> run;
};

/// Every method that needs a fitted model of 30 users x 20 items.
std::vector<ModelCall> model_calls() {
  static const kd::CsrMatrix rows = kindred_test::random_matrix(2, 20, 0.3, 5), columns = kindred_test::random_matrix(30, 2, 0.3, 6),
                             train = kindred_test::random_matrix(30, 20, 0.3, 4);
  static const std::vector<kd::Index> two{0, 1};
  return {
      {"knows", [](Model& m) { return text_of(m.knows(1)); }},
      {"predict", [](Model& m) { return text_of(m.predict(1, 2)); }},
      {"recommend", [](Model& m) { return text_of(m.recommend(1, {.exclude = train.row(1)})); }},
      {"recommend a history", [](Model& m) { return text_of(m.recommend(rows.row(0)).items); }},
      {"recommend_all", [](Model& m) { return text_of(m.recommend_all(two, {.exclude = train})); }},
      {"recommend_all of every user", [](Model& m) { return text_of(m.recommend_all(kd::every_user)); }},
      {"recommend_all to a sink",
       [](Model& m) {
         std::string text;
         m.recommend_all(kd::every_user, {}, [&](kd::Index u, std::span<const kd::Scored>) { kindred_test::put(text, u); });
         return text;
       }},
      {"rank_items", [](Model& m) { return text_of(m.rank_items(1, two)); }},
      {"similar_items", [](Model& m) { return text_of(m.similar_items(1)); }},
      {"similar_users", [](Model& m) { return text_of(m.similar_users(1)); }},
      {"recommend_users", [](Model& m) { return text_of(m.recommend_users(1)); }},
      {"fold_in", [](Model& m) { return text_of(m.fold_in(rows.row(0))); }},
      {"fold_in_all", [](Model& m) { return text_of(m.fold_in_all(rows)); }},
      {"explain", [](Model& m) { return text_of(m.explain(rows.row(0), 1)); }},
      {"prepare",
       [](Model& m) {
         m.prepare();
         return text_of(m.index_bytes());
       }},
      {"check_data",
       [](Model& m) {
         m.check_data(train);
         return std::string("good");
       }},
      {"refit_users",
       [](Model& m) {
         m.refit_users(two, rows);
         return text_of(m);
       }},
      {"refit_items",
       [](Model& m) {
         m.refit_items(two, columns);
         return text_of(m);
       }},
      {"append_users", [](Model& m) { return text_of(m.append_users(rows)); }},
      {"append_items", [](Model& m) { return text_of(m.append_items(columns)); }},
      {"evaluate", [](Model& m) { return text_of(kd::evaluate(m, train, kindred_test::random_matrix(30, 20, 0.3, 7))); }},
      {"Recommender", [](Model& m) { return text_of(kd::KeyedRecommender<float>(m, kindred_test::dataset_of(train)).version()); }},
  };
}

Model fitted() {
  Model model(kindred_test::small_als());
  model.fit(kindred_test::random_matrix(30, 20, 0.3, 4));
  return model;
}

}  // namespace

TEST_SUITE("hostile/objects") {
  TEST_CASE("a model that is not fitted, or was moved from, says so in every call, and can be fitted") {
    for (const ModelCall& call : model_calls()) {
      CAPTURE(call.name);
      Model unfitted(kindred_test::small_als()), moved = fitted();
      const Model taken = std::move(moved);
      Model assigned = fitted();
      Model target;
      target = std::move(assigned);
      Model usual = fitted();
      const std::string wanted = outcome_of([&] { return call.run(usual); });
      CHECK(wanted.find("Error") == std::string::npos);
      for (Model* model : {&unfitted, &moved, &assigned}) {
        CHECK_FALSE(model->fitted());
        CHECK(model->shape() == kd::MatrixShape{});
        const std::string got = outcome_of([&] { return call.run(*model); });
        CHECK(got.find("Error: ") == 0);
        CHECK((got.find("fit") != std::string::npos || got.find("the model is 0 users x 0 items") != std::string::npos));
        model->fit(kindred_test::random_matrix(30, 20, 0.3, 4));
        CHECK(outcome_of([&] { return call.run(*model); }) == wanted);  // the options stay
      }
    }
  }

  TEST_CASE("PopularityRecommender, moved from") {
    kd::PopularityRecommender model;
    model.fit(kindred_test::random_matrix(30, 20, 0.3, 4));
    const kd::PopularityRecommender taken = std::move(model);
    CHECK_FALSE(model.fitted());
    CHECK(model.shape() == kd::MatrixShape{});
    CHECK_THROWS_AS((void)model.recommend(0), kd::NotFitted);
    CHECK_THROWS_AS((void)model.predict(0, 0), kd::NotFitted);
    CHECK_THROWS_AS((void)model.recommend_all({}), kd::NotFitted);
    CHECK(taken.shape() == kd::MatrixShape{30, 20});
  }

  TEST_CASE("ItemNeighbours and BlendedRecommender, moved from") {
    kd::BlendedRecommender<float> model({.factors = kindred_test::small_als()});
    model.fit(kindred_test::random_matrix(30, 20, 0.3, 4));
    kd::ItemNeighbours neighbours = model.neighbours();
    const kd::ItemNeighbours taken_neighbours = std::move(neighbours);
    CHECK(neighbours.shape() == kd::MatrixShape{});
    CHECK_THROWS_AS((void)neighbours.recommend(0), kd::NotFitted);
    CHECK_THROWS_AS((void)neighbours.similar_items(0), kd::NotFitted);
    CHECK(taken_neighbours.recommend(0) == model.neighbours().recommend(0));
    const auto wanted = model.recommend(0);
    const kd::BlendedRecommender<float> taken = std::move(model);
    CHECK(model.shape() == kd::MatrixShape{});
    CHECK_THROWS_AS((void)model.recommend(0), kd::NotFitted);
    CHECK_THROWS_AS((void)model.recommend_all(kd::every_user), kd::NotFitted);
    CHECK(taken.recommend(0) == wanted);
    model = taken;
    CHECK(model.recommend(0) == wanted);
    model.fit(kindred_test::random_matrix(40, 25, 0.3, 5));
    CHECK(model.shape() == kd::MatrixShape{40, 25});
    CHECK(model.recommend_all(kd::every_user).size() == 40);
  }

  TEST_CASE("Dataset, CsrMatrix, IdMap, RankedLists, FactorMatrix, moved from: empty, and usable") {
    kd::Dataset data = kindred_test::dataset_of(kindred_test::random_matrix(30, 20, 0.3, 4));
    const kd::Dataset taken = std::move(data);
    CHECK(data.matrix.shape() == kd::MatrixShape{});
    CHECK(data.matrix.offsets().size() == 1);
    CHECK(data.users.size() == 0);
    CHECK(data.items.find("i1") == std::nullopt);
    CHECK(data.users.intern("again") == 0);
    CHECK(taken.matrix.rows() == 30);
    kd::RankedLists lists({{{1, 2.0}}});
    const kd::RankedLists taken_lists = std::move(lists);
    CHECK_THROWS_AS((void)lists.row(0), kd::InvalidArgument);
    CHECK(taken_lists.row(0).size() == 1);
    kd::FactorMatrix<float> factors(3, 2);
    const kd::FactorMatrix<float> taken_factors = std::move(factors);
    CHECK(factors.rows() == 0);
    CHECK(text_of(factors) == text_of(kd::FactorMatrix<float>()));
  }

  TEST_CASE("a model that has grown refuses what was made for its old shape, by name, and answers the rest") {
    Model model = fitted();
    const kd::CsrMatrix train = kindred_test::random_matrix(30, 20, 0.3, 4), test = kindred_test::random_matrix(30, 20, 0.3, 7);
    model.append_users(kindred_test::random_matrix(2, 20, 0.3, 5));
    model.append_items(kindred_test::random_matrix(32, 2, 0.3, 6));
    REQUIRE(model.shape() == kd::MatrixShape{32, 22});
    const auto refused = [](const std::string& got) {
      CHECK(got.find("Error: ") == 0);
      CHECK((got.find("30 users x 20 items") != std::string::npos || got.find("20 items") != std::string::npos ||
             got.find("20 labels") != std::string::npos));
    };
    // Users and items that train does not have yet have nothing to leave out.
    CHECK(outcome_of([&] { return text_of(model.recommend_all(kd::every_user, {.exclude = train})); }).find("Error: ") != 0);
    refused(outcome_of([&] { return text_of(kd::evaluate(model, train, test)); }));
    refused(outcome_of([&] { return text_of(model.fold_in_all(train)); }));
    refused(outcome_of([&] { return text_of(model.recommend(1, {.rerank = kd::group_quota(kd::column_counts(train), 2)})); }));
    refused(outcome_of([&] { return text_of(kd::KeyedRecommender<float>(model, kindred_test::dataset_of(train)).version()); }));
    refused(outcome_of([&] {
      std::string text;
      kd::recommend_all(model, kd::rows_between(train, 0, 30), {},
                        [&](kd::Index u, std::span<const kd::Scored>) { kindred_test::put(text, u); });
      return text;
    }));
    CHECK(model.recommend(31, {.count = 100}).size() == 22);
    CHECK(model.recommend_all(kd::every_user).size() == 32);
    CHECK(model.similar_items(21, {.count = 100}).size() == 21);
  }

  TEST_CASE("arrays with an entry for each user or item, of another length: refused by name") {
    const kd::CsrMatrix train = kindred_test::random_matrix(30, 20, 0.3, 4), test = kindred_test::random_matrix(30, 20, 0.3, 7);
    const Model model = fitted();
    for (const std::size_t length : {std::size_t{0}, std::size_t{19}, std::size_t{21}, std::size_t{30}}) {
      CAPTURE(length);
      const std::vector<kd::Index> ones(length, 1);
      const auto evaluated = [&](kd::EvaluateOptions options) {
        return outcome_of([&] { return text_of(kd::evaluate(model, train, test, options)); });
      };
      CHECK(evaluated({.item_groups = kd::EvaluationGroups{{"a", "b"}, ones}}).find("Error: item_groups has") == 0);
      if (length != 30) CHECK(evaluated({.user_groups = kd::EvaluationGroups{{"a", "b"}, ones}}).find("Error: user_groups has") == 0);
      CHECK(outcome_of([&] { return text_of(model.recommend(0, {.rerank = kd::group_quota(ones, 2)})); }).find("Error: rerank") == 0);
      const kd::FactorMatrix<double> factors(static_cast<kd::Index>(length), 3);
      CHECK(outcome_of([&] {
              return text_of(model.recommend(0, {.rerank = kd::maximal_marginal_relevance(factors, 0.2)}));
            }).find("Error: rerank") == 0);
      if (length < 20)
        CHECK(outcome_of([&] { return text_of(kd::metrics::novelty(std::vector<kd::Index>{19}, ones, 30)); }).find("Error: ") == 0);
    }
  }

  TEST_CASE("users of whom nothing is known: the same answer from every call") {
    // User 3 has no row, user 5 dislikes alone.
    std::vector<kd::Interaction> triplets;
    const kd::CsrMatrix random = kindred_test::random_matrix(30, 20, 0.3, 4);
    for (kd::Index u = 0; u < 30; ++u)
      for (std::size_t n = 0; n < random.row(u).size(); ++n)
        if (u != 3) triplets.push_back({u, random.row(u).columns[n], u == 5 ? -1.0F : random.row(u).values[n]});
    const kd::CsrMatrix train = kd::CsrMatrix::from_triplets({30, 20}, triplets);
    Model model(kindred_test::small_als());
    model.fit(train);
    const kd::KeyedRecommender<float> keyed(model, kindred_test::dataset_of(train));
    for (const kd::Index user : {3, 5}) {
      CAPTURE(user);
      CHECK_FALSE(model.knows(user));
      CHECK(model.recommend(user).empty());
      CHECK(model.recommend(train.row(user)).source == kd::ListSource::none);
      CHECK(model.recommend_all(std::vector<kd::Index>{user, 1}).source(0) == kd::ListSource::none);
      CHECK(model.recommend_all(std::vector<kd::Index>{user, 1}).source(1) == kd::ListSource::model);
      CHECK(model.similar_users(user).empty());
      CHECK(keyed.recommend("u" + std::to_string(user)).source == kd::ListSource::none);
      const std::vector<kd::Scored> popular = model.recommend(user, {.count = 4, .fallback = kd::Fallback::popularity});
      REQUIRE(popular.size() == 4);
      const std::vector<kd::Index> counts = kd::column_counts(train);
      CHECK(popular.front().score == static_cast<double>(*std::max_element(counts.begin(), counts.end())));
      const kd::RankedLists batch = model.recommend_all(std::vector<kd::Index>{user}, {.count = 4, .fallback = kd::Fallback::popularity});
      CHECK(batch.source(0) == kd::ListSource::popularity);
      CHECK(std::vector<kd::Scored>(batch.row(0).begin(), batch.row(0).end()) == popular);
      std::vector<kd::ListSource> sources;
      model.recommend_all(std::vector<kd::Index>{user}, {},
                          [&](kd::Index, std::span<const kd::Scored>, kd::ListSource source) { sources.push_back(source); });
      kd::recommend_all(model, kd::rows_between(train, user, user + 1), {.fallback = kd::Fallback::popularity},
                        [&](kd::Index, std::span<const kd::Scored>, kd::ListSource source) { sources.push_back(source); });
      CHECK(sources == std::vector<kd::ListSource>{kd::ListSource::none, kd::ListSource::popularity});
    }
  }
}
