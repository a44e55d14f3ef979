// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/rounding.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/cosine_index.hpp>
#include <kindred/linalg/top_k_request.hpp>
#include <kindred/simd/score_kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Finds lists of the largest cosines in a CosineIndex, for a tile of its rows at a time: the workspace of one thread.
template <Real Scalar>
class CosineSearch {
 public:
  /// Rows that best share what is in the cache; those near to each other in the index share most.
  static constexpr std::size_t tile = 128;

  /// `rows`: what the index was built from. Both must outlive this object.
  CosineSearch(const CosineIndex<Scalar>& index, const FactorMatrix<Scalar>& rows)
      : index_(index), rows_(rows), panel_(index.factors_ * score_block), products_(score_block) {}

  /// The rows of the largest cosine with each of `asked`, min(count, eligible) of them, best first, ties by the lower row; requests[n] belongs to asked[n].
  /// A cosine is x . y / (|x| |y|), in double of scores and lengths, 0 where either length is. Equal to scoring every row, to the bit; a cosine that is not
  /// a number is never listed. Offsets and raised rows of a request are not looked at.
  [[nodiscard]] std::vector<std::vector<Scored>> find(std::span<const Index> asked, std::span<const TopKRequest> requests);

  [[nodiscard]] const TopKCounters& counters() const noexcept { return counters_; }

 private:
  static constexpr std::size_t enough = 32;  // rows that are worth a panel of scores

  struct Query {
    Index row = 0;
    const Scalar* factors = nullptr;
    const TopKRequest* request = nullptr;
    BestOf best;
    double length = 0.0;
    double inverse = 0.0;                      // 1 / step of its codes
    double spread = 0.0;                       // length of its codes
    double distance = 0.0;                     // length of what codes leave out, over the step
    std::int32_t offset = 0;                   // what the offset of the row codes adds, negative
    std::size_t first_filled = 0, filled = 0;  // blocks that were scored as a whole
    std::vector<Index> pending = {};           // rows to score, eligible but for their score

    [[nodiscard]] double threshold() const noexcept { return (std::max)(best.threshold(), request->min_score); }
    [[nodiscard]] bool is_filled(std::size_t block) const noexcept { return block - first_filled < filled; }
  };

  void start(std::span<const Index> asked, std::span<const TopKRequest> requests);
  [[nodiscard]] bool answered_without_index(Query& query);
  void prepare(Query& query, std::size_t at);
  void fill_near_blocks();
  void fill(std::size_t block, std::span<const std::uint32_t> queries);
  [[nodiscard]] std::vector<std::size_t> panels_by_nearness() const;
  [[nodiscard]] std::span<const std::size_t> blocks_by_nearness();
  void search_panel(std::size_t panel);
  void bound_blocks(std::size_t panel);
  [[nodiscard]] std::int32_t start_of(const Query& query, std::size_t block, double level) const noexcept;
  void scan(std::size_t block, std::vector<std::uint32_t>& queries);
  /// What a cosine that is not rounded must reach at least to enter a list.
  [[nodiscard]] double least_of(const Query& query) const noexcept { return (std::clamp)(query.threshold(), -4.0, 4.0) - error_; }
  void add_pending(Query& query, std::span<const Index> rows);
  void score_pending(Query& query);
  void add_rows_of_length_0(Query& query);
  void consider(Query& query, Index row, Scalar product, double& threshold);

  const CosineIndex<Scalar>& index_;
  const FactorMatrix<Scalar>& rows_;
  double error_ = 0.0;  // what rounding can do to a cosine and to its bound
  std::vector<Query> queries_;
  std::vector<std::uint32_t> active_;  // queries that search blocks, in the order of their places
  AlignedVector<Scalar> panel_;
  AlignedVector<Scalar> scores_;
  AlignedVector<std::int8_t> codes_;  // of the active ones, as what follows
  AlignedVector<float> directions_;   // and their sum
  AlignedVector<float> products_;     // of these with the centres of a panel
  std::vector<const float*> pointers_;
  std::vector<double> scaled_;
  std::vector<std::int32_t> start_;
  std::vector<std::vector<std::uint32_t>> members_;  // of each block of a panel: the active ones that search it
  std::vector<std::size_t> blocks_;
  std::vector<std::uint64_t> found_;
  std::vector<const std::int8_t*> scan_codes_;
  std::vector<const std::int32_t*> scan_start_;
  std::vector<std::uint64_t*> scan_found_;
  std::vector<const Scalar*> factors_;
  TopKCounters counters_;
};

/// Lists a row of this product with the query if it belongs there.
template <Real Scalar>
void CosineSearch<Scalar>::consider(Query& query, Index row, Scalar product, double& threshold) {
  const double lengths = query.length * index_.length(row), least = threshold * lengths;
  if (lengths > 1e-280 && static_cast<double>(product) < least - 1e-9 * std::abs(least)) return;  // spares most rows the quotient
  const Scored candidate{row, lengths > 0.0 ? static_cast<double>(product) / lengths : 0.0};
  if (!(candidate.score >= threshold) || !query.best.would_enter(candidate) || !is_eligible(*query.request, row)) return;
  query.best.add(candidate);
  threshold = query.threshold();
}

/// Scores the rows that wait for it.
template <Real Scalar>
void CosineSearch<Scalar>::score_pending(Query& query) {
  scores_.resize((std::max)(scores_.size(), score_block));
  counters_.scores += query.pending.size();
  counters_.packed += query.pending.size();
  double threshold = query.threshold();
  for (std::size_t first = 0; first < query.pending.size(); first += score_block) {
    const std::size_t count = (std::min)(score_block, query.pending.size() - first);
    index_.kernels_->pack(rows_.data(), rows_.stride(), query.pending.data() + first, count, index_.factors_, panel_.data());
    index_.kernels_->score(&query.factors, 1, panel_.data(), count, index_.factors_, scores_.data());
    for (std::size_t n = 0; n < count; ++n) consider(query, query.pending[first + n], scores_[n], threshold);
  }
  query.pending.clear();
}

/// Lets the eligible ones of `rows` wait for a score.
template <Real Scalar>
void CosineSearch<Scalar>::add_pending(Query& query, std::span<const Index> rows) {
  for (const Index row : rows)
    if (is_eligible(*query.request, row)) query.pending.push_back(row);
}

template <Real Scalar>
void CosineSearch<Scalar>::add_rows_of_length_0(Query& query) {
  if (!(query.threshold() <= 0.0)) return;
  for (const Index row : index_.without_length_) {
    if (!query.best.would_enter({row, 0.0})) return;
    if (is_eligible(*query.request, row)) query.best.add({row, 0.0});
  }
}

/// Short lists of allowed rows are cheaper to score one by one; a row of a length out of range has no bounds.
template <Real Scalar>
bool CosineSearch<Scalar>::answered_without_index(Query& query) {
  const TopKRequest& request = *query.request;
  if (request.count == 0) return true;
  if (request.allow && request.allow->size() < index_.rows() / 8) {
    add_pending(query, *request.allow);
    score_pending(query);
    return true;
  }
  if (index_.place(query.row) < index_.rows()) return false;
  for (const std::span<const Index> some : {std::span<const Index>(index_.order_), std::span<const Index>(index_.apart_)})
    add_pending(query, some);
  score_pending(query);
  add_rows_of_length_0(query);
  return true;
}

/// Direction and codes of the query `at` of the active ones.
template <Real Scalar>
void CosineSearch<Scalar>::prepare(Query& query, std::size_t at) {
  const std::size_t k = index_.factors_;
  scaled_.resize(k);
  double sum = 0.0, largest = 0.0;
  for (std::size_t f = 0; f < k; ++f) {
    scaled_[f] = static_cast<double>(query.factors[f]);
    sum += scaled_[f] * scaled_[f];
    largest = (std::max)(largest, std::abs(scaled_[f]));
  }
  const double inverse_length = 1.0 / std::sqrt(sum), step = largest * inverse_length / 127.0;
  query.inverse = 1.0 / step;
  float* const direction = directions_.data() + at * k;
  for (std::size_t f = 0; f < k; ++f) {
    scaled_[f] *= inverse_length;
    direction[f] = static_cast<float>(scaled_[f]);
  }
  const EncodedQuery encoded =
      index_.code_kernels_->encode(scaled_.data(), query.inverse, step, k, codes_.data() + at * index_.groups_ * 4);
  query.spread = std::sqrt(encoded.squares) * index_.margin;
  query.distance = std::sqrt(encoded.rest) * query.inverse * index_.margin;
  query.offset = -index_.code_kernels_->offset * encoded.total;
}

template <Real Scalar>
void CosineSearch<Scalar>::start(std::span<const Index> asked, std::span<const TopKRequest> requests) {
  const std::size_t n_rows = index_.rows(), k = index_.factors_;
  // A sum of k products is off by at most k u / (1 - k u) of |x| |y|, u half an epsilon (Higham 2002, section 3.1): so the score, the lengths that divide
  // it (each by half as much) and the product with a centre, whose direction is rounded too. This is more than their sum.
  error_ = 4.0 * static_cast<double>(k + 4) * static_cast<double>(std::numeric_limits<float>::epsilon());
  queries_.clear();
  active_.clear();
  for (std::size_t n = 0; n < asked.size(); ++n) {
    queries_.push_back({.row = asked[n],
                        .factors = rows_.row(asked[n]).data(),
                        .request = &requests[n],
                        .best = BestOf((std::min)(requests[n].count, n_rows)),
                        .length = index_.length(asked[n])});
    if (!answered_without_index(queries_.back())) active_.push_back(static_cast<std::uint32_t>(n));
  }
  std::stable_sort(active_.begin(), active_.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return index_.place(queries_[a].row) < index_.place(queries_[b].row); });
  counters_.rows += active_.size() * n_rows;
  codes_.assign(active_.size() * index_.groups_ * 4, 0);
  directions_.assign((active_.size() + 1) * k, 0.0F);
  products_.resize((active_.size() + 1) * score_block);
  members_.resize(score_block);
  pointers_.clear();
  for (std::size_t at = 0; at < active_.size(); ++at) {
    prepare(queries_[active_[at]], at);
    pointers_.push_back(directions_.data() + at * k);
  }
  float* const sum = directions_.data() + active_.size() * k;
  for (std::size_t at = 0; at < active_.size(); ++at)
    for (std::size_t f = 0; f < k; ++f) sum[f] += directions_[at * k + f];
  pointers_.push_back(sum);
}

/// Scores a whole block for some of the active ones.
template <Real Scalar>
void CosineSearch<Scalar>::fill(std::size_t block, std::span<const std::uint32_t> queries) {
  const std::size_t first = block * score_block, count = (std::min)(score_block, index_.order_.size() - first);
  const Index* const rows = index_.order_.data() + first;
  scores_.resize((std::max)(scores_.size(), queries.size() * score_block));
  factors_.clear();
  for (const std::uint32_t at : queries) factors_.push_back(queries_[active_[at]].factors);
  index_.kernels_->pack(rows_.data(), rows_.stride(), rows, count, index_.factors_, panel_.data());
  index_.kernels_->score(factors_.data(), factors_.size(), panel_.data(), count, index_.factors_, scores_.data());
  counters_.packed += count;
  counters_.scores += count * queries.size();
  for (std::size_t n = 0; n < queries.size(); ++n) {
    Query& query = queries_[active_[queries[n]]];
    double threshold = query.threshold();
    for (std::size_t row = 0; row < count; ++row) consider(query, rows[row], scores_[n * score_block + row], threshold);
  }
}

/// Fills lists from the blocks that the queries stand in, and from more next to them for long lists.
template <Real Scalar>
void CosineSearch<Scalar>::fill_near_blocks() {
  const std::size_t blocks = (index_.order_.size() + score_block - 1) / score_block;
  std::vector<std::pair<std::size_t, std::uint32_t>> pairs;
  for (std::size_t at = 0; at < active_.size(); ++at) {
    Query& query = queries_[active_[at]];
    const std::size_t count = (std::min)(query.request->count, index_.order_.size());
    query.filled = (std::min)(blocks, (count + count / 4) / score_block + 1);
    const std::size_t home = index_.place(query.row) / score_block, before = (std::min)(home, query.filled / 2);
    query.first_filled = (std::min)(home - before, blocks - query.filled);
    for (std::size_t b = 0; b < query.filled; ++b) pairs.emplace_back(query.first_filled + b, static_cast<std::uint32_t>(at));
  }
  std::sort(pairs.begin(), pairs.end());
  std::vector<std::uint32_t> together;
  for (std::size_t n = 0; n < pairs.size();) {
    const std::size_t block = pairs[n].first;
    together.clear();
    for (; n < pairs.size() && pairs[n].first == block; ++n) together.push_back(pairs[n].second);
    fill(block, together);
  }
}

/// All panels, those first whose centres are near to the active ones: thresholds then rise early.
template <Real Scalar>
std::vector<std::size_t> CosineSearch<Scalar>::panels_by_nearness() const {
  const std::size_t k = index_.factors_, panels = k == 0 ? 0 : index_.panel_means_.size() / k;
  const float* const sum = pointers_.back();
  std::vector<float> nearness(panels, 0.0F);
  for (std::size_t p = 0; p < panels; ++p)
    for (std::size_t f = 0; f < k; ++f) nearness[p] += sum[f] * index_.panel_means_[p * k + f];
  std::vector<std::size_t> order(panels);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return nearness[a] > nearness[b]; });
  return order;
}

/// What the sum of codes starts from, so that it is negative for the rows of a block that cannot enter the list.
template <Real Scalar>
std::int32_t CosineSearch<Scalar>::start_of(const Query& query, std::size_t block, double level) const noexcept {
  const double bound = 127.0 * 127.0 * static_cast<double>(index_.groups_ * 4) + 1.0;
  const double limit =
      level * query.inverse * index_.unit_[block] - query.spread * index_.rest_[block] - query.distance * index_.norm_[block];
  return query.offset + 2 - static_cast<std::int32_t>((std::clamp)(limit, -bound, bound));
}

/// Finds for each block of a panel the queries whose lists it may enter.
template <Real Scalar>
void CosineSearch<Scalar>::bound_blocks(std::size_t panel) {
  const std::size_t first = panel * score_block, blocks = (index_.order_.size() + score_block - 1) / score_block;
  const std::size_t count = (std::min)(score_block, blocks - first);
  index_.centre_kernels_->score(pointers_.data(), pointers_.size(), index_.centres_.data() + first * index_.factors_, count,
                                index_.factors_, products_.data());
  const std::uint64_t all = count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
  for (std::vector<std::uint32_t>& members : members_) members.clear();
  for (std::size_t at = 0; at < active_.size(); ++at) {
    const double level = least_of(queries_[active_[at]]);
    std::uint64_t reached =
        index_.code_kernels_->at_least(products_.data() + at * score_block, index_.reach_.data() + first, static_cast<float>(level)) & all;
    for (; reached != 0; reached &= reached - 1)
      members_[static_cast<std::size_t>(std::countr_zero(reached))].push_back(static_cast<std::uint32_t>(at));
  }
}

/// Finds the rows of a block whose codes may be those of a row in the list, for some of the active ones. Drops those for which the block is out by now.
template <Real Scalar>
void CosineSearch<Scalar>::scan(std::size_t block, std::vector<std::uint32_t>& queries) {
  scan_codes_.clear();
  start_.clear();
  std::size_t kept = 0;
  for (const std::uint32_t at : queries) {
    const Query& query = queries_[active_[at]];
    const double product = static_cast<double>(products_[at * score_block + block % score_block]), level = least_of(query) - product;
    if (query.is_filled(block) || static_cast<double>(index_.reach_[block]) < level) continue;
    queries[kept++] = at;
    scan_codes_.push_back(codes_.data() + at * index_.groups_ * 4);
    start_.push_back(start_of(query, block, level));
  }
  queries.resize(kept);
  found_.resize((std::max)(found_.size(), kept));
  scan_start_.clear();
  scan_found_.clear();
  for (std::size_t n = 0; n < kept; ++n) {
    scan_start_.push_back(start_.data() + n);
    scan_found_.push_back(found_.data() + n);
  }
  index_.code_kernels_->scan({.items = index_.codes_.data() + block * index_.groups_ * score_block * 4,
                              .users = scan_codes_.data(),
                              .start = scan_start_.data(),
                              .found = scan_found_.data(),
                              .n_users = kept,
                              .groups = index_.groups_,
                              .n_blocks = 1});
  counters_.codes += kept * score_block;
}

/// The blocks of a panel that a query searches, those first whose centres are near to the active ones.
template <Real Scalar>
std::span<const std::size_t> CosineSearch<Scalar>::blocks_by_nearness() {
  const float* const nearness = products_.data() + active_.size() * score_block;
  blocks_.clear();
  for (std::size_t b = 0; b < score_block; ++b)
    if (!members_[b].empty()) blocks_.push_back(b);
  std::stable_sort(blocks_.begin(), blocks_.end(), [&](std::size_t a, std::size_t b) { return nearness[a] > nearness[b]; });
  return blocks_;
}

template <Real Scalar>
void CosineSearch<Scalar>::search_panel(std::size_t panel) {
  bound_blocks(panel);
  for (const std::size_t b : blocks_by_nearness()) {
    const std::size_t block = panel * score_block + b;
    std::vector<std::uint32_t>& members = members_[b];
    scan(block, members);
    std::size_t found = 0;
    for (std::size_t n = 0; n < members.size(); ++n) found += static_cast<std::size_t>(std::popcount(found_[n]));
    if (members.size() > 1 && found >= members.size() * score_block / 4) {  // then it is laid out once for all
      fill(block, members);
      continue;
    }
    const std::size_t count = (std::min)(score_block, index_.order_.size() - block * score_block);
    for (std::size_t n = 0; n < members.size(); ++n) {
      Query& query = queries_[active_[members[n]]];
      for (std::uint64_t bits = found_[n]; bits != 0; bits &= bits - 1) {
        const auto row = static_cast<std::size_t>(std::countr_zero(bits));
        if (row < count) add_pending(query, {&index_.order_[block * score_block + row], 1});
      }
      if (query.pending.size() >= enough) score_pending(query);
    }
  }
}

template <Real Scalar>
std::vector<std::vector<Scored>> CosineSearch<Scalar>::find(std::span<const Index> asked, std::span<const TopKRequest> requests) {
  const RoundToNearest rounding;  // as in CosineIndex
  start(asked, requests);
  if (!active_.empty()) {
    fill_near_blocks();
    for (const std::size_t panel : panels_by_nearness()) search_panel(panel);
    for (const std::uint32_t n : active_) {
      add_pending(queries_[n], index_.apart_);
      score_pending(queries_[n]);
      add_rows_of_length_0(queries_[n]);
    }
  }
  std::vector<std::vector<Scored>> lists;
  for (Query& query : queries_) lists.push_back(query.best.take());
  return lists;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
