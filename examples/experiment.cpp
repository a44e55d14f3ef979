// SPDX-License-Identifier: MIT
// The lesson: an honest comparison. Settings are chosen on an inner split of each train part, all models see the same
// five outer splits, and the p values are corrected for splits that share data and for two questions.
//
//   experiment [<hetrec folder>]   made-up data, or HetRec 2011 Last.fm
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <kindred/kindred.hpp>

namespace kd = kindred;

namespace {

constexpr double test_fraction = 0.2;

kd::ImplicitALS<float> fitted(const kd::AlsOptions& options, const kd::CsrView& train) {
  kd::ImplicitALS<float> model(options);
  model.fit(train);
  return model;
}

/// The best of 6 settings on a validation part of `train`; the test part plays no role.
kd::AlsOptions searched(const kd::CsrView& train, std::uint64_t seed) {
  const auto [inner, validation] = kd::PerUserSplitter({.test_fraction = test_fraction, .seed = 100 + seed}).split(train);
  kd::RandomSearchOptions options{.trials = 6, .seed = seed, .metric = kd::Metric::ndcg, .base = kd::AlsOptions{}};
  options.base.factors = 32;
  using Scale = kd::SearchRange::Scale;
  const kd::SearchSpace space{{"regularization", kd::SearchRange{0.03, 0.5, Scale::logarithmic}},
                              {"background.ratio", kd::SearchRange{2.0, 64.0, Scale::logarithmic}},
                              {"background.item_exponent", kd::SearchRange{0.0, 0.4}}};
  const kd::SearchResult result = kd::random_search(inner, validation, space, options);
  if (!result.best) throw std::runtime_error("no setting could be fitted: " + result.trials.front().error);
  const kd::SearchTrial& best = result.trials[*result.best];
  std::printf("  search %d:", static_cast<int>(seed));
  for (const auto& [name, value] : best.setting) std::printf(" %s %.3g", name.c_str(), value.number);
  int tied = -1;  // the best is tied with itself
  for (const kd::SearchTrial& trial : result.trials) tied += !trial.failed() && trial.tied ? 1 : 0;
  std::printf(" (%d of the %zu other settings within a standard error)\n", tied, result.trials.size() - 1);
  return best.options;
}

struct Row {
  const char* name;
  std::vector<kd::RankingReport> reports;  // one a split
};

/// Mean of the metric over splits, beside the standard error over users of the first split.
void print(const Row& row) {
  std::vector<double> ndcg, recall;
  for (const kd::RankingReport& report : row.reports) {
    ndcg.push_back(report.at(10).ndcg.mean);
    recall.push_back(report.at(10).recall.mean);
  }
  const kd::CutoffReport& first = row.reports.front().at(10);
  std::printf("%-14s %.4f +- %.4f   %.4f +- %.4f   %8.1f %%\n", row.name, kd::metrics::mean_and_error(ndcg).mean, first.ndcg.standard_error,
              kd::metrics::mean_and_error(recall).mean, first.recall.standard_error, 100.0 * first.coverage);
}

/// Second minus first over all splits.
kd::MeanDifference over_splits(const Row& first, const Row& second) {
  std::vector<double> differences;
  for (std::size_t n = 0; n < first.reports.size(); ++n)
    differences.push_back(kd::compare(first.reports[n], second.reports[n]).difference.mean);
  return kd::compare_splits(differences, test_fraction);
}

}  // namespace

int main(int argc, char** argv) try {
  const kd::Dataset plays = argc > 1 ? kd::read_hetrec2011_lastfm(std::string(argv[1]) + "/user_artists.dat")
                                     : kd::synthetic_listening({.users = 600, .items = 400, .items_per_user = 30});
  Row popularity{"popularity", {}}, defaults{"ALS, defaults", {}}, tuned{"ALS, searched", {}};
  kd::ListAgreement lists;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto [train, test] = kd::PerUserSplitter({.test_fraction = test_fraction, .seed = seed}).split(plays.matrix);
    kd::PopularityRecommender popular({.by = kd::PopularityOptions::By::users});
    popular.fit(train);
    const kd::ImplicitALS<float> first = fitted({}, train), second = fitted(searched(train, seed), train);

    const kd::EvaluateOptions how{.cutoffs = {10}, .keep_per_user = true};
    popularity.reports.push_back(kd::evaluate(popular, train, test, how));
    defaults.reports.push_back(kd::evaluate(first, train, test, how));
    tuned.reports.push_back(kd::evaluate(second, train, test, how));
    if (seed == 1)
      lists = kd::compare_lists(first.recommend_all(kd::every_user, {.exclude = train}),
                                second.recommend_all(kd::every_user, {.exclude = train}));
  }

  std::printf("\nmodel          NDCG@10             recall@10           coverage\n");
  for (const Row* row : {&popularity, &defaults, &tuned}) print(*row);
  std::printf("means over 5 splits, standard errors over users of the first. Protocol: %s\n\n", tuned.reports.front().protocol.c_str());

  // Users of one split say nothing about other splits, and splits share most of their train data: the test corrects that.
  const kd::MeanDifference a = over_splits(popularity, tuned), b = over_splits(defaults, tuned);
  const std::vector<double> p = kd::holm(std::vector<double>{a.p_value, b.p_value});
  std::printf("searched against popularity: %+.4f in [%+.4f, %+.4f], p %.2g\n", a.mean, a.low, a.high, p[0]);
  std::printf("searched against defaults:   %+.4f in [%+.4f, %+.4f], p %.2g\n", b.mean, b.low, b.high, p[1]);
  std::printf("defaults and searched share %.0f %% of the items of their lists\n", 100.0 * lists.overlap);
} catch (const std::exception& error) {
  std::fprintf(stderr, "experiment: %s\n", error.what());
  return 1;
}
