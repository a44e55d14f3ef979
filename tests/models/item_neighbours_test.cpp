// SPDX-License-Identifier: MIT
#include <kindred/models/item_neighbours.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/data/synthetic.hpp>
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/models/popularity_recommender.hpp>
#include <kindred/models/streamed_recommend.hpp>
#include <kindred/split/per_user_splitter.hpp>

#include "../support/als_instances.hpp"
#include "../support/random_matrix.hpp"
#include "../support/textbook_neighbours.hpp"

namespace kd = kindred;
using doctest::Approx;
using doctest::Contains;

namespace {

static_assert(kd::RecommenderModel<kd::ItemNeighbours> && kd::detail::BatchRecommenderModel<kd::ItemNeighbours>);

/// Three users, four items; item 3 has no user.
kd::CsrMatrix three_users() {
  return kd::CsrMatrix::from_triplets({3, 4}, std::vector<kd::Interaction>{{0, 0}, {0, 1}, {1, 0}, {1, 1}, {1, 2}, {2, 2}});
}

/// Values from -9 to 9 without 0, a tenth of them dislikes.
kd::CsrMatrix some_disliked(kd::Index users, kd::Index items, double density, std::uint64_t seed) {
  const kd::CsrMatrix likes = kindred_test::random_matrix(users, items, density, seed);
  std::vector<float> values(likes.values().begin(), likes.values().end());
  for (std::size_t n = 0; n < values.size(); n += 10) values[n] = -values[n];
  return kd::CsrMatrix(likes.shape(), {likes.offsets().begin(), likes.offsets().end()}, {likes.columns().begin(), likes.columns().end()},
                       std::move(values));
}

kd::ItemNeighbours fitted_neighbours(const kd::CsrView& train, const kd::ItemNeighboursOptions& options = {},
                                     const kd::Execution& execution = {}) {
  kd::ItemNeighbours model(options);
  model.fit(train, execution);
  return model;
}

/// What a list must be, from all scores of the user.
std::vector<kd::Scored> cut(const std::vector<kd::Scored>& ranking, std::span<const kd::Index> counts, std::span<const kd::Index> exclude,
                            std::size_t count) {
  std::vector<kd::Scored> list;
  for (const kd::Scored& one : ranking)
    if (list.size() < count && counts[static_cast<std::size_t>(one.item)] > 0 &&
        std::find(exclude.begin(), exclude.end(), one.item) == exclude.end())
      list.push_back(one);
  return list;
}

std::vector<kd::Index> up_to(kd::Index end) {
  std::vector<kd::Index> indices;
  for (kd::Index n = 0; n < end; ++n) indices.push_back(n);
  return indices;
}

}  // namespace

TEST_CASE("neighbours of a matrix by hand") {
  const kd::CsrMatrix train = three_users();
  const kd::ItemNeighbours model = fitted_neighbours(train, {.popularity = 0.5});
  // n_v = 2, 3, 1; n_i = 2, 2, 2. c_01 = 1/2 + 1/3 = 5/6, c_02 = c_12 = 1/3; every weight is c / 2.
  CHECK(model.shape() == kd::MatrixShape{3, 4});
  REQUIRE(model.neighbours(0).size() == 2);
  CHECK(model.neighbours(0)[0].item == 1);
  CHECK(model.neighbours(0)[0].score == Approx(5.0 / 12));
  CHECK(model.neighbours(0)[1].item == 2);
  CHECK(model.neighbours(0)[1].score == Approx(1.0 / 6));
  CHECK(model.neighbours(3).empty());
  CHECK(model.predict(0, 2) == Approx(1.0 / 3));  // items 0 and 1 vote
  CHECK(model.predict(2, 0) == Approx(1.0 / 6));
  CHECK(model.predict(2, 3) == 0.0);
  // Cosine: c_ii = 1/2 + 1/3 = 5/6 for 0 and 1, 1/3 + 1 = 4/3 for 2.
  const auto similar = model.similar_items(0, {.self = kd::SimilarOptions::SelfMatch::included});
  REQUIRE(similar.size() == 3);
  CHECK(similar[0] == kd::Scored{0, 1.0});
  CHECK(similar[1].score == Approx(1.0));
  CHECK(similar[2].score == Approx((1.0 / 3) / std::sqrt(5.0 / 6 * 4.0 / 3)));
  CHECK(model.similar_items(3).empty());
  const auto list = model.recommend(2, {.exclude = train.row(2)});
  CHECK(list.size() == 2);
  CHECK(list[0].item == 0);  // a tie
  const kd::ItemNeighbours cosine = fitted_neighbours(train, kd::ItemNeighboursOptions::cosine());
  CHECK(cosine.neighbours(0)[0].score == Approx(1.0));
  CHECK(cosine.neighbours(0)[1].score == Approx(0.5));
}

TEST_CASE("neighbours and votes agree with the textbook") {
  for (const kd::ItemNeighboursOptions options :
       {kd::ItemNeighboursOptions{}, kd::ItemNeighboursOptions{.neighbours = 7}, kd::ItemNeighboursOptions::cosine(),
        kd::ItemNeighboursOptions{.neighbours = 12, .popularity = 0.4, .user_discount = 0.5, .curve = kd::Confidence::linear},
        kd::ItemNeighboursOptions{.neighbours = 9, .popularity = 0.0, .share_votes = true},
        kd::ItemNeighboursOptions{.neighbours = 1000, .popularity = 1.0, .user_discount = 2.0, .share_votes = true}}) {
    CAPTURE(options.neighbours);
    CAPTURE(options.popularity);
    const kd::CsrMatrix train = some_disliked(40, 30, 0.15, 3);
    const kindred_test::TextbookNeighbours textbook(train, options);
    const kd::ItemNeighbours model = fitted_neighbours(train, options);
    for (kd::Index i = 0; i < 30; ++i) {
      const auto found = model.neighbours(i);
      REQUIRE(found.size() == textbook.neighbours(i).size());
      for (const kd::Scored& one : found) {
        REQUIRE(textbook.neighbours(i).count(one.item) == 1);  // no two weights of this matrix are within rounding
        CHECK(one.score == Approx(static_cast<double>(textbook.neighbours(i).at(one.item))).epsilon(1e-5));
      }
      for (const kd::Scored& one : model.similar_items(i, {.count = 100}))
        CHECK(one.score == Approx(static_cast<double>(textbook.cosine(i, one.item))).epsilon(1e-5));
    }
    for (kd::Index u = 0; u < 40; ++u) {
      const auto votes = textbook.votes(textbook.history_of(train.row(u)));
      for (kd::Index i = 0; i < 30; ++i) {
        CHECK(model.predict(u, i) == Approx(static_cast<double>(votes[static_cast<std::size_t>(i)])).epsilon(1e-5));
        const kd::Explanation why = model.explain(train.row(u), i);
        CHECK(why.score == Approx(model.predict(u, i)).epsilon(1e-5));
        CHECK(why.parts.size() == train.row(u).size());
        double sum = 0.0;
        for (const kd::Scored& part : why.parts) sum += part.score;
        CHECK(sum == Approx(why.score).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("neighbours have the same bytes for any number of threads") {
  const kd::CsrMatrix train = some_disliked(300, 500, 0.03, 5);
  const kd::detail::NeighbourState one = fitted_neighbours(train, {.neighbours = 20}, {.threads = 1}).state();
  for (const std::size_t threads : {std::size_t{2}, std::size_t{3}, std::size_t{5}}) {
    const kd::detail::NeighbourState many = fitted_neighbours(train, {.neighbours = 20}, {.threads = threads}).state();
    CHECK(std::equal(one.graph->offsets.begin(), one.graph->offsets.end(), many.graph->offsets.begin(), many.graph->offsets.end()));
    CHECK(std::equal(one.graph->targets.begin(), one.graph->targets.end(), many.graph->targets.begin(), many.graph->targets.end()));
    CHECK(std::equal(one.graph->weights.begin(), one.graph->weights.end(), many.graph->weights.begin(), many.graph->weights.end()));
  }
  const kd::ItemNeighbours model = fitted_neighbours(train, {.neighbours = 20});
  const kd::RankedLists lists = model.recommend_all(kd::every_user, {.exclude = train, .execution = {.threads = 1}});
  for (const std::size_t threads : {std::size_t{2}, std::size_t{5}})
    CHECK(model.recommend_all(kd::every_user, {.exclude = train, .execution = {.threads = threads}}) == lists);
  std::vector<std::vector<kd::Scored>> streamed;
  model.recommend_all(kd::every_user, {.exclude = train},
                      [&](kd::Index, std::span<const kd::Scored> list) { streamed.emplace_back(list.begin(), list.end()); });
  CHECK(kd::RankedLists(streamed) == lists);
  std::size_t seen = 0;
  kd::recommend_all(model, train, {}, [&](kd::Index user, std::span<const kd::Scored> list) {
    seen += std::equal(list.begin(), list.end(), lists.row(static_cast<std::size_t>(user)).begin(),
                       lists.row(static_cast<std::size_t>(user)).end())
                ? 1U
                : 0U;
  });
  CHECK(seen == 300);
}

TEST_CASE("lists of neighbours are the ranking of all items, cut") {
  const kd::CsrMatrix train = kindred_test::random_matrix(50, 90, 0.04, 7);
  const kd::ItemNeighbours model = fitted_neighbours(train);
  const std::vector<kd::Index> counts = kd::column_counts(train), all = up_to(90), allow{3, 5, 8, 13, 21, 34, 55, 89};
  for (kd::Index u = 0; u < 50; ++u) {
    if (!model.knows(u)) continue;
    const auto ranking = model.rank_items(u, all);
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{10}, std::size_t{90}}) {
      CHECK(model.recommend(u, {.count = count, .exclude = train.row(u)}) == cut(ranking, counts, train.row(u), count));
      CHECK(model.recommend(train.row(u), {.count = count}).items == cut(ranking, counts, {}, count));
    }
    const auto positive = model.recommend(u, {.count = 90, .filter = {.min_score = 1e-9}});
    CHECK(std::all_of(positive.begin(), positive.end(), [](const kd::Scored& one) { return one.score > 0.0; }));
    CHECK(model.recommend(u, {.count = 90, .filter = {.allow = allow, .candidates = kd::Candidates::all}}) == model.rank_items(u, allow));
    std::vector<kd::Scored> penalised = model.rank_items(u, all);
    for (kd::Scored& one : penalised) one.score -= 0.5 * model.popularity_scale() * std::log1p(counts[static_cast<std::size_t>(one.item)]);
    std::sort(penalised.begin(), penalised.end(), kd::ranks_before);
    const auto found = model.recommend(u, {.count = 90, .popularity_penalty = 0.5});
    REQUIRE(found.size() == cut(penalised, counts, {}, 90).size());
    for (std::size_t n = 0; n < found.size(); ++n) CHECK(found[n].score == Approx(cut(penalised, counts, {}, 90)[n].score).epsilon(1e-5));
  }
}

TEST_CASE("dislikes neither vote nor are listed, stored zeros are no interactions") {
  const kd::CsrMatrix train = some_disliked(60, 40, 0.1, 9);
  const kd::ItemNeighbours model = fitted_neighbours(train);
  std::vector<kd::Interaction> likes;
  std::vector<kd::Offset> offsets(train.offsets().begin(), train.offsets().end());
  for (kd::Index u = 0; u < 60; ++u)
    for (std::size_t n = 0; n < train.row(u).size(); ++n)
      if (train.row(u).values[n] > 0.0F) likes.push_back({u, train.row(u).columns[n], train.row(u).values[n]});
  const kd::ItemNeighbours of_likes = fitted_neighbours(kd::CsrMatrix::from_triplets(train.shape(), likes));
  for (kd::Index i = 0; i < 40; ++i) CHECK(model.neighbours(i) == of_likes.neighbours(i));
  std::vector<float> zeroed(train.values().begin(), train.values().end());
  for (float& value : zeroed) value = (std::max)(value, 0.0F);
  const kd::ItemNeighbours with_zeros = fitted_neighbours(kd::CsrView(train.shape(), train.offsets(), train.columns(), zeroed));
  for (kd::Index i = 0; i < 40; ++i) CHECK(with_zeros.neighbours(i) == of_likes.neighbours(i));
  for (kd::Index u = 0; u < 60; ++u) {
    const auto listed = [&](const std::vector<kd::Scored>& list, kd::Index item) {
      return std::any_of(list.begin(), list.end(), [&](const kd::Scored& one) { return one.item == item; });
    };
    const std::vector<kd::Scored> known = model.recommend(u, {.count = 40}), stranger = model.recommend(train.row(u), {.count = 40}).items;
    CHECK(known == stranger);
    for (std::size_t n = 0; n < train.row(u).size(); ++n)
      CHECK(listed(known, train.row(u).columns[n]) == (!known.empty() && train.row(u).values[n] > 0.0F));
  }
}

TEST_CASE("users without a vote") {
  // User 1 has only item 2, which nobody else has; user 2 has nothing; user 3 dislikes.
  const kd::CsrMatrix train =
      kd::CsrMatrix::from_triplets({4, 4}, std::vector<kd::Interaction>{{0, 0, 1}, {0, 1, 1}, {1, 2, 1}, {3, 0, -1}});
  const kd::ItemNeighbours model = fitted_neighbours(train);
  CHECK(model.knows(0));
  const kd::RankedLists lists = model.recommend_all(kd::every_user, {.count = 2, .fallback = kd::Fallback::popularity});
  CHECK(lists.source(0) == kd::ListSource::model);
  for (const kd::Index u : {1, 2, 3}) {
    CHECK_FALSE(model.knows(u));
    CHECK(model.recommend(u).empty());
    CHECK(lists.source(static_cast<std::size_t>(u)) == kd::ListSource::popularity);
    CHECK(model.recommend(train.row(u)).source == kd::ListSource::none);
  }
  CHECK(lists.row(1)[0] == kd::Scored{0, 1.0});
  CHECK(lists.row(3)[0] == kd::Scored{1, 1.0});  // 0 is disliked
}

TEST_CASE("histories of neighbours grow") {
  const kd::CsrMatrix train = kindred_test::random_matrix(30, 40, 0.1, 12), more = kindred_test::random_matrix(2, 40, 0.2, 13);
  kd::ItemNeighbours model = fitted_neighbours(train);
  const kd::ItemNeighbours before = model;
  const std::vector<kd::Index> users{4, 17};
  model.refit_users(users, more);
  for (kd::Index n = 0; n < 2; ++n) {
    CHECK(model.recommend(users[static_cast<std::size_t>(n)]) == before.recommend(more.row(n)).items);
    CHECK(before.recommend(users[static_cast<std::size_t>(n)]) == before.recommend(train.row(users[static_cast<std::size_t>(n)])).items);
  }
  CHECK(model.append_users(more) == 30);
  CHECK(model.append_users(more) == 32);
  model.refit_users(std::vector<kd::Index>{33}, train.rows(0, 1));
  CHECK(model.shape() == kd::MatrixShape{34, 40});
  CHECK(model.recommend(31) == before.recommend(more.row(1)).items);
  CHECK(model.recommend(33) == before.recommend(0));
  CHECK(model.recommend(3) == before.recommend(3));
  CHECK_THROWS_WITH_AS(model.refit_users(std::vector<kd::Index>{5, 5}, more), Contains("users"), kd::InvalidArgument);
  CHECK_THROWS_AS(model.refit_users(users, train), kd::ShapeError);
  CHECK_THROWS_AS((void)model.append_users(kindred_test::random_matrix(2, 41, 0.2, 13)), kd::ShapeError);
}

TEST_CASE("what ItemNeighbours refuses") {
  const auto refused = [](const kd::ItemNeighboursOptions& options, const char* name) {
    CHECK_THROWS_WITH_AS(kd::ItemNeighbours{options}, Contains(name), kd::InvalidArgument);
  };
  refused({.neighbours = 0}, "neighbours is 0");
  refused({.popularity = -0.1}, "popularity is -0.1");
  refused({.popularity = 1.1}, "popularity");
  refused({.popularity = std::numeric_limits<double>::quiet_NaN()}, "popularity");
  refused({.user_discount = -1.0}, "user_discount");
  refused({.user_discount = std::numeric_limits<double>::infinity()}, "user_discount");
  refused({.curve = kd::Confidence::custom}, "curve");

  kd::ItemNeighbours model;
  CHECK_THROWS_AS((void)model.recommend(0), kd::NotFitted);
  CHECK_THROWS_AS((void)model.explain({}, 0), kd::NotFitted);
  CHECK_THROWS_AS(model.fit(kd::CsrMatrix()), kd::InvalidArgument);
  const std::vector<kd::Interaction> disliked{{0, 0, -1}};
  CHECK_THROWS_WITH_AS(model.fit(kd::CsrMatrix::from_triplets({1, 1}, disliked)), Contains("train"), kd::InvalidArgument);
  CHECK_THROWS_AS(model.fit(three_users(), {.threads = 5000}), kd::InvalidArgument);
  CHECK_FALSE(model.fitted());
  CHECK(model.shape() == kd::MatrixShape{});
  model.fit(three_users());
  CHECK_THROWS_AS((void)model.recommend(3), kd::InvalidArgument);
  CHECK_THROWS_AS((void)model.predict(0, 4), kd::InvalidArgument);
  CHECK_THROWS_AS((void)model.neighbours(-1), kd::InvalidArgument);
  CHECK_THROWS_WITH_AS((void)model.recommend(0, {.popularity_penalty = 2.0}), Contains("popularity_penalty"), kd::InvalidArgument);
  CHECK_THROWS_WITH_AS((void)model.recommend(0, {.popularity_penalty = 0.5}), Contains("popularity_penalty"), kd::InvalidArgument);
  const kd::ItemNeighbours taken = std::move(model);
  CHECK(taken.shape() == kd::MatrixShape{3, 4});
  CHECK(model.shape() == kd::MatrixShape{});  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("neighbours find planted groups") {
  const kd::Dataset data = kd::synthetic_listening({.users = 400, .items = 600, .items_per_user = 25, .seed = 3});
  const kd::TrainTestSplit split = kd::PerUserSplitter({.test_fraction = 0.2, .seed = 1}).split(data.matrix);
  kd::PopularityRecommender popularity;
  popularity.fit(split.train);
  const auto ndcg = [&](const auto& model) { return kd::evaluate(model, split.train, split.test, {.cutoffs = {10}}).at(10).ndcg.mean; };
  CHECK(ndcg(fitted_neighbours(split.train)) > 1.2 * ndcg(popularity));
}
