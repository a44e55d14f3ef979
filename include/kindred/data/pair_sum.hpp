// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

#include <kindred/core/config.hpp>

namespace kindred::inline v0::detail {

/// Adds up the values of a (user, item) pair, in double.
class PairSum {
 public:
  void add(double value) noexcept {
    sum_ += value;
    magnitudes_ += std::abs(value);
    ++count_;
  }

  [[nodiscard]] double value() const noexcept { return sum_; }
  /// True if the sum is zero within rounding, |sum| <= count * 2^-52 * (sum of magnitudes): such a pair is no interaction.
  [[nodiscard]] bool cancels() const noexcept {
    return std::abs(sum_) <= static_cast<double>(count_) * std::numeric_limits<double>::epsilon() * magnitudes_;
  }
  /// True if the sum is beyond the range of a float, to which it must not be converted then. False for NaN.
  [[nodiscard]] bool exceeds_float() const noexcept { return std::abs(sum_) > static_cast<double>((std::numeric_limits<float>::max)()); }

 private:
  double sum_ = 0.0;
  double magnitudes_ = 0.0;
  std::size_t count_ = 0;
};

}  // namespace kindred::inline v0::detail
