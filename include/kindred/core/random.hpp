// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>

namespace kindred::inline v0::detail {

/// Which purpose random numbers serve: the same seed gives each purpose numbers of its own.
enum class RandomStream : std::uint32_t {
  user_factors = 1,
  item_factors = 2,
  split = 3,
  sample = 4,
  search = 5,
  synthetic = 6,
  truncated_svd = 7,
  structure = 8,
};

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Philox4x32-10: 128 counter bits and a 64-bit key to 128 random bits. Source: Salmon, Moraes, Dror, Shaw, SC 2011, section 3.
[[nodiscard]] constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                                std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

/// Natural logarithm of a positive normal number from + - * / alone (about 1e-15 relative): std::log differs between C libraries.
[[nodiscard]] constexpr double portable_log(double x) noexcept {
  const auto bits = bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<double>(static_cast<int>(bits >> 52) - 1023);
  double mantissa = bit_cast<double>((bits & 0x000FFFFFFFFFFFFFu) | 0x3FF0000000000000u);  // [1, 2)
  if (mantissa > 1.4142135623730951) {
    mantissa *= 0.5;
    exponent += 1.0;
  }
  // log m = 2 atanh((m - 1) / (m + 1)), with |(m - 1) / (m + 1)| <= 0.1716: the 12th term is below 1e-17.
  const double ratio = (mantissa - 1.0) / (mantissa + 1.0);
  const double square = ratio * ratio;
  double sum = 0.0;
  for (int term = 11; term >= 0; --term) sum = sum * square + 1.0 / (2.0 * term + 1.0);
  return 2.0 * ratio * sum + exponent * 0.69314718055994530942;
}

/// e^x for |x| <= 700 from + - * / alone (about 1e-15 relative).
[[nodiscard]] constexpr double portable_exp(double x) noexcept {
  const double scaled = x * 1.44269504088896340736;
  const auto whole = static_cast<int>(scaled < 0.0 ? scaled - 0.5 : scaled + 0.5);
  const double rest = x - whole * 0.69314718055994530942;  // |rest| <= 0.35: the 18th term is below 1e-23
  double sum = 1.0;
  for (int term = 18; term >= 1; --term) sum = 1.0 + sum * rest / term;
  return sum * bit_cast<double>(static_cast<std::uint64_t>(whole + 1023) << 52);
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Random numbers that are a function of (seed, stream, row) alone: every row has a sequence of its own, so the order in which rows are
/// visited, and by how many threads, changes nothing. No std distribution is used: these differ between standard libraries.
///
/// A row's sequence holds 2^34 32-bit numbers. Generator: Philox4x32-10.
class Random {
 public:
  using result_type = std::uint32_t;

  /// The sequence of `row` in the stream.
  Random(std::uint64_t seed, RandomStream stream, std::uint64_t row = 0) noexcept
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        counter_{0, static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(row >> 32)} {}

  static constexpr result_type min() noexcept { return 0; }
  static constexpr result_type max() noexcept { return 0xFFFFFFFFu; }

  /// 32 random bits.
  result_type operator()() noexcept {
    if (used_ == 4) {
      block_ = philox4x32(counter_, key_);
      ++counter_[0];
      used_ = 0;
    }
    return block_[used_++];
  }

  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform() noexcept {
    const std::uint64_t high = (*this)() >> 5;
    const std::uint64_t low = (*this)() >> 6;
    return static_cast<double>((high << 26) | low) * 0x1.0p-53;
  }

  /// Uniform integer in [0, bound), bound >= 1, without bias. Source: Lemire 2019, algorithm 5.
  std::uint32_t below(std::uint32_t bound) noexcept {
    std::uint64_t product = std::uint64_t{(*this)()} * bound;
    if (static_cast<std::uint32_t>(product) < bound) {
      const std::uint32_t threshold = (0u - bound) % bound;
      while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{(*this)()} * bound;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

  /// Standard normal, by the ratio of uniforms. The number itself is one difference, one product and one quotient, so it has the same bits
  /// everywhere; two bounds of the logarithm decide most cases without it. Source: Kinderman and Monahan 1977.
  double normal() noexcept {
    for (;;) {
      const double u = 1.0 - uniform();                             // (0, 1]
      const double x = 1.7155277699214135 * (uniform() - 0.5) / u;  // sqrt(8 / e)
      const double square = x * x;
      if (square <= 5.0 - 5.1361016667510 * u) return x;     // 4 e^(1/4), rounded up
      if (square >= 1.0369610425836 / u + 1.4001) continue;  // 4 e^(-1.35), rounded up
      if (square <= -4.0 * portable_log(u)) return x;
    }
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  std::size_t used_ = 4;
};

/// Moves a uniformly drawn subset of `count` elements to the front of `elements`, in random order (a partial Fisher-Yates shuffle; `count` equal
/// to the size shuffles all). At most 2^32 - 1 elements. O(count).
template <typename T>
void shuffle_front(std::span<T> elements, std::size_t count, Random& random) noexcept {
  KINDRED_ASSERT(count <= elements.size() && elements.size() <= 0xFFFFFFFFu);
  for (std::size_t place = 0; place < count; ++place) {
    const std::size_t chosen = place + random.below(static_cast<std::uint32_t>(elements.size() - place));
    std::swap(elements[place], elements[chosen]);
  }
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
