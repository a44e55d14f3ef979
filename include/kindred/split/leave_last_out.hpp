// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/split/split.hpp>

namespace kindred::inline v0 {

/// What leave_last_out holds out.
struct LeaveLastOutOptions {
  Index count = 1;             ///< Items of each user that go to test, >= 1.
  Index min_interactions = 2;  ///< Users with fewer stay wholly in train; above count, so that something is left to learn from.
};

/// Holds out the latest `count` items of each user with at least min_interactions; of equal times the higher item counts as later.
///
/// `times`: seconds since the Unix epoch, one for each stored interaction, as in Dataset::times. That is the time of the FIRST event of a user with an
/// item, so "latest" means the items that the user discovered last, not those played last; and the train value of an older item also counts its
/// events after that. Users have their last items at different times, so a model may learn from one user's future about another's:
/// temporal_split() does not allow that. Stored zeros count like other entries. O(users + nnz).
/// @throws InvalidArgument if an option is out of range; ShapeError if `times` is not as long as the matrix has interactions.
[[nodiscard]] KINDRED_ONCE TrainTestSplit leave_last_out(const CsrView& matrix, std::span<const std::int64_t> times,
                                                         const LeaveLastOutOptions& options = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/split/leave_last_out.ipp>  // IWYU pragma: export
#endif
