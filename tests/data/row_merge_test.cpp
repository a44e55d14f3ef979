// SPDX-License-Identifier: MIT
#include <kindred/data/row_merge.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/data/csr_matrix.hpp>

namespace kd = kindred;
using kd::detail::ColumnInput;
using kd::detail::gather_rows;
using kd::detail::GatheredRows;
using kd::detail::RowMerge;
using Columns = kd::detail::UnclearedVector<kd::Index>;
using Values = kd::detail::UnclearedVector<float>;

TEST_SUITE("data/row_merge") {
  //  user 0: item 2 (1 at 50), item 0 (4 at 30), item 2 (2 at 20); user 1: none; user 2: item 1 (3 at 10), item 1 (-3 at 5), item 3 (6 at 40)
  const std::vector<kd::Index> users{2, 0, 0, 2, 0, 2, -1}, items{1, 2, 0, 1, 2, 3, 9};
  const std::vector<float> values{3, 1, 4, -3, 2, 6, 7};
  const std::vector<std::int64_t> times{10, 50, 30, 5, 20, 40, 1};

  TEST_CASE("interactions are gathered by user in the order given, without those of user -1") {
    const GatheredRows rows = gather_rows(3, ColumnInput{users, items, values, times});
    CHECK(rows.offsets == std::vector<kd::Offset>{0, 3, 3, 6});
    CHECK(rows.columns == Columns{2, 0, 2, 1, 1, 3});
    CHECK(rows.values == Values{1, 4, 2, 3, -3, 6});
    CHECK(rows.times == std::vector<std::int64_t>{50, 30, 20, 10, 5, 40});
    CHECK(gather_rows(0, ColumnInput{}).offsets == std::vector<kd::Offset>{0});
    CHECK(gather_rows(2, ColumnInput{}).offsets == std::vector<kd::Offset>{0, 0, 0});
  }

  TEST_CASE("pairs are summed, have their first time, and close up where others went") {
    // By one call, or by one for each user and taken in another order.
    for (const bool apart : {false, true}) {
      RowMerge merge(gather_rows(3, ColumnInput{users, items, values, times}));
      if (apart) {
        const RowMerge::Found second = merge.merge(2, 3), first = merge.merge(0, 1), none = merge.merge(1, 2);
        for (const RowMerge::Found* found : {&second, &none, &first}) merge.add(*found);
      } else {
        merge.add(merge.merge(0, 3));
      }
      REQUIRE_FALSE(merge.too_large());
      CHECK(merge.merged() == 1);
      CHECK(merge.zero_rows() == 2);
      std::vector<std::uint32_t> raw_rows;
      const GatheredRows rows = merge.finish(raw_rows, {.threads = 1});
      CHECK(rows.offsets == std::vector<kd::Offset>{0, 2, 2, 3});
      CHECK(rows.columns == Columns{0, 2, 3});
      CHECK(rows.values == Values{4, 3, 6});
      CHECK(rows.times == std::vector<std::int64_t>{30, 20, 40});
      CHECK(raw_rows == std::vector<std::uint32_t>{1, 2, 1});
    }
  }

  TEST_CASE("random interactions agree with a map, whatever the cut of the users") {
    struct Pair {
      double sum = 0.0;
      std::int64_t time = (std::numeric_limits<std::int64_t>::max)();
      std::uint32_t rows = 0;
    };
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      kd::detail::Random random(seed, kd::detail::RandomStream::sample);
      std::vector<kd::Index> who(random.below(300)), what(who.size());
      std::vector<float> strengths(who.size());
      std::vector<std::int64_t> when(who.size());
      std::map<std::pair<kd::Index, kd::Index>, Pair> pairs;
      for (std::size_t n = 0; n < who.size(); ++n) {
        who[n] = static_cast<kd::Index>(random.below(12));
        what[n] = static_cast<kd::Index>(random.below(9));
        strengths[n] = static_cast<float>(random.below(5)) - 2.0F;
        when[n] = std::int64_t{random.below(100)} - 50;
        Pair& pair = pairs[{who[n], what[n]}];
        pair.sum += static_cast<double>(strengths[n]);
        pair.time = std::min(pair.time, when[n]);
        ++pair.rows;
      }
      std::uint64_t merged = 0, zero_rows = 0;
      std::vector<kd::Offset> offsets(13, 0);
      GatheredRows wanted;
      std::vector<std::uint32_t> wanted_rows;
      for (const auto& [cell, pair] : pairs) {
        if (pair.sum == 0.0) {
          zero_rows += pair.rows;
          continue;
        }
        merged += pair.rows - 1;
        wanted.columns.push_back(cell.second);
        wanted.values.push_back(static_cast<float>(pair.sum));
        wanted.times.push_back(pair.time);
        wanted_rows.push_back(pair.rows);
        for (std::size_t u = static_cast<std::size_t>(cell.first) + 1; u < offsets.size(); ++u) ++offsets[u];
      }
      if (merged == 0) wanted_rows.clear();
      RowMerge merge(gather_rows(12, ColumnInput{who, what, strengths, when}));
      const std::size_t cut = random.below(13);
      merge.add(merge.merge(cut, 12));
      merge.add(merge.merge(0, cut));
      CHECK(merge.merged() == merged);
      CHECK(merge.zero_rows() == zero_rows);
      std::vector<std::uint32_t> raw_rows;
      const GatheredRows rows = merge.finish(raw_rows, {.threads = 1});
      CHECK(rows.offsets == offsets);
      CHECK(rows.columns == wanted.columns);
      CHECK(rows.values == wanted.values);
      CHECK(rows.times == wanted.times);
      CHECK(raw_rows == wanted_rows);
    }
  }

  TEST_CASE("many rows close up the same by any number of threads") {
    kd::detail::Random random(5, kd::detail::RandomStream::sample);
    constexpr kd::Index n_users = 30'000;
    std::vector<kd::Index> who(200'000), what(who.size());
    std::vector<float> strengths(who.size());
    std::vector<std::int64_t> when(who.size());
    for (std::size_t n = 0; n < who.size(); ++n) {
      who[n] = static_cast<kd::Index>(random.below(n_users));
      what[n] = static_cast<kd::Index>(random.below(9));
      strengths[n] = static_cast<float>(1 + random.below(5));
      when[n] = static_cast<std::int64_t>(n);
    }
    const auto merged = [&](std::size_t threads, std::vector<std::uint32_t>& raw_rows) {
      RowMerge merge(gather_rows(n_users, ColumnInput{who, what, strengths, when}));
      for (const std::size_t first : {std::size_t{20'000}, std::size_t{0}, std::size_t{10'000}})
        merge.add(merge.merge(first, first + 10'000));
      return merge.finish(raw_rows, {.threads = threads});
    };
    std::vector<std::uint32_t> wanted_counts;
    const GatheredRows wanted = merged(1, wanted_counts);
    CHECK(wanted.columns.size() < 170'000);
    for (const std::size_t threads : {std::size_t{2}, std::size_t{5}}) {
      std::vector<std::uint32_t> counts;
      const GatheredRows rows = merged(threads, counts);
      CHECK(rows.offsets == wanted.offsets);
      CHECK(rows.columns == wanted.columns);
      CHECK(rows.values == wanted.values);
      CHECK(rows.times == wanted.times);
      CHECK(counts == wanted_counts);
    }
  }

  TEST_CASE("without repeats there are no counts of them, and without times no times") {
    RowMerge merge(gather_rows(2, ColumnInput{std::vector<kd::Index>{1, 0}, std::vector<kd::Index>{4, 4}, {}, {}}));
    merge.add(merge.merge(0, 2));
    std::vector<std::uint32_t> raw_rows{7};
    const GatheredRows rows = merge.finish(raw_rows, {.threads = 1});
    CHECK(rows.values == Values{1, 1});
    CHECK(rows.times.empty());
    CHECK(raw_rows.empty());
  }

  TEST_CASE("the first sum that is too large is reported, in whatever order the answers come") {
    const std::vector<kd::Index> who{2, 2, 1, 1, 1, 1}, what{0, 0, 5, 5, 3, 3};
    const std::vector<float> large(6, -3e38F);
    RowMerge merge(gather_rows(3, ColumnInput{who, what, large, {}}));
    const RowMerge::Found last = merge.merge(2, 3), middle = merge.merge(1, 2);
    merge.add(last);
    merge.add(middle);
    merge.add(merge.merge(0, 1));
    REQUIRE(merge.too_large());
    CHECK(merge.too_large()->user == 1);
    CHECK(merge.too_large()->item == 3);
    CHECK(merge.too_large()->sum == doctest::Approx(-6e38));
  }
}
