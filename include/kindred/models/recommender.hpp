// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
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

#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/linalg/top_k_request.hpp>

namespace kindred::inline v0 {

/// Which items may be recommended.
enum class Candidates {
  trained,  ///< Items with at least one interaction in train: the others have no evidence behind their score.
  all,      ///< Every column of the matrix.
};

/// Where a list comes from.
enum class ListSource {
  model,       ///< The scores of the model.
  popularity,  ///< The number of users of an item: the fallback, used because the user is unknown.
  none,        ///< The user is unknown and no fallback was asked for: the list is empty.
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

/// Puts a longer exact list into another order: for diversity, against popularity, for quotas. rerank.hpp has the common ones.
struct Rerank {
  std::size_t pool = 100;  ///< Length of the exact list, best first, that is put into order; at least the length asked for.
  /// If set, the number of items that `order` has data for; a model with another number of items refuses the call.
  std::optional<std::size_t> items = std::nullopt;
  /// Items of `list` in their new order, without repeats, at least `count` of them if there are as many; the scores may be changed.
  std::function<std::vector<Scored>(std::span<const Scored> list, std::size_t count)> order = {};

  /// True if there is an order.
  explicit operator bool() const noexcept { return static_cast<bool>(order); }
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
};

/// What similar_items and similar_users return.
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
  explicit RankedLists(std::vector<std::vector<Scored>> lists, std::vector<ListSource> sources = {})
      : lists_(std::move(lists)), sources_(std::move(sources)) {
    if (!sources_.empty() && sources_.size() != lists_.size())
      throw ShapeError("sources has " + std::to_string(sources_.size()) + " entries; there are " + std::to_string(lists_.size()) +
                       " lists");
  }

  [[nodiscard]] std::size_t size() const noexcept { return lists_.size(); }

  /// The list of the n-th user asked for, best first. @throws InvalidArgument if there are not as many.
  [[nodiscard]] std::span<const Scored> row(std::size_t n) const {
    check_row(n);
    return lists_[n];
  }

  /// Where the list of the n-th user asked for comes from. @throws InvalidArgument if there are not as many.
  [[nodiscard]] ListSource source(std::size_t n) const {
    check_row(n);
    return sources_.empty() ? ListSource::model : sources_[n];
  }

  friend bool operator==(const RankedLists& a, const RankedLists& b) {
    if (a.lists_ != b.lists_) return false;
    for (std::size_t n = 0; n < a.size(); ++n)
      if (a.source(n) != b.source(n)) return false;
    return true;
  }

 private:
  void check_row(std::size_t n) const {
    if (n >= lists_.size()) throw InvalidArgument("row", n, "below " + std::to_string(lists_.size()) + ", the number of users asked for");
  }

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
inline void check_filters(std::span<const Index> exclude, const ItemFilter& filter, std::string_view noun, Index bound) {
  check_index_list(exclude, "exclude", noun, bound);
  if (filter.allow) check_index_list(*filter.allow, "filter.allow", noun, bound);
  if (filter.min_score && !(*filter.min_score == *filter.min_score))
    throw InvalidArgument("filter.min_score", *filter.min_score, "a number");
}

/// @throws InvalidArgument if `rerank` was made for another number of rows than `count`; `listed` says what the lists hold.
inline void check_rerank(const Rerank& rerank, Index count, std::string_view listed = "items") {
  if (rerank && rerank.items && *rerank.items != static_cast<std::size_t>(count))
    throw InvalidArgument("rerank", "made for " + std::to_string(*rerank.items) + " items",
                          "made for " + std::to_string(count) + ", the " + std::string(listed) + " of the model");
}

/// What a list for any user needs. @throws InvalidArgument naming the field that is wrong.
inline void check_recommend(const RecommendOptions& options, Index items) {
  check_filters(options.exclude, options.filter, "an item", items);
  check_rerank(options.rerank, items);
}

/// @throws InvalidArgument naming the field that is wrong.
inline void check_recommend(Index user, const RecommendOptions& options, MatrixShape shape) {
  check_user(user, shape);
  check_recommend(options, shape.items);
}

/// @throws InvalidArgument, ShapeError naming the field that is wrong.
inline void check_recommend_all(std::span<const Index> users, const RecommendAllOptions& options, MatrixShape shape) {
  for (const Index user : users) check_user(user, shape);
  if (options.exclude.rows() > shape.users || options.exclude.cols() > shape.items)
    check_shape("exclude", options.exclude.shape(), "the model", shape);
  check_filters({}, options.filter, "an item", shape.items);
  check_rerank(options.rerank, shape.items);
  check_threads(options.execution.threads);
}

/// The lists of a model's batch call. @throws InvalidArgument unless there is one for each of `users` users.
[[nodiscard]] inline RankedLists checked_lists(RankedLists lists, std::size_t users) {
  if (lists.size() != users)
    throw InvalidArgument("the number of lists from recommend_all", lists.size(),
                          std::to_string(users) + ", the number of users asked for");
  return lists;
}

/// The options of one user of a batch.
[[nodiscard]] inline RecommendOptions options_of(Index user, const RecommendAllOptions& options) {
  RecommendOptions one{.count = options.count, .filter = options.filter, .rerank = options.rerank, .fallback = options.fallback};
  if (user < options.exclude.rows()) one.exclude = options.exclude.row(user);
  return one;
}

/// Whether an item passes the filters of one request. Asked only of items whose score is good enough, so a bisection is cheap.
class Eligibility {
 public:
  /// `train_counts`: interactions of each item in train, length n_items.
  Eligibility(const RecommendOptions& options, std::span<const Index> train_counts) : options_(options), train_counts_(train_counts) {}

  [[nodiscard]] bool operator()(const Scored& candidate) const noexcept {
    const auto item = static_cast<std::size_t>(candidate.item);
    if (options_.filter.candidates == Candidates::trained && train_counts_[item] == 0) return false;
    if (options_.filter.min_score && !(candidate.score >= *options_.filter.min_score)) return false;
    if (std::binary_search(options_.exclude.begin(), options_.exclude.end(), candidate.item)) return false;
    return !options_.filter.allow || std::binary_search(options_.filter.allow->begin(), options_.filter.allow->end(), candidate.item);
  }

 private:
  const RecommendOptions& options_;
  std::span<const Index> train_counts_;
};

/// The request that finds the list of `options` among items with these train counts; reranking asks for more than the list in the end.
[[nodiscard]] inline TopKRequest request_of(const RecommendOptions& options, std::span<const Index> train_counts) {
  TopKRequest request{.count = options.rerank ? (std::max)(options.count, options.rerank.pool) : options.count,
                      .exclude = options.exclude,
                      .allow = options.filter.allow};
  if (options.filter.min_score) request.min_score = *options.filter.min_score;
  if (options.filter.candidates == Candidates::trained) request.counts = train_counts;
  return request;
}

/// @throws InvalidArgument if a reranking invents an item or lists one twice.
[[nodiscard]] inline std::vector<Scored> reranked(std::vector<Scored> list, const RecommendOptions& options) {
  if (!options.rerank) return list;
  std::vector<Scored> next = options.rerank.order(list, options.count);
  if (next.size() > options.count) next.resize(options.count);
  const auto by_item = [](const Scored& a, const Scored& b) { return a.item < b.item; };
  std::sort(list.begin(), list.end(), by_item);
  std::vector<Scored> seen = next;
  std::sort(seen.begin(), seen.end(), by_item);
  for (std::size_t n = 0; n < seen.size(); ++n) {
    if (n > 0 && seen[n].item == seen[n - 1].item) throw InvalidArgument("the reranked list", seen[n].item, "without repeats");
    if (!std::binary_search(list.begin(), list.end(), seen[n], by_item))
      throw InvalidArgument("the reranked list's item", seen[n].item, "one of those that were to be reranked");
  }
  return next;
}

}  // namespace detail

}  // namespace kindred::inline v0
