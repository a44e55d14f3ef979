// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include <kindred/core/config.hpp>

namespace kindred::inline v0::detail {

/// XXH64 of bytes that come in pieces: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, seed 0.
///
/// It guards against accidents, not against forgers. Chosen over CRC-32C because 64 bits leave no chance of a collision in the lifetime of a service, and
/// because plain C++ runs it near memory bandwidth on every processor, where a fast CRC-32C needs an instruction of its own and three streams.
class Xxh64 {
 public:
  void update(std::span<const std::byte> bytes) noexcept {
    length_ += bytes.size();
    if (held_ > 0) {
      const std::size_t taken = (std::min)(bytes.size(), stripe - held_);
      std::copy_n(bytes.begin(), taken, buffer_.begin() + static_cast<std::ptrdiff_t>(held_));
      held_ += taken;
      bytes = bytes.subspan(taken);
      if (held_ < stripe) return;
      take(buffer_.data(), 1);
      held_ = 0;
    }
    const std::size_t stripes = bytes.size() / stripe;
    take(bytes.data(), stripes);
    bytes = bytes.subspan(stripes * stripe);
    std::copy(bytes.begin(), bytes.end(), buffer_.begin());
    held_ = bytes.size();
  }

  [[nodiscard]] std::uint64_t digest() const noexcept {
    std::uint64_t hash = p5;
    if (length_ >= stripe) {
      hash = std::rotl(lane_[0], 1) + std::rotl(lane_[1], 7) + std::rotl(lane_[2], 12) + std::rotl(lane_[3], 18);
      for (const std::uint64_t lane : lane_) hash = (hash ^ round(0, lane)) * p1 + p4;
    }
    hash += length_;
    const std::byte* at = buffer_.data();
    std::size_t left = held_;
    for (; left >= 8; left -= 8, at += 8) hash = std::rotl(hash ^ round(0, word<std::uint64_t>(at)), 27) * p1 + p4;
    for (; left >= 4; left -= 4, at += 4) hash = std::rotl(hash ^ (word<std::uint32_t>(at) * p1), 23) * p2 + p3;
    for (; left > 0; --left, ++at) hash = std::rotl(hash ^ (std::to_integer<std::uint64_t>(*at) * p5), 11) * p1;
    hash = (hash ^ (hash >> 33)) * p2;
    hash = (hash ^ (hash >> 29)) * p3;
    return hash ^ (hash >> 32);
  }

 private:
  static constexpr std::size_t stripe = 32;
  static constexpr std::uint64_t p1 = 0x9E3779B185EBCA87u, p2 = 0xC2B2AE3D27D4EB4Fu, p3 = 0x165667B19E3779F9u, p4 = 0x85EBCA77C2B2AE63u,
                                 p5 = 0x27D4EB2F165667C5u;

  template <typename Word>
  [[nodiscard]] static std::uint64_t word(const std::byte* at) noexcept {
    Word number = 0;
    std::memcpy(&number, at, sizeof(Word));
    return number;
  }
  [[nodiscard]] static constexpr std::uint64_t round(std::uint64_t lane, std::uint64_t input) noexcept {
    return std::rotl(lane + input * p2, 31) * p1;
  }

  void take(const std::byte* at, std::size_t stripes) noexcept {
    std::uint64_t a = lane_[0], b = lane_[1], c = lane_[2], d = lane_[3];
    for (; stripes > 0; --stripes, at += stripe) {
      a = round(a, word<std::uint64_t>(at));
      b = round(b, word<std::uint64_t>(at + 8));
      c = round(c, word<std::uint64_t>(at + 16));
      d = round(d, word<std::uint64_t>(at + 24));
    }
    lane_ = {a, b, c, d};
  }

  std::array<std::uint64_t, 4> lane_ = {p1 + p2, p2, 0, 0 - p1};
  std::array<std::byte, stripe> buffer_{};
  std::size_t held_ = 0;
  std::uint64_t length_ = 0;
};

/// Where bytes are in a file, and their XXH64.
struct HashedBytes {
  std::uint64_t start = 0;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;
};

/// 16 hexadecimal digits, highest first, as xxhsum prints them.
[[nodiscard]] inline std::string digest_text(std::uint64_t digest) {
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, digest >>= 4) *digit = "0123456789abcdef"[digest & 15];
  return text;
}

}  // namespace kindred::inline v0::detail
