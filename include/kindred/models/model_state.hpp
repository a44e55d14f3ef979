// SPDX-License-Identifier: MIT
#pragma once

// What models are made of, for code that keeps them in files or sends them elsewhere: the only way past their public faces, and no way around their
// promises. Whoever imports a state vouches for it: sizes that belong together, finite factors (or, where they are mapped, a verify() at hand).

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/models/als/weights.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/keyed_recommender.hpp>
#include <kindred/models/popularity_recommender.hpp>

namespace kindred::inline v0::detail {

struct PopularityAccess {
  struct State {
    PopularityOptions options;
    MatrixShape shape;
    std::vector<double> popularity;
    std::vector<Index> train_counts;
  };
  [[nodiscard]] static State state_of(const PopularityRecommender& model) {
    return {model.options_, model.fitted() ? model.shape_ : MatrixShape{}, model.popularity_, model.train_counts_};
  }
  [[nodiscard]] static PopularityRecommender model_of(State state) {
    PopularityRecommender model(state.options);
    if (!state.popularity.empty()) model.set_counts(state.shape, std::move(state.popularity), std::move(state.train_counts));
    return model;
  }
};

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// An ImplicitALS in parts.
struct AlsAccess {
  /// Everything but factors, which are large and are read in place.
  struct State {
    AlsOptions options;
    AlsSettings settings;
    AlsWeights::State weights;
    std::vector<double> eigenvalues;
  };
  template <Real Scalar>
  [[nodiscard]] static State state_of(const ImplicitALS<Scalar>& model) {
    if (!model.fitted()) return {model.options(), settings_of(model.options()), {}, {}};
    return {model.options(), model.weights().settings(), model.weights().state(), {model.eigenvalues().begin(), model.eigenvalues().end()}};
  }

  /// A model of these parts; unfitted if the factors are 0 x 0. The options were validated, but for a functor that may be missing.
  template <Real Scalar>
  [[nodiscard]] static ImplicitALS<Scalar> model_of(State state, FactorMatrix<Scalar> users, FactorMatrix<Scalar> items, SimdLevel simd,
                                                    IndexItems index) {
    AlsState<Scalar> parts{std::move(state.options), {}, std::move(users), std::move(items), {}};
    if (parts.users.factors() > 0) {
      parts.weights = AlsWeights(state.settings, std::move(state.weights));
      parts.eigenvalues = std::move(state.eigenvalues);
    }
    return ImplicitALS<Scalar>(std::move(parts), simd, index);
  }
};

struct RecommenderAccess {
  /// What a Recommender answers from; both stay alive with `owner`, whatever replaces them meanwhile.
  template <Real Scalar>
  struct State {
    std::shared_ptr<const void> owner;
    const ImplicitALS<Scalar>& model;
    const Dataset& data;
  };
  template <Real Scalar>
  [[nodiscard]] static State<Scalar> state_of(const Recommender<Scalar>& recommender) {
    const auto state = recommender.state();
    return {state, state->model, state->data};
  }
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
