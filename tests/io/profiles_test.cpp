// SPDX-License-Identifier: MIT
#include <kindred/io/profiles.hpp>

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <kindred/io/delimited.hpp>

#include "../support/temporary_file.hpp"

namespace kd = kindred;

namespace {

kd::ProfileTable read(const std::string& path, const kd::ReadOptions& options = {}) {
  return kd::detail::read_lastfm_profiles(path, kd::DelimitedFormat::Header::none, options);
}

}  // namespace

TEST_SUITE("profiles") {
  TEST_CASE("fields, missing fields and implausible ages") {
    const kd::test::TemporaryDirectory directory;
    const kd::ProfileTable table =
        read(directory.file("a\tm\t22\tPeru\tSep 30, 2005\nb\t\t\t\t\nc\tf\t-1337\tFinland\tFeb 1, 2007\n"
                            "d\t\t0\t\t\ne\t\t1\t\t\nf\t\t120\t\t\ng\t\t121\t\t"));
    REQUIRE(table.users.size() == 7);
    CHECK(table.profiles[0] == kd::UserProfile{"m", 22, "Peru", 1128038400});
    CHECK(table.profiles[1] == kd::UserProfile{});
    CHECK(table.profiles[2] == kd::UserProfile{"f", {}, "Finland", 1170288000});
    CHECK_FALSE(table.profiles[3].age.has_value());
    CHECK(table.profiles[4].age == 1);
    CHECK(table.profiles[5].age == 120);
    CHECK_FALSE(table.profiles[6].age.has_value());
    CHECK(table.load.noted.at("implausible age") == 3);
    CHECK(table.load.rows == 7);
  }

  TEST_CASE("bad lines") {
    const kd::test::TemporaryDirectory directory;
    const auto refused = [&](const std::string& line, const std::string& words) {
      const std::string path = directory.file("ok\tm\t1\t\t\n" + line + "\n");
      CHECK_THROWS_WITH_AS((void)read(path), (path + ", line 2" + words).c_str(), kd::ParseError);
      const kd::ProfileTable table = read(path, {.on_bad_line = kd::ReadOptions::BadLinePolicy::skip});
      CHECK(table.load.bad_lines == 1);
      CHECK(table.users.size() == 1);
      CHECK(table.profiles.size() == 1);
    };
    refused("\tm\t1\t\t", ", column 1: found an empty user id; expected a user id");
    refused("u\tM\t1\t\t", ", column 2: found 'M'; expected a gender: m, f or nothing");
    refused("u\tm\ttwenty\t\t", ", column 3: found 'twenty'; expected an age in whole years, or nothing");
    refused("u\tm\t1.5\t\t", ", column 3: found '1.5'; expected an age in whole years, or nothing");
    refused("u\tm\t1\t\tFeb 30, 2005", ", column 5: found 'Feb 30, 2005'; expected a date such as Sep 30, 2005, or nothing");
    refused("u\tm\t1\tPeru", ": found 4 fields; expected 5 fields separated by '\\t'");
    refused("ok\tm\t1\t\t", ", column 1: found the user 'ok' again; expected one line for each user");
  }

  TEST_CASE("joined to a dataset, users without a profile get an empty one") {
    const kd::test::TemporaryDirectory directory;
    const kd::ProfileTable table = read(directory.file("x\tm\t30\t\t\nv\tf\t20\tPeru\t\n", "profiles.tsv"));
    const kd::Dataset data = kd::join_profiles(kd::read_delimited(directory.file("u\ta\nv\tb\n")), table);
    data.check();
    REQUIRE(data.profiles.size() == 2);
    CHECK(data.profiles[0] == kd::UserProfile{});
    CHECK(data.profiles[1] == kd::UserProfile{"f", 20, "Peru", {}});
    CHECK(data.load.noted.at("user without a profile") == 1);
    REQUIRE(data.load.companions.size() == 1);
    CHECK(data.load.companions[0].source == directory.path("profiles.tsv"));
    CHECK_THROWS_AS((void)kd::join_profiles(data, kd::ProfileTable{table.users, {}, {}}), kd::ShapeError);
  }
}
