// SPDX-License-Identifier: MIT
#pragma once

#include <kindred/core/error.hpp>

namespace kindred::inline v0::detail {

/// @throws InvalidArgument unless the budget of a search is in range.
template <typename Options>
void check_tuning(const Options& options) {
  if (options.trials < 1) throw InvalidArgument("trials", options.trials, "at least 1");
  if (options.cutoff < 1) throw InvalidArgument("cutoff", options.cutoff, "at least 1");
  if (!(options.validation_fraction > 0.0 && options.validation_fraction < 1.0))
    throw InvalidArgument("validation_fraction", options.validation_fraction, "in (0, 1)");
  if (options.limit_seconds && !(*options.limit_seconds > 0.0)) throw InvalidArgument("limit_seconds", *options.limit_seconds, "above 0");
}

}  // namespace kindred::inline v0::detail
