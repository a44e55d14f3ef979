// SPDX-License-Identifier: MIT
#pragma once

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/dataset.hpp>

namespace kindred::inline v0 {

/// Which users and items filter_active keeps.
struct ActivityFilter {
  /// What an activity threshold counts.
  enum class Count {
    distinct_pairs,  ///< Stored interactions: a user's distinct items, an item's distinct users.
    raw_rows,        ///< Rows of the source, repeats of a pair included, as some published studies do.
  };

  /// How often the two thresholds are applied.
  enum class Passes {
    once,          ///< Users first, then items, once: users may fall below their threshold again. What most published studies do.
    until_stable,  ///< Again and again until both hold (the k-core).
  };

  Offset min_items_per_user = 5;  ///< >= 0.
  Offset min_users_per_item = 5;  ///< >= 0.
  Passes passes = Passes::once;
  Count count = Count::distinct_pairs;
};

/// Keeps users with at least `min_items_per_user` items, then items with at least `min_users_per_item` of the remaining users.
///
/// One pass by default, in that order; `until_stable` repeats it until nothing changes. Unless its threshold is 0, a user without a remaining
/// item and an item without a remaining user are dropped too: a table of rows, as published studies keep it, does not hold them.
/// O(nnz), also until stable.
/// @throws InvalidArgument if a threshold is negative; ShapeError if the parts of `data` do not belong together.
[[nodiscard]] KINDRED_ONCE Dataset filter_active(const Dataset& data, const ActivityFilter& options = {});

/// Drops the items that no user has.
[[nodiscard]] KINDRED_ONCE Dataset drop_unused_items(const Dataset& data);

/// Keeps the `n_users` users with the most items (ties by user key, in byte order), in their present order; then drops items without interactions.
///
/// Fewer users than asked for are all kept. O(nnz + users log users).
/// @throws InvalidArgument if `n_users` is below 1; ShapeError if the parts of `data` do not belong together.
[[nodiscard]] KINDRED_ONCE Dataset keep_most_active_users(const Dataset& data, Index n_users,
                                                          ActivityFilter::Count count = ActivityFilter::Count::distinct_pairs);

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/data/filters.ipp>  // IWYU pragma: export
#endif
