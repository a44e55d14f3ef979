// SPDX-License-Identifier: MIT
// How long do 10,000,000 interactions in memory take to become a matrix or a dataset?
//
//   columns_benchmark
//
// from_triplets, from_columns: indices. int64_keys, string_keys: Dataset::from_columns. events_of_one_kind: Events::dataset with int32 keys and times;
// events_of_kinds: with int64 keys, times and three kinds of text. grouped 0: rows in random order; 1: 50 rows of a user one after the other, as a database
// gives them.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include <kindred/core/random.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/events.hpp>

namespace kd = kindred;

namespace {

constexpr std::size_t n_rows = 10'000'000;
constexpr kd::Index n_users = 200'000, n_items = 50'000;

struct Columns {
  std::vector<kd::Index> users, items;
  std::vector<float> values;
};

Columns made_up(bool grouped) {
  Columns made;
  kd::detail::Random random(1, kd::detail::RandomStream::sample);
  for (std::size_t n = 0; n < n_rows; ++n) {
    const double place = random.uniform();
    const auto any = static_cast<kd::Index>(random.below(n_users));
    made.users.push_back(grouped ? static_cast<kd::Index>(n / 50) : any);
    made.items.push_back(static_cast<kd::Index>(place * place * place * n_items));  // some items are popular
    made.values.push_back(static_cast<float>(1 + random.below(9)));
  }
  return made;
}

void finish(benchmark::State& run) { run.SetItemsProcessed(run.iterations() * static_cast<std::int64_t>(n_rows)); }

void from_triplets(benchmark::State& run) {
  const Columns columns = made_up(run.range(0) != 0);
  std::vector<kd::Interaction> triplets;
  for (std::size_t n = 0; n < n_rows; ++n) triplets.push_back({columns.users[n], columns.items[n], columns.values[n]});
  for (auto _ : run) benchmark::DoNotOptimize(kd::CsrMatrix::from_triplets({n_users, n_items}, triplets));
  finish(run);
}

void from_columns(benchmark::State& run) {
  const Columns columns = made_up(run.range(0) != 0);
  for (auto _ : run)
    benchmark::DoNotOptimize(kd::CsrMatrix::from_columns({n_users, n_items}, columns.users, columns.items, columns.values));
  finish(run);
}

void int64_keys(benchmark::State& run) {
  const Columns columns = made_up(run.range(0) != 0);
  const std::vector<std::int64_t> users(columns.users.begin(), columns.users.end()), items(columns.items.begin(), columns.items.end());
  for (auto _ : run) benchmark::DoNotOptimize(kd::Dataset::from_columns(users, items, columns.values));
  finish(run);
}

void string_keys(benchmark::State& run) {
  const Columns columns = made_up(run.range(0) != 0);
  std::vector<std::string> users, items;
  for (const kd::Index user : columns.users) users.push_back("user" + std::to_string(user));
  for (const kd::Index item : columns.items) items.push_back("item" + std::to_string(item));
  for (auto _ : run) benchmark::DoNotOptimize(kd::Dataset::from_columns(users, items, columns.values));
  finish(run);
}

void events_of_one_kind(benchmark::State& run) {
  const Columns columns = made_up(run.range(0) != 0);
  std::vector<std::int64_t> times;
  kd::detail::Random random(2, kd::detail::RandomStream::sample);
  for (std::size_t n = 0; n < n_rows; ++n) times.push_back(random.below(100'000'000));
  const kd::Events events{.users = columns.users, .items = columns.items, .values = columns.values, .times = times};
  for (auto _ : run) benchmark::DoNotOptimize(events.dataset());
  finish(run);
}

void events_of_kinds(benchmark::State& run) {
  const Columns columns = made_up(run.range(0) != 0);
  const std::vector<std::int64_t> users(columns.users.begin(), columns.users.end()), items(columns.items.begin(), columns.items.end());
  constexpr std::string_view names[] = {"view", "purchase", "return"};
  std::vector<std::string_view> kinds;
  std::vector<std::int64_t> times;
  kd::detail::Random random(2, kd::detail::RandomStream::sample);
  for (std::size_t n = 0; n < n_rows; ++n) {
    kinds.push_back(names[random.below(3)]);
    times.push_back(random.below(100'000'000));
  }
  const kd::Events events{.users = users, .items = items, .values = columns.values, .times = times, .kinds = kinds};
  const kd::EventOptions options{.weights = {{"view", 1}, {"purchase", 5}, {"return", -5}}};
  for (auto _ : run) benchmark::DoNotOptimize(events.dataset(options));
  finish(run);
}

BENCHMARK(from_triplets)->ArgName("grouped")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(from_columns)->ArgName("grouped")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(int64_keys)->ArgName("grouped")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(string_keys)->ArgName("grouped")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(events_of_one_kind)->ArgName("grouped")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(events_of_kinds)->ArgName("grouped")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
