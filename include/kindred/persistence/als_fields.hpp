// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/als/option_fields.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/models/als/settings.hpp>
#include <kindred/models/als/weights.hpp>
#include <kindred/persistence/flat_object.hpp>

namespace kindred::inline v0::detail {

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};

/// Options as entries of a model file; what is not set is null.
inline void write_options(const AlsOptions& options, FlatObject& out) {
  visit_fields(options, [&]<typename T>(const char* name, const T& value, const auto&... names) {
    if constexpr (std::is_enum_v<T>)
      (out.set(name, names[static_cast<std::size_t>(value)]), ...);
    else if constexpr (sizeof...(names) > 0)
      (out.set(name, value ? std::optional(names[static_cast<std::size_t>(*value)]) : std::nullopt), ...);
    else
      out.set(name, value);
  });
}

/// Reads the entry `name` into an option.
template <typename T, typename... Names>
void read_option(FlatObject& in, const std::string& name, T& value, const Names&... names) {
  if constexpr (IsOptional<T>::value) {
    typename T::value_type set{};
    if ((name == "item_bias" && !in.has(name)) || in.is_null(name)) return;  // files from before there was one
    read_option(in, name, set, names...);
    value = set;
  } else if constexpr (std::is_enum_v<T>) {
    ((value = in.choice_of<T>(name, names)), ...);
  } else if constexpr (std::is_integral_v<T>) {
    value = static_cast<T>(in.whole_of(name));
  } else {
    value = in.number_of(name);
  }
}

/// The options of a file that was written before options stood in groups: the units were those of the paper, and everything was set.
[[nodiscard]] inline AlsOptions read_flat_options(FlatObject& in) {
  constexpr std::string_view init_names[] = {"normal", "uniform"};
  AlsOptions o = AlsOptions::paper();
  const auto number = [&](const char* name, std::optional<double>& to) { to = in.optional_of(name); };
  read_option(in, "factors", o.factors);
  number("regularization", o.regularization);
  number("alpha", o.confidence.alpha);
  read_option(in, "iterations", o.iterations);
  read_option(in, "seed", o.seed);
  read_option(in, "solver", o.solver.kind, solver_names);
  const std::uint64_t steps = in.whole_of("cg_steps");
  const double tolerance = in.number_of("cg_tolerance");
  if (o.solver.kind == Solver::conjugate_gradient) {
    o.solver.steps = static_cast<std::size_t>(steps);
    o.solver.tolerance = tolerance;
  }
  read_option(in, "confidence", o.confidence.curve, confidence_names);
  number("confidence_base", o.confidence.base);
  const double log_scale = in.number_of("log_epsilon");
  if (o.confidence.curve == Confidence::log) o.confidence.log_scale = log_scale;
  const std::optional<double> cap = in.optional_of("value_cap"), quantile = in.optional_of("value_cap_quantile");
  if (o.confidence.curve != Confidence::one) {
    o.confidence.cap = cap;
    o.confidence.cap_quantile = quantile;
  }
  number("beta", o.confidence.popularity_damping);
  read_option(in, "background", o.background.pairs, background_names);
  number("background_ratio", o.background.ratio);
  const double weight = in.number_of("unobserved_weight");
  if (!o.background.ratio) o.background.weight = weight;
  number("rho", o.background.item_exponent);
  number("rho_users", o.background.user_exponent);
  number("nu", o.regularization_exponent);
  o.start.kind = in.choice_of<int>("init", init_names) == 0 ? Start::normal : Start::uniform;
  const double scale = in.number_of("init_scale");
  if (o.start.kind == Start::normal) o.start.scale = scale;
  if (const double least = in.number_of("tolerance"); least > 0.0) o.loss_tolerance = least;
  (void)in.whole_of("threads");
  (void)in.text_of("simd");
  return o;
}

/// The options of a file. `functor`: confidence.function where the file says `custom`; without it, a function that asks for it once it is needed.
/// @throws FormatError if an option is missing or out of range.
[[nodiscard]] inline AlsOptions read_options(FlatObject& in, const ConfidenceFunction& functor, const std::string& file) {
  AlsOptions o;
  if (in.has("unobserved_weight"))
    o = read_flat_options(in);
  else
    visit_fields(o, [&](const char* name, auto& value, const auto&... names) { read_option(in, name, value, names...); });
  if (o.confidence.curve == Confidence::custom)
    o.confidence.function = functor ? functor : [](double, Offset, Offset) -> double {
      throw InvalidArgument("confidence.function", "not part of a model file",
                            "handed in when the model is loaded (LoadOptions::confidence_function)");
    };
  try {
    validate(o);
  } catch (const InvalidArgument& error) {
    throw FormatError(file + ": an option is out of range: " + error.what());
  }
  return o;
}

/// What was chosen from the data for the options that are not set.
inline void write_chosen(const AlsOptions& options, const AlsSettings& settings, FlatObject& out) {
  if (options.units == Units::paper) return;
  out.set("chosen.factors", settings.factors);
  out.set("chosen.regularization", settings.regularization);
  out.set("chosen.ratio", settings.ratio);
  out.set("chosen.item_exponent", settings.item_exponent);
  out.set("chosen.popularity_damping", settings.popularity_damping);
}

/// The settings of the fit that a file is of. @throws FormatError if one is missing or out of range.
[[nodiscard]] inline AlsSettings read_settings(FlatObject& in, const AlsOptions& options, const std::string& file) {
  if (options.units == Units::paper) return settings_of(options);
  ChosenSettings chosen;
  chosen.factors = static_cast<std::size_t>(in.whole_of("chosen.factors"));
  chosen.regularization = in.number_of("chosen.regularization");
  chosen.ratio = in.number_of("chosen.ratio");
  chosen.item_exponent = in.number_of("chosen.item_exponent");
  chosen.popularity_damping = in.number_of("chosen.popularity_damping");
  AlsSettings settings = settings_of(options, chosen);
  try {
    validate(filled_in(options, settings));
  } catch (const InvalidArgument& error) {
    throw FormatError(file + ": a chosen option is out of range: " + error.what());
  }
  return settings;
}

/// The constants of a fit.
inline void write_constants(const AlsWeights::State& weights, FlatObject& out) {
  out.set("cap", weights.constants.cap);
  out.set("log_scale", weights.constants.log_scale);
  out.set("mean_strength", weights.constants.mean_strength);
  out.set("background_weight", weights.unobserved_weight);
  out.set("user_background_scale", weights.user_background_scale);
  out.set("item_background_scale", weights.item_background_scale);
  out.set("mean_user_count", weights.mean_user_count);
  out.set("mean_item_count", weights.mean_item_count);
}

/// The constants of the fit that a file is of; files of before have those of the paper's units alone. @throws FormatError if one is out of range.
inline void read_constants(FlatObject& in, const AlsSettings& settings, AlsWeights::State& weights, const std::string& file) {
  const auto positive = [&](const std::string& key, bool or_zero) {
    const double number = in.number_of(key);
    if (!(number > 0.0) && !(or_zero && number == 0.0))
      throw FormatError(file + ": '" + key + "' is " + number_text(number) + "; it must be above 0");
    return number;
  };
  weights.constants.cap = in.optional_of("cap");
  if (weights.constants.cap && !(*weights.constants.cap > 0.0)) throw FormatError(file + ": 'cap' is not above 0");
  const bool has_all = in.has("mean_strength");
  weights.constants.log_scale = has_all ? positive("log_scale", false) : settings.log_scale.value_or(1.0);
  weights.constants.mean_strength = has_all ? positive("mean_strength", false) : 1.0;
  weights.unobserved_weight = positive("background_weight", true);
  weights.user_background_scale = positive("user_background_scale", false);
  weights.item_background_scale = positive("item_background_scale", false);
  weights.mean_user_count = has_all ? positive("mean_user_count", false) : 0.0;
  weights.mean_item_count = positive("mean_item_count", false);
}

}  // namespace kindred::inline v0::detail
