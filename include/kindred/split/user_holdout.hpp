// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include <kindred/core/config.hpp>
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
[[nodiscard]] KINDRED_ONCE UserHoldout user_holdout(const CsrView& matrix, const UserHoldoutOptions& options = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/split/user_holdout.ipp>  // IWYU pragma: export
#endif
