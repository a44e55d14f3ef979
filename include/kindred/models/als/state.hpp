// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/linalg/row_cost.hpp>
#include <kindred/models/als/features.hpp>
#include <kindred/models/als/fold_in.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/models/als/weights.hpp>
#include <kindred/models/item_offsets.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Everything that an ImplicitALS is made of: what fits work on, updates replace and files hold.
template <Real Scalar>
struct AlsState {
  AlsOptions options;  // as they were given: what they leave open is in weights.settings()
  AlsWeights weights;
  FactorMatrix<Scalar> users;                   // n_users x factors, in the eigenbasis of the items' weighted Gram matrix
  FactorMatrix<Scalar> items;                   // n_items x factors, in the same basis
  std::vector<double> eigenvalues;              // of that matrix, falling
  ModelFeatures<Scalar> features;               // their maps in the same basis
  std::vector<float> item_bias = {};            // length n_items, or empty: none
  std::optional<double> popularity_scale = {};  // of the model as it was fitted, where it is known
  std::optional<double> score_spread = {};      // of the model as it was when offsets were set
  ItemOffsets offsets = {};                     // that lists add

  [[nodiscard]] FactorMatrix<Scalar>& factors(AlsSide side) noexcept { return side == AlsSide::users ? users : items; }
};

/// `count` indices from `first` on.
[[nodiscard]] inline std::vector<Index> indices_from(Index first, Index count) {
  std::vector<Index> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), first);
  return indices;
}

/// Where the run of each member of a team begins, of users and of items: length size + 1 each, or empty for a team of one.
struct RankShares {
  std::vector<std::uint64_t> users;
  std::vector<std::uint64_t> items;
};

/// One side of the training data: its rows, and the order in which they are dealt to threads.
template <Real Scalar>
struct SideData {
  AlsSide side;
  RowsRef rows;
  std::unique_ptr<Scalar[]> strengths;  // g of each interaction; null where it is cheap to compute or rows are not in memory
  std::vector<Index> order;             // the rows of each block, longest first, so that no thread is left alone with a long row at the end
  std::size_t parts;                    // of all rows that have more than one (linalg/row_cost.hpp)
  std::vector<std::size_t> pieces;      // places of `order` where what is dealt to a thread begins, never across blocks; then the end
};

/// Orders the rows of one side. O(nnz / threads + rows).
template <Real Scalar>
[[nodiscard]] SideData<Scalar> prepare_side(const AlsWeights& weights, AlsSide side, const RowsRef& rows, const ParallelOptions& parallel) {
  SideData<Scalar> data{.side = side, .rows = rows, .strengths = {}, .order = {}, .parts = 0, .pieces = {}};
  if (weights.strength_is_costly() && rows.in_memory()) {
    const auto count = static_cast<std::size_t>(rows.nnz());
    data.strengths.reset(new Scalar[count]);  // not cleared: that is one thread's work
    wish_for_huge_pages(data.strengths.get(), count * sizeof(Scalar));
    const bool calls_user = weights.settings().curve == Confidence::custom;  // whose function need not bear several threads
    for_each_piece(rows, 256, calls_user ? ParallelOptions{.threads = 1} : parallel,
                   [&](const RowBlock& block, Index first, Index last, std::size_t) {
                     for (Index r = first - block.first; r < last - block.first; ++r)
                       weights.put_strengths(side, block.rows.row(r), data.strengths.get() + block.rows.row_begin(r));
                   });
  }
  data.order.resize(static_cast<std::size_t>(rows.rows()));
  std::vector<std::size_t> next;
  RowDealing dealing(weights.settings().factors);
  rows.for_each_block([&](const RowBlock& block) {
    // Longest first, ties by the row: a counting sort.
    std::size_t longest = 0;
    for (Index r = 0; r < block.rows.rows(); ++r) longest = (std::max)(longest, block.rows.row(r).size());
    next.assign(longest + 2, static_cast<std::size_t>(0));  // next[l]: place of the next row of length longest - l
    next[0] = static_cast<std::size_t>(block.first);
    for (Index r = 0; r < block.rows.rows(); ++r) ++next[longest - block.rows.row(r).size() + 1];
    for (std::size_t l = 1; l < next.size(); ++l) next[l] += next[l - 1];
    for (Index r = 0; r < block.rows.rows(); ++r) data.order[next[longest - block.rows.row(r).size()]++] = block.first + r;

    const auto first = static_cast<std::size_t>(block.first), last = first + static_cast<std::size_t>(block.rows.rows());
    dealing.end_piece();
    if (!data.pieces.empty()) data.pieces.pop_back();
    for (std::size_t at = first; at < last; ++at) {
      const std::size_t n = block.rows.row(data.order[at] - block.first).size();
      if (row_parts(n) > 1) data.parts += row_parts(n);
      if (dealing.begins(n)) data.pieces.push_back(at);
    }
    data.pieces.push_back(last);
  });
  return data;
}

/// g of each interaction of row `row` of `block`: kept since the start, made here in `made`, or empty where it is cheap.
template <Real Scalar>
[[nodiscard]] std::span<const Scalar> strengths_of(const SideData<Scalar>& data, const AlsWeights& weights, const RowBlock& block,
                                                   Index row, std::vector<Scalar>& made) {
  const SparseRow interactions = block.rows.row(row - block.first);
  if (data.strengths) return {data.strengths.get() + block.rows.row_begin(row - block.first), interactions.size()};
  made.resize(weights.strength_is_costly() ? interactions.size() : 0);
  if (!made.empty()) weights.put_strengths(data.side, interactions, made.data());
  return made;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
