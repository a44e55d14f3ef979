// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
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
#include <kindred/linalg/shared_panel.hpp>
#include <kindred/linalg/shortlist.hpp>
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
      : index_(index),
        rows_(rows),
        panel_(index.factors_ * score_block),
        products_(score_block),
        cosines_(score_block),
        nothing_(score_block),
        few_(index.kernels_, rows) {}

  /// The rows of the largest cosine with each of `asked`, min(count, eligible) of them, best first, ties by the lower row; requests[n] belongs to asked[n].
  /// A cosine is x . y / (|x| |y|), in double of scores and lengths, 0 where either length is. Equal to scoring every row, to the bit; a cosine that is not
  /// a number is never listed. Offsets and raised rows of a request are not looked at.
  [[nodiscard]] std::vector<std::vector<Scored>> find(std::span<const Index> asked, std::span<const TopKRequest> requests);

  [[nodiscard]] const TopKCounters& counters() const noexcept { return counters_; }

 private:
  static constexpr std::size_t scanned = 8;  // blocks between two looks at the thresholds
  static constexpr std::size_t pieces_of_panel = score_block / scanned;
  static constexpr std::size_t enough = 2 * score_group;  // rows that are worth their place in a panel of scores

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
    std::size_t first_filled = 0, filled = 0;  // blocks that were searched first
    std::vector<Index> pending = {};           // rows to score, eligible but for their score

    double sure = -4.0;  // a cosine that the list is known to reach

    [[nodiscard]] double threshold() const noexcept { return (std::max)((std::max)(best.threshold(), sure), request->min_score); }
  };

  void start(std::span<const Index> asked, std::span<const TopKRequest> requests);
  [[nodiscard]] bool answered_without_index(std::size_t n);
  void prepare(Query& query, std::size_t at);
  void fill(std::size_t block, std::span<const std::uint32_t> queries);
  [[nodiscard]] std::vector<std::size_t> panels_by_nearness() const;
  void multiply_centres(std::size_t panel);
  void search_near_pieces();
  void ask(std::size_t at, std::size_t first, std::size_t length);
  void search_panel(std::size_t panel);
  [[nodiscard]] std::array<std::size_t, pieces_of_panel> pieces_by_nearness(std::size_t panel) const;
  [[nodiscard]] std::uint64_t reached_blocks(std::size_t at, std::size_t panel, double level) const noexcept;
  void scan(std::size_t first, std::size_t length);
  void take_found(std::size_t first, std::size_t length);
  /// Sums of codes in block `first` and those after it that a cosine of 1 is worth.
  [[nodiscard]] double unit_of(const Query& query, std::size_t first) const noexcept { return query.inverse * index_.unit_[first]; }
  /// What a cosine that is not rounded must reach at least to enter a list.
  [[nodiscard]] double least_of(const Query& query) const noexcept { return (std::min)(query.threshold(), 4.0) - error_; }
  void add_pending(Query& query, std::span<const Index> rows);
  void score_pending(std::size_t query);
  [[nodiscard]] auto to_lists() noexcept {
    return [this](std::size_t n, std::span<const Index> rows, const Scalar* scores) { take(n, rows, scores); };
  }
  void add_rows_of_length_0(Query& query);
  void take(std::size_t query, std::span<const Index> rows, const Scalar* scores);
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
  std::vector<double> scaled_, ones_;
  std::size_t multiplied_ = 0;              // the panel that products_ are of, if any
  AlignedVector<float> cosines_, nothing_;  // about those of a block; zeros
  std::vector<std::uint64_t> reached_;      // blocks of a panel, for each of the active ones
  std::vector<double> units_;
  std::vector<std::int32_t> start_, slack_;  // of each query that searches some blocks, and of each of these
  std::vector<std::uint32_t> members_;       // the active ones that search some blocks
  std::vector<std::uint32_t> together_;      // of these, those that search a block
  Shortlist shortlist_;
  std::vector<Shortlist::Asked> asked_;
  std::vector<double> nearest_;  // the cosines that these start from
  SharedPanel<Scalar> few_;
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

/// Scores the rows that wait for it: now, or with those of other queries.
template <Real Scalar>
void CosineSearch<Scalar>::score_pending(std::size_t query) {
  few_.add(query, queries_[query].factors, queries_[query].pending, counters_, to_lists());
  queries_[query].pending.clear();
}

/// Offers rows that were scored to the list of a query.
template <Real Scalar>
void CosineSearch<Scalar>::take(std::size_t query, std::span<const Index> rows, const Scalar* scores) {
  double threshold = queries_[query].threshold();
  for (std::size_t n = 0; n < rows.size(); ++n) consider(queries_[query], rows[n], scores[n], threshold);
}

/// Lets the eligible ones of `rows` wait for a score.
template <Real Scalar>
void CosineSearch<Scalar>::add_pending(Query& query, std::span<const Index> rows) {
  constexpr std::size_t line = 64 / sizeof(Scalar);
  if (query.pending.capacity() == 0) query.pending.reserve(4 * enough);
  for (const Index row : rows) {
    if (!is_eligible(*query.request, row)) continue;
    query.pending.push_back(row);
    // Rows lie in memory at random: this one is asked for before it is laid out.
    const Scalar* const factors = rows_.row(row).data();
    for (std::size_t f = 0; f < index_.factors_; f += line) __builtin_prefetch(factors + f);
  }
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
bool CosineSearch<Scalar>::answered_without_index(std::size_t n) {
  Query& query = queries_[n];
  const TopKRequest& request = *query.request;
  if (request.count == 0) return true;
  if (request.allow && request.allow->size() < index_.rows() / 8) {
    add_pending(query, *request.allow);
    score_pending(n);
    few_.finish(to_lists());
    return true;
  }
  if (index_.place(query.row) < index_.rows()) return false;
  for (const std::span<const Index> some : {std::span<const Index>(index_.order_), std::span<const Index>(index_.apart_)})
    add_pending(query, some);
  score_pending(n);
  few_.finish(to_lists());
  add_rows_of_length_0(query);
  return true;
}

/// Direction and codes of the query `at` of the active ones.
template <Real Scalar>
void CosineSearch<Scalar>::prepare(Query& query, std::size_t at) {
  const std::size_t k = index_.factors_;
  scaled_.resize(k);
  ones_.resize(k, 1.0);
  const auto [squares, largest] = index_.kernels_->widen(query.factors, ones_.data(), k, scaled_.data());
  const double inverse_length = 1.0 / std::sqrt(squares), step = largest / 127.0, inverse = 1.0 / step;
  query.inverse = inverse * std::sqrt(squares);
  float* const direction = directions_.data() + at * k;
  for (std::size_t f = 0; f < k; ++f) direction[f] = static_cast<float>(scaled_[f] * inverse_length);
  const EncodedQuery encoded = index_.code_kernels_->encode(scaled_.data(), inverse, step, k, codes_.data() + at * index_.groups_ * 4);
  query.spread = std::sqrt(encoded.squares) * index_.margin;
  query.distance = std::sqrt(encoded.rest) * inverse * index_.margin;
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
    if (!answered_without_index(n)) active_.push_back(static_cast<std::uint32_t>(n));
  }
  std::stable_sort(active_.begin(), active_.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return index_.place(queries_[a].row) < index_.place(queries_[b].row); });
  counters_.rows += active_.size() * n_rows;
  codes_.assign(active_.size() * index_.groups_ * 4, 0);
  directions_.assign((active_.size() + 1) * k, 0.0F);
  products_.resize((active_.size() + 1) * score_block);
  multiplied_ = index_.panel_means_.size();  // none
  reached_.resize(active_.size());
  units_.resize(blocks_of_piece);
  start_.resize(active_.size() * blocks_of_piece);
  slack_.resize(active_.size() * blocks_of_piece);
  found_.resize(active_.size() * blocks_of_piece);
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
    const auto inverse = static_cast<Scalar>(1.0 / query.length);
    for (std::size_t row = 0; row < score_block; ++row)
      cosines_[row] = static_cast<float>(scores_[n * score_block + row] * (index_.inverse_[first + row] * inverse));
    std::uint64_t good = index_.code_kernels_->at_least(cosines_.data(), nothing_.data(), static_cast<float>(least_of(query)));
    for (; good != 0; good &= good - 1) {
      const auto row = static_cast<std::size_t>(std::countr_zero(good));
      if (row < count) consider(query, rows[row], scores_[n * score_block + row], threshold);
    }
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

template <Real Scalar>
std::vector<std::vector<Scored>> CosineSearch<Scalar>::find(std::span<const Index> asked, std::span<const TopKRequest> requests) {
  const RoundToNearest rounding;  // as in CosineIndex
  start(asked, requests);
  if (!active_.empty()) {
    search_near_pieces();
    for (const std::size_t panel : panels_by_nearness()) search_panel(panel);
    for (const std::uint32_t n : active_) {
      add_pending(queries_[n], index_.apart_);
      score_pending(n);
    }
    few_.finish(to_lists());
    for (const std::uint32_t n : active_) add_rows_of_length_0(queries_[n]);
  }
  std::vector<std::vector<Scored>> lists;
  for (Query& query : queries_) lists.push_back(query.best.take());
  return lists;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

#include <kindred/linalg/cosine_search_pieces.ipp>  // IWYU pragma: export
