// SPDX-License-Identifier: MIT
#include <kindred/evaluation/compare.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

namespace kd = kindred;
using doctest::Approx;
using doctest::Contains;

namespace {

/// A report with these NDCG at 10, one a user.
kd::RankingReport report_of(const std::vector<double>& values) {
  kd::RankingReport report;
  report.cutoffs.resize(2);
  report.cutoffs[0].cutoff = 5;
  report.cutoffs[1].cutoff = 10;
  for (std::size_t u = 0; u < values.size(); ++u) {
    kd::RankingReport::UserScores scores{static_cast<kd::Index>(2 * u), std::vector<kd::RankingScores>(2)};
    scores.cutoffs[1].ndcg = values[u];
    report.per_user.push_back(scores);
  }
  return report;
}

}  // namespace

TEST_SUITE("evaluation/compare") {
  TEST_CASE("several windows by hand: each counts the same, and the error is over windows") {
    const std::vector<kd::RankingReport> first{report_of({0, 0, 0, 0}), report_of({0.5, 0.5}), report_of({0, 1, 0})};
    const std::vector<kd::RankingReport> second{report_of({1, 0, 1, 0}), report_of({0.6, 0.6}), report_of({0, 1, 0.9})};
    const kd::Comparison c = kd::compare(first, second);
    // Differences .5, .1, .3: mean .3, sd .2, error .2 / sqrt(3); 4.30265 is t of 2 degrees.
    CHECK(c.difference.mean == Approx(0.3));
    CHECK(c.difference.standard_error == Approx(0.2 / std::sqrt(3.0)));
    CHECK(c.difference.low == Approx(0.3 - 4.30265 * 0.2 / std::sqrt(3.0)).epsilon(1e-5));
    CHECK(c.difference.count == 3);
    CHECK(c.first == Approx((0 + 0.5 + 1.0 / 3) / 3));
    CHECK(c.second == Approx((0.5 + 0.6 + 1.9 / 3) / 3));
    CHECK(c.second_better == 5);
    CHECK(c.first_better == 0);
    CHECK(c.ties == 4);
    CHECK_THROWS_WITH_AS((void)kd::compare(std::span(first).first(2), second), Contains("first has 2 windows and second 3"),
                         kd::ShapeError);
    CHECK_THROWS_WITH_AS((void)kd::compare(std::span(first).first(1), std::span(second).first(1)), Contains("windows is 1"),
                         kd::InvalidArgument);
  }

  TEST_CASE("Student's t by its tables") {
    // Two-sided 95 %: 12.7062 (1), 4.30265 (2), 2.77645 (4), 2.26216 (9), 1.98422 (100).
    CHECK(kd::detail::t_quantile(0.95, 1) == Approx(12.7062).epsilon(1e-5));
    CHECK(kd::detail::t_quantile(0.95, 2) == Approx(4.30265).epsilon(1e-5));
    CHECK(kd::detail::t_quantile(0.95, 4) == Approx(2.77645).epsilon(1e-5));
    CHECK(kd::detail::t_quantile(0.95, 9) == Approx(2.26216).epsilon(1e-5));
    CHECK(kd::detail::t_quantile(0.95, 100) == Approx(1.98397).epsilon(1e-5));
    CHECK(kd::detail::t_quantile(0.95, 1e6) == Approx(1.95997).epsilon(1e-5));
    // One degree of freedom is Cauchy's, two have a closed form.
    for (const double t : {0.1, 1.0, 3.0, 40.0}) {
      CHECK(kd::detail::two_sided_t(t, 1) == Approx(1.0 - 2.0 / std::acos(-1.0) * std::atan(t)).epsilon(1e-10));
      CHECK(kd::detail::two_sided_t(t, 2) == Approx(1.0 - t / std::sqrt(2.0 + t * t)).epsilon(1e-9));
    }
  }

  TEST_CASE("two models on four users by hand") {
    const kd::Comparison c = kd::compare(report_of({0.1, 0.2, 0.3, 0.4}), report_of({0.2, 0.2, 0.5, 0.3}));
    CHECK(c.first == Approx(0.25));
    CHECK(c.second == Approx(0.3));
    CHECK(c.first_better == 1);
    CHECK(c.second_better == 2);
    CHECK(c.ties == 1);
    // Differences 0.1, 0, 0.2, -0.1: mean 0.05, variance 0.05 / 3, standard error sqrt(0.05 / 3 / 4).
    const double se = std::sqrt(0.05 / 12.0);
    CHECK(c.difference.mean == Approx(0.05));
    CHECK(c.difference.standard_error == Approx(se));
    CHECK(c.difference.high == Approx(0.05 + 3.18245 * se).epsilon(1e-5));
    CHECK(c.difference.low == Approx(0.05 - 3.18245 * se).epsilon(1e-5));
    CHECK(c.difference.count == 4);
    CHECK(c.difference.p_value == Approx(kd::detail::two_sided_t(0.05 / se, 3)));
    const kd::Comparison same = kd::compare(report_of({0.1, 0.2}), report_of({0.1, 0.2}));
    CHECK(same.difference.p_value == 1.0);
    CHECK(same.ties == 2);
  }

  TEST_CASE("an interval of 95 % holds the truth about as often as it says") {
    std::size_t held = 0;
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
      kd::detail::Random random(seed, kd::detail::RandomStream::sample, 8);
      std::vector<double> a(12), b(12);
      for (std::size_t u = 0; u < 12; ++u) {
        a[u] = random.normal();
        b[u] = a[u] + 0.3 + random.normal();
      }
      const kd::MeanDifference d = kd::compare(report_of(a), report_of(b)).difference;
      held += d.low <= 0.3 && 0.3 <= d.high ? 1 : 0;
    }
    CHECK(std::abs(static_cast<double>(held) / 2000.0 - 0.95) < 4.0 * std::sqrt(0.95 * 0.05 / 2000.0));  // four standard errors
  }

  TEST_CASE("the corrected resampled t by hand") {
    const std::vector<double> differences{0.01, 0.02, 0.03, 0.02, 0.02};
    const kd::MeanDifference d = kd::compare_splits(differences, 0.2);
    // Variance of the differences 0.0002 / 4; times 1/5 + 0.25.
    const double se = std::sqrt(0.0002 / 4.0 * 0.45);
    CHECK(d.mean == Approx(0.02));
    CHECK(d.standard_error == Approx(se));
    CHECK(d.high == Approx(0.02 + 2.77645 * se).epsilon(1e-5));
    CHECK(d.p_value == Approx(kd::detail::two_sided_t(0.02 / se, 4)));
    CHECK(d.count == 5);
  }

  TEST_CASE("Holm's correction by hand") {
    const std::vector<double> corrected = kd::holm(std::vector<double>{0.01, 0.04, 0.03, 0.005});
    CHECK(corrected[0] == Approx(0.03));  // second of four
    CHECK(corrected[1] == Approx(0.06));  // not below the one before it
    CHECK(corrected[2] == Approx(0.06));
    CHECK(corrected[3] == Approx(0.02));
    CHECK(kd::holm(std::vector<double>{0.9, 0.8})[0] == 1.0);
    CHECK(kd::holm({}).empty());
  }

  TEST_CASE("agreement of lists by hand") {
    const kd::RankedLists a({{{1, 3}, {2, 2}, {3, 1}}, {{5, 1}}, {}, {{7, 1}, {8, 0}}});
    const kd::RankedLists b({{{2, 3}, {1, 2}, {9, 1}}, {{5, 2}}, {}, {{9, 1}, {10, 0}}});
    const kd::ListAgreement c = kd::compare_lists(a, b, 3);
    CHECK(c.overlap == Approx((2.0 / 3.0 + 1.0 + 1.0 + 0.0) / 4.0));
    CHECK(c.same_lists == Approx(0.5));
    CHECK(c.same_first == Approx(0.5));
    CHECK(c.rank_drift == Approx((1.0 + 1.0 + 0.0) / 3.0));
    CHECK(c.worst_overlap == 0.0);
    CHECK(kd::compare_lists(a, a).overlap == 1.0);
    CHECK(kd::compare_lists(a, b, 1).overlap == Approx(0.5));
  }

  TEST_CASE("what is refused") {
    const kd::RankingReport two = report_of({0.1, 0.2}), three = report_of({0.1, 0.2, 0.3});
    CHECK_THROWS_WITH_AS((void)kd::compare({}, two), Contains(".keep_per_user = true"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::compare(two, three), Contains("the same"), kd::ShapeError);
    CHECK_THROWS_WITH_AS((void)kd::compare(two, two, {.cutoff = 7}), Contains("cutoff is 7"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::compare(two, two, {.confidence = 1.0}), Contains("confidence is 1"), kd::InvalidArgument);
    for (const double bad : {0.0, 1.0, -0.5, std::numeric_limits<double>::quiet_NaN()}) {
      CHECK_THROWS_AS((void)kd::compare(two, two, {.confidence = bad}), kd::InvalidArgument);
      CHECK_THROWS_AS((void)kd::compare_splits(std::vector<double>(5, 0.0), bad), kd::InvalidArgument);
      CHECK_THROWS_AS((void)kd::compare_splits(std::vector<double>(5, 0.0), 0.2, bad), kd::InvalidArgument);
    }
    for (const double inside : {0.01, 0.5, 0.9999}) {
      CHECK_NOTHROW((void)kd::compare(two, two, {.confidence = inside}));
      CHECK_NOTHROW((void)kd::compare_splits(std::vector<double>(5, 0.0), inside, inside));
    }
    CHECK_THROWS_WITH_AS((void)kd::compare_splits(std::vector<double>{0, 0, 0, 0, std::numeric_limits<double>::infinity()}, 0.2),
                         Contains("difference is inf"), kd::InvalidArgument);
    for (const double bad : {-0.01, 1.01, std::numeric_limits<double>::quiet_NaN()})
      CHECK_THROWS_AS((void)kd::holm(std::vector<double>{bad}), kd::InvalidArgument);
    CHECK(kd::holm(std::vector<double>{0.0, 1.0}) == std::vector<double>{0.0, 1.0});
    CHECK_THROWS_AS((void)kd::compare_lists(kd::RankedLists(std::vector<std::vector<kd::Scored>>(1)),
                                            kd::RankedLists(std::vector<std::vector<kd::Scored>>(1)), 0),
                    kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::compare(report_of({0.1}), report_of({0.2})), Contains("users is 1"), kd::InvalidArgument);
    kd::RankingReport other = two;
    other.per_user[1].user = 3;
    CHECK_THROWS_AS((void)kd::compare(two, other), kd::ShapeError);
    CHECK_THROWS_WITH_AS((void)kd::compare_splits(std::vector<double>{1, 2, 3, 4}, 0.2), Contains("splits is 4"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::compare_splits(std::vector<double>(5, 0.0), 1.0), Contains("test_fraction"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::holm(std::vector<double>{1.5}), Contains("p value is 1.5"), kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::compare_lists(kd::RankedLists(), kd::RankedLists()), kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::compare_lists(kd::RankedLists(), kd::RankedLists(std::vector<std::vector<kd::Scored>>(1))), kd::ShapeError);
  }
}
