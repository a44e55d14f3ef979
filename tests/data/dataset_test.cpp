// SPDX-License-Identifier: MIT
#include <kindred/data/dataset.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

#include "../support/random_matrix.hpp"
#include "../support/small_dataset.hpp"

namespace kd = kindred;
using kindred_test::dataset_of;

TEST_SUITE("data/dataset") {
  //        i0 i1 i2 i3
  //   u0    1  2  .  .
  //   u1    .  3  4  5
  //   u2    6  .  .  7
  const kd::Dataset data = dataset_of(kd::CsrMatrix({3, 4}, {0, 2, 5, 7}, {0, 1, 1, 2, 3, 0, 3}, {1, 2, 3, 4, 5, 6, 7}));

  TEST_CASE("a part by hand: everything goes along") {
    const kd::Dataset part = data.select(std::vector<kd::Index>{1, 2}, std::vector<kd::Index>{0, 3});
    CHECK(part.matrix == kd::CsrMatrix({2, 2}, {0, 1, 3}, {1, 0, 1}, {5, 6, 7}));
    CHECK(part.users.key(0) == "u1");
    CHECK(part.items.key(1) == "i3");
    CHECK(part.item_names == std::vector<std::string>{"item 0", "item 3"});
    CHECK(part.profiles[1].age == 22);
    CHECK(part.times == std::vector<std::int64_t>{1004, 1005, 1006});
    CHECK(part.raw_rows == std::vector<std::uint32_t>{data.raw_rows[4], data.raw_rows[5], data.raw_rows[6]});
    CHECK(part.load.source == "made up");
    CHECK_NOTHROW(part.check());
  }

  TEST_CASE("all of it is all of it, and nothing is nothing") {
    const kd::Dataset all = data.select(std::vector<kd::Index>{0, 1, 2}, std::vector<kd::Index>{0, 1, 2, 3});
    CHECK(all.matrix == data.matrix);
    CHECK(all.users == data.users);
    CHECK(all.items == data.items);
    CHECK(all.times == data.times);
    CHECK(all.raw_rows == data.raw_rows);
    CHECK(all.profiles == data.profiles);
    const kd::Dataset none = data.select({}, {});
    CHECK(none.matrix == kd::CsrMatrix());
    CHECK(none.users.empty());
    CHECK_NOTHROW(none.check());
  }

  TEST_CASE("parts that are not there are not made up") {
    kd::Dataset bare = data;
    bare.item_names.clear();
    bare.profiles.clear();
    bare.times.clear();
    bare.raw_rows.clear();
    const kd::Dataset part = bare.select(std::vector<kd::Index>{1}, std::vector<kd::Index>{1, 2});
    CHECK(part.item_names.empty());
    CHECK(part.profiles.empty());
    CHECK(part.times.empty());
    CHECK(part.raw_rows.empty());
    CHECK(part.matrix.nnz() == 2);
  }

  TEST_CASE("columns in memory by hand") {
    const std::vector<std::string> users{"ben", "anna", "ben", "carl", "ben", "anna", "dora"};
    const std::vector<std::int64_t> items{70, 70, -5, 8, 70, 9, 8};
    const std::vector<float> values{2, 1, 4, 0, 3, 5, 6};
    const std::vector<std::int64_t> times{500, 400, 300, 200, 100, -50, 0};
    const kd::Dataset made = kd::Dataset::from_columns(users, items, values, times);
    // carl's only row has the value 0: no interaction, so he is not there, and item 8 comes with dora.
    CHECK(made.users.size() == 3);
    CHECK(made.users.key(0) == "ben");
    CHECK(made.users.key(1) == "anna");
    CHECK(made.users.key(2) == "dora");
    CHECK(made.items.size() == 4);
    CHECK(made.items.key(1) == "-5");
    CHECK(made.items.find(9) == kd::Index{2});
    CHECK(made.items.key_as_int64(3) == 8);
    CHECK(made.matrix == kd::CsrMatrix({3, 4}, {0, 2, 4, 5}, {0, 1, 0, 2, 3}, {5, 4, 1, 5, 6}));
    CHECK(made.times == std::vector<std::int64_t>{100, 300, 400, -50, 0});
    CHECK(made.raw_rows == std::vector<std::uint32_t>{2, 1, 1, 1, 1});
    CHECK(made.item_names.empty());
    CHECK(made.load.source == "columns in memory");
    CHECK(made.load.lines == 7);
    CHECK(made.load.rows == 6);
    CHECK(made.load.merged == 1);
    CHECK(made.load.dropped == std::map<std::string, std::uint64_t>{{"zero value", 1}});
    CHECK_NOTHROW(made.check());
  }

  TEST_CASE("columns without values, without times, without repeats, without rows") {
    const std::vector<std::string_view> users{"a", "b", "a"};
    const std::vector<std::int32_t> items{1, 1, 2};
    const kd::Dataset made = kd::Dataset::from_columns(users, items);
    CHECK(made.matrix == kd::CsrMatrix({2, 2}, {0, 2, 3}, {0, 1, 0}, {1, 1, 1}));
    CHECK(made.times.empty());
    CHECK(made.raw_rows.empty());
    CHECK(made.load.dropped_total() == 0);
    const kd::Dataset none = kd::Dataset::from_columns(std::vector<std::string>{}, std::vector<std::int64_t>{});
    CHECK(none.matrix == kd::CsrMatrix());
    CHECK(none.load.lines == 0);
    CHECK_NOTHROW(none.check());
  }

  TEST_CASE("pairs of columns that sum to zero go, and what had nothing else with them") {
    const std::vector<std::int64_t> users{1, 2, 1, 3}, items{10, 11, 10, 12};
    const std::vector<float> values{2, 1, -2, 4};
    const kd::Dataset made = kd::Dataset::from_columns(users, items, values, users);
    CHECK(made.users.find(1) == std::nullopt);
    CHECK(made.users.find(2) == kd::Index{0});
    CHECK(made.items.key(0) == "11");
    CHECK(made.matrix == kd::CsrMatrix({2, 2}, {0, 1, 2}, {0, 1}, {1, 4}));
    CHECK(made.times == std::vector<std::int64_t>{2, 3});
    CHECK(made.load.rows == 2);
    CHECK(made.load.dropped == std::map<std::string, std::uint64_t>{{"sum of zero", 2}});
  }

  TEST_CASE("columns of keys agree with columns of indices, whatever the kind of key") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      kd::detail::Random random(seed, kd::detail::RandomStream::sample);
      const std::size_t rows = random.below(200);
      std::vector<std::int64_t> users(rows), items(rows), times(rows);
      std::vector<kd::Index> user_indices(rows), item_indices(rows);
      std::vector<std::string> user_texts(rows), item_texts(rows);
      std::vector<float> values(rows);
      kd::IdMap known_users, known_items;
      for (std::size_t n = 0; n < rows; ++n) {
        users[n] = std::int64_t{1000000007} * random.below(15);
        items[n] = -std::int64_t{random.below(15)};
        user_texts[n] = std::to_string(users[n]);
        item_texts[n] = std::to_string(items[n]);
        user_indices[n] = known_users.intern(user_texts[n]);
        item_indices[n] = known_items.intern(item_texts[n]);
        values[n] = static_cast<float>(1 + random.below(5));
        times[n] = random.below(1000);
      }
      const kd::Dataset by_number = kd::Dataset::from_columns(users, items, values, times);
      CHECK(by_number.matrix == kd::CsrMatrix::from_columns(user_indices, item_indices, values));
      CHECK(by_number.users == known_users);
      CHECK(by_number.items == known_items);
      const kd::Dataset by_text = kd::Dataset::from_columns(user_texts, items, values, times);
      CHECK(by_text.matrix == by_number.matrix);
      CHECK(by_text.users == by_number.users);
      CHECK(by_text.times == by_number.times);
      CHECK(by_text.raw_rows == by_number.raw_rows);
    }
  }

  TEST_CASE("columns that it refuses, and in which words") {
    const std::vector<std::string> users{"a", "b\n"}, gap{"a", ""};
    const std::vector<std::int64_t> items{1, 2}, three{1, 2, 3};
    const std::vector<float> values{1, 2}, one{1}, large{3e38F, 3e38F}, bad{0, std::numeric_limits<float>::infinity()};
    CHECK_THROWS_WITH_AS((void)kd::Dataset::from_columns(users, three), "users has 2 entries and items has 3; they must be equally long",
                         kd::ShapeError);
    CHECK_THROWS_WITH_AS((void)kd::Dataset::from_columns(users, items, one),
                         "users has 2 entries and values has 1; they must be equally long, or values empty", kd::ShapeError);
    CHECK_THROWS_WITH_AS((void)kd::Dataset::from_columns(users, items, values, three),
                         "users has 2 entries and times has 3; they must be equally long, or times empty", kd::ShapeError);
    CHECK_THROWS_WITH_AS((void)kd::Dataset::from_columns(gap, items, values), "users[1] is ''; it must be a key that is not empty",
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::Dataset::from_columns(items, gap, values), "items[1] is ''; it must be a key that is not empty",
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::Dataset::from_columns(users, items, bad), "values[1] is inf; it must be finite", kd::InvalidArgument);
    const std::vector<std::string> same{"b\n", "b\n"};
    CHECK_THROWS_WITH_AS((void)kd::Dataset::from_columns(same, std::vector<int>{7, 7}, large),
                         doctest::Contains("the sum of user 'b\\n' and item '7' in columns in memory is 6.0"), kd::InvalidArgument);
  }

  TEST_CASE("an item is called by its name, or by its key") {
    kd::Dataset named = data;
    named.item_names[1].clear();
    CHECK(named.item_name(0) == "item 0");
    CHECK(named.item_name(1) == "i1");
    named.item_names.clear();
    CHECK(named.item_name(0) == "i0");
    CHECK_THROWS_AS((void)named.item_name(4), kd::InvalidArgument);
    CHECK_THROWS_AS((void)data.item_name(-1), kd::InvalidArgument);
  }

  TEST_CASE("what it refuses, and in which words") {
    const auto refuse = [](auto&& change, const char* words) {
      kd::Dataset broken = data;
      change(broken);
      CHECK_THROWS_WITH_AS(broken.check(), words, kd::ShapeError);
      CHECK_THROWS_AS((void)broken.select({}, {}), kd::ShapeError);
    };
    refuse([](kd::Dataset& d) { d.users.intern("u3"); }, "dataset.users has 4 entries; the matrix has 3 users");
    refuse([](kd::Dataset& d) { d.items = {}; }, "dataset.items has 0 entries; the matrix has 4 items");
    refuse([](kd::Dataset& d) { d.item_names.pop_back(); }, "dataset.item_names has 3 entries; the matrix has 4 items");
    refuse([](kd::Dataset& d) { d.profiles.pop_back(); }, "dataset.profiles has 2 entries; the matrix has 3 users");
    refuse([](kd::Dataset& d) { d.times.pop_back(); }, "dataset.times has 6 entries; the matrix has 7 interactions");
    refuse([](kd::Dataset& d) { d.raw_rows.push_back(1); }, "dataset.raw_rows has 8 entries; the matrix has 7 interactions");
    refuse([](kd::Dataset& d) { d.undecayed.push_back(1); }, "dataset.undecayed has 1 entries; the matrix has 7 interactions");
    const std::vector<kd::Index> falling{2, 1}, outside{4};
    CHECK_THROWS_WITH_AS((void)data.select(falling, {}),
                         "users[1] is 1; it must be above the entry before it, which is 2: sorted, without repeats", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)data.select({}, outside), "items[0] is 4; it must be an item index in [0, 4)", kd::InvalidArgument);
  }
}
