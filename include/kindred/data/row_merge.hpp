// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/packed_sort.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Interactions gathered by user: those of user u are [offsets[u], offsets[u + 1]) of the other arrays, in the order in which they were given.
struct GatheredRows {
  std::vector<Offset> offsets;  ///< Length users + 1.
  UnclearedVector<Index> columns;
  UnclearedVector<float> values;
  std::vector<std::int64_t> times;  ///< Empty, or as long as `columns`.
};

/// Gathers the interactions of `input` by user, a counting sort. `input` has size(), user(n), item(n), value(n), has_times() and time(n), all of them checked;
/// an interaction of the user -1 is left out. O(interactions + users).
template <typename Input>
[[nodiscard]] GatheredRows gather_rows(Index users, const Input& input) {
  GatheredRows rows;
  resize_large(rows.offsets, static_cast<std::size_t>(users) + 1);
  for (std::size_t n = 0; n < input.size(); ++n)
    if (const Index u = input.user(n); u >= 0) ++rows.offsets[static_cast<std::size_t>(u) + 1];
  for (std::size_t u = 1; u < rows.offsets.size(); ++u) rows.offsets[u] += rows.offsets[u - 1];
  const auto total = static_cast<std::size_t>(rows.offsets.back());
  rows.columns.resize(total);
  rows.values.resize(total);
  if (input.has_times()) resize_large(rows.times, total);
  for (std::size_t n = 0; n < input.size(); ++n) {
    const Index u = input.user(n);
    if (u < 0) continue;
    const auto place = static_cast<std::size_t>(rows.offsets[static_cast<std::size_t>(u)]++);
    rows.columns[place] = input.item(n);
    rows.values[place] = input.value(n);
    if (input.has_times()) rows.times[place] = input.time(n);
  }
  // Each offset has moved on to the next user's.
  std::copy_backward(rows.offsets.begin(), rows.offsets.end() - 1, rows.offsets.end());
  rows.offsets.front() = 0;
  return rows;
}

/// A pair whose sum is beyond the range of a float.
struct SumTooLarge {
  Index user = 0;
  Index item = 0;
  double sum = 0.0;
};

/// Makes gathered interactions the rows of a matrix: sorted by item, repeats of a pair summed in double in the order given, sums of zero dropped.
/// A pair has the least of its times. Call merge() for all users, add() for each answer, then finish().
class RowMerge {
 public:
  /// A pair that was summed from several interactions: its user, its place in that row, and how many.
  struct Repeat {
    Offset place;
    Index user;
    std::uint32_t rows;
  };

  /// What merge() found among its users.
  struct Found {
    std::vector<Repeat> repeats;
    std::uint64_t merged = 0;              ///< Interactions that were added to an earlier one.
    std::uint64_t zero_rows = 0;           ///< Interactions of pairs that sum to zero.
    std::optional<SumTooLarge> too_large;  ///< The first pair whose sum is too large; the users after it were left out.
  };

  explicit RowMerge(GatheredRows rows) : rows_(std::move(rows)), lengths_(rows_.offsets.size() - 1, 0) {}

  /// Merges the rows of the users [first, last). Many threads may do so at once, each with users of its own. O(interactions).
  [[nodiscard]] Found merge(std::size_t first, std::size_t last) {
    Found found;
    Workspace work;
    for (std::size_t u = first; u < last && !found.too_large; ++u) lengths_[u] = merge_row(u, work, found);
    return found;
  }

  /// Takes an answer of merge(); in any order, by one thread at a time.
  void add(Found found) {
    merged_ += found.merged;
    zero_rows_ += found.zero_rows;
    if (!found.repeats.empty()) repeats_.push_back(std::move(found.repeats));
    if (found.too_large && (!too_large_ || found.too_large->user < too_large_->user)) too_large_ = found.too_large;
  }

  /// The first pair in the order of users and items whose sum is too large: then there are no rows to finish.
  [[nodiscard]] const std::optional<SumTooLarge>& too_large() const noexcept { return too_large_; }
  [[nodiscard]] std::uint64_t merged() const noexcept { return merged_; }
  [[nodiscard]] std::uint64_t zero_rows() const noexcept { return zero_rows_; }

  /// The arrays of the matrix, without gaps. `raw_rows`: how many interactions each pair was summed from; empty if no pair came twice.
  [[nodiscard]] GatheredRows finish(std::vector<std::uint32_t>& raw_rows, const ParallelOptions& parallel) {
    std::vector<Offset> starts(lengths_.size() + 1);
    for (std::size_t u = 0; u < lengths_.size(); ++u) starts[u + 1] = starts[u] + lengths_[u];
    close_gaps(rows_.columns, starts, parallel);
    close_gaps(rows_.values, starts, parallel);
    if (!rows_.times.empty()) close_gaps(rows_.times, starts, parallel);
    raw_rows.clear();
    if (!repeats_.empty()) {
      resize_large(raw_rows, rows_.columns.size(), std::uint32_t{1}, parallel);
      parallel_for(repeats_.size(), {.threads = parallel.threads, .grain = 1, .executor = parallel.executor},
                   [&](std::size_t first, std::size_t last, std::size_t) {
                     for (std::size_t n = first; n < last; ++n)
                       for (const Repeat& one : repeats_[n])
                         raw_rows[static_cast<std::size_t>(starts[static_cast<std::size_t>(one.user)] + one.place)] = one.rows;
                   });
    }
    rows_.offsets = std::move(starts);
    return std::move(rows_);
  }

 private:
  struct Workspace {
    PackedSort packed;
    std::vector<std::uint64_t> order;
    std::vector<float> values;
    std::vector<std::int64_t> times;
  };

  /// Moves merged rows to where they start without gaps.
  template <typename Values>
  void close_gaps(Values& values, const std::vector<Offset>& starts, const ParallelOptions& parallel) const {
    const std::size_t before = values.size(), after = static_cast<std::size_t>(starts.back());
    if (after == before) return;
    const auto each_row = [&](std::size_t first, std::size_t last, auto* to) {
      for (std::size_t u = first; u < last; ++u)
        if (to != values.data() || starts[u] != rows_.offsets[u])
          std::copy_n(values.begin() + rows_.offsets[u], lengths_[u], to + starts[u]);
    };
    const ParallelOptions loop{.threads = parallel.threads, .grain = 4096, .executor = parallel.executor};
    if (worker_count(lengths_.size(), loop) == 1) {
      each_row(0, lengths_.size(), values.data());
    } else {  // rows that move at once would run into each other
      UnclearedVector<typename Values::value_type> moved(after);
      parallel_for(lengths_.size(), loop, [&](std::size_t first, std::size_t last, std::size_t) { each_row(first, last, moved.data()); });
      parallel_for(lengths_.size(), loop, [&](std::size_t first, std::size_t last, std::size_t) {
        std::copy(moved.begin() + starts[first], moved.begin() + starts[last], values.begin() + starts[first]);
      });
    }
    values.resize(after);
    if (after < before - before / 4) values.shrink_to_fit();
  }

  /// Sorts and merges a row in place. Returns its new length.
  [[nodiscard]] Offset merge_row(std::size_t user, Workspace& work, Found& found) {
    const auto start = static_cast<std::size_t>(rows_.offsets[user]);
    const auto n = static_cast<std::size_t>(rows_.offsets[user + 1]) - start;
    Index* const columns = rows_.columns.data() + start;
    float* const values = rows_.values.data() + start;
    std::int64_t* const times = rows_.times.empty() ? nullptr : rows_.times.data() + start;
    // A row may hold more than 2^32 events, but not of as many items: then positions do not fit beside an item, and it is sorted by itself.
    work.order.resize(n);
    const bool packed = n <= (std::numeric_limits<std::uint32_t>::max)();
    for (std::size_t at = 0; at < n; ++at) work.order[at] = packed ? (static_cast<std::uint64_t>(columns[at]) << 32) | at : at;
    if (packed)
      work.packed.sort(work.order);
    else
      std::sort(work.order.begin(), work.order.end(),
                [&](std::uint64_t a, std::uint64_t b) { return columns[a] != columns[b] ? columns[a] < columns[b] : a < b; });
    const auto place = [&](std::size_t at) { return packed ? work.order[at] & 0xFFFFFFFFu : work.order[at]; };
    work.values.assign(values, values + n);
    if (times != nullptr) work.times.assign(times, times + n);
    std::vector<Index> copy;
    if (!packed) copy.assign(columns, columns + n);
    const auto column = [&](std::size_t at) {
      return packed ? static_cast<Index>(work.order[at] >> 32) : copy[static_cast<std::size_t>(work.order[at])];
    };

    std::size_t length = 0;
    for (std::size_t at = 0; at < n;) {
      const std::size_t first = at;
      const Index item = column(first);
      double sum = 0.0;
      std::int64_t time = (std::numeric_limits<std::int64_t>::max)();
      for (; at < n && column(at) == item; ++at) {
        sum += static_cast<double>(work.values[place(at)]);
        if (times != nullptr) time = (std::min)(time, work.times[place(at)]);
      }
      // Checked as a double: converting one beyond the range of float is undefined.
      if (std::abs(sum) > static_cast<double>((std::numeric_limits<float>::max)())) {
        found.too_large = SumTooLarge{static_cast<Index>(user), item, sum};
        return 0;
      }
      const std::size_t members = at - first;
      const auto value = static_cast<float>(sum);
      if (value == 0.0F) {
        found.zero_rows += members;
        continue;
      }
      columns[length] = item;
      values[length] = value;
      if (times != nullptr) times[length] = time;
      if (members > 1) {
        found.merged += members - 1;
        found.repeats.push_back({static_cast<Offset>(length), static_cast<Index>(user), static_cast<std::uint32_t>(members)});
      }
      ++length;
    }
    return static_cast<Offset>(length);
  }

  GatheredRows rows_;
  std::vector<Offset> lengths_;
  std::vector<std::vector<Repeat>> repeats_;
  std::uint64_t merged_ = 0;
  std::uint64_t zero_rows_ = 0;
  std::optional<SumTooLarge> too_large_;
};

}  // namespace detail

}  // namespace kindred::inline v0
