// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/dataset.hpp>

namespace kindred::inline v0 {

/// What synthetic_listening makes.
struct SyntheticOptions {
  Index users = 2'000;           ///< >= 1.
  Index items = 1'500;           ///< >= 1.
  double items_per_user = 40.0;  ///< Mean number of distinct items of a user, >= 1; a user has at most half of the items.
  Index tastes = 24;             ///< Groups of items that are liked together, >= 1.
  double taste_strength =
      0.8;  ///< Share of a user's items drawn from the user's own tastes, [0, 1]. 0 plants no taste: popularity is all there is.
  double popularity_exponent = 0.85;  ///< Zipf exponent of item popularity, [0, 3].
  double activity_sd = 0.6;           ///< Standard deviation of the logarithm of a user's number of items, [0, 3].
  std::uint64_t seed = 42;
  Execution execution = {};
};

/// Made-up listening data that looks like the real thing: Zipf popularity, log-normal activity, heavy-tailed play counts, and tastes: every item
/// belongs to a group, every user draws most items from three groups. Names, first-play times and profiles (some fields missing) included.
///
/// A function of the options without `execution`, the same on every platform up to the rounding of a logarithm. O(users * items_per_user * log items).
/// @throws InvalidArgument if an option is out of range.
[[nodiscard]] KINDRED_ONCE Dataset synthetic_listening(const SyntheticOptions& options = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/data/synthetic.ipp>  // IWYU pragma: export
#endif
