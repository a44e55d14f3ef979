// SPDX-License-Identifier: MIT
#pragma once

// The bodies of split/temporal.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/split/split.hpp>
#include <kindred/split/split_builder.hpp>
#include <kindred/split/temporal.hpp>

namespace kindred::inline v0 {

KINDRED_ONCE std::int64_t temporal_cut(std::span<const std::int64_t> times, double test_fraction) {
  detail::check_fraction(test_fraction, "test_fraction");
  const std::size_t share = detail::floor_share(test_fraction, times.size());
  if (share == 0)
    throw InvalidArgument("test_fraction", test_fraction, "enough for one of the " + std::to_string(times.size()) + " interactions");
  std::vector<std::int64_t> sorted(times.begin(), times.end());
  const auto cut = sorted.end() - static_cast<std::ptrdiff_t>(share);
  std::nth_element(sorted.begin(), cut, sorted.end());
  return *cut;
}

KINDRED_ONCE TrainTestSplit temporal_split(const CsrView& matrix, std::span<const std::int64_t> times,
                                           const TemporalSplitOptions& options) {
  detail::check_fraction(options.test_fraction, "test_fraction");
  detail::check_times(times, matrix);
  const std::int64_t cut = options.cut_time ? *options.cut_time : temporal_cut(times, options.test_fraction);

  detail::SplitBuilder builder(matrix.shape());
  std::vector<char> held_out;
  for (Index u = 0; u < matrix.rows(); ++u) {
    const SparseRow row = matrix.row(u);
    const std::size_t start = matrix.row_begin(u);
    held_out.resize(row.size());
    for (std::size_t n = 0; n < row.size(); ++n) held_out[n] = times[start + n] >= cut ? 1 : 0;
    builder.add(row, held_out);
  }
  return builder.finish();
}

}  // namespace kindred::inline v0
