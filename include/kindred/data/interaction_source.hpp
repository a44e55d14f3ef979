// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_view.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Rows that come block by block, in order and without gaps; one reader at a time.
///
/// `block(n)` says which rows block n holds; they stay at hand until `release(n)`, which follows once they are not needed for a while (and is left out
/// where an error ends the reading). Blocks are asked for in rising order, again and again. Blocks may be empty.
template <typename Rows>
concept RowSource = requires(const Rows& rows, std::size_t n) {
  { rows.shape() } -> std::same_as<MatrixShape>;
  { rows.nnz() } -> std::same_as<Offset>;
  { rows.block_count() } -> std::same_as<std::size_t>;
  { rows.block(n) } -> std::same_as<RowBlock>;
  rows.release(n);
};

}  // namespace detail

/// Interactions from both sides, perhaps more than memory holds: users are the rows of the source, items those of `transpose(source)`, which lives on its
/// own or beside it. A CsrView is one, with a single block; storage/csr_file.hpp has one in a file.
///
/// Values are finite and not 0, and columns strictly increasing within a row, in both the same interactions. What reads a source says so if they are not.
template <typename Source>
concept InteractionSource = detail::RowSource<Source> && requires(const Source& source) {
  { transpose(source) } -> detail::RowSource;
};

namespace detail {

/// The rows [first, last) of a matrix in memory, at their places in a matrix of the same shape.
class RowsBetween {
 public:
  /// @throws InvalidArgument if there are no such rows.
  RowsBetween(const CsrView& matrix, Index first, Index last) : shape_(matrix.shape()), block_{first, matrix.rows(first, last)} {}

  [[nodiscard]] MatrixShape shape() const noexcept { return shape_; }
  [[nodiscard]] Offset nnz() const noexcept { return block_.rows.nnz(); }
  [[nodiscard]] std::size_t block_count() const noexcept { return 1; }
  [[nodiscard]] RowBlock block(std::size_t) const noexcept { return block_; }
  void release(std::size_t) const noexcept {}

 private:
  MatrixShape shape_;
  RowBlock block_;
};

}  // namespace detail

/// A part of a matrix for a process that works on these rows. @throws InvalidArgument if there are no such rows.
[[nodiscard]] inline detail::RowsBetween rows_between(const CsrView& matrix, Index first, Index last) { return {matrix, first, last}; }

namespace detail {

/// An InteractionSource that is not a matrix in memory.
template <typename Source>
concept StreamedSource = InteractionSource<Source> && !std::convertible_to<const Source&, CsrView>;

/// A reference to a RowSource of any type.
class RowsRef {
 public:
  template <RowSource Rows>
  explicit RowsRef(const Rows& rows)
      : source_(std::addressof(rows)),
        shape_(rows.shape()),
        nnz_(rows.nnz()),
        block_count_(rows.block_count()),
        in_memory_(std::convertible_to<const Rows&, CsrView>),
        block_([](const void* source, std::size_t n) { return static_cast<const Rows*>(source)->block(n); }),
        release_([](const void* source, std::size_t n) { static_cast<const Rows*>(source)->release(n); }) {}

  [[nodiscard]] MatrixShape shape() const noexcept { return shape_; }
  [[nodiscard]] Index rows() const noexcept { return shape_.users; }
  [[nodiscard]] Index cols() const noexcept { return shape_.items; }
  [[nodiscard]] Offset nnz() const noexcept { return nnz_; }
  [[nodiscard]] std::size_t block_count() const noexcept { return block_count_; }
  /// All of it is at hand at any time, and was checked.
  [[nodiscard]] bool in_memory() const noexcept { return in_memory_; }

  [[nodiscard]] RowBlock block(std::size_t n) const { return block_(source_, n); }
  void release(std::size_t n) const { release_(source_, n); }

  /// Calls `body(block)` for one block after the other.
  template <typename Body>
  void for_each_block(Body&& body) const {
    for (std::size_t n = 0; n < block_count_; ++n) {
      const RowBlock block = block_(source_, n);
      if (block.rows.rows() > 0) body(block);
      release_(source_, n);
    }
  }

 private:
  const void* source_;
  MatrixShape shape_;
  Offset nnz_;
  std::size_t block_count_;
  bool in_memory_;
  RowBlock (*block_)(const void* source, std::size_t n);
  void (*release_)(const void* source, std::size_t n);
};

/// Calls `body(block, first, last, worker)` for the rows [first, last) of the matrix, pieces of one block after the other, over several threads. Pieces start at
/// multiples of `grain`, so that what is summed by such groups of rows is summed in one order.
template <typename Body>
void for_each_piece(const RowsRef& rows, std::size_t grain, const ParallelOptions& parallel, Body&& body) {
  rows.for_each_block([&](const RowBlock& block) {
    const auto start = static_cast<std::size_t>(block.first), end = start + static_cast<std::size_t>(block.rows.rows());
    const std::size_t first_piece = start / grain, pieces = (end - 1) / grain - first_piece + 1;
    parallel_for(pieces, {.threads = parallel.threads, .grain = 1, .executor = parallel.executor},
                 [&](std::size_t from, std::size_t to, std::size_t worker) {
                   for (std::size_t piece = first_piece + from; piece < first_piece + to; ++piece)
                     body(block, static_cast<Index>((std::max)(start, piece * grain)),
                          static_cast<Index>((std::min)(end, (piece + 1) * grain)), worker);
                 });
  });
}

/// Rows, and what holds them.
struct OwnedRows {
  std::shared_ptr<const void> owner;
  RowsRef rows;
};

/// A reference to all rows of one side of the interactions, of which a part can be read alone if the source allows that.
struct SideRef {
  template <RowSource Rows>
  explicit SideRef(const Rows& source) : rows(source), source_(std::addressof(source)) {
    if constexpr (requires {
                    row_counts(source);
                    { rows_between(source, Index{}, Index{}) } -> RowSource;
                  }) {
      counts_ = [](const void* all) -> std::vector<Index> { return row_counts(*static_cast<const Rows*>(all)); };
      between_ = [](const void* all, Index first, Index last) {
        const auto part = rows_between(*static_cast<const Rows*>(all), first, last);
        auto held = std::make_shared<const std::remove_const_t<decltype(part)>>(part);
        const RowsRef some(*held);
        return OwnedRows{std::move(held), some};
      };
    }
  }

  [[nodiscard]] bool is_shareable() const noexcept { return between_ != nullptr; }
  /// Interactions of each row, without reading them. If it is shareable.
  [[nodiscard]] std::vector<Index> counts() const { return counts_(source_); }
  /// The rows [first, last), at their places. If it is shareable.
  [[nodiscard]] OwnedRows between(Index first, Index last) const { return between_(source_, first, last); }

  RowsRef rows;

 private:
  const void* source_;
  std::vector<Index> (*counts_)(const void* all) = nullptr;
  OwnedRows (*between_)(const void* all, Index first, Index last) = nullptr;
};

/// Calls `body(first, last, a_block, b_block)` for the rows [first, last) of every block of `a` that are in the same block of `b`; both have as many rows.
/// Ends where `body` says false.
template <typename Body>
void for_each_shared_block(const RowsRef& a, const RowsRef& b, Body&& body) {
  const auto last_of = [](const RowBlock& block) { return block.first + block.rows.rows(); };
  std::size_t at_a = 0, at_b = 0;
  if (a.block_count() == 0 || b.block_count() == 0) return;
  RowBlock a_block = a.block(0), b_block = b.block(0);
  for (;;) {
    const Index first = (std::max)(a_block.first, b_block.first), last = (std::min)(last_of(a_block), last_of(b_block));
    if (first < last && !body(first, last, a_block, b_block)) return;
    if (last_of(a_block) == last) {
      a.release(at_a);
      if (++at_a == a.block_count()) return;
      a_block = a.block(at_a);
    } else {
      b.release(at_b);
      if (++at_b == b.block_count()) return;
      b_block = b.block(at_b);
    }
  }
}

/// Interactions of each of the rows [first_row, last_row), which are all that the source has; what is not in memory is checked on the way. O(nnz), or O(rows)
/// for what is in memory. @throws InvalidArgument, ShapeError naming `what`, the block or row and what is wrong with it.
[[nodiscard]] KINDRED_ONCE std::vector<Index> checked_row_counts(const RowsRef& source, const std::string& what, Index first_row,
                                                                 Index last_row);

/// The same of all rows.
[[nodiscard]] inline std::vector<Index> checked_row_counts(const RowsRef& source, const std::string& what) {
  return checked_row_counts(source, what, 0, source.rows());
}

class Team;

/// The values whose magnitudes are counted.
enum class Magnitudes { all, likes };

/// quantile() of the magnitudes of `count` values, all or the likes among them; the values are not copied.
///
/// Floats that are not negative have the order of their bits, and two passes of counting find the two beside the place asked for. `source` has
/// all interactions, or those of this member of `team`.
[[nodiscard]] KINDRED_ONCE double magnitude_quantile(const RowsRef& source, double probability, Offset nnz, Magnitudes which,
                                                     const Team& team, const ParallelOptions& parallel);
/// The same of a source with all interactions.
[[nodiscard]] KINDRED_ONCE double magnitude_quantile(const RowsRef& source, double probability, Offset nnz, Magnitudes which);

}  // namespace detail

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/data/interaction_source.ipp>  // IWYU pragma: export
#endif
