// SPDX-License-Identifier: MIT
// Every kernel at every level that this processor has, against plain loops in long double, at sizes around the edges of the tiles, or, with
// KINDRED_TEST_ALL_SIZES set in the environment, at all sizes from 1 to 130.
#include <kindred/simd/kernels.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/aligned.hpp>
#include <kindred/core/random.hpp>

#include "../support/same.hpp"
#include "support/reference_kernels.hpp"
#include "support/simd_levels.hpp"

namespace kd = kindred;
using kindred_test::close;
using kindred_test::Sum;

namespace {

// Within one of every edge: 4 and 8 rows a tile; 2, 4, 8 and 16 lanes, three vectors wide.
std::vector<std::size_t> sizes() {
  if (std::getenv("KINDRED_TEST_ALL_SIZES") == nullptr)
    return {1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 63, 64, 65, 95, 96, 97};
  std::vector<std::size_t> all(130);
  std::iota(all.begin(), all.end(), std::size_t{1});
  return all;
}

constexpr std::size_t up_to(std::size_t size, std::size_t multiple) { return (size + multiple - 1) / multiple * multiple; }

template <typename T>
std::size_t padded(std::size_t size) {
  return up_to(size, kd::detail::row_alignment / sizeof(T));
}

/// Fixed rows with a few special values among ordinary ones: zeros, denormals and huge ratios.
template <typename T>
kd::FactorMatrix<T> fixed_rows(kd::Index rows, std::size_t factors, std::uint64_t seed) {
  kd::FactorMatrix<T> fixed(rows, static_cast<kd::Index>(factors));
  for (kd::Index r = 0; r < rows; ++r) {
    kd::detail::Random random(seed, kd::detail::RandomStream::sample, static_cast<std::uint64_t>(r));
    for (T& value : fixed.row(r)) {
      const std::uint32_t kind = random.below(20);
      value = kind == 0   ? T(0)
              : kind == 1 ? std::numeric_limits<T>::denorm_min() * T(7)
              : kind == 2 ? T(1e-6)
              : kind == 3 ? T(1e6)
                          : static_cast<T>(random.normal());
    }
  }
  return fixed;
}

std::vector<kd::Index> some_columns(std::size_t count, kd::Index rows, std::uint64_t seed) {
  kd::detail::Random random(seed, kd::detail::RandomStream::split);
  std::vector<kd::Index> columns;
  for (std::size_t n = 0; n < count; ++n) columns.push_back(static_cast<kd::Index>(random.below(static_cast<std::uint32_t>(rows))));
  return columns;
}

template <typename T>
kd::detail::AlignedVector<T> random_vector(std::size_t size, std::size_t length, std::uint64_t seed) {
  kd::detail::AlignedVector<T> values(length, T(0));
  kd::detail::Random random(seed, kd::detail::RandomStream::search);
  for (std::size_t n = 0; n < size; ++n) values[n] = static_cast<T>(random.uniform() + 0.25);
  return values;
}

template <typename T>
kd::detail::GatherArguments<T> from(const kd::FactorMatrix<T>& fixed, const std::vector<kd::Index>& columns) {
  return {.fixed = fixed.data(),
          .stride = fixed.stride(),
          .factors = static_cast<std::size_t>(fixed.factors()),
          .columns = columns.data(),
          .count = columns.size()};
}

/// A positive definite system with a row of large entries, in the layouts of both solves.
template <typename T>
struct System {
  System(std::size_t order, std::uint64_t seed) : size(order) {
    kd::detail::Random random(seed, kd::detail::RandomStream::sample);
    const std::size_t ranks = 20;
    std::vector<long double> rows;
    for (std::size_t p = 0; p < ranks; ++p)
      for (std::size_t c = 0; c < size; ++c) rows.push_back(random.normal() * (p == 0 ? 30.0 : 1.0));
    matrix.assign(size * size, 0.0L);
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = i; j < size; ++j) {
        long double sum = i == j ? 1.0L : 0.0L;
        for (std::size_t p = 0; p < ranks; ++p) sum += rows[p * size + i] * rows[p * size + j];
        matrix[i * size + j] = matrix[j * size + i] = static_cast<long double>(static_cast<T>(sum));
      }
      largest = (std::max)(largest, static_cast<T>(matrix[i * size + i]));
      b.push_back(static_cast<long double>(static_cast<T>(random.normal())));
    }
  }

  [[nodiscard]] T entry(std::size_t i, std::size_t j) const {
    if (i < size && j < size) return static_cast<T>(matrix[i * size + j]);
    return i == j ? largest : T(0);
  }

  [[nodiscard]] kd::detail::AlignedVector<T> tiles() const {
    kd::detail::AlignedVector<T> values;
    for (std::size_t j = 0; j < size; j += 4)
      for (std::size_t i = 0; i <= j; i += 4)
        for (std::size_t e = 0; e < 16; ++e) values.push_back(entry(i + e / 4, j + e % 4));
    return values;
  }

  /// Factorised and solved alone; the solution, and the smallest pivot.
  [[nodiscard]] std::pair<kd::detail::AlignedVector<T>, T> alone(const kd::detail::RowKernels<T>& kernels) const {
    const std::size_t ld = padded<T>(size), order = up_to(size, kernels.rows);
    kd::detail::AlignedVector<T> v((std::max)(order, ld) * ld, T(0)), rhs(ld, T(0)), inverse(order), panel(order * kernels.rows),
        x(order, std::numeric_limits<T>::quiet_NaN());
    for (std::size_t i = 0; i < order; ++i)
      for (std::size_t j = i; j < ld; ++j) v[i * ld + j] = entry(i, j);
    for (std::size_t i = 0; i < size; ++i) rhs[i] = static_cast<T>(b[i]);
    const kd::detail::FactorizeArguments<T> a{
        .v = v.data(), .ld = ld, .size = size, .rhs = rhs.data(), .inverse = inverse.data(), .panel = panel.data()};
    const T smallest = kernels.factorize(a);
    if (smallest > T(0)) kernels.back_substitute(a, x.data());
    return {x, smallest};
  }

  std::size_t size;
  std::vector<long double> matrix;
  std::vector<long double> b;
  T largest = T(0);
};

}  // namespace

TEST_SUITE("simd/kernels") {
  TEST_CASE_TEMPLATE("gathers, dots and sums of rows", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::detail::RowKernels<T>& kernels = kd::detail::row_kernels<T>(level);
      for (const std::size_t k : sizes()) {
        const auto fixed = fixed_rows<T>(40, k, k);
        for (const std::size_t n : std::vector<std::size_t>{1, 2, 4, 5, 15, 16, 17, 33}) {
          CAPTURE(kd::name_of(level));
          CAPTURE(k);
          CAPTURE(n);
          const std::vector<kd::Index> columns = some_columns(n, 40, n);
          const std::size_t stride = fixed.stride(), n4 = up_to(n, 4);
          const auto scale = random_vector<T>(k, stride, 1), weight = random_vector<T>(n, padded<T>(n), 2);
          kd::detail::AlignedVector<T> rows(n4 * stride, T(-1)), blocks(n4 * stride, T(-1)), sum(stride), dots(n);
          kd::detail::AlignedVector<double> exact(scale.begin(), scale.end()), exact_dots(n);
          kernels.gather(from(fixed, columns), scale.data(), weight.data(), rows.data(), stride);
          kernels.gather_blocks(from(fixed, columns), scale.data(), weight.data(), blocks.data());
          kernels.combine(from(fixed, columns), weight.data(), sum.data());
          kernels.dots(from(fixed, columns), scale.data(), dots.data());
          kernels.exact_dots(from(fixed, columns), exact.data(), exact_dots.data());

          const std::vector<long double> wanted = kindred_test::gathered<T>(fixed, columns, scale, weight);
          bool gathers = true, others = true;
          for (std::size_t r = 0; r < n4; ++r)
            for (std::size_t f = 0; f < stride; ++f) {
              const long double value = r < n && f < k ? wanted[r * k + f] : 0.0L;
              gathers = gathers && close(rows[r * stride + f], {value, std::abs(value)}, 1);
            }
          // Blocks hold the same values in another order.
          kd::detail::AlignedVector<T> sorted_rows = rows, sorted_blocks = blocks;
          for (std::size_t r = 0; r < n4; r += 4) {
            const auto begin = static_cast<std::ptrdiff_t>(r * stride), end = static_cast<std::ptrdiff_t>((r + 4) * stride);
            std::sort(sorted_rows.begin() + begin, sorted_rows.begin() + end);
            std::sort(sorted_blocks.begin() + begin, sorted_blocks.begin() + end);
          }
          CHECK(sorted_rows == sorted_blocks);
          for (std::size_t r = 0; r < n; ++r) {
            Sum dot;
            for (std::size_t f = 0; f < k; ++f)
              dot.add(static_cast<long double>(fixed.row(columns[r])[f]) * static_cast<long double>(scale[f]));
            others = others && close(dots[r], dot, k) && close(exact_dots[r], dot, k);
          }
          const std::vector<long double> weighted = kindred_test::gathered<T>(fixed, columns, {}, weight);
          for (std::size_t f = 0; f < k; ++f) {
            Sum total;
            for (std::size_t r = 0; r < n; ++r) total.add(weighted[r * k + f]);
            others = others && close(sum[f], total, n);
          }
          CHECK(gathers);
          CHECK(others);

          kd::detail::AlignedVector<T> rows_too(n4 * stride, T(-1)), sum_too(stride, T(-1));
          kernels.gather_and_sum(from(fixed, columns), scale.data(), weight.data(), weight.data(), rows_too.data(), stride, sum_too.data());
          CHECK(rows_too == rows);
          CHECK(sum_too == sum);

          const auto z = random_vector<T>(n, padded<T>(n), 4), rest = random_vector<T>(k, stride, 5);
          bool expands = true;
          for (const bool with_rest : {false, true}) {
            kd::detail::AlignedVector<T> x(stride, T(-1));
            CHECK(kernels.expand(from(fixed, columns), weight.data(), z.data(), scale.data(), with_rest ? rest.data() : nullptr, x.data()));
            for (std::size_t f = 0; f < stride; ++f) {
              const long double s = f < k ? static_cast<long double>(scale[f]) : 0.0L;
              Sum total;
              for (std::size_t r = 0; r < n && f < k; ++r) total.add(s * s * weighted[r * k + f] * static_cast<long double>(z[r]));
              if (with_rest && f < k) total.add(s * static_cast<long double>(rest[f]));
              expands = expands && close(x[f], total, n + 4);
            }
          }
          CHECK(expands);
          auto endless = z;
          endless[n - 1] = std::numeric_limits<T>::infinity();
          CHECK_FALSE(kernels.expand(from(fixed, columns), weight.data(), endless.data(), scale.data(), nullptr, sum_too.data()));
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("dot products of all pairs of rows", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::detail::RowKernels<T>& kernels = kd::detail::row_kernels<T>(level);
      for (const std::size_t n : sizes()) {
        for (const std::size_t k : std::vector<std::size_t>{1, 4, 15, 16, 17, 40}) {
          CAPTURE(kd::name_of(level));
          CAPTURE(n);
          CAPTURE(k);
          const auto fixed = fixed_rows<T>(40, k, n);
          const std::vector<kd::Index> columns = some_columns(n, 40, n);
          const std::size_t stride = fixed.stride(), n4 = up_to(n, 4);
          const auto scale = random_vector<T>(k, stride, 1), weight = random_vector<T>(n, padded<T>(n), 2);
          kd::detail::AlignedVector<T> blocks(n4 * stride), rows(n4 * stride), tiles(n4 / 4 * (n4 / 4 + 1) / 2 * 16);
          kernels.gather(from(fixed, columns), scale.data(), weight.data(), rows.data(), stride);
          kernels.gather_blocks(from(fixed, columns), scale.data(), weight.data(), blocks.data());
          kernels.row_products(blocks.data(), stride, n4, up_to(k, 4), tiles.data(), from(fixed, columns));
          bool right = true;
          std::size_t at = 0;
          for (std::size_t j = 0; j < n4; j += 4)
            for (std::size_t i = 0; i <= j; i += 4)
              for (std::size_t e = 0; e < 16; ++e, ++at) {
                Sum dot;
                for (std::size_t f = 0; f < stride; ++f)
                  dot.add(static_cast<long double>(rows[(i + e / 4) * stride + f]) *
                          static_cast<long double>(rows[(j + e % 4) * stride + f]));
                right = right && close(tiles[at], dot, k);
              }
          CHECK(right);
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("factorise and solve", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      for (const std::size_t size : sizes()) {
        CAPTURE(kd::name_of(level));
        CAPTURE(size);
        const System<T> system(size, size);
        const auto [x, smallest] = system.alone(kd::detail::row_kernels<T>(level));
        REQUIRE(smallest > T(0));
        CHECK(kindred_test::solves(system.matrix, std::span<const long double>(system.b), x.data(), 20));
      }
    }
  }

  TEST_CASE_TEMPLATE("a system has the same bytes in a batch as alone, whatever the others", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::detail::RowKernels<T>& kernels = kd::detail::row_kernels<T>(level);
      for (const std::size_t most : sizes()) {
        for (const std::size_t used : {kernels.lanes, kernels.lanes - 1, std::size_t{1}}) {
          CAPTURE(kd::name_of(level));
          CAPTURE(most);
          CAPTURE(used);
          const std::size_t size = up_to(most, 4);
          std::vector<System<T>> systems;
          std::vector<kd::detail::AlignedVector<T>> tiles(kernels.lanes), rhs(kernels.lanes, kd::detail::AlignedVector<T>(size, T(0)));
          std::vector<kd::detail::BatchSystem<T>> batch(kernels.lanes);
          for (std::size_t l = 0; l < kernels.lanes; ++l) {
            batch[l].rhs = rhs[l].data();
            if (l >= used) continue;
            const System<T>& system = systems.emplace_back(1 + (most - 1) * (l + 1) / used, most + l);
            tiles[l] = system.tiles();
            for (std::size_t i = 0; i < system.size; ++i) rhs[l][i] = static_cast<T>(system.b[i]);
            batch[l] = {.tiles = tiles[l].data(), .size = up_to(system.size, 4), .largest = system.largest, .rhs = rhs[l].data()};
          }
          kd::detail::AlignedVector<T> work(kd::detail::batch_work(size, kernels.lanes)), smallest(kernels.lanes);
          kernels.solve_batch({.size = size, .systems = batch.data(), .smallest = smallest.data(), .work = work.data()});
          kindred_test::Same same;
          for (std::size_t l = 0; l < used; ++l) {
            const auto [x, pivot] = systems[l].alone(kernels);
            same = same +
                   kindred_test::same_array(std::span(x).first(systems[l].size), std::span(rhs[l]).first(systems[l].size), "solution") +
                   kindred_test::same_array(std::span(&pivot, 1), std::span(&smallest[l], 1), "smallest pivot");
          }
          CHECK(same);
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("a matrix that is not positive definite is noticed, alone and in a batch", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::detail::RowKernels<T>& kernels = kd::detail::row_kernels<T>(level);
      for (const std::size_t size : std::vector<std::size_t>{1, 5, 17, 40}) {
        System<T> system(size, size);
        system.matrix.back() = -3.0L;  // the last diagonal entry
        CHECK_FALSE(system.alone(kernels).second > T(0));
        const kd::detail::AlignedVector<T> tiles = system.tiles();
        const std::size_t order = up_to(size, 4);
        std::vector<kd::detail::AlignedVector<T>> rhs(kernels.lanes, kd::detail::AlignedVector<T>(order, T(1)));
        std::vector<kd::detail::BatchSystem<T>> batch(kernels.lanes);
        for (std::size_t l = 0; l < kernels.lanes; ++l) batch[l].rhs = rhs[l].data();
        batch[0] = {.tiles = tiles.data(), .size = order, .largest = system.largest, .rhs = rhs[0].data()};
        kd::detail::AlignedVector<T> work(kd::detail::batch_work(order, kernels.lanes)), smallest(kernels.lanes);
        kernels.solve_batch({.size = order, .systems = batch.data(), .smallest = smallest.data(), .work = work.data()});
        CHECK_FALSE(smallest[0] > T(0));
      }
    }
  }

  TEST_CASE_TEMPLATE("sums of far rows have the bytes of combine, whatever is read ahead", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      for (std::size_t k = 1; k <= 20 * (64 / sizeof(T)); k += 5) {  // every number of vectors in a pass, and up to three passes
        const auto fixed = fixed_rows<T>(40, k, k);
        const std::vector<kd::Index> columns = some_columns(33, 40, k);
        const auto weight = random_vector<T>(33, padded<T>(33), 2);
        for (const std::size_t n : std::vector<std::size_t>{0, 1, 5, 20, 33}) {
          CAPTURE(kd::name_of(level));
          CAPTURE(k);
          CAPTURE(n);
          kd::detail::GatherArguments<T> rows = from(fixed, columns);
          rows.count = n;
          kd::detail::AlignedVector<T> wanted(fixed.stride(), T(-1)), sum(fixed.stride(), T(-2)), alone(fixed.stride(), T(-3));
          kd::detail::row_kernels<T>(level).combine(rows, weight.data(), wanted.data());
          kd::detail::matrix_kernels<T>(level).sum_rows(rows, columns.size(), weight.data(), sum.data());
          kd::detail::matrix_kernels<T>(level).sum_rows(rows, n, weight.data(), alone.data());
          CHECK(sum == wanted);
          CHECK(alone == wanted);
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("sums of outer products and plain products", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::detail::MatrixKernels<T>& kernels = kd::detail::matrix_kernels<T>(level);
      for (const std::size_t size : sizes()) {
        for (const std::size_t n : std::vector<std::size_t>{1, 3, 8, 9, 20}) {
          CAPTURE(kd::name_of(level));
          CAPTURE(size);
          CAPTURE(n);
          const std::size_t ld = padded<T>(size);
          const auto rows = random_vector<T>(n * ld, n * ld, size);
          kd::detail::AlignedVector<T> negative = rows;
          for (T& entry : negative) entry = -entry;
          kd::detail::AlignedVector<T> sum((ld + 8) * ld, T(0));
          kernels.accumulate(sum.data(), ld, size, rows.data(), rows.data(), n, {});
          bool right = true;
          for (std::size_t i = 0; i < size; ++i)
            for (std::size_t j = i; j < size; ++j)
              right = right && close(sum[i * ld + j], kindred_test::outer(rows.data(), rows.data(), ld, n, i, j), n);
          CHECK(right);
          kernels.accumulate(sum.data(), ld, size, negative.data(), rows.data(), n, {});  // and away again: what is left is rounding
          for (std::size_t i = 0; i < size; ++i)
            CHECK(std::abs(sum[i * ld + i]) < T(100) * static_cast<T>(n) * std::numeric_limits<T>::epsilon());

          const std::size_t left_ld = ld + 16, out_ld = ld + 32;
          const auto left = random_vector<T>(n * left_ld, n * left_ld, size + 1);
          const auto square = random_vector<T>(size * ld, size * ld, size + 2);
          kd::detail::AlignedVector<T> product(n * out_ld, T(-1)), one(ld, T(-1));
          kernels.multiply(left.data(), left_ld, n, square.data(), ld, ld, size, product.data(), out_ld);
          right = true;
          for (std::size_t r = 0; r < n; ++r) {
            for (std::size_t j = 0; j < ld; ++j) {
              Sum wanted;
              for (std::size_t p = 0; p < size; ++p)
                wanted.add(static_cast<long double>(left[r * left_ld + p]) * static_cast<long double>(square[p * ld + j]));
              right = right && close(product[r * out_ld + j], wanted, size);
            }
            for (std::size_t j = ld; j < out_ld; ++j) right = right && product[r * out_ld + j] == T(-1);
          }
          CHECK(right);
          // A row's bytes do not depend on the rows beside it.
          kernels.multiply(left.data() + (n - 1) * left_ld, left_ld, 1, square.data(), ld, ld, size, one.data(), ld);
          CHECK(kindred_test::same_array(one, std::span(product).subspan((n - 1) * out_ld, one.size())));
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("products deeper than the kernel's panel", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const std::size_t k = 523, ld = 528, n = 11;
      const auto left = random_vector<T>(n * ld, n * ld, 1), right = random_vector<T>(k * ld, k * ld, 2);
      kd::detail::AlignedVector<T> product(n * ld);
      kd::detail::matrix_kernels<T>(level).multiply(left.data(), ld, n, right.data(), ld, ld, k, product.data(), ld);
      for (const std::size_t j : std::vector<std::size_t>{0, 47, 522}) {
        Sum wanted;
        for (std::size_t p = 0; p < k; ++p)
          wanted.add(static_cast<long double>(left[10 * ld + p]) * static_cast<long double>(right[p * ld + j]));
        CHECK(close(product[10 * ld + j], wanted, k));
      }
    }
  }

  TEST_CASE_TEMPLATE("conjugate gradients solve the system, packed or block by block", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      for (const std::size_t k : std::vector<std::size_t>{1, 7, 16, 17, 33, 64, 80}) {
        for (const std::size_t block : std::vector<std::size_t>{4, 12, 64}) {
          CAPTURE(kd::name_of(level));
          CAPTURE(k);
          CAPTURE(block);
          const std::size_t n = 29;
          kd::FactorMatrix<T> fixed(30, static_cast<kd::Index>(k));
          for (kd::Index r = 0; r < 30; ++r) {
            const auto values = random_vector<T>(k, k, static_cast<std::uint64_t>(r) + 1);
            std::copy(values.begin(), values.end(), fixed.row(r).begin());
          }
          const std::vector<kd::Index> columns = some_columns(n, 30, k);
          const std::size_t stride = fixed.stride();
          const auto scale = random_vector<T>(k, stride, 1), weight = random_vector<T>(n, 32, 2), target = random_vector<T>(n, 32, 4);
          const bool has_base = block != 12;
          const auto base = has_base ? random_vector<T>(k, stride, 3) : kd::detail::AlignedVector<T>(stride, T(0));
          const kd::detail::AlignedVector<T> ones(block, T(1));
          kd::detail::AlignedVector<T> z(stride, T(0)), scratch(3 * stride), rows(up_to((std::min)(n, block), 4) * stride);
          kd::detail::row_kernels<T>(level).conjugate_gradient({.from = from(fixed, columns),
                                                                .weight = weight.data(),
                                                                .target = target.data(),
                                                                .scale = scale.data(),
                                                                .ones = ones.data(),
                                                                .base = has_base ? base.data() : nullptr,
                                                                .z = z.data(),
                                                                .scratch = scratch.data(),
                                                                .rows = rows.data(),
                                                                .block = block,
                                                                .steps = 100,
                                                                .tolerance = std::numeric_limits<T>::epsilon(),
                                                                .ahead = {}});
          const std::vector<long double> b = kindred_test::gathered<T>(fixed, columns, scale, {});
          long double largest = 0.0L, worst = 0.0L;
          for (std::size_t f = 0; f < k; ++f) {
            long double left = static_cast<long double>(z[f]), right = static_cast<long double>(base[f]);
            for (std::size_t r = 0; r < n; ++r) {
              long double dot = 0.0L;
              for (std::size_t g = 0; g < k; ++g) dot += b[r * k + g] * static_cast<long double>(z[g]);
              left += static_cast<long double>(weight[r]) * dot * b[r * k + f];
              right += static_cast<long double>(target[r]) * b[r * k + f];
            }
            largest = (std::max)(largest, std::abs(right));
            worst = (std::max)(worst, std::abs(left - right));
          }
          // The largest eigenvalue is below 1 + 29 x 80 x 1.25^6, and CG ends at rounding times it.
          CHECK(worst < 9000.0L * static_cast<long double>(std::numeric_limits<T>::epsilon()) * largest);
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("the terms of a row", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::detail::RowKernels<T>& kernels = kd::detail::row_kernels<T>(level);
      for (const std::size_t n : sizes()) {
        std::vector<float> values;
        std::vector<T> strengths;
        for (std::size_t at = 0; at < n; ++at) {
          values.push_back(at % 3 == 1 ? -2.5F : static_cast<float>(at + 1));
          strengths.push_back(static_cast<T>(0.25 * static_cast<double>(at)));
        }
        for (const bool given : {false, true}) {
          kd::detail::AlignedVector<double> excess(up_to(n, 8)), target(up_to(n, 8));
          kd::detail::TermsArguments<T> a{.values = values.data(),
                                          .strengths = given ? strengths.data() : nullptr,
                                          .count = n,
                                          .cap = 9.0,
                                          .alpha = 0.5,
                                          .base = 1.0,
                                          .excess_base = 0.25,
                                          .excess = excess.data(),
                                          .target = target.data()};
          CHECK(kernels.terms(a));
          for (std::size_t at = 0; at < n; ++at) {  // all numbers are short enough to be exact
            const double g = given ? static_cast<double>(strengths[at]) : (std::min)(9.0, std::abs(static_cast<double>(values[at])));
            CHECK(excess[at] == doctest::Approx(0.25 + 0.5 * g).epsilon(1e-15));
            CHECK(target[at] == doctest::Approx(values[at] > 0.0F ? 1.0 + 0.5 * g : 0.0).epsilon(1e-15));
          }
          a.alpha = -1e3;
          if (n > 1) CHECK_FALSE(kernels.terms(a));
          a.alpha = (std::numeric_limits<double>::max)();
          if (n > 5) CHECK_FALSE(kernels.terms(a));
        }

        kd::detail::AlignedVector<double> excess(n), target(n);
        for (std::size_t at = 0; at < n; ++at) {
          excess[at] = 0.5 + static_cast<double>(at);
          target[at] = at % 2 == 0 ? 0.0 : 3.0;
        }
        kd::detail::AlignedVector<T> weight(padded<T>(n)), rhs(padded<T>(n)), narrow(padded<T>(n)), product(padded<T>(n), T(1));
        CHECK(kernels.regular_weights(excess.data(), target.data(), n, 0.01, weight.data(), rhs.data()));
        kernels.narrow(excess.data(), n, narrow.data());
        for (std::size_t at = 0; at < n; ++at) {
          CHECK(weight[at] == static_cast<T>(std::sqrt(excess[at])));
          CHECK(rhs[at] == static_cast<T>(target[at] / std::sqrt(excess[at])));
          CHECK(narrow[at] == static_cast<T>(excess[at]));
        }
        kd::detail::AlignedVector<double> wide(n + 1, -1.0);
        kd::detail::matrix_kernels<T>(level).scale_to_double(weight.data(), 1.25, n, wide.data());
        for (std::size_t at = 0; at < n; ++at) CHECK(wide[at] == static_cast<double>(weight[at]) * 1.25);
        CHECK(wide[n] == -1.0);
        CHECK(kernels.scale_by(narrow.data(), weight.data(), padded<T>(n), product.data()));
        for (std::size_t at = 0; at < n; ++at) CHECK(product[at] == narrow[at] * weight[at]);
        for (const std::size_t at : {std::size_t{0}, n / 2, n - 1}) {
          const double kept = excess[at];
          for (const double d : {0.0, -1.0, 1e-9}) {
            excess[at] = d;
            target[at] = 1.0;
            CHECK_FALSE(kernels.regular_weights(excess.data(), target.data(), n, 0.01, weight.data(), rhs.data()));
          }
          excess[at] = kept;
          const T before = narrow[at];
          for (const T bad : {std::numeric_limits<T>::infinity(), std::numeric_limits<T>::quiet_NaN()}) {
            narrow[at] = bad;
            CHECK_FALSE(kernels.scale_by(narrow.data(), product.data(), padded<T>(n), product.data()));
            std::fill(product.begin(), product.end(), T(1));
          }
          narrow[at] = before;
        }
      }
    }
  }

  TEST_CASE("rows of doubles") {
    constexpr std::size_t ld = 136;
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::detail::VectorKernels& kernels = kd::detail::vector_kernels(level);
      for (const std::size_t n : std::vector<std::size_t>{8, 16, 24, 40, 104}) {
        CAPTURE(n);
        const auto x = random_vector<double>(n, n, 1), y = random_vector<double>(n, n, 2), v = random_vector<double>(n, n, 4);
        const auto before = random_vector<double>(6 * ld, 6 * ld, 3);
        const auto given = random_vector<double>(n, n, 5);
        const std::vector<double> along_x{2.0, 0.0, -1.0, 0.5}, along_y{-3.0, 0.0, 1.0, 0.25}, mirror{1.0, 2.0, 0.0, -0.5};

        Sum dot;
        for (std::size_t f = 0; f < n; ++f) dot.add(static_cast<long double>(x[f]) * static_cast<long double>(y[f]));
        CHECK(close(kernels.dot(x.data(), y.data(), n), dot, n));

        auto rows = before;
        auto product = given;
        std::vector<double> dots(4);
        kernels.update_rows({.rows = rows.data(),
                             .ld = ld,
                             .count = n,
                             .along_x = along_x.data(),
                             .x = x.data(),
                             .along_y = along_y.data(),
                             .y = y.data(),
                             .v = v.data(),
                             .dots = dots.data(),
                             .mirror = mirror.data(),
                             .product = product.data(),
                             .skip = 8});
        std::vector<Sum> mirrored(n);
        for (std::size_t f = 0; f < n; ++f) mirrored[f].add(static_cast<long double>(given[f]));
        for (std::size_t r = 0; r < 4; ++r) {
          Sum wanted_dot;
          for (std::size_t f = 0; f < ld; ++f) {
            Sum wanted;
            wanted.add(static_cast<long double>(before[r * ld + f]));
            if (f < n) {
              wanted.add(-static_cast<long double>(along_x[r]) * static_cast<long double>(x[f]));
              wanted.add(-static_cast<long double>(along_y[r]) * static_cast<long double>(y[f]));
              wanted_dot.add(wanted.value * static_cast<long double>(v[f]));
              wanted_dot.scale += wanted.scale;
              if (f >= 8) mirrored[f].add(static_cast<long double>(mirror[r]) * wanted.value);
              mirrored[f].scale += wanted.scale;
            }
            CHECK(close(rows[r * ld + f], wanted, 3));
          }
          CHECK(close(dots[r], wanted_dot, n));
        }
        for (std::size_t f = 0; f < n; ++f) CHECK(close(product[f], mirrored[f], 8));

        rows = before;
        kernels.reflect_rows(rows.data(), ld, v.data(), 0.5, n);
        for (std::size_t r = 0; r < 4; ++r) {
          Sum along;
          for (std::size_t f = 0; f < n; ++f) along.add(static_cast<long double>(before[r * ld + f]) * static_cast<long double>(v[f]));
          for (std::size_t f = 0; f < ld; ++f) {
            Sum wanted;
            wanted.add(static_cast<long double>(before[r * ld + f]));
            if (f < n) wanted.add(-0.5L * along.value * static_cast<long double>(v[f]));
            CHECK(close(rows[r * ld + f], wanted, n));
          }
        }

        // Five rotations, one after the other, from the last of six rows upwards.
        rows = before;
        std::vector<long double> wanted(before.begin(), before.end());
        const std::vector<double> c{0.6, 1.0, 0.0, 0.28, -0.8}, s{0.8, 0.0, 1.0, -0.96, 0.6};
        kernels.rotate_rows(rows.data() + 5 * ld, ld, c.data(), s.data(), 5, n);
        for (std::size_t turn = 0; turn < 5; ++turn) {
          for (std::size_t f = 0; f < n; ++f) {
            long double& upper = wanted[(4 - turn) * ld + f];
            long double& lower = wanted[(5 - turn) * ld + f];
            const long double cosine = static_cast<long double>(c[turn]), sine = static_cast<long double>(s[turn]);
            const long double turned = cosine * upper - sine * lower;
            lower = sine * upper + cosine * lower;
            upper = turned;
          }
        }
        for (std::size_t at = 0; at < rows.size(); ++at) CHECK(static_cast<double>(wanted[at]) == doctest::Approx(rows[at]).epsilon(1e-14));
      }
    }
  }
}
