// SPDX-License-Identifier: MIT
// Neural collaborative filtering's protocol on MovieLens 1M (He et al., WWW 2017): ncf_movielens [FOLDER [defaults]]
//
// Every rating is a like. The last film of each of 6,040 users is ranked among itself and 99 films that its authors drew (files ncf/); hit rate and NDCG at
// 10. Settings are chosen inside train: by tune and tune_blend for lists of all films, and by random search and a grid under this protocol (ncf.hpp).
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>

#include "../guarded.hpp"
#include "../reproduce/ease.hpp"
#include "comparison.hpp"
#include "ncf.hpp"

namespace kd = kindred;

namespace {

reproduce::Ease::Options tuned_ease(const compare::InnerSplit& inner) {
  double best = 0.0, highest = -1.0;
  for (double penalty = 50.0; penalty < 5000.0; penalty *= 2.0) {
    reproduce::Ease ease({.regularization = penalty, .log_counts = false});
    ease.fit(inner.train);
    const double ndcg = compare::inner_ndcg(ease, inner);
    if (ndcg > highest) best = penalty, highest = ndcg;
  }
  return {.regularization = best, .log_counts = false};
}

/// The rows whose settings are searched. `add(name, model, settings, fit options...)` fits and measures.
template <typename Add>
void add_searched(const compare::NcfProtocol& data, const Add& add) {
  const kd::CsrMatrix& train = data.train;
  const compare::InnerSplit inner = compare::inner_split(train, 42);
  const reproduce::Ease::Options penalty = tuned_ease(inner);
  reproduce::Ease ease(penalty);
  add("EASE", ease, "penalty " + std::to_string(static_cast<int>(penalty.regularization)) + ", the best of 7");
  const kd::TuneResult tuned = kd::tune(train, {.cutoff = 10});
  kd::ImplicitALS<float> listing(tuned.options);
  add("ALS, tuned for lists of all films", listing,
      compare::words(tuned.options) + "; tune, " + std::to_string(tuned.trials.size()) + " trials");
  const kd::AlsOptions chosen = compare::tuned_als(inner);
  const std::string tried = "; the best of " + std::to_string(compare::ncf_trials);
  kd::ImplicitALS<float> als(chosen), hybrid(chosen);
  add("ALS, tuned under this protocol", als, compare::words(chosen) + tried);
  add("ALS with features", hybrid, "the same",
      kd::ImplicitALS<float>::FitOptions{.user_features = data.users, .item_features = data.items});
  const kd::BlendTuneResult both = kd::tune_blend(train, {.cutoff = 10});
  kd::BlendedRecommender<float> tuned_blend(both.options);
  add("factors and neighbours, tuned", tuned_blend,
      compare::words(both.options) + "; tune_blend, " + std::to_string(both.trials.size()) + " trials");
}

int program(int argc, char** argv) {
  const compare::NcfProtocol data = compare::read_ncf(compare::data_folder(argc, argv));
  const kd::CsrMatrix& train = data.train;
  std::printf("MovieLens 1M, NCF's protocol: %d users, %lld pairs in train, one film among 100\n\n", train.rows(),
              static_cast<long long>(train.nnz()));
  std::vector<compare::Row> rows;
  const auto measure = [&](const auto& model) { return compare::hits_and_ndcg(model, data.train, data.test); };
  const auto add = [&](const std::string& name, auto& model, std::string settings, const auto&... options) {
    rows.push_back(compare::measured(name, model, train, measure, std::move(settings), options...));
  };
  kd::PopularityRecommender popularity({.by = kd::PopularityOptions::By::users});
  add("popularity", popularity, "");
  kd::ItemNeighbours cosine(kd::ItemNeighboursOptions::cosine()), neighbours;
  add("item neighbours, cosine", cosine, "200 neighbours");
  add("item neighbours", neighbours, "defaults");
  kd::ImplicitALS<float> defaults;
  add("ALS", defaults, "defaults");
  kd::BlendedRecommender<float> blend;
  add("factors and neighbours", blend, "defaults");
  if (compare::searches(argc, argv)) add_searched(data, add);

  compare::add_published_ncf(rows);
  compare::print({"HR@10", "NDCG@10"}, rows);
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return examples::guarded(program, argc, argv); }
