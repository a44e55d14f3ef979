// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/storage/atomic_file.hpp>
#include <kindred/storage/checksum.hpp>
#include <kindred/storage/external_sort.hpp>
#include <kindred/storage/hashed_writer.hpp>

namespace kindred::inline v0::detail {

/// Rows in order, as the three arrays of one orientation.
class CsrOrientationWriter {
 public:
  CsrOrientationWriter(AtomicFile& file, std::uint64_t offsets, std::uint64_t columns, std::uint64_t values)
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
  void finish(Index rows, HashedBytes& offsets, HashedBytes& columns, HashedBytes& values) {
    end_rows(rows);
    offsets = offsets_.finish();
    columns = columns_.finish();
    values = values_.finish();
  }

 private:
  void end_rows(Index before) {
    for (; ended_ < before; ++ended_) offsets_.put(nnz_);
  }

  HashedWriter<AtomicFile> offsets_;
  HashedWriter<AtomicFile> columns_;
  HashedWriter<AtomicFile> values_;
  Index ended_ = 0;
  Offset nnz_ = 0;
};

}  // namespace kindred::inline v0::detail
