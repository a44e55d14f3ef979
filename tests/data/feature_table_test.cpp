// SPDX-License-Identifier: MIT
#include <kindred/data/feature_columns.hpp>
#include <kindred/data/feature_table.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/error.hpp>
#include <kindred/data/dataset.hpp>

namespace kd = kindred;
using Kind = kd::FeatureColumns::Kind;

namespace {

std::vector<std::pair<std::string, float>> named_row(const kd::FeatureTable& table, kd::Index r) {
  std::vector<std::pair<std::string, float>> named;
  for (std::size_t n = 0; n < table.row(r).size(); ++n)
    named.emplace_back(table.columns().name(table.row(r).columns[n]), table.row(r).values[n]);
  return named;
}

std::vector<std::pair<std::string, float>> named_row(const kd::FeatureTable& table, const kd::FeatureColumns::Profile& profile) {
  std::vector<std::pair<std::string, float>> named;
  for (std::size_t n = 0; n < profile.columns.size(); ++n) named.emplace_back(table.columns().name(profile.columns[n]), profile.values[n]);
  return named;
}

using Named = std::vector<std::pair<std::string, float>>;

kd::FeatureTable people() {
  kd::IdMap keys;
  for (const char* key : {"anna", "bo", "carl", "dora"}) keys.intern(key);
  kd::FeatureTable table(keys);
  table.add_categories("country", std::vector<std::string>{"Sweden", "", "Peru", "Sweden"});
  table.add_numbers("age", std::vector<std::optional<double>>{20.0, 30.0, std::nullopt, 60.0}, 3);
  table.add_lists("likes", std::vector<std::string>{"rock|jazz", "jazz", "", "|rock||rock"});
  return table;
}

}  // namespace

TEST_CASE("a feature table by hand") {
  const kd::FeatureTable table = people();
  CHECK(table.rows() == 4);
  CHECK(table.columns().names() ==
        std::vector<std::string>{"country=Sweden", "country=Peru", "age=20", "age=30", "age=60", "likes=rock", "likes=jazz"});
  REQUIRE(table.columns().groups().size() == 3);
  CHECK(table.columns().groups()[1].kind == Kind::number);
  CHECK(table.columns().groups()[1].first == 2);
  CHECK(table.columns().groups()[1].last == 5);
  const auto half = static_cast<float>(std::sqrt(0.5));
  CHECK(named_row(table, 0) == Named{{"country=Sweden", 1.0F}, {"age=20", 1.0F}, {"likes=rock", half}, {"likes=jazz", half}});
  CHECK(named_row(table, 1) == Named{{"age=30", 1.0F}, {"likes=jazz", 1.0F}});
  CHECK(named_row(table, 2) == Named{{"country=Peru", 1.0F}});
  CHECK(named_row(table, 3) == Named{{"country=Sweden", 1.0F}, {"age=60", 1.0F}, {"likes=rock", 1.0F}});
}

TEST_CASE("a profile by names is the row of a table, and says what it does not know") {
  const kd::FeatureTable table = people();
  const auto anna = table.columns().profile({{"likes", "jazz|rock"}, {"age", "20"}, {"country", "Sweden"}});
  CHECK(named_row(table, anna) == named_row(table, 0));
  CHECK(anna.unknown.empty());

  const auto other =
      table.columns().profile({{"country", "Mars"}, {"age", "36"}, {"likes", "rock|polka"}, {"shoes", "42"}, {"likes2", ""}});
  CHECK(named_row(table, other) == Named{{"age=30", 0.8F}, {"age=60", 0.2F}, {"likes=rock", 1.0F}});
  CHECK(other.unknown == std::vector<std::string>{"country=Mars", "likes=polka", "shoes=42"});
  CHECK(table.columns().profile({{"age", "old"}}).unknown == std::vector<std::string>{"age=old"});
  CHECK(table.columns().profile({{"age", "nan"}}).unknown == std::vector<std::string>{"age=nan"});
  CHECK(named_row(table, table.columns().profile({{"age", "-3"}})) == Named{{"age=20", 1.0F}});
  CHECK(named_row(table, table.columns().profile({{"age", "1e9"}})) == Named{{"age=60", 1.0F}});
  CHECK_THROWS_WITH_AS((void)table.columns().profile({{"age", "1"}, {"age", "2"}}), doctest::Contains("named once"), kd::InvalidArgument);
}

TEST_CASE("numbers: entries sum to 1 and are linear between knots") {
  kd::FeatureTable table(101);
  std::vector<std::optional<double>> values;
  for (int n = 0; n <= 100; ++n) values.emplace_back(static_cast<double>(n * n));
  table.add_numbers("x", values, 5);
  const auto& knots = table.columns().groups()[0].numbers;
  CHECK(knots == std::vector<double>{0.0, 625.0, 2500.0, 5625.0, 10000.0});
  for (kd::Index r = 0; r < table.rows(); ++r) {
    double sum = 0.0, mean = 0.0;
    for (std::size_t n = 0; n < table.row(r).size(); ++n) {
      sum += static_cast<double>(table.row(r).values[n]);
      mean += static_cast<double>(table.row(r).values[n]) * knots[static_cast<std::size_t>(table.row(r).columns[n])];
    }
    CHECK(sum == doctest::Approx(1.0).epsilon(1e-6));
    CHECK(mean == doctest::Approx(*values[static_cast<std::size_t>(r)]).epsilon(1e-5));
  }
  kd::FeatureTable same(3);
  same.add_numbers("y", std::vector<std::optional<double>>{2.5, 2.5, std::nullopt});
  CHECK(same.columns().names() == std::vector<std::string>{"y=2.5"});
  kd::FeatureTable none(2);
  none.add_numbers("z", std::vector<std::optional<double>>{std::nullopt, std::nullopt});
  CHECK(none.columns().size() == 0);
  CHECK(none.columns().profile({{"z", "1"}}).unknown == std::vector<std::string>{"z=1"});
}

TEST_CASE("words are weighed by tf-idf") {
  kd::FeatureTable table(4);
  table.add_words("title", std::vector<std::string>{"red river river", "red", "river dog", "cat"});
  CHECK(table.columns().names() == std::vector<std::string>{"title=red", "title=river"});  // dog and cat are in one row each
  const double idf = std::log(2.0), red = idf, river = (1.0 + std::log(2.0)) * idf, length = std::sqrt(red * red + river * river);
  CHECK(named_row(table, 0) == Named{{"title=red", static_cast<float>(red / length)}, {"title=river", static_cast<float>(river / length)}});
  CHECK(named_row(table, 2) == Named{{"title=river", 1.0F}});
  CHECK(table.row(3).empty());
  const auto profile = table.columns().profile({{"title", "river red dog river"}});
  CHECK(named_row(table, profile) == named_row(table, 0));
  CHECK(profile.unknown == std::vector<std::string>{"title=dog"});
  kd::FeatureTable everywhere(2);
  everywhere.add_words("w", std::vector<std::string>{"the", "the"});  // a word in all rows weighs nothing
  CHECK(everywhere.row(0).empty());
}

TEST_CASE("a table is joined to keys, and counts what did not match") {
  kd::IdMap users;
  for (const char* key : {"dora", "emil", "anna"}) users.intern(key);
  const auto joined = people().join(users);
  CHECK(joined.matched == 2);
  CHECK(joined.unmatched == 1);
  CHECK(joined.unused == 2);
  CHECK(named_row(joined.table, 0) == named_row(people(), 3));
  CHECK(joined.table.row(1).empty());
  CHECK(named_row(joined.table, 2) == named_row(people(), 0));
  CHECK(joined.table.keys() == users);
  CHECK(joined.table.columns() == people().columns());
  CHECK_THROWS_AS((void)kd::FeatureTable(3).join(users), kd::InvalidArgument);
}

TEST_CASE("a ready matrix, selected and appended rows") {
  const kd::CsrMatrix matrix({2, 3}, {0, 2, 3}, {0, 2, 1}, {1.5F, 0.0F, -2.0F});
  const kd::FeatureTable table(matrix);
  CHECK(table.columns().names() == std::vector<std::string>{"0", "1", "2"});
  CHECK(table.row(0).size() == 1);  // the stored zero is no entry
  CHECK(named_row(table, table.columns().profile({{"feature", "2"}})) == Named{{"2", 1.0F}});
  const std::vector<kd::Index> wanted{1, 0, 1};
  kd::FeatureTable some = table.select(wanted);
  CHECK(named_row(some, 0) == named_row(table, 1));
  CHECK(named_row(some, 2) == named_row(table, 1));
  some.append(table.matrix());
  CHECK(some.rows() == 5);
  CHECK(named_row(some, 4) == named_row(table, 1));
  CHECK_THROWS_AS(some.append(kd::CsrMatrix({1, 2}, {0, 0}, {}, {})), kd::ShapeError);
  CHECK_THROWS_AS((void)kd::FeatureTable(matrix, {"a", "b"}), kd::ShapeError);
  CHECK_THROWS_WITH_AS((void)kd::FeatureTable(matrix, {"a", "b", "a"}), doctest::Contains("no other column"), kd::InvalidArgument);
}

TEST_CASE("profiles of users become features") {
  kd::Dataset data = kd::Dataset::from_columns(std::vector<std::string>{"u", "v", "w"}, std::vector<std::string>{"x", "x", "y"});
  data.profiles = {{.gender = "f", .age = 30, .country = "Peru", .signup = std::nullopt},
                   {},
                   {.gender = "m", .age = std::nullopt, .country = "Chad", .signup = std::nullopt}};
  const kd::FeatureTable table = kd::FeatureTable::of_profiles(data);
  CHECK(named_row(table, 0) == Named{{"gender=f", 1.0F}, {"age=30", 1.0F}, {"country=Peru", 1.0F}});
  CHECK(table.row(1).empty());
  CHECK(table.keys() == data.users);
  data.profiles.pop_back();
  CHECK_THROWS_AS((void)kd::FeatureTable::of_profiles(data), kd::ShapeError);
}

TEST_CASE("what a feature table refuses, and stays as it was") {
  kd::FeatureTable table = people();
  const kd::FeatureTable before = table;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(table.add_numbers("height", std::vector<std::optional<double>>{1.0, nan, 2.0, 3.0}),
                       doctest::Contains("the feature height, row 1"), kd::InvalidArgument);
  CHECK_THROWS_WITH_AS(table.add_numbers("height", std::vector<std::optional<double>>(4), 1), doctest::Contains("knots"),
                       kd::InvalidArgument);
  CHECK_THROWS_WITH_AS(table.add_categories("age", std::vector<std::string>(4, "x")), doctest::Contains("no other group"),
                       kd::InvalidArgument);
  CHECK_THROWS_WITH_AS(table.add_categories("shoes", std::vector<std::string>(3)), doctest::Contains("'shoes' has 3 values"),
                       kd::ShapeError);
  CHECK_THROWS_AS(table.add_lists("shoes", std::vector<std::string>(4), ""), kd::InvalidArgument);
  CHECK_THROWS_AS(table.add_words("shoes", std::vector<std::string>(4), 2, ""), kd::InvalidArgument);
  CHECK(table == before);
  CHECK_THROWS_AS((void)table.columns().name(7), kd::InvalidArgument);
  CHECK_THROWS_AS((void)table.columns().name(-1), kd::InvalidArgument);
  CHECK_THROWS_AS((void)kd::FeatureTable(-1), kd::InvalidArgument);
  CHECK_THROWS_AS((void)kd::FeatureColumns({"a"}, {}), kd::ShapeError);
  CHECK_THROWS_AS((void)kd::FeatureColumns({"a"}, {{"g", Kind::number, 0, 1, {}, {}}}), kd::ShapeError);
  CHECK_THROWS_AS((void)kd::FeatureColumns({"a"}, {{"g", Kind::plain, 0, 2, {}, {}}}), kd::ShapeError);
  CHECK_THROWS_AS((void)kd::FeatureColumns({"a", "b"}, {{"g", Kind::number, 0, 2, {1.0, 1.0}, {}}}), kd::InvalidArgument);
}
