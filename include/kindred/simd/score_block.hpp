// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace kindred::inline v0::detail {

/// Items that are scored together, and the lanes of their panels.
inline constexpr std::size_t score_block = 64;

/// Blocks whose codes have one step: as many as queries pass over one after the other, with 128 factors 128 KiB of codes.
inline constexpr std::size_t blocks_of_piece = 16;

/// Above the magnitude of every sum of products of codes, of factors in `groups` of four.
[[nodiscard]] constexpr double most_sum(std::size_t groups) noexcept { return 127.0 * 127.0 * static_cast<double>(groups * 4) + 1.0; }

/// Columns of a panel that may belong to one query, with other queries beside it.
inline constexpr std::size_t score_group = 16;
inline constexpr std::size_t groups_of_block = score_block / score_group;

}  // namespace kindred::inline v0::detail
