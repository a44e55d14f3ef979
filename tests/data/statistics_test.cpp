// SPDX-License-Identifier: MIT
#include <kindred/data/statistics.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

#include "../support/random_matrix.hpp"

namespace kd = kindred;
using doctest::Approx;

namespace {

const double not_a_number = std::numeric_limits<double>::quiet_NaN();
const double infinity = std::numeric_limits<double>::infinity();

// Half the mean absolute difference of all pairs, over the mean.
double gini_by_pairs(const std::vector<double>& x) {
  double differences = 0.0, sum = 0.0;
  for (const double a : x) {
    sum += a;
    for (const double b : x) differences += std::abs(a - b);
  }
  return differences / (2.0 * static_cast<double>(x.size()) * sum);
}

}  // namespace

TEST_SUITE("data/statistics") {
  // numpy.quantile([1, 2, 4, 8], p)
  TEST_CASE("quantiles by hand") {
    const std::vector<double> values{8, 1, 4, 2};
    CHECK(kd::statistics::quantile(values, 0.0) == 1.0);
    CHECK(kd::statistics::quantile(values, 0.25) == Approx(1.75));
    CHECK(kd::statistics::quantile(values, 0.5) == Approx(3.0));
    CHECK(kd::statistics::quantile(values, 0.9) == Approx(6.8));
    CHECK(kd::statistics::quantile(values, 1.0) == 8.0);
    CHECK(kd::statistics::quantile(std::vector<double>{5}, 0.3) == 5.0);
  }

  TEST_CASE("inequality by hand, and as the mean difference of all pairs") {
    CHECK(kd::statistics::gini(std::vector<double>{1, 1, 1}) == Approx(0.0));
    CHECK(kd::statistics::gini(std::vector<double>{0, 0, 0, 5}) == Approx(0.75));
    CHECK(kd::statistics::gini(std::vector<double>{3, 1}) == Approx(0.25));
    CHECK(kd::statistics::gini({}) == 0.0);
    CHECK(kd::statistics::gini(std::vector<double>{0, 0}) == 0.0);
    kd::detail::Random random(1, kd::detail::RandomStream::sample);
    for (int round = 0; round < 20; ++round) {
      std::vector<double> values(1 + random.below(50));
      for (double& value : values) value = 10.0 * random.uniform();
      // Sums of up to 2,500 terms.
      CHECK(std::abs(kd::statistics::gini(values) - gini_by_pairs(values)) < 1e-12);
      std::vector<double> scaled = values;
      for (double& value : scaled) value *= 1000.0;
      CHECK(kd::statistics::gini(scaled) == Approx(kd::statistics::gini(values)));
    }
  }

  // scipy.stats.spearmanr: 1 - 6 * (1 + 1 + 0 + 0) / (4 * 15) without ties; with ties the mean ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4.
  TEST_CASE("rank correlation by hand") {
    const std::vector<double> rising{1, 2, 3, 4}, swapped{20, 10, 30, 900}, falling{4, 3, 2, 1}, tied{1, 5, 5, 6}, constant{2, 2, 2, 2};
    CHECK(*kd::statistics::spearman(rising, swapped) == Approx(0.8));
    CHECK(*kd::statistics::spearman(rising, falling) == Approx(-1.0));
    CHECK(*kd::statistics::spearman(rising, tied) == Approx(4.5 / std::sqrt(4.5 * 5.0)));
    CHECK(kd::statistics::spearman(tied, rising) == kd::statistics::spearman(rising, tied));
    CHECK_FALSE(kd::statistics::spearman(rising, constant).has_value());
    CHECK_FALSE(kd::statistics::spearman({}, {}).has_value());
    CHECK_THROWS_WITH_AS((void)kd::statistics::spearman(rising, std::vector<double>{1}), "a has 4 values and b has 1", kd::ShapeError);
  }

  TEST_CASE("a histogram by hand: powers of two fall into the bin that they begin") {
    const std::vector<double> values{1, 1.5, 2, 3.99, 4, 9, 0, -1, not_a_number, infinity};
    const std::vector<kd::statistics::HistogramBin> bins = kd::statistics::log_histogram(values);
    REQUIRE(bins.size() == 4);
    const std::vector<double> lows{1, 2, 4, 8};
    const std::vector<std::uint64_t> counts{2, 2, 1, 1};
    for (std::size_t n = 0; n < 4; ++n) {
      CHECK(bins[n].low == lows[n]);
      CHECK(bins[n].high == 2.0 * lows[n]);
      CHECK(bins[n].count == counts[n]);
    }
    CHECK(kd::statistics::log_histogram(std::vector<double>{0.3})[0].low == 0.25);
    CHECK(kd::statistics::log_histogram(std::vector<double>{1000.0, 10.0}, 10.0).size() == 3);
    CHECK(kd::statistics::log_histogram(std::vector<double>{0.0, -3.0}).empty());
    CHECK(kd::statistics::log_histogram({}).empty());
  }

  TEST_CASE("every value is in its bin, at every size and ratio") {
    kd::detail::Random random(2, kd::detail::RandomStream::sample);
    for (const double ratio : {1.001, 1.1, 1.5, 2.0, 3.7, 10.0, 1e6}) {
      std::vector<double> values;
      for (int n = 0; n < 500; ++n) values.push_back(std::ldexp(1.0 + random.uniform(), static_cast<int>(random.below(60)) - 30));
      const std::vector<kd::statistics::HistogramBin> bins = kd::statistics::log_histogram(values, ratio);
      std::uint64_t total = 0;
      bool right = true;
      for (std::size_t n = 0; n < bins.size(); ++n) {
        std::uint64_t count = 0;
        for (const double value : values) count += value >= bins[n].low && value < bins[n].high ? 1U : 0U;
        right = right && count == bins[n].count && (n == 0 || bins[n].low == bins[n - 1].high);
        total += bins[n].count;
      }
      CHECK(right);
      CHECK(total == values.size());
      CHECK(bins.front().count > 0);
      CHECK(bins.back().count > 0);
    }
  }

  // It used to run for ever on numbers below the normal ones.
  TEST_CASE("the smallest and the largest numbers") {
    const std::vector<double> values{std::numeric_limits<double>::denorm_min(), 1e-310, (std::numeric_limits<double>::min)(),
                                     (std::numeric_limits<double>::max)()};
    for (const double ratio : {1.1, 2.0, 1e6}) {
      std::uint64_t total = 0;
      for (const kd::statistics::HistogramBin& bin : kd::statistics::log_histogram(values, ratio)) total += bin.count;
      CHECK(total == 2);
    }
  }

  TEST_CASE("a summary by hand") {
    std::vector<double> values;
    for (int n = 100; n >= 0; --n) values.push_back(n);
    const kd::statistics::Summary s = kd::statistics::summarize(values);
    CHECK(s.count == 101);
    CHECK(s.sum == Approx(5050.0));
    CHECK(s.mean == Approx(50.0));
    CHECK(s.min == 0.0);
    CHECK(s.quantile_25 == Approx(25.0));
    CHECK(s.median == Approx(50.0));
    CHECK(s.quantile_75 == Approx(75.0));
    CHECK(s.quantile_90 == Approx(90.0));
    CHECK(s.quantile_99 == Approx(99.0));
    CHECK(s.max == 100.0);
    CHECK(kd::statistics::summarize({}).count == 0);
  }

  TEST_CASE("a matrix's three distributions") {
    const kd::CsrMatrix matrix({2, 3}, {0, 2, 3}, {0, 1, 1}, {4, 5, 6});
    const kd::statistics::MatrixStatistics s = kd::statistics::describe(matrix);
    CHECK(s.values == std::vector<double>{4, 5, 6});
    CHECK(s.items_per_user == std::vector<double>{2, 1});
    CHECK(s.users_per_item == std::vector<double>{1, 2, 0});
    CHECK(s.density == Approx(0.5));
    CHECK(s.item_gini == Approx(4.0 / 9.0));  // (-2 * 0 + 0 * 1 + 2 * 2) / (3 * 3)
    CHECK(kd::statistics::describe(kd::CsrMatrix()).density == 0.0);
  }

  TEST_CASE("what it refuses, and in which words") {
    const std::vector<double> good{1, 2};
    CHECK_THROWS_WITH_AS((void)kd::statistics::quantile({}, 0.5), "values is an empty list; it must be at least one value",
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::statistics::quantile(good, 1.5), "probability is 1.5; it must be in [0, 1]", kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::statistics::quantile(good, not_a_number), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::statistics::gini(std::vector<double>{1, -1}), "value is -1; it must be finite and at least 0",
                         kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::statistics::gini(std::vector<double>{infinity}), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::statistics::log_histogram(good, 1.0), "ratio is 1; it must be in [1.001, 1e6]", kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::statistics::log_histogram(good, infinity), kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::statistics::log_histogram(good, not_a_number), kd::InvalidArgument);
    // A NaN has no place in an order: sorting one is undefined.
    CHECK_THROWS_AS((void)kd::statistics::quantile(std::vector<double>{1, not_a_number, 2}, 0.5), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::statistics::summarize(std::vector<double>{1, infinity}), "value is inf; it must be finite",
                         kd::InvalidArgument);
  }
}
