// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>

namespace kindred::inline v0 {

/// The size of an interaction matrix: users are rows, items are columns.
struct MatrixShape {
  Index users = 0;
  Index items = 0;

  friend bool operator==(const MatrixShape&, const MatrixShape&) = default;
};

/// One row of a sparse matrix: column indices, strictly increasing, and the values beside them.
struct SparseRow {
  std::span<const Index> columns;
  std::span<const float> values;

  [[nodiscard]] std::size_t size() const noexcept { return columns.size(); }
  [[nodiscard]] bool empty() const noexcept { return columns.empty(); }
  /// The columns alone, so that `{.exclude = train.row(user)}` reads as it sounds.
  operator std::span<const Index>() const noexcept { return columns; }
};

namespace detail {

[[nodiscard]] KINDRED_ONCE std::string shape_text(MatrixShape shape);

/// The question that a shape error ends with where the transposed input would have fitted.
[[nodiscard]] KINDRED_ONCE std::string transposed_hint(bool would_fit);

/// @throws InvalidArgument, ShapeError as CsrView documents.
KINDRED_ONCE void validate_csr(MatrixShape shape, std::span<const Offset> offsets, std::span<const Index> columns,
                               std::span<const float> values);

/// Says that the arrays of a CsrView have been checked by the caller.
struct Unchecked {};
inline constexpr Unchecked unchecked{};

}  // namespace detail

struct RowBlock;

/// A view of a sparse interaction matrix: n_users rows, n_items columns, compressed by rows. The arrays belong to the caller. fit, recommend and
/// evaluate take one.
class CsrView {
 public:
  CsrView() = default;

  /// `offsets`: length users + 1, from 0, never falling; row u is [offsets[u], offsets[u + 1]) of the other two arrays.
  /// `columns`: item indices, strictly increasing within a row. `values`: finite. O(users + nnz); the arrays must outlive the view.
  /// @throws ShapeError if lengths do not belong together, InvalidArgument if an entry is out of range; both say where.
  CsrView(MatrixShape shape, std::span<const Offset> offsets, std::span<const Index> columns, std::span<const float> values)
      : CsrView(detail::unchecked, shape, offsets, columns, values) {
    detail::validate_csr(shape, offsets, columns, values);
  }

  /// Without any check: for arrays that were checked before. Offsets may start from another number than 0, that of the first column and value:
  /// a view of some rows of a larger matrix is made of pieces of its arrays.
  CsrView(detail::Unchecked, MatrixShape shape, std::span<const Offset> offsets, std::span<const Index> columns,
          std::span<const float> values) noexcept
      : shape_(shape), offsets_(offsets), columns_(columns), values_(values) {}

  [[nodiscard]] MatrixShape shape() const noexcept { return shape_; }
  [[nodiscard]] Index rows() const noexcept { return shape_.users; }
  [[nodiscard]] Index cols() const noexcept { return shape_.items; }

  /// Stored interactions.
  [[nodiscard]] Offset nnz() const noexcept { return static_cast<Offset>(columns_.size()); }

  [[nodiscard]] SparseRow row(Index u) const noexcept {
    KINDRED_ASSERT(u >= 0 && u < rows());
    const std::size_t first = row_begin(u), count = row_begin(u + 1) - first;
    return {columns_.subspan(first, count), values_.subspan(first, count)};
  }

  /// The rows [first, last) without a copy, numbered from 0; valid as long as the arrays of this view are. O(1).
  /// @throws InvalidArgument if there are no such rows.
  [[nodiscard]] CsrView rows(Index first, Index last) const;

  /// The place of the first interaction of row `u` in columns() and values(); for `u` = rows(), their length. What stands beside the values, times say, is found by it.
  [[nodiscard]] std::size_t row_begin(Index u) const noexcept {
    return static_cast<std::size_t>(offsets_[static_cast<std::size_t>(u)] - offsets_.front());
  }

  /// As they were given: they start from 0 unless the view was made of pieces of larger arrays. row_begin() counts from 0 always.
  [[nodiscard]] std::span<const Offset> offsets() const noexcept { return offsets_; }
  [[nodiscard]] std::span<const Index> columns() const noexcept { return columns_; }
  [[nodiscard]] std::span<const float> values() const noexcept { return values_; }

  /// Stored interactions / cells, 0 for a matrix without cells.
  [[nodiscard]] double density() const noexcept {
    const double cells = static_cast<double>(shape_.users) * static_cast<double>(shape_.items);
    return cells > 0.0 ? static_cast<double>(nnz()) / cells : 0.0;
  }

  /// Bytes of the three arrays.
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return offsets_.size_bytes() + columns_.size_bytes() + values_.size_bytes(); }

  /// Bytes that the same matrix would take with every cell stored as a float.
  [[nodiscard]] double dense_bytes() const noexcept {
    return static_cast<double>(shape_.users) * static_cast<double>(shape_.items) * static_cast<double>(sizeof(float));
  }

  // As an InteractionSource (interaction_source.hpp): one block, always at hand.
  [[nodiscard]] std::size_t block_count() const noexcept { return 1; }
  [[nodiscard]] RowBlock block(std::size_t n) const noexcept;
  void release(std::size_t) const noexcept {}

 private:
  inline static constexpr Offset no_rows_[1] = {0};

  MatrixShape shape_;
  std::span<const Offset> offsets_ = no_rows_;
  std::span<const Index> columns_;
  std::span<const float> values_;
};

/// Rows of a larger matrix that are at hand together: row n of `rows` is its row first + n.
struct RowBlock {
  Index first = 0;
  CsrView rows;
};

inline RowBlock CsrView::block(std::size_t) const noexcept { return {0, *this}; }

namespace detail {

/// @throws InvalidArgument if `user` is not a row of `shape`.
KINDRED_ONCE void check_user(Index user, MatrixShape shape);

/// @throws InvalidArgument if `item` is not a column of `shape`.
KINDRED_ONCE void check_item(Index item, MatrixShape shape);

/// @throws InvalidArgument unless `indices` are strictly increasing and below `bound`; `noun` says what they count ("an item").
KINDRED_ONCE void check_index_list(std::span<const Index> indices, std::string_view name, std::string_view noun, Index bound);

/// @throws ShapeError unless `found` is `wanted`.
KINDRED_ONCE void check_shape(std::string_view what, MatrixShape found, std::string_view against, MatrixShape wanted);

}  // namespace detail

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/data/csr_view.ipp>  // IWYU pragma: export
#endif
