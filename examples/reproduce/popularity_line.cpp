// SPDX-License-Identifier: MIT
// What rho and beta trade: ranking against coverage, on HetRec 2011 Last.fm, means over the splits of seeds 1 to 10: popularity_line [FOLDER]
#include <array>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>

#include "../guarded.hpp"
#include "table.hpp"

namespace kd = kindred;

namespace {

constexpr std::array<std::pair<double, double>, 8> settings = {
    {{0.0, 0.0}, {0.1, 0.05}, {0.0, 0.2}, {0.3, 0.0}, {0.23, 0.1}, {0.3, 0.2}, {0.45, 0.2}, {0.45, 0.4}}};

/// Users of an item in train, averaged over all items of all lists.
double mean_users_of_listed(const kd::ImplicitALS<float>& als, const kd::CsrMatrix& train) {
  std::vector<double> users(static_cast<std::size_t>(train.cols()), 0.0);
  for (const kd::Index item : train.columns()) users[static_cast<std::size_t>(item)] += 1.0;
  double sum = 0.0;
  double listed = 0.0;
  als.recommend_all(kd::every_user, {.count = 10, .exclude = train}, [&](kd::Index, std::span<const kd::Scored> list) {
    for (const kd::Scored& scored : list) sum += users[static_cast<std::size_t>(scored.item)];
    listed += static_cast<double>(list.size());
  });
  return sum / listed;
}

int run(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : ".";
  if (!reproduce::have_hetrec(folder)) return 2;
  const kd::Dataset plays = kd::filter_active(kd::read_hetrec2011_lastfm(folder + "/user_artists.dat"));
  constexpr int splits = 10;
  constexpr kd::Index deciles = 10;
  std::puts("| rho | beta | NDCG@10 | coverage | mean users of a listed item | recall by decile |\n|---|---|---|---|---|---|");
  for (const auto& [rho, beta] : settings) {
    double ndcg = 0.0, coverage = 0.0, listed = 0.0;
    std::array<double, deciles> recall{};
    for (std::uint64_t seed = 1; seed <= splits; ++seed) {
      const kd::TrainTestSplit split = kd::PerUserSplitter({.test_fraction = 0.2, .min_interactions = 5, .seed = seed}).split(plays.matrix);
      kd::AlsOptions options;
      options.background.item_exponent = rho;
      options.confidence.popularity_damping = beta;
      options.seed = seed;
      kd::ImplicitALS<float> als(options);
      als.fit(split.train);
      const kd::RankingReport report = kd::evaluate(
          als, split.train, split.test, {.cutoffs = {10}, .item_groups = kd::EvaluationGroups::by_popularity(split.train, deciles)});
      ndcg += report.at(10).ndcg.mean / splits;
      coverage += report.at(10).coverage / splits;
      listed += mean_users_of_listed(als, split.train) / splits;
      for (std::size_t n = 0; n < recall.size(); ++n) recall[n] += report.item_groups[n].recall / splits;
    }
    std::printf("| %.2f | %.2f | %.3f | %.2f | %.0f |", rho, beta, ndcg, coverage, listed);
    for (const double value : recall) std::printf(" %.3f", value);
    std::puts(" |");
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return examples::guarded(run, argc, argv); }
