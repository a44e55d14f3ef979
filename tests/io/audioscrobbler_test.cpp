// SPDX-License-Identifier: MIT
#include <kindred/io/audioscrobbler.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../support/temporary_file.hpp"

namespace kd = kindred;

TEST_SUITE("read_audioscrobbler") {
  TEST_CASE("plays alone") {
    const kd::test::TemporaryDirectory directory;
    const kd::Dataset data = kd::read_audioscrobbler(directory.file("1000002 1 55\n1000002 1000006 33\n1000019 1 8\n"));
    data.check();
    CHECK(data.matrix == kd::CsrMatrix({2, 2}, {0, 2, 3}, {0, 1, 0}, {55.0F, 33.0F, 8.0F}));
    CHECK(data.item_names.empty());
    CHECK(data.load.companions.empty());
    CHECK_THROWS_AS((void)kd::read_audioscrobbler(directory.file("1000002\t1\t55\n")), kd::ParseError);
  }

  TEST_CASE("aliases merge spellings, once; broken lines of the two side files are skipped and counted") {
    const kd::test::TemporaryDirectory directory;
    const std::string plays = directory.file("7 101 5\n7 1 2\n8 102 1\n8 9 4\n", "user_artist_data.txt");
    const std::string aliases = directory.file("101\t1\n\t1234\n102\t101\n101\t9\nx\t1\n", "artist_alias.txt");
    const std::string names = directory.file("1\tPortishead\n101\tPortis Head\nbroken line\n9\tA\tB\n9\tNine\n", "artist_data.txt");
    const kd::Dataset data = kd::read_audioscrobbler(plays, {.artist_data_path = names, .artist_alias_path = aliases});
    data.check();
    REQUIRE(data.items.size() == 3);
    CHECK(data.items.key(0) == "1");
    CHECK(data.items.key(1) == "101");  // what 102 means, and no further
    CHECK(data.matrix == kd::CsrMatrix({2, 3}, {0, 1, 3}, {0, 1, 2}, {7.0F, 1.0F, 4.0F}));
    CHECK(data.item_names == std::vector<std::string>{"Portishead", "Portis Head", "Nine"});
    CHECK(data.load.merged == 1);
    CHECK(data.load.noted.at("alias applied") == 2);
    REQUIRE(data.load.companions.size() == 2);
    CHECK(data.load.companions[0].bad_lines == 3);
    CHECK(data.load.companions[0].rows == 2);
    CHECK(data.load.companions[1].bad_lines == 2);
  }
}
