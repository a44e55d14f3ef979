// SPDX-License-Identifier: MIT
#include <kindred/data/load_report.hpp>

#include <doctest/doctest.h>

namespace kd = kindred;

TEST_SUITE("data/load_report") {
  TEST_CASE("rows left out are those dropped for a reason and the bad lines") {
    kd::LoadReport report;
    CHECK(report.dropped_total() == 0);
    report.dropped["no item key"] = 3;
    report.dropped["zero value"] = 4;
    report.bad_lines = 2;
    CHECK(report.dropped_total() == 9);
  }
}
