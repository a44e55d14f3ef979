// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include <kindred/core/config.hpp>
#include <kindred/models/als/options.hpp>

namespace kindred::inline v0::detail {

inline constexpr std::string_view solver_names[] = {"cholesky", "conjugate_gradient"};
inline constexpr std::string_view confidence_names[] = {"linear", "log", "one", "custom"};
inline constexpr std::string_view background_names[] = {"unobserved", "all"};
inline constexpr std::string_view init_names[] = {"normal", "uniform", "spectral"};
inline constexpr std::string_view level_names[] = {"best", "base", "avx2", "avx512"};

/// The one list of the options' fields: files, searches and ranks that compare their options read it. Calls `visit` with the name and the place of each,
/// and for enumerations the names of their values. A functor is code, and stays out.
template <typename Options, typename Visitor>
void visit_fields(Options& o, Visitor&& visit) {
  visit("factors", o.factors);
  visit("regularization", o.regularization);
  visit("alpha", o.alpha);
  visit("iterations", o.iterations);
  visit("solver", o.solver, solver_names);
  visit("cg_steps", o.cg_steps);
  visit("cg_tolerance", o.cg_tolerance);
  visit("confidence", o.confidence, confidence_names);
  visit("confidence_base", o.confidence_base);
  visit("log_epsilon", o.log_epsilon);
  visit("value_cap", o.value_cap);
  visit("value_cap_quantile", o.value_cap_quantile);
  visit("background", o.background, background_names);
  visit("unobserved_weight", o.unobserved_weight);
  visit("background_ratio", o.background_ratio);
  visit("beta", o.beta);
  visit("rho", o.rho);
  visit("rho_users", o.rho_users);
  visit("nu", o.nu);
  visit("init", o.init, init_names);
  visit("init_scale", o.init_scale);
  visit("tolerance", o.tolerance);
  visit("seed", o.seed);
  visit("threads", o.threads);
  visit("simd", o.simd, level_names);
}

}  // namespace kindred::inline v0::detail
