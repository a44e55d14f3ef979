// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <string_view>

#include <kindred/core/config.hpp>

namespace kindred::inline v0::detail {

/// A key that a caller names by text or by a whole number, whose key is its decimal text, "-7". Text is not copied.
class KeyText {
 public:
  constexpr KeyText() = default;
  template <typename Text>
  requires std::convertible_to<const Text&, std::string_view>
  constexpr KeyText(const Text& text) : text_(text) {}
  template <std::integral Number>
  requires(!std::same_as<Number, bool> && !std::same_as<Number, char>) KeyText(Number number) {
    length_ = static_cast<std::size_t>(std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr - digits_.data());
  }

  [[nodiscard]] constexpr std::string_view view() const noexcept { return length_ > 0 ? std::string_view(digits_.data(), length_) : text_; }

 private:
  std::string_view text_ = {};
  std::array<char, 20> digits_ = {};  // of 64 bits and a sign
  std::size_t length_ = 0;
};

}  // namespace kindred::inline v0::detail
