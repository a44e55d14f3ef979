// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <Eigen/Core>
#include <Eigen/SparseCore>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_builder.hpp>
#include <kindred/data/csr_matrix.hpp>

// For programs that use Eigen themselves. Not part of <kindred/kindred.hpp>; CMake target kindred::eigen.
#if !EIGEN_VERSION_AT_LEAST(3, 4, 0)
#error "<kindred/eigen.hpp> needs Eigen 3.4 or later"
#endif

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

/// A copy of an Eigen sparse matrix or expression of floats (users are rows); stored zeros stay. O(nnz), by columns with one more copy on the way.
/// @throws InvalidArgument if a value is not finite, the columns of a row do not rise, or a size does not fit an Index.
template <typename Derived>
requires std::same_as<typename Derived::Scalar, float>
[[nodiscard]] CsrMatrix from_eigen(const Eigen::SparseMatrixBase<Derived>& matrix) {
  constexpr Eigen::Index most = 0x7FFFFFFF;
  if (matrix.rows() > most) throw InvalidArgument("rows", matrix.rows(), "below 2^31");
  if (matrix.cols() > most) throw InvalidArgument("columns", matrix.cols(), "below 2^31");
  if constexpr (bool(Derived::IsRowMajor) && std::derived_from<Derived, Eigen::SparseCompressedBase<Derived>>) {
    detail::CsrBuilder builder({static_cast<Index>(matrix.rows()), static_cast<Index>(matrix.cols())});
    builder.reserve(static_cast<std::size_t>(matrix.derived().nonZeros()));
    for (Eigen::Index u = 0; u < matrix.rows(); ++u) {
      for (typename Eigen::SparseCompressedBase<Derived>::InnerIterator it(matrix.derived(), u); it; ++it)
        builder.add(static_cast<Index>(it.col()), it.value());
      builder.end_row();
    }
    return builder.finish();
  } else {
    return from_eigen(Eigen::SparseMatrix<float, Eigen::RowMajor, std::int64_t>(matrix.derived()));
  }
}

/// An Eigen sparse matrix of floats (users are rows) as fit, recommend and evaluate take it: `als.fit(EigenRows(matrix))`.
///
/// Columns and values are read where they are if the matrix is compressed, by rows, with 32-bit indices, as a SparseMatrix<float, RowMajor> is after
/// makeCompressed or setFromTriplets; where rows start is then copied, 8 bytes a row. Any other matrix is copied once. Maps and blocks of rows are taken too.
/// The matrix must outlive this object, unchanged. O(nnz), for the checks.
class EigenRows {
 public:
  /// @throws InvalidArgument as from_eigen does.
  template <typename Derived>
  requires std::same_as<typename Derived::Scalar, float>
  explicit EigenRows(const Eigen::SparseCompressedBase<Derived>& matrix) {
    if constexpr (bool(Derived::IsRowMajor) && std::same_as<typename Derived::StorageIndex, Index>) {
      if (matrix.isCompressed() && matrix.rows() > 0) {
        const Index* const starts = matrix.outerIndexPtr();  // of a block of rows not from 0
        offsets_.reserve(static_cast<std::size_t>(matrix.rows()) + 1);
        for (Eigen::Index u = 0; u <= matrix.rows(); ++u) offsets_.push_back(Offset{starts[u]} - starts[0]);
        const auto nnz = static_cast<std::size_t>(offsets_.back());
        view_ = CsrView({static_cast<Index>(matrix.rows()), static_cast<Index>(matrix.cols())}, offsets_,
                        std::span<const Index>(matrix.innerIndexPtr() + starts[0], nnz),
                        std::span<const float>(matrix.valuePtr() + starts[0], nnz));
        return;
      }
    }
    copy_ = from_eigen(matrix.derived());
    view_ = copy_;
  }
  /// A temporary would be gone before it is read.
  template <int Options, typename StorageIndex>
  explicit EigenRows(const Eigen::SparseMatrix<float, Options, StorageIndex>&&) = delete;

  EigenRows(EigenRows&&) = default;  // the arrays stay where they are
  EigenRows& operator=(EigenRows&&) = default;

  /// Valid as long as this object and the matrix are.
  [[nodiscard]] const CsrView& view() const noexcept { return view_; }
  operator const CsrView&() const noexcept { return view_; }

 private:
  std::vector<Offset> offsets_;
  CsrMatrix copy_;
  CsrView view_;
};

}  // namespace kindred::inline v0::inline KINDRED_BUILD
