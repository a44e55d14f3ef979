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

[[nodiscard]] inline std::string start_name(kindred::Start start) {
  switch (start) {
    case kindred::Start::spectral: return "spectral";
    case kindred::Start::normal: return "normal";
    case kindred::Start::uniform: return "uniform";
  }
  return "";
}

/// The options that are set; the others are chosen by the units.
[[nodiscard]] inline nlohmann::ordered_json options_json(const kindred::AlsOptions& o) {
  nlohmann::ordered_json json = {{"units", o.units == kindred::Units::data ? "data" : "paper"}};
  const auto add = [&](const char* name, const auto& value) {
    if (value) json[name] = *value;
  };
  add("factors", o.factors);
  add("regularization", o.regularization);
  add("iterations", o.iterations);
  add("regularization_exponent", o.regularization_exponent);
  if (o.confidence.curve) json["confidence.curve"] = confidence_name(*o.confidence.curve);
  add("confidence.alpha", o.confidence.alpha);
  add("confidence.base", o.confidence.base);
  add("confidence.popularity_damping", o.confidence.popularity_damping);
  if (o.background.pairs) json["background.pairs"] = *o.background.pairs == kindred::Background::all ? "all" : "unobserved";
  add("background.ratio", o.background.ratio);
  add("background.weight", o.background.weight);
  add("background.item_exponent", o.background.item_exponent);
  json["solver.kind"] = o.solver.kind == kindred::Solver::cholesky ? "cholesky" : "cg";
  if (o.start.kind) json["start.kind"] = start_name(*o.start.kind);
  add("start.scale", o.start.scale);
  json["seed"] = o.seed;
  return json;
}

/// One line: the options that are set.
[[nodiscard]] inline std::string options_text(const kindred::AlsOptions& o) {
  std::string text = o.units == kindred::Units::data ? "units of the data" : "the paper's units";
  const auto add = [&](const char* name, const auto& value) {
    if (value) text += std::string(", ") + name + " " + shortest(static_cast<double>(*value));
  };
  add("factors", o.factors);
  add("lambda", o.regularization);
  add("iterations", o.iterations);
  add("exponent of lambda", o.regularization_exponent);
  text += o.solver.kind == kindred::Solver::cholesky ? ", exact" : ", conjugate gradients";
  if (o.confidence.curve) text += ", confidence " + confidence_name(*o.confidence.curve);
  add("alpha", o.confidence.alpha);
  add("base", o.confidence.base);
  add("popularity damping", o.confidence.popularity_damping);
  if (o.background.pairs == kindred::Background::all) text += ", background all pairs";
  add("background ratio", o.background.ratio);
  add("background weight", o.background.weight);
  add("item exponent", o.background.item_exponent);
  if (o.start.kind) text += ", " + start_name(*o.start.kind) + " start";
  return text;
}

}  // namespace study
