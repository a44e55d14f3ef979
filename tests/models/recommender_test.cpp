// SPDX-License-Identifier: MIT
#include <kindred/models/eligibility.hpp>
#include <kindred/models/recommender.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/models/popularity_recommender.hpp>

#include "../support/als_instances.hpp"

namespace kd = kindred;

namespace {

struct OnlyRecommend {
  [[nodiscard]] std::vector<kd::Scored> recommend(kd::Index, const kd::RecommendOptions&) const { return {}; }
  [[nodiscard]] kd::MatrixShape shape() const { return {}; }
};

struct WithoutShape {
  [[nodiscard]] std::vector<kd::Scored> recommend(kd::Index, const kd::RecommendOptions&) const { return {}; }
};

}  // namespace

TEST_SUITE("models/recommender") {
  TEST_CASE("what counts as a model") {
    static_assert(kd::detail::BatchRecommenderModel<kd::PopularityRecommender>);
    static_assert(kd::detail::BatchRecommenderModel<kd::ImplicitALS<float>>);
    static_assert(kd::detail::BatchRecommenderModel<kd::ImplicitALS<double>>);
    static_assert(kd::RecommenderModel<OnlyRecommend>);
    static_assert(!kd::detail::BatchRecommenderModel<OnlyRecommend>);
    static_assert(!kd::RecommenderModel<WithoutShape>);
    static_assert(!kd::RecommenderModel<int>);
  }

  TEST_CASE("lists of several users") {
    const kd::RankedLists lists({{{3, 0.5}, {1, 0.25}}, {}});
    REQUIRE(lists.size() == 2);
    CHECK(lists.row(0).size() == 2);
    CHECK(lists.row(0)[1] == kd::Scored{1, 0.25});
    CHECK(lists.row(1).empty());
    CHECK_THROWS_WITH_AS((void)lists.row(2), "row is 2; it must be below 2, the number of users asked for", kd::InvalidArgument);
    CHECK(kd::RankedLists().size() == 0);
    CHECK(lists == kd::RankedLists({{{3, 0.5}, {1, 0.25}}, {}}));
    CHECK_FALSE(lists == kd::RankedLists());
  }

  TEST_CASE("the options of one user of a batch") {
    const kd::CsrMatrix train({2, 4}, {0, 2, 3}, {0, 2, 3}, {1, 1, 1});
    const std::vector<kd::Index> allow{1, 2};
    kd::RecommendAllOptions all{.count = 7,
                                .exclude = train,
                                .filter = {.allow = allow, .min_score = 0.5, .candidates = kd::Candidates::all},
                                .execution = {.threads = 3}};
    const kd::RecommendOptions one = kd::detail::options_of(1, all);
    CHECK(one.count == 7);
    CHECK(std::vector<kd::Index>(one.exclude.begin(), one.exclude.end()) == std::vector<kd::Index>{3});
    CHECK(one.filter.allow->size() == 2);
    CHECK(*one.filter.min_score == 0.5);
    CHECK(one.filter.candidates == kd::Candidates::all);
    all.exclude = {};
    CHECK(kd::detail::options_of(1, all).exclude.empty());
  }

  TEST_CASE("the best of a stream, ties to the lower item") {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      kd::detail::Random random(seed, kd::detail::RandomStream::sample);
      std::vector<kd::Scored> stream;
      for (kd::Index item = 0; item < 40; ++item) stream.push_back({item, static_cast<double>(random.below(9)) - 4.0});
      kd::detail::shuffle_front(std::span<kd::Scored>(stream), stream.size(), random);
      const std::size_t count = random.below(45);
      kd::detail::BestOf best(count);
      for (const kd::Scored& candidate : stream) {
        if (best.would_enter(candidate)) {
          CHECK(candidate.score >= best.threshold());
          best.add(candidate);
        }
      }
      std::sort(stream.begin(), stream.end(), kd::ranks_before);
      stream.resize((std::min)(count, stream.size()));
      CHECK(best.take() == stream);
    }
    CHECK(kd::detail::BestOf(0).threshold() == std::numeric_limits<double>::infinity());
    CHECK(kd::detail::BestOf(1).threshold() == -std::numeric_limits<double>::infinity());
  }

  TEST_CASE("eligibility by hand") {
    const std::vector<kd::Index> counts{1, 0, 2, 5}, exclude{2}, allow{0, 1, 2};
    const kd::RecommendOptions plain;
    const kd::detail::Eligibility trained(plain, counts);
    CHECK(trained({0, -5.0}));
    CHECK_FALSE(trained({1, 5.0}));
    const kd::RecommendOptions strict{.exclude = exclude, .filter = {.allow = allow, .min_score = 0.5, .candidates = kd::Candidates::all}};
    const kd::detail::Eligibility filtered(strict, counts);
    CHECK(filtered({1, 0.5}));           // untrained, allowed, just good enough
    CHECK_FALSE(filtered({1, 0.4999}));  // not good enough
    CHECK_FALSE(filtered({2, 5.0}));     // excluded
    CHECK_FALSE(filtered({3, 5.0}));     // not allowed
  }
}
