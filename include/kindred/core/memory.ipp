// SPDX-License-Identifier: MIT
#pragma once

// The bodies of core/memory.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

#include <kindred/core/memory.hpp>
#include <kindred/core/small_file.hpp>

namespace kindred::inline v0::detail {

KINDRED_ONCE std::optional<std::uint64_t> number_in(const std::string& path, const std::string& key) {
  const std::string text = small_file(path);
  std::size_t at = key.empty() ? 0 : text.find(key);
  if (at == std::string::npos) return std::nullopt;
  at = text.find_first_not_of(" \t", at + key.size());
  std::uint64_t number = 0;
  const char* const first = text.data() + (std::min)(at, text.size());
  if (std::from_chars(first, text.data() + text.size(), number).ec != std::errc()) return std::nullopt;
  return number;
}

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0 {

KINDRED_ONCE std::optional<std::uint64_t> available_memory() {
  const std::optional<std::uint64_t> kilobytes = detail::number_in("/proc/meminfo", "MemAvailable:");
  if (!kilobytes) return std::nullopt;
  std::uint64_t available = *kilobytes * 1024;
  const std::optional<std::uint64_t> most = detail::number_in("/sys/fs/cgroup/memory.max"),
                                     used = detail::number_in("/sys/fs/cgroup/memory.current");
  if (most && used) available = (std::min)(available, *most - (std::min)(*most, *used));
  return available;
}

}  // namespace kindred::inline v0
