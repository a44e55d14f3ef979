// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <vector>

#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/linalg/top_k_request.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0::detail {

/// What is added to the scores of a few items of each user: weight * value.
struct RaisedScores {
  CsrView values;  // no more users and items than the model has
  float weight = 0.0F;

  [[nodiscard]] SparseRow row(Index user) const { return user < values.rows() ? values.row(user) : SparseRow{}; }
};

/// The raised items that one list may hold, and what a search for the others leaves out.
class RaisedRow {
 public:
  /// `counts`: of the items in train, or empty where every item is a candidate.
  RaisedRow(const SparseRow& raised, const RecommendOptions& options, std::span<const Index> counts) {
    exclude_.reserve(raised.size() + options.exclude.size());
    std::set_union(options.exclude.begin(), options.exclude.end(), raised.columns.begin(), raised.columns.end(),
                   std::back_inserter(exclude_));
    rows_.reserve(raised.size());
    values_.reserve(raised.size());
    for (std::size_t n = 0; n < raised.size(); ++n) {
      const Index item = raised.columns[n];
      if (options.filter.candidates == Candidates::trained && !counts.empty() && counts[static_cast<std::size_t>(item)] == 0) continue;
      if (std::binary_search(options.exclude.begin(), options.exclude.end(), item)) continue;
      if (options.filter.allow && !std::binary_search(options.filter.allow->begin(), options.filter.allow->end(), item)) continue;
      rows_.push_back(item);
      values_.push_back(raised.values[n]);
    }
  }

  [[nodiscard]] std::span<const Index> items() const noexcept { return rows_; }
  [[nodiscard]] std::span<const Index> excluded() const noexcept { return exclude_; }

  /// The request refers to this object.
  void put_into(TopKRequest& request, float weight) const noexcept {
    request.exclude = exclude_;
    request.raised = rows_;
    request.raises = values_;
    request.raise_weight = weight;
  }

 private:
  std::vector<Index> exclude_;
  std::vector<Index> rows_;
  std::vector<float> values_;
};

}  // namespace kindred::inline v0::detail
