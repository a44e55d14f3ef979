// SPDX-License-Identifier: MIT
// Neural collaborative filtering's protocol on MovieLens 1M (He et al., WWW 2017): ncf_movielens [FOLDER]
//
// Every rating is a like. The last film of each of 6,040 users is ranked among itself and 99 films that its authors drew (files ncf/); hit rate and NDCG at
// 10. Settings of Kindred's models are chosen by tune and tune_blend on inner splits of train, by NDCG@10 among all films; EASE's penalty on the same split.
#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>

#include "../guarded.hpp"
#include "../reproduce/ease.hpp"
#include "comparison.hpp"
#include "movies.hpp"

namespace kd = kindred;

namespace {

constexpr const char* ncf =
    "Get ml-1m.test.negative from https://github.com/hexiangnan/neural_collaborative_filtering and put it into ml-1m/ncf.";

struct Protocol {
  kd::CsrMatrix train;
  kd::CsrMatrix test;  // 1 for the film that was held out, -1 for the 99 others
  kd::FeatureTable users, items;
};

/// Film ids of the protocol are in the order of their first appearance, as from_columns has them.
Protocol read(const std::string& folder) {
  std::istringstream lines(compare::text_of(compare::file_of(folder, "ml-1m/ratings.dat.gz", compare::movielens)));
  std::vector<std::string> users, items;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find("::"), second = line.find("::", first + 2);
    users.push_back(line.substr(0, first));
    items.push_back(line.substr(first + 2, second - first - 2));
  }
  const kd::Dataset all = kd::Dataset::from_columns(users, items);
  std::vector<kd::Interaction> train, test;
  std::vector<kd::Index> held;
  std::istringstream negatives(compare::text_of(compare::file_of(folder, "ml-1m/ncf/ml-1m.test.negative.gz", ncf)));
  for (std::string line; std::getline(negatives, line);) {
    int user = 0, item = 0;
    if (std::sscanf(line.c_str(), "(%d,%d)", &user, &item) != 2) continue;
    std::istringstream rest(line.substr(line.find('\t') + 1));
    std::vector<kd::Index> others;
    for (kd::Index other = 0; rest >> other;)
      if (other != item) others.push_back(other);
    std::sort(others.begin(), others.end());
    others.erase(std::unique(others.begin(), others.end()), others.end());
    for (const kd::Index other : others) test.push_back({user, other, -1.0F});
    test.push_back({user, item, 1.0F});
    held.push_back(item);
  }
  for (kd::Index u = 0; u < all.matrix.rows(); ++u)
    for (const kd::Index item : all.matrix.row(u).columns)
      if (item != held[static_cast<std::size_t>(u)]) train.push_back({u, item, 1.0F});
  const kd::FeatureTable films = compare::metadata_of(folder);
  return {kd::CsrMatrix::from_triplets(all.matrix.shape(), train), kd::CsrMatrix::from_triplets(all.matrix.shape(), test),
          kd::read_movielens_features(compare::file_of(folder, "ml-1m/users.dat", compare::movielens)).join(all.users).table,
          films.join(all.items).table};
}

reproduce::Ease::Options tuned_ease(const Protocol& data) {
  const kd::TrainTestSplit inner = kd::PerUserSplitter({.seed = 42}).split(data.train);
  double best = 0.0, highest = -1.0;
  for (double penalty = 50.0; penalty < 5000.0; penalty *= 2.0) {
    reproduce::Ease ease({.regularization = penalty, .log_counts = false});
    ease.fit(inner.train);
    const double ndcg = kd::evaluate(ease, inner.train, inner.test, {.cutoffs = {10}}).at(10).ndcg.mean;
    if (ndcg > highest) best = penalty, highest = ndcg;
  }
  return {.regularization = best, .log_counts = false};
}

int program(int argc, char** argv) {
  const Protocol data = read(compare::data_folder(argc, argv));
  std::printf("MovieLens 1M, NCF's protocol: %d users, %lld pairs in train, one film among 100\n\n", data.train.rows(),
              static_cast<long long>(data.train.nnz()));
  std::vector<compare::Row> rows;
  const auto measure = [&](const auto& model) {
    const kd::RankingReport report =
        kd::evaluate(model, data.train, data.test, {.cutoffs = {10}, .filter = {.candidates = kd::Candidates::tested}});
    return std::vector{report.at(10).hit_rate, report.at(10).ndcg};
  };
  const auto add = [&](const std::string& name, auto& model, std::string settings, const auto&... options) {
    rows.push_back(compare::measured(name, model, data.train, measure, std::move(settings), options...));
  };
  kd::PopularityRecommender popularity({.by = kd::PopularityOptions::By::users});
  add("popularity", popularity, "");
  kd::ItemNeighbours cosine(kd::ItemNeighboursOptions::cosine()), neighbours;
  add("item neighbours, cosine", cosine, "200 neighbours");
  add("item neighbours", neighbours, "defaults");
  const reproduce::Ease::Options penalty = tuned_ease(data);
  reproduce::Ease ease(penalty);
  add("EASE", ease, "penalty " + std::to_string(static_cast<int>(penalty.regularization)) + ", the best of 7");
  kd::ImplicitALS<float> defaults;
  add("ALS", defaults, "defaults");
  const kd::TuneResult tuned = kd::tune(data.train, {.cutoff = 10});
  kd::ImplicitALS<float> als(tuned.options);
  add("ALS, tuned", als, compare::words(tuned.options) + "; tune, " + std::to_string(tuned.trials.size()) + " trials");
  kd::ImplicitALS<float> hybrid(tuned.options);
  add("ALS with features, tuned", hybrid, "the same",
      kd::ImplicitALS<float>::FitOptions{.user_features = data.users, .item_features = data.items});
  kd::BlendedRecommender<float> blend;
  add("factors and neighbours", blend, "defaults");
  const kd::BlendTuneResult both = kd::tune_blend(data.train, {.cutoff = 10});
  kd::BlendedRecommender<float> tuned_blend(both.options);
  add("factors and neighbours, tuned", tuned_blend,
      compare::words(both.options) + "; tune_blend, " + std::to_string(both.trials.size()) + " trials");

  const std::string tois = "Ferrari Dacrema et al., TOIS 2021";
  rows.push_back(compare::published("TopPop", {.4533, .2542}, tois));
  rows.push_back(compare::published("ItemKNN", {.6694, .3979}, tois));
  rows.push_back(compare::published("PureSVD", {.6937, .4303}, tois));
  rows.push_back(compare::published("NeuMF", {.7093, .4349}, tois));
  rows.push_back(compare::published("iALS", {.7109, .4382}, tois));
  rows.push_back(compare::published("SLIM", {.7162, .4468}, tois));
  rows.push_back(compare::published("EASE", {.7192, .4494}, tois));
  rows.push_back(compare::published("MF by SGD", {.7294, .4523}, "Rendle et al., RecSys 2020"));
  compare::print({"HR@10", "NDCG@10"}, rows);
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return examples::guarded(program, argc, argv); }
