// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <kindred/core/config.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The number behind `key` in a file of "key number" lines, or the first number of the file for an empty key; nothing if it is not there.
[[nodiscard]] KINDRED_ONCE std::optional<std::uint64_t> number_in(const std::string& path, const std::string& key = {});

}  // namespace detail

/// Bytes that this process can still use before the machine swaps, or its container's limit is reached (Linux: MemAvailable, and memory.max of
/// version 2 control groups as they are mounted in containers). Nothing where the system does not say. A snapshot: others allocate too.
[[nodiscard]] KINDRED_ONCE std::optional<std::uint64_t> available_memory();

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/core/memory.ipp>  // IWYU pragma: export
#endif
