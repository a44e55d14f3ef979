// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <kindred/core/config.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Bytes of the well-formed UTF-8 sequence that `text` starts with, 1 to 4, or 0 if it starts with none. `text` is not empty.
/// Overlong forms, surrogates and numbers beyond U+10FFFF are not well-formed. Source: The Unicode Standard 15, table 3-7.
[[nodiscard]] inline std::size_t utf8_sequence(std::string_view text) noexcept {
  const auto byte = [&](std::size_t n) { return static_cast<unsigned char>(text[n]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xC2 && lead <= 0xDF ? 2 : lead >= 0xE0 && lead <= 0xEF ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t n = 2; n < length; ++n)
    if (byte(n) < 0x80 || byte(n) > 0xBF) return 0;
  return length;
}

/// The position of the first byte that is NUL or no part of well-formed UTF-8; npos if the text is clean.
[[nodiscard]] inline std::size_t find_bad_byte(std::string_view text) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101u;
  constexpr std::uint64_t tops = 0x8080808080808080u;
  std::size_t at = 0;
  while (at < text.size()) {
    // Eight ASCII bytes at a time, none of them NUL.
    std::uint64_t word = 0;
    while (at + sizeof(word) <= text.size()) {
      std::memcpy(&word, text.data() + at, sizeof(word));
      if (((word | (word - ones)) & tops) != 0) break;
      at += sizeof(word);
    }
    if (at == text.size()) break;
    const std::size_t length = text[at] == '\0' ? 0 : utf8_sequence(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

/// A byte as an error message shows it: 0x7F.
[[nodiscard]] inline std::string byte_text(char byte) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto value = static_cast<unsigned char>(byte);
  return {'0', 'x', digits[value >> 4], digits[value & 15]};
}

/// Foreign text as an error message shows it: in quotes, at most about 60 bytes, control characters and broken UTF-8 as escapes.
[[nodiscard]] inline std::string printable(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string out = "'";
  while (!text.empty() && out.size() < longest) {
    const std::size_t length = utf8_sequence(text);
    const auto first = static_cast<unsigned char>(text.front());
    // U+0080 to U+009F, C2 80 to C2 9F, steer terminals as the ASCII controls do.
    const bool control =
        length == 1 ? first < 0x20 || first == 0x7F : length == 2 && first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0;
    if (length > 0 && !control) {
      out += text.substr(0, length);
    } else if (first == '\t' || first == '\r' || first == '\n') {
      out += first == '\t' ? "\\t" : first == '\r' ? "\\r" : "\\n";
    } else {
      out += "\\x" + byte_text(text.front()).substr(2);
    }
    text.remove_prefix(length > 0 && !control ? length : 1);
  }
  return out + (text.empty() ? "'" : "'...");
}

}  // namespace detail

}  // namespace kindred::inline v0
