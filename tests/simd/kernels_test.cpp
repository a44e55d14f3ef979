// SPDX-License-Identifier: MIT
// Every kernel at every level that this processor has, against plain loops in long double, at sizes around the edges of the tiles.
#include <kindred/simd/kernels.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/aligned.hpp>
#include <kindred/core/random.hpp>

#include "support/simd_levels.hpp"

namespace kd = kindred;

namespace {

// Within one of every edge: 4 and 8 rows a tile; 2, 4, 8 and 16 lanes, three vectors wide.
const std::vector<std::size_t> sizes = {1,  2,  3,  4,  5,  7,  8,  9,  11, 12, 13, 15, 16, 17, 23,
                                        24, 25, 31, 32, 33, 47, 48, 49, 63, 64, 65, 95, 96, 97};

template <typename T>
std::size_t padded(std::size_t size) {
  constexpr std::size_t line = kd::row_alignment / sizeof(T);
  return (size + line - 1) / line * line;
}

/// Fixed rows with a few special values among ordinary ones: zeros, denormals and huge ratios.
template <typename T>
kd::FactorMatrix<T> fixed_rows(kd::Index rows, std::size_t factors, std::uint64_t seed) {
  kd::FactorMatrix<T> fixed(rows, static_cast<kd::Index>(factors));
  for (kd::Index r = 0; r < rows; ++r) {
    kd::Random random(seed, kd::RandomStream::sample, static_cast<std::uint64_t>(r));
    for (T& value : fixed.row(r)) {
      const std::uint32_t kind = random.below(20);
      value = kind == 0   ? T(0)
              : kind == 1 ? std::numeric_limits<T>::denorm_min() * T(7)
              : kind == 2 ? T(1e-6)
                          : static_cast<T>(random.normal());
    }
  }
  return fixed;
}

std::vector<kd::Index> some_columns(std::size_t count, kd::Index rows, std::uint64_t seed) {
  kd::Random random(seed, kd::RandomStream::split);
  std::vector<kd::Index> columns;
  for (std::size_t n = 0; n < count; ++n) columns.push_back(static_cast<kd::Index>(random.below(static_cast<std::uint32_t>(rows))));
  return columns;
}

template <typename T>
kd::AlignedVector<T> random_vector(std::size_t size, std::size_t length, std::uint64_t seed) {
  kd::AlignedVector<T> values(length, T(0));
  kd::Random random(seed, kd::RandomStream::search);
  for (std::size_t n = 0; n < size; ++n) values[n] = static_cast<T>(random.uniform() + 0.25);
  return values;
}

template <typename T>
kd::GatherArguments<T> from(const kd::FactorMatrix<T>& fixed, const std::vector<kd::Index>& columns) {
  return {.fixed = fixed.data(),
          .stride = fixed.stride(),
          .factors = static_cast<std::size_t>(fixed.factors()),
          .columns = columns.data(),
          .count = columns.size()};
}

/// Rounding errors of a sum of n products whose absolute values add up to `scale`: n eps scale, and a little for the underflow of denormals.
template <typename T>
bool close(T value, long double wanted, std::size_t n, long double scale) {
  const long double eps = static_cast<long double>(std::numeric_limits<T>::epsilon());
  const long double tiny = static_cast<long double>((std::numeric_limits<T>::min)());
  return std::abs(static_cast<long double>(value) - wanted) <= static_cast<long double>(n + 3) * (eps * scale + tiny);
}

}  // namespace

TEST_SUITE("simd/kernels") {
  TEST_CASE_TEMPLATE("gathers, dots and sums of rows", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::RowKernels<T>& kernels = kd::row_kernels<T>(level);
      for (const std::size_t k : sizes) {
        const auto fixed = fixed_rows<T>(40, k, k);
        for (const std::size_t n : std::vector<std::size_t>{1, 2, 4, 5, 15, 16, 17, 33}) {
          CAPTURE(kd::name_of(level));
          CAPTURE(k);
          CAPTURE(n);
          const std::vector<kd::Index> columns = some_columns(n, 40, n);
          const std::size_t ld = padded<T>(n);
          const std::size_t stride = fixed.stride();
          const auto scale = random_vector<T>(k, stride, 1);
          const auto weight = random_vector<T>(n, ld, 2);
          kd::AlignedVector<T> rows(n * stride), transposed(k * ld), sum(stride), dots(ld);
          kd::AlignedVector<double> exact(stride, 0.0), exact_dots(ld, 0.0);
          for (std::size_t f = 0; f < k; ++f) exact[f] = static_cast<double>(scale[f]);
          kernels.gather(from(fixed, columns), scale.data(), weight.data(), rows.data(), stride);
          kernels.gather_transposed(from(fixed, columns), scale.data(), weight.data(), transposed.data(), ld);
          kernels.combine(from(fixed, columns), weight.data(), sum.data());
          kernels.dots(from(fixed, columns), scale.data(), dots.data());
          kernels.exact_dots(from(fixed, columns), exact.data(), exact_dots.data());

          bool gathers = true, others = true;
          for (std::size_t r = 0; r < n; ++r) {
            const std::span<const T> y = fixed.row(columns[r]);
            long double dot = 0.0L, absolute = 0.0L;
            for (std::size_t f = 0; f < k; ++f) {
              const long double product = static_cast<long double>(y[f]) * static_cast<long double>(scale[f]);
              const long double wanted = product * static_cast<long double>(weight[r]);
              gathers = gathers && close(rows[r * stride + f], wanted, 1, std::abs(wanted)) &&
                        close(transposed[f * ld + r], wanted, 1, std::abs(wanted));
              dot += product;
              absolute += std::abs(product);
            }
            others = others && close(dots[r], dot, k, absolute) && close(exact_dots[r], dot, k, absolute);
          }
          for (std::size_t f = 0; f < k; ++f) {
            long double wanted = 0.0L, absolute = 0.0L;
            for (std::size_t r = 0; r < n; ++r) {
              const long double term = static_cast<long double>(fixed.row(columns[r])[f]) * static_cast<long double>(weight[r]);
              wanted += term;
              absolute += std::abs(term);
            }
            others = others && close(sum[f], wanted, n, absolute);
            for (std::size_t r = n; r < ld; ++r) gathers = gathers && transposed[f * ld + r] == T(0);
          }
          CHECK(gathers);
          CHECK(others);
        }
      }
    }
  }

  // U' D U x = rhs is checked through its residual in long double: backward stability, |A x - b| <= c n eps (|A| |x| + |b|).
  TEST_CASE_TEMPLATE("factorise and solve", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::RowKernels<T>& kernels = kd::row_kernels<T>(level);
      for (const std::size_t size : sizes) {
        for (const int form : {0, 1, 2}) {  // a plus part alone; with a start; with a minus part
          CAPTURE(kd::name_of(level));
          CAPTURE(size);
          CAPTURE(form);
          const std::size_t ld = padded<T>(size);
          const std::size_t n_plus = 20, n_minus = form == 2 ? 3 : 0;
          kd::AlignedVector<T> plus(n_plus * ld, T(0)), minus(3 * ld, T(0)), start((ld + 8) * ld, T(0));
          kd::Random random(size, kd::RandomStream::sample);
          for (std::size_t p = 0; p < n_plus; ++p)
            for (std::size_t c = 0; c < size; ++c) plus[p * ld + c] = static_cast<T>(random.normal() * (p == 0 ? 30.0 : 1.0));
          for (std::size_t p = 0; p < 3; ++p)
            for (std::size_t c = 0; c < size; ++c)
              minus[p * ld + c] = static_cast<T>(0.02 * random.normal() / std::sqrt(static_cast<double>(size)));
          std::vector<long double> matrix(size * size, 0.0L);
          for (std::size_t i = 0; i < size; ++i) {
            matrix[i * size + i] = 1.0L;
            if (form == 1) {
              start[i * ld + i] = T(0.5);
              matrix[i * size + i] += 0.5L;
            }
            for (std::size_t j = 0; j < size; ++j) {
              for (std::size_t p = 0; p < n_plus; ++p)
                matrix[i * size + j] += static_cast<long double>(plus[p * ld + i]) * static_cast<long double>(plus[p * ld + j]);
              for (std::size_t p = 0; p < n_minus; ++p)
                matrix[i * size + j] -= static_cast<long double>(minus[p * ld + i]) * static_cast<long double>(minus[p * ld + j]);
            }
          }
          const std::size_t order = (std::max)(ld, (size + 7) / 8 * 8);
          kd::AlignedVector<T> v(order * ld), rhs(order, T(0)), inverse(order), panel(order * 8), x(order, T(0));
          std::vector<long double> b(size);
          for (std::size_t i = 0; i < size; ++i) b[i] = static_cast<long double>(rhs[i] = static_cast<T>(random.normal()));
          const kd::FactorizeArguments<T> a{.v = v.data(),
                                            .ld = ld,
                                            .size = size,
                                            .plus = plus.data(),
                                            .n_plus = n_plus,
                                            .minus = minus.data(),
                                            .n_minus = n_minus,
                                            .start = form == 1 ? start.data() : nullptr,
                                            .rhs = rhs.data(),
                                            .inverse = inverse.data(),
                                            .panel = panel.data()};
          REQUIRE(kernels.factorize(a) > T(0));
          kernels.back_substitute(a, x.data());
          const long double eps = static_cast<long double>(std::numeric_limits<T>::epsilon());
          bool solved = true;
          for (std::size_t i = 0; i < size; ++i) {
            long double residual = -b[i], scale = std::abs(b[i]);
            for (std::size_t j = 0; j < size; ++j) {
              residual += matrix[i * size + j] * static_cast<long double>(x[j]);
              scale += std::sqrt(matrix[i * size + i] * matrix[j * size + j]) * std::abs(static_cast<long double>(x[j]));
            }
            solved = solved && std::abs(residual) <= 4.0L * static_cast<long double>(size + n_plus) * eps * scale;
          }
          CHECK(solved);
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("a matrix that is not positive definite is noticed", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      for (const std::size_t size : std::vector<std::size_t>{1, 5, 17, 40}) {
        const std::size_t ld = padded<T>(size);
        kd::AlignedVector<T> minus(ld, T(0)), v((ld + 8) * ld), rhs(ld + 8, T(0)), inverse(ld + 8), panel((ld + 8) * 8);
        minus[size - 1] = T(2);  // the last diagonal entry becomes 1 - 4
        CHECK(kd::row_kernels<T>(level).factorize({.v = v.data(),
                                                   .ld = ld,
                                                   .size = size,
                                                   .minus = minus.data(),
                                                   .n_minus = 1,
                                                   .rhs = rhs.data(),
                                                   .inverse = inverse.data(),
                                                   .panel = panel.data()}) < T(0));
      }
    }
  }

  TEST_CASE_TEMPLATE("sums of outer products and plain products", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::MatrixKernels<T>& kernels = kd::matrix_kernels<T>(level);
      for (const std::size_t size : sizes) {
        for (const std::size_t n : std::vector<std::size_t>{1, 3, 8, 9, 20}) {
          CAPTURE(kd::name_of(level));
          CAPTURE(size);
          CAPTURE(n);
          const std::size_t ld = padded<T>(size);
          const auto rows = random_vector<T>(n * ld, n * ld, size);
          kd::AlignedVector<T> sum((ld + 8) * ld, T(0));
          kernels.accumulate(sum.data(), ld, size, rows.data(), n, false);
          bool right = true;
          for (std::size_t i = 0; i < size; ++i) {
            for (std::size_t j = i; j < size; ++j) {
              long double wanted = 0.0L;
              for (std::size_t p = 0; p < n; ++p)
                wanted += static_cast<long double>(rows[p * ld + i]) * static_cast<long double>(rows[p * ld + j]);
              right = right && close(sum[i * ld + j], wanted, n, wanted);
            }
          }
          CHECK(right);
          kernels.accumulate(sum.data(), ld, size, rows.data(), n, true);  // and away again: what is left is rounding
          for (std::size_t i = 0; i < size; ++i)
            CHECK(std::abs(sum[i * ld + i]) < T(100) * static_cast<T>(n) * std::numeric_limits<T>::epsilon());

          const std::size_t left_ld = padded<T>(size) + 16;
          const auto left = random_vector<T>(n * left_ld, n * left_ld, size + 1);
          const auto square = random_vector<T>(size * ld, size * ld, size + 2);
          kd::AlignedVector<T> product(n * ld, T(-1)), one(ld, T(-1));
          kernels.multiply(left.data(), left_ld, n, square.data(), ld, size, product.data());
          right = true;
          for (std::size_t r = 0; r < n; ++r) {
            for (std::size_t j = 0; j < size; ++j) {
              long double wanted = 0.0L;
              for (std::size_t p = 0; p < size; ++p)
                wanted += static_cast<long double>(left[r * left_ld + p]) * static_cast<long double>(square[p * ld + j]);
              right = right && close(product[r * ld + j], wanted, size, wanted);
            }
          }
          CHECK(right);
          // A row's bytes do not depend on the rows beside it.
          kernels.multiply(left.data() + (n - 1) * left_ld, left_ld, 1, square.data(), ld, size, one.data());
          CHECK(std::equal(one.begin(), one.end(), product.begin() + static_cast<std::ptrdiff_t>((n - 1) * ld)));
        }
      }
    }
  }

  TEST_CASE("products deeper than the kernel's panel") {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const std::size_t k = 523, ld = 528, n = 11;
      const auto left = random_vector<double>(n * ld, n * ld, 1), right = random_vector<double>(k * ld, k * ld, 2);
      kd::AlignedVector<double> product(n * ld);
      kd::matrix_kernels<double>(level).multiply(left.data(), ld, n, right.data(), ld, k, product.data());
      for (const std::size_t j : std::vector<std::size_t>{0, 47, 522}) {
        long double wanted = 0.0L;
        for (std::size_t p = 0; p < k; ++p)
          wanted += static_cast<long double>(left[10 * ld + p]) * static_cast<long double>(right[p * ld + j]);
        CHECK(close(product[10 * ld + j], wanted, k, wanted));
      }
    }
  }

  TEST_CASE_TEMPLATE("conjugate gradients solve the system", T, float, double) {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      for (const std::size_t k : std::vector<std::size_t>{1, 7, 16, 33}) {
        const auto fixed = fixed_rows<T>(30, k, k);
        const std::vector<kd::Index> columns = some_columns(9, 30, k);
        const std::size_t stride = fixed.stride();
        const auto scale = random_vector<T>(k, stride, 1), weight = random_vector<T>(9, 16, 2), rhs = random_vector<T>(k, stride, 3);
        kd::AlignedVector<T> z(stride, T(0)), scratch(4 * stride);
        kd::row_kernels<T>(level).conjugate_gradient({.from = from(fixed, columns),
                                                      .weight = weight.data(),
                                                      .scale = scale.data(),
                                                      .rhs = rhs.data(),
                                                      .z = z.data(),
                                                      .scratch = scratch.data(),
                                                      .steps = 60,
                                                      .tolerance = T(0)});
        for (std::size_t f = 0; f < k; ++f) {
          long double left = static_cast<long double>(z[f]);
          for (std::size_t n = 0; n < 9; ++n) {
            const std::span<const T> y = fixed.row(columns[n]);
            long double dot = 0.0L;
            for (std::size_t g = 0; g < k; ++g)
              dot += static_cast<long double>(y[g]) * static_cast<long double>(scale[g]) * static_cast<long double>(z[g]);
            left += static_cast<long double>(weight[n]) * dot * static_cast<long double>(y[f]) * static_cast<long double>(scale[f]);
          }
          // The condition number is below 500 or so, and CG ends at rounding times it.
          CHECK(std::abs(left - static_cast<long double>(rhs[f])) < 2000.0L * static_cast<long double>(std::numeric_limits<T>::epsilon()));
        }
      }
    }
  }

  TEST_CASE("vectors of doubles") {
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::VectorKernels& kernels = kd::vector_kernels(level);
      for (const std::size_t n : std::vector<std::size_t>{8, 16, 24, 40, 104}) {
        auto x = random_vector<double>(n, n, 1), y = random_vector<double>(n, n, 2), row = random_vector<double>(n, n, 3);
        const auto x0 = x, y0 = y, row0 = row;
        long double dot = 0.0L;
        for (std::size_t f = 0; f < n; ++f) dot += static_cast<long double>(x[f]) * static_cast<long double>(y[f]);
        CHECK(close(kernels.dot(x.data(), y.data(), n), dot, n, dot));
        const double after = kernels.update_and_dot(row.data(), 2.0, x.data(), -3.0, y.data(), x0.data(), n);
        kernels.axpy(0.5, x.data(), y.data(), n);
        kernels.plane_rotation(x.data(), row.data(), 0.6, 0.8, n);
        long double wanted = 0.0L;
        for (std::size_t f = 0; f < n; ++f) {
          const double updated = row0[f] - 2.0 * x0[f] + 3.0 * y0[f];
          wanted += static_cast<long double>(updated) * static_cast<long double>(x0[f]);
          CHECK(y[f] == doctest::Approx(y0[f] + 0.5 * x0[f]).epsilon(1e-15));
          CHECK(x[f] == doctest::Approx(0.6 * x0[f] - 0.8 * updated).epsilon(1e-14));
          CHECK(row[f] == doctest::Approx(0.8 * x0[f] + 0.6 * updated).epsilon(1e-14));
        }
        CHECK(close(after, wanted, n, 10.0L * static_cast<long double>(n)));
      }
    }
  }
}
