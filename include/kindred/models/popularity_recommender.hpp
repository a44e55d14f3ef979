// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/models/eligibility.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0 {

/// What PopularityRecommender counts.
struct PopularityOptions {
  /// What popularity counts.
  enum class By {
    summed_values,  ///< Plays: the sum of an item's values.
    users,          ///< Listeners: the number of users with a value above 0.
  };

  By by = By::summed_values;
};

namespace detail {

/// A PopularityRecommender in parts, as files hold it.
struct PopularityState {
  PopularityOptions options;
  MatrixShape shape;
  std::vector<double> popularity;  ///< Of each item; empty: not fitted.
  std::vector<Index> train_counts;
};

}  // namespace detail

/// Recommends the same list to everybody: the most popular items that the filters leave. The baseline that a model has to beat.
///
/// const methods may be called from many threads.
class PopularityRecommender {
 public:
  /// Learns nothing yet; see fit().
  explicit PopularityRecommender(PopularityOptions options = {}) : options_(options) {}
  /// For files: the sizes of the parts belong together.
  explicit PopularityRecommender(detail::PopularityState state) : options_(state.options) {
    if (!state.popularity.empty()) set_counts(state.shape, std::move(state.popularity), std::move(state.train_counts));
  }

  /// Counts `train` (n_users x n_items). O(nnz + items log items).
  /// @throws InvalidArgument if `train` holds no interaction; the model is then as it was.
  void fit(const CsrView& train) {
    if (train.nnz() == 0)
      throw InvalidArgument("train", detail::shape_text(train.shape()) + " without interactions", "a matrix with at least one");
    std::vector<double> popularity(static_cast<std::size_t>(train.cols()), 0.0);
    std::vector<Index> counts(popularity.size(), 0);
    for (std::size_t n = 0; n < train.columns().size(); ++n) {
      const auto item = static_cast<std::size_t>(train.columns()[n]);
      const float value = train.values()[n];
      if (value == 0.0F) continue;
      ++counts[item];
      popularity[item] += options_.by == PopularityOptions::By::summed_values ? static_cast<double>(value) : value > 0.0F ? 1.0 : 0.0;
    }
    set_counts(train.shape(), std::move(popularity), std::move(counts));
  }

  [[nodiscard]] const PopularityOptions& options() const noexcept { return options_; }
  [[nodiscard]] bool fitted() const noexcept { return !ranking_.empty(); }

  /// The shape of the matrix it was fitted on; 0 x 0 before, and once it was moved from.
  [[nodiscard]] MatrixShape shape() const noexcept { return fitted() ? shape_ : MatrixShape{}; }

  /// For files.
  [[nodiscard]] detail::PopularityState state() const { return {options_, shape(), popularity_, train_counts_}; }

  /// The score of `item`, which is its popularity whoever asks. @throws NotFitted; InvalidArgument if an index is out of range.
  [[nodiscard]] double predict(Index user, Index item) const {
    require_fitted();
    detail::check_user(user, shape_);
    detail::check_item(item, shape_);
    return popularity_[static_cast<std::size_t>(item)];
  }

  /// The most popular eligible items, min(count, eligible) of them, best first, ties by the lower item.
  /// @throws NotFitted; InvalidArgument if the user or a list in `options` is not valid, or a popularity penalty is asked for.
  [[nodiscard]] std::vector<Scored> recommend(Index user, const RecommendOptions& options = {}) const {
    require_fitted();
    detail::check_recommend(user, options, shape_);
    detail::check_popularity_penalty(options.popularity_penalty, by_popularity);
    RecommendOptions own = options;
    own.rerank = detail::rerank_for(user, options.rerank);
    return top(own);
  }

  /// The lists of `users`, in that order. @throws as recommend does; ShapeError if `exclude` is of another shape.
  [[nodiscard]] RankedLists recommend_all(std::span<const Index> users, const RecommendAllOptions& options = {}) const {
    require_fitted();
    detail::check_recommend_all(users, options, shape_);
    detail::check_popularity_penalty(options.popularity_penalty, by_popularity);
    std::vector<std::vector<Scored>> lists(users.size());
    detail::parallel_for(users.size(), detail::loop_of(options.execution, 256), [&](std::size_t first, std::size_t last, std::size_t) {
      for (std::size_t n = first; n < last; ++n) lists[n] = top(detail::options_of(users[n], options));
    });
    return RankedLists(std::move(lists));
  }

 private:
  static constexpr std::string_view by_popularity = "popularity alone ranks the items";

  void set_counts(MatrixShape shape, std::vector<double> popularity, std::vector<Index> counts) {
    std::vector<Scored> ranking(popularity.size());
    for (std::size_t i = 0; i < ranking.size(); ++i) ranking[i] = {static_cast<Index>(i), popularity[i]};
    std::sort(ranking.begin(), ranking.end(), ranks_before);

    shape_ = shape;
    popularity_ = std::move(popularity);
    train_counts_ = std::move(counts);
    ranking_ = std::move(ranking);
  }

  void require_fitted() const {
    if (!fitted()) throw NotFitted("PopularityRecommender");
  }

  [[nodiscard]] std::vector<Scored> top(const RecommendOptions& options) const {
    const detail::Eligibility eligible(options, train_counts_);
    const std::size_t count = options.rerank ? (std::max)(options.count, options.rerank.pool) : options.count;
    std::vector<Scored> list;
    for (const Scored& candidate : ranking_) {
      if (list.size() == count) break;
      if (eligible(candidate)) list.push_back(candidate);
    }
    return detail::reranked(std::move(list), options);
  }

  PopularityOptions options_;
  MatrixShape shape_;
  std::vector<double> popularity_;
  std::vector<Index> train_counts_;
  std::vector<Scored> ranking_;  // all items, best first
};

}  // namespace kindred::inline v0
