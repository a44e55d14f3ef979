// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/als/feature_learner.hpp>
#include <kindred/models/als/features.hpp>
#include <kindred/models/als/report.hpp>

namespace kindred::inline v0::inline KINDRED_BUILD {

template <Real Scalar>
class ImplicitALS;

}  // namespace kindred::inline v0::inline KINDRED_BUILD

namespace kindred::inline v0::detail {

class Team;

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// What a call of ImplicitALS::fit does beside fitting.
template <Real Scalar>
struct AlsFitOptions {
  bool record_loss = false;  ///< Evaluate the loss after every iteration: exact, O(nnz factors + users factors).
  /// After every iteration ("fit"), and after every product of a spectral start ("spectral start"). The answer
  /// stop_and_keep during the start ends fit after the first iteration: there is no model before.
  ProgressCallback progress = {};
  /// After every iteration, with the model as if it had been fitted for that many iterations, valid during the call. What it throws ends fit.
  std::function<void(const ImplicitALS<Scalar>& so_far, const FitReport::Iteration& iteration)> after_iteration = {};
  /// How good the lists of the model so far are, higher is better; called as after_iteration is, before it. Fit then keeps the factors of the best iteration
  /// (the first of equals), and ends after `patience` iterations without a better score. Its memory holds the factors twice.
  /// Measure on interactions that train does not hold: evaluate(so_far, train, validation, ...).at(20).ndcg.mean. What it throws ends fit.
  std::function<double(const ImplicitALS<Scalar>& so_far)> score = {};
  std::size_t patience = 2;  ///< >= 1; of `score`.
  /// n_users x factors to continue from, any basis; the first iteration solves items from them.
  std::optional<FactorMatrix<Scalar>> initial_users = std::nullopt;
  /// n_items x factors, instead of random ones: where users start without initial_users, and conjugate gradients for the items.
  std::optional<FactorMatrix<Scalar>> initial_items = std::nullopt;
  /// Between iterations, whenever `snapshot_every` of them are done and fit goes on: what it takes to resume. What it throws ends fit.
  std::function<void(const FitSnapshot<Scalar>& so_far)> on_snapshot = {};
  std::size_t snapshot_every = 1;  ///< >= 1.
  /// Go on from here instead of starting; `iterations` counts those that were done. persistence/checkpoint.hpp keeps snapshots in a file.
  const FitSnapshot<Scalar>* resume_from = nullptr;
  /// Bytes: refuse to start if estimate_memory, and what features take, says that fit needs more. available_memory() is what the machine has left without swapping.
  std::optional<std::uint64_t> memory_limit = std::nullopt;
  Execution execution = {};
  /// Dataset::undecayed of a train whose values an age has decayed, one for each interaction in its order: cap, log scale and the mean that Units::data divides
  /// by come from these values, so that old interactions lose confidence and fresh ones do not gain it. Empty: from train. For train in memory, without a team.
  std::span<const float> undecayed = {};
  /// A FeatureTable: what is known of users beside their interactions, a row for each of train: learned from as `schedule` says. Columns without entries: nothing.
  FitFeatures<Scalar> user_features = {};
  FitFeatures<Scalar> item_features = {};  ///< The same of items.
  FeatureSchedule schedule = FeatureSchedule::each_iteration;
  /// Other processes that share this fit: a CommunicatorTeam (distributed/team.hpp), which must outlive the call. Every rank has the same bytes of factors as
  /// one process at the lowest SIMD level among them. A rank solves a run of users and a run of items of about the same cost, and reads their interactions
  /// alone; it receives (ranks - 1) / ranks of all factors an iteration. `progress` of rank 0 is asked for all.
  const Team* team = nullptr;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
