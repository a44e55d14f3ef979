// SPDX-License-Identifier: MIT
// HybridSVD's protocols on MovieLens 1M (Frolov and Oseledets, RecSys 2019): hybridsvd_movielens [FOLDER]
//
// Ratings of 4 and more; ages, genders and occupations of people, actors, directors, writers and genres of films.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <kindred/kindred.hpp>

#include "../guarded.hpp"
#include "../lastfm/stopwatch.hpp"
#include "cases.hpp"
#include "comparison.hpp"
#include "hybridsvd.hpp"

namespace kd = kindred;
using namespace compare;
using kd::FeatureSchedule;

namespace {

/// HybridSVD (Frolov and Oseledets, RecSys 2019): five folds of users; of each user of a fold one item at random is held out, and ranked among all items
/// that the user does not have. Two splits.
void warm(const std::string& folder) {
  const Movies movies = movies_of(folder);
  std::printf("MovieLens 1M, HybridSVD's protocol: %d users, %d items, %lld pairs, %d and %d feature columns\n", movies.likes.rows(),
              movies.likes.cols(), static_cast<long long>(movies.likes.nnz()), movies.users.columns().size(),
              movies.items.columns().size());
  const struct {
    const char* name;
    bool features, permute;
    FeatureSchedule schedule;
  } models[] = {{"plain", false, false, FeatureSchedule::each_iteration},
                {"each_iteration", true, false, FeatureSchedule::each_iteration},
                {"each_iteration, permuted", true, true, FeatureSchedule::each_iteration},
                {"after_fit", true, false, FeatureSchedule::after_fit}};
  std::vector<TopTen> results(std::size(models));
  for (std::uint64_t split = 0; split < 2; ++split) {
    for (std::size_t fold = 0; fold < 5; ++fold) {
      const WarmFold data = warm_fold(movies.likes, split, fold);
      for (std::size_t m = 0; m < std::size(models); ++m) {
        kd::ImplicitALS<float> als(movie_options());
        kd::ImplicitALS<float>::FitOptions how{.schedule = models[m].schedule};
        if (models[m].features) {
          how.user_features = models[m].permute ? permuted(movies.users, 1) : movies.users;
          how.item_features = models[m].permute ? permuted(movies.items, 2) : movies.items;
        }
        const study::Stopwatch fitting;
        als.fit(data.train, how);
        results[m].fit_seconds.cases.push_back(fitting.seconds());
        for (const auto& [user, item] : data.held) results[m].add(als.recommend(user, {.exclude = data.train.row(user)}), item);
      }
    }
  }
  for (std::size_t m = 0; m < std::size(models); ++m) print(models[m].name, results[m], m > 0 ? &results[0] : nullptr);
}

/// The same data, cold items: a fifth of the items is hidden whole; all users are ranked for each of them, one of its users at random is the answer.
void cold(const std::string& folder) {
  const Movies movies = movies_of(folder);
  std::printf("ML-1M, HybridSVD's protocol, cold items\n");
  const FeatureSchedule schedules[] = {FeatureSchedule::after_fit, FeatureSchedule::each_iteration};
  TopTen active, by_features[2];
  for (std::uint64_t split = 0; split < 2; ++split) {
    for (std::size_t fold = 0; fold < 5; ++fold) {
      const ColdFold data = cold_fold(movies.likes, movies.items, split, fold);
      const std::vector<kd::Index> activity = kd::row_counts(data.train);
      std::vector<kd::Scored> most_active;
      for (kd::Index u = 0; u < data.train.rows(); ++u)
        most_active.push_back({u, static_cast<double>(activity[static_cast<std::size_t>(u)])});
      std::sort(most_active.begin(), most_active.end(), kd::ranks_before);
      for (const auto& [item, user] : data.asked) active.add(most_active, user);
      for (std::size_t s = 0; s < 2; ++s) {
        kd::ImplicitALS<float> als(movie_options());
        const study::Stopwatch fitting;
        als.fit(data.train, {.user_features = movies.users, .item_features = movies.items.select(data.known), .schedule = schedules[s]});
        by_features[s].fit_seconds.cases.push_back(fitting.seconds());
        for (const auto& [item, user] : data.asked) by_features[s].add(als.recommend_users(movies.items.row(item)), user);
      }
    }
  }
  print("most active users", active);
  print("features, after_fit", by_features[0], &active);
  print("features, each_iteration", by_features[1], &active);
}

int program(int argc, char** argv) {
  const std::string folder = data_folder(argc, argv);
  warm(folder);
  std::puts(
      "  published: popular .0918 / .0342, factorization machine .1902 / .0826, MF by SGD .2106 / .0882, PureSVD .2200 / .0933, HybridSVD "
      ".2295 / .0979,\n"
      "  scaled PureSVD .2401 / .1045, scaled HybridSVD .2432 / .1050");
  cold(folder);
  std::puts(
      "  published: popular .0508 / .0191, factorization machine .0372 / .0155, HybridSVD .0610 / .0264, scaled PureSVD through features "
      ".0676 / .0254");
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return examples::guarded(program, argc, argv); }
