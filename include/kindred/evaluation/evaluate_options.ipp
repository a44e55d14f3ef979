// SPDX-License-Identifier: MIT
#pragma once

// The bodies of evaluation/evaluate_options.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/evaluation/evaluate_options.hpp>
#include <kindred/evaluation/groups.hpp>
#include <kindred/metrics/ranking.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0 {

namespace detail {

inline void check_groups(const std::optional<EvaluationGroups>& groups, std::string_view name, Index wanted) {
  if (!groups) return;
  if (groups->labels.size() != static_cast<std::size_t>(wanted))
    throw ShapeError(std::string(name) + " has " + std::to_string(groups->labels.size()) + " labels; the matrix needs " +
                     std::to_string(wanted));
  for (const Index label : groups->labels)
    if (label < -1 || label >= static_cast<Index>(groups->names.size()))
      throw InvalidArgument(std::string(name) + " label", label, "-1 or the index of a name");
}

KINDRED_ONCE void check_options(const EvaluateOptions& options, MatrixShape shape) {
  check_groups(options.user_groups, "user_groups", shape.users);
  check_groups(options.item_groups, "item_groups", shape.items);
  if (options.cutoffs.empty()) throw InvalidArgument("cutoffs", "an empty list", "at least one cutoff");
  for (std::size_t c = 0; c < options.cutoffs.size(); ++c) {
    if (options.cutoffs[c] < 1) throw InvalidArgument("cutoff", options.cutoffs[c], "at least 1");
    if (c > 0 && options.cutoffs[c] <= options.cutoffs[c - 1])
      throw InvalidArgument("cutoff", options.cutoffs[c], "above the one before it, which is " + std::to_string(options.cutoffs[c - 1]));
  }
  check_popularity_penalty(options.popularity_penalty);
  if (options.filter.candidates == Candidates::tested && options.filter.allow)
    throw InvalidArgument("filter.allow", "a list", "none with Candidates::tested, which is a list for each user");
  if (options.exclude) {
    if (options.seen != EvaluateOptions::SeenItems::excluded)
      throw InvalidArgument("exclude", "set", "empty where seen items are allowed: it would have no effect");
    check_shape("exclude", options.exclude->shape(), "train", shape);
  }
  if (options.users) check_index_list(*options.users, "users", "a user", shape.users);
  check_threads(options.execution.threads);
}

}  // namespace detail

}  // namespace kindred::inline v0
