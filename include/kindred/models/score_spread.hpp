// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/row_offsets.hpp>
#include <kindred/linalg/top_k.hpp>
#include <kindred/models/factor_lists.hpp>
#include <kindred/models/item_offsets.hpp>
#include <kindred/models/popularity_scale.hpp>
#include <kindred/simd/level.hpp>

namespace kindred::inline v0::detail {

/// @throws ShapeError, InvalidArgument unless `offsets` are those of a model of `shape`, with scores of this spread.
inline void check_item_offsets(const ItemOffsets& offsets, MatrixShape shape, double spread) {
  const auto length = [](std::string_view name, std::size_t size, Index wanted, std::string_view of) {
    if (size > 0 && size != static_cast<std::size_t>(wanted))
      throw ShapeError("offsets." + std::string(name) + " has " + std::to_string(size) + " numbers; the model has " +
                       std::to_string(wanted) + " " + std::string(of));
  };
  length("values", offsets.values.size(), shape.items, "items");
  length("user_weights", offsets.user_weights.size(), shape.users, "users");
  for (std::size_t i = 0; i < offsets.values.size(); ++i)
    if (!is_finite(offsets.values[i])) throw InvalidArgument("values[" + std::to_string(i) + "]", offsets.values[i], "finite");
  if (!is_finite(offsets.unknown)) throw InvalidArgument("unknown", offsets.unknown, "finite");
  if (!is_finite(offsets.weight)) throw InvalidArgument("weight", offsets.weight, "finite");
  if (!(spread > 0.0))
    throw InvalidArgument("weight", offsets.weight, "0: every user has the same score for all items, so that a weight has no unit");
  if (!(std::abs(offsets.weight * spread) <= static_cast<double>((std::numeric_limits<float>::max)())))
    throw InvalidArgument("weight", offsets.weight,
                          "within the range of a float, times the spread of scores, which is " + std::to_string(spread));
  for (std::size_t u = 0; u < offsets.user_weights.size(); ++u)
    if (!(offsets.user_weights[u] >= 0.0F && offsets.user_weights[u] <= 1.0F))
      throw InvalidArgument("user_weights[" + std::to_string(u) + "]", offsets.user_weights[u], "in [0, 1]");
}

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// An index of items for lists with offsets, and their numbers in its blocks.
template <Real Scalar>
struct OffsetIndex {
  /// `weight`: of most lists; 0: the index of lists without offsets.
  OffsetIndex(const FactorMatrix<Scalar>& items, const FactorMatrix<Scalar>& users, SimdLevel level, float weight,
              std::vector<float> values, const std::vector<float>& bias, std::span<const Index> counts)
      : index(items, users, level, added_by(weight, values, bias)), added(std::move(values), bias, counts, index.order()) {}

  TopKIndex<Scalar> index;
  ListOffsets added;

 private:
  [[nodiscard]] static std::vector<double> added_by(float weight, const std::vector<float>& values, const std::vector<float>& bias) {
    std::vector<double> added;
    for (std::size_t i = 0; i < values.size() && weight != 0.0F; ++i)
      added.push_back(static_cast<double>(weight) * static_cast<double>(values[i]) + (bias.empty() ? 0.0 : static_cast<double>(bias[i])));
    return added;
  }
};

/// At most `most` of the rows that `wanted` names, evenly spaced.
template <typename Wanted>
[[nodiscard]] std::vector<Index> spaced_rows(Index rows, std::size_t most, const Wanted& wanted) {
  std::vector<Index> all, some;
  for (Index r = 0; r < rows; ++r)
    if (wanted(r)) all.push_back(r);
  const std::size_t n = (std::min)(all.size(), most);
  for (std::size_t at = 0; at < n; ++at) some.push_back(all[at * all.size() / n]);
  return some;
}

/// The root of the mean over users of the variance of their scores over items, of at most 1,000 users with factors and 4,096 items with a count: 0 without
/// either. From the covariance of the items' factors, so that no score is made. O(5096 factors^2).
template <Real Scalar>
[[nodiscard]] double score_spread(const FactorMatrix<Scalar>& users, const FactorMatrix<Scalar>& items, std::span<const Index> counts) {
  const std::vector<Index> of_users = spaced_rows(users.rows(), 1000, [&](Index u) { return is_known(users.row(u)); });
  const std::vector<Index> of_items = spaced_rows(items.rows(), 4096, [&](Index i) { return counts[static_cast<std::size_t>(i)] != 0; });
  if (of_users.empty() || of_items.empty()) return 0.0;
  const auto k = static_cast<std::size_t>(items.factors());
  std::vector<double> mean(k, 0.0), row(k), covariance(k * k, 0.0);
  for (const Index i : of_items)
    for (std::size_t f = 0; f < k; ++f) mean[f] += static_cast<double>(items.row(i)[f]) / static_cast<double>(of_items.size());
  for (const Index i : of_items) {
    for (std::size_t f = 0; f < k; ++f) row[f] = static_cast<double>(items.row(i)[f]) - mean[f];
    for (std::size_t f = 0; f < k; ++f)
      for (std::size_t g = 0; g <= f; ++g) covariance[f * k + g] += row[f] * row[g];
  }
  double sum = 0.0;
  for (const Index u : of_users) {
    const std::span<const Scalar> x = users.row(u);
    for (std::size_t f = 0; f < k; ++f) {
      double along = 0.5 * covariance[f * k + f] * static_cast<double>(x[f]);
      for (std::size_t g = 0; g < f; ++g) along += covariance[f * k + g] * static_cast<double>(x[g]);
      sum += 2.0 * along * static_cast<double>(x[f]);
    }
  }
  const double variance = sum / static_cast<double>(of_items.size()) / static_cast<double>(of_users.size());
  return variance > 0.0 && is_finite(variance) ? std::sqrt(variance) : 0.0;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
