// SPDX-License-Identifier: MIT
// How many seconds does it take to lists that are 99 % as good as they get? time_to_quality [DATA_FOLDER [SPLITS]]
//
// From a random start and from the spectral one, with the study's settings (factors 100, lambda 0.1, alpha 0.5) and with the defaults: NDCG@10 after 1, 2,
// 3, 5, 10 and 15 iterations, means over splits of seeds 1 to SPLITS (10 for HetRec, else 1), each with the seconds from the matrix in memory
// until then, choice of options and start included. Then the seconds until .99 of the best NDCG of either start. Data sets: made-up plays of a
// study's size (20,000 x 36,530) and, with a folder, HetRec 2011 Last.fm and Gowalla.
#include <algorithm>
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

constexpr std::size_t iterations = 15;
constexpr std::array<std::size_t, 6> shown = {1, 2, 3, 5, 10, 15};

/// After n + 1 iterations, means over splits.
struct Path {
  std::array<double, iterations> ndcg{}, seconds{};

  [[nodiscard]] double best() const { return *std::max_element(ndcg.begin(), ndcg.end()); }
  [[nodiscard]] double seconds_until(double wanted) const {
    for (std::size_t n = 0; n < iterations; ++n)
      if (ndcg[n] >= wanted) return seconds[n];
    return -1.0;
  }
};

Path measure(kd::AlsOptions options, const public_sets::PublicSet& set, std::uint64_t splits) {
  Path path;
  options.iterations = iterations;
  for (std::uint64_t seed = 1; seed <= splits; ++seed) {
    const kd::TrainTestSplit split = public_sets::split_of(set, seed);
    options.seed = seed;
    const auto look = [&](const kd::ImplicitALS<float>& model, const kd::FitReport::Iteration& done) {
      path.ndcg[done.iteration - 1] +=
          kd::evaluate(model, split.train, split.test, {.cutoffs = {10}}).at(10).ndcg.mean / static_cast<double>(splits);
    };
    kd::ImplicitALS<float> als(options);
    const kd::FitReport report = als.fit(split.train, {.after_iteration = look});
    double spent = report.choice_seconds + report.prepare_seconds + report.start_seconds;
    for (std::size_t n = 0; n < iterations; ++n) {
      spent += report.iterations[n].seconds;
      path.seconds[n] += spent / static_cast<double>(splits);
    }
  }
  return path;
}

void compare(const std::string& settings, kd::AlsOptions options, const public_sets::PublicSet& set, std::uint64_t splits) {
  options.start.kind = kd::Start::normal;
  const Path random = measure(options, set, splits);
  options.start.kind = kd::Start::spectral;
  const Path spectral = measure(options, set, splits);
  const double wanted = 0.99 * std::max(random.best(), spectral.best());
  for (const Path* path : {&random, &spectral}) {
    std::printf("| %s | %s, %s |", set.name.c_str(), settings.c_str(), path == &random ? "random" : "spectral");
    for (const std::size_t n : shown) std::printf(" %.4f (%.2f s) |", path->ndcg[n - 1], path->seconds[n - 1]);
    const double seconds = path->seconds_until(wanted);
    if (seconds < 0.0)
      std::printf(" not in %.2f s |\n", path->seconds.back());
    else
      std::printf(" %.2f s |\n", seconds);
  }
  std::fflush(stdout);
}

void compare_starts(const public_sets::PublicSet& set, std::uint64_t splits) {
  compare("the study's", kd::AlsOptions::paper({.factors = 100, .regularization = 0.1, .alpha = 0.5}), set, splits);
  compare("defaults", {}, set, splits);
}

}  // namespace

int main(int argc, char** argv) {
  std::puts("| data | settings, start | n = 1 | 2 | 3 | 5 | 10 | 15 | to .99 of the best |\n|---|---|---|---|---|---|---|---|---|");
  if (argc > 1) {
    public_sets::for_each_set(argv[1], "hetrec-counts", [&](const public_sets::PublicSet& set) {
      compare_starts(set, argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 10);
    });
    public_sets::for_each_set(argv[1], "gowalla", [](const public_sets::PublicSet& set) { compare_starts(set, 1); });
  }
  compare_starts({"made-up plays", kd::synthetic_listening({.users = 20'000, .items = 36'530, .items_per_user = 70}).matrix, {}}, 1);
  return 0;
}
