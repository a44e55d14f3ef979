// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace kindred::inline v0 {

/// A number for each item that lists add to scores: a trend, an editor's choice. FactorModel::set_item_offsets takes it.
///
/// The score of user u and item i becomes x_u . y_i + weight * user_weights[u] * s * values[i], where s is the model's score_spread().
struct ItemOffsets {
  std::vector<float> values = {};  ///< Length n_items, finite. Empty: no offsets.
  float unknown = 0.0F;            ///< Finite: the number of an item that the model gets later.
  double weight = 1.0;             ///< Finite, in units of the standard deviation of scores; 0: the lists of a model without offsets.
  std::vector<float> user_weights =
      {};  ///< Length n_users, in [0, 1]; empty: 1 each. Users that the model gets later, and histories, have 1.
  /// Seconds since the Unix epoch of the last event behind the numbers; none where they are not from events. Evaluation over cuts in time refuses later ones.
  std::optional<std::int64_t> last_event = std::nullopt;

  friend bool operator==(const ItemOffsets&, const ItemOffsets&) = default;
};

}  // namespace kindred::inline v0
