// SPDX-License-Identifier: MIT
// What does each option do to lists? option_curves DATA_FOLDER [SET [SPLITS]] > curves.tsv
//
// One option moves, the others are the automatic ones: NDCG@10, the share of the catalogue in lists of 10, and the mean popularity of what they hold
// (users of train of a listed item), means over splits (3) of HetRec 2011 Last.fm. A block a panel: option, value, NDCG, coverage, popularity. The picture of
// docs/settings.md: gnuplot -e "data='curves.tsv'" option_curves.gp > option_curves.svg
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <kindred/evaluation/evaluate.hpp>
#include <kindred/models/implicit_als.hpp>

#include "public_sets.hpp"

namespace {

namespace kd = kindred;

struct Panel {
  const char* name;
  std::vector<double> values;
  std::function<void(kd::AlsOptions&, double)> set;
};

void draw(const Panel& panel, const public_sets::PublicSet& set, std::uint64_t splits) {
  for (const double value : panel.values) {
    double ndcg = 0.0, coverage = 0.0, popularity = 0.0;
    for (std::uint64_t seed = 1; seed <= splits; ++seed) {
      const kd::TrainTestSplit split = public_sets::split_of(set, seed);
      kd::AlsOptions options{.seed = seed};
      panel.set(options, value);
      kd::ImplicitALS<float> als(options);
      als.fit(split.train);
      const kd::RankingReport report = kd::evaluate(als, split.train, split.test, {.cutoffs = {10}});
      ndcg += report.at(10).ndcg.mean / static_cast<double>(splits);
      coverage += report.at(10).coverage / static_cast<double>(splits);
      popularity += report.at(10).average_popularity / static_cast<double>(splits);
    }
    std::printf("%s\t%g\t%.4f\t%.4f\t%.1f\n", panel.name, value, ndcg, coverage, popularity);
    std::fflush(stdout);
  }
  std::printf("\n\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: option_curves DATA_FOLDER [SET [SPLITS]]\n", stderr), 2;
  const std::vector<Panel> panels = {
      {"regularization", {.02, .04, .08, .14, .2, .3, .45}, [](kd::AlsOptions& o, double value) { o.regularization = value; }},
      {"background.ratio", {2, 4, 8, 16, 32, 64, 128}, [](kd::AlsOptions& o, double value) { o.background.ratio = value; }},
      {"background.item_exponent",
       {0, .1, .2, .3, .4, .6, .8},
       [](kd::AlsOptions& o, double value) { o.background.item_exponent = value; }},
      {"confidence.popularity_damping",
       {0, .1, .2, .3, .4, .6, .8},
       [](kd::AlsOptions& o, double value) { o.confidence.popularity_damping = value; }},
      {"confidence.base", {0, .2, .4, .6, .8, 1}, [](kd::AlsOptions& o, double value) { o.confidence.base = value; }},
      {"factors", {8, 16, 32, 64, 128, 256}, [](kd::AlsOptions& o, double value) { o.factors = static_cast<std::size_t>(value); }}};
  public_sets::for_each_set(argv[1], argc > 2 ? argv[2] : "hetrec-counts", [&](const public_sets::PublicSet& set) {
    for (const Panel& panel : panels) draw(panel, set, argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 3);
  });
  return 0;
}
