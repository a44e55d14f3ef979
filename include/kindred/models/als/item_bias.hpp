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
#include <kindred/core/types.hpp>
#include <kindred/linalg/eigenbasis.hpp>
#include <kindred/simd/level.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// The biases of items in the solve of a user: score = x . y_i + bias_i.
///
/// With s = x . y + bias the loss of a row has the terms d s^2 - 2 c p s of each interaction and background b_i s^2 of every item, so that its right side
/// becomes Y'(c p - d bias) + l m - background * pull, pull = sum_i b_i bias_i y_i.
template <Real Scalar>
struct ItemBias {
  std::span<const float> values;  ///< Length n_items, or empty: none.
  std::span<const Scalar> pull;   ///< Length factors, in the basis of `items`; empty with `values`.
};

/// The pull of the biases on every user. `background`: of the items, or empty where all are 1. O(items factors).
template <Real Scalar>
[[nodiscard]] std::vector<Scalar> pull_of(const FactorMatrix<Scalar>& items, std::span<const float> bias,
                                          std::span<const double> background) {
  std::vector<double> sum(bias.empty() ? 0 : static_cast<std::size_t>(items.factors()), 0.0);
  for (std::size_t i = 0; i < bias.size(); ++i) {
    const double weight = static_cast<double>(bias[i]) * (background.empty() ? 1.0 : background[i]);
    const std::span<const Scalar> y = items.row(static_cast<Index>(i));
    for (std::size_t f = 0; f < sum.size(); ++f) sum[f] += weight * static_cast<double>(y[f]);
  }
  std::vector<Scalar> pull;
  pull.reserve(sum.size());
  for (const double value : sum) pull.push_back(static_cast<Scalar>(value));
  return pull;
}

/// Items with a bias are solved against users with one factor more, the same for all that are known: the item's entry there, times it, is the bias. With
/// 1 / sqrt(item_bias) the penalty of an item's factors holds for that entry too.
[[nodiscard]] inline double bias_unit(double item_bias) noexcept { return 1.0 / std::sqrt(item_bias); }

/// `x` with one entry more: `unit` for a row that is not 0.
template <Real Scalar>
void lift(std::span<const Scalar> x, double unit, std::span<Scalar> lifted) {
  std::copy(x.begin(), x.end(), lifted.begin());
  const bool known = std::any_of(x.begin(), x.end(), [](Scalar value) { return value != Scalar(0); });
  lifted[x.size()] = known ? static_cast<Scalar>(unit) : Scalar(0);
}

/// Calls body(row) for each of `rows` rows.
template <typename Body>
void for_each_row(Index rows, const ParallelOptions& parallel, const Body& body) {
  parallel_for(static_cast<std::size_t>(rows), {.threads = parallel.threads, .grain = 1024, .executor = parallel.executor},
               [&](std::size_t first, std::size_t last, std::size_t) {
                 for (std::size_t row = first; row < last; ++row) body(static_cast<Index>(row));
               });
}

/// Users with one factor more.
template <Real Scalar>
[[nodiscard]] FactorMatrix<Scalar> lifted(const FactorMatrix<Scalar>& users, double unit, const ParallelOptions& parallel) {
  FactorMatrix<Scalar> wide(users.rows(), users.factors() + 1, parallel);
  for_each_row(users.rows(), parallel, [&](Index u) { lift<Scalar>(users.row(u), unit, wide.row(u)); });
  return wide;
}

/// Rows with one factor more: `last` over `unit`, or 0 where `last` is empty.
template <Real Scalar>
[[nodiscard]] FactorMatrix<Scalar> widened(const FactorMatrix<Scalar>& rows, std::span<const float> last, double unit,
                                           const ParallelOptions& parallel) {
  FactorMatrix<Scalar> wide(rows.rows(), rows.factors() + 1, parallel);
  for_each_row(rows.rows(), parallel, [&](Index r) {
    const std::span<const Scalar> row = rows.row(r);
    std::copy(row.begin(), row.end(), wide.row(r).begin());
    if (!last.empty()) wide.row(r)[row.size()] = static_cast<Scalar>(static_cast<double>(last[static_cast<std::size_t>(r)]) / unit);
  });
  return wide;
}

/// Items apart from their biases, of which there is one a row.
template <Real Scalar>
[[nodiscard]] std::pair<FactorMatrix<Scalar>, std::vector<float>> without_bias(const FactorMatrix<Scalar>& wide, double unit,
                                                                               const ParallelOptions& parallel) {
  std::pair<FactorMatrix<Scalar>, std::vector<float>> parts{FactorMatrix<Scalar>(wide.rows(), wide.factors() - 1, parallel),
                                                            std::vector<float>(static_cast<std::size_t>(wide.rows()))};
  for_each_row(wide.rows(), parallel, [&](Index r) {
    const std::span<const Scalar> row = wide.row(r);
    std::copy(row.begin(), row.end() - 1, parts.first.row(r).begin());
    parts.second[static_cast<std::size_t>(r)] = static_cast<float>(static_cast<double>(row.back()) * unit);
  });
  return parts;
}

/// Turns rows back from an eigenbasis into the basis that it was found in.
template <Real Scalar>
void turn_back(FactorMatrix<Scalar>& rows, const Eigenbasis& basis, const ParallelOptions& parallel, SimdLevel level) {
  const auto k = static_cast<std::size_t>(rows.factors());
  Eigenbasis back{basis.values, AlignedVector<double>(basis.vectors.size())};
  for (std::size_t f = 0; f < k; ++f)
    for (std::size_t r = 0; r < k; ++r) back.vectors[r * k + f] = basis.vectors[f * k + r];
  rotate(rows, back, parallel, level);
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
