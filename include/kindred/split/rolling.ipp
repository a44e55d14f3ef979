// SPDX-License-Identifier: MIT
#pragma once

// The bodies of split/rolling.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/text.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/events.hpp>
#include <kindred/data/events.ipp>
#include <kindred/data/id_map.hpp>
#include <kindred/split/rolling.hpp>

namespace kindred::inline v0 {

namespace detail {

/// @throws InvalidArgument unless cuts, window and options are as rolling_split says.
inline void check_rolling(const Events& events, std::span<const std::int64_t> cuts, std::int64_t window_seconds,
                          const RollingSplit::Options& options) {
  if (cuts.empty()) throw InvalidArgument("number of cuts", 0, "at least 1");
  if (window_seconds <= 0 || window_seconds >= time_bound)
    throw InvalidArgument("window_seconds", window_seconds, "above 0 and below 10^11");
  for (std::size_t n = 0; n < cuts.size(); ++n) {
    const std::string name = "cuts[" + std::to_string(n) + "]";
    check_time_option(name, cuts[n]);
    if (n > 0 && cuts[n] <= cuts[n - 1]) throw InvalidArgument(name, cuts[n], "above the cut before it");
  }
  if (events.times.empty()) throw InvalidArgument("number of times", 0, "one for each event: events are cut by their times");
  if (options.events.until) throw InvalidArgument("options.events.until", *options.events.until, "unset: each cut ends its train");
  if (options.events.reference)
    throw InvalidArgument("options.events.reference", *options.events.reference, "unset: the last event of each train");
  if (options.events.from && *options.events.from >= cuts.front())
    throw InvalidArgument("options.events.from", *options.events.from, "before the first cut");
  for (std::size_t n = 0; n < options.target_kinds.size(); ++n) {
    const auto& weights = options.events.weights;
    const auto listed = std::find_if(weights.begin(), weights.end(), [&](const auto& one) { return one.kind == options.target_kinds[n]; });
    if (listed == weights.end() || !(listed->weight > 0.0))
      throw InvalidArgument("options.target_kinds[" + std::to_string(n) + "]", printable(options.target_kinds[n]),
                            "a kind with a weight above 0");
  }
}

/// The options of a window: target kinds alone, without decay.
[[nodiscard]] inline EventOptions window_options(const RollingSplit::Options& options, std::int64_t from, std::int64_t until) {
  EventOptions of_window = options.events;
  of_window.from = from;
  if (until < time_bound) of_window.until = until;  // no event is later
  of_window.half_life_seconds.reset();
  if (options.target_kinds.empty()) return of_window;
  for (EventOptions::KindWeight& one : of_window.weights)
    if (std::find(options.target_kinds.begin(), options.target_kinds.end(), one.kind) == options.target_kinds.end()) one.weight = 0.0;
  return of_window;
}

/// The index in `known` of each key of `keys`; -1 for a key that it lacks.
[[nodiscard]] inline std::vector<Index> indices_in(const IdMap& known, const IdMap& keys) {
  std::vector<Index> indices(static_cast<std::size_t>(keys.size()), -1);
  for (Index n = 0; n < keys.size(); ++n)
    if (const std::optional<Index> found = known.find(keys.key(n))) indices[static_cast<std::size_t>(n)] = *found;
  return indices;
}

/// Sorts the pairs of `window` into targets and counts. Train and known pairs of `split` are there.
inline void set_targets(RollingSplit& split, const Dataset& window, RollingSplit::Targets targets) {
  const std::vector<Index> user_of = indices_in(split.train.users, window.users), item_of = indices_in(split.train.items, window.items);
  std::vector<char> lacks_item(item_of.size(), 0);
  std::vector<Interaction> test;
  for (Index row = 0; row < window.matrix.rows(); ++row) {
    const SparseRow pairs = window.matrix.row(row);
    const Index user = user_of[static_cast<std::size_t>(row)];
    const SparseRow known = user < 0 ? SparseRow{} : split.known.row(user);
    bool positive = false;
    for (std::size_t n = 0; n < pairs.size(); ++n) {
      if (!(pairs.values[n] > 0.0F)) {
        ++split.not_positive;
        continue;
      }
      positive = true;
      const auto column = static_cast<std::size_t>(pairs.columns[n]);
      if (item_of[column] < 0) lacks_item[column] = 1;
      if (user < 0 || item_of[column] < 0) {
        ++split.unknown_pairs;
        continue;
      }
      const bool repeat = std::binary_search(known.columns.begin(), known.columns.end(), item_of[column]);
      ++(repeat ? split.repeats : split.new_pairs);
      if (targets == RollingSplit::Targets::all || (targets == RollingSplit::Targets::repeats) == repeat)
        test.push_back({user, item_of[column], pairs.values[n]});
    }
    if (user < 0 && positive) ++split.unknown_users;
  }
  split.unknown_items = static_cast<Index>(std::count(lacks_item.begin(), lacks_item.end(), 1));
  split.test = CsrMatrix::from_triplets(split.train.matrix.shape(), test);
}

}  // namespace detail

KINDRED_ONCE std::vector<RollingSplit> rolling_split(const Events& events, std::span<const std::int64_t> cuts, std::int64_t window_seconds,
                                                     const RollingSplit::Options& options) {
  detail::check_rolling(events, cuts, window_seconds, options);
  std::vector<RollingSplit> splits;
  splits.reserve(cuts.size());
  for (std::size_t n = 0; n < cuts.size(); ++n) {
    RollingSplit split;
    split.cut = cuts[n];
    split.until = cuts[n] + window_seconds;
    split.targets = options.targets;
    EventOptions of_train = options.events;
    of_train.until = split.cut;
    split.train = events.dataset(of_train);
    const std::string name = "cuts[" + std::to_string(n) + "]";
    if (split.train.matrix.nnz() == 0) throw InvalidArgument(name, split.cut, "after interactions to train on");
    split.known = events.pairs(split.train, options.target_kinds, split.cut);
    detail::set_targets(split, events.dataset(detail::window_options(options, split.cut, split.until)), options.targets);
    if (split.test.nnz() == 0)
      throw InvalidArgument(name, split.cut,
                            "before a window with targets; the window has " + std::to_string(split.new_pairs) + " new pairs, " +
                                std::to_string(split.repeats) + " repeats and " + std::to_string(split.unknown_pairs) +
                                " pairs of users or items that train lacks");
    splits.push_back(std::move(split));
  }
  return splits;
}

}  // namespace kindred::inline v0
