// SPDX-License-Identifier: MIT
#pragma once

// The bodies of core/small_file.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cstddef>
#include <cstdio>
#include <string>

#include <kindred/core/small_file.hpp>

namespace kindred::inline v0::detail {

KINDRED_ONCE std::string small_file(const std::string& path, std::size_t most) {
  std::string text;
  if (std::FILE* const file = std::fopen(path.c_str(), "rb")) {
    text.resize(most);
    text.resize(std::fread(text.data(), 1, most, file));
    (void)std::fclose(file);
  }
  return text;
}

}  // namespace kindred::inline v0::detail
