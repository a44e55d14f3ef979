// SPDX-License-Identifier: MIT
// Gowalla check-ins in the split of LightGCN (He et al., SIGIR 2020), which most papers on graph networks for recommendation use: gowalla [FOLDER [defaults]]
//
// 29,858 users, 40,981 places, 80 % of each user's places in train; all places that the user does not have in train are ranked, all users count. Settings are
// chosen by tune and tune_blend on inner splits of train, by NDCG@20.
#include <cstdio>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>

#include "../guarded.hpp"
#include "comparison.hpp"

namespace kd = kindred;

namespace {

kd::CsrMatrix read(const std::string& folder, const std::string& name) {
  std::istringstream lines(compare::text_of(
      compare::file_of(folder, "gowalla/" + name, "Get it from https://github.com/gusye1234/LightGCN-PyTorch (data/gowalla), with gzip.")));
  std::vector<kd::Interaction> pairs;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    kd::Index user = 0;
    words >> user;
    for (kd::Index place = 0; words >> place;) pairs.push_back({user, place, 1.0F});
  }
  return kd::CsrMatrix::from_triplets({29'858, 40'981}, pairs);
}

int program(int argc, char** argv) {
  const std::string folder = compare::data_folder(argc, argv);
  const kd::CsrMatrix train = read(folder, "gowalla_train.txt.gz"), test = read(folder, "gowalla_test.txt.gz");
  std::printf("Gowalla, LightGCN's split: %d users, %lld pairs in train, all places ranked\n\n", train.rows(),
              static_cast<long long>(train.nnz()));
  std::vector<compare::Row> rows;
  const auto measure = [&](const auto& model) {
    const kd::RankingReport report = kd::evaluate(model, train, test, {.cutoffs = {20}});
    return std::vector{report.at(20).recall, report.at(20).ndcg};
  };
  const auto add = [&](const std::string& name, auto& model, std::string settings) {
    rows.push_back(compare::measured(name, model, train, measure, std::move(settings)));
  };
  kd::PopularityRecommender popularity({.by = kd::PopularityOptions::By::users});
  add("popularity", popularity, "");
  kd::ItemNeighbours cosine(kd::ItemNeighboursOptions::cosine()), neighbours;
  add("item neighbours, cosine", cosine, "200 neighbours");
  add("item neighbours", neighbours, "defaults");
  kd::ImplicitALS<float> defaults;
  add("ALS", defaults, "defaults");
  if (compare::searches(argc, argv)) {
    const kd::TuneResult tuned = kd::tune(train);
    kd::ImplicitALS<float> als(tuned.options);
    add("ALS, tuned", als, compare::words(tuned.options) + "; tune, " + std::to_string(tuned.trials.size()) + " trials");
  }
  kd::BlendedRecommender<float> blend;
  add("factors and neighbours", blend, "defaults");
  if (compare::searches(argc, argv)) {
    const kd::BlendTuneResult both = kd::tune_blend(train);
    kd::BlendedRecommender<float> tuned_blend(both.options);
    add("factors and neighbours, tuned", tuned_blend,
        compare::words(both.options) + "; tune_blend, " + std::to_string(both.trials.size()) + " trials");
  }

  rows.push_back(compare::published("NeuMF", {.1344, .1121}, "as quoted by later papers on this split"));
  rows.push_back(compare::published("Mult-VAE", {.1567, .1297}, "as quoted by later papers on this split"));
  rows.push_back(compare::published("EASE", {.1765, .1467}, "as quoted by later papers on this split"));
  rows.push_back(compare::published("LightGCN", {.1830, .1554}, "He et al., SIGIR 2020"));
  rows.push_back(compare::published("GF-CF", {.1849, .1518}, "Shen et al., CIKM 2021"));
  rows.push_back(compare::published("UltraGCN", {.1862, .1580}, "Mao et al., CIKM 2021"));
  rows.push_back(compare::published("SimpleX", {.1872, .1557}, "Mao et al., CIKM 2021"));
  rows.push_back(compare::published("PGSP", {.1917, .1606}, "Liu et al., WWW 2023"));
  rows.push_back(compare::published("BSPM", {.1921, .1597}, "Choi et al., SIGIR 2023"));
  rows.push_back(compare::published("ChebyCF", {.1941, .1616}, "Kim et al., SIGIR 2025"));
  compare::print({"Recall@20", "NDCG@20"}, rows);
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return examples::guarded(program, argc, argv); }
