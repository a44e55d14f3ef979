// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <kindred/core/config.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Goes from one separator or line end to the next, 64 bytes at a time.
class FieldScanner {
 public:
  /// [begin, end) and 64 bytes more may be read.
  FieldScanner(const char* begin, const char* end, char separator) noexcept : word_(begin), end_(end), separator_(separator) { load(); }

  /// The next separator or LF at or after the last one that was returned; `end` where there is none left.
  [[nodiscard]] const char* next() noexcept {
    while (stops_ == 0) {
      word_ += 64;
      if (word_ >= end_) return end_;
      load();
    }
    const char* const at = word_ + std::countr_zero(stops_);
    stops_ &= stops_ - 1;
    return at < end_ ? at : end_;
  }

  /// Whether a byte since the last call may be NUL, outside ASCII, or a CR that is not before LF: a line that has none need not be looked at again.
  [[nodiscard]] bool odd_since_last_call() noexcept {
    const bool odd = odd_;
    odd_ = odd_here_;  // the next line may share the word
    return odd;
  }

 private:
  void load() noexcept {
    stops_ = 0;
    std::uint64_t odd = 0, ends = 0, returns = 0;
#if defined(__SSE2__) && (defined(__GNUC__) || defined(__clang__))
    using Bytes = char __attribute__((vector_size(16)));
    const auto bits = [](auto mask) { return static_cast<std::uint64_t>(static_cast<unsigned>(__builtin_ia32_pmovmskb128((Bytes)mask))); };
    for (std::size_t n = 0; n < 4; ++n) {
      Bytes bytes;
      std::memcpy(&bytes, word_ + 16 * n, 16);
      const std::uint64_t line_ends = bits(bytes == '\n');
      stops_ |= (line_ends | bits(bytes == separator_)) << (16 * n);
      ends |= line_ends << (16 * n);
      returns |= bits(bytes == '\r') << (16 * n);
      odd |= bits(bytes) | bits(bytes == '\0');
    }
#else
    for (int n = 0; n < 64; ++n) {
      const char byte = word_[n];
      stops_ |= static_cast<std::uint64_t>(byte == '\n' || byte == separator_) << n;
      ends |= static_cast<std::uint64_t>(byte == '\n') << n;
      returns |= static_cast<std::uint64_t>(byte == '\r') << n;
      odd |= static_cast<std::uint64_t>(byte == '\0' || static_cast<unsigned char>(byte) >= 0x80);
    }
#endif
    // The byte after the 64 may be read as well: there is slack behind the end.
    const std::uint64_t before_end = (ends >> 1) | (static_cast<std::uint64_t>(word_[64] == '\n') << 63);
    odd_here_ = odd != 0 || (returns & ~before_end) != 0;
    odd_ = odd_ || odd_here_;
  }

  const char* word_;
  const char* end_;
  char separator_;
  std::uint64_t stops_ = 0;
  bool odd_ = false;
  bool odd_here_ = false;
};

}  // namespace detail

}  // namespace kindred::inline v0
