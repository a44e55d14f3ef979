// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <kindred/core/config.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Text, or a whole number of 16 to 64 bits that is not a character.
template <typename Key>
concept ColumnKey = std::same_as<Key, std::string> || std::same_as<Key, std::string_view> ||
    (std::integral<Key> && sizeof(Key) >= 2 && sizeof(Key) <= 8 && !std::same_as<Key, wchar_t> && !std::same_as<Key, char16_t> &&
     !std::same_as<Key, char32_t>);

/// The element type of what has contiguous elements: a vector, an array, a span.
template <typename Keys>
using ElementOf = std::remove_cv_t<std::remove_pointer_t<decltype(std::data(std::declval<const Keys&>()))>>;

}  // namespace detail

/// Refers to the keys of users or items in memory, one an interaction: a std::vector, std::array, std::span or array of std::string, std::string_view or whole
/// numbers (std::int64_t, std::int32_t, ...). The key of a number is its decimal text: 42 is "42".
class KeyColumn {
 public:
  /// Room for the text of any number.
  using Buffer = char[20];

  /// `keys` must outlive the column.
  template <typename Keys, detail::ColumnKey Key = detail::ElementOf<Keys>>
  requires std::convertible_to<const Keys&, std::span<const Key>> KeyColumn(const Keys& keys)
  noexcept : keys_(std::data(keys)), size_(std::size(keys)), text_(text_of<Key>), numbers_(numbers_of<Key>()) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// The text of key `n`, which is below size(). Valid as long as the keys and `buffer` are, and `buffer` is not used again.
  [[nodiscard]] std::string_view text(std::size_t n, Buffer& buffer) const noexcept { return text_(keys_, n, buffer); }

  /// True for whole numbers that 64 bits with a sign hold, which numbers() gives.
  [[nodiscard]] bool has_numbers() const noexcept { return numbers_ != nullptr; }

  /// Writes keys `first`, first + 1, ... of a column that has numbers to all of `to`; first + to.size() is at most size().
  void numbers(std::size_t first, std::span<std::int64_t> to) const noexcept { numbers_(keys_, first, to); }

 private:
  template <typename Key>
  static std::string_view text_of(const void* keys, std::size_t n, Buffer& buffer) noexcept {
    const Key& key = static_cast<const Key*>(keys)[n];
    if constexpr (std::integral<Key>)
      return {buffer, static_cast<std::size_t>(std::to_chars(buffer, buffer + sizeof(buffer), key).ptr - buffer)};
    else
      return key;
  }

  template <typename Key>
  static auto numbers_of() noexcept -> void (*)(const void*, std::size_t, std::span<std::int64_t>) noexcept {
    if constexpr (std::integral<Key> && (sizeof(Key) < 8 || std::is_signed_v<Key>))
      return [](const void* keys, std::size_t first, std::span<std::int64_t> to) noexcept {
        for (std::size_t n = 0; n < to.size(); ++n) to[n] = static_cast<std::int64_t>(static_cast<const Key*>(keys)[first + n]);
      };
    else
      return nullptr;
  }

  const void* keys_;
  std::size_t size_;
  std::string_view (*text_)(const void* keys, std::size_t n, Buffer& buffer);
  void (*numbers_)(const void* keys, std::size_t first, std::span<std::int64_t> to) noexcept;  // null for text
};

}  // namespace kindred::inline v0
