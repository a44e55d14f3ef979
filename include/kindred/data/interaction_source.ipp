// SPDX-License-Identifier: MIT
#pragma once

// The bodies of data/interaction_source.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/team.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/interaction_source.hpp>

namespace kindred::inline v0::detail {

KINDRED_ONCE std::vector<Index> checked_row_counts(const RowsRef& source, const std::string& what, Index first_row, Index last_row) {
  std::vector<Index> counts;
  counts.reserve(static_cast<std::size_t>(last_row - first_row));
  Offset seen = 0;
  source.for_each_block([&](const RowBlock& block) {
    const auto first = first_row + static_cast<Index>(counts.size());
    if (block.first != first || block.rows.rows() > last_row - first || block.rows.cols() != source.cols())
      throw ShapeError(what + ": a block of " + std::to_string(block.rows.rows()) + " rows of " + std::to_string(block.rows.cols()) +
                       " columns from row " + std::to_string(block.first) + "; expected one from row " + std::to_string(first) + " of " +
                       std::to_string(last_row) + ", with " + std::to_string(source.cols()) + " columns");
    for (Index r = 0; r < block.rows.rows(); ++r) {
      const SparseRow row = block.rows.row(r);
      counts.push_back(static_cast<Index>(row.size()));
      seen += static_cast<Offset>(row.size());
      if (source.in_memory()) continue;
      Index least = 0;
      for (std::size_t n = 0; n < row.size(); ++n) {
        const auto at = [&] { return what + ", row " + std::to_string(first + r) + ", place " + std::to_string(n) + ": the "; };
        if (row.columns[n] < least || row.columns[n] >= source.cols())
          throw InvalidArgument(at() + "column", row.columns[n],
                                "in [" + std::to_string(least) + ", " + std::to_string(source.cols()) + "): sorted, without repeats");
        if (!is_finite(row.values[n]) || row.values[n] == 0.0F) throw InvalidArgument(at() + "value", row.values[n], "finite and not 0");
        least = row.columns[n] + 1;
      }
    }
  });
  if (counts.size() != static_cast<std::size_t>(last_row - first_row) || seen != source.nnz())
    throw ShapeError(what + ": its blocks hold " + std::to_string(counts.size()) + " rows and " + std::to_string(seen) +
                     " interactions; it promised " + std::to_string(last_row - first_row) + " and " + std::to_string(source.nnz()));
  return counts;
}

KINDRED_ONCE double magnitude_quantile(const RowsRef& source, double probability, Offset nnz, Magnitudes which, const Team& team,
                                       const ParallelOptions& parallel) {
  const double place = probability * static_cast<double>(nnz - 1);
  const auto below = static_cast<std::uint64_t>(place);
  const std::array<std::uint64_t, 2> ranks = {below, (std::min)(below + 1, static_cast<std::uint64_t>(nnz - 1))};
  constexpr std::size_t bins = std::size_t{1} << 16;
  using Counts = std::array<std::vector<std::uint64_t>, 2>;
  // Counts by `count(counts, bits)` over all threads and members of the team.
  const auto counted = [&](auto&& count) {
    constexpr std::size_t sharing = 16;  // threads, a megabyte each
    const ParallelOptions run{.threads = (std::min)(resolve_threads(parallel.threads), sharing), .executor = parallel.executor};
    std::vector<Counts> of_workers(run.threads, {std::vector<std::uint64_t>(bins, 0), std::vector<std::uint64_t>(bins, 0)});
    for_each_piece(source, 1024, run, [&](const RowBlock& block, Index first, Index last, std::size_t worker) {
      for (const float value : block.rows.rows(first - block.first, last - block.first).values())
        if (which == Magnitudes::all || value > 0.0F) count(of_workers[worker], bit_cast<std::uint32_t>(std::abs(value)));
    });
    Counts counts = std::move(of_workers.front());
    for (std::size_t n = 0; n < 2; ++n) {
      for (std::size_t worker = 1; worker < of_workers.size(); ++worker)
        for (std::size_t bin = 0; bin < bins; ++bin) counts[n][bin] += of_workers[worker][n][bin];
      if (team.size() == 1) continue;
      std::vector<double> numbers(counts[n].begin(), counts[n].end());  // exact: there are fewer than 2^53
      team.sum(numbers);
      std::transform(numbers.begin(), numbers.end(), counts[n].begin(), [](double number) { return static_cast<std::uint64_t>(number); });
    }
    return counts;
  };
  const std::vector<std::uint64_t> high = counted([](Counts& counts, std::uint32_t bits) { ++counts[0][bits >> 16]; })[0];
  // The bin that a rank falls into, which then counts from the start of that bin.
  const auto bin_of = [](const std::vector<std::uint64_t>& counts, std::uint64_t& rank) {
    std::uint32_t bin = 0;
    for (; rank >= counts[bin]; ++bin) rank -= counts[bin];
    return bin;
  };
  std::array<std::uint64_t, 2> rest = ranks;
  const std::array<std::uint32_t, 2> top = {bin_of(high, rest[0]), bin_of(high, rest[1])};
  const Counts low = counted([&top](Counts& counts, std::uint32_t bits) {
    for (std::size_t n = 0; n < 2; ++n)
      if (bits >> 16 == top[n]) ++counts[n][bits & 0xFFFF];
  });
  std::array<double, 2> found{};
  for (std::size_t n = 0; n < 2; ++n) found[n] = static_cast<double>(bit_cast<float>((top[n] << 16) | bin_of(low[n], rest[n])));
  return found[0] + (place - static_cast<double>(below)) * (found[1] - found[0]);
}

KINDRED_ONCE double magnitude_quantile(const RowsRef& source, double probability, Offset nnz, Magnitudes which) {
  return magnitude_quantile(source, probability, nnz, which, Team(), {.threads = 1});
}

}  // namespace kindred::inline v0::detail
