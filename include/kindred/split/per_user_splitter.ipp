// SPDX-License-Identifier: MIT
#pragma once

// The bodies of split/per_user_splitter.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/split/per_user_splitter.hpp>
#include <kindred/split/split_builder.hpp>

namespace kindred::inline v0 {

KINDRED_ONCE PerUserSplitter::PerUserSplitter(const detail::PerUserSplitOptions& options) : options_(options) {
  detail::check_fraction(options.test_fraction, "test_fraction");
  if (options.min_interactions < 1) throw InvalidArgument("min_interactions", options.min_interactions, "at least 1");
  if (options.test_users < 0) throw InvalidArgument("test_users", options.test_users, "at least 0 (0: all users)");
}

KINDRED_ONCE TrainTestSplit PerUserSplitter::split(const CsrView& matrix) const {
  std::vector<Index> eligible = detail::users_with(matrix, options_.min_interactions);
  const auto wanted = static_cast<std::size_t>(options_.test_users);
  const std::size_t count = wanted == 0 ? eligible.size() : (std::min)(wanted, eligible.size());
  const std::vector<char> tested = detail::sample_users(std::move(eligible), count, matrix.rows(), options_.seed);

  detail::SplitBuilder builder(matrix.shape());
  const bool by_item = options_.draw == Options::Draw::by_item;
  const std::vector<Index> item_users = by_item ? column_counts(matrix) : std::vector<Index>();
  std::vector<Index> order;
  std::vector<char> held_out;
  for (Index u = 0; u < matrix.rows(); ++u) {
    const SparseRow row = matrix.row(u);
    if (!tested[static_cast<std::size_t>(u)]) {
      builder.add_to_train(row);
      continue;
    }
    if (by_item)
      detail::draw_flat_entries(options_.seed, u, row, item_users, test_count(row.size()), order, held_out);
    else
      detail::draw_entries(options_.seed, u, row.size(), test_count(row.size()), order, held_out);
    builder.add(row, held_out);
  }
  return builder.finish();
}

KINDRED_ONCE std::size_t PerUserSplitter::test_count(std::size_t size) const {
  const std::size_t share = detail::floor_share(options_.test_fraction, size);
  return (std::min)(size - 1, (std::max)(share, std::size_t{options_.at_least_one ? 1U : 0U}));
}

}  // namespace kindred::inline v0
