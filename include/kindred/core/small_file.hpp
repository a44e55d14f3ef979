// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

#include <kindred/core/config.hpp>

namespace kindred::inline v0::detail {

/// The first `most` bytes of a file of the system; empty if it cannot be read.
[[nodiscard]] KINDRED_ONCE std::string small_file(const std::string& path, std::size_t most = 4096);

}  // namespace kindred::inline v0::detail

#if !defined(KINDRED_COMPILED)
#include <kindred/core/small_file.ipp>  // IWYU pragma: export
#endif
