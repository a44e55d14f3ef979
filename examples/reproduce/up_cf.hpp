// SPDX-License-Identifier: MIT
// UP-CF, a baseline for next baskets, as a model that kindred::evaluate takes (Faggioli, Polato, Aiolli: "Recency aware collaborative filtering for next basket
// recommendation", UMAP 2020). A user is the share of the latest baskets that hold each item; a list adds up all users by the asymmetric cosine of their items,
// to a power.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>

#include "best_items.hpp"

#include "tifu_knn.hpp"  // Baskets

class UpCf {
 public:
  struct Options {
    std::size_t recent = 25;  // baskets
    double locality = 5.0;    // the power
    double asymmetry = 0.25;  // [0, 1]; 0.5: the cosine
  };

  UpCf(const Baskets& baskets, kindred::Index items, const Options& options)
      : options_(options), users_(baskets.size()), by_item_(as_size(items)) {
    for (std::size_t u = 0; u < users_.size(); ++u) {
      std::map<kindred::Index, double> shares;  // 0 for an item of older baskets alone, which counts for the cosine
      const std::size_t n = baskets[u].size(), recent = std::min(options.recent, n);
      for (std::size_t b = 0; b < n; ++b)
        for (const kindred::Index item : baskets[u][b]) shares[item] += b + recent >= n ? 1.0 / static_cast<double>(recent) : 0.0;
      users_[u].assign(shares.begin(), shares.end());
      for (const auto& [item, share] : shares) by_item_[as_size(item)].push_back(u);
    }
  }

  [[nodiscard]] kindred::MatrixShape shape() const {
    return {static_cast<kindred::Index>(users_.size()), static_cast<kindred::Index>(by_item_.size())};
  }

  [[nodiscard]] std::vector<kindred::Scored> recommend(kindred::Index user, const kindred::RecommendOptions& wanted) const {
    const auto u = as_size(user);
    std::vector<double> common(users_.size(), 0.0), scores(by_item_.size(), 0.0);
    for (const auto& one : users_[u])
      for (const std::size_t v : by_item_[as_size(one.first)]) common[v] += 1.0;
    for (std::size_t v = 0; v < users_.size(); ++v) {
      if (common[v] == 0.0) continue;
      const double cosine = common[v] / (std::pow(static_cast<double>(users_[u].size()), options_.asymmetry) *
                                         std::pow(static_cast<double>(users_[v].size()), 1.0 - options_.asymmetry));
      const double weight = std::pow(cosine, options_.locality);
      if (weight < 1e-7) continue;  // beside the user's own of 1
      for (const auto& [item, share] : users_[v]) scores[as_size(item)] += weight * share;
    }
    return reproduce::best_items(scores, wanted.count);
  }

 private:
  static std::size_t as_size(kindred::Index index) { return static_cast<std::size_t>(index); }

  Options options_;
  std::vector<std::vector<std::pair<kindred::Index, double>>> users_;
  std::vector<std::vector<std::size_t>> by_item_;
};
