// SPDX-License-Identifier: MIT
#include <kindred/io/line_source.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

#include "../support/temporary_file.hpp"

namespace kd = kindred;

namespace {

constexpr std::size_t no_limit = std::size_t{1} << 40;

struct Seen {
  std::vector<std::string> lines;
  std::vector<bool> too_long;
};

Seen lines_of(const std::string& path, std::size_t max_line_bytes = no_limit) {
  kd::detail::LineSource source(path, max_line_bytes);
  Seen seen;
  kd::detail::Line line;
  while (source.next(line)) {
    seen.lines.emplace_back(line.text);
    seen.too_long.push_back(line.too_long);
    CHECK(line.number == seen.lines.size());
  }
  CHECK(source.lines() == seen.lines.size());
  return seen;
}

}  // namespace

TEST_SUITE("line source") {
  TEST_CASE("line ends") {
    const kd::test::TemporaryDirectory directory;
    using Lines = std::vector<std::string>;
    CHECK(lines_of(directory.file("")).lines == Lines{});
    CHECK(lines_of(directory.file("\n")).lines == Lines{""});
    CHECK(lines_of(directory.file("a")).lines == Lines{"a"});
    CHECK(lines_of(directory.file("a\nb\n")).lines == Lines{"a", "b"});
    CHECK(lines_of(directory.file("a\r\nb\r\n\r\n")).lines == Lines{"a", "b", ""});
    CHECK(lines_of(directory.file("a\r\nb\r")).lines == Lines{"a", "b"});
    CHECK(lines_of(directory.file("a\r\r\nb\rc\n")).lines == Lines{"a\r", "b\rc"});  // one CR is the line end's, others are the text's
  }

  TEST_CASE("a byte order mark is skipped at the start of the file alone") {
    const kd::test::TemporaryDirectory directory;
    CHECK(lines_of(directory.file("\xEF\xBB\xBF"
                                  "a\n\xEF\xBB\xBF"
                                  "b\n"))
              .lines == std::vector<std::string>{"a",
                                                 "\xEF\xBB\xBF"
                                                 "b"});
    CHECK(lines_of(directory.file("\xEF\xBB\xBF")).lines.empty());
  }

  TEST_CASE("what is no UTF-8 text is said at once") {
    const kd::test::TemporaryDirectory directory;
    const std::string utf16 =
        directory.file(std::string("\xFF\xFE"
                                   "a\0\n\0",
                                   6));
    CHECK_THROWS_WITH_AS(lines_of(utf16), (utf16 + ": found a UTF-16 byte order mark; expected UTF-8 text").c_str(), kd::ParseError);
    CHECK_THROWS_AS(lines_of(directory.file("\xFE\xFF")), kd::ParseError);
    const std::string gzip = directory.file("\x1F\x8B\x08");
    CHECK_THROWS_WITH_AS(lines_of(gzip), (gzip + ": found gzip data; expected UTF-8 text: decompress the file first").c_str(),
                         kd::ParseError);
    CHECK_THROWS_AS(lines_of(directory.file("PK\x03\x04")), kd::ParseError);
  }

  TEST_CASE("a missing file and a directory") {
    const kd::test::TemporaryDirectory directory;
    const std::string missing = directory.path("missing.txt");
    CHECK_THROWS_WITH_AS(lines_of(missing), (missing + ": cannot open: No such file or directory").c_str(), kd::IoError);
    try {
      lines_of(directory.path());
      FAIL("a directory was read");
    } catch (const kd::IoError& error) {
      CHECK(error.error_number() == EISDIR);
    }
  }

  TEST_CASE("the limit counts the bytes of a line without its line end") {
    const kd::test::TemporaryDirectory directory;
    for (const std::string end : {"\n", "\r\n"}) {
      for (const std::size_t block : {std::size_t{8}, kd::detail::LineSource::block_bytes, 3 * kd::detail::LineSource::block_bytes}) {
        const std::string exact(block, 'x');
        const Seen seen = lines_of(directory.file(exact + end + exact + "y" + end + "last" + end + exact + "yy"), block);
        CHECK(seen.lines == std::vector<std::string>{exact, "", "last", ""});
        CHECK(seen.too_long == std::vector<bool>{false, true, false, true});
      }
    }
  }

  // Lengths around the block size, so that line ends fall on every side of its border.
  TEST_CASE("a line of 300 MB without an end is passed over in a buffer of the size of the limit") {
    constexpr std::size_t line = 300'000'000, limit = 1 << 20;
    std::size_t largest = 0;
    const auto open = [&](const std::string&) -> kd::detail::ReadBytes {
      return [&, at = std::size_t{0}](char* to, std::size_t most) mutable {
        largest = std::max(largest, most);
        const std::size_t count = std::min(most, line + 2 - at);
        if (at < line) std::fill_n(to, count, 'x');
        if (at + count == line + 2) std::copy_n("\na", std::min(count, std::size_t{2}), to + count - std::min(count, std::size_t{2}));
        at += count;
        return count;
      };
    };
    for (const bool blocks : {false, true}) {
      kd::detail::LineSource source("pretended", limit, open);
      if (blocks) {
        kd::detail::LineBlock block;
        REQUIRE(source.next_block(block));
        CHECK(block.too_long);
        REQUIRE(source.next_block(block));
        CHECK(block.text() == "a");
        CHECK_FALSE(source.next_block(block));
      } else {
        kd::detail::Line one;
        REQUIRE(source.next(one));
        CHECK(one.too_long);
        REQUIRE(source.next(one));
        CHECK(one.text == "a");
        CHECK_FALSE(source.next(one));
      }
      CHECK(source.bytes() == line + 2);
    }
    CHECK(largest < 4 * limit);
  }

  TEST_CASE("random lines come back whole") {
    const kd::test::TemporaryDirectory directory;
    kd::detail::Random random(7, kd::detail::RandomStream::sample);
    for (int trial = 0; trial < 12; ++trial) {
      std::vector<std::string> lines;
      std::string content;
      for (int n = 0; n < 40; ++n) {
        const auto block = static_cast<std::uint32_t>(kd::detail::LineSource::block_bytes);
        const std::uint32_t length = n % 8 == 0 ? block - 3 + random.below(6) : random.below(n % 3 == 0 ? 40'000 : 40);
        lines.emplace_back(length, static_cast<char>('a' + n % 26));
        content += lines.back() + (random.below(2) == 0 ? "\n" : "\r\n");
      }
      CHECK(lines_of(directory.file(content)).lines == lines);
    }
  }

#if defined(__unix__) || defined(__APPLE__)
  TEST_CASE("blocks that are left unread are those that are read") {
    const kd::test::TemporaryDirectory directory;
    kd::detail::Random random(11, kd::detail::RandomStream::sample);
    std::size_t all_unread = 0;
    for (int trial = 0; trial < 60; ++trial) {
      std::string content;
      for (int n = 0; n < 200; ++n)
        content += std::string(random.below(trial % 3 == 0 && n % 50 == 0 ? 9'000 : 60), static_cast<char>('a' + n % 26)) + "\n";
      if (trial % 2 == 0) content += "the last";
      const std::string path = directory.file(content);
      const std::size_t block_bytes = 1 + random.below(trial % 4 == 0 ? 12'000 : 200);
      kd::detail::LineSource read(path, no_limit, {}, block_bytes), unread(path, no_limit, {}, block_bytes);
      kd::detail::Line line;
      for (std::uint32_t n = random.below(3); n > 0; --n) {
        CHECK(read.next(line));
        CHECK(unread.next(line));
      }
      unread.leave_unread();
      std::vector<kd::detail::LineBlock> blocks;  // fetched at last, and in another order
      for (kd::detail::LineBlock block; unread.next_block(block); block = {}) blocks.push_back(std::move(block));
      for (std::size_t n = blocks.size(); n > 0; --n) {
        if (blocks[n - 1].unread) ++all_unread;
        unread.fetch(blocks[n - 1]);
      }
      std::size_t at = 0;
      for (kd::detail::LineBlock block; read.next_block(block); ++at) {
        REQUIRE(at < blocks.size());
        CHECK(block.number == blocks[at].number);
        if (trial % 3 != 0 && block_bytes > 62) CHECK(block.text() == blocks[at].text());  // buffers that grow for a line hold more
      }
      std::string together;
      for (const kd::detail::LineBlock& block : blocks) together += block.text();
      CHECK(content.ends_with(together));
      CHECK(unread.bytes() == content.size());
    }
    CHECK(all_unread > 1'000);
  }

  TEST_CASE("a file that becomes shorter before its lines are read") {
    const kd::test::TemporaryDirectory directory;
    std::string content;
    for (int n = 0; n < 100; ++n) content += "line " + std::to_string(n) + "\n";
    const std::string path = directory.file(content);
    kd::detail::LineSource source(path, no_limit, {}, 100);
    source.leave_unread();
    kd::detail::LineBlock first, second;
    CHECK(source.next_block(first));
    CHECK(source.next_block(second));
    REQUIRE(second.unread);
    std::filesystem::resize_file(path, first.end + 1);
    source.fetch(first);
    CHECK(first.text().ends_with("\n"));
    CHECK_THROWS_WITH_AS(source.fetch(second), doctest::Contains((path + ": cannot read all of it").c_str()), kd::IoError);
  }
#endif
}
