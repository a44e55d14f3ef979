// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>

namespace kindred::inline v0 {

namespace detail {
struct TopKRequest;
}

/// Which items may be recommended.
enum class Candidates {
  trained,  ///< Items with at least one like in train, or with features: the others have no evidence for them, and a score of 0 above all negative ones.
  all,      ///< Every column of the matrix.
  tested,  ///< For evaluate alone: the items that the user's test row holds, those with a value below 0 as candidates that are not relevant.
};

/// Where a list comes from.
enum class ListSource {
  model,       ///< The scores of the model.
  popularity,  ///< The number of users of an item: the fallback, used because the user is unknown.
  none,        ///< The user is unknown and no fallback was asked for: the list is empty.
  features,    ///< The scores of the model for a user with features and without interactions.
};

/// The list for a user that the model does not know: without interactions, or with dislikes alone.
enum class Fallback {
  none,        ///< An empty list.
  popularity,  ///< The items with the most users.
};

/// A list and its source.
struct Recommendation {
  std::vector<Scored> items;
  ListSource source = ListSource::model;
};

/// Puts a longer exact list into another order: for diversity, for quotas. rerank.hpp has the common ones.
struct Rerank {
  std::size_t pool = 100;  ///< Length of the exact list, best first, that is put into order; at least the length asked for.
  /// If set, the number of items that `order` has data for; a model with another number of items refuses the call.
  std::optional<std::size_t> items = std::nullopt;
  /// Items of `list` in their new order, without repeats, at least `count` of them if there are as many; the scores may be changed.
  std::function<std::vector<Scored>(std::span<const Scored> list, std::size_t count)> order = {};
  /// As `order`, which is then empty, for an order that depends on the user: calls that know users by an index alone hand it on, the others refuse it.
  std::function<std::vector<Scored>(std::span<const Scored> list, std::size_t count, Index user)> order_for = {};

  /// True if there is an order.
  explicit operator bool() const noexcept { return order || order_for; }
};

/// Which items may be listed, beside those excluded. similar_users and recommend_users list users, which it then filters.
struct ItemFilter {
  std::optional<std::span<const Index>> allow = std::nullopt;  ///< If set, only these items, strictly increasing.
  std::optional<double> min_score = std::nullopt;              ///< If set, only scores (of similar items: cosines) at least this high.
  Candidates candidates = Candidates::trained;                 ///< Whether items without an interaction in train may be listed.
};

/// What recommend(user) returns.
struct RecommendOptions {
  std::size_t count = 10;               ///< Length of the list; shorter only where fewer items are eligible.
  std::span<const Index> exclude = {};  ///< Items to leave out, strictly increasing: `train.row(user)`.
  ItemFilter filter = {};
  Rerank rerank = {};  ///< If it has an order: the list is cut from a longer one that it has reordered.
  Fallback fallback = Fallback::none;
  /// [0, 1]: how much popularity counts against an item. The list is ranked, exactly, by score - popularity_penalty * a * ln(1 + users of the item), a one
  /// number of the model (FactorModel::popularity_scale), so that the dial means the same for models of other scores. 0: nothing. Not for fallbacks.
  double popularity_penalty = 0.0;
};

/// What similar_items, similar_users, and their calls for many return.
struct SimilarOptions {
  /// Whether a list of what is similar may hold the very item or user that was asked about.
  enum class SelfMatch { excluded, included };

  std::size_t count = 10;
  std::span<const Index> exclude = {};  ///< Strictly increasing.
  ItemFilter filter = {};
  SelfMatch self = SelfMatch::excluded;
};

/// What recommend_all(users) returns.
struct RecommendAllOptions {
  std::size_t count = 10;  ///< Length of each list.
  CsrView exclude = {};    ///< n_users x n_items: row u is left out of user u's list; users and items beyond it have nothing left out.
  ItemFilter filter = {};  ///< For every user.
  Rerank rerank = {};
  Fallback fallback = Fallback::none;  ///< RankedLists::source says which lists come from it.
  Execution execution = {};
  double popularity_penalty = 0.0;  ///< [0, 1], as in RecommendOptions.
};

namespace detail {

/// The type of every_user.
struct EveryUser {
  /// For `every_user` alone.
  constexpr explicit EveryUser(int) noexcept {}
};
/// Takes the lists of users one after the other, in the order of the users asked for, from one thread at a time: a function of
/// (Index user, std::span<const Scored> list), or of these and a ListSource. `list` is valid only during the call.
class ListSink {
 public:
  template <typename Function>
  requires(!std::same_as<std::remove_cvref_t<Function>, ListSink> && std::invocable<Function&, Index, std::span<const Scored>, ListSource>)
      ListSink(Function function)
      : take_(std::move(function)) {}
  template <typename Function>
  requires(!std::invocable<Function&, Index, std::span<const Scored>, ListSource> &&
           std::invocable<Function&, Index, std::span<const Scored>>) ListSink(Function function)
      : take_([function = std::move(function)](Index user, std::span<const Scored> list, ListSource) mutable { function(user, list); }) {}

  void operator()(Index user, std::span<const Scored> list, ListSource source) const { take_(user, list, source); }

 private:
  std::function<void(Index, std::span<const Scored>, ListSource)> take_;
};

}  // namespace detail

/// Says that a call is about all users, in the order of their indices: `recommend_all(every_user, {.count = 10})`.
inline constexpr detail::EveryUser every_user{0};

/// Ranked lists of several users, one after the other; lists may differ in length.
class RankedLists {
 public:
  RankedLists() = default;
  /// Takes lists that are best first already. `sources`: as long as `lists`, or empty where all are of the model.
  /// @throws ShapeError if `sources` is of another length.
  explicit RankedLists(std::vector<std::vector<Scored>> lists, std::vector<ListSource> sources = {});

  [[nodiscard]] std::size_t size() const noexcept { return lists_.size(); }

  /// The list of the n-th user asked for, best first. @throws InvalidArgument if there are not as many.
  [[nodiscard]] std::span<const Scored> row(std::size_t n) const;

  /// Where the list of the n-th user asked for comes from. @throws InvalidArgument if there are not as many.
  [[nodiscard]] ListSource source(std::size_t n) const;

  friend bool operator==(const RankedLists& a, const RankedLists& b) { return a.equals(b); }

 private:
  [[nodiscard]] bool equals(const RankedLists& other) const;
  void check_row(std::size_t n) const;

  std::vector<std::vector<Scored>> lists_;
  std::vector<ListSource> sources_;
};

/// What evaluate asks of a model: users are rows, items columns; the list is best first, ties by the lower item, without repeats; const calls
/// may come from many threads.
template <typename Model>
concept RecommenderModel = requires(const Model& model, Index user, const RecommendOptions& options) {
  { model.recommend(user, options) } -> std::same_as<std::vector<Scored>>;
  { model.shape() } -> std::same_as<MatrixShape>;
};

namespace detail {

/// A model that has a faster way for many users.
template <typename Model>
concept BatchRecommenderModel = RecommenderModel<Model> &&
    requires(const Model& model, std::span<const Index> users, const RecommendAllOptions& options) {
  { model.recommend_all(users, options) } -> std::same_as<RankedLists>;
};

/// @throws InvalidArgument naming the field that is wrong; `noun` says what lists count ("an item").
KINDRED_ONCE void check_filters(std::span<const Index> exclude, const ItemFilter& filter, std::string_view noun, Index bound);

/// @throws InvalidArgument if `rerank` was made for another number of rows than `count`; `listed` says what the lists hold.
KINDRED_ONCE void check_rerank(const Rerank& rerank, Index count, std::string_view listed = "items");

/// @throws InvalidArgument unless `popularity_penalty` is in [0, 1]; or, where `why` says that a call cannot have one, 0.
KINDRED_ONCE void check_popularity_penalty(double popularity_penalty, std::string_view why = {});

/// What a list for any user needs. @throws InvalidArgument naming the field that is wrong.
KINDRED_ONCE void check_recommend(const RecommendOptions& options, Index items);

/// @throws InvalidArgument naming the field that is wrong.
KINDRED_ONCE void check_recommend(Index user, const RecommendOptions& options, MatrixShape shape);

/// @throws InvalidArgument, ShapeError naming the field that is wrong.
KINDRED_ONCE void check_recommend_all(std::span<const Index> users, const RecommendAllOptions& options, MatrixShape shape);

/// The lists of a model's batch call. @throws InvalidArgument unless there is one for each of `users` users.
[[nodiscard]] KINDRED_ONCE RankedLists checked_lists(RankedLists lists, std::size_t users);

/// `rerank` for the list of one user. It refers to `rerank` where that depends on the user.
[[nodiscard]] KINDRED_ONCE Rerank rerank_for(Index user, const Rerank& rerank);

/// The options of one user of a batch.
[[nodiscard]] KINDRED_ONCE RecommendOptions options_of(Index user, const RecommendAllOptions& options);

/// The request that finds the list of `options` among items with these train counts; reranking asks for more than the list in the end.
[[nodiscard]] KINDRED_ONCE TopKRequest request_of(const RecommendOptions& options, std::span<const Index> train_counts);

/// @throws InvalidArgument if a reranking invents an item or lists one twice.
[[nodiscard]] KINDRED_ONCE std::vector<Scored> reranked(std::vector<Scored> list, const RecommendOptions& options);

}  // namespace detail

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/models/recommender.ipp>  // IWYU pragma: export
#endif
