// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace kindred::test {

/// The path of a file of real data below KINDRED_TEST_DATA_DIR; nothing, and a message, where it is not at hand: the data may not be passed on.
[[nodiscard]] inline std::optional<std::string> real_data(std::string_view relative) {
#if defined(KINDRED_TEST_DATA_DIR)
  const std::filesystem::path path = std::filesystem::path(KINDRED_TEST_DATA_DIR) / relative;
  if (std::filesystem::exists(path)) return path.string();
#endif
  MESSAGE("skipped: no real data (KINDRED_TEST_DATA_DIR): " << std::string(relative));
  return std::nullopt;
}

}  // namespace kindred::test
