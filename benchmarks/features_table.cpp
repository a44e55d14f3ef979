// SPDX-License-Identifier: MIT
// What features of users and items bring on public data, in known lists and for new users and items, and what they cost:
//   features_table <folder of data sets> [ml-warm,ml-cold,ncf,lastfm,citeulike,seconds]
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

#include "public_sets.hpp"

namespace {

namespace kd = kindred;
using kd::FeatureSchedule;
using Kind = kd::FeatureColumns::Kind;

/// A number for each test case, of one model.
struct Scores {
  std::vector<double> cases;

  [[nodiscard]] double mean() const { return kd::metrics::mean_and_error(cases).mean; }
  [[nodiscard]] double error() const { return kd::metrics::mean_and_error(cases).standard_error; }
};

Scores difference(const Scores& a, const Scores& b) {
  Scores d;
  for (std::size_t n = 0; n < a.cases.size(); ++n) d.cases.push_back(a.cases[n] - b.cases[n]);
  return d;
}

/// The metrics of one list at `cutoff`. `relevant`: rising.
kd::RankingScores scores_of(std::span<const kd::Scored> list, std::span<const kd::Index> relevant, std::size_t cutoff) {
  std::vector<kd::Index> items;
  for (std::size_t n = 0; n < (std::min)(list.size(), cutoff); ++n) items.push_back(list[n].item);
  return kd::metrics::ranking_scores(items, relevant, std::vector{cutoff}).front();
}

/// Hits in the first ten, and reciprocal ranks there.
struct TopTen {
  Scores hits, ranks;
  void add(std::span<const kd::Scored> list, kd::Index wanted) {
    const kd::RankingScores scores = scores_of(list, {&wanted, 1}, 10);
    hits.cases.push_back(scores.hit_rate);
    ranks.cases.push_back(scores.reciprocal_rank);
  }
};

void print(const char* name, const TopTen& of, const TopTen* beside = nullptr) {
  std::printf("  %-34s HR@10 %.4f (%.4f)  MRR@10 %.4f (%.4f)", name, of.hits.mean(), of.hits.error(), of.ranks.mean(), of.ranks.error());
  if (beside != nullptr) {
    const Scores hits = difference(of.hits, beside->hits), ranks = difference(of.ranks, beside->ranks);
    std::printf("  paired %+.4f (%.4f) t %.1f, %+.4f (%.4f) t %.1f", hits.mean(), hits.error(), hits.mean() / hits.error(), ranks.mean(),
                ranks.error(), ranks.mean() / ranks.error());
  }
  std::printf("  n %zu\n", of.hits.cases.size());
  std::fflush(stdout);
}

/// MovieLens 1M as in HybridSVD: ratings of 4 and more of movies with metadata, users and items renumbered.
struct Movies {
  kd::CsrMatrix likes;
  kd::FeatureTable users, items;
};

kd::FeatureTable metadata_of(const std::string& folder) {
  const kd::DelimitedFormat format{.separator = ";", .header = kd::DelimitedFormat::Header::first_line, .user = "movieid"};
  return kd::read_features(folder + "/ml-1m/meta_info_ml1m.csv", format,
                           {{"cast", "cast", Kind::list, ","},
                            {"director", "director", Kind::list, ","},
                            {"writer", "writer", Kind::list, ","},
                            {"genres", "genre", Kind::list, ","}});
}

Movies movies_of(const std::string& folder) {
  const kd::FeatureTable meta = metadata_of(folder);
  const kd::CsrMatrix ratings = public_sets::ratings_of(public_sets::text_of(folder + "/ml-1m/ratings.dat.gz"));
  std::vector<std::string> users, items;
  for (kd::Index u = 0; u < ratings.rows(); ++u) {
    for (std::size_t n = 0; n < ratings.row(u).size(); ++n) {
      const std::string item = std::to_string(ratings.row(u).columns[n] + 1);
      if (ratings.row(u).values[n] < 4.0F || !meta.keys().find(item)) continue;
      users.push_back(std::to_string(u + 1));
      items.push_back(item);
    }
  }
  kd::Dataset data = kd::Dataset::from_columns(users, items);
  return {data.matrix, kd::read_movielens_features(folder + "/ml-1m/users.dat").join(data.users).table, meta.join(data.items).table};
}

/// The settings of that protocol, chosen on inner splits of train for the plain model.
kd::AlsOptions movie_options() {
  kd::AlsOptions o{.factors = 128, .regularization = 0.0141 * 3.6, .iterations = 8};
  o.confidence.curve = kd::Confidence::one;
  o.confidence.popularity_damping = 0.039;
  o.background.ratio = 2.6;
  o.background.item_exponent = 0.059;
  o.start.kind = kd::Start::normal;  // which the settings were chosen with
  return o;
}

/// The same rows in another order.
kd::FeatureTable permuted(const kd::FeatureTable& table, std::uint64_t seed) {
  std::vector<kd::Index> order(static_cast<std::size_t>(table.rows()));
  std::iota(order.begin(), order.end(), kd::Index{0});
  kd::detail::Random random(seed, kd::detail::RandomStream::sample, 0);
  kd::detail::shuffle_front(std::span<kd::Index>(order), order.size(), random);
  return table.select(order);
}

/// A number below `folds` for each of `count`, equally often.
std::vector<std::size_t> folds_of(kd::Index count, std::size_t folds, std::uint64_t seed) {
  std::vector<kd::Index> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), kd::Index{0});
  kd::detail::Random random(seed, kd::detail::RandomStream::sample, 1);
  kd::detail::shuffle_front(std::span<kd::Index>(order), order.size(), random);
  std::vector<std::size_t> fold(order.size());
  for (std::size_t n = 0; n < order.size(); ++n) fold[static_cast<std::size_t>(order[n])] = n % folds;
  return fold;
}

/// HybridSVD (Frolov and Oseledets, RecSys 2019): five folds of users; of each user of a fold one item at random is held out, and ranked among all items
/// that the user does not have. Two splits.
void ml_warm(const std::string& folder) {
  const Movies movies = movies_of(folder);
  std::printf("ML-1M, HybridSVD's protocol: %d users, %d items, %lld pairs, %d and %d feature columns\n", movies.likes.rows(),
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
    const std::vector<std::size_t> folds = folds_of(movies.likes.rows(), 5, split);
    for (std::size_t fold = 0; fold < 5; ++fold) {
      std::vector<kd::Interaction> train;
      std::vector<std::pair<kd::Index, kd::Index>> held;
      for (kd::Index u = 0; u < movies.likes.rows(); ++u) {
        const kd::SparseRow row = movies.likes.row(u);
        std::size_t out = row.size();
        if (folds[static_cast<std::size_t>(u)] == fold) {
          kd::detail::Random random(split, kd::detail::RandomStream::split, static_cast<std::uint64_t>(u));
          out = random.below(static_cast<std::uint32_t>(row.size()));
          held.emplace_back(u, row.columns[out]);
        }
        for (std::size_t n = 0; n < row.size(); ++n)
          if (n != out) train.push_back({u, row.columns[n], 1.0F});
      }
      const kd::CsrMatrix matrix = kd::CsrMatrix::from_triplets(movies.likes.shape(), train);
      for (std::size_t m = 0; m < std::size(models); ++m) {
        kd::ImplicitALS<float> als(movie_options());
        kd::ImplicitALS<float>::FitOptions how{.schedule = models[m].schedule};
        if (models[m].features) {
          how.user_features = models[m].permute ? permuted(movies.users, 1) : movies.users;
          how.item_features = models[m].permute ? permuted(movies.items, 2) : movies.items;
        }
        als.fit(matrix, how);
        for (const auto& [user, item] : held) results[m].add(als.recommend(user, {.exclude = matrix.row(user)}), item);
      }
    }
  }
  for (std::size_t m = 0; m < std::size(models); ++m) print(models[m].name, results[m], m > 0 ? &results[0] : nullptr);
}

/// The same data, cold items: a fifth of the items is hidden whole; all users are ranked for each of them, one of its users at random is the answer.
void ml_cold(const std::string& folder) {
  const Movies movies = movies_of(folder);
  std::printf("ML-1M, HybridSVD's protocol, cold items\n");
  const FeatureSchedule schedules[] = {FeatureSchedule::after_fit, FeatureSchedule::each_iteration};
  TopTen active, by_features[2];
  for (std::uint64_t split = 0; split < 2; ++split) {
    const std::vector<std::size_t> folds = folds_of(movies.likes.cols(), 5, split + 10);
    for (std::size_t fold = 0; fold < 5; ++fold) {
      std::vector<kd::Index> warm;
      for (kd::Index i = 0; i < movies.likes.cols(); ++i)
        if (folds[static_cast<std::size_t>(i)] != fold) warm.push_back(i);
      const kd::CsrMatrix train = kd::select_columns(movies.likes, warm);
      const kd::CsrMatrix by_items = kd::transpose(movies.likes);
      const std::vector<kd::Index> activity = kd::row_counts(train);
      std::vector<kd::Scored> most_active;
      for (kd::Index u = 0; u < train.rows(); ++u) most_active.push_back({u, static_cast<double>(activity[static_cast<std::size_t>(u)])});
      std::sort(most_active.begin(), most_active.end(), kd::ranks_before);
      for (std::size_t s = 0; s < 2; ++s) {
        kd::ImplicitALS<float> als(movie_options());
        als.fit(train, {.user_features = movies.users, .item_features = movies.items.select(warm), .schedule = schedules[s]});
        for (kd::Index i = 0; i < movies.likes.cols(); ++i) {
          const kd::SparseRow users = by_items.row(i);
          if (folds[static_cast<std::size_t>(i)] != fold || users.empty() || movies.items.row(i).empty()) continue;
          kd::detail::Random random(split, kd::detail::RandomStream::split, static_cast<std::uint64_t>(i));
          const kd::Index answer = users.columns[random.below(static_cast<std::uint32_t>(users.size()))];
          by_features[s].add(als.recommend_users(movies.items.row(i)), answer);
          if (s == 0) active.add(most_active, answer);
        }
      }
    }
  }
  print("most active users", active);
  print("features, after_fit", by_features[0], &active);
  print("features, each_iteration", by_features[1], &active);
}

/// Last.fm 1K, users by demographics: users with at least 20 artists in five folds; a user of a fold is not in train. Of each, `known` artists drawn at
/// random are known; NDCG@10 of the 20 most played ones, less the known, against lists without the known. Settings are those that fit chooses.
void lastfm(const std::string& folder) {
  const std::string root = folder + "/lastfm-1k/";
  kd::Dataset data = kd::read_dense_counts(root + "lcvi_playcounts_dense.csv",
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
      kd::detail::Random random(7, kd::detail::RandomStream::sample, static_cast<std::uint64_t>(u));
      kd::detail::shuffle_front(std::span<std::size_t>(drawn), drawn.size(), random);
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

/// NCF (He et al. 2017): every rating is a positive; the last item of each user is ranked among itself and 99 given ones.
void ncf(const std::string& folder) {
  const std::string text = public_sets::text_of(folder + "/ml-1m/ratings.dat.gz");
  std::istringstream lines(text);
  std::string line;
  std::vector<std::string> users, items;
  std::vector<float> values;
  while (std::getline(lines, line)) {
    int user = 0, item = 0;
    float rating = 0.0F;
    if (std::sscanf(line.c_str(), "%d::%d::%f", &user, &item, &rating) != 3) continue;
    users.push_back(std::to_string(user));
    items.push_back(std::to_string(item));
    values.push_back(rating);
  }
  const kd::Dataset all =
      kd::Dataset::from_columns(users, items, values);  // ids in the order of first appearance, as the protocol has them
  const kd::FeatureTable of_users = kd::read_movielens_features(folder + "/ml-1m/users.dat").join(all.users).table;
  const kd::FeatureTable of_items = metadata_of(folder).join(all.items).table;
  std::istringstream negatives(public_sets::text_of(folder + "/ml-1m/ncf/ml-1m.test.negative.gz"));
  std::vector<kd::Index> held;
  std::vector<std::vector<kd::Index>> others;
  while (std::getline(negatives, line)) {
    int user = 0, item = 0;
    if (std::sscanf(line.c_str(), "(%d,%d)", &user, &item) != 2) continue;
    held.push_back(item);
    std::istringstream rest(line.substr(line.find('\t') + 1));
    std::vector<kd::Index>& row = others.emplace_back();
    for (kd::Index other = 0; rest >> other;) row.push_back(other);
  }
  std::vector<kd::Interaction> train;
  for (kd::Index u = 0; u < all.matrix.rows(); ++u)
    for (std::size_t n = 0; n < all.matrix.row(u).size(); ++n)
      if (all.matrix.row(u).columns[n] != held[static_cast<std::size_t>(u)])
        train.push_back({u, all.matrix.row(u).columns[n], all.matrix.row(u).values[n]});
  const kd::CsrMatrix matrix = kd::CsrMatrix::from_triplets(all.matrix.shape(), train);
  std::printf("ML-1M, NCF's protocol: %lld pairs in train\n", static_cast<long long>(matrix.nnz()));
  Scores hits[2], gains[2];
  for (int with = 0; with < 2; ++with) {
    kd::AlsOptions o = kd::AlsOptions::paper({.factors = 192, .regularization = 0.014, .alpha = 0.7, .iterations = 8});
    o.regularization_exponent = 1.0;
    o.confidence.curve = kd::Confidence::log;
    o.confidence.base = 0.3;
    o.confidence.popularity_damping = 0.04;
    o.background.pairs = kd::Background::all;
    o.background.ratio = 2.6;
    o.background.item_exponent = 0.15;
    kd::ImplicitALS<float> als(o);
    kd::ImplicitALS<float>::FitOptions how;
    if (with == 1) how.user_features = of_users, how.item_features = of_items;
    als.fit(matrix, how);
    for (kd::Index u = 0; u < matrix.rows(); ++u) {
      const auto at = static_cast<std::size_t>(u);
      const double score = als.predict(u, held[at]);
      const auto above = std::count_if(others[at].begin(), others[at].end(),
                                       [&](kd::Index other) { return other != held[at] && als.predict(u, other) > score; });
      hits[with].cases.push_back(above < 10 ? 1.0 : 0.0);
      gains[with].cases.push_back(above < 10 ? 1.0 / std::log2(static_cast<double>(above) + 2.0) : 0.0);
    }
    std::printf("  %-10s HR@10 %.4f (%.4f)  NDCG@10 %.4f (%.4f)\n", with == 1 ? "features" : "plain", hits[with].mean(), hits[with].error(),
                gains[with].mean(), gains[with].error());
  }
  const Scores hit = difference(hits[1], hits[0]), gain = difference(gains[1], gains[0]);
  std::printf("  paired     HR@10 %+.4f (%.4f)  NDCG@10 %+.4f (%.4f)\n", hit.mean(), hit.error(), gain.mean(), gain.error());
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
    std::fprintf(stderr, "usage: features_table <folder of data sets> [ml-warm,ml-cold,ncf,lastfm,citeulike,seconds]\n");
    return 2;
  }
  const std::string only = argc > 2 ? argv[2] : "";
  const struct {
    const char* name;
    void (*run)(const std::string& folder);
  } parts[] = {{"seconds", seconds}, {"ml-warm", ml_warm}, {"ml-cold", ml_cold},
               {"ncf", ncf},         {"lastfm", lastfm},   {"citeulike", citeulike}};
  try {
    for (const auto& part : parts)
      if (only.empty() || ("," + only + ",").find(std::string(",") + part.name + ",") != std::string::npos) part.run(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "features_table: %s\n", error.what());
    return 1;
  }
  return 0;
}
