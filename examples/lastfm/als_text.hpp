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

[[nodiscard]] inline nlohmann::ordered_json options_json(const kindred::AlsOptions& o) {
  return {{"factors", o.factors},
          {"regularization", o.regularization},
          {"alpha", o.confidence.alpha},
          {"iterations", o.iterations},
          {"solver", o.solver.kind == kindred::Solver::cholesky ? "cholesky" : "cg"},
          {"confidence", confidence_name(o.confidence)},
          {"confidence_base", o.confidence.base},
          {"background", o.background.pairs == kindred::Background::all ? "all" : "unobserved"},
          {"unobserved_weight", o.background.weight},
          {"background_ratio", o.background.ratio ? nlohmann::ordered_json(*o.background.ratio) : nlohmann::ordered_json()},
          {"beta", o.confidence.popularity_damping},
          {"rho", o.background.item_exponent},
          {"nu", o.regularization_exponent},
          {"init", o.start.kind == kindred::Start::normal ? "normal" : "uniform"},
          {"init_scale", o.start.scale},
          {"seed", o.seed}};
}

/// One line: everything that differs from the paper's model, and the size.
[[nodiscard]] inline std::string options_text(const kindred::AlsOptions& o) {
  std::string text = "factors " + std::to_string(o.factors) + ", lambda " + shortest(o.regularization) + ", " +
                     std::to_string(o.iterations) + " iterations, ";
  text += o.solver.kind == kindred::Solver::cholesky ? "exact" : std::to_string(o.solver.steps) + " CG steps";
  const std::string base = o.confidence.base == 0.0 ? "" : shortest(o.confidence.base) + " + ";
  const std::string curve = o.confidence.curve == kindred::Confidence::linear ? " r"
                            : o.confidence.curve == kindred::Confidence::log  ? " log(1 + r)"
                                                                        : "";
  text += ", c = " + base + shortest(o.confidence.alpha) + curve;
  text += o.start.kind == kindred::Start::uniform ? ", init uniform [0, 0.01)" : ", init sd " + shortest(o.start.scale) + "/sqrt(factors)";
  if (o.background.pairs == kindred::Background::all) text += ", background all pairs";
  if (o.background.ratio)
    text += ", w0 " + shortest(*o.background.ratio) + " x density";
  else if (o.background.weight != 1.0)
    text += ", w0 " + shortest(o.background.weight);
  if (o.regularization_exponent != 0.0) text += ", nu " + shortest(o.regularization_exponent);
  if (o.confidence.popularity_damping != 0.0) text += ", beta " + shortest(o.confidence.popularity_damping);
  if (o.background.item_exponent != 0.0) text += ", rho " + shortest(o.background.item_exponent);
  return text;
}

}  // namespace study
