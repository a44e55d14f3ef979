// SPDX-License-Identifier: MIT
#pragma once

// The bodies of models/blended_recommender.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/rounding.hpp>
#include <kindred/linalg/row_offsets.hpp>
#include <kindred/models/als/fold_in.hpp>
#include <kindred/models/blend/blend_search.hpp>
#include <kindred/models/blended_recommender.hpp>
#include <kindred/models/factor_lists.hpp>
#include <kindred/models/implicit_als.ipp>
#include <kindred/models/popularity_scale.hpp>

namespace kindred::inline v0::inline KINDRED_BUILD {

template <Real Scalar>
BlendedRecommender<Scalar>::BlendedRecommender(BlendedOptions options) {
  validate(options);
  weight_ = options.weight;
  factors_ = ImplicitALS<Scalar>(std::move(options.factors));
  neighbours_ = ItemNeighbours(options.neighbours);
}

template <Real Scalar>
BlendedRecommender<Scalar>::BlendedRecommender(ImplicitALS<Scalar> factors, ItemNeighbours neighbours, double weight,
                                               std::optional<double> popularity_scale)
    : weight_(weight), factors_(std::move(factors)), neighbours_(std::move(neighbours)) {
  validate(options());
  if (factors_.fitted() != neighbours_.fitted() || shape().users != neighbours_.shape().users || shape().items < neighbours_.shape().items)
    throw ShapeError("the factors are of " + detail::shape_text(shape()) + " and the neighbours of " +
                     detail::shape_text(neighbours_.shape()) + "; both need the same users, and the factors at least as many items");
  if (popularity_scale) popularity_scale_.set(std::make_shared<const double>(*popularity_scale));
}

template <Real Scalar>
FitReport BlendedRecommender<Scalar>::fit(const CsrView& train, const FitOptions& fit_options) {
  const detail::Stopwatch time;
  ItemNeighbours neighbours(neighbours_.options());
  neighbours.fit(train, fit_options.execution);
  const double seconds = time.seconds();
  FitReport report = factors_.fit(train, fit_options);
  neighbours_ = std::move(neighbours);
  works_.clear();
  popularity_scale_.reset();
  report.neighbour_seconds = seconds;
  report.seconds += seconds;
  return report;
}

template <Real Scalar>
void BlendedRecommender<Scalar>::require_fitted() const {
  if (!fitted()) throw NotFitted("BlendedRecommender");
}

template <Real Scalar>
void BlendedRecommender<Scalar>::prepare() const {
  require_fitted();
  factors_.prepare();
}

template <Real Scalar>
bool BlendedRecommender<Scalar>::knows(Index user) const {
  require_fitted();
  return factors_.knows(user);
}

template <Real Scalar>
double BlendedRecommender<Scalar>::spread_of(std::span<const Scalar> x) const {
  return std::sqrt(factors_.squared_scores(x) / static_cast<double>(shape().items));
}

template <Real Scalar>
double BlendedRecommender<Scalar>::predict(Index user, Index item) const {
  require_fitted();
  detail::check_user(user, shape());
  detail::check_item(item, shape());
  return rank_items(user, {&item, 1}).front().score;
}

template <Real Scalar>
std::vector<Scored> BlendedRecommender<Scalar>::rank_items(Index user, std::span<const Index> candidates) const {
  require_fitted();
  detail::check_user(user, shape());
  if (weight_ == 0.0) return factors_.rank_items(user, candidates);
  std::vector<Scored> list = factors_.rank_items(user, candidates);
  const detail::RoundToNearest rounding;
  detail::VoteTally tally(static_cast<std::size_t>(neighbours_.shape().items));
  neighbours_.add_votes(neighbours_.history(user), tally);
  const detail::VoteUnit unit = detail::vote_unit(tally, weight_, spread_of(factors_.user_factors().row(user)));
  for (Scored& one : list)
    if (one.item < neighbours_.shape().items) one.score += unit.of(tally.of(one.item));
  std::sort(list.begin(), list.end(), ranks_before);
  return list;
}

template <Real Scalar>
double BlendedRecommender<Scalar>::popularity_scale(const Execution& execution) const {
  require_fitted();
  if (weight_ == 0.0) return factors_.popularity_scale(execution);
  return popularity_scale_.get_or_make([&] {
    std::vector<Index> known;
    for (Index u = 0; u < shape().users; ++u)
      if (factors_.knows(u)) known.push_back(u);
    return detail::popularity_scale(known, factors_.item_counts(), [&](std::span<const Index> users) {
      return lists_of(users, {.count = 100, .execution = execution}, 0.0F, 0.0F);
    });
  });
}

template <Real Scalar>
float BlendedRecommender<Scalar>::popularity_weight(double popularity_penalty, const Execution& execution) const {
  if (popularity_penalty == 0.0) return 0.0F;
  const double scale = popularity_scale(execution);
  if (!(scale > 0.0))
    detail::check_popularity_penalty(popularity_penalty, "no list of the model has items of two popularities, so that its scale is 0");
  return static_cast<float>(-popularity_penalty * scale);
}

template <Real Scalar>
std::shared_ptr<detail::BlendWork> BlendedRecommender<Scalar>::work() const {
  return works_.take(
      [&] { return detail::BlendWork(static_cast<std::size_t>(neighbours_.shape().items), static_cast<std::size_t>(shape().items)); });
}

template <Real Scalar>
Recommendation BlendedRecommender<Scalar>::list_for(std::span<const Scalar> x, const SparseRow& votes, const RecommendOptions& options,
                                                    float user_weight) const {
  RecommendOptions own = options;
  std::vector<Index> merged;
  own.exclude = detail::exclude_dislikes(options.exclude, votes, merged);
  if (!detail::is_known(x)) return detail::list_of_unknown(factors_.item_counts(), own);
  const detail::RoundToNearest rounding;
  const float popularity = popularity_weight(options.popularity_penalty, {.threads = 1});
  return factors_.with_index(SimdLevel::best, popularity, user_weight, [&](const detail::Searched<Scalar>& searched) {
    detail::BlendQuery<Scalar> query{x.data(), votes, spread_of(x), detail::request_of(own, searched.counts)};
    query.request.offsets = searched.offsets;
    const auto memory = work();
    std::vector<Scored> list = std::move(detail::BlendSearch<Scalar>(searched, neighbours_, weight_, *memory).find({&query, 1}).front());
    works_.give_back(memory);
    return Recommendation{detail::reranked(std::move(list), own), ListSource::model};
  });
}

template <Real Scalar>
std::vector<Scored> BlendedRecommender<Scalar>::recommend(Index user, const RecommendOptions& options) const {
  require_fitted();
  if (weight_ == 0.0) return factors_.recommend(user, options);
  detail::check_recommend(user, options, shape());
  detail::require_finite_row(factors_.user_factors(), user, "user");
  RecommendOptions own = options;
  own.rerank = detail::rerank_for(user, options.rerank);
  return list_for(factors_.user_factors().row(user), neighbours_.history(user), own,
                  detail::weight_of_user(factors_.item_offsets().user_weights, user))
      .items;
}

template <Real Scalar>
Recommendation BlendedRecommender<Scalar>::recommend_history(const History& history, const RecommendOptions& options) const {
  require_fitted();
  if (weight_ == 0.0) return factors_.recommend(history, options);
  detail::check_recommend(options, shape().items);
  detail::check_history(history);
  const std::vector<Scalar> x = factors_.fold_in(history, {.background = FoldInBackground::by_history});
  const detail::CheckedRow checked(history.items, "interactions", shape().items);
  const detail::VoteRow votes(checked.row(), neighbours_.scale());
  Recommendation list = list_for(x, votes.row(), options, history.offset_weight);
  if (list.source == ListSource::model && detail::count_likes(history.items) == 0) list.source = ListSource::features;
  return list;
}

template <Real Scalar>
RankedLists BlendedRecommender<Scalar>::lists_of(std::span<const Index> users, const RecommendAllOptions& options, float popularity,
                                                 float offset_share) const {
  std::vector<std::vector<Scored>> lists(users.size());
  std::vector<ListSource> sources(users.size(), ListSource::model);
  const FactorMatrix<Scalar>& factors = factors_.user_factors();
  factors_.with_index(options.execution.simd, popularity, offset_share, [&](const detail::Searched<Scalar>& searched) {
    const std::size_t threads = users.size() <= 8 ? 1 : detail::resolve_threads(options.execution.threads);
    const std::size_t share = (users.size() + threads - 1) / threads;
    const detail::ParallelOptions parallel{.threads = threads,
                                           .grain = (std::min)(std::size_t{64}, (std::max)(std::size_t{8}, share)),
                                           .executor = options.execution.executor};
    std::vector<std::shared_ptr<detail::BlendWork>> memory;
    std::vector<detail::BlendSearch<Scalar>> searches;
    for (std::size_t n = 0; n < detail::worker_count(users.size(), parallel); ++n) {
      memory.push_back(work());
      searches.emplace_back(searched, neighbours_, weight_, *memory.back());
    }
    detail::parallel_for(users.size(), parallel, [&](std::size_t first, std::size_t last, std::size_t worker) {
      const detail::RoundToNearest rounding;
      std::vector<std::size_t> places;  // of the users that are known
      std::vector<std::vector<Index>> merged(last - first);
      std::vector<detail::BlendQuery<Scalar>> queries;
      std::vector<detail::WeightedOffsets> own_offsets;  // of the users in turn, where their weights differ
      own_offsets.reserve((last - first) * searched.offsets.size());
      for (std::size_t n = first; n < last; ++n) {
        detail::require_finite_row(factors, users[n], "user");
        const SparseRow votes = neighbours_.history(users[n]);
        RecommendOptions own = detail::options_of(users[n], options);
        own.exclude = detail::exclude_dislikes(own.exclude, votes, merged[n - first]);
        if (!detail::is_known(factors.row(users[n]))) {
          Recommendation unknown = detail::list_of_unknown(searched.counts, own);
          lists[n] = std::move(unknown.items);
          sources[n] = unknown.source;
          continue;
        }
        places.push_back(n);
        queries.push_back(
            {factors.row(users[n]).data(), votes, spread_of(factors.row(users[n])), detail::request_of(own, searched.counts)});
        queries.back().request.offsets = searched.offsets;
        if (searched.user_weights.empty()) continue;
        const std::size_t start = own_offsets.size();
        own_offsets.insert(own_offsets.end(), searched.offsets.begin(), searched.offsets.end());
        own_offsets[start].weight *= detail::weight_of_user(searched.user_weights, users[n]);
        queries.back().request.offsets = std::span<const detail::WeightedOffsets>(own_offsets).subspan(start);
      }
      std::vector<std::vector<Scored>> found = searches[worker].find(queries);
      for (std::size_t n = 0; n < places.size(); ++n)
        lists[places[n]] = detail::reranked(std::move(found[n]), detail::options_of(users[places[n]], options));
    });
    for (const auto& one : memory) works_.give_back(one);
  });
  return RankedLists(std::move(lists), std::move(sources));
}

template <Real Scalar>
RankedLists BlendedRecommender<Scalar>::recommend_all(std::span<const Index> users, const RecommendAllOptions& options) const {
  require_fitted();
  if (weight_ == 0.0) return factors_.recommend_all(users, options);
  detail::check_recommend_all(users, options, shape());
  return lists_of(users, options, popularity_weight(options.popularity_penalty, options.execution));
}

template <Real Scalar>
RankedLists BlendedRecommender<Scalar>::recommend_all(detail::EveryUser, const RecommendAllOptions& options) const {
  return recommend_all(all_users(), options);
}

template <Real Scalar>
void BlendedRecommender<Scalar>::recommend_all(std::span<const Index> users, const RecommendAllOptions& options,
                                               const detail::ListSink& sink) const {
  require_fitted();
  if (weight_ == 0.0) return factors_.recommend_all(users, options, sink);
  detail::check_recommend_all(users, options, shape());
  const float popularity = popularity_weight(options.popularity_penalty, options.execution);
  detail::hand_over(users, options, sink,
                    [&](std::span<const Index> some, const RecommendAllOptions& own) { return lists_of(some, own, popularity); });
}

template <Real Scalar>
void BlendedRecommender<Scalar>::recommend_all(detail::EveryUser, const RecommendAllOptions& options, const detail::ListSink& sink) const {
  recommend_all(all_users(), options, sink);
}

template <Real Scalar>
std::vector<Index> BlendedRecommender<Scalar>::all_users() const {
  std::vector<Index> users(static_cast<std::size_t>(shape().users));
  std::iota(users.begin(), users.end(), Index{0});
  return users;
}

template <Real Scalar>
Explanation BlendedRecommender<Scalar>::explain_history(const History& history, Index item, FoldInBackground background) const {
  require_fitted();
  Explanation explanation = factors_.explain(history, item, background);
  if (weight_ == 0.0) return explanation;
  const detail::CheckedRow checked(history.items, "interactions", shape().items);
  const detail::VoteRow votes(checked.row(), neighbours_.scale());
  const std::vector<Scalar> x = factors_.fold_in(history, {.background = background});
  detail::VoteTally tally(static_cast<std::size_t>(neighbours_.shape().items));
  neighbours_.add_votes(votes.row(), tally);
  const detail::VoteUnit unit = detail::vote_unit(tally, weight_, spread_of(std::span<const Scalar>(x)));
  for (const Scored& part : neighbours_.votes_for(votes.row(), item)) {
    const auto place =
        std::find_if(explanation.parts.begin(), explanation.parts.end(), [&](const Scored& one) { return one.item == part.item; });
    place->score += unit.factor * part.score;
    explanation.score += unit.factor * part.score;
  }
  std::sort(explanation.parts.begin(), explanation.parts.end(), ranks_before);
  return explanation;
}

template <Real Scalar>
void BlendedRecommender<Scalar>::refit_users(std::span<const Index> users, const CsrView& rows, const Execution& execution) {
  require_fitted();
  (void)popularity_scale(execution);  // that of the fit, whenever it is asked for
  std::vector<detail::VoteRow> votes = neighbours_.votes_of(rows);
  neighbours_.reserve_votes(votes.size());
  factors_.refit_users(users, rows, execution);
  neighbours_.put_votes(users, std::move(votes));
}

template <Real Scalar>
Index BlendedRecommender<Scalar>::append_users(const CsrView& rows, const Execution& execution) {
  require_fitted();
  (void)popularity_scale(execution);
  std::vector<detail::VoteRow> votes = neighbours_.votes_of(rows);
  neighbours_.reserve_votes(votes.size());
  std::vector<Index> users(votes.size());
  std::iota(users.begin(), users.end(), shape().users);
  const Index first = factors_.append_users(rows, execution);
  neighbours_.put_votes(users, std::move(votes));
  return first;
}

template <Real Scalar>
void BlendedRecommender<Scalar>::refit_items(std::span<const Index> items, const CsrView& columns, const Execution& execution) {
  require_fitted();
  (void)popularity_scale(execution);
  factors_.refit_items(items, columns, execution);
  works_.clear();
}

template <Real Scalar>
Index BlendedRecommender<Scalar>::append_items(const CsrView& columns, const Execution& execution) {
  require_fitted();
  (void)popularity_scale(execution);
  const Index first = factors_.append_items(columns, execution);
  works_.clear();
  return first;
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
