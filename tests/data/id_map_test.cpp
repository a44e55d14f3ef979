// SPDX-License-Identifier: MIT
#include <kindred/data/id_map.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

namespace kd = kindred;

/// How far the slots of keys are from the places that their hashes name, and a map that threads make together.
struct kindred::detail::IdMapProbe {
  static IdMap made_of(const std::vector<std::string>& keys, std::size_t threads) {
    IdMap ids;
    std::vector<std::uint32_t> hashes;
    for (const std::string& key : keys) hashes.push_back(ids.hash_of(key));
    ids.add_distinct(hashes, [&](std::size_t n) { return std::string_view(keys[n]); }, {.threads = threads});
    return ids;
  }
  static std::size_t slots(const IdMap& ids) { return ids.table_.size(); }
  static std::size_t longest(const IdMap& ids) {
    std::size_t most = 0;
    const std::size_t mask = ids.table_.size() - 1;
    for (std::size_t slot = 0; slot < ids.table_.size(); ++slot)
      if (ids.table_[slot].index != IdMap::absent) most = std::max(most, (slot - ids.table_[slot].hash) & mask);
    return most;
  }
};

using kd::detail::IdMapProbe;

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
    kd::detail::Random random(1, kd::detail::RandomStream::sample);
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

  TEST_CASE("whole numbers are found by their decimal text") {
    kd::IdMap ids;
    const std::vector<std::int64_t> numbers{42, 0, -7, (std::numeric_limits<std::int64_t>::min)(),
                                            (std::numeric_limits<std::int64_t>::max)()};
    for (const std::int64_t number : numbers) ids.intern(std::to_string(number));
    for (std::size_t n = 0; n < numbers.size(); ++n) {
      CHECK(ids.find(numbers[n]) == static_cast<kd::Index>(n));
      CHECK(ids.key_as_int64(static_cast<kd::Index>(n)) == numbers[n]);
    }
    CHECK(ids.find(0) == kd::Index{1});
    CHECK(ids.find(7) == std::nullopt);
    CHECK(kd::IdMap().find(0) == std::nullopt);
    // Other spellings are other keys.
    for (const char* key : {"007", "+1", "-0", " 3", "5x", "", "9223372036854775808", "anna\n"}) {
      const kd::Index index = ids.intern(key);
      CHECK_THROWS_AS((void)ids.key_as_int64(index), kd::InvalidArgument);
    }
    CHECK_THROWS_WITH_AS((void)ids.key_as_int64(12), "key 12 is 'anna\\n'; it must be the decimal text of a 64-bit number",
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)ids.key_as_int64(13), "index is 13; it must be in [0, 13)", kd::InvalidArgument);
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

  TEST_CASE("keys that collide in one map do not in another") {
    kd::IdMap known, other;
    // Of some 500,000 keys those that one map puts into the same slot of 2,048.
    std::vector<std::string> keys;
    for (int n = 0; keys.size() < 250; ++n)
      if (std::string key = "user" + std::to_string(n); (known.hash_of(key) & 2047) == 7) keys.push_back(std::move(key));
    for (const std::string& key : keys) {
      known.intern(key);
      other.intern(key);
    }
    REQUIRE(IdMapProbe::slots(known) <= 2048);
    CHECK(IdMapProbe::longest(known) == 249);
    CHECK(IdMapProbe::longest(other) < 40);  // half full at most: a run of 40 has a chance below 1e-6
    CHECK(known == other);
    for (std::size_t n = 0; n < keys.size(); ++n) CHECK(known.find(keys[n]) == other.find(keys[n]));
    // A copy is the same table.
    const kd::IdMap copy = known;
    CHECK(copy.hash_of("a") == known.hash_of("a"));
    CHECK(copy.find(keys[9]) == kd::Index{9});
  }

  // A difference in the highest bit of a word passes through a multiplication by any odd number. To h = (h ^ word) * odd; h ^= h >> 29, whatever its seed, these
  // are one key in two spellings.
  TEST_CASE("keys made to collide under multiplication and shifts") {
    kd::IdMap ids;
    const std::string one = "abcdefgHabcdefgh";
    std::string twin = one;
    twin[7] = static_cast<char>(twin[7] ^ 0x80);    // bit 63 of the first word
    twin[15] = static_cast<char>(twin[15] ^ 0x80);  // the same in the second, to undo it
    twin[12] = static_cast<char>(twin[12] ^ 0x04);  // and bit 34 = 63 - 29, for a shift by 29
    for (int n = 0; n < 4096; ++n) {
      std::string key;
      for (int bit = 0; bit < 12; ++bit) key += (n >> bit & 1) != 0 ? twin : one;
      CHECK(ids.intern(key) == n);
    }
    CHECK(IdMapProbe::longest(ids) < 100);
  }

  // Sizes at which the table is exactly half full, so that many keys run over the end of a thread's region; a key longer than a slot can say.
  TEST_CASE("a map that threads make of distinct keys is the map of these keys one by one") {
    for (const std::size_t count : {0u, 1u, 7u, 8u, 2'000u, 4'096u, 40'000u})
      for (const std::size_t threads : {1u, 2u, 3u, 16u}) {
        CAPTURE(count);
        CAPTURE(threads);
        std::vector<std::string> keys;
        kd::IdMap reference;
        for (std::size_t n = 0; n < count; ++n) {
          keys.push_back(n == 3 ? std::string(70'000, 'x') : "key " + std::to_string(n * n));
          reference.intern(keys.back());
        }
        kd::IdMap ids = IdMapProbe::made_of(keys, threads);
        CHECK(ids == reference);
        for (std::size_t n = 0; n < count; ++n) REQUIRE(ids.find(keys[n]) == static_cast<kd::Index>(n));
        CHECK(ids.find("key") == std::nullopt);
        if (count > 0) CHECK(IdMapProbe::longest(ids) < 100);
        CHECK(ids.intern("one more") == static_cast<kd::Index>(count));
        CHECK(ids.find("one more") == static_cast<kd::Index>(count));
      }
  }

  TEST_CASE("what it refuses, and in which words") {
    kd::IdMap ids;
    ids.intern("a");
    CHECK_THROWS_WITH_AS((void)ids.index("b"), "key is 'b'; it must be one of the 1 known keys", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)ids.index("b\x1B[2J"), "key is 'b\\x1B[2J'; it must be one of the 1 known keys", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)ids.key(1), "index is 1; it must be in [0, 1)", kd::InvalidArgument);
    CHECK_THROWS_AS((void)ids.key(-1), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)ids.select(std::vector<kd::Index>{0, 0}), "index is 0; it must be named once", kd::InvalidArgument);
    CHECK_THROWS_AS((void)ids.select(std::vector<kd::Index>{1}), kd::InvalidArgument);
  }

  TEST_CASE("room for keys changes no index, before the first key and after some") {
    kd::IdMap plain, reserved;
    for (int n = 0; n < 300; ++n) {
      if (n == 0 || n == 100) reserved.reserve(static_cast<std::size_t>(n) + 150, 1000);
      const std::string key = "key " + std::to_string(n * 7 % 250);
      CHECK(reserved.intern(key) == plain.intern(key));
    }
    CHECK(reserved == plain);
    reserved.reserve(1, 1);  // less than there is
    CHECK(reserved.index("key 7") == plain.index("key 7"));
  }
}
