// SPDX-License-Identifier: MIT
// What do neighbours add to factors? neighbours_table DATA_FOLDER [SET,SET...] [SPLITS] [THREADS] [tune]
//
// For each public data set (public_sets.hpp), at one fixed setting for all of them: popularity, the textbook's cosine, the graph, the factors of the blend,
// ImplicitALS with its own defaults, and the blend; with `tune` also ImplicitALS and the blend by tune and tune_blend on inner splits of train, all with 128
// factors. A row has means over the splits, over ALL users, and the seconds of a fit, searches included. Then the speed of lists (top 20, train left out, one
// thread): the blend beside its factors alone, its neighbours alone and the full scan, with a check of some lists against the scan; and the memory of the parts.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/progress.hpp>
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/linalg/top_k_request.hpp>
#include <kindred/metrics/mean_and_error.hpp>
#include <kindred/models/blend/blend_search.hpp>
#include <kindred/models/blended_recommender.hpp>
#include <kindred/models/factor_lists.hpp>
#include <kindred/models/popularity_recommender.hpp>
#include <kindred/tuning/tune.hpp>
#include <kindred/tuning/tune_blend.hpp>

#include "public_sets.hpp"

namespace {

namespace kd = kindred;

struct Row {
  std::string name;
  std::vector<double> recall_20 = {}, ndcg_20 = {}, ndcg_10 = {};
  double seconds = 0.0;

  template <typename Model>
  void add(const Model& model, const kd::TrainTestSplit& split, double fit_seconds) {
    const kd::RankingReport report = kd::evaluate(model, split.train, split.test, {.cutoffs = {10, 20}});
    recall_20.push_back(report.at(20).recall.mean);
    ndcg_20.push_back(report.at(20).ndcg.mean);
    ndcg_10.push_back(report.at(10).ndcg.mean);
    seconds += fit_seconds;
  }
  void print() const {
    const auto mean = [](const std::vector<double>& values) { return kd::metrics::mean_and_error(values).mean; };
    std::printf("| %s | %.4f | %.4f | %.4f | %.2f |\n", name.c_str(), mean(recall_20), mean(ndcg_20), mean(ndcg_10),
                seconds / static_cast<double>(ndcg_20.size()));
    std::fflush(stdout);
  }
};

/// The list of a user by scoring every candidate, with the library's kernels.
std::vector<kd::Scored> full_scan(const kd::BlendedRecommender<float>& model, kd::Index user, std::span<const kd::Index> candidates,
                                  kd::detail::VoteTally& tally) {
  const kd::ImplicitALS<float>& als = model.factors();
  const std::span<const float> x = als.user_factors().row(user);
  model.neighbours().add_votes(model.neighbours().history(user), tally);
  const double spread = std::sqrt(als.squared_scores(x) / static_cast<double>(als.shape().items));
  const kd::detail::VoteUnit unit = kd::detail::vote_unit(tally, model.weight(), spread);
  kd::detail::BestOf best(20);
  kd::detail::score_rows(als.item_factors(), x.data(), candidates, als.simd_level(), [&](kd::Index item, double score) {
    const kd::Scored one{item, score + unit.of(tally.of(item))};
    if (best.would_enter(one)) best.add(one);
  });
  tally.clear();
  return best.take();
}

/// Users a second of the best of three runs.
template <typename Body>
double rate(std::size_t users, Body&& body) {
  double best = 0.0;
  for (int run = 0; run < 3; ++run) {
    const kd::detail::Stopwatch time;
    body();
    best = std::max(best, static_cast<double>(users) / time.seconds());
  }
  return best;
}

void measure_lists(const kd::BlendedRecommender<float>& model, const kd::CsrMatrix& train) {
  std::vector<kd::Index> users;
  const kd::Index step = std::max(model.shape().users / 8'192, kd::Index{1});
  for (kd::Index u = 0; u < model.shape().users; u += step) users.push_back(u);
  const kd::RecommendAllOptions top{.count = 20, .exclude = train, .execution = {.threads = 1}};
  kd::RankedLists lists;
  const double blend = rate(users.size(), [&] { lists = model.recommend_all(users, top); });
  const double factors = rate(users.size(), [&] { (void)model.factors().recommend_all(users, top); });
  const double neighbours = rate(users.size(), [&] { (void)model.neighbours().recommend_all(users, top); });
  const std::size_t some = std::min(users.size(), std::size_t{512});
  const double alone = rate(some, [&] {
    for (std::size_t n = 0; n < some; ++n) (void)model.recommend(users[n], {.count = 20, .exclude = train.row(users[n])});
  });
  // The full scan: every candidate's score, of which the best are kept.
  std::vector<std::vector<kd::Index>> candidates(some);
  const std::span<const kd::Index> counts = model.factors().item_counts();
  for (std::size_t n = 0; n < some; ++n)
    for (kd::Index i = 0; i < model.shape().items; ++i) {
      const kd::SparseRow row = train.row(users[n]);
      if (counts[static_cast<std::size_t>(i)] > 0 && !std::binary_search(row.columns.begin(), row.columns.end(), i))
        candidates[n].push_back(i);
    }
  std::size_t differing = 0;
  kd::detail::VoteTally tally(static_cast<std::size_t>(model.shape().items));
  const double scan = rate(some, [&] {
    differing = 0;
    for (std::size_t n = 0; n < some; ++n) {
      const std::vector<kd::Scored> list = full_scan(model, users[n], candidates[n], tally);
      differing += model.knows(users[n]) && !std::equal(list.begin(), list.end(), lists.row(n).begin(), lists.row(n).end()) ? 1U : 0U;
    }
  });
  std::printf(
      "\nlists, users/s on one thread: blend %.0f, factors alone %.0f (%.2f of them), neighbours alone %.0f, full scan %.0f (%.1f times); ",
      blend, factors, blend / factors, neighbours, scan, blend / scan);
  std::printf("one user %.3f ms; %zu of %zu lists differ from the scan\n", 1e3 / alone, differing, some);
  std::printf("memory: factors %.1f MB, neighbours and histories %.1f MB\n",
              1e-6 * static_cast<double>(model.factors().user_factors().memory_bytes() + model.factors().item_factors().memory_bytes()),
              1e-6 * static_cast<double>(model.neighbours().memory_bytes()));
}

void measure(const public_sets::PublicSet& set, std::uint64_t splits, std::size_t threads, bool tuned) {
  std::vector<Row> rows;
  for (const char* const name : {"popularity", "cosine", "neighbours", "factors of the blend", "ImplicitALS", "blend",
                                 "blend, 50 neighbours", "blend, user_discount 0", "ImplicitALS, tuned", "blend, tuned"})
    rows.push_back({.name = name});
  if (!tuned) rows.resize(8);
  const kd::Execution run{.threads = threads};
  std::printf("\n%s\n\n", set.name.c_str());
  for (std::uint64_t seed = 1; seed <= (set.test.rows() > 0 ? 1 : splits); ++seed) {
    const kd::TrainTestSplit split = public_sets::split_of(set, seed);
    kd::PopularityRecommender popularity({.by = kd::PopularityOptions::By::users});
    popularity.fit(split.train);
    rows[0].add(popularity, split, 0.0);
    const kd::detail::Stopwatch time;
    kd::ItemNeighbours cosine(kd::ItemNeighboursOptions::cosine());
    cosine.fit(split.train, run);
    rows[1].add(cosine, split, time.seconds());
    kd::BlendedOptions options;
    options.factors.seed = seed;
    kd::BlendedRecommender<float> blend(options);
    const kd::FitReport report = blend.fit(split.train, {.execution = run});
    rows[2].add(blend.neighbours(), split, report.neighbour_seconds);
    rows[3].add(blend.factors(), split, report.seconds - report.neighbour_seconds);
    rows[5].add(blend, split, report.seconds);
    kd::ImplicitALS<float> als({.factors = 128, .seed = seed});
    const double seconds_alone = als.fit(split.train, {.execution = run}).seconds;
    rows[4].add(als, split, seconds_alone);
    const auto with = [&](Row& row, const kd::ItemNeighboursOptions& changed) {
      const kd::detail::Stopwatch watch;
      kd::ItemNeighbours other(changed);
      other.fit(split.train, run);
      row.add(kd::BlendedRecommender<float>(blend.factors(), other, options.weight), split,
              report.seconds - report.neighbour_seconds + watch.seconds());
    };
    with(rows[6], {.neighbours = 50});
    with(rows[7], {.user_discount = 0.0});
    if (seed == 1) measure_lists(blend, split.train);
    if (!tuned) continue;
    kd::TuneOptions how{.seed = seed, .execution = run};
    how.base.factors = 128;
    how.base.seed = seed;
    const kd::TuneResult alone = kd::tune(split.train, how);
    kd::ImplicitALS<float> tuned_als(alone.options);
    const double als_seconds = tuned_als.fit(split.train, {.execution = run}).seconds;
    rows[8].add(tuned_als, split, alone.seconds + als_seconds);
    const kd::BlendTuneResult found = kd::tune_blend(split.train, {.seed = seed, .base = options, .execution = run});
    kd::BlendedRecommender<float> tuned_blend(found.options);
    const double blend_seconds = tuned_blend.fit(split.train, {.execution = run}).seconds;
    rows[9].add(tuned_blend, split, found.seconds + blend_seconds);
    std::printf("neighbours add %.4f +- %.4f to the validation of split %d: %s\n", found.gain.mean, found.gain.standard_error,
                static_cast<int>(seed), found.neighbours_help ? "they help" : "no difference");
  }
  std::printf("\n| model | R@20 | NDCG@20 | NDCG@10 | seconds |\n|---|---|---|---|---|\n");
  for (const Row& row : rows) row.print();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: neighbours_table DATA_FOLDER [SET,SET...] [SPLITS] [THREADS] [tune]\n", stderr), 2;
  const std::uint64_t splits = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 2;
  const std::size_t threads = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 0;
  public_sets::for_each_set(argv[1], argc > 2 ? argv[2] : "",
                            [&](const public_sets::PublicSet& set) { measure(set, splits, threads, argc > 5); });
  return 0;
}
