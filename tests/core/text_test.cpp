// SPDX-License-Identifier: MIT
#include <kindred/core/text.hpp>

#include <cstddef>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace detail = kindred::detail;

TEST_SUITE("text") {
  TEST_CASE("well-formed UTF-8 of every length is clean") {
    CHECK(detail::find_bad_byte("") == std::string_view::npos);
    CHECK(detail::find_bad_byte("plain ascii, longer than a word of eight bytes") == std::string_view::npos);
    CHECK(detail::find_bad_byte("caf\xC3\xA9 \xE6\xA4\x8D\xE6\x9D\xBE \xF0\x9F\x8E\xB5 \xED\x9F\xBF \xEE\x80\x80 \xF4\x8F\xBF\xBF") ==
          std::string_view::npos);
  }

  TEST_CASE("the first bad byte is found at every position") {
    for (const std::string_view bad : {"\xE9", "\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                                       "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x82"}) {
      for (std::size_t before = 0; before < 20; ++before) {
        const std::string text = std::string(before, 'a') + std::string(bad);
        CHECK(detail::find_bad_byte(text) == before);
        CHECK(detail::find_bad_byte(text + " and more text") == before);
      }
    }
    for (std::size_t before = 0; before < 20; ++before)
      CHECK(detail::find_bad_byte(std::string(before, 'a') + std::string(1, '\0') + std::string(9, 'b')) == before);
  }

  TEST_CASE("foreign text is made printable and short") {
    CHECK(detail::printable("abc") == "'abc'");
    CHECK(detail::printable("") == "''");
    CHECK(detail::printable("a\tb\r\n\x1B[2J") == "'a\\tb\\r\\n\\x1B[2J'");
    CHECK(detail::printable("caf\xC3\xA9 \xE9") == "'caf\xC3\xA9 \\xE9'");
    CHECK(detail::printable("\xC2\x9B") == "'\\xC2\\x9B'");
    const std::string shown = detail::printable(std::string(1000, 'x'));
    CHECK(shown.size() < 70);
    CHECK(shown.ends_with("'..."));
    CHECK(detail::byte_text('\xE9') == "0xE9");
    CHECK(detail::byte_text('\0') == "0x00");
  }
}
