// SPDX-License-Identifier: MIT
#pragma once

// The bodies of data/csr_matrix.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_builder.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/row_merge.hpp>
#include <kindred/data/transposed.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Interactions one after the other, as an input of gather_rows and check_input.
struct TripletInput {
  std::span<const Interaction> triplets;

  [[nodiscard]] std::size_t size() const noexcept { return triplets.size(); }
  [[nodiscard]] Index user(std::size_t n) const noexcept { return triplets[n].user; }
  [[nodiscard]] Index item(std::size_t n) const noexcept { return triplets[n].item; }
  [[nodiscard]] float value(std::size_t n) const noexcept { return triplets[n].value; }
  [[nodiscard]] bool has_times() const noexcept { return false; }
  [[nodiscard]] std::int64_t time(std::size_t) const noexcept { return 0; }
  /// "triplets[3].user": `field` is user, item or value.
  [[nodiscard]] static std::string name(std::string_view field, std::size_t n) {
    return "triplets[" + std::to_string(n) + "]." + std::string(field);
  }
};

/// Columns in memory, as an input of gather_rows and check_input. Values may be empty (1 each), and times.
struct ColumnInput {
  std::span<const Index> users;
  std::span<const Index> items;
  std::span<const float> values;
  std::span<const std::int64_t> times;

  [[nodiscard]] std::size_t size() const noexcept { return users.size(); }
  [[nodiscard]] Index user(std::size_t n) const noexcept { return users[n]; }
  [[nodiscard]] Index item(std::size_t n) const noexcept { return items[n]; }
  [[nodiscard]] float value(std::size_t n) const noexcept { return values.empty() ? 1.0F : values[n]; }
  [[nodiscard]] bool has_times() const noexcept { return !times.empty(); }
  [[nodiscard]] std::int64_t time(std::size_t n) const noexcept { return times[n]; }
  /// "users[3]": `field` is user, item or value.
  [[nodiscard]] static std::string name(std::string_view field, std::size_t n) {
    return std::string(field) + "s[" + std::to_string(n) + "]";
  }
};

/// @throws ShapeError unless a column of `size` entries belongs to `users` users; `optional`: it may be empty too.
inline void check_column_length(std::size_t users, std::string_view column, std::size_t size, bool optional) {
  if (size == users || (optional && size == 0)) return;
  throw ShapeError("users has " + std::to_string(users) + " entries and " + std::string(column) + " has " + std::to_string(size) +
                   "; they must be equally long" + (optional ? ", or " + std::string(column) + " empty" : ""));
}

/// The least shape that holds the interactions of `input`, all of which are checked against `bounds`.
/// @throws InvalidArgument if an index is out of bounds or a value is not finite, naming the first.
template <typename Input>
[[nodiscard]] MatrixShape check_input(MatrixShape bounds, const Input& input) {
  if (bounds.users < 0) throw InvalidArgument("users", bounds.users, "at least 0");
  if (bounds.items < 0) throw InvalidArgument("items", bounds.items, "at least 0");
  MatrixShape found;
  for (std::size_t n = 0; n < input.size(); ++n) {
    const Index user = input.user(n), item = input.item(n);
    if (user < 0 || user >= bounds.users)
      throw InvalidArgument(Input::name("user", n), user,
                            "a user index in [0, " + std::to_string(bounds.users) + ")" +
                                transposed_hint(user >= 0 && user < bounds.items && item >= 0 && item < bounds.users));
    if (item < 0 || item >= bounds.items)
      throw InvalidArgument(Input::name("item", n), item,
                            "an item index in [0, " + std::to_string(bounds.items) + ")" +
                                transposed_hint(item >= 0 && item < bounds.users && user < bounds.items));
    if (!is_finite(input.value(n))) throw InvalidArgument(Input::name("value", n), input.value(n), "finite");
    found.users = (std::max)(found.users, user + 1);
    found.items = (std::max)(found.items, item + 1);
  }
  return found;
}

/// The rows of gathered interactions, which were checked, as a matrix. @throws InvalidArgument if a sum is beyond the range of a float.
[[nodiscard]] inline CsrMatrix merged_matrix(MatrixShape shape, GatheredRows gathered) {
  RowMerge merge(std::move(gathered));
  merge.add(merge.merge(0, static_cast<std::size_t>(shape.users)));
  if (const auto& failed = merge.too_large())
    throw InvalidArgument("the sum of user " + std::to_string(failed->user) + " and item " + std::to_string(failed->item), failed->sum,
                          "within the range of a float");
  std::vector<std::uint32_t> raw_rows;
  GatheredRows rows = merge.finish(raw_rows, {.threads = 1});
  return {unchecked, shape, std::move(rows.offsets), std::move(rows.columns), std::move(rows.values)};
}

}  // namespace detail

KINDRED_ONCE CsrMatrix CsrMatrix::from_triplets(MatrixShape shape, std::span<const Interaction> triplets) {
  const detail::TripletInput input{triplets};
  (void)detail::check_input(shape, input);
  return detail::merged_matrix(shape, detail::gather_rows(shape.users, input));
}

KINDRED_ONCE CsrMatrix CsrMatrix::from_columns(MatrixShape shape, std::span<const Index> users, std::span<const Index> items,
                                               std::span<const float> values) {
  detail::check_column_length(users.size(), "items", items.size(), false);
  detail::check_column_length(users.size(), "values", values.size(), true);
  const detail::ColumnInput input{users, items, values, {}};
  (void)detail::check_input(shape, input);
  return detail::merged_matrix(shape, detail::gather_rows(shape.users, input));
}

KINDRED_ONCE CsrMatrix CsrMatrix::from_columns(std::span<const Index> users, std::span<const Index> items, std::span<const float> values) {
  detail::check_column_length(users.size(), "items", items.size(), false);
  detail::check_column_length(users.size(), "values", values.size(), true);
  const detail::ColumnInput input{users, items, values, {}};
  constexpr Index most = (std::numeric_limits<Index>::max)();
  const MatrixShape shape = detail::check_input({most, most}, input);
  return detail::merged_matrix(shape, detail::gather_rows(shape.users, input));
}

KINDRED_ONCE CsrMatrix transpose(const CsrView& matrix) {
  const auto nnz = static_cast<std::size_t>(matrix.nnz());
  std::vector<Offset> offsets(static_cast<std::size_t>(matrix.cols()) + 1);
  std::vector<Index> columns(nnz);
  std::vector<float> values(nnz);
  detail::transpose_into(matrix, {offsets.data(), columns.data(), values.data()}, {.threads = 1});
  return {{matrix.cols(), matrix.rows()}, std::move(offsets), std::move(columns), std::move(values)};
}

KINDRED_ONCE CsrMatrix select_rows(const CsrView& matrix, std::span<const Index> users) {
  detail::CsrBuilder builder({static_cast<Index>(users.size()), matrix.cols()});
  for (const Index u : users) {
    detail::check_user(u, matrix.shape());
    const SparseRow row = matrix.row(u);
    for (std::size_t n = 0; n < row.size(); ++n) builder.add(row.columns[n], row.values[n]);
    builder.end_row();
  }
  return builder.finish();
}

KINDRED_ONCE CsrMatrix append_rows(const CsrView& above, const CsrView& below) {
  if (above.cols() != below.cols())
    throw ShapeError("above is " + detail::shape_text(above.shape()) + " and below is " + detail::shape_text(below.shape()) +
                     "; they must have the same items");
  const std::int64_t users = std::int64_t{above.rows()} + below.rows();
  if (users > (std::numeric_limits<Index>::max)()) throw InvalidArgument("the number of users of both", users, "below 2^31");
  std::vector<Offset> offsets{0};
  std::vector<Index> columns;
  std::vector<float> values;
  offsets.reserve(static_cast<std::size_t>(users) + 1);
  columns.reserve(above.columns().size() + below.columns().size());
  values.reserve(above.values().size() + below.values().size());
  for (const CsrView* part : {&above, &below}) {
    const auto before = static_cast<Offset>(columns.size());
    for (Index u = 0; u < part->rows(); ++u) offsets.push_back(before + static_cast<Offset>(part->row_begin(u + 1)));
    columns.insert(columns.end(), part->columns().begin(), part->columns().end());
    values.insert(values.end(), part->values().begin(), part->values().end());
  }
  return {{static_cast<Index>(users), above.cols()}, std::move(offsets), std::move(columns), std::move(values)};
}

KINDRED_ONCE CsrMatrix select_columns(const CsrView& matrix, std::span<const Index> items) {
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

KINDRED_ONCE std::vector<Index> row_counts(const CsrView& matrix) {
  std::vector<Index> counts(static_cast<std::size_t>(matrix.rows()));
  for (std::size_t u = 0; u < counts.size(); ++u) counts[u] = static_cast<Index>(matrix.row(static_cast<Index>(u)).size());
  return counts;
}

KINDRED_ONCE std::vector<Index> column_counts(const CsrView& matrix) {
  std::vector<Index> counts(static_cast<std::size_t>(matrix.cols()), 0);
  for (const Index item : matrix.columns()) ++counts[static_cast<std::size_t>(item)];
  return counts;
}

namespace statistics {

KINDRED_ONCE std::vector<double> row_sums(const CsrView& matrix) {
  std::vector<double> sums(static_cast<std::size_t>(matrix.rows()), 0.0);
  for (Index u = 0; u < matrix.rows(); ++u)
    for (const float value : matrix.row(u).values) sums[static_cast<std::size_t>(u)] += static_cast<double>(value);
  return sums;
}

KINDRED_ONCE std::vector<double> column_sums(const CsrView& matrix) {
  std::vector<double> sums(static_cast<std::size_t>(matrix.cols()), 0.0);
  for (std::size_t n = 0; n < matrix.columns().size(); ++n)
    sums[static_cast<std::size_t>(matrix.columns()[n])] += static_cast<double>(matrix.values()[n]);
  return sums;
}

}  // namespace statistics

KINDRED_ONCE CsrMatrix without_zeros(const CsrView& matrix) {
  detail::CsrBuilder builder(matrix.shape());
  for (Index u = 0; u < matrix.rows(); ++u) {
    const SparseRow row = matrix.row(u);
    for (std::size_t n = 0; n < row.size(); ++n)
      if (row.values[n] != 0.0F) builder.add(row.columns[n], row.values[n]);
    builder.end_row();
  }
  return builder.finish();
}

namespace detail {

KINDRED_ONCE CsrView without_stored_zeros(const CsrView& given, CsrMatrix& storage, const ParallelOptions& parallel) {
  std::atomic<bool> found{false};
  const std::span<const float> values = given.values();
  parallel_for(values.size(), {.threads = parallel.threads, .grain = std::size_t{1} << 18, .executor = parallel.executor},
               [&](std::size_t first, std::size_t last, std::size_t) {
                 const auto some = values.subspan(first, last - first);
                 if (std::find(some.begin(), some.end(), 0.0F) != some.end()) found.store(true, std::memory_order_relaxed);
               });
  if (!found.load()) return given;
  storage = without_zeros(given);
  return storage;
}

}  // namespace detail

}  // namespace kindred::inline v0

namespace kindred::inline v0 {

template <typename Offsets, typename Columns, typename Values>
void CsrMatrix::own(Offsets offsets, Columns columns, Values values) {
  struct Arrays {
    Offsets offsets;
    Columns columns;
    Values values;
  };
  const auto arrays = std::make_shared<const Arrays>(Arrays{std::move(offsets), std::move(columns), std::move(values)});
  offsets_ = arrays->offsets;
  columns_ = arrays->columns;
  values_ = arrays->values;
  arrays_ = arrays;
}

KINDRED_ONCE CsrMatrix::CsrMatrix() = default;

KINDRED_ONCE CsrMatrix::CsrMatrix(MatrixShape shape, std::vector<Offset> offsets, std::vector<Index> columns, std::vector<float> values)
    : shape_(shape) {
  detail::validate_csr(shape, offsets, columns, values);
  own(std::move(offsets), std::move(columns), std::move(values));
}

KINDRED_ONCE CsrMatrix::CsrMatrix(detail::Unchecked, MatrixShape shape, std::vector<Offset> offsets, detail::UnclearedVector<Index> columns,
                                  detail::UnclearedVector<float> values)
    : shape_(shape) {
  own(std::move(offsets), std::move(columns), std::move(values));
}

KINDRED_ONCE CsrMatrix::CsrMatrix(const CsrView& view) : shape_(view.shape()) {
  std::vector<Offset> offsets(view.offsets().begin(), view.offsets().end());
  for (Offset& offset : offsets) offset -= view.offsets().front();
  own(std::move(offsets), detail::UnclearedVector<Index>(view.columns().begin(), view.columns().end()),
      detail::UnclearedVector<float>(view.values().begin(), view.values().end()));
}

KINDRED_ONCE CsrView CsrMatrix::view() const noexcept {
  return offsets_.empty() ? CsrView{} : CsrView{detail::unchecked, shape_, offsets_, columns_, values_};
}

KINDRED_ONCE bool CsrMatrix::equals(const CsrMatrix& other) const noexcept {
  return shape_ == other.shape_ && std::equal(columns_.begin(), columns_.end(), other.columns_.begin(), other.columns_.end()) &&
         std::equal(values_.begin(), values_.end(), other.values_.begin(), other.values_.end()) &&
         std::equal(offsets().begin(), offsets().end(), other.offsets().begin(), other.offsets().end());
}

KINDRED_ONCE CsrMatrix::CsrMatrix(CsrMatrix&& other) noexcept
    : shape_(std::exchange(other.shape_, {})),
      offsets_(std::exchange(other.offsets_, {})),
      columns_(std::exchange(other.columns_, {})),
      values_(std::exchange(other.values_, {})),
      arrays_(std::exchange(other.arrays_, {})) {}

KINDRED_ONCE CsrMatrix& CsrMatrix::operator=(CsrMatrix&& other) noexcept {
  shape_ = std::exchange(other.shape_, {});
  offsets_ = std::exchange(other.offsets_, {});
  columns_ = std::exchange(other.columns_, {});
  values_ = std::exchange(other.values_, {});
  arrays_ = std::exchange(other.arrays_, {});
  return *this;
}

KINDRED_ONCE CsrMatrix::CsrMatrix(const CsrMatrix& other) = default;

KINDRED_ONCE CsrMatrix& CsrMatrix::operator=(const CsrMatrix& other) = default;

KINDRED_ONCE CsrMatrix::~CsrMatrix() = default;

}  // namespace kindred::inline v0

namespace kindred::inline v0::detail {

KINDRED_ONCE CsrMatrix CsrBuilder::finish() {
  while (rows_ended() < static_cast<std::size_t>(shape_.users)) end_row();
  return {shape_, std::move(offsets_), std::move(columns_), std::move(values_)};
}

}  // namespace kindred::inline v0::detail
