// SPDX-License-Identifier: MIT
// Last.fm 1K: lists for new listeners from their gender, age and country and 0 to 10 of their artists: cold_listeners [FOLDER]
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <kindred/kindred.hpp>

#include "../guarded.hpp"
#include "../random_numbers.hpp"
#include "cases.hpp"
#include "comparison.hpp"

namespace kd = kindred;
using namespace compare;

namespace {

constexpr const char* lastfm_1k =
    "Get lastfm-dataset-1K.tar.gz from http://ocelma.net/MusicRecommendationDataset/ and the dense counts of its study.";

/// Last.fm 1K, users by demographics: users with at least 20 artists in five folds; a user of a fold is not in train. Of each, `known` artists drawn at
/// random are known; NDCG@10 of the 20 most played ones, less the known, against lists without the known. Settings are those that fit chooses.
void listeners(const std::string& folder) {
  const std::string root = folder + "/lastfm-1k/";
  kd::Dataset data = kd::read_dense_counts(file_of(folder, "lastfm-1k/lcvi_playcounts_dense.csv", lastfm_1k),
                                           {.user_names_path = root + "lcvi_ix2user.csv", .item_names_path = root + "lcvi_ix2artist.csv"});
  data = kd::join_profiles(std::move(data), kd::read_lastfm_1k_profiles(root + "userid-profile.tsv"));
  const kd::FeatureTable people = kd::FeatureTable::of_profiles(data);
  const std::vector<std::size_t> folds = folds_of(data.matrix.rows(), 5, 1);
  const std::size_t known_counts[] = {0, 1, 2, 3, 5, 10};
  Scores popularity[6], plain[6], hybrid[6];
  std::size_t users_tested = 0;
  for (std::size_t fold = 0; fold < 5; ++fold) {
    std::vector<kd::Index> inside, outside;
    for (kd::Index u = 0; u < data.matrix.rows(); ++u) {
      if (folds[static_cast<std::size_t>(u)] != fold)
        inside.push_back(u);
      else if (data.matrix.row(u).size() >= 20)
        outside.push_back(u);
    }
    const kd::CsrMatrix train = kd::select_rows(data.matrix, inside);
    kd::ImplicitALS<float> without, with;
    without.fit(train);
    with.fit(train, {.user_features = people.select(inside)});
    for (const kd::Index u : outside) {
      ++users_tested;
      const kd::SparseRow row = data.matrix.row(u);
      std::vector<std::size_t> order(row.size()), drawn(row.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::iota(drawn.begin(), drawn.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return row.values[a] > row.values[b]; });
      examples::Random random(7, 4, static_cast<std::uint64_t>(u));
      random.shuffle_front(std::span<std::size_t>(drawn), drawn.size());
      for (std::size_t c = 0; c < 6; ++c) {
        std::vector<std::size_t> places(drawn.begin(), drawn.begin() + static_cast<std::ptrdiff_t>(known_counts[c]));
        std::sort(places.begin(), places.end());
        std::vector<kd::Index> items, targets;
        std::vector<float> plays;
        for (const std::size_t place : places) items.push_back(row.columns[place]), plays.push_back(row.values[place]);
        for (std::size_t n = 0; n < 20; ++n)
          if (!std::binary_search(places.begin(), places.end(), order[n])) targets.push_back(row.columns[order[n]]);
        if (targets.empty()) continue;
        std::sort(targets.begin(), targets.end());
        const kd::RecommendOptions wanted{.exclude = items, .fallback = kd::Fallback::popularity};
        const kd::SparseRow history{items, plays};
        popularity[c].cases.push_back(scores_of(without.recommend(kd::SparseRow{}, wanted).items, targets, 10).ndcg);
        plain[c].cases.push_back(scores_of(without.recommend(history, wanted).items, targets, 10).ndcg);
        hybrid[c].cases.push_back(
            scores_of(with.recommend(kd::History{.items = history, .features = people.row(u)}, wanted).items, targets, 10).ndcg);
      }
    }
  }
  std::printf(
      "Last.fm 1K, cold users by gender, age and country: %zu users, NDCG@10\n  known   popularity  history          with demographics  "
      "paired\n",
      users_tested);
  for (std::size_t c = 0; c < 6; ++c) {
    const Scores gain = difference(hybrid[c], plain[c]);
    std::printf("  %5zu   %.4f      %.4f (%.4f)  %.4f (%.4f)    %+.4f (%.4f)\n", known_counts[c], popularity[c].mean(), plain[c].mean(),
                plain[c].error(), hybrid[c].mean(), hybrid[c].error(), gain.mean(), gain.error());
  }
  std::fflush(stdout);
}

int program(int argc, char** argv) {
  listeners(data_folder(argc, argv));
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return examples::guarded(program, argc, argv); }
