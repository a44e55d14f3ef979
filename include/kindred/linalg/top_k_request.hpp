// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/row_offsets.hpp>
#include <kindred/simd/score_block.hpp>

namespace kindred::inline v0::detail {

/// One ranked list to find.
struct TopKRequest {
  std::size_t count = 10;
  std::span<const Index> exclude = {};                          ///< Rows to leave out, strictly increasing.
  Index without = -1;                                           ///< One more row to leave out; -1: none.
  std::optional<std::span<const Index>> allow = std::nullopt;   ///< If set, only these rows, strictly increasing.
  double min_score = -std::numeric_limits<double>::infinity();  ///< Only scores at least this high.
  std::span<const Index> counts = {};                           ///< If not empty, only rows whose count is above 0; length n_rows.
  std::span<const WeightedOffsets> offsets = {};                ///< Added to inner products.
  // Rows that compete with a higher inner product than their own. They are eligible, whatever the filters say, and stand in `exclude` too.
  std::span<const Index> raised = {};
  std::span<const float> raises = {};  ///< As long as `raised`: raise_weight times this is added last.
  float raise_weight = 0.0F;
};

/// Work done by searches, for benchmarks and tests.
struct TopKCounters {
  std::uint64_t rows = 0;    ///< Rows that a scan would have scored.
  std::uint64_t codes = 0;   ///< Of these, rows whose codes were multiplied.
  std::uint64_t scores = 0;  ///< Rows that were scored.
  std::uint64_t packed = 0;  ///< Rows that were laid out for scoring, once for all queries that share it.
};

/// The best `count` of a stream of scored items: a short list in order, of a longer one a heap with the worst kept item on top.
class BestOf {
 public:
  explicit BestOf(std::size_t count = 0) : count_(count) {}

  [[nodiscard]] bool empty() const noexcept { return kept_.empty(); }
  [[nodiscard]] bool full() const noexcept { return kept_.size() >= count_; }

  /// A score below this cannot enter any more; equal ones may, by the lower item.
  [[nodiscard]] double threshold() const noexcept {
    if (count_ == 0) return std::numeric_limits<double>::infinity();
    return full() ? worst().score : -std::numeric_limits<double>::infinity();
  }

  [[nodiscard]] bool would_enter(const Scored& candidate) const noexcept {
    return count_ > 0 && (!full() || ranks_before(candidate, worst()));
  }

  void add(const Scored& candidate) {
    if (in_order()) {
      if (kept_.capacity() == 0) kept_.reserve(count_);
      if (!full()) kept_.push_back(candidate);
      std::size_t at = kept_.size() - 1;
      for (; at > 0 && ranks_before(candidate, kept_[at - 1]); --at) kept_[at] = kept_[at - 1];
      kept_[at] = candidate;
      return;
    }
    if (full()) {
      std::pop_heap(kept_.begin(), kept_.end(), before_);
      kept_.back() = candidate;
    } else {
      kept_.push_back(candidate);
    }
    std::push_heap(kept_.begin(), kept_.end(), before_);
  }

  /// The kept items, best first; leaves nothing behind.
  [[nodiscard]] std::vector<Scored> take() {
    if (!in_order()) std::sort_heap(kept_.begin(), kept_.end(), before_);
    return std::exchange(kept_, {});
  }

 private:
  /// A type of its own, so that the heap functions inline it; a pointer to a function they would call.
  struct Before {
    bool operator()(const Scored& a, const Scored& b) const noexcept { return ranks_before(a, b); }
  };

  /// A heap makes fewer moves for a place, but none that a processor foresees: for 10 items this takes half the time.
  [[nodiscard]] bool in_order() const noexcept { return count_ <= 64; }
  [[nodiscard]] const Scored& worst() const noexcept { return in_order() ? kept_.back() : kept_.front(); }

  Before before_;
  std::size_t count_;
  std::vector<Scored> kept_;
};

/// Whether a row passes the filters of a request that do not need its score.
[[nodiscard]] inline bool is_eligible(const TopKRequest& request, Index row) noexcept {
  if (row == request.without) return false;
  if (!request.counts.empty() && request.counts[static_cast<std::size_t>(row)] == 0) return false;
  if (std::binary_search(request.exclude.begin(), request.exclude.end(), row)) return false;
  return !request.allow || std::binary_search(request.allow->begin(), request.allow->end(), row);
}

}  // namespace kindred::inline v0::detail
