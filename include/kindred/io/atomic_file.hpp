// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#if defined(__unix__) || defined(__APPLE__)
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#define KINDRED_POSIX_FILES 1
#else
#define KINDRED_POSIX_FILES 0
#endif

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>

namespace kindred::inline v0::detail {

/// A file that replaces `path` as a whole or not at all: it is written beside it under another name, flushed to the disk, and renamed by commit().
///
/// Whatever goes wrong before that, or if commit() is never reached, the file that was at `path` is untouched and the other one is removed; a process
/// that is killed leaves it behind (<name>.<number>.part), and the next one that writes to `path` removes it. Permissions of a file that is replaced are
/// kept; a symbolic link is followed.
/// Every method throws IoError with the path and the system's words.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path) : path_(target_of(path)) {
    remove_left_behind();
    // Any number will do that others are not likely to hit upon: a file that exists is never opened.
    const auto number = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    for (unsigned attempt = 0;; ++attempt) {
      part_ = path_ + "." + std::to_string(number + attempt) + ".part";
      if (open_part()) return;
      if (errno != EEXIST || attempt == 100) {
        const int error = errno;
        part_.clear();
        throw IoError(path_, "create a file beside it", error);
      }
    }
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() {
    close();
    std::error_code ignored;
    if (!part_.empty()) std::filesystem::remove(part_, ignored);
  }

#if KINDRED_POSIX_FILES
  void write(std::span<const std::byte> bytes) {
    write_all(bytes, [this](const std::byte* from, std::size_t count) { return ::write(file_, from, count); });
  }

  /// At a place of the file, which may lie beyond what was written so far; what is left out reads as zeros.
  void write_at(std::uint64_t place, std::span<const std::byte> bytes) {
    write_all(bytes, [&](const std::byte* from, std::size_t count) {
      const ssize_t written = ::pwrite(file_, from, count, static_cast<off_t>(place));
      if (written > 0) place += static_cast<std::uint64_t>(written);
      return written;
    });
  }

  void commit() {
    struct stat old {};
    if (::stat(path_.c_str(), &old) == 0) (void)::fchmod(file_, old.st_mode & 07777);
    if (::fsync(file_) != 0) throw IoError(path_, "flush", errno);
    const int closed = ::close(std::exchange(file_, -1));
    if (closed != 0 && errno != EINTR) throw IoError(path_, "close", errno);
    if (::rename(part_.c_str(), path_.c_str()) != 0) throw IoError(path_, "replace", errno);
    part_.clear();
    // The new name is on the disk once the folder is. Some file systems cannot flush a folder, and say so; the file is in place then all the same.
    const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
    const int handle = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0) return;
    const bool flushed = ::fsync(handle) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS;
    const int error = errno;
    ::close(handle);
    if (!flushed) throw IoError(folder.string(), "flush", error);
  }

 private:
  static constexpr std::size_t most_at_once = std::size_t{1} << 30;

  template <typename Write>
  void write_all(std::span<const std::byte> bytes, const Write& write) {
    while (!bytes.empty()) {
      const ssize_t written = write(bytes.data(), bytes.size() < most_at_once ? bytes.size() : most_at_once);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw IoError(path_, "write", errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  [[nodiscard]] bool open_part() {
    file_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ < 0) return false;
    // The lock says that somebody lives who writes. Whoever found the file without it, between these two calls, has removed it.
    struct stat info {};
    if (::flock(file_, LOCK_EX | LOCK_NB) == 0 && ::fstat(file_, &info) == 0 && info.st_nlink > 0) return true;
    close();
    errno = EEXIST;
    return false;
  }

  /// Files of writers that were killed: nobody holds their lock. Where locks do not work, they stay.
  void remove_left_behind() const {
    const std::filesystem::path target(path_);
    const std::string stem = target.filename().string() + ".";
    std::error_code error;
    std::filesystem::directory_iterator entry(target.has_parent_path() ? target.parent_path() : std::filesystem::path("."), error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (name.size() <= stem.size() + 5 || !name.starts_with(stem) || !name.ends_with(".part") ||
          name.find_first_not_of("0123456789", stem.size()) != name.size() - 5)
        continue;
      const int left = ::open(entry->path().c_str(), O_WRONLY | O_CLOEXEC);
      if (left < 0) continue;
      if (::flock(left, LOCK_EX | LOCK_NB) == 0) ::unlink(entry->path().c_str());
      ::close(left);
    }
  }
  void close() noexcept {
    if (file_ >= 0) ::close(std::exchange(file_, -1));
  }

  int file_ = -1;
#else
  void write(std::span<const std::byte> bytes) {
    errno = 0;
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) throw IoError(path_, "write", errno != 0 ? errno : EIO);
  }

  void write_at(std::uint64_t, std::span<const std::byte>) { throw IoError(path_, "write out of order", ENOSYS); }

  void commit() {
    errno = 0;
    if (std::fclose(std::exchange(file_, nullptr)) != 0) throw IoError(path_, "close", errno != 0 ? errno : EIO);
    std::error_code error;
    std::filesystem::rename(part_, path_, error);
    if (error) throw IoError(path_, "replace", error.value());
    part_.clear();
  }

 private:
  void remove_left_behind() const {}
  [[nodiscard]] bool open_part() { return (file_ = std::fopen(part_.c_str(), "wbx")) != nullptr; }
  void close() noexcept {
    if (file_ != nullptr) std::fclose(std::exchange(file_, nullptr));
  }

  std::FILE* file_ = nullptr;
#endif

  /// The file that a link stands for, so that the link stays one.
  [[nodiscard]] static std::string target_of(const std::string& path) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::symlink_status(path, error);
    if (error || !std::filesystem::is_symlink(status)) return path;
    const std::filesystem::path target = std::filesystem::weakly_canonical(path, error);
    return error ? path : target.string();
  }

  std::string path_;
  std::string part_;  // empty once it has become `path_`
};

}  // namespace kindred::inline v0::detail
