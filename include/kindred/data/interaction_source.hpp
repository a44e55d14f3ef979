// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/team.hpp>
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

/// A source that several processes can share: what each row holds is known without reading it, and a part of the rows can be read alone.
template <typename Source>
concept ShareableSource = InteractionSource<Source> && requires(const Source& source, Index row) {
  { row_counts(source) } -> std::same_as<std::vector<Index>>;
  { rows_between(source, row, row) } -> RowSource;
};

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
[[nodiscard]] inline std::vector<Index> checked_row_counts(const RowsRef& source, const std::string& what, Index first_row,
                                                           Index last_row) {
  std::vector<Index> counts;
  counts.reserve(static_cast<std::size_t>(last_row - first_row));
  Offset seen = 0;
  source.for_each_block([&](const RowBlock& block) {
    const auto first = first_row + static_cast<Index>(counts.size());
    if (block.first != first || block.rows.rows() > last_row - first || block.rows.cols() != source.cols())
      throw ShapeError(what + ": a block of " + std::to_string(block.rows.rows()) + " rows of " + std::to_string(block.rows.cols()) +
                       " columns from row " + std::to_string(block.first) + "; expected one from row " + std::to_string(first) + " of " +
                       std::to_string(last_row) + ", with " + std::to_string(source.cols()) + " columns");
    for (Index r = 0; r < block.rows.rows(); ++r) {
      const SparseRow row = block.rows.row(r);
      counts.push_back(static_cast<Index>(row.size()));
      seen += static_cast<Offset>(row.size());
      if (source.in_memory()) continue;
      Index least = 0;
      for (std::size_t n = 0; n < row.size(); ++n) {
        const auto at = [&] { return what + ", row " + std::to_string(first + r) + ", place " + std::to_string(n) + ": the "; };
        if (row.columns[n] < least || row.columns[n] >= source.cols())
          throw InvalidArgument(at() + "column", row.columns[n],
                                "in [" + std::to_string(least) + ", " + std::to_string(source.cols()) + "): sorted, without repeats");
        if (!is_finite(row.values[n]) || row.values[n] == 0.0F) throw InvalidArgument(at() + "value", row.values[n], "finite and not 0");
        least = row.columns[n] + 1;
      }
    }
  });
  if (counts.size() != static_cast<std::size_t>(last_row - first_row) || seen != source.nnz())
    throw ShapeError(what + ": its blocks hold " + std::to_string(counts.size()) + " rows and " + std::to_string(seen) +
                     " interactions; it promised " + std::to_string(last_row - first_row) + " and " + std::to_string(source.nnz()));
  return counts;
}

/// The same of all rows.
[[nodiscard]] inline std::vector<Index> checked_row_counts(const RowsRef& source, const std::string& what) {
  return checked_row_counts(source, what, 0, source.rows());
}

/// The values whose magnitudes are counted.
enum class Magnitudes { all, likes };

/// quantile() of the magnitudes of `count` values, all or the likes among them; the values are not copied.
///
/// Floats that are not negative have the order of their bits, and two passes of counting find the two beside the place asked for. `source` has
/// all interactions, or those of this member of `team`.
[[nodiscard]] inline double magnitude_quantile(const RowsRef& source, double probability, Offset nnz, Magnitudes which,
                                               const Team& team = Team()) {
  const double place = probability * static_cast<double>(nnz - 1);
  const auto below = static_cast<std::uint64_t>(place);
  const std::array<std::uint64_t, 2> ranks = {below, (std::min)(below + 1, static_cast<std::uint64_t>(nnz - 1))};
  const auto sum = [&](std::vector<std::uint64_t>& counts) {
    if (team.size() == 1) return;
    std::vector<double> numbers(counts.begin(), counts.end());  // exact: there are fewer than 2^53
    team.sum(numbers);
    std::transform(numbers.begin(), numbers.end(), counts.begin(), [](double number) { return static_cast<std::uint64_t>(number); });
  };
  const auto for_each_magnitude = [&](auto&& body) {
    source.for_each_block([&](const RowBlock& block) {
      for (const float value : block.rows.values())
        if (which == Magnitudes::all || value > 0.0F) body(std::bit_cast<std::uint32_t>(std::abs(value)));
    });
  };
  constexpr std::size_t bins = std::size_t{1} << 16;
  std::vector<std::uint64_t> high(bins, 0);
  for_each_magnitude([&](std::uint32_t bits) { ++high[bits >> 16]; });
  sum(high);
  // The bin that a rank falls into, which then counts from the start of that bin.
  const auto bin_of = [](const std::vector<std::uint64_t>& counts, std::uint64_t& rank) {
    std::uint32_t bin = 0;
    for (; rank >= counts[bin]; ++bin) rank -= counts[bin];
    return bin;
  };
  std::array<std::uint64_t, 2> rest = ranks;
  const std::array<std::uint32_t, 2> top = {bin_of(high, rest[0]), bin_of(high, rest[1])};
  std::array<std::vector<std::uint64_t>, 2> low = {std::vector<std::uint64_t>(bins, 0), std::vector<std::uint64_t>(bins, 0)};
  for_each_magnitude([&](std::uint32_t bits) {
    for (std::size_t n = 0; n < 2; ++n)
      if (bits >> 16 == top[n]) ++low[n][bits & 0xFFFF];
  });
  for (std::vector<std::uint64_t>& counts : low) sum(counts);
  std::array<double, 2> found{};
  for (std::size_t n = 0; n < 2; ++n) found[n] = static_cast<double>(std::bit_cast<float>((top[n] << 16) | bin_of(low[n], rest[n])));
  return found[0] + (place - static_cast<double>(below)) * (found[1] - found[0]);
}

}  // namespace detail

}  // namespace kindred::inline v0
