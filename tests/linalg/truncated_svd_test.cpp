// SPDX-License-Identifier: MIT
#include <kindred/linalg/truncated_svd.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/data/csr_matrix.hpp>

#include "../support/random_matrix.hpp"
#include "../support/simd_levels.hpp"
#include "../support/streamed_matrix.hpp"

namespace kd = kindred;
namespace detail = kindred::detail;
using detail::SvdVectors;
using kindred_test::random_matrix;

namespace {

using Dense = std::vector<std::vector<long double>>;  // row by row

/// A with entry a_ui = scale_u scale_i value.
Dense scaled_dense(const kd::CsrView& matrix, std::span<const double> rows, std::span<const double> columns) {
  Dense dense(static_cast<std::size_t>(matrix.rows()), std::vector<long double>(static_cast<std::size_t>(matrix.cols()), 0.0L));
  for (std::size_t u = 0; u < dense.size(); ++u) {
    const kd::SparseRow row = matrix.row(static_cast<kd::Index>(u));
    for (std::size_t n = 0; n < row.size(); ++n) {
      const auto i = static_cast<std::size_t>(row.columns[n]);
      dense[u][i] = static_cast<long double>(row.values[n]) * (rows.empty() ? 1.0L : static_cast<long double>(rows[u])) *
                    (columns.empty() ? 1.0L : static_cast<long double>(columns[i]));
    }
  }
  return dense;
}

/// All singular values, falling, and the right vectors in the columns of v: one-sided Jacobi, Golub and Van Loan, 4th
/// ed., section 8.6.3.
struct JacobiSvd {
  std::vector<long double> values;
  Dense v;

  explicit JacobiSvd(Dense a) {
    const std::size_t rows = a.size(), columns = rows > 0 ? a.front().size() : 0;
    Dense turned(columns, std::vector<long double>(columns, 0.0L));
    for (std::size_t c = 0; c < columns; ++c) turned[c][c] = 1.0L;
    bool changed = true;
    for (int sweep = 0; sweep < 60 && changed; ++sweep) {
      changed = false;
      for (std::size_t p = 0; p < columns; ++p)
        for (std::size_t q = p + 1; q < columns; ++q) {
          long double pp = 0.0L, qq = 0.0L, pq = 0.0L;
          for (const auto& row : a) {
            pp += row[p] * row[p];
            qq += row[q] * row[q];
            pq += row[p] * row[q];
          }
          if (std::abs(pq) <= 1e-18L * std::sqrt(pp * qq) || pq == 0.0L) continue;
          changed = true;
          const long double half = (qq - pp) / (2.0L * pq);
          const long double t = (half >= 0.0L ? 1.0L : -1.0L) / (std::abs(half) + std::sqrt(1.0L + half * half));
          const long double c = 1.0L / std::sqrt(1.0L + t * t), s = c * t;
          for (Dense* turn : {&a, &turned})
            for (auto& row : *turn) {
              const long double x = row[p], y = row[q];
              row[p] = c * x - s * y;
              row[q] = s * x + c * y;
            }
        }
    }
    std::vector<long double> lengths(columns, 0.0L);
    for (const auto& row : a)
      for (std::size_t c = 0; c < columns; ++c) lengths[c] += row[c] * row[c];
    std::vector<std::size_t> order(columns);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) { return lengths[x] > lengths[y]; });
    v.assign(columns, std::vector<long double>(columns));
    for (std::size_t n = 0; n < columns; ++n) {
      values.push_back(std::sqrt(lengths[order[n]]));
      for (std::size_t c = 0; c < columns; ++c) v[c][n] = turned[c][order[n]];
    }
  }
};

/// The largest entry of X' X - I over the first `rank` columns.
template <typename T>
double departure_from_orthonormal(const kd::FactorMatrix<T>& x, std::size_t rank) {
  double worst = 0.0;
  for (std::size_t a = 0; a < rank; ++a)
    for (std::size_t b = 0; b <= a; ++b) {
      double sum = 0.0;
      for (kd::Index r = 0; r < x.rows(); ++r) sum += static_cast<double>(x.row(r)[a]) * static_cast<double>(x.row(r)[b]);
      worst = (std::max)(worst, std::abs(sum - (a == b ? 1.0 : 0.0)));
    }
  return worst;
}

/// The largest entry of A - U S V', relative to the largest singular value.
template <typename T>
double svd_residual(const Dense& a, const detail::TruncatedSvd<T>& svd) {
  double worst = 0.0;
  for (std::size_t u = 0; u < a.size(); ++u)
    for (std::size_t i = 0; i < a[u].size(); ++i) {
      long double entry = a[u][i];
      for (std::size_t f = 0; f < svd.rank; ++f)
        entry -= static_cast<long double>(svd.values[f]) * static_cast<long double>(svd.left.row(static_cast<kd::Index>(u))[f]) *
                 static_cast<long double>(svd.right.row(static_cast<kd::Index>(i))[f]);
      worst = (std::max)(worst, static_cast<double>(std::abs(entry)));
    }
  return worst / svd.values.front();
}

template <typename T>
detail::TruncatedSvd<T> decompose(const kd::CsrMatrix& matrix, const detail::SvdOptions& options, std::span<const double> rows = {},
                                  std::span<const double> columns = {}) {
  const kd::CsrMatrix by_columns = kd::transpose(matrix);
  return detail::truncated_svd<T>(detail::weighted_by_values<T>(matrix, rows), detail::weighted_by_values<T>(by_columns, columns), options);
}

/// U S V' of random orthonormal U and V (columns of Gram-Schmidt), as a matrix without zeros.
kd::CsrMatrix planted(kd::Index rows, kd::Index columns, const std::vector<double>& values) {
  kd::detail::Random random(5, kd::detail::RandomStream::sample);
  const auto orthonormal = [&](kd::Index n) {
    std::vector<std::vector<double>> vectors;
    for (std::size_t f = 0; f < values.size(); ++f) {
      std::vector<double> x(static_cast<std::size_t>(n));
      for (double& entry : x) entry = random.normal();
      for (int twice = 0; twice < 2; ++twice)
        for (const auto& y : vectors) {
          const double along = std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
          for (std::size_t r = 0; r < x.size(); ++r) x[r] -= along * y[r];
        }
      const double length = std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
      for (double& entry : x) entry /= length;
      vectors.push_back(x);
    }
    return vectors;
  };
  const auto u = orthonormal(rows), v = orthonormal(columns);
  std::vector<kd::Interaction> entries;
  for (kd::Index r = 0; r < rows; ++r)
    for (kd::Index c = 0; c < columns; ++c) {
      double entry = 0.0;
      for (std::size_t f = 0; f < values.size(); ++f)
        entry += values[f] * u[f][static_cast<std::size_t>(r)] * v[f][static_cast<std::size_t>(c)];
      entries.push_back({r, c, static_cast<float>(entry)});
    }
  return kd::CsrMatrix::from_triplets({rows, columns}, entries);
}

std::vector<double> some_scales(kd::Index count, std::uint64_t seed) {
  kd::detail::Random random(seed, kd::detail::RandomStream::sample);
  std::vector<double> scales;
  for (kd::Index n = 0; n < count; ++n) scales.push_back(0.2 + random.uniform());
  return scales;
}

}  // namespace

TEST_SUITE("linalg/truncated_svd") {
  TEST_CASE("a diagonal matrix by hand") {
    const kd::CsrMatrix matrix =
        kd::CsrMatrix::from_triplets({3, 4}, std::vector<kd::Interaction>{{0, 2, 3.0F}, {1, 0, -5.0F}, {2, 3, 1.0F}});
    const auto svd = decompose<double>(matrix, {.count = 2, .vectors = SvdVectors::both});
    REQUIRE(svd.rank == 2);
    CHECK(svd.values[0] == doctest::Approx(5.0));
    CHECK(svd.values[1] == doctest::Approx(3.0));
    // Right vectors are e_0 and e_2, positive; the sign of the entry -5 is in the left one.
    CHECK(svd.right.row(0)[0] == doctest::Approx(1.0));
    CHECK(svd.right.row(2)[1] == doctest::Approx(1.0));
    CHECK(svd.left.row(1)[0] == doctest::Approx(-1.0));
    CHECK(svd.left.row(0)[1] == doctest::Approx(1.0));
  }

  // All singular values asked for: the block has every column, and the decomposition is exact.
  TEST_CASE_TEMPLATE("agrees with Jacobi's decomposition of small dense matrices, scaled or not, at every level", T, float, double) {
    // Products, and what is stored, are rounded to T; a Gram matrix in double loses the square root of its digits: 1e-8
    // for values near 0.
    const double tolerance = sizeof(T) == 4 ? 2e-5 : 2e-8;
    for (const kd::MatrixShape shape : std::vector<kd::MatrixShape>{{1, 1}, {1, 9}, {9, 1}, {12, 7}, {7, 12}, {40, 33}}) {
      const kd::Index rows = shape.users, columns = shape.items;
      const kd::CsrMatrix matrix = random_matrix(rows, columns, 0.5, 3);
      const std::vector<double> row_scales = some_scales(rows, 1), column_scales = some_scales(columns, 2);
      for (const bool scaled : {false, true}) {
        const std::span<const double> d = scaled ? std::span<const double>(row_scales) : std::span<const double>();
        const std::span<const double> e = scaled ? std::span<const double>(column_scales) : std::span<const double>();
        const Dense dense = scaled_dense(matrix, d, e);
        const JacobiSvd wanted(dense);
        const auto all = static_cast<std::size_t>((std::min)(rows, columns));
        for (const kd::SimdLevel level : kindred_test::simd_levels()) {
          CAPTURE(rows);
          CAPTURE(columns);
          CAPTURE(scaled);
          CAPTURE(kd::name_of(level));
          const auto svd = decompose<T>(matrix, {.count = all, .vectors = SvdVectors::both, .level = level}, d, e);
          const double largest = static_cast<double>(wanted.values.front());
          for (std::size_t f = 0; f < all; ++f)
            CHECK(std::abs(svd.values[f] - static_cast<double>(wanted.values[f])) <= tolerance * largest);
          if (svd.rank == 0) continue;
          CHECK(svd_residual(dense, svd) <= tolerance);
          CHECK(departure_from_orthonormal(svd.right, svd.rank) <= 100.0 * tolerance);
          CHECK(departure_from_orthonormal(svd.left, svd.rank) <= 100.0 * tolerance);
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("vectors of separate singular values agree with Jacobi's, signs included", T, float, double) {
    const kd::CsrMatrix matrix = planted(60, 45, {10.0, 7.0, 5.0, 3.0, 2.0, 1.0, 0.5});
    const JacobiSvd wanted(scaled_dense(matrix, {}, {}));
    const auto svd = decompose<T>(matrix, {.count = 4});
    CHECK(svd.left.rows() == 0);
    for (std::size_t f = 0; f < 4; ++f) {
      std::size_t largest = 0;
      for (std::size_t i = 0; i < 45; ++i)
        if (std::abs(wanted.v[i][f]) > std::abs(wanted.v[largest][f])) largest = i;
      const long double sign = wanted.v[largest][f] < 0.0L ? -1.0L : 1.0L;
      for (std::size_t i = 0; i < 45; ++i)
        CHECK(std::abs(static_cast<double>(sign * wanted.v[i][f]) - static_cast<double>(svd.right.row(static_cast<kd::Index>(i))[f])) <
              1e-5);
    }
  }

  TEST_CASE("a matrix of known rank: as many values, and zero columns beyond") {
    // Values of a float matrix: its entries are rounded to 6e-8 of themselves, below both thresholds of rank.
    const kd::CsrMatrix matrix = planted(80, 50, {4.0, 3.0, 2.0});
    const auto single = decompose<float>(matrix, {.count = 6, .vectors = SvdVectors::both});
    const auto wide = decompose<double>(matrix, {.count = 6, .vectors = SvdVectors::both});
    CHECK(single.rank == 3);
    CHECK(wide.rank == 3);
    for (std::size_t f = 0; f < 3; ++f) CHECK(single.values[f] == doctest::Approx(4.0 - static_cast<double>(f)).epsilon(1e-5));
    for (std::size_t f = 3; f < 6; ++f) {
      CHECK(single.values[f] == 0.0);
      for (kd::Index r = 0; r < 80; ++r) CHECK(single.left.row(r)[f] == 0.0F);
      for (kd::Index r = 0; r < 50; ++r) CHECK(single.right.row(r)[f] == 0.0F);
    }
    CHECK(departure_from_orthonormal(single.right, 3) < 1e-6);
    CHECK(departure_from_orthonormal(single.left, 3) < 1e-6);
  }

  // One orthonormalisation would leave eps times the square of the condition, 1e-16 * 1e8.
  TEST_CASE("left vectors are orthonormal to the last digits where values fall to a ten-thousandth") {
    const auto svd = decompose<double>(planted(80, 50, {1.0, 1e-2, 1e-4}), {.count = 3, .power_steps = 0, .vectors = SvdVectors::both});
    CHECK(svd.rank == 3);
    CHECK(departure_from_orthonormal(svd.left, 3) < 1e-13);
  }

  // Both sides are orthonormalised in a power step: after two products in a row values of 1e-3 would stand at 1e-6.
  TEST_CASE("values of a thousandth are found in float") {
    const auto svd = decompose<float>(planted(80, 50, {1.0, 1e-2, 1e-3}), {.count = 5});
    CHECK(svd.rank == 3);
    CHECK(svd.values[2] == doctest::Approx(1e-3).epsilon(1e-3));
  }

  TEST_CASE("a planted spectrum: power steps find the first values in a slowly falling tail") {
    std::vector<double> values;
    for (int n = 0; n < 60; ++n) values.push_back(1.0 / (1.0 + 0.1 * n));
    const kd::CsrMatrix matrix = planted(150, 120, values);
    const auto error_of = [&](std::size_t power_steps) {
      const auto svd = decompose<double>(matrix, {.count = 8, .power_steps = power_steps});
      double worst = 0.0;
      for (std::size_t f = 0; f < 8; ++f) worst = (std::max)(worst, std::abs(svd.values[f] / values[f] - 1.0));
      return worst;
    };
    // Halko, Martinsson, Tropp 2011, corollary 10.10: the error falls as the (2 power_steps + 1)th root of the tail's
    // size.
    const double none = error_of(0), two = error_of(2), eight = error_of(8);
    CHECK(none < 0.5);
    CHECK(two < 0.5 * none);
    CHECK(two < 0.06);
    CHECK(eight < 0.005);
  }

  TEST_CASE("more values than the matrix can have; empty rows and columns; nothing at all") {
    const kd::CsrMatrix matrix =
        kd::CsrMatrix::from_triplets({5, 4}, std::vector<kd::Interaction>{{1, 1, 2.0F}, {3, 1, 1.0F}, {3, 2, 1.0F}});
    const auto svd = decompose<float>(matrix, {.count = 9, .vectors = SvdVectors::both});
    CHECK(svd.values.size() == 9);
    CHECK(svd.rank == 2);
    CHECK(svd.right.factors() == 9);
    const JacobiSvd wanted(scaled_dense(matrix, {}, {}));
    for (std::size_t f = 0; f < 2; ++f) CHECK(svd.values[f] == doctest::Approx(static_cast<double>(wanted.values[f])).epsilon(1e-5));
    for (std::size_t f = 0; f < 9; ++f) {
      CHECK(svd.right.row(0)[f] == 0.0F);
      CHECK(svd.left.row(0)[f] == 0.0F);
    }
    for (const kd::MatrixShape shape : {kd::MatrixShape{3, 2}, kd::MatrixShape{0, 2}, kd::MatrixShape{2, 0}}) {
      const auto none = decompose<float>(kd::CsrMatrix::from_triplets(shape, std::vector<kd::Interaction>{}), {.count = 2});
      CHECK(none.rank == 0);
      CHECK(none.values == std::vector<double>{0.0, 0.0});
    }
  }

  TEST_CASE("all entries equal: one value") {
    std::vector<kd::Interaction> entries;
    for (kd::Index u = 0; u < 30; ++u)
      for (kd::Index i = 0; i < 20; ++i) entries.push_back({u, i, 7.0F});
    const auto svd = decompose<float>(kd::CsrMatrix::from_triplets({30, 20}, entries), {.count = 5});
    CHECK(svd.rank == 1);
    CHECK(svd.values[0] == doctest::Approx(7.0 * std::sqrt(600.0)).epsilon(1e-5));
    CHECK(svd.right.row(4)[0] == doctest::Approx(1.0 / std::sqrt(20.0)).epsilon(1e-5));
  }

  TEST_CASE("values alone are those that come with vectors, to the byte") {
    const kd::CsrMatrix matrix = random_matrix(300, 200, 0.05, 4);
    const auto with = decompose<float>(matrix, {.count = 32, .vectors = SvdVectors::both});
    const auto alone = decompose<float>(matrix, {.count = 32, .vectors = SvdVectors::none});
    CHECK(with.values == alone.values);
    CHECK(alone.right.rows() == 0);
    CHECK(alone.left.rows() == 0);
  }

  TEST_CASE_TEMPLATE("the same bytes for any number of threads and blocks of rows, at every level", T, float, double) {
    const kd::CsrMatrix matrix = random_matrix(1'500, 900, 0.02, 4);
    const std::vector<double> row_scales = some_scales(1'500, 1), column_scales = some_scales(900, 2);
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      detail::SvdOptions options{.count = 20, .vectors = SvdVectors::both, .level = level, .parallel = {.threads = 1}};
      const auto one = decompose<T>(matrix, options, row_scales, column_scales);
      for (const std::size_t threads : {2u, 3u, 5u}) {
        options.parallel.threads = threads;
        const auto more = decompose<T>(matrix, options, row_scales, column_scales);
        CHECK(more.values == one.values);
        CHECK(more.left.same_bytes(one.left));
        CHECK(more.right.same_bytes(one.right));
      }
      const kindred_test::StreamedMatrix streamed(matrix, 37);
      const auto by_columns = transpose(streamed);
      const auto blocks = detail::truncated_svd<T>(detail::weighted_by_values<T>(streamed, row_scales),
                                                   detail::weighted_by_values<T>(by_columns, column_scales), options);
      CHECK(blocks.values == one.values);
      CHECK(blocks.left.same_bytes(one.left));
      CHECK(blocks.right.same_bytes(one.right));
    }
  }

  TEST_CASE("another seed changes rounding, not the decomposition") {
    const kd::CsrMatrix matrix = planted(60, 45, {10.0, 7.0, 5.0, 3.0, 2.0, 1.0, 0.5});
    const auto one = decompose<double>(matrix, {.count = 3, .seed = 1}), two = decompose<double>(matrix, {.count = 3, .seed = 2});
    CHECK(!one.right.same_bytes(two.right));
    for (kd::Index i = 0; i < 45; ++i)
      for (std::size_t f = 0; f < 3; ++f) CHECK(std::abs(one.right.row(i)[f] - two.right.row(i)[f]) < 1e-9);
  }

  TEST_CASE("a step after every product, which may end it") {
    const kd::CsrMatrix matrix = random_matrix(30, 20, 0.3, 4);
    std::vector<std::size_t> steps;
    detail::SvdOptions options{.count = 3, .power_steps = 3};
    options.after_product = [&](std::size_t done, std::size_t total) {
      steps.push_back(done);
      CHECK(total == 8);
    };
    (void)decompose<float>(matrix, options);
    CHECK(steps == std::vector<std::size_t>{1, 2, 3, 4, 5, 6, 7, 8});
    options.after_product = [](std::size_t done, std::size_t) {
      if (done == 4) throw std::runtime_error("enough");
    };
    CHECK_THROWS_WITH_AS((void)decompose<float>(matrix, options), "enough", std::runtime_error);
  }

  TEST_CASE("errors") {
    const kd::CsrMatrix matrix = random_matrix(30, 20, 0.3, 4);
    CHECK_THROWS_WITH_AS((void)decompose<float>(matrix, {.count = 0}), "count is 0; it must be at least 1", kd::InvalidArgument);
    const auto side = detail::weighted_by_values<float>(matrix);
    CHECK_THROWS_WITH_AS((void)detail::truncated_svd<float>(side, side, {.count = 2}),
                         "a truncated SVD of 30 users x 20 items whose columns are 30 users x 20 items", kd::ShapeError);
    const std::vector<double> few(3, 1.0);
    CHECK_THROWS_WITH_AS((void)decompose<float>(matrix, {.count = 2}, few), "3 scales for 30 rows", kd::ShapeError);
    const kd::CsrMatrix huge =
        kd::CsrMatrix::from_triplets({2, 2}, std::vector<kd::Interaction>{{0, 0, 3e38F}, {0, 1, 3e38F}, {1, 0, 3e38F}, {1, 1, -3e38F}});
    CHECK_THROWS_AS((void)decompose<float>(huge, {.count = 2}, {}, std::vector<double>{1e10, 1e10}), kd::NumericalError);
  }
}
