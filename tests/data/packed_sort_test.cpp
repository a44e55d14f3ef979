// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <kindred/core/random.hpp>
#include <kindred/data/packed_sort.hpp>

#include <doctest/doctest.h>

namespace kd = kindred;

TEST_SUITE("data/packed_sort") {
  TEST_CASE("rows of every length, with columns of any size, repeats and runs in order, are sorted as std::sort does") {
    kd::detail::Random random(3, kd::detail::RandomStream::sample, 2);
    kd::detail::PackedSort sort;
    for (const std::size_t length : {0U, 1U, 2U, 47U, 48U, 49U, 300U, 3000U}) {
      for (const std::uint32_t columns : {1U, 2U, 200U, 256U, 70'000U, 0x7FFF'FFFFU}) {
        for (const bool in_order : {false, true}) {
          std::vector<std::uint64_t> row(length);
          for (std::uint64_t& one : row) one = static_cast<std::uint64_t>(random.below(columns)) << 32;
          if (in_order) std::sort(row.begin(), row.end());
          for (std::size_t n = 0; n < length; ++n) row[n] |= n;
          std::vector<std::uint64_t> wanted = row;
          std::sort(wanted.begin(), wanted.end());
          sort.sort(row);
          CHECK(row == wanted);
        }
      }
    }
  }
}
