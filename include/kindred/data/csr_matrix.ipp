// SPDX-License-Identifier: MIT
#pragma once

// The bodies of data/csr_matrix.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/column_input.hpp>
#include <kindred/data/csr_builder.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/row_merge.hpp>

namespace kindred::inline v0 {

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

KINDRED_ONCE CsrView without_stored_zeros(const CsrView& given, CsrMatrix& storage) {
  if (std::find(given.values().begin(), given.values().end(), 0.0F) == given.values().end()) return given;
  storage = without_zeros(given);
  return storage;
}

}  // namespace detail

}  // namespace kindred::inline v0
