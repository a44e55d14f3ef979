// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <kindred/core/config.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
[[nodiscard]] constexpr std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) noexcept {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year =
      (153 * (static_cast<std::int64_t>(month) + (month > 2 ? -3 : 9)) + 2) / 5 + static_cast<std::int64_t>(day) - 1;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

/// Seconds since the Unix epoch at the start of a date; nothing if the calendar has no such day.
[[nodiscard]] constexpr std::optional<std::int64_t> date_seconds(unsigned year, unsigned month, unsigned day) noexcept {
  if (year < 1 || month < 1 || month > 12 || day < 1) return std::nullopt;
  constexpr std::array<unsigned, 12> lengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (day > lengths[month - 1] + (month == 2 && leap ? 1u : 0u)) return std::nullopt;
  return days_from_civil(year, month, day) * 86'400;
}

/// A number of digits alone, at most 4 of them.
[[nodiscard]] constexpr std::optional<unsigned> parse_digits(std::string_view text) noexcept {
  if (text.empty() || text.size() > 4) return std::nullopt;
  unsigned number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number;
}

/// The offset from UTC at the end of a time, in seconds: nothing, "Z", "UTC", or a sign with "hh", "hhmm" or "hh:mm"; a space may stand before it.
/// Nothing for another text.
[[nodiscard]] constexpr std::optional<std::int64_t> parse_utc_offset(std::string_view text) noexcept {
  if (text.empty()) return 0;
  if (text.size() > 1 && text[0] == ' ') text.remove_prefix(1);
  if (text == "Z" || text == "z" || text == "UTC") return 0;
  const char sign = text[0];
  text.remove_prefix(1);
  const bool colon = text.size() == 5 && text[2] == ':';
  if ((sign != '+' && sign != '-') || (text.size() != 2 && text.size() != 4 && !colon)) return std::nullopt;
  const auto hours = parse_digits(text.substr(0, 2));
  const auto minutes = text.size() == 2 ? std::optional<unsigned>(0) : parse_digits(text.substr(text.size() - 2));
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::int64_t seconds = std::int64_t{*hours} * 3'600 + std::int64_t{*minutes} * 60;
  return sign == '-' ? -seconds : seconds;
}

/// "2009-05-04", or with a time "2009-05-04T23:08:57" after it (or a space for the T, or without seconds), a fraction of a second after a point or comma,
/// and an offset from UTC, to whole seconds since the Unix epoch. Without an offset the time is in UTC; a fraction is cut off. Nothing for other forms,
/// leap seconds and days that do not exist.
[[nodiscard]] constexpr std::optional<std::int64_t> parse_iso_8601(std::string_view text) noexcept {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = parse_digits(text.substr(0, 4));
  const auto month = parse_digits(text.substr(5, 2));
  const auto day = parse_digits(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  const auto date = date_seconds(*year, *month, *day);
  if (!date || text.size() == 10) return date;
  if (text.size() < 16 || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':') return std::nullopt;
  const bool seconds = text.size() >= 19 && text[16] == ':';
  const auto hour = parse_digits(text.substr(11, 2));
  const auto minute = parse_digits(text.substr(14, 2));
  const auto second = seconds ? parse_digits(text.substr(17, 2)) : std::optional<unsigned>(0);
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  std::string_view rest = text.substr(seconds ? 19 : 16);
  if (seconds && rest.size() > 1 && (rest[0] == '.' || rest[0] == ',') && rest[1] >= '0' && rest[1] <= '9') {
    rest.remove_prefix(1);
    while (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') rest.remove_prefix(1);
  }
  const auto offset = parse_utc_offset(rest);
  if (!offset) return std::nullopt;
  return *date + std::int64_t{*hour} * 3'600 + std::int64_t{*minute} * 60 + std::int64_t{*second} - *offset;
}

/// "Sep 30, 2005" (English month, day of one or two digits, year of four) to seconds since the Unix epoch at the start of that day, UTC.
[[nodiscard]] constexpr std::optional<std::int64_t> parse_month_day_year(std::string_view text) noexcept {
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::size_t comma = text.find(", ");
  if (comma == std::string_view::npos || comma < 5 || comma > 6 || text[3] != ' ' || text.size() != comma + 6) return std::nullopt;
  const std::size_t month = months.find(text.substr(0, 3));
  const auto day = parse_digits(text.substr(4, comma - 4));
  const auto year = parse_digits(text.substr(comma + 2));
  if (month == std::string_view::npos || month % 3 != 0 || !day || !year) return std::nullopt;
  return date_seconds(*year, static_cast<unsigned>(month / 3) + 1, *day);
}

}  // namespace detail

}  // namespace kindred::inline v0
