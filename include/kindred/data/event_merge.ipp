// SPDX-License-Identifier: MIT
#pragma once

// Part of the bodies of data/events.hpp: included by events.ipp.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/text.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.ipp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/events.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/data/load_report.hpp>
#include <kindred/data/packed_sort.hpp>
#include <kindred/data/pair_sum.hpp>

namespace kindred::inline v0::detail {

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

/// Weight of the kind times value of each event; 0 for an event that is left out.
class EventCounts {
 public:
  /// The columns stay the caller's. `kind_of` may be empty: one kind.
  /// @throws InvalidArgument for a kind without a weight, naming its first row, if such kinds are refused.
  EventCounts(const Events& events, const EventOptions& options, const IdMap& kinds, const std::vector<Index>& kind_of)
      : events_(events), options_(options), kind_of_(kind_of), weights_(weights_of_kinds(kinds, kind_of, options)) {}

  [[nodiscard]] double operator()(std::size_t n) const noexcept {
    if (is_outside(n)) return 0.0;
    const double value = events_.values.empty() ? 1.0 : static_cast<double>(events_.values[n]);
    return kind_of_.empty() ? value : weight(n).value_or(0.0) * value;
  }

  /// Counts in `report` the events that are left out, by reason.
  void report_left_out(LoadReport& report) const {
    std::uint64_t outside = 0, unlisted = 0, weightless = 0, zero = 0;
    for (std::size_t n = 0; n < events_.users.size(); ++n) {
      if (counts((*this)(n))) continue;
      if (is_outside(n))
        ++outside;
      else if (!kind_of_.empty() && !weight(n))
        ++unlisted;
      else if (!kind_of_.empty() && !counts(*weight(n)))
        ++weightless;
      else
        ++zero;
    }
    report.rows -= outside + unlisted + weightless + zero;
    const auto dropped = [&](const char* reason, std::uint64_t count) {
      if (count > 0) report.dropped[reason] += count;
    };
    dropped("outside the window", outside);
    dropped("kind without a weight", unlisted);
    dropped("weight of zero", weightless);
    dropped("zero value", zero);
  }

  [[nodiscard]] static bool counts(double count) noexcept { return count < 0.0 || count > 0.0; }

 private:
  [[nodiscard]] bool is_outside(std::size_t n) const noexcept {
    return (options_.from && events_.times[n] < *options_.from) || (options_.until && events_.times[n] >= *options_.until);
  }
  [[nodiscard]] const std::optional<double>& weight(std::size_t n) const noexcept {
    return weights_[static_cast<std::size_t>(kind_of_[n])];
  }

  const Events& events_;
  const EventOptions& options_;
  const std::vector<Index>& kind_of_;
  std::vector<std::optional<double>> weights_;
};

/// Adds up events by pair, user after user. The columns stay the caller's.
class EventMerge {
 public:
  /// Interactions by user and item, cancelled pairs left out. The sums of pairs that decay are not yet divided.
  struct Pairs {
    std::vector<Offset> offsets;
    std::vector<Index> columns;
    std::vector<float> values;  // without decay
    std::vector<double> sums;   // decayed; empty without a half-life
    std::vector<std::int64_t> times;
    std::vector<std::uint32_t> rows;  // events of each pair
    double mean = 1.0;                // of the magnitudes without decay
    std::uint64_t zero_rows = 0;
    std::uint64_t zero_pairs = 0;
  };

  /// `kind_of` may be empty: one kind.
  EventMerge(std::span<const std::int64_t> times, const std::vector<Index>& kind_of, const EventCounts& counts, const EventOptions& options)
      : times_(times), kind_of_(kind_of), counts_(counts), options_(options) {
    if (options.half_life_seconds) reference_ = reference();
  }

  /// `data` has the keys of users and items, for errors. O(events + users).
  /// @throws InvalidArgument if a sum is beyond the range of a float, naming the first pair.
  [[nodiscard]] Pairs merge(const Dataset& data, const std::vector<Index>& users, const std::vector<Index>& items) {
    Pairs pairs;
    pairs.offsets.assign(static_cast<std::size_t>(data.users.size()) + 1, 0);
    std::vector<std::size_t> ends(pairs.offsets.size(), 0);
    gather(users, items, ends);
    reserve_large(pairs.columns, ends.back());
    reserve_large(pairs.values, ends.back());
    if (options_.half_life_seconds) reserve_large(pairs.sums, ends.back());
    reserve_large(pairs.rows, ends.back());
    if (!times_.empty()) reserve_large(pairs.times, ends.back());
    double magnitude = 0.0;
    std::size_t first = 0;
    for (std::size_t u = 0; u + 1 < ends.size(); first = ends[u++]) {
      const std::span<const Entry> of_user = entries_of(first, ends[u], users, items);
      order_.resize(of_user.size());  // item and place of each event of the user: sorted by item, then in the order given
      for (std::size_t at = 0; at < of_user.size(); ++at)
        order_[at] = (static_cast<std::uint64_t>(of_user[at].item) << 32) | static_cast<std::uint64_t>(at);
      sort_.sort(order_);
      for (std::size_t at = 0; at < order_.size();) {
        const std::size_t start = at;
        while (at < order_.size() && order_[at] >> 32 == order_[start] >> 32) ++at;
        add_pair(data, static_cast<Index>(u), {order_.data() + start, at - start}, of_user, pairs, magnitude);
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

  /// @throws InvalidArgument for an event after the reference that was asked for.
  [[nodiscard]] std::int64_t reference() const {
    std::int64_t last = (std::numeric_limits<std::int64_t>::min)();
    for (std::size_t n = 0; n < times_.size(); ++n) {
      if (!EventCounts::counts(counts_(n))) continue;
      if (options_.reference && times_[n] > *options_.reference)
        throw InvalidArgument(ColumnInput::name("time", n), times_[n],
                              "at or before options.reference, which is " + whole_text(static_cast<long long>(*options_.reference)));
      last = (std::max)(last, times_[n]);
    }
    return options_.reference ? *options_.reference : last;
  }

  [[nodiscard]] Entry entry(std::size_t n, const std::vector<Index>& items) const noexcept {
    return {items[n], static_cast<std::uint32_t>(n), counts_(n), times_.empty() ? 0 : times_[n]};
  }

  /// Finds where the events of each user end, and gathers them in the order given unless they come user after user. `ends`: one more than users.
  void gather(const std::vector<Index>& users, const std::vector<Index>& items, std::vector<std::size_t>& ends) {
    Index last = 0;
    in_order_ = true;
    for (const Index user : users) {
      if (user < 0) continue;
      in_order_ = in_order_ && user >= last;
      last = user;
      ++ends[static_cast<std::size_t>(user) + 1];
    }
    for (std::size_t u = 1; u < ends.size(); ++u) ends[u] += ends[u - 1];
    if (in_order_) {
      std::rotate(ends.begin(), ends.begin() + 1, ends.end());
      ends.back() = ends.size() > 1 ? ends[ends.size() - 2] : 0;
      return;
    }
    entries_.resize(ends.back());
    // ends[u] begins as the start of user u and moves on to its end.
    for (std::size_t n = 0; n < users.size(); ++n)
      if (users[n] >= 0) entries_[ends[static_cast<std::size_t>(users[n])]++] = entry(n, items);
  }

  /// The events of a user, whose place among those that count is [first, end). Users in turn; valid until the next.
  [[nodiscard]] std::span<const Entry> entries_of(std::size_t first, std::size_t end, const std::vector<Index>& users,
                                                  const std::vector<Index>& items) {
    if (!in_order_) return {entries_.data() + first, end - first};
    entries_.clear();
    for (; entries_.size() < end - first; ++next_)
      if (users[next_] >= 0) entries_.push_back(entry(next_, items));
    return entries_;
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
    PairSum plain;
    double decayed = 0.0;
    for (const std::size_t place : chosen_) {
      const Entry& event = of_user[place];
      plain.add(event.count);
      if (options_.half_life_seconds)
        decayed += event.count * std::exp2(-static_cast<double>(reference_ - event.time) / *options_.half_life_seconds);
    }
    const auto item = static_cast<Index>(events[0] >> 32);
    if (plain.exceeds_float())
      throw InvalidArgument(
          "the sum of user " + printable(data.users.key(user)) + " and item " + printable(data.items.key(item)) + " in events in memory",
          plain.value(), "within the range of a float");
    if (plain.cancels()) {
      pairs.zero_rows += events.size();
      ++pairs.zero_pairs;
      return;
    }
    magnitude += std::abs(plain.value());
    pairs.columns.push_back(item);
    pairs.values.push_back(static_cast<float>(plain.value()));
    if (options_.half_life_seconds) pairs.sums.push_back(decayed);
    pairs.rows.push_back(static_cast<std::uint32_t>(events.size()));
    if (times_.empty()) return;
    std::int64_t time = (std::numeric_limits<std::int64_t>::max)();
    for (const std::uint64_t one : events) time = (std::min)(time, of_user[static_cast<std::size_t>(one & 0xFFFFFFFFu)].time);
    pairs.times.push_back(time);
  }

  std::span<const std::int64_t> times_;
  const std::vector<Index>& kind_of_;
  const EventCounts& counts_;
  const EventOptions& options_;
  std::int64_t reference_ = 0;
  bool in_order_ = false;       // events come user after user
  std::size_t next_ = 0;        // the first event that entries_of has not seen
  UnclearedVector<Entry> entries_;  // of all users, or of one at a time
  PackedSort sort_;
  std::vector<std::uint64_t> order_;
  std::vector<std::size_t> chosen_;
};

}  // namespace kindred::inline v0::detail
