// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/models/neighbours/options.hpp>

namespace kindred::inline v0::detail {

/// The neighbours of each item and how much its vote for them weighs, by rows; copies share the arrays, which may be those of a mapped file.
struct ItemGraph {
  std::span<const Offset> offsets;  // length items + 1
  std::span<const Index> targets;   // rising in a row
  std::span<const float> weights;   // above 0
  std::shared_ptr<const void> owner;

  [[nodiscard]] Index items() const noexcept { return offsets.empty() ? 0 : static_cast<Index>(offsets.size() - 1); }
  [[nodiscard]] SparseRow row(Index item) const noexcept {
    const auto first = static_cast<std::size_t>(offsets[static_cast<std::size_t>(item)]);
    const std::size_t count = static_cast<std::size_t>(offsets[static_cast<std::size_t>(item) + 1]) - first;
    return {targets.subspan(first, count), weights.subspan(first, count)};
  }
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return offsets.size_bytes() + targets.size_bytes() + weights.size_bytes(); }
};

/// The arrays of a graph in memory.
struct ItemGraphArrays {
  std::vector<Offset> offsets;
  std::vector<Index> targets;
  std::vector<float> weights;

  [[nodiscard]] static ItemGraph share(ItemGraphArrays arrays) {
    const auto held = std::make_shared<const ItemGraphArrays>(std::move(arrays));
    return {held->offsets, held->targets, held->weights, held};
  }
};

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// A weight below this is none, so that a vote is never rounded to 0.
inline constexpr float least_edge = 1e-20F;
/// As little counts as this much: a sum is 0 only where nothing was added.
inline constexpr float least_term = 1e-36F;

/// Counts the neighbours of one item at a time: the workspace of one thread.
///
/// A row of the co-occurrences is summed over the users of the item, in their order, and cut to the heaviest at once: the whole graph is never held.
class NeighbourCounter {
 public:
  /// `by_users`: strengths of the likes; `by_items`: the same over n_v^user_discount, transposed; `damped`: n^-popularity of each item. They must outlive this object.
  NeighbourCounter(const CsrView& by_users, const CsrView& by_items, std::span<const float> damped, std::size_t neighbours, bool equal)
      : by_users_(by_users),
        by_items_(by_items),
        damped_(damped),
        neighbours_(neighbours),
        equal_(equal),
        sums_(static_cast<std::size_t>(by_users.cols()), 0.0F),
        touched_(sums_.size() + 1) {}

  /// Appends the heaviest neighbours of `item`, and returns their number. `scale`: n_i^-(1 - popularity).
  std::size_t append_row(Index item, float scale, std::vector<Index>& targets, std::vector<float>& weights) {
    const std::size_t touched = equal_ ? sum<true>(item) : sum<false>(item);
    keys_.clear();
    for (std::size_t n = 0; n < touched; ++n) {
      const auto target = static_cast<std::size_t>(touched_[n]);
      const float weight = sums_[target] * damped_[target] * scale;
      sums_[target] = 0.0F;
      if (touched_[n] == item || !(weight >= least_edge) || !is_finite(weight)) continue;
      // Heaviest first, ties by the lower item: positive floats have the order of their bits.
      keys_.push_back((static_cast<std::uint64_t>(bit_cast<std::uint32_t>(weight)) << 32U) | ~static_cast<std::uint32_t>(target));
    }
    if (keys_.size() > neighbours_) {
      std::nth_element(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(neighbours_), keys_.end(), std::greater<>());
      keys_.resize(neighbours_);
    }
    for (std::uint64_t& key : keys_) key = (static_cast<std::uint64_t>(~static_cast<std::uint32_t>(key)) << 32U) | (key >> 32U);
    std::sort(keys_.begin(), keys_.end());
    for (const std::uint64_t key : keys_) {
      targets.push_back(static_cast<Index>(key >> 32U));
      weights.push_back(bit_cast<float>(static_cast<std::uint32_t>(key)));
    }
    return keys_.size();
  }

 private:
  template <bool equal>
  [[nodiscard]] std::size_t sum(Index item) {
    const SparseRow users = by_items_.row(item);
    std::size_t touched = 0;
    for (std::size_t v = 0; v < users.size(); ++v) {
      const SparseRow row = by_users_.row(users.columns[v]);
      const float weight = users.values[v];
      for (std::size_t n = 0; n < row.size(); ++n) {
        const Index target = row.columns[n];
        float& sum = sums_[static_cast<std::size_t>(target)];
        touched_[touched] = target;  // kept if it is the first
        touched += sum == 0.0F ? 1U : 0U;
        sum += equal ? weight : (std::max)(weight * row.values[n], least_term);
      }
    }
    return touched;
  }

  const CsrView& by_users_;
  const CsrView& by_items_;
  std::span<const float> damped_;
  std::size_t neighbours_;
  bool equal_;
  std::vector<float> sums_;
  std::vector<Index> touched_;
  std::vector<std::uint64_t> keys_;
};

/// The graph of the likes `by_users`, whose values are strengths above 0. O(sum of n_v^2 + items neighbours) time; memory for the graph, and 8 bytes an item a
/// thread.
[[nodiscard]] inline ItemGraph make_item_graph(const CsrView& by_users, const ItemNeighboursOptions& options, const Execution& execution) {
  const auto items = static_cast<std::size_t>(by_users.cols());
  std::vector<float> discounted(by_users.values().begin(), by_users.values().end());
  for (Index v = 0; v < by_users.rows(); ++v) {
    const std::size_t first = by_users.row_begin(v), last = by_users.row_begin(v + 1);
    const auto discount =
        static_cast<float>(std::pow(static_cast<double>((std::max)(last - first, std::size_t{1})), -options.user_discount));
    for (std::size_t n = first; n < last; ++n) discounted[n] = (std::max)(discounted[n] * discount, least_term);
  }
  const CsrMatrix by_items = transpose(CsrView(unchecked, by_users.shape(), by_users.offsets(), by_users.columns(), discounted));
  const CsrView columns = by_items.view();
  const std::span<const float> strengths = by_users.values();
  const bool equal = std::all_of(strengths.begin(), strengths.end(), [](float g) { return g == 1.0F; });
  std::vector<float> damped(items), scales(items);
  for (std::size_t i = 0; i < items; ++i) {
    const auto users = static_cast<double>((std::max)(columns.row(static_cast<Index>(i)).size(), std::size_t{1}));
    damped[i] = static_cast<float>(std::pow(users, -options.popularity));
    scales[i] = static_cast<float>(std::pow(users, options.popularity - 1.0));
  }

  constexpr std::size_t grain = 32;
  const ParallelOptions parallel = loop_of(execution, grain);
  std::vector<NeighbourCounter> counters;
  for (std::size_t n = 0; n < worker_count(items, parallel); ++n)
    counters.emplace_back(by_users, columns, damped, options.neighbours, equal);
  struct Piece {
    std::vector<Index> targets;
    std::vector<float> weights;
  };
  std::vector<Piece> pieces((items + grain - 1) / grain);
  ItemGraphArrays graph;
  graph.offsets.assign(items + 1, 0);
  parallel_for(items, parallel, [&](std::size_t first, std::size_t last, std::size_t worker) {
    for (std::size_t i = first; i < last; ++i)
      graph.offsets[i + 1] = static_cast<Offset>(
          counters[worker].append_row(static_cast<Index>(i), scales[i], pieces[first / grain].targets, pieces[first / grain].weights));
  });
  counters.clear();
  for (std::size_t i = 0; i < items; ++i) graph.offsets[i + 1] += graph.offsets[i];
  resize_large(graph.targets, static_cast<std::size_t>(graph.offsets.back()));
  resize_large(graph.weights, graph.targets.size());
  parallel_for(pieces.size(), loop_of(execution, 1), [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t n = first; n < last; ++n) {
      const auto place = static_cast<std::ptrdiff_t>(graph.offsets[n * grain]);
      std::copy(pieces[n].targets.begin(), pieces[n].targets.end(), graph.targets.begin() + place);
      std::copy(pieces[n].weights.begin(), pieces[n].weights.end(), graph.weights.begin() + place);
      pieces[n] = {};
    }
  });
  return ItemGraphArrays::share(std::move(graph));
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
