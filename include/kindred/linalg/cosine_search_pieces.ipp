// SPDX-License-Identifier: MIT
#pragma once

// The bodies of linalg/cosine_search.hpp that search some blocks at a time.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/cosine_search.hpp>
#include <kindred/linalg/shortlist.hpp>
#include <kindred/simd/score_block.hpp>
#include <kindred/simd/score_kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Products of the directions with the centres of a panel.
template <Real Scalar>
void CosineSearch<Scalar>::multiply_centres(std::size_t panel) {
  if (multiplied_ == panel) return;
  const std::size_t first = panel * score_block, blocks = (index_.order_.size() + score_block - 1) / score_block;
  index_.centre_kernels_->score(pointers_.data(), pointers_.size(), index_.centres_.data() + first * index_.factors_,
                                (std::min)(score_block, blocks - first), index_.factors_, products_.data());
  multiplied_ = panel;
}

/// Prepares the search by codes alone of the blocks that an active query stands in, which start at `first`.
template <Real Scalar>
void CosineSearch<Scalar>::ask(std::size_t at, std::size_t first, std::size_t length) {
  Query& query = queries_[active_[at]];
  const float* const products = products_.data() + at * score_block + first % score_block;
  std::int32_t* const start = start_.data() + at * blocks_of_piece;
  std::int32_t* const slack = slack_.data() + at * blocks_of_piece;
  const double unit = unit_of(query, first), nearest = static_cast<double>(*std::max_element(products, products + length));
  const auto limits = [&](double level, std::int32_t* to) {
    index_.code_kernels_->limits(units_.data(), index_.rest_.data() + first, index_.norm_.data() + first, level, query.spread,
                                 query.distance, most_sum(index_.groups_), query.offset, to, length);
  };
  for (std::size_t b = 0; b < length; ++b) units_[b] = unit * (nearest - static_cast<double>(products[b]));
  limits(0.0, slack);
  limits(1.0, start);
  // A sum may be too small by what it starts from for a cosine like that of the nearest centre, and too large by as much. It says nothing where it was cut.
  constexpr double nothing = 1 << 30;
  const double rounding = 2.0 * error_ * unit;
  for (std::size_t b = 0; b < length; ++b) {
    const bool is_cut = start[b] <= query.offset + 2 - static_cast<std::int32_t>(most_sum(index_.groups_));
    slack[b] = static_cast<std::int32_t>(is_cut ? nothing : (std::min)(nothing, 2.0 * (slack[b] - query.offset) + rounding + 1.0));
  }
  asked_.push_back({.request = query.request,
                    .codes = codes_.data() + at * index_.groups_ * 4,
                    .start = start,
                    .slack = slack,
                    .rank = query.request->count,
                    .floor = (least_of(query) - nearest) * unit,
                    .found = found_.data() + members_.size() * blocks_of_piece});
  members_.push_back(static_cast<std::uint32_t>(at));
  nearest_.push_back(nearest);
  query.first_filled = first;
  query.filled = length;
}

/// Fills lists from the blocks around those that the queries stand in, by codes alone.
template <Real Scalar>
void CosineSearch<Scalar>::search_near_pieces() {
  const std::size_t blocks = (index_.order_.size() + score_block - 1) / score_block;
  const std::size_t most = Shortlist::blocks_for(active_.size()), rows = most * score_block;
  for (std::size_t at = 0; at < active_.size();) {
    const std::size_t piece = index_.place(queries_[active_[at]].row) / rows, first = piece * most;
    const std::size_t length = (std::min)(most, blocks - first);
    multiply_centres(first / score_block);
    members_.clear();
    asked_.clear();
    nearest_.clear();
    for (; at < active_.size() && index_.place(queries_[active_[at]].row) / rows == piece; ++at) ask(at, first, length);
    shortlist_.find({.kernels = index_.code_kernels_,
                     .codes = index_.codes_.data() + first * index_.groups_ * score_block * 4,
                     .groups = index_.groups_,
                     .order = index_.order_,
                     .place = index_.place_,
                     .first_row = first * score_block,
                     .n_blocks = length},
                    asked_);
    for (std::size_t n = 0; n < members_.size(); ++n) {
      Query& query = queries_[active_[members_[n]]];
      if (asked_[n].sure) query.sure = nearest_[n] + (*asked_[n].sure - 1) / unit_of(query, first);
    }
    counters_.codes += members_.size() * length * score_block;
    take_found(first, length);
  }
}

/// The blocks of a panel that hold cosines of this level, by their centres.
template <Real Scalar>
std::uint64_t CosineSearch<Scalar>::reached_blocks(std::size_t at, std::size_t panel, double level) const noexcept {
  return index_.code_kernels_->at_least(products_.data() + at * score_block, index_.reach_.data() + panel * score_block,
                                        static_cast<float>(level));
}

/// Finds the rows of some blocks whose codes may be those of a row in the list, for the active ones whose lists these blocks may enter.
template <Real Scalar>
void CosineSearch<Scalar>::scan(std::size_t first, std::size_t length) {
  const std::size_t panel = first / score_block, shift = first % score_block;
  const std::uint64_t all = (std::uint64_t{1} << length) - 1;
  members_.clear();
  scan_codes_.clear();
  scan_start_.clear();
  scan_found_.clear();
  for (std::size_t at = 0; at < active_.size(); ++at) {
    if ((reached_[at] >> shift & all) == 0) continue;
    const double level = least_of(queries_[active_[at]]);  // higher than it was when reached_ was found
    const std::uint64_t reached = (reached_[at] & reached_blocks(at, panel, level)) >> shift & all;
    if (reached == 0) continue;
    const Query& query = queries_[active_[at]];
    const float* const products = products_.data() + at * score_block;
    std::int32_t* const start = start_.data() + members_.size() * blocks_of_piece;
    const double unit = unit_of(query, first);
    for (std::size_t b = 0; b < length; ++b) units_[b] = unit * (level - static_cast<double>(products[shift + b]));
    index_.code_kernels_->limits(units_.data(), index_.rest_.data() + first, index_.norm_.data() + first, 1.0, query.spread, query.distance,
                                 most_sum(index_.groups_), query.offset, start, length);
    for (std::size_t b = 0; b < length; ++b)
      if ((reached >> b & 1) == 0) start[b] = CodeScan::no_item;
    scan_codes_.push_back(codes_.data() + at * index_.groups_ * 4);
    scan_start_.push_back(start);
    scan_found_.push_back(found_.data() + members_.size() * blocks_of_piece);
    members_.push_back(static_cast<std::uint32_t>(at));
    counters_.codes += static_cast<std::size_t>(std::popcount(reached)) * score_block;
  }
  index_.code_kernels_->scan({.items = index_.codes_.data() + first * index_.groups_ * score_block * 4,
                              .users = scan_codes_.data(),
                              .start = scan_start_.data(),
                              .found = scan_found_.data(),
                              .n_users = members_.size(),
                              .groups = index_.groups_,
                              .n_blocks = length});
}

/// Scores what was found, or lets it wait.
template <Real Scalar>
void CosineSearch<Scalar>::take_found(std::size_t first, std::size_t length) {
  // Where many rows of a block are found for many queries, it is laid out once for all.
  for (std::size_t b = 0; b < length; ++b) {
    std::size_t found = 0;
    together_.clear();
    for (std::size_t n = 0; n < members_.size(); ++n) {
      const std::uint64_t bits = found_[n * blocks_of_piece + b];
      if (bits == 0) continue;
      found += static_cast<std::size_t>(std::popcount(bits));
      together_.push_back(members_[n]);
    }
    if (found < score_block + together_.size() * score_block / 8) continue;
    fill(first + b, together_);
    for (std::size_t n = 0; n < members_.size(); ++n) found_[n * blocks_of_piece + b] = 0;
  }
  for (std::size_t n = 0; n < members_.size(); ++n) {
    Query& query = queries_[active_[members_[n]]];
    for (std::size_t b = 0; b < length; ++b) {
      for (std::uint64_t bits = found_[n * blocks_of_piece + b]; bits != 0; bits &= bits - 1) {
        const std::size_t at = (first + b) * score_block + static_cast<std::size_t>(std::countr_zero(bits));
        if (at < index_.order_.size()) add_pending(query, {&index_.order_[at], 1});
      }
    }
    if (query.pending.size() >= enough || (!query.best.full() && !query.pending.empty())) score_pending(active_[members_[n]]);
  }
  few_.finish(to_lists());
}

/// The pieces of a panel that are scanned at a time, those first whose centres are near to the active ones.
template <Real Scalar>
auto CosineSearch<Scalar>::pieces_by_nearness(std::size_t panel) const -> std::array<std::size_t, pieces_of_panel> {
  const float* const nearness = products_.data() + active_.size() * score_block;
  std::array<float, pieces_of_panel> most{};
  std::array<std::size_t, pieces_of_panel> order{};
  for (std::size_t piece = 0; piece < pieces_of_panel; ++piece) {
    order[piece] = piece;
    most[piece] = *std::max_element(nearness + piece * scanned, nearness + (piece + 1) * scanned);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return most[a] > most[b] || (most[a] == most[b] && a < b); });
  for (std::size_t& piece : order) piece += panel * pieces_of_panel;
  return order;
}

template <Real Scalar>
void CosineSearch<Scalar>::search_panel(std::size_t panel) {
  multiply_centres(panel);
  for (std::size_t at = 0; at < active_.size(); ++at) {
    const Query& query = queries_[active_[at]];
    reached_[at] = reached_blocks(at, panel, least_of(query));
    if (query.first_filled / score_block == panel)
      reached_[at] &= ~(((std::uint64_t{1} << query.filled) - 1) << query.first_filled % score_block);
  }
  const std::size_t blocks = (index_.order_.size() + score_block - 1) / score_block;
  for (const std::size_t piece : pieces_by_nearness(panel)) {
    const std::size_t first = piece * scanned;
    if (first >= blocks) continue;
    const std::size_t length = (std::min)(scanned, blocks - first);
    scan(first, length);
    take_found(first, length);
  }
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
