// SPDX-License-Identifier: MIT
#pragma once

// The bodies of models/trend.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/events.hpp>
#include <kindred/models/item_offsets.hpp>
#include <kindred/models/trend.hpp>

namespace kindred::inline v0 {

namespace detail {

/// @throws InvalidArgument unless `events` have times and the options are in range.
inline void check_trend(const Events& events, const TrendOptions& options) {
  if (events.times.empty()) throw InvalidArgument("number of times", 0, "one for each event: a trend is in time");
  if (options.recent_seconds <= 0 || options.recent_seconds >= time_bound)
    throw InvalidArgument("recent_seconds", options.recent_seconds, "above 0 and below 10^11");
  if (!is_finite(options.weight)) throw InvalidArgument("weight", options.weight, "finite");
  if (options.until && (*options.until <= -time_bound || *options.until >= time_bound))
    throw InvalidArgument("until", *options.until, "below 10^11 seconds in magnitude; divide milliseconds by 1000");
  if (options.fade_in_seconds && !(is_finite(*options.fade_in_seconds) && *options.fade_in_seconds > 0.0))
    throw InvalidArgument("fade_in_seconds", *options.fade_in_seconds, "finite and above 0");
}

/// 1 - 2^(-age / fade_in) of each user, whose last event is at `last`; 1 for a user without one.
[[nodiscard]] inline std::vector<float> faded_in(const std::vector<std::int64_t>& last, std::int64_t now, double fade_in) {
  std::vector<float> weights;
  weights.reserve(last.size());
  for (const std::int64_t time : last)
    weights.push_back(time <= -time_bound ? 1.0F
                                          : static_cast<float>(-std::expm1(-std::log(2.0) * static_cast<double>(now - time) / fade_in)));
  return weights;
}

}  // namespace detail

KINDRED_ONCE ItemOffsets trend_offsets(const Events& events, const Dataset& data, const TrendOptions& options) {
  detail::check_trend(events, options);
  const detail::EventPlaces places = detail::places_of(events, data, options.kinds, options.until);
  if (!places.last) throw InvalidArgument("number of events that count", 0, "at least 1");
  const std::int64_t now = options.until ? *options.until : *places.last + 1;
  const auto n_items = static_cast<std::size_t>(data.items.size());
  std::vector<double> recent(n_items, 0.0), all(n_items, 0.0);
  std::vector<std::int64_t> last(static_cast<std::size_t>(data.users.size()), -detail::time_bound);
  for (std::size_t n = 0; n < places.items.size(); ++n) {
    if (places.users[n] >= 0) {
      std::int64_t& time = last[static_cast<std::size_t>(places.users[n])];
      time = (std::max)(time, events.times[n]);
    }
    if (places.items[n] < 0) continue;
    const auto item = static_cast<std::size_t>(places.items[n]);
    all[item] += 1.0;
    if (now - events.times[n] <= options.recent_seconds) recent[item] += 1.0;
  }
  ItemOffsets offsets{.weight = options.weight, .last_event = places.last};
  offsets.values.reserve(n_items);
  for (std::size_t i = 0; i < n_items; ++i) offsets.values.push_back(static_cast<float>(std::log1p(recent[i]) - 0.5 * std::log1p(all[i])));
  if (options.fade_in_seconds) offsets.user_weights = detail::faded_in(last, now, *options.fade_in_seconds);
  return offsets;
}

}  // namespace kindred::inline v0
