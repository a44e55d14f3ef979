// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/rounding.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/linalg/row_offsets.hpp>
#include <kindred/linalg/top_k_request.hpp>
#include <kindred/linalg/top_k_search.hpp>
#include <kindred/models/factor_lists.hpp>
#include <kindred/models/item_neighbours.hpp>
#include <kindred/models/neighbours/vote_tally.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// From the votes of an item to what they add to its score. Rises with the votes, in floating point too: bounds of lists rest on that.
struct VoteUnit {
  double factor = 0.0;  ///< weight * A_u / B_u; 0: votes add nothing.

  [[nodiscard]] double of(float votes) const noexcept {
    return static_cast<double>(static_cast<float>(factor * static_cast<double>(votes)));
  }
};

/// weight * A_u / B_u of the votes in `tally`. A_u: the root mean square of a user's scores over all items, `spread`; B_u: that of the votes. 0 without votes.
[[nodiscard]] inline VoteUnit vote_unit(const VoteTally& tally, double weight, double spread) noexcept {
  double squares = 0.0;
  for (const Index item : tally.touched()) squares += static_cast<double>(tally.of(item)) * static_cast<double>(tally.of(item));
  const double votes = std::sqrt(squares / static_cast<double>(tally.sums().size()));
  const double factor = votes > 0.0 ? weight * spread / votes : 0.0;
  return {is_finite(factor) ? factor : 0.0};
}

/// A user whose list is to be found.
template <Real Scalar>
struct BlendQuery {
  const Scalar* factors;
  SparseRow history;    // votes
  double spread = 0.0;  // A_u
  TopKRequest request;  // exclude has the dislikes too; offsets are the user's
};

/// What a BlendSearch keeps of one user between the two halves of a search.
struct BlendPending {
  VoteUnit unit;
  BestOf best;
  std::vector<std::uint64_t> votes;  // of eligible items: votes above, item below
  std::size_t scored = 0;            // the first of them are scored
  bool is_complete = true;           // whatever the search leaves out cannot enter
  TopKRequest request;
};

/// The memory of a BlendSearch, which is worth keeping between calls: it grows with the items.
struct BlendWork {
  BlendWork(std::size_t voted_items, std::size_t items) : tally(voted_items), found(items, 0) {}

  VoteTally tally;                   // clear
  std::vector<std::uint32_t> found;  // place in the list of the search, from 1; 0 between calls
  std::vector<BlendPending> pending;
  std::vector<TopKRequest> requests;
  std::vector<Index> rows;
};

/// Finds lists by score + votes, for a tile of users at a time: the workspace of one thread. Equal to scoring every item, to the bit.
///
/// The items with the most votes are scored first. The K-th best of these is a threshold t for the others, to which votes add at most what they add to the
/// next item, v: one search of the factors for scores of at least t - v finds all that can still enter.
template <Real Scalar>
class BlendSearch {
 public:
  /// `work` is of as many items as `neighbours` and `searched` have.
  BlendSearch(const Searched<Scalar>& searched, const ItemNeighbours& neighbours, double weight, BlendWork& work)
      : searched_(searched),
        neighbours_(neighbours),
        weight_(weight),
        search_(searched.index, searched.rows),
        tally_(work.tally),
        is_found_(work.found),
        pending_(work.pending),
        requests_(work.requests),
        rows_(work.rows) {}

  /// The lists of `queries`, best first, without scores beyond the range of Scalar.
  [[nodiscard]] std::vector<std::vector<Scored>> find(std::span<const BlendQuery<Scalar>> queries) {
    const RoundToNearest rounding;
    while (pending_.size() < queries.size()) pending_.emplace_back();
    factors_.clear();
    requests_.clear();
    for (std::size_t n = 0; n < queries.size(); ++n) {
      start(queries[n], pending_[n]);
      factors_.push_back(queries[n].factors);
      requests_.push_back(pending_[n].request);
    }
    std::vector<std::vector<Scored>> lists = search_.find(factors_, requests_);
    for (std::size_t n = 0; n < queries.size(); ++n) finish(queries[n], pending_[n], lists[n]);
    return lists;
  }

 private:
  static constexpr std::size_t scored_first = 64;
  static constexpr std::size_t room = 512;  // of the search, beyond the list; where it overflows everything is scored

  using Pending = BlendPending;

  [[nodiscard]] static Index item_of(std::uint64_t key) noexcept { return static_cast<Index>(~static_cast<std::uint32_t>(key)); }
  [[nodiscard]] static float votes_in(std::uint64_t key) noexcept { return bit_cast<float>(static_cast<std::uint32_t>(key >> 32U)); }
  [[nodiscard]] float votes_of(Index item) const noexcept {
    return static_cast<std::size_t>(item) < tally_.sums().size() ? tally_.of(item) : 0.0F;
  }
  [[nodiscard]] double total(const TopKRequest& request, const Scored& one, const VoteUnit& unit, float votes) const noexcept {
    return with_offsets(request.offsets, one.item, one.score) + unit.of(votes);
  }
  static void offer(const TopKRequest& request, BestOf& best, const Scored& one) {
    if (is_finite(one.score) && one.score >= request.min_score && best.would_enter(one)) best.add(one);
  }

  /// Takes the votes of eligible items out of the tally.
  void take_votes(const BlendQuery<Scalar>& query, Pending& pending) {
    pending.votes.clear();
    for (const Index item : query.request.exclude)
      if (static_cast<std::size_t>(item) < tally_.sums().size()) tally_.forget(item);
    const std::span<const Index> counts = query.request.counts;
    for (const Index item : tally_.touched()) {
      const float votes = tally_.of(item);
      const std::uint64_t key = (static_cast<std::uint64_t>(bit_cast<std::uint32_t>(votes)) << 32U) | ~static_cast<std::uint32_t>(item);
      if (!(votes > 0.0F) || (!counts.empty() && counts[static_cast<std::size_t>(item)] == 0)) continue;
      if (query.request.allow && !std::binary_search(query.request.allow->begin(), query.request.allow->end(), item)) continue;
      pending.votes.push_back(key);
    }
    tally_.clear();
  }

  /// Scores the items with the most votes, and says what the search has to find.
  void start(const BlendQuery<Scalar>& query, Pending& pending) {
    const std::size_t n_items = is_found_.size(), count = (std::min)(query.request.count, n_items);
    neighbours_.add_votes(query.history, tally_);
    pending.unit = vote_unit(tally_, weight_, query.spread);
    take_votes(query, pending);
    if (pending.unit.factor == 0.0) pending.votes.clear();
    pending.best = BestOf(count);
    pending.request = query.request;
    pending.scored = (std::min)(pending.votes.size(), (std::max)(scored_first, count));
    if (pending.scored < pending.votes.size())
      std::nth_element(pending.votes.begin(), pending.votes.begin() + static_cast<std::ptrdiff_t>(pending.scored), pending.votes.end(),
                       std::greater<>());
    rows_.clear();
    for (std::size_t n = 0; n < pending.scored; ++n) rows_.push_back(item_of(pending.votes[n]));
    std::vector<Scored> scored = search_.score(query.factors, rows_);
    for (std::size_t n = 0; n < pending.scored; ++n)
      offer(query.request, pending.best, {scored[n].item, total(query.request, scored[n], pending.unit, votes_in(pending.votes[n]))});

    const double most = pending.scored < pending.votes.size() ? pending.unit.of(votes_in(pending.votes[pending.scored])) : 0.0;
    const double threshold = (std::max)(pending.best.threshold(), query.request.min_score);
    pending.is_complete = most == 0.0;  // the others rank by their scores alone
    pending.request.count = (std::min)(n_items, count + pending.scored + (pending.is_complete ? 0 : room));
    // The margin covers the rounding of the sums.
    if (is_finite(threshold)) pending.request.min_score = threshold - most - 1e-6 * (std::abs(threshold) + most);
    if (count == 0) pending.request.count = 0;
  }

  /// Adds what the search found.
  void finish(const BlendQuery<Scalar>& query, Pending& pending, std::vector<Scored>& found) {
    if (!pending.is_complete && found.size() == pending.request.count && found.size() < is_found_.size()) {
      found = scan(query, pending);
      return;
    }
    for (std::size_t n = 0; n < found.size(); ++n) is_found_[static_cast<std::size_t>(found[n].item)] = static_cast<std::uint32_t>(n + 1);
    for (std::size_t n = 0; n < pending.votes.size(); ++n) {
      std::uint32_t& place = is_found_[static_cast<std::size_t>(item_of(pending.votes[n]))];
      if (place == 0) continue;
      Scored& one = found[place - 1];
      if (n >= pending.scored) offer(query.request, pending.best, {one.item, one.score + pending.unit.of(votes_in(pending.votes[n]))});
      place = 0;
    }
    for (const Scored& one : found) {
      std::uint32_t& place = is_found_[static_cast<std::size_t>(one.item)];
      if (place != 0) offer(query.request, pending.best, one);  // no votes
      place = 0;
    }
    found = pending.best.take();
  }

  /// Scores every eligible item.
  [[nodiscard]] std::vector<Scored> scan(const BlendQuery<Scalar>& query, Pending& pending) {
    neighbours_.add_votes(query.history, tally_);
    BestOf best((std::min)(query.request.count, is_found_.size()));
    for (Index first = 0; first < searched_.rows.rows();) {
      rows_.clear();
      for (; first < searched_.rows.rows() && rows_.size() < 16 * score_block; ++first)
        if (is_eligible(query.request, first)) rows_.push_back(first);
      for (const Scored& one : search_.score(query.factors, rows_))
        offer(query.request, best, {one.item, total(query.request, one, pending.unit, votes_of(one.item))});
    }
    tally_.clear();
    return best.take();
  }

  const Searched<Scalar>& searched_;
  const ItemNeighbours& neighbours_;
  double weight_;
  TopKSearch<Scalar> search_;
  VoteTally& tally_;
  std::vector<std::uint32_t>& is_found_;
  std::vector<Pending>& pending_;
  std::vector<TopKRequest>& requests_;
  std::vector<Index>& rows_;
  std::vector<const Scalar*> factors_;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
