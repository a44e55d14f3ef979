// SPDX-License-Identifier: MIT
#pragma once

// The bodies of models/implicit_als.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/team.hpp>
#include <kindred/core/thread_team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/feature_table.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/data/transposed.hpp>
#include <kindred/linalg/eigenbasis.hpp>
#include <kindred/linalg/gram.hpp>
#include <kindred/models/als/feature_fit.hpp>
#include <kindred/models/als/feature_report.hpp>
#include <kindred/models/als/features.hpp>
#include <kindred/models/als/fit.hpp>
#include <kindred/models/als/fold_in.hpp>
#include <kindred/models/als/item_bias.hpp>
#include <kindred/models/als/prior_mean.hpp>
#include <kindred/models/als/shared_fit.hpp>
#include <kindred/models/als/side_system.hpp>
#include <kindred/models/als/state.hpp>
#include <kindred/models/als/weights.hpp>
#include <kindred/models/factor_model.ipp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/implicit_als_updates.ipp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0::inline KINDRED_BUILD {

template <Real Scalar>
ImplicitALS<Scalar>::ImplicitALS(detail::AlsState<Scalar> state, SimdLevel simd, detail::IndexItems index,
                                 const detail::ParallelOptions& parallel)
    : FactorModel<Scalar>(std::move(state.users), std::move(state.items),
                          {state.weights.likes(Side::users).begin(), state.weights.likes(Side::users).end()},
                          {state.weights.likes(Side::items).begin(), state.weights.likes(Side::items).end()}, simd),
      options_(std::move(state.options)),
      weights_(std::move(state.weights)),
      eigenvalues_(std::move(state.eigenvalues)),
      features_(std::move(state.features)) {
  item_bias_ = std::move(state.item_bias);
  detail::mark_by_features(features_.users, users_, user_counts_);
  detail::mark_by_features(features_.items, items_, item_counts_);
  if (fitted() && index == detail::IndexItems::now) this->build_index(parallel);
  if (state.popularity_scale) this->set_popularity_scale(*state.popularity_scale);
  if (state.score_spread) this->set_score_spread(*state.score_spread);
  if (!state.offsets.values.empty()) this->set_item_offsets(std::move(state.offsets));
}

template <Real Scalar>
detail::AlsState<Scalar>
ImplicitALS<Scalar>::release() && {  // without offsets and the scale of popularity: a fit that goes on will have another one
  detail::AlsState<Scalar> state{options_,
                                 std::move(weights_),
                                 std::move(users_),
                                 std::move(items_),
                                 std::move(eigenvalues_),
                                 std::move(features_),
                                 std::move(item_bias_)};
  *this = ImplicitALS(state.options);
  return state;
}

template <Real Scalar>
void ImplicitALS<Scalar>::check_data(const CsrView& data) const {
  require_fitted();
  detail::check_shape("data", data.shape(), "the model", shape());
  CsrMatrix cleaned;
  weights_.check_counts(detail::without_stored_zeros(data, cleaned));
}

template <Real Scalar>
FitReport ImplicitALS<Scalar>::fit(const CsrView& given, const FitOptions& fit_options) {
  const detail::Stopwatch total;
  FitReport report;
  detail::together(fit_options.team, [&] {
    CsrMatrix cleaned;
    const CsrView train = detail::without_stored_zeros(given, cleaned, detail::loop_of(fit_options.execution, 1));
    detail::check_fit(options_, train.shape(), train.nnz(), true, fitted(), fit_options);
    const detail::Transposed by_items(train, detail::loop_of(fit_options.execution, 1));
    report = fit_checked(detail::SideRef(train), detail::SideRef(by_items.view()), fit_options, total);
  });
  return report;
}

template <Real Scalar>
FitReport ImplicitALS<Scalar>::fit_sides(const detail::SideRef& users, const detail::SideRef& items, const FitOptions& fit_options) {
  const detail::Stopwatch total;
  FitReport report;
  detail::together(fit_options.team, [&] {
    detail::check_fit(options_, users.rows.shape(), users.rows.nnz(), users.rows.in_memory(), fitted(), fit_options);
    report = fit_checked(users, items, fit_options, total);
  });
  return report;
}

template <Real Scalar>
FitReport ImplicitALS<Scalar>::fit_checked(const detail::SideRef& users, const detail::SideRef& items, const FitOptions& fit_options,
                                           const detail::Stopwatch& total) {
  const detail::RowsRef &train = users.rows, &by_items = items.rows;
  detail::check_shape("train by items", {by_items.cols(), by_items.rows()}, "train", train.shape());
  if (by_items.nnz() != train.nnz())
    throw ShapeError("train by items holds " + std::to_string(by_items.nnz()) + " interactions; train holds " +
                     std::to_string(train.nnz()));
  auto [done, level] = fit_options.team != nullptr ? detail::fit_by_team<Scalar>(options_, users, items, fit_options, total)
                                                   : detail::fit_alone<Scalar>(options_, train, by_items, fit_options, total);
  auto& [state, report] = done;
  *this = ImplicitALS(std::move(state), level, detail::IndexItems::now, detail::loop_of(fit_options.execution, 1));
  report.seconds = total.seconds();
  return std::move(report);
}

template <Real Scalar>
Recommendation ImplicitALS<Scalar>::recommend(const SparseRow& interactions, const RecommendOptions& options) const {
  return recommend_history({.items = interactions}, options);
}

template <Real Scalar>
Recommendation ImplicitALS<Scalar>::recommend_history(const History& history, const RecommendOptions& options) const {
  require_fitted();
  detail::check_recommend(options, shape().items);
  detail::check_history(history);
  const std::vector<Scalar> x = fold_in_history(history, {.background = FoldInBackground::by_history});
  Recommendation list = this->list_for(x, options, history.offset_weight);
  if (list.source == ListSource::model && detail::count_likes(history.items) == 0) list.source = ListSource::features;
  return list;
}

template <Real Scalar>
detail::CheckedRow ImplicitALS<Scalar>::checked_features(Side side, const SparseRow& features) const {
  const Index columns = features_.of(side).table.columns().size();
  if (columns == 0 && !features.empty())
    throw InvalidArgument("features", std::to_string(features.size()) + " of them",
                          std::string("none: the model was fitted without features of ") + (side == Side::users ? "users" : "items"));
  return detail::CheckedRow(features, "features", columns);
}

template <Real Scalar>
std::vector<Scalar> ImplicitALS<Scalar>::fold_in(const SparseRow& interactions, const FoldInOptions& options) const {
  return fold_in_history({.items = interactions}, options);
}

template <Real Scalar>
std::vector<Scalar> ImplicitALS<Scalar>::fold_in_history(const History& history, const FoldInOptions& options) const {
  require_fitted();
  const detail::CheckedRow checked(history.items, "interactions", shape().items);
  const detail::CheckedRow known = checked_features(Side::users, history.features);
  detail::PriorMean<Scalar> prior(features_.users, prior_kind(options.background), simd_);
  std::vector<Scalar> x(weights_.settings().factors);
  auto solver = solvers_.take([&] { return detail::AlsFoldIn<Scalar>(weights_, Side::users, fixed_items(), simd_); });
  solver->solve(0, checked.row(), weights_.new_user_background(weights_.likes_of(checked.row())), options.background, "fold_in", x,
                prior.of(known.row(), detail::count_likes(checked.row())));
  solvers_.give_back(std::move(solver));
  return x;
}

template <Real Scalar>
FactorMatrix<Scalar> ImplicitALS<Scalar>::fold_in_all(const CsrView& rows, const FoldInOptions& options) const {
  require_fitted();
  detail::check_shape("rows", rows.shape(), "what the model takes", {rows.rows(), shape().items});
  CsrMatrix cleaned;
  return detail::fold_in_rows<Scalar>(weights_, Side::users, fixed_items(), detail::without_stored_zeros(rows, cleaned), {},
                                      {options.background, run_of(options.execution)}, "fold_in_all");
}

template <Real Scalar>
Explanation ImplicitALS<Scalar>::explain(const SparseRow& interactions, Index item, FoldInBackground background) const {
  return explain_history({.items = interactions}, item, background);
}

template <Real Scalar>
Explanation ImplicitALS<Scalar>::explain_history(const History& history, Index item, FoldInBackground background) const {
  require_fitted();
  detail::check_item(item, shape());
  const detail::CheckedRow checked(history.items, "interactions", shape().items);
  const detail::CheckedRow known = checked_features(Side::users, history.features);
  detail::PriorMean<Scalar> means(features_.users, prior_kind(background), simd_);
  const std::span<const Scalar> prior = means.of(known.row(), detail::count_likes(checked.row()));
  std::vector<Scalar> along(prior.size());
  Explanation explanation =
      detail::AlsFoldIn<Scalar>(weights_, Side::users, fixed_items(), simd_)
          .explain(checked.row(), weights_.new_user_background(weights_.likes_of(checked.row())), background, item, prior, along);
  // The prior mean adds along . m, of which a feature brings along . A_f (f - centre_f).
  for (std::size_t f = 0; f < prior.size(); ++f) explanation.mean += static_cast<double>(along[f]) * static_cast<double>(prior[f]);
  if (prior.empty() || (background == FoldInBackground::by_history && !features_.users.informs())) return explanation;
  const FactorMatrix<Scalar>& map = features_.users.map(prior_kind(background));
  for (std::size_t n = 0; n < known.columns.size(); ++n) {
    const std::span<const Scalar> row = map.row(known.columns[n]);
    double part = 0.0;
    for (std::size_t f = 0; f < row.size(); ++f) part += static_cast<double>(along[f]) * static_cast<double>(row[f]);
    part *= static_cast<double>(known.values[n]) - features_.users.centre[static_cast<std::size_t>(known.columns[n])];
    explanation.features.push_back({known.columns[n], part});
    explanation.mean -= part;
  }
  std::sort(explanation.features.begin(), explanation.features.end(), ranks_before);
  return explanation;
}

template <Real Scalar>
FitReport::Explained ImplicitALS<Scalar>::explained(Side side, const Execution& execution) const {
  require_fitted();
  if (features_.of(side).table.columns().size() == 0) return {};
  const std::vector<double> penalties = detail::penalties_of(weights_, side);
  detail::ThreadTeam team(execution.executor);
  const Execution run{.threads = detail::resolve_threads(execution.threads), .executor = team.executor(), .simd = simd_};
  return detail::FeatureExplanation<Scalar>(features_.of(side), side == Side::users ? users_ : items_, penalties, run).run();
}

template <Real Scalar>
std::vector<Scored> ImplicitALS<Scalar>::recommend_users(const SparseRow& item_features, const RecommendOptions& options) const {
  require_fitted();
  detail::check_filters(options.exclude, options.filter, "a user", shape().users);
  detail::check_rerank(options.rerank, shape().users, "users");
  detail::check_popularity_penalty(options.popularity_penalty, "users are listed, not items");
  const detail::CheckedRow known = checked_features(Side::items, item_features);
  detail::PriorMean<Scalar> prior(features_.items, detail::MapKind::cold, simd_);
  const std::span<const Scalar> y = prior.of(known.row());
  return y.empty() ? std::vector<Scored>{} : this->users_for(y, mean_bias(), options);
}

template <Real Scalar>
double ImplicitALS<Scalar>::bias_unit() const noexcept {
  return item_bias_.empty() ? 0.0 : detail::bias_unit(*weights_.settings().item_bias);
}

template <Real Scalar>
float ImplicitALS<Scalar>::mean_bias() const {
  double sum = 0.0, count = 0.0;
  for (std::size_t i = 0; i < item_bias_.size(); ++i) {
    if (item_counts_[i] <= 0) continue;
    sum += static_cast<double>(item_bias_[i]);
    count += 1.0;
  }
  return count > 0.0 ? static_cast<float>(sum / count) : 0.0F;
}

template <Real Scalar>
double ImplicitALS<Scalar>::squared_scores(std::span<const Scalar> x) const noexcept {
  if (item_system_) return (std::max)(item_system_->sum_of_squares(x), 0.0);
  double sum = 0.0;
  for (std::size_t f = 0; f < x.size(); ++f) sum += eigenvalues_[f] * static_cast<double>(x[f]) * static_cast<double>(x[f]);
  return sum;
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
