// SPDX-License-Identifier: MIT
#include <kindred/io/lastfm.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../support/temporary_file.hpp"
#include "real_data.hpp"

namespace kd = kindred;

namespace {

const std::string plays =
    "u1\tm-1\tguns n' roses\t349\n"
    "u1\t\tbomb the \"world\"\t137\n"
    "u2\tm-1\tguns n roses\t205\n"
    "u1\tm-1\tguns n' roses\t1\n"
    "u2\t\t\t5\n"
    "u2\tm-2\tsilent\t0\n";

}  // namespace

TEST_SUITE("read_lastfm_360k") {
  TEST_CASE("items by mbid") {
    const kd::test::TemporaryDirectory directory;
    const kd::Dataset data = kd::read_lastfm_360k(directory.file(plays));
    data.check();
    CHECK(data.users.size() == 2);
    CHECK(data.items.size() == 1);
    CHECK(data.item_names == std::vector<std::string>{"guns n' roses"});
    CHECK(data.matrix.row(0).values[0] == 350.0F);
    CHECK(data.matrix.row(1).values[0] == 205.0F);
    CHECK(data.raw_rows == std::vector<std::uint32_t>{2, 1});
    CHECK(data.load.dropped == std::map<std::string, std::uint64_t>{{"no item key", 2}, {"zero value", 1}});
    CHECK(data.times.empty());
    CHECK(kd::read_lastfm_360k(directory.file("u1\t\tno key\t3\nu1\tm\tone\t4\n", "first.tsv")).load.dropped.at("no item key") == 1);
  }

  TEST_CASE("profiles, as documented") {
    const kd::test::TemporaryDirectory directory;
    const kd::ProfileTable table = kd::read_lastfm_360k_profiles(directory.file("u1\tf\t22\tGermany\tFeb 1, 2007\nu2\t\t\t\t\n"));
    REQUIRE(table.users.size() == 2);
    CHECK(table.profiles[0] == kd::UserProfile{"f", 22, "Germany", 1170288000});
    CHECK(table.profiles[1] == kd::UserProfile{});
    CHECK_THROWS_AS((void)kd::read_lastfm_360k_profiles(directory.path("none")), kd::IoError);
  }

  TEST_CASE("items by name, and by mbid or else name") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file(plays);
    const kd::Dataset names = kd::read_lastfm_360k(path, {.item_key = kd::LastfmOptions::ItemKey::name});
    CHECK(names.items.size() == 3);
    CHECK(names.items.key(1) == "bomb the \"world\"");
    CHECK(names.item_name(2) == "guns n roses");
    CHECK(names.load.dropped.at("no item key") == 1);
    const kd::Dataset either = kd::read_lastfm_360k(path, {.item_key = kd::LastfmOptions::ItemKey::mbid_else_name});
    CHECK(either.items.size() == 2);
    CHECK(either.items.key(0) == "m-1");
    CHECK(either.items.key(1) == "bomb the \"world\"");
    CHECK(either.item_name(0) == "guns n' roses");
    CHECK(either.load.dropped.at("no item key") == 1);
  }

  TEST_CASE("strict by default, also about the number of columns of the first line") {
    const kd::test::TemporaryDirectory directory;
    CHECK_THROWS_AS((void)kd::read_lastfm_360k(directory.file("u\tm\tn\t-1\n")), kd::ParseError);
    CHECK_THROWS_AS((void)kd::read_lastfm_360k(directory.file("u\tm\t1\n")), kd::ParseError);
    CHECK_THROWS_AS((void)kd::read_lastfm_360k(directory.file("\tm\tn\t1\n")), kd::ParseError);
    const kd::Dataset data =
        kd::read_lastfm_360k(directory.file("u\tm\t1\n" + plays), {.read = {.on_bad_line = kd::ReadOptions::BadLinePolicy::skip}});
    CHECK(data.load.bad_lines == 1);
    CHECK(data.users.size() == 2);
  }

  TEST_CASE("the first hundred lines of the real file") {
    const auto path = kd::test::real_data("lastfm-360k-slice/usersha1-artmbid-artname-plays.head100.tsv");
    if (!path) return;
    const kd::Dataset data = kd::read_lastfm_360k(*path);
    data.check();
    CHECK(data.load.lines == 100);
    CHECK(data.load.rows + data.load.dropped_total() == 100);
    CHECK(data.load.bad_lines == 0);
    CHECK(data.users.key(0) == "00000c289a1829a808ac09c00daf10bc3c4e223b");
    CHECK(data.users.size() == 2);
    CHECK(data.item_name(0) == "betty blowtorch");
    CHECK(data.item_name(1) == "die \xC3\x84rzte");
    CHECK(data.matrix.row(0).values[0] == 2137.0F);
  }

  TEST_CASE("the transcribed oddities: an empty mbid, a CJK name, one mbid under two names") {
    const auto path = kd::test::real_data("lastfm-360k-slice/oddities-transcribed.tsv");
    if (!path) return;
    const kd::Dataset data = kd::read_lastfm_360k(*path);
    CHECK(data.load.lines == 7);
    CHECK(data.load.dropped.at("no item key") == 2);
    CHECK(data.users.size() == 4);
    CHECK(data.items.size() == 4);
    CHECK(data.item_name(data.items.index("eeb1195b-f213-4ce1-b28c-8565211f8e43")) == "guns n' roses");
    CHECK(data.item_name(data.items.index("92bb085a-2924-4479-b627-181a1835d2f5")) == "\xE6\xA4\x8D\xE6\x9D\xBE\xE4\xBC\xB8\xE5\xA4\xAB");
    CHECK(kd::read_lastfm_360k(*path, {.item_key = kd::LastfmOptions::ItemKey::name}).items.size() == 7);
    CHECK(kd::read_lastfm_360k(*path, {.item_key = kd::LastfmOptions::ItemKey::mbid_else_name}).items.size() == 6);
  }

  TEST_CASE("the first thousand profiles of the real file") {
    const auto path = kd::test::real_data("lastfm-360k-slice/usersha1-profile.head1000.tsv");
    if (!path) return;
    const kd::ProfileTable table = kd::read_lastfm_360k_profiles(*path);
    CHECK(table.load.lines == 1'000);
    CHECK(table.users.size() == 1'000);
    const auto count = [&](auto&& condition) { return std::count_if(table.profiles.begin(), table.profiles.end(), condition); };
    CHECK(count([](const kd::UserProfile& p) { return p.gender.empty(); }) == 100);
    CHECK(table.load.noted.at("implausible age") == 1);  // -1337
    CHECK(count([](const kd::UserProfile& p) { return !p.age; }) == 222 + 1);
    CHECK(count([](const kd::UserProfile& p) { return !p.signup; }) == 0);
    CHECK(table.profiles[0] == kd::UserProfile{"f", 22, "Germany", 1170288000});
  }
}
