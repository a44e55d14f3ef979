// SPDX-License-Identifier: MIT
// Inputs that are meant to make a library slow, each beside an ordinary one of the same size: the time of both, how many times as much processor time the hostile one
// takes, and how far the memory of the process rises while it runs (Linux alone can tell).
//   adversarial_benchmark [--benchmark_filter=...]
#include <benchmark/benchmark.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/random.hpp>
#include <kindred/data/filters.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/io/delimited.hpp>
#include <kindred/linalg/top_k_search.hpp>
#include <kindred/metrics/ranking.hpp>
#include <kindred/models/implicit_als.hpp>
#if KINDRED_ADVERSARIAL_MODEL_FILES
#include <kindred/persistence/model_file.hpp>
#endif

namespace kd = kindred;

namespace {

using Work = std::function<void()>;

/// `field` of /proc/self/status in MB, 0 where there is none.
double memory_mb(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (double kilobytes = 0.0; word == field + ":" && status >> kilobytes) return kilobytes / 1e3;
  return 0.0;
}

void run(benchmark::State& state, const std::string& name, bool hostile, const std::function<Work()>& prepare) {
  static std::map<std::string, double> benign_seconds;
  const Work work = prepare();
#if defined(__GLIBC__)
  malloc_trim(0);  // else what earlier cases have left would be used first, and not show
#endif
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts from here
  const double before = memory_mb("VmRSS");
  // Processor time, of all threads: what other programs do meanwhile does not count.
  const std::clock_t start = std::clock();
  for (auto _ : state) work();
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  state.counters["rise_MB"] = (std::max)(0.0, memory_mb("VmHWM") - before);
  if (!hostile)
    benign_seconds[name] = seconds;
  else if (const auto benign = benign_seconds.find(name); benign != benign_seconds.end())
    state.counters["times_benign"] = seconds / benign->second;
}

/// One input to compare with, and the others.
void add(const std::string& name, const std::function<Work()>& benign,
         const std::vector<std::pair<std::string, std::function<Work()>>>& hostile, const std::string& benign_name = "benign") {
  const auto add_one = [&](const std::string& what, bool is_hostile, const std::function<Work()>& prepare) {
    benchmark::RegisterBenchmark((name + "/" + what).c_str(), [=](benchmark::State& state) { run(state, name, is_hostile, prepare); })
        ->Iterations(3)
        ->MeasureProcessCPUTime()
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  };
  add_one(benign_name, false, benign);
  for (const auto& [what, prepare] : hostile) add_one(what, true, prepare);
}

// ---- matrices ----

/// `rows_with` rows, evenly spread over all, of `length` random columns each; then row 0 has every column if `one_full`.
kd::CsrMatrix rows_of(kd::MatrixShape shape, kd::Index rows_with, std::size_t length, bool one_full) {
  std::vector<kd::Offset> offsets{0};
  std::vector<kd::Index> columns;
  std::vector<kd::Index> row;
  for (kd::Index u = 0; u < shape.users; ++u) {
    kd::detail::Random random(1, kd::detail::RandomStream::sample, static_cast<std::uint64_t>(u));
    if (u == 0 && one_full) {
      columns.resize(static_cast<std::size_t>(shape.items));
      std::iota(columns.begin(), columns.end(), 0);
    } else if (u % (shape.users / rows_with) == 0) {
      row.clear();
      while (row.size() < length) row.push_back(static_cast<kd::Index>(random.below(static_cast<std::uint32_t>(shape.items))));
      std::sort(row.begin(), row.end());
      row.erase(std::unique(row.begin(), row.end()), row.end());
      columns.insert(columns.end(), row.begin(), row.end());
    }
    offsets.push_back(static_cast<kd::Offset>(columns.size()));
  }
  std::vector<float> values(columns.size(), 1.0F);
  return {shape, std::move(offsets), std::move(columns), std::move(values)};
}

std::function<Work()> fit_of(const std::function<kd::CsrMatrix()>& make) {
  return [=]() -> Work {
    const auto train = std::make_shared<const kd::CsrMatrix>(make());
    return [train] {
      kd::ImplicitALS<float> model({.factors = 32, .iterations = 1, .units = kd::Units::paper, .confidence = {.alpha = 1.0}});
      model.fit(*train);
      benchmark::DoNotOptimize(model.recommend(0, {.exclude = train->row(0)}).data());
    };
  };
}

void add_matrices() {
  add("fit, 10,000 x 200,000, 0.5 M interactions", fit_of([] {
        return rows_of({10'000, 200'000}, 10'000, 50, false);
      }),
      {{"one user has every item", fit_of([] {
          return rows_of({10'000, 200'000}, 10'000, 30, true);
        })}});
  add("fit, 200,000 x 10,000, 0.5 M interactions", fit_of([] {
        return kd::transpose(rows_of({10'000, 200'000}, 10'000, 50, false));
      }),
      {{"one item has every user", fit_of([] {
          return kd::transpose(rows_of({10'000, 200'000}, 10'000, 30, true));
        })}});
  add("fit, 1,000,000 x 10,000, 1 M interactions", fit_of([] {
        return rows_of({1'000'000, 10'000}, 1'000'000, 1, false);
      }),
      {{"990,000 rows are empty", fit_of([] {
          return rows_of({1'000'000, 10'000}, 10'000, 100, false);
        })}});
}

// ---- ids ----

void add_ids() {
  const auto interned = [](bool crafted) -> Work {
    std::string one = "abcdefgHabcdefgh",
                twin = one;  // equal to h = (h ^ word) * odd; h ^= h >> 29, whatever the seed (tests/data/id_map_test.cpp)
    for (const auto& [at, bit] : {std::pair(7U, 0x80), std::pair(15U, 0x80), std::pair(12U, 0x04)})
      twin[at] = static_cast<char>(twin[at] ^ bit);
    const auto keys = std::make_shared<std::vector<std::string>>();
    kd::detail::Random random(3, kd::detail::RandomStream::sample);
    for (std::uint32_t n = 0; n < 65'536; ++n) {
      std::string& key = keys->emplace_back();
      for (std::uint32_t bit = 0; bit < 16; ++bit) key += (n >> bit & 1) != 0 ? twin : one;
      if (!crafted)
        for (char& c : key) c = static_cast<char>('a' + random.below(26));
    }
    return [keys] {
      kd::IdMap ids;
      for (const std::string& key : *keys) ids.intern(key);
      benchmark::DoNotOptimize(ids.size());
    };
  };
  add("65,536 ids of 256 bytes", [=] { return interned(false); }, {{"made to collide", [=] { return interned(true); }}});
}

// ---- text files ----

std::function<Work()> reading(const std::function<std::string()>& make, std::size_t max_line_bytes = kd::ReadOptions{}.max_line_bytes,
                              std::size_t piece = std::size_t{1} << 30) {
  return [=]() -> Work {
    const auto text = std::make_shared<const std::string>(make());
    return [=] {
      kd::ReadOptions options{.on_bad_line = kd::ReadOptions::BadLinePolicy::skip, .max_line_bytes = max_line_bytes};
      options.open = [text, piece](const std::string&) -> kd::ReadOptions::ReadBytes {
        return [text, piece, at = std::size_t{0}](char* to, std::size_t most) mutable {
          const std::size_t count = text->copy(to, (std::min)(most, piece), at);
          at += count;
          return count;
        };
      };
      try {
        benchmark::DoNotOptimize(kd::read_delimited("text", {}, options).matrix.nnz());
      } catch (const kd::ParseError& error) {
        benchmark::DoNotOptimize(error.line());
      }
    };
  };
}

constexpr std::size_t text_bytes = 100'000'000;

std::string ordinary_lines(std::size_t bytes) {
  std::string text;
  kd::detail::Random random(4, kd::detail::RandomStream::sample);
  for (std::uint32_t line = 0; text.size() < bytes; ++line)
    text += "listener-" + std::to_string(line / 50) + "\tartist-" + std::to_string(random.below(100'000)) + "\t" +
            std::to_string(1 + random.below(500)) + "\n";
  return text;
}

std::string repeated(const std::string& what, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += what;
  return text;
}

void add_texts() {
  const std::string row = "u\ti\t1\n";
  add("100 MB of text", reading([] { return ordinary_lines(text_bytes); }),
      {{"one line without an end", reading([=] { return row + std::string(text_bytes, 'x'); })},
       {"one line of separators, allowed to be long",
        reading([=] { return row + std::string(text_bytes, '\t') + "\n" + row; }, text_bytes + 1)},
       {"one column", reading([=] { return row + repeated("listener-1\n", text_bytes); })},
       {"lines of one byte", reading([=] { return row + repeated("x\n", text_bytes); })},
       {"blank lines", reading([=] { return row + std::string(text_bytes, '\n'); })},
       {"no text", reading([=] { return row + repeated("\xFF\t\xC0\n", text_bytes); })},
       {"one pair again and again", reading([=] { return repeated("listener-1\tartist-1\t10\n", text_bytes); })},
       {"every id once", reading([] {
          std::string text;
          for (std::uint32_t n = 0; text.size() < text_bytes; ++n)
            text += "listener-" + std::to_string(n) + "\tartist-" + std::to_string(n) + "\t10\n";
          return text;
        })}});
  add("1 MB of text", reading([] { return ordinary_lines(1'000'000); }),
      {{"one byte at a time", reading([] { return ordinary_lines(1'000'000); }, kd::ReadOptions{}.max_line_bytes, 1)}});
}

// ---- filters and metrics ----

void add_rest() {
  const auto filtered = [](bool chain) -> Work {
    constexpr kd::Index users = 200'000;
    std::vector<kd::Interaction> pairs;
    kd::detail::Random random(5, kd::detail::RandomStream::sample);
    for (kd::Index u = 0; u < users; ++u)
      for (const kd::Index step : {0, 1}) pairs.push_back({u, chain ? u + step : static_cast<kd::Index>(random.below(users)), 1.0F});
    auto data = std::make_shared<kd::Dataset>();
    data->matrix = kd::CsrMatrix::from_triplets({users, users + 1}, pairs);
    for (kd::Index n = 0; n < users; ++n) data->users.intern("u" + std::to_string(n));
    for (kd::Index n = 0; n <= users; ++n) data->items.intern("i" + std::to_string(n));
    return [data] {
      const kd::ActivityFilter core{.min_items_per_user = 2, .min_users_per_item = 2, .passes = kd::ActivityFilter::Passes::until_stable};
      benchmark::DoNotOptimize(kd::filter_active(*data, core).matrix.nnz());
    };
  };
  add("the core of 0.4 M interactions", [=] { return filtered(false); },
      {{"a chain: each goes because of the one before", [=] { return filtered(true); }}});

  const auto scored = [](kd::Index shift) -> Work {
    const auto lists = std::make_shared<std::array<std::vector<kd::Index>, 2>>();
    for (std::vector<kd::Index>& list : *lists) list.resize(200'000);
    std::iota((*lists)[0].rbegin(), (*lists)[0].rend(), 0);
    std::iota((*lists)[1].begin(), (*lists)[1].end(), shift);
    return [lists] { benchmark::DoNotOptimize(kd::metrics::ndcg((*lists)[0], (*lists)[1], 200'000)); };
  };
  add("NDCG of 200,000 items", [=] { return scored(200'000); }, {{"every place is a hit", [=] { return scored(0); }}});
}

// ---- top-K ----

void add_top_k() {
  static constexpr kd::Index items = 200'000, queries = 128, factors = 64;
  // Factors in a basis where they shrink, as a fit leaves them; lengths that differ as much as popularity does.
  const auto searching = [](const std::function<void(kd::Index row, std::span<float> factors)>& change, std::size_t count) -> Work {
    struct Data {
      kd::FactorMatrix<float> rows{items, factors}, users{queries, factors};
      std::unique_ptr<kd::detail::TopKIndex<float>> index;
    };
    const auto data = std::make_shared<Data>();
    for (kd::FactorMatrix<float>* matrix : {&data->rows, &data->users})
      for (kd::Index r = 0; r < matrix->rows(); ++r) {
        kd::detail::Random random(matrix == &data->rows ? 6 : 7, kd::detail::RandomStream::sample, static_cast<std::uint64_t>(r));
        const double length = 1.0 / std::sqrt(1.0 + static_cast<double>(random.below(1'000)));
        for (std::size_t f = 0; f < factors; ++f)
          matrix->row(r)[f] = static_cast<float>(length * random.normal() / std::sqrt(1.0 + static_cast<double>(f)));
        if (matrix == &data->rows && change) change(r, matrix->row(r));
      }
    data->index = std::make_unique<kd::detail::TopKIndex<float>>(data->rows, data->users, kd::SimdLevel::best);
    return [=] {
      kd::detail::TopKSearch<float> search(*data->index, data->rows);
      std::vector<const float*> asked;
      for (kd::Index u = 0; u < queries; ++u) asked.push_back(data->users.row(u).data());
      benchmark::DoNotOptimize(
          search.find(asked, std::vector<kd::detail::TopKRequest>(asked.size(), kd::detail::TopKRequest{.count = count})).data());
    };
  };
  const auto one_norm = [](kd::Index, std::span<float> row) {
    const float length = std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0F));
    for (float& value : row) value /= length;
  };
  const auto equal = [](kd::Index, std::span<float> row) { std::fill(row.begin(), row.end(), 0.125F); };
  const auto nearly_equal = [](kd::Index r, std::span<float> row) {
    std::fill(row.begin(), row.end(), 0.125F);
    row[0] += static_cast<float>(r) * 1e-7F;
  };
  // The scan goes by falling length; here scores rise while lengths fall, for whoever has positive first factors.
  const auto rising = [](kd::Index r, std::span<float> row) {
    const float share = static_cast<float>(r) / static_cast<float>(items);
    std::fill(row.begin(), row.end(), 0.0F);
    row[0] = 0.5F * share;
    row[factors - 1] = 2.0F - 1.5F * share;
  };
  // What any search may cost: every pair scored, a block of rows laid out once for all queries.
  const auto everything = []() -> Work {
    const auto rows = std::make_shared<kd::FactorMatrix<float>>(items, factors),
               users = std::make_shared<kd::FactorMatrix<float>>(queries, factors);
    return [=] {
      const kd::detail::ScoreKernels<float>& kernels = kd::detail::score_kernels<float>(kd::SimdLevel::best);
      kd::detail::AlignedVector<float> panel(factors * kd::detail::score_block), scores(queries * kd::detail::score_block);
      std::vector<const float*> asked;
      for (kd::Index u = 0; u < queries; ++u) asked.push_back(users->row(u).data());
      std::array<kd::Index, kd::detail::score_block> block{};
      for (kd::Index first = 0; first < items; first += static_cast<kd::Index>(kd::detail::score_block)) {
        std::iota(block.begin(), block.end(), first);
        kernels.pack(rows->data(), rows->stride(), block.data(), block.size(), factors, panel.data());
        kernels.score(asked.data(), asked.size(), panel.data(), block.size(), factors, scores.data());
        benchmark::DoNotOptimize(scores.data());
      }
    };
  };
  add("the best 10 of 200,000, 128 times", everything,
      {{"ordinary items", [=] { return searching({}, 10); }},
       {"all items of one norm", [=] { return searching(one_norm, 10); }},
       {"all items equal", [=] { return searching(equal, 10); }},
       {"all items equal but for a last digit", [=] { return searching(nearly_equal, 10); }},
       {"scores rise while norms fall", [=] { return searching(rising, 10); }}},
      "every pair scored, no list");
}

// ---- model files ----

#if KINDRED_ADVERSARIAL_MODEL_FILES
std::function<Work()> loading(const std::function<std::string()>& make) {
  return [=]() -> Work {
    const auto file = std::make_shared<const std::string>(make());
    return [file] {
      std::istringstream stream(*file);
      try {
        benchmark::DoNotOptimize(kd::load<kd::ImplicitALS<float>>(stream).fitted());
      } catch (const kd::FormatError& error) {
        benchmark::DoNotOptimize(error.what());
      }
    };
  };
}

std::string with_length(const std::string& header) {
  const std::uint64_t length = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header;
}

void add_model_files() {
  constexpr std::size_t bytes = 50'000'000;
  add("50 MB of model file", loading([] {
        kd::ImplicitALS<float> model({.factors = 64, .iterations = 1, .units = kd::Units::paper, .confidence = {.alpha = 1.0}});
        model.fit(rows_of({100'000, 95'000}, 10'000, 10, false));
        std::ostringstream stream;
        kd::save(model, stream);
        return stream.str();
      }),
      {{"arrays in arrays", loading([] { return with_length(R"({"a":)" + std::string(bytes, '[')); })},
       {"objects in objects", loading([] { return with_length(repeated(R"({"a":)", bytes)); })},
       {"metadata of as many entries as fit", loading([] {
          std::string header = R"({"__metadata__":{)";
          for (std::uint32_t n = 0; header.size() < bytes; ++n) header += "\"" + std::to_string(n) + "\":\"\",";
          return with_length(header + R"("":""}})");
        })},
       {"as many tensors as fit", loading([] {
          std::string header = "{";
          for (std::uint32_t n = 0; header.size() < bytes; ++n)
            header += "\"" + std::to_string(n) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)";
          return with_length(header + R"("":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})");
        })},
       {"a shape of as many sizes as fit", loading([] { return with_length(R"({"a":{"dtype":"U8","shape":[)" + repeated("1,", bytes)); })},
       {"a name of 50 MB", loading([] { return with_length(R"({")" + std::string(bytes, 'n') + R"(":1})"); })}});
}
#endif

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  add_matrices();
  add_ids();
  add_texts();
  add_rest();
  add_top_k();
#if KINDRED_ADVERSARIAL_MODEL_FILES
  add_model_files();
#endif
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
