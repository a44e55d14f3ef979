// SPDX-License-Identifier: MIT
// Users whom the model has never seen, as Liang et al. (2018) and Rendle et al. (2022) measure on MovieLens 20M: strong_generalisation [FILE] [HELD_OUT_USERS]
//
// Ratings of 4 and more become 1; users with at least 5 stay; HELD_OUT_USERS (10,000) are held out whole, 80 % of each is folded in and 20 % predicted.
// Recall over min(K, |T|). Published: iALS Recall@20 0.395, Recall@50 0.532, NDCG@100 0.425 (lambda 0.003, nu 1, w0 0.1, 16 iterations); EASE 0.391, 0.521, 0.420.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <kindred/kindred.hpp>

#include "../guarded.hpp"
#include "table.hpp"

namespace kd = kindred;

namespace {

/// Held-out users through fold_in: a model whose users are the rows that it was given after the fit.
class Folded {
 public:
  Folded(const kd::ImplicitALS<float>& als, const kd::CsrView& known) : als_(als), known_(known) {}
  [[nodiscard]] kd::MatrixShape shape() const { return known_.shape(); }
  [[nodiscard]] std::vector<kd::Scored> recommend(kd::Index user, const kd::RecommendOptions& options) const {
    return als_.recommend(known_.row(user), options).items;
  }

 private:
  const kd::ImplicitALS<float>& als_;
  kd::CsrView known_;
};

int run(int argc, char** argv) {
  const std::string file = argc > 1 ? argv[1] : "ratings.csv";
  if (!reproduce::have(file, "Get ml-20m.zip from https://grouplens.org/datasets/movielens/20m/ and name its ratings.csv.")) return 2;
  const kd::Dataset ratings = kd::read_movielens(file);
  kd::Dataset liked = ratings;
  std::vector<kd::Interaction> pairs;
  for (kd::Index u = 0; u < ratings.matrix.rows(); ++u) {
    const kd::SparseRow row = ratings.matrix.row(u);
    for (std::size_t n = 0; n < row.size(); ++n)
      if (row.values[n] >= 4.0F) pairs.push_back({u, row.columns[n], 1.0F});
  }
  liked.matrix = kd::CsrMatrix::from_triplets(ratings.matrix.shape(), pairs);
  liked.times.clear();
  liked = kd::filter_active(liked, {.min_items_per_user = 5, .min_users_per_item = 1});

  const auto held_out = static_cast<kd::Index>(argc > 2 ? std::atoi(argv[2]) : 10'000);
  const kd::UserHoldout parts = kd::user_holdout(liked.matrix, {.heldout_users = held_out, .target_fraction = 0.2, .seed = 1});
  std::printf("%d users to learn from, %d held out, %d films\n", parts.train.rows(), parts.fold_in.rows(), parts.train.cols());

  kd::AlsOptions options{
      .factors = 256, .regularization = 0.003, .iterations = 16, .units = kd::Units::paper, .confidence = {.alpha = 0.0}};
  options.confidence.curve = kd::Confidence::one;
  options.background.pairs = kd::Background::all;
  options.background.weight = 0.1;
  options.regularization_exponent = 1.0;
  kd::ImplicitALS<float> als(options);
  std::fprintf(stderr, "fitted in %.1f s\n", als.fit(parts.train).seconds);

  kd::EvaluateOptions how{.cutoffs = {20, 50, 100}};
  how.ranking.recall_denominator = kd::RankingOptions::RecallDenominator::min_cutoff_relevant;
  const kd::RankingReport report = kd::evaluate(Folded(als, parts.fold_in), parts.fold_in, parts.target, how);
  std::printf("%s\nRecall@20 %.4f  Recall@50 %.4f  NDCG@100 %.4f\n", report.protocol.c_str(), report.at(20).recall.mean,
              report.at(50).recall.mean, report.at(100).ndcg.mean);
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return examples::guarded(run, argc, argv); }
