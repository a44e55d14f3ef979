// SPDX-License-Identifier: MIT
// The lesson: is the new model better, how sure is that, and how different will the lists look? Three models over five splits, and then the lists.
//
//   compare_models [<hetrec folder>]
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <kindred/kindred.hpp>

namespace kd = kindred;

int main(int argc, char** argv) try {
  const kd::Dataset plays = argc > 1 ? kd::read_hetrec2011_lastfm(std::string(argv[1]) + "/user_artists.dat") : kd::synthetic_listening();
  constexpr double test_fraction = 0.2;
  kd::AlsOptions now = kd::AlsOptions::recommended();
  kd::AlsOptions next = now;
  now.factors = 32;
  next.factors = 64;

  std::vector<double> over_popularity, over_now;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto [train, test] = kd::PerUserSplitter({.test_fraction = test_fraction, .seed = seed}).split(plays.matrix);
    kd::PopularityRecommender popularity({.by = kd::PopularityBy::users});
    popularity.fit(train);
    kd::ImplicitALS<float> served(now), candidate(next);
    served.fit(train);
    candidate.fit(train);

    const kd::EvaluateOptions options{.cutoffs = {10}, .keep_per_user = true};
    const kd::RankingReport base = kd::evaluate(popularity, train, test, options);
    const kd::RankingReport old_report = kd::evaluate(served, train, test, options);
    const kd::RankingReport new_report = kd::evaluate(candidate, train, test, options);
    over_popularity.push_back(kd::compare(base, new_report).difference.mean);
    over_now.push_back(kd::compare(old_report, new_report).difference.mean);
    if (seed > 1) continue;

    const kd::Comparison users = kd::compare(old_report, new_report);
    std::printf("one split, %zu users: NDCG@10 %.4f -> %.4f, difference %+.4f in [%+.4f, %+.4f]; better for %d, worse for %d\n",
                users.difference.n, users.first, users.second, users.difference.mean, users.difference.low, users.difference.high,
                users.second_better, users.first_better);
    const kd::ListAgreement lists = kd::compare_lists(served.recommend_all(kd::every_user, {.exclude = train}),
                                                      candidate.recommend_all(kd::every_user, {.exclude = train}));
    std::printf("their lists share %.0f %% of the items; those that both hold move by %.1f places\n", 100.0 * lists.overlap,
                lists.rank_drift);
  }

  // Users of one split say nothing about other splits; several splits share most of their train data. The corrected test knows.
  const kd::Difference a = kd::compare_splits(over_popularity, test_fraction), b = kd::compare_splits(over_now, test_fraction);
  const std::vector<double> p = kd::holm(std::vector<double>{a.p_value, b.p_value});
  std::printf("five splits, against popularity: %+.4f in [%+.4f, %+.4f], p %.2g\n", a.mean, a.low, a.high, p[0]);
  std::printf("five splits, against the served model: %+.4f in [%+.4f, %+.4f], p %.2g\n", b.mean, b.low, b.high, p[1]);
} catch (const std::exception& error) {
  std::fprintf(stderr, "compare_models: %s\n", error.what());
  return 1;
}
