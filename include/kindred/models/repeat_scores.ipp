// SPDX-License-Identifier: MIT
#pragma once

// The bodies of models/repeat_scores.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/events.hpp>
#include <kindred/data/events.ipp>
#include <kindred/models/repeat_scores.hpp>

namespace kindred::inline v0 {

namespace detail {

/// @throws InvalidArgument unless `events` have times and the options are in range.
inline void check_repeats(const Events& events, const RepeatOptions& options) {
  if (events.times.empty()) throw InvalidArgument("number of times", 0, "one for each event: baskets are in time");
  check_time_option("until", options.until);
  if (!(options.decay > 0.0 && options.decay <= 1.0)) throw InvalidArgument("decay", options.decay, "in (0, 1]");
  if (!(is_finite(options.power) && options.power > 0.0)) throw InvalidArgument("power", options.power, "finite and above 0");
  if (!(is_finite(options.rate_prior) && options.rate_prior >= 0.0))
    throw InvalidArgument("rate_prior", options.rate_prior, "finite and at least 0");
  if (!(is_finite(options.rate_power) && options.rate_power >= 0.0))
    throw InvalidArgument("rate_power", options.rate_power, "finite and at least 0");
}

/// The baskets of all users, from the oldest on: which items each holds, once each, in order.
struct Baskets {
  std::vector<Offset> of_users;  // where the baskets of each user begin; one more than users
  std::vector<Offset> offsets;   // where the items of each basket begin; one more than baskets
  std::vector<Index> items;

  [[nodiscard]] std::span<const Index> basket(Offset b) const {
    const auto first = static_cast<std::size_t>(offsets[static_cast<std::size_t>(b)]);
    return std::span<const Index>(items).subspan(first, static_cast<std::size_t>(offsets[static_cast<std::size_t>(b) + 1]) - first);
  }
};

[[nodiscard]] inline Baskets baskets_of(const EventPlaces& places, std::span<const std::int64_t> times, Index users) {
  std::vector<std::size_t> starts(static_cast<std::size_t>(users) + 1, 0);
  for (const Index user : places.users)
    if (user >= 0) ++starts[static_cast<std::size_t>(user) + 1];
  for (std::size_t u = 1; u < starts.size(); ++u) starts[u] += starts[u - 1];
  std::vector<std::pair<std::int64_t, Index>> events(starts.back());
  std::vector<std::size_t> next(starts.begin(), starts.end() - 1);
  for (std::size_t n = 0; n < places.users.size(); ++n)
    if (places.users[n] >= 0) events[next[static_cast<std::size_t>(places.users[n])]++] = {times[n], places.items[n]};
  Baskets baskets;
  baskets.of_users.push_back(0);
  baskets.offsets.push_back(0);
  for (std::size_t u = 0; u + 1 < starts.size(); ++u) {
    const auto begin = events.begin() + static_cast<std::ptrdiff_t>(starts[u]),
               end = events.begin() + static_cast<std::ptrdiff_t>(starts[u + 1]);
    std::sort(begin, end);
    for (auto at = begin; at != end;) {
      const std::int64_t time = at->first;
      const std::size_t first = baskets.items.size();
      for (; at != end && at->first == time; ++at)
        if (at->second >= 0 && (baskets.items.size() == first || baskets.items.back() != at->second)) baskets.items.push_back(at->second);
      baskets.offsets.push_back(static_cast<Offset>(baskets.items.size()));
    }
    baskets.of_users.push_back(static_cast<Offset>(baskets.offsets.size()) - 1);
  }
  return baskets;
}

/// rate_i of each item.
[[nodiscard]] inline std::vector<float> repeat_rates(const Baskets& baskets, std::size_t n_items, double prior) {
  std::vector<double> held(n_items, 0.0), repeated(n_items, 0.0);
  double all_held = 0.0, all_repeated = 0.0;
  for (std::size_t u = 0; u + 1 < baskets.of_users.size(); ++u)
    for (Offset b = baskets.of_users[u]; b + 1 < baskets.of_users[u + 1]; ++b) {
      const std::span<const Index> after = baskets.basket(b + 1);
      for (const Index item : baskets.basket(b)) {
        const double again = std::binary_search(after.begin(), after.end(), item) ? 1.0 : 0.0;
        held[static_cast<std::size_t>(item)] += 1.0;
        repeated[static_cast<std::size_t>(item)] += again;
        all_held += 1.0;
        all_repeated += again;
      }
    }
  const double mean = all_held > 0.0 ? all_repeated / all_held : 0.0;
  std::vector<float> rates;
  rates.reserve(n_items);
  for (std::size_t i = 0; i < n_items; ++i) {
    const double count = held[i] + prior;
    rates.push_back(count > 0.0 ? static_cast<float>((repeated[i] + prior * mean) / count) : 0.0F);
  }
  return rates;
}

/// The share of users with a basket whose last one holds the item.
[[nodiscard]] inline std::vector<float> shares_of_last(const Baskets& baskets, std::size_t n_items) {
  std::vector<double> held(n_items, 0.0);
  double users = 0.0;
  for (std::size_t u = 0; u + 1 < baskets.of_users.size(); ++u) {
    if (baskets.of_users[u] == baskets.of_users[u + 1]) continue;
    users += 1.0;
    for (const Index item : baskets.basket(baskets.of_users[u + 1] - 1)) held[static_cast<std::size_t>(item)] += 1.0;
  }
  std::vector<float> shares;
  shares.reserve(n_items);
  for (const double one : held) shares.push_back(users > 0.0 ? static_cast<float>(one / users) : 0.0F);
  return shares;
}

[[nodiscard]] inline CsrMatrix repeat_matrix(const Baskets& baskets, MatrixShape shape, std::span<const float> rates,
                                             const RepeatOptions& options) {
  std::vector<double> factor_of_item;
  for (const float rate : rates) factor_of_item.push_back(std::pow(static_cast<double>(rate), options.rate_power));
  std::vector<Offset> offsets{0};
  std::vector<Index> columns;
  std::vector<float> values;
  std::vector<std::pair<Index, double>> held;
  for (std::size_t u = 0; u + 1 < baskets.of_users.size(); ++u) {
    held.clear();
    double all = 0.0, weight = 1.0;
    for (Offset b = baskets.of_users[u + 1]; b-- > baskets.of_users[u];) {
      all += weight;
      for (const Index item : baskets.basket(b)) held.emplace_back(item, weight);
      weight *= options.decay;
    }
    std::sort(held.begin(), held.end());
    for (auto at = held.begin(); at != held.end();) {
      const Index item = at->first;
      double sum = 0.0;
      for (; at != held.end() && at->first == item; ++at) sum += at->second;
      const auto score = static_cast<float>(std::pow(sum / all, options.power) * factor_of_item[static_cast<std::size_t>(item)]);
      if (!(score > 0.0F)) continue;
      columns.push_back(item);
      values.push_back(score);
    }
    offsets.push_back(static_cast<Offset>(columns.size()));
  }
  return {shape, std::move(offsets), std::move(columns), std::move(values)};
}

}  // namespace detail

KINDRED_ONCE RepeatScores::RepeatScores(const Events& events, const Dataset& data, const RepeatOptions& options) {
  detail::check_repeats(events, options);
  const detail::EventPlaces places = detail::places_of(events, data, options.kinds, options.until);
  if (!places.last) throw InvalidArgument("number of events that count", 0, "at least 1");
  const auto n_items = static_cast<std::size_t>(data.items.size());
  const detail::Baskets baskets = detail::baskets_of(places, events.times, data.users.size());
  rates_ = detail::repeat_rates(baskets, n_items, options.rate_prior);
  matrix_ = detail::repeat_matrix(baskets, data.matrix.shape(), rates_, options);
  last_baskets_.values = detail::shares_of_last(baskets, n_items);
  last_baskets_.last_event = places.last;
}

}  // namespace kindred::inline v0
