// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/storage/posix_file.hpp>

#if KINDRED_POSIX_FILES
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kindred::inline v0::detail {

/// An open file of the system, closed with this object and by exec. Signals do not end a call. Every method throws IoError.
class File {
 public:
  File() = default;

  /// Opens `path` for open(2)'s `flags`. @throws IoError.
  [[nodiscard]] static File open(const std::string& path, int flags) {
    check_path(path);
    File file = try_open(path, flags);
    if (!file) throw IoError(path, "open", errno);
    return file;
  }
  /// The same without an error: where the system refuses, the result is false and errno says why. Error texts name `named`, or `path`.
  [[nodiscard]] static File try_open(const std::string& path, int flags, mode_t mode = 0, const std::string& named = {}) {
    File file;
    file.handle_ = uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); });
    if (file) file.name_ = named.empty() ? path : named;
    return file;
  }

  File(File&& other) noexcept : name_(std::move(other.name_)), handle_(std::exchange(other.handle_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(name_, other.name_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~File() { close(); }

  [[nodiscard]] explicit operator bool() const noexcept { return handle_ >= 0; }
  /// For calls of the system that this class does not have.
  [[nodiscard]] int handle() const noexcept { return handle_; }
  /// Keeps errno.
  void close() noexcept {
    const int error = errno;
    if (handle_ >= 0) ::close(std::exchange(handle_, -1));
    errno = error;
  }

  /// Bytes of a regular file; nothing for a pipe, device or folder.
  [[nodiscard]] std::optional<std::uint64_t> regular_size() const {
    struct stat info {};
    if (::fstat(handle_, &info) != 0) throw IoError(name_, "read", errno);
    if (!S_ISREG(info.st_mode)) return std::nullopt;
    return static_cast<std::uint64_t>(info.st_size);
  }

  /// Reads the next bytes and returns their number; 0 only at the end.
  [[nodiscard]] std::size_t read_some(std::span<std::byte> out) const {
    const ssize_t got = uninterrupted([&] { return ::read(handle_, out.data(), (std::min)(out.size(), most_at_once)); });
    if (got < 0) throw IoError(name_, "read", errno);
    return static_cast<std::size_t>(got);
  }

  /// Fills `out` from `place` on and returns the bytes read: fewer than `out` has only at the end of the file. From many threads.
  [[nodiscard]] std::size_t read_at(std::uint64_t place, std::span<std::byte> out, const char* action = "read") const {
    std::size_t done = 0;
    while (done < out.size()) {
      const std::size_t most = (std::min)(out.size() - done, most_at_once);
      const ssize_t got = uninterrupted([&] { return ::pread(handle_, out.data() + done, most, static_cast<off_t>(place + done)); });
      if (got < 0) throw IoError(name_, action, errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  void write(std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = uninterrupted([&] { return ::write(handle_, bytes.data(), (std::min)(bytes.size(), most_at_once)); });
      if (written < 0) throw IoError(name_, "write", errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  /// Writes at a place of the file, which may lie beyond its end; the gap reads as zeros.
  void write_at(std::uint64_t place, std::span<const std::byte> bytes, const char* action = "write") const {
    while (!bytes.empty()) {
      const std::size_t most = (std::min)(bytes.size(), most_at_once);
      const ssize_t written = uninterrupted([&] { return ::pwrite(handle_, bytes.data(), most, static_cast<off_t>(place)); });
      if (written < 0) throw IoError(name_, action, errno);
      place += static_cast<std::uint64_t>(written);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

 private:
  static constexpr std::size_t most_at_once = std::size_t{1} << 30;

  std::string name_;
  int handle_ = -1;
};

}  // namespace kindred::inline v0::detail

#endif
