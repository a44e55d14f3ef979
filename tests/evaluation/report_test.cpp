// SPDX-License-Identifier: MIT
#include <kindred/evaluation/report.hpp>

#include <doctest/doctest.h>

namespace kd = kindred;

TEST_SUITE("evaluation/report") {
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
