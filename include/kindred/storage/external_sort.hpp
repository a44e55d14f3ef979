// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/storage/checksum.hpp>
#include <kindred/storage/hashed_writer.hpp>
#include <kindred/storage/scratch_file.hpp>

// Sorting more interactions than memory holds: sorted runs in one scratch file, then one merge of all of them.

namespace kindred::inline v0::detail {

/// An interaction to be sorted by row, then column.
struct SortEntry {
  Index row = 0;
  Index column = 0;
  float value = 0.0F;

  [[nodiscard]] std::uint64_t key() const noexcept {
    return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(row)) << 32) | static_cast<std::uint32_t>(column);
  }
};

/// Interactions waiting to become a run. Equal pairs keep their order.
class SortBuffer {
 public:
  /// Room for as many as fit into `bytes`.
  explicit SortBuffer(std::uint64_t bytes) {
    constexpr std::uint64_t most = 0xFFFFFFFF;  // positions are 32-bit
    capacity_ = static_cast<std::size_t>((std::clamp)(bytes / sizeof(Item), std::uint64_t{1}, most));
    items_.reserve(capacity_);
  }

  [[nodiscard]] bool full() const noexcept { return items_.size() == capacity_; }
  [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  void add(const SortEntry& entry) { items_.push_back({entry.key(), static_cast<std::uint32_t>(items_.size()), entry.value}); }
  void clear() noexcept { items_.clear(); }

  void sort() {
    std::sort(items_.begin(), items_.end(),
              [](const Item& a, const Item& b) { return a.key != b.key ? a.key < b.key : a.order < b.order; });
  }
  [[nodiscard]] SortEntry operator[](std::size_t n) const noexcept {
    const Item& item = items_[n];
    return {static_cast<Index>(item.key >> 32), static_cast<Index>(item.key & 0xFFFFFFFFu), item.value};
  }

 private:
  struct Item {
    std::uint64_t key;
    std::uint32_t order;
    float value;
  };

  std::size_t capacity_ = 0;
  AlignedVector<Item> items_;
};

/// Appends the sorted entries of `buffer` to `file`. @throws IoError.
[[nodiscard]] inline HashedBytes write_run(ScratchFile& file, const SortBuffer& buffer) {
  HashedWriter writer(file, file.size());
  std::array<SortEntry, 512> entries;  // the writer takes many at once faster than one after the other
  for (std::size_t first = 0; first < buffer.size(); first += entries.size()) {
    const std::size_t count = (std::min)(entries.size(), buffer.size() - first);
    for (std::size_t n = 0; n < count; ++n) entries[n] = buffer[first + n];
    writer.put_bytes(std::as_bytes(std::span(entries).first(count)));
  }
  return writer.finish();
}

/// Reads the entries of several runs in one order: by row, then column, equal pairs in the order of the runs.
class RunMerger {
 public:
  /// `memory`: bytes for all buffers together. `file` must outlive this object.
  /// @throws IoError, FormatError; InvalidArgument if it is too little for as many runs.
  RunMerger(const ScratchFile& file, std::span<const HashedBytes> runs, std::uint64_t memory) : file_(file) {
    constexpr std::uint64_t least = 4096;
    const std::uint64_t each = (std::min)(memory / (std::max)(runs.size(), std::size_t{1}), std::uint64_t{1} << 20);
    if (!runs.empty() && each < least)
      throw InvalidArgument("memory_limit", "too low for " + std::to_string(runs.size()) + " sorted runs", "at least four times as much");
    for (const HashedBytes& run : runs) {
      runs_.push_back({.place = run.start, .left = run.bytes / sizeof(SortEntry), .checksum = run.checksum});
      runs_.back().buffer.reserve(static_cast<std::size_t>((std::min)(each, run.bytes) / sizeof(SortEntry)));
      (void)advance(runs_.size() - 1);
    }
    std::make_heap(heap_.begin(), heap_.end(), later);
  }

  /// The next entry; false at the end. @throws IoError; FormatError if a run is not what was written.
  [[nodiscard]] bool next(SortEntry& entry) {
    if (heap_.empty()) return false;
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Head head = heap_.back();
    heap_.pop_back();
    entry = {static_cast<Index>(head.key >> 32), static_cast<Index>(head.key & 0xFFFFFFFFu), head.value};
    if (advance(head.run)) std::push_heap(heap_.begin(), heap_.end(), later);
    return true;
  }

 private:
  struct Run {
    std::uint64_t place = 0;
    std::uint64_t left = 0;  // entries that are not in the buffer yet
    std::uint64_t checksum = 0;
    std::vector<SortEntry> buffer = {};
    std::size_t at = 0;
    Xxh64 hash = {};
  };
  struct Head {
    std::uint64_t key;
    std::size_t run;
    float value;
  };
  static bool later(const Head& a, const Head& b) noexcept { return a.key != b.key ? a.key > b.key : a.run > b.run; }

  bool advance(std::size_t n) {
    Run& run = runs_[n];
    if (run.at == run.buffer.size() && !fill(run)) return false;
    const SortEntry& entry = run.buffer[run.at++];
    heap_.push_back({entry.key(), n, entry.value});
    return true;
  }

  /// False at the end of the run.
  bool fill(Run& run) const {
    if (run.left == 0) {
      if (run.hash.digest() != run.checksum) throw FormatError("a file of sorted interactions is damaged: its checksum differs");
      return false;
    }
    run.buffer.resize(static_cast<std::size_t>((std::min)(static_cast<std::uint64_t>(run.buffer.capacity()), run.left)));
    const std::span<std::byte> bytes = std::as_writable_bytes(std::span<SortEntry>(run.buffer));
    file_.read(run.place, bytes);
    run.hash.update(bytes);
    run.place += bytes.size();
    run.left -= run.buffer.size();
    run.at = 0;
    return true;
  }

  const ScratchFile& file_;
  std::vector<Run> runs_;
  std::vector<Head> heap_;
};

}  // namespace kindred::inline v0::detail
