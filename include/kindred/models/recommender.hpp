// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>

namespace kindred::inline v0 {

/// Which items may be recommended.
enum class Candidates {
  trained,  ///< Items with at least one interaction in train: the others have no evidence behind their score.
  all,      ///< Every column of the matrix.
};

/// What recommend(user) returns.
struct RecommendOptions {
  std::size_t count = 10;                                      ///< Length of the list; shorter only where fewer items are eligible.
  std::span<const Index> exclude = {};                         ///< Items to leave out, strictly increasing: `train.row(user)`.
  std::optional<std::span<const Index>> allow = std::nullopt;  ///< If set, only these items, strictly increasing.
  std::optional<double> min_score = std::nullopt;              ///< If set, only scores at least this high.
  Candidates candidates = Candidates::trained;
};

/// What recommend_all(users) returns.
struct RecommendAllOptions {
  std::size_t count = 10;  ///< Length of each list.
  CsrView exclude = {};    ///< n_users x n_items: row u is left out of user u's list. 0 x 0: nothing is.
  std::optional<std::span<const Index>> allow = std::nullopt;  ///< As in RecommendOptions, for every user.
  std::optional<double> min_score = std::nullopt;
  Candidates candidates = Candidates::trained;
  std::size_t threads = 0;  ///< 0: all hardware threads. The lists are the same for any number.
};

/// Ranked lists of several users, one after the other; lists may differ in length.
class RankedLists {
 public:
  RankedLists() = default;
  explicit RankedLists(std::vector<std::vector<Scored>> lists) : lists_(std::move(lists)) {}

  [[nodiscard]] std::size_t size() const noexcept { return lists_.size(); }

  /// The list of the n-th user asked for, best first.
  [[nodiscard]] std::span<const Scored> row(std::size_t n) const {
    if (n >= lists_.size()) throw InvalidArgument("row", n, "below " + std::to_string(lists_.size()) + ", the number of users asked for");
    return lists_[n];
  }

  friend bool operator==(const RankedLists&, const RankedLists&) = default;

 private:
  std::vector<std::vector<Scored>> lists_;
};

/// What evaluate asks of a model: users are rows, items columns; the list is best first, ties by the lower item, without repeats; const calls
/// may come from many threads.
template <typename Model>
concept RecommenderModel = requires(const Model& model, Index user, const RecommendOptions& options) {
  { model.recommend(user, options) } -> std::same_as<std::vector<Scored>>;
  { model.shape() } -> std::same_as<MatrixShape>;
};

/// A model that has a faster way for many users.
template <typename Model>
concept BatchRecommenderModel = RecommenderModel<Model> &&
    requires(const Model& model, std::span<const Index> users, const RecommendAllOptions& options) {
  { model.recommend_all(users, options) } -> std::same_as<RankedLists>;
};

namespace detail {

/// @throws InvalidArgument naming the field that is wrong.
inline void check_recommend(Index user, const RecommendOptions& options, MatrixShape shape) {
  check_user(user, shape);
  check_index_list(options.exclude, "exclude", "an item", shape.items);
  if (options.allow) check_index_list(*options.allow, "allow", "an item", shape.items);
}

/// @throws InvalidArgument, ShapeError naming the field that is wrong.
inline void check_recommend_all(std::span<const Index> users, const RecommendAllOptions& options, MatrixShape shape) {
  for (const Index user : users) check_user(user, shape);
  if (options.exclude.shape() != MatrixShape{}) check_shape("exclude", options.exclude.shape(), "the model", shape);
  if (options.allow) check_index_list(*options.allow, "allow", "an item", shape.items);
}

/// The options of one user of a batch.
[[nodiscard]] inline RecommendOptions options_of(Index user, const RecommendAllOptions& options) {
  RecommendOptions one{.count = options.count, .allow = options.allow, .min_score = options.min_score, .candidates = options.candidates};
  if (options.exclude.rows() > 0) one.exclude = options.exclude.row(user);
  return one;
}

/// Whether an item passes the filters of one request. Asked only of items whose score is good enough, so a bisection is cheap.
class Eligibility {
 public:
  /// `train_counts`: interactions of each item in train, length n_items.
  Eligibility(const RecommendOptions& options, std::span<const Index> train_counts) : options_(options), train_counts_(train_counts) {}

  [[nodiscard]] bool operator()(const Scored& candidate) const noexcept {
    const auto item = static_cast<std::size_t>(candidate.item);
    if (options_.candidates == Candidates::trained && train_counts_[item] == 0) return false;
    if (options_.min_score && !(candidate.score >= *options_.min_score)) return false;
    if (std::binary_search(options_.exclude.begin(), options_.exclude.end(), candidate.item)) return false;
    return !options_.allow || std::binary_search(options_.allow->begin(), options_.allow->end(), candidate.item);
  }

 private:
  const RecommendOptions& options_;
  std::span<const Index> train_counts_;
};

/// The best `count` of a stream of scored items: a heap with the worst kept item on top.
class BestOf {
 public:
  explicit BestOf(std::size_t count) : count_(count) {}

  /// A score below this cannot enter any more; equal ones may, by the lower item.
  [[nodiscard]] double threshold() const noexcept {
    if (count_ == 0) return std::numeric_limits<double>::infinity();
    return kept_.size() < count_ ? -std::numeric_limits<double>::infinity() : kept_.front().score;
  }

  [[nodiscard]] bool would_enter(const Scored& candidate) const noexcept {
    return count_ > 0 && (kept_.size() < count_ || ranks_before(candidate, kept_.front()));
  }

  void add(const Scored& candidate) {
    if (kept_.size() == count_) {
      std::pop_heap(kept_.begin(), kept_.end(), ranks_before);
      kept_.back() = candidate;
    } else {
      kept_.push_back(candidate);
    }
    std::push_heap(kept_.begin(), kept_.end(), ranks_before);
  }

  /// The kept items, best first; leaves nothing behind.
  [[nodiscard]] std::vector<Scored> take() {
    std::sort_heap(kept_.begin(), kept_.end(), ranks_before);
    return std::exchange(kept_, {});
  }

 private:
  std::size_t count_;
  std::vector<Scored> kept_;
};

}  // namespace detail

}  // namespace kindred::inline v0
