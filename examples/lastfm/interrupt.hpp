// SPDX-License-Identifier: MIT
// Ctrl-C: the first asks the study to end after what it is just doing, the second ends it at once.
#pragma once

namespace study {

/// From now on the first Ctrl-C (SIGINT) or SIGTERM only sets what interrupted() says.
void end_gently_on_interrupt();

/// Whether somebody wants the study to end.
[[nodiscard]] bool interrupted() noexcept;

}  // namespace study
