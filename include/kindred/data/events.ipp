// SPDX-License-Identifier: MIT
#pragma once

// The bodies of data/events.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/text.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_matrix.ipp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/dataset.ipp>
#include <kindred/data/event_merge.ipp>
#include <kindred/data/events.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/data/key_column.hpp>
#include <kindred/data/load_report.hpp>
#include <kindred/data/row_merge.hpp>

namespace kindred::inline v0 {

namespace detail {

/// @throws ShapeError, InvalidArgument unless the columns are as Events says, but for their keys.
inline void check_event_columns(const Events& events) {
  const std::size_t size = events.users.size();
  check_column_length(size, "items", events.items.size(), false);
  check_column_length(size, "values", events.values.size(), true);
  check_column_length(size, "times", events.times.size(), true);
  check_column_length(size, "kinds", events.kinds.size(), true);
  if (size > (std::numeric_limits<std::uint32_t>::max)()) throw InvalidArgument("number of events", size, "below 2^32");
  for (std::size_t n = 0; n < events.values.size(); ++n)
    if (!is_finite(events.values[n])) throw InvalidArgument(ColumnInput::name("value", n), events.values[n], "finite");
  for (std::size_t n = 0; n < events.times.size(); ++n)
    if (events.times[n] <= -time_bound || events.times[n] >= time_bound)
      throw InvalidArgument(ColumnInput::name("time", n), events.times[n],
                            "seconds since the Unix epoch, below 10^11 in magnitude; divide milliseconds by 1000");
}

/// @throws InvalidArgument unless `time`, an option, is unset or in seconds.
inline void check_time_option(std::string_view name, const std::optional<std::int64_t>& time) {
  if (time && (*time <= -time_bound || *time >= time_bound))
    throw InvalidArgument(name, *time, "seconds since the Unix epoch, below 10^11 in magnitude; divide milliseconds by 1000");
}

/// @throws InvalidArgument unless each kind has a name and one finite weight.
inline void check_kind_weights(const std::vector<EventOptions::KindWeight>& weights) {
  IdMap seen;
  for (std::size_t n = 0; n < weights.size(); ++n) {
    const EventOptions::KindWeight& one = weights[n];
    const std::string name = "weights[" + std::to_string(n) + "]";
    if (one.kind.empty()) throw InvalidArgument(name + ".kind", "''", "a kind that is not empty");
    if (!is_finite(one.weight)) throw InvalidArgument(name + ".weight", one.weight, "finite");
    if (seen.intern(one.kind) != static_cast<Index>(n)) throw InvalidArgument(name + ".kind", printable(one.kind), "listed once");
  }
}

/// @throws InvalidArgument unless the options are in range and have an effect on these columns.
inline void check_event_options(const Events& events, const EventOptions& options) {
  const auto needs_times = [&](std::string_view name, const auto& option) {
    if (option && events.times.empty() && events.users.size() > 0) throw InvalidArgument(name, *option, "unset where events have no times");
  };
  needs_times("from", options.from);
  needs_times("until", options.until);
  needs_times("half_life_seconds", options.half_life_seconds);
  check_time_option("from", options.from);
  check_time_option("until", options.until);
  check_time_option("reference", options.reference);
  if (options.from && options.until && *options.from >= *options.until)
    throw InvalidArgument("until", *options.until, "above from, which is " + whole_text(static_cast<long long>(*options.from)));
  if (options.half_life_seconds && !(is_finite(*options.half_life_seconds) && *options.half_life_seconds > 0.0))
    throw InvalidArgument("half_life_seconds", *options.half_life_seconds, "finite and above 0");
  if (options.reference && !options.half_life_seconds)
    throw InvalidArgument("reference", *options.reference, "unset without half_life_seconds");
  const bool has_kinds = events.kinds.size() > 0;
  if (!has_kinds && events.users.size() > 0 && !options.weights.empty())
    throw InvalidArgument("weights", whole_text(static_cast<unsigned long long>(options.weights.size())) + " weights",
                          "empty where events have no kinds");
  if (!has_kinds && events.users.size() > 0 && options.unlisted == EventOptions::Unlisted::drop)
    throw InvalidArgument("unlisted", "drop", "refuse where events have no kinds");
  check_kind_weights(options.weights);
}

/// The indices in `kinds` of the kinds of all events, taken in; empty where events have none. The first few kinds are found by comparison, without a hash.
/// @throws InvalidArgument if a kind is empty, naming the first.
[[nodiscard]] inline std::vector<Index> intern_kinds(IdMap& kinds, const KeyColumn& column) {
  constexpr std::size_t most = 8;
  std::vector<std::string> first_kinds;
  std::vector<Index> indices;
  resize_large(indices, column.size());
  KeyColumn::Buffer buffer;
  for (std::size_t n = 0; n < indices.size(); ++n) {
    const std::string_view text = column.text(n, buffer);
    if (text.empty()) throw InvalidArgument(ColumnInput::name("kind", n), "''", "a key that is not empty");
    std::size_t kind = 0;
    while (kind < first_kinds.size() && first_kinds[kind] != text) ++kind;
    indices[n] = kind < first_kinds.size() ? static_cast<Index>(kind) : kinds.intern(text);
    if (kind == first_kinds.size() && kind < most) first_kinds.emplace_back(text);
  }
  return indices;
}

/// Puts merged events into `data`, whose keys they belong to. Values that are 0 as floats go, and `report` counts them.
inline void set_event_pairs(Dataset& data, LoadReport& report, EventMerge::Pairs pairs) {
  const bool decays = !pairs.sums.empty();
  std::uint64_t faded_rows = 0, faded_pairs = 0, rows = 0;
  std::size_t kept = 0, at = 0;
  for (std::size_t u = 0; u + 1 < pairs.offsets.size(); ++u) {
    for (; at < static_cast<std::size_t>(pairs.offsets[u + 1]); ++at) {
      const double divided = decays ? pairs.sums[at] / pairs.mean : static_cast<double>(pairs.values[at]);
      if (!(std::abs(divided) <= static_cast<double>((std::numeric_limits<float>::max)())))
        throw InvalidArgument("the value of user " + printable(data.users.key(static_cast<Index>(u))) + " and item " +
                                  printable(data.items.key(pairs.columns[at])) + " in events in memory",
                              divided, "within the range of a float");
      const auto value = static_cast<float>(divided);
      if (value == 0.0F) {
        faded_rows += pairs.rows[at];
        ++faded_pairs;
        continue;
      }
      if (decays) data.undecayed.push_back(static_cast<float>(static_cast<double>(pairs.values[at]) / pairs.mean));
      pairs.values[kept] = value;
      rows += pairs.rows[at];
      pairs.columns[kept] = pairs.columns[at];
      pairs.rows[kept] = pairs.rows[at];
      if (!pairs.times.empty()) pairs.times[kept] = pairs.times[at];
      ++kept;
    }
    pairs.offsets[u + 1] = static_cast<Offset>(kept);
  }
  pairs.columns.resize(kept);
  pairs.values.resize(kept);
  pairs.rows.resize(kept);
  if (!pairs.times.empty()) pairs.times.resize(kept);
  report.merged += rows - kept;
  if (rows != kept) data.raw_rows = std::move(pairs.rows);
  data.times = std::move(pairs.times);
  data.matrix =
      CsrMatrix({data.users.size(), data.items.size()}, std::move(pairs.offsets), std::move(pairs.columns), std::move(pairs.values));
  const auto left_out = [&](const char* reason, std::uint64_t of_rows, std::uint64_t of_pairs) {
    if (of_pairs == 0) return;
    report.rows -= of_rows;
    report.dropped[reason] += of_rows;
    report.noted[std::string("pair with a ") + reason] += of_pairs;
  };
  left_out("sum of zero", pairs.zero_rows, pairs.zero_pairs);
  left_out("value decayed to zero", faded_rows, faded_pairs);
  if (pairs.zero_pairs + faded_pairs > 0) data = without_unused(std::move(data));
}

KINDRED_ONCE EventPlaces places_of(const Events& events, const Dataset& data, const std::vector<std::string>& of_kinds,
                                   std::optional<std::int64_t> before) {
  data.check();
  check_event_columns(events);
  const std::size_t size = events.users.size();
  check_time_option("before", before);
  if (before && events.times.empty() && size > 0) throw InvalidArgument("before", *before, "unset where events have no times");
  IdMap known_kinds;
  const std::vector<Index> kind_of = intern_kinds(known_kinds, events.kinds);
  std::vector<char> wanted(static_cast<std::size_t>(known_kinds.size()), of_kinds.empty() ? 1 : 0);
  for (std::size_t n = 0; n < of_kinds.size(); ++n) {
    const std::optional<Index> kind = known_kinds.find(of_kinds[n]);
    if (!kind) throw InvalidArgument("of_kinds[" + std::to_string(n) + "]", printable(of_kinds[n]), "a kind of the events");
    wanted[static_cast<std::size_t>(*kind)] = 1;
  }
  EventPlaces places{std::vector<Index>(size, -1), std::vector<Index>(size, -1)};
  KeyColumn::Buffer user_text, item_text;
  for (std::size_t n = 0; n < size; ++n) {
    const std::string_view user = events.users.text(n, user_text), item = events.items.text(n, item_text);
    if (user.empty()) throw InvalidArgument(ColumnInput::name("user", n), "''", "a key that is not empty");
    if (item.empty()) throw InvalidArgument(ColumnInput::name("item", n), "''", "a key that is not empty");
    if ((before && events.times[n] >= *before) || (!kind_of.empty() && wanted[static_cast<std::size_t>(kind_of[n])] == 0)) continue;
    places.users[n] = data.users.find(user).value_or(-1);
    places.items[n] = data.items.find(item).value_or(-1);
    if (!events.times.empty()) places.last = places.last ? (std::max)(*places.last, events.times[n]) : events.times[n];
  }
  return places;
}

}  // namespace detail

KINDRED_ONCE Dataset Events::dataset(const EventOptions& options) const {
  detail::check_event_columns(*this);
  detail::check_event_options(*this, options);
  Dataset data;
  LoadReport report;
  report.source = "events in memory";
  report.lines = users.size();
  report.rows = users.size();
  IdMap known_kinds;
  const std::vector<Index> kind_of = detail::intern_kinds(known_kinds, kinds);
  const detail::EventCounts counts(*this, options, known_kinds, kind_of);
  counts.report_left_out(report);
  const auto keep = [&](std::size_t n) { return detail::EventCounts::counts(counts(n)); };
  const std::vector<Index> user_indices = detail::intern_column(data.users, users, "user", keep);
  const std::vector<Index> item_indices = detail::intern_column(data.items, items, "item", keep);
  detail::set_event_pairs(data, report, detail::EventMerge(times, kind_of, counts, options).merge(data, user_indices, item_indices));
  data.load = std::move(report);
  return data;
}

KINDRED_ONCE CsrMatrix Events::pairs(const Dataset& data, const std::vector<std::string>& of_kinds,
                                     std::optional<std::int64_t> before) const {
  detail::EventPlaces places = detail::places_of(*this, data, of_kinds, before);
  for (std::size_t n = 0; n < places.users.size(); ++n)
    if (places.users[n] < 0 || places.items[n] < 0) places.users[n] = places.items[n] = -1;
  return detail::merged_matrix(data.matrix.shape(),
                               detail::gather_rows(data.users.size(), detail::ColumnInput{places.users, places.items, {}, {}}));
}

}  // namespace kindred::inline v0
