// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>

namespace kindred::inline v0 {

class CsrMatrix;

namespace detail {

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
  [[nodiscard]] CsrMatrix finish();

 private:
  MatrixShape shape_;
  std::vector<Offset> offsets_;
  std::vector<Index> columns_;
  std::vector<float> values_;
};

}  // namespace detail

}  // namespace kindred::inline v0
