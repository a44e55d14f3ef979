// SPDX-License-Identifier: MIT
#pragma once

// The bodies of evaluation/evaluate.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

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
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/evaluation/evaluate_options.hpp>
#include <kindred/evaluation/groups.hpp>
#include <kindred/evaluation/list_measurement.hpp>
#include <kindred/evaluation/lists_of.hpp>
#include <kindred/evaluation/measured_lists.hpp>
#include <kindred/evaluation/protocol.hpp>
#include <kindred/evaluation/report.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0 {

namespace detail {

KINDRED_ONCE RankingReport evaluate_rows(const ListsOf& model, const RowsRef& train, const RowsRef& test, const EvaluateOptions& options,
                                         const EvaluatePartners* partners) {
  check_shape("train", train.shape(), "the model", model.shape);
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
  ListMeasurement(model, options, train.shape(), lists, report)
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

}  // namespace kindred::inline v0
