// SPDX-License-Identifier: MIT
// How fast a plays file is read: against the reader that everybody writes first, and against the bandwidth of copying memory.
//   make_plays && reader_benchmark          the file of the real size; KINDRED_PLAYS names another one
// Peak memory is the process's: ask for one benchmark at a time (--benchmark_filter) to see that of one.
#include <benchmark/benchmark.h>

#include <sys/resource.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <unordered_map>
#include <vector>

#include <kindred/io/lastfm.hpp>

namespace kd = kindred;

namespace {

std::string plays_file() {
  const char* const named = std::getenv("KINDRED_PLAYS");
  return named != nullptr ? named : (std::filesystem::temp_directory_path() / "kindred_plays.tsv").string();
}

void report(benchmark::State& state, std::size_t bytes, double rows) {
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * static_cast<std::int64_t>(state.iterations()));
  state.counters["rows"] = benchmark::Counter(rows * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_MB"] = static_cast<double>(usage.ru_maxrss) / 1e3;
}

void copy_memory(benchmark::State& state) {
  const std::size_t bytes = std::size_t{1} << 28;
  std::vector<char> from(bytes, 'x'), to(bytes, 'y');
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), bytes);
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * static_cast<std::int64_t>(state.iterations()));
}

/// A line, its fields, a map of strings for users and one for items. It checks nothing, sums nothing, and ends with triplets instead of a matrix.
void getline_split_map(benchmark::State& state) {
  const std::string path = plays_file();
  std::size_t rows = 0;
  for (auto _ : state) {
    std::ifstream file(path, std::ios::binary);
    std::unordered_map<std::string, int> users, items;
    std::vector<int> row_users, row_items;
    std::vector<float> values;
    std::string line;
    std::vector<std::string> fields;
    while (std::getline(file, line)) {
      fields.clear();
      std::size_t start = 0;
      for (std::size_t tab = line.find('\t'); tab != std::string::npos; tab = line.find('\t', start)) {
        fields.push_back(line.substr(start, tab - start));
        start = tab + 1;
      }
      fields.push_back(line.substr(start));
      if (fields[1].empty()) continue;
      row_users.push_back(users.emplace(fields[0], static_cast<int>(users.size())).first->second);
      row_items.push_back(items.emplace(fields[1], static_cast<int>(items.size())).first->second);
      values.push_back(std::stof(fields[3]));
    }
    rows = values.size();
    benchmark::DoNotOptimize(values.data());
  }
  report(state, std::filesystem::file_size(path), static_cast<double>(rows));
}

void read_lastfm_360k(benchmark::State& state) {
  const std::string path = plays_file();
  std::size_t rows = 0;
  for (auto _ : state) {
    const kd::Dataset data = kd::read_lastfm_360k(path, {.read = {.execution = {.threads = static_cast<std::size_t>(state.range(0))}}});
    rows = data.load.rows;
    benchmark::DoNotOptimize(data.matrix.values().data());
  }
  report(state, std::filesystem::file_size(path), static_cast<double>(rows));
}

BENCHMARK(copy_memory)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(getline_split_map)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(read_lastfm_360k)->ArgName("threads")->Arg(1)->Arg(2)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
