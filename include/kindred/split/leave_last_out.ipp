// SPDX-License-Identifier: MIT
#pragma once

// The bodies of split/leave_last_out.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/split/leave_last_out.hpp>
#include <kindred/split/split.hpp>
#include <kindred/split/split_builder.hpp>

namespace kindred::inline v0 {

KINDRED_ONCE TrainTestSplit leave_last_out(const CsrView& matrix, std::span<const std::int64_t> times, const LeaveLastOutOptions& options) {
  if (options.count < 1) throw InvalidArgument("count", options.count, "at least 1");
  if (options.min_interactions <= options.count)
    throw InvalidArgument("min_interactions", options.min_interactions, "above count, which is " + std::to_string(options.count));
  detail::check_times(times, matrix);

  detail::SplitBuilder builder(matrix.shape());
  std::vector<std::size_t> order;
  std::vector<char> held_out;
  for (Index u = 0; u < matrix.rows(); ++u) {
    const SparseRow row = matrix.row(u);
    if (row.size() < static_cast<std::size_t>(options.min_interactions)) {
      builder.add_to_train(row);
      continue;
    }
    const std::span<const std::int64_t> when = times.subspan(matrix.row_begin(u), row.size());
    order.resize(row.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    // A row's items rise, so the later place is the higher item.
    std::nth_element(order.begin(), order.begin() + options.count, order.end(),
                     [&](std::size_t a, std::size_t b) { return when[a] != when[b] ? when[a] > when[b] : a > b; });
    held_out.assign(row.size(), 0);
    for (std::size_t n = 0; n < static_cast<std::size_t>(options.count); ++n) held_out[order[n]] = 1;
    builder.add(row, held_out);
  }
  return builder.finish();
}

}  // namespace kindred::inline v0
