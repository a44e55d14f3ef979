// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include <kindred/core/config.hpp>

namespace kindred::inline v0 {

/// The path of a file, in the bytes that the system takes: from text or, where <filesystem> is included, from std::filesystem::path.
class Path {
 public:
  Path(std::string text) noexcept : text_(std::move(text)) {}
  Path(std::string_view text) : text_(text) {}
  Path(const char* text) : text_(text) {}
  /// From anything whose `native()` is text: std::filesystem::path.
  template <typename Other>
  requires requires(const Other& other) {
    { other.native() } -> std::convertible_to<std::string>;
  }
  Path(const Other& other) : text_(other.native()) {}

  [[nodiscard]] const std::string& string() const noexcept { return text_; }
  operator const std::string&() const noexcept { return text_; }

 private:
  std::string text_;
};

}  // namespace kindred::inline v0
