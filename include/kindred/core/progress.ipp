// SPDX-License-Identifier: MIT
#pragma once

// The bodies of core/progress.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <chrono>
#include <cstdint>

#include <kindred/core/config.hpp>
#include <kindred/core/progress.hpp>

namespace kindred::inline v0::detail {

KINDRED_ONCE std::int64_t Stopwatch::now() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace kindred::inline v0::detail
