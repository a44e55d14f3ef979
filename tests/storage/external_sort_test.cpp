// SPDX-License-Identifier: MIT
#include <kindred/storage/external_sort.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

#include "../support/temporary_file.hpp"

namespace kd = kindred;
using kd::detail::HashedBytes;
using kd::detail::ScratchFile;
using kd::detail::SortBuffer;
using kd::detail::SortEntry;

namespace {

HashedBytes write(ScratchFile& file, const std::vector<SortEntry>& entries) {
  SortBuffer buffer(1 << 20);
  for (const SortEntry& entry : entries) buffer.add(entry);
  buffer.sort();
  return kd::detail::write_run(file, buffer);
}

}  // namespace

TEST_SUITE("storage/external_sort") {
  TEST_CASE("one order of all runs, equal pairs in the order in which they came") {
    const kd::test::TemporaryDirectory directory;
    kd::detail::Random random(1, kd::detail::RandomStream::sample, 0);
    std::vector<SortEntry> wanted;
    ScratchFile file(directory.path("sorted"));
    std::vector<HashedBytes> runs;
    for (std::size_t run = 0; run < 5; ++run) {
      std::vector<SortEntry> entries;
      for (std::size_t n = 0; n < run * 700; ++n)  // one run is empty
        entries.push_back({static_cast<kd::Index>(random.below(40)), static_cast<kd::Index>(random.below(30)),
                           static_cast<float>(wanted.size() + entries.size())});
      wanted.insert(wanted.end(), entries.begin(), entries.end());
      runs.push_back(write(file, entries));
    }
    std::stable_sort(wanted.begin(), wanted.end(), [](const SortEntry& a, const SortEntry& b) { return a.key() < b.key(); });
    for (const std::uint64_t memory : {5u * 4096u, 5u << 20}) {
      kd::detail::RunMerger merger(file, runs, memory);
      std::size_t n = 0;
      for (SortEntry entry; merger.next(entry); ++n) {
        REQUIRE(n < wanted.size());
        REQUIRE(entry.key() == wanted[n].key());
        REQUIRE(entry.value == wanted[n].value);  // the place where it came
      }
      CHECK(n == wanted.size());
    }
    CHECK_THROWS_WITH_AS(kd::detail::RunMerger(file, runs, 5 * 4096 - 1), doctest::Contains("5 sorted runs"), kd::InvalidArgument);
    SortEntry none;
    kd::detail::RunMerger nothing(file, {}, 0);
    CHECK_FALSE(nothing.next(none));
  }

  TEST_CASE("a run that changed is found out at the latest at its end") {
    const kd::test::TemporaryDirectory directory;
    ScratchFile file(directory.path("sorted"));
    HashedBytes run = write(file, {{1, 2, 3.0F}, {0, 5, 1.0F}});
    const auto read = [&] {
      kd::detail::RunMerger merger(file, std::vector<HashedBytes>{run}, 1 << 20);
      for (SortEntry entry; merger.next(entry);) {
      }
    };
    CHECK_NOTHROW(read());
    ++run.checksum;
    CHECK_THROWS_AS(read(), kd::FormatError);
    --run.checksum;
    run.bytes += sizeof(SortEntry);  // beyond the end of the file
    CHECK_THROWS_AS(read(), kd::IoError);
  }

  TEST_CASE("a buffer holds what its bytes allow, at least one") {
    SortBuffer one(0);
    one.add({1, 1, 1.0F});
    CHECK(one.full());
    SortBuffer some(160);
    for (int n = 0; n < 10; ++n) {
      CHECK_FALSE(some.full());
      some.add({9 - n, n, 1.0F});
    }
    CHECK(some.full());
    some.sort();
    CHECK(some[0].row == 0);
    CHECK(some[0].column == 9);
    some.clear();
    CHECK(some.empty());
  }
}
