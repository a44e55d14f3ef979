// SPDX-License-Identifier: MIT
#pragma once

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
#include <kindred/split/split.hpp>

namespace kindred::inline v0 {

/// What leave_last_out holds out.
struct LeaveLastOutOptions {
  Index count = 1;             ///< Items of each user that go to test, >= 1.
  Index min_interactions = 2;  ///< Users with fewer stay wholly in train; above count, so that something is left to learn from.
};

/// Holds out the latest `count` items of each user with at least min_interactions; of equal times the higher item counts as later.
///
/// `times`: seconds since the Unix epoch, one for each stored interaction, as in Dataset::times. That is the time of the FIRST event of a user with an
/// item, so "latest" means the items that the user discovered last, not those played last; and the train value of an older item also counts its
/// events after that. Users have their last items at different times, so a model may learn from one user's future about another's:
/// temporal_split() does not allow that. Stored zeros count like other entries. O(users + nnz).
/// @throws InvalidArgument if an option is out of range; ShapeError if `times` is not as long as the matrix has interactions.
[[nodiscard]] inline TrainTestSplit leave_last_out(const CsrView& matrix, std::span<const std::int64_t> times,
                                                   const LeaveLastOutOptions& options = {}) {
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
