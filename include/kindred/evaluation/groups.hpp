// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/dataset.hpp>

namespace kindred::inline v0 {

/// A division of users or items into named groups.
struct EvaluationGroups {
  std::vector<std::string> names;
  std::vector<Index> labels;  ///< The group of each user or item; -1: in none.

  /// Users in `n_groups` groups of equal size by their number of train interactions, least active first; users without any are in none.
  /// O(users log users). @throws InvalidArgument if `n_groups` is 0.
  [[nodiscard]] static EvaluationGroups by_activity(const CsrView& train, std::size_t n_groups = 4);

  /// Items in `n_groups` groups of equal size (deciles by default) by their number of train users, least popular first; items without any are in none.
  /// O(nnz + items log items). @throws InvalidArgument if `n_groups` is 0.
  [[nodiscard]] static EvaluationGroups by_popularity(const CsrView& train, std::size_t n_groups = 10);

  /// Users in `n_groups` groups of equal size by how popular what they like is, least mainstream first: by the mean number of train users of the items that
  /// they have, rounded. Users without train interactions are in none. O(nnz + users log users). @throws InvalidArgument if `n_groups` is 0.
  /// Source: Abdollahpouri, Mansoury, Burke, Mobasher, "The unfairness of popularity bias in recommendation", RMSE at RecSys 2019.
  [[nodiscard]] static EvaluationGroups by_mainstreamness(const CsrView& train, std::size_t n_groups = 3);

  /// Users by country: the `n_countries` most frequent ones, most frequent first (ties in byte order); users of other or unknown countries are in none.
  /// O(users log countries). @throws InvalidArgument if `n_countries` is 0.
  [[nodiscard]] static EvaluationGroups by_country(std::span<const UserProfile> profiles, std::size_t n_countries = 10);

  /// Users or items in `n_groups` groups of equal size (up to one) by rising count, ties by the lower index; those whose count is 0 are in none. A group is
  /// called "3 to 7 plays", with `unit` for the plays. O(counts log counts). @throws InvalidArgument if `n_groups` is 0.
  [[nodiscard]] static EvaluationGroups by_count(std::span<const Index> counts, std::size_t n_groups, const std::string& unit);
};

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/evaluation/groups.ipp>  // IWYU pragma: export
#endif
