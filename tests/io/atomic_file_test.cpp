// SPDX-License-Identifier: MIT
#include <kindred/io/atomic_file.hpp>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "../support/child_process.hpp"
#include "../support/temporary_file.hpp"

#if KINDRED_POSIX_FILES
#include <sys/resource.h>
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
    (void)directory.file("", "model.no_number.part");
    (void)directory.file("", "model.5.other");
    AtomicFile living(path);
    living.write(bytes("first"));
    CHECK(files_in(directory.path()) == 4);
    CHECK(replace(path, "second") == 0);
    CHECK(content(path) == "second");
    living.commit();
    CHECK(content(path) == "first");
    CHECK(files_in(directory.path()) == 3);
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
