// SPDX-License-Identifier: MIT
#pragma once

// The bodies of split/user_holdout.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/split/split.hpp>
#include <kindred/split/split_builder.hpp>
#include <kindred/split/user_holdout.hpp>

namespace kindred::inline v0 {

KINDRED_ONCE UserHoldout user_holdout(const CsrView& matrix, const UserHoldoutOptions& options) {
  if (options.heldout_users < 0) throw InvalidArgument("heldout_users", options.heldout_users, "at least 0 (0: by heldout_fraction)");
  detail::check_fraction(options.heldout_fraction, "heldout_fraction");
  detail::check_fraction(options.target_fraction, "target_fraction");
  if (options.min_interactions < 2) throw InvalidArgument("min_interactions", options.min_interactions, "at least 2");

  const std::vector<Index> eligible = detail::users_with(matrix, options.min_interactions);
  const auto found = [&] {
    return std::to_string(eligible.size()) + " of " + std::to_string(matrix.rows()) + " users have at least " +
           std::to_string(options.min_interactions) + " interactions";
  };
  const std::size_t count = options.heldout_users > 0 ? static_cast<std::size_t>(options.heldout_users)
                                                      : detail::floor_share(options.heldout_fraction, eligible.size());
  if (count == 0) throw InvalidArgument("heldout_fraction", options.heldout_fraction, "enough to hold out one user; " + found());
  if (count > eligible.size() || count >= static_cast<std::size_t>(matrix.rows()))
    throw InvalidArgument("heldout_users", count, "at most the number of users to draw from, and leave one to learn from; " + found());

  const std::vector<char> held_out = detail::sample_users(eligible, count, matrix.rows(), options.seed);
  UserHoldout result;
  for (Index u = 0; u < matrix.rows(); ++u)
    (held_out[static_cast<std::size_t>(u)] ? result.heldout_users : result.train_users).push_back(u);
  result.train = select_rows(matrix, result.train_users);

  detail::SplitBuilder builder({static_cast<Index>(count), matrix.cols()});
  std::vector<Index> order;
  std::vector<char> target;
  for (const Index u : result.heldout_users) {
    const SparseRow row = matrix.row(u);
    const std::size_t share = detail::floor_share(options.target_fraction, row.size());
    detail::draw_entries(options.seed, u, row.size(), (std::clamp)(share, std::size_t{1}, row.size() - 1), order, target);
    builder.add(row, target);
  }
  TrainTestSplit parts = builder.finish();
  result.fold_in = std::move(parts.train);
  result.target = std::move(parts.test);
  return result;
}

}  // namespace kindred::inline v0
