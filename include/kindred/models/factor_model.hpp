// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/lazy.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/item_offsets.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/simd/level.hpp>

namespace kindred::inline v0::detail {
class ListOffsets;
class RowOffsets;
struct RaisedScores;
}  // namespace kindred::inline v0::detail

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

template <Real Scalar>
class TopKIndex;
template <Real Scalar>
class CosineIndex;
template <Real Scalar>
struct Searched;
template <Real Scalar>
struct OffsetIndex;

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

namespace kindred::inline v0::inline KINDRED_BUILD {

/// Recommends by factors of users and items: a score is the inner product of a user's and an item's. The factors may be of any origin.
///
/// Lists are exact and take far fewer products than a full scan (linalg/top_k.hpp). const methods may be called from many threads.
template <Real Scalar = float>
class FactorModel {
 public:
  /// Without factors: every call throws NotFitted.
  FactorModel() = default;

  /// `users`: n_users x factors; `items`: n_items x factors; finite. `item_users`: the users of each item in train, length n_items, which decide about
  /// candidates and the popularity fallback; empty: every item with factors other than 0 is a candidate, and there is no such fallback.
  /// O((users + items) * factors).
  /// @throws ShapeError if lengths do not belong together; InvalidArgument if a factor is not finite or a count is negative.
  FactorModel(FactorMatrix<Scalar> users, FactorMatrix<Scalar> items, std::vector<Index> item_users = {});

  [[nodiscard]] bool fitted() const noexcept { return users_.factors() > 0; }

  /// Users and items; 0 x 0 without factors, and once it was moved from.
  [[nodiscard]] MatrixShape shape() const noexcept { return {users_.rows(), items_.rows()}; }

  /// n_users x factors.
  [[nodiscard]] const FactorMatrix<Scalar>& user_factors() const noexcept { return users_; }
  /// n_items x factors.
  [[nodiscard]] const FactorMatrix<Scalar>& item_factors() const noexcept { return items_; }

  /// Bytes of the index that recommending searches; 0 where there is none yet.
  [[nodiscard]] std::size_t index_bytes() const noexcept;

  /// Builds that index where there is none: a model whose factors are mapped from a file starts without, and until this was called (by a thread in the
  /// background, say) recommend(user) reads all item factors for its list, which is the same. Most other calls build it. O(items * factors).
  /// @throws NotFitted; NumericalError if an item's factors are not finite.
  void prepare() const;

  /// The score of a pair, the item's bias and offsets included: a ranking score, not a probability. @throws NotFitted; InvalidArgument if an index is out of
  /// range.
  [[nodiscard]] double predict(Index user, Index item) const;

  /// True if the model has something to rank by for `user`: false without interactions, or with dislikes alone. Such a user gets an empty list, or the
  /// fallback that was asked for. @throws NotFitted; InvalidArgument if the user is out of range.
  [[nodiscard]] bool knows(Index user) const;

  /// The best eligible items for `user`, min(count, eligible) of them, best first, ties by the lower item; for a user that the model does not know an
  /// empty list, or options.fallback. At most O(items * factors).
  /// @throws NotFitted; InvalidArgument if the user, a list or the popularity penalty in `options` is not valid, or there are no counts for the fallback.
  [[nodiscard]] std::vector<Scored> recommend(Index user, const RecommendOptions& options = {}) const;

  /// The lists of `users`, in that order; RankedLists::source says which users the model does not know. At most O(users * items * factors).
  /// @throws as recommend does; ShapeError if `exclude` is of another shape than the model.
  [[nodiscard]] RankedLists recommend_all(std::span<const Index> users, const RecommendAllOptions& options = {}) const;
  /// The lists of all users.
  [[nodiscard]] RankedLists recommend_all(detail::EveryUser, const RecommendAllOptions& options = {}) const {
    return recommend_all(all_of(shape().users), options);
  }

  /// Hands the lists of `users` to `sink`, in their order; memory does not grow with their number. @throws also what `sink` throws.
  void recommend_all(std::span<const Index> users, const RecommendAllOptions& options, const detail::ListSink& sink) const;
  /// Hands the lists of all users to `sink`.
  void recommend_all(detail::EveryUser, const RecommendAllOptions& options, const detail::ListSink& sink) const {
    recommend_all(all_of(shape().users), options, sink);
  }

  /// For RepeatRecommender: the list with `raised` on top of the scores. @throws as recommend does.
  [[nodiscard]] std::vector<Scored> recommend_raised(Index user, const RecommendOptions& options, const detail::RaisedScores& raised) const;
  /// For RepeatRecommender: the lists with `raised` on top of the scores. @throws as recommend_all does.
  [[nodiscard]] RankedLists recommend_raised(std::span<const Index> users, const RecommendAllOptions& options,
                                             const detail::RaisedScores& raised) const;

  /// Units of score that one unit of ln(1 + users of an item) is worth to a popularity penalty of 1; above 0 where there are penalties at all.
  ///
  /// The lower quartile of sd(score) / sd(ln(1 + users)) among the 100 best items of each of at most 1,000 users, evenly spaced among those that the model knows.
  /// Found when first asked for, or first changed or saved after a fit; it stays what it was in files and through updates. 0 without counts of users, or
  /// where all items of these lists have the same. O(1000 lists) the first time. @throws NotFitted.
  [[nodiscard]] double popularity_scale(const Execution& execution = {}) const;

  /// Adds `offsets` to the scores of all lists from now on, in place of those before: recommend, recommend_all, rank_items and predict. Lists stay exact.
  ///
  /// Similarities, factors, explanations and recommend_users are without them; min_score means the sum. ItemOffsets without values take offsets away. A model
  /// file keeps offsets; a fit drops them; an item that is appended gets ItemOffsets::unknown. Not to be called while another thread uses the model.
  /// O(items), and score_spread() the first time.
  /// @throws NotFitted; ShapeError if a length is not that of the model; InvalidArgument if a number is out of range, or the model gives all items the same
  /// score, so that a weight has no unit. Whatever it throws, the model is as it was.
  void set_item_offsets(ItemOffsets offsets);

  /// The offsets that were set; without values if there are none.
  [[nodiscard]] const ItemOffsets& item_offsets() const noexcept { return offsets_; }

  /// The standard deviation of a user's scores over items, the unit of ItemOffsets::weight: the root of its mean square over users.
  ///
  /// Over at most 1,000 users that the model knows and 4,096 candidates, both evenly spaced. Found when first asked for; it stays what it was in files that
  /// hold offsets, and through updates of a model with offsets. O(5096 factors^2) the first time. @throws NotFitted.
  [[nodiscard]] double score_spread() const;

  /// All of `candidates` (strictly increasing) in the order of their scores for `user`. O(candidates * (factors + log candidates)).
  /// @throws NotFitted; InvalidArgument if the user or the list is not valid.
  [[nodiscard]] std::vector<Scored> rank_items(Index user, std::span<const Index> candidates) const;

  /// The items whose factors have the largest cosine with those of `item`, in [-1, 1], best first, ties by the lower item; none for an item without likes,
  /// which has no direction. The first call of this or similar_items_all builds an index of the directions, O(items * factors * log items), a byte a factor
  /// and 16 bytes for each item. Then at most O(items * factors).
  /// @throws NotFitted; InvalidArgument if the item or a list in `options` is not valid.
  [[nodiscard]] std::vector<Scored> similar_items(Index item, const SimilarOptions& options = {}) const;

  /// The lists of similar_items for each of `items`, in that order, to the bit; RankedLists::source is ListSource::none for an item without likes. Takes a
  /// fraction of the time of single lists. At most O(items * items of the model * factors).
  /// @throws NotFitted; InvalidArgument if an item, a list in `options` or `execution` is not valid.
  [[nodiscard]] RankedLists similar_items_all(std::span<const Index> items, const SimilarOptions& options = {},
                                              const Execution& execution = {}) const;
  /// The lists of all items.
  [[nodiscard]] RankedLists similar_items_all(const SimilarOptions& options = {}, const Execution& execution = {}) const {
    return similar_items_all(all_of(shape().items), options, execution);
  }

  /// Hands the lists of `items` to `sink`, in their order; memory does not grow with their number. @throws also what `sink` throws.
  void similar_items_all(std::span<const Index> items, const SimilarOptions& options, const Execution& execution,
                         const detail::ListSink& sink) const;
  /// Hands the lists of all items to `sink`.
  void similar_items_all(const SimilarOptions& options, const Execution& execution, const detail::ListSink& sink) const {
    similar_items_all(all_of(shape().items), options, execution, sink);
  }

  /// The users whose factors have the largest cosine with those of `user`; Scored::item is a user; none for a user that the model does not know.
  /// The first call builds an index of the users, as similar_items does of the items. @throws as similar_items does.
  [[nodiscard]] std::vector<Scored> similar_users(Index user, const SimilarOptions& options = {}) const;

  /// The lists of similar_users for each of `users`, in that order, to the bit; RankedLists::source says which users the model does not know.
  /// At most O(users * users of the model * factors). @throws as similar_items_all does.
  [[nodiscard]] RankedLists similar_users_all(std::span<const Index> users, const SimilarOptions& options = {},
                                              const Execution& execution = {}) const;
  /// The lists of all users.
  [[nodiscard]] RankedLists similar_users_all(const SimilarOptions& options = {}, const Execution& execution = {}) const {
    return similar_users_all(all_of(shape().users), options, execution);
  }

  /// Hands the lists of `users` to `sink`, in their order; memory does not grow with their number. @throws also what `sink` throws.
  void similar_users_all(std::span<const Index> users, const SimilarOptions& options, const Execution& execution,
                         const detail::ListSink& sink) const;
  /// Hands the lists of all users to `sink`.
  void similar_users_all(const SimilarOptions& options, const Execution& execution, const detail::ListSink& sink) const {
    similar_users_all(all_of(shape().users), options, execution, sink);
  }

  /// The users with the highest scores for `item`; Scored::item is a user, and `exclude` and `allow` list users; none for an item without likes.
  /// options.fallback is not used, a popularity penalty refused; options.rerank needs data for each user. The first call
  /// builds an index of the users.
  /// @throws NotFitted; InvalidArgument if the item, a list or the reranking in `options` is not valid.
  [[nodiscard]] std::vector<Scored> recommend_users(Index item, const RecommendOptions& options = {}) const;

  // ---- for models that add to its scores ----

  /// Calls `body` with the index of the items and what lists add to scores, or with an index made for the call where another level of instructions was asked
  /// for. `popularity`: the weight of ln(1 + users). `offset_share`: multiplies the weight of item offsets.
  template <typename Body>
  auto with_index(SimdLevel asked, float popularity, float offset_share, Body&& body) const;
  /// The users of each item in train, which decide about candidates.
  [[nodiscard]] std::span<const Index> item_counts() const noexcept { return item_counts_; }
  /// The instructions that its scores are computed with.
  [[nodiscard]] SimdLevel simd_level() const noexcept { return simd_; }

 protected:
  // For models that make their own factors. After a change of factors forget_users(), forget_items() or build_index() must follow.
  FactorModel(FactorMatrix<Scalar> users, FactorMatrix<Scalar> items, std::vector<Index> user_counts, std::vector<Index> item_counts,
              SimdLevel simd)
      : users_(std::move(users)),
        items_(std::move(items)),
        user_counts_(std::move(user_counts)),
        item_counts_(std::move(item_counts)),
        simd_(simd) {}

  void require_fitted() const;

  /// The list for the factors `x`. `user_weight`: multiplies the weight of item offsets.
  [[nodiscard]] Recommendation list_for(std::span<const Scalar> x, const RecommendOptions& options, float user_weight = 1.0F) const;

  /// The users for the item factors `y` and that item's bias.
  [[nodiscard]] std::vector<Scored> users_for(std::span<const Scalar> y, float bias, const RecommendOptions& options) const;

  void build_index(const detail::ParallelOptions& parallel = {.threads = 1});
  /// Overwrites `rows` of one side, or appends them if they are the next new ones. Whatever it throws, nothing has changed.
  static void put_rows(FactorMatrix<Scalar>& factors, std::vector<Index>& counts, std::span<const Index> rows,
                       const FactorMatrix<Scalar>& solved, std::span<const Index> row_counts);
  void forget_items() noexcept {
    index_.reset();
    added_.reset();
    offset_index_.reset();
    similar_items_.reset();
  }
  void forget_users() noexcept {
    user_index_.reset();
    similar_users_.reset();
    known_.reset();
  }
  void check_fallback(Fallback fallback) const;
  void set_popularity_scale(double scale) { popularity_scale_.set(std::make_shared<const double>(scale)); }
  void set_score_spread(double spread) { score_spread_.set(std::make_shared<const double>(spread)); }

  FactorMatrix<Scalar> users_;
  FactorMatrix<Scalar> items_;
  std::vector<float> item_bias_;    // added to the scores of items; empty: none
  std::vector<Index> user_counts_;  // likes in train; -1: none, but features that speak for it
  std::vector<Index> item_counts_;
  bool has_counts_ = true;
  SimdLevel simd_ = SimdLevel::best;

 private:
  [[nodiscard]] const detail::TopKIndex<Scalar>& index() const;
  [[nodiscard]] detail::Searched<Scalar> searched() const;
  /// The same with what lists add to scores.
  [[nodiscard]] detail::Searched<Scalar> searched_for_lists(float popularity, float user_weight) const;
  /// The weight of item offsets in the scores of a list; 0 without any.
  [[nodiscard]] float offset_weight(float user_weight) const;
  [[nodiscard]] std::vector<float> offsets_of_items() const;  // length n_items
  /// The weight of ln(1 + users) in the scores of a list. @throws InvalidArgument if the model has no counts to go by.
  [[nodiscard]] float popularity_weight(double popularity_penalty, const Execution& execution) const;
  [[nodiscard]] detail::Searched<Scalar> searched_users() const;
  [[nodiscard]] static std::vector<Index> all_of(Index count);
  /// Calls `body` with the items and their index of cosines, or with an index made for the call where another level of instructions was asked for.
  template <typename Body>
  auto with_similar_items(const Execution& run, Body&& body) const;
  template <typename Body>
  auto with_similar_users(const Execution& run, Body&& body) const;
  void check_similar_items(std::span<const Index> items, const SimilarOptions& options, const Execution& execution) const;
  void check_similar_users(std::span<const Index> users, const SimilarOptions& options, const Execution& execution) const;

  detail::Lazy<detail::TopKIndex<Scalar>> index_;  // of the items
  detail::Lazy<detail::TopKIndex<Scalar>> user_index_;
  detail::Lazy<detail::CosineIndex<Scalar>> similar_items_;
  detail::Lazy<detail::CosineIndex<Scalar>> similar_users_;
  detail::Lazy<double> popularity_scale_;
  detail::Lazy<detail::ListOffsets> added_;  // biases and popularity of the items, in the blocks of their index
  detail::Lazy<detail::RowOffsets> known_;   // 1 for users whose scores have a bias, in the blocks of their index
  ItemOffsets offsets_;
  detail::Lazy<double> score_spread_;
  detail::Lazy<detail::OffsetIndex<Scalar>> offset_index_;  // of the items, for lists with offsets
};

#if defined(KINDRED_COMPILED)
extern template class FactorModel<float>;  // in compiled/models.cpp
extern template class FactorModel<double>;
#endif

}  // namespace kindred::inline v0::inline KINDRED_BUILD

#if !defined(KINDRED_COMPILED)
#include <kindred/models/factor_model.ipp>  // IWYU pragma: export
#endif
