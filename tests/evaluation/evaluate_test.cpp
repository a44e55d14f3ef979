// SPDX-License-Identifier: MIT
#include <kindred/evaluation/evaluate.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/data/ratings.hpp>
#include <kindred/models/factor_model.hpp>
#include <kindred/models/popularity_recommender.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/brute_force_evaluation.hpp"
#include "../support/brute_force_ranking.hpp"
#include "../support/random_matrix.hpp"
#include "../support/same_report.hpp"
#include "../support/simd_levels.hpp"
#include "../support/streamed_matrix.hpp"

namespace kd = kindred;
using doctest::Approx;
using doctest::Contains;
using kindred_test::random_matrix;
using kindred_test::same;

namespace {

// The least that a model is: fixed lists, cut and without what is excluded.
struct FixedLists {
  std::vector<std::vector<kd::Index>> lists;
  kd::MatrixShape size;

  [[nodiscard]] kd::MatrixShape shape() const { return size; }
  [[nodiscard]] std::vector<kd::Scored> recommend(kd::Index user, const kd::RecommendOptions& options) const {
    std::vector<kd::Scored> list;
    for (const kd::Index item : lists[static_cast<std::size_t>(user)])
      if (list.size() < options.count && !std::binary_search(options.exclude.begin(), options.exclude.end(), item))
        list.push_back({item, -static_cast<double>(list.size())});
    return list;
  }
};

// A score from 0 to 5 for every pair, so that many tie.
struct RandomScores {
  kd::CsrView train;
  std::uint64_t seed;

  [[nodiscard]] kd::MatrixShape shape() const { return train.shape(); }
  [[nodiscard]] double predict(kd::Index user, kd::Index item) const {
    return static_cast<double>(
        kd::detail::Random(seed, kd::detail::RandomStream::sample, static_cast<std::uint64_t>(user * 1000 + item)).below(6));
  }
  [[nodiscard]] std::vector<kd::Scored> recommend(kd::Index user, const kd::RecommendOptions& options) const {
    return kindred_test::brute_force_recommend(*this, train, user, options);
  }
};

// About a third of the cells of a random matrix are test, the rest train; users 0 and 9 have no test items, item 1 no train data.
std::pair<kd::CsrMatrix, kd::CsrMatrix> random_split(kd::Index users, kd::Index items, double density, std::uint64_t seed) {
  std::vector<kd::Interaction> train, test;
  kd::detail::Random random(seed, kd::detail::RandomStream::split);
  for (const auto& [cell, value] : kindred_test::cells_of(random_matrix(users, items, density, seed))) {
    const bool held_out = (random.below(3) == 0 || cell.second == 1) && cell.first != 0 && cell.first != 9;
    if (cell.second == 1 && !held_out) continue;
    (held_out ? test : train).push_back({cell.first, cell.second, held_out && random.below(9) == 0 ? -value : value});
  }
  return {kd::CsrMatrix::from_triplets({users, items}, train), kd::CsrMatrix::from_triplets({users, items}, test)};
}

std::vector<kd::Index> everybody(const kd::CsrView& matrix) {
  std::vector<kd::Index> users(static_cast<std::size_t>(matrix.rows()));
  std::iota(users.begin(), users.end(), 0);
  return users;
}

// Means of at most 100 values of at most 1, each a sum of at most 60 terms: a thousand eps would be 2e-13.
void check_estimate(const kd::MeanAndError& found, const kindred_test::BruteEstimate& wanted) {
  CHECK(std::abs(found.mean - wanted.mean) < 1e-13);
  CHECK(std::abs(found.standard_error - wanted.standard_error) < 1e-13);
}

void check_report(const kd::RankingReport& found, const kindred_test::BruteReport& wanted, const kd::EvaluateOptions& options,
                  const kd::CsrView& train) {
  CHECK(static_cast<std::size_t>(found.users) == wanted.users);
  CHECK(static_cast<std::size_t>(found.users_without_test) == wanted.users_without_test);
  CHECK(static_cast<std::size_t>(found.test_interactions) == wanted.test_interactions);
  CHECK(static_cast<std::size_t>(found.untrained_test_items) == wanted.untrained_test_items);
  CHECK(std::abs(found.novelty - wanted.novelty) < 1e-12);
  CHECK(std::abs(found.gini - wanted.gini) < 1e-12);
  REQUIRE(found.cutoffs.size() == options.cutoffs.size());
  for (std::size_t c = 0; c < options.cutoffs.size(); ++c) {
    CAPTURE(options.cutoffs[c]);
    const kd::CutoffReport& at = found.cutoffs[c];
    const kindred_test::BruteCutoff& brute = wanted.cutoffs.at(options.cutoffs[c]);
    CHECK(at.cutoff == options.cutoffs[c]);
    check_estimate(at.precision, brute.precision);
    check_estimate(at.recall, options.ranking.recall_denominator == kd::RankingOptions::RecallDenominator::relevant
                                  ? brute.recall
                                  : brute.recall_over_min);
    check_estimate(at.ndcg, brute.ndcg);
    check_estimate(at.map,
                   options.ranking.ap_denominator == kd::RankingOptions::ApDenominator::relevant ? brute.map_over_relevant : brute.map);
    check_estimate(at.mrr, brute.mrr);
    check_estimate(at.hit_rate, brute.hit_rate);
    CHECK(static_cast<std::size_t>(at.distinct_items) == brute.distinct.size());
    const auto distinct = static_cast<double>(brute.distinct.size());
    CHECK(at.coverage == Approx(distinct / train.cols()).epsilon(1e-14));
    CHECK(at.coverage_of_trained == Approx(distinct / static_cast<double>(kindred_test::trained_items(train).size())).epsilon(1e-14));
  }
}

template <typename Model>
void check_against_brute_force(const Model& model, const kd::CsrView& train, const kd::CsrView& test, const kd::EvaluateOptions& options) {
  std::vector<std::vector<kd::Index>> lists;
  for (kd::Index u = 0; u < train.rows(); ++u) {
    kd::RecommendOptions request{.count = options.cutoffs.back(), .filter = {.candidates = options.filter.candidates}};
    if (options.seen == kd::EvaluateOptions::SeenItems::excluded) request.exclude = train.row(u).columns;
    lists.emplace_back();
    for (const kd::Scored& scored : kindred_test::brute_force_recommend(model, train, u, request)) lists.back().push_back(scored.item);
  }
  const std::vector<kd::Index> users =
      options.users ? std::vector<kd::Index>(options.users->begin(), options.users->end()) : everybody(train);
  check_report(kd::evaluate(model, train, test, options), kindred_test::brute_force_evaluate(lists, train, test, users, options.cutoffs),
               options, train);
}

}  // namespace

TEST_SUITE("evaluation/evaluate") {
  // Users of the items: 3 3 1 0 1 0. User 3's test row holds a stored zero and a dislike alone.
  const kd::CsrMatrix hand_train({4, 6}, {0, 2, 3, 5, 8}, {0, 4, 1, 0, 1, 0, 1, 2}, {5, 1, 1, 2, 2, 1, 1, 1});
  const kd::CsrMatrix hand_test({4, 6}, {0, 1, 3, 4, 6}, {2, 0, 3, 1, 3, 4}, {1, 4, 1, 2, 0, -1});
  const FixedLists hand_model{{{1, 2, 3}, {0, 2, 4}, {4, 3, 2}, {5}}, {4, 6}};

  // At K = 2: a hit at rank 2 of one relevant item, a hit at rank 1 of two, none.
  TEST_CASE("three users by hand") {
    const kd::RankingReport report = kd::evaluate(hand_model, hand_train, hand_test,
                                                  {.cutoffs = {2}, .filter = {.candidates = kd::Candidates::all}, .keep_per_user = true});
    CHECK(report.users == 3);
    CHECK(report.users_without_test == 1);
    CHECK(report.test_interactions == 4);
    CHECK(report.untrained_test_items == 1);  // item 3 of user 1
    const double second = 1.0 / std::log2(3.0);
    const kd::CutoffReport& at = report.at(2);
    CHECK(at.precision.mean == Approx((0.5 + 0.5 + 0.0) / 3.0));
    CHECK(at.precision.standard_error == Approx(std::sqrt((2.0 / 36.0 + 1.0 / 9.0) / 2.0 / 3.0)));
    CHECK(at.recall.mean == Approx((1.0 + 0.5 + 0.0) / 3.0));
    CHECK(at.ndcg.mean == Approx((second + 1.0 / (1.0 + second)) / 3.0));
    CHECK(at.map.mean == Approx((0.5 + 0.5) / 3.0));
    CHECK(at.mrr.mean == Approx((0.5 + 1.0) / 3.0));
    CHECK(at.hit_rate.mean == Approx(2.0 / 3.0));
    CHECK(at.distinct_items == 5);
    CHECK(at.coverage == Approx(5.0 / 6.0));
    CHECK(at.average_popularity == Approx((2.0 + 2.0 + 0.5) / 3.0));
    // Items 3, 5 and 2 have one of eight interactions, with item 4 two, which is more than a fifth. They have places 2, 2 and 3 of the lists.
    CHECK(at.tail_share == Approx(3.0 / 6.0));
    // Recommendations 0 1 1 1 1 2 in rising order: (-3 - 1 + 1 + 3 + 5 * 2) / (6 * 6).
    CHECK(report.gini == Approx(10.0 / 36.0));
    // log2 of 5 / 4 for three of four users, 5 / 2 for one, 5 for none.
    CHECK(report.novelty == Approx((2.0 * (std::log2(1.25) + std::log2(2.5)) + std::log2(2.5) + std::log2(5.0)) / 6.0));
    REQUIRE(report.per_user.size() == 3);
    CHECK(report.per_user[1].user == 1);
    CHECK(report.per_user[1].cutoffs[0].recall == 0.5);
    CHECK(report.per_user[0].cutoffs[0].reciprocal_rank == 0.5);
    CHECK(report.per_user[2].cutoffs[0] == kd::RankingScores{});
  }

  TEST_CASE("groups by hand") {
    kd::EvaluateOptions options{.cutoffs = {1, 2}, .filter = {.candidates = kd::Candidates::all}};
    options.user_groups = kd::EvaluationGroups{{"a", "b", "nobody"}, {0, 1, 0, 1}};
    options.item_groups = kd::EvaluationGroups{{"x", "y"}, {0, 0, 1, 1, 1, -1}};
    const kd::RankingReport report = kd::evaluate(hand_model, hand_train, hand_test, options);
    REQUIRE(report.user_groups.size() == 3);
    CHECK(report.user_groups[0].name == "a");
    CHECK(report.user_groups[0].users == 2);
    CHECK(report.user_groups[0].cutoffs[1].precision.mean == Approx(0.25));
    CHECK(report.user_groups[0].cutoffs[1].average_popularity == Approx((2.0 + 0.5) / 2.0));
    CHECK(report.user_groups[1].cutoffs[0].average_popularity == 3.0);
    CHECK(report.user_groups[1].cutoffs[1].tail_share == 0.5);
    CHECK(report.user_groups[1].users == 1);  // user 3 has no test items
    CHECK(report.user_groups[1].cutoffs[0].precision.mean == Approx(1.0));
    CHECK(report.user_groups[2].users == 0);
    CHECK(report.user_groups[2].cutoffs[1].precision.mean == 0.0);
    // Lists (1, 2) (0, 2) (4, 3): items 0 and 1 have two of six places; test pairs of x: items 0 and 1, one found; of y: 2 and 3, one found.
    REQUIRE(report.item_groups.size() == 2);
    CHECK(report.item_groups[0].name == "x");
    CHECK(report.item_groups[0].items == 2);
    CHECK(report.item_groups[0].share_of_recommendations == Approx(2.0 / 6.0));
    CHECK(report.item_groups[0].test_interactions == 2);
    CHECK(report.item_groups[0].recall == Approx(0.5));
    CHECK(report.item_groups[1].items == 3);
    CHECK(report.item_groups[1].share_of_recommendations == Approx(4.0 / 6.0));
    CHECK(report.item_groups[1].test_interactions == 2);
    CHECK(report.item_groups[1].recall == Approx(0.5));
  }

  // Every user scores items 0 to 3 with 4, 3, 2, 1. User 1 has item 1 in train, which is tested too.
  TEST_CASE("tested items alone are ranked, those with a value below 0 as candidates that are not relevant") {
    const kd::FactorModel<double> model(kd::FactorMatrix<double>(2, 1, std::vector<double>{1, 1}),
                                        kd::FactorMatrix<double>(4, 1, std::vector<double>{4, 3, 2, 1}), {2, 1, 0, 1});
    const kd::CsrMatrix train({2, 4}, {0, 1, 2}, {1, 1}, {1, 1}), test({2, 4}, {0, 4, 6}, {0, 1, 2, 3, 1, 3}, {-1, 0, 1, -1, 1, -2});
    kd::EvaluateOptions options{
        .cutoffs = {1, 2}, .seen = kd::EvaluateOptions::SeenItems::allowed, .filter = {.candidates = kd::Candidates::tested}};
    const kd::RankingReport all = kd::evaluate(model, train, test, options);
    CHECK(all.at(1).precision.mean == Approx((0.0 + 1.0) / 2.0));
    CHECK(all.at(2).mrr.mean == Approx((0.5 + 1.0) / 2.0));  // lists 0 2 and 1 3: the stored zero of item 1 is no test
    CHECK(all.test_items_in_train == 1);
    CHECK(all.test_pairs_in_train == 1);
    CHECK(all.listed_against_request == 0);
    CHECK(all.protocol.find("candidates are the items of the user's test row alone, of which 1 are in train too") != std::string::npos);
    options.seen = kd::EvaluateOptions::SeenItems::excluded;
    CHECK(kd::evaluate(model, train, test, options).at(2).mrr.mean == Approx((0.5 + 0.0) / 2.0));  // item 1 is left out, item 3 is left

    const kd::CsrMatrix more = kindred_test::random_matrix(50, 60, 0.1, 5), rated = kindred_test::random_matrix(50, 60, 0.2, 6);
    kd::ImplicitALS<float> als(kindred_test::small_als());
    als.fit(more);
    std::vector<std::vector<kd::Index>> lists;
    kd::CsrMatrix opinions = kd::likes_and_dislikes(rated, {.likes_from = 3.0F, .dislikes_to = 2.9F});
    for (kd::Index u = 0; u < 50; ++u) {
      lists.emplace_back();
      for (const kd::Scored& one : als.recommend(
               u, {.count = 5, .exclude = more.row(u), .filter = {.allow = opinions.row(u).columns, .candidates = kd::Candidates::all}}))
        lists.back().push_back(one.item);
    }
    options.cutoffs = {5};
    check_report(kd::evaluate(als, more, opinions, options),
                 kindred_test::brute_force_evaluate(lists, more, opinions, everybody(more), options.cutoffs), options, more);
    const std::vector<kd::Index> few{1, 2};
    options.filter.allow = few;
    CHECK_THROWS_WITH_AS((void)kd::evaluate(als, more, opinions, options), Contains("filter.allow is a list"), kd::InvalidArgument);
  }

  TEST_CASE("a model without any list is an error") {
    const FixedLists silent{std::vector<std::vector<kd::Index>>(4), {4, 6}};
    CHECK_THROWS_WITH_AS((void)kd::evaluate(silent, hand_train, hand_test), Contains("the model is without a list for any of 3 users"),
                         kd::InvalidArgument);
  }

  TEST_CASE("test items that are in train are counted, and an error where there is nothing else") {
    // User 0 has 0 and 1 in train, user 1 has 2; of four test interactions two are there too.
    const kd::CsrMatrix train({2, 4}, {0, 2, 3}, {0, 1, 2}, {1, 1, 1}), test({2, 4}, {0, 2, 4}, {1, 2, 2, 3}, {1, 1, 1, 1});
    const FixedLists model{{{2, 3}, {3, 0}}, {2, 4}};
    const kd::RankingReport report = kd::evaluate(model, train, test, {.cutoffs = {2}, .filter = {.candidates = kd::Candidates::all}});
    CHECK(report.test_interactions == 4);
    CHECK(report.test_items_in_train == 2);
    CHECK(report.protocol.find("items of train excluded (2 test interactions are in train too, where no list can find them)") !=
          std::string::npos);
    CHECK_THROWS_WITH_AS((void)kd::evaluate(model, train, train), Contains("test is 3 interactions that all are in train too"),
                         kd::InvalidArgument);
    CHECK_NOTHROW((void)kd::evaluate(model, train, train, {.seen = kd::EvaluateOptions::SeenItems::allowed}));
  }

  TEST_CASE("items to leave out of lists may be others than those of train") {
    // User 0 viewed 0 and 1 and bought 0; user 1 viewed 2 and bought nothing.
    const kd::CsrMatrix train({2, 4}, {0, 2, 3}, {0, 1, 2}, {1, 1, 1}), bought({2, 4}, {0, 1, 1}, {0}, {1});
    const kd::CsrMatrix test({2, 4}, {0, 2, 3}, {0, 1, 2}, {1, 1, 1});
    const FixedLists model{{{0, 1, 2}, {2, 0}}, {2, 4}};
    const kd::EvaluateOptions options{.cutoffs = {1}, .exclude = bought.view()};
    const kd::RankingReport report = kd::evaluate(model, train, test, options);
    CHECK(report.at(1).precision.mean == Approx(1.0));  // 1 and 2
    CHECK(report.test_items_in_train == 3);
    CHECK(report.test_items_excluded == 1);
    CHECK(report.listed_against_request == 0);
    CHECK(report.protocol.find("; items of options.exclude excluded (1 test interactions are among them, where no list can find them)") !=
          std::string::npos);
    CHECK(kd::evaluate(model, train, test, {.seen = kd::EvaluateOptions::SeenItems::allowed}).test_items_excluded == 0);
    CHECK_THROWS_WITH_AS((void)kd::evaluate(model, train, test, {.exclude = test.view()}),
                         Contains("test is 3 interactions that options.exclude all holds"), kd::InvalidArgument);
    const kd::CsrMatrix narrow({2, 3}, {0, 0, 0}, {}, {});
    CHECK_THROWS_WITH_AS((void)kd::evaluate(model, train, test, {.exclude = narrow.view()}), Contains("exclude"), kd::ShapeError);
    CHECK_THROWS_WITH_AS(
        (void)kd::evaluate(model, train, test, {.seen = kd::EvaluateOptions::SeenItems::allowed, .exclude = bought.view()}),
        Contains("exclude is set; it must be empty where seen items are allowed"), kd::InvalidArgument);
    // Without interactions it is as if all were allowed.
    const kd::CsrMatrix none({2, 4}, {0, 0, 0}, {}, {});
    CHECK(kd::evaluate(model, train, test, {.cutoffs = {1}, .exclude = none.view()}).at(1).recall.mean ==
          kd::evaluate(model, train, test, {.cutoffs = {1}, .seen = kd::EvaluateOptions::SeenItems::allowed}).at(1).recall.mean);
  }

  TEST_CASE("lists that hold what was to be left out, users without train, equal scores: counted and said") {
    const kd::CsrMatrix train({3, 4}, {0, 2, 3, 3}, {0, 1, 2}, {1, 1, 1}), test({3, 4}, {0, 1, 2, 3}, {2, 0, 1}, {1, 1, 1});
    struct Rude {
      [[nodiscard]] kd::MatrixShape shape() const { return {3, 4}; }
      [[nodiscard]] std::vector<kd::Scored> recommend(kd::Index user, const kd::RecommendOptions&) const {
        if (user == 0) return {{0, 2.0}, {2, 1.0}, {3, 0.5}};  // 0 is in train, nobody has 3
        if (user == 1) return {{0, 1.0}, {1, 1.0}};
        return {};
      }
    };
    const kd::RankingReport report = kd::evaluate(Rude{}, train, test, {.cutoffs = {3}});
    CHECK(report.listed_against_request == 2);
    CHECK(report.users_without_train == 1);
    CHECK(report.users_without_list == 1);
    CHECK(report.users_with_equal_scores == 1);
    CHECK(report.users_with_fallback == 0);
    CHECK(report.protocol ==
          "macro average over 3 users with a non-empty test row, 1 of them without train data; 1 users got no list, which counts as 0; 1 "
          "users got "
          "a list of equal scores, in the order of the items' numbers; items of train excluded; candidates are items with train data; the "
          "model "
          "listed 2 items that it was asked to leave out; recall over |T|; AP over min(K, |T|); NDCG with binary gain, ideal over min(K, "
          "|T|); ties "
          "to the lower item");
    const kd::RankingReport anything =
        kd::evaluate(Rude{}, train, test,
                     {.cutoffs = {3}, .seen = kd::EvaluateOptions::SeenItems::allowed, .filter = {.candidates = kd::Candidates::all}});
    CHECK(anything.listed_against_request == 0);
  }

  TEST_CASE("a score that is no number is an error") {
    struct Broken {
      [[nodiscard]] kd::MatrixShape shape() const { return hand_train.shape(); }
      [[nodiscard]] std::vector<kd::Scored> recommend(kd::Index, const kd::RecommendOptions&) const {
        return {{0, std::numeric_limits<double>::quiet_NaN()}};
      }
    };
    CHECK_THROWS_WITH_AS((void)kd::evaluate(Broken{}, hand_train, hand_test, {.seen = kd::EvaluateOptions::SeenItems::allowed}),
                         Contains("the score of item 0 for user "), kd::InvalidArgument);
  }

  // Users of the second half have no train row; numbering the items backwards must not change a figure.
  TEST_CASE("users without train data get no list, or the fallback, whatever the numbers of the items") {
    const kd::CsrMatrix all = random_matrix(80, 40, 0.2, 5);
    std::vector<kd::RankingReport> plain, fallback;
    for (const bool backwards : {false, true}) {
      std::vector<kd::Interaction> known, wanted;
      for (kd::Index u = 0; u < 80; ++u)
        for (std::size_t n = 0; n < all.row(u).size(); ++n) {
          const kd::Index item = all.row(u).columns[n];
          (u < 40 && n % 3 != 0 ? known : wanted).push_back({u, backwards ? 39 - item : item, all.row(u).values[n]});
        }
      const kd::CsrMatrix train = kd::CsrMatrix::from_triplets(all.shape(), known),
                          test = kd::CsrMatrix::from_triplets(all.shape(), wanted);
      kd::ImplicitALS<double> model(kindred_test::small_als());
      model.fit(train, {.initial_items = kd::FactorMatrix<double>(40, 6, [&] {
                          std::vector<double> start(240);
                          for (std::size_t i = 0; i < 40; ++i)
                            for (std::size_t f = 0; f < 6; ++f)
                              start[(backwards ? 39 - i : i) * 6 + f] =
                                  kd::detail::Random(3, kd::detail::RandomStream::item_factors, i * 6 + f).normal();
                          return start;
                        }())});
      plain.push_back(kd::evaluate(model, train, test));
      fallback.push_back(kd::evaluate(model, train, test, {.fallback = kd::Fallback::popularity}));
    }
    kd::Index without = 0;
    for (kd::Index u = 40; u < 80; ++u) without += all.row(u).empty() ? 0 : 1;
    CHECK(plain[0].users_without_train == without);
    CHECK(plain[0].users_without_list == without);
    CHECK(plain[0].at(10).ndcg.mean == Approx(plain[1].at(10).ndcg.mean).epsilon(1e-6));
    CHECK(fallback[0].users_with_fallback == without);
    CHECK(fallback[0].users_without_list == 0);
    CHECK(fallback[0].at(10).ndcg.mean > plain[0].at(10).ndcg.mean);
  }

  // Lists (1) () (4, 3): novelty is the mean of the two users who were shown something, shares are of the three places that were filled.
  TEST_CASE("empty and short lists") {
    FixedLists model = hand_model;
    model.lists = {{1}, {}, {4, 3}, {}};
    kd::EvaluateOptions options{.cutoffs = {2}, .filter = {.candidates = kd::Candidates::all}};
    options.item_groups = kd::EvaluationGroups{{"x", "y"}, {0, 0, 1, 1, 1, 1}};
    const kd::RankingReport report = kd::evaluate(model, hand_train, hand_test, options);
    CHECK(report.users == 3);
    CHECK(report.novelty == Approx((std::log2(1.25) + (std::log2(2.5) + std::log2(5.0)) / 2.0) / 2.0));
    CHECK(report.item_groups[0].share_of_recommendations == Approx(1.0 / 3.0));
    CHECK(report.item_groups[1].share_of_recommendations == Approx(2.0 / 3.0));
    CHECK(report.at(2).distinct_items == 3);
  }

  TEST_CASE("agrees with brute force: seen items, candidates, denominators, subsets, cutoffs beyond the items") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      const auto [train, test] = random_split(60, 40, 0.05 + 0.05 * static_cast<double>(seed), seed);
      const RandomScores model{train, seed};
      const std::vector<kd::Index> some{0, 3, 7, 9, 20, 21, 22, 23, 24, 59};
      for (const kd::EvaluateOptions::SeenItems seen :
           {kd::EvaluateOptions::SeenItems::excluded, kd::EvaluateOptions::SeenItems::allowed}) {
        for (const kd::Candidates candidates : {kd::Candidates::trained, kd::Candidates::all}) {
          kd::EvaluateOptions options{.cutoffs = {1, 3, 10, 39, 1000}, .seen = seen, .filter = {.candidates = candidates}};
          check_against_brute_force(model, train, test, options);
          options.ranking = {kd::RankingOptions::RecallDenominator::min_cutoff_relevant, kd::RankingOptions::ApDenominator::relevant};
          options.cutoffs = {2, 5};
          options.users = some;
          check_against_brute_force(model, train, test, options);
        }
      }
    }
  }

  TEST_CASE("agrees with brute force for the library's models") {
    const auto [train, test] = random_split(100, 60, 0.15, 3);
    kd::PopularityRecommender popularity;
    popularity.fit(train);
    kd::ImplicitALS<float> als(kindred_test::small_als());
    als.fit(train);
    const kd::EvaluateOptions excluded{.cutoffs = {1, 5, 20}},
        allowed{.cutoffs = {1, 5, 20}, .seen = kd::EvaluateOptions::SeenItems::allowed, .filter = {.candidates = kd::Candidates::all}};
    check_against_brute_force(popularity, train, test, excluded);
    check_against_brute_force(popularity, train, test, allowed);
    check_against_brute_force(als, train, test, excluded);
    check_against_brute_force(als, train, test, allowed);
  }

  // The model learns nothing from them, so they neither train an item nor count as seen.
  TEST_CASE("stored zeros in train are no interactions") {
    const kd::CsrMatrix zeros({2, 4}, {0, 3, 5}, {0, 1, 3, 0, 2}, {1, 0, 0, 2, 1});
    const kd::CsrMatrix test({2, 4}, {0, 2, 3}, {1, 3, 3}, {1, 1, 1});
    const FixedLists model{{{1, 2, 3}, {3, 1}}, {2, 4}};
    const kd::EvaluateOptions options{.cutoffs = {1, 3}, .filter = {.candidates = kd::Candidates::all}, .keep_per_user = true};
    const kd::RankingReport with = kd::evaluate(model, zeros, test, options);
    CHECK(same(with, kd::evaluate(model, kd::without_zeros(zeros), test, options)));
    CHECK(with.untrained_test_items == 3);
    CHECK(with.at(1).hit_rate.mean == 1.0);
  }

  TEST_CASE("levels differ by rounding alone: loss to 1e-5, metrics to 1e-3 after 15 iterations") {
    const auto [train, test] = random_split(400, 120, 0.15, 9);
    for (const kd::Solver solver : {kd::Solver::cholesky, kd::Solver::conjugate_gradient}) {
      kd::AlsOptions options{
          .factors = 24, .regularization = 0.1, .iterations = 15, .units = kd::Units::paper, .confidence = {.alpha = 0.5}};
      options.solver.kind = solver;
      std::optional<double> known_loss;
      std::optional<kd::RankingReport> known;
      for (const kd::SimdLevel level : kindred_test::simd_levels()) {
        kd::ImplicitALS<float> als(options);
        const double loss = als.fit(train, {.record_loss = true, .execution = {.simd = level}}).iterations.back().loss->total;
        const kd::RankingReport report = kd::evaluate(als, train, test, {.cutoffs = {10}});
        if (known) {
          CHECK(std::abs(loss - *known_loss) <= 1e-5 * *known_loss);
          CHECK(std::abs(report.at(10).precision.mean - known->at(10).precision.mean) <= 1e-3);
          CHECK(std::abs(report.at(10).ndcg.mean - known->at(10).ndcg.mean) <= 1e-3);
        }
        known_loss = loss;
        known = report;
      }
    }
  }

  TEST_CASE("the same report for 1, 2, 3 and 8 threads") {
    const auto [train, test] = random_split(300, 60, 0.15, 3);
    kd::ImplicitALS<float> als(kindred_test::small_als());
    als.fit(train);
    kd::EvaluateOptions options{.cutoffs = {1, 5, 20}, .keep_per_user = true, .execution = {.threads = 1}};
    options.user_groups = kd::EvaluationGroups::by_activity(train);
    options.item_groups = kd::EvaluationGroups::by_popularity(train);
    const kd::RankingReport one = kd::evaluate(als, train, test, options);
    CHECK(same(kd::evaluate(als, train, test, options), one));
    for (const std::size_t threads : {2u, 3u, 8u}) {
      options.execution.threads = threads;
      CHECK(same(kd::evaluate(als, train, test, options), one));
    }
  }

  TEST_CASE("the same report from sources that come block by block") {
    const kd::CsrMatrix train = random_matrix(90, 40, 0.2, 5);
    const kd::CsrMatrix test = random_matrix(90, 40, 0.1, 6);
    kd::ImplicitALS<float> als({.factors = 5, .iterations = 2, .units = kd::Units::paper});
    als.fit(train);
    kd::PopularityRecommender popularity;
    popularity.fit(train);
    std::vector<kd::Index> some = {3, 4, 50, 89};
    for (const bool subset : {false, true}) {
      kd::EvaluateOptions options{.cutoffs = {3, 10}, .keep_per_user = true};
      options.item_groups = kd::EvaluationGroups::by_popularity(train, 4);
      options.user_groups = kd::EvaluationGroups::by_activity(train, 3);
      if (subset) options.users = some;
      const auto check = [&](const auto& model) {
        const kd::RankingReport wanted = kd::evaluate(model, train, test, options);
        for (const kd::Index rows_each : {1, 13, 90}) {
          const kindred_test::StreamedMatrix streamed_train(train, rows_each), streamed_test(test, 11);
          CHECK(same(kd::evaluate(model, streamed_train, streamed_test, options), wanted));
          CHECK(same(kd::evaluate(model, streamed_train, test, options), wanted));
          CHECK(same(kd::evaluate(model, train, streamed_test, options), wanted));
        }
        // Stopped half-way: the users done, whatever the blocks.
        options.progress = [](const kd::Progress&) { return kd::ProgressAnswer::stop_and_keep; };
        CHECK(same(kd::evaluate(model, train, kindred_test::StreamedMatrix(test, 90), options), kd::evaluate(model, train, test, options)));
        options.progress = {};
      };
      check(als);
      check(popularity);
    }
  }

  TEST_CASE("progress in users; stopping gives the report of the users done, cancelling none") {
    const kd::CsrMatrix train = random_matrix(700, 30, 0.2, 5), test = random_matrix(700, 30, 0.1, 6);
    const RandomScores model{train, 7};
    std::vector<std::size_t> done;
    kd::EvaluateOptions options{.cutoffs = {5}, .keep_per_user = true, .execution = {.threads = 1}};
    const kd::RankingReport silent = kd::evaluate(model, train, test, options);
    const auto total = static_cast<std::size_t>(silent.users);
    REQUIRE(total > 512);
    options.progress = [&](const kd::Progress& progress) {
      CHECK(progress.what == "evaluate");
      CHECK(progress.total == total);
      done.push_back(progress.done);
      return kd::ProgressAnswer::keep_going;
    };
    const kd::RankingReport whole = kd::evaluate(model, train, test, options);
    CHECK(done == std::vector<std::size_t>{256, 512, total});
    CHECK(whole.at(5).precision.mean == silent.at(5).precision.mean);
    CHECK(whole.gini == silent.gini);

    options.progress = [](const kd::Progress& progress) {
      return progress.done == 512 ? kd::ProgressAnswer::stop_and_keep : kd::ProgressAnswer::keep_going;
    };
    const kd::RankingReport part = kd::evaluate(model, train, test, options);
    std::vector<kd::Index> first;
    for (std::size_t n = 0; n < 512; ++n) first.push_back(silent.per_user[n].user);
    const kd::RankingReport alone = kd::evaluate(model, train, test, {.cutoffs = {5}, .users = first, .execution = {.threads = 1}});
    CHECK(part.users == 512);
    CHECK(part.per_user.size() == 512);
    CHECK(part.protocol == alone.protocol);
    CHECK(part.test_interactions == alone.test_interactions);
    CHECK(part.untrained_test_items == alone.untrained_test_items);
    CHECK(part.at(5).ndcg.mean == alone.at(5).ndcg.mean);
    CHECK(part.at(5).distinct_items == alone.at(5).distinct_items);
    CHECK(part.novelty == alone.novelty);

    options.progress = [](const kd::Progress&) { return kd::ProgressAnswer::cancel; };
    CHECK_THROWS_WITH_AS((void)kd::evaluate(model, train, test, options), Contains("evaluate was cancelled"), kd::Cancelled);
  }

  TEST_CASE("several cutoffs in one run equal runs of one cutoff") {
    const auto [train, test] = random_split(80, 60, 0.15, 4);
    const RandomScores model{train, 2};
    const kd::RankingReport all = kd::evaluate(model, train, test, {.cutoffs = {1, 4, 10, 55, 70}});
    for (const std::size_t cutoff : {1u, 4u, 10u, 55u, 70u})
      CHECK(same(kd::evaluate(model, train, test, {.cutoffs = {cutoff}}).at(cutoff), all.at(cutoff)));
  }

  TEST_CASE("groups that hold everybody add up to the whole") {
    const auto [train, test] = random_split(90, 60, 0.15, 5);
    const RandomScores model{train, 2};
    kd::EvaluateOptions options{.cutoffs = {3, 10}, .filter = {.candidates = kd::Candidates::all}, .keep_per_user = true};
    options.user_groups = kd::EvaluationGroups{{"a", "b", "c"}, {}};
    options.item_groups = kd::EvaluationGroups{{"x", "y"}, {}};
    for (kd::Index u = 0; u < 90; ++u) options.user_groups->labels.push_back(u % 3);
    for (kd::Index i = 0; i < 60; ++i) options.item_groups->labels.push_back(i % 2);
    const kd::RankingReport report = kd::evaluate(model, train, test, options);
    for (const std::size_t c : {0u, 1u}) {
      double precision = 0.0, ndcg = 0.0;
      kd::Index users = 0;
      for (const kd::RankingReport::UserGroup& group : report.user_groups) {
        precision += group.users * group.cutoffs[c].precision.mean;
        ndcg += group.users * group.cutoffs[c].ndcg.mean;
        users += group.users;
      }
      CHECK(users == report.users);
      CHECK(precision / users == Approx(report.cutoffs[c].precision.mean).epsilon(1e-12));
      CHECK(ndcg / users == Approx(report.cutoffs[c].ndcg.mean).epsilon(1e-12));
    }
    double share = 0.0, hits = 0.0, hits_of_users = 0.0;
    kd::Offset interactions = 0;
    kd::Index items = 0;
    for (const kd::RankingReport::ItemGroup& group : report.item_groups) {
      share += group.share_of_recommendations;
      hits += group.recall * static_cast<double>(group.test_interactions);
      interactions += group.test_interactions;
      items += group.items;
    }
    for (const kd::RankingReport::UserScores& user : report.per_user) hits_of_users += 10.0 * user.cutoffs[1].precision;
    CHECK(share == Approx(1.0).epsilon(1e-12));
    CHECK(items == 60);
    CHECK(interactions == report.test_interactions);
    CHECK(hits == Approx(hits_of_users).epsilon(1e-12));

    // And a group is the same users evaluated alone.
    std::vector<kd::Index> members;
    for (kd::Index u = 1; u < 90; u += 3) members.push_back(u);
    const kd::RankingReport alone =
        kd::evaluate(model, train, test, {.cutoffs = {3, 10}, .filter = {.candidates = kd::Candidates::all}, .users = members});
    CHECK(alone.cutoffs[1].precision == report.user_groups[1].cutoffs[1].precision);
    CHECK(alone.cutoffs[0].ndcg == report.user_groups[1].cutoffs[0].ndcg);
  }

  TEST_CASE("per user: who, in order, and what the means are made of") {
    const auto [train, test] = random_split(90, 60, 0.15, 5);
    const RandomScores model{train, 2};
    const kd::RankingReport report = kd::evaluate(model, train, test, {.cutoffs = {3, 10}, .keep_per_user = true});
    REQUIRE(report.per_user.size() == static_cast<std::size_t>(report.users));
    std::vector<double> values;
    for (std::size_t n = 0; n < report.per_user.size(); ++n) {
      if (n > 0) CHECK(report.per_user[n].user > report.per_user[n - 1].user);
      REQUIRE(report.per_user[n].cutoffs.size() == 2);
      values.push_back(report.per_user[n].cutoffs[1].average_precision);
    }
    CHECK(kd::metrics::mean_and_error(values) == report.at(10).map);
    CHECK(kd::evaluate(model, train, test).per_user.empty());
  }

  TEST_CASE("the protocol says what was done") {
    kd::EvaluateOptions options{.cutoffs = {2}};
    const std::string usual = kd::evaluate(hand_model, hand_train, hand_test, options).protocol;
    for (const char* words : {"3 users", "items of train excluded", "items with train data", "recall over |T|", "AP over min(K, |T|)"})
      CHECK(usual.find(words) != std::string::npos);
    options.seen = kd::EvaluateOptions::SeenItems::allowed;
    options.filter.candidates = kd::Candidates::all;
    options.ranking = {kd::RankingOptions::RecallDenominator::min_cutoff_relevant, kd::RankingOptions::ApDenominator::relevant};
    const std::string other = kd::evaluate(hand_model, hand_train, hand_test, options).protocol;
    for (const char* words : {"nothing excluded", "candidates are all items", "recall over min(K, |T|)", "AP over |T|"})
      CHECK(other.find(words) != std::string::npos);
  }

  TEST_CASE("what evaluate refuses") {
    const auto run = [&](const kd::EvaluateOptions& options) { (void)kd::evaluate(hand_model, hand_train, hand_test, options); };
    CHECK_THROWS_WITH_AS(run({.cutoffs = {}}), "cutoffs is an empty list; it must be at least one cutoff", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(run({.cutoffs = {0, 3}}), "cutoff is 0; it must be at least 1", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(run({.cutoffs = {5, 5}}), "cutoff is 5; it must be above the one before it, which is 5", kd::InvalidArgument);
    CHECK_THROWS_AS(run({.cutoffs = {5, 3}}), kd::InvalidArgument);
    const std::vector<kd::Index> falling{2, 1}, outside{4}, without_test{3}, nobody;
    CHECK_THROWS_WITH_AS(run({.users = falling}), Contains("users[1] is 1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(run({.users = outside}), Contains("users[0] is 4; it must be a user index in [0, 4)"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(run({.users = without_test}), Contains("without a positive interaction"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(run({.users = nobody}), Contains("without a positive interaction"), kd::InvalidArgument);
    kd::EvaluateOptions grouped;
    grouped.user_groups = kd::EvaluationGroups{{"a"}, {0, 0, 0}};
    CHECK_THROWS_WITH_AS(run(grouped), "user_groups has 3 labels; the matrix needs 4", kd::ShapeError);
    grouped.user_groups = kd::EvaluationGroups{{"a"}, {0, 0, 1, 0}};
    CHECK_THROWS_WITH_AS(run(grouped), Contains("user_groups label is 1"), kd::InvalidArgument);
    grouped.user_groups = std::nullopt;
    grouped.item_groups = kd::EvaluationGroups{{"a"}, {0, 0, 0, 0}};
    CHECK_THROWS_WITH_AS(run(grouped), "item_groups has 4 labels; the matrix needs 6", kd::ShapeError);
    grouped.item_groups = kd::EvaluationGroups{{"a"}, {0, 0, 0, 0, 0, -2}};
    CHECK_THROWS_WITH_AS(run(grouped), Contains("item_groups label is -2"), kd::InvalidArgument);

    const kd::CsrMatrix transposed = kd::transpose(hand_train);
    CHECK_THROWS_WITH_AS(
        (void)kd::evaluate(hand_model, transposed, hand_test),
        "train is 6 users x 4 items; the model is 4 users x 6 items; the transposed shape would fit: is the input items x users? Kindred "
        "takes users as rows",
        kd::ShapeError);
    CHECK_THROWS_WITH_AS((void)kd::evaluate(hand_model, hand_train, kd::transpose(hand_test)), Contains("is the input items x users?"),
                         kd::ShapeError);
    CHECK_THROWS_AS((void)kd::evaluate(kd::PopularityRecommender(), kd::CsrMatrix(), kd::CsrMatrix()), kd::InvalidArgument);
    kd::ImplicitALS<float> other(kindred_test::small_als());
    other.fit(transposed);
    CHECK_THROWS_WITH_AS((void)kd::evaluate(other, hand_train, hand_test), Contains("is the input items x users?"), kd::ShapeError);
  }

  TEST_CASE("a model of somebody else's that breaks its promises is found out") {
    FixedLists broken = hand_model;
    broken.lists[1] = {0, 6};
    CHECK_THROWS_WITH_AS((void)kd::evaluate(broken, hand_train, hand_test), Contains("ranked[1] is 6; it must be an item index in [0, 6)"),
                         kd::InvalidArgument);
    broken.lists[1] = {-1, 0};
    CHECK_THROWS_WITH_AS((void)kd::evaluate(broken, hand_train, hand_test), Contains("ranked[0] is -1"), kd::InvalidArgument);
    broken.lists[1] = {0, 2, 0};
    CHECK_THROWS_WITH_AS((void)kd::evaluate(broken, hand_train, hand_test), Contains("ranked[2] is 0"), kd::InvalidArgument);
  }

  TEST_CASE("a batch call with another number of lists than users is an error") {
    struct Lists {
      std::size_t count;
      [[nodiscard]] kd::MatrixShape shape() const { return {3, 4}; }
      [[nodiscard]] std::vector<kd::Scored> recommend(kd::Index, const kd::RecommendOptions&) const { return {}; }
      [[nodiscard]] kd::RankedLists recommend_all(std::span<const kd::Index>, const kd::RecommendAllOptions&) const {
        return kd::RankedLists(std::vector<std::vector<kd::Scored>>(count, {{3, 1.0}}));
      }
    };
    const kd::CsrMatrix train({3, 4}, {0, 1, 2, 3}, {0, 1, 2}, {1, 1, 1}), test({3, 4}, {0, 1, 2, 3}, {3, 3, 3}, {1, 1, 1});
    const auto take = [](kd::Index, std::span<const kd::Scored>) {};
    for (const std::size_t count : {std::size_t{2}, std::size_t{4}}) {
      const std::string words = "the number of lists from recommend_all is " + std::to_string(count) + "; it must be 3";
      CHECK_THROWS_WITH_AS((void)kd::evaluate(Lists{count}, train, test), doctest::Contains(words.c_str()), kd::InvalidArgument);
      CHECK_THROWS_WITH_AS(kd::recommend_all(Lists{count}, kd::rows_between(train, 0, 3), {}, take), doctest::Contains(words.c_str()),
                           kd::InvalidArgument);
    }
    CHECK(kd::evaluate(Lists{3}, train, test).at(10).hit_rate.mean == 1.0);
  }
}
