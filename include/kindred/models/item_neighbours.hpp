// SPDX-License-Identifier: MIT
#pragma once

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
#include <kindred/models/neighbours/item_graph.hpp>
#include <kindred/models/neighbours/options.hpp>
#include <kindred/models/neighbours/vote_histories.hpp>
#include <kindred/models/neighbours/vote_tally.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// An ItemNeighbours in parts, as files hold it.
struct NeighbourState {
  ItemNeighboursOptions options;
  VoteScale scale;
  std::shared_ptr<const ItemGraph> graph;  // null: not fitted
  VoteHistories histories;
  std::vector<Index> item_likes;                // users of each item; length n_items
  std::vector<double> squares;                  // c_ii of each item
  std::optional<double> popularity_scale = {};  // where it is known
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

namespace kindred::inline v0::inline KINDRED_BUILD {

/// Recommends items that the users of a user's items have too: a graph of items, of which each item of the history votes for its neighbours.
///
/// A score is the sum over the likes i of a history of g_ui weight_ij (ItemNeighboursOptions). Nothing is iterated, and every score says which items voted.
/// Dislikes do not vote and are never listed; stored zeros are no interactions. The same bytes for any number of threads. const methods may be called from
/// many threads.
///
/// Source: Deshpande, Karypis, "Item-based top-N recommendation algorithms", ACM TOIS 2004, with the exponents of popularity of Steck, "Item popularity and
/// recommendation accuracy", RecSys 2011, in place of the cosine.
class ItemNeighbours {
 public:
  /// Learns nothing yet; see fit(). @throws InvalidArgument if an option is out of range.
  explicit ItemNeighbours(ItemNeighboursOptions options = {});
  /// For files: the sizes of the parts belong together.
  explicit ItemNeighbours(detail::NeighbourState state);

  /// Counts the neighbours of each item in `train`, n_users x n_items, and keeps its rows to vote with.
  /// O(sum over users of n_v^2), a row at a time: memory for neighbours x items entries of 8 bytes, 8 bytes an interaction and 8 bytes an item a thread.
  /// @throws InvalidArgument if `train` holds no like. Whatever it throws, the model is as it was.
  void fit(const CsrView& train, const Execution& execution = {});

  [[nodiscard]] const ItemNeighboursOptions& options() const noexcept { return options_; }
  [[nodiscard]] bool fitted() const noexcept { return graph_ != nullptr; }
  /// Users and items; 0 x 0 before fit, and once it was moved from.
  [[nodiscard]] MatrixShape shape() const noexcept { return fitted() ? MatrixShape{histories_.users(), graph_->items()} : MatrixShape{}; }
  /// Bytes of the graph and the histories.
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return fitted() ? graph_->memory_bytes() + histories_.memory_bytes() : 0; }

  /// The neighbours of `item` and what a vote of it gives to each, heaviest first: at most options().neighbours. @throws NotFitted; InvalidArgument if the item
  /// is out of range.
  [[nodiscard]] std::vector<Scored> neighbours(Index item) const;

  /// True if an item of the user's history has a neighbour: otherwise there is nothing to rank by. @throws NotFitted; InvalidArgument if the user is out of range.
  [[nodiscard]] bool knows(Index user) const;

  /// The votes that `item` gets from the history of `user`. O(history * neighbours). @throws NotFitted; InvalidArgument if an index is out of range.
  [[nodiscard]] double predict(Index user, Index item) const;

  /// The best eligible items for `user`, min(count, eligible) of them, best first, ties by the lower item; items without a vote score 0. For a user that the
  /// model does not know an empty list, or options.fallback. O(history * neighbours); with a popularity penalty also O(items).
  /// @throws NotFitted; InvalidArgument if the user, a list or the popularity penalty in `options` is not valid.
  [[nodiscard]] std::vector<Scored> recommend(Index user, const RecommendOptions& options = {}) const;

  /// The best eligible items by the interactions of a user that train does not hold: `recommend(row, {.exclude = row})`. The source of the list is
  /// ListSource::none, or that of options.fallback, if no item of `interactions` has a neighbour. @throws as recommend of a user; if the row is not valid.
  [[nodiscard]] Recommendation recommend(const SparseRow& interactions, const RecommendOptions& options = {}) const;

  /// The lists of `users`, in that order; RankedLists::source says which users the model does not know.
  /// @throws as recommend does; ShapeError if `exclude` is of another shape than the model.
  [[nodiscard]] RankedLists recommend_all(std::span<const Index> users, const RecommendAllOptions& options = {}) const;
  /// The lists of all users.
  [[nodiscard]] RankedLists recommend_all(detail::EveryUser, const RecommendAllOptions& options = {}) const;
  /// Hands the lists of `users` to `sink`, in their order; memory does not grow with their number. @throws also what `sink` throws.
  void recommend_all(std::span<const Index> users, const RecommendAllOptions& options, const detail::ListSink& sink) const;
  /// Hands the lists of all users to `sink`.
  void recommend_all(detail::EveryUser, const RecommendAllOptions& options, const detail::ListSink& sink) const;

  /// All of `candidates` (strictly increasing) in the order of their votes from `user`. O(history * neighbours + candidates log candidates).
  /// @throws NotFitted; InvalidArgument if the user or the list is not valid.
  [[nodiscard]] std::vector<Scored> rank_items(Index user, std::span<const Index> candidates) const;

  /// The neighbours of `item` by cosine, c_ij / sqrt(c_ii c_jj), in [0, 1], best first: of those kept in the graph, so that there may be fewer than asked for.
  /// @throws NotFitted; InvalidArgument if the item or a list in `options` is not valid.
  [[nodiscard]] std::vector<Scored> similar_items(Index item, const SimilarOptions& options = {}) const;

  /// What each item of `interactions` votes for `item` with; the parts sum to the score. @throws NotFitted; InvalidArgument if the row or the item is not valid.
  [[nodiscard]] Explanation explain(const SparseRow& interactions, Index item) const;

  /// Replaces the histories of `users` (strictly increasing): row n of `rows`, users x n_items, is the FULL history of users[n], which votes from now on. The
  /// graph stays. @throws NotFitted; ShapeError, InvalidArgument if `users` or `rows` are not valid.
  void refit_users(std::span<const Index> users, const CsrView& rows);

  /// Adds a user for each row of `rows`, n_new x n_items. Returns the index of the first. @throws NotFitted; ShapeError if `rows` has another number of items.
  Index append_users(const CsrView& rows);

  /// Units of score that a popularity penalty of 1 takes for one unit of ln(1 + users of an item), as FactorModel::popularity_scale. @throws NotFitted.
  [[nodiscard]] double popularity_scale(const Execution& execution = {}) const;

  // ---- for code that keeps models in files, or adds to their scores ----

  [[nodiscard]] detail::NeighbourState state() const;
  [[nodiscard]] std::span<const Index> item_likes() const noexcept { return item_likes_; }
  [[nodiscard]] const detail::VoteScale& scale() const noexcept { return scale_; }
  /// What `user` votes with; below 0: dislikes.
  [[nodiscard]] SparseRow history(Index user) const noexcept { return histories_.row(user); }
  /// What `rows` vote with, stored zeros left out.
  [[nodiscard]] std::vector<detail::VoteRow> votes_of(const CsrView& rows) const;
  /// Makes room for put_votes of `rows` users: what it throws has changed nothing.
  void reserve_votes(std::size_t rows) { histories_.reserve(rows); }
  /// Replaces what `users` vote with, or adds them if they are the next new ones; reserve_votes has made room.
  void put_votes(std::span<const Index> users, std::vector<detail::VoteRow> votes) noexcept { histories_.put(users, std::move(votes)); }
  /// What each of these votes gives to `item`, in the order of the history.
  [[nodiscard]] std::vector<Scored> votes_for(const SparseRow& history, Index item) const;
  /// Adds up the votes of a history; `tally` is clear and has a place for each item.
  void add_votes(const SparseRow& history, detail::VoteTally& tally) const;

 private:
  void require_fitted() const;
  [[nodiscard]] detail::EdgeCosine cosine() const noexcept { return {source_, target_}; }
  void take(detail::NeighbourState state);
  [[nodiscard]] float popularity_weight(double popularity_penalty, const Execution& execution) const;
  /// The list for the votes of `history`.
  [[nodiscard]] Recommendation list_for(const SparseRow& history, const RecommendOptions& options, float popularity,
                                        detail::VoteTally& tally) const;
  [[nodiscard]] RankedLists lists_of(std::span<const Index> users, const RecommendAllOptions& options, float popularity) const;
  [[nodiscard]] std::vector<Index> all_users() const;

  ItemNeighboursOptions options_;
  detail::VoteScale scale_;
  std::shared_ptr<const detail::ItemGraph> graph_;  // copies share it
  detail::VoteHistories histories_;
  std::vector<Index> item_likes_;
  std::vector<double> squares_;
  std::vector<float> source_;  // of EdgeCosine
  std::vector<float> target_;
  detail::Lazy<double> popularity_scale_;
  detail::Spares<detail::VoteTally> tallies_;
};

}  // namespace kindred::inline v0::inline KINDRED_BUILD

#if !defined(KINDRED_COMPILED)
#include <kindred/models/item_neighbours.ipp>  // IWYU pragma: export
#endif
