// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/interaction_source.hpp>

namespace kindred_test {

/// A matrix that shows `rows_each` rows at a time, as copies that are gone once they are released.
class StreamedMatrix {
 public:
  StreamedMatrix(kindred::CsrMatrix matrix, kindred::Index rows_each) : matrix_(std::move(matrix)), rows_each_(rows_each) {}

  [[nodiscard]] kindred::MatrixShape shape() const { return matrix_.shape(); }
  [[nodiscard]] kindred::Offset nnz() const { return matrix_.nnz(); }
  [[nodiscard]] std::size_t block_count() const { return static_cast<std::size_t>((matrix_.rows() + rows_each_ - 1) / rows_each_); }
  [[nodiscard]] kindred::RowBlock block(std::size_t n) const {
    const kindred::Index first = static_cast<kindred::Index>(n) * rows_each_;
    std::vector<kindred::Index> rows;
    for (kindred::Index r = first; r < (std::min)(first + rows_each_, matrix_.rows()); ++r) rows.push_back(r);
    at_hand_ = kindred::select_rows(matrix_, rows);
    ++asked_for;
    return {first, at_hand_};
  }
  void release(std::size_t) const { at_hand_ = {}; }
  friend StreamedMatrix transpose(const StreamedMatrix& source) { return {kindred::transpose(source.matrix_), 7}; }

  mutable std::size_t asked_for = 0;

 private:
  kindred::CsrMatrix matrix_;
  kindred::Index rows_each_;
  mutable kindred::CsrMatrix at_hand_;
};

}  // namespace kindred_test
