// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <kindred/models/recommender.hpp>

namespace kindred_test {

/// The n-th list of a batch, as a call for one user returns it.
inline std::vector<kindred::Scored> row_of(const kindred::RankedLists& lists, kindred::Index n) {
  const std::span<const kindred::Scored> row = lists.row(static_cast<std::size_t>(n));
  return {row.begin(), row.end()};
}

}  // namespace kindred_test
