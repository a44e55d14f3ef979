// SPDX-License-Identifier: MIT
// How long does one iteration of implicit ALS take (all items, then all users)? Kindred as any program builds it against textbook ALS built with
// -O3 -march=native, on the same data, from the same first factors; before timing, both must reach the same loss.
//
//   als_benchmark --benchmark_filter='shape:0/factors:100/threads:1'
//
// shape   0: 20,000 users x 67,000 items, 1.4 million interactions (a study's size); 1: 358,868 x 160,112, 17 million (Last.fm 360K);
//         2: 400 x 500, for a smoke test; 3, 4, 5: 5,000 x 16,750 with 0.35 million, then 4 and 16 times each
// eigen   the share of the eigenproblem in the time of the half-steps
// gflops  useful operations a second: those of the cheaper exact form of each row (n interactions, k factors: n^2 k + n^3 / 3 for n < k, else
//         n k^2 + k^3 / 3), or 4 n k for the residual and for each conjugate-gradient step; the same count for both sides, Gram matrices left out
// share   the same as a share of what fused multiply-adds alone reach in as many threads in this run
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <benchmark/benchmark.h>

#include <kindred/kindred.hpp>

#include "textbook_als.hpp"

namespace kd = kindred;

namespace {

constexpr double regularization = 0.1;
constexpr double alpha = 0.5;
constexpr std::size_t cg_steps = 3;

struct Data {
  kd::CsrMatrix users;
  kd::CsrMatrix items;
};

/// Shapes 3, 4, 5: a quarter of the study's, the study's, and four times it.
kd::SyntheticOptions growing(std::int64_t shape) {
  const kd::Index times = shape == 3 ? 1 : shape == 4 ? 4 : 16;
  return {.users = 5'000 * times, .items = 16'750 * times, .items_per_user = 70};
}

/// The matrix of a shape; the last one stays at hand.
const Data& data_of(std::int64_t shape) {
  static std::int64_t at_hand = -1;
  static Data data;
  if (shape != at_hand) {
    data = {};
    const kd::SyntheticOptions options = shape == 0   ? kd::SyntheticOptions{.users = 20'000, .items = 67'000, .items_per_user = 70}
                                         : shape == 1 ? kd::SyntheticOptions{.users = 358'868, .items = 160'112, .items_per_user = 49}
                                         : shape == 2 ? kd::SyntheticOptions{.users = 400, .items = 500, .items_per_user = 20}
                                                      : growing(shape);
    data.users = kd::synthetic_listening(options).matrix;
    data.items = kd::transpose(data.users);
    at_hand = shape;
  }
  return data;
}

/// Operations of multiply_adds.
double multiply_add_flops(std::size_t threads, std::size_t steps) {
  return static_cast<double>(threads) * static_cast<double>(steps * textbook::flops_a_step);
}

/// Runs `steps` steps of independent fused multiply-adds in each of `threads` threads. Seconds.
double multiply_adds(std::size_t threads, std::size_t steps) {
  const kd::detail::Stopwatch watch;
  std::vector<std::thread> others;
  for (std::size_t t = 1; t < threads; ++t) others.emplace_back([steps] { textbook::multiply_add(steps); });
  textbook::multiply_add(steps);
  for (std::thread& other : others) other.join();
  return watch.seconds();
}

/// Operations a second that `threads` threads reach with nothing but fused multiply-adds; the best of three, measured once.
double peak(std::size_t threads) {
  static std::vector<double> known;
  if (known.size() <= threads) known.resize(threads + 1);
  constexpr std::size_t steps = 10'000'000;
  if (known[threads] <= 0.0)
    for (int round = 0; round < 3; ++round)
      known[threads] = (std::max)(known[threads], multiply_add_flops(threads, steps) / multiply_adds(threads, steps));
  return known[threads];
}

struct Case {
  explicit Case(const benchmark::State& state, bool exact_solver)
      : data(data_of(state.range(0))),
        factors(static_cast<std::size_t>(state.range(1))),
        threads(static_cast<std::size_t>(state.range(2))),
        exact(exact_solver),
        first_users(first(data.users.rows(), 1)),
        first_items(first(data.users.cols(), 2)) {}

  [[nodiscard]] kd::FactorMatrix<float> first(kd::Index rows, std::uint64_t seed) const {
    kd::FactorMatrix<float> matrix(rows, static_cast<kd::Index>(factors));
    const double sd = 0.1 / std::sqrt(static_cast<double>(factors));
    for (kd::Index row = 0; row < rows; ++row) {
      kd::detail::Random random(seed, kd::detail::RandomStream::user_factors, static_cast<std::uint64_t>(row));
      for (float& value : matrix.row(row)) value = static_cast<float>(sd * random.normal());
    }
    return matrix;
  }

  [[nodiscard]] kd::AlsOptions kindred_options(std::size_t iterations) const {
    kd::AlsOptions options{.factors = factors,
                           .regularization = regularization,
                           .iterations = iterations,
                           .units = kd::Units::paper,
                           .confidence = {.alpha = alpha}};
    options.solver.kind = exact ? kd::Solver::cholesky : kd::Solver::conjugate_gradient;
    if (!exact) options.solver.steps = cg_steps;
    return options;
  }

  [[nodiscard]] textbook::Options textbook_options() const {
    return {.factors = factors,
            .regularization = static_cast<float>(regularization),
            .alpha = static_cast<float>(alpha),
            .solver = exact ? textbook::Solver::cholesky : textbook::Solver::conjugate_gradient,
            .cg_steps = cg_steps,
            .threads = threads};
  }

  [[nodiscard]] double useful_flops() const {
    const auto k = static_cast<double>(factors);
    double flops = 0.0;
    for (const kd::CsrMatrix* side : {&data.users, &data.items}) {
      for (kd::Index row = 0; row < side->rows(); ++row) {
        const auto n = static_cast<double>(side->row(row).size());
        if (!exact)
          flops += static_cast<double>(cg_steps + 1) * 4.0 * n * k;
        else
          flops += n < k ? n * n * k + n * n * n / 3.0 : n * k * k + k * k * k / 3.0;
      }
    }
    return flops;
  }

  void set_counters(benchmark::State& state) const {
    state.counters["rows"] =
        benchmark::Counter(static_cast<double>(data.users.rows() + data.users.cols()), benchmark::Counter::kIsIterationInvariantRate);
    state.counters["gflops"] = benchmark::Counter(useful_flops() / 1e9, benchmark::Counter::kIsIterationInvariantRate);
    state.counters["share"] = benchmark::Counter(useful_flops() / peak(threads), benchmark::Counter::kIsIterationInvariantRate);
  }

  const Data& data;
  std::size_t factors;
  std::size_t threads;
  bool exact;
  kd::FactorMatrix<float> first_users;
  kd::FactorMatrix<float> first_items;
};

/// The state of textbook ALS: plain row-major factors.
class Textbook {
 public:
  explicit Textbook(const Case& c) : case_(c), options_(c.textbook_options()), users_(plain(c.first_users)), items_(plain(c.first_items)) {}

  void iterate() {
    const auto n_users = static_cast<std::size_t>(case_.data.users.rows());
    const auto n_items = static_cast<std::size_t>(case_.data.users.cols());
    textbook::half_step(rows(case_.data.items), users_.data(), n_users, items_.data(), options_);
    textbook::half_step(rows(case_.data.users), items_.data(), n_items, users_.data(), options_);
  }

  [[nodiscard]] double loss() const {
    return textbook::loss(rows(case_.data.users), users_.data(), items_.data(), static_cast<std::size_t>(case_.data.users.cols()),
                          options_);
  }

 private:
  static textbook::Rows rows(const kd::CsrMatrix& matrix) {
    return {matrix.rows(), matrix.offsets().data(), matrix.columns().data(), matrix.values().data()};
  }

  static std::vector<float> plain(const kd::FactorMatrix<float>& factors) {
    std::vector<float> values;
    for (kd::Index row = 0; row < factors.rows(); ++row) {
      const std::span<const float> of_row = factors.row(row);
      values.insert(values.end(), of_row.begin(), of_row.end());
    }
    return values;
  }

  const Case& case_;
  textbook::Options options_;
  std::vector<float> users_;
  std::vector<float> items_;
};

kd::FitReport fit_kindred(const Case& c, std::size_t iterations, bool record_loss) {
  kd::ImplicitALS<float> als(c.kindred_options(iterations));
  return als.fit(
      c.data.users,
      {.record_loss = record_loss, .initial_users = c.first_users, .initial_items = c.first_items, .execution = {.threads = c.threads}});
}

/// Two iterations of both, once for each shape, factors and solver. Exact solves must agree to what single precision leaves of a loss; conjugate
/// gradients go different ways (Kindred's start better conditioned), so theirs is told only.
/// @returns false if exact solves disagree.
bool check_losses(const Case& c, std::int64_t shape) {
  if (shape > 2 || c.factors > 256) return true;  // the textbook would take hours
  static std::vector<std::pair<std::string, bool>> checked;
  const std::string name =
      std::string(c.exact ? "cholesky" : "cg") + ", shape " + std::to_string(shape) + ", factors " + std::to_string(c.factors);
  for (const auto& [known, agreed] : checked)
    if (known == name) return agreed;
  constexpr std::size_t iterations = 2;
  Textbook textbook_als(c);
  for (std::size_t n = 0; n < iterations; ++n) textbook_als.iterate();
  const double theirs = textbook_als.loss();
  const double ours = fit_kindred(c, iterations, true).iterations.back().loss->total;
  const double difference = (ours - theirs) / theirs;
  std::fprintf(stderr, "%s: loss after %zu iterations: textbook %.9g, kindred %.9g, relative difference %.1e\n", name.c_str(), iterations,
               theirs, ours, difference);
  const bool agreed = !c.exact || std::abs(difference) < 1e-4;
  checked.emplace_back(name, agreed);
  return agreed;
}

void run_kindred(benchmark::State& state, bool exact) {
  const Case c(state, exact);
  if (!check_losses(c, state.range(0))) return state.SkipWithError("the losses of Kindred and textbook ALS differ");
  double eigen = 0.0, all = 0.0;
  for (auto _ : state) {
    const kd::FitReport report = fit_kindred(c, 1, false);
    state.SetIterationTime(report.iterations.front().seconds);
    eigen += report.eigen_seconds;
    all += report.iterations.front().seconds;
  }
  c.set_counters(state);
  state.counters["eigen"] = eigen / all;
}

void run_textbook(benchmark::State& state, bool exact) {
  const Case c(state, exact);
  if (!check_losses(c, state.range(0))) return state.SkipWithError("the losses of Kindred and textbook ALS differ");
  Textbook als(c);
  for (auto _ : state) {
    const kd::detail::Stopwatch watch;
    als.iterate();
    state.SetIterationTime(watch.seconds());
  }
  c.set_counters(state);
}

/// What this machine can do at the most: independent fused multiply-adds on whole vectors, in as many threads as the case has. The counter `gflops` is the measure
/// of the others' shares.
void fma_peak(benchmark::State& state) {
  const auto threads = static_cast<std::size_t>(state.range(2));
  constexpr std::size_t steps = 40'000'000;
  for (auto _ : state) state.SetIterationTime(multiply_adds(threads, steps));
  state.counters["gflops"] = benchmark::Counter(multiply_add_flops(threads, steps) / 1e9, benchmark::Counter::kIsIterationInvariantRate);
}

[[nodiscard]] double memory_kib(const char* name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind(name, 0) == 0) return std::atof(line.c_str() + std::strlen(name));
  return 0.0;
}

/// Peak memory of a fit beside the training matrix (Linux), and what estimate_memory() says.
void fit_memory(benchmark::State& state) {
  const Data& data = data_of(state.range(0));
  kd::AlsOptions options{.factors = static_cast<std::size_t>(state.range(1)), .iterations = 1, .units = kd::Units::paper};
  const kd::Execution run{.threads = static_cast<std::size_t>(state.range(2))};
  if (state.range(1) == 64) options.confidence.curve = kd::Confidence::log;  // one that keeps strengths
  double measured = 0.0;
  for (auto _ : state) {
    if (std::FILE* const reset = std::fopen("/proc/self/clear_refs", "w")) {  // makes the peak start anew
      std::fputs("5", reset);
      std::fclose(reset);
    }
#if defined(__GLIBC__)
    malloc_trim(0);  // what the data's making has freed would be used again unseen
#endif
    const double before = memory_kib("VmRSS:");
    const kd::detail::Stopwatch watch;
    kd::ImplicitALS<float> als(options);
    als.fit(data.users, {.execution = run});
    state.SetIterationTime(watch.seconds());
    measured = (std::max)(measured, memory_kib("VmHWM:") - before);
  }
  const kd::MemoryEstimate estimate = kd::estimate_memory(data.users.rows(), data.users.cols(), data.users.nnz(), options, run);
  state.counters["measured_mib"] = measured / 1024.0;
  state.counters["estimated_mib"] = static_cast<double>(estimate.total()) / 1048576.0;
}

void kindred_cholesky(benchmark::State& state) { run_kindred(state, true); }
void kindred_cg(benchmark::State& state) { run_kindred(state, false); }
void textbook_cholesky(benchmark::State& state) { run_textbook(state, true); }
void textbook_cg(benchmark::State& state) { run_textbook(state, false); }

void cases(benchmark::internal::Benchmark* b) {
  b->ArgNames({"shape", "factors", "threads"});
  b->ArgsProduct({{2}, {32}, {1, 2}});
  b->ArgsProduct({{0}, {64, 100, 128, 256}, {1, 2}});
  b->ArgsProduct({{1}, {64, 128}, {1, 2}});
  b->UseManualTime();
  b->Unit(benchmark::kMillisecond);
}

void further_cases(benchmark::internal::Benchmark* b) {
  b->ArgNames({"shape", "factors", "threads"});
  b->ArgsProduct({{0}, {192, 512, 1024, 2048}, {1, 2}});
  b->ArgsProduct({{3, 4, 5}, {64, 128}, {1}});
  b->UseManualTime();
  b->Unit(benchmark::kMillisecond);
}

void memory_cases(benchmark::internal::Benchmark* b) {
  b->ArgNames({"shape", "factors", "threads"});
  b->ArgsProduct({{1}, {64, 256}, {1, 2}});
  b->UseManualTime();
  b->Iterations(1);
  b->Unit(benchmark::kMillisecond);
}

void peak_cases(benchmark::internal::Benchmark* b) {
  b->ArgNames({"shape", "factors", "threads"});
  b->ArgsProduct({{2, 0, 1}, {0}, {1, 2}});  // in the run of every shape
  b->UseManualTime();
  b->Unit(benchmark::kMillisecond);
}

BENCHMARK(fma_peak)->Apply(peak_cases);
BENCHMARK(kindred_cholesky)->Apply(cases)->Apply(further_cases);
BENCHMARK(textbook_cholesky)->Apply(cases);
BENCHMARK(kindred_cg)->Apply(cases)->Apply(further_cases);
BENCHMARK(textbook_cg)->Apply(cases);
BENCHMARK(fit_memory)->Apply(memory_cases);

}  // namespace
