// SPDX-License-Identifier: MIT
#include <kindred/metrics/ranking.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

namespace kd = kindred;
using doctest::Approx;

namespace {

struct List {
  std::vector<kd::Index> ranked;
  std::vector<kd::Index> relevant;
};

// A list of `shown` of 60 items, and between 1 and 12 relevant ones.
List random_list(std::uint64_t seed, std::size_t shown) {
  kd::detail::Random random(seed, kd::detail::RandomStream::sample);
  std::vector<kd::Index> items(60);
  std::iota(items.begin(), items.end(), 0);
  List list;
  kd::detail::shuffle_front(std::span<kd::Index>(items), 12, random);
  list.relevant.assign(items.begin(), items.begin() + 1 + static_cast<std::ptrdiff_t>(random.below(12)));
  std::sort(list.relevant.begin(), list.relevant.end());
  kd::detail::shuffle_front(std::span<kd::Index>(items), shown, random);
  list.ranked.assign(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(shown));
  return list;
}

// The definitions, written down the long way.
kd::RankingScores by_definition(const List& list, std::size_t cutoff, const kd::RankingOptions& options) {
  const std::set<kd::Index> relevant(list.relevant.begin(), list.relevant.end());
  const auto hits_in = [&](std::size_t length) {
    double hits = 0.0;
    for (std::size_t i = 0; i < (std::min)(length, list.ranked.size()); ++i) hits += relevant.count(list.ranked[i]) > 0 ? 1.0 : 0.0;
    return hits;
  };
  const auto t = static_cast<double>(relevant.size());
  const auto k = static_cast<double>(cutoff);
  kd::RankingScores s;
  s.precision = hits_in(cutoff) / k;
  s.recall = hits_in(cutoff) / (options.recall_denominator == kd::RankingOptions::RecallDenominator::relevant ? t : (std::min)(k, t));
  double dcg = 0.0, ideal = 0.0, sum = 0.0;
  for (std::size_t rank = 1; rank <= cutoff; ++rank) {
    const auto r = static_cast<double>(rank);
    const bool hit = hits_in(rank) > hits_in(rank - 1);
    if (hit) dcg += 1.0 / std::log2(r + 1.0);
    if (hit) sum += hits_in(rank) / r;
    if (hit && s.reciprocal_rank == 0.0) s.reciprocal_rank = 1.0 / r;
    if (r <= t) ideal += 1.0 / std::log2(r + 1.0);
  }
  s.ndcg = dcg / ideal;
  s.average_precision = sum / (options.ap_denominator == kd::RankingOptions::ApDenominator::relevant ? t : (std::min)(k, t));
  s.hit_rate = hits_in(cutoff) > 0.0 ? 1.0 : 0.0;
  return s;
}

bool same_bits(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

}  // namespace

TEST_SUITE("metrics/ranking") {
  // By hand: hits at ranks 1 and 3 of three relevant items.
  TEST_CASE("a score by its metric") {
    const kd::RankingScores scores{
        .precision = 0.1, .recall = 0.2, .ndcg = 0.3, .average_precision = 0.4, .reciprocal_rank = 0.5, .hit_rate = 0.6};
    CHECK(scores.of(kd::Metric::precision) == 0.1);
    CHECK(scores.of(kd::Metric::recall) == 0.2);
    CHECK(scores.of(kd::Metric::ndcg) == 0.3);
    CHECK(scores.of(kd::Metric::map) == 0.4);
    CHECK(scores.of(kd::Metric::mrr) == 0.5);
    CHECK(scores.of(kd::Metric::hit_rate) == 0.6);
  }

  TEST_CASE("a hand-computed list") {
    const std::vector<kd::Index> ranked{7, 1, 3, 9}, relevant{3, 7, 8};
    CHECK(kd::metrics::precision(ranked, relevant, 4) == Approx(2.0 / 4.0));
    CHECK(kd::metrics::recall(ranked, relevant, 4) == Approx(2.0 / 3.0));
    CHECK(kd::metrics::ndcg(ranked, relevant, 4) == Approx(1.5 / 2.1309297535714573));  // (1 + 1/2) / (1 + 1/log2(3) + 1/2)
    CHECK(kd::metrics::average_precision(ranked, relevant, 4) == Approx((1.0 + 2.0 / 3.0) / 3.0));
    CHECK(kd::metrics::reciprocal_rank(ranked, relevant, 4) == Approx(1.0));
    CHECK(kd::metrics::hit_rate(ranked, relevant, 4) == 1.0);
  }

  TEST_CASE("only the first K places count") {
    const std::vector<kd::Index> ranked{5, 1, 3, 9}, relevant{3, 9};
    CHECK(kd::metrics::precision(ranked, relevant, 2) == 0.0);
    CHECK(kd::metrics::hit_rate(ranked, relevant, 2) == 0.0);
    CHECK(kd::metrics::reciprocal_rank(ranked, relevant, 2) == 0.0);
    CHECK(kd::metrics::reciprocal_rank(ranked, relevant, 3) == Approx(1.0 / 3.0));
    CHECK(kd::metrics::average_precision(ranked, relevant, 4) == Approx((1.0 / 3.0 + 2.0 / 4.0) / 2.0));
  }

  TEST_CASE("a list shorter than K is not forgiven in precision") {
    const std::vector<kd::Index> ranked{3}, relevant{3, 9};
    CHECK(kd::metrics::precision(ranked, relevant, 10) == Approx(0.1));
    CHECK(kd::metrics::recall(ranked, relevant, 10) == Approx(0.5));
    CHECK(kd::metrics::precision({}, relevant, 10) == 0.0);
    CHECK(kd::metrics::ndcg({}, relevant, 10) == 0.0);
  }

  // Ten relevant items, two shown, both hits: what the two denominators say of a perfect list.
  TEST_CASE("the named denominators") {
    std::vector<kd::Index> relevant(10);
    std::iota(relevant.begin(), relevant.end(), 0);
    const std::vector<kd::Index> ranked{0, 1};
    CHECK(kd::metrics::recall(ranked, relevant, 2, kd::RankingOptions::RecallDenominator::relevant) == Approx(0.2));
    CHECK(kd::metrics::recall(ranked, relevant, 2, kd::RankingOptions::RecallDenominator::min_cutoff_relevant) == Approx(1.0));
    CHECK(kd::metrics::average_precision(ranked, relevant, 2, kd::RankingOptions::ApDenominator::min_cutoff_relevant) == Approx(1.0));
    CHECK(kd::metrics::average_precision(ranked, relevant, 2, kd::RankingOptions::ApDenominator::relevant) == Approx(0.2));
  }

  // By hand: gains 10, 1, 5 of items 3, 7, 8; the list shows 7 and 3 at ranks 1 and 3; the best order is 3, 8, 7.
  TEST_CASE("count gains by hand") {
    const std::vector<kd::Index> ranked{7, 1, 3, 9}, relevant{3, 7, 8};
    const std::vector<float> gains{10.0F, 1.0F, 5.0F};
    const double log2_3 = std::log2(3.0);
    CHECK(kd::metrics::ndcg_with_gains(ranked, relevant, gains, 4) == Approx((1.0 + 10.0 / 2.0) / (10.0 + 5.0 / log2_3 + 1.0 / 2.0)));
    CHECK(kd::metrics::ndcg_with_gains(ranked, relevant, gains, 1) == Approx(1.0 / 10.0));
  }

  TEST_CASE("equal gains are binary gain, whatever their size") {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      const List list = random_list(seed, 25);
      const std::vector<float> gains(list.relevant.size(), 7.5F);
      // A quotient of two sums of at most 25 terms: 25 * eps is about 6e-15.
      CHECK(std::abs(kd::metrics::ndcg_with_gains(list.ranked, list.relevant, gains, 20) -
                     kd::metrics::ndcg(list.ranked, list.relevant, 20)) < 1e-14);
    }
  }

  TEST_CASE("a perfect list scores 1, also when fewer items are relevant than shown") {
    const std::vector<kd::Index> ranked{4, 2, 0, 1}, relevant{2, 4};
    CHECK(kd::metrics::ndcg(ranked, relevant, 4) == Approx(1.0));
    CHECK(kd::metrics::average_precision(ranked, relevant, 4) == Approx(1.0));
    CHECK(kd::metrics::recall(ranked, relevant, 4) == Approx(1.0));
  }

  // A property: moving a hit up never lowers the score.
  TEST_CASE("earlier hits are worth more") {
    std::vector<kd::Index> ranked(20);
    std::iota(ranked.begin(), ranked.end(), 0);
    const std::vector<kd::Index> relevant{19};
    kd::RankingScores last;
    for (;;) {
      const kd::RankingScores now = kd::metrics::ranking_scores(ranked, relevant, std::vector<std::size_t>{20}).front();
      CHECK(now.ndcg > last.ndcg);
      CHECK(now.average_precision > last.average_precision);
      CHECK(now.reciprocal_rank > last.reciprocal_rank);
      CHECK(now.precision == Approx(1.0 / 20.0));
      last = now;
      if (ranked.front() == 19) break;
      const auto hit = std::find(ranked.begin(), ranked.end(), 19);
      std::iter_swap(hit, hit - 1);
    }
  }

  TEST_CASE("random lists agree with the definitions") {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      const List list = random_list(seed, seed % 40);
      for (const kd::RankingOptions& options :
           {kd::RankingOptions{},
            kd::RankingOptions{kd::RankingOptions::RecallDenominator::min_cutoff_relevant, kd::RankingOptions::ApDenominator::relevant}}) {
        const std::vector<std::size_t> cutoffs{1, 2, 5, 13, 30};
        const std::vector<kd::RankingScores> scores = kd::metrics::ranking_scores(list.ranked, list.relevant, cutoffs, options);
        REQUIRE(scores.size() == cutoffs.size());
        for (std::size_t c = 0; c < cutoffs.size(); ++c) {
          const kd::RankingScores wanted = by_definition(list, cutoffs[c], options);
          // Sums of at most 30 terms of at most 1: 30 * eps is 7e-15.
          CHECK(std::abs(scores[c].precision - wanted.precision) < 1e-14);
          CHECK(std::abs(scores[c].recall - wanted.recall) < 1e-14);
          CHECK(std::abs(scores[c].ndcg - wanted.ndcg) < 1e-14);
          CHECK(std::abs(scores[c].average_precision - wanted.average_precision) < 1e-14);
          CHECK(std::abs(scores[c].reciprocal_rank - wanted.reciprocal_rank) < 1e-14);
          CHECK(scores[c].hit_rate == wanted.hit_rate);
          for (const double score : {scores[c].precision, scores[c].recall, scores[c].ndcg, scores[c].average_precision,
                                     scores[c].reciprocal_rank, scores[c].hit_rate}) {
            CHECK(score >= 0.0);
            CHECK(score <= 1.0 + 1e-14);
          }
        }
      }
    }
  }

  TEST_CASE("one pass and the single functions agree to the last bit") {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      const List list = random_list(seed, seed % 40);
      const std::vector<std::size_t> cutoffs{1, 3, 10, 11, 25};
      for (const auto over_recall :
           {kd::RankingOptions::RecallDenominator::relevant, kd::RankingOptions::RecallDenominator::min_cutoff_relevant}) {
        for (const auto over_ap : {kd::RankingOptions::ApDenominator::relevant, kd::RankingOptions::ApDenominator::min_cutoff_relevant}) {
          const auto scores = kd::metrics::ranking_scores(list.ranked, list.relevant, cutoffs, {over_recall, over_ap});
          for (std::size_t c = 0; c < cutoffs.size(); ++c) {
            const std::size_t k = cutoffs[c];
            CHECK(same_bits(scores[c].precision, kd::metrics::precision(list.ranked, list.relevant, k)));
            CHECK(same_bits(scores[c].recall, kd::metrics::recall(list.ranked, list.relevant, k, over_recall)));
            CHECK(same_bits(scores[c].ndcg, kd::metrics::ndcg(list.ranked, list.relevant, k)));
            CHECK(same_bits(scores[c].average_precision, kd::metrics::average_precision(list.ranked, list.relevant, k, over_ap)));
            CHECK(same_bits(scores[c].reciprocal_rank, kd::metrics::reciprocal_rank(list.ranked, list.relevant, k)));
            CHECK(same_bits(scores[c].hit_rate, kd::metrics::hit_rate(list.ranked, list.relevant, k)));
          }
        }
      }
    }
  }

  TEST_CASE("recall and hit rate never fall with K") {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      const List list = random_list(seed, 40);
      std::vector<std::size_t> cutoffs(40);
      std::iota(cutoffs.begin(), cutoffs.end(), std::size_t{1});
      const auto scores = kd::metrics::ranking_scores(list.ranked, list.relevant, cutoffs);
      for (std::size_t c = 1; c < scores.size(); ++c) {
        CHECK(scores[c].recall >= scores[c - 1].recall);
        CHECK(scores[c].hit_rate >= scores[c - 1].hit_rate);
        CHECK(scores[c].reciprocal_rank >= scores[c - 1].reciprocal_rank);
      }
    }
  }

  // A look back at the list for every hit would be 2 * 10^10 comparisons.
  TEST_CASE("a list of 200,000 hits, and repeats beyond the first places") {
    std::vector<kd::Index> relevant(200'000), ranked;
    std::iota(relevant.begin(), relevant.end(), 0);
    ranked.assign(relevant.rbegin(), relevant.rend());
    CHECK(kd::metrics::ndcg(ranked, relevant, 200'000) == 1.0);
    CHECK(kd::metrics::average_precision(ranked, relevant, 100'000) == 1.0);
    // The repeat may be of an early place or a late one, and stand on either side of the place where looking back ends.
    for (const std::size_t again : {255U, 256U, 257U, 5'000U, 199'999U})
      for (const std::size_t first : {0U, 254U, 4'999U}) {
        if (first >= again) continue;
        std::vector<kd::Index> list = ranked;
        list[again] = list[first];
        CHECK_THROWS_WITH_AS((void)kd::metrics::recall(list, relevant, 200'000),
                             doctest::Contains(("ranked[" + std::to_string(again) + "]").c_str()), kd::InvalidArgument);
        CHECK_NOTHROW((void)kd::metrics::recall(list, relevant, again));
        CHECK_THROWS_AS((void)kd::metrics::ndcg_with_gains(list, relevant, std::vector<float>(200'000, 1.0F), 200'000),
                        kd::InvalidArgument);
      }
  }

  TEST_CASE("a cutoff beyond every list costs nothing") {
    const std::vector<kd::Index> ranked{7, 1, 3, 9}, relevant{3, 7, 8};
    const std::size_t huge = (std::numeric_limits<std::size_t>::max)();
    CHECK(kd::metrics::recall(ranked, relevant, huge) == Approx(2.0 / 3.0));
    CHECK(kd::metrics::ndcg(ranked, relevant, huge) == Approx(1.5 / 2.1309297535714573));
  }

  TEST_CASE("what it refuses, and in which words") {
    const std::vector<kd::Index> ranked{1, 2, 1}, relevant{1, 4};
    const std::vector<std::size_t> none, falling{5, 5}, zero{0, 5};
    CHECK_THROWS_WITH_AS((void)kd::metrics::ndcg(ranked, relevant, 0), "cutoff is 0; it must be at least 1", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::metrics::precision(ranked, {}, 1), "relevant is an empty list; it must be at least one item",
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::metrics::recall(ranked, std::vector<kd::Index>{4, 1}, 1),
                         "relevant[1] is 1; it must be above the entry before it, which is 4: sorted, without repeats",
                         kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::metrics::hit_rate(ranked, std::vector<kd::Index>{4, 4}, 1), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::metrics::average_precision(ranked, relevant, 3),
                         "ranked[2] is 1; it must be an item that does not stand earlier in the list", kd::InvalidArgument);
    CHECK_NOTHROW((void)kd::metrics::average_precision(ranked, relevant, 2));  // the repeat is beyond the cutoff
    CHECK_THROWS_WITH_AS((void)kd::metrics::ranking_scores(ranked, relevant, none),
                         "cutoffs is an empty list; it must be at least one cutoff", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::metrics::ranking_scores(ranked, relevant, falling),
                         "cutoffs[1] is 5; it must be above the cutoff before it, which is 5", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::metrics::ranking_scores(ranked, relevant, std::vector<std::size_t>{1, 2, 7, 4}),
                         "cutoffs[3] is 4; it must be above the cutoff before it, which is 7", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::metrics::ranking_scores(ranked, relevant, zero), "cutoffs[0] is 0; it must be at least 1",
                         kd::InvalidArgument);

    CHECK_THROWS_WITH_AS((void)kd::metrics::ndcg_with_gains(ranked, relevant, std::vector<float>{1.0F}, 2),
                         "gains has 1 entries; relevant has 2", kd::ShapeError);
    CHECK_THROWS_WITH_AS((void)kd::metrics::ndcg_with_gains(ranked, relevant, std::vector<float>{1.0F, 0.0F}, 2),
                         "gains[1] is 0; it must be positive and finite", kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::metrics::ndcg_with_gains(ranked, relevant, std::vector<float>{std::nanf(""), 1.0F}, 2), kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::metrics::ndcg_with_gains(ranked, relevant, std::vector<float>{1.0F, 1.0F}, 0), kd::InvalidArgument);
  }
}
