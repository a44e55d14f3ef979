// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/split/split.hpp>

namespace kindred::inline v0 {

namespace detail {

/// How PerUserSplitter divides a user's items.
struct PerUserSplitOptions {
  double test_fraction = 0.2;  ///< Share of a user's items that go to test, (0, 1).
  Index min_interactions = 5;  ///< Users with fewer stay wholly in train, >= 1.
  bool at_least_one = false;   ///< Hold out one item where the share rounds down to none (but never a user's last training item).
  Index test_users =
      0;  ///< Hold out items of this many users, drawn from those with enough interactions; 0, or more than there are: of all.
  std::uint64_t seed = 42;
};

}  // namespace detail

/// Holds out a random share of each user's items: the usual split of play-count studies.
///
/// Of the n stored interactions of a user with at least min_interactions, floor(test_fraction * n + 1e-9) go to test. Which ones is a function of the
/// seed, the user's index and n alone: the same on every platform and for any number of threads. Stored zeros count like other entries
/// (without_zeros() removes them).
class PerUserSplitter {
 public:
  using Options = detail::PerUserSplitOptions;

  /// @throws InvalidArgument if an option is out of range.
  explicit PerUserSplitter(const Options& options = {}) : options_(options) {
    detail::check_fraction(options.test_fraction, "test_fraction");
    if (options.min_interactions < 1) throw InvalidArgument("min_interactions", options.min_interactions, "at least 1");
    if (options.test_users < 0) throw InvalidArgument("test_users", options.test_users, "at least 0 (0: all users)");
  }

  /// As given to the constructor.
  [[nodiscard]] const Options& options() const noexcept { return options_; }

  /// Train and test, each of the shape of `matrix`. O(users + nnz). May be called from many threads.
  [[nodiscard]] TrainTestSplit split(const CsrView& matrix) const {
    std::vector<Index> eligible = detail::users_with(matrix, options_.min_interactions);
    const auto wanted = static_cast<std::size_t>(options_.test_users);
    const std::size_t count = wanted == 0 ? eligible.size() : (std::min)(wanted, eligible.size());
    const std::vector<char> tested = detail::sample_users(std::move(eligible), count, matrix.rows(), options_.seed);

    detail::SplitBuilder builder(matrix.shape());
    std::vector<Index> order;
    std::vector<char> held_out;
    for (Index u = 0; u < matrix.rows(); ++u) {
      const SparseRow row = matrix.row(u);
      if (!tested[static_cast<std::size_t>(u)]) {
        builder.add_to_train(row);
        continue;
      }
      detail::draw_entries(options_.seed, u, row.size(), test_count(row.size()), order, held_out);
      builder.add(row, held_out);
    }
    return builder.finish();
  }

 private:
  [[nodiscard]] std::size_t test_count(std::size_t size) const {
    const std::size_t share = detail::floor_share(options_.test_fraction, size);
    return (std::min)(size - 1, (std::max)(share, std::size_t{options_.at_least_one ? 1U : 0U}));
  }

  Options options_;
};

}  // namespace kindred::inline v0
