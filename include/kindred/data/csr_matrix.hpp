// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
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
class CsrMatrix {
 public:
  /// 0 users x 0 items.
  CsrMatrix() : offsets_{0} {}

  /// Moves the arrays in; their form is CsrView's. O(users + nnz).
  /// @throws ShapeError, InvalidArgument as CsrView does.
  CsrMatrix(MatrixShape shape, std::vector<Offset> offsets, std::vector<Index> columns, std::vector<float> values)
      : shape_(shape), offsets_(std::move(offsets)), columns_(std::move(columns)), values_(std::move(values)) {
    detail::validate_csr(shape_, offsets_, columns_, values_);
  }

  /// A copy of what a view shows; its offsets start from 0.
  explicit CsrMatrix(const CsrView& view)
      : shape_(view.shape()),
        offsets_(view.offsets().begin(), view.offsets().end()),
        columns_(view.columns().begin(), view.columns().end()),
        values_(view.values().begin(), view.values().end()) {
    for (Offset& offset : offsets_) offset -= view.offsets().front();
  }

  /// From interactions in any order; repeats of a (user, item) pair are summed (in double, in the order given), zero sums dropped.
  /// O(nnz + users + items).
  /// @throws InvalidArgument if an index is out of range or a value or sum is not finite; it says which.
  [[nodiscard]] static CsrMatrix from_triplets(MatrixShape shape, std::span<const Interaction> triplets);

  /// A moved-from matrix is 0 x 0 again.
  CsrMatrix(CsrMatrix&& other) noexcept
      : shape_(std::exchange(other.shape_, {})),
        offsets_(std::exchange(other.offsets_, {})),
        columns_(std::exchange(other.columns_, {})),
        values_(std::exchange(other.values_, {})) {}
  CsrMatrix& operator=(CsrMatrix&& other) noexcept {
    shape_ = std::exchange(other.shape_, {});
    offsets_ = std::exchange(other.offsets_, {});
    columns_ = std::exchange(other.columns_, {});
    values_ = std::exchange(other.values_, {});
    return *this;
  }
  CsrMatrix(const CsrMatrix&) = default;
  CsrMatrix& operator=(const CsrMatrix&) = default;
  ~CsrMatrix() = default;

  /// The same matrix without owning it; valid as long as this one is.
  [[nodiscard]] CsrView view() const noexcept {
    return offsets_.empty() ? CsrView{} : CsrView{unchecked, shape_, offsets_, columns_, values_};
  }
  /// The same.
  operator CsrView() const noexcept { return view(); }

  [[nodiscard]] MatrixShape shape() const noexcept { return shape_; }
  [[nodiscard]] Index rows() const noexcept { return shape_.users; }
  [[nodiscard]] Index cols() const noexcept { return shape_.items; }
  [[nodiscard]] Offset nnz() const noexcept { return static_cast<Offset>(columns_.size()); }
  [[nodiscard]] SparseRow row(Index u) const noexcept { return view().row(u); }
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

  friend bool operator==(const CsrMatrix& a, const CsrMatrix& b) noexcept {
    return a.shape_ == b.shape_ && a.columns_ == b.columns_ && a.values_ == b.values_ &&
           std::equal(a.offsets().begin(), a.offsets().end(), b.offsets().begin(), b.offsets().end());
  }

 private:
  MatrixShape shape_;
  std::vector<Offset> offsets_;
  std::vector<Index> columns_;
  std::vector<float> values_;
};

namespace detail {

/// The order that sorts `triplets` by user, then item, equal pairs staying as they were: two counting sorts.
[[nodiscard]] inline std::vector<Offset> row_major_order(MatrixShape shape, std::span<const Interaction> triplets) {
  const auto counting_sort = [&](std::vector<Offset>& order, Index keys, auto key) {
    std::vector<Offset> start(static_cast<std::size_t>(keys) + 1, 0);
    for (const Interaction& t : triplets) ++start[static_cast<std::size_t>(key(t)) + 1];
    for (std::size_t k = 1; k < start.size(); ++k) start[k] += start[k - 1];
    std::vector<Offset> sorted(order.size());
    for (const Offset n : order)
      sorted[static_cast<std::size_t>(start[static_cast<std::size_t>(key(triplets[static_cast<std::size_t>(n)]))]++)] = n;
    order = std::move(sorted);
  };
  std::vector<Offset> order(triplets.size());
  for (std::size_t n = 0; n < order.size(); ++n) order[n] = static_cast<Offset>(n);
  counting_sort(order, shape.items, [](const Interaction& t) { return t.item; });
  counting_sort(order, shape.users, [](const Interaction& t) { return t.user; });
  return order;
}

/// "user 3 and item 7".
[[nodiscard]] inline std::string pair_by_index(const Interaction& of) {
  return "user " + std::to_string(of.user) + " and item " + std::to_string(of.item);
}

/// Calls `merged(members, sum)` for every distinct (user, item) pair in row-major order; `members` are the positions of its triplets.
/// `pair_text(interaction)` says in an error whose sum is too large.
/// @throws InvalidArgument as CsrMatrix::from_triplets does.
template <typename Merged, typename PairText = std::string (*)(const Interaction&)>
void merge_triplets(MatrixShape shape, std::span<const Interaction> triplets, Merged&& merged, PairText pair_text = pair_by_index) {
  if (shape.users < 0) throw InvalidArgument("users", shape.users, "at least 0");
  if (shape.items < 0) throw InvalidArgument("items", shape.items, "at least 0");
  for (std::size_t n = 0; n < triplets.size(); ++n) {
    const auto name = [&](std::string_view field) { return "triplets[" + std::to_string(n) + "]." + std::string(field); };
    const Interaction& t = triplets[n];
    if (t.user < 0 || t.user >= shape.users)
      throw InvalidArgument(name("user"), t.user,
                            "a user index in [0, " + std::to_string(shape.users) + ")" +
                                transposed_hint(t.user >= 0 && t.user < shape.items && t.item >= 0 && t.item < shape.users));
    if (t.item < 0 || t.item >= shape.items)
      throw InvalidArgument(name("item"), t.item,
                            "an item index in [0, " + std::to_string(shape.items) + ")" +
                                transposed_hint(t.item >= 0 && t.item < shape.users && t.user < shape.items));
    if (!is_finite(t.value)) throw InvalidArgument(name("value"), t.value, "finite");
  }
  const std::vector<Offset> order = row_major_order(shape, triplets);
  const auto triplet = [&](std::size_t place) -> const Interaction& { return triplets[static_cast<std::size_t>(order[place])]; };
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    double sum = 0.0;
    for (; last < order.size() && triplet(last).user == triplet(first).user && triplet(last).item == triplet(first).item; ++last)
      sum += static_cast<double>(triplet(last).value);
    // Checked as a double: converting one beyond the range of float is undefined.
    if (std::abs(sum) > static_cast<double>((std::numeric_limits<float>::max)()))
      throw InvalidArgument("the sum of " + pair_text(triplet(first)), sum, "within the range of a float");
    merged(std::span<const Offset>(order).subspan(first, last - first), static_cast<float>(sum));
    first = last;
  }
}

/// Builds a matrix row by row; the caller keeps columns rising.
class CsrBuilder {
 public:
  explicit CsrBuilder(MatrixShape shape) : shape_(shape) {
    offsets_.reserve(static_cast<std::size_t>(shape.users) + 1);
    offsets_.push_back(0);
  }
  void reserve(std::size_t nnz) {
    columns_.reserve(nnz);
    values_.reserve(nnz);
  }
  void add(Index column, float value) {
    columns_.push_back(column);
    values_.push_back(value);
  }
  void end_row() { offsets_.push_back(static_cast<Offset>(columns_.size())); }
  [[nodiscard]] std::size_t rows_ended() const noexcept { return offsets_.size() - 1; }
  [[nodiscard]] CsrMatrix finish() {
    while (rows_ended() < static_cast<std::size_t>(shape_.users)) end_row();
    return {shape_, std::move(offsets_), std::move(columns_), std::move(values_)};
  }

 private:
  MatrixShape shape_;
  std::vector<Offset> offsets_;
  std::vector<Index> columns_;
  std::vector<float> values_;
};

}  // namespace detail

inline CsrMatrix CsrMatrix::from_triplets(MatrixShape shape, std::span<const Interaction> triplets) {
  detail::CsrBuilder builder((MatrixShape{(std::max)(shape.users, Index{0}), (std::max)(shape.items, Index{0})}));
  builder.reserve(triplets.size());
  detail::merge_triplets(shape, triplets, [&](std::span<const Offset> members, float sum) {
    if (sum == 0.0F) return;
    const Interaction& first = triplets[static_cast<std::size_t>(members.front())];
    while (builder.rows_ended() < static_cast<std::size_t>(first.user)) builder.end_row();
    builder.add(first.item, sum);
  });
  return builder.finish();
}

/// Rows become columns. O(nnz + users + items).
[[nodiscard]] inline CsrMatrix transpose(const CsrView& matrix) {
  const auto items = static_cast<std::size_t>(matrix.cols());
  const auto nnz = static_cast<std::size_t>(matrix.nnz());
  std::vector<Offset> offsets(items + 1, 0);
  for (const Index item : matrix.columns()) ++offsets[static_cast<std::size_t>(item) + 1];
  for (std::size_t i = 1; i <= items; ++i) offsets[i] += offsets[i - 1];
  std::vector<Offset> next(offsets.begin(), offsets.end() - 1);
  std::vector<Index> columns(nnz);
  std::vector<float> values(nnz);
  for (Index u = 0; u < matrix.rows(); ++u) {
    const SparseRow row = matrix.row(u);
    for (std::size_t n = 0; n < row.size(); ++n) {
      const auto at = static_cast<std::size_t>(next[static_cast<std::size_t>(row.columns[n])]++);
      columns[at] = u;
      values[at] = row.values[n];
    }
  }
  return {{matrix.cols(), matrix.rows()}, std::move(offsets), std::move(columns), std::move(values)};
}

/// The rows `users`, in that order (repeats allowed), with all columns.
/// @throws InvalidArgument if a user is not a row of the matrix.
[[nodiscard]] inline CsrMatrix select_rows(const CsrView& matrix, std::span<const Index> users) {
  detail::CsrBuilder builder({static_cast<Index>(users.size()), matrix.cols()});
  for (const Index u : users) {
    detail::check_user(u, matrix.shape());
    const SparseRow row = matrix.row(u);
    for (std::size_t n = 0; n < row.size(); ++n) builder.add(row.columns[n], row.values[n]);
    builder.end_row();
  }
  return builder.finish();
}

/// The columns `items` (strictly increasing), renumbered from 0, with all rows.
/// @throws InvalidArgument if `items` is not strictly increasing or an item is not a column of the matrix.
[[nodiscard]] inline CsrMatrix select_columns(const CsrView& matrix, std::span<const Index> items) {
  detail::check_index_list(items, "items", "an item", matrix.cols());
  std::vector<Index> renumbered(static_cast<std::size_t>(matrix.cols()), -1);
  for (std::size_t n = 0; n < items.size(); ++n) renumbered[static_cast<std::size_t>(items[n])] = static_cast<Index>(n);
  detail::CsrBuilder builder({matrix.rows(), static_cast<Index>(items.size())});
  for (Index u = 0; u < matrix.rows(); ++u) {
    const SparseRow row = matrix.row(u);
    for (std::size_t n = 0; n < row.size(); ++n)
      if (const Index item = renumbered[static_cast<std::size_t>(row.columns[n])]; item >= 0) builder.add(item, row.values[n]);
    builder.end_row();
  }
  return builder.finish();
}

/// Interactions of each user, length n_users.
[[nodiscard]] inline std::vector<Index> row_counts(const CsrView& matrix) {
  std::vector<Index> counts(static_cast<std::size_t>(matrix.rows()));
  for (std::size_t u = 0; u < counts.size(); ++u) counts[u] = static_cast<Index>(matrix.row(static_cast<Index>(u)).size());
  return counts;
}

/// Interactions of each item, length n_items.
[[nodiscard]] inline std::vector<Index> column_counts(const CsrView& matrix) {
  std::vector<Index> counts(static_cast<std::size_t>(matrix.cols()), 0);
  for (const Index item : matrix.columns()) ++counts[static_cast<std::size_t>(item)];
  return counts;
}

/// Sum of each user's values, length n_users, accumulated in double.
[[nodiscard]] inline std::vector<double> row_sums(const CsrView& matrix) {
  std::vector<double> sums(static_cast<std::size_t>(matrix.rows()), 0.0);
  for (Index u = 0; u < matrix.rows(); ++u)
    for (const float value : matrix.row(u).values) sums[static_cast<std::size_t>(u)] += static_cast<double>(value);
  return sums;
}

/// Sum of each item's values, length n_items, accumulated in double in user order.
[[nodiscard]] inline std::vector<double> column_sums(const CsrView& matrix) {
  std::vector<double> sums(static_cast<std::size_t>(matrix.cols()), 0.0);
  for (std::size_t n = 0; n < matrix.columns().size(); ++n)
    sums[static_cast<std::size_t>(matrix.columns()[n])] += static_cast<double>(matrix.values()[n]);
  return sums;
}

/// The matrix without stored zeros, which are no interactions.
[[nodiscard]] inline CsrMatrix without_zeros(const CsrView& matrix) {
  detail::CsrBuilder builder(matrix.shape());
  for (Index u = 0; u < matrix.rows(); ++u) {
    const SparseRow row = matrix.row(u);
    for (std::size_t n = 0; n < row.size(); ++n)
      if (row.values[n] != 0.0F) builder.add(row.columns[n], row.values[n]);
    builder.end_row();
  }
  return builder.finish();
}

}  // namespace kindred::inline v0
