// SPDX-License-Identifier: MIT
#include <kindred/evaluation/choose.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/error.hpp>

namespace kd = kindred;
using doctest::Approx;
using doctest::Contains;

namespace {

/// A window whose users have these values of NDCG at 10.
kd::RankingReport window(const std::vector<double>& ndcg) {
  kd::RankingReport report;
  report.cutoffs.resize(2);
  report.cutoffs[0].cutoff = 5;
  report.cutoffs[1].cutoff = 10;
  for (std::size_t n = 0; n < ndcg.size(); ++n) {
    kd::RankingReport::UserScores user{static_cast<kd::Index>(n), std::vector<kd::RankingScores>(2)};
    user.cutoffs[1].ndcg = ndcg[n];
    report.per_user.push_back(user);
  }
  return report;
}

}  // namespace

TEST_SUITE("evaluation/choose") {
  TEST_CASE("by hand: the largest gain of those that are sure") {
    const std::vector<kd::RankingReport> plain{window({0.1, 0.2}), window({0.3, 0.4})};
    const std::vector<std::vector<kd::RankingReport>> extras{
        {window({0.2, 0.3}), window({0.4, 0.6})},   // gains .1 .1 .1 .2: t = .125 / .025
        {window({0.9, 0.2}), window({0.3, 0.4})},   // larger, but all of it from one user
        {window({0.1, 0.2}), window({0.3, 0.4})}};  // nothing
    const kd::Choice choice = kd::choose(plain, extras);
    CHECK(choice.plain == Approx(0.25));
    REQUIRE(choice.extras.size() == 3);
    CHECK(choice.extras[0].mean == Approx(0.375));
    CHECK(choice.extras[0].gain.mean == Approx(0.125));
    CHECK(choice.extras[0].gain.count == 4);
    CHECK(choice.extras[0].t == Approx(5.0));
    CHECK(choice.extras[1].t == Approx(1.0));
    CHECK(choice.extras[2].t == 0.0);
    CHECK(choice.kept == 0);
    CHECK(kd::choose(plain, extras, {.least_t = 5.1}).kept == std::nullopt);
    CHECK(kd::choose(plain, extras, {.least_t = 0.9}).kept == 1);
    CHECK(kd::choose(plain, {extras.begin() + 2, extras.end()}, {.least_t = 0.0}).kept == std::nullopt);
  }

  TEST_CASE("a gain that is the same for all is sure") {
    const std::vector<kd::RankingReport> plain{window({0.25, 0.25})};
    const std::vector<std::vector<kd::RankingReport>> extras{{window({0.5, 0.5})}, {window({0.125, 0.125})}};
    const kd::Choice choice = kd::choose(plain, extras);
    CHECK(choice.kept == 0);
    CHECK(std::isinf(choice.extras[0].t));
    CHECK(choice.extras[1].t == -std::numeric_limits<double>::infinity());
  }

  TEST_CASE("what is refused") {
    const std::vector<kd::RankingReport> plain{window({0.1, 0.2})};
    const std::vector<std::vector<kd::RankingReport>> same{plain}, two{{plain[0], plain[0]}}, fewer{{window({0.1})}};
    CHECK_THROWS_WITH_AS((void)kd::choose({}, same), Contains("number of windows"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::choose(plain, {}), Contains("number of extras"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::choose(plain, same, {.least_t = -1.0}), Contains("least_t"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::choose(plain, same, {.cutoff = 7}), Contains("cutoff"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::choose(plain, two), Contains("extras[0] has 2 windows and plain 1"), kd::ShapeError);
    CHECK_THROWS_AS((void)kd::choose(plain, fewer), kd::ShapeError);
  }
}
