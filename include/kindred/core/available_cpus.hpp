// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <kindred/core/config.hpp>

namespace kindred::inline v0::detail {

/// Processors that a text like "150000 100000" (microseconds of a period) or "max 100000" allows, at least 1; none for no limit.
[[nodiscard]] KINDRED_ONCE std::optional<std::size_t> cpus_of_quota(const std::string& text);

/// The least quota of the control groups that this process is in, of version 2 or 1. `groups`: the text of /proc/self/cgroup; `root`: where they are
/// mounted. A container sees its own group as the root.
[[nodiscard]] KINDRED_ONCE std::optional<std::size_t> quota_cpus(const std::string& groups, const std::string& root);

/// Processors that this process may use: those of the machine, of its affinity and of its container's quota, whichever are fewest; at least 1. It reads some
/// files of the system, about 20 us: ask once a call.
[[nodiscard]] KINDRED_ONCE std::size_t available_cpus() noexcept;

}  // namespace kindred::inline v0::detail

#if !defined(KINDRED_COMPILED)
#include <kindred/core/available_cpus.ipp>  // IWYU pragma: export
#endif
