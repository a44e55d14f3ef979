// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/models/als/options.hpp>

namespace kindred::inline v0 {

/// Settings of ItemNeighbours. Symbols: n_i users of an item, n_v items of a user, g the strength of an interaction over its mean (1 where all values are equal).
///   c_ij = sum over users v of g_vi g_vj / n_v^user_discount,  weight_ij = n_i^-(1 - popularity) n_j^-popularity c_ij
struct ItemNeighboursOptions {
  std::size_t neighbours = 200;        ///< >= 1; kept of each item, the heaviest. 50 are enough on sparse data and cost 4 % on dense data.
  double popularity = 0.15;            ///< [0, 1], q: 0 favours popular items most, 0.5 not at all; .4 to .5 on very sparse data.
  double user_discount = 1.0;          ///< [0, 4], e: 1: a user's pairs weigh 1 / n_v each; 0: all pairs weigh the same.
  bool share_votes = false;            ///< Items of a history that are neighbours of each other share one vote.
  Confidence curve = Confidence::log;  ///< g; not custom. log bends at the 5 % quantile of the likes, as in AlsOptions.

  /// The textbook's cosine between the sets of users of two items.
  [[nodiscard]] static ItemNeighboursOptions cosine() { return {.popularity = 0.5, .user_discount = 0.0, .curve = Confidence::one}; }
};

/// Checks the options. @throws InvalidArgument naming the first option that is out of range, its value and what is allowed.
inline void validate(const ItemNeighboursOptions& options) {
  if (options.neighbours < 1) throw InvalidArgument("neighbours", options.neighbours, "at least 1");
  if (!(options.popularity >= 0.0 && options.popularity <= 1.0)) throw InvalidArgument("popularity", options.popularity, "in [0, 1]");
  if (!(options.user_discount >= 0.0 && options.user_discount <= 4.0))
    throw InvalidArgument("user_discount", options.user_discount, "in [0, 4]");
  if (options.curve == Confidence::custom) throw InvalidArgument("curve", "Confidence::custom", "linear, log or one");
}

}  // namespace kindred::inline v0
