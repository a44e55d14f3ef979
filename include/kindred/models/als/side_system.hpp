// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/basis.hpp>
#include <kindred/simd/level.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// The weighted Gram matrix of one side, in the basis that its factors are stored in, and the eigenbasis of it. A change of a few rows changes the
/// matrix by their outer products: the factors of the other rows are not read again.
class SideSystem {
 public:
  SideSystem() = default;
  /// `gram`: factors x factors.
  explicit SideSystem(AlignedVector<double> gram) : gram_(std::move(gram)) {}
  /// The matrix of a side that is stored in its eigenbasis.
  explicit SideSystem(std::span<const double> eigenvalues) : gram_(eigenvalues.size() * eigenvalues.size(), 0.0) {
    for (std::size_t f = 0; f < eigenvalues.size(); ++f) gram_[f * eigenvalues.size() + f] = eigenvalues[f];
  }

  /// Adds weight x x'; a negative weight takes it away. O(factors^2).
  template <Real Scalar>
  void add(std::span<const Scalar> x, double weight) noexcept {
    for (std::size_t row = 0; row < x.size(); ++row)
      for (std::size_t column = 0; column < x.size(); ++column)
        gram_[row * x.size() + column] += weight * static_cast<double>(x[row]) * static_cast<double>(x[column]);
    is_diagonalised_ = false;
  }

  /// x' G x: the weighted sum of the squares of the side's scores with `x`. O(factors^2).
  template <Real Scalar>
  [[nodiscard]] double sum_of_squares(std::span<const Scalar> x) const noexcept {
    double sum = 0.0;
    for (std::size_t row = 0; row < x.size(); ++row)
      for (std::size_t column = 0; column < x.size(); ++column)
        sum += gram_[row * x.size() + column] * static_cast<double>(x[row]) * static_cast<double>(x[column]);
    return sum;
  }

  /// Finds the eigenbasis, if the matrix has changed since. O(factors^3).
  void diagonalise(std::size_t factors, const ParallelOptions& parallel, SimdLevel level);
  [[nodiscard]] const Eigenbasis& basis() const noexcept { return basis_; }

 private:
  AlignedVector<double> gram_;
  Eigenbasis basis_;
  bool is_diagonalised_ = false;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

#if !defined(KINDRED_COMPILED)
#include <kindred/models/als/side_system.ipp>  // IWYU pragma: export
#endif
