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
#include <kindred/data/events.ipp>
#include <kindred/models/item_offsets.hpp>
#include <kindred/models/trend.hpp>

namespace kindred::inline v0 {

namespace detail {

/// @throws InvalidArgument unless the options are in range.
inline void check_trend(const TrendOptions& options) {
  if (options.recent_seconds <= 0 || options.recent_seconds >= time_bound)
    throw InvalidArgument("recent_seconds", options.recent_seconds, "above 0 and below 10^11");
  if (!is_finite(options.weight)) throw InvalidArgument("weight", options.weight, "finite");
  check_time_option("until", options.until);
  if (options.fade_in_seconds && !(is_finite(*options.fade_in_seconds) && *options.fade_in_seconds > 0.0))
    throw InvalidArgument("fade_in_seconds", *options.fade_in_seconds, "finite and above 0");
}

/// Counts the events of items and finds the last one of each user.
class TrendCount {
 public:
  /// Ages count from `now`.
  TrendCount(std::size_t n_users, std::size_t n_items, std::int64_t now, const TrendOptions& options)
      : now_(now), options_(options), recent_(n_items, 0.0), all_(n_items, 0.0), last_(n_users, -time_bound) {}

  /// -1: a user or an item without a number.
  void add(Index user, Index item, std::int64_t time) {
    if (user >= 0) last_[static_cast<std::size_t>(user)] = (std::max)(last_[static_cast<std::size_t>(user)], time);
    if (item < 0) return;
    all_[static_cast<std::size_t>(item)] += 1.0;
    if (now_ - time <= options_.recent_seconds) recent_[static_cast<std::size_t>(item)] += 1.0;
  }

  /// `last_event`: of all events that count.
  [[nodiscard]] ItemOffsets offsets(std::optional<std::int64_t> last_event) const {
    ItemOffsets offsets{.weight = options_.weight, .last_event = last_event};
    offsets.values.reserve(all_.size());
    for (std::size_t i = 0; i < all_.size(); ++i)
      offsets.values.push_back(static_cast<float>(std::log1p(recent_[i]) - 0.5 * std::log1p(all_[i])));
    if (options_.fade_in_seconds) offsets.user_weights = faded_in(*options_.fade_in_seconds);
    return offsets;
  }

 private:
  /// 1 - 2^(-age of the last event / fade_in) of each user; 1 for a user without one.
  [[nodiscard]] std::vector<float> faded_in(double fade_in) const {
    std::vector<float> weights;
    weights.reserve(last_.size());
    for (const std::int64_t time : last_)
      weights.push_back(time <= -time_bound ? 1.0F
                                            : static_cast<float>(-std::expm1(-std::log(2.0) * static_cast<double>(now_ - time) / fade_in)));
    return weights;
  }

  std::int64_t now_;
  const TrendOptions& options_;
  std::vector<double> recent_, all_;
  std::vector<std::int64_t> last_;
};

}  // namespace detail

KINDRED_ONCE ItemOffsets trend_offsets(const Events& events, const Dataset& data, const TrendOptions& options) {
  if (events.times.empty()) throw InvalidArgument("number of times", 0, "one for each event: a trend is in time");
  detail::check_trend(options);
  const detail::EventPlaces places = detail::places_of(events, data, options.kinds, options.until);
  if (!places.last) throw InvalidArgument("number of events that count", 0, "at least 1");
  const std::int64_t now = options.until ? *options.until : *places.last + 1;
  detail::TrendCount count(static_cast<std::size_t>(data.users.size()), static_cast<std::size_t>(data.items.size()), now, options);
  for (std::size_t n = 0; n < places.items.size(); ++n) count.add(places.users[n], places.items[n], events.times[n]);
  return count.offsets(places.last);
}

}  // namespace kindred::inline v0
