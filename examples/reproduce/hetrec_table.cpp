// SPDX-License-Identifier: MIT
// Popularity, textbook ALS, recommended ALS, EASE and neighbours on HetRec 2011 Last.fm: hetrec_table [FOLDER]
//
// Every model with settings has the same budget: 12 random trials on one inner split of the train part of a split that is not reported (seed 101), by NDCG@10.
// The settings are then frozen and reported on the splits of seeds 1 to 10.
#include <cstdio>
#include <string>

#include <kindred/kindred.hpp>

#include "../guarded.hpp"
#include "../lastfm/stopwatch.hpp"
#include "../random_numbers.hpp"
#include "ease.hpp"
#include "table.hpp"

namespace kd = kindred;

namespace {

constexpr std::size_t trials = 12;

kd::TrainTestSplit split_of(const kd::CsrView& matrix, std::uint64_t seed) {
  return kd::PerUserSplitter({.test_fraction = 0.2, .min_interactions = 5, .seed = seed}).split(matrix);
}

/// The textbook's model: c = 1 + alpha r, one lambda for every row.
kd::AlsOptions tuned_textbook(const kd::TrainTestSplit& inner) {
  const kd::SearchSpace space{{"factors", kd::SearchChoices{30, 50, 70, 100}},
                              {"regularization", kd::SearchRange{0.001, 100.0, kd::SearchRange::Scale::logarithmic}},
                              {"iterations", kd::SearchChoices{10, 15, 20}},
                              {"confidence.alpha", kd::SearchRange{0.1, 40.0, kd::SearchRange::Scale::logarithmic}}};
  const kd::SearchResult found = kd::random_search<float>(inner.train, inner.test, space,
                                                          {.trials = trials, .metric = kd::Metric::ndcg, .base = kd::AlsOptions::paper()});
  return found.trials[*found.best].options;
}

/// Around the defaults of AlsOptions.
kd::AlsOptions tuned_defaults(const kd::TrainTestSplit& inner) {
  const kd::SearchSpace space{{"regularization", kd::SearchRange{0.02, 0.4, kd::SearchRange::Scale::logarithmic}},
                              {"background.ratio", kd::SearchRange{2.0, 64.0, kd::SearchRange::Scale::logarithmic}},
                              {"background.item_exponent", kd::SearchRange{0.0, 0.4}},
                              {"confidence.popularity_damping", kd::SearchRange{0.0, 0.3}}};
  const kd::SearchResult found = kd::random_search<float>(inner.train, inner.test, space, {.trials = trials, .metric = kd::Metric::ndcg});
  return found.trials[*found.best].options;
}

reproduce::Ease::Options tuned_ease(const kd::TrainTestSplit& inner) {
  examples::Random random(42, 5);
  reproduce::Ease::Options best;
  double best_ndcg = -1.0;
  for (std::size_t trial = 0; trial < trials; ++trial) {
    const reproduce::Ease::Options options{.regularization = std::pow(10.0, 1.0 + 3.0 * random.uniform()),
                                           .log_counts = random.uniform() < 0.5};
    reproduce::Ease ease(options);
    ease.fit(inner.train);
    const double ndcg = kd::evaluate(ease, inner.train, inner.test, {.cutoffs = {10}}).at(10).ndcg.mean;
    if (ndcg > best_ndcg) {
      best_ndcg = ndcg;
      best = options;
    }
  }
  return best;
}

int run(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : ".";
  if (!reproduce::have_hetrec(folder)) return 2;
  const kd::Dataset plays = kd::filter_active(kd::read_hetrec2011_lastfm(folder + "/user_artists.dat"));
  std::printf("%lld interactions of %d users and %d artists\n", static_cast<long long>(plays.matrix.nnz()), plays.matrix.rows(),
              plays.matrix.cols());

  const kd::TrainTestSplit inner = split_of(split_of(plays.matrix, 101).train, 102);
  const kd::AlsOptions textbook = tuned_textbook(inner), defaults = tuned_defaults(inner);
  const reproduce::Ease::Options ease = tuned_ease(inner);
  std::printf("textbook ALS: factors %zu, lambda %.4g, alpha %.3g, %zu iterations\n", *textbook.factors, *textbook.regularization,
              *textbook.confidence.alpha, *textbook.iterations);
  std::printf("defaults, tuned: regularization %.4g, background ratio %.3g, item exponent %.2f, popularity damping %.2f\n",
              *defaults.regularization, *defaults.background.ratio, *defaults.background.item_exponent,
              *defaults.confidence.popularity_damping);
  std::printf("EASE: lambda %.4g, %s\n\n", ease.regularization, ease.log_counts ? "log(1 + plays)" : "1 a pair");

  std::vector<reproduce::Row> rows(8);
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const kd::TrainTestSplit split = split_of(plays.matrix, seed);
    std::size_t at = 0;
    const auto measure = [&](const char* name, auto model) {
      const study::Stopwatch fitting;
      model.fit(split.train);
      rows[at].fit_seconds.push_back(fitting.seconds());
      rows[at].name = name;
      rows[at++].add(kd::evaluate(model, split.train, split.test, {.cutoffs = {10}}).at(10));
    };
    const auto with_seed = [&](kd::AlsOptions options) {
      options.seed = seed;
      return kd::ImplicitALS<float>(options);
    };
    measure("popularity by plays", kd::PopularityRecommender({.by = kd::PopularityOptions::By::summed_values}));
    measure("popularity by listeners", kd::PopularityRecommender({.by = kd::PopularityOptions::By::users}));
    measure("textbook ALS, tuned", with_seed(textbook));
    measure("EASE, tuned", reproduce::Ease(ease));
    measure("defaults", with_seed(kd::AlsOptions{}));
    measure("defaults, tuned", with_seed(defaults));
    measure("item neighbours", kd::ItemNeighbours());
    measure("factors and neighbours", kd::BlendedRecommender<float>());
  }
  reproduce::print_header("10", true);
  for (const reproduce::Row& row : rows) reproduce::print(row);
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return examples::guarded(run, argc, argv); }
