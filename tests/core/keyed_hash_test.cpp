// SPDX-License-Identifier: MIT
#include <kindred/core/keyed_hash.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include <doctest/doctest.h>

namespace kd = kindred;
using kd::detail::HashKey;
using kd::detail::keyed_hash;

TEST_SUITE("core/keyed_hash") {
  // The example of the paper, appendix A: SipHash-2-4 of the bytes 0 to 14 under the key of the bytes 0 to 15.
  TEST_CASE("the paper's example") {
    std::string text;
    for (char n = 0; n < 15; ++n) text += n;
    const HashKey key{0x0706050403020100u, 0x0F0E0D0C0B0A0908u};
    CHECK((keyed_hash<2, 4>(key, text)) == 0xA129CA6149BE45E5u);
    CHECK(keyed_hash(key, text) != 0xA129CA6149BE45E5u);
  }

  TEST_CASE("texts of every length, and beginnings of each other, have hashes of their own") {
    const HashKey key{1, 2};
    std::set<std::uint64_t> hashes;
    for (std::size_t length = 0; length < 64; ++length) {
      hashes.insert(keyed_hash(key, std::string(length, '\0')));
      hashes.insert(keyed_hash(key, std::string(length, 'x') + "y"));
    }
    CHECK(hashes.size() == 128);
  }

  TEST_CASE("another key is another hash, and every new key is another one") {
    CHECK(keyed_hash({1, 2}, "text") != keyed_hash({2, 2}, "text"));
    CHECK(keyed_hash({1, 2}, "text") != keyed_hash({1, 3}, "text"));
    std::set<std::uint64_t> hashes;
    for (int n = 0; n < 50; ++n) hashes.insert(keyed_hash(HashKey::make(), "text"));
    CHECK(hashes.size() == 50);
  }
}
