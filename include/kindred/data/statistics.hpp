// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>

namespace kindred::inline v0 {

/// Distributions in a few numbers, of interactions and of any other values.
namespace statistics {

/// The value below which the share `probability` of `values` lies, interpolated linearly between neighbours (type 7 of Hyndman and Fan 1996,
/// the default of R and NumPy). O(n log n).
/// @throws InvalidArgument if `values` is empty or has one that is not finite, or `probability` is outside [0, 1].
[[nodiscard]] KINDRED_ONCE double quantile(std::span<const double> values, double probability);

/// Inequality of a non-negative distribution: 0 if all are equal, towards 1 if one has everything, 0 for an empty or all-zero one.
/// sum_i (2 i - n - 1) x_(i) / (n sum x), x ascending, i from 1. O(n log n).
/// @throws InvalidArgument if a value is negative or not finite.
[[nodiscard]] KINDRED_ONCE double gini(std::span<const double> values);

/// Spearman's rank correlation of two lists of equal length, in [-1, 1]; ties share their mean rank. None for fewer than two values, or if one list
/// is constant. O(n log n). @throws ShapeError if the lengths differ; InvalidArgument if a value is not finite.
[[nodiscard]] KINDRED_ONCE std::optional<double> spearman(std::span<const double> a, std::span<const double> b);

/// Values in [low, high), or [low, high] for the last bin.
struct HistogramBin {
  double low = 0.0;
  double high = 0.0;
  std::uint64_t count = 0;
};

/// Counts of positive values in bins whose edges grow by `ratio`, from the largest power of `ratio` not above the smallest value. Values that are not
/// finite, or below the smallest normal number, are left out. O(n log bins).
/// @throws InvalidArgument if `ratio` is not in [1.001, 1e6].
[[nodiscard]] KINDRED_ONCE std::vector<HistogramBin> log_histogram(std::span<const double> values, double ratio = 2.0);

/// One distribution in a few numbers.
struct Summary {
  std::uint64_t count = 0;
  double sum = 0.0;
  double mean = 0.0;
  double min = 0.0;
  double quantile_25 = 0.0;
  double median = 0.0;
  double quantile_75 = 0.0;
  double quantile_90 = 0.0;
  double quantile_99 = 0.0;
  double max = 0.0;
};

/// All zeros for an empty list. O(n log n). @throws InvalidArgument if a value is not finite.
[[nodiscard]] KINDRED_ONCE Summary summarize(std::span<const double> values);

/// The three distributions that describe interactions, and two numbers about their shape.
struct MatrixStatistics {
  std::vector<double> values;          ///< Per stored interaction.
  std::vector<double> items_per_user;  ///< Length n_users.
  std::vector<double> users_per_item;  ///< Length n_items.
  double density = 0.0;                ///< Stored interactions / cells.
  double item_gini = 0.0;              ///< Gini index of users per item.
};

/// O(nnz + items log items).
[[nodiscard]] KINDRED_ONCE MatrixStatistics describe(const CsrView& matrix);

}  // namespace statistics

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/data/statistics.ipp>  // IWYU pragma: export
#endif
