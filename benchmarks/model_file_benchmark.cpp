// SPDX-License-Identifier: MIT
// A model of the size of Last.fm 360K with 128 factors: saving, loading, and from a mapped file to the first list, against `cat` of the same file.
// The file, 266 MB, goes to the system's temporary folder and is removed at the end.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/random.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/persistence/model_file.hpp>

namespace kd = kindred;

namespace {

constexpr kd::Index n_users = 358'868, n_items = 160'112, k = 128;

const kd::ImplicitALS<float>& model() {
  static const kd::ImplicitALS<float> made = [] {
    kd::detail::AlsState<float> state;
    kd::detail::AlsWeights::State weights;
    state.options = kd::AlsOptions::paper({.factors = static_cast<std::size_t>(k)});
    weights.user_counts.assign(n_users, 48);
    weights.item_counts.assign(n_items, 108);
    state.eigenvalues.assign(k, 1.0);
    state.users = kd::FactorMatrix<float>(n_users, k);
    state.items = kd::FactorMatrix<float>(n_items, k);
    for (kd::FactorMatrix<float>* factors : {&state.users, &state.items})
      for (kd::Index r = 0; r < factors->rows(); ++r) {
        kd::detail::Random random(1, kd::detail::RandomStream::sample, static_cast<std::uint64_t>(r));
        for (kd::Index f = 0; f < k; ++f)
          factors->row(r)[static_cast<std::size_t>(f)] = static_cast<float>(random.normal()) / static_cast<float>(1 + f);
      }
    state.weights = kd::detail::AlsWeights(kd::detail::settings_of(state.options), std::move(weights));
    return kd::ImplicitALS<float>(std::move(state), kd::SimdLevel::best);
  }();
  return made;
}

/// Written when it is first asked for.
const std::string& file() {
  struct File {
    std::string path = (std::filesystem::temp_directory_path() / "kindred_model_benchmark.safetensors").string();
    File() { kd::save(model(), path); }
    ~File() { std::filesystem::remove(path); }
  };
  static const File written;
  return written.path;
}

void report(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<std::int64_t>(std::filesystem::file_size(file())) * static_cast<std::int64_t>(state.iterations()));
}

void cat(benchmark::State& state) {
  const std::string command = "cat " + file() + " > /dev/null";
  for (auto _ : state)
    if (std::system(command.c_str()) != 0) state.SkipWithError("no cat");
  report(state);
}

void cat_to_file(benchmark::State& state) {
  const std::string copy = file() + ".copy", command = "cat " + file() + " > " + copy + " && sync " + copy;
  for (auto _ : state)
    if (std::system(command.c_str()) != 0) state.SkipWithError("no cat");
  std::filesystem::remove(copy);
  report(state);
}

void save(benchmark::State& state) {
  const std::string copy = file() + ".saved";
  for (auto _ : state) kd::save(model(), copy);
  std::filesystem::remove(copy);
  report(state);
}

void load(benchmark::State& state) {
  (void)file();
  for (auto _ : state) benchmark::DoNotOptimize(kd::load<kd::ImplicitALS<float>>(file()).recommend(7).size());
  report(state);
}

void load_mapped_to_first_list(benchmark::State& state) {
  (void)file();
  for (auto _ : state) benchmark::DoNotOptimize(kd::load_mapped<kd::ImplicitALS<float>>(file()).model.recommend(7).size());
  report(state);
}

void verify_mapped(benchmark::State& state) {
  const auto mapped = kd::load_mapped<kd::ImplicitALS<float>>(file());
  for (auto _ : state) mapped.verify();
  report(state);
}

void settings(benchmark::internal::Benchmark* one) { one->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond); }

BENCHMARK(cat)->Apply(settings);
BENCHMARK(cat_to_file)->Apply(settings);
BENCHMARK(save)->Apply(settings);
BENCHMARK(load)->Apply(settings);
BENCHMARK(load_mapped_to_first_list)->Apply(settings);
BENCHMARK(verify_mapped)->Apply(settings);

}  // namespace
