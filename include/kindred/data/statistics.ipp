// SPDX-License-Identifier: MIT
#pragma once

// The bodies of data/statistics.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/statistics.hpp>

namespace kindred::inline v0 {

namespace detail {

/// `values` in rising order. @throws InvalidArgument if one is not finite: sorting NaNs is undefined.
[[nodiscard]] inline std::vector<double> sorted_values(std::span<const double> values) {
  for (const double value : values)
    if (!is_finite(value)) throw InvalidArgument("value", value, "finite");
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

/// quantile() of values that are in rising order and not empty.
[[nodiscard]] inline double quantile_of_sorted(std::span<const double> sorted, double probability) {
  const double place = probability * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = (std::min)(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace detail

namespace statistics {

KINDRED_ONCE double quantile(std::span<const double> values, double probability) {
  if (values.empty()) throw InvalidArgument("values", "an empty list", "at least one value");
  if (!(probability >= 0.0 && probability <= 1.0)) throw InvalidArgument("probability", probability, "in [0, 1]");
  return detail::quantile_of_sorted(detail::sorted_values(values), probability);
}

KINDRED_ONCE double gini(std::span<const double> values) {
  for (const double value : values)
    if (!(value >= 0.0) || !detail::is_finite(value)) throw InvalidArgument("value", value, "finite and at least 0");
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<double>(sorted.size());
  double weighted = 0.0;
  double sum = 0.0;
  for (std::size_t place = 0; place < sorted.size(); ++place) {
    weighted += (2.0 * static_cast<double>(place + 1) - n - 1.0) * sorted[place];
    sum += sorted[place];
  }
  return sum > 0.0 ? weighted / (n * sum) : 0.0;
}

KINDRED_ONCE std::optional<double> spearman(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) throw ShapeError("a has " + std::to_string(a.size()) + " values and b has " + std::to_string(b.size()));
  const auto centred_ranks = [](std::span<const double> values) {
    for (const double value : values)
      if (!detail::is_finite(value)) throw InvalidArgument("value", value, "finite");
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) { return values[x] < values[y]; });
    const double middle = 0.5 * (static_cast<double>(values.size()) - 1.0);
    std::vector<double> ranks(values.size());
    for (std::size_t first = 0; first < order.size();) {
      std::size_t last = first;
      while (last + 1 < order.size() && !(values[order[first]] < values[order[last + 1]])) ++last;
      for (std::size_t n = first; n <= last; ++n) ranks[order[n]] = 0.5 * static_cast<double>(first + last) - middle;
      first = last + 1;
    }
    return ranks;
  };
  const std::vector<double> x = centred_ranks(a);
  const std::vector<double> y = centred_ranks(b);
  double xy = 0.0;
  double xx = 0.0;
  double yy = 0.0;
  for (std::size_t n = 0; n < x.size(); ++n) {
    xy += x[n] * y[n];
    xx += x[n] * x[n];
    yy += y[n] * y[n];
  }
  if (!(xx > 0.0) || !(yy > 0.0)) return std::nullopt;
  return xy / std::sqrt(xx * yy);
}

KINDRED_ONCE std::vector<statistics::HistogramBin> log_histogram(std::span<const double> values, double ratio) {
  // Nearer to 1 the bins would be without number; below the normal numbers a division by `ratio` may round back to where it was.
  if (!(ratio >= 1.001 && ratio <= 1e6)) throw InvalidArgument("ratio", ratio, "in [1.001, 1e6]");
  const auto counts = [](double value) { return detail::is_finite(value) && value >= (std::numeric_limits<double>::min)(); };
  double smallest = 0.0;
  double largest = 0.0;
  for (const double value : values) {
    if (!counts(value)) continue;
    smallest = smallest > 0.0 ? (std::min)(smallest, value) : value;
    largest = (std::max)(largest, value);
  }
  std::vector<statistics::HistogramBin> bins;
  if (!(smallest > 0.0)) return bins;
  // Edges by repeated multiplication from 1: exact for whole ratios, where a logarithm could put a power into the bin below it.
  double low = 1.0;
  while (low > smallest) low /= ratio;
  while (low * ratio <= smallest) low *= ratio;
  do {
    bins.push_back({low, low * ratio, 0});
    low *= ratio;
  } while (low <= largest);
  for (const double value : values) {
    if (!counts(value)) continue;
    const auto bin =
        std::upper_bound(bins.begin(), bins.end(), value, [](double v, const statistics::HistogramBin& b) { return v < b.low; });
    ++std::prev(bin)->count;
  }
  return bins;
}

KINDRED_ONCE statistics::Summary summarize(std::span<const double> values) {
  statistics::Summary s;
  if (values.empty()) return s;
  const std::vector<double> sorted = detail::sorted_values(values);
  for (const double value : sorted) s.sum += value;
  s.count = sorted.size();
  s.mean = s.sum / static_cast<double>(sorted.size());
  s.min = sorted.front();
  s.quantile_25 = detail::quantile_of_sorted(sorted, 0.25);
  s.median = detail::quantile_of_sorted(sorted, 0.5);
  s.quantile_75 = detail::quantile_of_sorted(sorted, 0.75);
  s.quantile_90 = detail::quantile_of_sorted(sorted, 0.9);
  s.quantile_99 = detail::quantile_of_sorted(sorted, 0.99);
  s.max = sorted.back();
  return s;
}

KINDRED_ONCE statistics::MatrixStatistics describe(const CsrView& matrix) {
  statistics::MatrixStatistics s;
  s.values.assign(matrix.values().begin(), matrix.values().end());
  const std::vector<Index> rows = row_counts(matrix);
  const std::vector<Index> columns = column_counts(matrix);
  s.items_per_user.assign(rows.begin(), rows.end());
  s.users_per_item.assign(columns.begin(), columns.end());
  s.density = matrix.density();
  s.item_gini = statistics::gini(s.users_per_item);
  return s;
}

}  // namespace statistics

}  // namespace kindred::inline v0
