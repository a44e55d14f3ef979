// SPDX-License-Identifier: MIT
#include <kindred/data/dataset.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

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
    const kd::Dataset part = kd::select(data, std::vector<kd::Index>{1, 2}, std::vector<kd::Index>{0, 3}, "a part");
    CHECK(part.matrix == kd::CsrMatrix({2, 2}, {0, 1, 3}, {1, 0, 1}, {5, 6, 7}));
    CHECK(part.users.key(0) == "u1");
    CHECK(part.items.key(1) == "i3");
    CHECK(part.item_names == std::vector<std::string>{"item 0", "item 3"});
    CHECK(part.profiles[1].age == 22);
    CHECK(part.times == std::vector<std::int64_t>{1004, 1005, 1006});
    CHECK(part.raw_rows == std::vector<std::uint32_t>{data.raw_rows[4], data.raw_rows[5], data.raw_rows[6]});
    CHECK(part.load.source == "made up");
    REQUIRE(part.funnel.size() == 1);
    CHECK(part.funnel[0].step == "a part");
    CHECK(part.funnel[0].users == 2);
    CHECK(part.funnel[0].items == 2);
    CHECK(part.funnel[0].interactions == 3);
    CHECK_NOTHROW(kd::check_dataset(part));
  }

  TEST_CASE("all of it is all of it, and nothing is nothing") {
    const kd::Dataset all = kd::select(data, std::vector<kd::Index>{0, 1, 2}, std::vector<kd::Index>{0, 1, 2, 3}, "all");
    CHECK(all.matrix == data.matrix);
    CHECK(all.users == data.users);
    CHECK(all.items == data.items);
    CHECK(all.times == data.times);
    CHECK(all.raw_rows == data.raw_rows);
    CHECK(all.profiles == data.profiles);
    const kd::Dataset none = kd::select(data, {}, {}, "none");
    CHECK(none.matrix == kd::CsrMatrix());
    CHECK(none.users.empty());
    CHECK_NOTHROW(kd::check_dataset(none));
  }

  TEST_CASE("parts that are not there are not made up") {
    kd::Dataset bare = data;
    bare.item_names.clear();
    bare.profiles.clear();
    bare.times.clear();
    bare.raw_rows.clear();
    const kd::Dataset part = kd::select(bare, std::vector<kd::Index>{1}, std::vector<kd::Index>{1, 2}, "part");
    CHECK(part.item_names.empty());
    CHECK(part.profiles.empty());
    CHECK(part.times.empty());
    CHECK(part.raw_rows.empty());
    CHECK(part.matrix.nnz() == 2);
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
      CHECK_THROWS_WITH_AS(kd::check_dataset(broken), words, kd::ShapeError);
      CHECK_THROWS_AS((void)kd::select(broken, {}, {}, "x"), kd::ShapeError);
    };
    refuse([](kd::Dataset& d) { d.users.intern("u3"); }, "dataset.users has 4 entries; the matrix has 3 users");
    refuse([](kd::Dataset& d) { d.items = {}; }, "dataset.items has 0 entries; the matrix has 4 items");
    refuse([](kd::Dataset& d) { d.item_names.pop_back(); }, "dataset.item_names has 3 entries; the matrix has 4 items");
    refuse([](kd::Dataset& d) { d.profiles.pop_back(); }, "dataset.profiles has 2 entries; the matrix has 3 users");
    refuse([](kd::Dataset& d) { d.times.pop_back(); }, "dataset.times has 6 entries; the matrix has 7 interactions");
    refuse([](kd::Dataset& d) { d.raw_rows.push_back(1); }, "dataset.raw_rows has 8 entries; the matrix has 7 interactions");
    const std::vector<kd::Index> falling{2, 1}, outside{4};
    CHECK_THROWS_WITH_AS((void)kd::select(data, falling, {}, "x"),
                         "users[1] is 1; it must be above the entry before it, which is 2: sorted, without repeats", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::select(data, {}, outside, "x"), "items[0] is 4; it must be an item index in [0, 4)",
                         kd::InvalidArgument);
  }
}
