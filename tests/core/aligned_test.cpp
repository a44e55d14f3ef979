// SPDX-License-Identifier: MIT
#include <kindred/core/aligned.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <memory>
#include <utility>

#include <doctest/doctest.h>

namespace kd = kindred;

namespace {

bool is_aligned(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer) % kd::detail::row_alignment == 0; }

template <typename T>
bool padding_is_zero(const kd::FactorMatrix<T>& matrix) {
  for (kd::Index r = 0; r < matrix.rows(); ++r)
    for (std::size_t f = matrix.row(r).size(); f < matrix.stride(); ++f)
      if (matrix.data()[static_cast<std::size_t>(r) * matrix.stride() + f] != T(0)) return false;
  return true;
}

}  // namespace

TEST_SUITE("core/aligned") {
  TEST_CASE_TEMPLATE("rows start at 64 bytes and are padded with zeros", T, float, double) {
    const std::vector<T> values{1, 2, 3, 4, 5, 6};
    const kd::FactorMatrix<T> matrix(2, 3, values);
    CHECK(matrix.rows() == 2);
    CHECK(matrix.factors() == 3);
    CHECK(matrix.stride() == 64 / sizeof(T));
    CHECK(matrix.row(1).size() == 3);
    CHECK(matrix.row(1)[2] == T(6));
    CHECK(matrix.memory_bytes() == 128);
    CHECK(padding_is_zero(matrix));
    for (kd::Index factors = 0; factors < 70; ++factors) {
      kd::FactorMatrix<T> odd(3, factors);
      CHECK(odd.stride() * sizeof(T) % kd::detail::row_alignment == 0);
      CHECK(odd.stride() >= static_cast<std::size_t>(factors));
      CHECK(odd.stride() < static_cast<std::size_t>(factors) + 64 / sizeof(T));
      for (kd::Index r = 0; r < 3; ++r) {
        CHECK(is_aligned(odd.row(r).data()));
        for (T& f : odd.row(r)) f = T(1);
      }
      CHECK(padding_is_zero(odd));
    }
  }

  TEST_CASE_TEMPLATE("cleared by threads: the zeros of one that is cleared alone", T, float, double) {
    for (const kd::Index rows : {0, 1, 5'000, 70'000})
      for (const std::size_t threads : {1u, 3u, 16u}) {
        {  // memory that is not zero may come back
          kd::FactorMatrix<T> used(rows, 17);
          std::fill(used.data(), used.data() + used.memory_bytes() / sizeof(T), T(3));
        }
        const kd::FactorMatrix<T> cleared(rows, 17, {.threads = threads});
        CHECK(cleared.same_bytes(kd::FactorMatrix<T>(rows, 17)));
      }
    CHECK_THROWS_AS(kd::FactorMatrix<T>(-1, 17, {.threads = 2}), kd::InvalidArgument);
  }

  TEST_CASE("a vector stays aligned while it grows") {
    kd::detail::AlignedVector<float> vector;
    for (int n = 0; n < 1000; ++n) {
      vector.push_back(1.0F);
      CHECK(is_aligned(vector.data()));
    }
  }

  TEST_CASE("a long vector whose memory threads have mapped holds what it is given, and keeps what it had") {
    const std::size_t size = 3 * kd::detail::huge_page / sizeof(int) + 12'345;
    for (const std::size_t threads : {std::size_t{1}, std::size_t{3}}) {
      std::vector<int> vector{1, 2, 3};
      kd::detail::resize_large(vector, size, 7, {.threads = threads});
      CHECK(vector.size() == size);
      CHECK(std::vector<int>(vector.begin(), vector.begin() + 3) == std::vector<int>{1, 2, 3});
      CHECK(std::count(vector.begin() + 3, vector.end(), 7) == static_cast<std::ptrdiff_t>(size - 3));
    }
  }

  TEST_CASE("copies are equal to the byte and independent") {
    const std::vector<float> values{1, 2, 3, 4};
    const kd::FactorMatrix<float> first(2, 2, values);
    kd::FactorMatrix<float> second = first;
    CHECK(first.same_bytes(second));
    second.row(0)[0] = -1.0F;
    CHECK_FALSE(first.same_bytes(second));
    CHECK(first.row(0)[0] == 1.0F);
    CHECK_FALSE(kd::FactorMatrix<float>(1, 4).same_bytes(kd::FactorMatrix<float>(4, 1)));
    CHECK(kd::FactorMatrix<float>().same_bytes(kd::FactorMatrix<float>(0, 0)));

    kd::FactorMatrix<double> zero(1, 1), minus_zero(1, 1), nan(1, 1), nan_again(1, 1);
    minus_zero.row(0)[0] = -0.0;
    nan.row(0)[0] = nan_again.row(0)[0] = std::numeric_limits<double>::quiet_NaN();
    CHECK_FALSE(zero.same_bytes(minus_zero));
    CHECK(nan.same_bytes(nan_again));
  }

  // It used to keep its size and lose its rows.
  TEST_CASE("a moved-from matrix is empty") {
    kd::FactorMatrix<float> first(3, 5);
    const float* const data = first.data();
    kd::FactorMatrix<float> second = std::move(first);
    CHECK(second.data() == data);
    CHECK(first.rows() == 0);  // NOLINT: the state after a move is what is tested
    CHECK(first.factors() == 0);
    CHECK(first.stride() == 0);
    CHECK(first.memory_bytes() == 0);
    kd::FactorMatrix<float> third(1, 1);
    third = std::move(second);
    CHECK(third.rows() == 3);
    CHECK(third.factors() == 5);
    CHECK(second.rows() == 0);  // NOLINT
    second = third;
    CHECK(second.same_bytes(third));
  }

  TEST_CASE("what it refuses, and in which words") {
    using Matrix = kd::FactorMatrix<float>;
    const std::vector<float> five(5, 1.0F);
    CHECK_THROWS_WITH_AS(Matrix(-1, 2), "rows is -1; it must be at least 0", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(Matrix(1, -2), "factors is -2; it must be at least 0", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(Matrix(2, 3, five), "factors: 5 values for 2 x 3", kd::ShapeError);
    CHECK_THROWS_WITH_AS(Matrix((std::numeric_limits<kd::Index>::max)(), (std::numeric_limits<kd::Index>::max)()),
                         "rows x factors is 2147483647 x 2147483647; it must be small enough to address", kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::detail::AlignedAllocator<double>().allocate((std::numeric_limits<std::size_t>::max)()), std::bad_alloc);
  }

  TEST_CASE("what one allocator has given, any other may take back") {
    CHECK(kd::detail::AlignedAllocator<float>() == kd::detail::AlignedAllocator<double>());
    CHECK_THROWS_AS((void)kd::detail::AlignedAllocator<double>().allocate((std::numeric_limits<std::size_t>::max)() / 4),
                    std::bad_array_new_length);
  }

  TEST_CASE("rows that somebody else keeps: in place, kept alive, and a copy is a copy") {
    const auto block = std::make_shared<kd::detail::AlignedVector<float>>(3 * 16, 1.0F);
    const std::weak_ptr<kd::detail::AlignedVector<float>> watched = block;
    auto borrowed = kd::FactorMatrix<float>::borrowed(3, 16, block->data(), block);
    CHECK(borrowed.data() == block->data());
    kd::FactorMatrix<float> copy = borrowed;
    CHECK(copy.same_bytes(borrowed));
    borrowed.row(1)[2] = 5.0F;
    CHECK((*block)[18] == 5.0F);
    CHECK(copy.row(1)[2] == 1.0F);
    const kd::FactorMatrix<float> moved = std::move(borrowed);
    CHECK(moved.data() == block->data());
    CHECK(borrowed.rows() == 0);
    CHECK(borrowed.same_bytes(kd::FactorMatrix<float>()));
    CHECK(watched.use_count() == 2);
    copy = moved;
    CHECK(copy.row(1)[2] == 5.0F);
    CHECK(copy.data() != moved.data());
    CHECK(copy.memory_bytes() == 3 * 64);
    CHECK_THROWS_AS((void)kd::FactorMatrix<float>::borrowed(1, 16, block->data() + 1, block), kd::InvalidArgument);
    CHECK_THROWS_AS((void)kd::FactorMatrix<float>::borrowed(-1, 16, block->data(), block), kd::InvalidArgument);
  }

  TEST_CASE_TEMPLATE("appended rows follow the others, in owned and in borrowed memory", T, float, double) {
    const kd::FactorMatrix<T> first(2, 3, std::vector<T>{1, 2, 3, 4, 5, 6}), more(1, 3, std::vector<T>{7, 8, 9});
    const kd::FactorMatrix<T> wanted(3, 3, std::vector<T>{1, 2, 3, 4, 5, 6, 7, 8, 9});
    kd::FactorMatrix<T> owned = first;
    owned.append(more);
    CHECK(owned.same_bytes(wanted));
    const auto memory = std::make_shared<kd::detail::AlignedVector<T>>(first.data(), first.data() + 2 * first.stride());
    kd::FactorMatrix<T> borrowed = kd::FactorMatrix<T>::borrowed(2, 3, memory->data(), memory);
    CHECK(borrowed.is_borrowed());
    borrowed.append(more);
    CHECK_FALSE(borrowed.is_borrowed());
    CHECK(borrowed.same_bytes(wanted));
    CHECK(std::equal(memory->begin(), memory->end(), first.data()));
    owned.append(kd::FactorMatrix<T>(0, 3));
    CHECK(owned.same_bytes(wanted));
    CHECK_THROWS_WITH_AS(owned.append(kd::FactorMatrix<T>(1, 2)), "rows of 2 factors; the matrix has 3", kd::ShapeError);
    CHECK(owned.same_bytes(wanted));
  }

  TEST_CASE("rows that are added one by one are copied a few times, not each time") {
    kd::FactorMatrix<float> matrix(0, 16);
    const kd::FactorMatrix<float> row(1, 16);
    std::size_t moves = 0;
    for (int n = 0; n < 10'000; ++n) {
      const float* const before = matrix.data();
      matrix.append(row);
      moves += matrix.data() != before ? 1 : 0;
    }
    CHECK(moves < 40);
  }
}
