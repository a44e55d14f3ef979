// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_builder.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_view.hpp>

namespace kindred::inline v0 {

/// What ratings say: likes from one number of stars on, dislikes up to another. What lies between says neither, and is left out.
struct RatingRule {
  float likes_from = 4.0F;   ///< Finite, above dislikes_to.
  float dislikes_to = 2.0F;  ///< Finite.
};

namespace detail {

/// @throws InvalidArgument naming `where` and the field that is wrong.
inline void check_rating_rule(const RatingRule& rule, const std::string& where) {
  if (!is_finite(rule.dislikes_to)) throw InvalidArgument(where + "dislikes_to", rule.dislikes_to, "finite");
  if (!is_finite(rule.likes_from) || !(rule.likes_from > rule.dislikes_to))
    throw InvalidArgument(where + "likes_from", rule.likes_from, "finite and above dislikes_to, which is " + number_text(rule.dislikes_to));
}

/// 1 for a like, -1 for a dislike, 0 for neither.
[[nodiscard]] inline float opinion(const RatingRule& rule, float rating) noexcept {
  return rating >= rule.likes_from ? 1.0F : rating <= rule.dislikes_to ? -1.0F : 0.0F;
}

}  // namespace detail

/// Ratings as opinions, n_users x n_items as they were: 1 for a like, -1 for a dislike, nothing for what lies between.
///
/// Every stored value is a rating, zeros too. Models count likes alone for popularity and pull the score of a dislike towards 0. O(users + nnz).
/// @throws InvalidArgument if the rule is not valid.
[[nodiscard]] inline CsrMatrix likes_and_dislikes(const CsrView& ratings, const RatingRule& rule = {}) {
  detail::check_rating_rule(rule, "rule.");
  detail::CsrBuilder opinions(ratings.shape());
  for (Index u = 0; u < ratings.rows(); ++u) {
    const SparseRow row = ratings.row(u);
    for (std::size_t n = 0; n < row.size(); ++n) {
      const float value = detail::opinion(rule, row.values[n]);
      if (value != 0.0F) opinions.add(row.columns[n], value);
    }
    opinions.end_row();
  }
  return opinions.finish();
}

}  // namespace kindred::inline v0
