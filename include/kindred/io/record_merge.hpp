// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/io/block_parser.hpp>
#include <kindred/io/text.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The ids of all threads as one map in the order of the file, and what each thread's own indices are in it.
struct MergedKeys {
  IdMap map;
  std::vector<std::vector<Index>> of;  ///< [thread][its index]; empty for one thread, whose indices they are.

  [[nodiscard]] Index operator()(std::size_t thread, Index own) const noexcept {
    return of.empty() ? own : of[thread][static_cast<std::size_t>(own)];
  }
};

/// Uses the maps up. O(keys of all threads * log).
[[nodiscard]] inline MergedKeys merge_keys(std::span<SeenKeys* const> seen) {
  MergedKeys merged;
  if (seen.size() == 1) {
    merged.map = std::move(seen[0]->map);
    return merged;
  }
  struct Entry {
    std::uint64_t place;
    std::uint32_t thread;
    Index own;
  };
  std::vector<Entry> entries;
  for (std::size_t t = 0; t < seen.size(); ++t) {
    merged.of.emplace_back(seen[t]->places.size());
    for (std::size_t n = 0; n < seen[t]->places.size(); ++n)
      entries.push_back({seen[t]->places[n], static_cast<std::uint32_t>(t), static_cast<Index>(n)});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.place < b.place; });
  for (const Entry& entry : entries)
    merged.of[entry.thread][static_cast<std::size_t>(entry.own)] = merged.map.intern(seen[entry.thread]->map.key(entry.own));
  for (SeenKeys* const keys : seen) keys->map = {};
  return merged;
}

/// Rows in the order of the file, and whose indices they have.
struct ThreadRows {
  std::size_t thread = 0;
  BlockRows found;
};

/// Rows become a matrix: sorted by user, then item, repeats summed in double in the order of the file.
class RowMerger {
 public:
  RowMerger(const MergedKeys& users, const MergedKeys& items, bool with_times, std::size_t threads)
      : users_(users), items_(items), with_times_(with_times), threads_(threads) {}

  /// Puts matrix, times and raw rows into `data`, and `merged` and `noted` sums into the report; uses the rows up. Returns how many rows summed to zero.
  /// O(rows * log(longest row)). @throws InvalidArgument if a sum is beyond the range of a float, naming the first such pair.
  /// `forget` is called once the rows are not needed any more.
  template <typename Forget>
  [[nodiscard]] std::uint64_t merge(std::vector<ThreadRows>& blocks, Dataset& data, LoadReport& report, Forget&& forget) {
    scatter(blocks);
    blocks = {};
    forget();
    sort_rows(report);
    close_gaps(data);
    const MatrixShape shape{users_.map.size(), items_.map.size()};
    data.matrix = CsrMatrix(shape, std::move(offsets_), std::move(columns_), std::move(values_));
    data.times = std::move(times_);
    report.merged += merged_;
    return zero_rows_;
  }

 private:
  /// A pair that several rows were merged into: its place among the columns, once they are closed up, and how many.
  struct Repeat {
    Offset place;
    std::uint32_t rows;
  };

  /// A stable counting sort by user, by all threads: each has a run of blocks, and its own place in every user's row.
  void scatter(std::vector<ThreadRows>& blocks) {
    const auto n_users = static_cast<std::size_t>(users_.map.size());
    std::size_t total = 0;
    for (const ThreadRows& block : blocks) total += static_cast<std::size_t>(block.found.rows);
    const std::size_t runs = (std::max)(std::size_t{1}, (std::min)(resolve_threads(threads_), total / (8 * n_users + 1)));
    // Runs of about as many rows.
    std::vector<std::size_t> first_block(runs + 1, blocks.size());
    first_block[0] = 0;
    for (std::size_t n = 0, before = 0, run = 1; n < blocks.size(); ++n) {
      while (run < runs && before >= total / runs * run) first_block[run++] = n;
      before += static_cast<std::size_t>(blocks[n].found.rows);
    }
    std::vector<std::vector<Offset>> next(runs, std::vector<Offset>(n_users, 0));
    const auto each_run = [&](auto&& body) {
      parallel_for(runs, {.threads = threads_}, [&](std::size_t first, std::size_t last, std::size_t) {
        for (std::size_t run = first; run < last; ++run)
          for (std::size_t n = first_block[run]; n < first_block[run + 1]; ++n) body(next[run], blocks[n]);
      });
    };
    each_run([&](std::vector<Offset>& counts, const ThreadRows& block) {
      for (const std::span<const Interaction> piece : block.found.pieces)
        for (const Interaction& row : piece) ++counts[static_cast<std::size_t>(users_(block.thread, row.user))];
    });
    offsets_.resize(n_users + 1);
    Offset at = 0;
    for (std::size_t u = 0; u < n_users; ++u) {
      offsets_[u] = at;
      for (std::vector<Offset>& run : next) at += std::exchange(run[u], at);
    }
    offsets_[n_users] = at;
    resize_large(columns_, total);
    resize_large(values_, total);
    if (with_times_) resize_large(times_, total);
    each_run([&](std::vector<Offset>& places, ThreadRows& block) {
      std::size_t n = 0;
      for (const std::span<const Interaction> piece : block.found.pieces) {
        for (const Interaction& row : piece) {
          const auto place = static_cast<std::size_t>(places[static_cast<std::size_t>(users_(block.thread, row.user))]++);
          columns_[place] = items_(block.thread, row.item);
          values_[place] = row.value;
          if (with_times_) times_[place] = block.found.times[n++];
        }
      }
      block.found = {};
    });
  }

  void sort_rows(const LoadReport& report) {
    const auto n_users = static_cast<std::size_t>(users_.map.size());
    lengths_.resize(n_users);
    std::mutex mutex;
    std::optional<Interaction> failed;  // the first pair whose sum is too large
    double failed_sum = 0.0;
    parallel_for(n_users, {.threads = threads_, .grain = 1024}, [&](std::size_t first, std::size_t last, std::size_t) {
      Workspace work;
      for (std::size_t u = first; u < last; ++u) {
        double sum = 0.0;
        Index item = 0;
        lengths_[u] = sort_row(u, work, sum, item);
        if (lengths_[u] >= 0) continue;
        const std::lock_guard lock(mutex);
        if (!failed || failed->user > static_cast<Index>(u)) {
          failed = Interaction{static_cast<Index>(u), item, 0.0F};
          failed_sum = sum;
        }
      }
      const std::lock_guard lock(mutex);
      merged_ += work.merged;
      zero_rows_ += work.zero_rows;
      repeats_.insert(repeats_.end(), work.repeats.begin(), work.repeats.end());
    });
    if (failed)
      throw InvalidArgument("the sum of user " + printable(users_.map.key(failed->user)) + " and item " +
                                printable(items_.map.key(failed->item)) + " in " + report.source,
                            failed_sum, "within the range of a float");
  }

  struct Workspace {
    std::vector<std::uint64_t> order;
    std::vector<float> values;
    std::vector<std::int64_t> times;
    std::vector<Repeat> repeats;
    std::uint64_t merged = 0;
    std::uint64_t zero_rows = 0;
  };

  /// Sorts and merges a row in place. Returns its new length, or -1 if a sum is too large, which is then in `sum`, and the item in `item`.
  [[nodiscard]] Offset sort_row(std::size_t user, Workspace& work, double& sum, Index& item) {
    const auto start = static_cast<std::size_t>(offsets_[user]);
    const auto n = static_cast<std::size_t>(offsets_[user + 1]) - start;
    Index* const columns = columns_.data() + start;
    float* const values = values_.data() + start;
    std::int64_t* const times = with_times_ ? times_.data() + start : nullptr;
    // A row may hold more than 2^32 events, but not of as many items: then positions do not fit beside an item, and it is sorted by itself.
    work.order.resize(n);
    const bool packed = n <= (std::numeric_limits<std::uint32_t>::max)();
    for (std::size_t at = 0; at < n; ++at) work.order[at] = packed ? (static_cast<std::uint64_t>(columns[at]) << 32) | at : at;
    if (packed)
      std::sort(work.order.begin(), work.order.end());
    else
      std::stable_sort(work.order.begin(), work.order.end(), [&](std::uint64_t a, std::uint64_t b) { return columns[a] < columns[b]; });
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
      item = column(first);
      sum = 0.0;
      std::int64_t time = (std::numeric_limits<std::int64_t>::max)();
      for (; at < n && column(at) == item; ++at) {
        sum += static_cast<double>(work.values[place(at)]);
        if (times != nullptr) time = (std::min)(time, work.times[place(at)]);
      }
      // Checked as a double: converting one beyond the range of float is undefined.
      if (std::abs(sum) > static_cast<double>((std::numeric_limits<float>::max)())) return -1;
      const std::size_t members = at - first;
      const auto value = static_cast<float>(sum);
      if (value == 0.0F) {
        work.zero_rows += members;
        continue;
      }
      columns[length] = item;
      values[length] = value;
      if (times != nullptr) times[length] = time;
      if (members > 1) {
        work.merged += members - 1;
        work.repeats.push_back({static_cast<Offset>(start + length), static_cast<std::uint32_t>(members)});
      }
      ++length;
    }
    return static_cast<Offset>(length);
  }

  /// Moves rows that others before them have become shorter, and says how many rows each pair was summed from.
  void close_gaps(Dataset& data) {
    const std::size_t before = columns_.size();
    std::sort(repeats_.begin(), repeats_.end(), [](const Repeat& a, const Repeat& b) { return a.place < b.place; });
    auto repeat = repeats_.begin();
    Offset to = 0;
    for (std::size_t u = 0; u < lengths_.size(); ++u) {
      const Offset from = std::exchange(offsets_[u], to);
      for (; repeat != repeats_.end() && repeat->place < from + lengths_[u]; ++repeat) repeat->place += to - from;
      if (to != from) {
        std::copy_n(columns_.begin() + from, lengths_[u], columns_.begin() + to);
        std::copy_n(values_.begin() + from, lengths_[u], values_.begin() + to);
        if (with_times_) std::copy_n(times_.begin() + from, lengths_[u], times_.begin() + to);
      }
      to += lengths_[u];
    }
    offsets_.back() = to;
    const auto cut = [&](auto& values) {
      values.resize(static_cast<std::size_t>(to));
      if (static_cast<std::size_t>(to) < before - before / 4) values.shrink_to_fit();
    };
    cut(columns_);
    cut(values_);
    if (with_times_) cut(times_);
    if (repeats_.empty()) return;
    resize_large(data.raw_rows, columns_.size());
    std::fill(data.raw_rows.begin(), data.raw_rows.end(), 1);
    for (const Repeat& one : repeats_) data.raw_rows[static_cast<std::size_t>(one.place)] = one.rows;
  }

  const MergedKeys& users_;
  const MergedKeys& items_;
  bool with_times_;
  std::size_t threads_;
  std::vector<Offset> offsets_;
  std::vector<Index> columns_;
  std::vector<float> values_;
  std::vector<std::int64_t> times_;
  std::vector<Offset> lengths_;
  std::vector<Repeat> repeats_;
  std::uint64_t merged_ = 0;
  std::uint64_t zero_rows_ = 0;
};

}  // namespace detail

}  // namespace kindred::inline v0
