// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0 {

namespace detail {

/// A block of rows as a matrix of the whole shape, for calls that know users by their indices: only the rows of the block may be asked for.
class BlockAsMatrix {
 public:
  explicit BlockAsMatrix(MatrixShape shape) : shape_(shape) {}

  /// Valid until the next call.
  [[nodiscard]] CsrView operator()(const RowBlock& block) {
    if (block.rows.shape() == shape_) return block.rows;
    offsets_.resize(static_cast<std::size_t>(shape_.users) + 1);
    offsets_.front() = 0;
    const Offset base = block.rows.offsets().front();
    std::transform(block.rows.offsets().begin(), block.rows.offsets().end(), offsets_.begin() + block.first,
                   [base](Offset offset) { return offset - base; });
    return {unchecked, shape_, offsets_, block.rows.columns(), block.rows.values()};
  }

 private:
  MatrixShape shape_;
  std::vector<Offset> offsets_;
};

}  // namespace detail

/// The lists of all users to `sink`, in their order, each without what its user has in `seen`, which need not fit into memory. What `options.exclude` says is
/// not looked at. Beside the model, memory for a block, 8 bytes a user and the lists of some thousand users.
/// @throws as the model's recommend_all does; ShapeError if `seen` is of another shape than the model; what `sink` and `seen` throw.
template <detail::BatchRecommenderModel Model, detail::RowSource Source>
void recommend_all(const Model& model, const Source& seen, RecommendAllOptions options, const detail::ListSink& sink) {
  const detail::RowsRef rows(seen);
  detail::check_shape("seen", rows.shape(), "the model", model.shape());
  detail::BlockAsMatrix as_matrix(rows.shape());
  std::vector<Index> users;
  rows.for_each_block([&](const RowBlock& block) {
    constexpr Index at_once = 4096;
    options.exclude = as_matrix(block);
    const Index end = block.first + block.rows.rows();
    for (Index first = block.first; first < end;) {
      users.clear();
      for (; first < end && users.size() < static_cast<std::size_t>(at_once); ++first) users.push_back(first);
      const RankedLists lists = detail::checked_lists(model.recommend_all(std::span<const Index>(users), options), users.size());
      for (std::size_t n = 0; n < users.size(); ++n) sink(users[n], lists.row(n), lists.source(n));
    }
  });
}

}  // namespace kindred::inline v0
