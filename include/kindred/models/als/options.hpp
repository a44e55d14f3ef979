// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>

namespace kindred::inline v0 {

/// The numbers that confidence, penalty and background are given in.
enum class Units {
  data,   ///< Relative to the training data: what is not set is chosen from the data.
  paper,  ///< As in the paper: Hu, Koren, Volinsky 2008.
};

/// g, the curve from an interaction's magnitude |r| to its strength.
enum class Confidence {
  linear,  ///< g(r) = r.
  log,     ///< g(r) = log(1 + r / log_scale).
  one,     ///< g(r) = 1.
  custom,  ///< g = function.
};

/// Which pairs pull scores towards 0.
enum class Background {
  unobserved,  ///< The pairs not observed (Hu, Koren, Volinsky 2008).
  all,         ///< All pairs; the observed term comes on top (Rendle et al. 2022).
};

/// How a row of factors is solved for.
enum class Solver {
  cholesky,            ///< Exactly.
  conjugate_gradient,  ///< Approximately, from the previous solution.
};

/// The first factors of the items.
enum class Start {
  spectral,  ///< From a truncated singular value decomposition of the likes, whatever their values: a few iterations are enough.
  normal,    ///< Random: normal, mean 0, standard deviation scale / sqrt(factors).
  uniform,   ///< Random: uniform in [0, 0.01), as the Python package implicit does.
};

namespace detail {

/// g of an interaction's magnitude |r|, the user's number of interactions and the item's; must return a finite number.
using ConfidenceFunction = std::function<double(double magnitude, Offset user_count, Offset item_count)>;

/// How much an interaction weighs. "data" and "paper" are the defaults under these units.
struct ConfidenceOptions {
  std::optional<Confidence> curve = std::nullopt;           ///< data: log; paper: linear.
  std::optional<double> alpha = std::nullopt;               ///< >= 0; Units::paper alone: 40.
  std::optional<double> base = std::nullopt;                ///< c where g is 0. data: [0, 1], 0; paper: >= 0, 1.
  std::optional<double> log_scale = std::nullopt;           ///< > 0; Confidence::log alone. data: the 5 % quantile of |r|; paper: 1.
  std::optional<double> cap = std::nullopt;                 ///< > 0; a larger |r| counts as this much. Not set: no cap.
  std::optional<double> cap_quantile = std::nullopt;        ///< (0, 1]; a cap at this quantile of |r| in train. Not set: no cap.
  std::optional<double> popularity_damping = std::nullopt;  ///< [0, 4]; > 0 lowers the confidence in popular items. data: chosen; paper: 0.
  std::optional<double> dislike_weight = std::nullopt;      ///< >= 0; the factor on the confidence of a dislike. Not set: 1.
  detail::ConfidenceFunction function = {};                 ///< For Confidence::custom, and only then.
};

/// How much the pairs without an interaction weigh.
struct BackgroundOptions {
  std::optional<Background> pairs = std::nullopt;      ///< data: all; paper: unobserved.
  std::optional<double> ratio = std::nullopt;          ///< > 0; weight of a mean user's background relative to the interactions. data: 15.
  std::optional<double> weight = std::nullopt;         ///< w0 >= 0, of a pair; 0 needs regularization > 0. Units::paper alone: 1.
  std::optional<double> item_exponent = std::nullopt;  ///< [0, 4]; > 0: popular items pull harder towards 0. data: chosen; paper: 0.
  std::optional<double> user_exponent = std::nullopt;  ///< [0, 4]; > 0: items pull harder on active users. Not set: 0.
};

/// How rows are solved.
struct SolverOptions {
  Solver kind = Solver::cholesky;                   ///< Exact by default: it costs about as much as a few steps of the other.
  std::optional<std::size_t> steps = std::nullopt;  ///< >= 1; conjugate_gradient alone: 3. At most this many with a tolerance.
  std::optional<double> tolerance =
      std::nullopt;  ///< [0, 1); conjugate_gradient alone: stop at this residual relative to the right-hand side.
};

/// Where a fit starts.
struct StartOptions {
  std::optional<Start> kind = std::nullopt;               ///< data: spectral; paper: normal.
  std::optional<double> scale = std::nullopt;             ///< > 0; Start::normal, and columns beyond the rank of a spectral start: 0.1.
  std::optional<std::size_t> power_steps = std::nullopt;  ///< [0, 32]; Start::spectral alone: 2; each costs two passes over train.
};

}  // namespace detail

/// The settings of Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008.
struct PaperOptions {
  std::size_t factors = 100;    ///< [1, 32768].
  double regularization = 0.1;  ///< lambda >= 0.
  double alpha = 40.0;          ///< >= 0; c = 1 + alpha r.
  std::size_t iterations = 10;  ///< >= 1.
  std::uint64_t seed = 42;
};

/// Settings of ImplicitALS. Set nothing at first: what is not set fits any data, play counts, clicks and purchases alike.
///
/// "data" and "paper" are the defaults under these units. An option that would have no effect under the others is an error.
///
/// Symbols: r value, c confidence, n_u and n_i interactions (in Units::data: likes) of a user and an item, l penalty, w0 the weight of the background.
///   score = x_u . y_i, with item_bias x_u . y_i + bias_i for users with likes or features, and the penalty l_i item_bias bias_i^2
///   loss = sum over observed of c (p - score)^2 + sum over the background of w0 a_u b_i score^2 + sum of l_u |x_u|^2 + sum of l_i |y_i|^2
///   p = 1 for r > 0, 0 for r < 0;  b_i proportional to n_i^item_exponent with mean 1, a_u to n_u^user_exponent
/// Units::paper: c = (base + alpha g(|r|)) (n_i / mean n_i)^-popularity_damping;  w0 = weight, or ratio * density;
///   l_u = regularization (n_u + w0 a_u items)^regularization_exponent, l_i = regularization (n_i + w0 b_i users)^regularization_exponent
/// Units::data: c = (base + (1 - base) g(|r|) / mean g) (n_i / mean n_i)^-popularity_damping;  w0 = ratio * density;  with m the mean n of a side
///   l = regularization m ((n + w0 a items) / (m (1 + ratio)))^regularization_exponent: the penalty of a mean row relative to its data
/// Sources: Hu, Koren, Volinsky 2008 (model, alpha); Rendle et al. 2022 (background over all pairs, regularization_exponent); He et al. 2016
/// (item_exponent).
struct AlsOptions {
  using ConfidenceOptions = detail::ConfidenceOptions;
  using BackgroundOptions = detail::BackgroundOptions;
  using SolverOptions = detail::SolverOptions;
  using StartOptions = detail::StartOptions;

  std::optional<std::size_t> factors = std::nullopt;     ///< [1, 32768]. data: 128, or 256 from 10,000 items on; paper: 100.
  std::optional<double> regularization = std::nullopt;   ///< >= 0. data: chosen, .03 to .6; paper: 0.1.
  std::optional<std::size_t> iterations = std::nullopt;  ///< >= 1; each solves all items, then all users. data: 3; paper: 10.
  std::uint64_t seed = 42;                               ///< Of everything random.
  Units units = Units::data;
  std::optional<double> regularization_exponent =
      std::nullopt;  ///< [0, 2]; 0: one penalty for all, 1: in proportion to a row's data. data: 1; paper: 0.
  std::optional<double> item_bias =
      std::nullopt;  ///< > 0: a bias for each item, with the penalty of a factor times this; needs regularization. Not set: none.
  std::optional<double> loss_tolerance =
      std::nullopt;  ///< (0, 1); ends fit once an iteration improves the loss by less than this share of it.
  ConfidenceOptions confidence = {};
  BackgroundOptions background = {};
  SolverOptions solver = {};
  StartOptions start = {};

  /// The model of the paper, from a random start.
  [[nodiscard]] static AlsOptions paper(const PaperOptions& options = {}) {
    AlsOptions o;
    o.factors = options.factors;
    o.regularization = options.regularization;
    o.iterations = options.iterations;
    o.seed = options.seed;
    o.units = Units::paper;
    o.confidence.alpha = options.alpha;
    return o;
  }
};

/// Checks the options. @throws InvalidArgument naming the first option that is out of range or has no effect, its value and what is allowed.
[[gnu::cold]] KINDRED_ONCE void validate(const AlsOptions& options);

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/models/als/settings.hpp>  // IWYU pragma: keep; defines validate
#endif
