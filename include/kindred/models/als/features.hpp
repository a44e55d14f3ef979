// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/feature_table.hpp>
#include <kindred/models/als/weights.hpp>

namespace kindred::inline v0 {

/// When fit learns the map from features to factors.
enum class FeatureSchedule : std::uint8_t {
  each_iteration,  ///< A regression of the factors on the features before each solve of a side: the best lists of known users and items.
  after_fit,       ///< Once after a plain fit, then items and users once more: the price of one iteration, the same answers for new rows.
  sparse_rows,  ///< As each_iteration, then two steps on map and factors together: for rows with few interactions (fewer than ten on average).
};

/// Input for a new user: interactions, features, or both.
struct History {
  SparseRow items = {};     ///< Interactions, columns strictly increasing.
  SparseRow features = {};  ///< A FeatureColumns::Profile, or a row of a FeatureTable of the model's columns.
  float offset_weight =
      1.0F;  ///< [0, 1]: multiplies the weight of item offsets in a list, as ItemOffsets::user_weights do for users of the model.
};

namespace detail {

/// @throws InvalidArgument unless the offset weight is in [0, 1].
inline void check_history(const History& history) {
  if (!(history.offset_weight >= 0.0F && history.offset_weight <= 1.0F))
    throw InvalidArgument("history.offset_weight", history.offset_weight, "in [0, 1]");
}

}  // namespace detail

}  // namespace kindred::inline v0

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// The two maps of a side.
enum class MapKind {
  fit,   ///< Of the loss: the prior mean of rows of train.
  cold,  ///< With a weaker ridge: the prior mean of rows that train does not hold, around the mean of the side.
};

/// The features of one side of a model, and the maps that were learned from them: the prior mean of a row with features f is A'(f - centre).
template <Real Scalar>
struct FeatureSide {
  FeatureTable table;                           // a row for each row of the side
  std::array<FactorMatrix<Scalar>, 2> maps;     // A by MapKind, columns x factors; 0 x 0 where nothing was learned
  std::vector<double> centre;                   // length columns
  std::vector<double> ridge;                    // of the fit's map, length columns
  std::vector<double> mean;                     // of the side's factors, length factors
  double explained = 1.0;                       // share of the variance of rows that the map was not learned from, about
  std::array<AlignedVector<Scalar>, 2> shifts;  // -A'centre, for MapKind::cold with the mean; length stride; follows from the rest

  /// False for features that tell nothing of rows that train does not hold: chance explains up to some thousandths. The cold map is not used then.
  [[nodiscard]] bool informs() const noexcept { return explained >= 0.01; }
  [[nodiscard]] bool has(MapKind kind) const noexcept { return maps[static_cast<std::size_t>(kind)].factors() > 0; }
  [[nodiscard]] const FactorMatrix<Scalar>& map(MapKind kind) const noexcept { return maps[static_cast<std::size_t>(kind)]; }
};

/// The features of both sides; a side without any has a table without columns.
template <Real Scalar>
struct ModelFeatures {
  FeatureSide<Scalar> users;
  FeatureSide<Scalar> items;

  [[nodiscard]] FeatureSide<Scalar>& of(AlsSide side) noexcept { return side == AlsSide::users ? users : items; }
  [[nodiscard]] const FeatureSide<Scalar>& of(AlsSide side) const noexcept { return side == AlsSide::users ? users : items; }
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
