// SPDX-License-Identifier: MIT
#pragma once

// The bodies of models/als/memory_estimate.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/gram.hpp>
#include <kindred/linalg/row_cost.hpp>
#include <kindred/linalg/truncated_svd.hpp>
#include <kindred/models/als/memory_estimate.hpp>
#include <kindred/models/als/settings.hpp>

namespace kindred::inline v0 {

template <Real Scalar>
MemoryEstimate estimate_memory(Index users, Index items, Offset nnz, const AlsOptions& asked, const Execution& execution) {
  validate(asked);
  const detail::AlsSettings options = detail::settings_of(asked, {.factors = detail::automatic_factors(items)});
  if (users < 1) throw InvalidArgument("users", users, "at least 1");
  if (items < 1) throw InvalidArgument("items", items, "at least 1");
  const std::uint64_t n_users = static_cast<std::uint64_t>(users), n_items = static_cast<std::uint64_t>(items);
  if (nnz < 1 || static_cast<std::uint64_t>(nnz) > n_users * n_items)
    throw InvalidArgument("nnz", nnz, "in [1, " + std::to_string(n_users * n_items) + "], the cells of the matrix");
  const auto interactions = static_cast<std::uint64_t>(nnz);
  const std::uint64_t line = detail::row_alignment / sizeof(Scalar);
  const std::uint64_t k = options.factors, stride = (k + line - 1) / line * line;

  MemoryEstimate estimate;
  estimate.train = interactions * 8 + (n_users + 1) * sizeof(Offset);
  estimate.factors = (n_users + n_items) * stride * sizeof(Scalar);
  estimate.transposed = interactions * 8 + 2 * (n_items + 1) * sizeof(Offset);
  if (detail::keeps_strengths(options)) estimate.strengths = 2 * interactions * sizeof(Scalar);
  const std::uint64_t backgrounds = (options.user_exponent > 0.0 ? n_users : 0) + (options.item_exponent > 0.0 ? n_items : 0) +
                                    (options.popularity_damping > 0.0 ? n_items : 0);
  estimate.counts = (n_users + n_items) * 2 * sizeof(Index) + backgrounds * sizeof(double);

  // A system of k x k, a block of 256 rows, and a batch of 16 systems of at most 96 twice: as tiles and in lanes (linalg/row_workspace.hpp).
  const std::uint64_t batched = (std::min)(k, std::uint64_t{96});
  const std::uint64_t worker =
      (stride * stride + (std::max)(k, std::uint64_t{256}) * stride + std::uint64_t{2} * 16 * (batched * batched / 2 + 16 * batched)) *
      sizeof(Scalar);
  const std::uint64_t wider = (k + line) / line * line;  // with a bias: both sides once more, with a factor more
  const std::uint64_t biased = options.item_bias ? (n_users + n_items) * wider * sizeof(Scalar) : 0;
  const std::uint64_t square = detail::gram_block_bytes(options.factors);
  const std::uint64_t workers =
      detail::worker_count(static_cast<std::size_t>((std::max)(n_users, n_items)), detail::loop_of(execution, 16));
  const bool may_share = (std::max)(n_users, n_items) >= 2 * detail::row_part;  // rows long enough for several threads
  const std::uint64_t parts =
      may_share ? (std::min)(std::uint64_t{detail::row_parts_bytes}, interactions / detail::row_part * k * k * sizeof(Scalar)) : 0;
  estimate.workspaces = biased + workers * worker + parts + (detail::gram_blocks(k) + 6) * square;
  if (options.start == Start::spectral) {
    // Two blocks of the columns that the SVD iterates on, or one and the items; its Gram matrices, factors and scales.
    const std::uint64_t width = (std::min)({k + detail::SvdOptions{}.extra, n_users, n_items});
    const std::uint64_t wide = (width + line - 1) / line * line;
    estimate.start = (std::max)((n_users + n_items) * wide, n_items * (wide + stride)) * sizeof(Scalar) +
                     2 * (n_users + n_items) * sizeof(double) + (detail::gram_blocks(width) + 6) * detail::gram_block_bytes(width);
  }
  if (detail::leaves_open(asked)) {
    // A sample of the likes, its copy without taste and the transpose of one; the columns of their SVD.
    const std::uint64_t sampled = interactions / static_cast<std::uint64_t>(detail::sample_step(nnz));
    const std::uint64_t wide = (32 + detail::SvdOptions{}.extra + line - 1) / line * line;
    estimate.start =
        (std::max)(estimate.start, std::uint64_t{3} * 8 * sampled + (n_users + n_items) * (wide * sizeof(Scalar) + 3 * sizeof(Offset)));
  }
  estimate.index = n_items * (stride + 3 * sizeof(double) + sizeof(Index));
  return estimate;
}

}  // namespace kindred::inline v0
