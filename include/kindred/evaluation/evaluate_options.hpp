// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <kindred/core/execution.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/evaluation/groups.hpp>
#include <kindred/metrics/ranking.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0 {

/// The measures, the users and the items that evaluate takes.
struct EvaluateOptions {
  /// Whether a list may hold what the user had in train.
  enum class SeenItems {
    excluded,  ///< The usual protocol: recommend what is new.
    allowed,   ///< Some published baselines rank everything; their figures are lower.
  };

  std::vector<std::size_t> cutoffs = {10};  ///< Strictly increasing, each at least 1.
  SeenItems seen = SeenItems::excluded;
  /// If set, of the shape of train: row u is left out of user u's list instead of train's. Needs SeenItems::excluded. Items that were bought, but not merely
  /// viewed: Events::pairs. Must outlive the call.
  std::optional<CsrView> exclude = std::nullopt;
  ItemFilter filter = {};              ///< For every user.
  Fallback fallback = Fallback::none;  ///< For users that the model does not know.
  double popularity_penalty = 0.0;     ///< [0, 1], as in RecommendOptions: what popularity costs an item of the lists.
  RankingOptions ranking = {};         ///< Variants of the metrics.
  std::optional<std::span<const Index>> users = std::nullopt;  ///< If set, only these users, strictly increasing.
  std::optional<EvaluationGroups> user_groups = std::nullopt;  ///< If set, the metrics of each group too.
  std::optional<EvaluationGroups> item_groups = std::nullopt;  ///< If set, what happens to the items of each group.
  bool keep_per_user = false;                                  ///< Fill RankingReport::per_user.
  Execution execution = {};
  /// In users done and in all, about a hundred times; stop_and_keep makes the report one of the users done, the first of those asked for.
  ProgressCallback progress = {};
  /// Other processes that share this evaluation: a CommunicatorTeam (distributed/team.hpp), which must outlive the call. Each makes the lists of its share of
  /// the users, and has the report of one process; none knows how far the others are, so that `progress` must be empty.
  const detail::Team* team = nullptr;
};

namespace detail {

/// Checks `options` against train, `shape` = users x items.
KINDRED_ONCE void check_options(const EvaluateOptions& options, MatrixShape shape);

}  // namespace detail

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/evaluation/evaluate_options.ipp>  // IWYU pragma: export
#endif
