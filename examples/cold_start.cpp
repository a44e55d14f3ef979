// SPDX-License-Identifier: MIT
// The lesson: users and items that are new. How good are lists after 1, 2, 5 and 10 known items, which users does a new
// item find, and which list does an unknown user get?
//
//   cold_start [<hetrec folder>]   made-up data, or HetRec 2011 Last.fm
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>

namespace kd = kindred;

namespace {

/// `count` random entries of each row; of shorter rows all.
kd::CsrMatrix some_of_each_row(const kd::CsrView& matrix, std::size_t count) {
  std::mt19937 random(7);
  std::vector<kd::Index> users, items;
  std::vector<float> values;
  for (kd::Index u = 0; u < matrix.rows(); ++u) {
    const kd::SparseRow row = matrix.row(u);
    std::vector<std::size_t> places(row.size());
    for (std::size_t n = 0; n < places.size(); ++n) places[n] = n;
    std::shuffle(places.begin(), places.end(), random);
    for (std::size_t n = 0; n < std::min(count, places.size()); ++n) {
      users.push_back(u);
      items.push_back(row.columns[places[n]]);
      values.push_back(row.values[places[n]]);
    }
  }
  return kd::CsrMatrix::from_columns(matrix.shape(), users, items, values);
}

kd::ImplicitALS<float> fitted(const kd::CsrView& train) {
  kd::AlsOptions options;
  options.factors = 32;
  kd::ImplicitALS<float> model(options);
  model.fit(train);
  return model;
}

/// Lists of users that the model has not seen, by the number of their items that it is told.
void strangers(const kd::CsrView& matrix) {
  const kd::UserHoldout parts = kd::user_holdout(matrix, {.heldout_fraction = 0.2, .target_fraction = 0.3, .min_interactions = 20});
  const kd::ImplicitALS<float> als = fitted(parts.train);
  const std::vector<kd::Index> listeners = kd::column_counts(parts.train);

  std::printf("%d users to learn from, %d strangers\n", parts.train.rows(), parts.target.rows());
  std::printf("known items   ALS NDCG@10         popularity   better for\n");
  const kd::EvaluateOptions how{.fallback = kd::Fallback::popularity, .keep_per_user = true};
  for (const std::size_t known : {1U, 2U, 5U, 10U}) {
    const kd::CsrMatrix history = some_of_each_row(parts.fold_in, known);
    const kd::FactorModel<float> folded(als.fold_in_all(history), als.item_factors(), listeners);
    // Without factors every user gets the fallback.
    const kd::FactorModel<float> popularity(kd::FactorMatrix<float>(history.rows(), 1), kd::FactorMatrix<float>(history.cols(), 1),
                                            listeners);
    const kd::RankingReport model = kd::evaluate(folded, history, parts.target, how);
    const kd::Comparison result = kd::compare(kd::evaluate(popularity, history, parts.target, how), model);
    std::printf("%11zu   %.4f +- %.4f   %.4f       %d of %zu, worse for %d\n", known, result.second, model.at(10).ndcg.standard_error,
                result.first, result.second_better, result.difference.count, result.first_better);
  }
}

/// New items, each with its first 5 listeners: which of the best 20 users for it are listeners too?
void new_items(const kd::CsrView& matrix) {
  const kd::CsrMatrix by_item = kd::transpose(matrix);
  std::vector<kd::Index> old_items, fresh;
  for (kd::Index i = 0; i < by_item.rows(); ++i) (i % 25 == 0 && by_item.row(i).size() >= 30 ? fresh : old_items).push_back(i);
  kd::ImplicitALS<float> als = fitted(kd::transpose(kd::select_rows(by_item, old_items)));
  const kd::CsrMatrix listeners = kd::select_rows(by_item, fresh), first_listeners = some_of_each_row(listeners, 5);
  const kd::Index first = als.append_items(kd::transpose(first_listeners));

  double hits = 0.0, chance = 0.0;
  for (kd::Index n = 0; n < listeners.rows(); ++n) {
    const std::span<const kd::Index> all = listeners.row(n).columns, known = first_listeners.row(n).columns;
    for (const kd::Scored& user : als.recommend_users(first + n, {.count = 20, .exclude = known}))
      hits += std::binary_search(all.begin(), all.end(), user.item) ? 1.0 : 0.0;
    chance += 20.0 * static_cast<double>(all.size() - known.size()) / static_cast<double>(matrix.rows());
  }
  std::printf("%zu new items with 5 listeners each: %.1f of the 20 users found for one are listeners too; of 20 random users %.1f\n",
              fresh.size(), hits / static_cast<double>(fresh.size()), chance / static_cast<double>(fresh.size()));
}

/// New users become part of the model, or get the marked fallback.
void new_users(const kd::Dataset& data) {
  const kd::Index old_users = data.matrix.rows() - 1;
  kd::ImplicitALS<float> als = fitted(data.matrix.rows(0, old_users));
  const kd::CsrView newcomers = data.matrix.rows(old_users, old_users + 1);
  const kd::Index user = als.append_users(newcomers);
  const auto print = [&](const char* reader, const kd::Recommendation& list) {
    std::printf("%s, from %s:", reader, list.source == kd::ListSource::popularity ? "popularity" : "the model");
    for (const kd::Scored& one : list.items) std::printf(" %s;", std::string(data.item_name(one.item)).c_str());
    std::printf("\n");
  };
  print("appended", {als.recommend(user, {.count = 3, .exclude = newcomers.row(0)})});
  print("a user with nothing", als.recommend(kd::SparseRow{}, {.count = 3, .fallback = kd::Fallback::popularity}));
}

}  // namespace

int main(int argc, char** argv) try {
  const kd::Dataset plays = argc > 1 ? kd::read_hetrec2011_lastfm(std::string(argv[1]) + "/user_artists.dat")
                                     : kd::synthetic_listening({.users = 1'200, .items = 600, .items_per_user = 40});
  strangers(plays.matrix);
  new_items(plays.matrix);
  new_users(plays);
} catch (const std::exception& error) {
  std::fprintf(stderr, "cold_start: %s\n", error.what());
  return 1;
}
