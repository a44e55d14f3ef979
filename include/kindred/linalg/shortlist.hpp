// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/top_k_request.hpp>
#include <kindred/simd/score_block.hpp>
#include <kindred/simd/score_kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Finds the rows of a few blocks that may be among the best for a query, by codes alone: a workspace of one thread.
///
/// The codes of the blocks have one step, so that sums of products compare. A sum is off by a bounded amount; so the sums say what the `rank` best rows reach
/// at least, and every row whose sum is too low for that is out. Rows that a list leaves out are barred before.
class Shortlist {
 public:
  /// Some blocks of an index.
  struct Blocks {
    const CodeKernels* kernels = nullptr;
    const std::uint8_t* codes = nullptr;  ///< Of the first block.
    std::size_t groups = 0;
    std::span<const Index> order = {};  ///< Of all rows of the index.
    std::span<const Index> place = {};  ///< In `order`, of each row.
    std::size_t first_row = 0;          ///< In `order`.
    std::size_t n_blocks = 0;           ///< At most blocks_of_piece.
  };

  /// A query.
  struct Asked {
    const TopKRequest* request = nullptr;
    const std::int8_t* codes = nullptr;
    const std::int32_t* start = nullptr;  ///< For each block, as in CodeScan.
    const std::int32_t* slack = nullptr;  ///< For each block: how much sums may be too large.
    std::size_t rank = 0;                 ///< Of the worst row that is listed.
    double floor = 0.0;                   ///< Rows whose sums are lower are out.
    std::uint64_t* found = nullptr;       ///< Out, as in CodeScan.
    std::optional<std::int32_t> sure =
        std::nullopt;  ///< Out: what the sums of `rank` rows are at least, less what they may be too large by.
  };

  /// Fastest where all of `asked` share counts and allowed rows. Offsets of requests are not looked at.
  void find(const Blocks& blocks, std::span<Asked> asked) {
    const std::size_t n_rows = blocks.n_blocks * score_block;
    sums_.resize((std::max)(sums_.size(), (std::min)(together, asked.size()) * n_rows));
    const TopKRequest* noted = nullptr;
    for (std::size_t first = 0; first < asked.size(); first += together) {
      const std::span<Asked> some = asked.subspan(first, (std::min)(together, asked.size() - first));
      for (std::size_t n = 0; n < some.size(); ++n) {
        codes_[n] = some[n].codes;
        start_[n] = some[n].start;
        rows_[n] = sums_.data() + n * n_rows;
      }
      blocks.kernels->scan({.items = blocks.codes,
                            .users = codes_.data(),
                            .start = start_.data(),
                            .sums = rows_.data(),
                            .n_users = some.size(),
                            .groups = blocks.groups,
                            .n_blocks = blocks.n_blocks});
      for (std::size_t n = 0; n < some.size(); ++n) {
        const TopKRequest& request = *some[n].request;
        if (noted == nullptr || !share_filters(*noted, request)) note_filtered(blocks, request);
        noted = &request;
        bar(blocks, request, rows_[n]);
        raise(blocks, some[n], rows_[n]);
      }
    }
  }

  /// How many blocks to search by codes alone: few for a few queries, which share little of the work.
  [[nodiscard]] static constexpr std::size_t blocks_for(std::size_t n_queries) noexcept {
    return n_queries < together / 2 ? 4 : blocks_of_piece;
  }

 private:
  static constexpr std::size_t together = 16;         // queries whose sums stay in the cache
  static constexpr std::int32_t barred = -(1 << 30);  // below all sums: 127 * 127 * 32,768 factors < 2^29

  [[nodiscard]] static bool share_filters(const TopKRequest& a, const TopKRequest& b) noexcept {
    const auto same = [](std::span<const Index> left, std::span<const Index> right) {
      return left.data() == right.data() && left.size() == right.size();
    };
    return same(a.counts, b.counts) && a.allow.has_value() == b.allow.has_value() && (!a.allow || same(*a.allow, *b.allow));
  }

  /// Finds the rows that counts and allowed rows leave out.
  void note_filtered(const Blocks& blocks, const TopKRequest& request) {
    filtered_.clear();
    if (request.counts.empty() && !request.allow) return;
    const TopKRequest filters{.allow = request.allow, .counts = request.counts};
    const std::size_t end = (std::min)(blocks.first_row + blocks.n_blocks * score_block, blocks.order.size());
    for (std::size_t at = blocks.first_row; at < end; ++at)
      if (!is_eligible(filters, blocks.order[at])) filtered_.push_back(at - blocks.first_row);
  }

  /// Takes the rows that a list leaves out from its sums.
  void bar(const Blocks& blocks, const TopKRequest& request, std::int32_t* sums) const {
    const std::size_t n_rows = blocks.n_blocks * score_block;
    const auto leave_out = [&](Index row) {
      const std::size_t at = static_cast<std::size_t>(blocks.place[static_cast<std::size_t>(row)]) - blocks.first_row;  // or far beyond
      if (at < n_rows) sums[at] = barred;
    };
    for (const Index row : request.exclude) leave_out(row);
    if (request.without >= 0) leave_out(request.without);
    for (const std::size_t at : filtered_) sums[at] = barred;
    for (std::size_t at = blocks.order.size() - blocks.first_row; at < n_rows; ++at) sums[at] = barred;
  }

  void raise(const Blocks& blocks, Asked& asked, const std::int32_t* sums) {
    const auto floor = static_cast<std::int32_t>((std::clamp)(asked.floor, 0.5 * barred, -0.5 * barred));
    const std::int32_t least = blocks.kernels->raise(sums, asked.slack, blocks.n_blocks, asked.rank, floor, asked.found);
    if (least > floor) asked.sure = least;
  }

  AlignedVector<std::int32_t> sums_;
  std::vector<std::size_t> filtered_;  // rows of the blocks
  std::array<const std::int8_t*, together> codes_{};
  std::array<const std::int32_t*, together> start_{};
  std::array<std::int32_t*, together> rows_{};
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
