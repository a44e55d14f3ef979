// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/id_map.hpp>

namespace kindred::inline v0 {

/// The names of feature columns, in groups, and how values become entries. A model keeps them, so that a profile can be given by names.
///
/// A column of a group is called "group=value" ("country=Sweden", "age=25", "word=river"). Names are unique. const methods may be called from many threads.
class FeatureColumns {
 public:
  /// How a value of a group becomes entries.
  enum class Kind {
    plain,     ///< Columns of a ready matrix: the value is a column's name, and the entry 1.
    category,  ///< One column a value, entry 1.
    list,      ///< Several values in one text, between separators: entry 1 / sqrt(number of values) each.
    number,    ///< Between two knots: two entries that sum to 1, in proportion to the distances; beyond the outer knots one of 1.
    words,     ///< (1 + log of the word's count) log(rows / rows with the word), scaled to length 1.
  };

  /// Consecutive columns that came together.
  struct Group {
    std::string name;
    Kind kind = Kind::plain;
    Index first = 0;  ///< Column.
    Index last = 0;   ///< One beyond the last column.
    std::vector<double>
        numbers;            ///< Of Kind::number the knots, rising; of Kind::words log(rows / rows with the word); length last - first.
    std::string separator;  ///< Of Kind::list and Kind::words.

    friend bool operator==(const Group&, const Group&) = default;
  };

  /// One value of a profile.
  struct Value {
    std::string_view group;
    std::string_view value;  ///< As text; a number in decimal.
  };

  /// Features of one user or one item, and the values that the columns do not know.
  struct Profile {
    std::vector<Index> columns;  ///< Strictly increasing.
    std::vector<float> values;   ///< As long, finite, not 0.
    /// "group=value" for each value that was left out: the group or its value is unknown, or the number is not one.
    std::vector<std::string> unknown;

    [[nodiscard]] SparseRow row() const noexcept { return {columns, values}; }
    operator SparseRow() const noexcept { return row(); }
  };

  FeatureColumns() = default;
  /// From names and the groups that divide them. @throws InvalidArgument if a name comes twice; ShapeError if groups do not follow one another from the
  /// first column to the last.
  FeatureColumns(std::vector<std::string> names, std::vector<Group> groups);

  [[nodiscard]] Index size() const noexcept { return static_cast<Index>(names_.size()); }
  /// The name of a column. @throws InvalidArgument if there is none.
  [[nodiscard]] std::string_view name(Index column) const;
  /// All names, in the order of columns.
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
  [[nodiscard]] std::span<const Group> groups() const noexcept { return groups_; }

  /// The features of one user or item by names, each group at most once. An empty value is missing; an unknown one is left out and reported.
  /// O(values * log(values)). @throws InvalidArgument if a group is named twice.
  [[nodiscard]] Profile profile(std::span<const Value> values) const;
  /// The features of one user or item, written in braces: `profile({{"age", "31"}, {"country", "Sweden"}})`.
  [[nodiscard]] Profile profile(std::initializer_list<Value> values) const {
    return profile(std::span<const Value>(values.begin(), values.size()));
  }

  friend bool operator==(const FeatureColumns& a, const FeatureColumns& b) { return a.names_ == b.names_ && a.groups_ == b.groups_; }

 private:
  std::vector<std::string> names_;
  std::vector<Group> groups_;
  IdMap places_;  // of the names
};

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/data/feature_columns.ipp>  // IWYU pragma: export
#endif
