// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>

#include <kindred/core/error.hpp>

namespace examples {

/// Runs `program`; an error becomes a line on the standard error and the exit code 1.
inline int guarded(int (*program)(int, char**), int argc, char** argv) {
  try {
    return program(argc, argv);
  } catch (const kindred::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace examples
