// SPDX-License-Identifier: MIT
#pragma once

// The bodies of core/execution.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cstddef>
#include <string>

#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>

namespace kindred::inline v0::detail {

KINDRED_ONCE void check_threads(std::size_t threads) {
  if (threads > most_threads)
    throw InvalidArgument("threads", threads, "at most " + std::to_string(most_threads) + "; 0 takes all hardware threads");
}

}  // namespace kindred::inline v0::detail
