// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/evaluation/averages.hpp>
#include <kindred/evaluation/evaluate_options.hpp>
#include <kindred/evaluation/groups.hpp>
#include <kindred/evaluation/list_measurement.hpp>
#include <kindred/evaluation/measured_lists.hpp>
#include <kindred/evaluation/protocol.hpp>
#include <kindred/evaluation/report.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0 {

namespace detail {

/// evaluate() of interactions that need not fit into memory. `train` holds no zeros. With partners, this process makes the lists of its share of the users.
template <RecommenderModel Model>
[[nodiscard]] RankingReport evaluate_rows(const Model& model, const RowsRef& train, const RowsRef& test, const EvaluateOptions& options,
                                          const EvaluatePartners* partners = nullptr) {
  check_shape("train", train.shape(), "the model", model.shape());
  check_shape("test", test.shape(), "train", train.shape());
  check_options(options, train.shape());

  RankingReport report;
  MeasuredLists lists;
  lists.item_users = count_item_users(train);
  lists.users = users_with_test(test, options, report);
  const std::size_t n_users = lists.users.size();
  lists.n_cutoffs = options.cutoffs.size();
  lists.length = (std::min)(options.cutoffs.back(), static_cast<std::size_t>(train.cols()));
  lists.items.assign(n_users * lists.length, -1);
  lists.scores.resize(n_users * lists.n_cutoffs);
  lists.facts.resize(n_users);
  if (options.item_groups) {
    lists.group_hits.assign(options.item_groups->names.size(), 0.0);
    for (const std::string& name : options.item_groups->names) report.item_groups.push_back({.name = name});
  }

  std::vector<std::uint64_t> shares = {0, n_users};  // where the users of each process begin
  if (partners != nullptr) {
    shares.resize(partners->size + 1);
    for (std::size_t r = 0; r <= partners->size; ++r) shares[r] = n_users * r / partners->size;
  }
  const std::size_t own = partners != nullptr ? partners->rank : 0;
  ListMeasurement<Model>(model, options, train.shape(), lists, report)
      .run(train, test, static_cast<std::size_t>(shares[own]), static_cast<std::size_t>(shares[own + 1]));
  if (partners != nullptr) gather_lists(*partners, shares, lists, report);

  report.users = static_cast<Index>(lists.users.size());
  if (options.seen == EvaluateOptions::SeenItems::excluded) check_overlap(report.test_interactions, report.test_items_in_train);
  if (report.users_without_list == report.users)
    throw InvalidArgument("the model", "without a list for any of " + std::to_string(report.users) + " users",
                          "one that has something to list: a fit on these users, or a fallback");
  report.protocol = protocol_text(options, report);
  add_averages(report, lists, options, train.rows());
  return report;
}

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
  return detail::evaluate_rows(model, detail::RowsRef(known), detail::RowsRef(test), options);
}

/// The same, of interactions of which one or both need not fit into memory: the same report. Beside the model, memory for a block of each, and for the lists
/// and scores of all users measured. @throws as the overload for views does, and what the sources throw.
template <RecommenderModel Model, detail::RowSource Train, detail::RowSource Test>
requires(!std::convertible_to<const Train&, CsrView> || !std::convertible_to<const Test&, CsrView>) [[nodiscard]] RankingReport
    evaluate(const Model& model, const Train& train, const Test& test, const EvaluateOptions& options = {}) {
  if constexpr (std::convertible_to<const Train&, CsrView>) {
    CsrMatrix cleaned;
    const CsrView known = detail::without_stored_zeros(train, cleaned);
    return detail::evaluate_rows(model, detail::RowsRef(known), detail::RowsRef(test), options);
  } else {
    return detail::evaluate_rows(model, detail::RowsRef(train), detail::RowsRef(test), options);
  }
}

}  // namespace kindred::inline v0
