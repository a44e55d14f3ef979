// SPDX-License-Identifier: MIT
// How good are lists of new users after 1, 2, 3, 5 and 10 known artists, with the background by history and with the full one?
// short_histories DATA_FOLDER
//
// Last.fm 1K (dense play counts), users with at least 20 artists in 5 folds. A fold's users are unknown to the model; the target are their 20 most
// played artists but for the known ones, which are drawn from all that a user has. NDCG@10, means over all users; differences are paired by user. First
// with the default settings, then each background with settings of its own: the best of one pool by the mean over the numbers of known artists, on a fifth
// of the other users.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <random>
#include <span>
#include <vector>

#include <kindred/evaluation/evaluate.hpp>
#include <kindred/metrics/mean_and_error.hpp>
#include <kindred/models/implicit_als.hpp>

#include "public_sets.hpp"

namespace {

namespace kd = kindred;

constexpr std::array<std::size_t, 5> known_counts = {1, 2, 3, 5, 10};
constexpr std::size_t favourites = 20, folds = 5;

/// Known and hidden favourites of `users`, one row each.
kd::TrainTestSplit histories(const kd::CsrView& all, std::span<const kd::Index> users, std::size_t known) {
  std::vector<kd::Interaction> shown, hidden;
  for (std::size_t n = 0; n < users.size(); ++n) {
    const kd::SparseRow row = all.row(users[n]);
    std::vector<std::size_t> drawn(row.size());
    std::iota(drawn.begin(), drawn.end(), std::size_t{0});
    std::vector<std::size_t> best = drawn;
    std::stable_sort(best.begin(), best.end(), [&](std::size_t a, std::size_t b) { return row.values[a] > row.values[b]; });
    best.resize(favourites);
    std::mt19937 random(static_cast<std::uint32_t>(users[n]));
    for (std::size_t place = 0; place < known; ++place) std::swap(drawn[place], drawn[place + random() % (drawn.size() - place)]);
    drawn.resize(known);
    const auto add = [&](std::vector<kd::Interaction>& to, std::size_t place) {
      to.push_back({static_cast<kd::Index>(n), row.columns[place], row.values[place]});
    };
    for (const std::size_t place : drawn) add(shown, place);
    for (const std::size_t place : best)
      if (std::find(drawn.begin(), drawn.end(), place) == drawn.end()) add(hidden, place);
  }
  const kd::MatrixShape shape{static_cast<kd::Index>(users.size()), all.cols()};
  return {kd::CsrMatrix::from_triplets(shape, shown), kd::CsrMatrix::from_triplets(shape, hidden)};
}

/// Of each user; by popularity for users without factors.
std::vector<double> ndcg_of(const kd::FactorModel<float>& model, const kd::TrainTestSplit& split) {
  std::vector<double> values;
  const kd::RankingReport report =
      kd::evaluate(model, split.train, split.test, {.cutoffs = {10}, .fallback = kd::Fallback::popularity, .keep_per_user = true});
  for (const auto& user : report.per_user) values.push_back(user.cutoffs.front().ndcg);
  return values;
}

std::vector<double> ndcg_of_folded(const kd::ImplicitALS<float>& als, std::span<const kd::Index> counts, const kd::TrainTestSplit& split,
                                   kd::FoldInBackground background) {
  return ndcg_of(
      kd::FactorModel<float>(als.fold_in_all(split.train, {.background = background}), als.item_factors(), {counts.begin(), counts.end()}),
      split);
}

/// The setting of the pool that is best for this background, on a fifth of `users`.
kd::AlsOptions best_of_pool(const kd::CsrView& all, const std::vector<kd::Index>& users, kd::FoldInBackground background) {
  std::vector<kd::Index> learners, strangers;
  for (std::size_t n = 0; n < users.size(); ++n) (n % folds == 0 ? strangers : learners).push_back(users[n]);
  const kd::CsrMatrix train = kd::select_rows(all, learners);
  const std::vector<kd::Index> counts = kd::column_counts(train);
  kd::AlsOptions best;
  double best_sum = -1.0;
  for (const double regularization : {0.03, 0.06, 0.12, 0.25})
    for (const double ratio : {2.0, 8.0, 32.0})
      for (const std::size_t factors : {16U, 64U}) {
        kd::AlsOptions options{.factors = factors, .regularization = regularization};
        options.background.ratio = ratio;
        kd::ImplicitALS<float> als(options);
        als.fit(train);
        double sum = 0.0;
        for (const std::size_t known : known_counts)
          sum += kd::metrics::mean_and_error(ndcg_of_folded(als, counts, histories(all, strangers, known), background)).mean;
        if (sum > best_sum) best = options, best_sum = sum;
      }
  return best;
}

using Values = std::array<std::vector<double>, known_counts.size()>;  // NDCG@10 of each user, by the number of known artists

void print(const Values& popular, const Values& full, const Values& by_history, const char* settings) {
  std::printf(
      "\n%s, %zu users\n\n| known artists | popularity | full | by history | gain | paired difference |\n|---|---|---|---|---|---|\n",
      settings, popular[0].size());
  for (std::size_t k = 0; k < known_counts.size(); ++k) {
    std::vector<double> differences(full[k].size());
    for (std::size_t n = 0; n < differences.size(); ++n) differences[n] = by_history[k][n] - full[k][n];
    const kd::MeanAndError difference = kd::metrics::mean_and_error(differences);
    const auto mean = [](const std::vector<double>& values) { return kd::metrics::mean_and_error(values).mean; };
    std::printf("| %zu | %.4f | %.4f | %.4f | %+.0f %% | %.4f +- %.4f |\n", known_counts[k], mean(popular[k]), mean(full[k]),
                mean(by_history[k]), 100.0 * (mean(by_history[k]) / mean(full[k]) - 1.0), difference.mean, difference.standard_error);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: short_histories DATA_FOLDER\n", stderr), 2;
  public_sets::for_each_set(argv[1], "lastfm-1k", [](const public_sets::PublicSet& set) {
    std::vector<kd::Index> users;
    for (kd::Index u = 0; u < set.all.rows(); ++u)
      if (set.all.row(u).size() >= favourites) users.push_back(u);
    Values popular;
    std::array<Values, 2> full, by_history;  // default settings, own settings
    for (std::size_t fold = 0; fold < folds; ++fold) {
      std::vector<kd::Index> learners, strangers;
      for (std::size_t n = 0; n < users.size(); ++n) (n % folds == fold ? strangers : learners).push_back(users[n]);
      const kd::CsrMatrix train = kd::select_rows(set.all, learners);
      const std::vector<kd::Index> counts = kd::column_counts(train);
      const auto append = [&](Values& to, std::size_t k, const std::vector<double>& values) {
        to[k].insert(to[k].end(), values.begin(), values.end());
      };
      const auto measure = [&](Values& to, const kd::AlsOptions& options, kd::FoldInBackground background) {
        kd::ImplicitALS<float> als(options);
        als.fit(train);
        for (std::size_t k = 0; k < known_counts.size(); ++k)
          append(to, k, ndcg_of_folded(als, counts, histories(set.all, strangers, known_counts[k]), background));
      };
      for (std::size_t k = 0; k < known_counts.size(); ++k) {
        const kd::TrainTestSplit split = histories(set.all, strangers, known_counts[k]);
        append(popular, k,
               ndcg_of({kd::FactorMatrix<float>(split.train.rows(), 1), kd::FactorMatrix<float>(train.cols(), 1), counts}, split));
      }
      for (const kd::FoldInBackground background : {kd::FoldInBackground::full, kd::FoldInBackground::by_history}) {
        auto& to = background == kd::FoldInBackground::full ? full : by_history;
        measure(to[0], {}, background);
        measure(to[1], best_of_pool(set.all, learners, background), background);
      }
    }
    print(popular, full[0], by_history[0], "default settings");
    print(popular, full[1], by_history[1], "settings of their own");
  });
  return 0;
}
