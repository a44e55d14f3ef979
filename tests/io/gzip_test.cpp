// SPDX-License-Identifier: MIT
#include <kindred/io/gzip.hpp>

#include <cstddef>
#include <cstring>
#include <string>

#include <doctest/doctest.h>

#include <kindred/io/delimited.hpp>

#include "../support/temporary_file.hpp"

namespace kd = kindred;

namespace {

std::string compressed(const std::string& text) {
  const kd::test::TemporaryDirectory directory;
  const std::string path = directory.path("packed");
  gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(gzwrite(file, text.data(), static_cast<unsigned>(text.size())) == static_cast<int>(text.size()));
  gzclose(file);
  std::FILE* const packed = std::fopen(path.c_str(), "rb");
  std::string bytes(text.size() + 100, '\0');
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), packed));
  std::fclose(packed);
  return bytes;
}

}  // namespace

TEST_SUITE("open_gzip") {
  TEST_CASE("packed, in two members, and not packed at all: the same dataset") {
    const kd::test::TemporaryDirectory directory;
    std::string text;
    for (int n = 0; n < 50'000; ++n)
      text += "user" + std::to_string(n % 777) + "\titem" + std::to_string(n % 1234) + "\t" + std::to_string(n % 9 + 1) + "\n";
    const std::size_t middle = text.find('\n', text.size() / 2) - 5;
    const kd::Dataset plain = kd::read_delimited(directory.file(text));
    for (const std::string& bytes : {compressed(text), compressed(text.substr(0, middle)) + compressed(text.substr(middle)), text}) {
      const kd::Dataset read = kd::read_delimited(directory.file(bytes), {}, {.open = kd::open_gzip});
      CHECK(read.matrix == plain.matrix);
      CHECK(read.users == plain.users);
      CHECK(read.items == plain.items);
      CHECK(read.load.bytes == text.size());
      CHECK(read.load.lines == 50'000);
    }
  }

  TEST_CASE("damaged, cut short, missing") {
    const kd::test::TemporaryDirectory directory;
    std::string text;
    for (int n = 0; n < 5'000; ++n) text += "u" + std::to_string(n * 7919 % 3001) + "\ti" + std::to_string(n) + "\n";
    std::string bytes = compressed(text);
    const auto read = [&](const std::string& content) { (void)kd::read_delimited(directory.file(content), {}, {.open = kd::open_gzip}); };
    CHECK_THROWS_AS(read(bytes.substr(0, bytes.size() / 2)), kd::FormatError);
    CHECK_THROWS_AS(read(bytes.substr(0, bytes.size() - 1)), kd::FormatError);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x10);
    CHECK_THROWS_AS(read(bytes), kd::Error);
    CHECK_THROWS_AS((void)kd::read_delimited(directory.path("none"), {}, {.open = kd::open_gzip}), kd::IoError);
    CHECK_THROWS_WITH_AS(read("u\ti\tx\n"), doctest::Contains("line 1, column 3: found 'x'"), kd::ParseError);
  }
}
