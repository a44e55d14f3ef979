// SPDX-License-Identifier: MIT
#pragma once

// The bodies of evaluation/evaluate.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/team.hpp>
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

/// What a team that evaluates must have in common.
KINDRED_ONCE Digest digest_of(const EvaluateOptions& options, MatrixShape model, Offset train_nnz, Offset test_nnz) {
  Digest digest;
  digest.add("users", model.users);
  digest.add("items", model.items);
  digest.add("interactions of train", train_nnz);
  digest.add("interactions of test", test_nnz);
  digest.add("cutoffs", std::span<const std::size_t>(options.cutoffs));
  digest.add("seen", options.seen);
  digest.add("exclude", options.exclude ? options.exclude->columns() : std::span<const Index>());
  digest.add("candidates", options.filter.candidates);
  digest.add("allow", options.filter.allow ? *options.filter.allow : std::span<const Index>());
  digest.add("min_score", options.filter.min_score);
  digest.add("fallback", options.fallback);
  digest.add("popularity_penalty", options.popularity_penalty);
  digest.add("recall_denominator", options.ranking.recall_denominator);
  digest.add("ap_denominator", options.ranking.ap_denominator);
  digest.add("users to measure", options.users ? *options.users : std::span<const Index>());
  digest.add("user_groups", options.user_groups ? std::span<const Index>(options.user_groups->labels) : std::span<const Index>());
  digest.add("item_groups", options.item_groups ? std::span<const Index>(options.item_groups->labels) : std::span<const Index>());
  digest.add("keep_per_user", options.keep_per_user);
  return digest;
}

/// evaluate_rows within an agreement of the team.
KINDRED_ONCE RankingReport evaluate_share(const ListsOf& model, const RowsRef& train, const RowsRef& test, const EvaluateOptions& options,
                                          const Team& team) {
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

  const std::vector<std::uint64_t> shares = team.even_shares(n_users);
  ListMeasurement(model, options, train.shape(), lists, report)
      .run(train, test, static_cast<std::size_t>(shares[team.rank()]), static_cast<std::size_t>(shares[team.rank() + 1]));
  if (team.size() > 1) gather_lists(team, shares, lists, report);

  report.users = static_cast<Index>(lists.users.size());
  if (options.exclude)
    check_left_out(report.test_interactions, report.test_items_excluded);
  else if (options.seen == EvaluateOptions::SeenItems::excluded)
    check_overlap(report.test_interactions, report.test_items_in_train);
  if (report.users_without_list == report.users)
    throw InvalidArgument("the model", "without a list for any of " + std::to_string(report.users) + " users",
                          "one that has something to list: a fit on these users, or a fallback");
  report.protocol = protocol_text(options, report);
  add_averages(report, lists, options, train.rows());
  return report;
}

KINDRED_ONCE RankingReport evaluate_rows(const ListsOf& model, const RowsRef& train, const RowsRef& test, const EvaluateOptions& options) {
  if (options.team == nullptr) return evaluate_share(model, train, test, options, Team());
  RankingReport report;
  options.team->together([&] {
    if (options.progress) throw InvalidArgument("progress", "set", "empty for an evaluation by a team");
    options.team->agree(digest_of(options, model.shape, train.nnz(), test.nnz()));
    report = evaluate_share(model, train, test, options, *options.team);
  });
  return report;
}

}  // namespace detail

}  // namespace kindred::inline v0
