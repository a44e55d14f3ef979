// SPDX-License-Identifier: MIT
#pragma once

// The bodies of the updates of models/implicit_als.hpp: included by models/implicit_als.ipp.

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
#include <kindred/linalg/eigenbasis.hpp>
#include <kindred/linalg/gram.hpp>
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
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0::inline KINDRED_BUILD {

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
Index ImplicitALS<Scalar>::append_users(const CsrView& rows, const FeatureTable& features, const Execution& execution) {
  require_fitted();
  detail::check_shape("rows", rows.shape(), "what the model takes", {rows.rows(), shape().items});
  detail::check_new_features(features, features_.users.table, "users", rows.rows());
  const Index first = shape().users;
  CsrMatrix cleaned;
  update(Side::users, detail::indices_from(first, rows.rows()), detail::without_stored_zeros(rows, cleaned), "append_users", execution,
         &features.matrix());
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
Index ImplicitALS<Scalar>::append_items(const CsrView& columns, const FeatureTable& features, const Execution& execution) {
  require_fitted();
  detail::check_shape("columns", columns.shape(), "what the model takes", {shape().users, columns.cols()});
  detail::check_new_features(features, features_.items.table, "items", columns.cols());
  const Index first = shape().items;
  CsrMatrix cleaned;
  update(Side::items, detail::indices_from(first, columns.cols()), transpose(detail::without_stored_zeros(columns, cleaned)),
         "append_items", execution, &features.matrix());
  return first;
}

template <Real Scalar>
detail::FixedSide<Scalar> ImplicitALS<Scalar>::fixed_items() const {
  detail::ItemBias<Scalar> bias;
  if (!item_bias_.empty())
    bias = {item_bias_, pull_.get_or_make([&] { return detail::pull_of(items_, item_bias_, weights_.background(Side::items)); })};
  if (!item_system_) return {items_, eigenvalues_, nullptr, bias};
  return {items_, item_system_->basis().values, &item_system_->basis(), bias};
}

template <Real Scalar>
detail::FixedSide<Scalar> ImplicitALS<Scalar>::fixed_users(const detail::ParallelOptions& parallel) {
  const double unit = bias_unit();
  if (!user_system_)
    user_system_.emplace(
        detail::gram(unit > 0.0 ? detail::lifted(users_, unit, parallel) : users_, weights_.background(Side::users), parallel, simd_));
  user_system_->diagonalise(weights_.settings().factors + (unit > 0.0 ? 1 : 0), parallel, simd_);
  return {users_, user_system_->basis().values, &user_system_->basis(), {}, unit};
}

template <Real Scalar>
void ImplicitALS<Scalar>::update(Side side, std::span<const Index> rows, const CsrView& known, std::string_view where,
                                 const Execution& execution, const CsrMatrix* features) {
  if (rows.empty()) return;
  (void)this->popularity_scale(execution);  // that of the fit, whenever it is asked for
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

  detail::FeatureSide<Scalar>& maps = features_.of(side);
  const bool has_features = maps.table.columns().size() > 0;
  detail::UpdatedFeatures beside = has_features ? detail::updated_features(maps.table, rows, features) : detail::UpdatedFeatures{};
  const detail::FoldInFeatures<Scalar> known_features{has_features ? &maps : nullptr, beside.rows.view(), beside.are_new};

  // Rows are solved with the counts that they will have, which their background follows from.
  const bool dislikes = std::any_of(known.values().begin(), known.values().end(), [](float value) { return value < 0.0F; });
  weights_.reserve(side, rows.size(), dislikes);
  const detail::AlsWeights::Mark mark = weights_.mark(side, rows);
  try {
    const FactorMatrix<Scalar>& before = of_users ? users_ : items_;
    // What the Gram matrix of the side has of a row.
    std::vector<Scalar> wide(weights_.settings().factors + 1);
    const auto in_system = [&](std::span<const Scalar> x) {
      if (!of_users || item_bias_.empty()) return x;
      detail::lift<Scalar>(x, bias_unit(), wide);
      return std::span<const Scalar>(wide);
    };
    for (const Index row : rows)
      if (changed && row < before.rows()) changed->add(in_system(before.row(row)), -weight_of(row));
    const std::vector<Index> counts = row_counts(known);
    std::vector<Index> likes;
    for (std::size_t n = 0; n < rows.size(); ++n) {
      likes.push_back(static_cast<Index>(weights_.likes_of(known.row(static_cast<Index>(n)))));
      weights_.set_count(side, rows[n], counts[n], likes[n]);
    }
    FactorMatrix<Scalar> solved =
        detail::fold_in_rows<Scalar>(weights_, side, fixed, known, rows, {.execution = run}, where, known_features);
    std::vector<float> biases;
    if (fixed.unit > 0.0) {
      std::tie(solved, biases) = detail::without_bias(solved, fixed.unit, parallel);
      if (item_bias_.size() + rows.size() > item_bias_.capacity())
        item_bias_.reserve((std::max)(item_bias_.size() + rows.size(), 2 * item_bias_.capacity()));
    }
    if (changed) {
      for (std::size_t n = 0; n < rows.size(); ++n)
        changed->add(in_system(std::as_const(solved).row(static_cast<Index>(n))), weight_of(rows[n]));
      if (!of_users) changed->diagonalise(weights_.settings().factors, parallel, simd_);
    }
    for (std::size_t n = 0; n < rows.size(); ++n)
      if (has_features && likes[n] == 0 && detail::is_known(std::as_const(solved).row(static_cast<Index>(n)))) likes[n] = -1;
    for (std::size_t n = 0; n < biases.size(); ++n)
      if (likes[n] == -1) biases[n] = mean_bias();
    this->put_rows(of_users ? users_ : items_, of_users ? user_counts_ : item_counts_, rows, solved, likes);
    for (std::size_t n = 0; n < biases.size(); ++n) {
      if (static_cast<std::size_t>(rows[n]) == item_bias_.size()) item_bias_.push_back(0.0F);
      item_bias_[static_cast<std::size_t>(rows[n])] = biases[n];
    }
  } catch (...) {
    weights_.restore(side, rows, mark);
    throw;
  }
  own = std::move(changed);
  if (beside.are_new) maps.table = std::move(beside.grown);
  solvers_.clear();
  this->forget_users();
  if (of_users) return;
  this->forget_items();
  pull_.reset();
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
  detail::rotate_features(copy.features_, basis, parallel, simd_);
  copy.eigenvalues_ = std::move(basis.values);
  copy.item_system_.reset();
  copy.user_system_.reset();
  copy.changed_items_ = 0;
  copy.pull_.reset();
  copy.forget_items();
  copy.forget_users();
  return copy;
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
