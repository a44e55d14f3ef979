// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <limits>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/thread_team.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/dataset.ipp>
#include <kindred/io/block_parser.hpp>
#include <kindred/io/column_places.hpp>
#include <kindred/io/delimited_format.hpp>
#include <kindred/io/record.hpp>
#include <kindred/io/record_merge.hpp>
#include <kindred/io/record_parser.hpp>
#include <kindred/io/table.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The rest of a table, dealt by the calling thread in blocks of whole lines, read and parsed by all threads; then one dataset in the order of the file.
class ParallelRecords {
 public:
  /// `table` stands at its first row, or at its end. All references must outlive this object.
  ParallelRecords(TableReader& table, const DelimitedFormat& format, const RecordParser& records, RecordParts parts, const Rekey& rekey)
      : table_(table),
        records_(records),
        parts_(parts),
        threads_(table.options().execution.executor),
        execution_{.threads = table.options().execution.threads, .executor = threads_.executor()} {
    const std::size_t workers = (std::min)(resolve_threads(execution_.threads), table.most_threads());
    const IdMap ids;  // whose copies hash alike
    for (std::size_t n = 0; n < workers; ++n) {
      parsers_.emplace_back(table, format, records, parts, rekey);
      parsers_[n].users.map = parsers_[n].items.map = ids;
    }
    done_.resize(workers);
  }

  /// The row that the table stands at.
  void take_first_row() {
    Record record;
    LineProblem problem;
    ThreadRows first;
    switch (const auto outcome = records_.parse(table_.fields(), record, problem)) {
      case RecordParser::Outcome::bad: table_.bad(problem); break;
      case RecordParser::Outcome::kept:
        parsers_[0].take(record, first.found);
        done_[0].push_back(std::move(first.found));
        break;
      default: table_.dropped(RecordParser::reasons[RecordParser::reason_of(outcome)]);
    }
  }

  /// Reads everything. @throws as read_delimited does.
  [[nodiscard]] Dataset finish() {
    parse_blocks();
    std::vector<ThreadRows> blocks = in_order();
    LoadReport report = report_of(blocks);
    std::vector<SeenKeys*> seen_users, seen_items;
    for (auto& parser : parsers_) {
      seen_users.push_back(&parser.users);
      seen_items.push_back(&parser.items);
    }
    MergedKeys users = merge_keys(seen_users, execution_), items = merge_keys(seen_items, execution_);
    Dataset data;
    if (parts_.item_names) data.item_names = merge_names(items);
    RowMerger merger(std::move(users), std::move(items), parts_.times, execution_);
    const std::uint64_t zero_rows = merger.merge(blocks, data, report, [&] {
      parallel_for(parsers_.size(), loop_of(execution_, 1), [&](std::size_t t, std::size_t, std::size_t) { parsers_[t].forget(); });
    });
    return finished_dataset(std::move(data), std::move(report), zero_rows);
  }

 private:
  // The calling thread deals, and parses when it is far ahead; the others parse what waits. No thread waits for the block of another.
  void parse_blocks() {
    const std::size_t workers = parsers_.size();
    if (workers > 1) table_.leave_unread();
    parallel_for(workers, {.threads = workers, .grain = 1, .executor = execution_.executor},
                 [&](std::size_t, std::size_t, std::size_t worker) {
                   try {
                     if (worker == 0)
                       read_blocks(workers > 1 ? 3 * workers : 0);
                     else
                       while (parse_next(worker, Wait::for_more)) {
                       }
                   } catch (...) {
                     const std::lock_guard lock(mutex_);
                     ended_ = aborted_ = true;
                     more_.notify_all();
                     throw;
                   }
                 });
    // What stopped the reading is for later than what was wrong in the lines before it.
    if (reading_failed_ && failed_block_.load() >= unread_block_) std::rethrow_exception(reading_failed_);
  }

  void read_blocks(std::size_t most_waiting) {
    {
      const std::lock_guard lock(mutex_);
      if (ended_) return;  // a second helping, where there were fewer threads than expected
    }
    for (LineBlock block; failed_block_.load(std::memory_order_relaxed) == none;) {
      try {
        if (!table_.next_block(block)) break;
      } catch (...) {
        reading_failed(none);
        break;
      }
      if (most_waiting == 0) {
        parse(0, block);
        continue;
      }
      bool far_ahead = false;
      {
        const std::lock_guard lock(mutex_);
        if (aborted_) return;
        waiting_.push_back(std::move(block));
        block = {};
        if (!spare_.empty()) {
          block = std::move(spare_.back());
          spare_.pop_back();
        }
        far_ahead = waiting_.size() > most_waiting;
        more_.notify_one();
      }
      if (far_ahead) (void)parse_next(0, Wait::not_at_all);
    }
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      more_.notify_all();
    }
    while (parse_next(0, Wait::not_at_all)) {
    }
  }

  enum class Wait { not_at_all, for_more };

  /// False where there is no block, and none will come or the caller does not wait.
  bool parse_next(std::size_t worker, Wait wait) {
    LineBlock block;
    {
      std::unique_lock lock(mutex_);
      if (wait == Wait::for_more) more_.wait(lock, [&] { return ended_ || !waiting_.empty(); });
      if (waiting_.empty() || aborted_) return false;
      block = std::move(waiting_.front());
      waiting_.pop_front();
    }
    parse(worker, block);
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(block));
    return true;
  }

  void parse(std::size_t worker, LineBlock& block) {
    if (block.number > failed_block_.load(std::memory_order_relaxed)) return;
    try {
      table_.fetch(block);
    } catch (...) {
      reading_failed(block.number);
      return lower(failed_block_, block.number);
    }
    BlockRows found = parsers_[worker].parse(block);
    if (found.bad_lines > 0 && table_.options().on_bad_line == ReadOptions::BadLinePolicy::fail) lower(failed_block_, block.number);
    done_[worker].push_back(std::move(found));
  }

  /// least = min(least, value).
  static void lower(std::atomic<std::uint64_t>& least, std::uint64_t value) noexcept {
    std::uint64_t before = least.load(std::memory_order_relaxed);
    while (value < before && !least.compare_exchange_weak(before, value, std::memory_order_relaxed)) {
    }
  }

  /// Keeps the exception that is being handled, if it is of the first block that could not be read.
  void reading_failed(std::uint64_t block) {
    const std::lock_guard lock(mutex_);
    if (reading_failed_ && block >= unread_block_) return;
    reading_failed_ = std::current_exception();
    unread_block_ = block;
  }

  /// All blocks in the order of the file, in which those of a worker are.
  [[nodiscard]] std::vector<ThreadRows> in_order() {
    std::size_t left = 0;
    for (const auto& own : done_) left += own.size();
    std::vector<ThreadRows> blocks;
    blocks.reserve(left);
    std::vector<std::size_t> taken(done_.size(), 0);
    for (; left > 0; --left) {
      std::size_t first = done_.size();
      for (std::size_t worker = 0; worker < done_.size(); ++worker) {
        if (taken[worker] == done_[worker].size()) continue;
        if (first == done_.size() || done_[worker][taken[worker]].number < done_[first][taken[first]].number) first = worker;
      }
      blocks.push_back({first, std::move(done_[first][taken[first]++])});
    }
    done_.clear();
    return blocks;
  }

  /// Counts, and bad lines by their number in the file. @throws ParseError at the first if they fail.
  [[nodiscard]] LoadReport report_of(const std::vector<ThreadRows>& blocks) {
    std::uint64_t line = table_.lines();
    LoadReport& report = table_.report();
    for (const auto& [worker, found] : blocks) {
      for (const BlockRows::Bad& bad : found.first_bad) {
        table_.record_bad(line + bad.line, bad.problem);
        --report.bad_lines;  // counted below, with those that were not kept
      }
      line += found.lines;
      report.bad_lines += found.bad_lines;
      report.skipped += found.skipped;
      if (found.number > 0) report.rows += found.rows;  // the table has counted its first row
      for (std::size_t n = 0; n < found.dropped.size(); ++n)
        if (found.dropped[n] > 0) report.dropped[RecordParser::reasons[n]] += found.dropped[n];
      if (found.noted > 0) report.noted["alias applied"] += found.noted;
    }
    report.lines = line - table_.lines();
    return table_.finish();
  }

  /// The first name of each item in the order of the file.
  [[nodiscard]] std::vector<std::string> merge_names(const MergedKeys& items) {
    std::vector<std::string> names(static_cast<std::size_t>(items.map.size()));
    std::vector<std::atomic<std::uint64_t>> places(names.size());  // of the first name
    for (auto& place : places) place.store(none, std::memory_order_relaxed);
    const auto each_name = [&](const auto& body) {
      parallel_for(parsers_.size(), loop_of(execution_, 1), [&](std::size_t t, std::size_t, std::size_t) {
        for (std::size_t own = 0; own < parsers_[t].item_names.size(); ++own)
          if (!parsers_[t].item_names[own].empty())
            body(static_cast<std::size_t>(items(t, static_cast<Index>(own))), parsers_[t].item_names[own], parsers_[t].name_places[own]);
      });
    };
    each_name([&](std::size_t item, const std::string&, std::uint64_t place) { lower(places[item], place); });
    each_name([&](std::size_t item, std::string& name, std::uint64_t place) {
      if (places[item].load(std::memory_order_relaxed) == place) names[item] = std::move(name);
    });
    return names;
  }

  static constexpr std::uint64_t none = (std::numeric_limits<std::uint64_t>::max)();

  TableReader& table_;
  const RecordParser& records_;
  RecordParts parts_;
  ThreadTeam threads_;
  Execution execution_;
  std::vector<BlockParser> parsers_;          // one a worker
  std::vector<std::vector<BlockRows>> done_;  // by worker, in the order of the file
  std::atomic<std::uint64_t> failed_block_{none};

  std::mutex mutex_;  // of what follows
  std::exception_ptr reading_failed_;
  std::uint64_t unread_block_ = none;  // that could not be read; none: what comes after all others
  std::condition_variable more_;
  std::deque<LineBlock> waiting_;
  std::vector<LineBlock> spare_;
  bool ended_ = false;
  bool aborted_ = false;
};

}  // namespace detail

}  // namespace kindred::inline v0
