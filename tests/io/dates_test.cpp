// SPDX-License-Identifier: MIT
#include <kindred/io/dates.hpp>

#include <cstdint>
#include <string_view>

#include <doctest/doctest.h>

namespace detail = kindred::detail;

TEST_SUITE("dates") {
  // `date -u -d ... +%s`.
  TEST_CASE("known moments") {
    CHECK(detail::parse_iso_8601("1970-01-01T00:00:00Z") == 0);
    CHECK(detail::parse_iso_8601("2009-05-04T23:08:57Z") == 1241478537);
    CHECK(detail::parse_iso_8601("2000-02-29T12:00:00Z") == 951825600);
    CHECK(detail::parse_iso_8601("1969-12-31T23:59:59Z") == -1);
    CHECK(detail::parse_iso_8601("9999-12-31T23:59:59Z") == 253402300799);
    CHECK(detail::parse_month_day_year("Sep 30, 2005") == 1128038400);
    CHECK(detail::parse_month_day_year("Feb 1, 2007") == 1170288000);
    CHECK(detail::parse_month_day_year("Feb 01, 2007") == 1170288000);
    CHECK(detail::parse_month_day_year("Feb 29, 2008") == 1204243200);
  }

  // `date -u -d ... +%s`.
  TEST_CASE("other forms of the same moment") {
    for (const std::string_view text :
         {"2009-05-04 23:08:57", "2009-05-04T23:08:57", "2009-05-04 23:08:57Z", "2009-05-04 23:08:57 UTC", "2009-05-04T23:08:57+00:00",
          "2009-05-04 23:08:57+00", "2009-05-04T23:08:57-0000", "2009-05-04T23:08:57.999999999Z", "2009-05-04 23:08:57.5",
          "2009-05-05T01:08:57+02:00", "2009-05-04T18:38:57.25-0430", "2009-05-05 01:08:57 +0200", "2009-05-04 23:08:57.5 +00:00",
          "2009-05-04 23:08:57,123", "2009-05-04t23:08:57z"}) {
      CAPTURE(text);
      CHECK(detail::parse_iso_8601(text) == 1241478537);
    }
    for (const std::string_view text : {"2009-05-04T23:08", "2009-05-04 23:08", "2009-05-04T23:08Z", "2009-05-05 01:08+02:00"}) {
      CAPTURE(text);
      CHECK(detail::parse_iso_8601(text) == 1241478480);
    }
    CHECK(detail::parse_iso_8601("2009-05-04") == 1241395200);
    CHECK(detail::parse_iso_8601("1969-12-31T23:59:59.5Z") == -1);
  }

  TEST_CASE("days follow each other over two thousand years") {
    std::int64_t expected = detail::days_from_civil(1, 1, 1);
    CHECK(expected == -719'162);
    for (unsigned year = 1; year <= 2'100; ++year)
      for (unsigned month = 1; month <= 12; ++month)
        for (unsigned day = 1; day <= 31; ++day)
          if (const auto seconds = detail::date_seconds(year, month, day)) REQUIRE(*seconds == expected++ * 86'400);
    CHECK(expected == detail::days_from_civil(2101, 1, 1));
  }

  TEST_CASE("other forms and impossible times") {
    for (const std::string_view text : {"",
                                        "2009-05",
                                        "2009-05-04T",
                                        "2009-05-04T23",
                                        "2009-05-04T23:08:",
                                        "2009-05-04T23:08:5",
                                        "2009-05-04T23:08.5",
                                        "2009-05-04T23:08:57 ",
                                        "2009-05-04T23:08:57  +0200",
                                        "2009-05-04x23:08:57",
                                        "2009-05-04T23:08:57.",
                                        "2009-05-04T23:08:57.Z",
                                        "2009-05-04T23:08:57,",
                                        "2009-05-04T23:08:57+",
                                        "2009-05-04T23:08:57+1",
                                        "2009-05-04T23:08:57+24:00",
                                        "2009-05-04T23:08:57+01:60",
                                        "2009-05-04T23:08:57+0100x",
                                        "2009-05-04T23:08:57 CET",
                                        "2009-05-04 ",
                                        " 2009-05-04",
                                        "2009-05-04T23:08:57ZZ",
                                        "2009-02-29T00:00:00Z",
                                        "1900-02-29T00:00:00Z",
                                        "2009-13-01T00:00:00Z",
                                        "2009-00-01T00:00:00Z",
                                        "2009-01-00T00:00:00Z",
                                        "2009-01-32T00:00:00Z",
                                        "2009-01-01T24:00:00Z",
                                        "2009-01-01T00:60:00Z",
                                        "2009-01-01T00:00:60Z",
                                        "0000-01-01T00:00:00Z",
                                        "-009-01-01T00:00:00Z",
                                        "20a9-01-01T00:00:00Z"}) {
      CAPTURE(text);
      CHECK_FALSE(detail::parse_iso_8601(text).has_value());
    }
    for (const std::string_view text :
         {"", "Sep 30 2005", "Sep 30,2005", "Sept 30, 2005", "sep 30, 2005", "Sep 31, 2005", "Feb 29, 2007", "Sep , 2005", "Sep 0, 2005",
          "Sep 030, 2005", "Sep 30, 05", "Sep 30, 20055", "epO 30, 2005", "30 Sep, 2005", "Sep 30, 2005 "}) {
      CAPTURE(text);
      CHECK_FALSE(detail::parse_month_day_year(text).has_value());
    }
  }
}
