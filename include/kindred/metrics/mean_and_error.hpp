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
[[nodiscard]] KINDRED_ONCE MeanAndError mean_and_error(std::span<const double> values);

}  // namespace metrics

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/metrics/mean_and_error.ipp>  // IWYU pragma: export
#endif
