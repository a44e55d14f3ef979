// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <charconv>
#include <clocale>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <system_error>

#include <kindred/core/config.hpp>
#include <kindred/data/csr_view.hpp>

namespace kindred::inline v0 {

namespace detail {

/// A whole decimal number and nothing beside it: no '+', no spaces; '-' for signed types. Nothing if `text` is none or does not fit.
template <std::integral T>
[[nodiscard]] std::optional<T> parse_integer(std::string_view text) noexcept {
  T number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

/// Longer numbers than this are refused, so that the copy below has a bound.
inline constexpr std::size_t longest_number = 64;

/// What the characters of a number say about it.
struct NumberShape {
  bool well_formed = false;  ///< -? (digits . digits? | . digits | digits) ([eE] [+-]? digits)?
  bool integer = false;      ///< At most 18 digits, no sign, point or exponent.
  bool nonzero = false;      ///< A digit of the mantissa is not 0.
};

[[nodiscard]] inline NumberShape number_shape(std::string_view text) noexcept {
  NumberShape shape;
  if (text.empty() || text.size() > longest_number) return shape;
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t first = at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
      if (text[at] != '0') shape.nonzero = true;
    return at - first;
  };
  if (text[at] == '-') ++at;
  std::size_t mantissa = digits();
  shape.integer = mantissa == text.size() && mantissa <= 18;
  if (at < text.size() && text[at] == '.') {
    ++at;
    mantissa += digits();
  }
  if (mantissa == 0) return shape;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    const bool nonzero = shape.nonzero;
    if (digits() == 0) return shape;
    shape.nonzero = nonzero;
  }
  shape.well_formed = at == text.size();
  return shape;
}

/// The float nearest to a well-formed number, by the C library: for standard libraries without from_chars for floats (libc++ before 20).
/// @returns infinity beyond the range of a float.
[[nodiscard]] inline float float_by_strtof(std::string_view text) noexcept {
  // strtof wants a terminator, and the decimal point of the program's locale.
  char copy[longest_number + 16];
  const char* const point = std::localeconv()->decimal_point;
  std::size_t length = 0;
  for (const char c : text.substr(0, longest_number)) {
    if (c != '.') {
      copy[length++] = c;
      continue;
    }
    for (std::size_t n = 0; n < 8 && point[n] != '\0'; ++n) copy[length++] = point[n];
  }
  copy[length] = '\0';
  return std::strtof(copy, nullptr);
}

/// The float nearest to a decimal number, and nothing beside it: no '+', spaces, hex, infinity or NaN, at most 64 characters. Nothing if `text`
/// is none, lies beyond the range of a float, or is not zero but too small for one.
[[nodiscard]] inline std::optional<float> parse_float(std::string_view text) noexcept {
  if (!text.empty() && text.size() <= 9) {  // most are a few digits
    std::uint32_t whole = 0;
    std::size_t at = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) whole = whole * 10 + static_cast<std::uint32_t>(text[at] - '0');
    if (at == text.size()) return static_cast<float>(whole);
  }
  const NumberShape shape = number_shape(text);
  if (!shape.well_formed) return std::nullopt;
  float number = 0.0F;
  if (shape.integer) {
    std::uint64_t whole = 0;
    for (const char c : text) whole = whole * 10 + static_cast<std::uint64_t>(c - '0');
    number = static_cast<float>(whole);
  } else {
#if defined(__cpp_lib_to_chars)
    if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{}) return std::nullopt;
#else
    number = float_by_strtof(text);
#endif
  }
  if (!is_finite(number) || (number == 0.0F && shape.nonzero)) return std::nullopt;
  return number;
}

/// The largest whole number that is not above a decimal number: 12 for "12.7" and "1.27e1", -13 for "-12.7". Nothing if `text` is none (see
/// number_shape), or has more than 18 digits before its point.
[[nodiscard]] inline std::optional<std::int64_t> parse_floor(std::string_view text) noexcept {
  if (const auto whole = parse_integer<std::int64_t>(text)) return whole;
  if (!number_shape(text).well_formed) return std::nullopt;
  const bool negative = text[0] == '-';
  if (negative) text.remove_prefix(1);
  const std::size_t e = text.find_first_of("eE");
  std::int64_t exponent = 0;
  if (e != std::string_view::npos) {
    const std::string_view digits = text.substr(e + (text[e + 1] == '+' ? 2 : 1));
    const auto parsed = parse_integer<std::int64_t>(digits);
    if (!parsed || *parsed > 1'000 || *parsed < -1'000) return std::nullopt;
    exponent = *parsed;
  }
  const std::string_view mantissa = text.substr(0, e);
  const std::size_t point = (std::min)(mantissa.find('.'), mantissa.size());
  const std::int64_t before = static_cast<std::int64_t>(point) + exponent;  // digits before the point, leading zeros included
  std::int64_t number = 0, place = 0;
  bool fraction = false;
  for (const char c : mantissa) {
    if (c == '.') continue;
    if (place++ >= before) {
      fraction = fraction || c != '0';
      continue;
    }
    if (number > 99'999'999'999'999'999) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  for (; place < before && number != 0; ++place) {
    if (number > 99'999'999'999'999'999) return std::nullopt;
    number *= 10;
  }
  return negative ? -number - (fraction ? 1 : 0) : number;
}

}  // namespace detail

}  // namespace kindred::inline v0
