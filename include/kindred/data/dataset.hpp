// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/data/key_column.hpp>
#include <kindred/data/load_report.hpp>

namespace kindred::inline v0 {

/// What is known of a user beside the interactions; anything may be missing.
struct UserProfile {
  std::string gender;                  ///< As the source writes it ("m", "f"); empty: unknown.
  std::optional<int> age;              ///< Years.
  std::string country;                 ///< Empty: unknown.
  std::optional<std::int64_t> signup;  ///< Seconds since the Unix epoch.

  friend bool operator==(const UserProfile&, const UserProfile&) = default;
};

/// Interactions with everything that belongs to them. A plain value: readers and generators make it, filters return a smaller one.
struct Dataset {
  CsrMatrix matrix;                     ///< n_users x n_items; values are plays, ratings or counts, summed over repeats.
  IdMap users;                          ///< n_users keys.
  IdMap items;                          ///< n_items keys.
  std::vector<std::string> item_names;  ///< For people; empty, or length n_items.
  std::vector<UserProfile> profiles;    ///< Empty, or length n_users.
  std::vector<std::int64_t> times;  ///< Seconds since the Unix epoch of the first event of each stored interaction; empty, or length nnz.
  std::vector<std::uint32_t> raw_rows;  ///< Rows of the source that each stored interaction was summed from; empty (all 1), or length nnz.
  /// Of events with a half-life: the values before age decayed them, for FitOptions::undecayed; empty, or length nnz.
  std::vector<float> undecayed = {};
  LoadReport load;  ///< What was read, if it was read.

  /// Builds a dataset from columns in memory: interaction n is `values[n]` of the user `users[n]` and the item `items[n]`, at `times[n]`; rows in any order.
  ///
  /// `users`, `items`: keys, equally long, none an empty text; a number is its decimal text as a key, which `IdMap::find(std::int64_t)` finds.
  /// `values`: as long, finite, negative for a dislike; empty: 1 each. `times`: as long, seconds since the Unix epoch; empty: unknown.
  /// The readers' rules hold: users and items are numbered in the order in which they first come with a row that is kept; rows of a pair are summed in double;
  /// `times` has the first time of each pair, `raw_rows` how many rows it was summed from (empty if no pair came twice); a value of 0 and a pair that sums to 0
  /// are no interaction, but dropped and counted in `load`, whose `source` is "columns in memory" and whose `lines` are the rows given.
  /// O(rows + bytes of the keys); memory 16 bytes a row beside the keys, 24 with times.
  /// @throws ShapeError if the lengths differ; InvalidArgument for an empty key, a value that is not finite, a sum beyond the range of a float, naming the
  /// first of its column, or beyond 2^31 - 1 users or items.
  [[nodiscard]] static Dataset from_columns(const KeyColumn& users, const KeyColumn& items, std::span<const float> values = {},
                                            std::span<const std::int64_t> times = {});

  /// @throws ShapeError if the parts do not belong together.
  void check() const;

  /// The part that these users and items (both strictly increasing) span: keys, names, profiles, times, raw rows and undecayed values go along.
  /// O(nnz + users + items).
  /// @throws InvalidArgument if an index is out of range or not above the one before it; ShapeError if the parts do not belong together.
  [[nodiscard]] Dataset select(std::span<const Index> of_users, std::span<const Index> of_items) const;

  /// What to call item `i`: its name, or its key where it has none.
  [[nodiscard]] std::string_view item_name(Index i) const {
    const auto at = static_cast<std::size_t>(i);
    return i >= 0 && at < item_names.size() && !item_names[at].empty() ? std::string_view(item_names[at]) : items.key(i);
  }
};

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/data/dataset.ipp>  // IWYU pragma: export
#endif
