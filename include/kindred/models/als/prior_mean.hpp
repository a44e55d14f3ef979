// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/feature_table.hpp>
#include <kindred/linalg/eigenbasis.hpp>
#include <kindred/models/als/features.hpp>
#include <kindred/models/als/item_bias.hpp>
#include <kindred/models/als/weights.hpp>
#include <kindred/simd/kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Sets the shifts of a side: after every change of a map, the centre or the mean.
template <Real Scalar>
void derive(FeatureSide<Scalar>& side) {
  for (const MapKind kind : {MapKind::fit, MapKind::cold}) {
    AlignedVector<Scalar>& shift = side.shifts[static_cast<std::size_t>(kind)];
    const FactorMatrix<Scalar>& of = side.map(kind);
    shift.assign(of.stride(), Scalar(0));
    std::vector<double> sum(static_cast<std::size_t>(of.factors()), 0.0);
    if (kind == MapKind::cold && side.has(kind)) sum = side.mean;
    for (Index c = 0; c < of.rows() && (kind == MapKind::fit || side.informs()); ++c)
      for (std::size_t f = 0; f < sum.size(); ++f) sum[f] -= side.centre[static_cast<std::size_t>(c)] * static_cast<double>(of.row(c)[f]);
    std::transform(sum.begin(), sum.end(), shift.begin(), [](double value) { return static_cast<Scalar>(value); });
  }
}

template <Real Scalar>
void set_map(FeatureSide<Scalar>& side, MapKind kind, FactorMatrix<Scalar> map) {
  side.maps[static_cast<std::size_t>(kind)] = std::move(map);
  derive(side);
}

/// Turns the rows of a map that are not 0: many columns may be idle.
template <Real Scalar>
void rotate_map(FactorMatrix<Scalar>& map, const Eigenbasis& basis, const ParallelOptions& parallel, SimdLevel level, std::size_t n_float) {
  std::vector<Index> used;
  for (Index c = 0; c < map.rows(); ++c) {
    const std::span<const Scalar> row = std::as_const(map).row(c);
    if (std::any_of(row.begin(), row.end(), [](Scalar value) { return value != Scalar(0); })) used.push_back(c);
  }
  FactorMatrix<Scalar> some(static_cast<Index>(used.size()), map.factors());
  for (std::size_t n = 0; n < used.size(); ++n)
    std::copy_n(map.row(used[n]).begin(), map.row(used[n]).size(), some.row(static_cast<Index>(n)).begin());
  rotate(some, basis, parallel, level, n_float);
  for (std::size_t n = 0; n < used.size(); ++n)
    std::copy_n(some.row(static_cast<Index>(n)).begin(), map.row(used[n]).size(), map.row(used[n]).begin());
}

/// Turns maps and means into another basis, as rotate does with factors. O(columns factors^2).
template <Real Scalar>
void rotate_features(ModelFeatures<Scalar>& features, const Eigenbasis& basis, const ParallelOptions& parallel, SimdLevel level,
                     std::size_t n_float = 0) {
  for (FeatureSide<Scalar>* const side : {&features.users, &features.items}) {
    if (!side->has(MapKind::fit) && !side->has(MapKind::cold)) continue;
    for (FactorMatrix<Scalar>& map : side->maps)
      if (map.factors() > 0) rotate_map(map, basis, parallel, level, n_float);
    const std::vector<double> before = side->mean;
    for (std::size_t f = 0; f < before.size(); ++f) {
      side->mean[f] = 0.0;
      for (std::size_t r = 0; r < before.size(); ++r) side->mean[f] += before[r] * basis.vectors[f * before.size() + r];
    }
    derive(*side);
  }
}

/// The maps of items with one factor more, of 0, while items are solved with their biases; those of users are out of the way.
template <Real Scalar>
class WidenedMaps {
 public:
  /// `features` must outlive this object.
  explicit WidenedMaps(ModelFeatures<Scalar>& features)
      : features_(features),
        user_maps_(std::exchange(features.users.maps, {})),
        item_maps_(features.items.maps),
        item_mean_(features.items.mean) {
    for (FactorMatrix<Scalar>& map : features.items.maps)
      if (map.factors() > 0) map = widened<Scalar>(map, {}, 1.0, {.threads = 1});
    if (!item_mean_.empty()) features.items.mean.push_back(0.0);
    derive(features.items);
  }
  void restore() {
    features_.users.maps = std::move(user_maps_);
    features_.items.maps = std::move(item_maps_);
    features_.items.mean = std::move(item_mean_);
    derive(features_.items);
  }

 private:
  ModelFeatures<Scalar>& features_;
  std::array<FactorMatrix<Scalar>, 2> user_maps_, item_maps_;
  std::vector<double> item_mean_;
};

/// Prior means of rows of one side; one per thread.
template <Real Scalar>
class PriorMean {
 public:
  /// `side` must outlive this object.
  PriorMean(const FeatureSide<Scalar>& side, MapKind kind, SimdLevel level)
      : side_(side), kind_(kind), kernels_(row_kernels<Scalar>(level)), mean_(side.map(kind).stride(), Scalar(0)) {}

  /// Of a row with these features: length factors, valid until the next call; empty for a row without features, or if nothing was learned. Features that
  /// tell nothing of new rows: empty for a row with `likes`, which say more, and the mean of the side for one without.
  [[nodiscard]] std::span<const Scalar> of(const SparseRow& features, std::size_t likes = 0) {
    if (!side_.has(kind_) || features.empty()) return {};
    const FactorMatrix<Scalar>& map = side_.map(kind_);
    if (kind_ == MapKind::cold && !side_.informs()) {
      if (likes > 0) return {};
      return std::span<const Scalar>(side_.shifts[static_cast<std::size_t>(kind_)]).first(static_cast<std::size_t>(map.factors()));
    }
    values_.assign(features.values.begin(), features.values.end());
    kernels_.combine({.fixed = map.data(),
                      .stride = map.stride(),
                      .factors = static_cast<std::size_t>(map.factors()),
                      .columns = features.columns.data(),
                      .count = features.size()},
                     values_.data(), mean_.data());
    const AlignedVector<Scalar>& shift = side_.shifts[static_cast<std::size_t>(kind_)];
    for (std::size_t f = 0; f < mean_.size(); ++f) mean_[f] += shift[f];
    return std::span<const Scalar>(mean_).first(static_cast<std::size_t>(map.factors()));
  }
  /// Of row `row` of the side's table.
  [[nodiscard]] std::span<const Scalar> of_row(Index row) {
    return side_.has(kind_) ? of(side_.table.row(row)) : std::span<const Scalar>{};
  }

 private:
  const FeatureSide<Scalar>& side_;
  MapKind kind_;
  const RowKernels<Scalar>& kernels_;
  AlignedVector<Scalar> mean_;
  AlignedVector<Scalar> values_;
};

/// l of each row of a side, length rows.
[[nodiscard]] inline std::vector<double> penalties_of(const AlsWeights& weights, AlsSide side) {
  const std::span<const Index> likes = weights.likes(side);
  const std::span<const double> background = weights.background(side);
  std::vector<double> penalties(likes.size());
  for (std::size_t r = 0; r < likes.size(); ++r)
    penalties[r] = weights.penalty(side, static_cast<std::size_t>(likes[r]), background.empty() ? 1.0 : background[r]);
  return penalties;
}

/// The solution of a system without columns: between 0 and the prior mean.
template <Real Scalar, typename System>
void shrink_prior(std::span<const double> eigenvalues, const System& system, std::span<Scalar> x) {
  for (std::size_t f = 0; f < x.size(); ++f) {
    const double held = system.background * eigenvalues[f] + system.penalty;
    x[f] = held > 0.0 ? static_cast<Scalar>(system.penalty / held * static_cast<double>(system.prior_mean[f])) : system.prior_mean[f];
  }
}

/// Rows without interactions whose features speak for them may be listed: a count of -1 says so.
template <Real Scalar>
void mark_by_features(const FeatureSide<Scalar>& side, const FactorMatrix<Scalar>& factors, std::vector<Index>& counts) {
  if (!side.has(MapKind::fit) && !side.has(MapKind::cold)) return;
  for (Index r = 0; r < factors.rows(); ++r) {
    const std::span<const Scalar> row = factors.row(r);
    if (counts[static_cast<std::size_t>(r)] == 0 && std::any_of(row.begin(), row.end(), [](Scalar value) { return value != Scalar(0); }))
      counts[static_cast<std::size_t>(r)] = -1;
  }
}

/// @throws ShapeError, InvalidArgument if `table` cannot be the features of `rows` new rows of a model whose features are `known`.
inline void check_new_features(const FeatureTable& table, const FeatureTable& known, std::string_view noun, Index rows) {
  if (known.columns().size() == 0)
    throw InvalidArgument("features", std::to_string(table.columns().size()) + " columns",
                          "none: the model was fitted without features of " + std::string(noun));
  if (table.rows() != rows)
    throw ShapeError("features has " + std::to_string(table.rows()) + " rows for " + std::to_string(rows) + " new " + std::string(noun));
  if (table.columns().size() != known.columns().size())
    throw ShapeError("features has " + std::to_string(table.columns().size()) + " columns; the model has " +
                     std::to_string(known.columns().size()));
  for (Index c = 0; c < known.columns().size(); ++c)
    if (table.columns().name(c) != known.columns().name(c))
      throw InvalidArgument("the feature column " + std::to_string(c), std::string(table.columns().name(c)),
                            std::string(known.columns().name(c)) + ", as in the model");
}

/// What is known beside their interactions of rows that are updated.
struct UpdatedFeatures {
  CsrMatrix rows;        ///< A row for each of them.
  FeatureTable grown;    ///< The table with the rows that are new.
  bool are_new = false;  ///< Rows that the table does not have yet.
};

/// The features of `rows`: of rows of `table` the table's, of the next new ones `given`, or none where that is null.
[[nodiscard]] inline UpdatedFeatures updated_features(const FeatureTable& table, std::span<const Index> rows, const CsrMatrix* given) {
  UpdatedFeatures updated;
  updated.are_new = rows.front() >= table.rows();
  if (!updated.are_new) {
    updated.rows = select_rows(table.matrix(), rows);
    return updated;
  }
  const MatrixShape shape{static_cast<Index>(rows.size()), table.columns().size()};
  updated.rows = given != nullptr ? *given : CsrMatrix(shape, std::vector<Offset>(rows.size() + 1, 0), {}, {});
  updated.grown = table;
  updated.grown.append(updated.rows);
  return updated;
}

/// @throws ShapeError, InvalidArgument if `table` cannot be the features of a side with `rows` rows.
inline void check_features(const FeatureTable& table, std::string_view name, std::string_view noun, Index rows) {
  if (table.columns().size() > 0 && table.rows() != rows)
    throw ShapeError(std::string(name) + " has " + std::to_string(table.rows()) + " rows; train has " + std::to_string(rows) + " " +
                     std::string(noun));
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
