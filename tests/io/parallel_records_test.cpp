// SPDX-License-Identifier: MIT
// Whatever the threads and the size of the blocks: the dataset, the report and the error of a reader that goes line by line.
#include <kindred/io/parallel_records.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/io/delimited.hpp>
#include <kindred/io/lastfm.hpp>

#include "../support/child_process.hpp"
#include "../support/line_by_line_reader.hpp"
#include "../support/read_outcome.hpp"
#include "../support/temporary_file.hpp"

namespace kd = kindred;
using kindred_test::outcome;

namespace {

/// A file of about `n` lines with every oddity that a reader meets, most of them rare.
std::string odd_file(kd::detail::Random& random, const kd::DelimitedFormat& format, std::uint32_t n, std::uint32_t oddity_one_in) {
  const std::string& s = format.separator;
  std::string text = random.below(4) == 0 ? "\xEF\xBB\xBF" : "";
  const bool quotes = format.quoting == kd::DelimitedFormat::Quoting::rfc_4180;
  if (format.header == kd::DelimitedFormat::Header::first_line) text += "user" + s + "item" + s + "value" + s + "time" + s + "name\n";
  const std::uint32_t users = 1 + random.below(12), items = 1 + random.below(20);
  std::string user = "u0";
  for (std::uint32_t line = 0; line < n; ++line) {
    if (random.below(3) == 0) user = "u" + std::to_string(random.below(users));
    std::string item = "item number " + std::to_string(random.below(items));
    std::string value = std::to_string(1 + random.below(50)), time = std::to_string(random.below(1000)),
                name = "n" + std::to_string(random.below(3));
    std::string end = random.below(5) == 0 ? "\r\n" : "\n";
    std::string who = user;
    if (random.below(oddity_one_in) == 0) {
      switch (random.below(32)) {
        case 0: who.clear(); break;
        case 1: item.clear(); break;
        case 2: value = "0"; break;
        case 3: value = "-3"; break;
        case 4: value = "1e39"; break;
        case 5: value = "12x"; break;
        case 6: value = ""; break;
        case 7: value = "0.25"; break;
        case 8: value = "1234567890123"; break;
        case 9: value = "3e38"; break;
        case 10: time = "yesterday"; break;
        case 11: name = "Sigur R\xC3\xB3s"; break;
        case 12: name = "broken \xC3"; break;
        case 13: name = std::string("nul \0!", 6); break;
        case 14: name = "overlong \xC0\x80"; break;
        case 15: name += s + "one more"; break;
        case 16: text += end; continue;
        case 17: text += "# a comment" + s + s + end; continue;
        case 18: text += who + s + item + end; continue;
        case 19: end = "\r\r\n"; break;
        case 20: name += "\rx"; break;
        case 21: name = std::string(300, 'x'); break;  // beyond max_line_bytes below
        case 22: name = std::string(150 + random.below(90), 'y'); break;
        case 23: name = quotes ? "\"a " + s + " \"\"quoted\"\" name\"" : "12\" mix"; break;
        case 24: name = "\"open"; break;
        case 25: name = "\"closed\"x"; break;
        case 26: name.clear(); break;
        case 27: item = "-"; break;
        case 28: who = "\xE4\xBD\xA0\xE5\xA5\xBD"; break;
        case 29: value = "-0"; break;
        case 30: item = std::string(70, 'i'); break;
        case 31: text += std::string(1, '\0') + end; continue;
      }
    }
    text += who + s + item + s + value + s + time + s + name + end;
  }
  if (random.below(3) == 0 && !text.empty()) text.pop_back();  // no line end at the end
  if (random.below(20) == 0) text += "\r";
  return text;
}

}  // namespace

TEST_SUITE("reading by all threads") {
  TEST_CASE("the same as line by line, for any file, any block and any number of threads") {
    const kd::test::TemporaryDirectory directory;
    kd::detail::Random random(29, kd::detail::RandomStream::sample);
    std::size_t errors = 0, datasets = 0, skipped = 0;
    for (int trial = 0; trial < 400; ++trial) {
      CAPTURE(trial);
      kd::DelimitedFormat format;
      format.separator = std::vector<std::string>{"\t", ",", "::", " ", "\r", "\xE2\x82\xAC"}[random.below(12) < 6 ? 0 : random.below(6)];
      if (format.separator == "\r") format.separator = ";";
      format.header = random.below(3) == 0 ? kd::DelimitedFormat::Header::first_line : kd::DelimitedFormat::Header::none;
      format.quoting = random.below(4) == 0 ? kd::DelimitedFormat::Quoting::rfc_4180 : kd::DelimitedFormat::Quoting::none;
      if (random.below(3) == 0) format.comment_prefix = "#";
      format.field_rule = random.below(3) == 0 ? kd::DelimitedFormat::FieldRule::at_least : kd::DelimitedFormat::FieldRule::same;
      if (random.below(2) == 0) format.field_count = 5;
      if (random.below(2) == 0) format.item_name = 4;
      if (random.below(4) == 0) format.item_fallback = 4;
      if (random.below(2) == 0) format.empty_item = kd::DelimitedFormat::EmptyItem::drop;
      if (random.below(2) == 0) format.negative = kd::DelimitedFormat::NegativeValue::keep;
      if (random.below(5) == 0) format.min_value = 5.0F;
      if (random.below(3) == 0) format.time = {};
      if (random.below(6) == 0) format.value = {};
      kd::ReadOptions options;
      options.on_bad_line = random.below(3) != 0 ? kd::ReadOptions::BadLinePolicy::skip : kd::ReadOptions::BadLinePolicy::fail;
      options.max_line_bytes = random.below(2) == 0 ? 200 : 1 << 20;
      options.first_bad = random.below(4);
      const std::uint32_t oddities[] = {2, 10, 50, 1'000'000};
      const std::string path =
          directory.file(odd_file(random, format, 1 + random.below(trial % 10 == 0 ? 2'000 : 60), oddities[random.below(4)]));

      const std::string wanted = outcome([&] { return kindred_test::read_line_by_line(path, format, options); });
      (wanted.starts_with(path + " ") ? datasets : errors) += 1;
      if (wanted.find("; line ") != std::string::npos) ++skipped;
      for (const std::size_t block :
           {std::size_t{1}, std::size_t{2}, std::size_t{7}, 1 + std::size_t{random.below(300)}, std::size_t{1} << 18}) {
        for (const std::size_t threads : {1U, 2U, 5U}) {
          options.block_bytes = block;
          options.execution.threads = threads;
          CAPTURE(block);
          CAPTURE(threads);
          const std::string found = outcome([&] { return kd::read_delimited(path, format, options); });
          CHECK(found == wanted);
        }
      }
    }
    // The files are not all of one kind.
    CHECK(errors > 60);
    CHECK(datasets > 150);
    CHECK(skipped > 60);
  }

  TEST_CASE("sums that a float cannot hold name the first pair of the matrix, by keys") {
    const kd::test::TemporaryDirectory directory;
    std::string text;
    for (int u = 0; u < 3000; ++u) text += "u" + std::to_string(u) + "\ta\t1\n";
    for (const int u : {2900, 7, 1500}) text += "u" + std::to_string(u) + "\ta\t3e38\nu" + std::to_string(u) + "\ta\t3e38\n";
    const std::string path = directory.file(text);
    for (const std::size_t threads : {1U, 4U})
      CHECK_THROWS_WITH_AS((void)kd::read_delimited(path, {}, {.execution = {.threads = threads}, .block_bytes = 100}),
                           doctest::Contains("the sum of user 'u7' and item 'a' in "), kd::InvalidArgument);
  }

  TEST_CASE("a source that fails: what is wrong in the lines before it comes first") {
    const auto open_failing = [](std::string text) {
      return [text = std::move(text)](const std::string& path) -> kd::ReadOptions::ReadBytes {
        return [text, path, at = std::size_t{0}](char* to, std::size_t most) mutable -> std::size_t {
          if (at == text.size()) throw kd::IoError(path, "read", EIO);
          const std::size_t now = (std::min)({most, text.size() - at, std::size_t{50}});
          std::copy_n(text.data() + at, now, to);
          at += now;
          return now;
        };
      };
    };
    std::string text;
    for (int n = 0; n < 200; ++n) text += "u\ti" + std::to_string(n) + "\t1\n";
    for (const std::size_t threads : {1U, 3U}) {
      kd::ReadOptions options{.execution = {.threads = threads}, .block_bytes = 64, .open = open_failing(text)};
      CHECK_THROWS_AS((void)kd::read_delimited("pretended", {}, options), kd::IoError);
      options.open = open_failing(text + "u\tbad\tx\n" + text);
      CHECK_THROWS_WITH_AS((void)kd::read_delimited("pretended", {}, options), doctest::Contains("pretended, line 201, column 3"),
                           kd::ParseError);
      options.progress = [](const kd::Progress& p) -> kd::ProgressAnswer {
        if (p.done > 1000) throw std::runtime_error("no more");
        return kd::ProgressAnswer::keep_going;
      };
      CHECK_THROWS_WITH((void)kd::read_delimited("pretended", {}, options), "no more");
    }
  }

#if defined(__unix__) || defined(__APPLE__)
  TEST_CASE("a file that becomes shorter while threads read it: what is wrong in the lines before comes first") {
    const kd::test::TemporaryDirectory directory;
    std::string text;
    for (int n = 0; n < 400; ++n) text += "u\ti" + std::to_string(n) + "\t1\n";
    for (const bool bad : {false, true}) {
      const std::string path = directory.file((bad ? "u\tfirst\t1\nu\tbad\tx\n" : "u\tfirst\t1\nu\tgood\t1\n") + text);
      // The first block stays whole; the second is cut before a thread has it.
      kd::ReadOptions options{.progress =
                                  [&](const kd::Progress& p) {
                                    if (p.done > 1'500) std::filesystem::resize_file(path, 1'020);
                                    return kd::ProgressAnswer::keep_going;
                                  },
                              .execution = {.threads = 3},
                              .block_bytes = 1'000};
      const auto read = [&] { (void)kd::read_delimited(path, {}, options); };
      if (bad)
        CHECK_THROWS_WITH_AS(read(), doctest::Contains("line 2, column 3"), kd::ParseError);
      else
        CHECK_THROWS_WITH_AS(read(), doctest::Contains("cannot read all of it"), kd::IoError);
    }
  }
#endif

  TEST_CASE("stopping keeps the same lines for any number of threads") {
    const kd::test::TemporaryDirectory directory;
    std::string text;
    for (int n = 0; n < 5'000; ++n) text += "u" + std::to_string(n % 50) + "\ti" + std::to_string(n % 700) + "\t1\n";
    const std::string path = directory.file(text);
    const auto read = [&](std::size_t threads) {
      std::size_t calls = 0;
      kd::ReadOptions options{
          .progress =
              [&](const kd::Progress&) { return ++calls == 7 ? kd::ProgressAnswer::stop_and_keep : kd::ProgressAnswer::keep_going; },
          .execution = {.threads = threads},
          .block_bytes = 1000};
      return outcome([&] { return kd::read_delimited(path, {}, options); });
    };
    const std::string one = read(1);
    CHECK(one.find(" 1;") == std::string::npos);
    CHECK(read(2) == one);
    CHECK(read(9) == one);
  }

  TEST_CASE("keys that are long, empty names, and many of them") {
    const kd::test::TemporaryDirectory directory;
    kd::detail::Random random(31, kd::detail::RandomStream::sample);
    std::string text;
    for (int n = 0; n < 20'000; ++n) {
      const std::string user(1 + random.below(4) * (n % 997 == 0 ? 30'000 : 3), static_cast<char>('a' + random.below(26)));
      text += user + "\titem" + std::to_string(random.below(9'000)) + "\t" + std::to_string(1 + random.below(9)) + "\n";
    }
    const std::string path = directory.file(text);
    const std::string wanted = outcome([&] { return kindred_test::read_line_by_line(path, {}, {}); });
    for (const std::size_t threads : {1U, 2U, 8U})
      CHECK(outcome([&] { return kd::read_delimited(path, {}, {.execution = {.threads = threads}, .block_bytes = 5'000}); }) == wanted);
  }

#if defined(__unix__) || defined(__APPLE__)
  TEST_CASE("the standard input, and a pipe with a name") {
    const kd::test::TemporaryDirectory directory;
    std::string text;
    for (int n = 0; n < 30'000; ++n) text += "u" + std::to_string(n % 50) + "\ti" + std::to_string(n % 700) + "\t1\n";
    const std::string path = directory.file(text);
    const kd::Dataset wanted = kd::read_delimited(path);
    CHECK(kd::test::run_in_child([&] {
            std::FILE* const pipe = popen(("cat " + path).c_str(), "r");
            if (pipe == nullptr || dup2(fileno(pipe), 0) != 0) return 2;
            const kd::Dataset read = kd::read_delimited("-", {}, {.execution = {.threads = 2}, .block_bytes = 1'000});
            return read.matrix == wanted.matrix && read.load.bytes == text.size() && read.load.source == "-" ? 0 : 1;
          }) == 0);
  }
#endif
}
