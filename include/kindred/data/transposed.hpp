// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>

namespace kindred::inline v0::detail {

/// Memory for a transpose: n_items + 1 offsets, nnz columns and values.
struct TransposeArrays {
  Offset* offsets;
  Index* columns;
  float* values;
};

/// Fills `to` with the transpose of `matrix`; the same arrays for any number of threads.
///
/// Threads share the rows. Each counts the items of its own, and so knows where in each column its interactions stand. O((nnz + items * threads) / threads);
/// memory 4 bytes an item and thread, at most 4 an interaction.
KINDRED_ONCE void transpose_into(const CsrView& matrix, const TransposeArrays& to, const ParallelOptions& parallel);

/// The transpose of a matrix in memory, made by several threads. Its arrays are not cleared first, as those of a CsrMatrix are: that is one thread's work.
class Transposed {
 public:
  /// `matrix` is not needed afterwards.
  Transposed(const CsrView& matrix, const ParallelOptions& parallel)
      : shape_{matrix.cols(), matrix.rows()},
        nnz_(static_cast<std::size_t>(matrix.nnz())),
        offsets_(new Offset[static_cast<std::size_t>(matrix.cols()) + 1]),
        columns_(new Index[nnz_]),
        values_(new float[nnz_]) {
    wish_for_huge_pages(columns_.get(), nnz_ * sizeof(Index));
    wish_for_huge_pages(values_.get(), nnz_ * sizeof(float));
    transpose_into(matrix, {offsets_.get(), columns_.get(), values_.get()}, parallel);
  }

  [[nodiscard]] CsrView view() const noexcept {
    return CsrView(unchecked, shape_, {offsets_.get(), static_cast<std::size_t>(shape_.users) + 1}, {columns_.get(), nnz_},
                   {values_.get(), nnz_});
  }

 private:
  MatrixShape shape_;
  std::size_t nnz_ = 0;
  std::unique_ptr<Offset[]> offsets_;
  std::unique_ptr<Index[]> columns_;
  std::unique_ptr<float[]> values_;
};

}  // namespace kindred::inline v0::detail

#if !defined(KINDRED_COMPILED)
#include <kindred/data/transposed.ipp>  // IWYU pragma: export
#endif
