// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/split/split.hpp>

namespace kindred::inline v0 {

/// Where temporal_split cuts.
struct TemporalSplitOptions {
  std::optional<std::int64_t> cut_time =
      {};                      ///< Seconds since the Unix epoch: interactions from then on are test. None: from test_fraction.
  double test_fraction = 0.2;  ///< Share of the interactions that go to test, (0, 1); used where cut_time is none.
};

/// The latest time from which on at least floor(fraction * n + 1e-9) of n interactions happened: the cut that temporal_split makes for a fraction.
///
/// `times`: seconds since the Unix epoch, in any order. Interactions of the same second stay together, so the share may be larger. O(n).
/// @throws InvalidArgument if `test_fraction` is not in (0, 1) or is less than one of the interactions.
[[nodiscard]] KINDRED_ONCE std::int64_t temporal_cut(std::span<const std::int64_t> times, double test_fraction);

/// One cut in time for all users: interactions before it are train, those at it or after it are test.
///
/// `times`: seconds since the Unix epoch, one for each stored interaction, as in Dataset::times. That is the time of the FIRST event of a user with an
/// item: test holds the items that a user first touched at or after the cut, and none that the user knew before. The value of a train entry
/// still sums all its events, those after the cut included; where that matters, read only the events before the cut. Users without
/// interactions on one side have an empty row there. Stored zeros count like other entries. O(users + nnz).
/// @throws InvalidArgument as temporal_cut() does; ShapeError if `times` is not as long as the matrix has interactions.
[[nodiscard]] KINDRED_ONCE TrainTestSplit temporal_split(const CsrView& matrix, std::span<const std::int64_t> times,
                                                         const TemporalSplitOptions& options = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/split/temporal.ipp>  // IWYU pragma: export
#endif
