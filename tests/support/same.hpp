// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>

#include <doctest/doctest.h>

#include <kindred/core/aligned.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/implicit_als.hpp>

namespace kindred_test {

/// The result of a comparison. `CHECK(same_array(a, b))` prints the first difference.
struct Same {
  std::string difference;  ///< Empty if there is none.

  explicit operator bool() const noexcept { return difference.empty(); }
  /// The first difference of several comparisons.
  friend Same operator+(Same a, Same b) { return a ? std::move(b) : std::move(a); }
  friend doctest::String toString(const Same& same) { return same ? "the same" : same.difference.c_str(); }
};

template <typename T>
void print_value(std::ostream& out, const T& value) {
  if constexpr (std::is_floating_point_v<T>) {
    out.precision(17);
    out << value << " (bits ";
    if constexpr (sizeof(T) == 4)
      out << std::hex << std::bit_cast<std::uint32_t>(value);
    else
      out << std::hex << std::bit_cast<std::uint64_t>(value);
    out << std::dec << ")";
  } else if constexpr (requires {
                         value.item;
                         value.score;
                       }) {
    out << "item " << value.item << " of score ";
    print_value(out, value.score);
  } else {
    out << value;
  }
}

/// Whether two elements have the same bytes; those of numbers count, -0 is not 0.
template <typename T>
[[nodiscard]] bool same_element(const T& a, const T& b) {
  if constexpr (std::is_arithmetic_v<T>)
    return std::memcmp(&a, &b, sizeof(T)) == 0;
  else
    return a == b;
}

/// Two sequences, element by element. `name` says what they are.
template <typename A, typename B>
[[nodiscard]] Same same_array(const A& a, const B& b, std::string_view name = "array") {
  std::ostringstream out;
  const auto n_a = static_cast<std::size_t>(std::distance(std::begin(a), std::end(a)));
  const auto n_b = static_cast<std::size_t>(std::distance(std::begin(b), std::end(b)));
  auto x = std::begin(a);
  auto y = std::begin(b);
  for (std::size_t n = 0; n < (std::min)(n_a, n_b); ++n, ++x, ++y) {
    if (same_element(*x, *y)) continue;
    out << name << "[" << n << "] is ";
    print_value(out, *x);
    out << " and ";
    print_value(out, *y);
    return {out.str()};
  }
  if (n_a != n_b) out << name << " has " << n_a << " and " << n_b << " elements; those in common are the same";
  return {out.str()};
}

/// Two matrices of factors, padding included. `name` says what they are.
template <kindred::Real Scalar>
[[nodiscard]] Same same_factors(const kindred::FactorMatrix<Scalar>& a, const kindred::FactorMatrix<Scalar>& b,
                                std::string_view name = "factors") {
  if (a.rows() != b.rows() || a.factors() != b.factors()) {
    std::ostringstream out;
    out << name << " are " << a.rows() << " x " << a.factors() << " and " << b.rows() << " x " << b.factors();
    return {out.str()};
  }
  for (kindred::Index r = 0; r < a.rows(); ++r)
    if (Same row = same_array(a.row(r), b.row(r), std::string(name) + ", row " + std::to_string(r) + ", factor "); !row) return row;
  return {a.same_bytes(b) ? "" : std::string(name) + " differ in their padding"};
}

/// Factors and eigenvalues of two models.
template <kindred::Real Scalar>
[[nodiscard]] Same same_model(const kindred::ImplicitALS<Scalar>& a, const kindred::ImplicitALS<Scalar>& b) {
  return same_factors(a.user_factors(), b.user_factors(), "user factors") +
         same_factors(a.item_factors(), b.item_factors(), "item factors") + same_array(a.eigenvalues(), b.eigenvalues(), "eigenvalues");
}

}  // namespace kindred_test
