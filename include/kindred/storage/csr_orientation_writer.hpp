// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/storage/atomic_file.hpp>
#include <kindred/storage/checksum.hpp>
#include <kindred/storage/csr_file_format.hpp>
#include <kindred/storage/external_sort.hpp>

namespace kindred::inline v0::detail {

/// The arrays of a file that are written side by side, each from front to back.
class SectionWriter {
 public:
  SectionWriter(AtomicFile& file, std::uint64_t start) : file_(&file), place_{start, 0, 0} { buffer_.reserve(buffer_bytes); }

  template <typename T>
  void put(const T& value) {
    put_bytes(std::as_bytes(std::span(&value, 1)));
  }
  void put_bytes(std::span<const std::byte> bytes) {
    if (buffer_.size() + bytes.size() > buffer_bytes) flush();
    if (bytes.size() > buffer_bytes)
      write(bytes);
    else
      buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
  /// Where the array is, complete.
  [[nodiscard]] CsrSectionPlace finish() {
    flush();
    place_.checksum = hash_.digest();
    return place_;
  }

 private:
  static constexpr std::size_t buffer_bytes = std::size_t{1} << 17;

  void flush() {
    write(buffer_);
    buffer_.clear();
  }
  void write(std::span<const std::byte> bytes) {
    file_->write_at(place_.start + place_.bytes, bytes);
    hash_.update(bytes);
    place_.bytes += bytes.size();
  }

  AtomicFile* file_;
  CsrSectionPlace place_;
  Xxh64 hash_;
  std::vector<std::byte> buffer_;
};

/// Rows in order, as the three arrays of one orientation.
class OrientationWriter {
 public:
  OrientationWriter(AtomicFile& file, std::uint64_t offsets, std::uint64_t columns, std::uint64_t values)
      : offsets_(file, offsets), columns_(file, columns), values_(file, values) {
    offsets_.put(Offset{0});
  }
  void add(const SortEntry& entry) {
    end_rows(entry.row);
    columns_.put(entry.column);
    values_.put(entry.value);
    ++nnz_;
  }
  [[nodiscard]] Offset nnz() const noexcept { return nnz_; }
  void finish(Index rows, CsrSectionPlace& offsets, CsrSectionPlace& columns, CsrSectionPlace& values) {
    end_rows(rows);
    offsets = offsets_.finish();
    columns = columns_.finish();
    values = values_.finish();
  }

 private:
  void end_rows(Index before) {
    for (; ended_ < before; ++ended_) offsets_.put(nnz_);
  }

  SectionWriter offsets_;
  SectionWriter columns_;
  SectionWriter values_;
  Index ended_ = 0;
  Offset nnz_ = 0;
};

}  // namespace kindred::inline v0::detail
