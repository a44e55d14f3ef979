// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/models/neighbours/item_graph.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// How alike two items are, c_ij / sqrt(c_ii c_jj), from the weight of their edge and a factor of each.
struct EdgeCosine {
  std::span<const float> source;  ///< n_i^(1 - popularity) / sqrt(c_ii)
  std::span<const float> target;  ///< n_j^popularity / sqrt(c_jj)

  [[nodiscard]] float of(Index i, Index j, float weight) const noexcept {
    return weight * source[static_cast<std::size_t>(i)] * target[static_cast<std::size_t>(j)];
  }
};

/// Adds up what a history votes for: the workspace of one thread.
class VoteTally {
 public:
  explicit VoteTally(std::size_t items) : sums_(items, 0.0F), touched_(items + 1) {}

  /// Adds the votes of `history`, item after item. Votes of dislikes are left out; clear() must have been called before.
  void add(const ItemGraph& graph, const SparseRow& history) {
    for (std::size_t n = 0; n < history.size(); ++n)
      if (history.values[n] > 0.0F && history.columns[n] < graph.items()) add_row(graph.row(history.columns[n]), history.values[n]);
  }

  /// As add; items of the history that are neighbours of each other share a vote: each is divided by 1 + the cosines of its neighbours in the history.
  void add_shared(const ItemGraph& graph, const SparseRow& history, const EdgeCosine& cosine) {
    shared(graph, history, cosine, shares_);
    add(graph, {history.columns, shares_});
  }

  /// The votes of `history` after sharing, as long as it is.
  void shared(const ItemGraph& graph, const SparseRow& history, const EdgeCosine& cosine, std::vector<float>& votes) {
    in_history_.resize(sums_.size(), 0);
    votes.assign(history.values.begin(), history.values.end());
    const auto is_known = [&](Index item) { return item < graph.items(); };  // items that came after the graph have no neighbours
    for (std::size_t n = 0; n < history.size(); ++n)
      if (history.values[n] > 0.0F && is_known(history.columns[n])) in_history_[static_cast<std::size_t>(history.columns[n])] = 1;
    for (std::size_t n = 0; n < history.size(); ++n) {
      const Index item = history.columns[n];
      if (!(history.values[n] > 0.0F) || !is_known(item)) continue;
      const SparseRow row = graph.row(item);
      float alike = 1.0F;
      for (std::size_t e = 0; e < row.size(); ++e)
        if (in_history_[static_cast<std::size_t>(row.columns[e])] != 0) alike += cosine.of(item, row.columns[e], row.values[e]);
      votes[n] /= alike;
    }
    for (const Index item : history.columns)
      if (is_known(item)) in_history_[static_cast<std::size_t>(item)] = 0;
  }

  /// The items with votes, in the order in which they were first voted for.
  [[nodiscard]] std::span<const Index> touched() const noexcept { return {touched_.data(), count_}; }
  [[nodiscard]] float of(Index item) const noexcept { return sums_[static_cast<std::size_t>(item)]; }
  [[nodiscard]] std::span<const float> sums() const noexcept { return sums_; }

  /// Takes the votes of one item away.
  void forget(Index item) noexcept { sums_[static_cast<std::size_t>(item)] = 0.0F; }

  /// Forgets all votes.
  void clear() noexcept {
    for (const Index item : touched()) sums_[static_cast<std::size_t>(item)] = 0.0F;
    count_ = 0;
  }

 private:
  void add_row(const SparseRow& row, float vote) noexcept {
    std::size_t count = count_;
    for (std::size_t n = 0; n < row.size(); ++n) {
      const Index target = row.columns[n];
      float& sum = sums_[static_cast<std::size_t>(target)];
      touched_[count] = target;  // kept if it is the first vote
      count += sum == 0.0F ? 1U : 0U;
      sum += vote * row.values[n];
    }
    count_ = count;
  }

  std::vector<float> sums_;
  std::vector<Index> touched_;
  std::size_t count_ = 0;
  std::vector<char> in_history_;
  std::vector<float> shares_;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
