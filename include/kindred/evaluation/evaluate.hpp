// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/evaluation/evaluate_options.hpp>
#include <kindred/evaluation/lists_of.hpp>
#include <kindred/evaluation/report.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0 {

namespace detail {

/// evaluate() of interactions that need not fit into memory. `train` holds no zeros.
[[nodiscard]] KINDRED_ONCE RankingReport evaluate_rows(const ListsOf& model, const RowsRef& train, const RowsRef& test,
                                                       const EvaluateOptions& options);

}  // namespace detail

/// Measures how well `model` ranks the interactions of `test` that it was not shown.
///
/// `train`, `test`: n_users x n_items, the shape of the model; stored zeros are no interactions. Test items are those with a value above 0; users
/// without any are counted, not averaged. Users without train data are averaged and counted: what the model lists for them, or options.fallback, or 0.
/// The report counts what makes figures doubtful, test items that are in train for one, and its protocol names what it found.
/// All cutoffs come from one list a user. O(cost of the lists + users * (largest cutoff * log + test items)).
/// @throws ShapeError if shapes differ; InvalidArgument if an option is not valid, no user has a test item, all test items are in train and left out of the
/// lists, all lists are empty, or the model lists an item that is not there, an item twice, a score that is no number, or another number of lists than users; Cancelled; what the model and
/// the progress callback throw.
template <RecommenderModel Model>
[[nodiscard]] RankingReport evaluate(const Model& model, const CsrView& train, const CsrView& test, const EvaluateOptions& options = {}) {
  CsrMatrix cleaned;
  const CsrView known = detail::without_stored_zeros(train, cleaned);
  return detail::evaluate_rows(detail::lists_of(model), detail::RowsRef(known), detail::RowsRef(test), options);
}

/// The same, of interactions of which one or both need not fit into memory: the same report. Beside the model, memory for a block of each, and for the lists
/// and scores of all users measured. @throws as the overload for views does, and what the sources throw.
template <RecommenderModel Model, detail::RowSource Train, detail::RowSource Test>
requires(!std::convertible_to<const Train&, CsrView> || !std::convertible_to<const Test&, CsrView>) [[nodiscard]] RankingReport
    evaluate(const Model& model, const Train& train, const Test& test, const EvaluateOptions& options = {}) {
  if constexpr (std::convertible_to<const Train&, CsrView>) {
    CsrMatrix cleaned;
    const CsrView known = detail::without_stored_zeros(train, cleaned);
    return detail::evaluate_rows(detail::lists_of(model), detail::RowsRef(known), detail::RowsRef(test), options);
  } else {
    return detail::evaluate_rows(detail::lists_of(model), detail::RowsRef(train), detail::RowsRef(test), options);
  }
}

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/evaluation/evaluate.ipp>  // IWYU pragma: export
#endif
