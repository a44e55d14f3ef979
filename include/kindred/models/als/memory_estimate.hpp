// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/als/options.hpp>

namespace kindred::inline v0 {

/// What ImplicitALS::fit allocates at its peak, in bytes; the training matrix itself is the caller's and not in it.
struct MemoryEstimate {
  std::uint64_t factors = 0;     ///< Of users and items.
  std::uint64_t transposed = 0;  ///< The training matrix by items.
  std::uint64_t strengths = 0;   ///< g of every interaction from both sides, where it is costly enough to keep.
  std::uint64_t counts = 0;      ///< Numbers a row: counts, orders, background weights.
  std::uint64_t workspaces = 0;  ///< Of all threads, and the k x k matrices: O(threads * k^2).
  std::uint64_t index = 0;       ///< The index that recommending searches, as it is being built.
  std::uint64_t start =
      0;  ///< Of choosing options and of the spectral start, which is gone before users, workspaces and the index are there; 0 without one.
  std::uint64_t train = 0;  ///< The training matrix, 8 bytes an interaction and 8 a user; not in total().

  /// The peak of a first fit.
  [[nodiscard]] std::uint64_t total() const noexcept {
    return transposed + strengths + counts + (std::max)(start, factors + workspaces + index);
  }
  /// The peak of another fit of a fitted model, whose factors and index stay until the new ones are there.
  [[nodiscard]] std::uint64_t refit_total() const noexcept { return total() + factors + index; }
};

/// The memory that fitting `users` x `items` with `nnz` interactions takes; a few per cent from the measured peak above some 100 MB.
/// @throws InvalidArgument if an option or a size is out of range.
template <Real Scalar = float>
[[nodiscard]] MemoryEstimate estimate_memory(Index users, Index items, Offset nnz, const AlsOptions& asked,
                                             const Execution& execution = {});

#if defined(KINDRED_COMPILED)
extern template MemoryEstimate estimate_memory<float>(Index, Index, Offset, const AlsOptions&, const Execution&);  // in compiled/models.cpp
extern template MemoryEstimate estimate_memory<double>(Index, Index, Offset, const AlsOptions&, const Execution&);
#endif

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/models/als/memory_estimate.ipp>  // IWYU pragma: export
#endif
