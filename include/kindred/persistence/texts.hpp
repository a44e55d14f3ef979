// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/persistence/tensor_reader.hpp>
#include <kindred/persistence/tensor_writer.hpp>

namespace kindred::inline v0::detail {

/// Texts as bytes and where each ends.
struct Texts {
  std::vector<std::uint8_t> bytes;
  std::vector<std::int64_t> ends;

  void add(std::string_view text) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    ends.push_back(static_cast<std::int64_t>(bytes.size()));
  }
  void write(TensorWriter& writer, const std::string& name) const {
    writer.add(name + ".bytes", bytes);
    writer.add(name + ".ends", ends);
  }
  static Texts read(TensorReader& reader, const std::string& name, std::uint64_t count) {
    Texts texts{reader.values<std::uint8_t>(name + ".bytes"), reader.values<std::int64_t>(name + ".ends", count)};
    std::int64_t before = 0;
    for (const std::int64_t end : texts.ends) {
      if (end < before || static_cast<std::uint64_t>(end) > texts.bytes.size())
        reader.fail("tensor '" + name + ".ends' holds " + std::to_string(end) + ", which is not in order");
      before = end;
    }
    if (static_cast<std::uint64_t>(before) != texts.bytes.size()) reader.fail("tensor '" + name + ".bytes' is longer than its texts");
    return texts;
  }
  [[nodiscard]] std::string_view operator[](std::size_t n) const {
    const auto start = static_cast<std::size_t>(n == 0 ? 0 : ends[n - 1]);
    return {reinterpret_cast<const char*>(bytes.data()) + start, static_cast<std::size_t>(ends[n]) - start};
  }
};

}  // namespace kindred::inline v0::detail
