// SPDX-License-Identifier: MIT
// The protocol of neural collaborative filtering on MovieLens 1M (He et al., WWW 2017).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>

#include "../random_numbers.hpp"
#include "comparison.hpp"
#include "movies.hpp"

namespace compare {

/// `test`: 1 for the film that was held out, -1 for the 99 others that it is ranked with.
struct NcfProtocol {
  kd::CsrMatrix train, test;
  kd::FeatureTable users, items;
};

/// Film ids of the protocol are in the order of their first appearance, as from_columns has them.
[[nodiscard]] inline NcfProtocol read_ncf(const std::string& folder) {
  std::istringstream lines(text_of(file_of(folder, "ml-1m/ratings.dat.gz", movielens)));
  std::vector<std::string> users, items;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find("::"), second = line.find("::", first + 2);
    users.push_back(line.substr(0, first));
    items.push_back(line.substr(first + 2, second - first - 2));
  }
  const kd::Dataset all = kd::Dataset::from_columns(users, items);
  std::vector<kd::Interaction> train, test;
  std::vector<kd::Index> held;
  std::istringstream negatives(text_of(
      file_of(folder, "ml-1m/ncf/ml-1m.test.negative.gz",
              "Get ml-1m.test.negative from https://github.com/hexiangnan/neural_collaborative_filtering and put it into ml-1m/ncf.")));
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
  return {kd::CsrMatrix::from_triplets(all.matrix.shape(), train), kd::CsrMatrix::from_triplets(all.matrix.shape(), test),
          kd::read_movielens_features(file_of(folder, "ml-1m/users.dat", movielens)).join(all.users).table,
          metadata_of(folder).join(all.items).table};
}

/// The same protocol inside train, for choosing settings.
struct InnerSplit {
  kd::CsrMatrix train;
  std::vector<kd::CsrMatrix> tests;
};

/// Of each user three films at random are held out; each is ranked with 99 that the user does not have. Three: settings differ by less than the noise of one.
///
/// The authors held out the film before the last. The public copies of the ratings that were found have no times, so it cannot be known here.
[[nodiscard]] inline InnerSplit inner_split(const kd::CsrMatrix& train, std::uint64_t seed) {
  constexpr std::size_t films = 3;
  std::vector<kd::Interaction> inside;
  std::vector<std::vector<kd::Interaction>> held(films);
  for (kd::Index u = 0; u < train.rows(); ++u) {
    examples::Random random(seed, 6, static_cast<std::uint64_t>(u));
    const std::span<const kd::Index> row = train.row(u).columns;
    std::vector<kd::Index> order(row.begin(), row.end());
    random.shuffle_front(std::span<kd::Index>(order), films);
    for (std::size_t n = films; n < order.size(); ++n) inside.push_back({u, order[n], 1.0F});
    for (std::size_t film = 0; film < films; ++film) {
      std::vector<kd::Index> drawn;
      while (drawn.size() < 99) {
        const auto item = static_cast<kd::Index>(random.below(static_cast<std::uint32_t>(train.cols())));
        if (!std::binary_search(row.begin(), row.end(), item) && std::find(drawn.begin(), drawn.end(), item) == drawn.end())
          drawn.push_back(item);
      }
      for (const kd::Index item : drawn) held[film].push_back({u, item, -1.0F});
      held[film].push_back({u, order[film], 1.0F});
    }
  }
  InnerSplit split{kd::CsrMatrix::from_triplets(train.shape(), inside), {}};
  for (const std::vector<kd::Interaction>& test : held) split.tests.push_back(kd::CsrMatrix::from_triplets(train.shape(), test));
  return split;
}

/// HR@10 and NDCG@10 of a model that was fitted on `train`.
template <typename Model>
[[nodiscard]] std::vector<kd::MeanAndError> hits_and_ndcg(const Model& model, const kd::CsrMatrix& train, const kd::CsrMatrix& test) {
  const kd::RankingReport report = kd::evaluate(model, train, test, {.cutoffs = {10}, .filter = {.candidates = kd::Candidates::tested}});
  return {report.at(10).hit_rate, report.at(10).ndcg};
}

/// What settings are chosen by: NDCG@10 of a model that was fitted on inner.train.
template <typename Model>
[[nodiscard]] double inner_ndcg(const Model& model, const InnerSplit& inner) {
  double sum = 0.0;
  for (const kd::CsrMatrix& test : inner.tests) sum += hits_and_ndcg(model, inner.train, test)[1].mean;
  return sum / static_cast<double>(inner.tests.size());
}

/// Settings that each model may try under this protocol.
inline constexpr std::size_t ncf_trials = 24;

/// Settings of ALS by this protocol on an inner split, by NDCG@10: half of the trials drawn around what fit chooses by itself, half around the best of those.
[[nodiscard]] inline kd::AlsOptions tuned_als(const InnerSplit& inner) {
  const auto ndcg = [&](const kd::ImplicitALS<float>& model) { return std::vector{inner_ndcg(model, inner)}; };
  const auto around = [](double low, double high, kd::SearchRange::Scale scale) { return kd::SearchRange{low, high, scale}; };
  constexpr auto linear = kd::SearchRange::Scale::linear, logarithmic = kd::SearchRange::Scale::logarithmic;
  kd::AlsOptions best;
  double highest = -1.0;
  const auto search = [&](const kd::SearchSpace& space, std::uint64_t seed) {
    const kd::SearchResult found =
        kd::random_search<float>(inner.train, ndcg, space, {.trials = ncf_trials / 2, .seed = seed, .base = best});
    for (const kd::SearchTrial& trial : found.trials) {
      std::fprintf(stderr, "  %s: inner NDCG@10 %.4f, %.1f s\n", words(trial.options).c_str(), trial.metric.mean, trial.fit_seconds);
      if (trial.metric.mean > highest) best = trial.options, highest = trial.metric.mean;
    }
  };
  search({{"factors", kd::SearchChoices{128, 192, 256}},
          {"regularization", around(0.03, 0.1, logarithmic)},
          {"background.ratio", around(2.5, 20.0, logarithmic)},
          {"background.item_exponent", around(0.0, 0.3, linear)},
          {"confidence.popularity_damping", around(0.0, 0.1, linear)},
          {"iterations", kd::SearchChoices{3, 4, 6}}},
         42);
  const double damping = *best.confidence.popularity_damping, exponent = *best.background.item_exponent;
  search({{"regularization", around(*best.regularization / 1.3, *best.regularization * 1.3, logarithmic)},
          {"background.ratio", around(*best.background.ratio / 1.6, *best.background.ratio * 1.6, logarithmic)},
          {"background.item_exponent", around((std::max)(0.0, exponent - 0.08), exponent + 0.08, linear)},
          {"confidence.popularity_damping", around((std::max)(0.0, damping - 0.04), damping + 0.04, linear)},
          {"iterations", kd::SearchChoices{3, 4, 6}}},
         43);
  return best;
}

/// The rows of others.
inline void add_published_ncf(std::vector<Row>& rows) {
  const std::string tois = "Ferrari Dacrema et al., TOIS 2021";
  rows.push_back(published("TopPop", {.4533, .2542}, tois));
  rows.push_back(published("ItemKNN", {.6694, .3979}, tois));
  rows.push_back(published("PureSVD", {.6937, .4303}, tois));
  rows.push_back(published("NeuMF", {.7093, .4349}, tois));
  rows.push_back(published("iALS", {.7109, .4382}, tois));
  rows.push_back(published("SLIM", {.7162, .4468}, tois));
  rows.push_back(published("EASE", {.7192, .4494}, tois));
  rows.push_back(published("MF by SGD", {.7294, .4523}, "Rendle et al., RecSys 2020"));
}

}  // namespace compare
