// SPDX-License-Identifier: MIT
// Evaluation the long way: the definitions of the metrics written down once more, user by user and cutoff by cutoff, sharing no code with the library.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>

namespace kindred_test {

struct BruteEstimate {
  double mean = 0.0;
  double standard_error = 0.0;
};

struct BruteCutoff {
  BruteEstimate precision, recall, recall_over_min, ndcg, map, map_over_relevant, mrr, hit_rate;
  std::set<kindred::Index> distinct;
};

struct BruteReport {
  std::size_t users = 0;
  std::size_t users_without_test = 0;
  std::size_t test_interactions = 0;
  std::size_t untrained_test_items = 0;
  std::map<std::size_t, BruteCutoff> cutoffs;
  double novelty = 0.0;
  double gini = 0.0;
  std::map<kindred::Index, double> recommended;  ///< Times each item stands in a list, at the largest cutoff.
  std::map<kindred::Index, double> hits;         ///< Times it does for a user who has it in test.
};

inline BruteEstimate brute_estimate(const std::vector<double>& values) {
  BruteEstimate e;
  if (values.empty()) return e;
  const auto n = static_cast<double>(values.size());
  for (const double value : values) e.mean += value;
  e.mean /= n;
  double variance = 0.0;
  for (const double value : values) variance += (value - e.mean) * (value - e.mean);
  if (values.size() > 1) e.standard_error = std::sqrt(variance / (n - 1.0)) / std::sqrt(n);
  return e;
}

/// `lists[u]`: the ranked list of user u, at least as long as the largest cutoff where the model has as many items. `users`: who is asked for.
inline BruteReport brute_force_evaluate(const std::vector<std::vector<kindred::Index>>& lists, const kindred::CsrView& train,
                                        const kindred::CsrView& test, const std::vector<kindred::Index>& users,
                                        const std::vector<std::size_t>& cutoffs) {
  BruteReport report;
  std::map<kindred::Index, double> listeners;
  for (std::size_t n = 0; n < train.columns().size(); ++n)
    if (train.values()[n] != 0.0F) listeners[train.columns()[n]] += 1.0;

  std::map<std::size_t, std::map<std::string, std::vector<double>>> values;
  std::vector<double> novelties;
  for (const kindred::Index user : users) {
    std::set<kindred::Index> wanted;
    for (std::size_t n = 0; n < test.row(user).size(); ++n)
      if (test.row(user).values[n] > 0.0F) wanted.insert(test.row(user).columns[n]);
    if (wanted.empty()) {
      ++report.users_without_test;
      continue;
    }
    ++report.users;
    report.test_interactions += wanted.size();
    for (const kindred::Index item : wanted) report.untrained_test_items += listeners.count(item) == 0 ? 1u : 0u;
    const std::vector<kindred::Index>& list = lists[static_cast<std::size_t>(user)];
    const auto t = static_cast<double>(wanted.size());
    for (const std::size_t cutoff : cutoffs) {
      const auto k = static_cast<double>(cutoff);
      double hits = 0.0, dcg = 0.0, ideal = 0.0, precisions = 0.0, first = 0.0;
      for (std::size_t rank = 1; rank <= cutoff; ++rank) {
        const auto r = static_cast<double>(rank);
        if (r <= t) ideal += 1.0 / std::log2(r + 1.0);
        if (rank > list.size()) continue;
        report.cutoffs[cutoff].distinct.insert(list[rank - 1]);
        if (wanted.count(list[rank - 1]) == 0) continue;
        hits += 1.0;
        dcg += 1.0 / std::log2(r + 1.0);
        precisions += hits / r;
        if (first == 0.0) first = 1.0 / r;
      }
      auto& at = values[cutoff];
      at["precision"].push_back(hits / k);
      at["recall"].push_back(hits / t);
      at["recall_over_min"].push_back(hits / (std::min)(k, t));
      at["ndcg"].push_back(dcg / ideal);
      at["map"].push_back(precisions / (std::min)(k, t));
      at["map_over_relevant"].push_back(precisions / t);
      at["mrr"].push_back(first);
      at["hit_rate"].push_back(hits > 0.0 ? 1.0 : 0.0);
    }
    const std::size_t shown = (std::min)(cutoffs.back(), list.size());
    double bits = 0.0;
    for (std::size_t n = 0; n < shown; ++n) {
      const double users_of = listeners.count(list[n]) > 0 ? listeners[list[n]] : 0.0;
      bits -= std::log2((users_of + 1.0) / (static_cast<double>(train.rows()) + 1.0));
      report.recommended[list[n]] += 1.0;
      if (wanted.count(list[n]) > 0) report.hits[list[n]] += 1.0;
    }
    if (shown > 0) novelties.push_back(bits / static_cast<double>(shown));
  }
  for (const std::size_t cutoff : cutoffs) {
    BruteCutoff& at = report.cutoffs[cutoff];
    at.precision = brute_estimate(values[cutoff]["precision"]);
    at.recall = brute_estimate(values[cutoff]["recall"]);
    at.recall_over_min = brute_estimate(values[cutoff]["recall_over_min"]);
    at.ndcg = brute_estimate(values[cutoff]["ndcg"]);
    at.map = brute_estimate(values[cutoff]["map"]);
    at.map_over_relevant = brute_estimate(values[cutoff]["map_over_relevant"]);
    at.mrr = brute_estimate(values[cutoff]["mrr"]);
    at.hit_rate = brute_estimate(values[cutoff]["hit_rate"]);
  }
  report.novelty = brute_estimate(novelties).mean;

  // The Gini coefficient from its definition: the mean absolute difference of all pairs over twice the mean.
  double differences = 0.0, sum = 0.0;
  const auto count = [&](kindred::Index item) { return report.recommended.count(item) > 0 ? report.recommended[item] : 0.0; };
  for (kindred::Index a = 0; a < train.cols(); ++a) {
    sum += count(a);
    for (kindred::Index b = 0; b < train.cols(); ++b) differences += std::abs(count(a) - count(b));
  }
  if (sum > 0.0) report.gini = differences / (2.0 * static_cast<double>(train.cols()) * sum);
  return report;
}

}  // namespace kindred_test
