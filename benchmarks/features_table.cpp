// SPDX-License-Identifier: MIT
// What features of users and items bring on public data, in known lists and for new users and items, and what they cost:
//   features_table <folder of data sets> [citeulike,seconds]
// The protocols of MovieLens and Last.fm are programs of examples/compare.
// Every protocol is stated above the function that runs it. Means with their standard errors over test cases; differences are paired.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/progress.hpp>
#include <kindred/core/random.hpp>
#include <kindred/kindred.hpp>

#include "../examples/compare/cases.hpp"
#include "../examples/compare/movies.hpp"
#include "public_sets.hpp"

namespace {

namespace kd = kindred;
using namespace compare;
using kd::FeatureSchedule;

/// Recall and NDCG at 20 of a user's hidden items among all hidden items.
struct AtTwenty {
  Scores recall, gain;
  void add(std::span<const kd::Scored> list, std::span<const kd::Index> wanted) {
    const kd::RankingScores scores = scores_of(list, wanted, 20);
    recall.cases.push_back(scores.recall);
    gain.cases.push_back(scores.ndcg);
  }
  void print(const char* name) const {
    std::printf("  %-34s R@20 %.4f (%.4f)  NDCG@20 %.4f (%.4f)  n %zu\n", name, recall.mean(), recall.error(), gain.mean(), gain.error(),
                recall.cases.size());
    std::fflush(stdout);
  }
};

/// citeulike-a, cold items by tags: a fifth of the articles is hidden whole (seed 1), five folds; each user's hidden articles are ranked among all hidden
/// ones with tags. Beside the model: the articles with the most tags (popularity is not known of them), and the cosine with the sum of the tags, weighed
/// as for the model, of the user's articles in train.
void citeulike(const std::string& folder) {
  const kd::CsrMatrix libraries = public_sets::lists_of(public_sets::text_of(folder + "/citeulike-a/users.dat"), {5'551, 16'980}, 1, false);
  const kd::FeatureTable tags = kd::read_citeulike_tags(folder + "/citeulike-a/item-tag.dat");
  std::printf("citeulike-a, cold articles by %d tags\n", tags.columns().size());
  const std::vector<std::size_t> folds = folds_of(libraries.cols(), 5, 1);
  const FeatureSchedule schedules[] = {FeatureSchedule::after_fit, FeatureSchedule::each_iteration, FeatureSchedule::sparse_rows};
  AtTwenty most_tags, neighbours, models[3];
  for (std::size_t fold = 0; fold < 5; ++fold) {
    std::vector<kd::Index> warm, cold;
    for (kd::Index i = 0; i < libraries.cols(); ++i) {
      if (folds[static_cast<std::size_t>(i)] != fold)
        warm.push_back(i);
      else if (!tags.row(i).empty())
        cold.push_back(i);
    }
    const kd::CsrMatrix train = kd::select_columns(libraries, warm), hidden = kd::select_columns(libraries, cold);
    const kd::FeatureTable warm_tags = tags.select(warm), cold_tags = tags.select(cold);
    std::vector<kd::Scored> by_tags;
    for (kd::Index i = 0; i < cold_tags.rows(); ++i) by_tags.push_back({i, static_cast<double>(cold_tags.row(i).size())});
    std::sort(by_tags.begin(), by_tags.end(), kd::ranks_before);
    std::vector<double> profile(static_cast<std::size_t>(tags.columns().size()));
    for (kd::Index u = 0; u < train.rows(); ++u) {
      if (hidden.row(u).empty()) continue;
      std::fill(profile.begin(), profile.end(), 0.0);
      for (const kd::Index item : train.row(u).columns) {
        const kd::SparseRow row = warm_tags.row(item);
        for (std::size_t n = 0; n < row.size(); ++n)
          profile[static_cast<std::size_t>(row.columns[n])] += static_cast<double>(row.values[n]);
      }
      std::vector<kd::Scored> list;
      for (kd::Index i = 0; i < cold_tags.rows(); ++i) {
        const kd::SparseRow row = cold_tags.row(i);
        double score = 0.0;  // rows have length 1
        for (std::size_t n = 0; n < row.size(); ++n)
          score += static_cast<double>(row.values[n]) * profile[static_cast<std::size_t>(row.columns[n])];
        list.push_back({i, score});
      }
      std::partial_sort(list.begin(), list.begin() + 20, list.end(), kd::ranks_before);
      neighbours.add(list, hidden.row(u));
      most_tags.add(by_tags, hidden.row(u));
    }
    for (std::size_t s = 0; s < 3; ++s) {
      kd::ImplicitALS<float> als;
      als.fit(train, {.item_features = warm_tags, .schedule = schedules[s]});
      const kd::Index first = als.append_items(
          kd::CsrMatrix({train.rows(), cold_tags.rows()}, std::vector<kd::Offset>(static_cast<std::size_t>(train.rows()) + 1, 0), {}, {}),
          cold_tags);
      std::vector<kd::Index> allowed(cold.size());
      std::iota(allowed.begin(), allowed.end(), first);
      for (kd::Index u = 0; u < train.rows(); ++u) {
        if (hidden.row(u).empty()) continue;
        std::vector<kd::Scored> list = als.recommend(u, {.count = 20, .filter = {.allow = allowed}});
        for (kd::Scored& one : list) one.item -= first;
        models[s].add(list, hidden.row(u));
      }
    }
  }
  most_tags.print("most tags");
  neighbours.print("cosine of tags");
  models[0].print("after_fit");
  models[1].print("each_iteration");
  models[2].print("sparse_rows");
}

/// Seconds of a fit of 8 iterations on ML-1M, best of three.
void seconds(const std::string& folder) {
  const Movies movies = movies_of(folder);
  const auto run = [&](const char* name, const kd::ImplicitALS<float>::FitOptions& how, double plain) {
    double best = 1e9, of_features = 0.0;
    for (int n = 0; n < 3; ++n) {
      kd::ImplicitALS<float> als(movie_options());
      const kd::FitReport report = als.fit(movies.likes, how);
      if (report.seconds >= best) continue;
      best = report.seconds;
      of_features = report.feature_seconds;
    }
    std::printf("  %-16s %.3f s, of which maps %.3f s%s", name, best, of_features, plain > 0.0 ? "" : "\n");
    if (plain > 0.0) std::printf(", %.2f x plain\n", best / plain);
    std::fflush(stdout);
    return best;
  };
  std::printf("Seconds of a fit, ML-1M, 8 iterations, %d columns\n", movies.users.columns().size() + movies.items.columns().size());
  const double plain = run("plain", {}, 0.0);
  run("after_fit", {.user_features = movies.users, .item_features = movies.items, .schedule = FeatureSchedule::after_fit}, plain);
  run("each_iteration", {.user_features = movies.users, .item_features = movies.items}, plain);
  run("sparse_rows", {.user_features = movies.users, .item_features = movies.items, .schedule = FeatureSchedule::sparse_rows}, plain);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: features_table <folder of data sets> [citeulike,seconds]\n");
    return 2;
  }
  const std::string only = argc > 2 ? argv[2] : "";
  const struct {
    const char* name;
    void (*run)(const std::string& folder);
  } parts[] = {{"seconds", seconds}, {"citeulike", citeulike}};
  try {
    for (const auto& part : parts)
      if (only.empty() || ("," + only + ",").find(std::string(",") + part.name + ",") != std::string::npos) part.run(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "features_table: %s\n", error.what());
    return 1;
  }
  return 0;
}
