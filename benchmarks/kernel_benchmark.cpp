// SPDX-License-Identifier: MIT
// Each kernel at each level of this processor, and the same with Eigen compiled -O3 -march=native.
//
//   kernel_benchmark --benchmark_filter='accumulate|rank_update'
//
// level   0: base (SSE2 or the like), 1: avx2, 2: avx512
// gflops  useful operations a second: one triangle of what is symmetric, no padding
// share   the same, as a share of what the level's vectors reach in this run (in double: of half of it)
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <type_traits>
#include <vector>

#include <benchmark/benchmark.h>

#include <kindred/core/aligned.hpp>
#include <kindred/core/random.hpp>
#include <kindred/linalg/eigenbasis.hpp>
#include <kindred/linalg/gram.hpp>
#include <kindred/simd/kernels.hpp>

#include "eigen_kernels.hpp"

namespace kd = kindred;

namespace {

constexpr kd::Index fixed_count = 4096;  // rows of the other side: 2 MiB at 128 factors
constexpr std::int64_t eigen_level = 2;  // whose peak Eigen's share is of

std::size_t up_to(std::size_t n, std::size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

template <typename T>
void count(benchmark::State& state, std::int64_t level, double flops) {
  static double peaks[3]{};
  double& peak = peaks[level];
  if (peak == 0.0) peak = eigen_kernels::peak(std::size_t{16} << level);
  const double of_peak = flops / (sizeof(T) == 4 ? peak : peak / 2.0);
  state.counters["gflops"] = benchmark::Counter(flops / 1e9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["share"] = benchmark::Counter(of_peak, benchmark::Counter::kIsIterationInvariantRate);
}

template <typename T>
kd::detail::AlignedVector<T> random_values(std::size_t length, std::uint64_t seed) {
  kd::detail::AlignedVector<T> values(length);
  kd::detail::Random random(seed, kd::detail::RandomStream::sample);
  for (T& value : values) value = static_cast<T>(random.uniform() - 0.5);
  return values;
}

kd::FactorMatrix<float> random_factors(std::size_t rows, std::size_t k) {
  kd::FactorMatrix<float> factors(static_cast<kd::Index>(rows), static_cast<kd::Index>(k));
  kd::detail::Random random(7, kd::detail::RandomStream::item_factors);
  for (kd::Index row = 0; row < factors.rows(); ++row)
    for (float& value : factors.row(row)) value = static_cast<float>(random.normal() / std::sqrt(static_cast<double>(k)));
  return factors;
}

std::vector<kd::Index> random_columns(std::size_t n) {
  kd::detail::Random random(3, kd::detail::RandomStream::split);
  std::vector<kd::Index> columns;
  for (std::size_t at = 0; at < n; ++at) columns.push_back(static_cast<kd::Index>(random.below(fixed_count)));
  return columns;
}

/// A row of `n` interactions of `k` factors.
struct Row {
  Row(std::size_t n_rows, std::size_t k_factors)
      : n(n_rows),
        k(k_factors),
        fixed(random_factors(fixed_count, k)),
        plain(static_cast<std::size_t>(fixed_count) * k),
        columns(random_columns(n)),
        scale(fixed.stride(), 0.0F),
        weight(up_to(n, 16), 0.0F),
        target(up_to(n, 16), 0.0F),
        rows(up_to(n, 4) * fixed.stride(), 0.0F) {
    for (kd::Index row = 0; row < fixed_count; ++row)
      std::copy(fixed.row(row).begin(), fixed.row(row).end(),
                plain.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(row) * k));
    std::fill_n(scale.begin(), k, 1.5F);
    std::fill_n(weight.begin(), n, 0.75F);
    std::fill_n(target.begin(), n, 1.25F);
  }
  [[nodiscard]] kd::detail::GatherArguments<float> from() const {
    return {.fixed = fixed.data(), .stride = fixed.stride(), .factors = k, .columns = columns.data(), .count = n};
  }

  std::size_t n, k;
  kd::FactorMatrix<float> fixed;
  std::vector<float> plain;
  std::vector<kd::Index> columns;
  kd::detail::AlignedVector<float> scale, weight, target, rows;
};

kd::SimdLevel level_of(const benchmark::State& state) {
  return static_cast<kd::SimdLevel>(static_cast<int>(kd::SimdLevel::base) + static_cast<int>(state.range(0)));
}
const kd::detail::RowKernels<float>& kernels(const benchmark::State& state) { return kd::detail::row_kernels<float>(level_of(state)); }
std::size_t first_size(const benchmark::State& state) { return static_cast<std::size_t>(state.range(1)); }
std::size_t second_size(const benchmark::State& state) { return static_cast<std::size_t>(state.range(2)); }

double product_flops(const Row& row) { return static_cast<double>(row.n * row.n * row.k); }
double update_flops(std::size_t n, std::size_t k) { return static_cast<double>(n * k * k); }
double solve_flops(std::size_t n) { return static_cast<double>(n * n * n) / 3.0 + 2.0 * static_cast<double>(n * n); }
double cg_flops(const Row& row, std::size_t steps) { return static_cast<double>((steps + 1) * 4 * row.n * row.k); }

// ---- gathers ----

void gather(benchmark::State& state) {
  Row row(first_size(state), second_size(state));
  for (auto _ : state) {
    kernels(state).gather_blocks(row.from(), row.scale.data(), row.weight.data(), row.rows.data());
    benchmark::DoNotOptimize(row.rows.data());
  }
  count<float>(state, state.range(0), 2.0 * static_cast<double>(row.n * row.k));
}

void eigen_gather(benchmark::State& state) {
  Row row(first_size(state), second_size(state));
  for (auto _ : state) {
    eigen_kernels::gather(row.plain.data(), row.columns.data(), row.scale.data(), row.weight.data(), row.n, row.k, row.rows.data());
    benchmark::DoNotOptimize(row.rows.data());
  }
  count<float>(state, eigen_level, 2.0 * static_cast<double>(row.n * row.k));
}

void combine(benchmark::State& state) {
  Row row(first_size(state), second_size(state));
  kd::detail::AlignedVector<float> sum(row.fixed.stride());
  for (auto _ : state) {
    kernels(state).combine(row.from(), row.weight.data(), sum.data());
    benchmark::DoNotOptimize(sum.data());
  }
  count<float>(state, state.range(0), 2.0 * static_cast<double>(row.n * row.k));
}

/// The sum of combine with prefetching; start_benchmark has it on rows that are far away.
void sum_rows(benchmark::State& state) {
  Row row(first_size(state), second_size(state));
  kd::detail::AlignedVector<float> sum(row.fixed.stride());
  for (auto _ : state) {
    kd::detail::matrix_kernels<float>(level_of(state)).sum_rows(row.from(), row.n, row.weight.data(), sum.data());
    benchmark::DoNotOptimize(sum.data());
  }
  count<float>(state, state.range(0), 2.0 * static_cast<double>(row.n * row.k));
}

void eigen_combine(benchmark::State& state) {
  Row row(first_size(state), second_size(state));
  std::vector<float> sum(row.k);
  for (auto _ : state) {
    eigen_kernels::combine(row.plain.data(), row.columns.data(), row.weight.data(), row.n, row.k, sum.data());
    benchmark::DoNotOptimize(sum.data());
  }
  count<float>(state, eigen_level, 2.0 * static_cast<double>(row.n * row.k));
}

// ---- products ----

void row_products(benchmark::State& state) {
  Row row(first_size(state), second_size(state));
  const std::size_t blocks = up_to(row.n, 4) / 4;
  kd::detail::AlignedVector<float> tiles(blocks * (blocks + 1) / 2 * 16);
  kernels(state).gather_blocks(row.from(), row.scale.data(), row.weight.data(), row.rows.data());
  for (auto _ : state) {
    kernels(state).row_products(row.rows.data(), row.fixed.stride(), 4 * blocks, up_to(row.k, 4), tiles.data(), {});
    benchmark::DoNotOptimize(tiles.data());
  }
  count<float>(state, state.range(0), product_flops(row));
}

void eigen_row_products(benchmark::State& state) {
  Row row(first_size(state), second_size(state));
  std::vector<float> products(row.n * row.n);
  const auto rows = random_values<float>(row.n * row.k, 1);
  for (auto _ : state) {
    eigen_kernels::row_products(products.data(), rows.data(), row.n, row.k);
    benchmark::DoNotOptimize(products.data());
  }
  count<float>(state, eigen_level, product_flops(row));
}

void accumulate(benchmark::State& state) {
  const std::size_t n = first_size(state), k = second_size(state), ld = up_to(k, 16);
  const auto rows = random_values<float>(n * ld, 1);
  kd::detail::AlignedVector<float> sum(ld * ld, 0.0F);
  for (auto _ : state) {
    kernels(state).accumulate(sum.data(), ld, k, rows.data(), rows.data(), n, {});
    benchmark::DoNotOptimize(sum.data());
  }
  count<float>(state, state.range(0), update_flops(n, k));
}

template <typename T>
void eigen_rank_update(benchmark::State& state) {
  const std::size_t n = first_size(state), k = second_size(state);
  const auto rows = random_values<T>(n * k, 1);
  kd::detail::AlignedVector<T> sum(k * k, T(0));
  for (auto _ : state) {
    eigen_kernels::rank_update(sum.data(), rows.data(), n, k);
    benchmark::DoNotOptimize(sum.data());
  }
  count<T>(state, eigen_level, update_flops(n, k));
}

// ---- systems ----

/// I + a positive semidefinite matrix of order n, padded.
kd::detail::AlignedVector<float> symmetric(std::size_t n, std::size_t ld, std::size_t order) {
  kd::detail::AlignedVector<float> v(order * ld, 0.0F);
  const auto b = random_values<float>(n * n, 5);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i; j < n; ++j) {
      float sum = i == j ? 1.0F : 0.0F;
      for (std::size_t f = 0; f < n; ++f) sum += b[i * n + f] * b[j * n + f];
      v[i * ld + j] = sum;
      if (ld == n) v[j * ld + i] = sum;
    }
  for (std::size_t i = n; i < order; ++i) v[i * ld + i] = static_cast<float>(n);
  return v;
}

void factorize(benchmark::State& state) {
  const std::size_t n = first_size(state), ld = up_to(n, 16), order = up_to(n, kernels(state).rows);
  const auto given = symmetric(n, ld, (std::max)(order, ld));
  kd::detail::AlignedVector<float> v(given.size()), rhs(ld), inverse(order), panel(order * kernels(state).rows), x(ld);
  for (auto _ : state) {
    std::copy(given.begin(), given.end(), v.begin());
    std::fill(rhs.begin(), rhs.end(), 0.0F);
    std::fill_n(rhs.begin(), n, 1.0F);
    std::fill(x.begin(), x.end(), 0.0F);
    const kd::detail::FactorizeArguments<float> arguments{
        .v = v.data(), .ld = ld, .size = n, .rhs = rhs.data(), .inverse = inverse.data(), .panel = panel.data()};
    benchmark::DoNotOptimize(kernels(state).factorize(arguments));
    kernels(state).back_substitute(arguments, x.data());
    benchmark::DoNotOptimize(x.data());
  }
  count<float>(state, state.range(0), solve_flops(n));
}

void eigen_solve(benchmark::State& state) {
  const std::size_t n = first_size(state);
  const auto v = symmetric(n, n, n);
  const std::vector<float> rhs(n, 1.0F);
  std::vector<float> x(n);
  for (auto _ : state) {
    eigen_kernels::solve(v.data(), rhs.data(), n, x.data());
    benchmark::DoNotOptimize(x.data());
  }
  count<float>(state, eigen_level, solve_flops(n));
}

void solve_batch(benchmark::State& state) {
  const std::size_t n = first_size(state), size = up_to(n, 4), blocks = size / 4, lanes = kernels(state).lanes;
  const auto v = symmetric(n, n, n);
  kd::detail::AlignedVector<float> tiles(blocks * (blocks + 1) / 2 * 16, 0.0F), work(kd::detail::batch_work(size, lanes)), smallest(16);
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t i = 0; i <= j; ++i) tiles[(j / 4 * (j / 4 + 1) / 2 + i / 4) * 16 + i % 4 * 4 + j % 4] = v[i * n + j];
  for (std::size_t i = n; i < size; ++i) tiles[(i / 4 * (i / 4 + 1) / 2 + i / 4) * 16 + i % 4 * 5] = 1.0F;
  std::vector<kd::detail::AlignedVector<float>> rhs(lanes, kd::detail::AlignedVector<float>(up_to(size, 16)));
  std::vector<kd::detail::BatchSystem<float>> systems;
  for (auto& each : rhs) systems.push_back({.tiles = tiles.data(), .size = size, .largest = static_cast<float>(n), .rhs = each.data()});
  for (auto _ : state) {
    for (auto& each : rhs) std::fill_n(each.begin(), n, 1.0F);
    kernels(state).solve_batch({.size = size, .systems = systems.data(), .smallest = smallest.data(), .work = work.data()});
    benchmark::DoNotOptimize(smallest.data());
  }
  count<float>(state, state.range(0), static_cast<double>(lanes) * solve_flops(n));
}

void conjugate_gradient(benchmark::State& state) {
  Row row(first_size(state), second_size(state));
  kd::detail::AlignedVector<float> ones(256, 1.0F), base(row.fixed.stride(), 0.0F), z(row.fixed.stride(), 0.0F),
      scratch(3 * row.fixed.stride());
  for (auto _ : state) {
    kernels(state).conjugate_gradient({.from = row.from(),
                                       .weight = row.weight.data(),
                                       .target = row.target.data(),
                                       .scale = row.scale.data(),
                                       .ones = ones.data(),
                                       .base = base.data(),
                                       .z = z.data(),
                                       .scratch = scratch.data(),
                                       .rows = row.rows.data(),
                                       .block = 256,
                                       .steps = 3,
                                       .tolerance = 0.0F,
                                       .ahead = {}});
    benchmark::DoNotOptimize(z.data());
  }
  count<float>(state, state.range(0), cg_flops(row, 3));
}

void eigen_conjugate_gradient(benchmark::State& state) {
  Row row(first_size(state), second_size(state));
  kd::detail::AlignedVector<float> scratch(row.n * row.k), z(row.k, 0.0F);
  for (auto _ : state) {
    eigen_kernels::conjugate_gradient(row.plain.data(), row.columns.data(), row.scale.data(), row.weight.data(), row.target.data(), row.n,
                                      row.k, 3, scratch.data(), z.data());
    benchmark::DoNotOptimize(z.data());
  }
  count<float>(state, eigen_level, cg_flops(row, 3));
}

// ---- whole matrices ----

void gram(benchmark::State& state) {
  const auto factors = random_factors(first_size(state), second_size(state));
  for (auto _ : state) benchmark::DoNotOptimize(kd::detail::gram(factors, {}, {.threads = 1}, level_of(state)).data());
  count<double>(state, state.range(0), update_flops(first_size(state), second_size(state)));
}

kd::detail::Eigenbasis any_basis(std::size_t k) {
  return {.values = std::vector<double>(k, 1.0), .vectors = random_values<double>(k * k, 9)};
}

/// T: what the columns are computed in.
template <typename T>
void rotate(benchmark::State& state) {
  const std::size_t n = first_size(state), k = second_size(state);
  auto factors = random_factors(n, k);
  const auto basis = any_basis(k);
  for (auto _ : state) kd::detail::rotate(factors, basis, {.threads = 1}, level_of(state), std::is_same_v<T, float> ? k : 0);
  count<T>(state, state.range(0), 2.0 * update_flops(n, k));
}

template <typename T>
void eigen_multiply(benchmark::State& state) {
  const std::size_t n = first_size(state), k = second_size(state);
  const auto left = random_values<T>(n * k, 1), right = random_values<T>(k * k, 2);
  kd::detail::AlignedVector<T> out(n * k);
  for (auto _ : state) {
    eigen_kernels::multiply(left.data(), right.data(), n, k, out.data());
    benchmark::DoNotOptimize(out.data());
  }
  count<T>(state, eigen_level, 2.0 * update_flops(n, k));
}

void eigenbasis(benchmark::State& state) {
  const std::size_t k = first_size(state);
  const auto matrix = kd::detail::gram(random_factors(4 * k, k));
  for (auto _ : state) benchmark::DoNotOptimize(kd::detail::eigenbasis(matrix, k, {.threads = 1}, level_of(state)).values.data());
}

void eigen_eigenvalues(benchmark::State& state) {
  const std::size_t k = first_size(state);
  const auto matrix = kd::detail::gram(random_factors(4 * k, k));
  for (auto _ : state) benchmark::DoNotOptimize(eigen_kernels::eigenvalues(matrix.data(), k));
}

std::int64_t levels() { return static_cast<std::int64_t>(kd::highest_simd_level()) - static_cast<std::int64_t>(kd::SimdLevel::base) + 1; }

/// Every pair of sizes: at each level of this processor, or for Eigen.
template <bool has_levels>
void each_level(benchmark::internal::Benchmark* b, const std::vector<std::int64_t>& first, const std::vector<std::int64_t>& second,
                const char* first_name, const char* second_name) {
  std::vector<std::int64_t> all{eigen_level};
  if (has_levels) {
    all.resize(static_cast<std::size_t>(levels()));
    std::iota(all.begin(), all.end(), 0);
  }
  b->ArgNames({has_levels ? "level" : "eigen", first_name, second_name});
  b->ArgsProduct({all, first, second});
  b->Unit(benchmark::kMicrosecond);
}

template <bool has_levels>
void rows_cases(benchmark::internal::Benchmark* b) {
  each_level<has_levels>(b, {8, 16, 24, 48, 96}, {64, 100, 128}, "rows", "factors");
}
template <bool has_levels>
void long_cases(benchmark::internal::Benchmark* b) {
  each_level<has_levels>(b, {256}, {64, 100, 128, 256, 512, 1024}, "rows", "factors");
}
template <bool has_levels>
void size_cases(benchmark::internal::Benchmark* b) {
  each_level<has_levels>(b, {64, 100, 128, 256, 512, 1024}, {0}, "size", "none");
}
template <bool has_levels>
void batch_cases(benchmark::internal::Benchmark* b) {
  each_level<has_levels>(b, {8, 16, 24, 48, 64, 96}, {0}, "size", "none");
}
template <bool has_levels>
void matrix_cases(benchmark::internal::Benchmark* b) {
  each_level<has_levels>(b, {8192}, {64, 100, 128, 256, 512, 1024}, "rows", "factors");
}
template <bool has_levels>
void eigen_cases(benchmark::internal::Benchmark* b) {
  each_level<has_levels>(b, {64, 128, 256, 512, 1024, 2048}, {0}, "size", "none");
}

BENCHMARK(gather)->Apply(rows_cases<true>);
BENCHMARK(eigen_gather)->Apply(rows_cases<false>);
BENCHMARK(combine)->Apply(rows_cases<true>);
BENCHMARK(sum_rows)->Apply(rows_cases<true>);
BENCHMARK(eigen_combine)->Apply(rows_cases<false>);
BENCHMARK(row_products)->Apply(rows_cases<true>);
BENCHMARK(eigen_row_products)->Apply(rows_cases<false>);
BENCHMARK(conjugate_gradient)->Apply(rows_cases<true>);
BENCHMARK(eigen_conjugate_gradient)->Apply(rows_cases<false>);
BENCHMARK(accumulate)->Apply(long_cases<true>);
BENCHMARK(eigen_rank_update<float>)->Apply(long_cases<false>);
BENCHMARK(factorize)->Apply(size_cases<true>);
BENCHMARK(eigen_solve)->Apply(size_cases<false>)->Apply(batch_cases<false>);
BENCHMARK(solve_batch)->Apply(batch_cases<true>);
BENCHMARK(gram)->Apply(matrix_cases<true>);
BENCHMARK(eigen_rank_update<double>)->Apply(matrix_cases<false>);
BENCHMARK(rotate<float>)->Apply(matrix_cases<true>);
BENCHMARK(eigen_multiply<float>)->Apply(matrix_cases<false>);
BENCHMARK(rotate<double>)->Apply(matrix_cases<true>);
BENCHMARK(eigen_multiply<double>)->Apply(matrix_cases<false>);
BENCHMARK(eigenbasis)->Apply(eigen_cases<true>);
BENCHMARK(eigen_eigenvalues)->Apply(eigen_cases<false>);

}  // namespace
