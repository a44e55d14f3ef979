// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/random.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>

namespace kindred_test {

/// Cells of a matrix by (row, column): the brute-force reference of a sparse matrix.
using Cells = std::map<std::pair<kindred::Index, kindred::Index>, float>;

/// Every stored entry of a matrix.
inline Cells cells_of(const kindred::CsrView& matrix) {
  Cells cells;
  for (kindred::Index u = 0; u < matrix.rows(); ++u)
    for (std::size_t n = 0; n < matrix.row(u).size(); ++n) cells[{u, matrix.row(u).columns[n]}] = matrix.row(u).values[n];
  return cells;
}

/// Each cell is stored with probability `density`, with a whole value in [1, 9].
inline kindred::CsrMatrix random_matrix(kindred::Index users, kindred::Index items, double density, std::uint64_t seed) {
  std::vector<kindred::Interaction> triplets;
  for (kindred::Index u = 0; u < users; ++u) {
    kindred::detail::Random random(seed, kindred::detail::RandomStream::sample, static_cast<std::uint64_t>(u));
    for (kindred::Index i = 0; i < items; ++i)
      if (random.uniform() < density) triplets.push_back({u, i, static_cast<float>(1 + random.below(9))});
  }
  return kindred::CsrMatrix::from_triplets({users, items}, triplets);
}

/// A matrix whose user u has `lengths[u]` items, drawn from all, with values 1, 2, 3, ... from left to right.
inline kindred::CsrMatrix matrix_with_lengths(std::span<const std::size_t> lengths, kindred::Index items, std::uint64_t seed) {
  std::vector<kindred::Offset> offsets{0};
  std::vector<kindred::Index> columns;
  std::vector<float> values;
  std::vector<kindred::Index> all(static_cast<std::size_t>(items));
  for (std::size_t u = 0; u < lengths.size(); ++u) {
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<kindred::Index>(i);
    kindred::detail::Random random(seed, kindred::detail::RandomStream::sample, u);
    kindred::detail::shuffle_front(std::span<kindred::Index>(all), lengths[u], random);
    const auto drawn = all.begin() + static_cast<std::ptrdiff_t>(lengths[u]);
    std::sort(all.begin(), drawn);
    columns.insert(columns.end(), all.begin(), drawn);
    for (std::size_t n = 0; n < lengths[u]; ++n) values.push_back(static_cast<float>(n + 1));
    offsets.push_back(static_cast<kindred::Offset>(columns.size()));
  }
  return {{static_cast<kindred::Index>(lengths.size()), items}, std::move(offsets), std::move(columns), std::move(values)};
}

}  // namespace kindred_test
