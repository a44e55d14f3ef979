// SPDX-License-Identifier: MIT
#include <kindred/models/repeat_recommender.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/evaluation/rolling.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/popularity_recommender.hpp>
#include <kindred/models/rerank.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/list_row.hpp"

namespace kd = kindred;
using doctest::Approx;
using doctest::Contains;
using kindred_test::row_of;

namespace {

struct PlayLog {
  std::vector<std::int64_t> users, items, times;
  [[nodiscard]] kd::Events events() const { return {.users = users, .items = items, .times = times}; }
};

PlayLog drawn_log(std::uint64_t seed) {
  PlayLog log;
  kd::detail::Random random(seed, kd::detail::RandomStream::sample);
  for (int n = 0; n < 2500; ++n) {
    const double place = random.uniform();
    log.users.push_back(static_cast<std::int64_t>(random.below(60)));
    log.items.push_back(static_cast<std::int64_t>(place * place * 120));
    log.times.push_back(static_cast<std::int64_t>(random.below(10)));
  }
  return log;
}

/// All that the model lists for the user, the repeats on top, sorted and cut.
template <typename Model>
std::vector<kd::Scored> full_scan(const kd::RepeatRecommender<Model>& repeating, kd::Index user, kd::RecommendOptions options) {
  const std::size_t count = options.count;
  const auto least = options.filter.min_score;
  options.count = 1000;
  options.filter.min_score.reset();
  std::vector<kd::Scored> list = repeating.model().recommend(user, options);
  for (kd::Scored& one : list) one.score += repeating.repeat_share(user, one.item);
  if (least) std::erase_if(list, [&](const kd::Scored& one) { return one.score < *least; });
  std::sort(list.begin(), list.end(), kd::ranks_before);
  if (list.size() > count) list.resize(count);
  return list;
}

}  // namespace

TEST_SUITE("models/repeat_recommender") {
  TEST_CASE("lists equal a full scan with the repeats, to the bit") {
    for (const std::uint64_t seed : {1U, 2U}) {
      const PlayLog log = drawn_log(seed);
      const kd::Dataset data = log.events().dataset();
      kd::ImplicitALS<float> als(kindred_test::small_als());
      als.fit(data.matrix);
      als.set_item_offsets(kd::RepeatScores(log.events(), data).last_baskets());
      std::vector<kd::Index> odd, few{1, 5, 17, 40};
      for (kd::Index i = 1; i < data.items.size(); i += 2) odd.push_back(i);
      for (const double weight : {0.0, 0.5, 8.0, -2.0}) {
        const kd::RepeatRecommender<kd::ImplicitALS<float>> repeating(als, kd::RepeatScores(log.events(), data), weight);
        const kd::RankedLists all = repeating.recommend_all(kd::every_user, {.count = 15, .execution = {.threads = 2}}),
                              penalised = repeating.recommend_all(kd::every_user, {.count = 15, .popularity_penalty = 0.3});
        if (weight == 0.0) CHECK(all == als.recommend_all(kd::every_user, {.count = 15}));
        for (kd::Index u = 0; u < data.users.size(); ++u) {
          const auto check = [&](const kd::RecommendOptions& options) {
            CHECK(repeating.recommend(u, options) == full_scan(repeating, u, options));
          };
          check({.count = 15});
          check({.count = 200});
          check({.exclude = few});
          check({.filter = {.allow = odd}});
          check({.filter = {.allow = few}});
          check({.filter = {.min_score = 0.05}});
          check({.popularity_penalty = 0.3});
          check({.exclude = data.matrix.row(u)});
          CHECK(row_of(all, u) == repeating.recommend(u, {.count = 15}));
          CHECK(row_of(penalised, u) == repeating.recommend(u, {.count = 15, .popularity_penalty = 0.3}));
        }
      }
    }
  }

  TEST_CASE("a model without a batch call, and without a unit") {
    const PlayLog log = drawn_log(3);
    const kd::Dataset data = log.events().dataset();
    kd::PopularityRecommender popular;
    popular.fit(data.matrix);
    const kd::RepeatRecommender<kd::PopularityRecommender> repeating(popular, kd::RepeatScores(log.events(), data), 1000.0);
    for (kd::Index u = 0; u < data.users.size(); ++u) CHECK(repeating.recommend(u) == full_scan(repeating, u, {}));
    for (kd::Index u = 0; u < data.users.size(); u += 5) {
      const kd::RecommendOptions options{.count = 7, .exclude = data.matrix.row(u).columns.subspan(0, 3), .filter = {.min_score = 30.0}};
      CHECK(repeating.recommend(u, options) == full_scan(repeating, u, options));
    }
    kd::RecommendOptions turned{.count = 5};
    turned.rerank.pool = 9;
    turned.rerank.order = [](std::span<const kd::Scored> list, std::size_t) { return std::vector<kd::Scored>(list.rbegin(), list.rend()); };
    CHECK(repeating.recommend(2, turned).front() == repeating.recommend(2, {.count = 9}).back());
    const kd::SparseRow own = repeating.repeats().matrix().row(7);
    CHECK(repeating.repeat_share(7, own.columns[0]) == Approx(1000.0 * static_cast<double>(own.values[0])));
  }

  TEST_CASE("reranking, strangers and fallbacks") {
    const PlayLog log = drawn_log(4);
    kd::Dataset data = log.events().dataset();
    kd::ImplicitALS<float> als(kindred_test::small_als());
    als.fit(data.matrix);
    const kd::Index stranger = als.append_users(kd::CsrMatrix({1, data.items.size()}, {0, 0}, {}, {}));
    const kd::RepeatRecommender<kd::ImplicitALS<float>> repeating(als, kd::RepeatScores(log.events(), data), 3.0);
    CHECK(repeating.recommend(stranger).empty());
    CHECK(repeating.recommend(stranger, {.fallback = kd::Fallback::popularity}) ==
          als.recommend(stranger, {.fallback = kd::Fallback::popularity}));
    const kd::RankedLists lists = repeating.recommend_all(kd::every_user, {.fallback = kd::Fallback::popularity});
    CHECK(lists.source(static_cast<std::size_t>(stranger)) == kd::ListSource::popularity);
    CHECK(row_of(lists, stranger) == als.recommend(stranger, {.fallback = kd::Fallback::popularity}));
    CHECK(lists.source(0) == kd::ListSource::model);
    kd::RecommendOptions turned{.count = 5};
    turned.rerank.pool = 20;
    turned.rerank.order = [](std::span<const kd::Scored> list, std::size_t) { return std::vector<kd::Scored>(list.rbegin(), list.rend()); };
    const std::vector<kd::Scored> longer = repeating.recommend(2, {.count = 20}), found = repeating.recommend(2, turned);
    REQUIRE(found.size() == 5);
    for (std::size_t n = 0; n < 5; ++n) CHECK(found[n] == longer[19 - n]);
    kd::RecommendAllOptions all{.count = 5};
    all.rerank = turned.rerank;
    CHECK(row_of(repeating.recommend_all(kd::every_user, all), 2) == found);
  }

  TEST_CASE("evaluation needs lists that may hold what users had; cuts in time refuse later events") {
    const PlayLog log = drawn_log(5);
    const std::vector<std::int64_t> cuts{5, 7};
    const auto splits = kd::rolling_split(log.events(), cuts, 2, {.targets = kd::RollingSplit::Targets::repeats});
    const auto fit = [&](std::optional<std::int64_t> ahead) {
      return [&log, ahead](const kd::RollingSplit& split) {
        kd::ImplicitALS<float> als(kindred_test::small_als());
        als.fit(split.train.matrix);
        return kd::RepeatRecommender<kd::ImplicitALS<float>>(
            std::move(als), kd::RepeatScores(log.events(), split.train, {.until = split.cut + ahead.value_or(0)}), 5.0);
      };
    };
    CHECK(kd::evaluate(fit({}), splits).size() == 2);
    CHECK_THROWS_WITH_AS((void)kd::evaluate(fit(1), splits), Contains("give .until = split.cut"), kd::InvalidArgument);
  }

  TEST_CASE("what is refused") {
    const PlayLog log = drawn_log(6);
    const kd::Dataset data = log.events().dataset();
    kd::ImplicitALS<float> als(kindred_test::small_als()), small = als;
    als.fit(data.matrix);
    small.fit(kd::select_rows(data.matrix, std::vector<kd::Index>{0, 1, 2}));
    using Repeating = kd::RepeatRecommender<kd::ImplicitALS<float>>;
    const kd::RepeatScores repeats(log.events(), data);
    CHECK_THROWS_AS(Repeating(small, repeats), kd::ShapeError);
    CHECK_THROWS_WITH_AS(Repeating(als, repeats, std::numeric_limits<double>::infinity()), Contains("weight"), kd::InvalidArgument);
    CHECK_THROWS_AS((void)Repeating(als, repeats).recommend(-1), kd::InvalidArgument);
    CHECK_THROWS_AS((void)Repeating(als, repeats).repeat_share(0, 10'000), kd::InvalidArgument);
  }
}
