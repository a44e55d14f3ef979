// SPDX-License-Identifier: MIT
#include <kindred/models/rerank.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/evaluation/groups.hpp>
#include <kindred/models/popularity_recommender.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"

namespace kd = kindred;
using doctest::Approx;
using doctest::Contains;

TEST_SUITE("models/rerank") {
  TEST_CASE("maximal marginal relevance by hand") {
    // Items 0 and 1 are the same, 2 stands across.
    const kd::FactorMatrix<float> factors(3, 2, std::vector<float>{1, 0, 2, 0, 0, 1});
    const std::vector<kd::Scored> list{{0, 1.0}, {1, 0.9}, {2, 0.3}};
    const auto order = [&](double diversity) {
      std::vector<kd::Index> items;
      for (const kd::Scored& one : kd::maximal_marginal_relevance(factors, diversity).order(list, 3)) items.push_back(one.item);
      return items;
    };
    CHECK(order(0.0) == std::vector<kd::Index>{0, 1, 2});
    CHECK(order(0.3) == std::vector<kd::Index>{0, 1, 2});  // 0.7 * 0.9 - 0.3 * 1 > 0.7 * 0.3
    CHECK(order(0.5) == std::vector<kd::Index>{0, 2, 1});  // 0.45 - 0.5 < 0.15
    CHECK(kd::maximal_marginal_relevance(factors, 0.5).order({}, 3).empty());
  }

  TEST_CASE("quotas by hand") {
    const std::vector<kd::Index> labels{0, 0, 0, 1, -1, -1};
    const std::vector<kd::Scored> list{{0, 6}, {1, 5}, {2, 4}, {3, 3}, {4, 2}, {5, 1}};
    const std::vector<kd::Scored> next = kd::group_quota(labels, 1).order(list, 4);
    CHECK(next == std::vector<kd::Scored>{{0, 6}, {3, 3}, {4, 2}, {5, 1}});
  }

  TEST_CASE("calibration by hand") {
    // User 0 likes three items of group 0 and one of group 1, and dislikes one of group 2; user 1 likes nothing that has a group.
    const kd::CsrMatrix train({2, 9}, {0, 5, 6}, {0, 1, 2, 3, 4, 8}, {1, 1, 1, 1, -1, 1});
    const std::vector<kd::Index> labels{0, 0, 0, 1, 2, 0, 1, 1, -1};
    const std::vector<kd::Scored> list{{5, 10.0}, {0, 9.0}, {1, 8.0}, {2, 7.0}, {6, 6.0}, {7, 1.0}};
    const auto items = [&](double loss, std::size_t count, kd::Index user) {
      std::vector<kd::Index> found;
      for (const kd::Scored& one : kd::calibrated(train, labels, loss).order_for(list, count, user)) found.push_back(one.item);
      return found;
    };
    CHECK(items(0.0, 4, 0) == std::vector<kd::Index>{5, 0, 1, 2});
    CHECK(items(0.5, 4, 0) == std::vector<kd::Index>{5, 0, 1, 6});   // 33 of 34: three to one, as the user has it
    CHECK(items(0.02, 4, 0) == std::vector<kd::Index>{5, 0, 1, 2});  // 33 is below 0.98 * 34
    CHECK(items(0.5, 4, 1) == std::vector<kd::Index>{5, 0, 1, 2});
    CHECK(items(0.5, 4, 7) == std::vector<kd::Index>{5, 0, 1, 2});  // a user beyond train
    CHECK(items(1.0, 9, 0).size() == 6);
    CHECK(kd::calibrated(train, labels, 1.0).order_for({}, 3, 0).empty());
  }

  TEST_CASE("calibrated lists keep to the bound, are no further from the user's mix than the best list, and are the same in every call") {
    const kd::CsrMatrix train = kindred_test::random_matrix(60, 120, 0.15, 8);
    kd::ImplicitALS<float> model(kindred_test::small_als());
    model.fit(train);
    kd::PopularityRecommender popularity;
    popularity.fit(train);
    std::vector<kd::Index> labels;
    for (kd::Index i = 0; i < 120; ++i) labels.push_back(i % 7 == 6 ? -1 : i % 7);
    const auto shares = kd::detail::group_shares(train, labels);
    const auto distance = [&](std::span<const kd::Scored> list, kd::Index user) {
      std::vector<double> counts(6, 0.0);
      for (const kd::Scored& one : list)
        if (labels[static_cast<std::size_t>(one.item)] >= 0)
          counts[static_cast<std::size_t>(labels[static_cast<std::size_t>(one.item)])] += 1.0;
      return kd::detail::divergence(shares.of(user), counts);
    };
    double before = 0.0;
    for (const double loss : {0.0, 0.05, 0.2, 1.0}) {
      const kd::Rerank rerank = kd::calibrated(train, labels, loss, 60);
      const kd::RankedLists all = model.recommend_all(kd::every_user, {.exclude = train, .rerank = rerank});
      double mean = 0.0;
      for (kd::Index u = 0; u < 60; ++u) {
        const std::vector<kd::Scored> best = model.recommend(u, {.exclude = train.row(u)}),
                                      list = model.recommend(u, {.exclude = train.row(u), .rerank = rerank});
        CHECK(std::vector<kd::Scored>(all.row(static_cast<std::size_t>(u)).begin(), all.row(static_cast<std::size_t>(u)).end()) == list);
        REQUIRE(list.size() == best.size());
        CHECK(std::is_sorted(list.begin(), list.end(), kd::ranks_before));
        double sum = 0.0, most = 0.0;
        for (std::size_t n = 0; n < list.size(); ++n) {
          sum += list[n].score;
          most += best[n].score;
        }
        CHECK(sum >= most - loss * std::abs(most) - 1e-12);
        if (loss == 0.0) CHECK(list == best);
        mean += distance(list, u) / 60.0;
      }
      if (loss > 0.0) CHECK(mean < before);
      before = mean;
    }
    const kd::Rerank rerank = kd::calibrated(train, labels, 0.3);
    CHECK(popularity.recommend(3, {.rerank = rerank}).size() == 10);
    CHECK_THROWS_WITH_AS((void)model.recommend(train.row(0), {.rerank = rerank}), Contains("one of lists alone"), kd::InvalidArgument);
    CHECK_THROWS_AS((void)model.recommend_users(
                        0, {.rerank = kd::calibrated(kindred_test::random_matrix(120, 60, 0.1, 1), std::vector<kd::Index>(60, 0), 0.3)}),
                    kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::calibrated(train, labels, 1.5), Contains("loss is 1.5"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::calibrated(train, std::vector<kd::Index>(119, 0), 0.5), "labels has 119 entries for 120 items",
                         kd::ShapeError);
    CHECK_THROWS_AS((void)kd::calibrated(train, std::vector<kd::Index>(120, -2), 0.5), kd::InvalidArgument);
    kd::Rerank both = rerank;
    both.order = kd::group_quota(labels, 2).order;
    CHECK_THROWS_WITH_AS((void)model.recommend(0, {.rerank = both}), Contains("both order and order_for"), kd::InvalidArgument);
  }

  TEST_CASE("models rerank a longer exact list and cut it, alone and in batches") {
    const kd::CsrMatrix train = kindred_test::random_matrix(40, 83, 0.1, 3);
    const std::vector<kd::Index> counts = kd::column_counts(train);
    kd::ImplicitALS<float> model(kindred_test::small_als());
    model.fit(train);
    kd::PopularityRecommender popularity;
    popularity.fit(train);
    const kd::Rerank rerank = kd::group_quota(kd::EvaluationGroups::by_count(counts, 4, "users").labels, 2, 30);
    const kd::RankedLists all = model.recommend_all(kd::every_user, {.count = 5, .exclude = train, .rerank = rerank});
    for (kd::Index u = 0; u < 40; ++u) {
      std::vector<kd::Scored> wanted = rerank.order(model.recommend(u, {.count = 30, .exclude = train.row(u)}), 5);
      wanted.resize(5);
      CHECK(model.recommend(u, {.count = 5, .exclude = train.row(u), .rerank = rerank}) == wanted);
      CHECK(std::vector<kd::Scored>(all.row(static_cast<std::size_t>(u)).begin(), all.row(static_cast<std::size_t>(u)).end()) == wanted);
      CHECK(popularity.recommend(u, {.count = 5, .rerank = rerank}).size() == 5);
    }
  }

  TEST_CASE("a reranking of other items than the model's is refused in every call, also after append_items") {
    const kd::CsrMatrix train = kindred_test::random_matrix(40, 83, 0.1, 3);
    kd::ImplicitALS<float> model(kindred_test::small_als());
    model.fit(train);
    kd::PopularityRecommender popularity;
    popularity.fit(train);
    const std::vector<kd::Index> ones(84, 1);
    const std::vector<kd::Rerank> of_84 = {kd::group_quota(ones, 3), kd::maximal_marginal_relevance(kd::FactorMatrix<double>(84, 2), 0.3)};
    const auto refused = [&](const auto& asked, const kd::Rerank& rerank, const char* words) {
      CHECK_THROWS_WITH_AS((void)asked.recommend(1, {.rerank = rerank}), words, kd::InvalidArgument);
      CHECK_THROWS_WITH_AS((void)asked.recommend_all(std::vector<kd::Index>{1}, {.rerank = rerank}), words, kd::InvalidArgument);
    };
    for (const kd::Rerank& rerank : of_84) {
      refused(model, rerank, "rerank is made for 84 items; it must be made for 83, the items of the model");
      refused(popularity, rerank, "rerank is made for 84 items; it must be made for 83, the items of the model");
      CHECK_THROWS_AS((void)model.recommend(train.row(1), {.rerank = rerank}), kd::InvalidArgument);
    }
    const std::vector<kd::Rerank> of_83 = {kd::group_quota(std::vector<kd::Index>(83, 0), 3),
                                           kd::maximal_marginal_relevance(model.item_factors(), 0.3)};
    for (const kd::Rerank& rerank : of_83) CHECK_NOTHROW((void)model.recommend(1, {.rerank = rerank}));
    model.append_items(kd::CsrMatrix({40, 1}, std::vector<kd::Offset>(41, 0), {}, {}));
    for (const kd::Rerank& rerank : of_83)
      refused(model, rerank, "rerank is made for 83 items; it must be made for 84, the items of the model");
  }

  TEST_CASE("lists of users are reranked by what has data for each user") {
    const kd::CsrMatrix train = kindred_test::random_matrix(83, 40, 0.2, 3);
    kd::ImplicitALS<float> model(kindred_test::small_als());
    model.fit(train);
    const std::vector<kd::Index> items(40, 1), users(83, 1);
    for (const kd::Rerank& rerank : {kd::group_quota(items, 3), kd::maximal_marginal_relevance(model.item_factors(), 0.3)})
      CHECK_THROWS_WITH_AS((void)model.recommend_users(1, {.rerank = rerank}),
                           "rerank is made for 40 items; it must be made for 83, the users of the model", kd::InvalidArgument);
    CHECK(model.recommend_users(1, {.rerank = kd::group_quota(users, 3)}).size() == 3);
    CHECK(model.recommend_users(1, {.rerank = kd::maximal_marginal_relevance(model.user_factors(), 0.3)}).size() == 10);
  }

  TEST_CASE("what is refused") {
    const std::vector<kd::Index> none;
    const kd::FactorMatrix<float> factors;
    CHECK_THROWS_WITH_AS((void)kd::maximal_marginal_relevance(factors, 1.5), Contains("diversity is 1.5"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::group_quota(none, 0), Contains("most is 0"), kd::InvalidArgument);
    kd::PopularityRecommender popularity;
    popularity.fit(kindred_test::random_matrix(40, 83, 0.1, 3));
    const kd::Rerank invents{.pool = 5, .order = [](std::span<const kd::Scored>, std::size_t) {
                               return std::vector<kd::Scored>{{-7, 1.0}};
                             }};
    CHECK_THROWS_WITH_AS((void)popularity.recommend(0, {.count = 2, .rerank = invents}), Contains("-7"), kd::InvalidArgument);
    const kd::Rerank repeats{.pool = 5, .order = [](std::span<const kd::Scored> list, std::size_t) {
                               return std::vector<kd::Scored>{list[0], list[0]};
                             }};
    CHECK_THROWS_WITH_AS((void)popularity.recommend(0, {.count = 2, .rerank = repeats}), Contains("without repeats"), kd::InvalidArgument);
  }
}
