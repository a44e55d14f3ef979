// SPDX-License-Identifier: MIT
#include <kindred/data/id_map.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

namespace kd = kindred;

TEST_SUITE("data/id_map") {
  TEST_CASE("keys are numbered in the order in which they were first seen") {
    kd::IdMap ids;
    CHECK(ids.empty());
    CHECK(ids.find("anna") == std::nullopt);
    CHECK(ids.intern("anna") == 0);
    CHECK(ids.intern("ben") == 1);
    CHECK(ids.intern("anna") == 0);
    CHECK(ids.intern("") == 2);
    CHECK(ids.intern(std::string_view("a\0b", 3)) == 3);
    CHECK(ids.intern("a") == 4);
    CHECK(ids.size() == 5);
    CHECK(ids.key(0) == "anna");
    CHECK(ids.key(2) == "");
    CHECK(ids.key(3).size() == 3);
    CHECK(ids.index("ben") == 1);
    CHECK(ids.find("") == kd::Index{2});
    CHECK(ids.find("carl") == std::nullopt);
  }

  // Keys of every length up to 20, many with common beginnings and ends, against a map.
  TEST_CASE("thousands of keys agree with std::map") {
    kd::Random random(1, kd::RandomStream::sample);
    kd::IdMap ids;
    std::map<std::string, kd::Index> reference;
    for (int n = 0; n < 20'000; ++n) {
      std::string key(random.below(21), 'x');
      for (char& c : key) c = static_cast<char>('a' + random.below(3));
      const auto next = static_cast<kd::Index>(reference.size());
      const kd::Index wanted = reference.emplace(key, next).first->second;
      REQUIRE(ids.intern(key) == wanted);
    }
    CHECK(ids.size() == static_cast<kd::Index>(reference.size()));
    for (const auto& [key, index] : reference) {
      REQUIRE(ids.find(key) == index);
      REQUIRE(ids.key(index) == key);
    }
  }

  TEST_CASE("copies and moves") {
    kd::IdMap ids;
    for (int n = 0; n < 100; ++n) ids.intern("key " + std::to_string(n));
    kd::IdMap copy = ids;
    CHECK(copy == ids);
    copy.intern("one more");
    CHECK_FALSE(copy == ids);
    CHECK(ids.find("one more") == std::nullopt);
    kd::IdMap moved = std::move(copy);
    CHECK(moved.index("one more") == 100);
    CHECK(copy.empty());  // NOLINT: the state after a move is what is tested
    CHECK(copy.find("key 1") == std::nullopt);
    CHECK(copy.intern("fresh") == 0);
  }

  TEST_CASE("equal maps have the same keys in the same order") {
    kd::IdMap a, b, c;
    for (const char* key : {"ab", "c"}) a.intern(key);
    for (const char* key : {"a", "bc"}) b.intern(key);
    for (const char* key : {"c", "ab"}) c.intern(key);
    CHECK_FALSE(a == b);  // the same bytes, cut elsewhere
    CHECK_FALSE(a == c);
  }

  TEST_CASE("a selection is numbered anew") {
    kd::IdMap ids;
    for (const char* key : {"a", "b", "c", "d"}) ids.intern(key);
    const kd::IdMap some = ids.select(std::vector<kd::Index>{3, 1});
    CHECK(some.size() == 2);
    CHECK(some.index("d") == 0);
    CHECK(some.index("b") == 1);
    CHECK(some.find("a") == std::nullopt);
    CHECK(ids.select({}).empty());
  }

  TEST_CASE("what it refuses, and in which words") {
    kd::IdMap ids;
    ids.intern("a");
    CHECK_THROWS_WITH_AS((void)ids.index("b"), "key is 'b'; it must be one of the 1 known keys", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)ids.key(1), "index is 1; it must be in [0, 1)", kd::InvalidArgument);
    CHECK_THROWS_AS((void)ids.key(-1), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)ids.select(std::vector<kd::Index>{0, 0}), "index is 0; it must be named once", kd::InvalidArgument);
    CHECK_THROWS_AS((void)ids.select(std::vector<kd::Index>{1}), kd::InvalidArgument);
  }
}
