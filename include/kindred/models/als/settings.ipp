// SPDX-License-Identifier: MIT
#pragma once

// The bodies of models/als/settings.hpp, and validate of models/als/options.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/models/als/settings.hpp>

namespace kindred::inline v0::detail {

KINDRED_ONCE AlsSettings settings_of(const AlsOptions& o, const ChosenSettings& chosen) {
  const bool of_data = o.units == Units::data;
  constexpr PaperOptions paper;
  AlsSettings s;
  s.factors = o.factors.value_or(of_data ? chosen.factors : paper.factors);
  s.regularization = o.regularization.value_or(of_data ? chosen.regularization : paper.regularization);
  s.iterations = o.iterations.value_or(of_data ? 3 : paper.iterations);
  s.seed = o.seed;
  s.units = o.units;
  s.regularization_exponent = o.regularization_exponent.value_or(of_data ? 1.0 : 0.0);
  s.loss_tolerance = o.loss_tolerance.value_or(0.0);
  s.item_bias = o.item_bias;
  s.curve = o.confidence.curve.value_or(of_data ? Confidence::log : Confidence::linear);
  s.alpha = o.confidence.alpha.value_or(paper.alpha);
  s.base = o.confidence.base.value_or(of_data ? 0.0 : 1.0);
  s.log_scale = o.confidence.log_scale || of_data ? o.confidence.log_scale : std::optional<double>(1.0);
  s.cap = o.confidence.cap;
  s.cap_quantile = o.confidence.cap_quantile;
  s.popularity_damping = o.confidence.popularity_damping.value_or(of_data ? chosen.popularity_damping : 0.0);
  s.dislike_weight = o.confidence.dislike_weight.value_or(1.0);
  s.function = o.confidence.function;
  s.pairs = o.background.pairs.value_or(of_data ? Background::all : Background::unobserved);
  s.ratio = o.background.ratio || !of_data ? o.background.ratio : std::optional<double>(chosen.ratio);
  s.weight = o.background.weight.value_or(1.0);
  s.item_exponent = o.background.item_exponent.value_or(of_data ? chosen.item_exponent : 0.0);
  s.user_exponent = o.background.user_exponent.value_or(0.0);
  s.solver = o.solver.kind;
  s.solver_steps = o.solver.steps.value_or(3);
  s.solver_tolerance = o.solver.tolerance.value_or(0.0);
  s.start = o.start.kind.value_or(of_data ? Start::spectral : Start::normal);
  s.start_scale = o.start.scale.value_or(0.1);
  s.power_steps = o.start.power_steps.value_or(2);
  return s;
}

KINDRED_ONCE AlsOptions filled_in(AlsOptions asked, const AlsSettings& s) {
  asked.factors = s.factors;
  asked.regularization = s.regularization;
  asked.iterations = s.iterations;
  asked.regularization_exponent = s.regularization_exponent;
  asked.confidence.curve = s.curve;
  if (s.units == Units::paper) asked.confidence.alpha = s.alpha;
  asked.confidence.base = s.base;
  if (s.curve == Confidence::log) asked.confidence.log_scale = s.log_scale;
  asked.confidence.popularity_damping = s.popularity_damping;
  asked.background.pairs = s.pairs;
  asked.background.ratio = s.ratio;
  if (!s.ratio) asked.background.weight = s.weight;
  asked.background.item_exponent = s.item_exponent;
  asked.background.user_exponent = s.user_exponent;
  if (s.solver == Solver::conjugate_gradient) asked.solver.steps = s.solver_steps;
  asked.start.kind = s.start;
  if (s.start != Start::uniform) asked.start.scale = s.start_scale;
  if (s.start == Start::spectral) asked.start.power_steps = s.power_steps;
  return asked;
}

/// Checks of single options, by name.
struct OptionCheck {
  static void between(std::string_view name, const std::optional<double>& value, double low, double high, std::string_view allowed) {
    if (value && !(*value >= low && *value <= high)) throw InvalidArgument(name, *value, allowed);
  }
  static void not_negative(std::string_view name, const std::optional<double>& value) {
    between(name, value, 0.0, 1.7976931348623157e308, "finite and at least 0");
  }
  static void positive(std::string_view name, const std::optional<double>& value) {
    if (value && (!(*value > 0.0) || !is_finite(*value))) throw InvalidArgument(name, *value, "finite and above 0");
  }
  static void below_one(std::string_view name, const std::optional<double>& value) {
    if (value && !(*value >= 0.0 && *value < 1.0)) throw InvalidArgument(name, *value, "in [0, 1)");
  }
  static void at_least_one(std::string_view name, const std::optional<std::size_t>& value) {
    if (value && *value < 1) throw InvalidArgument(name, *value, "at least 1");
  }
  /// An option that is set although it decides about nothing.
  template <typename T>
  static void unset_unless(bool has_effect, std::string_view name, const std::optional<T>& value, std::string_view needed) {
    if (value && !has_effect) throw InvalidArgument(name, *value, "not set: it has an effect with " + std::string(needed) + " alone");
  }
};

[[gnu::cold]] inline void check_confidence(const ConfidenceOptions& c, const AlsSettings& s) {
  OptionCheck::not_negative("confidence.alpha", c.alpha);
  OptionCheck::unset_unless(s.units == Units::paper, "confidence.alpha", c.alpha, "Units::paper");
  if (s.units == Units::data)
    OptionCheck::between("confidence.base", c.base, 0.0, 1.0, "in [0, 1] with Units::data");
  else
    OptionCheck::not_negative("confidence.base", c.base);
  OptionCheck::positive("confidence.log_scale", c.log_scale);
  OptionCheck::unset_unless(s.curve == Confidence::log, "confidence.log_scale", c.log_scale, "Confidence::log");
  if ((s.curve == Confidence::custom) != static_cast<bool>(c.function))
    throw InvalidArgument("confidence.function", c.function ? "set" : "not set", "set if, and only if, the curve is Confidence::custom");
  OptionCheck::positive("confidence.cap", c.cap);
  if (c.cap_quantile && !(*c.cap_quantile > 0.0 && *c.cap_quantile <= 1.0))
    throw InvalidArgument("confidence.cap_quantile", *c.cap_quantile, "in (0, 1]");
  if (c.cap && c.cap_quantile) throw InvalidArgument("confidence.cap_quantile", *c.cap_quantile, "not set when confidence.cap is");
  OptionCheck::unset_unless(s.curve != Confidence::one, "confidence.cap", c.cap, "a curve other than Confidence::one");
  OptionCheck::unset_unless(s.curve != Confidence::one, "confidence.cap_quantile", c.cap_quantile, "a curve other than Confidence::one");
  OptionCheck::between("confidence.popularity_damping", c.popularity_damping, 0.0, 4.0, "in [0, 4]");
  OptionCheck::not_negative("confidence.dislike_weight", c.dislike_weight);
}

[[gnu::cold]] inline void check_background(const BackgroundOptions& b, const AlsSettings& s) {
  OptionCheck::positive("background.ratio", b.ratio);
  OptionCheck::not_negative("background.weight", b.weight);
  OptionCheck::unset_unless(s.units == Units::paper, "background.weight", b.weight, "Units::paper");
  if (b.weight && b.ratio) throw InvalidArgument("background.weight", *b.weight, "not set when background.ratio is, which says the same");
  OptionCheck::between("background.item_exponent", b.item_exponent, 0.0, 4.0, "in [0, 4]");
  OptionCheck::between("background.user_exponent", b.user_exponent, 0.0, 4.0, "in [0, 4]");
  if (!s.ratio && s.weight == 0.0 && s.regularization == 0.0)
    throw InvalidArgument("regularization", s.regularization, "above 0 when background.weight is 0: nothing else holds the factors");
}

[[gnu::cold]] inline void check_solver_and_start(const SolverOptions& solver, const StartOptions& start, const AlsSettings& s) {
  const bool is_exact = s.solver == Solver::cholesky;
  OptionCheck::at_least_one("solver.steps", solver.steps);
  OptionCheck::unset_unless(!is_exact, "solver.steps", solver.steps, "Solver::conjugate_gradient");
  OptionCheck::below_one("solver.tolerance", solver.tolerance);
  OptionCheck::unset_unless(!is_exact, "solver.tolerance", solver.tolerance, "Solver::conjugate_gradient");
  OptionCheck::positive("start.scale", start.scale);
  OptionCheck::unset_unless(s.start != Start::uniform, "start.scale", start.scale, "a start other than Start::uniform");
  if (start.power_steps && *start.power_steps > 32) throw InvalidArgument("start.power_steps", *start.power_steps, "at most 32");
  OptionCheck::unset_unless(s.start == Start::spectral, "start.power_steps", start.power_steps, "Start::spectral");
}

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0 {

[[gnu::cold]] KINDRED_ONCE void validate(const AlsOptions& options) {
  using Check = detail::OptionCheck;
  const detail::AlsSettings s = detail::settings_of(options);
  if (options.factors && (*options.factors < 1 || *options.factors > 32'768))
    throw InvalidArgument("factors", *options.factors, "in [1, 32768]");
  Check::not_negative("regularization", options.regularization);
  Check::at_least_one("iterations", options.iterations);
  Check::between("regularization_exponent", options.regularization_exponent, 0.0, 2.0, "in [0, 2]");
  Check::below_one("loss_tolerance", options.loss_tolerance);
  Check::positive("item_bias", options.item_bias);
  if (options.item_bias && s.regularization == 0.0)
    throw InvalidArgument("regularization", s.regularization, "above 0 with item_bias, which the penalty holds");
  detail::check_confidence(options.confidence, s);
  detail::check_background(options.background, s);
  detail::check_solver_and_start(options.solver, options.start, s);
}

}  // namespace kindred::inline v0
