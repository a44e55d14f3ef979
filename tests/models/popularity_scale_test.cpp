// SPDX-License-Identifier: MIT
#include <kindred/models/popularity_scale.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/evaluation/evaluate.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/keyed_recommender.hpp>
#include <kindred/models/popularity_recommender.hpp>
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

/// Two users, four items with 0, 1, 3 and 7 users, one factor.
kd::FactorModel<double> by_hand() {
  return {kd::FactorMatrix<double>(2, 1, std::vector<double>{1, 2}),
          kd::FactorMatrix<double>(4, 1, std::vector<double>{9, 1, 2, 3}),
          {0, 1, 3, 7}};
}

/// 70 users, 150 items of which some are far more popular than others.
kd::CsrMatrix skewed(std::uint64_t seed) {
  std::vector<kd::Interaction> cells;
  kd::detail::Random random(seed, kd::detail::RandomStream::sample);
  for (kd::Index u = 0; u < 70; ++u)
    for (kd::Index i = 0; i < 150; ++i)
      if (random.uniform() < 0.6 / std::sqrt(1.0 + static_cast<double>(i)))
        cells.push_back({u, i, 1.0F + static_cast<float>(random.below(9))});
  return kd::CsrMatrix::from_triplets({70, 150}, cells);
}

/// The list with the dial the long way: every item's score, the penalty taken off, all sorted.
template <typename Scalar>
std::vector<kd::Scored> full_scan(const kd::FactorModel<Scalar>& model, kd::Index user, double dial, std::span<const kd::Index> counts,
                                  std::span<const kd::Index> exclude, std::size_t count) {
  std::vector<kd::Index> items;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0 && !std::binary_search(exclude.begin(), exclude.end(), static_cast<kd::Index>(i)))
      items.push_back(static_cast<kd::Index>(i));
  std::vector<kd::Scored> list = model.rank_items(user, items);
  const auto weight = static_cast<float>(-dial * model.popularity_scale());
  for (kd::Scored& one : list) {
    const auto logarithm = static_cast<float>(std::log1p(static_cast<double>(counts[static_cast<std::size_t>(one.item)])));
    one.score += static_cast<double>(weight) * static_cast<double>(logarithm);
  }
  std::sort(list.begin(), list.end(), kd::ranks_before);
  if (list.size() > count) list.resize(count);
  return list;
}

}  // namespace

TEST_SUITE("models/popularity_scale") {
  TEST_CASE("the scale and a list by hand") {
    const kd::FactorModel<double> model = by_hand();
    // ln(1 + users) of the three candidates is ln 2 times 1, 2 and 3, scores are 1, 2, 3 and 2, 4, 6: the ratios are 1 / ln 2 and 2 / ln 2,
    // of which the lower counts.
    CHECK(model.popularity_scale() == Approx(1.0 / std::log(2.0)).epsilon(1e-14));
    CHECK(kd::detail::score_per_log_user(model.recommend(1), std::vector<kd::Index>{0, 1, 3, 7}) == Approx(2.0 / std::log(2.0)));
    const std::vector<kd::Scored> plain = model.recommend(0), half = model.recommend(0, {.popularity_penalty = 0.5}),
                                  full = model.recommend(0, {.popularity_penalty = 1.0});
    CHECK(plain == std::vector<kd::Scored>{{3, 3.0}, {2, 2.0}, {1, 1.0}});
    REQUIRE(half.size() == 3);
    CHECK(half[0].item == 3);
    CHECK(half[0].score == Approx(1.5).epsilon(1e-6));
    CHECK(half[2].score == Approx(0.5).epsilon(1e-6));
    for (const kd::Scored& one : full) CHECK(std::abs(one.score) < 1e-6);
    CHECK(model.recommend(0, {.filter = {.min_score = 0.6}, .popularity_penalty = 0.5}).size() == 2);
  }

  TEST_CASE_TEMPLATE("every call lists what a full scan with the dial lists, to the bit", T, float, double) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
      const kd::CsrMatrix train = skewed(seed);
      const std::vector<kd::Index> counts = kd::column_counts(train);
      kd::ImplicitALS<T> als(kindred_test::small_als());
      als.fit(train);
      const kd::FactorModel<T> elsewhere(als.user_factors(), als.item_factors(), counts);
      CHECK(elsewhere.popularity_scale() == als.popularity_scale());
      for (const double dial : {0.0, 0.2, 1.0}) {
        const kd::RecommendAllOptions all{.count = 12, .exclude = train, .execution = {.threads = 3}, .popularity_penalty = dial};
        const kd::RankedLists batch = als.recommend_all(kd::every_user, all);
        CHECK(batch == elsewhere.recommend_all(kd::every_user, all));
        std::vector<std::vector<kd::Scored>> streamed, by_blocks;
        als.recommend_all(kd::every_user, all,
                          [&](kd::Index, std::span<const kd::Scored> list) { streamed.emplace_back(list.begin(), list.end()); });
        kd::recommend_all(als, train, all,
                          [&](kd::Index, std::span<const kd::Scored> list) { by_blocks.emplace_back(list.begin(), list.end()); });
        CHECK(batch == kd::RankedLists(streamed));
        CHECK(batch == kd::RankedLists(by_blocks));
        for (kd::Index u = 0; u < 70; ++u) {
          const auto wanted = full_scan(als, u, dial, counts, train.row(u).columns, 12);
          CHECK(row_of(batch, u) == wanted);
          CHECK(als.recommend(u, {.count = 12, .exclude = train.row(u), .popularity_penalty = dial}) == wanted);
        }
        for (const kd::SimdLevel level : kindred_test::simd_levels()) {
          kd::RecommendAllOptions at_level = all;
          at_level.execution.simd = level;
          const kd::RankedLists lists = als.recommend_all(kd::every_user, at_level);
          at_level.count = 150;
          at_level.popularity_penalty = 0.0;
          const kd::RankedLists plain = als.recommend_all(kd::every_user, at_level);
          for (kd::Index u = 0; u < 70; ++u) {
            std::vector<kd::Scored> wanted = row_of(plain, u);
            const auto weight = static_cast<float>(-dial * als.popularity_scale());
            for (kd::Scored& one : wanted)
              one.score +=
                  static_cast<double>(weight) *
                  static_cast<double>(static_cast<float>(std::log1p(static_cast<double>(counts[static_cast<std::size_t>(one.item)]))));
            std::sort(wanted.begin(), wanted.end(), kd::ranks_before);
            wanted.resize((std::min)(wanted.size(), std::size_t{12}));
            CHECK(row_of(lists, u) == wanted);
          }
        }
      }
      CHECK(als.recommend_all(kd::every_user, {.exclude = train, .popularity_penalty = 0.0}) ==
            als.recommend_all(kd::every_user, {.exclude = train}));
    }
  }

  TEST_CASE("candidate lists, histories and keys take the dial") {
    const kd::CsrMatrix train = skewed(4);
    kd::ImplicitALS<float> als(kindred_test::small_als());
    als.fit(train);
    const kd::FactorModel<float> folded(als.fold_in_all(train, {.background = kd::FoldInBackground::by_history}), als.item_factors(),
                                        kd::column_counts(train));
    const std::vector<kd::Index> few{3, 17, 40, 41, 99};
    const kd::Dataset data = kindred_test::dataset_of(train);
    const kd::KeyedRecommender<float> keyed(als, data);
    for (const double dial : {0.1, 0.7}) {
      const double of_folded = dial * als.popularity_scale() / folded.popularity_scale();
      for (kd::Index u = 0; u < 70; u += 7) {
        std::vector<kd::Scored> wanted;
        for (const kd::Scored& one : als.recommend(u, {.count = 150, .popularity_penalty = dial}))
          if (std::binary_search(few.begin(), few.end(), one.item)) wanted.push_back(one);
        CHECK(als.recommend(u, {.filter = {.allow = few}, .popularity_penalty = dial}) == wanted);
        if (of_folded <= 1.0) {
          const std::vector<kd::Scored> by_history = als.recommend(train.row(u), {.popularity_penalty = dial}).items,
                                        same = folded.recommend(u, {.popularity_penalty = of_folded});
          REQUIRE(by_history.size() == same.size());
          for (std::size_t n = 0; n < same.size(); ++n) CHECK(by_history[n].score == Approx(same[n].score).epsilon(1e-5));
        }
        const kd::KeyedAnswer answer = keyed.recommend(data.users.key(u), {.popularity_penalty = dial});
        const std::vector<kd::Scored> list = als.recommend(u, {.exclude = train.row(u), .popularity_penalty = dial});
        REQUIRE(answer.items.size() == list.size());
        for (std::size_t n = 0; n < list.size(); ++n) {
          CHECK(answer.items[n].key == data.items.key(list[n].item));
          CHECK(answer.items[n].score == list[n].score);
        }
      }
    }
  }

  TEST_CASE("the mean ln(1 + users) of a list never rises with the dial") {
    for (const std::uint64_t seed : {5U, 6U, 7U, 8U}) {
      const kd::CsrMatrix train = skewed(seed);
      const std::vector<kd::Index> counts = kd::column_counts(train);
      kd::ImplicitALS<float> als(kindred_test::small_als());
      als.fit(train);
      double first = 0.0, last = 0.0;
      for (kd::Index u = 0; u < 70; ++u) {
        double before = std::numeric_limits<double>::infinity();
        for (int step = 0; step <= 20; ++step) {
          double sum = 0.0;
          const auto list = als.recommend(u, {.exclude = train.row(u), .popularity_penalty = static_cast<double>(step) / 20.0});
          CHECK(list.size() == 10);
          for (const kd::Scored& one : list)
            sum += static_cast<double>(static_cast<float>(std::log1p(static_cast<double>(counts[static_cast<std::size_t>(one.item)]))));
          CHECK(sum <= before + 1e-12 * sum);  // for the order of the sum
          before = sum;
          (step == 0 ? first : last) = step == 0 ? first + sum : step == 20 ? last + sum : last;
        }
      }
      CHECK(last < 0.9 * first);
    }
  }

  TEST_CASE("the scale is the fit's, whenever it is asked for") {
    const kd::CsrMatrix train = skewed(9), more = skewed(10);
    kd::ImplicitALS<float> asked(kindred_test::small_als());
    asked.fit(train);
    kd::ImplicitALS<float> not_asked = asked, users = asked, items = asked;
    const double scale = asked.popularity_scale({.threads = 2});
    CHECK(scale > 0.0);
    CHECK(not_asked.popularity_scale({.threads = 1}) == scale);
    users.append_users(more);
    CHECK(users.popularity_scale() == scale);
    items.append_items(kd::CsrMatrix({70, 3}, std::vector<kd::Offset>(71, 0), {}, {}));
    CHECK(items.popularity_scale() == scale);
    CHECK(items.settled().popularity_scale() == scale);
    // The counts of a new item are its own: with one user it is penalised less than with many.
    const kd::Index few = items.append_items(kd::CsrMatrix::from_triplets({70, 1}, std::vector<kd::Interaction>{{3, 0, 5.0F}}));
    const auto score = [&](double dial) {
      for (const kd::Scored& one : items.recommend(3, {.count = 200, .popularity_penalty = dial}))
        if (one.item == few) return one.score;
      return 0.0;
    };
    CHECK(score(0.0) - score(1.0) == Approx(scale * std::log(2.0)).epsilon(1e-5));
    asked.fit(more);
    CHECK(asked.popularity_scale() != scale);
  }

  TEST_CASE("evaluate measures lists with the dial") {
    const kd::CsrMatrix train = skewed(11), test = skewed(12);
    kd::ImplicitALS<float> als(kindred_test::small_als());
    als.fit(train);
    const kd::RankingReport plain = kd::evaluate(als, train, test), dialled = kd::evaluate(als, train, test, {.popularity_penalty = 0.5});
    CHECK(dialled.at(10).average_popularity < plain.at(10).average_popularity);
    CHECK(dialled.at(10).tail_share > plain.at(10).tail_share);
    CHECK(dialled.protocol.find("popularity penalty 0.5") != std::string::npos);
    CHECK_THROWS_WITH_AS((void)kd::evaluate(als, train, test, {.popularity_penalty = 1.5}), Contains("popularity_penalty is 1.5"),
                         kd::InvalidArgument);
  }

  TEST_CASE("what is refused") {
    const kd::FactorModel<double> model = by_hand();
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double dial : {-0.1, 1.1, nan}) {
      CHECK_THROWS_WITH_AS((void)model.recommend(0, {.popularity_penalty = dial}), Contains("it must be in [0, 1]"), kd::InvalidArgument);
      CHECK_THROWS_AS((void)model.recommend_all(kd::every_user, {.popularity_penalty = dial}), kd::InvalidArgument);
    }
    const kd::FactorModel<double> no_counts(model.user_factors(), model.item_factors());
    CHECK(no_counts.popularity_scale() == 0.0);
    CHECK_THROWS_WITH_AS((void)no_counts.recommend(0, {.popularity_penalty = 0.1}), Contains("made without item_users"),
                         kd::InvalidArgument);
    const kd::FactorModel<double> alike(model.user_factors(), model.item_factors(), {4, 4, 4, 4});
    CHECK(alike.popularity_scale() == 0.0);
    CHECK_THROWS_WITH_AS((void)alike.recommend(0, {.popularity_penalty = 0.1}), Contains("its scale is 0"), kd::InvalidArgument);
    CHECK_THROWS_AS((void)alike.recommend_all(kd::every_user, {.popularity_penalty = 0.1}), kd::InvalidArgument);
    CHECK_NOTHROW((void)alike.recommend(0, {.popularity_penalty = 0.0}));
    CHECK_THROWS_WITH_AS((void)model.recommend_users(0, {.popularity_penalty = 0.1}), Contains("users are listed"), kd::InvalidArgument);
    kd::PopularityRecommender popularity;
    popularity.fit(skewed(1));
    CHECK_THROWS_WITH_AS((void)popularity.recommend(0, {.popularity_penalty = 0.1}), Contains("popularity alone"), kd::InvalidArgument);
    CHECK_THROWS_AS((void)popularity.recommend_all(std::vector<kd::Index>{0}, {.popularity_penalty = 0.1}), kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::FactorModel<float>().popularity_scale(), kd::NotFitted);
    CHECK_THROWS_WITH_AS((void)model.recommend(0, {.filter = {.candidates = kd::Candidates::tested}}), Contains("Candidates::tested"),
                         kd::InvalidArgument);
  }
}
