// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <kindred/models/als/options.hpp>

namespace kindred_test {

/// A small model.
inline kindred::AlsOptions small_als() {
  kindred::AlsOptions o = kindred::AlsOptions::paper();
  o.factors = 6;
  o.regularization = 0.3;
  o.confidence.alpha = 0.7;
  o.iterations = 3;
  o.seed = 11;
  return o;
}

/// Settings for play counts under the paper's units, with every option of the objective in use.
inline kindred::AlsOptions play_counts() {
  kindred::AlsOptions o = kindred::AlsOptions::paper({.factors = 128, .regularization = 0.0202, .alpha = 0.19});
  o.regularization_exponent = 1.0;
  o.confidence.curve = kindred::Confidence::log;
  o.confidence.base = 0.08;
  o.confidence.popularity_damping = 0.10;
  o.background.pairs = kindred::Background::all;
  o.background.ratio = 6.4;
  o.background.item_exponent = 0.23;
  return o;
}

/// Every option of the objective at least once, alone and together.
inline std::vector<std::pair<std::string, kindred::AlsOptions>> all_settings() {
  using kindred::AlsOptions;
  std::vector<std::pair<std::string, AlsOptions>> settings;
  const auto add = [&](const char* name, auto&& change) {
    AlsOptions o = small_als();
    change(o);
    settings.emplace_back(name, std::move(o));
  };
  add("plain", [](AlsOptions&) {});
  add("log", [](AlsOptions& o) {
    o.confidence.curve = kindred::Confidence::log;
    o.confidence.log_scale = 0.4;
  });
  add("one", [](AlsOptions& o) { o.confidence.curve = kindred::Confidence::one; });
  add("custom", [](AlsOptions& o) {
    o.confidence.curve = kindred::Confidence::custom;
    o.confidence.function = [](double r, kindred::Offset n_u, kindred::Offset n_i) {
      return 0.1 * r * r + 3.0 / static_cast<double>(n_u) + 0.25 * static_cast<double>(n_i);
    };
  });
  add("zero excess", [](AlsOptions& o) { o.confidence.alpha = 0.0; });
  add("zero excess of some", [](AlsOptions& o) {
    o.confidence.curve = kindred::Confidence::custom;
    o.confidence.function = [](double r, kindred::Offset, kindred::Offset) { return r < 5.0 ? 0.0 : r; };
  });
  add("base below the background", [](AlsOptions& o) {
    o.confidence.base = 0.1;
    o.confidence.alpha = 0.15;
  });
  add("base 0", [](AlsOptions& o) { o.confidence.base = 0.0; });
  add("confidence 0", [](AlsOptions& o) {
    o.confidence.base = 0.0;
    o.confidence.alpha = 0.0;
  });
  add("cap", [](AlsOptions& o) { o.confidence.cap = 3.5; });
  add("cap by quantile", [](AlsOptions& o) { o.confidence.cap_quantile = 0.73; });
  add("weight of the background", [](AlsOptions& o) { o.background.weight = 0.35; });
  add("weight of the background by density", [](AlsOptions& o) { o.background.ratio = 2.5; });
  add("weight of the background by density, all pairs, nu 1", [](AlsOptions& o) {
    o.background.ratio = 6.0;
    o.background.pairs = kindred::Background::all;
    o.background.item_exponent = 0.3;
    o.regularization_exponent = 1.0;
    o.regularization = 0.02;
  });
  add("no background", [](AlsOptions& o) { o.background.weight = 0.0; });
  add("all pairs", [](AlsOptions& o) {
    o.background.pairs = kindred::Background::all;
    o.background.weight = 0.2;
  });
  add("Rendle", [](AlsOptions& o) {
    o.background.pairs = kindred::Background::all;
    o.confidence.curve = kindred::Confidence::one;
    o.confidence.alpha = 0.0;
    o.background.weight = 0.1;
    o.regularization = 0.05;
    o.regularization_exponent = 1.0;
  });
  add("nu 1", [](AlsOptions& o) { o.regularization_exponent = 1.0; });
  add("nu 0.5, all pairs", [](AlsOptions& o) {
    o.regularization_exponent = 0.5;
    o.background.pairs = kindred::Background::all;
  });
  add("beta", [](AlsOptions& o) { o.confidence.popularity_damping = 0.6; });
  add("beta, all pairs", [](AlsOptions& o) {
    o.confidence.popularity_damping = 1.2;
    o.background.pairs = kindred::Background::all;
  });
  add("rho", [](AlsOptions& o) { o.background.item_exponent = 0.7; });
  add("rho of users", [](AlsOptions& o) { o.background.user_exponent = 0.9; });
  add("rho of both, nu 1", [](AlsOptions& o) {
    o.background.item_exponent = 0.4;
    o.background.user_exponent = 0.8;
    o.regularization_exponent = 1.0;
    o.regularization = 0.02;
  });
  add("everything, unobserved", [](AlsOptions& o) {
    o.confidence.curve = kindred::Confidence::log;
    o.confidence.base = 0.3;
    o.background.weight = 0.8;
    o.confidence.popularity_damping = 0.3;
    o.background.item_exponent = 0.5;
    o.background.user_exponent = 0.2;
    o.regularization_exponent = 1.3;
    o.regularization = 0.01;
    o.confidence.cap_quantile = 0.9;
  });
  add("everything, all pairs", [](AlsOptions& o) {
    o.background.pairs = kindred::Background::all;
    o.confidence.curve = kindred::Confidence::log;
    o.confidence.log_scale = 2.0;
    o.confidence.base = 0.08;
    o.confidence.alpha = 0.19;
    o.background.weight = 0.07;
    o.confidence.popularity_damping = 0.1;
    o.background.item_exponent = 0.23;
    o.background.user_exponent = 0.1;
    o.regularization_exponent = 1.0;
    o.regularization = 0.02;
    o.confidence.cap = 7.0;
  });
  const auto in_units_of_data = [] {
    AlsOptions o{.factors = 6, .regularization = 0.2, .iterations = 3, .seed = 11};
    o.confidence.popularity_damping = 0.0;
    o.background.ratio = 6.0;
    o.background.item_exponent = 0.0;
    o.start.kind = kindred::Start::normal;
    return o;
  };
  add("units of the data", [&](AlsOptions& o) { o = in_units_of_data(); });
  add("units of the data, linear, damped", [&](AlsOptions& o) {
    o = in_units_of_data();
    o.confidence.curve = kindred::Confidence::linear;
    o.confidence.base = 0.2;
    o.confidence.popularity_damping = 0.3;
    o.confidence.cap_quantile = 0.9;
    o.background.item_exponent = 0.2;
  });
  add("units of the data, unobserved, dislikes", [&](AlsOptions& o) {
    o = in_units_of_data();
    o.confidence.dislike_weight = 0.5;
    o.confidence.log_scale = 2.0;
    o.background.pairs = kindred::Background::unobserved;
    o.background.user_exponent = 0.3;
    o.regularization_exponent = 0.5;
  });
  add("units of the data, a function", [&](AlsOptions& o) {
    o = in_units_of_data();
    o.confidence.curve = kindred::Confidence::custom;
    o.confidence.function = [](double r, kindred::Offset n_u, kindred::Offset) { return r + 1.0 / static_cast<double>(n_u); };
  });
  return settings;
}

}  // namespace kindred_test
