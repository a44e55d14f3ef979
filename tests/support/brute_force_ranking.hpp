// SPDX-License-Identifier: MIT
// Recommending the long way: score every item, drop what a filter drops, sort, cut. Every model has to return exactly this.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include <kindred/core/random.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred_test {

/// Items that have a value other than 0 in some row.
inline std::set<kindred::Index> trained_items(const kindred::CsrView& train) {
  std::set<kindred::Index> items;
  for (std::size_t n = 0; n < train.columns().size(); ++n)
    if (train.values()[n] != 0.0F) items.insert(train.columns()[n]);
  return items;
}

/// What recommend(user, options) must return, from predict() of every item.
template <typename Model>
std::vector<kindred::Scored> brute_force_recommend(const Model& model, const kindred::CsrView& train, kindred::Index user,
                                                   const kindred::RecommendOptions& options) {
  // A model that tells known users from others lists nothing for the others.
  if constexpr (requires { model.knows(user); })
    if (!model.knows(user)) return {};
  const std::set<kindred::Index> trained = trained_items(train);
  const std::set<kindred::Index> excluded(options.exclude.begin(), options.exclude.end());
  std::vector<kindred::Scored> list;
  for (kindred::Index item = 0; item < train.cols(); ++item) {
    const double score = model.predict(user, item);
    if (options.filter.candidates == kindred::Candidates::trained && trained.count(item) == 0) continue;
    if (excluded.count(item) > 0) continue;
    if (options.filter.allow && std::find(options.filter.allow->begin(), options.filter.allow->end(), item) == options.filter.allow->end())
      continue;
    if (options.filter.min_score && score < *options.filter.min_score) continue;
    list.push_back({item, score});
  }
  std::stable_sort(list.begin(), list.end(), [](const kindred::Scored& a, const kindred::Scored& b) { return a.score > b.score; });
  if (list.size() > options.count) list.resize(options.count);
  return list;
}

/// A random subset, rising; `share` of the items on average.
inline std::vector<kindred::Index> random_items(kindred::Index n_items, double share, kindred::detail::Random& random) {
  std::vector<kindred::Index> items;
  for (kindred::Index item = 0; item < n_items; ++item)
    if (random.uniform() < share) items.push_back(item);
  return items;
}

/// Random filters; the lists that the spans show live beside them.
struct RandomRequest {
  /// `some_score`: a score that some item has, to be met exactly.
  RandomRequest(kindred::Index n_items, double some_score, kindred::detail::Random& random)
      : exclude(random_items(n_items, random.below(3) == 0 ? 0.9 : 0.2, random)),
        allow(random_items(n_items, random.below(3) == 0 ? 0.05 : 0.6, random)) {
    static constexpr std::size_t counts[] = {0, 1, 2, 5, 10, 40, 100'000};
    options.count = counts[random.below(7)];
    if (random.below(2) == 0) options.exclude = exclude;
    if (random.below(3) == 0) options.filter.allow = allow;
    if (random.below(3) == 0) options.filter.min_score = random.below(2) == 0 ? some_score : some_score - 0.1 + 0.2 * random.uniform();
    if (random.below(2) == 0) options.filter.candidates = kindred::Candidates::all;
  }
  RandomRequest(const RandomRequest&) = delete;
  RandomRequest& operator=(const RandomRequest&) = delete;

  std::vector<kindred::Index> exclude, allow;
  kindred::RecommendOptions options;
};

/// Checks recommend, recommend_all and predict of a fitted model against brute force over random users and filters. True if all agree to the bit.
template <typename Model>
bool agrees_with_brute_force(const Model& model, const kindred::CsrView& train, std::uint64_t seed, std::size_t requests) {
  kindred::detail::Random random(seed, kindred::detail::RandomStream::sample, 31);
  const auto n_users = static_cast<std::uint32_t>(train.rows()), n_items = static_cast<std::uint32_t>(train.cols());
  for (std::size_t n = 0; n < requests; ++n) {
    const auto user = static_cast<kindred::Index>(random.below(n_users));
    const RandomRequest request(train.cols(), model.predict(user, static_cast<kindred::Index>(random.below(n_items))), random);
    if (model.recommend(user, request.options) != brute_force_recommend(model, train, user, request.options)) return false;

    // Some users, in any order, some of them twice; their rows of train left out or nothing.
    std::vector<kindred::Index> users(random.below(70));
    for (kindred::Index& one : users) one = static_cast<kindred::Index>(random.below(n_users));
    kindred::RecommendAllOptions all{.count = request.options.count,
                                     .filter = {.allow = request.options.filter.allow,
                                                .min_score = request.options.filter.min_score,
                                                .candidates = request.options.filter.candidates},
                                     .execution = {.threads = 1 + random.below(3)}};
    const bool exclude_train = random.below(2) == 0;
    if (exclude_train) all.exclude = train;
    const kindred::RankedLists lists = model.recommend_all(users, all);
    if (lists.size() != users.size()) return false;
    for (std::size_t place = 0; place < users.size(); ++place) {
      kindred::RecommendOptions one = request.options;
      one.exclude = exclude_train ? train.row(users[place]).columns : std::span<const kindred::Index>();
      const std::vector<kindred::Scored> wanted = brute_force_recommend(model, train, users[place], one);
      if (!std::equal(wanted.begin(), wanted.end(), lists.row(place).begin(), lists.row(place).end())) return false;
    }
  }
  return true;
}

}  // namespace kindred_test
