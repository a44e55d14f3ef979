// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace kindred::test {

/// A new directory among the system's temporary ones, removed with all its files at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::random_device random;
    for (int attempt = 0; attempt < 100; ++attempt) {
      path_ = std::filesystem::temp_directory_path() / ("kindred_test_" + std::to_string(random()) + "_" + std::to_string(random()));
      if (std::filesystem::create_directory(path_)) return;
    }
    throw std::runtime_error("no temporary directory");
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string path() const { return path_.string(); }
  [[nodiscard]] std::string path(std::string_view name) const { return (path_ / name).string(); }

  /// Writes a file of exactly these bytes and says where it is.
  [[nodiscard]] std::string file(std::string_view content, std::string_view name = "data.txt") const {
    const std::string where = path(name);
    std::FILE* const file = std::fopen(where.c_str(), "wb");
    if (file == nullptr) throw std::runtime_error("cannot write " + where);
    const std::size_t written = std::fwrite(content.data(), 1, content.size(), file);
    if (std::fclose(file) != 0 || written != content.size()) throw std::runtime_error("cannot write " + where);
    return where;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace kindred::test
