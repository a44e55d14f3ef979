// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/storage/file.hpp>
#include <kindred/storage/posix_file.hpp>

#if KINDRED_POSIX_FILES
#include <sys/mman.h>
#include <sys/stat.h>
#endif

namespace kindred::inline v0::detail {

/// Whether a mapped file may be written to, in this process alone.
enum class MappedAccess { copy_on_write, read_only };

/// A whole file in memory, page by page as it is touched. Pages that are written to become the process's own; the file does not change.
///
/// A file that is replaced by a rename stays as it was for those who mapped it. One that is cut short in place while it is mapped ends the process with
/// SIGBUS, as for every program that maps files.
class MappedFile {
 public:
  /// @throws IoError if the file cannot be opened or mapped, or this system has no mmap.
  explicit MappedFile(const std::string& path, MappedAccess access = MappedAccess::copy_on_write) {
#if KINDRED_POSIX_FILES
    // O_NONBLOCK: opening a pipe to refuse it must not wait for its writer.
    const File file = File::open(path, O_RDONLY | O_NONBLOCK);
    struct stat info {};
    if (::fstat(file.handle(), &info) != 0) throw IoError(path, "map", errno);
    if (!S_ISREG(info.st_mode))
      throw IoError(path, "map: it is " + kind_of_file(info.st_mode) + ", and only regular files can be mapped",
                    S_ISDIR(info.st_mode) ? EISDIR : ENODEV);
    int error = 0;
    if (info.st_size > 0) {
      size_ = static_cast<std::size_t>(info.st_size);
#if defined(MAP_NORESERVE)
      constexpr int own = MAP_PRIVATE | MAP_NORESERVE;  // memory is needed for pages that are written to alone
#else
      constexpr int own = MAP_PRIVATE;
#endif
      if (access == MappedAccess::copy_on_write) data_ = map(file.handle(), PROT_READ | PROT_WRITE, own, error);
      original_ = map(file.handle(), PROT_READ, MAP_SHARED, error);
    }
    if (error != 0) {
      unmap();
      throw IoError(path, "map", error);
    }
#else
    throw IoError(path, "map", ENOSYS);
#endif
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() { unmap(); }

  /// Nothing, where it is read-only.
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {data_, data_ != nullptr ? size_ : 0}; }
  /// The bytes of the file, whatever was written to the others.
  [[nodiscard]] std::span<const std::byte> original() const noexcept { return {original_, size_}; }

 private:
#if KINDRED_POSIX_FILES
  [[nodiscard]] std::byte* map(int file, int protection, int flags, int& error) const {
    if (error != 0) return nullptr;
    void* const start = ::mmap(nullptr, size_, protection, flags, file, 0);
    if (start != MAP_FAILED) return static_cast<std::byte*>(start);
    error = errno;
    return nullptr;
  }
  void unmap() noexcept {
    if (data_ != nullptr) ::munmap(data_, size_);
    if (original_ != nullptr) ::munmap(original_, size_);
  }
#else
  void unmap() noexcept {}
#endif

  std::byte* data_ = nullptr;
  std::byte* original_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace kindred::inline v0::detail
