// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/io/table.hpp>

#include "input.hpp"

namespace kindred_fuzz {

/// Text files in memory: "0", "1" and so on are the parts of a text between ASCII record separators.
class MemoryFiles {
 public:
  static constexpr char separator = '\x1E';

  /// `piece`: bytes that a read gives at most; 0: no limit.
  explicit MemoryFiles(std::string_view text, std::size_t piece = 0) : piece_(piece) {
    for (;;) {
      const std::size_t end = text.find(separator);
      files_.emplace_back(text.substr(0, end));
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + 1);
    }
  }

  /// The name of the n-th file, or "" where there is none.
  [[nodiscard]] std::string name(std::size_t n) const { return n < files_.size() ? std::to_string(n) : ""; }

  /// For ReadOptions::open.
  [[nodiscard]] kindred::ReadOptions::OpenBytes open() const {
    return [this](const std::string& path) -> kindred::ReadOptions::ReadBytes {
      const auto number = static_cast<std::size_t>(path.at(0) - '0');
      if (number >= files_.size()) throw kindred::IoError(path, "open", ENOENT);
      return [this, number, at = std::size_t{0}](char* to, std::size_t most) mutable -> std::size_t {
        const std::string& file = files_[number];
        std::size_t count = (std::min)(most, file.size() - at);
        if (piece_ > 0) count = (std::min)(count, piece_);
        std::copy_n(file.data() + at, count, to);
        at += count;
        return count;
      };
    };
  }

 private:
  std::vector<std::string> files_;
  std::size_t piece_;
};

/// How to read, but for threads, blocks, and where from.
inline kindred::ReadOptions read_options(Input& input) {
  kindred::ReadOptions options;
  const std::uint8_t choice = input.byte();
  options.on_bad_line = (choice & 1) != 0 ? kindred::ReadOptions::BadLinePolicy::fail : kindred::ReadOptions::BadLinePolicy::skip;
  options.max_line_bytes = (choice & 2) != 0 ? 1 + input.byte() : std::size_t{1} << 20;
  options.first_bad = (choice & 4) != 0 ? 1 : 10;
  options.execution.threads = 1;
  options.block_bytes = 4096;  // as long as an input may be, and quicker than the usual size
  return options;
}

}  // namespace kindred_fuzz
