// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0 {

/// Maximal marginal relevance: takes the item with the largest (1 - diversity) * score / best score - diversity * (largest cosine with an item
/// taken before), one after the other. Scores stay what they were; they no longer fall.
///
/// `item_factors`: n_items x factors, finite; copied once, so that the result stays what it was when the model changes. `diversity`: [0, 1].
/// O(pool * count * factors) a list. A model with another number of items refuses the result.
/// @throws InvalidArgument if `diversity` is out of range or a factor is not finite.
/// Source: Carbonell and Goldstein 1998; scores are divided by the best one so that they and cosines are of the same size.
template <Real Scalar>
[[nodiscard]] Rerank maximal_marginal_relevance(const FactorMatrix<Scalar>& item_factors, double diversity, std::size_t pool = 100) {
  if (!(diversity >= 0.0 && diversity <= 1.0)) throw InvalidArgument("diversity", diversity, "in [0, 1]");
  for (Index i = 0; i < item_factors.rows(); ++i)
    for (const Scalar value : item_factors.row(i))
      if (!detail::is_finite(value)) throw InvalidArgument("item_factors, row " + std::to_string(i), value, "finite");
  const auto factors = std::make_shared<const FactorMatrix<Scalar>>(item_factors);
  const auto n_items = static_cast<std::size_t>(item_factors.rows());
  return {.pool = pool, .items = n_items, .order = [factors, diversity](std::span<const Scored> list, std::size_t count) {
            const auto dot = [&](Index a, Index b) {
              double sum = 0.0;
              for (std::size_t f = 0; f < factors->row(a).size(); ++f)
                sum += static_cast<double>(factors->row(a)[f]) * static_cast<double>(factors->row(b)[f]);
              return sum;
            };
            std::vector<double> length, nearest(list.size(), 0.0);
            for (const Scored& one : list) length.push_back(std::sqrt(dot(one.item, one.item)));
            const double best = list.empty() || list.front().score == 0.0 ? 1.0 : std::abs(list.front().score);
            std::vector<bool> taken(list.size(), false);
            std::vector<Scored> next;
            while (next.size() < (std::min)(count, list.size())) {
              std::size_t chosen = list.size();
              double highest = -std::numeric_limits<double>::infinity();
              for (std::size_t n = 0; n < list.size(); ++n) {
                const double value = (1.0 - diversity) * list[n].score / best - diversity * nearest[n];
                if (!taken[n] && (chosen == list.size() || value > highest)) {
                  highest = value;
                  chosen = n;
                }
              }
              taken[chosen] = true;
              for (std::size_t n = 0; n < list.size(); ++n) {
                const double lengths = length[n] * length[chosen];
                const double cosine = lengths > 0.0 ? dot(list[n].item, list[chosen].item) / lengths : 0.0;
                nearest[n] = next.empty() ? cosine : (std::max)(nearest[n], cosine);
              }
              next.push_back(list[chosen]);
            }
            return next;
          }};
}

/// At most `most` items of each group (a genre, a seller), best first; what exceeds a quota is left out, so lists may get shorter.
///
/// `labels`: the group of each item, length n_items, -1 for none (no quota); copied. O(pool log groups) a list.
/// A model with another number of items refuses the result.
/// @throws InvalidArgument if `most` is 0 or a label is below -1.
[[nodiscard]] KINDRED_ONCE Rerank group_quota(std::span<const Index> labels, std::size_t most, std::size_t pool = 100);

/// Calibration: lists whose mix of groups (genres, popularity deciles) is near that of the user's own likes, at a bounded loss of score.
///
/// Of the items of the pool takes one after the other, each the one that brings the list's shares of the groups nearest to those of the user's likes, by
/// the Kullback-Leibler divergence, as long as the list can still reach (1 - loss) times the sum of scores of the best list (for a negative sum, loss times its
/// size below it); of equal ones the better. The list then stands in the order of the scores. A loss of 0 gives the best list.
/// `train`: n_users x n_items; likes are values above 0. `labels`: the group of each item, length n_items, -1 for none, which counts nowhere; both are copied
/// as shares. `loss`: [0, 1]. For recommend(user) and recommend_all: users beyond train and users without likes in a group keep the best list; calls without
/// an index of the user refuse it. O(nnz) once, O(pool * count * groups) a list.
/// @throws ShapeError if there is not a label for each item; InvalidArgument if a label is below -1 or `loss` out of range.
/// Source: Steck, "Calibrated recommendations", RecSys 2018, with alpha = 0.01. A bound on the loss instead of a weight between score and divergence.
[[nodiscard]] KINDRED_ONCE Rerank calibrated(const CsrView& train, std::span<const Index> labels, double loss, std::size_t pool = 100);

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/models/rerank.ipp>  // IWYU pragma: export
#endif
