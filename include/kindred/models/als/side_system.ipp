// SPDX-License-Identifier: MIT
#pragma once

// The bodies of models/als/side_system.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cstddef>

#include <kindred/core/config.hpp>
#include <kindred/linalg/eigenbasis.hpp>
#include <kindred/models/als/side_system.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

KINDRED_ONCE void SideSystem::diagonalise(std::size_t factors, const ParallelOptions& parallel, SimdLevel level) {
  if (!is_diagonalised_) basis_ = eigenbasis(gram_, factors, parallel, level);
  is_diagonalised_ = true;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
