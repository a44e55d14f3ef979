// SPDX-License-Identifier: MIT
#pragma once

// The bodies of storage/journal_file.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/keyed_hash.hpp>
#include <kindred/storage/atomic_file.hpp>
#include <kindred/storage/checksum.hpp>
#include <kindred/storage/file.hpp>
#include <kindred/storage/journal_file.hpp>
#include <kindred/storage/posix_file.hpp>

#if KINDRED_POSIX_FILES
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace kindred::inline v0::detail {

#if KINDRED_POSIX_FILES

struct JournalHead {
  std::array<char, 8> magic = {'K', 'N', 'D', 'J', 'R', 'N', 'L', '1'};
  std::uint64_t id = 0;
  std::uint64_t first = 0;
  std::uint64_t checksum = 0;

  [[nodiscard]] std::uint64_t digest() const noexcept {
    Xxh64 hash;
    hash.update(std::as_bytes(std::span(this, 1)).first(24));
    return hash.digest();
  }
};
static_assert(sizeof(JournalHead) == 32);

struct JournalRecordHead {
  std::uint32_t length = 0;
  std::uint32_t check = 0;
  std::uint64_t checksum = 0;

  JournalRecordHead() = default;
  JournalRecordHead(std::uint64_t number, std::string_view record) : length(static_cast<std::uint32_t>(record.size())) {
    check = check_of(number);
    Xxh64 hash;
    hash.update(std::as_bytes(std::span(&number, 1)));
    hash.update(std::as_bytes(std::span<const char>(record.data(), record.size())));
    checksum = hash.digest();
  }
  [[nodiscard]] std::uint32_t check_of(std::uint64_t number) const noexcept {
    Xxh64 hash;
    hash.update(std::as_bytes(std::span(&number, 1)));
    hash.update(std::as_bytes(std::span(&length, 1)));
    return static_cast<std::uint32_t>(hash.digest());
  }
};
static_assert(sizeof(JournalRecordHead) == 16);

struct JournalFile::Impl {
  std::string path;
  std::optional<std::uint32_t> sync_milliseconds;

  std::mutex syncing;  // held during a flush; taken before `mutex`
  mutable std::mutex mutex;
  File file;
  JournalHead head;
  std::uint64_t next = 0;    // number of the next record
  std::uint64_t end = 0;     // its place
  std::uint64_t synced = 0;  // records below are on the disk
  int failed = 0;            // errno of a flush or a repair that failed
  bool stop = false;
  std::condition_variable work;
  std::thread flusher;

  Impl(const std::string& name, std::optional<std::uint32_t> milliseconds) : path(name), sync_milliseconds(milliseconds) { open(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    work.notify_all();
    if (flusher.joinable()) flusher.join();
  }

  /// Opens and locks the file at `path`; without one, makes it.
  void open() {
    for (int attempt = 0;; ++attempt) {
      file = File::try_open(path, O_RDWR);
      if (!file && errno != ENOENT) throw IoError(path, "open", errno);
      if (!file) {
        start(HashKey::make().low | 1);
        return;
      }
      if (!file.regular_size()) throw IoError(path, "open as a journal", EINVAL);
      if (uninterrupted([&] { return ::flock(file.handle(), LOCK_EX | LOCK_NB); }) != 0 && errno == EWOULDBLOCK)
        throw IoError(path, "lock (is it the journal of another process?)", errno);
      if (is_at_path()) break;  // else replaced between open and flock
      if (attempt == 100) throw IoError(path, "lock", EAGAIN);
    }
    const std::uint64_t size = *file.regular_size();
    if (size == 0) return start(HashKey::make().low | 1);
    if (file.read_at(0, std::as_writable_bytes(std::span(&head, 1))) < sizeof(head) || head.magic != JournalHead().magic || head.id == 0 ||
        head.checksum != head.digest())
      throw FormatError(path + ": it is no journal, or its first " + std::to_string(sizeof(head)) + " bytes are damaged");
    next = head.first;
    end = sizeof(head);
  }

  [[nodiscard]] bool is_at_path() const {
    struct stat opened {
    }, named{};
    return ::fstat(file.handle(), &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
  }

  void start(std::uint64_t id) {
    head.id = id;
    replace_file({});
    next = head.first;
    end = sizeof(head);
    synced = next;
  }

  /// Replaces the file by one with `head` and these records.
  void replace_file(std::span<const std::byte> records) {
    head.checksum = head.digest();
    AtomicFile whole(path);
    whole.write(std::as_bytes(std::span(&head, 1)));
    whole.write(records);
    File made = whole.commit_locked();
    file = std::move(made);
  }

  void check_working() const {
    if (failed != 0) throw IoError(path, "go on after a failed write of this journal", failed);
  }

  /// Called with `syncing` held. Remembers a failure: what the disk holds after it is not known.
  void sync() {
    std::uint64_t target = 0;
    {
      const std::lock_guard lock(mutex);
      check_working();
      if (synced >= next) return;
      target = next;
    }
#if defined(__linux__)
    const int result = uninterrupted([&] { return ::fdatasync(file.handle()); });
#else
    const int result = uninterrupted([&] { return ::fsync(file.handle()); });
#endif
    const int error = errno;
    const std::lock_guard lock(mutex);
    if (result != 0) {
      failed = error;
      throw IoError(path, "flush", error);
    }
    synced = target;
  }

  void run_flusher() {
    std::unique_lock lock(mutex);
    for (;;) {
      work.wait(lock, [&] { return stop || (synced < next && failed == 0); });
      if (!stop) work.wait_for(lock, std::chrono::milliseconds(*sync_milliseconds), [&] { return stop; });
      const bool last = stop;
      lock.unlock();
      try {
        const std::lock_guard one(syncing);
        sync();
      } catch (const std::exception&) {  // append() reports it
      }
      lock.lock();
      if (last) return;
    }
  }

  /// True if the file has nothing but zeros from `place` on: a file system that lost power may leave those.
  [[nodiscard]] bool zeros_from(std::uint64_t place, std::uint64_t size) const {
    std::vector<std::byte> bytes(std::size_t{1} << 16);
    for (; place < size; place += bytes.size()) {
      const std::size_t got = file.read_at(place, bytes);
      if (got == 0) break;
      if (std::any_of(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(got), [](std::byte one) { return one != std::byte{0}; }))
        return false;
    }
    return true;
  }

  void cut(std::uint64_t size) {
    if (uninterrupted([&] { return ::ftruncate(file.handle(), static_cast<off_t>(size)); }) != 0) throw IoError(path, "shorten", errno);
  }

  /// Reads the record at `end`; false at the end of the file, and where the last record is not whole.
  [[nodiscard]] bool read_record(std::uint64_t size, std::string& record) {
    JournalRecordHead found;
    if (size - end < sizeof(found)) return false;
    (void)file.read_at(end, std::as_writable_bytes(std::span(&found, 1)));
    const auto damaged = [&](const char* what) {
      return FormatError(path + ": record " + std::to_string(next) + ", at byte " + std::to_string(end) + ", is damaged (" + what +
                         "), and " + std::to_string(size - end) + " bytes follow from there");
    };
    if (found.check != found.check_of(next)) {
      if (zeros_from(end + sizeof(found), size)) return false;
      throw damaged("its length");
    }
    if (found.length > size - end - sizeof(found)) return false;
    record.resize(found.length);
    (void)file.read_at(end + sizeof(found), std::as_writable_bytes(std::span(record)));
    const std::uint64_t after = end + sizeof(found) + found.length;
    if (JournalRecordHead(next, record).checksum == found.checksum) return true;
    if (zeros_from(after, size)) return false;
    throw damaged("its bytes");
  }
};

KINDRED_ONCE JournalFile::JournalFile(const std::string& path, std::optional<std::uint32_t> sync_milliseconds)
    : impl_(std::make_shared<Impl>(path, sync_milliseconds)) {}

KINDRED_ONCE JournalFile::~JournalFile() = default;

KINDRED_ONCE std::uint64_t JournalFile::id() const noexcept { return impl_->head.id; }

KINDRED_ONCE std::uint64_t JournalFile::first() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->head.first;
}

KINDRED_ONCE std::uint64_t JournalFile::next() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->next;
}

KINDRED_ONCE std::uint64_t JournalFile::read_all(void* take, void (*call)(void* take, std::uint64_t number, std::string_view record)) {
  Impl& impl = *impl_;
  const std::uint64_t size = *impl.file.regular_size();
  std::string record;
  while (impl.read_record(size, record)) {
    call(take, impl.next, record);
    impl.end += sizeof(JournalRecordHead) + record.size();
    ++impl.next;
  }
  if (size > impl.end) impl.cut(impl.end);
  // What a killed process wrote may not be on the disk yet: the first flush covers it.
  if (impl.sync_milliseconds && *impl.sync_milliseconds > 0) impl.flusher = std::thread([&impl] { impl.run_flusher(); });
  return size - impl.end;
}

KINDRED_ONCE std::uint64_t JournalFile::append(std::string_view record) {
  Impl& impl = *impl_;
  const std::lock_guard lock(impl.mutex);
  impl.check_working();
  const JournalRecordHead head(impl.next, record);
  std::string bytes(sizeof(head), '\0');
  std::memcpy(bytes.data(), &head, sizeof(head));
  bytes.append(record);
  try {
    impl.file.write_at(impl.end, std::as_bytes(std::span(bytes)));
  } catch (const IoError&) {
    if (uninterrupted([&] { return ::ftruncate(impl.file.handle(), static_cast<off_t>(impl.end)); }) != 0) impl.failed = errno;
    throw;
  }
  impl.end += bytes.size();
  if (impl.flusher.joinable()) impl.work.notify_one();
  return impl.next++;
}

KINDRED_ONCE void JournalFile::flush(std::uint64_t number) {
  Impl& impl = *impl_;
  if (!impl.sync_milliseconds || *impl.sync_milliseconds > 0) return;
  const std::lock_guard one(impl.syncing);
  {
    const std::lock_guard lock(impl.mutex);
    if (impl.synced > number) return;
  }
  impl.sync();
}

KINDRED_ONCE void JournalFile::shorten(std::uint64_t first) {
  Impl& impl = *impl_;
  const std::lock_guard one(impl.syncing);
  const std::lock_guard lock(impl.mutex);
  if (first <= impl.head.first) return;
  std::uint64_t place = sizeof(JournalHead), number = impl.head.first;
  for (; number < first && number < impl.next; ++number) {
    JournalRecordHead head;
    (void)impl.file.read_at(place, std::as_writable_bytes(std::span(&head, 1)));
    place += sizeof(head) + head.length;
  }
  std::vector<std::byte> kept(static_cast<std::size_t>(impl.end - place));
  if (impl.file.read_at(place, kept) != kept.size()) throw IoError(impl.path, "read", EIO);
  const JournalHead before = impl.head;
  impl.head.first = first;
  try {
    impl.replace_file(kept);
  } catch (...) {
    impl.head = before;
    if (!impl.is_at_path()) impl.failed = EIO;  // the new file is in place, its folder could not be flushed
    throw;
  }
  impl.next = (std::max)(impl.next, first);
  impl.synced = impl.next;
  impl.end = sizeof(JournalHead) + kept.size();
  impl.failed = 0;  // a new file, flushed as a whole
}

#else

struct JournalFile::Impl {};
KINDRED_ONCE JournalFile::JournalFile(const std::string& path, std::optional<std::uint32_t>) {
  throw IoError(path, "open a journal, which this system does not offer", ENOSYS);
}
KINDRED_ONCE JournalFile::~JournalFile() = default;
KINDRED_ONCE std::uint64_t JournalFile::id() const noexcept { return 0; }
KINDRED_ONCE std::uint64_t JournalFile::first() const { return 0; }
KINDRED_ONCE std::uint64_t JournalFile::next() const { return 0; }
KINDRED_ONCE std::uint64_t JournalFile::read_all(void*, void (*)(void*, std::uint64_t, std::string_view)) { return 0; }
KINDRED_ONCE std::uint64_t JournalFile::append(std::string_view) { return 0; }
KINDRED_ONCE void JournalFile::flush(std::uint64_t) {}
KINDRED_ONCE void JournalFile::shorten(std::uint64_t) {}

#endif

}  // namespace kindred::inline v0::detail
