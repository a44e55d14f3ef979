// SPDX-License-Identifier: MIT
// What does the popularity penalty cost, and what does it bring? popularity_dial DATA_FOLDER [SET,SET...] [SPLITS] [FACTORS]
//
// For each public data set (public_sets.hpp): a model without item_exponent and popularity_damping, the defaults, and tune, each with the dial at 0, .15, .3
// and .6. A row has means over the splits, and behind them how far they are from the dial at 0; the last row compares tune at .3 with the first model.
// Then lists a second on one thread with the dial at 0 and at .3, the better of five runs each, in turns.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <kindred/core/progress.hpp>
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/tuning/tune.hpp>

#include "public_sets.hpp"

namespace {

namespace kd = kindred;

constexpr double dials[] = {0.0, 0.15, 0.3, 0.6};

struct Row {
  double ndcg = 0.0, popularity = 0.0, coverage = 0.0, tail = 0.0;

  void add(const kd::CutoffReport& report) {
    ndcg += report.ndcg.mean;
    popularity += report.average_popularity;
    coverage += report.coverage;
    tail += report.tail_share;
  }
  void print(const std::string& name, const Row& base, double splits) const {
    std::printf("| %s | %.4f (%+.1f %%) | %.1f (%+.1f %%) | %.3f (x%.2f) | %.4f |\n", name.c_str(), ndcg / splits,
                100.0 * (ndcg / base.ndcg - 1.0), popularity / splits, 100.0 * (popularity / base.popularity - 1.0), coverage / splits,
                coverage / base.coverage, tail / splits);
  }
};

struct Settings {
  std::string name;
  Row rows[std::size(dials)] = {};
  double scale = 0.0;

  void measure(const kd::ImplicitALS<float>& als, const kd::TrainTestSplit& split) {
    scale += als.popularity_scale();
    for (std::size_t d = 0; d < std::size(dials); ++d)
      rows[d].add(kd::evaluate(als, split.train, split.test, {.popularity_penalty = dials[d]}).at(10));
  }
};

/// Lists a second of all users on one thread.
double rate(const kd::ImplicitALS<float>& als, const kd::CsrView& train, double dial) {
  const kd::detail::Stopwatch watch;
  const kd::RankedLists lists =
      als.recommend_all(kd::every_user, {.count = 10, .exclude = train, .execution = {.threads = 1}, .popularity_penalty = dial});
  return static_cast<double>(lists.size()) / watch.seconds();
}

void measure(const public_sets::PublicSet& set, std::uint64_t splits, std::size_t factors) {
  std::vector<Settings> all{{.name = "no exponents"}, {.name = "defaults"}, {.name = "tune"}};
  double plain = 0.0, dialled = 0.0;
  const std::uint64_t n_splits = set.test.rows() > 0 ? 1 : splits;
  for (std::uint64_t seed = 1; seed <= n_splits; ++seed) {
    const kd::TrainTestSplit split = public_sets::split_of(set, seed);
    for (Settings& settings : all) {
      kd::AlsOptions options{.factors = factors, .seed = seed};
      if (settings.name == "no exponents") options.background.item_exponent = options.confidence.popularity_damping = 0.0;
      if (settings.name == "tune") {
        kd::TuneOptions how{.seed = seed};
        how.base.factors = factors;
        options = kd::tune(split.train, how).options;
      }
      kd::ImplicitALS<float> als(options);
      als.fit(split.train);
      settings.measure(als, split);
      if (settings.name != "defaults" || seed > 1) continue;
      for (int run = 0; run < 5; ++run) {
        plain = std::max(plain, rate(als, split.train, 0.0));
        dialled = std::max(dialled, rate(als, split.train, 0.3));
      }
    }
  }
  std::printf("\n%s\n\n| settings, dial | NDCG@10 | mean popularity | coverage@10 | share of the tail |\n|---|---|---|---|---|\n",
              set.name.c_str());
  const auto n = static_cast<double>(n_splits);
  for (const Settings& settings : all)
    for (std::size_t d = 0; d < std::size(dials); ++d) {
      char name[64];
      std::snprintf(name, sizeof name, "%s, %g", settings.name.c_str(), dials[d]);
      settings.rows[d].print(name, settings.rows[0], n);
    }
  all[2].rows[2].print("tune, 0.3, against no exponents, 0", all[0].rows[0], n);
  std::printf("\nscale %.4f, %.4f, %.4f; lists a second: %.0f with the dial at 0, %.0f at 0.3 (%.2f)\n", all[0].scale / n, all[1].scale / n,
              all[2].scale / n, plain, dialled, dialled / plain);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: popularity_dial DATA_FOLDER [SET,SET...] [SPLITS] [FACTORS]\n", stderr), 2;
  const std::uint64_t splits = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 5;
  const std::size_t factors = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 128;
  public_sets::for_each_set(argv[1], argc > 2 ? argv[2] : "hetrec-counts,ml-1m-clicks",
                            [&](const public_sets::PublicSet& set) { measure(set, splits, factors); });
  return 0;
}
