// SPDX-License-Identifier: MIT
#pragma once

// The bodies of metrics/mean_and_error.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cmath>
#include <cstddef>
#include <span>

#include <kindred/core/config.hpp>
#include <kindred/metrics/mean_and_error.hpp>

namespace kindred::inline v0 {

namespace metrics {

KINDRED_ONCE MeanAndError mean_and_error(std::span<const double> values) {
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
