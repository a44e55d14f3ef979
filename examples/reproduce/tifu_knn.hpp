// SPDX-License-Identifier: MIT
// TIFU-KNN, a baseline for next baskets, as a model that kindred::evaluate takes (Hu, He, Gao, Zhang: "Modeling personalized item frequency information for
// next-basket recommendation", SIGIR 2020). A user is the mean of groups of baskets, each item weighted by its age within the group and the group's age; a list
// is of the user's own vector and the mean of the nearest users' vectors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>

#include "best_items.hpp"

/// The baskets of each user, oldest first, as items of a model.
using Baskets = std::vector<std::vector<std::vector<kindred::Index>>>;

class TifuKnn {
 public:
  /// Those of the paper for Ta-Feng.
  struct Options {
    std::size_t neighbours = 300;
    double within_group = 0.9, between_groups = 0.7;  // decay
    std::size_t groups = 7;
    double own_share = 0.7;
  };

  TifuKnn(const Baskets& baskets, kindred::Index items, const Options& options)
      : options_(options), users_(baskets.size()), by_item_(as_size(items)) {
    for (std::size_t u = 0; u < users_.size(); ++u) {
      std::map<kindred::Index, double> vector;
      const std::size_t n = baskets[u].size(), groups = std::min(options.groups, n);
      for (std::size_t g = 0; g < groups; ++g) {
        const std::size_t first = g * n / groups, last = (g + 1) * n / groups;
        for (std::size_t b = first; b < last; ++b)
          for (const kindred::Index item : baskets[u][b])
            vector[item] += std::pow(options.between_groups, static_cast<double>(groups - 1 - g)) *
                            std::pow(options.within_group, static_cast<double>(last - 1 - b)) /
                            static_cast<double>((last - first) * groups);
      }
      users_[u].assign(vector.begin(), vector.end());
      for (const auto& [item, value] : users_[u]) {
        by_item_[as_size(item)].emplace_back(u, value);
        squares_.resize(users_.size());
        squares_[u] += value * value;
      }
    }
  }

  [[nodiscard]] kindred::MatrixShape shape() const {
    return {static_cast<kindred::Index>(users_.size()), static_cast<kindred::Index>(by_item_.size())};
  }

  [[nodiscard]] std::vector<kindred::Scored> recommend(kindred::Index user, const kindred::RecommendOptions& wanted) const {
    const auto u = as_size(user);
    std::vector<double> products(users_.size(), 0.0);
    for (const auto& [item, value] : users_[u])
      for (const auto& [other, theirs] : by_item_[as_size(item)]) products[other] += value * theirs;
    std::vector<std::pair<double, std::size_t>> near;  // squared distances, less the user's own square
    for (std::size_t v = 0; v < users_.size(); ++v)
      if (v != u) near.emplace_back(squares_[v] - 2.0 * products[v], v);
    const std::size_t k = std::min(options_.neighbours, near.size());
    std::nth_element(near.begin(), near.begin() + static_cast<std::ptrdiff_t>(k), near.end());
    std::vector<double> scores(by_item_.size(), 0.0);
    const auto add = [&](std::size_t v, double weight) {
      for (const auto& [item, value] : users_[v]) scores[as_size(item)] += weight * value;
    };
    add(u, options_.own_share);
    for (std::size_t n = 0; n < k; ++n) add(near[n].second, (1.0 - options_.own_share) / static_cast<double>(k));
    return reproduce::best_items(scores, wanted.count);
  }

 private:
  static std::size_t as_size(kindred::Index index) { return static_cast<std::size_t>(index); }

  Options options_;
  std::vector<std::vector<std::pair<kindred::Index, double>>> users_;
  std::vector<std::vector<std::pair<std::size_t, double>>> by_item_;
  std::vector<double> squares_;
};
