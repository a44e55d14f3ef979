// SPDX-License-Identifier: MIT
#pragma once

// The bodies of data/transposed.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/transposed.hpp>

namespace kindred::inline v0::detail {

KINDRED_ONCE void transpose_into(const CsrView& matrix, const TransposeArrays& to, const ParallelOptions& parallel) {
  const auto items = static_cast<std::size_t>(matrix.cols()), nnz = static_cast<std::size_t>(matrix.nnz());
  std::fill_n(to.offsets, items + 1, Offset{0});
  if (nnz == 0) return;
  constexpr std::size_t least_share = std::size_t{1} << 16;  // interactions that are worth a thread
  const std::size_t shares = (std::min)(resolve_threads(parallel.threads), (std::min)(nnz / least_share, nnz / items) + 1);
  const ParallelOptions by_share{.threads = shares, .grain = 1, .executor = parallel.executor};

  // Rows of about as many interactions for each share.
  const auto offsets = matrix.offsets();
  std::vector<Index> starts(shares + 1, matrix.rows());
  for (std::size_t share = 0; share < shares; ++share) {
    const Offset wanted = offsets.front() + static_cast<Offset>(nnz / shares * share);
    starts[share] = static_cast<Index>(std::lower_bound(offsets.begin(), offsets.end() - 1, wanted) - offsets.begin());
  }
  starts.front() = 0;

  // How often each share has each item; then where its interactions start among those of the column.
  std::vector<std::unique_ptr<std::uint32_t[]>> places(shares);
  parallel_for(shares, by_share, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t share = first; share < last; ++share) {
      places[share] = std::make_unique<std::uint32_t[]>(items);
      for (const Index item : matrix.rows(starts[share], starts[share + 1]).columns()) ++places[share][static_cast<std::size_t>(item)];
    }
  });
  parallel_for(items, {.threads = shares, .grain = 8192, .executor = parallel.executor},
               [&](std::size_t first, std::size_t last, std::size_t) {
                 for (std::size_t item = first; item < last; ++item) {
                   std::uint32_t sum = 0;
                   for (std::size_t share = 0; share < shares; ++share) {
                     const std::uint32_t count = places[share][item];
                     places[share][item] = sum;
                     sum += count;
                   }
                   to.offsets[item + 1] = static_cast<Offset>(sum);
                 }
               });
  for (std::size_t item = 0; item < items; ++item) to.offsets[item + 1] += to.offsets[item];
  parallel_for(shares, by_share, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t share = first; share < last; ++share)
      for (Index u = starts[share]; u < starts[share + 1]; ++u) {
        const SparseRow row = matrix.row(u);
        for (std::size_t n = 0; n < row.size(); ++n) {
          const auto item = static_cast<std::size_t>(row.columns[n]);
          const auto at = static_cast<std::size_t>(to.offsets[item]) + places[share][item]++;
          to.columns[at] = u;
          to.values[at] = row.values[n];
        }
      }
  });
}

}  // namespace kindred::inline v0::detail
