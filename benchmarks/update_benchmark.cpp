// SPDX-License-Identifier: MIT
// What does one new user or item cost in a model of 1,000,000 x 100,000, where a copy of all factors would take 280 MB at 64 factors?
//
//   update_benchmark --benchmark_filter=factors:64
//
// append_user, append_item: one a call, with 30 interactions. fold_in: the factors of a history. turn: what bringing both sides into a new eigenbasis takes, which happens once an eighth of
// the items were updated. copy: the factors of all users copied once, for comparison.
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include <kindred/kindred.hpp>

namespace kd = kindred;

namespace {

constexpr kd::Index n_users = 1'000'000, n_items = 100'000;

kd::FactorMatrix<float> made_up(kd::Index rows, kd::Index factors, std::uint64_t seed) {
  kd::FactorMatrix<float> made(rows, factors);
  for (kd::Index r = 0; r < rows; ++r) {
    kd::detail::Random random(seed, kd::detail::RandomStream::sample, static_cast<std::uint64_t>(r));
    for (float& value : made.row(r)) value = static_cast<float>(0.1 * random.normal());
  }
  return made;
}

kd::ImplicitALS<float> model_of(kd::Index factors) {
  kd::detail::AlsState<float> state;
  state.options = kd::AlsOptions::paper({.factors = static_cast<std::size_t>(factors)});
  kd::detail::AlsWeights::State weights;
  weights.user_counts.assign(n_users, 30);
  weights.item_counts.assign(n_items, 300);
  state.weights = kd::detail::AlsWeights(kd::detail::settings_of(state.options), std::move(weights));
  state.users = made_up(n_users, factors, 1);
  state.items = made_up(n_items, factors, 2);
  state.eigenvalues.assign(static_cast<std::size_t>(factors), 1000.0);
  return kd::ImplicitALS<float>(std::move(state), kd::SimdLevel::best);
}

kd::CsrMatrix history(kd::Index width, bool as_column) {
  std::vector<kd::Interaction> triplets;
  for (kd::Index n = 0; n < 30; ++n)
    triplets.push_back(as_column ? kd::Interaction{n * (width / 30), 0, 2.0F} : kd::Interaction{0, n * (width / 30), 2.0F});
  return kd::CsrMatrix::from_triplets(as_column ? kd::MatrixShape{width, 1} : kd::MatrixShape{1, width}, triplets);
}

void append_user(benchmark::State& run) {
  kd::ImplicitALS<float> model = model_of(static_cast<kd::Index>(run.range(0)));
  const kd::CsrMatrix row = history(n_items, false);
  model.append_users(row);  // the first one copies all users into memory that has room for as many again
  for (auto _ : run) benchmark::DoNotOptimize(model.append_users(row));
}

void append_item(benchmark::State& run) {
  kd::ImplicitALS<float> model = model_of(static_cast<kd::Index>(run.range(0)));
  const kd::CsrMatrix column = history(n_users, true);
  model.append_items(column);  // sums the Gram matrix of the users
  for (auto _ : run) benchmark::DoNotOptimize(model.append_items(column));
}

void fold_in(benchmark::State& run) {
  const kd::ImplicitALS<float> model = model_of(static_cast<kd::Index>(run.range(0)));
  std::vector<kd::Index> columns;
  for (kd::Index n = 0; n < static_cast<kd::Index>(run.range(1)); ++n)
    columns.push_back(n * (n_items / static_cast<kd::Index>(run.range(1))));
  const std::vector<float> values(columns.size(), 2.0F);
  for (auto _ : run) benchmark::DoNotOptimize(model.fold_in({columns, values}));
}

void turn(benchmark::State& run) {
  kd::ImplicitALS<float> model = model_of(static_cast<kd::Index>(run.range(0)));
  model.append_items(history(n_users, true));
  for (auto _ : run) benchmark::DoNotOptimize(model.settled());
}

void copy(benchmark::State& run) {
  const kd::ImplicitALS<float> model = model_of(static_cast<kd::Index>(run.range(0)));
  for (auto _ : run) {
    kd::FactorMatrix<float> users = model.user_factors();
    benchmark::DoNotOptimize(users.data());
  }
}

BENCHMARK(append_user)->ArgName("factors")->Arg(64)->Arg(128)->Unit(benchmark::kMillisecond);
BENCHMARK(append_item)->ArgName("factors")->Arg(64)->Arg(128)->Unit(benchmark::kMillisecond);
BENCHMARK(fold_in)->ArgNames({"factors", "interactions"})->ArgsProduct({{64, 128}, {10, 100, 1000}})->Unit(benchmark::kMicrosecond);
BENCHMARK(turn)->ArgName("factors")->Arg(64)->Arg(128)->Unit(benchmark::kMillisecond);
BENCHMARK(copy)->ArgName("factors")->Arg(64)->Arg(128)->Unit(benchmark::kMillisecond);

}  // namespace
