// SPDX-License-Identifier: MIT
// Do settings that were chosen from the data fit it? settings_table DATA_FOLDER [SET,SET...] [SPLITS] [TRIALS]
//
// For each public data set (public_sets.hpp): popularity, the paper's settings, the defaults, tune and, with TRIALS, the best of so many random
// settings by an inner split of train (all of Units::data with 128 factors), on the same splits. A row has means over the splits and the seconds of
// one fit, searches included; +- is the standard deviation over splits, 0 where the publishers gave one split.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <kindred/evaluation/evaluate.hpp>
#include <kindred/metrics/mean_and_error.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/popularity_recommender.hpp>
#include <kindred/tuning/tune.hpp>

#include "public_sets.hpp"

namespace {

namespace kd = kindred;

struct Row {
  std::string name;
  std::vector<double> ndcg_20 = {}, precision_10 = {}, ndcg_10 = {}, coverage_10 = {};
  double seconds = 0.0;

  template <typename Model>
  void add(const Model& model, const kd::TrainTestSplit& split, double fit_seconds) {
    const kd::RankingReport report = kd::evaluate(model, split.train, split.test, {.cutoffs = {10, 20}});
    ndcg_20.push_back(report.at(20).ndcg.mean);
    precision_10.push_back(report.at(10).precision.mean);
    ndcg_10.push_back(report.at(10).ndcg.mean);
    coverage_10.push_back(report.at(10).coverage);
    seconds += fit_seconds;
  }
  void print() const {
    const auto mean = [](const std::vector<double>& values) { return kd::metrics::mean_and_error(values).mean; };
    const kd::MeanAndError ndcg = kd::metrics::mean_and_error(ndcg_20);
    const auto splits = static_cast<double>(ndcg_20.size());
    std::printf("| %s | %.4f +- %.4f | %.4f | %.4f | %.3f | %.2f |\n", name.c_str(), ndcg.mean, ndcg.standard_error * std::sqrt(splits),
                mean(precision_10), mean(ndcg_10), mean(coverage_10), seconds / splits);
    std::fflush(stdout);
  }
};

/// The setting that is best on an inner split of `train`, of `trials` drawn at random. What a careful user with time would do.
kd::AlsOptions best_of_random(const kd::CsrMatrix& train, std::uint64_t seed, std::uint64_t trials) {
  const kd::TrainTestSplit inner = kd::PerUserSplitter({.test_fraction = 0.2, .seed = 1'000 + seed}).split(train);
  std::mt19937_64 random(seed);
  const auto uniform = [&](double low, double high) { return low + (high - low) * static_cast<double>(random() >> 11U) * 0x1p-53; };
  const auto logarithmic = [&](double low, double high) { return low * std::pow(high / low, uniform(0.0, 1.0)); };
  kd::AlsOptions best;
  double best_ndcg = -1.0;
  for (std::uint64_t trial = 0; trial < trials; ++trial) {
    kd::AlsOptions options{.factors = 128, .seed = seed};
    options.background.ratio = logarithmic(2.0, 64.0);
    options.regularization = logarithmic(0.02, 0.4);
    options.background.item_exponent = uniform(0.0, 0.4);
    options.confidence.popularity_damping = uniform(0.0, 0.4);
    options.iterations = 1 + random() % 5;
    kd::ImplicitALS<float> als(options);
    als.fit(inner.train);
    const double ndcg = kd::evaluate(als, inner.train, inner.test, {.cutoffs = {20}}).at(20).ndcg.mean;
    if (ndcg > best_ndcg) best = options, best_ndcg = ndcg;
  }
  return best;
}

void measure(const public_sets::PublicSet& set, std::uint64_t splits, std::uint64_t trials) {
  std::vector<Row> rows{
      {.name = "popularity"}, {.name = "the paper's settings"}, {.name = "defaults"}, {.name = "tune"}, {.name = "best of random"}};
  if (trials == 0) rows.pop_back();
  for (std::uint64_t seed = 1; seed <= (set.test.rows() > 0 ? 1 : splits); ++seed) {
    const kd::TrainTestSplit split = public_sets::split_of(set, seed);
    kd::PopularityRecommender popularity({.by = kd::PopularityOptions::By::users});
    popularity.fit(split.train);
    rows[0].add(popularity, split, 0.0);
    const auto fitted = [&](Row& row, kd::AlsOptions options, double search_seconds) {
      options.seed = seed;
      kd::ImplicitALS<float> als(options);
      const kd::FitReport report = als.fit(split.train);
      row.add(als, split, search_seconds + report.seconds);
    };
    fitted(rows[1], kd::AlsOptions::paper(), 0.0);
    fitted(rows[2], kd::AlsOptions{.factors = 128}, 0.0);
    kd::TuneOptions how{.seed = seed};
    how.base.factors = 128;
    const kd::TuneResult found = kd::tune(split.train, how);
    fitted(rows[3], found.options, found.seconds);
    if (trials > 0) {
      const kd::detail::Stopwatch search;
      const kd::AlsOptions best = best_of_random(split.train, seed, trials);
      fitted(rows[4], best, search.seconds());
    }
  }
  std::printf("\n%s\n\n| settings | NDCG@20 | P@10 | NDCG@10 | coverage@10 | seconds |\n|---|---|---|---|---|---|\n", set.name.c_str());
  for (const Row& row : rows) row.print();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: settings_table DATA_FOLDER [SET,SET...] [SPLITS] [TRIALS]\n", stderr), 2;
  const std::uint64_t splits = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 2;
  const std::uint64_t trials = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 0;
  public_sets::for_each_set(argv[1], argc > 2 ? argv[2] : "", [&](const public_sets::PublicSet& set) { measure(set, splits, trials); });
  return 0;
}
