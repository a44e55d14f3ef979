// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/lazy.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/thread_team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/linalg/eigenbasis.hpp>
#include <kindred/linalg/gram.hpp>
#include <kindred/models/als/automatic.hpp>
#include <kindred/models/als/fit.hpp>
#include <kindred/models/als/fold_in.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/models/als/report.hpp>
#include <kindred/models/als/shared_fit.hpp>
#include <kindred/models/als/side_system.hpp>
#include <kindred/models/als/state.hpp>
#include <kindred/models/als/weights.hpp>
#include <kindred/models/factor_model.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0::inline KINDRED_BUILD {

/// Implicit alternating least squares: users and items as vectors whose inner product ranks what a user will like.
///
/// The objective is written out at AlsOptions. Every row is solved exactly by default, in the eigenbasis of the other side's Gram matrix
/// (linalg/row_solver.hpp). The same binary gives the same bytes for any number of threads. const methods may be called from many threads.
///
/// Sources: Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008; Rendle, Krichene, Zhang, Koren,
/// "Revisiting the performance of iALS on item recommendation benchmarks", RecSys 2022.
template <Real Scalar = float>
class ImplicitALS : public FactorModel<Scalar> {
 public:
  using FitOptions = detail::AlsFitOptions<Scalar>;
  using FactorModel<Scalar>::fitted;
  using FactorModel<Scalar>::shape;
  using FactorModel<Scalar>::recommend;

  /// @throws InvalidArgument if an option is out of range.
  explicit ImplicitALS(AlsOptions options = {}) : options_(std::move(options)) { validate(options_); }

  /// Learns from `train`, n_users x n_items; stored zeros are no interactions, negative values are dislikes.
  ///
  /// Item factors start at random or, with Init::spectral, from an SVD of the likes, and users are solved from them
  /// once; then an iteration solves all items, then all users. So the items after n iterations are those of the more
  /// usual order (users, then items), and the stored users are the exact solution for the stored items.
  /// O(iterations * (sum over rows of min(n^2 k + n^3, n k^2 + k^3) + (users + items) k^2)).
  /// @throws InvalidArgument if `train` holds no interaction, a confidence is negative or memory_limit too low; ShapeError if initial factors do not fit;
  /// NumericalError if a system is singular or overflows, naming iteration, side, row, lambda and alpha; Cancelled; and what callbacks throw.
  /// Whatever it throws, the model is as it was.
  FitReport fit(const CsrView& train, const FitOptions& fit_options = {});

  /// Learns from interactions that need not fit into memory: the same bytes, and no more than a few numbers for each user and item beside the factors.
  /// Every iteration reads each side once, from its first block to its last.
  /// @throws as the overload for a CsrView; also InvalidArgument or ShapeError if a block is not what InteractionSource promises, and what the source throws.
  template <detail::StreamedSource Source>
  FitReport fit(const Source& train, const FitOptions& fit_options = {}) {
    if (fit_options.team != nullptr) {
      if constexpr (detail::ShareableSource<Source>) return fit_shared(train, fit_options);
      throw InvalidArgument("team", "set", "unset for a source of which a part of the rows cannot be read alone");
    }
    const detail::Stopwatch total;
    const detail::RowsRef rows(train);
    detail::check_fit(options_, rows.shape(), rows.nnz(), rows.in_memory(), fitted(), fit_options);
    const auto& by_items = transpose(train);
    return fit_rows(rows, detail::RowsRef(by_items), fit_options, total);
  }

  [[nodiscard]] const AlsOptions& options() const noexcept { return options_; }

  /// Eigenvalues of the items' weighted Gram matrix, falling, length factors, and the basis of both sides' factors: as of the fit, or of the last time
  /// that items were updated in number.
  [[nodiscard]] std::span<const double> eigenvalues() const noexcept { return eigenvalues_; }

  /// Throws unless `data` may hold what the model was fitted on, or updated with: no user and no item has fewer interactions there.
  /// After refit_users or append_users those of users are compared alone; after refit_items or append_items those of items. O(users + nnz).
  /// @throws NotFitted; ShapeError if the shape is another; InvalidArgument naming the first user or item with fewer.
  void check_data(const CsrView& data) const;

  /// The best eligible items by the interactions of a user that train does not hold: `recommend(row, {.exclude = row})`, folded in with
  /// FoldInBackground::by_history. The source of the
  /// list is ListSource::none, or that of options.fallback, if `interactions` hold no like. @throws as recommend and fold_in do.
  [[nodiscard]] Recommendation recommend(const SparseRow& interactions, const RecommendOptions& options = {}) const;

  /// The factors of a user with these interactions (column indices below n_items, strictly increasing), length factors. With the exact
  /// solver a row of train gives the bytes of that user's factors, whatever the user's index.
  /// @throws NotFitted; InvalidArgument if the row is not valid; NumericalError as fit does.
  [[nodiscard]] std::vector<Scalar> fold_in(const SparseRow& interactions, const FoldInOptions& options = {}) const;

  /// The factors of a user for every row of `rows`, n_new x n_items: n_new x factors. The same bytes for any number of threads.
  /// @throws as fold_in does; ShapeError if `rows` has another number of items.
  [[nodiscard]] FactorMatrix<Scalar> fold_in_all(const CsrView& rows, const FoldInOptions& options = {}) const;

  /// What each interaction adds to the score of `item` for a user with these interactions, by the exact solution whatever the solver.
  /// @throws as fold_in does; InvalidArgument if the item is out of range.
  [[nodiscard]] Explanation explain(const SparseRow& interactions, Index item, FoldInBackground background = FoldInBackground::full) const;

  // An update costs the solves of its rows, and memory that grows as a std::vector's does. Whatever it throws, the model is as it was.

  /// Solves `users` (strictly increasing) anew for the items as they are: row n of `rows`, users x n_items, is the FULL history of users[n], not
  /// what came on top. Other factors stay. @throws as fold_in_all does; InvalidArgument if `users` is not valid.
  void refit_users(std::span<const Index> users, const CsrView& rows, const Execution& execution = {});

  /// Adds a user for each row of `rows`, n_new x n_items. Returns the index of the first. @throws as fold_in_all does.
  Index append_users(const CsrView& rows, const Execution& execution = {});

  /// Solves `items` (strictly increasing) anew for the users as they are: column n of `columns`, n_users x items, is everything known of items[n].
  /// The first call after a fit also sums the users' Gram matrix, O(users factors^2), and each finds an eigenbasis, O(factors^3). Once an eighth of the
  /// items were updated, both sides turn into the new eigenbasis: scores then change by rounding alone.
  /// @throws NotFitted; ShapeError if `columns` is of another shape; InvalidArgument if `items` is not valid; NumericalError as fit does.
  void refit_items(std::span<const Index> items, const CsrView& columns, const Execution& execution = {});

  /// Adds an item for each column of `columns`, n_users x n_new, as refit_items does. Returns the index of the first.
  /// @throws NotFitted; ShapeError if `columns` has another number of users; NumericalError as fit does.
  Index append_items(const CsrView& columns, const Execution& execution = {});

  // ---- for code that keeps models in files, or fits them together with other processes ----

  /// A model of parts that belong together; without factors it is not fitted. O(items * factors) to index the items.
  explicit ImplicitALS(detail::AlsState<Scalar> state, SimdLevel simd, detail::IndexItems index = detail::IndexItems::now);
  /// The parts; the model is not fitted afterwards.
  [[nodiscard]] detail::AlsState<Scalar> release() &&;
  /// True if the factors are in the eigenbasis that eigenvalues() belongs to: false once items were updated, until enough of them were.
  [[nodiscard]] bool is_settled() const noexcept { return !item_system_; }
  /// The same model with its factors in the eigenbasis. O((users + items) factors^2).
  [[nodiscard]] ImplicitALS settled(const Execution& execution = {}) const;
  /// The weights of the objective, and the constants that the fit took from train.
  [[nodiscard]] const detail::AlsWeights& weights() const noexcept { return weights_; }

 private:
  using Side = detail::AlsSide;
  using FactorModel<Scalar>::users_;
  using FactorModel<Scalar>::items_;
  using FactorModel<Scalar>::user_counts_;
  using FactorModel<Scalar>::item_counts_;
  using FactorModel<Scalar>::simd_;
  using FactorModel<Scalar>::require_fitted;

  /// By all members of fit_options.team.
  template <detail::ShareableSource Source>
  FitReport fit_shared(const Source& train, FitOptions fit_options) {
    auto [state, report] = detail::fit_by_team<Scalar>(options_, train, fitted(), fit_options);
    *this = ImplicitALS(std::move(state), fit_options.execution.simd);
    return std::move(report);
  }
  FitReport fit_rows(const detail::RowsRef& train, const detail::RowsRef& by_items, const FitOptions& fit_options,
                     const detail::Stopwatch& total);
  [[nodiscard]] detail::FixedSide<Scalar> fixed_items() const noexcept {
    if (!item_system_) return {items_, eigenvalues_, nullptr};
    return {items_, item_system_->basis().values, &item_system_->basis()};
  }
  [[nodiscard]] detail::FixedSide<Scalar> fixed_users(const detail::ParallelOptions& parallel);
  /// Solves `rows` of one side, existing ones or the next new ones; row n of `known` (no zeros) is everything known of rows[n].
  void update(Side side, std::span<const Index> rows, const CsrView& known, std::string_view where, const Execution& execution);
  /// `execution` at the level of the model, whose bytes an update shares.
  [[nodiscard]] Execution run_of(Execution execution) const noexcept {
    execution.simd = simd_;
    return execution;
  }

  AlsOptions options_;
  detail::AlsWeights weights_;
  std::vector<double> eigenvalues_;
  std::optional<detail::SideSystem> user_system_;      // since items were updated
  std::optional<detail::SideSystem> item_system_;      // since then too: the factors are not in the eigenbasis any more
  std::size_t changed_items_ = 0;                      // since they were
  detail::Spares<detail::AlsFoldIn<Scalar>> solvers_;  // for fold_in
};

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
  CsrMatrix cleaned;
  const CsrView train = detail::without_stored_zeros(given, cleaned);
  if (fit_options.team != nullptr) return fit_shared(train, fit_options);
  detail::check_fit(options_, train.shape(), train.nnz(), true, fitted(), fit_options);
  const CsrMatrix by_items = transpose(train);
  return fit_rows(detail::RowsRef(train), detail::RowsRef(by_items), fit_options, total);
}

template <Real Scalar>
FitReport ImplicitALS<Scalar>::fit_rows(const detail::RowsRef& train, const detail::RowsRef& by_items, const FitOptions& fit_options,
                                        const detail::Stopwatch& total) {
  detail::check_shape("train by items", {by_items.cols(), by_items.rows()}, "train", train.shape());
  if (by_items.nnz() != train.nnz())
    throw ShapeError("train by items holds " + std::to_string(by_items.nnz()) + " interactions; train holds " +
                     std::to_string(train.nnz()));
  std::vector<Index> user_counts = detail::checked_row_counts(train, "train");
  std::vector<Index> item_counts = detail::checked_row_counts(by_items, "train by items");
  const detail::Stopwatch choice;
  const detail::AlsSettings settings = detail::settings_for<Scalar>(options_, train, fit_options.execution, fit_options.progress);
  const double choice_seconds = detail::leaves_open(options_) ? choice.seconds() : 0.0;
  detail::AlsWeights weights(settings, train, std::move(user_counts), std::move(item_counts), train.nnz());
  detail::AlsFit<Scalar> work(options_, std::move(weights), train, by_items, fit_options, total);
  auto [state, report] = work.run();
  report.choice_seconds = choice_seconds;
  report.prepare_seconds -= choice_seconds;
  *this = ImplicitALS(std::move(state), detail::resolve_level(fit_options.execution.simd));
  report.seconds = total.seconds();
  return report;
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

#if defined(KINDRED_COMPILED)
extern template class ImplicitALS<float>;  // in compiled/models.cpp
extern template class ImplicitALS<double>;
#endif

}  // namespace kindred::inline v0::inline KINDRED_BUILD
