// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <initializer_list>
#include <string>
#include <string_view>

#include "targets.hpp"

namespace kindred_fuzz {

/// Takes an input apart from the front. Where it is used up, there are zeros.
class Input {
 public:
  explicit Input(Bytes bytes) : bytes_(bytes) {}

  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t first = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return first;
  }
  /// In [0, bound), bound at most 65,536.
  std::uint32_t below(std::uint32_t bound) {
    std::uint32_t number = byte();
    if (bound > 256) number = number << 8 | byte();
    return number % bound;
  }
  bool flag() { return (byte() & 1) != 0; }
  /// One of several values.
  template <typename T>
  T pick(std::initializer_list<T> values) {
    return values.begin()[below(static_cast<std::uint32_t>(values.size()))];
  }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] std::string_view rest() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

 private:
  Bytes bytes_;
};

/// Ends the process: the input shows a mistake.
[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "fuzz: %s\n", what.c_str());
  std::abort();
}

inline void check(bool holds, const char* what) {
  if (!holds) fail(what);
}

/// An input was refused. With KINDRED_FUZZ_VERBOSE in the environment, this says why.
inline void refused(const std::exception& error) {
  static const bool verbose = std::getenv("KINDRED_FUZZ_VERBOSE") != nullptr;
  if (verbose) std::fprintf(stderr, "refused: %s\n", error.what());
}

}  // namespace kindred_fuzz
