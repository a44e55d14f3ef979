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
#include <kindred/evaluation/report.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0 {

/// evaluate() by all ranks together, each with the same model, matrices and options: every rank makes the lists of its share of the users, and gets the report
/// that one process gives. `train` and `test` as evaluate takes them; each rank reads `test` once, and of `train` what it needs. Lists for serving need
/// no more than this either: `recommend_all(model, rows_between(train, first, last), ...)` makes those of a rank's users.
/// @throws as evaluate does, on all ranks if on one; InvalidArgument if `options.progress` is set, which would not know of the others.
template <Communicator C, RecommenderModel Model, RowSource Train, RowSource Test>
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
    if constexpr (std::convertible_to<const Train&, CsrView>) {
      CsrMatrix cleaned;
      const CsrView known = detail::interactions_of(train, cleaned);
      report = detail::evaluate_rows(model, detail::RowsRef(known), detail::RowsRef(test), options, &partners);
    } else {
      report = detail::evaluate_rows(model, detail::RowsRef(train), detail::RowsRef(test), options, &partners);
    }
  });
  return report;
}

}  // namespace kindred::inline v0
