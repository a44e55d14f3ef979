// SPDX-License-Identifier: MIT
#pragma once

#include <kindred/core/config.hpp>
#include <kindred/data/csr_matrix.hpp>

namespace kindred::inline v0 {

/// Interactions to learn from and interactions to predict: both of the shape of the matrix that was split, without a common entry, adding up to it.
struct TrainTestSplit {
  CsrMatrix train;  ///< n_users x n_items.
  CsrMatrix test;   ///< n_users x n_items.
};

}  // namespace kindred::inline v0
