// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/simd/level.hpp>

namespace kindred::inline v0 {

/// How a row of factors is solved for.
enum class Solver {
  cholesky,            ///< Exactly.
  conjugate_gradient,  ///< Approximately, from the previous solution: cg_steps steps.
};

/// g in c = base + alpha g(|r|).
enum class Confidence {
  linear,  ///< g(r) = r.
  log,     ///< g(r) = log(1 + r / log_epsilon).
  one,     ///< g(r) = 1.
  custom,  ///< g = confidence_function.
};

/// Which pairs pull scores towards 0.
enum class Background {
  unobserved,  ///< The pairs not observed (Hu, Koren, Volinsky 2008).
  all,         ///< All pairs; the observed term comes on top (Rendle et al. 2022).
};

/// The distribution of the first factors.
enum class Init {
  normal,   ///< Normal, mean 0, standard deviation init_scale / sqrt(factors).
  uniform,  ///< Uniform in [0, 0.01), as the Python package implicit does; init_scale is not used.
  /// Items from a truncated SVD of the likes, whatever their values; columns beyond its rank as in `normal`. A few
  /// iterations are then enough.
  spectral,
};

/// g of an interaction's magnitude |r|, the user's number of interactions and the item's; must return a finite number.
using ConfidenceFunction = std::function<double(double magnitude, Offset user_count, Offset item_count)>;

/// Settings of ImplicitALS. The defaults are those of the paper where it names them (alpha, the number of sweeps); for play counts see recommended().
///
/// Symbols: r value, c confidence, n_u and n_i interactions of a user and an item, lambda regularization, w0 unobserved_weight.
///   loss = sum over observed of c (p - score)^2 + sum over the background of w0 a_u b_i score^2 + sum of l_u |x_u|^2 + sum of l_i |y_i|^2
///   c = (confidence_base + alpha g(|r|)) (n_i / mean n_i)^-beta;  p = 1 for r > 0, 0 for r < 0
///   l_u = lambda (n_u + w0 a_u items)^nu, l_i = lambda (n_i + w0 b_i users)^nu;  b_i proportional to n_i^rho with mean 1, a_u to n_u^rho_users
/// Sources: Hu, Koren, Volinsky 2008 (model, alpha); Rendle et al. 2022 (background over all pairs, nu); He et al. 2016 (rho).
struct AlsOptions {
  std::size_t factors = 100;         ///< Length of a user's and an item's vector, [1, 32768]. May exceed the number of items.
  double regularization = 0.1;       ///< lambda >= 0.
  double alpha = 40.0;               ///< >= 0.
  std::size_t iterations = 10;       ///< >= 1; each solves all items, then all users.
  Solver solver = Solver::cholesky;  ///< Exact by default: in the eigenbasis it costs about as much as a few steps of the other.
  std::size_t cg_steps = 3;          ///< >= 1; at most this many with a cg_tolerance.
  double cg_tolerance = 0.0;         ///< [0, 1): stop a row at this residual relative to its right-hand side.

  Confidence confidence = Confidence::linear;
  double confidence_base = 1.0;                             ///< >= 0; c of an interaction whose g is 0.
  double log_epsilon = 1.0;                                 ///< > 0; the magnitude where the logarithm bends.
  ConfidenceFunction confidence_function = {};              ///< For Confidence::custom, and only then.
  std::optional<double> value_cap = std::nullopt;           ///< > 0; a larger |r| counts as this much.
  std::optional<double> value_cap_quantile = std::nullopt;  ///< (0, 1]; the same with the cap at this quantile of |r| in train.

  Background background = Background::unobserved;
  double unobserved_weight = 1.0;  ///< w0 >= 0; 0 needs regularization > 0. Stays 1 where background_ratio is set.
  /// If set, > 0: w0 is this many times the density of train, so that the background of a mean user weighs this many times the user's
  /// interactions, whatever the size of the catalogue.
  std::optional<double> background_ratio = std::nullopt;
  double beta = 0.0;       ///< [0, 4]; > 0 lowers the confidence in popular items.
  double rho = 0.0;        ///< [0, 4]; > 0 lets popular items that a user does not have pull harder towards 0.
  double rho_users = 0.0;  ///< [0, 4]; the same for active users.
  double nu = 0.0;         ///< [0, 2]; 0: the same lambda for all, 1: in proportion to the weight of a row's data.

  Init init = Init::normal;
  double init_scale = 0.1;            ///< > 0; see Init::normal. Short runs depend on it: state it beside a figure.
  std::size_t start_power_steps = 2;  ///< Of Init::spectral, at most 32; each costs two passes over train and makes the SVD more accurate.
  double tolerance = 0.0;             ///< [0, 1); > 0 ends fit once an iteration improves the loss by less than this share of it.
  std::uint64_t seed = 42;            ///< Of the first factors.
  std::size_t threads = 0;            ///< At most 4,096; 0: all hardware threads. The result is the same for any number.
  SimdLevel simd = SimdLevel::best;   ///< Instructions to use; levels differ by rounding only.

  /// Settings for play counts, which reach the thousands: they ranked best on HetRec 2011 Last.fm (1,874 users), chosen on inner validation splits.
  /// Not for values that are all 1 or small, as clicks and purchases are: set `alpha` to 1 or more there, or everybody gets the popular items.
  /// Source: docs/evaluation.md and docs/concepts.md, which have the comparisons.
  [[nodiscard]] static AlsOptions recommended() {
    AlsOptions o;
    o.factors = 128;
    o.regularization = 0.0202;
    o.alpha = 0.19;
    o.iterations = 10;
    o.confidence = Confidence::log;
    o.confidence_base = 0.08;
    o.background = Background::all;
    o.background_ratio = 6.4;
    o.beta = 0.10;
    o.rho = 0.23;
    o.nu = 1.0;
    return o;
  }
};

/// @throws InvalidArgument naming the first option out of range, its value and what is allowed.
[[gnu::cold]] inline void validate(const AlsOptions& o) {
  const auto between = [](std::string_view name, double value, double low, double high, std::string_view allowed) {
    if (!(value >= low && value <= high)) throw InvalidArgument(name, value, allowed);
  };
  const auto not_negative = [&](std::string_view name, double value) {
    between(name, value, 0.0, 1.7976931348623157e308, "finite and at least 0");
  };
  const auto positive = [](std::string_view name, double value) {
    if (!(value > 0.0) || !detail::is_finite(value)) throw InvalidArgument(name, value, "finite and above 0");
  };
  if (o.factors < 1 || o.factors > 32'768) throw InvalidArgument("factors", o.factors, "in [1, 32768]");
  not_negative("regularization", o.regularization);
  not_negative("alpha", o.alpha);
  if (o.iterations < 1) throw InvalidArgument("iterations", o.iterations, "at least 1");
  if (o.cg_steps < 1) throw InvalidArgument("cg_steps", o.cg_steps, "at least 1");
  if (!(o.cg_tolerance >= 0.0 && o.cg_tolerance < 1.0)) throw InvalidArgument("cg_tolerance", o.cg_tolerance, "in [0, 1)");
  not_negative("confidence_base", o.confidence_base);
  positive("log_epsilon", o.log_epsilon);
  if ((o.confidence == Confidence::custom) != static_cast<bool>(o.confidence_function))
    throw InvalidArgument("confidence_function", o.confidence_function ? "set" : "not set",
                          "set if, and only if, confidence is Confidence::custom");
  if (o.value_cap) positive("value_cap", *o.value_cap);
  if (o.value_cap_quantile && !(*o.value_cap_quantile > 0.0 && *o.value_cap_quantile <= 1.0))
    throw InvalidArgument("value_cap_quantile", *o.value_cap_quantile, "in (0, 1]");
  if (o.value_cap && o.value_cap_quantile)
    throw InvalidArgument("value_cap_quantile", *o.value_cap_quantile, "unset when value_cap is set");
  not_negative("unobserved_weight", o.unobserved_weight);
  if (o.background_ratio) positive("background_ratio", *o.background_ratio);
  if (o.background_ratio && o.unobserved_weight != 1.0)
    throw InvalidArgument("unobserved_weight", o.unobserved_weight, "1 when background_ratio is set, which says the same thing");
  between("beta", o.beta, 0.0, 4.0, "in [0, 4]");
  between("rho", o.rho, 0.0, 4.0, "in [0, 4]");
  between("rho_users", o.rho_users, 0.0, 4.0, "in [0, 4]");
  between("nu", o.nu, 0.0, 2.0, "in [0, 2]");
  positive("init_scale", o.init_scale);
  if (o.start_power_steps > 32) throw InvalidArgument("start_power_steps", o.start_power_steps, "at most 32");
  if (!(o.tolerance >= 0.0 && o.tolerance < 1.0)) throw InvalidArgument("tolerance", o.tolerance, "in [0, 1)");
  detail::check_threads(o.threads);
  (void)resolve_level(o.simd);
  if (o.unobserved_weight == 0.0 && !o.background_ratio && o.regularization == 0.0)
    throw InvalidArgument("regularization", o.regularization, "above 0 when unobserved_weight is 0: nothing else holds the factors");
}

}  // namespace kindred::inline v0
