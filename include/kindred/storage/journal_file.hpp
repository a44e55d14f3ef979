// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <kindred/core/config.hpp>

// A file of records that are appended one by one and survive a killed process. Little-endian:
//
//   32 bytes at the start: "KNDJRNL1", the journal's id, the number of its first record, XXH64 of these 24 bytes
//   a record: uint32 length, uint32 check of number and length, uint64 XXH64 of number and bytes, the bytes
//
// Numbers of records go up by one and are never used again, so that another file can say which records it holds: all below a number.

namespace kindred::inline v0::detail {

/// An append-only file of records with checksums. One process writes it: the file is locked. Methods may be called from many threads.
class JournalFile {
 public:
  /// Opens the journal at `path`, or starts one there. `sync_milliseconds`: nothing leaves the time of writing to disk to the system; 0: flush() returns when
  /// the record is on the disk; otherwise a thread flushes what is older than that. Call replay() before anything else.
  /// @throws IoError (the file is in use, no permission, ...); FormatError if it is no journal or its start is damaged.
  KINDRED_ONCE JournalFile(const std::string& path, std::optional<std::uint32_t> sync_milliseconds);
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;
  KINDRED_ONCE ~JournalFile();

  /// A number that no other journal has; never 0.
  [[nodiscard]] KINDRED_ONCE std::uint64_t id() const noexcept;
  /// The number of the first record that the file holds.
  [[nodiscard]] KINDRED_ONCE std::uint64_t first() const;
  /// The number of the record that append() will write next.
  [[nodiscard]] KINDRED_ONCE std::uint64_t next() const;

  /// Calls `take(number, record)` for each record from the first on, and returns how many bytes were cut off the end: a last record that was not written
  /// whole. The record is valid during the call. @throws FormatError with the place of a record that is damaged and not the last one; IoError.
  template <typename Take>
  std::uint64_t replay(Take&& take) {
    using Called = std::remove_reference_t<Take>;
    return read_all(const_cast<void*>(static_cast<const void*>(std::addressof(take))),
                    [](void* called, std::uint64_t number, std::string_view record) { (*static_cast<Called*>(called))(number, record); });
  }

  /// Writes a record and returns its number. A killed process does not lose it. At most 2^32 - 1 bytes.
  /// @throws IoError: the file is as it was. After a flush that failed, every call throws.
  KINDRED_ONCE std::uint64_t append(std::string_view record);

  /// Returns once record `number` is as safe as the constructor was told. Threads that wait together share one flush. @throws IoError.
  KINDRED_ONCE void flush(std::uint64_t number);

  /// Removes the records below `first`; nothing if there are none. Above next(), the next record gets that number. The file is replaced as a whole.
  /// @throws IoError: the file is as it was.
  KINDRED_ONCE void shorten(std::uint64_t first);

 private:
  struct Impl;
  KINDRED_ONCE std::uint64_t read_all(void* take, void (*call)(void* take, std::uint64_t number, std::string_view record));

  std::shared_ptr<Impl> impl_;
};

}  // namespace kindred::inline v0::detail

#if !defined(KINDRED_COMPILED)
#include <kindred/storage/journal_file.ipp>  // IWYU pragma: export
#endif
