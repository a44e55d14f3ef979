// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/io/atomic_file.hpp>
#include <kindred/io/checksum.hpp>

// Sorting more interactions than memory holds: sorted runs in files of their own, then one merge of all of them.

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

/// Bytes to a file through a buffer, and their checksum.
class BufferedWriter {
 public:
  explicit BufferedWriter(AtomicFile& file) : file_(file) { buffer_.reserve(buffer_bytes); }

  template <typename T>
  void put(const T& value) {
    put_bytes(std::as_bytes(std::span(&value, 1)));
  }
  void put_bytes(std::span<const std::byte> bytes) {
    if (buffer_.size() + bytes.size() > buffer_bytes) flush();
    if (bytes.size() > buffer_bytes) {
      write(bytes);
      return;
    }
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
  void flush() {
    write(buffer_);
    buffer_.clear();
  }
  /// Of everything that was flushed.
  [[nodiscard]] std::uint64_t checksum() const noexcept { return hash_.digest(); }

 private:
  static constexpr std::size_t buffer_bytes = std::size_t{1} << 18;

  void write(std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    hash_.update(bytes);
    file_.write(bytes);
  }

  AtomicFile& file_;
  Xxh64 hash_;
  std::vector<std::byte> buffer_;
};

/// A file read from front to back through a buffer of a given size, and the checksum of what was read.
class BufferedReader {
 public:
  /// @throws IoError.
  BufferedReader(std::string path, std::size_t buffer_bytes)
      : path_(std::move(path)), file_(std::fopen(path_.c_str(), "rb")), buffer_(buffer_bytes) {
    if (!file_) throw IoError(path_, "open", errno);
    (void)std::setvbuf(file_.get(), nullptr, _IONBF, 0);
    std::error_code none;
    if (const std::uintmax_t size = std::filesystem::file_size(path_, none); !none) size_ = size;
  }

  /// @throws IoError; FormatError if the file ends before.
  template <typename T>
  [[nodiscard]] T get() {
    T value;
    get_bytes(std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }
  void get_bytes(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
      if (at_ == end_) fill();
      const std::size_t count = (std::min)(bytes.size(), end_ - at_);
      std::memcpy(bytes.data(), buffer_.data() + at_, count);
      at_ += count;
      bytes = bytes.subspan(count);
    }
  }
  /// A length and as many bytes, into `text`. @throws FormatError also if the file is shorter than that: no length is believed before.
  void get_text(std::string& text) {
    const auto length = get<std::uint32_t>();
    if (length > size_) throw FormatError(path_ + ": the file is damaged: a key longer than the file");
    text.resize(length);
    get_bytes(std::as_writable_bytes(std::span(text.data(), text.size())));
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Of everything that was taken so far.
  [[nodiscard]] std::uint64_t checksum() {
    take_hash();
    return hash_.digest();
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { (void)std::fclose(file); }
  };

  void take_hash() {
    hash_.update(std::span<const std::byte>(buffer_).subspan(hashed_, at_ - hashed_));
    hashed_ = at_;
  }
  void fill() {
    take_hash();
    errno = 0;
    at_ = hashed_ = 0;
    end_ = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
    if (end_ > 0) return;
    if (std::ferror(file_.get()) != 0) throw IoError(path_, "read", errno != 0 ? errno : EIO);
    throw FormatError(path_ + ": the file is damaged: it ends too early");
  }

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::vector<std::byte> buffer_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::size_t hashed_ = 0;
  std::uint64_t size_ = 0;
  Xxh64 hash_;
};

/// What a run holds, and how far its writer had come with it: interactions in all runs so far, and keys.
struct RunHeader {
  static constexpr std::array<char, 8> the_magic = {'K', 'I', 'N', 'D', 'R', 'U', 'N', '1'};

  std::array<char, 8> magic = the_magic;
  std::uint64_t entries = 0;
  std::uint64_t added = 0;
  std::uint64_t new_users = 0;  // keys, which follow the entries: length and bytes of each
  std::uint64_t new_items = 0;
};

/// Writes the sorted entries as a run, whole or not at all; `rest(writer)` adds what follows them.
template <typename Rest>
void write_run(const std::string& path, const RunHeader& header, const SortBuffer& buffer, Rest&& rest) {
  AtomicFile file(path);
  BufferedWriter writer(file);
  writer.put(header);
  for (std::size_t n = 0; n < buffer.size(); ++n) writer.put(buffer[n]);
  rest(writer);
  writer.flush();
  const std::uint64_t checksum = writer.checksum();
  file.write(std::as_bytes(std::span(&checksum, 1)));
  file.commit();
}

/// The start of a run. @throws FormatError if it is none.
[[nodiscard]] inline RunHeader read_run_header(BufferedReader& reader) {
  const auto header = reader.get<RunHeader>();
  if (header.magic != RunHeader::the_magic) throw FormatError(reader.path() + ": the file is damaged: not a run of sorted interactions");
  return header;
}

/// Reads the entries of several runs in one order: by row, then column, equal pairs in the order of the runs.
class RunMerger {
 public:
  /// `memory`: bytes for all buffers together. @throws IoError, FormatError; InvalidArgument if it is too little for as many runs.
  RunMerger(std::span<const std::string> paths, std::uint64_t memory) {
    constexpr std::uint64_t least = 4096;
    const std::uint64_t each = (std::min)(memory / (std::max)(paths.size(), std::size_t{1}), std::uint64_t{1} << 20);
    if (!paths.empty() && each < least)
      throw InvalidArgument("memory_limit", "too low for " + std::to_string(paths.size()) + " sorted runs", "at least four times as much");
    for (const std::string& path : paths) {
      runs_.push_back(std::make_unique<Run>(path, static_cast<std::size_t>(each)));
      advance(runs_.size() - 1);
    }
    std::make_heap(heap_.begin(), heap_.end(), later);
  }

  /// The next entry; false at the end. @throws IoError; FormatError if a run is damaged.
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
    Run(const std::string& path, std::size_t buffer_bytes)
        : reader(path, buffer_bytes), header(read_run_header(reader)), left(header.entries) {}
    BufferedReader reader;
    RunHeader header;
    std::uint64_t left;
  };
  struct Head {
    std::uint64_t key;
    std::size_t run;
    float value;
  };
  static bool later(const Head& a, const Head& b) noexcept { return a.key != b.key ? a.key > b.key : a.run > b.run; }

  bool advance(std::size_t n) {
    Run& run = *runs_[n];
    if (run.left == 0) {
      check_end(run);
      return false;
    }
    --run.left;
    const auto entry = run.reader.get<SortEntry>();
    heap_.push_back({entry.key(), n, entry.value});
    return true;
  }

  /// Reads past the keys to the checksum.
  static void check_end(Run& run) {
    std::string key;
    for (std::uint64_t n = 0; n < run.header.new_users + run.header.new_items; ++n) run.reader.get_text(key);
    const std::uint64_t found = run.reader.checksum();
    if (run.reader.get<std::uint64_t>() != found) throw FormatError(run.reader.path() + ": the file is damaged: its checksum differs");
  }

  std::vector<std::unique_ptr<Run>> runs_;
  std::vector<Head> heap_;
};

}  // namespace kindred::inline v0::detail
