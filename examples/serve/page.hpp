// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace serve {

/// page.html, which is built into the program.
[[nodiscard]] const std::string& page();

}  // namespace serve
