// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>

// Arithmetic on whole rows of factors, in vector types of 16 bytes, which every processor has: GCC leaves such loops scalar at -O2, and regressions on features
// spend more time in them than in sparse products. Rows are `n` scalars, a multiple of 64 bytes, on 64-byte boundaries, like those of FactorMatrix; sums are as
// many doubles. The order of each sum is that of the calls.

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

template <Real Scalar>
struct RowLanes {
  static constexpr std::size_t count = 16 / sizeof(Scalar);
  typedef Scalar Values __attribute__((vector_size(16), may_alias));
  typedef double Sums __attribute__((vector_size(count * sizeof(double)), may_alias, aligned(8)));

  static const Values& at(const Scalar* row) noexcept { return *reinterpret_cast<const Values*>(row); }
  static Values& at(Scalar* row) noexcept { return *reinterpret_cast<Values*>(row); }
  static Sums& sums_at(double* sums) noexcept { return *reinterpret_cast<Sums*>(sums); }
};

/// sums += factor row, in double.
template <Real Scalar>
void add_multiple(double* sums, double factor, const Scalar* row, std::size_t n) noexcept {
  using L = RowLanes<Scalar>;
  for (std::size_t f = 0; f < n; f += L::count) L::sums_at(sums + f) += factor * __builtin_convertvector(L::at(row + f), typename L::Sums);
}

/// sums += a o b, in double.
template <Real Scalar>
void add_products(double* sums, const Scalar* a, const Scalar* b, std::size_t n) noexcept {
  using L = RowLanes<Scalar>;
  for (std::size_t f = 0; f < n; f += L::count)
    L::sums_at(sums + f) +=
        __builtin_convertvector(L::at(a + f), typename L::Sums) * __builtin_convertvector(L::at(b + f), typename L::Sums);
}

/// to += share o from.
template <Real Scalar>
void add_shares(Scalar* to, const Scalar* share, const Scalar* from, std::size_t n) noexcept {
  using L = RowLanes<Scalar>;
  for (std::size_t f = 0; f < n; f += L::count) L::at(to + f) += L::at(share + f) * L::at(from + f);
}

/// to = other + share o to.
template <Real Scalar>
void share_and_add(Scalar* to, const Scalar* share, const Scalar* other, std::size_t n) noexcept {
  using L = RowLanes<Scalar>;
  for (std::size_t f = 0; f < n; f += L::count) L::at(to + f) = L::at(other + f) + L::at(share + f) * L::at(to + f);
}

/// to += row.
template <Real Scalar>
void add_row(Scalar* to, const Scalar* row, std::size_t n) noexcept {
  using L = RowLanes<Scalar>;
  for (std::size_t f = 0; f < n; f += L::count) L::at(to + f) += L::at(row + f);
}

/// to = factor row; they may be the same row.
template <Real Scalar>
void set_multiple(Scalar* to, Scalar factor, const Scalar* row, std::size_t n) noexcept {
  using L = RowLanes<Scalar>;
  for (std::size_t f = 0; f < n; f += L::count) L::at(to + f) = factor * L::at(row + f);
}

/// to = factor (a - to).
template <Real Scalar>
void set_multiple_of_rest(Scalar* to, Scalar factor, const Scalar* a, std::size_t n) noexcept {
  using L = RowLanes<Scalar>;
  for (std::size_t f = 0; f < n; f += L::count) L::at(to + f) = factor * (L::at(a + f) - L::at(to + f));
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
