// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/storage/posix_file.hpp>

#if KINDRED_POSIX_FILES
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace kindred::inline v0::detail {

/// A file that is opened once and read from front to back, so it may be a pipe. Signals do not end reading. Methods that read throw IoError.
class InputFile {
 public:
  /// `standard_input`: read the program's standard input, which `path` only names.
  explicit InputFile(std::string path, bool standard_input = false) : path_(std::move(path)) {
    if (standard_input) {
      file_.reset(stdin);
      std::clearerr(stdin);  // an end that an earlier reading saw
      return;
    }
    check_path(path_);
#if KINDRED_POSIX_FILES
    do file_.reset(std::fopen(path_.c_str(), "rbe"));  // e: closed by exec
    while (!file_ && errno == EINTR);
#else
    file_.reset(std::fopen(path_.c_str(), "rb"));
#endif
    if (!file_) throw IoError(path_, "open", errno);
    (void)std::setvbuf(file_.get(), nullptr, _IONBF, 0);  // not for the standard input, of which some may be read already
  }

  /// Puts up to `most` bytes (> 0) at `to` and returns their number; 0 only at the end.
  [[nodiscard]] std::size_t read(char* to, std::size_t most) {
    for (;;) {
      errno = 0;
      const std::size_t got = std::fread(to, 1, most, file_.get());
      if (got == most || std::ferror(file_.get()) == 0) return got;
      const int error = errno;
      if (error != EINTR) throw IoError(path_, "read", error != 0 ? error : EIO);
      std::clearerr(file_.get());
      if (got > 0) return got;
    }
  }

  /// Whether read_at() and go_to() may be called, and where read() goes on in the file if so. Not for the standard input, of which some may be read already.
  [[nodiscard]] std::optional<std::uint64_t> place() const noexcept {
#if KINDRED_POSIX_FILES
    if (file_.get() == stdin || size() == 0) return std::nullopt;
    if (const off_t now = ::ftello(file_.get()); now >= 0) return static_cast<std::uint64_t>(now);
#endif
    return std::nullopt;
  }

  /// Puts the `count` bytes from `place` of the file at `to`, or as many as there are, and returns their number. Many threads may call it.
  [[nodiscard]] std::size_t read_at([[maybe_unused]] char* to, [[maybe_unused]] std::size_t count,
                                    [[maybe_unused]] std::uint64_t place) const {
    std::size_t all = 0;
#if KINDRED_POSIX_FILES
    while (all < count) {
      const auto got = uninterrupted([&] { return ::pread(fileno(file_.get()), to + all, count - all, static_cast<off_t>(place + all)); });
      if (got < 0) throw IoError(path_, "read", errno);
      if (got == 0) break;
      all += static_cast<std::size_t>(got);
    }
#endif
    return all;
  }

  /// Lets read() go on from `place`.
  void go_to([[maybe_unused]] std::uint64_t place) {
#if KINDRED_POSIX_FILES
    if (::fseeko(file_.get(), static_cast<off_t>(place), SEEK_SET) != 0) throw IoError(path_, "read", errno);
#endif
  }

  /// Bytes of a regular file; 0 for others.
  [[nodiscard]] std::uint64_t size() const noexcept {
#if KINDRED_POSIX_FILES
    struct stat info {};
    if (::fstat(fileno(file_.get()), &info) == 0 && S_ISREG(info.st_mode)) return static_cast<std::uint64_t>(info.st_size);
#endif
    return 0;
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept {
      if (file != stdin) (void)std::fclose(file);
    }
  };

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace kindred::inline v0::detail
