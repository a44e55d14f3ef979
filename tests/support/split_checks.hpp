// SPDX-License-Identifier: MIT
#pragma once

#include <kindred/split/split.hpp>

#include "random_matrix.hpp"

namespace kindred_test {

/// True if train and test have the shape of `input`, have no entry in common and add up to it.
inline bool is_partition(const kindred::TrainTestSplit& split, const kindred::CsrView& input) {
  if (split.train.shape() != input.shape() || split.test.shape() != input.shape()) return false;
  Cells sum = cells_of(split.train);
  for (const auto& [cell, value] : cells_of(split.test))
    if (!sum.emplace(cell, value).second) return false;
  return sum == cells_of(input);
}

}  // namespace kindred_test
