// SPDX-License-Identifier: MIT
#include <kindred/storage/atomic_file.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "../support/child_process.hpp"
#include "../support/temporary_file.hpp"

#if KINDRED_POSIX_FILES
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#endif

namespace kd = kindred;
using kd::detail::AtomicFile;

namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t files_in(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

/// The error number of replacing `path`, 0 for none.
int replace(const std::string& path, std::string_view text) {
  try {
    AtomicFile file(path);
    file.write(bytes(text));
    file.commit();
  } catch (const kd::IoError& error) {
    return error.error_number();
  }
  return 0;
}

}  // namespace

TEST_SUITE("AtomicFile") {
  TEST_CASE("the file is there once it is committed, and nothing else is") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file("old", "model");
    {
      AtomicFile file(path);
      file.write(bytes("new, "));
      file.write(bytes("longer"));
      CHECK(content(path) == "old");
      file.commit();
    }
    CHECK(content(path) == "new, longer");
    CHECK(files_in(directory.path()) == 1);
    CHECK(replace(directory.path("fresh"), "") == 0);
    CHECK(content(directory.path("fresh")).empty());
  }

  TEST_CASE("without a commit there is no trace") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file("old", "model");
    { AtomicFile(path).write(bytes("half")); }
    CHECK(content(path) == "old");
    CHECK(files_in(directory.path()) == 1);
  }

  TEST_CASE("a missing folder, a folder in the file's place") {
    const kd::test::TemporaryDirectory directory;
    CHECK(replace(directory.path("none/model"), "new") == ENOENT);
    std::filesystem::create_directory(directory.path("folder"));
    CHECK(replace(directory.path("folder"), "new") != 0);
    CHECK(std::filesystem::is_directory(directory.path("folder")));
    CHECK(files_in(directory.path()) == 1);
  }

#if KINDRED_POSIX_FILES
  TEST_CASE("permissions stay, and so does a link") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file("old", "model");
    std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    std::filesystem::create_symlink(path, directory.path("link"));
    CHECK(replace(directory.path("link"), "new") == 0);
    CHECK(std::filesystem::is_symlink(directory.path("link")));
    CHECK(content(path) == "new");
    CHECK(std::filesystem::status(path).permissions() == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  }

  TEST_CASE("only regular files are replaced") {
    const kd::test::TemporaryDirectory directory;
    const std::string fifo = directory.path("fifo"), device = directory.path("device"), socket_path = directory.path("socket");
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    CHECK_THROWS_WITH_AS(AtomicFile(std::string(fifo)),
                         (fifo + ": cannot write: it is a pipe, and only regular files are replaced: Operation not supported").c_str(),
                         kd::IoError);
    CHECK(std::filesystem::is_fifo(fifo));
    std::filesystem::create_symlink("/dev/null", device);
    CHECK_THROWS_WITH_AS(AtomicFile(std::string(device)), doctest::Contains("it is a device"), kd::IoError);
    CHECK(std::filesystem::is_symlink(device));
    CHECK(std::filesystem::is_character_file(device));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_path.size() < sizeof(address.sun_path)) {
      socket_path.copy(address.sun_path, socket_path.size());
      const int handle = socket(AF_UNIX, SOCK_STREAM, 0);
      REQUIRE(bind(handle, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
      CHECK_THROWS_WITH_AS(AtomicFile(std::string(socket_path)), doctest::Contains("it is a socket"), kd::IoError);
      CHECK(std::filesystem::is_socket(socket_path));
      close(handle);
    }
    CHECK(replace(directory.path(), "new") == EISDIR);
    CHECK(replace(directory.path("x/"), "new") == EISDIR);
    CHECK(replace("", "new") == ENOENT);
    CHECK(replace(directory.path("a") + std::string("\0b", 2), "new") == EINVAL);
    // Something else comes to the path while the file is written.
    AtomicFile file(directory.path("late"));
    REQUIRE(mkfifo(directory.path("late").c_str(), 0600) == 0);
    CHECK_THROWS_WITH_AS(file.commit(), doctest::Contains("it is a pipe"), kd::IoError);
    CHECK(std::filesystem::is_fifo(directory.path("late")));
  }

  TEST_CASE("links are followed, also where they lead to nothing yet") {
    const kd::test::TemporaryDirectory directory;
    std::filesystem::create_directory(directory.path("models"));
    std::filesystem::create_symlink("models/today", directory.path("current"));
    std::filesystem::create_symlink("current", directory.path("latest"));
    for (const std::string text : {"first", "second"}) {
      CHECK(replace(directory.path("latest"), text) == 0);
      CHECK(std::filesystem::is_symlink(directory.path("latest")));
      CHECK(std::filesystem::is_symlink(directory.path("current")));
      CHECK_FALSE(std::filesystem::is_symlink(directory.path("models/today")));
      CHECK(content(directory.path("models/today")) == text);
    }
    std::filesystem::create_symlink("loop", directory.path("loop"));
    CHECK(replace(directory.path("loop"), "new") == ELOOP);
    std::filesystem::create_symlink("none/model", directory.path("nowhere"));
    CHECK(replace(directory.path("nowhere"), "new") == ENOENT);
  }

  TEST_CASE("names of up to 255 bytes") {
    const kd::test::TemporaryDirectory directory;
    CHECK(replace(directory.path(std::string(255, 'm')), "new") == 0);
    CHECK(content(directory.path(std::string(255, 'm'))) == "new");
    CHECK(replace(directory.path(std::string(256, 'm')), "new") == ENAMETOOLONG);
    CHECK(files_in(directory.path()) == 1);
  }

  TEST_CASE("while it is written, a file is no more readable than the one that it replaces") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file("old", "model");
    std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    const AtomicFile file(path);
    for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
      CHECK(entry.status().permissions() == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  }

  TEST_CASE("root keeps the owner; others keep what they may, and give a new group no more than all have") {
    if (geteuid() != 0) {
      MESSAGE("skipped: not root");
      return;
    }
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file("old", "model");
    REQUIRE(chown(path.c_str(), 33, 34) == 0);
    REQUIRE(chmod(path.c_str(), 04640) == 0);
    struct stat info {};
    CHECK(replace(path, "new") == 0);
    REQUIRE(stat(path.c_str(), &info) == 0);
    CHECK(info.st_uid == 33);
    CHECK(info.st_gid == 34);
    CHECK((info.st_mode & 07777U) == 04640);
    REQUIRE(chmod(directory.path().c_str(), 0777) == 0);
    CHECK(kd::test::run_in_child([&] {
            if (setgid(65'534) != 0 || setuid(65'534) != 0) return 2;
            return replace(path, "newer") == 0 ? 0 : 1;
          }) == 0);
    REQUIRE(stat(path.c_str(), &info) == 0);
    CHECK(info.st_uid == 65'534);
    CHECK((info.st_mode & 07777U) == 0600);
  }

  TEST_CASE("no room: the old file stays, the half one goes") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file("old", "model");
    // In a child, since a limit can't be raised again.
    CHECK(kd::test::run_in_child([&] {
            std::signal(SIGXFSZ, SIG_IGN);
            const rlimit limit{100'000, 100'000};
            if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
            return replace(path, std::string(200'000, 'x')) == EFBIG ? 0 : 1;
          }) == 0);
    CHECK(content(path) == "old");
    CHECK(files_in(directory.path()) == 1);
  }

  TEST_CASE("what a killed writer left behind goes with the next write; what a living one writes stays") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file("old", "model");
    CHECK(kd::test::run_in_child([&]() -> int {
            AtomicFile file(path);
            file.write(bytes("half"));
            std::raise(SIGKILL);
            return 0;
          }) == 128 + SIGKILL);
    CHECK(content(path) == "old");
    CHECK(files_in(directory.path()) == 2);
    const kd::detail::PartNames names(path), others(directory.path("other"));
    CHECK(names.made(std::filesystem::path(names.next(0)).filename().string()));
    // Files of others, which look more or less like ours.
    const std::string left = std::filesystem::path(names.next(0)).filename().string();
    for (const std::string& name : {std::string("model.20240131.part"), std::string("model.part"), left + "x", "x" + left,
                                    left.substr(0, left.size() - 5), std::filesystem::path(others.next(0)).filename().string()}) {
      CHECK_FALSE(names.made(name));
      (void)directory.file("somebody else's", name);
    }
    std::filesystem::create_directory(names.next(1));
    std::filesystem::create_symlink(path, names.next(2));
    REQUIRE(mkfifo(names.next(3).c_str(), 0600) == 0);  // opening it to write would wait for a reader
    AtomicFile living(path);
    living.write(bytes("first"));
    CHECK(files_in(directory.path()) == 11);
    CHECK(replace(path, "second") == 0);
    CHECK(content(path) == "second");
    living.commit();
    CHECK(content(path) == "first");
    CHECK(files_in(directory.path()) == 10);
  }

  TEST_CASE("what a killed writer of a read-only file left behind goes, too") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("model");
    std::filesystem::permissions(directory.path(), std::filesystem::perms::all);
    CHECK(kd::test::run_in_child([&] {
            if (geteuid() == 0 && seteuid(65'534) != 0) return 2;  // root may open any file
            if (replace(path, "old") != 0 || chmod(path.c_str(), 0444) != 0) return 3;
            if (kd::test::run_in_child([&]() -> int {
                  AtomicFile file(path);
                  std::raise(SIGKILL);
                  return 0;
                }) != 128 + SIGKILL)
              return 4;
            return files_in(directory.path()) == 2 && replace(path, "new") == 0 ? 0 : 1;
          }) == 0);
    CHECK(content(path) == "new");
    CHECK(files_in(directory.path()) == 1);
  }

  TEST_CASE("writers of one path do not disturb each other, through a link as well") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file("old", "model"), link = directory.path("link");
    std::filesystem::create_symlink("model", link);
    std::atomic<int> failed{0};
    std::vector<std::thread> writers;
    for (const std::string& written : {path, path, link, link})
      writers.emplace_back([&failed, written] {
        for (int n = 0; n < 200; ++n) failed += replace(written, "new") == 0 ? 0 : 1;
      });
    for (std::thread& writer : writers) writer.join();
    CHECK(failed == 0);
    CHECK(content(path) == "new");
    CHECK(files_in(directory.path()) == 2);
  }

  TEST_CASE("no permission to write into the folder") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.file("old", "model");
    std::filesystem::permissions(directory.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec |
                                                       std::filesystem::perms::others_read | std::filesystem::perms::others_exec);
    CHECK(kd::test::run_in_child([&] {
            if (geteuid() == 0 && seteuid(65'534) != 0) return 2;  // root may write anywhere
            return replace(path, "new") == EACCES ? 0 : 1;
          }) == 0);
    std::filesystem::permissions(directory.path(), std::filesystem::perms::owner_all);
    CHECK(content(path) == "old");
    CHECK(files_in(directory.path()) == 1);
  }
#endif
}
