// SPDX-License-Identifier: MIT
#include <kindred/storage/csr_file_writer.hpp>

#include <cmath>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/storage/csr_file.hpp>

#include "../support/child_process.hpp"
#include "../support/sanitized.hpp"
#include "../support/temporary_file.hpp"

#if KINDRED_POSIX_FILES
#include <sys/resource.h>
#include <sys/time.h>
#endif

namespace kd = kindred;

namespace {

// 2^20 bytes sort 32,768 interactions at a time.
const kd::CsrFileOptions least{.memory_limit = std::uint64_t{1} << 20};
constexpr std::size_t many = 150'000;

/// The n-th of a stream of interactions with repeats, dislikes, and pairs that cancel.
kd::Interaction nth(std::size_t n) {
  kd::detail::Random random(3, kd::detail::RandomStream::sample, n);
  return {static_cast<kd::Index>(random.below(700)), static_cast<kd::Index>(random.below(400)),
          static_cast<float>(0.1 * (static_cast<double>(random.below(9)) - 2.0))};
}

kd::CsrMatrix in_memory(std::size_t count) {
  std::vector<kd::Interaction> triplets;
  for (std::size_t n = 0; n < count; ++n) triplets.push_back(nth(n));
  return kd::CsrMatrix::from_triplets({700, 400}, triplets);
}

void check_same(const std::string& path, const kd::CsrMatrix& wanted) {
  const kd::CsrFile file(path);
  file.verify();
  REQUIRE(file.shape() == wanted.shape());
  REQUIRE(file.block_count() == 1);
  const auto same = [](const kd::CsrView& found, const kd::CsrMatrix& matrix) { return kd::CsrMatrix(found) == matrix; };
  CHECK(same(file.block(0).rows, wanted));
  CHECK(same(transpose(file).block(0).rows, kd::transpose(wanted)));
}

std::string file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t entries_of(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

}  // namespace

TEST_SUITE("storage/csr_file_writer") {
  TEST_CASE("the matrix that memory makes of the same interactions, whatever the number of runs") {
    const kd::test::TemporaryDirectory directory;
    const kd::CsrMatrix wanted = in_memory(many);
    REQUIRE(wanted.nnz() < static_cast<kd::Offset>(many) - 10'000);  // there are repeats
    for (const std::uint64_t memory : {least.memory_limit, std::uint64_t{1} << 26}) {
      const std::string path = directory.path("plays.csr");
      kd::CsrFileWriter writer(path, {.memory_limit = memory});
      for (std::size_t n = 0; n < many; ++n) writer.add(nth(n).user, nth(n).item, nth(n).value);
      CHECK(writer.added() == many);
      writer.finish();
      check_same(path, wanted);
      CHECK(entries_of(directory.path()) == 1);
    }
  }

  TEST_CASE("pairs that all sum to zero leave rows without interactions") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("plays.csr");
    for (const bool named : {false, true}) {
      kd::CsrFileWriter writer(path, least);
      named ? writer.add("ann", "first", 0.0F) : writer.add(2, 1, 0.0F);
      writer.finish();
      const kd::CsrFile file(path);
      file.verify();
      CHECK(file.shape() == (named ? kd::MatrixShape{1, 1} : kd::MatrixShape{3, 2}));
      CHECK(file.nnz() == 0);
      CHECK(file.row(0).size() == 0);
      CHECK(file.has_keys() == named);
    }
  }

  TEST_CASE("bad input is refused and changes nothing") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("plays.csr");
    CHECK_THROWS_WITH_AS(kd::CsrFileWriter(path, {.memory_limit = 1'000}), doctest::Contains("memory_limit is 1000"), kd::InvalidArgument);
    CHECK_THROWS_AS(kd::CsrFileWriter(directory.path("no/such/folder/plays.csr")), kd::IoError);
    kd::CsrFileWriter writer(path);
    CHECK_THROWS_WITH_AS(writer.finish(), "interactions is none; it must be at least one", kd::InvalidArgument);
    constexpr kd::Index end = (std::numeric_limits<kd::Index>::max)();
    CHECK_THROWS_WITH_AS(writer.add(-1, 0, 1.0F), "user is -1; it must be in [0, 2^31 - 1)", kd::InvalidArgument);
    CHECK_THROWS_AS(writer.add(end, 0, 1.0F), kd::InvalidArgument);
    CHECK_THROWS_AS(writer.add(0, -1, 1.0F), kd::InvalidArgument);
    CHECK_THROWS_AS(writer.add(0, end, 1.0F), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(writer.add(0, 0, std::nanf("")), "value is nan; it must be finite", kd::InvalidArgument);
    CHECK(writer.added() == 0);
    writer.add(1, 2, 3e38F);
    CHECK_THROWS_WITH_AS(writer.finish(kd::MatrixShape{1, 9}), doctest::Contains("at least 2 users x 3 items"), kd::InvalidArgument);
    writer.add(1, 2, 3e38F);
    CHECK_THROWS_WITH_AS(writer.finish(), doctest::Contains("the sum of user 1 and item 2"), kd::InvalidArgument);
    CHECK_FALSE(std::filesystem::exists(path));
  }

  TEST_CASE("with names, the shape is theirs") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("plays.csr");
    kd::CsrFileWriter writer(path);
    writer.add("ann", "Bjork", 2.0F);
    CHECK_THROWS_AS(writer.add("bob", "Can", std::numeric_limits<float>::infinity()), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(writer.finish(kd::MatrixShape{3, 2}), doctest::Contains("1 users x 1 items, one name for each user and item"),
                         kd::InvalidArgument);
    writer.finish();
    const kd::CsrFile file(path);
    CHECK(file.shape() == kd::MatrixShape{1, 1});
    CHECK(file.user_key(0) == "ann");
    kd::CsrFileWriter mixed(directory.path("mixed.csr"));
    mixed.add("ann", "Bjork", 2.0F);
    mixed.add(4, 0, 1.0F);
    CHECK_THROWS_WITH_AS(mixed.finish(), doctest::Contains("one name for each"), kd::InvalidArgument);
    CHECK_FALSE(std::filesystem::exists(directory.path("mixed.csr")));
  }

  TEST_CASE("names that outgrow the limit are refused before memory is gone") {
    const kd::test::TemporaryDirectory directory;
    kd::CsrFileWriter writer(directory.path("plays.csr"), least);
    const auto add_all = [&] {
      for (std::size_t n = 0; n < 100'000; ++n) writer.add("a user whose name is number " + std::to_string(n), "item", 1.0F);
    };
    CHECK_THROWS_WITH_AS(add_all(), doctest::Contains("four times what the names of"), kd::InvalidArgument);
  }

  TEST_CASE("a writer that is not finished leaves nothing behind, and a finished one takes no more") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("plays.csr");
    {
      kd::CsrFileWriter writer(path, least);
      for (std::size_t n = 0; n < 100'000; ++n) writer.add(nth(n).user, nth(n).item, nth(n).value);
      CHECK(entries_of(directory.path()) == 0);  // runs are in files without a name
    }
    CHECK(entries_of(directory.path()) == 0);
    kd::CsrFileWriter first(path, least), second(path, least);  // side by side: the last one to finish is there
    first.add(0, 0, 1.0F);
    second.add(1, 1, 2.0F);
    first.finish();
    second.finish();
    CHECK(kd::CsrFile(path).row(1).values[0] == 2.0F);
    CHECK_THROWS_WITH_AS(second.add(0, 0, 1.0F), doctest::Contains("the writer is finished"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(second.add("ann", "Can", 1.0F), doctest::Contains("the writer is finished"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(second.finish(), doctest::Contains("the writer is finished"), kd::InvalidArgument);
  }

  TEST_CASE("a sum that is too large names its input") {
    const kd::test::TemporaryDirectory directory;
    kd::CsrFileWriter writer(directory.path("plays.csr"), {.input = "the plays of May"});
    writer.add("ann", "Can", 3e38F);
    writer.add("ann", "Can", 3e38F);
    CHECK_THROWS_WITH_AS(writer.finish(), doctest::Contains("item 'Can' in the plays of May"), kd::InvalidArgument);
  }

#if KINDRED_POSIX_FILES
  TEST_CASE("killed at any time, it leaves the old file, and the next build ends in the same bytes") {
    const kd::test::TemporaryDirectory directory;
    const auto build = [](const std::string& file) {
      kd::CsrFileWriter writer(file, least);
      for (std::size_t n = 0; n < many; ++n)
        writer.add("u" + std::to_string(nth(n).user), "i" + std::to_string(nth(n).item), static_cast<float>(1 + n % 5));
      writer.finish();
    };
    const std::string undisturbed = directory.path("undisturbed.csr");
    build(undisturbed);

    const std::string path = directory.path("plays.csr");
    int killed = 0;
    bool returned = false;
    for (std::size_t round = 0; !returned; ++round) {
      REQUIRE(round < 100);
      // Each round lives a little longer, so that it dies in every part of the work, also while it merges.
      const int answer = kd::test::run_in_child([&] {
        itimerval life{};
        life.it_value.tv_usec = static_cast<suseconds_t>((std::min)(4'000.0 * std::pow(1.25, static_cast<double>(round)), 999'000.0));
        if (round % 3 != 2) setitimer(ITIMER_REAL, &life, nullptr);  // SIGALRM ends it
        if (round % 3 == 2) {                                        // no room on the disk, suddenly
          const rlimit limit{200'000 * (round + 1), 200'000 * (round + 1)};
          (void)std::signal(SIGXFSZ, SIG_IGN);
          setrlimit(RLIMIT_FSIZE, &limit);
        }
        try {
          build(path);
        } catch (const kd::IoError&) {
          return 1;
        }
        return 0;
      });
      killed += answer != 0 ? 1 : 0;
      returned = answer == 0;
      if (std::filesystem::exists(path)) CHECK(file_bytes(path) == file_bytes(undisturbed));
    }
    CHECK(killed > 5);
    build(path);  // removes the part of the last one that was killed
    CHECK(file_bytes(path) == file_bytes(undisturbed));
    CHECK(entries_of(directory.path()) == 2);
  }

#if defined(__linux__) && !defined(KINDRED_TEST_SANITIZED)
  TEST_CASE("the memory limit holds") {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("plays.csr");
    const int answer = kd::test::run_in_child([&] {
      // What the process has already, and 24 MB for 3 million interactions, which take 36 MB as they come.
      std::ifstream statm("/proc/self/statm");
      std::uint64_t data = 0;
      for (int field = 0; field < 6; ++field) statm >> data;
      const rlim_t bytes = data * 4096 + (rlim_t{24} << 20);
      const rlimit limit{bytes, bytes};
      if (setrlimit(RLIMIT_DATA, &limit) != 0) return 3;
      kd::CsrFileWriter writer(path, {.memory_limit = std::uint64_t{20} << 20});
      for (std::size_t n = 0; n < 3'000'000; ++n)
        writer.add(static_cast<kd::Index>(n * 7919 % 100'003), static_cast<kd::Index>(n * 104'729 % 50'021), 1.0F);
      writer.finish();
      return 0;
    });
    CHECK(answer == 0);
    CHECK(kd::CsrFile(path).nnz() == 3'000'000);
  }
#endif
#endif
}
