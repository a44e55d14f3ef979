// SPDX-License-Identifier: MIT
// What does the spectral start cost beside one iteration of the exact solver (all items, then all users) of the same
// fit?
//
//   start_benchmark --benchmark_filter='shape:0/factors:64/threads:1'
//
// shape       0: 20,000 users x 36,530 items, 1.39 million interactions (a study's size); 1: 358,868 x 160,112, 17
// million (Last.fm 360K);
//             2: 400 x 500, for a smoke test
// start       seconds of the start: counting likes, the SVD, first items; the time of the benchmark
// iteration   seconds of the second iteration
// iterations  the start in iterations
// entries     interactions times columns that the sparse products of the start visit, a second of the start
#include <cstddef>
#include <cstdint>

#include <benchmark/benchmark.h>

#include <kindred/kindred.hpp>

namespace kd = kindred;

namespace {

/// The matrix of a shape; the last one stays at hand.
const kd::CsrMatrix& data_of(std::int64_t shape) {
  static std::int64_t at_hand = -1;
  static kd::CsrMatrix data;
  if (shape != at_hand) {
    data = {};
    data = kd::synthetic_listening(shape == 0   ? kd::SyntheticOptions{.users = 20'000, .items = 36'530, .items_per_user = 70}
                                   : shape == 1 ? kd::SyntheticOptions{.users = 358'868, .items = 160'112, .items_per_user = 49}
                                                : kd::SyntheticOptions{.users = 400, .items = 500, .items_per_user = 20})
               .matrix;
    at_hand = shape;
  }
  return data;
}

void spectral_start(benchmark::State& run) {
  const kd::CsrMatrix& train = data_of(run.range(0));
  const auto factors = static_cast<std::size_t>(run.range(1));
  kd::AlsOptions options = kd::AlsOptions::paper({.factors = factors, .alpha = 0.5, .iterations = 2});
  options.start.kind = kd::Start::spectral;
  double start = 0.0, iteration = 0.0;
  for (auto _ : run) {
    kd::ImplicitALS<float> model(options);
    const kd::FitReport report = model.fit(train, {.execution = {.threads = static_cast<std::size_t>(run.range(2))}});
    run.SetIterationTime(report.start_seconds);
    start += report.start_seconds;
    iteration += report.iterations.back().seconds;
  }
  const auto rounds = static_cast<double>(run.iterations());
  const double columns = static_cast<double>(factors + kd::detail::SvdOptions{}.extra);
  const double products = 2.0 * static_cast<double>(options.start.power_steps.value_or(2)) + 2.0;
  run.counters["start"] = start / rounds;
  run.counters["iteration"] = iteration / rounds;
  run.counters["iterations"] = start / iteration;
  run.counters["entries"] = benchmark::Counter(rounds * products * columns * static_cast<double>(train.nnz()) / start);
}

}  // namespace

BENCHMARK(spectral_start)
    ->ArgNames({"shape", "factors", "threads"})
    ->ArgsProduct({{0}, {32, 64, 128, 256}, {1, 2}})
    ->Args({1, 64, 2})
    ->Args({2, 64, 1})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
