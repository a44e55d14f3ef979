// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

#include <kindred/core/config.hpp>

namespace kindred::inline v0 {

/// A mean with its standard error.
struct MeanAndError {
  double mean = 0.0;
  double standard_error = 0.0;  ///< Standard deviation (n - 1) / sqrt(n); 0 for fewer than two values.
  std::size_t count = 0;        ///< Values: users, or splits.

  friend bool operator==(const MeanAndError&, const MeanAndError&) = default;
};

namespace metrics {

/// Mean and standard error of `values`. O(n).
[[nodiscard]] inline MeanAndError mean_and_error(std::span<const double> values) {
  MeanAndError result{.count = values.size()};
  if (values.empty()) return result;
  const auto n = static_cast<double>(values.size());
  for (const double value : values) result.mean += value;
  result.mean /= n;
  if (values.size() < 2) return result;
  double squares = 0.0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.standard_error = std::sqrt(squares / (n - 1.0) / n);
  return result;
}

}  // namespace metrics

}  // namespace kindred::inline v0
