// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/als/options.hpp>

namespace kindred::inline v0 {

/// What fit did and where its time went.
struct FitReport {
  /// The objective of ImplicitALS, penalties included.
  struct Loss {
    double total = 0.0;
    double per_cell = 0.0;               ///< total / (users x items).
    double loss_per_total_weight = 0.0;  ///< total / (sum of c + users x items - interactions): what the Python package implicit prints.
  };

  /// One iteration of fit.
  struct Iteration {
    std::size_t iteration = 0;                   ///< From 1.
    double seconds = 0.0;                        ///< Both half-steps, without the loss; the first solve of users is in no iteration.
    std::optional<Loss> loss;                    ///< After the iteration, if it was asked for.
    std::optional<double> score = std::nullopt;  ///< After the iteration, if FitOptions::score is set.
  };

  /// Why fit ended.
  enum class Stop {
    iterations,  ///< All were done.
    tolerance,   ///< The loss improved by less than AlsOptions::tolerance.
    callback,    ///< A progress callback answered stop_and_keep.
    score,       ///< FitOptions::score did not improve for `patience` iterations.
  };

  /// What became of the features of a side.
  struct Features {
    std::size_t columns = 0;
    std::size_t idle_columns = 0;  ///< Columns that fewer than two rows have: nothing is learned for them.
    std::size_t rows_without = 0;  ///< Users or items without any feature: they are fitted as without features.
    /// About the share of the factors' variance that features predict of rows that the map was not learned from; where it is below .01, new rows are
    /// answered without their features.
    double explained = 0.0;
  };

  /// What the features of a side say about its factors (ImplicitALS::explained_by_user_features).
  struct Explained {
    /// A group of columns.
    struct Group {
      std::string name;
      std::size_t columns = 0;
      double norm = 0.0;   ///< Of the group's part of the map for new rows.
      double share = 0.0;  ///< Of the variance, by this group alone.
    };
    /// The share of the factors' variance, weighted as in the loss, that features predict of rows that the map was not learned from: at most 1, about 0
    /// for features that say nothing, below 0 for too many of these.
    double share = 0.0;
    std::vector<Group> groups;
  };

  AlsOptions options = {};  ///< All of them, with what was chosen from the data for those that were not set.
  std::vector<Iteration> iterations;
  std::size_t kept_iteration = 0;  ///< The model is as it was after this one: the last, or the one of the best score.
  Stop stop = Stop::iterations;
  double seconds = 0.0;            ///< All of fit.
  double prepare_seconds = 0.0;    ///< Transposing, counting, random first factors.
  double choice_seconds = 0.0;     ///< Choosing options from the data; 0 where all were set.
  double start_seconds = 0.0;      ///< The spectral start; 0 without one.
  double gram_seconds = 0.0;       ///< Gram matrices.
  double eigen_seconds = 0.0;      ///< Eigenbases.
  double rotate_seconds = 0.0;     ///< Moving factors into them.
  double item_seconds = 0.0;       ///< Solving item rows.
  double user_seconds = 0.0;       ///< Solving user rows.
  double loss_seconds = 0.0;       ///< Evaluating the loss.
  double neighbour_seconds = 0.0;  ///< Counting neighbours; BlendedRecommender alone.
  double feature_seconds = 0.0;    ///< Learning maps from features to factors.
  Features user_features = {};
  Features item_features = {};
};

/// A fit between two iterations. The same program at the same SIMD level goes on from it, with the same options and train, to the bytes of a fit that
/// was never interrupted; the number of threads and of iterations may change.
template <Real Scalar>
struct FitSnapshot {
  std::size_t iteration = 0;        ///< Iterations done.
  std::optional<double> last_loss;  ///< What AlsOptions::tolerance compares the next loss with.
  FactorMatrix<Scalar> users;       ///< n_users x factors.
  FactorMatrix<Scalar> items;       ///< n_items x factors.
};

}  // namespace kindred::inline v0
