// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/rounding.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/shared_panel.hpp>
#include <kindred/linalg/shortlist.hpp>
#include <kindred/linalg/tile_offsets.hpp>
#include <kindred/linalg/top_k.hpp>
#include <kindred/linalg/top_k_request.hpp>
#include <kindred/simd/score_block.hpp>
#include <kindred/simd/score_kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Finds lists in a TopKIndex, for a tile of queries at a time: the workspace of one thread.
template <Real Scalar>
class TopKSearch {
 public:
  /// Queries that best share a block while it is in the cache.
  static constexpr std::size_t tile = 128;

  /// `rows`: what the index was built from. Both must outlive this object.
  TopKSearch(const TopKIndex<Scalar>& index, const FactorMatrix<Scalar>& rows)
      : index_(index), rows_(rows), few_(index.kernels_, rows), panel_(index.factors_ * score_block) {}

  /// The best rows for each query, min(count, eligible) of them, best first, ties by the lower row. queries[n] (padded with zeros to 64 bytes like a
  /// row of FactorMatrix) and requests[n] belong together. Equal to scoring every row, to the bit; a score that is not a number is never listed.
  /// Offsets of a request are added to its inner products, in their order; they know the blocks of this index (RowOffsets).
  [[nodiscard]] std::vector<std::vector<Scored>> find(std::span<const Scalar* const> queries, std::span<const TopKRequest> requests);

  /// The scores of single rows, in the order of `rows`.
  [[nodiscard]] std::vector<Scored> score(const Scalar* query, std::span<const Index> rows);

  [[nodiscard]] const TopKCounters& counters() const noexcept { return counters_; }

 private:
  static constexpr std::size_t most_blocks = blocks_of_piece;

  struct Query {
    const Scalar* factors;
    const TopKRequest* request;
    BestOf best;
    bool prunable = false;
    double reach = 0.0;               // length in scaled coordinates, with a margin for the rounding of scores
    double inverse = 0.0;             // 1 / step of its codes
    double spread = 0.0;              // length of its codes
    double distance = 0.0;            // length of what codes leave out, and what a score may be off by, over the step
    std::int32_t offset = 0;          // what the offset of the row codes adds, negative
    std::vector<double> bounds = {};  // of scores with offsets: in most_blocks blocks and all after them
    double sure = -(std::numeric_limits<double>::infinity)();  // a score that the list is known to reach

    [[nodiscard]] double threshold() const noexcept { return (std::max)((std::max)(best.threshold(), sure), request->min_score); }
  };

  void prepare(Query& query, std::int8_t* codes);
  void add_raised(Query& query);
  [[nodiscard]] bool answered_without_scan(Query& query);
  [[nodiscard]] std::size_t search_first_blocks();
  void fill(std::size_t block);
  void start_scan(std::size_t block, std::size_t length);
  void finish_scan(std::size_t block, std::size_t length);
  void take(std::size_t query, std::span<const Index> rows, const Scalar* scores);
  [[nodiscard]] auto to_lists() noexcept {
    return [this](std::size_t n, std::span<const Index> rows, const Scalar* scores) { take(n, rows, scores); };
  }
  /// Scores pending_, eligible rows, for a query: now, or with those of other queries.
  void score_pending(std::size_t query) { few_.add(query, queries_[query].factors, pending_, counters_, to_lists()); }
  void bound_scores(Query& query);
  /// True if no row of `block` or of the blocks after it can enter the list of `query`.
  [[nodiscard]] bool is_done(const Query& query, std::size_t block) const noexcept {
    if (!query.prunable) return false;
    const double level = query.threshold();
    if (query.bounds.empty()) return query.reach * index_.tail_[block] < level;
    return query.bounds[block / most_blocks] < level - offset_margin(level);
  }

  const TopKIndex<Scalar>& index_;
  const FactorMatrix<Scalar>& rows_;
  std::vector<Query> queries_;
  std::vector<std::size_t> active_;     // queries that the next block may still change
  std::vector<const Scalar*> factors_;  // of the active ones
  std::vector<Index> pending_;          // rows to score
  SharedPanel<Scalar> few_;             // of pending ones
  AlignedVector<Scalar> panel_, scores_;
  AlignedVector<std::int8_t> codes_;
  std::vector<double> scaled_, units_;
  TileOffsets offsets_;
  std::vector<std::int32_t> start_, slack_;
  std::vector<std::uint64_t> found_;
  std::vector<const std::int8_t*> scan_codes_;
  std::vector<const std::int32_t*> scan_start_;
  std::vector<std::uint64_t*> scan_found_;
  Shortlist shortlist_;
  std::vector<Shortlist::Asked> asked_;
  TopKCounters counters_;
};

template <Real Scalar>
void TopKSearch<Scalar>::prepare(Query& query, std::int8_t* codes) {
  const std::size_t k = index_.factors_;
  scaled_.resize(k);
  const auto [sum, largest] = index_.kernels_->widen(query.factors, index_.scale_.data(), k, scaled_.data());
  // A score of k products is off by at most k u / (1 - k u) of |x| |y|, u half an epsilon (Higham 2002, section 3.1); this is twice as much and covers
  // underflow too: rows count as at least 1e-20 long, and for queries below 1e-10 nothing is pruned (1e-150 and 1e-100 in double).
  constexpr double margin = 1.0 + 1e-9;  // for the rounding of the norms themselves
  constexpr double least = sizeof(Scalar) == 4 ? 1e-10 : 1e-100;
  const double rounding = static_cast<double>(k + 1) * static_cast<double>(std::numeric_limits<Scalar>::epsilon());
  const double length = std::sqrt(sum) * margin;
  query.reach = length * (1.0 + rounding);
  // Where a product might overflow everything is scored too.
  query.prunable = length > least && length * index_.longest_ < 0.25 * static_cast<double>((std::numeric_limits<Scalar>::max)());
  if (!query.prunable) return;

  const double step = largest / 127.0;
  query.inverse = 1.0 / step;
  const EncodedQuery encoded = index_.code_kernels_->encode(scaled_.data(), query.inverse, step, k, codes);
  query.spread = std::sqrt(encoded.squares) * margin;
  query.distance = (std::sqrt(encoded.rest) + rounding * length) * margin * query.inverse;
  query.offset = -index_.code_kernels_->offset * encoded.total;
}

/// With offsets the blocks do not fall in what they can reach.
template <Real Scalar>
void TopKSearch<Scalar>::bound_scores(Query& query) {
  if (!query.prunable || query.request->offsets.empty()) return;
  const std::span<const double> most = offsets_.most(query.request->offsets);
  const std::size_t blocks = index_.unit_.size();
  query.bounds.resize((blocks + most_blocks - 1) / most_blocks);
  double largest = -(std::numeric_limits<double>::infinity)();
  const double reach = query.reach + offset_margin(query.reach);
  for (std::size_t piece = query.bounds.size(); piece-- > 0;) {
    for (std::size_t b = piece * most_blocks; b < (std::min)(blocks, (piece + 1) * most_blocks); ++b)
      largest = (std::max)(largest, reach * index_.reach_[b] + most[b]);
    query.bounds[piece] = largest;
  }
}

/// Scores the raised rows of a request. First of all, so that the others have more to beat.
template <Real Scalar>
void TopKSearch<Scalar>::add_raised(Query& query) {
  const TopKRequest& request = *query.request;
  scores_.resize((std::max)(scores_.size(), score_block));
  for (std::size_t first = 0; first < request.raised.size(); first += score_block) {
    const std::size_t count = (std::min)(score_block, request.raised.size() - first);
    index_.kernels_->pack(rows_.data(), rows_.stride(), request.raised.data() + first, count, index_.factors_, panel_.data());
    index_.kernels_->score(&query.factors, 1, panel_.data(), count, index_.factors_, scores_.data());
    for (std::size_t n = 0; n < count; ++n) {
      const Index row = request.raised[first + n];
      const double raise = static_cast<double>(request.raise_weight) * static_cast<double>(request.raises[first + n]);
      const Scored candidate{row, with_offsets(query.request->offsets, row, static_cast<double>(scores_[n])) + raise};
      if (candidate.score >= request.min_score && query.best.would_enter(candidate)) query.best.add(candidate);
    }
  }
}

/// Short lists of allowed rows are cheaper to score one by one, and a query of zeros has no need of scores.
template <Real Scalar>
bool TopKSearch<Scalar>::answered_without_scan(Query& query) {
  const TopKRequest& request = *query.request;
  const std::size_t n_rows = index_.order_.size();
  if (request.count == 0 || n_rows == 0) return true;
  if (request.allow && request.allow->size() < n_rows / 8) {
    pending_.clear();
    for (const Index row : *request.allow)
      if (is_eligible(request, row)) pending_.push_back(row);
    score_pending(static_cast<std::size_t>(&query - queries_.data()));
    few_.finish(to_lists());
    return true;
  }
  if (!request.offsets.empty()) return false;
  if (!std::all_of(query.factors, query.factors + index_.factors_, [](Scalar x) { return x == Scalar(0); })) return false;
  if (0.0 >= request.min_score)
    for (Index row = 0; row < static_cast<Index>(n_rows) && query.best.would_enter({row, 0.0}); ++row)
      if (is_eligible(request, row)) query.best.add({row, 0.0});
  return true;
}

/// Offers rows that were scored to the list of a query.
template <Real Scalar>
void TopKSearch<Scalar>::take(std::size_t n, std::span<const Index> rows, const Scalar* scores) {
  Query& query = queries_[n];
  double threshold = query.threshold();
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const Scored candidate{rows[at], with_offsets(query.request->offsets, rows[at], static_cast<double>(scores[at]))};
    if (!(candidate.score >= threshold) || !query.best.would_enter(candidate)) continue;
    query.best.add(candidate);
    threshold = query.threshold();
  }
}

/// Scores a whole block for all active queries.
template <Real Scalar>
void TopKSearch<Scalar>::fill(std::size_t block) {
  const std::size_t first = block * score_block, count = (std::min)(score_block, index_.order_.size() - first);
  const Index* const rows = index_.order_.data() + first;
  scores_.resize((std::max)(scores_.size(), factors_.size() * score_block));
  index_.kernels_->pack(rows_.data(), rows_.stride(), rows, count, index_.factors_, panel_.data());
  index_.kernels_->score(factors_.data(), factors_.size(), panel_.data(), count, index_.factors_, scores_.data());
  counters_.packed += count;
  counters_.scores += count * active_.size();
  for (std::size_t at = 0; at < active_.size(); ++at) {
    Query& query = queries_[active_[at]];
    const Scalar* const scores = scores_.data() + at * score_block;
    double threshold = query.threshold();
    const auto look_at = [&](std::size_t n) {
      const Scored candidate{rows[n], with_offsets(query.request->offsets, rows[n], static_cast<double>(scores[n]))};
      if (!(candidate.score >= threshold) || !query.best.would_enter(candidate) || !is_eligible(*query.request, rows[n])) return;
      query.best.add(candidate);
      threshold = query.threshold();
    };
    for (std::size_t n = 0; n < count; ++n) look_at(n);
  }
}

/// Searches the first blocks by codes alone, where lists are empty. Returns how many.
template <Real Scalar>
std::size_t TopKSearch<Scalar>::search_first_blocks() {
  const std::size_t length = (std::min)(index_.unit_.size(), Shortlist::blocks_for(active_.size()));
  slack_.resize(active_.size() * most_blocks);
  asked_.clear();
  for (std::size_t at = 0; at < active_.size(); ++at) {
    const Query& query = queries_[active_[at]];
    std::int32_t* const start = start_.data() + at * most_blocks;
    std::int32_t* const slack = slack_.data() + at * most_blocks;
    index_.code_kernels_->limits(index_.unit_.data(), index_.rest_.data(), index_.norm_.data(), 0.0, query.spread, query.distance,
                                 most_sum(index_.groups_), query.offset, start, length);
    // A sum starts from what it may be too small by; it may be too large by as much.
    for (std::size_t b = 0; b < length; ++b) slack[b] = 2 * (start[b] - query.offset);
    asked_.push_back({.request = query.request,
                      .codes = codes_.data() + active_[at] * index_.groups_ * 4,
                      .start = start,
                      .slack = slack,
                      .rank = query.request->count,
                      .floor = query.threshold() * index_.unit_[0] * query.inverse,
                      .found = found_.data() + at * most_blocks});
  }
  shortlist_.find({.kernels = index_.code_kernels_,
                   .codes = index_.codes_.data(),
                   .groups = index_.groups_,
                   .order = index_.order_,
                   .place = index_.place_,
                   .n_blocks = length},
                  asked_);
  counters_.codes += active_.size() * length * score_block;
  for (std::size_t at = 0; at < active_.size(); ++at) {
    Query& query = queries_[active_[at]];
    if (asked_[at].sure) query.sure = (*asked_[at].sure - 1) / (index_.unit_[0] * query.inverse);
  }
  finish_scan(0, length);
  return length;
}

/// Marks in found_ which rows of `length` blocks may enter the list of each active query.
template <Real Scalar>
void TopKSearch<Scalar>::start_scan(std::size_t block, std::size_t length) {
  const double bound = most_sum(index_.groups_);
  scan_codes_.clear();
  scan_start_.clear();
  scan_found_.clear();
  offsets_.start_scan(block, active_.size());
  for (std::size_t at = 0; at < active_.size(); ++at) {
    const Query& query = queries_[active_[at]];
    std::int32_t* const start = start_.data() + at * most_blocks;
    const double* units = index_.unit_.data() + block;
    double level = query.threshold();
    if (!query.prunable) {  // every row is found
      std::fill_n(start, length, query.offset + static_cast<std::int32_t>(bound));
    } else {
      if (!query.request->offsets.empty()) {
        level -= offset_margin(level);
        for (std::size_t b = 0; b < length; ++b) units_[b] = units[b] * (level - offsets_.most_of(query.request->offsets, block + b));
        units = units_.data();
        level = 1.0;
      }
      index_.code_kernels_->limits(units, index_.rest_.data() + block, index_.norm_.data() + block, level * query.inverse, query.spread,
                                   query.distance, bound, query.offset, start, length);
      if (!query.request->offsets.empty())
        offsets_.tell_apart(at, query.request->offsets, index_.unit_.data() + block, query.inverse, start,
                            query.offset + 2 + static_cast<std::int32_t>(bound), length);
    }
    scan_codes_.push_back(codes_.data() + active_[at] * index_.groups_ * 4);
    scan_start_.push_back(start);
    scan_found_.push_back(found_.data() + at * most_blocks);
  }
  CodeScan scan{.items = index_.codes_.data() + block * index_.groups_ * score_block * 4,
                .users = scan_codes_.data(),
                .start = scan_start_.data(),
                .found = scan_found_.data(),
                .n_users = active_.size(),
                .groups = index_.groups_,
                .n_blocks = length};
  offsets_.put_into(scan);
  index_.code_kernels_->scan(scan);
  counters_.codes += active_.size() * length * score_block;
}

/// Scores what start_scan found and the filters leave.
template <Real Scalar>
void TopKSearch<Scalar>::finish_scan(std::size_t block, std::size_t length) {
  // Where codes tell little apart (all rows alike, all of one length), most of a block is found for most queries: then it is packed once for all.
  for (std::size_t b = 0; b < length && active_.size() > 1; ++b) {
    std::size_t found = 0;
    for (std::size_t at = 0; at < active_.size(); ++at) found += static_cast<std::size_t>(std::popcount(found_[at * most_blocks + b]));
    if (found < active_.size() * score_block / 4) continue;
    factors_.clear();
    for (const std::size_t n : active_) factors_.push_back(queries_[n].factors);
    fill(block + b);
    for (std::size_t at = 0; at < active_.size(); ++at) found_[at * most_blocks + b] = 0;
  }
  for (std::size_t at = 0; at < active_.size(); ++at) {
    const Query& query = queries_[active_[at]];
    pending_.clear();
    for (std::size_t b = 0; b < length; ++b) {
      for (std::uint64_t found = found_[at * most_blocks + b]; found != 0; found &= found - 1) {
        const std::size_t position = (block + b) * score_block + static_cast<std::size_t>(std::countr_zero(found));
        if (position >= index_.order_.size()) break;
        const Index row = index_.order_[position];
        if (is_eligible(*query.request, row)) pending_.push_back(row);
      }
    }
    score_pending(active_[at]);
  }
  few_.finish(to_lists());
}

template <Real Scalar>
std::vector<std::vector<Scored>> TopKSearch<Scalar>::find(std::span<const Scalar* const> queries, std::span<const TopKRequest> requests) {
  const RoundToNearest rounding;  // as in TopKIndex
  const std::size_t n_rows = index_.order_.size(), blocks = index_.unit_.size(), code_length = index_.groups_ * 4;
  queries_.clear();
  active_.clear();
  factors_.clear();
  codes_.assign(queries.size() * code_length, 0);
  offsets_.start(blocks, most_blocks);
  std::size_t longest_list = 0;
  for (std::size_t n = 0; n < queries.size(); ++n) {
    Query& query = queries_.emplace_back(Query{queries[n], &requests[n], BestOf((std::min)(requests[n].count, n_rows))});
    if (!query.request->raised.empty()) add_raised(query);
    if (answered_without_scan(query)) continue;
    prepare(query, codes_.data() + n * code_length);
    bound_scores(query);
    offsets_.add(query.request->offsets);
    counters_.rows += n_rows;
    active_.push_back(n);
    factors_.push_back(query.factors);
    if (!is_finite(requests[n].min_score)) longest_list = (std::max)(longest_list, (std::min)(requests[n].count, n_rows));
  }

  units_.resize(most_blocks);
  start_.resize(active_.size() * most_blocks);
  found_.resize(active_.size() * most_blocks);
  std::size_t block = 0, length = 2;
  if (std::all_of(active_.begin(), active_.end(), [&](std::size_t n) { return queries_[n].prunable && requests[n].offsets.empty(); })) {
    if (!active_.empty()) block = search_first_blocks();
    length = (std::max)(length, block);
  } else {  // the first blocks fill lists without a least score
    for (const std::size_t end = (std::min)(blocks, (longest_list + longest_list / 4) / score_block + 1); block < end; ++block) fill(block);
  }
  // Then more and more blocks between two looks at the thresholds, which rise fast at first and slowly later.
  for (; block < blocks; block += length, length = (std::min)(2 * length, most_blocks)) {
    length = (std::min)(length, blocks - block);
    std::erase_if(active_, [&](std::size_t n) { return is_done(queries_[n], block); });
    if (active_.empty()) break;
    start_scan(block, length);
    finish_scan(block, length);
  }

  std::vector<std::vector<Scored>> lists;
  for (Query& query : queries_) lists.push_back(query.best.take());
  return lists;
}

template <Real Scalar>
std::vector<Scored> TopKSearch<Scalar>::score(const Scalar* query, std::span<const Index> rows) {
  const RoundToNearest rounding;
  scores_.resize((std::max)(scores_.size(), score_block));
  std::vector<Scored> scored;
  for (std::size_t first = 0; first < rows.size(); first += score_block) {
    const std::size_t count = (std::min)(score_block, rows.size() - first);
    index_.kernels_->pack(rows_.data(), rows_.stride(), rows.data() + first, count, index_.factors_, panel_.data());
    index_.kernels_->score(&query, 1, panel_.data(), count, index_.factors_, scores_.data());
    for (std::size_t n = 0; n < count; ++n) scored.push_back({rows[first + n], static_cast<double>(scores_[n])});
  }
  return scored;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
