// SPDX-License-Identifier: MIT
#pragma once

// The bodies of storage/atomic_file.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/storage/atomic_file.hpp>
#include <kindred/storage/file.hpp>
#include <kindred/storage/posix_file.hpp>

#if KINDRED_POSIX_FILES
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace kindred::inline v0::detail {

#if KINDRED_POSIX_FILES
/// Only a regular file is replaced by another one. @throws IoError.
inline void check_regular(const std::string& path, mode_t mode) {
  if (!S_ISREG(mode))
    throw IoError(path, "write: it is " + kind_of_file(mode) + ", and only regular files are replaced", S_ISDIR(mode) ? EISDIR : ENOTSUP);
}
#endif

KINDRED_ONCE std::string replaceable_target(const std::string& path) {
  check_path(path);
  std::filesystem::path target(path);
#if KINDRED_POSIX_FILES
  struct stat wanted {};
  const auto look = [&] {
    const bool exists = uninterrupted([&] { return ::stat(path.c_str(), &wanted); }) == 0;
    if (exists) check_regular(path, wanted.st_mode);
    if (!exists && errno != ENOENT) throw IoError(path, "write", errno);
    return exists;
  };
  (void)look();
  std::error_code error;
  for (int links = 0; std::filesystem::is_symlink(std::filesystem::symlink_status(target, error)); ++links) {
    if (links == 64) throw IoError(path, "follow the links", ELOOP);
    const std::filesystem::path next = std::filesystem::read_symlink(target, error);
    if (error) throw IoError(path, "follow the links", error.value());
    target = target.parent_path() / next;
  }
  // A link of /proc may name another file, or one that was removed. Between two looks another writer may replace the file, so look again.
  struct stat found {};
  const auto names_same_file = [&] {
    return !look() || (::stat(target.c_str(), &found) == 0 && found.st_dev == wanted.st_dev && found.st_ino == wanted.st_ino);
  };
  for (int looks = 0; target != path && !names_same_file(); ++looks)
    if (looks == 100) throw IoError(path, "replace a file that has no name", ENOTSUP);
#endif
  if (!target.has_filename()) throw IoError(path, "write a folder", path.empty() ? ENOENT : EISDIR);
  return target.string();
}

KINDRED_ONCE AtomicFile::AtomicFile(const std::string& path) : path_(replaceable_target(path)), names_(path_) {
  remove_left_behind();
  for (std::uint64_t attempt = 0;; ++attempt) {
    part_ = names_.next(attempt);
    if (open_part()) return;
    if (errno != EEXIST || attempt == 100) {
      const int error = errno;
      part_.clear();
      throw IoError(path_, "create a file beside it", error);
    }
  }
}

KINDRED_ONCE AtomicFile::~AtomicFile() {
#if !KINDRED_POSIX_FILES
  close();  // an open file cannot be removed everywhere
#endif
  std::error_code ignored;
  if (!part_.empty()) std::filesystem::remove(part_, ignored);
}

#if KINDRED_POSIX_FILES
KINDRED_ONCE void AtomicFile::write(std::span<const std::byte> bytes) { file_.write(bytes); }

KINDRED_ONCE void AtomicFile::write_at(std::uint64_t place, std::span<const std::byte> bytes) { file_.write_at(place, bytes); }

/// Gives a new file the owner and the rights of the one that it replaces. If the group cannot be kept, the new group gets no more rights than all
/// others have.
KINDRED_ONCE void keep_owner_and_mode(int handle, const struct stat& old) {
  struct stat own {};
  mode_t mode = old.st_mode & 07777U;
  if (::fstat(handle, &own) != 0) return;
  if ((own.st_uid != old.st_uid || own.st_gid != old.st_gid) && ::fchown(handle, old.st_uid, old.st_gid) != 0) {
    mode &= 01777U;
    if (own.st_gid != old.st_gid && ::fchown(handle, static_cast<uid_t>(-1), old.st_gid) != 0) mode &= 01707U | ((mode & 07U) << 3U);
  }
  (void)::fchmod(handle, mode);
}

KINDRED_ONCE void AtomicFile::commit() { (void)commit_locked(); }

KINDRED_ONCE File AtomicFile::commit_locked() {
  struct stat old {};
  if (uninterrupted([&] { return ::lstat(path_.c_str(), &old); }) == 0) {
    check_regular(path_, old.st_mode);
    keep_owner_and_mode(file_.handle(), old);
  }
  if (uninterrupted([&] { return ::fsync(file_.handle()); }) != 0) throw IoError(path_, "flush", errno);
  if (uninterrupted([&] { return ::rename(part_.c_str(), path_.c_str()); }) != 0) throw IoError(path_, "replace", errno);
  part_.clear();
  File committed = std::move(file_);  // closed after the rename: the lock keeps other writers from removing the part
  // The new name is on the disk once the folder is. Some file systems cannot flush a folder; the file is in place all the same.
  const std::string folder = names_.folder();
  const File opened = File::try_open(folder, O_RDONLY | O_DIRECTORY);
  if (!opened) return committed;
  const bool flushed =
      uninterrupted([&] { return ::fsync(opened.handle()); }) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS;
  if (!flushed) throw IoError(folder, "flush", errno);
  return committed;
}

KINDRED_ONCE bool AtomicFile::open_part() {
  // The part is no more readable than the file that it replaces.
  struct stat old {};
  const mode_t mode = ::stat(path_.c_str(), &old) == 0 ? old.st_mode & 0666U : 0666U;
  file_ = File::try_open(part_, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode, path_);
  if (!file_) return false;
  // The lock marks the file as in use. If another process took it for left behind between open and flock, try again. Where there are no locks,
  // files of killed writers stay.
  struct stat info {};
  const bool taken = uninterrupted([&] { return ::flock(file_.handle(), LOCK_EX | LOCK_NB); }) != 0 && errno == EWOULDBLOCK;
  if (!taken && ::fstat(file_.handle(), &info) == 0 && info.st_nlink > 0) return true;
  file_.close();
  errno = EEXIST;
  return false;
}

KINDRED_ONCE void AtomicFile::remove_left_behind() const {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(names_.folder(), error); !error && entry != std::filesystem::directory_iterator();
       entry.increment(error)) {
    if (!names_.made(entry->path().filename().string())) continue;
    const auto open_left = [&](int access) { return File::try_open(entry->path().string(), access | O_NONBLOCK | O_NOFOLLOW); };
    File left = open_left(O_WRONLY);
    if (!left && errno == EACCES) left = open_left(O_RDONLY);  // beside a file that may not be written
    if (!left) continue;
    struct stat info {};
    if (::fstat(left.handle(), &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == ::geteuid() &&
        uninterrupted([&] { return ::flock(left.handle(), LOCK_EX | LOCK_NB); }) == 0)
      ::unlink(entry->path().c_str());
  }
}
#else
KINDRED_ONCE void AtomicFile::write(std::span<const std::byte> bytes) {
  errno = 0;
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) throw IoError(path_, "write", errno != 0 ? errno : EIO);
}

KINDRED_ONCE void AtomicFile::write_at(std::uint64_t, std::span<const std::byte>) { throw IoError(path_, "write out of order", ENOSYS); }

KINDRED_ONCE void AtomicFile::commit() {
  errno = 0;
  if (std::fclose(std::exchange(file_, nullptr)) != 0) throw IoError(path_, "close", errno != 0 ? errno : EIO);
  std::error_code error;
  std::filesystem::rename(part_, path_, error);
  if (error) throw IoError(path_, "replace", error.value());
  part_.clear();
}

KINDRED_ONCE bool AtomicFile::open_part() { return (file_ = std::fopen(part_.c_str(), "wbx")) != nullptr; }

KINDRED_ONCE void AtomicFile::remove_left_behind() const {}

KINDRED_ONCE void AtomicFile::close() noexcept {
  if (file_ != nullptr) std::fclose(std::exchange(file_, nullptr));
}
#endif

}  // namespace kindred::inline v0::detail
