// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

#include <kindred/core/config.hpp>

namespace kindred::inline v0::detail {

/// The first `most` bytes of a file of the system; empty if it cannot be read.
[[nodiscard]] inline std::string small_file(const std::string& path, std::size_t most = 4096) {
  std::string text;
  if (std::FILE* const file = std::fopen(path.c_str(), "rb")) {
    text.resize(most);
    text.resize(std::fread(text.data(), 1, most, file));
    (void)std::fclose(file);
  }
  return text;
}

}  // namespace kindred::inline v0::detail
