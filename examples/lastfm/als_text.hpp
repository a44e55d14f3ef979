// SPDX-License-Identifier: MIT
// ImplicitALS options in words and as JSON.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include <kindred/models/als/options.hpp>

#include "console.hpp"

namespace study {

[[nodiscard]] inline std::string confidence_name(kindred::Confidence confidence) {
  switch (confidence) {
    case kindred::Confidence::linear: return "linear";
    case kindred::Confidence::log: return "log";
    case kindred::Confidence::one: return "one";
    case kindred::Confidence::custom: return "custom";
  }
  return "";
}

[[nodiscard]] inline std::string init_name(kindred::Init init) {
  switch (init) {
    case kindred::Init::normal: return "normal";
    case kindred::Init::uniform: return "uniform";
    case kindred::Init::spectral: return "spectral";
  }
  return "";
}

[[nodiscard]] inline nlohmann::ordered_json options_json(const kindred::AlsOptions& o) {
  return {{"factors", o.factors},
          {"regularization", o.regularization},
          {"alpha", o.alpha},
          {"iterations", o.iterations},
          {"solver", o.solver == kindred::Solver::cholesky ? "cholesky" : "cg"},
          {"confidence", confidence_name(o.confidence)},
          {"confidence_base", o.confidence_base},
          {"background", o.background == kindred::Background::all ? "all" : "unobserved"},
          {"unobserved_weight", o.unobserved_weight},
          {"background_ratio", o.background_ratio ? nlohmann::ordered_json(*o.background_ratio) : nlohmann::ordered_json()},
          {"beta", o.beta},
          {"rho", o.rho},
          {"nu", o.nu},
          {"init", init_name(o.init)},
          {"init_scale", o.init_scale},
          {"seed", o.seed}};
}

/// One line: everything that differs from the paper's model, and the size.
[[nodiscard]] inline std::string options_text(const kindred::AlsOptions& o) {
  std::string text = "factors " + std::to_string(o.factors) + ", lambda " + shortest(o.regularization) + ", " +
                     std::to_string(o.iterations) + " iterations, ";
  text += o.solver == kindred::Solver::cholesky ? "exact" : std::to_string(o.cg_steps) + " CG steps";
  const std::string base = o.confidence_base == 0.0 ? "" : shortest(o.confidence_base) + " + ";
  const std::string curve = o.confidence == kindred::Confidence::linear ? " r"
                            : o.confidence == kindred::Confidence::log  ? " log(1 + r)"
                                                                        : "";
  text += ", c = " + base + shortest(o.alpha) + curve;
  text += o.init == kindred::Init::uniform    ? ", init uniform [0, 0.01)"
          : o.init == kindred::Init::spectral ? ", init spectral"
                                              : ", init sd " + shortest(o.init_scale) + "/sqrt(factors)";
  if (o.background == kindred::Background::all) text += ", background all pairs";
  if (o.background_ratio)
    text += ", w0 " + shortest(*o.background_ratio) + " x density";
  else if (o.unobserved_weight != 1.0)
    text += ", w0 " + shortest(o.unobserved_weight);
  if (o.nu != 0.0) text += ", nu " + shortest(o.nu);
  if (o.beta != 0.0) text += ", beta " + shortest(o.beta);
  if (o.rho != 0.0) text += ", rho " + shortest(o.rho);
  return text;
}

}  // namespace study
