// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// A row between its reduction to a symmetric system and its solution.
template <Real T>
struct ReducedRow {
  bool is_short = false;           // the system is I + B B', else I + B' S B
  std::size_t size = 0;            // of the system
  T largest = T(1);                // diagonal entry
  AlignedVector<T> rhs;            // then the solution; zeros beyond size
  AlignedVector<T> tiles;          // as BatchSystem has them
  AlignedVector<T> scale;          // s, zero beyond the factors ...
  std::size_t scale_number = 0;    // ... as set by the call of set_scale with this number
  AlignedVector<T> weight;         // short rows: sqrt(d) of each column
  AlignedVector<T> rest;           // short rows: g, or empty for zero
  const Index* columns = nullptr;  // short rows: those with d > 0 ...
  std::size_t count = 0;           // ... and their number
  std::vector<Index> own_columns;  // where they are not all of the row's

  /// Fills the diagonal of the last tile beyond the system's size.
  void pad_tiles() {
    const std::size_t blocks = (size + 3) / 4;
    T* const last = tiles.data() + 16 * (blocks * (blocks + 1) / 2 - 1);
    for (std::size_t c = size - 4 * (blocks - 1); c < 4; ++c) last[5 * c] = largest;
  }
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
