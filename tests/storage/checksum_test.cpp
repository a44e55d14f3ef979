// SPDX-License-Identifier: MIT
#include <kindred/storage/checksum.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

namespace kd = kindred;

namespace {

std::string xxh64(std::string_view text) {
  kd::detail::Xxh64 hash;
  hash.update(std::as_bytes(std::span(text.data(), text.size())));
  return kd::detail::digest_text(hash.digest());
}

}  // namespace

TEST_SUITE("Xxh64") {
  TEST_CASE("what xxhsum -H1 prints") {
    CHECK(xxh64("") == "ef46db3751d8e999");
    CHECK(xxh64("a") == "d24ec4f1a98c6e5b");
    CHECK(xxh64("abc") == "44bc2cf5ad770999");
    CHECK(xxh64("Nobody inspects the spammish repetition") == "fbcea83c8a378bf1");  // longer than a stripe, with a rest of each size
  }

  TEST_CASE("pieces of any length give the same") {
    std::string text;
    kd::detail::Random random(1, kd::detail::RandomStream::sample, 0);
    for (int n = 0; n < 1000; ++n) text.push_back(static_cast<char>(random.below(256)));
    for (int round = 0; round < 200; ++round) {
      const std::size_t length = random.below(1000);
      kd::detail::Xxh64 hash;
      for (std::size_t at = 0; at < length;) {
        const std::size_t piece = (std::min)(length - at, std::size_t{random.below(80)});
        hash.update(std::as_bytes(std::span(text.data() + at, piece)));
        at += piece;
      }
      CHECK(kd::detail::digest_text(hash.digest()) == xxh64(std::string_view(text).substr(0, length)));
    }
  }

  TEST_CASE("any one bit changes it") {
    std::string text(77, 'x');
    const std::string before = xxh64(text);
    for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
      text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
      CHECK(xxh64(text) != before);
      text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
    }
  }
}
