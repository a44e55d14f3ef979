// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/feature_columns.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/data/key_column.hpp>
#include <kindred/data/load_report.hpp>

namespace kindred::inline v0 {

/// What is known of users or items beside their interactions: rows x columns, sparse, with named columns in named groups. No entry: not known, or not so.
///
/// Rows are users or items in their order; a table whose rows have keys is brought into that order by join(). Build it column by column:
///   FeatureTable people(data.users);  people.add_categories("country", countries);  people.add_numbers("age", ages);
class FeatureTable {
 public:
  struct Joined;

  /// 0 rows, no columns.
  FeatureTable() = default;
  /// `rows` rows without keys and columns. @throws InvalidArgument if it is negative.
  explicit FeatureTable(Index rows);
  /// One row for each key; no columns yet.
  explicit FeatureTable(IdMap keys);
  /// Wraps a ready matrix, rows x columns; stored zeros are no entries. `names`: one a column, unique; empty: "0", "1", ... They make one group.
  /// @throws ShapeError if there is another number of names; InvalidArgument if a name comes twice.
  explicit FeatureTable(const CsrMatrix& matrix, std::vector<std::string> names = {}, std::string group = "feature");
  /// From parts as another table has them. @throws ShapeError if the matrix has another number of columns.
  FeatureTable(CsrMatrix matrix, FeatureColumns columns);
  /// Gender, age (knots at quantiles) and country of the users of `data`; one row a user. @throws ShapeError if there is not a profile for each user.
  [[nodiscard]] static FeatureTable of_profiles(const Dataset& data);

  // Adding a group of columns. Whatever a call throws, the table is as it was. O(entries of the table + of the group).

  /// One column for each value; row r has 1 in the column of values[r]. An empty text is missing.
  /// @throws ShapeError if `values` has another length than the table; InvalidArgument if there is a group of that name.
  void add_categories(std::string_view group, const KeyColumn& values);
  /// One column for each value of lists such as "Comedy|Drama"; a row with n values has 1 / sqrt(n) in each. @throws as add_categories does.
  void add_lists(std::string_view group, const KeyColumn& values, std::string_view separator = "|");
  /// Piecewise linear in the number: a column a knot, knots at `knots` quantiles from the smallest number to the largest, equal ones once. std::nullopt is
  /// missing. @throws as add_categories does; InvalidArgument naming group and row if a number is not finite, or if knots < 2.
  void add_numbers(std::string_view group, std::span<const std::optional<double>> values, std::size_t knots = 5);
  /// One column for each word that `min_rows` rows have, weighed by tf-idf (FeatureColumns::Kind::words). `texts`: words between separators.
  /// @throws as add_categories does. Source of the weight: Salton and Buckley 1988.
  void add_words(std::string_view group, const KeyColumn& texts, std::size_t min_rows = 2, std::string_view separator = " ");

  [[nodiscard]] Index rows() const noexcept { return matrix_.rows(); }
  /// The names of columns; FeatureColumns::profile makes a row of names.
  [[nodiscard]] const FeatureColumns& columns() const noexcept { return columns_; }
  /// rows x columns.
  [[nodiscard]] const CsrMatrix& matrix() const noexcept { return matrix_; }
  /// The entries of a row. It must be below rows().
  [[nodiscard]] SparseRow row(Index r) const noexcept { return matrix_.row(r); }
  /// One key a row, or empty.
  [[nodiscard]] const IdMap& keys() const noexcept { return keys_; }
  /// What a reader saw.
  [[nodiscard]] const LoadReport& load() const noexcept { return load_; }
  void set_load(LoadReport load) { load_ = std::move(load); }

  /// The table with a row for each of `keys` (`data.users`, say), empty where it has none of that key. O(keys + entries).
  /// @throws InvalidArgument if the rows of this table have no keys.
  [[nodiscard]] Joined join(const IdMap& keys) const;
  /// The rows `rows`, in that order (repeats allowed), with all columns and without keys. @throws InvalidArgument if one is not a row.
  [[nodiscard]] FeatureTable select(std::span<const Index> rows) const;
  /// Puts the rows of `below`, which has the same columns, under these. @throws ShapeError if it has other columns.
  void append(const CsrView& below);

  friend bool operator==(const FeatureTable& a, const FeatureTable& b) {
    return a.matrix_ == b.matrix_ && a.columns_ == b.columns_ && a.keys_ == b.keys_;
  }

 private:
  /// The table with one more group: entries of row r are `entries[r]`, rising, in columns after those that there are.
  void add_group(FeatureColumns::Group group, std::vector<std::string> names,
                 const std::vector<std::vector<std::pair<Index, float>>>& entries);
  void check_length(std::string_view group, std::size_t length) const;

  CsrMatrix matrix_;
  FeatureColumns columns_;
  IdMap keys_;
  LoadReport load_;
};

/// What FeatureTable::join made.
struct FeatureTable::Joined {
  FeatureTable table;   ///< One row for each key asked for.
  Index matched = 0;    ///< Keys with a row in both.
  Index unmatched = 0;  ///< Keys asked for that the table does not have: their rows are empty.
  Index unused = 0;     ///< Rows of the table whose key was not asked for.
};

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/data/feature_table.ipp>  // IWYU pragma: export
#endif
