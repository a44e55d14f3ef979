// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/row_system.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// What one part of a very long row adds to its system (linalg/row_cost.hpp).
template <Real T>
struct RowPart {
  bool regular = true;        // the part can be summed so; else nothing is in it
  AlignedVector<T> matrix;    // B' B
  AlignedVector<double> sum;  // of target_n y_n
};

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

  /// Weights and right-hand side where some d are 0 or less than `smallest_share` of their target, which then goes into `rest`.
  void split_weights(const Index* all_columns, const RowSystem<T>& system, double smallest_share, std::vector<Index>& rest_columns,
                     AlignedVector<T>& rest_targets) {
    own_columns.clear();
    for (std::size_t n = 0; n < system.columns.size(); ++n) {
      const double d = system.excess[n];
      const double target = system.target[n];
      const bool divides = d > 0.0 && d >= smallest_share * target;
      if (d > 0.0) {
        const double root = std::sqrt(d);
        weight[own_columns.size()] = static_cast<T>(root);
        if (divides) rhs[own_columns.size()] = static_cast<T>(target / root);
        own_columns.push_back(all_columns[n]);
      }
      if (!divides && target != 0.0) {
        rest_columns.push_back(all_columns[n]);
        rest_targets.push_back(static_cast<T>(target));
      }
    }
    columns = own_columns.data();
  }

  /// The system as a matrix of `order` rows, `ld` apart; lines of the diagonal are zero to the left of it.
  void copy_tiles(T* matrix, std::size_t ld, std::size_t order) const {
    const std::size_t blocks = (size + 3) / 4;
    std::fill_n(matrix, order * ld, T(0));
    const T* tile = tiles.data();
    for (std::size_t j = 0; j < blocks; ++j)
      for (std::size_t i = 0; i <= j; ++i, tile += 16)
        for (std::size_t c = 0; c < 4; ++c) std::copy_n(tile + 4 * c, 4, matrix + (4 * i + c) * ld + 4 * j);
  }

  /// Fills the diagonal of the last tile beyond the system's size.
  void pad_tiles() {
    const std::size_t blocks = (size + 3) / 4;
    T* const last = tiles.data() + 16 * (blocks * (blocks + 1) / 2 - 1);
    for (std::size_t c = size - 4 * (blocks - 1); c < 4; ++c) last[5 * c] = largest;
  }
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
