// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/split/split.hpp>

namespace kindred::inline v0 {

namespace detail {

/// How PerUserSplitter divides a user's items.
struct PerUserSplitOptions {
  /// Which of a user's items go to test.
  enum class Draw {
    by_interaction,  ///< Each with the same chance: popular items are tested as often as they are used.
    by_item,         ///< Each with a chance proportional to 1 / users of the item, so that about every item is tested equally often.
  };

  double test_fraction = 0.2;  ///< Share of a user's items that go to test, (0, 1).
  Index min_interactions = 5;  ///< Users with fewer stay wholly in train, >= 1.
  bool at_least_one = false;   ///< Hold out one item where the share rounds down to none (but never a user's last training item).
  Index test_users =
      0;  ///< Hold out items of this many users, drawn from those with enough interactions; 0, or more than there are: of all.
  std::uint64_t seed = 42;
  Draw draw = Draw::by_interaction;
};

}  // namespace detail

/// Holds out a random share of each user's items: the usual split of play-count studies.
///
/// Of the n stored interactions of a user with at least min_interactions, floor(test_fraction * n + 1e-9) go to test. Which ones is a function of the
/// seed, the user's index and n alone (under Draw::by_item of the items' numbers of users too): the same on every platform and for any number of threads.
/// Stored zeros count like other entries (without_zeros() removes them).
/// Source of Draw::by_item: sequential Poisson sampling, Ohlsson 1998: of each user the items with the least u n_i, u uniform.
class PerUserSplitter {
 public:
  using Options = detail::PerUserSplitOptions;

  /// @throws InvalidArgument if an option is out of range.
  explicit PerUserSplitter(const Options& options = {});

  /// As given to the constructor.
  [[nodiscard]] const Options& options() const noexcept { return options_; }

  /// Train and test, each of the shape of `matrix`. O(users + nnz). May be called from many threads.
  [[nodiscard]] TrainTestSplit split(const CsrView& matrix) const;

 private:
  [[nodiscard]] std::size_t test_count(std::size_t size) const;

  Options options_;
};

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/split/per_user_splitter.ipp>  // IWYU pragma: export
#endif
