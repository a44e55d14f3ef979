// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Bytes of a cache line and of the widest vector register; every row of factors starts at a multiple of it.
inline constexpr std::size_t row_alignment = 64;

/// Bytes of a huge page.
inline constexpr std::size_t huge_page = std::size_t{2} << 20;

/// The pages that lie wholly within `bytes` bytes from `start`.
[[nodiscard]] inline std::span<char> whole_pages(void* start, std::size_t bytes) noexcept {
  constexpr std::size_t page = 4096;
  const std::size_t before = (page - reinterpret_cast<std::uintptr_t>(start) % page) % page;
  if (bytes < before) return {};
  return {static_cast<char*>(start) + before, (bytes - before) / page * page};
}

/// Asks Linux for huge pages where `bytes` bytes from `start` span some. Best before they are touched: the first touch of each small page costs a
/// microsecond or more. This is a hint; failure is ignored.
[[gnu::noinline]] inline void wish_for_huge_pages([[maybe_unused]] void* start, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  const std::span<char> pages = whole_pages(start, bytes);
  if (pages.size() >= huge_page) (void)::madvise(pages.data(), pages.size(), MADV_HUGEPAGE);
#endif
}

/// Prefetches one cache line.
inline void prefetch([[maybe_unused]] const void* address) noexcept {
#if defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(address);
#endif
}

/// vector.reserve, for a vector that may become large.
template <typename T>
void reserve_large(std::vector<T>& vector, std::size_t size) {
  vector.reserve(size);
  wish_for_huge_pages(vector.data(), size * sizeof(T));
}

/// vector.resize, for a vector that may become large.
template <typename T>
void resize_large(std::vector<T>& vector, std::size_t size, const T& value = T()) {
  reserve_large(vector, size);
  vector.resize(size, value);
}

/// Lets threads have fresh memory mapped, where the system offers that: the first touch of a megabyte takes one thread up to ten times as long as writing it.
[[gnu::noinline]] inline void map_by_threads([[maybe_unused]] void* start, [[maybe_unused]] std::size_t bytes,
                                             [[maybe_unused]] const ParallelOptions& parallel) {
#if defined(__linux__) && defined(MADV_POPULATE_WRITE)
  const std::span<char> pages = whole_pages(start, bytes);
  if (pages.size() < 2 * huge_page || resolve_threads(parallel.threads) == 1) return;
  parallel_for(
      pages.size(), {.threads = parallel.threads, .grain = huge_page, .executor = parallel.executor},
      [&](std::size_t first, std::size_t last, std::size_t) { (void)::madvise(pages.data() + first, last - first, MADV_POPULATE_WRITE); });
#endif
}

/// vector.resize, for a vector that may become large: `parallel` threads have its memory mapped.
template <typename T>
void resize_large(std::vector<T>& vector, std::size_t size, const T& value, const ParallelOptions& parallel) {
  reserve_large(vector, size);
  map_by_threads(vector.data(), size * sizeof(T), parallel);
  vector.resize(size, value);
}

[[nodiscard]] constexpr std::align_val_t alignment_of(std::size_t bytes) noexcept {
  return std::align_val_t{bytes >= huge_page ? huge_page : row_alignment};
}

// Not inlined: memory is asked for in a hundred places of a program that fits, and a call costs nothing beside it.
[[gnu::noinline]] inline void* aligned_new(std::size_t bytes) {
  void* const block = ::operator new(bytes, alignment_of(bytes));
  wish_for_huge_pages(block, bytes);
  return block;
}
[[gnu::noinline]] inline void aligned_delete(void* block, std::size_t bytes) noexcept { ::operator delete(block, alignment_of(bytes)); }

/// Allocates at multiples of 64 bytes, whatever the compiler flags. Large blocks start at a multiple of 2 MiB and ask Linux for huge pages:
/// rows of factors are visited in random order, and with small pages most visits miss the translation cache too.
template <typename T>
struct AlignedAllocator {
  using value_type = T;

  AlignedAllocator() = default;
  template <typename U>
  AlignedAllocator(const AlignedAllocator<U>&) noexcept {}

  [[nodiscard]] T* allocate(std::size_t count) {
    if (count > (std::numeric_limits<std::size_t>::max)() / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(aligned_new(count * sizeof(T)));
  }
  void deallocate(T* pointer, std::size_t count) noexcept { aligned_delete(pointer, count * sizeof(T)); }

  template <typename U>
  friend bool operator==(const AlignedAllocator&, const AlignedAllocator<U>&) noexcept {
    return true;
  }
};

/// As AlignedAllocator, but elements that are made without a value are left as they are.
template <typename T>
struct UnclearedAllocator : AlignedAllocator<T> {
  UnclearedAllocator() = default;
  template <typename U>
  UnclearedAllocator(const UnclearedAllocator<U>&) noexcept {}

  template <typename U>
  void construct(U* place) noexcept {
    ::new (static_cast<void*>(place)) U;
  }
};

/// A std::vector whose elements start at a multiple of 64 bytes.
template <typename T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

/// The same, whose resize() leaves new elements as the memory was: for what is written at once, by threads that then are the first to touch it.
template <typename T>
using UnclearedVector = std::vector<T, UnclearedAllocator<T>>;

/// Elements from row to row of a working matrix with rows of `size` elements: rounded up to 64 bytes, and from 512 bytes on to an odd multiple of them. At an
/// even one the same place of every row falls into a part of the first-level cache only, and sums of outer products take 10 % longer.
template <typename T>
[[nodiscard]] constexpr std::size_t spread_stride(std::size_t size) noexcept {
  constexpr std::size_t line = row_alignment / sizeof(T);
  const std::size_t padded = (size + line - 1) / line * line;
  return padded / line >= 8 && padded / line % 2 == 0 ? padded + line : padded;
}

}  // namespace detail

/// Latent factors: rows x factors, row-major, each row padded with zeros to a multiple of 64 bytes.
template <Real Scalar>
class FactorMatrix {
 public:
  FactorMatrix() = default;

  /// All zeros. @throws InvalidArgument if a size is negative or the product overflows.
  FactorMatrix(Index rows, Index factors) {
    set_size(rows, factors);
    values_.assign(rows_ * stride_, Scalar(0));
    data_ = values_.data();
  }

  /// All zeros, cleared by threads: the first touch of fresh memory takes longer than the writing.
  FactorMatrix(Index rows, Index factors, const detail::ParallelOptions& parallel) {
    set_size(rows, factors);
    values_.resize(rows_ * stride_);
    data_ = values_.data();
    constexpr std::size_t piece = detail::huge_page / sizeof(Scalar);
    detail::parallel_for((values_.size() + piece - 1) / piece, {.threads = parallel.threads, .grain = 1, .executor = parallel.executor},
                         [&](std::size_t first, std::size_t last, std::size_t) {
                           std::fill(data_ + first * piece, data_ + (std::min)(last * piece, values_.size()), Scalar(0));
                         });
  }

  /// From plain row-major values without padding, length rows * factors. @throws ShapeError if the length is another.
  FactorMatrix(Index rows, Index factors, std::span<const Scalar> values) : FactorMatrix(rows, factors) {
    if (values.size() != rows_ * factors_)
      throw ShapeError("factors: " + std::to_string(values.size()) + " values for " + std::to_string(rows) + " x " +
                       std::to_string(factors));
    for (std::size_t r = 0; r < rows_; ++r) std::copy_n(values.data() + r * factors_, factors_, data_ + r * stride_);
  }

  /// Rows in memory that `owner` keeps alive, a mapped file say, of the form of data(): rows * stride scalars from a multiple of 64 bytes, padding zero.
  /// They must be writable and not shared. A copy of the matrix owns its values as any other does.
  /// @throws InvalidArgument as the others do, or if `values` is not aligned.
  [[nodiscard]] static FactorMatrix borrowed(Index rows, Index factors, Scalar* values, std::shared_ptr<void> owner) {
    FactorMatrix matrix;
    matrix.set_size(rows, factors);
    if (reinterpret_cast<std::uintptr_t>(values) % detail::row_alignment != 0)
      throw InvalidArgument("values", "not at a multiple of 64 bytes", "aligned");
    matrix.data_ = values;
    matrix.owner_ = std::move(owner);
    return matrix;
  }

  /// A moved-from matrix is 0 x 0 again.
  FactorMatrix(FactorMatrix&& other) noexcept
      : rows_(std::exchange(other.rows_, 0)),
        factors_(std::exchange(other.factors_, 0)),
        stride_(std::exchange(other.stride_, 0)),
        data_(std::exchange(other.data_, nullptr)),
        values_(std::exchange(other.values_, {})),
        owner_(std::exchange(other.owner_, {})) {}
  FactorMatrix& operator=(FactorMatrix&& other) noexcept {
    rows_ = std::exchange(other.rows_, 0);
    factors_ = std::exchange(other.factors_, 0);
    stride_ = std::exchange(other.stride_, 0);
    data_ = std::exchange(other.data_, nullptr);
    values_ = std::exchange(other.values_, {});
    owner_ = std::exchange(other.owner_, {});
    return *this;
  }
  FactorMatrix(const FactorMatrix& other)
      : rows_(other.rows_), factors_(other.factors_), stride_(other.stride_), values_(other.data_, other.data_ + rows_ * stride_) {
    data_ = values_.data();
  }
  FactorMatrix& operator=(const FactorMatrix& other) {
    if (this != &other) {
      FactorMatrix copy(other);
      *this = std::move(copy);
    }
    return *this;
  }
  ~FactorMatrix() = default;

  [[nodiscard]] Index rows() const noexcept { return static_cast<Index>(rows_); }
  [[nodiscard]] Index factors() const noexcept { return static_cast<Index>(factors_); }

  /// Scalars from the start of one row to the start of the next: `factors` rounded up to 64 bytes.
  [[nodiscard]] std::size_t stride() const noexcept { return stride_; }

  [[nodiscard]] std::span<const Scalar> row(Index r) const noexcept {
    KINDRED_ASSERT(r >= 0 && r < rows());
    return {data_ + static_cast<std::size_t>(r) * stride_, factors_};
  }
  [[nodiscard]] std::span<Scalar> row(Index r) noexcept {
    KINDRED_ASSERT(r >= 0 && r < rows());
    return {data_ + static_cast<std::size_t>(r) * stride_, factors_};
  }

  [[nodiscard]] const Scalar* data() const noexcept { return data_; }
  [[nodiscard]] Scalar* data() noexcept { return data_; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return rows_ * stride_ * sizeof(Scalar); }

  /// True if the rows are in memory of another owner, a mapped file say.
  [[nodiscard]] bool is_borrowed() const noexcept { return owner_ != nullptr; }

  /// Adds the rows of `more` below. The rows grow as a std::vector does: amortised O(more.rows() * factors).
  /// @throws ShapeError if `more` has another number of factors; InvalidArgument if there would be 2^31 rows or more. The matrix is then as it was.
  void append(const FactorMatrix& more) {
    if (more.factors_ != factors_)
      throw ShapeError("rows of " + std::to_string(more.factors_) + " factors; the matrix has " + std::to_string(factors_));
    if (more.rows() > (std::numeric_limits<Index>::max)() - rows())
      throw InvalidArgument("rows", more.rows(), "few enough for fewer than 2^31 in all");
    if (owner_ != nullptr) {  // mapped rows cannot grow
      values_.assign(data_, data_ + rows_ * stride_);
      data_ = values_.data();
      owner_.reset();
    }
    values_.insert(values_.end(), more.data_, more.data_ + more.rows_ * stride_);
    data_ = values_.data();
    rows_ += more.rows_;
  }

  /// Byte for byte, padding included. (Bytes, not ==: two NaNs of the same bits are equal, 0 and -0 are not.)
  [[nodiscard]] bool same_bytes(const FactorMatrix& other) const noexcept {
    return rows_ == other.rows_ && factors_ == other.factors_ &&
           (memory_bytes() == 0 || std::memcmp(data_, other.data_, memory_bytes()) == 0);
  }

 private:
  void set_size(Index rows, Index factors) {
    rows_ = checked(rows, "rows");
    factors_ = checked(factors, "factors");
    stride_ = padded(factors_);
    if (stride_ != 0 && rows_ > static_cast<std::size_t>((std::numeric_limits<std::ptrdiff_t>::max)()) / sizeof(Scalar) / stride_)
      throw InvalidArgument("rows x factors", std::to_string(rows) + " x " + std::to_string(factors), "small enough to address");
  }
  static std::size_t checked(Index size, std::string_view name) {
    if (size < 0) throw InvalidArgument(name, size, "at least 0");
    return static_cast<std::size_t>(size);
  }
  static constexpr std::size_t padded(std::size_t factors) noexcept {
    constexpr std::size_t lanes = detail::row_alignment / sizeof(Scalar);
    return (factors + lanes - 1) / lanes * lanes;
  }

  std::size_t rows_ = 0;
  std::size_t factors_ = 0;
  std::size_t stride_ = 0;
  Scalar* data_ = nullptr;
  detail::UnclearedVector<Scalar> values_;  // empty where the rows are borrowed
  std::shared_ptr<void> owner_;
};

}  // namespace kindred::inline v0
