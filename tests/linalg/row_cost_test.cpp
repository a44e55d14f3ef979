// SPDX-License-Identifier: MIT
#include <kindred/linalg/row_cost.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <queue>
#include <vector>

#include <doctest/doctest.h>

namespace {

namespace detail = kindred::detail;

/// Costs of pieces, in the order of dealing, of rows that are sorted: longest first.
std::vector<double> pieces_of(const std::vector<std::size_t>& lengths, std::size_t factors) {
  std::vector<double> costs;
  detail::RowDealing dealing(factors);
  for (const std::size_t n : lengths) {
    if (dealing.begins(n)) costs.push_back(0.0);
    costs.back() += detail::row_cost(n, factors);
  }
  return costs;
}

/// The share of `threads` threads' time that is work, where each takes the next task when it is free: parts of long rows, then pieces.
double efficiency(const std::vector<std::size_t>& lengths, std::size_t factors, std::size_t threads) {
  const auto shared_end = std::find_if(lengths.begin(), lengths.end(), [](std::size_t n) { return detail::row_parts(n) == 1; });
  std::vector<double> tasks;
  for (auto row = lengths.begin(); row != shared_end; ++row)
    tasks.insert(tasks.end(), detail::row_parts(*row), detail::row_cost(*row, factors) / static_cast<double>(detail::row_parts(*row)));
  const std::vector<double> pieces = pieces_of({shared_end, lengths.end()}, factors);
  tasks.insert(tasks.end(), pieces.begin(), pieces.end());
  std::priority_queue<double, std::vector<double>, std::greater<>> free_at;
  for (std::size_t thread = 0; thread < threads; ++thread) free_at.push(0.0);
  double work = 0.0, end = 0.0;
  for (const double cost : tasks) {
    const double done = free_at.top() + cost;
    free_at.pop();
    free_at.push(done);
    end = std::max(end, done);
    work += cost;
  }
  return work / (end * static_cast<double>(threads));
}

/// Lengths of the columns of about `nnz` interactions of `users` users with `items` items, of which the most popular one has `most`: a power law, cut there.
std::vector<std::size_t> popularity(std::size_t items, std::size_t most, double exponent) {
  std::vector<std::size_t> lengths;
  for (std::size_t rank = 1; rank <= items; ++rank)
    lengths.push_back(
        std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(most) * std::pow(static_cast<double>(rank), -exponent))));
  return lengths;
}

}  // namespace

TEST_SUITE("linalg/row_cost") {
  TEST_CASE("parts cover a row without gaps, and depend on its length alone") {
    for (const std::size_t n : {0u, 1u, 16'384u, 32'767u, 32'768u, 32'769u, 1'000'000u, 50'000'000u}) {
      const std::size_t parts = detail::row_parts(n);
      CHECK(parts >= 1);
      CHECK(parts <= detail::most_row_parts);
      CHECK(detail::row_part_begin(n, 0) == 0);
      CHECK(detail::row_part_begin(n, parts) == n);
      for (std::size_t part = 0; part < parts; ++part) {
        CHECK(detail::row_part_begin(n, part) % 256 == 0);
        if (n > 0) CHECK(detail::row_part_begin(n, part) < detail::row_part_begin(n, part + 1));
      }
    }
    CHECK(detail::row_parts(32'767) == 1);
    CHECK(detail::row_parts(32'768) == 2);
  }

  TEST_CASE("pieces hold at most sixteen rows and no more than sixteen rows of k interactions cost, unless it is one row") {
    for (const std::size_t factors : {8u, 64u, 256u}) {
      std::vector<std::size_t> lengths = popularity(20'000, 200'000, 0.8);
      lengths.insert(lengths.end(), 100, 0);
      detail::RowDealing dealing(factors);
      std::size_t rows = 0;
      double cost = 0.0;
      for (const std::size_t n : lengths) {
        const bool begins = dealing.begins(n);
        rows = begins ? 1 : rows + 1;
        cost = begins ? detail::row_cost(n, factors) : cost + detail::row_cost(n, factors);
        CHECK(rows <= detail::most_dealt);
        CHECK((rows == 1 || cost <= 16.0 * detail::row_cost(factors, factors)));
        if (detail::row_parts(n) > 1) CHECK(rows == 1);
      }
      dealing.end_piece();
      CHECK(dealing.begins(0));
    }
  }

  TEST_CASE("simulated schedules: items of 360,000 users on 16, 64 and 128 threads") {
    // Last.fm 360K: 160,112 artists, 17.5 million interactions, the most popular one with 77,000.
    const std::vector<std::size_t> lengths = popularity(160'112, 77'000, 0.66);
    for (const std::size_t factors : {64u, 128u, 256u}) {
      CAPTURE(factors);
      CHECK(efficiency(lengths, factors, 16) > 0.95);
      CHECK(efficiency(lengths, factors, 64) > 0.9);
      CHECK(efficiency(lengths, factors, 128) > 0.75);
    }
    // One item with a million.
    std::vector<std::size_t> with_giant = lengths;
    with_giant.insert(with_giant.begin(), 1'000'000);
    CHECK(efficiency(with_giant, 64, 16) > 0.9);
    CHECK(efficiency(with_giant, 64, 64) > 0.75);
  }
}
