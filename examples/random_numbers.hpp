// SPDX-License-Identifier: MIT
// Random numbers of the examples: the same on every machine, which the distributions of the standard library do not promise.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace examples {

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011): a sequence for each (seed, stream, row).
class Random {
 public:
  Random(std::uint64_t seed, std::uint32_t stream, std::uint64_t row = 0) noexcept
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        counter_{0, stream, static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(row >> 32)} {}

  std::uint32_t bits() noexcept {
    if (used_ == 4) {
      block_ = counter_;
      std::array<std::uint32_t, 2> key = key_;
      for (int round = 0; round < 10; ++round) {
        const std::uint64_t a = std::uint64_t{0xD2511F53U} * block_[0], b = std::uint64_t{0xCD9E8D57U} * block_[2];
        block_ = {static_cast<std::uint32_t>(b >> 32) ^ block_[1] ^ key[0], static_cast<std::uint32_t>(b),
                  static_cast<std::uint32_t>(a >> 32) ^ block_[3] ^ key[1], static_cast<std::uint32_t>(a)};
        key[0] += 0x9E3779B9U;
        key[1] += 0xBB67AE85U;
      }
      ++counter_[0];
      used_ = 0;
    }
    return block_[used_++];
  }

  /// In [0, 1).
  double uniform() noexcept {
    const std::uint64_t high = bits() >> 5U;
    const std::uint64_t low = bits() >> 6U;
    return static_cast<double>((high << 26U) | low) * 0x1.0p-53;
  }

  /// A whole number in [0, bound), without bias (Lemire 2019).
  std::uint32_t below(std::uint32_t bound) noexcept {
    std::uint64_t product = std::uint64_t{bits()} * bound;
    const std::uint32_t threshold = (0U - bound) % bound;
    while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{bits()} * bound;
    return static_cast<std::uint32_t>(product >> 32U);
  }

  /// Draws `count` of the elements to the front, in random order.
  template <typename T>
  void shuffle_front(std::span<T> elements, std::size_t count) noexcept {
    for (std::size_t place = 0; place < count; ++place)
      std::swap(elements[place], elements[place + below(static_cast<std::uint32_t>(elements.size() - place))]);
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  std::size_t used_ = 4;
};

}  // namespace examples
