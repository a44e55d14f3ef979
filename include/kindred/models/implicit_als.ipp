// SPDX-License-Identifier: MIT
#pragma once

// The bodies of models/implicit_als.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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
#include <kindred/data/interaction_source.hpp>
#include <kindred/linalg/eigenbasis.hpp>
#include <kindred/linalg/gram.hpp>
#include <kindred/models/als/fit.hpp>
#include <kindred/models/als/fold_in.hpp>
#include <kindred/models/als/shared_fit.hpp>
#include <kindred/models/als/side_system.hpp>
#include <kindred/models/als/state.hpp>
#include <kindred/models/als/weights.hpp>
#include <kindred/models/factor_model.ipp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0::inline KINDRED_BUILD {

template <Real Scalar>
ImplicitALS<Scalar>::ImplicitALS(detail::AlsState<Scalar> state, SimdLevel simd, detail::IndexItems index)
    : FactorModel<Scalar>(std::move(state.users), std::move(state.items),
                          {state.weights.counts(Side::users).begin(), state.weights.counts(Side::users).end()},
                          {state.weights.counts(Side::items).begin(), state.weights.counts(Side::items).end()}, simd),
      options_(std::move(state.options)),
      weights_(std::move(state.weights)),
      eigenvalues_(std::move(state.eigenvalues)) {
  if (fitted() && index == detail::IndexItems::now) this->build_index();
}

template <Real Scalar>
detail::AlsState<Scalar> ImplicitALS<Scalar>::release() && {
  detail::AlsState<Scalar> state{options_, std::move(weights_), std::move(users_), std::move(items_), std::move(eigenvalues_)};
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
    const CsrView train = detail::without_stored_zeros(given, cleaned);
    detail::check_fit(options_, train.shape(), train.nnz(), true, fitted(), fit_options);
    const CsrMatrix by_items = transpose(train);
    report = fit_checked(detail::SideRef(train), detail::SideRef(CsrView(by_items)), fit_options, total);
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
  *this = ImplicitALS(std::move(state), level);
  report.seconds = total.seconds();
  return std::move(report);
}

template <Real Scalar>
Recommendation ImplicitALS<Scalar>::recommend(const SparseRow& interactions, const RecommendOptions& options) const {
  require_fitted();
  detail::check_recommend(options, shape().items);
  const std::vector<Scalar> x = fold_in(interactions, {.background = FoldInBackground::by_history});
  return this->list_for(x, options);
}

template <Real Scalar>
std::vector<Scalar> ImplicitALS<Scalar>::fold_in(const SparseRow& interactions, const FoldInOptions& options) const {
  require_fitted();
  const detail::CheckedRow checked(interactions, "interactions", shape().items);
  std::vector<Scalar> x(weights_.settings().factors);
  auto solver = solvers_.take([&] { return detail::AlsFoldIn<Scalar>(weights_, Side::users, fixed_items(), simd_); });
  solver->solve(0, checked.row(), weights_.new_user_background(weights_.likes_of(checked.row())), options.background, "fold_in", x);
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
  require_fitted();
  detail::check_item(item, shape());
  const detail::CheckedRow checked(interactions, "interactions", shape().items);
  return detail::AlsFoldIn<Scalar>(weights_, Side::users, fixed_items(), simd_)
      .explain(checked.row(), weights_.new_user_background(weights_.likes_of(checked.row())), background, item);
}

template <Real Scalar>
void ImplicitALS<Scalar>::refit_users(std::span<const Index> users, const CsrView& rows, const Execution& execution) {
  require_fitted();
  detail::check_index_list(users, "users", "a user", shape().users);
  detail::check_shape("rows", rows.shape(), "what these users need", {static_cast<Index>(users.size()), shape().items});
  CsrMatrix cleaned;
  update(Side::users, users, detail::without_stored_zeros(rows, cleaned), "refit_users", execution);
}

template <Real Scalar>
Index ImplicitALS<Scalar>::append_users(const CsrView& rows, const Execution& execution) {
  require_fitted();
  detail::check_shape("rows", rows.shape(), "what the model takes", {rows.rows(), shape().items});
  const Index first = shape().users;
  CsrMatrix cleaned;
  update(Side::users, detail::indices_from(first, rows.rows()), detail::without_stored_zeros(rows, cleaned), "append_users", execution);
  return first;
}

template <Real Scalar>
void ImplicitALS<Scalar>::refit_items(std::span<const Index> items, const CsrView& columns, const Execution& execution) {
  require_fitted();
  detail::check_index_list(items, "items", "an item", shape().items);
  detail::check_shape("columns", columns.shape(), "what these items need", {shape().users, static_cast<Index>(items.size())});
  CsrMatrix cleaned;
  update(Side::items, items, transpose(detail::without_stored_zeros(columns, cleaned)), "refit_items", execution);
}

template <Real Scalar>
Index ImplicitALS<Scalar>::append_items(const CsrView& columns, const Execution& execution) {
  require_fitted();
  detail::check_shape("columns", columns.shape(), "what the model takes", {shape().users, columns.cols()});
  const Index first = shape().items;
  CsrMatrix cleaned;
  update(Side::items, detail::indices_from(first, columns.cols()), transpose(detail::without_stored_zeros(columns, cleaned)),
         "append_items", execution);
  return first;
}

template <Real Scalar>
detail::FixedSide<Scalar> ImplicitALS<Scalar>::fixed_items() const noexcept {
  if (!item_system_) return {items_, eigenvalues_, nullptr};
  return {items_, item_system_->basis().values, &item_system_->basis()};
}

template <Real Scalar>
detail::FixedSide<Scalar> ImplicitALS<Scalar>::fixed_users(const detail::ParallelOptions& parallel) {
  if (!user_system_) user_system_.emplace(detail::gram(users_, weights_.background(Side::users), parallel, simd_));
  user_system_->diagonalise(weights_.settings().factors, parallel, simd_);
  return {users_, user_system_->basis().values, &user_system_->basis()};
}

template <Real Scalar>
void ImplicitALS<Scalar>::update(Side side, std::span<const Index> rows, const CsrView& known, std::string_view where,
                                 const Execution& execution) {
  if (rows.empty()) return;
  const bool of_users = side == Side::users;
  detail::ThreadTeam team(execution.executor);
  const Execution run{.threads = detail::resolve_threads(execution.threads), .executor = team.executor(), .simd = simd_};
  const detail::ParallelOptions parallel = detail::loop_of(run, 1);
  const detail::FixedSide<Scalar> fixed = of_users ? fixed_items() : fixed_users(parallel);
  std::optional<detail::SideSystem>& own = of_users ? user_system_ : item_system_;
  std::optional<detail::SideSystem> changed = own;
  if (!of_users && !changed) changed.emplace(std::span<const double>(eigenvalues_));
  const auto weight_of = [&](Index row) {
    const std::span<const double> background = weights_.background(side);
    return background.empty() ? 1.0 : background[static_cast<std::size_t>(row)];
  };

  // Rows are solved with the counts that they will have, which their background follows from.
  const bool dislikes = std::any_of(known.values().begin(), known.values().end(), [](float value) { return value < 0.0F; });
  weights_.reserve(side, rows.size(), dislikes);
  const detail::AlsWeights::Mark mark = weights_.mark(side, rows);
  try {
    const FactorMatrix<Scalar>& before = of_users ? users_ : items_;
    for (const Index row : rows)
      if (changed && row < before.rows()) changed->add(before.row(row), -weight_of(row));
    const std::vector<Index> counts = row_counts(known);
    for (std::size_t n = 0; n < rows.size(); ++n) {
      const auto likes = static_cast<Index>(weights_.likes_of(known.row(static_cast<Index>(n))));
      weights_.set_count(side, rows[n], counts[n], likes);
    }
    const FactorMatrix<Scalar> solved = detail::fold_in_rows<Scalar>(weights_, side, fixed, known, rows, {.execution = run}, where);
    if (changed) {
      for (std::size_t n = 0; n < rows.size(); ++n) changed->add(solved.row(static_cast<Index>(n)), weight_of(rows[n]));
      if (!of_users) changed->diagonalise(weights_.settings().factors, parallel, simd_);
    }
    this->put_rows(of_users ? users_ : items_, of_users ? user_counts_ : item_counts_, rows, solved, counts);
  } catch (...) {
    weights_.restore(side, rows, mark);
    throw;
  }
  own = std::move(changed);
  solvers_.clear();
  this->forget_users();
  if (of_users) return;
  this->forget_items();
  changed_items_ += rows.size();
  if (8 * changed_items_ >= static_cast<std::size_t>(shape().items))
    *this = settled(execution);  // so that turning rows for a solve stays rare
}

template <Real Scalar>
ImplicitALS<Scalar> ImplicitALS<Scalar>::settled(const Execution& execution) const {
  ImplicitALS copy(*this);
  if (is_settled()) return copy;
  detail::ThreadTeam team(execution.executor);
  const detail::ParallelOptions parallel{.threads = detail::resolve_threads(execution.threads), .executor = team.executor()};
  detail::Eigenbasis basis = detail::eigenbasis(detail::gram(items_, weights_.background(Side::items), parallel, simd_),
                                                weights_.settings().factors, parallel, simd_);
  detail::rotate(copy.items_, basis, parallel, simd_);
  detail::rotate(copy.users_, basis, parallel, simd_);
  copy.eigenvalues_ = std::move(basis.values);
  copy.item_system_.reset();
  copy.user_system_.reset();
  copy.changed_items_ = 0;
  copy.forget_items();
  copy.forget_users();
  return copy;
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
