// SPDX-License-Identifier: MIT
#include <kindred/storage/hashed_writer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <doctest/doctest.h>

namespace kd = kindred;

namespace {

struct Memory {
  std::vector<std::byte> bytes;
  int writes = 0;

  void write_at(std::uint64_t place, std::span<const std::byte> piece) {
    const auto start = static_cast<std::size_t>(place);
    bytes.resize((std::max)(bytes.size(), start + piece.size()));
    std::copy(piece.begin(), piece.end(), bytes.begin() + static_cast<std::ptrdiff_t>(start));
    writes += piece.empty() ? 0 : 1;
  }
};

std::uint64_t hash_of(std::span<const std::byte> bytes) {
  kd::detail::Xxh64 hash;
  hash.update(bytes);
  return hash.digest();
}

}  // namespace

TEST_SUITE("storage/hashed_writer") {
  TEST_CASE("two arrays side by side: places, lengths and checksums are those of the bytes") {
    Memory file;
    kd::detail::HashedWriter first(file, 8), second(file, 1 << 20);
    for (std::uint32_t n = 0; n < 100'000; ++n) {
      first.put(n);
      second.put(static_cast<std::uint8_t>(n));
    }
    const std::vector<std::byte> large(300'000, std::byte{7});  // more than the buffer
    second.put_bytes(large);
    const kd::detail::HashedBytes one = first.finish(), two = second.finish();
    CHECK(one.start == 8);
    CHECK(one.bytes == 400'000);
    CHECK(two.bytes == 400'000);
    REQUIRE(file.bytes.size() == (1 << 20) + 400'000);
    for (const kd::detail::HashedBytes& place : {one, two})
      CHECK(place.checksum ==
            hash_of(std::span(file.bytes).subspan(static_cast<std::size_t>(place.start), static_cast<std::size_t>(place.bytes))));
    std::uint32_t last = 0;
    std::copy_n(file.bytes.begin() + 8 + 4 * 99'999, 4, std::as_writable_bytes(std::span(&last, 1)).begin());
    CHECK(last == 99'999);
    CHECK(file.bytes.back() == std::byte{7});
    CHECK(file.writes < 20);  // through a buffer
  }

  TEST_CASE("an empty array has the checksum of nothing") {
    Memory file;
    const kd::detail::HashedBytes nothing = kd::detail::HashedWriter(file, 5).finish();
    CHECK(nothing.start == 5);
    CHECK(nothing.bytes == 0);
    CHECK(nothing.checksum == hash_of({}));
  }
}
