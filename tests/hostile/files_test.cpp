// SPDX-License-Identifier: MIT
// Every function that takes a path, with paths that are no plain files: the right answer, or an error that names the path, and what was there stays.
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "../support/child_process.hpp"
#include "../support/temporary_file.hpp"
#include "paths.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <fcntl.h>
#include <sys/stat.h>
#if defined(__linux__)
#include <sys/sysmacros.h>
#endif
#include <unistd.h>

namespace kd = kindred;
namespace fs = std::filesystem;
using kindred_test::outcome_of;
using kindred_test::PathReader;
using kindred_test::PathWriter;

namespace {

/// The text of the error that `call` ends with; nothing if it ends well.
template <typename Call>
std::string error_of_path(const Call& call) {
  try {
    call();
  } catch (const kd::Error& error) {
    return error.what();
  }
  return "";
}

/// Names of all files in a folder, with what they are.
std::map<std::string, fs::file_type> entries_in(const std::string& folder) {
  std::map<std::string, fs::file_type> entries;
  for (const auto& entry : fs::directory_iterator(folder)) entries[entry.path().filename().string()] = entry.symlink_status().type();
  return entries;
}

void copy_into_fifo(const std::string& from, const std::string& fifo) {
  const std::string text = kindred_test::bytes_of(from);
  const int handle = ::open(fifo.c_str(), O_WRONLY);
  for (std::size_t at = 0; handle >= 0 && at < text.size();) {
    const ssize_t n = ::write(handle, text.data() + at, std::min(text.size() - at, std::size_t{777}));
    if (n <= 0) break;
    at += static_cast<std::size_t>(n);
  }
  if (handle >= 0) ::close(handle);
}

}  // namespace

TEST_SUITE("paths") {
  TEST_CASE("readers: links, long names, pipes") {
    for (const PathReader& reader : kindred_test::path_readers()) {
      CAPTURE(reader.name);
      const kd::test::TemporaryDirectory directory;
      const std::string path = directory.path("file");
      reader.make(path);
      const std::string wanted = outcome_of([&] { return reader.read(path); });
      REQUIRE_FALSE(wanted.starts_with("Error"));
      REQUIRE(wanted.size() > 4);
      const auto answer = [&](const std::string& at) { return outcome_of([&] { return reader.read(at); }); };

      fs::create_directory(directory.path("elsewhere"));
      fs::create_symlink("../file", directory.path("elsewhere/link"));
      CHECK(answer(directory.path("elsewhere/link")) == wanted);

      const std::string longest = directory.path(std::string(255, 'n'));
      reader.make(longest);
      const std::string by_longest = answer(longest);
      CHECK_FALSE(by_longest.starts_with("Error"));
      CHECK(by_longest == wanted);

      const std::string fifo = directory.path("fifo");
      REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
      if (reader.maps) {
        const std::string refused = error_of_path([&] { (void)reader.read(fifo); });  // without waiting for a writer
        CHECK(refused.starts_with(fifo));
        CHECK(refused.find("it is a pipe") != std::string::npos);
      } else {
        std::thread writer([&] { copy_into_fifo(path, fifo); });
        const std::string by_fifo = answer(fifo);
        writer.join();
        CHECK(by_fifo == wanted);
      }
    }
  }

  TEST_CASE("readers: nothing that can be read") {
    for (const PathReader& reader : kindred_test::path_readers()) {
      CAPTURE(reader.name);
      const kd::test::TemporaryDirectory directory;
      const auto refuses = [&](const std::string& path) {
        CAPTURE(path);
        const std::string error = error_of_path([&] { (void)reader.read(path); });
        CHECK_FALSE(error.empty());
        CHECK(error.find(path.substr(0, path.find('\0'))) != std::string::npos);
      };
      fs::create_symlink("nothing", directory.path("dangling"));
      fs::create_symlink("loop", directory.path("loop"));
      fs::create_directory(directory.path("folder"));
      refuses(directory.path("missing"));
      refuses(directory.path("missing/file"));
      refuses(directory.path("dangling"));
      refuses(directory.path("loop"));
      refuses(directory.path("folder"));
      refuses(directory.path(std::string(256, 'n')));
      refuses(directory.file("", "empty"));
      refuses("");
      refuses(directory.path("a") + std::string("\0b", 2));
      refuses("/dev/null");
      refuses("/dev/zero");  // never ends
      const std::string secret = directory.path("secret");
      reader.make(secret);
      for (const auto& entry : fs::directory_iterator(directory.path()))
        if (fs::is_regular_file(entry.symlink_status())) fs::permissions(entry.path(), fs::perms::none);
      REQUIRE(chmod(directory.path().c_str(), 0755) == 0);
      CHECK(kd::test::run_in_child([&] {
              if (geteuid() == 0 && seteuid(65'534) != 0) return 2;  // root may read everything
              const std::string error = error_of_path([&] { (void)reader.read(secret); });
              return error.find(secret) != std::string::npos && error.find("Permission denied") != std::string::npos ? 0 : 1;
            }) == 0);
    }
  }

  TEST_CASE("writers: new files, links, long names; files of others stay") {
    for (const PathWriter& writer : kindred_test::path_writers()) {
      CAPTURE(writer.name);
      const kd::test::TemporaryDirectory directory;
      const auto path = [&](const std::string& name) { return directory.path(name); };
      writer.write(path("new"));
      const std::string wanted = writer.read(path("new"));
      REQUIRE(entries_in(directory.path()).size() == 1);

      const kd::test::TemporaryDirectory second;
      fs::create_directory(second.path("models"));
      fs::create_symlink("models/today", second.path("current"));
      writer.write(second.path("current"));  // leads to nothing yet
      CHECK(fs::is_symlink(second.path("current")));
      CHECK(writer.read(second.path("current")) == wanted);
      CHECK(writer.read(second.path("models/today")) == wanted);
      CHECK(entries_in(second.path()).size() == 2);
      CHECK(entries_in(second.path("models")).size() == 1);

      const kd::test::TemporaryDirectory third;
      const std::string longest = third.path(std::string(255, 'n'));
      writer.write(longest);
      CHECK(writer.read(longest) == wanted);
      CHECK(entries_in(third.path()).size() == 1);

      const kd::test::TemporaryDirectory fourth;
      const std::string target = fourth.path("plays");
      for (const char* const name :
           {"plays.part", "plays.1.part", "plays.20240131.part", ".kindred-0000000000000000-1-0000000000000000.part", "plays.building"})
        (void)fourth.file("somebody else's", name);
      REQUIRE(mkfifo(fourth.path("plays.2.part").c_str(), 0600) == 0);
      writer.write(target);
      CHECK(writer.read(target) == wanted);
      CHECK(entries_in(fourth.path()).size() == 7);

      (void)fourth.file("somebody else's, by the same name", "old");
      const std::string old = fourth.path("old");
      const std::string error = error_of_path([&] { writer.write(old); });
      if (writer.replaces) {
        CHECK(error.empty());
        CHECK(writer.read(old) == wanted);
      } else {
        CHECK(error.starts_with(old));
        CHECK(kindred_test::bytes_of(old) == "somebody else's, by the same name");
      }
    }
  }

  TEST_CASE("writers: what is no regular file is refused by name and stays") {
    for (const PathWriter& writer : kindred_test::path_writers()) {
      CAPTURE(writer.name);
      const kd::test::TemporaryDirectory directory;
      const auto path = [&](const std::string& name) { return directory.path(name); };
      REQUIRE(mkfifo(path("fifo").c_str(), 0600) == 0);
      fs::create_directory(path("folder"));
      fs::create_symlink("/dev/null", path("null"));
      fs::create_symlink("/dev/full", path("full"));
      fs::create_symlink("fifo", path("link"));
      fs::create_symlink("loop", path("loop"));
      fs::create_symlink("none/file", path("nowhere"));
      const bool has_device = geteuid() == 0 && mknod(path("device").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0;
      if (!has_device) MESSAGE("skipped: a device node needs root");
      const auto before = entries_in(directory.path());
      for (const std::string name : {"fifo", "folder", "null", "full", "link", "loop", "nowhere", "missing/file", "device"}) {
        if (name == "device" && !has_device) continue;
        CAPTURE(name);
        const std::string error = error_of_path([&] { writer.write(path(name)); });
        CHECK_FALSE(error.empty());
        CHECK(error.find(directory.path()) != std::string::npos);
      }
      for (const std::string& odd :
           {std::string(), directory.path("a") + std::string("\0b", 2), directory.path("x/"), path(std::string(256, 'n'))}) {
        CAPTURE(odd);
        CHECK_FALSE(error_of_path([&] { writer.write(odd); }).empty());
      }
      CHECK(entries_in(directory.path()) == before);
    }
  }

  TEST_CASE("writers: a folder that nobody may write to") {
    for (const PathWriter& writer : kindred_test::path_writers()) {
      CAPTURE(writer.name);
      const kd::test::TemporaryDirectory directory;
      REQUIRE(chmod(directory.path().c_str(), 0555) == 0);
      const std::string path = directory.path("file");
      CHECK(kd::test::run_in_child([&] {
              if (geteuid() == 0 && seteuid(65'534) != 0) return 2;
              const std::string error = error_of_path([&] { writer.write(path); });
              return error.find(directory.path()) != std::string::npos && error.find("Permission denied") != std::string::npos ? 0 : 1;
            }) == 0);
      REQUIRE(chmod(directory.path().c_str(), 0755) == 0);
      CHECK(entries_in(directory.path()).empty());
    }
  }
}
#endif
