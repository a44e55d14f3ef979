// SPDX-License-Identifier: MIT
#include <kindred/storage/file.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "../support/temporary_file.hpp"

#if KINDRED_POSIX_FILES

namespace kd = kindred;
using kd::detail::File;

TEST_SUITE("storage/file") {
  TEST_CASE("bytes go to their places and come back, a gap as zeros") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("file");
    {
      const File file = File::try_open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
      REQUIRE(file);
      file.write(std::as_bytes(std::span("ab", 2)));
      file.write_at(4, std::as_bytes(std::span("cd", 2)));
      CHECK(file.regular_size() == 6);
    }
    const File file = File::open(path, O_RDONLY);
    std::array<char, 8> out{};
    CHECK(file.read_at(1, std::as_writable_bytes(std::span(out))) == 5);  // fewer than asked for: the end
    CHECK(std::string(out.data(), 5) == std::string("b\0\0cd", 5));
    CHECK(file.read_some(std::as_writable_bytes(std::span(out)).first(2)) == 2);
    CHECK(std::string(out.data(), 2) == "ab");
    CHECK(file.read_at(6, std::as_writable_bytes(std::span(out))) == 0);
  }

  TEST_CASE("a file that cannot be opened is an IoError, or false with errno") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("none");
    CHECK_THROWS_WITH_AS((void)File::open(path, O_RDONLY), (path + ": cannot open: No such file or directory").c_str(), kd::IoError);
    const File none = File::try_open(path, O_RDONLY);
    const int error = errno;
    CHECK_FALSE(none);
    CHECK(error == ENOENT);
    CHECK_THROWS_AS((void)File::open(path + std::string("\0x", 2), O_RDONLY), kd::IoError);
    CHECK_FALSE(File::open(directory.path(), O_RDONLY).regular_size());
  }

  TEST_CASE("errors name the file that they are about; moving leaves nothing behind") {
    const kd::test::TemporaryDirectory directory;
    File file = File::try_open(directory.file("abc"), O_RDONLY, 0, "the model");
    CHECK_THROWS_WITH_AS(file.write(std::as_bytes(std::span("x", 1))), doctest::Contains("the model: cannot write"), kd::IoError);
    CHECK_THROWS_WITH_AS(file.write_at(0, std::as_bytes(std::span("x", 1)), "fill"), doctest::Contains("the model: cannot fill"),
                         kd::IoError);
    const File moved = std::move(file);
    CHECK(moved);
    CHECK_FALSE(file);
    CHECK(moved.regular_size() == 3);
  }
}

#endif
