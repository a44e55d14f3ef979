// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>

namespace kindred::inline v0 {

/// One observed interaction: who, what, and how much (plays, clicks; negative for a dislike).
struct Interaction {
  Index user = 0;
  Index item = 0;
  float value = 1.0F;
};

/// A sparse interaction matrix that owns its arrays: n_users rows, n_items columns, compressed by rows. Immutable; valid by construction.
/// Copies share the arrays.
class CsrMatrix {
 public:
  /// 0 users x 0 items.
  CsrMatrix();

  /// Moves the arrays in; their form is CsrView's. O(users + nnz).
  /// @throws ShapeError, InvalidArgument as CsrView does.
  CsrMatrix(MatrixShape shape, std::vector<Offset> offsets, std::vector<Index> columns, std::vector<float> values);

  /// Without any check: for arrays that are known to be of that form.
  CsrMatrix(detail::Unchecked, MatrixShape shape, std::vector<Offset> offsets, detail::UnclearedVector<Index> columns,
            detail::UnclearedVector<float> values);

  /// A copy of what a view shows; its offsets start from 0.
  explicit CsrMatrix(const CsrView& view);

  /// Builds a matrix from interactions in any order. Repeats of a (user, item) pair are summed (in double, in the order given), zero sums dropped.
  /// O(triplets + users).
  /// @throws InvalidArgument if an index is out of range or a value or sum is not finite; it says which.
  [[nodiscard]] static CsrMatrix from_triplets(MatrixShape shape, std::span<const Interaction> triplets);

  /// Builds a matrix from columns in memory: interaction n is `values[n]` of user `users[n]` and item `items[n]`, in any order.
  /// `users`, `items`: equally long. `values`: as long, finite, negative for a dislike; empty: 1 each.
  /// Repeats of a pair are summed (in double, in the order given), zero sums dropped, as in from_triplets, which gives the same bytes.
  /// O(interactions + users); memory 8 bytes an interaction and 16 a user.
  /// @throws ShapeError if the lengths differ; InvalidArgument if an index is outside the shape or a value or sum is not finite; it says which.
  [[nodiscard]] static CsrMatrix from_columns(MatrixShape shape, std::span<const Index> users, std::span<const Index> items,
                                              std::span<const float> values = {});

  /// Builds a matrix from columns in memory as from_columns(shape, users, items, values) does, with the shape found in them: the largest user + 1 rows and the
  /// largest item + 1 columns. Without interactions it is 0 x 0. A matrix for a model or another matrix needs their shape: name it.
  /// @throws ShapeError if the lengths differ; InvalidArgument if an index is negative or 2^31 - 1, or a value or sum is not finite; it says which.
  [[nodiscard]] static CsrMatrix from_columns(std::span<const Index> users, std::span<const Index> items,
                                              std::span<const float> values = {});

  /// A moved-from matrix is 0 x 0 again.
  CsrMatrix(CsrMatrix&& other) noexcept;
  CsrMatrix& operator=(CsrMatrix&& other) noexcept;
  CsrMatrix(const CsrMatrix& other);
  CsrMatrix& operator=(const CsrMatrix& other);
  ~CsrMatrix();

  /// The same matrix without owning it; valid as long as this one is.
  [[nodiscard]] CsrView view() const noexcept;
  /// The same.
  operator CsrView() const noexcept { return view(); }

  [[nodiscard]] MatrixShape shape() const noexcept { return shape_; }
  [[nodiscard]] Index rows() const noexcept { return shape_.users; }
  [[nodiscard]] Index cols() const noexcept { return shape_.items; }
  [[nodiscard]] Offset nnz() const noexcept { return static_cast<Offset>(columns_.size()); }
  [[nodiscard]] SparseRow row(Index u) const noexcept { return view().row(u); }
  /// The rows [first, last) without a copy, as CsrView::rows(first, last); valid as long as this matrix is.
  [[nodiscard]] CsrView rows(Index first, Index last) const { return view().rows(first, last); }
  [[nodiscard]] std::span<const Offset> offsets() const noexcept { return view().offsets(); }
  [[nodiscard]] std::span<const Index> columns() const noexcept { return columns_; }
  [[nodiscard]] std::span<const float> values() const noexcept { return values_; }
  [[nodiscard]] double density() const noexcept { return view().density(); }
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return view().memory_bytes(); }
  [[nodiscard]] double dense_bytes() const noexcept { return view().dense_bytes(); }

  // As an InteractionSource: one block, always at hand.
  [[nodiscard]] std::size_t block_count() const noexcept { return 1; }
  [[nodiscard]] RowBlock block(std::size_t n) const noexcept { return view().block(n); }
  void release(std::size_t) const noexcept {}

  friend bool operator==(const CsrMatrix& a, const CsrMatrix& b) noexcept { return a.equals(b); }

 private:
  [[nodiscard]] bool equals(const CsrMatrix& other) const noexcept;

  template <typename Offsets, typename Columns, typename Values>
  void own(Offsets offsets, Columns columns, Values values);

  MatrixShape shape_;
  std::span<const Offset> offsets_;  // empty: 0 x 0
  std::span<const Index> columns_;
  std::span<const float> values_;
  std::shared_ptr<const void> arrays_;  // of the three
};

/// Rows become columns. O(nnz + users + items).
[[nodiscard]] KINDRED_ONCE CsrMatrix transpose(const CsrView& matrix);

/// Takes the rows `users`, in that order (repeats allowed), with all columns. `matrix.rows(first, last)` takes neighbouring rows without a copy;
/// append_rows puts rows below others.
/// O(users + interactions taken). @throws InvalidArgument if a user is not a row of the matrix.
[[nodiscard]] KINDRED_ONCE CsrMatrix select_rows(const CsrView& matrix, std::span<const Index> users);

/// Puts the rows of `below` under those of `above`: row u of `below` is row `above.rows() + u` of the result. Either may be a part of the other.
/// New users are appended so; more interactions of known users are not rows to append: their sum is from_columns of both.
/// O(users + nnz) of both. @throws ShapeError if the numbers of items differ; InvalidArgument beyond 2^31 - 1 users.
[[nodiscard]] KINDRED_ONCE CsrMatrix append_rows(const CsrView& above, const CsrView& below);

/// The columns `items` (strictly increasing), renumbered from 0, with all rows.
/// @throws InvalidArgument if `items` is not strictly increasing or an item is not a column of the matrix.
[[nodiscard]] KINDRED_ONCE CsrMatrix select_columns(const CsrView& matrix, std::span<const Index> items);

/// Interactions of each user, length n_users.
[[nodiscard]] KINDRED_ONCE std::vector<Index> row_counts(const CsrView& matrix);

/// Interactions of each item, length n_items.
[[nodiscard]] KINDRED_ONCE std::vector<Index> column_counts(const CsrView& matrix);

namespace statistics {

/// Sum of each user's values, length n_users, accumulated in double.
[[nodiscard]] KINDRED_ONCE std::vector<double> row_sums(const CsrView& matrix);

/// Sum of each item's values, length n_items, accumulated in double in user order.
[[nodiscard]] KINDRED_ONCE std::vector<double> column_sums(const CsrView& matrix);

}  // namespace statistics

/// The matrix without stored zeros, which are no interactions.
[[nodiscard]] KINDRED_ONCE CsrMatrix without_zeros(const CsrView& matrix);

namespace detail {

/// `given` where it stores no zero, else a copy without them in `storage`: a stored zero is no interaction, neither for a model nor for a measurement.
[[nodiscard]] KINDRED_ONCE CsrView without_stored_zeros(const CsrView& given, CsrMatrix& storage,
                                                        const ParallelOptions& parallel = {.threads = 1});

}  // namespace detail

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/data/csr_matrix.ipp>  // IWYU pragma: export
#endif
