// SPDX-License-Identifier: MIT
#include <kindred/evaluation/rolling.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/error.hpp>
#include <kindred/core/random.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/events.hpp>
#include <kindred/evaluation/compare.hpp>
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/models/popularity_recommender.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/split/rolling.hpp>

#include "../support/same_report.hpp"

namespace kd = kindred;
using doctest::Approx;
using doctest::Contains;
using Targets = kd::RollingSplit::Targets;

namespace {

/// Lists the items in the order of their indices, without those excluded.
struct InOrder {
  kd::MatrixShape size;

  [[nodiscard]] kd::MatrixShape shape() const { return size; }
  [[nodiscard]] std::vector<kd::Scored> recommend(kd::Index, const kd::RecommendOptions& options) const {
    std::vector<kd::Scored> list;
    for (kd::Index item = 0; item < size.items && list.size() < options.count; ++item) {
      bool is_excluded = false;
      for (const kd::Index one : options.exclude) is_excluded = is_excluded || one == item;
      if (!is_excluded) list.push_back({item, -static_cast<double>(item)});
    }
    return list;
  }
};

struct TimedColumns {
  std::vector<std::int64_t> users, items, times;
  std::vector<std::string> kinds;

  [[nodiscard]] kd::Events events() const { return {.users = users, .items = items, .times = times, .kinds = kinds}; }
};

// Items 0, 1, 2 in this order. User 1 views 0, user 2 buys 1, user 3 views 2; then user 1 buys 0 and 2, and user 2 buys 1.
const TimedColumns viewed_first{
    {1, 2, 3, 1, 1, 2}, {0, 1, 2, 0, 2, 1}, {1, 2, 3, 10, 11, 12}, {"view", "buy", "view", "buy", "buy", "buy"}};
const std::vector<std::int64_t> cut_at_10{10};
const kd::EventOptions views_and_buys{.weights = {{"view", 1}, {"buy", 5}}};

TimedColumns random_timed(std::uint64_t seed) {
  kd::detail::Random random(seed, kd::detail::RandomStream::sample);
  TimedColumns c;
  for (int n = 0; n < 2000; ++n) {
    c.users.push_back(random.below(50));
    c.items.push_back(random.below(random.below(2) == 0 ? 40 : 10));
    c.times.push_back(random.below(1000));
    c.kinds.push_back(random.below(3) == 0 ? "buy" : "view");
  }
  return c;
}

const auto by_listeners = [](const kd::RollingSplit& split) {
  kd::PopularityRecommender model;
  model.fit(split.train.matrix);
  return model;
};

}  // namespace

TEST_SUITE("evaluation/rolling") {
  TEST_CASE("a purchase of a viewed item is found, by hand") {
    const auto splits = kd::rolling_split(viewed_first.events(), cut_at_10, 10, {.events = views_and_buys, .target_kinds = {"buy"}});
    const auto in_order = [](const kd::RollingSplit& split) { return InOrder{split.train.matrix.shape()}; };
    // User 1 has bought nothing, so 0 comes first: a hit that would be lost if viewed items were left out. User 2's purchase is a repeat.
    const auto reports = kd::evaluate(in_order, splits, {.cutoffs = {1}});
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].users == 1);
    CHECK(reports[0].at(1).precision.mean == Approx(1.0));
    CHECK(reports[0].test_items_in_train == 1);
    CHECK(reports[0].test_items_excluded == 0);
    CHECK(reports[0].listed_against_request == 0);
    CHECK(reports[0].protocol.ends_with("; train before 10, targets are new pairs up to 20"));
    const auto repeats = kd::rolling_split(viewed_first.events(), cut_at_10, 10,
                                           {.events = views_and_buys, .targets = Targets::repeats, .target_kinds = {"buy"}});
    const auto of_repeats = kd::evaluate(in_order, repeats, {.cutoffs = {2}});
    CHECK(of_repeats[0].at(2).recall.mean == Approx(1.0));
    CHECK(of_repeats[0].protocol.find("nothing excluded") != std::string::npos);
    CHECK(of_repeats[0].protocol.ends_with("targets are repeats up to 20"));
  }

  TEST_CASE("each report is evaluate of its split, and two ways to fit are compared over windows") {
    const TimedColumns c = random_timed(3);
    const std::vector<std::int64_t> cuts{200, 400, 600, 800};
    for (const Targets targets : {Targets::new_pairs, Targets::repeats, Targets::all}) {
      const auto splits = kd::rolling_split(c.events(), cuts, 200, {.events = views_and_buys, .targets = targets});
      const kd::EvaluateOptions options{.cutoffs = {5, 10}, .keep_per_user = true};
      const auto reports = kd::evaluate(by_listeners, splits, options);
      REQUIRE(reports.size() == 4);
      for (std::size_t n = 0; n < splits.size(); ++n) {
        kd::EvaluateOptions alone = options;
        // All kinds are targets, so that known pairs are those of train.
        if (targets != Targets::new_pairs) alone.seen = kd::EvaluateOptions::SeenItems::allowed;
        const kd::RankingReport wanted = kd::evaluate(by_listeners(splits[n]), splits[n].train.matrix, splits[n].test, alone);
        CHECK(reports[n].cutoffs[1].ndcg.mean == wanted.cutoffs[1].ndcg.mean);
        CHECK(reports[n].cutoffs[0].recall.standard_error == wanted.cutoffs[0].recall.standard_error);
        CHECK(reports[n].test_items_in_train == wanted.test_items_in_train);
        CHECK(kindred_test::same_each(reports[n].per_user, wanted.per_user));
      }
      const auto in_order = [](const kd::RollingSplit& split) { return InOrder{split.train.matrix.shape()}; };
      const auto others = kd::evaluate(in_order, splits, options);
      const kd::Comparison over = kd::compare(others, reports);
      double sum = 0.0;
      for (std::size_t n = 0; n < 4; ++n) sum += reports[n].at(10).ndcg.mean - others[n].at(10).ndcg.mean;
      CHECK(over.difference.mean == Approx(sum / 4));
      CHECK(over.difference.count == 4);
    }
  }

  TEST_CASE("options of one split, and no split, are refused") {
    const auto splits = kd::rolling_split(viewed_first.events(), cut_at_10, 10, {.events = views_and_buys, .targets = Targets::all});
    const std::vector<kd::Index> users{0};
    CHECK_NOTHROW((void)kd::evaluate(by_listeners, splits));
    CHECK_THROWS_WITH_AS((void)kd::evaluate(by_listeners, std::span<const kd::RollingSplit>()), Contains("number of splits is 0"),
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::evaluate(by_listeners, splits, {.users = users}), Contains("users is set"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::evaluate(by_listeners, splits, {.exclude = splits[0].known.view()}), Contains("exclude is set"),
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::evaluate(by_listeners, splits, {.user_groups = kd::EvaluationGroups{}}), Contains("user_groups is set"),
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::evaluate(by_listeners, splits, {.item_groups = kd::EvaluationGroups{}}), Contains("item_groups is set"),
                         kd::InvalidArgument);
  }
}
