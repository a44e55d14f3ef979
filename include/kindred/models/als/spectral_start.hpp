// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/random.hpp>
#include <kindred/core/team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/linalg/truncated_svd.hpp>
#include <kindred/models/als/constants.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/models/als/state.hpp>
#include <kindred/models/als/weights.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// 1 for a like and 0 for a dislike, as weights for truncated_svd.
template <Real Scalar>
[[nodiscard]] RowWeights<Scalar> like_weights() {
  return [weights = std::vector<Scalar>()](const RowBlock& block, Index row) mutable {
    const std::span<const float> values = block.rows.row(row - block.first).values;
    weights.resize(values.size());
    for (std::size_t n = 0; n < values.size(); ++n) weights[n] = values[n] > 0.0F ? Scalar(1) : Scalar(0);
    return static_cast<const Scalar*>(weights.data());
  };
}

/// n^(-1/2) for each row of a side, n its likes; a row without any counts as one.
/// O(nnz / threads).
[[nodiscard]] inline std::vector<double> like_scales(const RowsRef& side, const Team& team, const ParallelOptions& parallel) {
  std::vector<double> scales(static_cast<std::size_t>(side.rows()), 0.0);
  for_each_piece(side, 256, parallel, [&](const RowBlock& block, Index first, Index last, std::size_t) {
    for (Index r = first; r < last; ++r)
      scales[static_cast<std::size_t>(r)] = static_cast<double>(count_likes(block.rows.row(r - block.first)));
  });
  team.sum(scales);  // one member counts each row
  for (double& scale : scales) scale = 1.0 / std::sqrt((std::max)(1.0, scale));
  return scales;
}

/// The truncated SVD of the likes P (0 or 1): D_u^(-1/2) P D_i^(-1/2) ~ U diag(values) V', D_u and D_i the likes of
/// users and items.
template <Real Scalar>
struct LikesSvd {
  TruncatedSvd<Scalar> svd;
  std::vector<double> item_scales;  ///< The diagonal of D_i^(-1/2), length n_items.
};

/// Decomposes the likes of a matrix whose two sides are `users` and `items`: all rows, or those of this member's `shares`.
///
/// Values do not count beyond their signs. Confidences in place of ones let a few heavy entries fill the first
/// directions where they grow with the value (HetRec Last.fm, alpha 0.5, linear: NDCG@10 after one iteration 0.130
/// instead of 0.192); logarithms of values gain nothing (0.2976 against 0.2977).
/// O(power_steps (nnz + (users + items) count) count). @throws as truncated_svd does.
template <Real Scalar>
[[nodiscard]] LikesSvd<Scalar> svd_of_likes(const RowsRef& users, const RowsRef& items, const SvdOptions& options,
                                            const Team& team = Team(), const RankShares& shares = {}) {
  const std::vector<double> user_scales = like_scales(users, team, options.parallel);
  LikesSvd<Scalar> likes{{}, like_scales(items, team, options.parallel)};
  likes.svd = truncated_svd<Scalar>({users, like_weights<Scalar>, user_scales, shares.users},
                                    {items, like_weights<Scalar>, likes.item_scales, shares.items}, options, team);
  return likes;
}

/// Item factors to start from: Y = D_i^(1/2) V S^(1/2) with the right vectors V and the values S of the likes,
/// settings.factors of them. Columns beyond the rank are those of the normal start. `likes` is used up.
template <Real Scalar>
[[nodiscard]] FactorMatrix<Scalar> spectral_items(LikesSvd<Scalar> likes, const AlsSettings& settings, const ParallelOptions& parallel) {
  FactorMatrix<Scalar> items = std::move(likes.svd.right);
  const std::size_t rank = likes.svd.rank;
  const double sd = settings.start_scale / std::sqrt(static_cast<double>(settings.factors));
  std::vector<double> roots(rank);
  for (std::size_t f = 0; f < rank; ++f) roots[f] = std::sqrt(likes.svd.values[f]);
  parallel_for(static_cast<std::size_t>(items.rows()), {.threads = parallel.threads, .grain = 256, .executor = parallel.executor},
               [&](std::size_t first, std::size_t last, std::size_t) {
                 for (std::size_t r = first; r < last; ++r) {
                   const std::span<Scalar> row = items.row(static_cast<Index>(r));
                   for (std::size_t f = 0; f < rank; ++f)
                     row[f] = static_cast<Scalar>(static_cast<double>(row[f]) * roots[f] / likes.item_scales[r]);
                   if (rank == row.size()) continue;
                   Random random(settings.seed, RandomStream::item_factors, r);
                   for (std::size_t f = 0; f < row.size(); ++f) {
                     const double value = sd * random.normal();
                     if (f >= rank) row[f] = static_cast<Scalar>(value);
                   }
                 }
               });
  return items;
}

/// The spectral start of a fit of `train` alone; `by_items`: its transpose.
template <Real Scalar>
[[nodiscard]] FactorMatrix<Scalar> spectral_start_of(const CsrView& train, const CsrView& by_items, const AlsSettings& settings,
                                                     const Execution& execution) {
  const ParallelOptions parallel = loop_of(execution, 1);
  const SvdOptions wanted{
      .count = settings.factors, .power_steps = settings.power_steps, .seed = settings.seed, .level = execution.simd, .parallel = parallel};
  return spectral_items<Scalar>(svd_of_likes<Scalar>(RowsRef(train), RowsRef(by_items), wanted), settings, parallel);
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
