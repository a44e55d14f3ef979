// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/als_options.hpp>
#include <kindred/persistence/flat_object.hpp>
#include <kindred/simd/level.hpp>

namespace kindred::inline v0::detail {

inline constexpr std::string_view solver_names[] = {"cholesky", "conjugate_gradient"};
inline constexpr std::string_view confidence_names[] = {"linear", "log", "one", "custom"};
inline constexpr std::string_view background_names[] = {"unobserved", "all"};
inline constexpr std::string_view init_names[] = {"normal", "uniform"};
inline constexpr std::string_view level_names[] = {"best", "base", "avx2", "avx512"};

/// Options as entries of a model file. A functor is code, and stays behind.
inline void write_options(const AlsOptions& o, FlatObject& out) {
  out.set("factors", o.factors);
  out.set("regularization", o.regularization);
  out.set("alpha", o.alpha);
  out.set("iterations", o.iterations);
  out.set("solver", solver_names[static_cast<std::size_t>(o.solver)]);
  out.set("cg_steps", o.cg_steps);
  out.set("cg_tolerance", o.cg_tolerance);
  out.set("confidence", confidence_names[static_cast<std::size_t>(o.confidence)]);
  out.set("confidence_base", o.confidence_base);
  out.set("log_epsilon", o.log_epsilon);
  out.set("value_cap", o.value_cap);
  out.set("value_cap_quantile", o.value_cap_quantile);
  out.set("background", background_names[static_cast<std::size_t>(o.background)]);
  out.set("unobserved_weight", o.unobserved_weight);
  out.set("background_ratio", o.background_ratio);
  out.set("beta", o.beta);
  out.set("rho", o.rho);
  out.set("rho_users", o.rho_users);
  out.set("nu", o.nu);
  out.set("init", init_names[static_cast<std::size_t>(o.init)]);
  out.set("init_scale", o.init_scale);
  out.set("tolerance", o.tolerance);
  out.set("seed", o.seed);
  out.set("threads", o.threads);
  out.set("simd", level_names[static_cast<std::size_t>(o.simd)]);
}

/// The options of a file. `functor`: what confidence_function is where the file says `custom`; without it, one that asks for it once it is needed.
/// A level of instructions that this processor lacks becomes `best`. @throws FormatError if an option is missing or out of range.
[[nodiscard]] inline AlsOptions read_options(FlatObject& in, const ConfidenceFunction& functor, const std::string& file) {
  AlsOptions o;
  o.factors = static_cast<std::size_t>(in.whole_of("factors"));
  o.regularization = in.number_of("regularization");
  o.alpha = in.number_of("alpha");
  o.iterations = static_cast<std::size_t>(in.whole_of("iterations"));
  o.solver = in.choice_of<Solver>("solver", solver_names);
  o.cg_steps = static_cast<std::size_t>(in.whole_of("cg_steps"));
  o.cg_tolerance = in.number_of("cg_tolerance");
  o.confidence = in.choice_of<Confidence>("confidence", confidence_names);
  o.confidence_base = in.number_of("confidence_base");
  o.log_epsilon = in.number_of("log_epsilon");
  o.value_cap = in.optional_of("value_cap");
  o.value_cap_quantile = in.optional_of("value_cap_quantile");
  o.background = in.choice_of<Background>("background", background_names);
  o.unobserved_weight = in.number_of("unobserved_weight");
  o.background_ratio = in.optional_of("background_ratio");
  o.beta = in.number_of("beta");
  o.rho = in.number_of("rho");
  o.rho_users = in.number_of("rho_users");
  o.nu = in.number_of("nu");
  o.init = in.choice_of<Init>("init", init_names);
  o.init_scale = in.number_of("init_scale");
  o.tolerance = in.number_of("tolerance");
  o.seed = in.whole_of("seed");
  o.threads = static_cast<std::size_t>(in.whole_of("threads"));
  o.simd = in.choice_of<SimdLevel>("simd", level_names);
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
