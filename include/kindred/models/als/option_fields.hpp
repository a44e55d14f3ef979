// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include <kindred/core/config.hpp>
#include <kindred/models/als/options.hpp>

namespace kindred::inline v0::detail {

inline constexpr std::string_view units_names[] = {"data", "paper"};
inline constexpr std::string_view confidence_names[] = {"linear", "log", "one", "custom"};
inline constexpr std::string_view background_names[] = {"unobserved", "all"};
inline constexpr std::string_view solver_names[] = {"cholesky", "conjugate_gradient"};
inline constexpr std::string_view start_names[] = {"spectral", "normal", "uniform"};

/// The one list of the options' fields: files, searches and ranks that compare their options read it. Calls `visit` with the name and the place of
/// each, and for enumerations the names of their values. A functor is code, and stays out.
template <typename Options, typename Visitor>
void visit_fields(Options& o, Visitor&& visit) {
  visit("factors", o.factors);
  visit("regularization", o.regularization);
  visit("iterations", o.iterations);
  visit("seed", o.seed);
  visit("units", o.units, units_names);
  visit("regularization_exponent", o.regularization_exponent);
  visit("item_bias", o.item_bias);
  visit("loss_tolerance", o.loss_tolerance);
  visit("confidence.curve", o.confidence.curve, confidence_names);
  visit("confidence.alpha", o.confidence.alpha);
  visit("confidence.base", o.confidence.base);
  visit("confidence.log_scale", o.confidence.log_scale);
  visit("confidence.cap", o.confidence.cap);
  visit("confidence.cap_quantile", o.confidence.cap_quantile);
  visit("confidence.popularity_damping", o.confidence.popularity_damping);
  visit("confidence.dislike_weight", o.confidence.dislike_weight);
  visit("background.pairs", o.background.pairs, background_names);
  visit("background.ratio", o.background.ratio);
  visit("background.weight", o.background.weight);
  visit("background.item_exponent", o.background.item_exponent);
  visit("background.user_exponent", o.background.user_exponent);
  visit("solver.kind", o.solver.kind, solver_names);
  visit("solver.steps", o.solver.steps);
  visit("solver.tolerance", o.solver.tolerance);
  visit("start.kind", o.start.kind, start_names);
  visit("start.scale", o.start.scale);
  visit("start.power_steps", o.start.power_steps);
}

}  // namespace kindred::inline v0::detail
