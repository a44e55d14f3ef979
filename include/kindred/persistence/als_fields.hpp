// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/persistence/flat_object.hpp>
#include <kindred/simd/level.hpp>

namespace kindred::inline v0::detail {

inline constexpr std::string_view solver_names[] = {"cholesky", "conjugate_gradient"};
inline constexpr std::string_view confidence_names[] = {"linear", "log", "one", "custom"};
inline constexpr std::string_view background_names[] = {"unobserved", "all"};
inline constexpr std::string_view init_names[] = {"normal", "uniform"};
inline constexpr std::string_view level_names[] = {"best", "base", "avx2", "avx512"};

/// Calls `visit` with the name and the place of every option that a model file has, and for enumerations the names of their values. A functor is code, and stays
/// behind.
template <typename Options, typename Visitor>
void each_option(Options& o, Visitor&& visit) {
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

/// Options as entries of a model file.
inline void write_options(const AlsOptions& options, FlatObject& out) {
  each_option(options, [&]<typename T, typename... Names>(const char* name, const T& value, const Names&... names) {
    if constexpr (std::is_enum_v<T>)
      (out.set(name, names[static_cast<std::size_t>(value)]), ...);
    else
      out.set(name, value);
  });
}

/// The options of a file. `functor`: what confidence_function is where the file says `custom`; without it, one that asks for it once it is needed.
/// A level of instructions that this processor lacks becomes `best`. @throws FormatError if an option is missing or out of range.
[[nodiscard]] inline AlsOptions read_options(FlatObject& in, const ConfidenceFunction& functor, const std::string& file) {
  AlsOptions o;
  each_option(o, [&]<typename T, typename... Names>(const char* name, T& value, const Names&... names) {
    if constexpr (std::is_enum_v<T>)
      ((value = in.choice_of<T>(name, names)), ...);
    else if constexpr (std::is_integral_v<T>)
      value = static_cast<T>(in.whole_of(name));
    else if constexpr (std::is_same_v<T, double>)
      value = in.number_of(name);
    else
      value = in.optional_of(name);
  });
  if (o.simd > highest_level()) o.simd = SimdLevel::best;
  if (o.confidence == Confidence::custom)
    o.confidence_function = functor ? functor : [](double, Offset, Offset) -> double {
      throw InvalidArgument("confidence_function", "not part of a model file",
                            "handed in when the model is loaded (LoadOptions::confidence_function)");
    };
  try {
    validate(o);
  } catch (const InvalidArgument& error) {
    throw FormatError(file + ": an option is out of range: " + error.what());
  }
  return o;
}

}  // namespace kindred::inline v0::detail
