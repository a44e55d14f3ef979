// SPDX-License-Identifier: MIT
#include <kindred/io/numbers.hpp>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

namespace detail = kindred::detail;

TEST_SUITE("numbers") {
  TEST_CASE("what is a number") {
    CHECK(detail::parse_float("0") == 0.0F);
    CHECK(detail::parse_float("-0") == 0.0F);
    CHECK(detail::parse_float("0.000e5") == 0.0F);
    CHECK(detail::parse_float("007") == 7.0F);
    CHECK(detail::parse_float("-12.5") == -12.5F);
    CHECK(detail::parse_float("1.") == 1.0F);
    CHECK(detail::parse_float(".5") == 0.5F);
    CHECK(detail::parse_float("1e3") == 1000.0F);
    CHECK(detail::parse_float("25E-2") == 0.25F);
    CHECK(detail::parse_float("1e+2") == 100.0F);
    CHECK(detail::parse_float("352698") == 352698.0F);
    CHECK(detail::parse_float("3.4028235e38") == (std::numeric_limits<float>::max)());
    CHECK(detail::parse_float("16777217") == 16777216.0F);  // the nearest float, ties to even
    CHECK(detail::parse_float("123456789012345678901234567890") == 1.2345679e29F);
    CHECK(detail::parse_float(std::string(64, '0')) == 0.0F);
  }

  TEST_CASE("what is none") {
    for (const std::string_view text :
         {"",    " ",    "-",  ".",   "-.",   "e5",  "1e",       "1e+",  "+1",    " 1",     "1 ",    "1x",          "12,5",  "1.2.3",
          "--1", "0x10", "0x", "inf", "-inf", "nan", "infinity", "1e39", "-1e39", "3.5e38", "1e-60", "1e999999999", "1_000", "1'000"}) {
      CAPTURE(text);
      CHECK_FALSE(detail::parse_float(text).has_value());
    }
    CHECK_FALSE(detail::parse_float(std::string(65, '0')).has_value());
    CHECK_FALSE(detail::parse_float(std::string_view("1\0", 2)).has_value());
  }

  TEST_CASE("whole numbers") {
    CHECK(detail::parse_integer<std::int64_t>("-1337") == -1337);
    CHECK(detail::parse_integer<std::int64_t>("9223372036854775807") == (std::numeric_limits<std::int64_t>::max)());
    CHECK(detail::parse_integer<std::uint32_t>("4294967295") == 4294967295u);
    for (const std::string_view text : {"", "-", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "9223372036854775808"}) {
      CAPTURE(text);
      CHECK_FALSE(detail::parse_integer<std::int64_t>(text).has_value());
    }
    CHECK_FALSE(detail::parse_integer<std::uint32_t>("-1").has_value());
  }

  TEST_CASE("a decimal number is cut to the whole number below") {
    CHECK(detail::parse_floor("1260759144") == 1260759144);
    CHECK(detail::parse_floor("1260759144.0") == 1260759144);
    CHECK(detail::parse_floor("1260759144.999") == 1260759144);
    CHECK(detail::parse_floor("1.260759144e9") == 1260759144);
    CHECK(detail::parse_floor("1.2607591445E+09") == 1260759144);
    CHECK(detail::parse_floor("12607591440e-1") == 1260759144);
    CHECK(detail::parse_floor("-0.5") == -1);
    CHECK(detail::parse_floor("-12.0") == -12);
    CHECK(detail::parse_floor("-12.01") == -13);
    CHECK(detail::parse_floor(".5") == 0);
    CHECK(detail::parse_floor("5.") == 5);
    CHECK(detail::parse_floor("1e-30") == 0);
    CHECK(detail::parse_floor("0e999") == 0);
    CHECK(detail::parse_floor("999999999999999999.5") == 999999999999999999);
    CHECK(detail::parse_floor("-9223372036854775808") == (std::numeric_limits<std::int64_t>::min)());
    for (const std::string_view text :
         {"", "-", ".", "1e", "1.5x", " 1.5", "+1.5", "nan", "1e19", "9223372036854775808", "1e99999", "0x1p3"}) {
      CAPTURE(text);
      CHECK_FALSE(detail::parse_floor(text).has_value());
    }
  }

  // Nine digits identify a float: every finite one survives the way through text, by both ways of conversion.
  TEST_CASE("round trip of random floats, and both conversions agree") {
    kindred::detail::Random random(1, kindred::detail::RandomStream::sample);
    for (int n = 0; n < 20'000; ++n) {
      const auto number = std::bit_cast<float>(random());
      if (!detail::is_finite(number)) continue;
      char text[48];
      std::snprintf(text, sizeof(text), n % 2 == 0 ? "%.9g" : "%.8e", static_cast<double>(number));
      const auto parsed = detail::parse_float(text);
      REQUIRE_MESSAGE(parsed.has_value(), text);
      CHECK(std::bit_cast<std::uint32_t>(*parsed) == std::bit_cast<std::uint32_t>(number));
      CHECK(std::bit_cast<std::uint32_t>(detail::float_by_strtof(text)) == std::bit_cast<std::uint32_t>(number));
    }
    for (int n = 0; n < 2'000; ++n) {
      const std::uint64_t whole = (std::uint64_t{random()} << 27) ^ random();
      CHECK(detail::parse_float(std::to_string(whole)) == detail::float_by_strtof(std::to_string(whole)));
    }
    CHECK_FALSE(detail::is_finite(detail::float_by_strtof("1e39")));
  }
}
