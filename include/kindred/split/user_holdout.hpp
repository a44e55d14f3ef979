// SPDX-License-Identifier: MIT
#pragma once

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

namespace kindred::inline v0 {

/// Which users user_holdout holds out, and which of their items it asks for.
struct UserHoldoutOptions {
  Index heldout_users = 0;        ///< How many users to hold out; 0: as heldout_fraction says.
  double heldout_fraction = 0.1;  ///< Share of the users with enough interactions, (0, 1); used where heldout_users is 0.
  double target_fraction = 0.2;   ///< Share of a held-out user's items to predict from the others, (0, 1).
  Index min_interactions = 5;     ///< Users with fewer are not held out, >= 2.
  std::uint64_t seed = 42;
};

/// What user_holdout returns; all three matrices have all items as columns.
struct UserHoldout {
  CsrMatrix train;                   ///< Rows of the remaining users, whole.
  CsrMatrix fold_in;                 ///< One row a held-out user: what the model is told about the user, never empty.
  CsrMatrix target;                  ///< The same rows: what it must predict, never empty.
  std::vector<Index> train_users;    ///< The row of the input that each train row is, rising.
  std::vector<Index> heldout_users;  ///< The row of the input that each fold_in and target row is, rising.
};

/// Holds out whole users, to measure a model on people it has not seen (strong generalisation).
///
/// Held-out users are drawn from those with at least min_interactions. Of their n items floor(target_fraction * n + 1e-9), at least one and at most
/// n - 1, become the target, the same ones that PerUserSplitter with that fraction and seed holds out. The same on every platform and for any
/// number of threads. Stored zeros count like other entries. O(users + nnz).
/// @throws InvalidArgument if an option is out of range, fewer users than asked for have enough interactions, or no user would be held out or left.
/// Source: Marlin 2004, section 3.3 (strong generalisation); Liang et al. 2018, section 4.
[[nodiscard]] inline UserHoldout user_holdout(const CsrView& matrix, const UserHoldoutOptions& options = {}) {
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
