// SPDX-License-Identifier: MIT
// Do dislikes and features help to tell what people like among items that were shown to them at random? coat_table DATA_FOLDER [DRAWS] [TRIALS]
//
// Coat (Schnabel et al. 2016): each user rated 24 coats of their own choice and 16 drawn at random. Likes are ratings from 4. Of the chosen ones a random 17 a
// user are train, as published studies have it. Settings are the best of TRIALS random ones by NDCG@5 on four inner folds of these 17, ranked among the held-out
// ratings alone. Test: the 16 random items of a user are ranked (Candidates::tested), as published, with the pairs that stand in the training file too; and
// clean, without these. Means over draws, +- their standard deviation.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>

#include "public_sets.hpp"

namespace {

namespace kd = kindred;

struct Coat {
  kd::CsrMatrix chosen, published, clean;  // stars; opinions on the random items
  kd::FeatureTable users, items;
};

/// 1 for a like and -1 for any other rating, without the pairs of `out`.
kd::CsrMatrix opinions(const kd::CsrView& stars, const kd::CsrView& out = {}) {
  std::vector<kd::Interaction> kept;
  for (kd::Index u = 0; u < stars.rows(); ++u)
    for (std::size_t n = 0; n < stars.row(u).size(); ++n) {
      const kd::Index item = stars.row(u).columns[n];
      if (out.rows() > 0 && std::binary_search(out.row(u).columns.begin(), out.row(u).columns.end(), item)) continue;
      kept.push_back({u, item, stars.row(u).values[n] >= 4.0F ? 1.0F : -1.0F});
    }
  return kd::CsrMatrix::from_triplets(stars.shape(), kept);
}

Coat read_coat(const std::string& folder) {
  const auto dense = [&](const char* name) { return public_sets::dense_of(public_sets::text_of(folder + "/coat/" + name), ' '); };
  const kd::CsrMatrix chosen = dense("train.ascii"), random = dense("test.ascii");
  return {chosen, opinions(random), opinions(random, chosen), kd::FeatureTable(dense("user_features.ascii")),
          kd::FeatureTable(dense("item_features.ascii"))};
}

struct Setting {
  kd::AlsOptions options;
  float dislikes_to = 2.0F;
};

struct Kind {
  const char* name;
  bool dislikes, features, bias;
};

kd::ImplicitALS<float> fitted(const Coat& coat, const kd::CsrView& stars, const Kind& kind, const Setting& setting) {
  const kd::CsrMatrix train =
      kind.dislikes ? kd::likes_and_dislikes(stars, {.dislikes_to = setting.dislikes_to}) : public_sets::ones_of(stars, 4.0F);
  kd::ImplicitALS<float> als(setting.options);
  if (kind.features)
    als.fit(train, {.user_features = coat.users, .item_features = coat.items});
  else
    als.fit(train);
  return als;
}

/// Means over all users; those without a like among the tested items count 0, as they do in published figures.
struct Three {
  double ndcg, recall, map;
};

template <typename Model>
Three measured(const Model& model, const kd::CsrView& test) {
  const kd::CsrMatrix nothing(test.shape(), std::vector<kd::Offset>(static_cast<std::size_t>(test.rows()) + 1, 0), {}, {});
  const kd::RankingReport report = kd::evaluate(model, nothing, test, {.cutoffs = {5}, .filter = {.candidates = kd::Candidates::tested}});
  const double share = static_cast<double>(report.users) / static_cast<double>(report.users + report.users_without_test);
  return {share * report.at(5).ndcg.mean, share * report.at(5).recall.mean, share * report.at(5).map.mean};
}

Setting drawn(std::mt19937_64& random, const Kind& kind, std::uint64_t seed) {
  const auto uniform = [&] { return static_cast<double>(random() >> 11U) * 0x1p-53; };
  const auto logarithmic = [&](double low, double high) { return low * std::pow(high / low, uniform()); };
  Setting setting{.options = {.factors = std::size_t{8} << (random() % 4), .seed = seed}};
  setting.options.regularization = logarithmic(0.02, 2.0);
  setting.options.background.ratio = logarithmic(0.1, 16.0);
  setting.options.background.item_exponent = 0.0;
  setting.options.confidence.popularity_damping = random() % 2 == 0 ? 0.0 : 0.2 * uniform();
  setting.options.iterations = 2 + random() % 6;
  if (kind.bias) setting.options.item_bias = logarithmic(0.02, 4.0);
  if (!kind.dislikes) return setting;
  setting.options.confidence.dislike_weight = logarithmic(0.125, 1.0);
  setting.dislikes_to = random() % 2 == 0 ? 2.0F : 3.0F;
  return setting;
}

/// Ridge regression of "likes it" on the features of an item and on every pair of a user's and an item's: no factors, no memory of who and what.
class FeatureRidge {
 public:
  FeatureRidge(const Coat& coat, const kd::CsrView& stars, double penalty)
      : coat_(coat),
        item_columns_(coat.items.columns().size()),
        weights_(static_cast<std::size_t>((coat.users.columns().size() + 1) * item_columns_) + 1) {
    struct Case {
      std::vector<std::size_t> columns;
      double target;
    };
    std::vector<Case> cases;
    for (kd::Index u = 0; u < stars.rows(); ++u)
      for (std::size_t n = 0; n < stars.row(u).size(); ++n)
        cases.push_back({columns_of(u, stars.row(u).columns[n]), stars.row(u).values[n] >= 4.0F ? 1.0 : 0.0});
    // Conjugate gradients on (X'X + penalty) w = X'y.
    std::vector<double> residual(weights_.size(), 0.0), product(weights_.size());
    for (const Case& one : cases)
      for (const std::size_t column : one.columns) residual[column] += one.target;
    std::vector<double> direction = residual;
    double square = inner(residual, residual);
    const double enough = 1e-16 * square;
    for (int step = 0; step < 1000 && square > enough; ++step) {
      for (std::size_t w = 0; w < weights_.size(); ++w) product[w] = penalty * direction[w];
      for (const Case& one : cases) {
        double along = 0.0;
        for (const std::size_t column : one.columns) along += direction[column];
        for (const std::size_t column : one.columns) product[column] += along;
      }
      const double length = square / inner(direction, product);
      for (std::size_t w = 0; w < weights_.size(); ++w) {
        weights_[w] += length * direction[w];
        residual[w] -= length * product[w];
      }
      const double next = inner(residual, residual);
      for (std::size_t w = 0; w < weights_.size(); ++w) direction[w] = residual[w] + next / square * direction[w];
      square = next;
    }
  }

  [[nodiscard]] kd::MatrixShape shape() const { return coat_.chosen.shape(); }
  [[nodiscard]] std::vector<kd::Scored> recommend(kd::Index user, const kd::RecommendOptions& options) const {
    std::vector<kd::Scored> list;
    for (const kd::Index item : *options.filter.allow) {
      double score = 0.0;
      for (const std::size_t column : columns_of(user, item)) score += weights_[column];
      list.push_back({item, score});
    }
    std::sort(list.begin(), list.end(), kd::ranks_before);
    list.resize(std::min(list.size(), options.count));
    return list;
  }

 private:
  [[nodiscard]] std::vector<std::size_t> columns_of(kd::Index user, kd::Index item) const {
    std::vector<std::size_t> columns{weights_.size() - 1};
    for (const kd::Index g : coat_.items.row(item).columns) {
      columns.push_back(static_cast<std::size_t>(g));
      for (const kd::Index f : coat_.users.row(user).columns) columns.push_back(static_cast<std::size_t>((f + 1) * item_columns_ + g));
    }
    return columns;
  }
  static double inner(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0.0;
    for (std::size_t n = 0; n < a.size(); ++n) sum += a[n] * b[n];
    return sum;
  }

  const Coat& coat_;
  kd::Index item_columns_;
  std::vector<double> weights_;
};

/// Four inner folds of the training ratings.
std::vector<kd::TrainTestSplit> folds_of(const kd::CsrView& stars, std::uint64_t seed) {
  std::vector<kd::TrainTestSplit> folds;
  for (std::uint64_t fold = 1; fold <= 4; ++fold)
    folds.push_back(kd::PerUserSplitter({.test_fraction = 0.3, .seed = 100 * seed + fold}).split(stars));
  return folds;
}

Setting best_setting(const Coat& coat, const kd::CsrView& stars, const Kind& kind, std::uint64_t seed, std::uint64_t trials) {
  std::mt19937_64 random(seed);
  const std::vector<kd::TrainTestSplit> folds = folds_of(stars, seed);
  Setting best;
  double highest = -1.0;
  for (std::uint64_t trial = 0; trial < trials; ++trial) {
    const Setting setting = drawn(random, kind, seed);
    double ndcg = 0.0;
    for (const kd::TrainTestSplit& fold : folds) ndcg += measured(fitted(coat, fold.train, kind, setting), opinions(fold.test)).ndcg;
    if (ndcg > highest) best = setting, highest = ndcg;
  }
  return best;
}

FeatureRidge best_ridge(const Coat& coat, const kd::CsrView& stars, std::uint64_t seed) {
  double best = 1.0, highest = -1.0;
  for (double penalty = 1.0; penalty < 2000.0; penalty *= 2.0) {
    double ndcg = 0.0;
    for (const kd::TrainTestSplit& fold : folds_of(stars, seed))
      ndcg += measured(FeatureRidge(coat, fold.train, penalty), opinions(fold.test)).ndcg;
    if (ndcg > highest) best = penalty, highest = ndcg;
  }
  return FeatureRidge(coat, stars, best);
}

struct Row {
  std::vector<double> values[6];

  template <typename Model>
  void add(const Coat& coat, const Model& model) {
    const Three published = measured(model, coat.published), clean = measured(model, coat.clean);
    const double all[] = {published.ndcg, published.recall, published.map, clean.ndcg, clean.recall, clean.map};
    for (std::size_t n = 0; n < 6; ++n) values[n].push_back(all[n]);
  }
  void print(const char* name) const {
    std::printf("| %s |", name);
    for (const std::vector<double>& of : values) {
      const kd::MeanAndError found = kd::metrics::mean_and_error(of);
      std::printf(" %.3f +- %.3f |", found.mean, found.standard_error * std::sqrt(static_cast<double>(of.size())));
    }
    std::printf("\n");
    std::fflush(stdout);
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: coat_table DATA_FOLDER [DRAWS] [TRIALS]\n", stderr), 2;
  const std::uint64_t draws = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 10;
  const std::uint64_t trials = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 100;
  const Coat coat = read_coat(argv[1]);
  constexpr Kind kinds[] = {{"likes", false, false, false},
                            {"likes, bias", false, false, true},
                            {"likes, features", false, true, false},
                            {"likes, dislikes", true, false, false},
                            {"likes, dislikes, bias", true, false, true},
                            {"likes, dislikes, features", true, true, false},
                            {"likes, dislikes, features, bias", true, true, true}};
  Row popularity, ridge, rows[std::size(kinds)];
  for (std::uint64_t draw = 1; draw <= draws; ++draw) {
    const kd::CsrMatrix stars = kd::PerUserSplitter({.test_fraction = 7.0 / 24.0, .seed = draw}).split(coat.chosen).train;
    kd::PopularityRecommender by_likes({.by = kd::PopularityOptions::By::users});
    by_likes.fit(public_sets::ones_of(stars, 4.0F));
    popularity.add(coat, by_likes);
    ridge.add(coat, best_ridge(coat, stars, draw));
    for (std::size_t k = 0; k < std::size(kinds); ++k)
      rows[k].add(coat, fitted(coat, stars, kinds[k], best_setting(coat, stars, kinds[k], draw, trials)));
  }
  std::printf("| model | published NDCG@5 | R@5 | MAP@5 | clean NDCG@5 | R@5 | MAP@5 |\n|---|---|---|---|---|---|---|\n");
  popularity.print("popularity by likes");
  ridge.print("ridge on features");
  for (std::size_t k = 0; k < std::size(kinds); ++k) rows[k].print(kinds[k].name);
  return 0;
}
