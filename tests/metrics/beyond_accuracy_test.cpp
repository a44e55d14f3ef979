// SPDX-License-Identifier: MIT
#include <kindred/metrics/beyond_accuracy.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

namespace kd = kindred;
using doctest::Approx;

namespace {

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0.0, aa = 0.0, bb = 0.0;
  for (std::size_t f = 0; f < a.size(); ++f) {
    dot += static_cast<double>(a[f]) * static_cast<double>(b[f]);
    aa += static_cast<double>(a[f]) * static_cast<double>(a[f]);
    bb += static_cast<double>(b[f]) * static_cast<double>(b[f]);
  }
  return aa > 0.0 && bb > 0.0 ? dot / std::sqrt(aa * bb) : 0.0;
}

}  // namespace

TEST_SUITE("metrics/beyond_accuracy") {
  TEST_CASE("coverage by hand") {
    const std::vector<std::vector<kd::Index>> lists{{0, 2}, {2, 3}, {}};
    const std::vector<kd::Offset> counts = kd::metrics::recommendation_counts(lists, 5);
    CHECK(counts == std::vector<kd::Offset>{1, 0, 2, 1, 0});
    CHECK(kd::detail::distinct_items(counts) == 3);
    CHECK(kd::metrics::catalogue_coverage(counts, 5) == Approx(0.6));
    CHECK(kd::metrics::catalogue_coverage(lists, 5) == Approx(0.6));
    CHECK(kd::metrics::catalogue_coverage(counts, 4) == Approx(0.75));  // four of the five have train data
    CHECK(kd::metrics::catalogue_coverage(counts, 3) == 1.0);
    CHECK(kd::metrics::catalogue_coverage(std::vector<std::vector<kd::Index>>{}, 5) == 0.0);
  }

  TEST_CASE("novelty by hand: everybody's item is worth no bit, nobody's is worth log2(n + 1)") {
    const std::vector<kd::Index> users_per_item{7, 0, 3, 1};
    CHECK(kd::metrics::novelty(std::vector<kd::Index>{0}, users_per_item, 7) == 0.0);
    CHECK(kd::metrics::novelty(std::vector<kd::Index>{1}, users_per_item, 7) == Approx(3.0));
    CHECK(kd::metrics::novelty(std::vector<kd::Index>{2, 3}, users_per_item, 7) == Approx((1.0 + 2.0) / 2.0));
  }

  TEST_CASE("inequality by hand") {
    CHECK(kd::metrics::recommendation_gini(std::vector<kd::Offset>{4, 4, 4, 4}) == Approx(0.0));
    CHECK(kd::metrics::recommendation_gini(std::vector<kd::Offset>{0, 8, 0, 0}) == Approx(0.75));
    CHECK(kd::metrics::recommendation_gini(std::vector<kd::Offset>{1, 3}) == Approx(0.25));  // (-1 * 1 + 1 * 3) / (2 * 4)
    CHECK(kd::metrics::recommendation_gini(std::vector<kd::Offset>{0, 0}) == 0.0);
    CHECK(kd::metrics::recommendation_gini({}) == 0.0);
  }

  // Items 0 and 1 point the same way, 2 is square to them, 3 is opposite to 0, 4 has no direction.
  TEST_CASE("diversity by hand") {
    const std::vector<float> values{1, 0, 2, 0, 0, 3, -1, 0, 0, 0};
    const kd::FactorMatrix<float> factors(5, 2, values);
    CHECK(kd::metrics::intra_list_diversity(std::vector<kd::Index>{0, 1}, factors) == Approx(0.0));
    CHECK(kd::metrics::intra_list_diversity(std::vector<kd::Index>{0, 2}, factors) == Approx(1.0));
    CHECK(kd::metrics::intra_list_diversity(std::vector<kd::Index>{0, 3}, factors) == Approx(2.0));
    CHECK(kd::metrics::intra_list_diversity(std::vector<kd::Index>{0, 1, 2}, factors) == Approx(2.0 / 3.0));
    CHECK(kd::metrics::intra_list_diversity(std::vector<kd::Index>{0, 4}, factors) == Approx(1.0));  // no direction: cosine 0
    CHECK(kd::metrics::intra_list_diversity(std::vector<kd::Index>{0, 1, 4}, factors) == Approx(2.0 / 3.0));
  }

  TEST_CASE("diversity agrees with the mean over all pairs, is never negative, and needs no unit vectors") {
    kd::detail::Random random(1, kd::detail::RandomStream::sample);
    for (int round = 0; round < 30; ++round) {
      kd::FactorMatrix<float> factors(20, 7);
      std::vector<kd::Index> ranked;
      for (kd::Index i = 0; i < 20; ++i) {
        ranked.push_back(i);
        for (float& f : factors.row(i)) f = static_cast<float>(random.normal());
      }
      for (float& f : factors.row(3)) f = 0.0F;
      double sum = 0.0;
      for (kd::Index a = 0; a < 20; ++a)
        for (kd::Index b = 0; b < a; ++b) sum += 1.0 - cosine(factors.row(a), factors.row(b));
      // 20 unit vectors of 7 factors: 20 * 20 * eps / 190 per sum, far below 1e-13.
      CHECK(std::abs(kd::metrics::intra_list_diversity(ranked, factors) - sum / 190.0) < 1e-13);
      for (kd::Index i = 1; i < 20; ++i)
        for (std::size_t f = 0; f < 7; ++f) factors.row(i)[f] = factors.row(0)[f];
      const double same = kd::metrics::intra_list_diversity(ranked, factors);
      CHECK(same >= 0.0);
      CHECK(same < 1e-13);
    }
  }

  TEST_CASE("double factors too") {
    const std::vector<double> values{1, 0, 0, 1};
    CHECK(kd::metrics::intra_list_diversity(std::vector<kd::Index>{0, 1}, kd::FactorMatrix<double>(2, 2, values)) == Approx(1.0));
  }

  TEST_CASE("what it refuses, and in which words") {
    const std::vector<std::vector<kd::Index>> lists{{0, 5}};
    const std::vector<kd::Offset> counts{1, 1, 1};
    const std::vector<kd::Index> users_per_item{7, 9};
    CHECK_THROWS_WITH_AS((void)kd::metrics::recommendation_counts(lists, 5), "ranked[1] is 5; it must be an item index in [0, 5)",
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::metrics::recommendation_counts(lists, -1), "n_items is -1; it must be at least 0", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::metrics::catalogue_coverage(counts, 0), "n_items is 0; it must be at least 1", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::metrics::catalogue_coverage(counts, 2),
                         "n_items is 2; it must be at least the number of distinct recommended items, 3", kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::metrics::recommendation_gini(std::vector<kd::Offset>{-1}), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::metrics::novelty({}, users_per_item, 8), "ranked is an empty list; it must be at least one item",
                         kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::metrics::novelty(std::vector<kd::Index>{2}, users_per_item, 8), kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::metrics::novelty(std::vector<kd::Index>{0}, users_per_item, 0), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::metrics::novelty(std::vector<kd::Index>{1}, users_per_item, 8),
                         "users_per_item[1] is 9; it must be in [0, 8]", kd::InvalidArgument);
    const kd::FactorMatrix<float> factors(2, 3);
    CHECK_THROWS_WITH_AS((void)kd::metrics::intra_list_diversity(std::vector<kd::Index>{1}, factors),
                         "length of ranked is 1; it must be at least 2", kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::metrics::intra_list_diversity(std::vector<kd::Index>{0, 2}, factors), kd::InvalidArgument);
  }
}
