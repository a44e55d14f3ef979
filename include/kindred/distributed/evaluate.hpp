// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include <kindred/core/error.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/distributed/agreement.hpp>
#include <kindred/distributed/communicator.hpp>
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/evaluation/groups.hpp>
#include <kindred/evaluation/lists_of.hpp>
#include <kindred/evaluation/measured_lists.hpp>
#include <kindred/evaluation/report.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0 {

namespace detail {

/// What ranks that evaluate together must have in common.
[[nodiscard]] inline CommonValues common_values(const EvaluateOptions& options, MatrixShape model, Offset train_nnz, Offset test_nnz) {
  CommonValues common;
  common.add(model);
  common.add("interactions of train", train_nnz);
  common.add("interactions of test", test_nnz);
  common.add("cutoffs", std::span<const std::size_t>(options.cutoffs));
  common.add("seen", options.seen);
  common.add("candidates", options.filter.candidates);
  common.add("allow", options.filter.allow ? *options.filter.allow : std::span<const Index>());
  common.add("min_score", options.filter.min_score);
  common.add("fallback", options.fallback);
  common.add("recall_denominator", options.ranking.recall_denominator);
  common.add("ap_denominator", options.ranking.ap_denominator);
  common.add("users to measure", options.users ? *options.users : std::span<const Index>());
  common.add("user_groups", options.user_groups ? std::span<const Index>(options.user_groups->labels) : std::span<const Index>());
  common.add("item_groups", options.item_groups ? std::span<const Index>(options.item_groups->labels) : std::span<const Index>());
  common.add("keep_per_user", options.keep_per_user);
  return common;
}

}  // namespace detail

/// evaluate() by all ranks together, each with the same model, matrices and options: every rank makes the lists of its share of the users, and gets the report
/// that one process gives. `train` and `test` as evaluate takes them; each rank reads `test` once, and of `train` what it needs. Lists for serving need
/// no more than this either: `recommend_all(model, rows_between(train, first, last), ...)` makes those of a rank's users.
/// @throws as evaluate does, on all ranks if on one; InvalidArgument if `options.progress` is set, which would not know of the others.
template <Communicator C, RecommenderModel Model, detail::RowSource Train, detail::RowSource Test>
[[nodiscard]] RankingReport evaluate_distributed(C& communicator, const Model& model, const Train& train, const Test& test,
                                                 const EvaluateOptions& options = {}) {
  detail::Agreement<C> agree(communicator);
  RankingReport report;
  const detail::EvaluatePartners partners{.rank = communicator.rank(),
                                          .size = communicator.size(),
                                          .gather =
                                              [&](std::span<std::byte> data, std::span<const std::uint64_t> starts, std::size_t unit) {
                                                agree(nullptr);
                                                communicator.all_gather_v(data, starts, unit);
                                              },
                                          .sum =
                                              [&](std::span<double> numbers) {
                                                agree(nullptr);
                                                communicator.all_reduce(numbers);
                                              }};
  agree.together([&] {
    if (options.progress) throw InvalidArgument("progress", "set", "empty for a distributed evaluation");
    const detail::CommonValues common = detail::common_values(options, model.shape(), train.nnz(), test.nnz());
    agree(nullptr);
    common.check(communicator);
    if constexpr (std::convertible_to<const Train&, CsrView>) {
      CsrMatrix cleaned;
      const CsrView known = detail::without_stored_zeros(train, cleaned);
      report = detail::evaluate_rows(detail::lists_of(model), detail::RowsRef(known), detail::RowsRef(test), options, &partners);
    } else {
      report = detail::evaluate_rows(detail::lists_of(model), detail::RowsRef(train), detail::RowsRef(test), options, &partners);
    }
  });
  return report;
}

}  // namespace kindred::inline v0
