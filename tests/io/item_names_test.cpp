// SPDX-License-Identifier: MIT
#include <kindred/io/item_names.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/io/delimited.hpp>

#include "../support/temporary_file.hpp"

namespace kd = kindred;

TEST_SUITE("join_item_names") {
  TEST_CASE("names go to their items; what the file lacks stays as it was") {
    const kd::test::TemporaryDirectory directory;
    const kd::Dataset plays = kd::read_delimited(directory.file("u\t1\nu\t2\nu\t3\n", "plays.tsv"));
    const kd::Dataset data = kd::join_item_names(
        plays, directory.file("movieId,title\n3,\"One, \"\"Two\"\"\"\n9,Nobody's\n1,First\n1,Second\n2,\n", "names.csv"),
        {.separator = ",", .header = kd::DelimitedFormat::Header::first_line, .quoting = kd::DelimitedFormat::Quoting::rfc_4180});
    CHECK(data.item_names == std::vector<std::string>{"First", "", "One, \"Two\""});
    CHECK(data.item_name(1) == "2");
    REQUIRE(data.load.companions.size() == 1);
    CHECK(data.load.companions[0].rows == 5);
    CHECK(data.matrix == plays.matrix);
  }

  TEST_CASE("what does not meet is counted, and whole numbers meet their floats") {
    const kd::test::TemporaryDirectory directory;
    const kd::Dataset plays = kd::read_delimited(directory.file("u\t31.0\nu\t1029.0\nu\t7\nu\t8\nu\t8.0\nu\tx.0\n", "plays.tsv"));
    const kd::Dataset data = kd::join_item_names(plays, directory.file("31\tA\n7.0\tB\n8\tC\nx\tD\n99\tE\n31.0\tF\n", "names.tsv"));
    CHECK(data.item_names == std::vector<std::string>{"A", "", "B", "C", "", ""});
    const kd::LoadReport& report = data.load.companions.at(0);
    CHECK(report.rows == 6);
    CHECK(report.noted.at("name of no item") == 2);
    CHECK(report.noted.at("item without a name") == 3);
    CHECK(report.noted.at("id met as 31.0 and 31") == 2);
    const kd::Dataset none = kd::join_item_names(plays, directory.file("a\tA\nb\tB\n", "names.tsv"));
    CHECK(none.load.companions.at(0).noted.at("name of no item") == 2);
    CHECK(none.load.companions.at(0).noted.at("item without a name") == 6);
  }

  TEST_CASE("what it refuses") {
    const kd::test::TemporaryDirectory directory;
    const kd::Dataset plays = kd::read_delimited(directory.file("u\t1\n", "plays.tsv"));
    const std::string path = directory.file("1\tOne\n\tNone\n");
    CHECK_THROWS_WITH_AS((void)kd::join_item_names(plays, path),
                         (path + ", line 2, column 1: found an empty item id; expected an item id").c_str(), kd::ParseError);
    const kd::Dataset data = kd::join_item_names(plays, path, {}, {.on_bad_line = kd::ReadOptions::BadLinePolicy::skip});
    CHECK(data.load.companions[0].bad_lines == 1);
    CHECK(data.item_name(0) == "One");
    CHECK_THROWS_AS((void)kd::join_item_names(plays, path, {.id_column = 1, .name_column = 1}), kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::join_item_names(plays, path, {.name_column = 2}), kd::ParseError);
    CHECK_THROWS_AS((void)kd::join_item_names(plays, directory.path("missing")), kd::IoError);
  }
}
