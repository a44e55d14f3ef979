// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/events.hpp>
#include <kindred/models/item_offsets.hpp>

namespace kindred::inline v0 {

/// What trend_offsets counts.
struct TrendOptions {
  std::int64_t recent_seconds = 2'592'000;  ///< Above 0: an event of at most this age is recent. The default is 30 days.
  double weight = 1.0;                      ///< Finite: ItemOffsets::weight. Choose it on earlier windows.
  std::optional<std::int64_t> until =
      {};  ///< Seconds since the Unix epoch: events at this time or later are left out. None: all events count.
  std::vector<std::string> kinds = {};         ///< Kinds that count, each a kind of the events; empty: all.
  std::optional<double> fade_in_seconds = {};  ///< Above 0: the weight of a user is 1 - 2^(-age of the last event / this). None: 1.
};

/// Finds what rises: log(1 + recent events of the item) - 0.5 log(1 + all events of the item).
///
/// `data`: keys and numbering of the model that gets the offsets; events of other users count too, those of other items do not. Ages count from `until`,
/// or from one second after the last event. An item without events has 0, and so have items that the model gets later. Offsets help where taste follows
/// fashion and hurt elsewhere, so choose on earlier windows. With fade_in_seconds they act on users that come back after a while, and less on users in
/// mid-session; a user without events has the whole weight. O(events + bytes of the keys).
/// @throws InvalidArgument for events without times, an option out of range, a kind that no event has, or no event that counts; ShapeError,
/// InvalidArgument as Events::dataset does for the columns; ShapeError if the parts of `data` do not belong together.
[[nodiscard]] KINDRED_ONCE ItemOffsets trend_offsets(const Events& events, const Dataset& data, const TrendOptions& options = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/models/trend.ipp>  // IWYU pragma: export
#endif
