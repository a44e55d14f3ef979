// SPDX-License-Identifier: MIT
#include <kindred/evaluation/report.hpp>

#include <doctest/doctest.h>

namespace kd = kindred;

TEST_SUITE("evaluation/report") {
  TEST_CASE("an average by its metric") {
    const kd::CutoffReport report{.precision = {.mean = 0.1},
                                  .recall = {.mean = 0.2},
                                  .ndcg = {.mean = 0.3},
                                  .map = {.mean = 0.4},
                                  .mrr = {.mean = 0.5},
                                  .hit_rate = {.mean = 0.6}};
    CHECK(report.of(kd::Metric::precision).mean == 0.1);
    CHECK(report.of(kd::Metric::recall).mean == 0.2);
    CHECK(report.of(kd::Metric::ndcg).mean == 0.3);
    CHECK(report.of(kd::Metric::map).mean == 0.4);
    CHECK(report.of(kd::Metric::mrr).mean == 0.5);
    CHECK(report.of(kd::Metric::hit_rate).mean == 0.6);
  }

  TEST_CASE("a cutoff is found, or named in the error") {
    kd::RankingReport report;
    report.cutoffs.resize(2);
    report.cutoffs[0].cutoff = 5;
    report.cutoffs[1].cutoff = 10;
    report.cutoffs[1].distinct_items = 3;
    CHECK(report.at(10).distinct_items == 3);
    CHECK_THROWS_WITH_AS((void)report.at(7), "cutoff is 7; it must be one of those that evaluate was asked for", kd::InvalidArgument);
  }
}
