// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/lazy.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/models/als/fold_in_options.hpp>
#include <kindred/models/blend/options.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/item_neighbours.hpp>
#include <kindred/models/item_offsets.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

struct BlendWork;

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

namespace kindred::inline v0::inline KINDRED_BUILD {

/// Recommends by factors and neighbours together: factors know what everybody shares, neighbours what few items share. On sparse data better than either.
///
/// score = x_u . y_i + weight A_u / B_u votes_ui, with the votes of ItemNeighbours; A_u and B_u, the root mean squares over all items of a user's scores and
/// votes, make the parts comparable (A_u from the eigenvalues of the items' weighted Gram matrix, in O(factors)). A user whose items have no neighbours gets
/// the factors alone, and so does everybody with a weight of 0. Dislikes do not vote; with a weight above 0 they are never listed.
/// Lists are exact without scoring everything (models/blend/blend_search.hpp). const methods may be called from many threads.
template <Real Scalar = float>
class BlendedRecommender {
 public:
  using FitOptions = detail::AlsFitOptions<Scalar>;

  /// Learns nothing yet; see fit(). @throws InvalidArgument if an option is out of range.
  explicit BlendedRecommender(BlendedOptions options = {});

  /// Of ready parts, fitted on the same data or both not at all. `weight` as in BlendedOptions.
  /// `popularity_scale`, where it is known already, for files.
  /// @throws InvalidArgument if the weight is out of range; ShapeError if the parts have other users, or `neighbours` more items.
  BlendedRecommender(ImplicitALS<Scalar> factors, ItemNeighbours neighbours, double weight = BlendedOptions{}.weight,
                     std::optional<double> popularity_scale = std::nullopt);

  /// Fits both parts to `train`, n_users x n_items: the neighbours, then the factors. The report is that of the factors; its neighbour_seconds are beside.
  /// @throws as ImplicitALS::fit and ItemNeighbours::fit do. Whatever it throws, the model is as it was.
  FitReport fit(const CsrView& train, const FitOptions& fit_options = {});

  [[nodiscard]] BlendedOptions options() const { return {factors_.options(), neighbours_.options(), weight_}; }
  [[nodiscard]] double weight() const noexcept { return weight_; }
  [[nodiscard]] const ImplicitALS<Scalar>& factors() const noexcept { return factors_; }
  [[nodiscard]] const ItemNeighbours& neighbours() const noexcept { return neighbours_; }
  [[nodiscard]] bool fitted() const noexcept { return factors_.fitted() && neighbours_.fitted(); }
  /// Users and items; 0 x 0 before fit, and once it was moved from.
  [[nodiscard]] MatrixShape shape() const noexcept { return factors_.shape(); }

  /// The same parts with another weight. @throws InvalidArgument if it is out of range.
  [[nodiscard]] BlendedRecommender with_weight(double weight) const { return {factors_, neighbours_, weight}; }

  /// Builds the index of the factors where there is none, as FactorModel::prepare does. @throws NotFitted.
  void prepare() const;

  /// Throws unless `data` may hold what the model was fitted on, as ImplicitALS::check_data does.
  void check_data(const CsrView& data) const { factors_.check_data(data); }

  /// True if the factors have something to rank by for `user`. @throws NotFitted; InvalidArgument if the user is out of range.
  [[nodiscard]] bool knows(Index user) const;

  /// The score of a pair, as in its lists. O(history * neighbours + factors). @throws NotFitted; InvalidArgument if an index is out of range.
  [[nodiscard]] double predict(Index user, Index item) const;

  /// The best eligible items for `user`, min(count, eligible) of them, best first, ties by the lower item; for a user that the model does not know an empty
  /// list, or options.fallback. @throws NotFitted; InvalidArgument if the user, a list or the popularity penalty in `options` is not valid.
  [[nodiscard]] std::vector<Scored> recommend(Index user, const RecommendOptions& options = {}) const;

  /// The best eligible items by the interactions of a user that train does not hold, folded in with FoldInBackground::by_history; its likes vote.
  /// @throws as recommend of a user and fold_in do.
  [[nodiscard]] Recommendation recommend(const SparseRow& interactions, const RecommendOptions& options = {}) const {
    return recommend_history({.items = interactions}, options);
  }
  /// The best eligible items for a new user with interactions, features or both. @throws as the overload for interactions.
  template <std::same_as<History> Known>
  [[nodiscard]] Recommendation recommend(const Known& history, const RecommendOptions& options = {}) const {
    return recommend_history(history, options);
  }

  /// The lists of `users`, in that order; RankedLists::source says which users the model does not know.
  /// @throws as recommend does; ShapeError if `exclude` is of another shape than the model.
  [[nodiscard]] RankedLists recommend_all(std::span<const Index> users, const RecommendAllOptions& options = {}) const;
  /// The lists of all users.
  [[nodiscard]] RankedLists recommend_all(detail::EveryUser, const RecommendAllOptions& options = {}) const;
  /// Hands the lists of `users` to `sink`, in their order; memory does not grow with their number. @throws also what `sink` throws.
  void recommend_all(std::span<const Index> users, const RecommendAllOptions& options, const detail::ListSink& sink) const;
  /// Hands the lists of all users to `sink`.
  void recommend_all(detail::EveryUser, const RecommendAllOptions& options, const detail::ListSink& sink) const;

  /// All of `candidates` (strictly increasing) in the order of their scores for `user`.
  /// @throws NotFitted; InvalidArgument if the user or the list is not valid.
  [[nodiscard]] std::vector<Scored> rank_items(Index user, std::span<const Index> candidates) const;

  /// The items most like `item`, by the cosine of their factors. @throws as FactorModel::similar_items does.
  [[nodiscard]] std::vector<Scored> similar_items(Index item, const SimilarOptions& options = {}) const {
    return factors_.similar_items(item, options);
  }

  /// What each interaction adds to the score of `item`, by its factors and by its vote together; the parts sum to the score.
  /// @throws as ImplicitALS::explain does.
  [[nodiscard]] Explanation explain(const SparseRow& interactions, Index item, FoldInBackground background = FoldInBackground::full) const {
    return explain_history({.items = interactions}, item, background);
  }
  /// What each interaction, each feature and the mean add to the score of `item`. @throws as the overload for interactions.
  template <std::same_as<History> Known>
  [[nodiscard]] Explanation explain(const Known& history, Index item, FoldInBackground background = FoldInBackground::full) const {
    return explain_history(history, item, background);
  }

  /// The features of users that the factors were fitted with.
  [[nodiscard]] const FeatureTable& user_features() const noexcept { return factors_.user_features(); }

  /// Units of score that a popularity penalty of 1 takes for one unit of ln(1 + users of an item), as FactorModel::popularity_scale. @throws NotFitted.
  [[nodiscard]] double popularity_scale(const Execution& execution = {}) const;

  /// Adds `offsets` to the scores of all lists, as FactorModel::set_item_offsets does. @throws as it does.
  void set_item_offsets(ItemOffsets offsets) { factors_.set_item_offsets(std::move(offsets)); }
  /// The offsets that were set; without values if there are none.
  [[nodiscard]] const ItemOffsets& item_offsets() const noexcept { return factors_.item_offsets(); }

  // A grown history votes at once. New items have factors, but neither neighbours nor votes before the next fit.

  /// Solves the factors of `users` anew and replaces what they vote with: ImplicitALS::refit_users and ItemNeighbours::refit_users.
  void refit_users(std::span<const Index> users, const CsrView& rows, const Execution& execution = {});
  /// Adds a user for each row of `rows`, n_new x n_items. Returns the index of the first. @throws as ImplicitALS::append_users does.
  Index append_users(const CsrView& rows, const Execution& execution = {});
  /// Solves the factors of `items` anew, as ImplicitALS::refit_items does. Their neighbours stay as they were at the fit.
  void refit_items(std::span<const Index> items, const CsrView& columns, const Execution& execution = {});
  /// Adds an item for each column of `columns`, as ImplicitALS::append_items does. It is listed by its factors alone until the next fit.
  Index append_items(const CsrView& columns, const Execution& execution = {});

 private:
  void require_fitted() const;
  [[nodiscard]] Recommendation recommend_history(const History& history, const RecommendOptions& options) const;
  [[nodiscard]] Explanation explain_history(const History& history, Index item, FoldInBackground background) const;
  [[nodiscard]] double spread_of(std::span<const Scalar> x) const;
  [[nodiscard]] float popularity_weight(double popularity_penalty, const Execution& execution) const;
  [[nodiscard]] Recommendation list_for(std::span<const Scalar> x, const SparseRow& votes, const RecommendOptions& options,
                                        float user_weight) const;
  /// `offset_share`: multiplies the weight of item offsets.
  [[nodiscard]] RankedLists lists_of(std::span<const Index> users, const RecommendAllOptions& options, float popularity,
                                     float offset_share = 1.0F) const;
  [[nodiscard]] std::vector<Index> all_users() const;
  [[nodiscard]] std::shared_ptr<detail::BlendWork> work() const;

  double weight_ = 0.25;
  ImplicitALS<Scalar> factors_;
  ItemNeighbours neighbours_;
  detail::Lazy<double> popularity_scale_;
  detail::Spares<detail::BlendWork> works_;
};

#if defined(KINDRED_COMPILED)
extern template class BlendedRecommender<float>;  // in compiled/models.cpp
extern template class BlendedRecommender<double>;
#endif

}  // namespace kindred::inline v0::inline KINDRED_BUILD

#if !defined(KINDRED_COMPILED)
#include <kindred/models/blended_recommender.ipp>  // IWYU pragma: export
#endif
