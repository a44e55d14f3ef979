// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>

namespace kindred::inline v0 {

/// A user or an item: its row or column in the interaction matrix, counted from 0.
using Index = std::int32_t;

/// A position among the stored interactions, of which there may be more than 2^31.
using Offset = std::int64_t;

/// An item and its score; lists of these are ordered best first, ties by the lower item.
struct Scored {
  Index item = 0;
  double score = 0.0;

  friend bool operator==(const Scored&, const Scored&) = default;
};

/// True if `a` stands before `b` in a ranked list.
[[nodiscard]] constexpr bool ranks_before(const Scored& a, const Scored& b) noexcept {
  return a.score > b.score || (!(a.score < b.score) && a.item < b.item);
}

/// The scalar types that factors are stored in.
template <typename T>
concept Real = std::same_as<T, float> || std::same_as<T, double>;

namespace detail {

/// std::bit_cast, which the standard library of emscripten 3.1 lacks.
template <typename To, typename From>
[[nodiscard]] constexpr To bit_cast(const From& from) noexcept {
  return __builtin_bit_cast(To, from);
}

/// Tested on bits, so that it holds under -ffast-math too.
template <typename T>
[[nodiscard]] constexpr bool is_finite(T number) noexcept {
  if constexpr (sizeof(T) == 4)
    return (bit_cast<std::uint32_t>(number) & 0x7F800000u) != 0x7F800000u;
  else
    return (bit_cast<std::uint64_t>(number) & 0x7FF0000000000000u) != 0x7FF0000000000000u;
}

}  // namespace detail

}  // namespace kindred::inline v0
