// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/als/settings.hpp>

namespace kindred::inline v0::detail {

/// What it costs to solve a row of `count` interactions, in multiply-adds: the cheaper of the two exact forms, or that many steps of conjugate gradients, and
/// what every row and every interaction takes whatever its system.
[[nodiscard]] inline double solve_cost(Index count, const AlsSettings& settings) {
  const auto n = static_cast<double>(count), k = static_cast<double>(settings.factors);
  const double reading = 4.0 * k + 8.0 * n * k;  // weighed by times of small systems
  if (settings.solver == Solver::conjugate_gradient) return reading + static_cast<double>(settings.solver_steps + 1) * 2.0 * n * k;
  return reading + (n < k ? n * n * k / 2.0 + n * n * n / 6.0 : n * k * k / 2.0 + k * k * k / 6.0);
}

/// Deals rows to `ranks` in consecutive runs of about the same cost: rank r has rows [shares[r], shares[r + 1]). Runs begin at multiples of `unit`, but for the
/// end. O(rows). @throws InvalidArgument if there are no ranks or the unit is below 1.
[[nodiscard]] inline std::vector<std::uint64_t> row_shares(std::span<const Index> counts, const AlsSettings& settings, std::size_t ranks,
                                                           Index unit) {
  if (ranks < 1) throw InvalidArgument("ranks", ranks, "at least 1");
  if (unit < 1) throw InvalidArgument("unit", unit, "at least 1");
  double all = 0.0;
  for (const Index count : counts) all += solve_cost(count, settings);
  std::vector<std::uint64_t> shares = {0};
  double before = 0.0;
  for (std::size_t n = 0; n < counts.size() && shares.size() < ranks; ++n) {
    // A boundary stands where the run has its share, or would be further from it with the next unit.
    const double wanted = all * static_cast<double>(shares.size()) / static_cast<double>(ranks);
    if (n % static_cast<std::size_t>(unit) == 0 && before >= wanted) shares.push_back(n);
    before += solve_cost(counts[n], settings);
  }
  shares.resize(ranks + 1, counts.size());
  shares.back() = counts.size();
  return shares;
}

}  // namespace kindred::inline v0::detail
