// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0 {

/// Lowers the score of popular items: score - strength * ln(1 + users of the item), best first, ties by the lower item.
///
/// `item_users`: users of each item in train, length n_items; must outlive the result. `strength`: >= 0, in units of the score. O(pool log pool) a list.
/// @throws InvalidArgument if `strength` is negative or not finite.
[[nodiscard]] inline Rerank popularity_penalty(std::span<const Index> item_users, double strength, std::size_t pool = 100) {
  if (!(strength >= 0.0) || !detail::is_finite(strength)) throw InvalidArgument("strength", strength, "finite and at least 0");
  return {.pool = pool, .order = [item_users, strength](std::span<const Scored> list, std::size_t) {
            std::vector<Scored> next(list.begin(), list.end());
            for (Scored& one : next)
              one.score -= strength * std::log1p(static_cast<double>(item_users[static_cast<std::size_t>(one.item)]));
            std::sort(next.begin(), next.end(), ranks_before);
            return next;
          }};
}

/// Maximal marginal relevance: takes the item with the largest (1 - diversity) * score / best score - diversity * (largest cosine with an item
/// taken before), one after the other. Scores stay what they were; they no longer fall.
///
/// `item_factors`: n_items x factors; must outlive the result. `diversity`: [0, 1]. O(pool * count * factors) a list.
/// @throws InvalidArgument if `diversity` is out of range.
/// Source: Carbonell and Goldstein 1998; scores are divided by the best one so that they and cosines are of the same size.
template <Real Scalar>
[[nodiscard]] Rerank maximal_marginal_relevance(const FactorMatrix<Scalar>& item_factors, double diversity, std::size_t pool = 100) {
  if (!(diversity >= 0.0 && diversity <= 1.0)) throw InvalidArgument("diversity", diversity, "in [0, 1]");
  return {.pool = pool, .order = [&item_factors, diversity](std::span<const Scored> list, std::size_t count) {
            const auto dot = [&](Index a, Index b) {
              double sum = 0.0;
              for (std::size_t f = 0; f < item_factors.row(a).size(); ++f)
                sum += static_cast<double>(item_factors.row(a)[f]) * static_cast<double>(item_factors.row(b)[f]);
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
/// `labels`: the group of each item, length n_items, -1 for none (no quota); must outlive the result. O(pool log groups) a list.
/// @throws InvalidArgument if `most` is 0.
[[nodiscard]] inline Rerank group_quota(std::span<const Index> labels, std::size_t most, std::size_t pool = 100) {
  if (most == 0) throw InvalidArgument("most", most, "at least 1");
  return {.pool = pool, .order = [labels, most](std::span<const Scored> list, std::size_t count) {
            std::vector<Scored> next;
            std::map<Index, std::size_t> taken;
            for (const Scored& one : list) {
              const Index group = labels[static_cast<std::size_t>(one.item)];
              if (group >= 0 && taken[group]++ >= most) continue;
              next.push_back(one);
              if (next.size() == count) break;
            }
            return next;
          }};
}

}  // namespace kindred::inline v0
