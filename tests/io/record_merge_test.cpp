// SPDX-License-Identifier: MIT
#include <kindred/io/record_merge.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

namespace kd = kindred;

TEST_SUITE("io/record_merge") {
  TEST_CASE("ids of threads are numbered in the order of the file, few keys and many, for any number of threads") {
    for (const std::uint32_t n_keys : {0u, 5u, 3'000u, 40'000u}) {
      for (const std::size_t threads : {1u, 2u, 7u}) {
        kd::detail::Random random(1, kd::detail::RandomStream::sample, n_keys + static_cast<std::uint32_t>(threads));
        // Rows of a file in turns to threads, some keys in one of them alone, most in several.
        std::vector<kd::detail::SeenKeys> seen(threads, kd::detail::SeenKeys{});  // copies hash alike
        std::vector<std::tuple<std::size_t, kd::Index, std::string>> rows;
        kd::IdMap wanted;
        for (std::uint64_t place = 0; place < 3 * std::uint64_t{n_keys}; ++place) {
          const std::size_t thread = random.below(static_cast<std::uint32_t>(threads));
          const std::string key = "key " + std::to_string(random.below(n_keys));
          rows.emplace_back(thread, seen[thread].intern(key, seen[thread].map.hash_of(key), place), key);
          wanted.intern(key);
        }
        std::vector<kd::detail::SeenKeys*> pointers;
        for (kd::detail::SeenKeys& one : seen) pointers.push_back(&one);
        const kd::detail::MergedKeys merged = kd::detail::merge_keys(pointers, {.threads = threads});
        CHECK(merged.map == wanted);
        bool right = true;
        for (const auto& [thread, own, key] : rows) right = right && merged(thread, own) == wanted.index(key);
        CHECK(right);
      }
    }
  }
}
