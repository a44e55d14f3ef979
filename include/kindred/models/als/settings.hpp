// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/als/options.hpp>

namespace kindred::inline v0::detail {

/// AlsOptions with nothing left open: what a fit works with.
struct AlsSettings {
  std::size_t factors = 100;
  double regularization = 0.1;
  std::size_t iterations = 10;
  std::uint64_t seed = 42;
  Units units = Units::paper;
  double regularization_exponent = 0.0;
  double loss_tolerance = 0.0;      // 0: none
  std::optional<double> item_bias;  // not set: none

  Confidence curve = Confidence::linear;
  double alpha = 40.0;  // Units::paper
  double base = 1.0;
  std::optional<double> log_scale;  // not set: from the data
  std::optional<double> cap;
  std::optional<double> cap_quantile;
  double popularity_damping = 0.0;
  double dislike_weight = 1.0;
  ConfidenceFunction function;

  Background pairs = Background::unobserved;
  std::optional<double> ratio;  // else weight
  double weight = 1.0;
  double item_exponent = 0.0;
  double user_exponent = 0.0;

  Solver solver = Solver::cholesky;
  std::size_t solver_steps = 3;
  double solver_tolerance = 0.0;

  Start start = Start::normal;
  double start_scale = 0.1;
  std::size_t power_steps = 2;
};

/// What Units::data leaves to the data.
struct ChosenSettings {
  std::size_t factors = 128;
  double regularization = 0.13;
  double ratio = 15.0;
  double item_exponent = 0.1;
  double popularity_damping = 0.05;
};

/// Interactions of a sample that settings are chosen on: all of most data sets.
inline constexpr Offset most_sampled = Offset{1} << 22;
/// A sample holds every n-th user. `nnz`: interactions, at least 1.
[[nodiscard]] constexpr Index sample_step(Offset nnz) noexcept { return static_cast<Index>((nnz + most_sampled - 1) / most_sampled); }

/// The number of factors that Units::data chooses.
[[nodiscard]] constexpr std::size_t automatic_factors(Index items) noexcept { return items < 10'000 ? 128 : 256; }

/// Fills in what is not set. Under Units::paper `chosen` is not used.
[[nodiscard]] KINDRED_ONCE AlsSettings settings_of(const AlsOptions& o, const ChosenSettings& chosen = {});

/// True if g of an interaction is worth keeping rather than computing again in every half-step.
[[nodiscard]] inline bool keeps_strengths(const AlsSettings& s) noexcept {
  return s.curve == Confidence::log || s.curve == Confidence::custom || s.dislike_weight != 1.0;
}

/// True if an option that Units::data chooses from the structure of the data is not set.
[[nodiscard]] inline bool leaves_open(const AlsOptions& o) noexcept {
  return o.units == Units::data &&
         (!o.factors || !o.regularization || !o.background.ratio || !o.background.item_exponent || !o.confidence.popularity_damping);
}

/// `asked` with what was chosen for it filled in.
[[nodiscard]] KINDRED_ONCE AlsOptions filled_in(AlsOptions asked, const AlsSettings& s);

}  // namespace kindred::inline v0::detail

#if !defined(KINDRED_COMPILED)
#include <kindred/models/als/settings.ipp>  // IWYU pragma: export
#endif
