// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/dataset.ipp>
#include <kindred/data/id_map.hpp>
#include <kindred/data/row_merge.hpp>
#include <kindred/io/block_parser.hpp>

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

/// Merges the ids of several threads: by shares of the keys, each of which has all that hash alike, so that threads merge without waiting for each other.
class KeyMerge {
 public:
  /// `seen`: at least one. Their maps hash alike: they began as copies of one.
  KeyMerge(std::span<SeenKeys* const> seen, const Execution& execution) : seen_(seen), execution_(execution) {
    empty_.hash_key_ = seen[0]->map.hash_key_;
    std::size_t keys = 0;
    for (const SeenKeys* const one : seen) keys += one->places.size();
    shares_.resize(keys < (std::size_t{1} << 15) ? 1 : 64);
  }

  /// Uses the maps up. O(keys of all threads / threads + different keys * log).
  [[nodiscard]] MergedKeys run() {
    MergedKeys merged;
    merged.of.resize(seen_.size());
    by_share_.resize(seen_.size());
    parallel_for(seen_.size(), loop_of(execution_, 1), [&](std::size_t t, std::size_t, std::size_t) {
      merged.of[t].resize(seen_[t]->places.size());
      by_share_[t] = sorted_by_share(*seen_[t]);
    });
    parallel_for(shares_.size(), loop_of(execution_, 1), [&](std::size_t n, std::size_t, std::size_t) { merge_share(n, merged); });

    const auto order = in_order();
    const std::size_t keys = order.size();
    std::vector<std::uint32_t> hashes(keys);
    parallel_for(keys, loop_of(execution_, 4096), [&](std::size_t first, std::size_t last, std::size_t) {
      for (std::size_t n = first; n < last; ++n) {
        Share& share = shares_[order[n].share];
        hashes[n] = share.hashes[static_cast<std::size_t>(order[n].index)];
        share.merged[static_cast<std::size_t>(order[n].index)] = static_cast<Index>(n);
      }
    });
    merged.map = empty_;
    merged.map.add_distinct(
        hashes, [&](std::size_t n) { return shares_[order[n].share].map.key(order[n].index); }, loop_of(execution_, 1));
    parallel_for(seen_.size(), loop_of(execution_, 1), [&](std::size_t t, std::size_t, std::size_t) {
      for (std::size_t n = 0; n < shares_.size(); ++n)
        for (const Index own : by_share_[t].of(n)) {
          Index& index = merged.of[t][static_cast<std::size_t>(own)];
          index = shares_[n].merged[static_cast<std::size_t>(index)];
        }
      seen_[t]->map = {};
    });
    return merged;
  }

 private:
  struct Key {
    std::uint64_t place;
    std::uint32_t share;
    Index index;
  };

  /// All different keys by their first row: put together by the block of lines that it is in, then sorted within blocks; by all threads.
  [[nodiscard]] UnclearedVector<Key> in_order() const {
    // Where the keys of a share that are in a block go.
    std::vector<std::vector<std::size_t>> next(shares_.size());
    const auto each_share = [&](const auto& body) {
      parallel_for(shares_.size(), loop_of(execution_, 1), [&](std::size_t n, std::size_t, std::size_t) {
        for (std::size_t at = 0; at < shares_[n].places.size(); ++at)
          body(n, at, static_cast<std::size_t>(block_of(shares_[n].places[at])));
      });
    };
    each_share([&](std::size_t n, std::size_t, std::size_t block) {
      if (block >= next[n].size()) next[n].resize(block + 1, 0);
      ++next[n][block];
    });
    std::vector<std::size_t> starts;  // of each block
    std::size_t keys = 0;
    for (bool more = true; more;) {
      more = false;
      const std::size_t block = starts.size();
      starts.push_back(keys);
      for (std::vector<std::size_t>& share : next) {
        if (block >= share.size()) continue;
        keys += std::exchange(share[block], keys);
        more = true;
      }
    }
    UnclearedVector<Key> order(keys);
    each_share([&](std::size_t n, std::size_t at, std::size_t block) {
      order[next[n][block]++] = {shares_[n].places[at], static_cast<std::uint32_t>(n), static_cast<Index>(at)};
    });
    parallel_for(starts.size() - 1, loop_of(execution_, 16), [&](std::size_t first, std::size_t last, std::size_t) {
      for (std::size_t n = first; n < last; ++n)
        std::sort(order.begin() + static_cast<std::ptrdiff_t>(starts[n]), order.begin() + static_cast<std::ptrdiff_t>(starts[n + 1]),
                  [](const Key& x, const Key& y) { return x.place < y.place; });
    });
    return order;
  }

  /// Indices of a thread, those of a share together, and the hashes of their keys.
  struct ByShare {
    std::vector<Index> indices;
    std::vector<std::uint32_t> hashes;
    std::vector<std::size_t> starts;
    [[nodiscard]] std::span<const Index> of(std::size_t share) const noexcept {
      return std::span(indices).subspan(starts[share], starts[share + 1] - starts[share]);
    }
  };
  struct Share {
    IdMap map;
    std::vector<std::uint32_t> hashes;
    std::vector<std::uint64_t> places;  // of each key: the first of all threads
    std::vector<Index> merged;          // index among all keys
  };

  /// By the highest bits of a hash: tables use the lowest.
  [[nodiscard]] std::size_t share_of(std::uint32_t hash) const noexcept { return shares_.size() == 1 ? 0 : hash >> 26; }

  [[nodiscard]] ByShare sorted_by_share(const SeenKeys& keys) const {
    const std::vector<std::uint32_t> hashes = keys.map.hashes();
    ByShare sorted{std::vector<Index>(hashes.size()), std::vector<std::uint32_t>(hashes.size()),
                   std::vector<std::size_t>(shares_.size() + 1, 0)};
    for (const std::uint32_t hash : hashes) ++sorted.starts[share_of(hash) + 1];
    for (std::size_t n = 1; n < sorted.starts.size(); ++n) sorted.starts[n] += sorted.starts[n - 1];
    std::vector<std::size_t> next(sorted.starts.begin(), sorted.starts.end() - 1);
    for (std::size_t n = 0; n < hashes.size(); ++n) {
      const std::size_t to = next[share_of(hashes[n])]++;
      sorted.indices[to] = static_cast<Index>(n);
      sorted.hashes[to] = hashes[n];
    }
    return sorted;
  }

  void merge_share(std::size_t n, MergedKeys& merged) {
    constexpr std::size_t soon = 8, later = 16;  // a look-up waits for memory twice
    Share& share = shares_[n];
    share.map = empty_;
    for (std::size_t t = 0; t < seen_.size(); ++t) {
      const std::span<const Index> own = by_share_[t].of(n);
      const std::uint32_t* const hashes = by_share_[t].hashes.data() + by_share_[t].starts[n];
      for (std::size_t at = 0; at < own.size(); ++at) {
        if (at + later < own.size()) share.map.prefetch_slot(hashes[at + later]);
        if (at + soon < own.size()) share.map.prefetch_key(hashes[at + soon]);
        const Index index = share.map.intern(seen_[t]->map.key(own[at]), hashes[at]);
        const std::uint64_t place = seen_[t]->places[static_cast<std::size_t>(own[at])];
        if (static_cast<std::size_t>(index) == share.places.size()) {
          share.places.push_back(place);
          share.hashes.push_back(hashes[at]);
        }
        share.places[static_cast<std::size_t>(index)] = (std::min)(share.places[static_cast<std::size_t>(index)], place);
        merged.of[t][static_cast<std::size_t>(own[at])] = index;
      }
    }
    share.merged.resize(share.places.size());
  }

  std::span<SeenKeys* const> seen_;
  Execution execution_;
  IdMap empty_;  // that hashes as all of them do
  std::vector<Share> shares_;
  std::vector<ByShare> by_share_;
};

/// The ids of all threads, which are used up.
[[nodiscard]] inline MergedKeys merge_keys(std::span<SeenKeys* const> seen, const Execution& execution) {
  if (seen.size() > 1) return KeyMerge(seen, execution).run();
  MergedKeys merged;
  merged.map = std::move(seen[0]->map);
  return merged;
}

/// Rows in the order of the file, and whose indices they have.
struct ThreadRows {
  std::size_t thread = 0;
  BlockRows found;
};

/// Rows of all threads become a matrix: gathered by user, then merged.
class RowMerger {
 public:
  RowMerger(MergedKeys users, MergedKeys items, bool with_times, const Execution& execution)
      : users_(std::move(users)), items_(std::move(items)), with_times_(with_times), execution_(execution) {}

  /// Puts keys, matrix, times and raw rows into `data`, and `merged` into the report; uses keys and rows up. Returns how many rows summed to zero.
  /// O(rows). @throws InvalidArgument if a sum is beyond the range of a float, naming the first such pair.
  /// `forget` is called once the rows are not needed any more.
  [[nodiscard]] std::uint64_t merge(std::vector<ThreadRows>& blocks, Dataset& data, LoadReport& report,
                                    const std::function<void()>& forget) {
    RowMerge merge(gather(blocks));
    blocks.clear();
    forget();
    std::mutex mutex;
    parallel_for(static_cast<std::size_t>(users_.map.size()), loop_of(execution_, 1024),
                 [&](std::size_t first, std::size_t last, std::size_t) {
                   RowMerge::Found found = merge.merge(first, last);
                   const std::lock_guard lock(mutex);
                   merge.add(std::move(found));
                 });
    data.users = std::move(users_.map);
    data.items = std::move(items_.map);
    set_interactions(data, report, merge, loop_of(execution_, 1));
    return merge.zero_rows();
  }

 private:
  /// A stable counting sort by user, by all threads: each has a run of blocks, and its own place in every user's row.
  [[nodiscard]] GatheredRows gather(std::vector<ThreadRows>& blocks) const {
    const auto n_users = static_cast<std::size_t>(users_.map.size());
    std::size_t total = 0;
    for (const ThreadRows& block : blocks) total += static_cast<std::size_t>(block.found.rows);
    // The counts of a run take 8 bytes a user: at most 4 bytes a row in all.
    const std::size_t runs = (std::max)(std::size_t{1}, (std::min)(resolve_threads(execution_.threads), total / (2 * n_users + 1)));
    // Runs of about as many rows.
    std::vector<std::size_t> first_block(runs + 1, blocks.size());
    first_block[0] = 0;
    for (std::size_t n = 0, before = 0, run = 1; n < blocks.size(); ++n) {
      while (run < runs && before >= total / runs * run) first_block[run++] = n;
      before += static_cast<std::size_t>(blocks[n].found.rows);
    }
    GatheredRows rows;
    std::vector<std::vector<Offset>> next(runs);
    const auto each_run = [&](auto&& body) {
      parallel_for(runs, loop_of(execution_, 1), [&](std::size_t first, std::size_t last, std::size_t) {
        for (std::size_t run = first; run < last; ++run) {
          next[run].resize(n_users);
          for (std::size_t n = first_block[run]; n < first_block[run + 1]; ++n) body(next[run], blocks[n]);
        }
      });
    };
    each_run([&](std::vector<Offset>& counts, const ThreadRows& block) {
      for (const std::span<const Interaction> piece : block.found.pieces)
        for (const Interaction& one : piece) ++counts[static_cast<std::size_t>(users_(block.thread, one.user))];
    });
    rows.offsets.resize(n_users + 1);
    const ParallelOptions by_user = loop_of(execution_, 4096);
    parallel_for(n_users, by_user, [&](std::size_t first, std::size_t last, std::size_t) {
      for (const std::vector<Offset>& run : next)
        for (std::size_t u = first; u < last; ++u) rows.offsets[u + 1] += run[u];
    });
    for (std::size_t u = 0; u < n_users; ++u) rows.offsets[u + 1] += rows.offsets[u];
    parallel_for(n_users, by_user, [&](std::size_t first, std::size_t last, std::size_t) {
      for (std::size_t u = first; u < last; ++u) {
        Offset at = rows.offsets[u];
        for (std::vector<Offset>& run : next) at += std::exchange(run[u], at);
      }
    });
    rows.columns.resize(total);
    rows.values.resize(total);
    if (with_times_) resize_large(rows.times, total, std::int64_t{0}, loop_of(execution_, 1));
    each_run([&](std::vector<Offset>& places, ThreadRows& block) {
      std::size_t n = 0;
      for (const std::span<const Interaction> piece : block.found.pieces) {
        for (const Interaction& one : piece) {
          const auto place = static_cast<std::size_t>(places[static_cast<std::size_t>(users_(block.thread, one.user))]++);
          rows.columns[place] = items_(block.thread, one.item);
          rows.values[place] = one.value;
          if (with_times_) rows.times[place] = block.found.times[n++];
        }
      }
      block.found = {};
    });
    return rows;
  }

  MergedKeys users_;
  MergedKeys items_;
  bool with_times_;
  Execution execution_;
};

}  // namespace detail

}  // namespace kindred::inline v0
