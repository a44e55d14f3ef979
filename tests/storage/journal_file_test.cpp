// SPDX-License-Identifier: MIT
#include <kindred/storage/journal_file.hpp>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/error.hpp>
#include <kindred/storage/posix_file.hpp>

#include "../support/child_process.hpp"
#include "../support/temporary_file.hpp"

#if KINDRED_POSIX_FILES
#include <sys/resource.h>

namespace kd = kindred;
using doctest::Contains;
using kd::detail::JournalFile;

namespace {

/// What a journal holds, and what was cut off.
struct Held {
  std::vector<std::string> records = {};
  std::uint64_t first = 0, next = 0, torn = 0;
};

Held held_in(const std::string& path) {
  JournalFile journal(path, std::nullopt);
  Held held{.first = journal.first()};
  held.torn = journal.replay([&](std::uint64_t number, std::string_view record) {
    CHECK(number == held.first + held.records.size());
    held.records.emplace_back(record);
  });
  held.next = journal.next();
  return held;
}

std::string bytes_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

const std::vector<std::string> three{"one", "", "the third record, which is longer than a stripe of the checksum"};

std::string journal_of_three(const kd::test::TemporaryDirectory& directory) {
  const std::string path = directory.path("journal");
  JournalFile journal(path, std::nullopt);
  (void)journal.replay([](std::uint64_t, std::string_view) { FAIL("a new journal holds nothing"); });
  for (std::size_t n = 0; n < three.size(); ++n) CHECK(journal.append(three[n]) == n);
  return path;
}

}  // namespace

TEST_SUITE("storage/journal_file") {
  TEST_CASE("records come back, and numbers go on") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = journal_of_three(directory);
    const std::string bytes = bytes_in(path);
    CHECK(bytes.size() == 32 + 3 * 16 + three[0].size() + three[2].size());  // as the header says
    CHECK(bytes.substr(0, 8) == "KNDJRNL1");
    CHECK(bytes.substr(32, 4) == std::string("\3\0\0\0", 4));
    CHECK(bytes.substr(48, 3) == "one");
    CHECK(held_in(path).records == three);
    CHECK(bytes_in(path) == bytes);
    {
      JournalFile journal(path, 0);
      (void)journal.replay([](std::uint64_t, std::string_view) {});
      CHECK(journal.append("four") == 3);
      journal.flush(3);
    }
    CHECK(held_in(path).records.back() == "four");
    CHECK(held_in(path).next == 4);
    const std::string other = directory.path("other");
    CHECK(JournalFile(other, std::nullopt).id() != JournalFile(path, std::nullopt).id());
    CHECK(JournalFile(directory.file("", "empty"), std::nullopt).next() == 0);
  }

  TEST_CASE("cut anywhere: whole records stay, the rest is cut off and counted") {
    const kd::test::TemporaryDirectory directory;
    const std::string bytes = bytes_in(journal_of_three(directory));
    const std::vector<std::size_t> ends{32, 32 + 16 + 3, 32 + 16 + 3 + 16, bytes.size()};
    for (std::size_t size = 32; size <= bytes.size(); ++size) {
      std::size_t whole = 0;
      while (whole < 3 && ends[whole + 1] <= size) ++whole;
      for (const std::size_t zeros : {std::size_t{0}, std::size_t{5}, std::size_t{70'000}}) {  // as after a loss of power
        const std::string path = directory.file(bytes.substr(0, size) + std::string(zeros, '\0'), "cut");
        const Held held = held_in(path);
        CHECK(held.records.size() == whole);
        CHECK(held.torn == size + zeros - ends[whole]);
        CHECK(bytes_in(path) == bytes.substr(0, ends[whole]));
      }
    }
    for (std::size_t size = 1; size < 32; ++size)
      CHECK_THROWS_AS((void)held_in(directory.file(bytes.substr(0, size), "cut")), kd::FormatError);
  }

  TEST_CASE("any other byte anywhere is an error with its place, but in the last record") {
    const kd::test::TemporaryDirectory directory;
    const std::string bytes = bytes_in(journal_of_three(directory));
    const std::size_t last = 32 + 16 + 3 + 16;
    for (std::size_t place = 0; place < bytes.size(); ++place) {
      std::string damaged = bytes;
      damaged[place] = static_cast<char>(damaged[place] ^ 0x41);
      const std::string path = directory.file(damaged, "damaged");
      if (place < 32) {
        CHECK_THROWS_WITH_AS((void)held_in(path), Contains("first 32 bytes"), kd::FormatError);
      } else if (place < last) {
        const char* where = place < 51 ? "record 0, at byte 32, is damaged" : "record 1, at byte 51, is damaged";
        CHECK_THROWS_WITH_AS((void)held_in(path), Contains(where), kd::FormatError);
      } else if (place < last + 8) {
        CHECK_THROWS_WITH_AS((void)held_in(path), Contains("record 2, at byte 67"), kd::FormatError);  // how long it is, is not known
      } else {
        CHECK(held_in(path).records.size() == 2);
        continue;
      }
      CHECK(bytes_in(path) == damaged);
    }
    CHECK_THROWS_WITH_AS((void)held_in(directory.file(std::string(100, 'x'), "text")), Contains("it is no journal"), kd::FormatError);
  }

  TEST_CASE("shortened journals keep their numbers and their id") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = journal_of_three(directory);
    std::uint64_t id = 0;
    {
      JournalFile journal(path, 20);
      (void)journal.replay([](std::uint64_t, std::string_view) {});
      id = journal.id();
      journal.shorten(2);
      CHECK(journal.append("four") == 3);
      journal.shorten(1);  // held no more
      CHECK(journal.first() == 2);
    }
    Held held = held_in(path);
    CHECK(held.first == 2);
    CHECK(held.records == std::vector<std::string>{three[2], "four"});
    {
      JournalFile journal(path, std::nullopt);
      (void)journal.replay([](std::uint64_t, std::string_view) {});
      journal.shorten(10);
      CHECK(journal.append("eleven") == 10);
      CHECK(journal.id() == id);
    }
    held = held_in(path);
    CHECK(held.first == 10);
    CHECK(held.records == std::vector<std::string>{"eleven"});
  }

  TEST_CASE("a second process is refused, before and after the file was replaced") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = journal_of_three(directory);
    JournalFile journal(path, std::nullopt);
    (void)journal.replay([](std::uint64_t, std::string_view) {});
    CHECK_THROWS_WITH_AS(JournalFile(path, std::nullopt), Contains("lock"), kd::IoError);
    journal.shorten(3);
    CHECK_THROWS_WITH_AS(JournalFile(path, std::nullopt), Contains("lock"), kd::IoError);
    CHECK_THROWS_AS(JournalFile(directory.path(), std::nullopt), kd::IoError);
    CHECK_THROWS_AS(JournalFile(directory.path("no/folder"), std::nullopt), kd::IoError);
  }

  TEST_CASE("a full disk: the record is not there, and the next one that fits is") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = journal_of_three(directory);
    CHECK(kd::test::run_in_child([&] {
            std::signal(SIGXFSZ, SIG_IGN);
            const rlimit limit{1'000, 1'000};
            if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
            JournalFile journal(path, std::nullopt);
            (void)journal.replay([](std::uint64_t, std::string_view) {});
            try {
              (void)journal.append(std::string(2'000, 'x'));
              return 3;
            } catch (const kd::IoError&) {
              return journal.append("fits") == 3 ? 0 : 4;
            }
          }) == 0);
    CHECK(held_in(path).records.back() == "fits");
    CHECK(held_in(path).torn == 0);
  }

  TEST_CASE("many threads append and flush while the file is shortened") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = journal_of_three(directory);
    {
      JournalFile journal(path, 0);
      (void)journal.replay([](std::uint64_t, std::string_view) {});
      std::vector<std::thread> threads;
      for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
          for (int n = 0; n < 50; ++n) journal.flush(journal.append(std::to_string(1'000 * t + n)));
        });
      for (std::uint64_t first = 1; first <= 3; ++first) journal.shorten(first);
      for (std::thread& thread : threads) thread.join();
    }
    Held held = held_in(path);
    CHECK(held.first == 3);
    std::vector<int> numbers;
    for (const std::string& record : held.records) numbers.push_back(std::stoi(record));
    std::sort(numbers.begin(), numbers.end());
    REQUIRE(numbers.size() == 200);
    for (int n = 0; n < 200; ++n) CHECK(numbers[static_cast<std::size_t>(n)] == n / 50 * 1'000 + n % 50);
  }
}
#endif
