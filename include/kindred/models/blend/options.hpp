// SPDX-License-Identifier: MIT
#pragma once

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/models/neighbours/options.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Settings of factors beside neighbours: popular items are pushed down harder than alone, since the neighbours carry them.
[[nodiscard]] inline AlsOptions factors_of_blend() {
  AlsOptions options;
  options.factors = 128;
  options.regularization = 0.052;
  options.iterations = 3;
  options.regularization_exponent = 1.0;
  options.confidence.popularity_damping = 0.15;
  options.background.ratio = 12.0;
  options.background.item_exponent = 0.2;
  return options;
}

}  // namespace detail

/// Settings of BlendedRecommender: one setting for all data, which tune_blend improves on.
struct BlendedOptions {
  AlsOptions factors = detail::factors_of_blend();  ///< Not the best settings of factors alone.
  ItemNeighboursOptions neighbours = {};
  double weight = 0.25;  ///< >= 0, finite: of the votes, in units of the spread of a user's scores. 0: factors alone.
};

/// Checks the options. @throws InvalidArgument naming the first option that is out of range.
inline void validate(const BlendedOptions& options) {
  validate(options.factors);
  validate(options.neighbours);
  if (!(options.weight >= 0.0) || !detail::is_finite(options.weight))
    throw InvalidArgument("weight", options.weight, "finite and at least 0");
}

}  // namespace kindred::inline v0
