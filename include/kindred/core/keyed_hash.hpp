// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

// std::random_device brings all distributions along, a fifth of a second of every file that includes it.
#if defined(__linux__)
#include <sys/random.h>
#else
#include <random>
#endif

#include <kindred/core/config.hpp>

namespace kindred::inline v0::detail {

/// What makes the hashes of one table its own: whoever chooses the keys of the table cannot know which of them will collide.
struct HashKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  /// A new key from the operating system's random numbers.
  [[nodiscard]] static HashKey make() {
    HashKey key;
#if defined(__linux__)
    // So few bytes come whole or, on a system from before 2014, not at all; where it put this object is then what an outsider does not know.
    if (::getrandom(&key, sizeof(key), 0) != static_cast<ssize_t>(sizeof(key))) key.low = key.high = reinterpret_cast<std::uintptr_t>(&key);
#else
    std::random_device random;
    const auto word = [&] { return static_cast<std::uint64_t>(random()) << 32 | random(); };
    key = {word(), word()};
#endif
    return key;
  }
};

/// SipHash with `c` rounds a word and `d` at the end. Tables use 1 and 3, as those of other languages do: no way is known to make keys that collide
/// without the hash key, which mixing by multiplication with a seed does not prevent (differences in the highest bits pass through it).
/// Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", Indocrypt 2012.
template <int c = 1, int d = 3>
[[nodiscard]] std::uint64_t keyed_hash(const HashKey& key, std::string_view text) noexcept {
  std::uint64_t v0 = key.low ^ 0x736F6D6570736575u, v1 = key.high ^ 0x646F72616E646F6Du, v2 = key.low ^ 0x6C7967656E657261u,
                v3 = key.high ^ 0x7465646279746573u;
  const auto rounds = [&](int count) {
    for (int n = 0; n < count; ++n) {
      v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
      v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
    }
  };
  const auto take = [&](std::uint64_t word) {
    v3 ^= word;
    rounds(c);
    v0 ^= word;
  };
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t word = 0;
  for (; left >= 8; left -= 8, at += 8) {
    std::memcpy(&word, at, 8);
    take(word);
  }
  word = 0;
  if (left > 0) std::memcpy(&word, at, left);
  take(word | static_cast<std::uint64_t>(text.size() & 0xFF) << 56);
  v2 ^= 0xFF;
  rounds(d);
  return v0 ^ v1 ^ v2 ^ v3;
}

}  // namespace kindred::inline v0::detail
