// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

#include <kindred/core/config.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The number behind `key` in a file of "key number" lines, or the first number of the file for an empty key; nothing if it is not there.
[[nodiscard]] inline std::optional<std::uint64_t> number_in(const std::string& path, const std::string& key = {}) {
  std::ifstream file(path);
  std::string word;
  std::uint64_t number = 0;
  if (key.empty()) return file >> number ? std::optional(number) : std::nullopt;
  while (file >> word)
    if (word == key) return file >> number ? std::optional(number) : std::nullopt;
  return std::nullopt;
}

}  // namespace detail

/// Bytes that this process can still use before the machine swaps, or its container's limit is reached (Linux: MemAvailable, and memory.max of
/// version 2 control groups as they are mounted in containers). Nothing where the system does not say. A snapshot: others allocate too.
[[nodiscard]] inline std::optional<std::uint64_t> available_memory() {
  const std::optional<std::uint64_t> kilobytes = detail::number_in("/proc/meminfo", "MemAvailable:");
  if (!kilobytes) return std::nullopt;
  std::uint64_t available = *kilobytes * 1024;
  const std::optional<std::uint64_t> most = detail::number_in("/sys/fs/cgroup/memory.max"),
                                     used = detail::number_in("/sys/fs/cgroup/memory.current");
  if (most && used) available = (std::min)(available, *most - (std::min)(*most, *used));
  return available;
}

}  // namespace kindred::inline v0
