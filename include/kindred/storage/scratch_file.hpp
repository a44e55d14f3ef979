// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/storage/file.hpp>
#include <kindred/storage/part_names.hpp>
#include <kindred/storage/posix_file.hpp>

namespace kindred::inline v0::detail {

/// A file without a name, for data that does not fit into memory. The system frees its space when it is closed, also if the process is killed.
/// Every method throws IoError.
class ScratchFile {
 public:
  /// On the file system of `target`, whose folder must exist.
  explicit ScratchFile(const std::string& target) : path_(target) {
#if KINDRED_POSIX_FILES
    const PartNames names(target);
    for (std::uint64_t attempt = 0; !file_; ++attempt) {
      const std::string name = names.next(attempt);
      file_ = File::try_open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, target);
      if (!file_ && (errno != EEXIST || attempt == 100)) throw IoError(path_, "create a file beside it", errno);
      if (file_) ::unlink(name.c_str());
    }
#else
    throw IoError(path_, "create a file beside it", ENOSYS);
#endif
  }

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  void write_at([[maybe_unused]] std::uint64_t place, [[maybe_unused]] std::span<const std::byte> bytes) {
#if KINDRED_POSIX_FILES
    file_.write_at(place, bytes, "write a file beside it");
    size_ = (std::max)(size_, place + bytes.size());
#endif
  }

  /// Fills `bytes` from `place` on; all of them must have been written.
  void read([[maybe_unused]] std::uint64_t place, [[maybe_unused]] std::span<std::byte> bytes) const {
#if KINDRED_POSIX_FILES
    if (file_.read_at(place, bytes, "read a file beside it") < bytes.size()) throw IoError(path_, "read a file beside it", EIO);
#endif
  }

 private:
  std::string path_;
  std::uint64_t size_ = 0;
#if KINDRED_POSIX_FILES
  File file_;
#endif
};

}  // namespace kindred::inline v0::detail
