// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/lazy.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/feature_table.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/models/als/features.hpp>
#include <kindred/models/als/fit_options.hpp>
#include <kindred/models/als/fold_in_options.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/models/als/report.hpp>
#include <kindred/models/als/side_system.hpp>
#include <kindred/models/als/weights.hpp>
#include <kindred/models/factor_model.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0::detail {

struct CheckedRow;
struct ParallelOptions;
class Stopwatch;

/// When a model that is made of ready parts indexes its items: mapped factors wait until the index is asked for.
enum class IndexItems { now, when_needed };

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

template <Real Scalar>
class AlsFoldIn;
template <Real Scalar>
struct AlsState;
template <Real Scalar>
struct FixedSide;

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

namespace kindred::inline v0::inline KINDRED_BUILD {

/// Implicit alternating least squares: users and items as vectors whose inner product ranks what a user will like.
///
/// The objective is written out at AlsOptions. Every row is solved exactly by default, in the eigenbasis of the other side's Gram matrix
/// (linalg/row_solver.hpp). The same binary gives the same bytes for any number of threads. const methods may be called from many threads.
///
/// Sources: Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008; Rendle, Krichene, Zhang, Koren,
/// "Revisiting the performance of iALS on item recommendation benchmarks", RecSys 2022.
template <Real Scalar = float>
class ImplicitALS : public FactorModel<Scalar> {
 public:
  using FitOptions = detail::AlsFitOptions<Scalar>;
  using FactorModel<Scalar>::fitted;
  using FactorModel<Scalar>::shape;
  using FactorModel<Scalar>::recommend;
  using FactorModel<Scalar>::recommend_users;

  /// @throws InvalidArgument if an option is out of range.
  explicit ImplicitALS(AlsOptions options = {}) : options_(std::move(options)) { validate(options_); }

  /// Learns from `train`, n_users x n_items; stored zeros are no interactions, negative values are dislikes.
  ///
  /// Item factors start at random or, with Init::spectral, from an SVD of the likes, and users are solved from them
  /// once; then an iteration solves all items, then all users. So the items after n iterations are those of the more
  /// usual order (users, then items), and the stored users are the exact solution for the stored items.
  /// O(iterations * (sum over rows of min(n^2 k + n^3, n k^2 + k^3) + (users + items) k^2)).
  /// @throws InvalidArgument if `train` holds no interaction, a confidence is negative or memory_limit too low; ShapeError if initial factors do not fit;
  /// NumericalError if a system is singular or overflows, naming iteration, side, row, lambda and alpha; Cancelled; and what callbacks throw.
  /// Whatever it throws, the model is as it was.
  FitReport fit(const CsrView& train, const FitOptions& fit_options = {});

  /// Learns from interactions that need not fit into memory: the same bytes, and no more than a few numbers for each user and item beside the factors.
  /// Every iteration reads each side once, from its first block to its last.
  /// @throws as the overload for a CsrView; also InvalidArgument or ShapeError if a block is not what InteractionSource promises, and what the source throws.
  template <detail::StreamedSource Source>
  FitReport fit(const Source& train, const FitOptions& fit_options = {}) {
    const auto& by_items = transpose(train);
    return fit_sides(detail::SideRef(train), detail::SideRef(by_items), fit_options);
  }

  [[nodiscard]] const AlsOptions& options() const noexcept { return options_; }

  /// The bias of each item, length n_items; empty without AlsOptions::item_bias.
  [[nodiscard]] std::span<const float> item_biases() const noexcept { return item_bias_; }

  /// Eigenvalues of the items' weighted Gram matrix, falling, length factors, and the basis of both sides' factors: as of the fit, or of the last time
  /// that items were updated in number.
  [[nodiscard]] std::span<const double> eigenvalues() const noexcept { return eigenvalues_; }

  /// Throws unless `data` may hold what the model was fitted on, or updated with: no user and no item has fewer interactions there.
  /// After refit_users or append_users those of users are compared alone; after refit_items or append_items those of items. O(users + nnz).
  /// @throws NotFitted; ShapeError if the shape is another; InvalidArgument naming the first user or item with fewer.
  void check_data(const CsrView& data) const;

  /// The best eligible items by the interactions of a user that train does not hold: `recommend(row, {.exclude = row})`, folded in with
  /// FoldInBackground::by_history. The source of the
  /// list is ListSource::none, or that of options.fallback, if `interactions` hold no like. @throws as recommend and fold_in do.
  [[nodiscard]] Recommendation recommend(const SparseRow& interactions, const RecommendOptions& options = {}) const;

  /// The best eligible items for a new user with interactions, features or both, in a model that was fitted with features of users:
  /// `recommend(History{.items = liked, .features = profile})`. Without likes the source of the list is ListSource::features.
  /// @throws as the overload for interactions; InvalidArgument if a feature is not a column of the model.
  template <std::same_as<History> Known>
  [[nodiscard]] Recommendation recommend(const Known& history, const RecommendOptions& options = {}) const {
    return recommend_history(history, options);
  }

  /// The users with the highest scores for a new item of which features alone are known; Scored::item is a user. None without features.
  /// @throws as recommend_users of an item; InvalidArgument if a feature is not a column of the model.
  [[nodiscard]] std::vector<Scored> recommend_users(const SparseRow& item_features, const RecommendOptions& options = {}) const;

  /// The factors of a user with these interactions (column indices below n_items, strictly increasing), length factors. With the exact
  /// solver a row of train gives the bytes of that user's factors, whatever the user's index.
  /// @throws NotFitted; InvalidArgument if the row is not valid; NumericalError as fit does.
  [[nodiscard]] std::vector<Scalar> fold_in(const SparseRow& interactions, const FoldInOptions& options = {}) const;

  /// The factors of a new user with interactions, features or both. @throws as the overload for interactions.
  template <std::same_as<History> Known>
  [[nodiscard]] std::vector<Scalar> fold_in(const Known& history, const FoldInOptions& options = {}) const {
    return fold_in_history(history, options);
  }

  /// The factors of a user for every row of `rows`, n_new x n_items: n_new x factors. The same bytes for any number of threads.
  /// @throws as fold_in does; ShapeError if `rows` has another number of items.
  [[nodiscard]] FactorMatrix<Scalar> fold_in_all(const CsrView& rows, const FoldInOptions& options = {}) const;

  /// What each interaction adds to the score of `item` for a user with these interactions, by the exact solution whatever the solver.
  /// @throws as fold_in does; InvalidArgument if the item is out of range.
  [[nodiscard]] Explanation explain(const SparseRow& interactions, Index item, FoldInBackground background = FoldInBackground::full) const;

  /// What each interaction, each feature and the mean add to the score of `item` for a user with this history. @throws as the overload for interactions.
  template <std::same_as<History> Known>
  [[nodiscard]] Explanation explain(const Known& history, Index item, FoldInBackground background = FoldInBackground::full) const {
    return explain_history(history, item, background);
  }

  /// The features of users that the model was fitted with, a row a user: `columns().profile(...)` makes a row of names. Without any it has no columns.
  [[nodiscard]] const FeatureTable& user_features() const noexcept { return features_.users.table; }
  /// The features of items that the model was fitted with.
  [[nodiscard]] const FeatureTable& item_features() const noexcept { return features_.items.table; }

  /// What the features of users explain of users' factors, by five-fold cross-validation: five regressions. Without features a share of 0.
  /// @throws NotFitted.
  [[nodiscard]] FitReport::Explained explained_by_user_features(const Execution& execution = {}) const {
    return explained(Side::users, execution);
  }
  /// What the features of items explain of items' factors. @throws NotFitted.
  [[nodiscard]] FitReport::Explained explained_by_item_features(const Execution& execution = {}) const {
    return explained(Side::items, execution);
  }

  // An update costs the solves of its rows, and memory that grows as a std::vector's does. Whatever it throws, the model is as it was.

  /// Solves `users` (strictly increasing) anew for the items as they are: row n of `rows`, users x n_items, is the FULL history of users[n], not
  /// what came on top. Other factors stay. @throws as fold_in_all does; InvalidArgument if `users` is not valid.
  void refit_users(std::span<const Index> users, const CsrView& rows, const Execution& execution = {});

  /// Adds a user for each row of `rows`, n_new x n_items. Returns the index of the first. @throws as fold_in_all does.
  Index append_users(const CsrView& rows, const Execution& execution = {});

  /// Adds a user for each row of `rows`, n_new x n_items, with the features of the same row of `features`; without likes by features alone.
  /// @throws as append_users without features; ShapeError or InvalidArgument if `features` has other columns than the model or another number of rows.
  Index append_users(const CsrView& rows, const FeatureTable& features, const Execution& execution = {});

  /// Solves `items` (strictly increasing) anew for the users as they are: column n of `columns`, n_users x items, is everything known of items[n].
  /// The first call after a fit also sums the users' Gram matrix, O(users factors^2), and each finds an eigenbasis, O(factors^3). Once an eighth of the
  /// items were updated, both sides turn into the new eigenbasis: scores then change by rounding alone.
  /// @throws NotFitted; ShapeError if `columns` is of another shape; InvalidArgument if `items` is not valid; NumericalError as fit does.
  void refit_items(std::span<const Index> items, const CsrView& columns, const Execution& execution = {});

  /// Adds an item for each column of `columns`, n_users x n_new, as refit_items does. Returns the index of the first.
  /// @throws NotFitted; ShapeError if `columns` has another number of users; NumericalError as fit does.
  Index append_items(const CsrView& columns, const Execution& execution = {});

  /// Adds an item for each column of `columns`, n_users x n_new, with the features of that row of `features`; without likes by features alone, and then a
  /// candidate of lists all the same. @throws as append_users with features.
  Index append_items(const CsrView& columns, const FeatureTable& features, const Execution& execution = {});

  // ---- for code that keeps models in files, or fits them together with other processes ----

  /// A model of parts that belong together; without factors it is not fitted. O(items * factors) to index the items.
  explicit ImplicitALS(detail::AlsState<Scalar> state, SimdLevel simd, detail::IndexItems index = detail::IndexItems::now,
                       const detail::ParallelOptions& parallel = {.threads = 1});
  /// The parts; the model is not fitted afterwards.
  [[nodiscard]] detail::AlsState<Scalar> release() &&;
  /// True if the factors are in the eigenbasis that eigenvalues() belongs to: false once items were updated, until enough of them were.
  [[nodiscard]] bool is_settled() const noexcept { return !item_system_; }
  /// The sum over items of the square of their score for a user with factors `x`, weighted as the background of the fit. O(factors), or O(factors^2) where
  /// the model is not settled.
  [[nodiscard]] double squared_scores(std::span<const Scalar> x) const noexcept;
  /// The same model with its factors in the eigenbasis. O((users + items) factors^2).
  [[nodiscard]] ImplicitALS settled(const Execution& execution = {}) const;
  /// The weights of the objective, and the constants that the fit took from train.
  [[nodiscard]] const detail::AlsWeights& weights() const noexcept { return weights_; }
  /// The maps from features to factors.
  [[nodiscard]] const detail::ModelFeatures<Scalar>& features() const noexcept { return features_; }

 private:
  using Side = detail::AlsSide;
  using FactorModel<Scalar>::users_;
  using FactorModel<Scalar>::items_;
  using FactorModel<Scalar>::user_counts_;
  using FactorModel<Scalar>::item_counts_;
  using FactorModel<Scalar>::item_bias_;
  using FactorModel<Scalar>::simd_;
  using FactorModel<Scalar>::require_fitted;

  FitReport fit_sides(const detail::SideRef& users, const detail::SideRef& items, const FitOptions& fit_options);
  FitReport fit_checked(const detail::SideRef& users, const detail::SideRef& items, const FitOptions& fit_options,
                        const detail::Stopwatch& total);
  [[nodiscard]] detail::FixedSide<Scalar> fixed_items() const;
  [[nodiscard]] detail::FixedSide<Scalar> fixed_users(const detail::ParallelOptions& parallel);
  /// Solves `rows` of one side, existing ones or the next new ones; row n of `known` (no zeros) is everything known of rows[n].
  void update(Side side, std::span<const Index> rows, const CsrView& known, std::string_view where, const Execution& execution,
              const CsrMatrix* features = nullptr);
  [[nodiscard]] FitReport::Explained explained(Side side, const Execution& execution) const;
  [[nodiscard]] Recommendation recommend_history(const History& history, const RecommendOptions& options) const;
  [[nodiscard]] std::vector<Scalar> fold_in_history(const History& history, const FoldInOptions& options) const;
  [[nodiscard]] Explanation explain_history(const History& history, Index item, FoldInBackground background) const;
  /// @throws InvalidArgument if `features` are not of the model's columns.
  [[nodiscard]] detail::CheckedRow checked_features(Side side, const SparseRow& features) const;
  /// What users have as one factor more where items are solved with their biases; 0 without.
  [[nodiscard]] double bias_unit() const noexcept;
  /// The bias of an item of which features alone are known: the mean of those that have likes.
  [[nodiscard]] float mean_bias() const;
  [[nodiscard]] static constexpr detail::MapKind prior_kind(FoldInBackground background) noexcept {
    return background == FoldInBackground::full ? detail::MapKind::fit : detail::MapKind::cold;
  }
  /// `execution` at the level of the model, whose bytes an update shares.
  [[nodiscard]] Execution run_of(Execution execution) const noexcept {
    execution.simd = simd_;
    return execution;
  }

  AlsOptions options_;
  detail::AlsWeights weights_;
  std::vector<double> eigenvalues_;
  detail::ModelFeatures<Scalar> features_;
  detail::Lazy<std::vector<Scalar>> pull_;             // of the biases, in the basis of the factors
  std::optional<detail::SideSystem> user_system_;      // since items were updated; with item_bias of users with one factor more
  std::optional<detail::SideSystem> item_system_;      // since then too: the factors are not in the eigenbasis any more
  std::size_t changed_items_ = 0;                      // since they were
  detail::Spares<detail::AlsFoldIn<Scalar>> solvers_;  // for fold_in
};

#if defined(KINDRED_COMPILED)
extern template class ImplicitALS<float>;  // in compiled/models.cpp
extern template class ImplicitALS<double>;
#endif

}  // namespace kindred::inline v0::inline KINDRED_BUILD

#if !defined(KINDRED_COMPILED)
#include <kindred/models/implicit_als.ipp>  // IWYU pragma: export
#endif
