// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <kindred/models/als/options.hpp>

namespace kindred_test {

/// A small model.
inline kindred::AlsOptions small_als() {
  kindred::AlsOptions o;
  o.factors = 6;
  o.regularization = 0.3;
  o.alpha = 0.7;
  o.iterations = 3;
  o.seed = 11;
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
    o.confidence = kindred::Confidence::log;
    o.log_epsilon = 0.4;
  });
  add("one", [](AlsOptions& o) { o.confidence = kindred::Confidence::one; });
  add("custom", [](AlsOptions& o) {
    o.confidence = kindred::Confidence::custom;
    o.confidence_function = [](double r, kindred::Offset n_u, kindred::Offset n_i) {
      return 0.1 * r * r + 3.0 / static_cast<double>(n_u) + 0.25 * static_cast<double>(n_i);
    };
  });
  add("zero excess", [](AlsOptions& o) { o.alpha = 0.0; });
  add("zero excess of some", [](AlsOptions& o) {
    o.confidence = kindred::Confidence::custom;
    o.confidence_function = [](double r, kindred::Offset, kindred::Offset) { return r < 5.0 ? 0.0 : r; };
  });
  add("base below the background", [](AlsOptions& o) {
    o.confidence_base = 0.1;
    o.alpha = 0.15;
  });
  add("base 0", [](AlsOptions& o) { o.confidence_base = 0.0; });
  add("confidence 0", [](AlsOptions& o) {
    o.confidence_base = 0.0;
    o.alpha = 0.0;
  });
  add("cap", [](AlsOptions& o) { o.value_cap = 3.5; });
  add("cap by quantile", [](AlsOptions& o) { o.value_cap_quantile = 0.73; });
  add("weight of the background", [](AlsOptions& o) { o.unobserved_weight = 0.35; });
  add("weight of the background by density", [](AlsOptions& o) { o.background_ratio = 2.5; });
  add("weight of the background by density, all pairs, nu 1", [](AlsOptions& o) {
    o.background_ratio = 6.0;
    o.background = kindred::Background::all;
    o.rho = 0.3;
    o.nu = 1.0;
    o.regularization = 0.02;
  });
  add("no background", [](AlsOptions& o) { o.unobserved_weight = 0.0; });
  add("all pairs", [](AlsOptions& o) {
    o.background = kindred::Background::all;
    o.unobserved_weight = 0.2;
  });
  add("Rendle", [](AlsOptions& o) {
    o.background = kindred::Background::all;
    o.confidence = kindred::Confidence::one;
    o.alpha = 0.0;
    o.unobserved_weight = 0.1;
    o.regularization = 0.05;
    o.nu = 1.0;
  });
  add("nu 1", [](AlsOptions& o) { o.nu = 1.0; });
  add("nu 0.5, all pairs", [](AlsOptions& o) {
    o.nu = 0.5;
    o.background = kindred::Background::all;
  });
  add("beta", [](AlsOptions& o) { o.beta = 0.6; });
  add("beta, all pairs", [](AlsOptions& o) {
    o.beta = 1.2;
    o.background = kindred::Background::all;
  });
  add("rho", [](AlsOptions& o) { o.rho = 0.7; });
  add("rho of users", [](AlsOptions& o) { o.rho_users = 0.9; });
  add("rho of both, nu 1", [](AlsOptions& o) {
    o.rho = 0.4;
    o.rho_users = 0.8;
    o.nu = 1.0;
    o.regularization = 0.02;
  });
  add("everything, unobserved", [](AlsOptions& o) {
    o.confidence = kindred::Confidence::log;
    o.confidence_base = 0.3;
    o.unobserved_weight = 0.8;
    o.beta = 0.3;
    o.rho = 0.5;
    o.rho_users = 0.2;
    o.nu = 1.3;
    o.regularization = 0.01;
    o.value_cap_quantile = 0.9;
  });
  add("everything, all pairs", [](AlsOptions& o) {
    o.background = kindred::Background::all;
    o.confidence = kindred::Confidence::log;
    o.log_epsilon = 2.0;
    o.confidence_base = 0.08;
    o.alpha = 0.19;
    o.unobserved_weight = 0.07;
    o.beta = 0.1;
    o.rho = 0.23;
    o.rho_users = 0.1;
    o.nu = 1.0;
    o.regularization = 0.02;
    o.value_cap = 7.0;
  });
  return settings;
}

}  // namespace kindred_test
