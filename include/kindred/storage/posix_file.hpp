// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <string>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/stat.h>
#define KINDRED_POSIX_FILES 1
#else
#define KINDRED_POSIX_FILES 0
#endif

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>

namespace kindred::inline v0::detail {

/// Refuses paths that the system would cut at a NUL byte. @throws IoError.
inline void check_path(const std::string& path) {
  if (path.find('\0') != std::string::npos)
    throw IoError(path.substr(0, path.find('\0')) + "\\0...", "open a name with a NUL byte", EINVAL);
}

#if KINDRED_POSIX_FILES
/// Repeats a system call that a signal interrupted.
template <typename Call>
auto uninterrupted(const Call& call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

/// The kind of a file, for error texts.
[[nodiscard]] inline std::string kind_of_file(mode_t mode) {
  if (S_ISREG(mode)) return "a regular file";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISLNK(mode)) return "a link";
  if (S_ISFIFO(mode)) return "a pipe";
  return S_ISSOCK(mode) ? "a socket" : "a device";
}
#endif

}  // namespace kindred::inline v0::detail
