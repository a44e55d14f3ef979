// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/events.hpp>
#include <kindred/models/item_offsets.hpp>

namespace kindred::inline v0 {

/// How RepeatScores counts.
struct RepeatOptions {
  double decay = 0.9;                      ///< (0, 1]: what a basket counts less than the one after it.
  double power = 0.5;                      ///< Above 0: of the user's share of baskets that hold the item.
  double rate_prior = 10.0;                ///< At least 0: baskets at the mean rate that each item is given beside its own.
  double rate_power = 0.5;                 ///< At least 0: of the item's rate; 0: all items repeat alike.
  std::optional<std::int64_t> until = {};  ///< As in TrendOptions.
  std::vector<std::string> kinds = {};     ///< As in TrendOptions.
};

/// How likely users are to come back to what they had: groceries, music. RepeatRecommender adds it to the scores of a model.
///
/// A basket is all events of one user at one time: round times to days where a day is a basket. score(u, i) = (sum over the baskets of u that hold i of
/// decay^age / sum over all baskets of u of decay^age)^power * rate_i^rate_power, age in baskets, 0 for the last;
/// rate_i = (times that i is in the next basket too + rate_prior q) / (baskets that hold i and have a next one + rate_prior), q the rate of all items.
/// Scores are in [0, 1]; all are 0 where no user has two baskets, as with all events at one moment. const methods may be called from many threads.
class RepeatScores {
 public:
  /// `data`: keys and numbering of the model; items that it lacks fill baskets, and have no score. O(events * log(longest row) + bytes of the keys).
  /// @throws InvalidArgument for events without times, an option out of range, a kind that no event has, or no event that counts; ShapeError,
  /// InvalidArgument as Events::dataset does for the columns; ShapeError if the parts of `data` do not belong together.
  RepeatScores(const Events& events, const Dataset& data, const RepeatOptions& options = {});

  /// n_users x n_items: the score of each pair that the user had, above 0.
  [[nodiscard]] CsrView matrix() const noexcept { return matrix_; }

  /// Length n_items, in [0, 1]: how often an item that a basket holds is in the next one.
  [[nodiscard]] const std::vector<float>& rates() const noexcept { return rates_; }

  /// The share of users whose last basket holds the item, for FactorModel::set_item_offsets: popularity of today.
  [[nodiscard]] const ItemOffsets& last_baskets() const noexcept { return last_baskets_; }

 private:
  CsrMatrix matrix_;
  std::vector<float> rates_;
  ItemOffsets last_baskets_;
};

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/models/repeat_scores.ipp>  // IWYU pragma: export
#endif
