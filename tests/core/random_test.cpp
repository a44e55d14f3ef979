// SPDX-License-Identifier: MIT
#include <kindred/core/random.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace kd = kindred;

namespace {

using Block = std::array<std::uint32_t, 4>;

// Known answers of the authors' own implementation, Random123 (kat_vectors, philox4x32 with 10 rounds).
static_assert(kd::detail::philox4x32({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
static_assert(kd::detail::philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
              Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
static_assert(kd::detail::philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
              Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});

constexpr int n_samples = 200'000;

struct Moments {
  double mean = 0.0;
  double variance = 0.0;
  double skewness = 0.0;
  double kurtosis = 0.0;
};

template <typename Draw>
Moments moments(Draw&& draw) {
  std::vector<double> x(n_samples);
  for (double& value : x) value = draw();
  Moments m;
  m.mean = std::accumulate(x.begin(), x.end(), 0.0) / n_samples;
  double third = 0.0, fourth = 0.0;
  for (const double value : x) {
    const double d = value - m.mean;
    m.variance += d * d / n_samples;
    third += d * d * d / n_samples;
    fourth += d * d * d * d / n_samples;
  }
  m.skewness = third / std::pow(m.variance, 1.5);
  m.kurtosis = fourth / (m.variance * m.variance);
  return m;
}

}  // namespace

TEST_SUITE("core/random") {
  // Fixed for ever, since splits and initial factors are part of published figures. Computed by a second implementation, in Python.
  TEST_CASE("a row's sequence") {
    kd::detail::Random random(7, kd::detail::RandomStream::sample, 5);
    for (const std::uint32_t wanted : {0x52509283u, 0x4a3fe6b3u, 0x68ae8317u, 0x10f5c657u, 0xaa647a30u, 0x9f52cebau})
      CHECK(random() == wanted);
    kd::detail::Random search(42, kd::detail::RandomStream::search);
    for (const std::uint32_t wanted : {0u, 3u, 2u, 6u, 0u, 0u, 6u, 1u}) CHECK(search.below(10) == wanted);
  }

  TEST_CASE("copies go on alike") {
    kd::detail::Random random(1, kd::detail::RandomStream::sample);
    (void)random();
    kd::detail::Random copy = random;
    for (int n = 0; n < 20; ++n) CHECK(random() == copy());
  }

  TEST_CASE("seeds, streams and rows have sequences of their own") {
    std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
    std::size_t made = 0;
    for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32, ~std::uint64_t{0}}) {
      for (const auto stream :
           {kd::detail::RandomStream::user_factors, kd::detail::RandomStream::item_factors, kd::detail::RandomStream::split,
            kd::detail::RandomStream::sample, kd::detail::RandomStream::search, kd::detail::RandomStream::synthetic}) {
        for (std::uint64_t row = 0; row < 500; ++row) {
          kd::detail::Random random(seed, stream, row % 2 == 0 ? row : row << 32);
          const std::uint32_t first = random();
          seen.insert({first, random()});
          ++made;
        }
      }
    }
    CHECK(seen.size() == made);
  }

  // Tolerances are five standard errors of the estimate for n = 200,000.
  TEST_CASE("uniform numbers have the moments of [0, 1)") {
    kd::detail::Random random(42, kd::detail::RandomStream::sample);
    double lowest = 1.0, highest = 0.0;
    const Moments m = moments([&] {
      const double u = random.uniform();
      lowest = (std::min)(lowest, u);
      highest = (std::max)(highest, u);
      return u;
    });
    CHECK(lowest >= 0.0);
    CHECK(highest < 1.0);
    CHECK(std::abs(m.mean - 0.5) < 5.0 * std::sqrt(1.0 / 12.0 / n_samples));
    CHECK(std::abs(m.variance - 1.0 / 12.0) < 5.0 * std::sqrt(1.0 / 180.0 / n_samples));
    CHECK(std::abs(m.kurtosis - 1.8) < 0.02);
  }

  TEST_CASE("normal numbers have the moments and the tails of a normal distribution") {
    kd::detail::Random random(42, kd::detail::RandomStream::user_factors);
    int within_one = 0, beyond_three = 0;
    const Moments m = moments([&] {
      const double x = random.normal();
      within_one += std::abs(x) < 1.0 ? 1 : 0;
      beyond_three += std::abs(x) > 3.0 ? 1 : 0;
      return x;
    });
    CHECK(std::abs(m.mean) < 5.0 / std::sqrt(n_samples));
    CHECK(std::abs(m.variance - 1.0) < 5.0 * std::sqrt(2.0 / n_samples));
    CHECK(std::abs(m.skewness) < 5.0 * std::sqrt(6.0 / n_samples));
    CHECK(std::abs(m.kurtosis - 3.0) < 5.0 * std::sqrt(24.0 / n_samples));
    CHECK(std::abs(within_one - 0.682689 * n_samples) < 5.0 * std::sqrt(0.68 * 0.32 * n_samples));
    CHECK(std::abs(beyond_three - 0.0026998 * n_samples) < 5.0 * std::sqrt(0.0027 * n_samples));
  }

  TEST_CASE("below() is uniform: chi-square") {
    for (const std::uint32_t bound : {1u, 2u, 3u, 10u, 97u, 1000u}) {
      kd::detail::Random random(3, kd::detail::RandomStream::sample, bound);
      std::vector<double> counts(bound, 0.0);
      for (int n = 0; n < n_samples; ++n) {
        const std::uint32_t drawn = random.below(bound);
        REQUIRE(drawn < bound);
        counts[drawn] += 1.0;
      }
      const double expected = static_cast<double>(n_samples) / bound;
      double chi_square = 0.0;
      for (const double count : counts) chi_square += (count - expected) * (count - expected) / expected;
      const double freedom = bound - 1.0;  // mean of chi-square; its variance is twice that
      CHECK(std::abs(chi_square - freedom) <= 5.0 * std::sqrt(2.0 * freedom));
    }
  }

  // 3 * 2^30: without the rejection step every number divisible by three would be drawn twice as often.
  TEST_CASE("below() has no bias where the bound is a large part of the range") {
    kd::detail::Random random(4, kd::detail::RandomStream::sample);
    int divisible = 0;
    for (int n = 0; n < n_samples; ++n) divisible += random.below(3u << 30) % 3 == 0 ? 1 : 0;
    CHECK(std::abs(divisible - n_samples / 3.0) < 5.0 * std::sqrt(n_samples * 2.0 / 9.0));
  }

  TEST_CASE("portable logarithm and exponential agree with the C library") {
    kd::detail::Random random(5, kd::detail::RandomStream::sample);
    for (int n = 0; n < 20'000; ++n) {
      const double x = std::ldexp(1.0 + random.uniform(), static_cast<int>(random.below(2000)) - 1000);
      // Relative to the larger of log x and the half that the reduced argument can cancel: a few eps.
      CHECK(std::abs(kd::detail::portable_log(x) - std::log(x)) <= 4e-16 * (std::max)(1.0, std::abs(std::log(x))));
      const double y = 1400.0 * random.uniform() - 700.0;
      // The argument's own rounding, |y| eps / 2, is multiplied through.
      CHECK(std::abs(kd::detail::portable_exp(y) / std::exp(y) - 1.0) <= 3e-16 * (2.0 + std::abs(y)));
    }
    CHECK(kd::detail::portable_log(1.0) == 0.0);
    CHECK(kd::detail::portable_exp(0.0) == 1.0);
    static_assert(kd::detail::portable_log(2.0) > 0.6931471805599452 && kd::detail::portable_log(2.0) < 0.6931471805599455);
    for (const double x : {0.5, 1.5, 1.4142135623730951, 1.4142135623730954, 0.99999, 1.00001, 1e-300, 1e300})
      CHECK(std::abs(kd::detail::portable_log(x) - std::log(x)) <= 4e-16 * (std::max)(1.0, std::abs(std::log(x))));
  }

  TEST_CASE("a shuffle keeps every element, and every order of three is as likely") {
    std::vector<int> elements(100);
    std::iota(elements.begin(), elements.end(), 0);
    kd::detail::Random random(6, kd::detail::RandomStream::sample);
    kd::detail::shuffle_front(std::span<int>(elements), elements.size(), random);
    CHECK_FALSE(std::is_sorted(elements.begin(), elements.end()));
    std::sort(elements.begin(), elements.end());
    for (int n = 0; n < 100; ++n) CHECK(elements[static_cast<std::size_t>(n)] == n);

    std::array<int, 27> seen{};
    for (int n = 0; n < 60'000; ++n) {
      std::array<int, 3> three{0, 1, 2};
      kd::detail::shuffle_front(std::span<int>(three), 3, random);
      ++seen[static_cast<std::size_t>(9 * three[0] + 3 * three[1] + three[2])];
    }
    for (const int order : {5, 7, 11, 15, 19, 21})  // 012 021 102 120 201 210 in base 3
      CHECK(std::abs(seen[static_cast<std::size_t>(order)] - 10'000) < 5.0 * std::sqrt(60'000 * 5.0 / 36.0));
  }

  TEST_CASE("a subset is drawn evenly, and its draw does not depend on how much is drawn after it") {
    std::vector<int> counts(10, 0);
    for (std::uint64_t row = 0; row < 10'000; ++row) {
      std::vector<int> few(10), many(10);
      std::iota(few.begin(), few.end(), 0);
      std::iota(many.begin(), many.end(), 0);
      kd::detail::Random a(1, kd::detail::RandomStream::split, row), b(1, kd::detail::RandomStream::split, row);
      kd::detail::shuffle_front(std::span<int>(few), 3, a);
      kd::detail::shuffle_front(std::span<int>(many), 7, b);
      REQUIRE(std::equal(few.begin(), few.begin() + 3, many.begin()));
      for (std::size_t n = 0; n < 3; ++n) ++counts[static_cast<std::size_t>(few[n])];
    }
    for (const int count : counts) CHECK(std::abs(count - 3000) < 5.0 * std::sqrt(10'000 * 0.3 * 0.7));
  }

  TEST_CASE("nothing drawn from nothing") {
    kd::detail::Random random(1, kd::detail::RandomStream::sample), untouched(1, kd::detail::RandomStream::sample);
    kd::detail::shuffle_front(std::span<int>(), 0, random);
    CHECK(random() == untouched());
  }
}
