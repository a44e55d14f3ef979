// SPDX-License-Identifier: MIT
#include <cstddef>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/random.hpp>
#include <kindred/linalg/row_arithmetic.hpp>

#include <doctest/doctest.h>

namespace kd = kindred;
using kd::detail::AlignedVector;

TEST_SUITE("linalg/row_arithmetic") {
  TEST_CASE_TEMPLATE("rows of one and of several lines, against loops over their entries", T, float, double) {
    kd::detail::Random random(1, kd::detail::RandomStream::sample, 3);
    for (const std::size_t n : {64 / sizeof(T), 320 / sizeof(T)}) {
      AlignedVector<T> a(n), b(n), c(n);
      std::vector<double> sums(n), wanted(n);
      for (std::size_t f = 0; f < n; ++f) {
        a[f] = static_cast<T>(random.normal());
        b[f] = static_cast<T>(random.normal());
        c[f] = static_cast<T>(random.normal());
        sums[f] = wanted[f] = random.normal();
      }
      // Products of floats are exact in double, so that fusing them with the sum changes nothing; those of doubles are not.
      const auto same = [](double x, double y) { return sizeof(T) == 4 ? x == y : x == doctest::Approx(y).epsilon(1e-14); };
      const auto compare_sums = [&] {
        for (std::size_t f = 0; f < n; ++f) CHECK(same(sums[f], wanted[f]));
      };
      kd::detail::add_multiple(sums.data(), 0.5, a.data(), n);
      for (std::size_t f = 0; f < n; ++f) wanted[f] += 0.5 * static_cast<double>(a[f]);
      compare_sums();
      kd::detail::add_products(sums.data(), a.data(), b.data(), n);
      for (std::size_t f = 0; f < n; ++f) wanted[f] += static_cast<double>(a[f]) * static_cast<double>(b[f]);
      compare_sums();

      const auto check = [&](const char* what, auto&& change, auto&& entry) {
        CAPTURE(what);
        AlignedVector<T> to = c;
        change(to.data());
        for (std::size_t f = 0; f < n; ++f) CHECK(to[f] == doctest::Approx(entry(f)).epsilon(4e-7));
      };
      check(
          "add_shares", [&](T* to) { kd::detail::add_shares(to, a.data(), b.data(), n); },
          [&](std::size_t f) { return c[f] + a[f] * b[f]; });
      check(
          "share_and_add", [&](T* to) { kd::detail::share_and_add(to, a.data(), b.data(), n); },
          [&](std::size_t f) { return b[f] + a[f] * c[f]; });
      check(
          "add_row", [&](T* to) { kd::detail::add_row(to, a.data(), n); }, [&](std::size_t f) { return c[f] + a[f]; });
      check(
          "set_multiple", [&](T* to) { kd::detail::set_multiple(to, T(3), a.data(), n); }, [&](std::size_t f) { return T(3) * a[f]; });
      check(
          "set_multiple in place", [&](T* to) { kd::detail::set_multiple<T>(to, T(3), to, n); },
          [&](std::size_t f) { return T(3) * c[f]; });
      check(
          "set_multiple_of_rest", [&](T* to) { kd::detail::set_multiple_of_rest(to, T(3), a.data(), n); },
          [&](std::size_t f) { return T(3) * (a[f] - c[f]); });
    }
  }
}
