// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/statistics.hpp>

namespace kindred::inline v0 {

namespace detail {

/// @throws InvalidArgument if the item at place `n` of `list` is not in [0, n_items).
KINDRED_ONCE void check_listed_item(std::span<const Index> list, std::size_t n, std::size_t n_items);

/// Items that were recommended at least once. `counts`: recommendations of each item, length n_items. O(n_items).
[[nodiscard]] inline Index distinct_items(std::span<const Offset> counts) noexcept {
  return static_cast<Index>(std::count_if(counts.begin(), counts.end(), [](Offset count) { return count > 0; }));
}

}  // namespace detail

namespace metrics {

/// How often `lists` name each item, length n_items. O(n_items + entries of all lists).
/// @throws InvalidArgument if `n_items` is negative or an item is not in [0, n_items).
[[nodiscard]] KINDRED_ONCE std::vector<Offset> recommendation_counts(std::span<const std::vector<Index>> lists, Index n_items);

/// Share of the catalogue that stands in at least one list, in [0, 1]; 1 minus it is the share never recommended.
///
/// `counts`: recommendations of each item, length n_items of the matrix. `n_items`: the size of the catalogue: the items of the matrix, or only those
/// with train data. O(n_items).
/// @throws InvalidArgument if `n_items` is below 1 or below the number of distinct recommended items.
[[nodiscard]] KINDRED_ONCE double catalogue_coverage(std::span<const Offset> counts, Index n_items);

/// The same from the lists themselves, whose items are in [0, n_items). O(n_items + entries of all lists).
/// @throws InvalidArgument if `n_items` is below 1 or an item is not in [0, n_items).
[[nodiscard]] KINDRED_ONCE double catalogue_coverage(std::span<const std::vector<Index>> lists, Index n_items);

/// Inequality of the recommendations over all items, never recommended ones included: 0 if all are recommended equally often, towards 1 if one item
/// has every recommendation, 0 without recommendations.
///
/// `counts`: recommendations of each item, length n_items. O(n_items log n_items).
/// @throws InvalidArgument if a count is negative.
[[nodiscard]] KINDRED_ONCE double recommendation_gini(std::span<const Offset> counts);

/// How unexpected one list is, in bits: the mean of -log2((users of i + 1) / (n_users + 1)) over its items i. 0 for items that everybody has,
/// log2(n_users + 1) for items without users.
///
/// `ranked`: item indices, not empty. `users_per_item`: train interactions of each item, length n_items, each in [0, n_users]. O(|ranked|).
/// @throws InvalidArgument if `ranked` is empty, an item is out of range, `n_users` is below 1 or an item has more users than that.
/// Source: self-information, Zhou et al. 2010; the added ones (Laplace) keep an item without users finite.
[[nodiscard]] KINDRED_ONCE double novelty(std::span<const Index> ranked, std::span<const Index> users_per_item, Index n_users);

/// How unlike each other the items of one list are, in [0, 2]: the mean of 1 - cosine over all pairs.
///
/// `ranked`: item indices, at least two. `item_factors`: n_items x factors, of one fixed model, so that the lists of several models are measured
/// alike. An item whose factors are all zero (no train interactions) has no direction: its cosine with every other item counts as 0.
/// O(|ranked| * factors), accumulated in double.
/// @throws InvalidArgument if `ranked` has fewer than two items or an item is out of range.
/// Source: Ziegler et al. 2005, with cosine distance.
template <Real Scalar>
[[nodiscard]] double intra_list_diversity(std::span<const Index> ranked, const FactorMatrix<Scalar>& item_factors) {
  if (ranked.size() < 2) throw InvalidArgument("length of ranked", ranked.size(), "at least 2");
  // The sum of all pairs' cosines is (|sum of unit vectors|^2 - number of unit vectors) / 2: K rows are read, not K^2 pairs.
  std::vector<double> sum(static_cast<std::size_t>(item_factors.factors()), 0.0);
  double directions = 0.0;
  for (std::size_t n = 0; n < ranked.size(); ++n) {
    detail::check_listed_item(ranked, n, static_cast<std::size_t>(item_factors.rows()));
    const std::span<const Scalar> factors = item_factors.row(ranked[n]);
    double square = 0.0;
    for (const Scalar f : factors) square += static_cast<double>(f) * static_cast<double>(f);
    if (!(square > 0.0)) continue;
    const double norm = std::sqrt(square);
    for (std::size_t f = 0; f < sum.size(); ++f) sum[f] += static_cast<double>(factors[f]) / norm;
    directions += 1.0;
  }
  double square_of_sum = 0.0;
  for (const double s : sum) square_of_sum += s * s;
  const auto count = static_cast<double>(ranked.size());
  // Rounding may leave a list of equal directions a little below 0.
  return (std::max)(0.0, 1.0 - (square_of_sum - directions) / (count * (count - 1.0)));
}

}  // namespace metrics

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/metrics/beyond_accuracy.ipp>  // IWYU pragma: export
#endif
