// SPDX-License-Identifier: MIT
#include <kindred/models/item_offsets.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/evaluation/evaluate.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/keyed_recommender.hpp>
#include <kindred/models/streamed_recommend.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/list_row.hpp"
#include "../support/random_matrix.hpp"
#include "../support/simd_levels.hpp"
#include "../support/small_dataset.hpp"

namespace kd = kindred;
using doctest::Approx;
using doctest::Contains;
using kindred_test::row_of;

namespace {

/// Offsets of every size and sign, and weights of users from 0 to 1.
kd::ItemOffsets drawn_offsets(kd::MatrixShape shape, double weight, bool by_user, std::uint64_t seed) {
  kd::detail::Random random(seed, kd::detail::RandomStream::sample);
  kd::ItemOffsets offsets{.weight = weight};
  for (kd::Index i = 0; i < shape.items; ++i) offsets.values.push_back(static_cast<float>(4.0 * random.uniform() - 2.0));
  for (kd::Index u = 0; by_user && u < shape.users; ++u)
    offsets.user_weights.push_back(u % 5 == 0 ? 0.0F : static_cast<float>(random.uniform()));
  return offsets;
}

/// The list the long way: every item's score without offsets, the offset on top, all sorted.
template <typename Scalar>
std::vector<kd::Scored> full_scan(const kd::ImplicitALS<Scalar>& plain, const kd::ItemOffsets& offsets, kd::Index user,
                                  std::span<const kd::Index> exclude, std::size_t count) {
  std::vector<kd::Index> items;
  const std::vector<kd::Index> counts = {plain.weights().likes(kd::detail::AlsSide::items).begin(),
                                         plain.weights().likes(kd::detail::AlsSide::items).end()};
  for (kd::Index i = 0; i < plain.shape().items; ++i)
    if (counts[static_cast<std::size_t>(i)] > 0 && !std::binary_search(exclude.begin(), exclude.end(), i)) items.push_back(i);
  std::vector<kd::Scored> list = plain.rank_items(user, items);
  const float own = offsets.user_weights.empty() ? 1.0F : offsets.user_weights[static_cast<std::size_t>(user)];
  const float weight = static_cast<float>(offsets.weight * plain.score_spread()) * own;
  for (kd::Scored& one : list)
    one.score += static_cast<double>(weight) * static_cast<double>(offsets.values[static_cast<std::size_t>(one.item)]);
  std::sort(list.begin(), list.end(), kd::ranks_before);
  if (list.size() > count) list.resize(count);
  return list;
}

template <typename T = float>
kd::ImplicitALS<T> fitted_on(const kd::CsrMatrix& train) {
  kd::ImplicitALS<T> als(kindred_test::small_als());
  als.fit(train);
  return als;
}

}  // namespace

TEST_SUITE("models/item_offsets") {
  TEST_CASE("the spread of scores and a list by hand") {
    kd::FactorModel<double> model(kd::FactorMatrix<double>(3, 1, std::vector<double>{1, 2, 0}),
                                  kd::FactorMatrix<double>(4, 1, std::vector<double>{9, 1, 2, 3}), {0, 1, 3, 7});
    // Scores of the three candidates are 1, 2, 3 and 2, 4, 6, of variance 2/3 and 8/3; the third user is unknown.
    CHECK(model.score_spread() == Approx(std::sqrt(5.0 / 3.0)).epsilon(1e-14));
    const double spread = model.score_spread();
    model.set_item_offsets({.values = {0, 3, 0, 0}, .weight = 2.0, .user_weights = {1.0F, 0.5F, 1.0F}});
    CHECK(model.recommend(0)[0].item == 1);
    CHECK(model.recommend(0)[0].score == Approx(1.0 + 6.0 * spread).epsilon(1e-6));
    CHECK(model.recommend(1)[0].score == Approx(6.0).epsilon(1e-14));
    CHECK(model.recommend(1)[1].score == Approx(2.0 + 3.0 * spread).epsilon(1e-6));
    CHECK(model.predict(0, 1) == model.recommend(0)[0].score);
    CHECK(model.recommend(2).empty());
    CHECK(model.recommend(0, {.filter = {.min_score = 2.5}}).size() == 2);
    model.set_item_offsets({});
    CHECK(model.recommend(0) == std::vector<kd::Scored>{{3, 3.0}, {2, 2.0}, {1, 1.0}});
  }

  TEST_CASE_TEMPLATE("every call lists what a full scan with the offsets lists, to the bit", T, float, double) {
    for (const std::uint64_t seed : {1U, 2U}) {
      const kd::CsrMatrix train = kindred_test::random_matrix(70, 150, 0.1, seed);
      const kd::ImplicitALS<T> plain = fitted_on<T>(train);
      for (const double weight : {0.0, 0.3, -1.0, 20.0})
        for (const bool by_user : {false, true}) {
          kd::ImplicitALS<T> als = plain;
          const kd::ItemOffsets offsets = drawn_offsets(als.shape(), weight, by_user, seed);
          als.set_item_offsets(offsets);
          const kd::RecommendAllOptions all{.count = 12, .exclude = train, .execution = {.threads = 3}};
          const kd::RankedLists batch = als.recommend_all(kd::every_user, all);
          std::vector<std::vector<kd::Scored>> streamed, by_blocks;
          als.recommend_all(kd::every_user, all,
                            [&](kd::Index, std::span<const kd::Scored> list) { streamed.emplace_back(list.begin(), list.end()); });
          kd::recommend_all(als, train, all,
                            [&](kd::Index, std::span<const kd::Scored> list) { by_blocks.emplace_back(list.begin(), list.end()); });
          CHECK(batch == kd::RankedLists(streamed));
          CHECK(batch == kd::RankedLists(by_blocks));
          if (weight == 0.0) CHECK(batch == plain.recommend_all(kd::every_user, all));
          for (kd::Index u = 0; u < 70; ++u) {
            const auto wanted = full_scan(plain, offsets, u, train.row(u).columns, 12);
            CHECK(row_of(batch, u) == wanted);
            CHECK(als.recommend(u, {.count = 12, .exclude = train.row(u)}) == wanted);
            const auto everything = full_scan(plain, offsets, u, {}, 150);
            std::vector<kd::Index> candidates;
            for (const kd::Scored& one : everything) candidates.push_back(one.item);
            std::sort(candidates.begin(), candidates.end());
            CHECK(als.rank_items(u, candidates) == everything);
            CHECK(als.predict(u, everything.front().item) == everything.front().score);
          }
          for (const kd::SimdLevel level : kindred_test::simd_levels()) {
            kd::RecommendAllOptions at_level = all;
            at_level.execution.simd = level;
            const kd::RankedLists lists = als.recommend_all(kd::every_user, at_level);
            at_level.count = 150;
            const kd::RankedLists long_lists = plain.recommend_all(kd::every_user, at_level);
            for (kd::Index u = 0; u < 70; u += 9) {
              std::vector<kd::Scored> wanted = row_of(long_lists, u);
              const float own = by_user ? offsets.user_weights[static_cast<std::size_t>(u)] : 1.0F;
              const float of_list = static_cast<float>(weight * plain.score_spread()) * own;
              for (kd::Scored& one : wanted)
                one.score += static_cast<double>(of_list) * static_cast<double>(offsets.values[static_cast<std::size_t>(one.item)]);
              std::sort(wanted.begin(), wanted.end(), kd::ranks_before);
              wanted.resize((std::min)(wanted.size(), std::size_t{12}));
              CHECK(row_of(lists, u) == wanted);
            }
          }
        }
    }
  }

  TEST_CASE("histories, keys, a popularity penalty beside them, and what stays without offsets") {
    const kd::CsrMatrix train = kindred_test::random_matrix(60, 80, 0.15, 4);
    const kd::ImplicitALS<float> plain = fitted_on(train);
    kd::ImplicitALS<float> als = plain;
    kd::ItemOffsets offsets{.values = std::vector<float>(80, 0.0F), .weight = 1.0};
    offsets.values[17] = 1000.0F;
    offsets.user_weights.assign(60, 0.0F);
    als.set_item_offsets(offsets);
    CHECK(als.recommend(train.row(3)).items.front().item == 17);
    const kd::History without{.items = train.row(3), .offset_weight = 0.0F}, half{.items = train.row(3), .offset_weight = 0.5F};
    CHECK(als.recommend(without).items == plain.recommend(train.row(3)).items);
    CHECK(als.recommend(half).items.front().score < 0.51 * als.recommend(train.row(3)).items.front().score);
    CHECK_THROWS_AS((void)als.recommend(kd::History{.items = train.row(3), .offset_weight = 1.5F}), kd::InvalidArgument);
    CHECK(als.recommend(3) == plain.recommend(3));
    CHECK(als.similar_items(5) == plain.similar_items(5));
    CHECK(als.recommend_users(17) == plain.recommend_users(17));
    CHECK(als.fold_in(train.row(3)) == plain.fold_in(train.row(3)));
    CHECK(als.popularity_scale() == plain.popularity_scale());
    offsets.user_weights.clear();
    als.set_item_offsets(offsets);
    const std::vector<kd::Scored> both = als.recommend(3, {.count = 80, .popularity_penalty = 0.5}),
                                  penalty = plain.recommend(3, {.count = 80, .popularity_penalty = 0.5});
    CHECK(both.front().item == 17);
    CHECK(both.size() == penalty.size());
    for (const kd::Scored& one : penalty)
      if (one.item != 17) CHECK(std::find(both.begin(), both.end(), one) != both.end());
    const kd::Dataset data = kindred_test::dataset_of(train);
    const kd::KeyedRecommender<float> keyed(als, data);
    CHECK(keyed.recommend(data.users.key(3), {.known = kd::KeyedOptions::KnownItems::all}).items.front().key == data.items.key(17));
    kd::KeyedRecommender<float> refreshed(plain, data);
    CHECK(refreshed.set_item_offsets(offsets) == 2);
    CHECK(refreshed.version() == 2);
    CHECK(refreshed.recommend(data.users.key(3)).items == keyed.recommend(data.users.key(3)).items);
    CHECK(refreshed.snapshot().data->items.key(17) == data.items.key(17));
    CHECK_THROWS_AS(refreshed.set_item_offsets({.values = {1.0F}}), kd::ShapeError);
    CHECK(refreshed.set_item_offsets({}) == 3);
    CHECK(refreshed.snapshot().model->recommend(3) == plain.recommend(3));
    const kd::CsrMatrix test = kindred_test::random_matrix(60, 80, 0.05, 5);
    CHECK(kd::evaluate(als, train, test).at(10).ndcg.mean != kd::evaluate(plain, train, test).at(10).ndcg.mean);
  }

  TEST_CASE("new items have the number of an unknown one, new users the whole weight; a fit drops offsets") {
    const kd::CsrMatrix train = kindred_test::random_matrix(40, 30, 0.3, 6);
    kd::ImplicitALS<float> als = fitted_on(train);
    kd::ImplicitALS<float> plain = als;
    als.set_item_offsets({.values = std::vector<float>(30, 0.25F), .unknown = 5.0F, .user_weights = std::vector<float>(40, 0.5F)});
    const double spread = als.score_spread();
    const kd::CsrMatrix column = kd::CsrMatrix::from_triplets({40, 1}, std::vector<kd::Interaction>{{3, 0, 2.0F}, {9, 0, 1.0F}});
    als.append_items(column);
    plain.append_items(column);
    CHECK(als.predict(3, 30) - plain.predict(3, 30) == Approx(2.5 * spread).epsilon(1e-6));
    CHECK(als.predict(3, 29) - plain.predict(3, 29) == Approx(0.125 * spread).epsilon(1e-4));
    CHECK(als.recommend(3).front().item == 30);
    const kd::CsrMatrix row = kd::CsrMatrix::from_triplets({1, 31}, std::vector<kd::Interaction>{{0, 4, 2.0F}, {0, 7, 1.0F}});
    als.append_users(row);
    plain.append_users(row);
    CHECK(als.predict(40, 30) - plain.predict(40, 30) == Approx(5.0 * spread).epsilon(1e-6));
    CHECK(als.settled().predict(40, 30) - plain.settled().predict(40, 30) == Approx(5.0 * spread).epsilon(1e-6));
    als.fit(train);
    CHECK(als.item_offsets().values.empty());
  }

  TEST_CASE("what is refused, and then nothing has changed") {
    const kd::CsrMatrix train = kindred_test::random_matrix(10, 12, 0.4, 7);
    kd::ImplicitALS<float> als = fitted_on(train);
    const kd::ItemOffsets good{.values = std::vector<float>(12, 1.0F)};
    als.set_item_offsets(good);
    const auto refuses = [&](auto change, const char* text) {
      kd::ItemOffsets bad = good;
      change(bad);
      CHECK_THROWS_WITH_AS(als.set_item_offsets(bad), Contains(text), kd::InvalidArgument);
      CHECK(als.item_offsets() == good);
    };
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    refuses([](auto& o) { o.values[3] = nan; }, "values[3]");
    refuses([](auto& o) { o.unknown = std::numeric_limits<float>::infinity(); }, "unknown");
    refuses([](auto& o) { o.weight = static_cast<double>(nan); }, "weight");
    refuses([](auto& o) { o.weight = 1e300; }, "within the range of a float");
    refuses([](auto& o) { o.user_weights.assign(10, 1.5F); }, "user_weights[0]");
    CHECK_THROWS_WITH_AS(als.set_item_offsets({.values = std::vector<float>(11, 1.0F)}),
                         Contains("offsets.values has 11 numbers; the model has 12 items"), kd::ShapeError);
    CHECK_THROWS_AS(als.set_item_offsets({.values = std::vector<float>(12, 1.0F), .user_weights = {1.0F}}), kd::ShapeError);
    kd::FactorModel<float> level(kd::FactorMatrix<float>(2, 1, std::vector<float>{1, 1}),
                                 kd::FactorMatrix<float>(2, 1, std::vector<float>{1, 1}));
    CHECK(level.score_spread() == 0.0);
    CHECK_THROWS_WITH_AS(level.set_item_offsets({.values = {1, 2}}), Contains("so that a weight has no unit"), kd::InvalidArgument);
    CHECK_THROWS_AS(kd::ImplicitALS<float>().set_item_offsets({}), kd::NotFitted);
  }
}
