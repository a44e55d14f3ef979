// SPDX-License-Identifier: MIT
// Files of this folder that are built into the program: gnuplot scripts, the style of the page.
#pragma once

#include <string_view>

namespace study {

/// The content of a file named in examples/CMakeLists.txt; empty if it is not there.
[[nodiscard]] std::string_view asset(std::string_view name) noexcept;

}  // namespace study
