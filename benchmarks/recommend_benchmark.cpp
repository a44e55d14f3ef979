// SPDX-License-Identifier: MIT
// How fast are lists? Kindred's pruned exact search, built as any program is, against full scans by Eigen built with -O3 -march=native, on the same factors;
// before timing, both must give the same items.
//
//   recommend_benchmark --benchmark_filter='data:0/factors:64' --benchmark_repetitions=5
//
// data    0: fitted to synthetic data of the size of Last.fm 360K (358,868 x 160,112), the defaults of AlsOptions; 1: the same, the textbook's settings;
//         2: HetRec Last.fm, 3: Last.fm 1K (both only where KINDRED_DATA_DIR in the environment holds them); 4: random gaussian factors, 160,112 items;
//         5: small, for a smoke test
// similar lists: kindred_similar_all makes those of all items (beside/ has an opponent); kindred_similar_index: the index that they search, made at the first
// call.
//
// users   users (or items asked for) a second; extra_mib: memory that a stream of lists takes beside model and index; items_scored: products in full a user; share_scored: of all items; share_coded: items whose codes were multiplied
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <benchmark/benchmark.h>

#include <kindred/kindred.hpp>

#include "recommend_opponents.hpp"

namespace kd = kindred;

namespace {

/// A model, or factors that belong to none.
struct Case {
  std::optional<kd::TrainTestSplit> split;
  std::optional<kd::ImplicitALS<float>> model;
  kd::FactorMatrix<float> users;
  kd::FactorMatrix<float> items;
  kd::detail::TopKIndex<float> index;
  std::vector<float> plain_users;  // the sampled ones
  std::vector<float> plain_items;
  std::vector<kd::Index> sample;
  std::vector<float> gram;  // Y'Y + lambda
};

std::vector<float> plain(const kd::FactorMatrix<float>& factors, std::span<const kd::Index> rows) {
  std::vector<float> values;
  for (const kd::Index row : rows) values.insert(values.end(), factors.row(row).begin(), factors.row(row).end());
  return values;
}

std::vector<kd::Index> first_rows(kd::Index n) {
  std::vector<kd::Index> rows(static_cast<std::size_t>(n));
  for (std::size_t r = 0; r < rows.size(); ++r) rows[r] = static_cast<kd::Index>(r);
  return rows;
}

std::optional<kd::CsrMatrix> matrix_of(std::int64_t data) {
  const char* const folder = std::getenv("KINDRED_DATA_DIR");
  if (data == 0 || data == 1) return kd::synthetic_listening({.users = 358'868, .items = 160'112, .items_per_user = 49}).matrix;
  if (data == 5) return kd::synthetic_listening({.users = 500, .items = 700}).matrix;
  if (folder == nullptr) return std::nullopt;
  const std::string path =
      std::string(folder) + (data == 2 ? "/hetrec2011-lastfm-2k/user_artists.dat" : "/lastfm-1k/lcvi_playcounts_dense.csv");
  if (!std::filesystem::exists(path)) return std::nullopt;
  return data == 2 ? kd::read_hetrec2011_lastfm(path).matrix : kd::read_dense_counts(path).matrix;
}

kd::FactorMatrix<float> gaussian(kd::Index rows, kd::Index factors, std::uint64_t seed) {
  kd::FactorMatrix<float> matrix(rows, factors);
  for (kd::Index row = 0; row < rows; ++row) {
    kd::detail::Random random(seed, kd::detail::RandomStream::user_factors, static_cast<std::uint64_t>(row));
    for (float& value : matrix.row(row)) value = static_cast<float>(random.normal());
  }
  return matrix;
}

/// The case of these arguments; the last one stays at hand. Null where the data is not.
const Case* case_of(std::int64_t data, std::int64_t factors) {
  static std::pair<std::int64_t, std::int64_t> at_hand{-1, -1};
  static std::unique_ptr<Case> kept;
  if (at_hand == std::pair(data, factors)) return kept.get();
  at_hand = {data, factors};
  kept = std::make_unique<Case>();
  const auto k = static_cast<kd::Index>(factors);
  if (data == 4) {
    kept->users = gaussian(4096, k, 1);
    kept->items = gaussian(160'112, k, 2);
  } else {
    const std::optional<kd::CsrMatrix> matrix = matrix_of(data);
    if (!matrix) {
      kept.reset();
      return nullptr;
    }
    kept->split = kd::PerUserSplitter({.seed = 42}).split(*matrix);
    kd::AlsOptions options;
    if (data == 1) options = {.regularization = 0.1, .units = kd::Units::paper, .confidence = {.alpha = 0.5}};
    options.factors = static_cast<std::size_t>(factors);
    options.iterations = data < 2 ? 3 : 10;
    kept->model.emplace(options);
    const kd::FitReport report = kept->model->fit(kept->split->train);
    kept->users = kept->model->user_factors();
    kept->items = kept->model->item_factors();
    std::fprintf(stderr, "data %d, factors %d: fitted in %.1f s, index %.1f MB\n", static_cast<int>(data), static_cast<int>(k),
                 report.seconds, static_cast<double>(kept->model->index_bytes()) / 1e6);
  }
  kept->index = kd::detail::TopKIndex<float>(kept->items, kept->users, kd::SimdLevel::best);
  const kd::Index n = (std::min)(kept->users.rows(), kd::Index{2048});
  for (kd::Index u = 0; u < n; ++u) kept->sample.push_back(static_cast<kd::Index>(static_cast<std::int64_t>(u) * kept->users.rows() / n));
  kept->plain_users = plain(kept->users, kept->sample);
  kept->plain_items = plain(kept->items, first_rows(kept->items.rows()));
  const kd::detail::AlignedVector<double> gram = kd::detail::gram(kept->items);
  kept->gram.assign(gram.begin(), gram.end());
  for (std::size_t f = 0; f < static_cast<std::size_t>(factors); ++f) kept->gram[f * static_cast<std::size_t>(factors) + f] += 0.1F;
  return kept.get();
}

const Case* case_of(benchmark::State& state) {
  const Case* const found = case_of(state.range(0), state.range(1));
  if (found == nullptr) state.SkipWithError("the data is not at hand: KINDRED_DATA_DIR");
  return found;
}

/// The sampled users' lists, through the same code as ImplicitALS::recommend_all. Every item is a candidate, as in the full scan.
std::vector<std::vector<kd::Scored>> lists_of(const Case& c, std::size_t count, std::size_t threads) {
  const kd::RankedLists found =
      kd::detail::many_lists<float>({c.index, c.items, {}}, c.users, c.sample,
                                    {.count = count, .filter = {.candidates = kd::Candidates::all}, .execution = {.threads = threads}});
  std::vector<std::vector<kd::Scored>> lists;
  for (std::size_t n = 0; n < found.size(); ++n) lists.emplace_back(found.row(n).begin(), found.row(n).end());
  return lists;
}

/// Whether Kindred and the full scan list the same items, but for scores that differ by rounding alone. The two sum in different orders.
bool same_lists(const Case& c, std::size_t count) {
  const std::vector<std::vector<kd::Scored>> lists = lists_of(c, count, 1);
  std::vector<std::int32_t> ids(c.sample.size() * count);
  std::vector<float> scores(ids.size());
  opponents::tiled_full_scan(c.plain_users.data(), c.sample.size(), c.plain_items.data(), static_cast<std::size_t>(c.items.rows()),
                             static_cast<std::size_t>(c.items.factors()), count, ids.data(), scores.data());
  for (std::size_t u = 0; u < lists.size(); ++u)
    for (std::size_t n = 0; n < count; ++n)
      if (lists[u][n].item != ids[u * count + n] &&
          std::abs(lists[u][n].score - static_cast<double>(scores[u * count + n])) > 1e-5 * std::abs(lists[u][0].score))
        return false;
  return true;
}

void set_users(benchmark::State& state, std::size_t users) {
  state.counters["users"] = benchmark::Counter(static_cast<double>(users), benchmark::Counter::kIsIterationInvariantRate);
}

void kindred_recommend_all(benchmark::State& state) {
  const Case* const c = case_of(state);
  if (c == nullptr) return;
  const auto count = static_cast<std::size_t>(state.range(2));
  if (!same_lists(*c, count)) return state.SkipWithError("Kindred and the full scan list different items");
  for (auto _ : state) benchmark::DoNotOptimize(lists_of(*c, count, static_cast<std::size_t>(state.range(3))));
  set_users(state, c->sample.size());

  kd::detail::TopKSearch<float> search(c->index, c->items);
  std::vector<const float*> queries;
  for (const kd::Index u : c->sample) queries.push_back(c->users.row(u).data());
  const std::vector<kd::detail::TopKRequest> requests(queries.size(), kd::detail::TopKRequest{.count = count});
  (void)search.find(queries, requests);
  const auto users = static_cast<double>(c->sample.size()), all = users * static_cast<double>(c->items.rows());
  state.counters["items_scored"] = static_cast<double>(search.counters().scores) / users;
  state.counters["share_scored"] = static_cast<double>(search.counters().scores) / all;
  state.counters["share_coded"] = static_cast<double>(search.counters().codes) / all;
}

void tiled_full_scan(benchmark::State& state) {
  const Case* const c = case_of(state);
  if (c == nullptr) return;
  const auto count = static_cast<std::size_t>(state.range(2));
  std::vector<std::int32_t> ids(c->sample.size() * count);
  std::vector<float> scores(ids.size());
  for (auto _ : state)
    opponents::tiled_full_scan(c->plain_users.data(), c->sample.size(), c->plain_items.data(), static_cast<std::size_t>(c->items.rows()),
                               static_cast<std::size_t>(c->items.factors()), count, ids.data(), scores.data());
  set_users(state, c->sample.size());
}

/// Times `call` for one user after the other; median and 99th percentile in microseconds.
template <typename Call>
void one_by_one(benchmark::State& state, std::size_t users, const Call& call) {
  std::vector<double> microseconds;
  std::size_t u = 0;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    call(u);
    microseconds.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
    u = (u + 1) % users;
  }
  std::sort(microseconds.begin(), microseconds.end());
  state.counters["median_us"] = microseconds[microseconds.size() / 2];
  state.counters["p99_us"] = microseconds[microseconds.size() * 99 / 100];
}

void kindred_recommend_one(benchmark::State& state) {
  const Case* const c = case_of(state);
  if (c == nullptr) return;
  const auto count = static_cast<std::size_t>(state.range(2));
  one_by_one(state, c->sample.size(), [&](std::size_t u) {
    benchmark::DoNotOptimize(kd::detail::one_list<float>({c->index, c->items, {}}, c->users.row(c->sample[u]).data(),
                                                         {.count = count, .filter = {.candidates = kd::Candidates::all}}));
  });
}

void plain_scan_one(benchmark::State& state) {
  const Case* const c = case_of(state);
  if (c == nullptr) return;
  const auto count = static_cast<std::size_t>(state.range(2)), k = static_cast<std::size_t>(c->items.factors());
  std::vector<std::int32_t> ids(count);
  std::vector<float> scores(count);
  one_by_one(state, c->sample.size(), [&](std::size_t u) {
    opponents::plain_scan(c->plain_users.data() + u * k, c->plain_items.data(), static_cast<std::size_t>(c->items.rows()), k, count,
                          ids.data(), scores.data());
    benchmark::ClobberMemory();
  });
}

void kindred_similar_items(benchmark::State& state) {
  const Case* const c = case_of(state);
  if (c == nullptr) return;
  if (!c->model) return state.SkipWithError("no model");
  one_by_one(state, static_cast<std::size_t>(c->items.rows()), [&](std::size_t n) {
    const auto item = static_cast<kd::Index>(n * 7919 % static_cast<std::size_t>(c->items.rows()));
    benchmark::DoNotOptimize(c->model->similar_items(item, {.count = static_cast<std::size_t>(state.range(2))}));
  });
}

void kindred_similar_all(benchmark::State& state) {
  const Case* const c = case_of(state);
  if (c == nullptr) return;
  if (!c->model) return state.SkipWithError("no model");
  const kd::SimilarOptions options{.count = static_cast<std::size_t>(state.range(2))};
  const kd::Execution execution{.threads = static_cast<std::size_t>(state.range(3))};
  std::size_t entries = 0;
  const auto take = [&](kd::Index, std::span<const kd::Scored> list) { entries += list.size(); };
  (void)c->model->similar_items(0);  // makes the index
  for (auto _ : state) c->model->similar_items_all(options, execution, take);
  benchmark::DoNotOptimize(entries);
  set_users(state, static_cast<std::size_t>(c->items.rows()));
}

void kindred_similar_index(benchmark::State& state) {
  const Case* const c = case_of(state);
  if (c == nullptr) return;
  for (auto _ : state) benchmark::DoNotOptimize(kd::detail::CosineIndex<float>(c->items, kd::SimdLevel::best));
}

/// A number of kB from /proc/self/status, or 0 where there is none.
double memory_kb(const char* field) {
  double found = 0.0;
  if (std::FILE* const status = std::fopen("/proc/self/status", "r")) {
    char line[256];
    while (std::fgets(line, sizeof(line), status) != nullptr)
      if (std::strncmp(line, field, std::strlen(field)) == 0) found = std::atof(line + std::strlen(field));
    std::fclose(status);
  }
  return found;
}

/// The lists of all users of the model to a sink that keeps nothing; extra_mib: the peak of memory on top of what was there before the call.
void kindred_stream_all(benchmark::State& state) {
  const Case* const c = case_of(state);
  if (c == nullptr) return;
  if (!c->model) return state.SkipWithError("no model");
  double most = 0.0;
  for (auto _ : state) {
#if defined(__GLIBC__)
    ::malloc_trim(0);  // what earlier work has freed must not hide what this one takes
#endif
    if (std::FILE* const reset = std::fopen("/proc/self/clear_refs", "w")) {  // makes the peak start anew
      std::fputs("5", reset);
      std::fclose(reset);
    }
    const double before = memory_kb("VmRSS:");
    std::size_t entries = 0;
    c->model->recommend_all(kd::every_user,
                            {.count = static_cast<std::size_t>(state.range(2)),
                             .exclude = c->split->train,
                             .execution = {.threads = static_cast<std::size_t>(state.range(3))}},
                            [&](kd::Index, std::span<const kd::Scored> list) { entries += list.size(); });
    benchmark::DoNotOptimize(entries);
    most = (std::max)(most, memory_kb("VmHWM:") - before);
  }
  state.counters["extra_mib"] = most / 1024.0;
  set_users(state, static_cast<std::size_t>(c->users.rows()));
}

/// A row of 50 items, or of as many as there are.
std::pair<std::vector<kd::Index>, std::vector<float>> row_of(const Case& c, std::size_t n) {
  const auto items = static_cast<std::size_t>(c.items.rows()), length = (std::min)(std::size_t{50}, items);
  std::vector<kd::Index> columns;
  for (std::size_t at = 0; at < length; ++at) columns.push_back(static_cast<kd::Index>((at * items + n * 131 % items) / length));
  return {columns, std::vector<float>(length, 3.0F)};
}

void kindred_fold_in(benchmark::State& state) {
  const Case* const c = case_of(state);
  if (c == nullptr) return;
  if (!c->model) return state.SkipWithError("no model");
  std::vector<std::pair<std::vector<kd::Index>, std::vector<float>>> rows;
  for (std::size_t n = 0; n < 64; ++n) rows.push_back(row_of(*c, n));
  one_by_one(state, rows.size(), [&](std::size_t n) { benchmark::DoNotOptimize(c->model->fold_in({rows[n].first, rows[n].second})); });
}

void textbook_fold_in(benchmark::State& state) {
  const Case* const c = case_of(state);
  if (c == nullptr) return;
  std::vector<std::pair<std::vector<kd::Index>, std::vector<float>>> rows;
  for (std::size_t n = 0; n < 64; ++n) rows.push_back(row_of(*c, n));
  std::vector<float> x(static_cast<std::size_t>(c->items.factors()));
  one_by_one(state, rows.size(), [&](std::size_t n) {
    opponents::fold_in(c->gram.data(), c->plain_items.data(), rows[n].first.data(), rows[n].second.data(), rows[n].first.size(), x.size(),
                       x.data());
    benchmark::ClobberMemory();
  });
}

/// The lists that evaluate needs, and nothing else: about 100,000 users at most, what is in train excluded.
std::vector<kd::Index> evaluated_users(const Case& c) {
  std::vector<kd::Index> users;
  const kd::CsrView test = c.split->test;
  const kd::Index step = (std::max)(kd::Index{1}, test.rows() / 100'000);
  for (kd::Index u = 0; u < test.rows(); u += step)
    if (!test.row(u).empty()) users.push_back(u);
  return users;
}

void kindred_lists_to_evaluate(benchmark::State& state) {
  const Case* const c = case_of(state);
  if (c == nullptr) return;
  if (!c->model) return state.SkipWithError("no model");
  const std::vector<kd::Index> users = evaluated_users(*c);
  for (auto _ : state)
    benchmark::DoNotOptimize(c->model->recommend_all(users, {.count = static_cast<std::size_t>(state.range(2)),
                                                             .exclude = c->split->train,
                                                             .execution = {.threads = static_cast<std::size_t>(state.range(3))}}));
  set_users(state, users.size());
}

void kindred_evaluate(benchmark::State& state) {
  const Case* const c = case_of(state);
  if (c == nullptr) return;
  if (!c->model) return state.SkipWithError("no model");
  const std::vector<kd::Index> users = evaluated_users(*c);
  const auto count = static_cast<std::size_t>(state.range(2));
  const std::vector<std::size_t> cutoffs = count >= 10 ? std::vector<std::size_t>{1, 5, count} : std::vector<std::size_t>{count};
  for (auto _ : state)
    benchmark::DoNotOptimize(
        kd::evaluate(*c->model, c->split->train, c->split->test,
                     {.cutoffs = cutoffs, .users = users, .execution = {.threads = static_cast<std::size_t>(state.range(3))}}));
  set_users(state, users.size());
}

// Registered data by data, so that each model is fitted once and kept while all loops run on it.
const bool registered = [] {
  struct Loop {
    const char* name;
    void (*run)(benchmark::State&);
    bool threaded;
  };
  constexpr Loop loops[] = {
      {"kindred_recommend_all", kindred_recommend_all, true},  {"tiled_full_scan", tiled_full_scan, false},
      {"kindred_recommend_one", kindred_recommend_one, false}, {"plain_scan_one", plain_scan_one, false},
      {"kindred_similar_items", kindred_similar_items, false}, {"kindred_similar_all", kindred_similar_all, true},
      {"kindred_similar_index", kindred_similar_index, false}, {"kindred_fold_in", kindred_fold_in, false},
      {"textbook_fold_in", textbook_fold_in, false},           {"kindred_lists_to_evaluate", kindred_lists_to_evaluate, false},
      {"kindred_evaluate", kindred_evaluate, false},           {"kindred_stream_all", kindred_stream_all, true}};
  for (const std::int64_t data : {5, 0, 1, 2, 3, 4}) {
    for (const std::int64_t factors : {64, 128}) {
      for (const std::int64_t count : {10, 100}) {
        for (const Loop& loop : loops) {
          auto* const b = benchmark::RegisterBenchmark(loop.name, loop.run);
          b->ArgNames({"data", "factors", "count", "threads"})->Unit(benchmark::kMicrosecond)->Args({data, factors, count, 1});
          if (loop.threaded) b->Args({data, factors, count, 2})->UseRealTime();
        }
      }
    }
  }
  return true;
}();

}  // namespace
