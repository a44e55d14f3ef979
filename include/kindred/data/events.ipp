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

/// @throws InvalidArgument unless the options are in range and have an effect on these columns.
inline void check_event_options(const Events& events, const EventOptions& options) {
  const auto needs_times = [&](std::string_view name, const auto& option) {
    if (option && events.times.empty() && events.users.size() > 0) throw InvalidArgument(name, *option, "unset where events have no times");
  };
  needs_times("from", options.from);
  needs_times("until", options.until);
  needs_times("half_life_seconds", options.half_life_seconds);
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
  IdMap seen;
  for (std::size_t n = 0; n < options.weights.size(); ++n) {
    const EventOptions::KindWeight& one = options.weights[n];
    const std::string name = "weights[" + std::to_string(n) + "]";
    if (one.kind.empty()) throw InvalidArgument(name + ".kind", "''", "a kind that is not empty");
    if (!is_finite(one.weight)) throw InvalidArgument(name + ".weight", one.weight, "finite");
    if (seen.intern(one.kind) != static_cast<Index>(n)) throw InvalidArgument(name + ".kind", printable(one.kind), "listed once");
  }
}

/// The indices in `kinds` of the kinds of all events, taken in; empty where events have none. The first few kinds are found by comparison, without a hash.
/// @throws InvalidArgument if a kind is empty, naming the first.
[[nodiscard]] inline std::vector<Index> intern_kinds(IdMap& kinds, const KeyColumn& column) {
  constexpr std::size_t most = 8;
  std::vector<std::string> first_kinds;
  std::vector<Index> indices(column.size());
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

/// The weights of the kinds, by their indices; none for a kind without one. `kind_of`: the kind of each event.
/// @throws InvalidArgument for a kind without a weight, naming its first row, if such kinds are refused.
[[nodiscard]] inline std::vector<std::optional<double>> weights_of_kinds(const IdMap& kinds, const std::vector<Index>& kind_of,
                                                                         const EventOptions& options) {
  std::vector<std::optional<double>> weights(static_cast<std::size_t>(kinds.size()));
  for (const EventOptions::KindWeight& one : options.weights)
    if (const std::optional<Index> kind = kinds.find(one.kind)) weights[static_cast<std::size_t>(*kind)] = one.weight;
  if (options.unlisted == EventOptions::Unlisted::drop) return weights;
  for (std::size_t kind = 0; kind < weights.size(); ++kind) {
    if (weights[kind]) continue;
    const auto row = std::find(kind_of.begin(), kind_of.end(), static_cast<Index>(kind)) - kind_of.begin();
    throw InvalidArgument(ColumnInput::name("kind", static_cast<std::size_t>(row)), printable(kinds.key(static_cast<Index>(kind))),
                          "a kind that options.weights lists, or options.unlisted drop");
  }
  return weights;
}

/// Weight of the kind times value of each event; 0 for an event that is left out, which `report` counts.
[[nodiscard]] inline std::vector<double> event_counts(const Events& events, const EventOptions& options, const IdMap& kinds,
                                                      const std::vector<Index>& kind_of, LoadReport& report) {
  const std::vector<std::optional<double>> weights = weights_of_kinds(kinds, kind_of, options);
  std::uint64_t outside = 0, unlisted = 0, weightless = 0, zero = 0;
  std::vector<double> counts(events.users.size(), 0.0);
  for (std::size_t n = 0; n < counts.size(); ++n) {
    if ((options.from && events.times[n] < *options.from) || (options.until && events.times[n] >= *options.until)) {
      ++outside;
      continue;
    }
    const std::optional<double> weight = kind_of.empty() ? 1.0 : weights[static_cast<std::size_t>(kind_of[n])];
    if (!weight) {
      ++unlisted;
    } else if (!(*weight < 0.0 || *weight > 0.0)) {
      ++weightless;
    } else {
      counts[n] = *weight * (events.values.empty() ? 1.0 : static_cast<double>(events.values[n]));
      if (!(counts[n] < 0.0 || counts[n] > 0.0)) ++zero;
    }
  }
  report.rows -= outside + unlisted + weightless + zero;
  const auto dropped = [&](const char* reason, std::uint64_t count) {
    if (count > 0) report.dropped[reason] += count;
  };
  dropped("outside the window", outside);
  dropped("kind without a weight", unlisted);
  dropped("weight of zero", weightless);
  dropped("zero value", zero);
  return counts;
}

/// Adds up events by pair, user after user. The columns stay the caller's.
class EventMerge {
 public:
  /// Interactions by user and item, cancelled pairs left out; `values` are decayed, not yet divided.
  struct Pairs {
    std::vector<Offset> offsets;
    std::vector<Index> columns;
    std::vector<double> values;
    std::vector<std::int64_t> times;
    std::vector<std::uint32_t> rows;  // events of each pair
    double mean = 1.0;                // of the magnitudes without decay
    std::uint64_t zero_rows = 0;
    std::uint64_t zero_pairs = 0;
  };

  /// `counts` of an event that is left out is 0. `kind_of` may be empty: one kind.
  EventMerge(std::span<const std::int64_t> times, const std::vector<Index>& kind_of, const std::vector<double>& counts,
             const EventOptions& options)
      : times_(times), kind_of_(kind_of), counts_(counts), options_(options) {
    if (options.half_life_seconds) reference_ = reference();
  }

  /// `data` has the keys of users and items, for errors. O(events * log(longest row) + users).
  /// @throws InvalidArgument if a sum is beyond the range of a float, naming the first pair.
  [[nodiscard]] Pairs merge(const Dataset& data, const std::vector<Index>& users, const std::vector<Index>& items) {
    Pairs pairs;
    pairs.offsets.assign(static_cast<std::size_t>(data.users.size()) + 1, 0);
    std::vector<std::size_t> ends(pairs.offsets.size(), 0);
    gather(users, items, ends);
    pairs.columns.reserve(entries_.size());
    pairs.values.reserve(entries_.size());
    pairs.rows.reserve(entries_.size());
    if (!times_.empty()) pairs.times.reserve(entries_.size());
    double magnitude = 0.0;
    std::size_t first = 0;
    for (std::size_t u = 0; u + 1 < ends.size(); first = ends[u++]) {
      order_.clear();  // item and place of each event of the user: sorted by item, then in the order given
      for (std::size_t at = first; at < ends[u]; ++at)
        order_.push_back((static_cast<std::uint64_t>(entries_[at].item) << 32) | static_cast<std::uint64_t>(at - first));
      if (!std::is_sorted(order_.begin(), order_.end())) std::sort(order_.begin(), order_.end());
      for (std::size_t at = 0; at < order_.size();) {
        const std::size_t start = at;
        while (at < order_.size() && order_[at] >> 32 == order_[start] >> 32) ++at;
        add_pair(data, static_cast<Index>(u), {order_.data() + start, at - start}, {entries_.data() + first, ends[u] - first}, pairs,
                 magnitude);
      }
      pairs.offsets[u + 1] = static_cast<Offset>(pairs.columns.size());
    }
    if (options_.half_life_seconds && !pairs.columns.empty()) pairs.mean = magnitude / static_cast<double>(pairs.columns.size());
    return pairs;
  }

 private:
  /// An event that counts, beside the other events of its user, so that adding up reads memory in order.
  struct Entry {
    Index item;
    std::uint32_t row;  // of the columns
    double count;
    std::int64_t time;
  };

  [[nodiscard]] bool counts(std::size_t row) const noexcept { return counts_[row] < 0.0 || counts_[row] > 0.0; }

  /// @throws InvalidArgument for an event after the reference that was asked for.
  [[nodiscard]] std::int64_t reference() const {
    std::int64_t last = (std::numeric_limits<std::int64_t>::min)();
    for (std::size_t n = 0; n < counts_.size(); ++n) {
      if (!counts(n)) continue;
      if (options_.reference && times_[n] > *options_.reference)
        throw InvalidArgument(ColumnInput::name("time", n), times_[n],
                              "at or before options.reference, which is " + whole_text(static_cast<long long>(*options_.reference)));
      last = (std::max)(last, times_[n]);
    }
    return options_.reference ? *options_.reference : last;
  }

  /// Fills entries_ by user, in the order given. `ends`: where each user's end; one more than users.
  void gather(const std::vector<Index>& users, const std::vector<Index>& items, std::vector<std::size_t>& ends) {
    for (const Index user : users)
      if (user >= 0) ++ends[static_cast<std::size_t>(user) + 1];
    for (std::size_t u = 1; u < ends.size(); ++u) ends[u] += ends[u - 1];
    resize_large(entries_, ends.back());
    // ends[u] begins as the start of user u and moves on to its end.
    for (std::size_t n = 0; n < users.size(); ++n)
      if (users[n] >= 0)
        entries_[ends[static_cast<std::size_t>(users[n])]++] = {items[n], static_cast<std::uint32_t>(n), counts_[n],
                                                                times_.empty() ? 0 : times_[n]};
  }

  /// The events of a pair that are summed, as places among the user's.
  void choose(std::span<const std::uint64_t> events, std::span<const Entry> of_user) {
    chosen_.clear();
    for (const std::uint64_t one : events) chosen_.push_back(static_cast<std::size_t>(one & 0xFFFFFFFFu));
    if (options_.repeats == EventOptions::Repeats::summed || chosen_.size() == 1) return;
    const auto kind = [&](std::size_t place) { return kind_of_.empty() ? Index{0} : kind_of_[of_user[place].row]; };
    std::sort(chosen_.begin(), chosen_.end(), [&](std::size_t a, std::size_t b) {
      if (kind(a) != kind(b)) return kind(a) < kind(b);
      if (of_user[a].time != of_user[b].time) return of_user[a].time < of_user[b].time;
      return a < b;
    });
    std::size_t kept = 0;
    for (std::size_t n = 0; n < chosen_.size(); ++n)
      if (n + 1 == chosen_.size() || kind(chosen_[n]) != kind(chosen_[n + 1])) chosen_[kept++] = chosen_[n];
    chosen_.resize(kept);
  }

  void add_pair(const Dataset& data, Index user, std::span<const std::uint64_t> events, std::span<const Entry> of_user, Pairs& pairs,
                double& magnitude) {
    choose(events, of_user);
    double plain = 0.0, decayed = 0.0, size = 0.0;
    for (const std::size_t place : chosen_) {
      const Entry& event = of_user[place];
      plain += event.count;
      size += std::abs(event.count);
      if (options_.half_life_seconds)
        decayed += event.count * std::exp2(-static_cast<double>(reference_ - event.time) / *options_.half_life_seconds);
    }
    const auto item = static_cast<Index>(events[0] >> 32);
    if (!(std::abs(plain) <= static_cast<double>((std::numeric_limits<float>::max)())))
      throw InvalidArgument(
          "the sum of user " + printable(data.users.key(user)) + " and item " + printable(data.items.key(item)) + " in events in memory",
          plain, "within the range of a float");
    if (std::abs(plain) <= static_cast<double>(chosen_.size()) * std::numeric_limits<double>::epsilon() * size) {
      pairs.zero_rows += events.size();
      ++pairs.zero_pairs;
      return;
    }
    magnitude += std::abs(plain);
    pairs.columns.push_back(item);
    pairs.values.push_back(options_.half_life_seconds ? decayed : plain);
    pairs.rows.push_back(static_cast<std::uint32_t>(events.size()));
    if (times_.empty()) return;
    std::int64_t time = (std::numeric_limits<std::int64_t>::max)();
    for (const std::uint64_t one : events) time = (std::min)(time, of_user[static_cast<std::size_t>(one & 0xFFFFFFFFu)].time);
    pairs.times.push_back(time);
  }

  std::span<const std::int64_t> times_;
  const std::vector<Index>& kind_of_;
  const std::vector<double>& counts_;
  const EventOptions& options_;
  std::int64_t reference_ = 0;
  std::vector<Entry> entries_;
  std::vector<std::uint64_t> order_;
  std::vector<std::size_t> chosen_;
};

/// Puts merged events into `data`, whose keys they belong to. Values that are 0 as floats go, and `report` counts them.
inline void set_event_pairs(Dataset& data, LoadReport& report, EventMerge::Pairs pairs) {
  std::vector<float> values;
  values.reserve(pairs.values.size());
  std::uint64_t faded_rows = 0, faded_pairs = 0, rows = 0;
  std::size_t kept = 0, at = 0;
  for (std::size_t u = 0; u + 1 < pairs.offsets.size(); ++u) {
    for (; at < static_cast<std::size_t>(pairs.offsets[u + 1]); ++at) {
      const double divided = pairs.values[at] / pairs.mean;
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
      values.push_back(value);
      rows += pairs.rows[at];
      pairs.columns[kept] = pairs.columns[at];
      pairs.rows[kept] = pairs.rows[at];
      if (!pairs.times.empty()) pairs.times[kept] = pairs.times[at];
      ++kept;
    }
    pairs.offsets[u + 1] = static_cast<Offset>(kept);
  }
  pairs.columns.resize(kept);
  pairs.rows.resize(kept);
  if (!pairs.times.empty()) pairs.times.resize(kept);
  report.merged += rows - kept;
  if (rows != kept) data.raw_rows = std::move(pairs.rows);
  data.times = std::move(pairs.times);
  data.matrix = CsrMatrix({data.users.size(), data.items.size()}, std::move(pairs.offsets), std::move(pairs.columns), std::move(values));
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
  const std::vector<double> counts = detail::event_counts(*this, options, known_kinds, kind_of, report);
  const auto keep = [&](std::size_t n) { return counts[n] < 0.0 || counts[n] > 0.0; };
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
