// SPDX-License-Identifier: MIT
// How good are lists after n iterations, and after how many seconds? From a random start and from the spectral one: time_to_quality DATA_FOLDER [SPLITS]
//
// HetRec 2011 Last.fm, means over splits of seeds 1 to SPLITS (10): NDCG@10 after 1, 2, 3, 5, 10 and 15 iterations, and the seconds until then, choice of
// options and start included.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <kindred/evaluation/evaluate.hpp>
#include <kindred/models/implicit_als.hpp>

#include "public_sets.hpp"

namespace {

namespace kd = kindred;

constexpr std::array<std::size_t, 6> shown = {1, 2, 3, 5, 10, 15};

void measure(const std::string& name, kd::AlsOptions options, const public_sets::PublicSet& set, std::uint64_t splits) {
  std::array<double, shown.size()> ndcg{}, seconds{};
  for (std::uint64_t seed = 1; seed <= splits; ++seed) {
    const kd::TrainTestSplit split = public_sets::split_of(set, seed);
    options.seed = seed;
    options.iterations = shown.back();
    std::array<double, shown.size()> at{};
    std::array<std::size_t, shown.size()> iteration{};
    std::size_t next = 0;
    const auto look = [&](const kd::ImplicitALS<float>& model, const kd::FitReport::Iteration& done) {
      if (next == shown.size() || done.iteration != shown[next]) return;
      iteration[next] = done.iteration;
      at[next++] = kd::evaluate(model, split.train, split.test, {.cutoffs = {10}}).at(10).ndcg.mean;
    };
    kd::ImplicitALS<float> als(options);
    const kd::FitReport report = als.fit(split.train, {.after_iteration = look});
    double spent = report.choice_seconds + report.prepare_seconds + report.start_seconds;
    for (std::size_t n = 0, done = 0; n < shown.size(); ++n) {
      for (; done < iteration[n]; ++done) spent += report.iterations[done].seconds;
      ndcg[n] += at[n] / static_cast<double>(splits);
      seconds[n] += spent / static_cast<double>(splits);
    }
  }
  std::printf("| %s |", name.c_str());
  for (std::size_t n = 0; n < shown.size(); ++n) std::printf(" %.3f (%.2f s) |", ndcg[n], seconds[n]);
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: time_to_quality DATA_FOLDER [SPLITS]\n", stderr), 2;
  const std::uint64_t splits = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 10;
  public_sets::for_each_set(argv[1], "hetrec-counts", [&](const public_sets::PublicSet& set) {
    std::puts("| settings, start | n = 1 | 2 | 3 | 5 | 10 | 15 |\n|---|---|---|---|---|---|---|");
    for (const kd::Start start : {kd::Start::normal, kd::Start::spectral}) {
      const std::string name = start == kd::Start::normal ? ", normal" : ", spectral";
      kd::AlsOptions study = kd::AlsOptions::paper({.factors = 100, .regularization = 0.1, .alpha = 0.5});
      study.start.kind = start;
      measure("the study's" + name, study, set, splits);
      kd::AlsOptions defaults;
      defaults.start.kind = start;
      measure("defaults" + name, defaults, set, splits);
    }
  });
  return 0;
}
