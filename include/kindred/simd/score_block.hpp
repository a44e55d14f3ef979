// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace kindred::inline v0::detail {

/// Items that are scored together, and the lanes of their panels.
inline constexpr std::size_t score_block = 64;

}  // namespace kindred::inline v0::detail
