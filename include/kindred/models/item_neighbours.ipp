// SPDX-License-Identifier: MIT
#pragma once

// The bodies of models/item_neighbours.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/rounding.hpp>
#include <kindred/core/team.hpp>
#include <kindred/core/thread_team.hpp>
#include <kindred/data/csr_builder.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/linalg/top_k_request.hpp>
#include <kindred/models/als/constants.hpp>
#include <kindred/models/als/fold_in.hpp>
#include <kindred/models/factor_lists.hpp>
#include <kindred/models/item_neighbours.hpp>
#include <kindred/models/popularity_scale.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// The constants of the strengths of `train`, without stored zeros. @throws InvalidArgument if nothing is liked.
[[nodiscard]] inline VoteScale measure_votes(const CsrView& train, Confidence curve) {
  AlsOptions options;
  options.confidence.curve = curve;
  const AlsSettings settings = settings_of(options);
  const RowsRef rows(train);
  const std::vector<Index> users = row_counts(train), items = column_counts(train);
  const Team alone;
  const ValueConstants constants = ValueMeasure(settings, rows, users, items, train.nnz(), alone).run();
  return {curve, constants.log_scale, constants.mean_strength};
}

/// `train` with votes for values; of likes alone, or all.
[[nodiscard]] inline CsrMatrix votes_of(const CsrView& train, const VoteScale& scale, Magnitudes which) {
  CsrBuilder votes(train.shape());
  for (Index u = 0; u < train.rows(); ++u) {
    const SparseRow row = train.row(u);
    for (std::size_t n = 0; n < row.size(); ++n) {
      const float vote = scale.of(row.values[n]);
      if (which == Magnitudes::all || vote > 0.0F) votes.add(row.columns[n], vote);
    }
    votes.end_row();
  }
  return votes.finish();
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

namespace kindred::inline v0::inline KINDRED_BUILD {

KINDRED_ONCE ItemNeighbours::ItemNeighbours(ItemNeighboursOptions options) : options_(options) { validate(options_); }

KINDRED_ONCE ItemNeighbours::ItemNeighbours(detail::NeighbourState state) { take(std::move(state)); }

KINDRED_ONCE void ItemNeighbours::take(detail::NeighbourState state) {
  source_.resize(state.item_likes.size());
  target_.resize(state.item_likes.size());
  for (std::size_t i = 0; i < source_.size(); ++i) {
    const auto users = static_cast<double>((std::max)(state.item_likes[i], Index{1}));
    const double length = state.squares[i] > 0.0 ? std::sqrt(state.squares[i]) : 1.0;
    source_[i] = static_cast<float>(std::pow(users, 1.0 - state.options.popularity) / length);
    target_[i] = static_cast<float>(std::pow(users, state.options.popularity) / length);
  }
  options_ = state.options;
  scale_ = state.scale;
  graph_ = std::move(state.graph);
  histories_ = std::move(state.histories);
  item_likes_ = std::move(state.item_likes);
  squares_ = std::move(state.squares);
  tallies_.clear();
  popularity_scale_.reset();
  if (state.popularity_scale) popularity_scale_.set(std::make_shared<const double>(*state.popularity_scale));
}

KINDRED_ONCE detail::NeighbourState ItemNeighbours::state() const {
  const double* const scale = popularity_scale_.get();
  return {options_, scale_, graph_, histories_, item_likes_, squares_, scale != nullptr ? std::optional<double>(*scale) : std::nullopt};
}

KINDRED_ONCE void ItemNeighbours::fit(const CsrView& given, const Execution& execution) {
  detail::check_threads(execution.threads);
  CsrMatrix cleaned;
  const CsrView train = detail::without_stored_zeros(given, cleaned);
  if (train.nnz() == 0)
    throw InvalidArgument("train", detail::shape_text(train.shape()) + " without interactions", "a matrix with at least one");
  detail::NeighbourState state;
  state.options = options_;
  state.scale = detail::measure_votes(train, options_.curve);
  detail::ThreadTeam team(execution.executor);
  const Execution run{.threads = detail::resolve_threads(execution.threads), .executor = team.executor()};
  auto likes = std::make_shared<const CsrMatrix>(detail::votes_of(train, state.scale, detail::Magnitudes::likes));
  state.item_likes = column_counts(*likes);
  state.squares.assign(state.item_likes.size(), 0.0);
  for (Index v = 0; v < likes->rows(); ++v) {
    const SparseRow row = likes->row(v);
    const double discount = std::pow(static_cast<double>((std::max)(row.size(), std::size_t{1})), -options_.user_discount);
    for (std::size_t n = 0; n < row.size(); ++n)
      state.squares[static_cast<std::size_t>(row.columns[n])] +=
          discount * static_cast<double>(row.values[n]) * static_cast<double>(row.values[n]);
  }
  state.graph = std::make_shared<const detail::ItemGraph>(detail::make_item_graph(*likes, options_, run));
  state.histories = likes->nnz() == train.nnz() ? detail::VoteHistories(likes->view(), likes)
                                                : detail::VoteHistories(detail::votes_of(train, state.scale, detail::Magnitudes::all));
  take(std::move(state));
}

KINDRED_ONCE void ItemNeighbours::require_fitted() const {
  if (!fitted()) throw NotFitted("ItemNeighbours");
}

KINDRED_ONCE void ItemNeighbours::add_votes(const SparseRow& history, detail::VoteTally& tally) const {
  if (options_.share_votes)
    tally.add_shared(*graph_, history, cosine());
  else
    tally.add(*graph_, history);
}

KINDRED_ONCE std::vector<Scored> ItemNeighbours::neighbours(Index item) const {
  require_fitted();
  detail::check_item(item, shape());
  std::vector<Scored> list;
  const SparseRow row = graph_->row(item);
  for (std::size_t n = 0; n < row.size(); ++n) list.push_back({row.columns[n], static_cast<double>(row.values[n])});
  std::sort(list.begin(), list.end(), ranks_before);
  return list;
}

KINDRED_ONCE bool ItemNeighbours::knows(Index user) const {
  require_fitted();
  detail::check_user(user, shape());
  const SparseRow row = histories_.row(user);
  for (std::size_t n = 0; n < row.size(); ++n)
    if (row.values[n] > 0.0F && row.columns[n] < graph_->items() && !graph_->row(row.columns[n]).empty()) return true;
  return false;
}

KINDRED_ONCE std::vector<Scored> ItemNeighbours::rank_items(Index user, std::span<const Index> candidates) const {
  require_fitted();
  detail::check_user(user, shape());
  detail::check_index_list(candidates, "candidates", "an item", shape().items);
  const detail::RoundToNearest rounding;
  const auto tally = tallies_.take([&] { return detail::VoteTally(item_likes_.size()); });
  add_votes(histories_.row(user), *tally);
  std::vector<Scored> list;
  for (const Index item : candidates) list.push_back({item, static_cast<double>(tally->of(item))});
  tally->clear();
  tallies_.give_back(tally);
  std::sort(list.begin(), list.end(), ranks_before);
  return list;
}

KINDRED_ONCE double ItemNeighbours::predict(Index user, Index item) const {
  require_fitted();
  detail::check_user(user, shape());
  detail::check_item(item, shape());
  return rank_items(user, {&item, 1}).front().score;
}

KINDRED_ONCE double ItemNeighbours::popularity_scale(const Execution& execution) const {
  require_fitted();
  return popularity_scale_.get_or_make([&] {
    std::vector<Index> known;
    for (Index u = 0; u < shape().users; ++u)
      if (knows(u)) known.push_back(u);
    return detail::popularity_scale(known, item_likes_, [&](std::span<const Index> users) {
      return lists_of(users, {.count = 100, .filter = {.min_score = 1e-300}, .execution = execution}, 0.0F);
    });
  });
}

KINDRED_ONCE float ItemNeighbours::popularity_weight(double popularity_penalty, const Execution& execution) const {
  if (popularity_penalty == 0.0) return 0.0F;
  const double scale = popularity_scale(execution);
  if (!(scale > 0.0))
    detail::check_popularity_penalty(popularity_penalty, "no list of the model has items of two popularities, so that its scale is 0");
  return static_cast<float>(-popularity_penalty * scale);
}

KINDRED_ONCE Recommendation ItemNeighbours::list_for(const SparseRow& history, const RecommendOptions& options, float popularity,
                                                     detail::VoteTally& tally) const {
  const detail::RoundToNearest rounding;
  add_votes(history, tally);
  RecommendOptions own = options;
  std::vector<Index> merged;
  own.exclude = detail::exclude_dislikes(options.exclude, history, merged);
  if (tally.touched().empty()) return detail::list_of_unknown(item_likes_, own);
  const detail::TopKRequest request = detail::request_of(own, item_likes_);
  detail::BestOf best((std::min)(request.count, item_likes_.size()));
  const auto offer = [&](Index item, double score) {
    const Scored candidate{item, score};
    if (score >= request.min_score && detail::is_finite(score) && best.would_enter(candidate) && detail::is_eligible(request, item))
      best.add(candidate);
  };
  if (popularity != 0.0F) {
    for (Index item = 0; item < shape().items; ++item)
      offer(item, static_cast<double>(tally.of(item)) +
                      static_cast<double>(popularity) *
                          static_cast<double>(static_cast<float>(detail::log_of_users(item_likes_[static_cast<std::size_t>(item)]))));
  } else {
    for (const Index item : tally.touched()) offer(item, static_cast<double>(tally.of(item)));
    for (Index item = 0; item < shape().items && best.would_enter({item, 0.0}); ++item)
      if (tally.of(item) == 0.0F) offer(item, 0.0);
  }
  tally.clear();
  return {detail::reranked(best.take(), own), ListSource::model};
}

KINDRED_ONCE std::vector<Scored> ItemNeighbours::recommend(Index user, const RecommendOptions& options) const {
  require_fitted();
  detail::check_recommend(user, options, shape());
  RecommendOptions own = options;
  own.rerank = detail::rerank_for(user, options.rerank);
  const float popularity = popularity_weight(options.popularity_penalty, {.threads = 1});
  const auto tally = tallies_.take([&] { return detail::VoteTally(item_likes_.size()); });
  std::vector<Scored> list = list_for(histories_.row(user), own, popularity, *tally).items;
  tallies_.give_back(tally);
  return list;
}

KINDRED_ONCE Recommendation ItemNeighbours::recommend(const SparseRow& interactions, const RecommendOptions& options) const {
  require_fitted();
  detail::check_recommend(options, shape().items);
  const detail::CheckedRow checked(interactions, "interactions", shape().items);
  const detail::VoteRow votes(checked.row(), scale_);
  const float popularity = popularity_weight(options.popularity_penalty, {.threads = 1});
  const auto tally = tallies_.take([&] { return detail::VoteTally(item_likes_.size()); });
  Recommendation list = list_for(votes.row(), options, popularity, *tally);
  tallies_.give_back(tally);
  return list;
}

KINDRED_ONCE RankedLists ItemNeighbours::lists_of(std::span<const Index> users, const RecommendAllOptions& options,
                                                  float popularity) const {
  std::vector<std::vector<Scored>> lists(users.size());
  std::vector<ListSource> sources(users.size(), ListSource::model);
  const detail::ParallelOptions parallel = detail::loop_of(options.execution, 32);
  std::vector<std::shared_ptr<detail::VoteTally>> tallies;
  for (std::size_t n = 0; n < detail::worker_count(users.size(), parallel); ++n)
    tallies.push_back(tallies_.take([&] { return detail::VoteTally(item_likes_.size()); }));
  detail::parallel_for(users.size(), parallel, [&](std::size_t first, std::size_t last, std::size_t worker) {
    for (std::size_t n = first; n < last; ++n) {
      Recommendation list = list_for(histories_.row(users[n]), detail::options_of(users[n], options), popularity, *tallies[worker]);
      lists[n] = std::move(list.items);
      sources[n] = list.source;
    }
  });
  for (const auto& tally : tallies) tallies_.give_back(tally);
  return RankedLists(std::move(lists), std::move(sources));
}

KINDRED_ONCE RankedLists ItemNeighbours::recommend_all(std::span<const Index> users, const RecommendAllOptions& options) const {
  require_fitted();
  detail::check_recommend_all(users, options, shape());
  return lists_of(users, options, popularity_weight(options.popularity_penalty, options.execution));
}

KINDRED_ONCE RankedLists ItemNeighbours::recommend_all(detail::EveryUser, const RecommendAllOptions& options) const {
  return recommend_all(all_users(), options);
}

KINDRED_ONCE void ItemNeighbours::recommend_all(std::span<const Index> users, const RecommendAllOptions& options,
                                                const detail::ListSink& sink) const {
  require_fitted();
  detail::check_recommend_all(users, options, shape());
  const float popularity = popularity_weight(options.popularity_penalty, options.execution);
  detail::hand_over(users, options, sink,
                    [&](std::span<const Index> some, const RecommendAllOptions& own) { return lists_of(some, own, popularity); });
}

KINDRED_ONCE void ItemNeighbours::recommend_all(detail::EveryUser, const RecommendAllOptions& options, const detail::ListSink& sink) const {
  recommend_all(all_users(), options, sink);
}

KINDRED_ONCE std::vector<Index> ItemNeighbours::all_users() const {
  std::vector<Index> users(static_cast<std::size_t>(shape().users));
  std::iota(users.begin(), users.end(), Index{0});
  return users;
}

KINDRED_ONCE std::vector<Scored> ItemNeighbours::similar_items(Index item, const SimilarOptions& options) const {
  require_fitted();
  detail::check_item(item, shape());
  detail::check_filters(options.exclude, options.filter, "an item", shape().items);
  const SparseRow row = graph_->row(item);
  if (item_likes_[static_cast<std::size_t>(item)] == 0) return {};
  const detail::TopKRequest request =
      detail::request_of({.count = options.count, .exclude = options.exclude, .filter = options.filter}, item_likes_);
  detail::BestOf best((std::min)(request.count, item_likes_.size()));
  const auto offer = [&](const Scored& one) {
    if (one.score >= request.min_score && best.would_enter(one) && detail::is_eligible(request, one.item)) best.add(one);
  };
  for (std::size_t n = 0; n < row.size(); ++n)
    offer({row.columns[n], static_cast<double>((std::min)(cosine().of(item, row.columns[n], row.values[n]), 1.0F))});
  if (options.self == SimilarOptions::SelfMatch::included) offer({item, 1.0});
  return best.take();
}

KINDRED_ONCE std::vector<Scored> ItemNeighbours::votes_for(const SparseRow& history, Index item) const {
  std::vector<float> votes(history.values.begin(), history.values.end());
  if (options_.share_votes) {
    const auto tally = tallies_.take([&] { return detail::VoteTally(item_likes_.size()); });
    tally->shared(*graph_, history, cosine(), votes);
    tallies_.give_back(tally);
  }
  std::vector<Scored> parts;
  for (std::size_t n = 0; n < votes.size(); ++n) {
    const Index voter = history.columns[n];
    double part = 0.0;
    if (votes[n] > 0.0F && voter < graph_->items()) {
      const SparseRow row = graph_->row(voter);
      const auto place = std::lower_bound(row.columns.begin(), row.columns.end(), item);
      if (place != row.columns.end() && *place == item)
        part = static_cast<double>(votes[n]) * static_cast<double>(row.values[static_cast<std::size_t>(place - row.columns.begin())]);
    }
    parts.push_back({voter, part});
  }
  return parts;
}

KINDRED_ONCE Explanation ItemNeighbours::explain(const SparseRow& interactions, Index item) const {
  require_fitted();
  detail::check_item(item, shape());
  const detail::CheckedRow checked(interactions, "interactions", shape().items);
  Explanation explanation;
  explanation.parts = votes_for(detail::VoteRow(checked.row(), scale_).row(), item);
  for (const Scored& part : explanation.parts) explanation.score += part.score;
  std::sort(explanation.parts.begin(), explanation.parts.end(), ranks_before);
  return explanation;
}

KINDRED_ONCE std::vector<detail::VoteRow> ItemNeighbours::votes_of(const CsrView& rows) const {
  CsrMatrix cleaned;
  const CsrView known = detail::without_stored_zeros(rows, cleaned);
  std::vector<detail::VoteRow> votes;
  votes.reserve(static_cast<std::size_t>(known.rows()));
  for (Index n = 0; n < known.rows(); ++n) votes.emplace_back(known.row(n), scale_);
  return votes;
}

KINDRED_ONCE void ItemNeighbours::refit_users(std::span<const Index> users, const CsrView& rows) {
  require_fitted();
  detail::check_index_list(users, "users", "a user", shape().users);
  detail::check_shape("rows", rows.shape(), "what these users need", {static_cast<Index>(users.size()), shape().items});
  std::vector<detail::VoteRow> votes = votes_of(rows);
  reserve_votes(votes.size());
  put_votes(users, std::move(votes));
}

KINDRED_ONCE Index ItemNeighbours::append_users(const CsrView& rows) {
  require_fitted();
  detail::check_shape("rows", rows.shape(), "what the model takes", {rows.rows(), shape().items});
  const Index first = shape().users;
  std::vector<detail::VoteRow> votes = votes_of(rows);
  std::vector<Index> users(votes.size());
  std::iota(users.begin(), users.end(), first);
  reserve_votes(votes.size());
  put_votes(users, std::move(votes));
  return first;
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
