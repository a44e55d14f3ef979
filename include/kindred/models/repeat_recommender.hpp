// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/models/raised_scores.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/models/repeat_scores.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The unit of weights beside a model's scores: its score_spread(), or 1 where it has none.
template <typename Model>
[[nodiscard]] double unit_of(const Model& model) {
  if constexpr (requires {
                  { model.score_spread() } -> std::convertible_to<double>;
                })
    return model.score_spread();
  else
    return 1.0;
}

/// A model that takes what is added to scores of a user's items into its search.
template <typename Model>
concept RaisesScores = RecommenderModel<Model> &&
    requires(const Model& model, std::span<const Index> users, const RecommendAllOptions& options, const RaisedScores& raised) {
  { model.recommend_raised(users, options, raised) } -> std::same_as<RankedLists>;
};

}  // namespace detail

/// A model whose lists know that users come back to what they had: score of the model + weight * s * score of RepeatScores, s the model's score_spread() (1
/// for a model without one).
///
/// Lists are exact: the model's best items that the user did not have, merged with the sums of those that the user had. So `exclude` must not hold what the
/// user had: evaluate needs SeenItems::allowed. A user that the model does not know gets the model's list: none, or options.fallback.
/// `min_score` means the sum. const methods may be called from many threads if those of the model may.
template <RecommenderModel Model>
class RepeatRecommender {
 public:
  /// `repeats`: made for the users and items of `model`; users and items that the model has beyond them have no repeats. `weight`: finite; 0: the lists
  /// of the model. @throws ShapeError if `repeats` has more users or items than the model; InvalidArgument if the weight is not finite.
  RepeatRecommender(Model model, RepeatScores repeats, double weight = 1.0) : model_(std::move(model)), repeats_(std::move(repeats)) {
    const MatrixShape of_repeats = repeats_.matrix().shape(), shape = model_.shape();
    if (of_repeats.users > shape.users || of_repeats.items > shape.items) detail::check_shape("repeats", of_repeats, "the model", shape);
    set_weight(weight);
  }

  [[nodiscard]] const Model& model() const noexcept { return model_; }
  [[nodiscard]] const RepeatScores& repeats() const noexcept { return repeats_; }
  [[nodiscard]] MatrixShape shape() const { return model_.shape(); }

  /// @throws InvalidArgument if the weight is not finite.
  void set_weight(double weight) {
    if (!detail::is_finite(weight)) throw InvalidArgument("weight", weight, "finite");
    const double scaled = weight * detail::unit_of(model_);
    if (!(std::abs(scaled) <= static_cast<double>((std::numeric_limits<float>::max)())))
      throw InvalidArgument("weight", weight, "within the range of a float, times the spread of scores");
    weight_ = static_cast<float>(scaled);
  }

  /// What repeats add to the score of a pair; 0 for an item that the user did not have. @throws InvalidArgument if an index is out of range.
  [[nodiscard]] double repeat_share(Index user, Index item) const {
    detail::check_user(user, shape());
    detail::check_item(item, shape());
    const SparseRow own = raised().row(user);
    const auto at = std::lower_bound(own.columns.begin(), own.columns.end(), item);
    if (at == own.columns.end() || *at != item) return 0.0;
    return static_cast<double>(weight_) * static_cast<double>(own.values[static_cast<std::size_t>(at - own.columns.begin())]);
  }

  /// The best eligible items for `user`, min(count, eligible) of them, best first, ties by the lower item. One search of a FactorModel; two lists
  /// of another model.
  /// @throws what the model's recommend throws.
  [[nodiscard]] std::vector<Scored> recommend(Index user, const RecommendOptions& options = {}) const {
    detail::check_recommend(user, options, shape());
    if constexpr (detail::RaisesScores<Model>) {
      return model_.recommend_raised(user, options, raised());
    } else {
      const detail::RaisedRow own(raised().row(user), options, {});
      RecommendOptions others = options;
      others.exclude = own.excluded();
      others.rerank = {};
      others.fallback = Fallback::none;
      if (options.rerank) others.count = (std::max)(options.count, options.rerank.pool);
      return merged(user, own.items(), model_.recommend(user, others), options, others.count);
    }
  }

  /// The lists of `users`, in that order, where the model has a search that takes repeats in. @throws what the model's recommend_all throws.
  [[nodiscard]] RankedLists recommend_all(std::span<const Index> users,
                                          const RecommendAllOptions& options = {}) const requires detail::RaisesScores<Model> {
    return model_.recommend_raised(users, options, raised());
  }
  /// The lists of all users.
  [[nodiscard]] RankedLists recommend_all(detail::EveryUser,
                                          const RecommendAllOptions& options = {}) const requires detail::RaisesScores<Model> {
    std::vector<Index> users(static_cast<std::size_t>(shape().users));
    std::iota(users.begin(), users.end(), Index{0});
    return recommend_all(users, options);
  }

 private:
  [[nodiscard]] detail::RaisedScores raised() const { return {repeats_.matrix(), weight_}; }

  /// The list of `user` from a model that knows nothing of repeats. `own`: what the user had and the list may hold; `others`: the best items that the user
  /// did not have, `count` of them.
  [[nodiscard]] std::vector<Scored> merged(Index user, std::span<const Index> own, std::vector<Scored> others,
                                           const RecommendOptions& options, std::size_t count) const {
    std::vector<Scored> sums;
    if (!own.empty())
      sums = model_.recommend(user, {.count = own.size(),
                                     .filter = {.allow = own, .candidates = options.filter.candidates},
                                     .popularity_penalty = options.popularity_penalty});
    if (others.empty() && sums.empty()) return model_.recommend(user, options);  // unknown, or nothing is eligible
    for (Scored& one : sums) one.score += repeat_share(user, one.item);
    if (options.filter.min_score) std::erase_if(sums, [&](const Scored& one) { return !(one.score >= *options.filter.min_score); });
    others.insert(others.end(), sums.begin(), sums.end());
    const std::size_t kept = (std::min)(count, others.size());
    std::partial_sort(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(kept), others.end(), ranks_before);
    others.resize(kept);
    RecommendOptions ordered = options;
    ordered.rerank = detail::rerank_for(user, options.rerank);
    return detail::reranked(std::move(others), ordered);
  }

  Model model_;
  RepeatScores repeats_;
  float weight_ = 0.0F;
};

}  // namespace kindred::inline v0
