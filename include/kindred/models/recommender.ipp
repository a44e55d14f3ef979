// SPDX-License-Identifier: MIT
#pragma once

// The bodies of models/recommender.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/linalg/top_k_request.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0::detail {

KINDRED_ONCE void check_filters(std::span<const Index> exclude, const ItemFilter& filter, std::string_view noun, Index bound) {
  check_index_list(exclude, "exclude", noun, bound);
  if (filter.allow) check_index_list(*filter.allow, "filter.allow", noun, bound);
  if (filter.candidates == Candidates::tested)
    throw InvalidArgument("filter.candidates", "Candidates::tested", "trained or all: evaluate alone knows which items were tested");
  if (filter.min_score && !(*filter.min_score == *filter.min_score))
    throw InvalidArgument("filter.min_score", *filter.min_score, "a number");
}

KINDRED_ONCE void check_rerank(const Rerank& rerank, Index count, std::string_view listed) {
  if (rerank && rerank.items && *rerank.items != static_cast<std::size_t>(count))
    throw InvalidArgument("rerank", "made for " + std::to_string(*rerank.items) + " items",
                          "made for " + std::to_string(count) + ", the " + std::string(listed) + " of the model");
  if (rerank.order && rerank.order_for) throw InvalidArgument("rerank", "both order and order_for", "one of them");
}

KINDRED_ONCE void check_popularity_penalty(double popularity_penalty, std::string_view why) {
  if (!(popularity_penalty >= 0.0 && popularity_penalty <= 1.0))
    throw InvalidArgument("popularity_penalty", popularity_penalty, "in [0, 1]");
  if (popularity_penalty > 0.0 && !why.empty()) throw InvalidArgument("popularity_penalty", popularity_penalty, "0: " + std::string(why));
}

KINDRED_ONCE void check_recommend(const RecommendOptions& options, Index items) {
  check_filters(options.exclude, options.filter, "an item", items);
  check_rerank(options.rerank, items);
  check_popularity_penalty(options.popularity_penalty);
}

KINDRED_ONCE void check_recommend(Index user, const RecommendOptions& options, MatrixShape shape) {
  check_user(user, shape);
  check_recommend(options, shape.items);
}

KINDRED_ONCE void check_recommend_all(std::span<const Index> users, const RecommendAllOptions& options, MatrixShape shape) {
  for (const Index user : users) check_user(user, shape);
  if (options.exclude.rows() > shape.users || options.exclude.cols() > shape.items)
    check_shape("exclude", options.exclude.shape(), "the model", shape);
  check_filters({}, options.filter, "an item", shape.items);
  check_rerank(options.rerank, shape.items);
  check_popularity_penalty(options.popularity_penalty);
  check_threads(options.execution.threads);
}

KINDRED_ONCE RankedLists checked_lists(RankedLists lists, std::size_t users) {
  if (lists.size() != users)
    throw InvalidArgument("the number of lists from recommend_all", lists.size(),
                          std::to_string(users) + ", the number of users asked for");
  return lists;
}

KINDRED_ONCE Rerank rerank_for(Index user, const Rerank& rerank) {
  if (!rerank.order_for) return rerank;
  return {.pool = rerank.pool, .items = rerank.items, .order = [&rerank, user](std::span<const Scored> list, std::size_t count) {
            return rerank.order_for(list, count, user);
          }};
}

KINDRED_ONCE RecommendOptions options_of(Index user, const RecommendAllOptions& options) {
  RecommendOptions one{.count = options.count,
                       .filter = options.filter,
                       .rerank = rerank_for(user, options.rerank),
                       .fallback = options.fallback,
                       .popularity_penalty = options.popularity_penalty};
  if (user < options.exclude.rows()) one.exclude = options.exclude.row(user);
  return one;
}

KINDRED_ONCE TopKRequest request_of(const RecommendOptions& options, std::span<const Index> train_counts) {
  TopKRequest request{.count = options.rerank ? (std::max)(options.count, options.rerank.pool) : options.count,
                      .exclude = options.exclude,
                      .allow = options.filter.allow};
  if (options.filter.min_score) request.min_score = *options.filter.min_score;
  if (options.filter.candidates == Candidates::trained) request.counts = train_counts;
  return request;
}

KINDRED_ONCE std::vector<Scored> reranked(std::vector<Scored> list, const RecommendOptions& options) {
  if (!options.rerank) return list;
  if (!options.rerank.order)
    throw InvalidArgument("rerank", "one that is handed the user", "one of lists alone: the list is for no user with an index");
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

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0 {

KINDRED_ONCE RankedLists::RankedLists(std::vector<std::vector<Scored>> lists, std::vector<ListSource> sources)
    : lists_(std::move(lists)), sources_(std::move(sources)) {
  if (!sources_.empty() && sources_.size() != lists_.size())
    throw ShapeError("sources has " + std::to_string(sources_.size()) + " entries; there are " + std::to_string(lists_.size()) + " lists");
}

KINDRED_ONCE std::span<const Scored> RankedLists::row(std::size_t n) const {
  check_row(n);
  return lists_[n];
}

KINDRED_ONCE ListSource RankedLists::source(std::size_t n) const {
  check_row(n);
  return sources_.empty() ? ListSource::model : sources_[n];
}

KINDRED_ONCE void RankedLists::check_row(std::size_t n) const {
  if (n >= lists_.size()) throw InvalidArgument("row", n, "below " + std::to_string(lists_.size()) + ", the number of users asked for");
}

KINDRED_ONCE bool RankedLists::equals(const RankedLists& other) const {
  if (lists_ != other.lists_) return false;
  for (std::size_t n = 0; n < size(); ++n)
    if (source(n) != other.source(n)) return false;
  return true;
}

}  // namespace kindred::inline v0
