// SPDX-License-Identifier: MIT
#include <kindred/io/lastfm_1k.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../support/temporary_file.hpp"
#include "real_data.hpp"

namespace kd = kindred;

TEST_SUITE("read_lastfm_1k") {
  TEST_CASE("events: every line is one play, the first one gives the time") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file(
        "u1\t2009-05-04T23:08:57Z\tm-1\tDeep Dish\t\tOne\n"
        "u1\t2009-05-04T13:54:10Z\tm-1\tDeep Dish\tt-2\t\n"
        "u1\t2009-05-04T13:52:04Z\t\tNobody\t\tThree\n");
    const kd::Dataset data = kd::read_lastfm_1k_events(path);
    data.check();
    CHECK(data.matrix.nnz() == 1);
    CHECK(data.matrix.values()[0] == 2.0F);
    CHECK(data.times == std::vector<std::int64_t>{1241445250});
    CHECK(data.raw_rows == std::vector<std::uint32_t>{2});
    CHECK(data.item_names == std::vector<std::string>{"Deep Dish"});
    CHECK(data.load.dropped.at("no item key") == 1);
    CHECK(kd::read_lastfm_1k_events(path, {.item_key = kd::LastfmOptions::ItemKey::mbid_else_name}).items.size() == 2);
    CHECK(kd::read_lastfm_1k_events(path, {.item_key = kd::LastfmOptions::ItemKey::name}).items.key(1) == "Nobody");
  }

  TEST_CASE("the first events of the real file") {
    const auto path = kd::test::real_data("lastfm-1k/first5000-userid-timestamp-artid-artname-traid-traname.tsv");
    if (!path) return;
    const kd::Dataset data = kd::read_lastfm_1k_events(*path);
    data.check();
    CHECK(data.load.lines == 5'000);
    CHECK(data.load.dropped.at("no item key") == 353);
    CHECK(data.load.rows == 4'647);
    CHECK(std::accumulate(data.matrix.values().begin(), data.matrix.values().end(), 0.0) == 4'647.0);
    CHECK(kd::read_lastfm_1k_events(*path, {.item_key = kd::LastfmOptions::ItemKey::name}).load.rows == 5'000);
  }

  TEST_CASE("the real profiles") {
    const auto path = kd::test::real_data("lastfm-1k/userid-profile.tsv");
    if (!path) return;
    const kd::ProfileTable table = kd::read_lastfm_1k_profiles(*path);
    CHECK(table.users.size() == 992);
    const auto count = [&](auto&& condition) { return std::count_if(table.profiles.begin(), table.profiles.end(), condition); };
    CHECK(count([](const kd::UserProfile& p) { return p.gender.empty(); }) == 108);
    CHECK(count([](const kd::UserProfile& p) { return !p.age; }) == 706);
    CHECK(count([](const kd::UserProfile& p) { return p.country.empty(); }) == 85);
    CHECK(count([](const kd::UserProfile& p) { return !p.signup; }) == 8);
    CHECK(table.load.noted.empty());
  }
}

TEST_SUITE("read_dense_counts") {
  TEST_CASE("every line and every column stays, also those of zeros") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file("1,0,2\r\n0,0,0\r\n0,0,3.5");
    const kd::Dataset plain = kd::read_dense_counts(path);
    plain.check();
    CHECK(plain.matrix == kd::CsrMatrix({3, 3}, {0, 2, 2, 3}, {0, 2, 2}, {1.0F, 2.0F, 3.5F}));
    CHECK(plain.users.key(2) == "2");
    CHECK(plain.item_names.empty());
    CHECK(plain.load.rows == 3);

    const kd::Dataset named = kd::read_dense_counts(path, {.user_names_path = directory.file("2,cid\n0,ann\n1,bob\n", "users.csv"),
                                                           .item_names_path = directory.file("0,\"A, B\"\n1,C\n2,D\n", "items.csv")});
    CHECK(named.matrix == plain.matrix);
    CHECK(named.users.key(2) == "cid");
    CHECK(named.items.key(0) == "A, B");
    CHECK(named.item_name(2) == "D");
    CHECK(named.load.companions.size() == 2);
  }

  TEST_CASE("bad cells, and lines of another length") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file("1,0\n1,-1\n3,x\n4\n0,5\n");
    CHECK_THROWS_WITH_AS((void)kd::read_dense_counts(path),
                         (path + ", line 2, column 2: found '-1'; expected a count of at least 0").c_str(), kd::ParseError);
    const kd::Dataset data = kd::read_dense_counts(path, {.read = {.on_bad_line = kd::ReadOptions::BadLinePolicy::skip}});
    data.check();
    CHECK(data.load.bad_lines == 3);
    CHECK(data.matrix == kd::CsrMatrix({2, 2}, {0, 1, 2}, {0, 1}, {1.0F, 5.0F}));
    CHECK(data.users.key(1) == "4");  // the names stay those of the lines
    CHECK_THROWS_AS((void)kd::read_dense_counts(directory.file("")), kd::ParseError);
  }

  TEST_CASE("a table that the progress callback stops is shorter than its names") {
    const kd::test::TemporaryDirectory directory;
    std::string table;
    std::string names;
    for (int user = 0; user < 40'000; ++user) {
      table += "1,0,2,0,3\n";
      names += std::to_string(user) + ",u" + std::to_string(user) + "\n";
    }
    kd::DenseCountsOptions options{.user_names_path = directory.file(names, "names.csv")};
    options.read.progress = [](const kd::Progress&) { return kd::ProgressAnswer::stop_and_keep; };
    const kd::Dataset data = kd::read_dense_counts(directory.file(table), options);
    CHECK(data.load.stopped);
    CHECK(data.matrix.rows() == 1);
    CHECK(data.matrix.nnz() == 3);
    CHECK(data.users.key(0) == "u0");
  }

  TEST_CASE("names come from where the table comes from") {
    kd::DenseCountsOptions options{.user_names_path = "users", .item_names_path = "items"};
    options.read.open = [](const std::string& path) -> kd::ReadOptions::ReadBytes {
      return [text = std::string(path == "users"   ? "0,ann\n1,bob\n"
                                 : path == "items" ? "0,x\n1,y\n"
                                                   : "1,0\n2,3\n")](char* to, std::size_t most) mutable {
        const std::size_t count = text.copy(to, most);
        text.erase(0, count);
        return count;
      };
    };
    const kd::Dataset data = kd::read_dense_counts("table", options);
    CHECK(data.users.key(1) == "bob");
    CHECK(data.items.key(0) == "x");
    CHECK(data.matrix.nnz() == 3);
  }

  TEST_CASE("names that do not fit") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file("1,2\n3,4\n");
    const auto users = [&](const std::string& names) {
      return kd::read_dense_counts(path, {.user_names_path = directory.file(names, "names.csv")});
    };
    const std::string names = directory.path("names.csv");
    CHECK_NOTHROW((void)users("0,a\n1,b\n"));
    CHECK_THROWS_WITH_AS((void)users("0,a\n1,b\n2,c\n"), (path + ": found 2 rows; expected 3, one for each name of " + names).c_str(),
                         kd::ParseError);
    CHECK_THROWS_WITH_AS((void)users("0,a\n"), (path + ": found more than 1 rows; expected one for each name of " + names).c_str(),
                         kd::ParseError);
    CHECK_THROWS_WITH_AS((void)users("0,a\n2,b\n"), (names + ": found the index 2; expected each index from 0 to 1 once").c_str(),
                         kd::ParseError);
    CHECK_THROWS_WITH_AS((void)users("0,a\n0,b\n"), (names + ": found the index 0 twice; expected each index from 0 to 1 once").c_str(),
                         kd::ParseError);
    CHECK_THROWS_AS((void)users("0,a\n1,a\n"), kd::ParseError);
    CHECK_THROWS_AS((void)users("0,a\n1,\n"), kd::ParseError);
    CHECK_THROWS_AS((void)users("x,a\n1,b\n"), kd::ParseError);
    CHECK_THROWS_AS((void)kd::read_dense_counts(path, {.item_names_path = directory.file("0,a\n", "items.csv")}), kd::ParseError);
  }

  TEST_CASE("profiles: a header, then one line for each user") {
    const kd::test::TemporaryDirectory directory;
    const std::string head = "#id\tgender\tage\tcountry\tregistered\n";
    const kd::ProfileTable table = kd::read_lastfm_1k_profiles(directory.file(head + "user_000001\tm\t\tJapan\tAug 13, 2006\n"));
    REQUIRE(table.users.size() == 1);
    CHECK(table.users.key(0) == "user_000001");
    CHECK(table.profiles[0] == kd::UserProfile{"m", {}, "Japan", 1155427200});
    CHECK_THROWS_AS((void)kd::read_lastfm_1k_profiles(directory.file(head + "u\tx\t\t\t\n", "bad.tsv")), kd::ParseError);
  }

  TEST_CASE("the real table, with names and profiles") {
    const auto path = kd::test::real_data("lastfm-1k/lcvi_playcounts_dense.csv");
    const auto users = kd::test::real_data("lastfm-1k/lcvi_ix2user.csv");
    const auto artists = kd::test::real_data("lastfm-1k/lcvi_ix2artist.csv");
    const auto profiles = kd::test::real_data("lastfm-1k/userid-profile.tsv");
    if (!path || !users || !artists || !profiles) return;
    const kd::Dataset data = kd::join_profiles(kd::read_dense_counts(*path, {.user_names_path = *users, .item_names_path = *artists}),
                                               kd::read_lastfm_1k_profiles(*profiles));
    data.check();
    CHECK(data.matrix.shape() == kd::MatrixShape{992, 1'003});
    CHECK(data.matrix.nnz() == 209'325);
    CHECK(std::accumulate(data.matrix.values().begin(), data.matrix.values().end(), 0.0) == 10'159'118.0);
    CHECK(*std::max_element(data.matrix.values().begin(), data.matrix.values().end()) == 26'496.0F);
    const std::vector<kd::Index> counts = kd::row_counts(data.matrix);
    CHECK(std::count(counts.begin(), counts.end(), 0) == 1);
    CHECK(data.users.key(0) == "user_000949");
    CHECK(data.item_name(0) == "Radiohead");
    CHECK(data.load.noted.count("user without a profile") == 0);
  }
}
