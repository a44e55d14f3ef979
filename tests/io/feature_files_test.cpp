// SPDX-License-Identifier: MIT
#include <kindred/io/feature_files.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/error.hpp>
#include <kindred/io/lastfm_1k.hpp>
#include <kindred/io/profiles.hpp>

#include "../support/temporary_file.hpp"
#include "real_data.hpp"

namespace kd = kindred;
using Kind = kd::FeatureColumns::Kind;

namespace {

/// A file of these bytes.
class FeatureFile {
 public:
  explicit FeatureFile(const std::string& content) : path_(directory_.file(content)) {}
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  kd::test::TemporaryDirectory directory_;
  std::string path_;
};

std::vector<std::string> names_of(const kd::FeatureTable& table, kd::Index r) {
  std::vector<std::string> names;
  for (const kd::Index column : table.row(r).columns) names.emplace_back(table.columns().name(column));
  return names;
}

}  // namespace

TEST_CASE("features of a delimited file") {
  const FeatureFile file("id;cast;year;genre;text\nm1;Tom,Meg;1990;Drama;red river\nm2;;;Comedy;river\nm3;Meg;2000;Drama;red\n");
  const kd::DelimitedFormat format{.separator = ";", .header = kd::DelimitedFormat::Header::first_line, .user = "id"};
  const kd::FeatureTable table = kd::read_features(
      file.path(), format,
      {{"cast", "actor", Kind::list, ","}, {"year", "year", Kind::number}, {3, "genre"}, {"text", "word", Kind::words, " "}});
  CHECK(table.rows() == 3);
  CHECK(table.keys().key(1) == "m2");
  CHECK(names_of(table, 0) == std::vector<std::string>{"actor=Tom", "actor=Meg", "year=1990", "genre=Drama", "word=red", "word=river"});
  CHECK(names_of(table, 1) == std::vector<std::string>{"genre=Comedy", "word=river"});
  CHECK(table.load().rows == 3);

  CHECK_THROWS_WITH_AS((void)kd::read_features(file.path(), format, {{"cast", "a", Kind::number}}), doctest::Contains("a finite number"),
                       kd::ParseError);
  CHECK_THROWS_AS((void)kd::read_features(file.path(), format, {}), kd::InvalidArgument);
  CHECK_THROWS_AS((void)kd::read_features(file.path(), format, {{"cast", "a", Kind::plain}}), kd::InvalidArgument);
  CHECK_THROWS_WITH_AS((void)kd::read_features(file.path(), format, {{"stars", "a"}}), doctest::Contains("'stars'"), kd::ParseError);
  CHECK_THROWS_WITH_AS((void)kd::read_features(file.path(), format, {{kd::DelimitedFormat::Column{}, "a"}}), doctest::Contains("a column"),
                       kd::InvalidArgument);
  const FeatureFile twice("a\tx\nb\ty\na\tz\n");
  CHECK_THROWS_WITH_AS((void)kd::read_features(twice.path(), {}, {{1, "g"}}), doctest::Contains("again"), kd::ParseError);
  const kd::FeatureTable skipped = kd::read_features(twice.path(), {}, {{1, "g"}}, {.on_bad_line = kd::ReadOptions::BadLinePolicy::skip});
  CHECK(skipped.rows() == 2);
  CHECK(skipped.load().bad_lines == 1);
}

TEST_CASE("features of MovieLens") {
  const FeatureFile users("1::F::1::10::48067\n2::M::56::16::70072\n");
  const kd::FeatureTable people = kd::read_movielens_features(users.path());
  CHECK(names_of(people, 1) == std::vector<std::string>{"gender=M", "age=56", "occupation=16"});
  const FeatureFile movies("1::Toy Story (1995)::Animation|Comedy\n73::Mis\xE9rables, Les (1999)::Drama\n74::No year::Drama\n");
  const kd::FeatureTable films = kd::read_movielens_features(movies.path());
  CHECK(films.keys().key(1) == "73");
  CHECK(names_of(films, 0) == std::vector<std::string>{"genre=Animation", "genre=Comedy", "year=1995"});
  CHECK(names_of(films, 1) == std::vector<std::string>{"genre=Drama", "year=1999"});
  CHECK(names_of(films, 2) == std::vector<std::string>{"genre=Drama"});
  const FeatureFile other("1::2\n");
  CHECK_THROWS_WITH_AS((void)kd::read_movielens_features(other.path()), doctest::Contains("2 fields"), kd::ParseError);
  const FeatureFile empty("");
  CHECK_THROWS_AS((void)kd::read_movielens_features(empty.path()), kd::ParseError);
  CHECK_THROWS_AS((void)kd::read_movielens_features(empty.path() + ".not_there"), kd::IoError);
}

TEST_CASE("tags of citeulike-a") {
  const FeatureFile file("2 7 9\n0\n3 9 8 7\n");
  const kd::FeatureTable table = kd::read_citeulike_tags(file.path());
  CHECK(table.rows() == 3);
  CHECK(names_of(table, 0) == std::vector<std::string>{"tag=7", "tag=9"});
  CHECK(table.row(1).empty());
  CHECK(names_of(table, 2) == std::vector<std::string>{"tag=7", "tag=9"});
  const FeatureFile bad("2 7\n");
  CHECK_THROWS_WITH_AS((void)kd::read_citeulike_tags(bad.path()), doctest::Contains("number of tags"), kd::ParseError);
}

TEST_CASE("features of real files") {
  if (const auto path = kd::test::real_data("ml-1m/users.dat")) {
    const kd::FeatureTable users = kd::read_movielens_features(*path);
    CHECK(users.rows() == 6'040);
    CHECK(users.columns().size() == 2 + 7 + 21);
  }
  if (const auto path = kd::test::real_data("ml-1m/movies.dat")) {
    const kd::FeatureTable movies = kd::read_movielens_features(*path);
    CHECK(movies.rows() == 3'883);
    CHECK(movies.columns().groups()[0].last == 18);
  }
  if (const auto path = kd::test::real_data("citeulike-a/item-tag.dat")) {
    const kd::FeatureTable tags = kd::read_citeulike_tags(*path);
    CHECK(tags.rows() == 16'980);
    CHECK(tags.load().rows == 16'980);
  }
  if (const auto path = kd::test::real_data("lastfm-1k/userid-profile.tsv")) {
    const kd::ProfileTable profiles = kd::read_lastfm_1k_profiles(*path);
    kd::Dataset data;
    data.users = profiles.users;
    const kd::FeatureTable people = kd::FeatureTable::of_profiles(kd::join_profiles(data, profiles));
    CHECK(people.rows() == 992);
    CHECK(people.columns().groups()[0].last == 2);
    std::size_t ages = 0;
    for (kd::Index r = 0; r < people.rows(); ++r)
      for (const kd::Index column : people.row(r).columns)
        if (column >= people.columns().groups()[1].first && column < people.columns().groups()[1].last) {
          ++ages;
          break;
        }
    CHECK(ages == 992 - 706);
  }
}
