// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <kindred/core/types.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0::detail {

/// Whether an item passes the filters of one request. Asked only of items whose score is good enough, so a bisection is cheap.
class Eligibility {
 public:
  /// `train_counts`: interactions of each item in train, length n_items.
  Eligibility(const RecommendOptions& options, std::span<const Index> train_counts) : options_(options), train_counts_(train_counts) {}

  [[nodiscard]] bool operator()(const Scored& candidate) const noexcept {
    const auto item = static_cast<std::size_t>(candidate.item);
    if (options_.filter.candidates == Candidates::trained && train_counts_[item] == 0) return false;
    if (options_.filter.min_score && !(candidate.score >= *options_.filter.min_score)) return false;
    if (std::binary_search(options_.exclude.begin(), options_.exclude.end(), candidate.item)) return false;
    return !options_.filter.allow || std::binary_search(options_.filter.allow->begin(), options_.filter.allow->end(), candidate.item);
  }

 private:
  const RecommendOptions& options_;
  std::span<const Index> train_counts_;
};

}  // namespace kindred::inline v0::detail
