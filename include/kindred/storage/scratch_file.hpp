// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/storage/part_names.hpp>
#include <kindred/storage/posix_file.hpp>

#if KINDRED_POSIX_FILES
#include <fcntl.h>
#include <unistd.h>
#endif

namespace kindred::inline v0::detail {

/// A file without a name, for what does not fit into memory. The system frees its space when it is closed, also if the process is killed.
/// Every method throws IoError.
class ScratchFile {
 public:
  /// On the file system of `target`, whose folder must exist.
  explicit ScratchFile(const std::string& target) : path_(target) {
#if KINDRED_POSIX_FILES
    const PartNames names(target);
    for (std::uint64_t attempt = 0; file_ < 0; ++attempt) {
      const std::string name = names.next(attempt);
      file_ = uninterrupted([&] { return ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600); });
      if (file_ >= 0) ::unlink(name.c_str());
      if (file_ < 0 && (errno != EEXIST || attempt == 100)) throw IoError(path_, "create a file beside it", errno);
    }
#else
    throw IoError(path_, "create a file beside it", ENOSYS);
#endif
  }
  ScratchFile(ScratchFile&& other) noexcept : path_(std::move(other.path_)), size_(other.size_), file_(std::exchange(other.file_, -1)) {}
  ScratchFile& operator=(ScratchFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(size_, other.size_);
    std::swap(file_, other.file_);
    return *this;
  }
  ~ScratchFile() {
#if KINDRED_POSIX_FILES
    if (file_ >= 0) ::close(file_);
#endif
  }

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  void append([[maybe_unused]] std::span<const std::byte> bytes) {
#if KINDRED_POSIX_FILES
    while (!bytes.empty()) {
      const std::size_t most = (std::min)(bytes.size(), most_at_once);
      const ssize_t written = uninterrupted([&] { return ::pwrite(file_, bytes.data(), most, static_cast<off_t>(size_)); });
      if (written < 0) throw IoError(path_, "write a file beside it", errno);
      size_ += static_cast<std::uint64_t>(written);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
#endif
  }

  /// Fills `bytes` from `place` on; all of them must have been written.
  void read([[maybe_unused]] std::uint64_t place, [[maybe_unused]] std::span<std::byte> bytes) const {
#if KINDRED_POSIX_FILES
    while (!bytes.empty()) {
      const std::size_t most = (std::min)(bytes.size(), most_at_once);
      const ssize_t got = uninterrupted([&] { return ::pread(file_, bytes.data(), most, static_cast<off_t>(place)); });
      if (got <= 0) throw IoError(path_, "read a file beside it", got < 0 ? errno : EIO);
      place += static_cast<std::uint64_t>(got);
      bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
#endif
  }

 private:
  static constexpr std::size_t most_at_once = std::size_t{1} << 30;

  std::string path_;
  std::uint64_t size_ = 0;
  int file_ = -1;
};

}  // namespace kindred::inline v0::detail
