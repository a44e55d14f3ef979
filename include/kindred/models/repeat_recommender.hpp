// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_view.hpp>
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

/// Two sorted lists as one, without repeats.
[[nodiscard]] inline std::vector<Index> united(std::span<const Index> a, std::span<const Index> b) {
  std::vector<Index> both;
  both.reserve(a.size() + b.size());
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

/// The items of `own` that a list may hold by its filters of items.
[[nodiscard]] inline std::vector<Index> allowed_of(std::span<const Index> own, const RecommendOptions& options) {
  std::vector<Index> kept;
  kept.reserve(own.size());
  std::set_difference(own.begin(), own.end(), options.exclude.begin(), options.exclude.end(), std::back_inserter(kept));
  if (!options.filter.allow) return kept;
  std::vector<Index> allowed;
  std::set_intersection(kept.begin(), kept.end(), options.filter.allow->begin(), options.filter.allow->end(), std::back_inserter(allowed));
  return allowed;
}

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
    weight_ = weight * detail::unit_of(model_);
  }

  /// What repeats add to the score of a pair; 0 for an item that the user did not have. @throws InvalidArgument if an index is out of range.
  [[nodiscard]] double repeat_share(Index user, Index item) const {
    detail::check_user(user, shape());
    detail::check_item(item, shape());
    const SparseRow own = row_of(user);
    const auto at = std::lower_bound(own.columns.begin(), own.columns.end(), item);
    if (at == own.columns.end() || *at != item) return 0.0;
    return weight_ * static_cast<double>(own.values[static_cast<std::size_t>(at - own.columns.begin())]);
  }

  /// The best eligible items for `user`, min(count, eligible) of them, best first, ties by the lower item. Two lists of the model.
  /// @throws what the model's recommend throws.
  [[nodiscard]] std::vector<Scored> recommend(Index user, const RecommendOptions& options = {}) const {
    detail::check_recommend(user, options, shape());
    const SparseRow own = row_of(user);
    if (own.empty()) return model_.recommend(user, options);
    const std::vector<Index> excluded = detail::united(options.exclude, own.columns);
    RecommendOptions others = options;
    others.exclude = excluded;
    others.rerank = {};
    others.fallback = Fallback::none;
    if (options.rerank) others.count = (std::max)(options.count, options.rerank.pool);
    return merged(user, own, model_.recommend(user, others), options, others.count);
  }

  /// The lists of `users`, in that order. A list of the model for each, and the scores of what the user had.
  /// @throws what the model's recommend_all throws.
  [[nodiscard]] RankedLists recommend_all(std::span<const Index> users,
                                          const RecommendAllOptions& options = {}) const requires detail::BatchRecommenderModel<Model> {
    detail::check_recommend_all(users, options, shape());
    RecommendAllOptions others = options;
    const CsrMatrix excluded = excluded_with_own(users, options.exclude);
    others.exclude = excluded;
    others.rerank = {};
    others.fallback = Fallback::none;
    if (options.rerank) others.count = (std::max)(options.count, options.rerank.pool);
    const RankedLists found = detail::checked_lists(model_.recommend_all(users, others), users.size());
    std::vector<std::vector<Scored>> lists(users.size());
    std::vector<ListSource> sources(users.size(), ListSource::model);
    detail::parallel_for(users.size(), detail::loop_of(options.execution, 64), [&](std::size_t first, std::size_t last, std::size_t) {
      for (std::size_t n = first; n < last; ++n) {
        const std::span<const Scored> list = found.row(n);
        lists[n] = merged(users[n], row_of(users[n]), {list.begin(), list.end()}, detail::options_of(users[n], options), others.count);
        if (found.source(n) != ListSource::model)
          sources[n] = options.fallback == Fallback::none ? ListSource::none : ListSource::popularity;
      }
    });
    return RankedLists(std::move(lists), std::move(sources));
  }
  /// The lists of all users.
  [[nodiscard]] RankedLists recommend_all(detail::EveryUser,
                                          const RecommendAllOptions& options = {}) const requires detail::BatchRecommenderModel<Model> {
    std::vector<Index> users;
    for (Index u = 0; u < shape().users; ++u) users.push_back(u);
    return recommend_all(users, options);
  }

 private:
  [[nodiscard]] SparseRow row_of(Index user) const { return user < repeats_.matrix().rows() ? repeats_.matrix().row(user) : SparseRow{}; }

  /// `list`: items of `own`, or others.
  void add_repeats(const SparseRow& own, std::vector<Scored>& list) const {
    for (Scored& one : list) {
      const auto at = std::lower_bound(own.columns.begin(), own.columns.end(), one.item);
      if (at != own.columns.end() && *at == one.item)
        one.score += weight_ * static_cast<double>(own.values[static_cast<std::size_t>(at - own.columns.begin())]);
    }
  }

  /// The list of `user`, of whom `others` are the model's best items that the user did not have, `count` of them, best first.
  [[nodiscard]] std::vector<Scored> merged(Index user, const SparseRow& own, std::vector<Scored> others, const RecommendOptions& options,
                                           std::size_t count) const {
    const std::vector<Index> candidates = detail::allowed_of(own.columns, options);
    std::vector<Scored> sums;
    if (!candidates.empty())
      sums = model_.recommend(user, {.count = candidates.size(),
                                     .filter = {.allow = candidates, .candidates = options.filter.candidates},
                                     .popularity_penalty = options.popularity_penalty});
    if (others.empty() && sums.empty()) return model_.recommend(user, options);  // unknown, or nothing is eligible
    add_repeats(own, sums);
    if (options.filter.min_score) std::erase_if(sums, [&](const Scored& one) { return !(one.score >= *options.filter.min_score); });
    others.insert(others.end(), sums.begin(), sums.end());
    const std::size_t kept = (std::min)(count, others.size());
    std::partial_sort(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(kept), others.end(), ranks_before);
    others.resize(kept);
    RecommendOptions ordered = options;
    ordered.rerank = detail::rerank_for(user, options.rerank);
    return detail::reranked(std::move(others), ordered);
  }

  /// What the lists of `users` leave out, and what these users had.
  [[nodiscard]] CsrMatrix excluded_with_own(std::span<const Index> users, const CsrView& exclude) const {
    const MatrixShape of_model = shape();
    std::vector<char> asked(static_cast<std::size_t>(of_model.users), 0);
    for (const Index u : users) asked[static_cast<std::size_t>(u)] = 1;
    std::vector<Offset> offsets{0};
    std::vector<Index> columns;
    for (Index u = 0; u < of_model.users; ++u) {
      if (asked[static_cast<std::size_t>(u)] != 0) {
        const std::span<const Index> left_out = u < exclude.rows() ? exclude.row(u).columns : std::span<const Index>{};
        const std::span<const Index> had = row_of(u).columns;
        std::set_union(left_out.begin(), left_out.end(), had.begin(), had.end(), std::back_inserter(columns));
      }
      offsets.push_back(static_cast<Offset>(columns.size()));
    }
    std::vector<float> values(columns.size(), 1.0F);
    return {of_model, std::move(offsets), std::move(columns), std::move(values)};
  }

  Model model_;
  RepeatScores repeats_;
  double weight_ = 0.0;
};

}  // namespace kindred::inline v0
