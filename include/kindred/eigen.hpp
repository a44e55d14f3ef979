// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <Eigen/Core>
#include <Eigen/SparseCore>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>

// For programs that use Eigen themselves. Not part of <kindred/kindred.hpp>.
namespace kindred::inline v0::inline KINDRED_BUILD {

/// Factors as a dense Eigen matrix, rows x factors, without a copy; valid as long as `factors` is.
template <Real Scalar>
[[nodiscard]] auto as_eigen(const FactorMatrix<Scalar>& factors) {
  using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const Matrix, Eigen::Aligned64, Eigen::OuterStride<>>(
      factors.data(), factors.rows(), factors.factors(), Eigen::OuterStride<>(static_cast<Eigen::Index>(factors.stride())));
}

/// A copy as an Eigen sparse matrix, n_users x n_items. O(nnz).
/// @throws InvalidArgument if it has more interactions than Eigen counts to, 2^31 - 1.
[[nodiscard]] inline Eigen::SparseMatrix<float, Eigen::RowMajor> to_eigen(const CsrView& matrix) {
  if (matrix.nnz() > 0x7FFFFFFF) throw InvalidArgument("interactions", matrix.nnz(), "below 2^31, what Eigen counts to");
  Eigen::SparseMatrix<float, Eigen::RowMajor> result(matrix.rows(), matrix.cols());
  if (matrix.rows() == 0) return result;  // makeCompressed looks at the first row
  std::vector<Index> lengths = row_counts(matrix);
  result.reserve(lengths);
  for (Index u = 0; u < matrix.rows(); ++u) {
    const SparseRow row = matrix.row(u);
    for (std::size_t n = 0; n < row.size(); ++n) result.insert(u, row.columns[n]) = row.values[n];
  }
  result.makeCompressed();
  return result;
}

/// A copy of an Eigen sparse matrix (users are rows); stored zeros stay. O(nnz).
/// @throws InvalidArgument if a value is not finite or a size does not fit an Index.
[[nodiscard]] inline CsrMatrix from_eigen(const Eigen::SparseMatrix<float, Eigen::RowMajor>& matrix) {
  constexpr Eigen::Index most = 0x7FFFFFFF;
  if (matrix.rows() > most) throw InvalidArgument("rows", matrix.rows(), "below 2^31");
  if (matrix.cols() > most) throw InvalidArgument("columns", matrix.cols(), "below 2^31");
  detail::CsrBuilder builder({static_cast<Index>(matrix.rows()), static_cast<Index>(matrix.cols())});
  for (Eigen::Index u = 0; u < matrix.rows(); ++u) {
    for (Eigen::SparseMatrix<float, Eigen::RowMajor>::InnerIterator it(matrix, u); it; ++it)
      builder.add(static_cast<Index>(it.col()), it.value());
    builder.end_row();
  }
  return builder.finish();
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
