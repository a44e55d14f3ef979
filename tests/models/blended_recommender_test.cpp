// SPDX-License-Identifier: MIT
#include <kindred/models/blended_recommender.hpp>

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
#include <kindred/models/streamed_recommend.hpp>
#include <kindred/split/per_user_splitter.hpp>

#include "../support/als_instances.hpp"
#include "../support/random_matrix.hpp"
#include "../support/simd_levels.hpp"
#include "../support/textbook_neighbours.hpp"

namespace kd = kindred;
using doctest::Approx;
using doctest::Contains;

namespace {

static_assert(kd::RecommenderModel<kd::BlendedRecommender<float>> && kd::detail::BatchRecommenderModel<kd::BlendedRecommender<double>>);

kd::BlendedOptions small_blend(double weight = 0.25, std::size_t neighbours = 200) {
  kd::BlendedOptions options{.weight = weight};
  options.factors.factors = 8;
  options.factors.iterations = 2;
  options.neighbours.neighbours = neighbours;
  return options;
}

template <typename Scalar = float>
kd::BlendedRecommender<Scalar> fitted_blend(const kd::CsrView& train, const kd::BlendedOptions& options = small_blend(),
                                            const kd::Execution& execution = {}) {
  kd::BlendedRecommender<Scalar> model(options);
  model.fit(train, {.execution = execution});
  return model;
}

std::vector<kd::Index> first_indices(kd::Index end) {
  std::vector<kd::Index> indices;
  for (kd::Index n = 0; n < end; ++n) indices.push_back(n);
  return indices;
}

/// The list of a full scan: every score, sorted, filtered.
template <typename Scalar>
std::vector<kd::Scored> scanned(const kd::BlendedRecommender<Scalar>& model, kd::Index user, std::span<const kd::Index> exclude,
                                const kd::ItemFilter& filter, std::size_t count, double penalty) {
  if (!model.knows(user)) return {};
  std::vector<kd::Scored> all = model.rank_items(user, first_indices(model.shape().items));
  const auto weight = static_cast<float>(penalty > 0.0 ? -penalty * model.popularity_scale() : 0.0);
  const std::span<const kd::Index> counts = model.factors().item_counts();
  const kd::SparseRow history = model.neighbours().history(user);
  // Offsets are added to the score of the factors, then come the votes: as here, where the votes are the difference.
  const auto factors = model.factors().rank_items(user, first_indices(model.shape().items));
  for (kd::Scored& one : all) {
    if (weight == 0.0F) continue;
    const double score = std::find_if(factors.begin(), factors.end(), [&](const kd::Scored& f) { return f.item == one.item; })->score;
    const auto logarithm = static_cast<float>(std::log1p(static_cast<double>(counts[static_cast<std::size_t>(one.item)])));
    one.score = score + static_cast<double>(weight) * static_cast<double>(logarithm) + (one.score - score);
  }
  std::sort(all.begin(), all.end(), kd::ranks_before);
  std::vector<kd::Scored> list;
  for (const kd::Scored& one : all) {
    const bool disliked = [&] {
      for (std::size_t n = 0; n < history.size(); ++n)
        if (history.columns[n] == one.item) return history.values[n] < 0.0F;
      return false;
    }();
    if (list.size() == count || disliked || std::binary_search(exclude.begin(), exclude.end(), one.item)) continue;
    if (filter.candidates == kd::Candidates::trained && counts[static_cast<std::size_t>(one.item)] == 0) continue;
    if (filter.allow && !std::binary_search(filter.allow->begin(), filter.allow->end(), one.item)) continue;
    if (filter.min_score && one.score < *filter.min_score) continue;
    list.push_back(one);
  }
  return list;
}

/// Some users without interactions, some values below 0.
kd::CsrMatrix plays_and_dislikes(kd::Index users, kd::Index items, double density, std::uint64_t seed) {
  const kd::CsrMatrix likes = kindred_test::random_matrix(users, items, density, seed);
  std::vector<float> values(likes.values().begin(), likes.values().end());
  for (std::size_t n = 3; n < values.size(); n += 11) values[n] = -values[n];
  return kd::CsrMatrix(likes.shape(), {likes.offsets().begin(), likes.offsets().end()}, {likes.columns().begin(), likes.columns().end()},
                       std::move(values));
}

}  // namespace

TEST_CASE_TEMPLATE("the score of a blend is the sum of its definition", Scalar, float, double) {
  const kd::CsrMatrix train = plays_and_dislikes(60, 50, 0.1, 3);
  const kd::BlendedRecommender<Scalar> model = fitted_blend<Scalar>(train, small_blend(0.7));
  const kindred_test::TextbookNeighbours textbook(train, model.options().neighbours);
  const auto& items = model.factors().item_factors();
  for (kd::Index u = 0; u < 60; ++u) {
    const auto x = model.factors().user_factors().row(u);
    const auto votes = textbook.votes(textbook.history_of(train.row(u)));
    long double vote_squares = 0.0L, score_squares = 0.0L;
    for (const long double vote : votes) vote_squares += vote * vote;
    for (std::size_t f = 0; f < x.size(); ++f)
      score_squares +=
          static_cast<long double>(model.factors().eigenvalues()[f]) * static_cast<long double>(x[f]) * static_cast<long double>(x[f]);
    for (kd::Index i = 0; i < 50; ++i) {
      long double score = 0.0L;
      for (std::size_t f = 0; f < x.size(); ++f) score += static_cast<long double>(x[f]) * static_cast<long double>(items.row(i)[f]);
      if (vote_squares > 0.0L) score += 0.7L * std::sqrt(score_squares / vote_squares) * votes[static_cast<std::size_t>(i)];
      CHECK(model.predict(u, i) == Approx(static_cast<double>(score)).epsilon(1e-4).scale(1e-2));
    }
  }
}

TEST_CASE("the spread of scores from eigenvalues is that of all items") {
  const kd::CsrMatrix train = kindred_test::random_matrix(60, 50, 0.1, 4);
  kd::BlendedOptions options = small_blend();
  options.factors.background.item_exponent = 0.0;  // every item weighs the same
  kd::BlendedRecommender<double> model = fitted_blend<double>(train, options);
  const auto check = [&] {
    for (kd::Index u = 0; u < 60; ++u) {
      double squares = 0.0;
      for (const kd::Scored& one : model.factors().rank_items(u, first_indices(model.shape().items))) squares += one.score * one.score;
      CHECK(model.factors().squared_scores(model.factors().user_factors().row(u)) == Approx(squares).epsilon(1e-8));
    }
  };
  check();
  model.append_items(kindred_test::random_matrix(60, 2, 0.2, 5));
  CHECK_FALSE(model.factors().is_settled());
  check();
}

TEST_CASE_TEMPLATE("lists of a blend equal the full scan to the bit", Scalar, float, double) {
  const kd::CsrMatrix train = plays_and_dislikes(90, 700, 0.03, 7);
  const std::vector<kd::Index> allow{1, 5, 100, 101, 102, 103, 300, 500, 699};
  std::vector<kd::Index> half;
  for (kd::Index i = 0; i < 700; i += 2) half.push_back(i);
  for (const double weight : {0.05, 0.25, 4.0})
    for (const std::size_t neighbours : {std::size_t{3}, std::size_t{200}}) {
      const kd::BlendedRecommender<Scalar> model = fitted_blend<Scalar>(train, small_blend(weight, neighbours));
      for (const std::size_t count : {std::size_t{1}, std::size_t{20}, std::size_t{100}}) {
        for (const kd::ItemFilter& filter :
             std::vector<kd::ItemFilter>{{}, {.allow = allow}, {.allow = half, .candidates = kd::Candidates::all}, {.min_score = 0.05}}) {
          const kd::RankedLists lists = model.recommend_all(kd::every_user, {.count = count, .exclude = train, .filter = filter});
          for (kd::Index u = 0; u < 90; u += 3) {
            const auto wanted = scanned(model, u, train.row(u), filter, count, 0.0);
            const auto list = lists.row(static_cast<std::size_t>(u));
            CHECK(std::vector<kd::Scored>(list.begin(), list.end()) == wanted);
            CHECK(model.recommend(u, {.count = count, .exclude = train.row(u), .filter = filter}) == wanted);
          }
        }
      }
    }
}

TEST_CASE("lists of a blend equal the full scan where the search finds too much") {
  // Everybody's votes reach every item, and weigh so much that the factors prune nothing: 1,500 items do not fit into the room of a search.
  const kd::CsrMatrix train = kindred_test::random_matrix(60, 1500, 0.2, 8);
  const kd::BlendedRecommender<float> model = fitted_blend(train, small_blend(1000.0, 2000));
  for (kd::Index u = 0; u < 60; u += 5)
    CHECK(model.recommend(u, {.count = 10, .exclude = train.row(u)}) == scanned(model, u, train.row(u), {}, 10, 0.0));
}

TEST_CASE("a popularity penalty of a blend") {
  const kd::CsrMatrix train = kindred_test::random_matrix(80, 300, 0.05, 9);
  const kd::BlendedRecommender<float> model = fitted_blend(train);
  CHECK(model.popularity_scale() > 0.0);
  for (kd::Index u = 0; u < 80; u += 4) {
    const auto wanted = scanned(model, u, train.row(u), {}, 300, 0.6),
               list = model.recommend(u, {.count = 20, .exclude = train.row(u), .popularity_penalty = 0.6});
    REQUIRE(list.size() == 20);
    for (std::size_t n = 0; n < list.size(); ++n) CHECK(list[n].score == Approx(wanted[n].score).epsilon(1e-9));
    const auto all = model.recommend(u, {.count = 300, .exclude = train.row(u), .popularity_penalty = 0.6});
    CHECK(std::equal(list.begin(), list.end(), all.begin()));  // a list is the front of a longer one
  }
}

TEST_CASE("lists of a blend have the same bytes for any number of threads, batch and level") {
  const kd::CsrMatrix train = plays_and_dislikes(200, 400, 0.04, 11);
  const kd::BlendedRecommender<float> model = fitted_blend(train, small_blend(), {.threads = 1});
  const kd::RankedLists lists = model.recommend_all(kd::every_user, {.exclude = train, .execution = {.threads = 1}});
  for (const std::size_t threads : {std::size_t{2}, std::size_t{3}, std::size_t{5}}) {
    const kd::BlendedRecommender<float> other = fitted_blend(train, small_blend(), {.threads = threads});
    CHECK(other.recommend_all(kd::every_user, {.exclude = train, .execution = {.threads = threads}}) == lists);
  }
  std::vector<std::vector<kd::Scored>> streamed;
  std::vector<kd::ListSource> sources;
  model.recommend_all(kd::every_user, {.exclude = train}, [&](kd::Index, std::span<const kd::Scored> list, kd::ListSource source) {
    streamed.emplace_back(list.begin(), list.end());
    sources.push_back(source);
  });
  CHECK(kd::RankedLists(streamed, sources) == lists);
  for (const kd::SimdLevel level : kindred_test::simd_levels()) {
    const kd::BlendedRecommender<float> of_level = fitted_blend(train, small_blend(), {.simd = level});
    CHECK(of_level.recommend_all(kd::every_user, {.exclude = train}).row(5)[0] == of_level.recommend(5, {.exclude = train.row(5)})[0]);
    CHECK(model.recommend_all(kd::every_user, {.exclude = train, .execution = {.simd = level}}).size() == 200);
  }
}

TEST_CASE("a weight of 0 gives the bytes of the factors alone") {
  const kd::CsrMatrix train = plays_and_dislikes(80, 100, 0.08, 13);
  const kd::BlendedRecommender<float> model = fitted_blend(train).with_weight(0.0);
  CHECK(model.recommend_all(kd::every_user, {.exclude = train}) == model.factors().recommend_all(kd::every_user, {.exclude = train}));
  CHECK(model.recommend(3) == model.factors().recommend(3));
  CHECK(model.recommend(train.row(3)).items == model.factors().recommend(train.row(3)).items);
  CHECK(model.rank_items(3, first_indices(100)) == model.factors().rank_items(3, first_indices(100)));
  CHECK(model.popularity_scale() == model.factors().popularity_scale());
  CHECK(model.explain(train.row(3), 4).parts == model.factors().explain(train.row(3), 4).parts);
}

TEST_CASE("a user whose items have no neighbours gets the factors alone") {
  // Users 0 and 1 have an item of their own each, and nothing else.
  std::vector<kd::Interaction> cells{{0, 0, 1}, {1, 1, 1}};
  const kd::CsrMatrix others = kindred_test::random_matrix(40, 30, 0.2, 14);
  for (kd::Index u = 0; u < 40; ++u)
    for (const kd::Index item : others.row(u).columns) cells.push_back({u + 2, item + 2, 1});
  const kd::BlendedRecommender<float> model = fitted_blend(kd::CsrMatrix::from_triplets({42, 32}, cells));
  for (const kd::Index u : {0, 1}) CHECK(model.recommend(u) == model.factors().recommend(u));
  CHECK(model.recommend(5) != model.factors().recommend(5));
}

TEST_CASE("explanations of a blend sum to its scores") {
  const kd::CsrMatrix train = plays_and_dislikes(50, 60, 0.1, 15);
  for (const bool share : {false, true}) {
    kd::BlendedOptions options = small_blend(0.4);
    options.neighbours.share_votes = share;
    const kd::BlendedRecommender<double> model = fitted_blend<double>(train, options);
    for (kd::Index u = 0; u < 50; ++u)
      for (kd::Index i = 0; i < 60; i += 7) {
        const kd::Explanation why = model.explain(train.row(u), i);
        CHECK(why.score == Approx(model.predict(u, i)).epsilon(1e-5).scale(1e-3));
        double sum = why.mean;
        for (const kd::Scored& part : why.parts) sum += part.score;
        CHECK(sum == Approx(why.score).epsilon(1e-9));
        CHECK(why.parts.size() == train.row(u).size());
      }
  }
}

TEST_CASE("a blend recommends to strangers") {
  const kd::CsrMatrix train = plays_and_dislikes(60, 80, 0.1, 16);
  const kd::BlendedRecommender<float> model = fitted_blend(train);
  const kd::SparseRow row = train.row(7);
  const kd::Recommendation list = model.recommend(row, {.exclude = row});
  CHECK(list.source == kd::ListSource::model);
  CHECK(list.items.size() == 10);
  for (const kd::Scored& one : list.items)
    CHECK(one.score == Approx(model.explain(row, one.item, kd::FoldInBackground::by_history).score).epsilon(1e-3).scale(1e-2));
  CHECK(model.recommend(kd::SparseRow{}).source == kd::ListSource::none);
  CHECK(model.recommend(kd::SparseRow{}, {.fallback = kd::Fallback::popularity}).source == kd::ListSource::popularity);
}

TEST_CASE("a blend takes new interactions, users and items") {
  const kd::CsrMatrix train = kindred_test::random_matrix(60, 80, 0.1, 17), more = kindred_test::random_matrix(2, 80, 0.2, 18);
  kd::BlendedRecommender<float> model = fitted_blend(train);
  const kd::BlendedRecommender<float> before = model;
  model.refit_users(std::vector<kd::Index>{3, 9}, more);
  CHECK(model.append_users(more) == 60);
  CHECK(model.shape() == kd::MatrixShape{62, 80});
  CHECK(model.recommend(3) == model.recommend(60));
  CHECK(model.recommend(9) == model.recommend(61));
  CHECK(model.recommend(4) == before.recommend(4));
  for (const kd::Index u : {3, 60, 61}) CHECK(model.recommend(u, {.count = 15}) == scanned(model, u, {}, {}, 15, 0.0));
  CHECK(model.append_items(kindred_test::random_matrix(62, 3, 0.3, 19)) == 80);
  CHECK(model.shape() == kd::MatrixShape{62, 83});
  CHECK(model.neighbours().shape().items == 80);
  for (const kd::Index u : {3, 30, 60}) CHECK(model.recommend(u, {.count = 83}) == scanned(model, u, {}, {}, 83, 0.0));
  const std::vector<kd::Index> new_items{80, 81, 82};
  CHECK(model.rank_items(5, new_items) == model.factors().rank_items(5, new_items));
  // A history with new items: they have no votes.
  model.refit_users(std::vector<kd::Index>{3}, kindred_test::random_matrix(1, 83, 0.3, 20));
  CHECK(model.recommend(3, {.count = 83}) == scanned(model, 3, {}, {}, 83, 0.0));
  model.refit_items(std::vector<kd::Index>{80}, kindred_test::random_matrix(62, 1, 0.3, 21));
  CHECK(model.recommend(5, {.count = 83}) == scanned(model, 5, {}, {}, 83, 0.0));
  CHECK_THROWS_AS(model.refit_users(std::vector<kd::Index>{99}, train.rows(0, 1)), kd::Error);
  CHECK(model.recommend(4).size() == 10);
}

TEST_CASE("what BlendedRecommender refuses") {
  CHECK_THROWS_WITH_AS(kd::BlendedRecommender<float>(kd::BlendedOptions{.weight = -1.0}), Contains("weight is -1"), kd::InvalidArgument);
  CHECK_THROWS_WITH_AS(kd::BlendedRecommender<float>(kd::BlendedOptions{.weight = std::numeric_limits<double>::infinity()}),
                       Contains("weight"), kd::InvalidArgument);
  CHECK_THROWS_WITH_AS(kd::BlendedRecommender<float>(kd::BlendedOptions{.neighbours = {.neighbours = 0}}), Contains("neighbours"),
                       kd::InvalidArgument);
  kd::BlendedRecommender<float> model(small_blend());
  CHECK_THROWS_AS((void)model.recommend(0), kd::NotFitted);
  CHECK_THROWS_AS((void)model.predict(0, 0), kd::NotFitted);
  CHECK_THROWS_AS((void)model.recommend_all(kd::every_user), kd::NotFitted);
  CHECK_THROWS_AS(model.fit(kd::CsrMatrix()), kd::InvalidArgument);
  CHECK_FALSE(model.fitted());
  const kd::CsrMatrix train = kindred_test::random_matrix(30, 20, 0.2, 22);
  model.fit(train);
  const auto lists = model.recommend_all(kd::every_user);
  CHECK_THROWS_AS(model.fit(train, {.initial_users = kd::FactorMatrix<float>(2, 2)}), kd::ShapeError);
  CHECK(model.recommend_all(kd::every_user) == lists);  // as it was
  CHECK_THROWS_AS((void)model.recommend(30), kd::InvalidArgument);
  CHECK_THROWS_AS((void)model.recommend(0, {.filter = {.candidates = kd::Candidates::tested}}), kd::InvalidArgument);
  CHECK_THROWS_AS((void)model.with_weight(-1.0), kd::InvalidArgument);
  kd::ItemNeighbours other;
  other.fit(kindred_test::random_matrix(31, 20, 0.2, 23));
  CHECK_THROWS_AS((kd::BlendedRecommender<float>{model.factors(), other}), kd::ShapeError);
  CHECK_THROWS_AS((kd::BlendedRecommender<float>{model.factors(), kd::ItemNeighbours()}), kd::ShapeError);
}

TEST_CASE("a blend is at least as good as its factors on data with planted tastes") {
  const kd::Dataset data = kd::synthetic_listening({.users = 500, .items = 800, .items_per_user = 25, .seed = 5});
  const kd::TrainTestSplit split = kd::PerUserSplitter({.test_fraction = 0.2, .seed = 1}).split(data.matrix);
  kd::BlendedOptions options;
  options.factors.factors = 16;
  const kd::BlendedRecommender<float> model = fitted_blend(split.train, options);
  const auto ndcg = [&](const auto& one) { return kd::evaluate(one, split.train, split.test, {.cutoffs = {10}}).at(10).ndcg.mean; };
  CHECK(ndcg(model) > ndcg(model.factors()));
}

TEST_CASE("item offsets of a blend are added to its scores, in exact lists") {
  const kd::CsrMatrix train = plays_and_dislikes(80, 300, 0.05, 24);
  kd::BlendedRecommender<float> model = fitted_blend(train);
  const double scale = model.popularity_scale();
  kd::ItemOffsets offsets{.weight = 0.8};
  for (kd::Index i = 0; i < 300; ++i) offsets.values.push_back(static_cast<float>(i % 7) - 3.0F);
  for (kd::Index u = 0; u < 80; ++u) offsets.user_weights.push_back(u % 3 == 0 ? 0.0F : 0.25F * static_cast<float>(u % 4));
  const std::vector<kd::Scored> before = model.rank_items(1, first_indices(300));
  model.set_item_offsets(offsets);
  CHECK(model.item_offsets() == offsets);
  CHECK(model.rank_items(1, first_indices(300)) != before);
  const kd::RankedLists lists = model.recommend_all(kd::every_user, {.count = 20, .exclude = train});
  for (kd::Index u = 0; u < 80; ++u) {
    const auto wanted = scanned(model, u, train.row(u), {}, 20, 0.0);
    const auto list = lists.row(static_cast<std::size_t>(u));
    CHECK(std::vector<kd::Scored>(list.begin(), list.end()) == wanted);
    CHECK(model.recommend(u, {.count = 20, .exclude = train.row(u)}) == wanted);
  }
  CHECK(kd::BlendedRecommender<float>(model.factors(), model.neighbours()).popularity_scale() == scale);  // without offsets
  CHECK(model.with_weight(0.0).recommend(4) == model.factors().recommend(4));
}

TEST_CASE("a blend of factors with features and biases") {
  const kd::CsrMatrix train = kindred_test::random_matrix(60, 40, 0.2, 4);
  std::vector<std::string> camps;
  for (kd::Index u = 0; u < 60; ++u) camps.push_back(u % 3 == 0 ? "a" : u % 3 == 1 ? "b" : "c");
  kd::FeatureTable people(60);
  people.add_categories("camp", camps);
  kd::BlendedOptions options = small_blend();
  options.factors.item_bias = 0.5;
  kd::BlendedRecommender<float> model(options);
  model.fit(train, {.user_features = people});
  const std::vector<kd::Index> every = first_indices(40);
  for (kd::Index u = 0; u < 60; ++u) CHECK(model.recommend(u, {.count = 40}) == model.rank_items(u, every));
  const kd::History known{.items = train.row(5), .features = people.row(5)};
  CHECK(model.recommend(known, {.count = 7}).items.size() == 7);
  const kd::Explanation why = model.explain(known, 3);
  double parts = why.mean + why.bias;
  for (const kd::Scored& part : why.parts) parts += part.score;
  for (const kd::Scored& part : why.features) parts += part.score;
  CHECK(parts == Approx(why.score).epsilon(1e-4));
  CHECK(why.score == Approx(model.predict(5, 3)).epsilon(1e-3));
}

TEST_CASE("votes are shared by histories with items that came after the graph") {
  const kd::CsrMatrix train = kindred_test::random_matrix(40, 30, 0.25, 6);
  kd::BlendedOptions options = small_blend();
  options.neighbours.share_votes = true;
  kd::BlendedRecommender<float> model(options);
  model.fit(train);
  const kd::Index added = model.append_items(transpose(select_rows(transpose(train), std::vector<kd::Index>{2})));
  const std::vector<kd::Index> known{1, 4, added};
  const std::vector<float> once(3, 1.0F);
  const kd::SparseRow history{known, once};
  CHECK(model.recommend(history, {.count = 5, .exclude = known}).items.size() == 5);
  const auto parts = model.neighbours().votes_for(history, 3);
  REQUIRE(parts.size() == 3);
  CHECK(parts.back() == kd::Scored{added, 0.0});
  CHECK(std::vector(parts.begin(), parts.end() - 1) ==
        model.neighbours().votes_for({std::span(known).first(2), std::span(once).first(2)}, 3));
  // A user who has that item alone.
  const kd::CsrMatrix alone({1, 31}, {0, 1}, {added}, {1.0F});
  model.refit_users(std::vector<kd::Index>{0}, alone);
  CHECK_FALSE(model.neighbours().knows(0));
  CHECK(model.recommend(0, {.count = 5}).size() == 5);
}
