// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>

#include <kindred/core/config.hpp>
#include <kindred/storage/file.hpp>
#include <kindred/storage/part_names.hpp>
#include <kindred/storage/posix_file.hpp>

namespace kindred::inline v0::detail {

/// The file that AtomicFile writes for `path`: symbolic links are followed, also where the last one leads to nothing yet.
/// @throws IoError if a file is there that is no regular one, or the links cannot be followed.
[[nodiscard]] KINDRED_ONCE std::string replaceable_target(const std::string& path);

/// A file that replaces `path` as a whole or not at all: it is written beside it under another name, flushed to the disk, and renamed by commit().
///
/// Until commit() the file at `path` is untouched; without a commit() the new file is removed. A killed process leaves it behind, and the next writer of
/// `path` removes it. Owner, group and mode of a replaced file are kept as far as the system allows; symbolic links are followed. A folder, pipe,
/// device or socket at `path` is refused. Every method throws IoError with the path and the system's words.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::span<const std::byte> bytes);
  /// Writes at a place of the file, which may lie beyond its end; the gap reads as zeros.
  void write_at(std::uint64_t place, std::span<const std::byte> bytes);
  void commit();
#if KINDRED_POSIX_FILES
  /// commit(), and the file stays open for reading and writing, locked against other processes from before it had its name.
  [[nodiscard]] File commit_locked();
#endif

 private:
  [[nodiscard]] bool open_part();
  /// Removes files of killed writers: regular files of this user, of a name that only this class makes, that no process has locked.
  void remove_left_behind() const;

#if KINDRED_POSIX_FILES
  File file_;
#else
  void close() noexcept;
  std::FILE* file_ = nullptr;
#endif

  std::string path_;  // the target of all links
  PartNames names_;
  std::string part_;  // empty once it has become `path_`
};

}  // namespace kindred::inline v0::detail

#if !defined(KINDRED_COMPILED)
#include <kindred/storage/atomic_file.ipp>  // IWYU pragma: export
#endif
