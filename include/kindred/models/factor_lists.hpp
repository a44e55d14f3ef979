// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/rounding.hpp>
#include <kindred/core/thread_team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/row_offsets.hpp>
#include <kindred/linalg/top_k.hpp>
#include <kindred/linalg/top_k_search.hpp>
#include <kindred/models/raised_scores.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/simd/level.hpp>
#include <kindred/simd/score_kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Rows to find, their index, the train counts that make a row a candidate, and what is added to scores.
template <Real Scalar>
struct Searched {
  const TopKIndex<Scalar>& index;
  const FactorMatrix<Scalar>& rows;
  std::span<const Index> counts;
  std::vector<WeightedOffsets> offsets = {};
  const RaisedScores* raised = nullptr;      // of many lists
  std::span<const float> user_weights = {};  // of many lists: what the weight of the first offsets is multiplied by for each user; 1 beyond
};

/// Of user weights that may be fewer than there are users.
[[nodiscard]] inline float weight_of_user(std::span<const float> weights, Index user) noexcept {
  const auto at = static_cast<std::size_t>(user);
  return at < weights.size() ? weights[at] : 1.0F;
}

/// @throws NumericalError naming `what` and the row if a factor is not finite, as those of a file may be.
template <Real Scalar>
void require_finite_row(const FactorMatrix<Scalar>& factors, Index row, std::string_view what) {
  // All of them, padding too: loops without an exit, and of a known length, are the faster ones. A sum of bits is negative if the exponent has all of its own.
  using Bits = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
  constexpr Bits exponent = bit_cast<Bits>(std::numeric_limits<Scalar>::infinity()), one = exponent & (~exponent + 1);
  constexpr std::size_t line = 64 / sizeof(Scalar);
  const Scalar* const values = factors.data() + static_cast<std::size_t>(row) * factors.stride();
  Bits sums[line]{};
  for (std::size_t first = 0; first < factors.stride(); first += line)
    for (std::size_t f = 0; f < line; ++f) sums[f] |= (bit_cast<Bits>(values[first + f]) & exponent) + one;
  bool finite = true;
  for (const Bits sum : sums) finite &= (sum & ~(~Bits{0} >> 1)) == 0;
  if (!finite)
    throw NumericalError("the factors of " + std::string(what) + " " + std::to_string(row) +
                         " are not finite: is the file that the model is from damaged? verify() says where");
}

template <Real Scalar>
void require_finite(const FactorMatrix<Scalar>& factors, std::string_view what) {
  for (Index r = 0; r < factors.rows(); ++r) require_finite_row(factors, r, what);
}

/// True if there is something to rank by: a user without interactions, or with dislikes alone, has factors of zero, and all scores tie.
template <Real Scalar>
[[nodiscard]] bool is_known(std::span<const Scalar> factors) noexcept {
  return std::any_of(factors.begin(), factors.end(), [](Scalar value) { return value != Scalar(0); });
}

/// A list as a search found it, put into order, and without scores beyond the range of Scalar.
[[nodiscard]] inline std::vector<Scored> finished(std::vector<Scored> list, const RecommendOptions& options) {
  std::erase_if(list, [](const Scored& one) { return !is_finite(one.score); });
  return reranked(std::move(list), options);
}

/// Calls `take(row, score)` for rows first_row, ... of `rows[first, last)`, with the arithmetic of TopKSearch.
template <Real Scalar, typename Take>
void score_rows(const FactorMatrix<Scalar>& factors, const Scalar* query, std::span<const Index> rows, SimdLevel level, Take&& take) {
  const RoundToNearest rounding;
  const auto k = static_cast<std::size_t>(factors.factors());
  const ScoreKernels<Scalar>& kernels = score_kernels<Scalar>(level);
  AlignedVector<Scalar> panel(k * score_block), scores(score_block);
  for (std::size_t first = 0; first < rows.size(); first += score_block) {
    const std::size_t count = (std::min)(score_block, rows.size() - first);
    kernels.pack(factors.data(), factors.stride(), rows.data() + first, count, k, panel.data());
    kernels.score(&query, 1, panel.data(), count, k, scores.data());
    for (std::size_t n = 0; n < count; ++n) take(rows[first + n], static_cast<double>(scores[n]));
  }
}

/// One list without an index: every row is scored, on the thread that asks. The same list to the bit; for a model whose index would cost more than
/// the few lists it is asked for.
template <Real Scalar>
[[nodiscard]] std::vector<Scored> scanned_list(const FactorMatrix<Scalar>& rows, std::span<const Index> counts, const Scalar* query,
                                               const RecommendOptions& options, SimdLevel level,
                                               std::span<const WeightedOffsets> offsets = {}) {
  const TopKRequest request = request_of(options, counts);
  BestOf best((std::min)(request.count, static_cast<std::size_t>(rows.rows())));
  std::vector<Index> piece;
  for (Index first = 0; first < rows.rows();) {
    piece.clear();
    for (; first < rows.rows() && piece.size() < 64 * score_block; ++first) piece.push_back(first);
    score_rows(rows, query, piece, level, [&](Index row, double product) {
      const double score = with_offsets(offsets, row, product);
      const Scored candidate{row, score};
      if (is_finite(score) && score >= request.min_score && best.would_enter(candidate) && is_eligible(request, row)) best.add(candidate);
    });
  }
  return reranked(best.take(), options);
}

/// One list. `query`: length factors. `raised`: none, or what is added to single scores times raise_weight.
template <Real Scalar>
[[nodiscard]] std::vector<Scored> one_list(const Searched<Scalar>& searched, const Scalar* query, const RecommendOptions& options,
                                           const RaisedRow* raised = nullptr, float raise_weight = 0.0F) {
  TopKRequest request = request_of(options, searched.counts);
  request.offsets = searched.offsets;
  if (raised != nullptr) raised->put_into(request, raise_weight);
  TopKSearch<Scalar> search(searched.index, searched.rows);
  return finished(std::move(search.find({&query, 1}, {&request, 1}).front()), options);
}

/// The eligible items with the most users.
[[nodiscard]] inline std::vector<Scored> most_used(std::span<const Index> counts, const RecommendOptions& options) {
  const TopKRequest request = request_of(options, counts);
  BestOf best((std::min)(request.count, counts.size()));
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const Scored candidate{static_cast<Index>(i), static_cast<double>((std::max)(counts[i], Index{0}))};
    if (candidate.score >= request.min_score && best.would_enter(candidate) && is_eligible(request, candidate.item)) best.add(candidate);
  }
  return reranked(best.take(), options);
}

/// The list of a user whose factors are zero.
[[nodiscard]] inline Recommendation list_of_unknown(std::span<const Index> counts, const RecommendOptions& options) {
  if (options.fallback == Fallback::none) return {{}, ListSource::none};
  return {most_used(counts, options), ListSource::popularity};
}

/// The lists of `users`, whose factors are rows of `queries`.
template <Real Scalar>
[[nodiscard]] RankedLists many_lists(const Searched<Scalar>& searched, const FactorMatrix<Scalar>& queries, std::span<const Index> users,
                                     const RecommendAllOptions& options) {
  std::vector<std::vector<Scored>> lists(users.size());
  std::vector<ListSource> sources(users.size(), ListSource::model);
  const std::size_t threads = users.size() <= 8 ? 1 : resolve_threads(options.execution.threads);
  const std::size_t share = (users.size() + threads - 1) / threads;
  const ParallelOptions parallel{.threads = threads,
                                 .grain = (std::min)(TopKSearch<Scalar>::tile, (std::max)(std::size_t{8}, share)),
                                 .executor = options.execution.executor};
  std::vector<TopKSearch<Scalar>> searches;
  for (std::size_t n = 0; n < worker_count(users.size(), parallel); ++n) searches.emplace_back(searched.index, searched.rows);
  parallel_for(users.size(), parallel, [&](std::size_t first, std::size_t last, std::size_t worker) {
    std::vector<std::size_t> places;  // of the users that are known
    std::vector<const Scalar*> factors;
    std::vector<TopKRequest> requests;
    std::vector<WeightedOffsets> own_offsets;  // of the users in turn, where their weights differ
    std::vector<RaisedRow> raised;
    if (searched.raised != nullptr) raised.reserve(last - first);
    if (!searched.user_weights.empty()) own_offsets.reserve((last - first) * searched.offsets.size());
    for (std::size_t n = first; n < last; ++n) {
      require_finite_row(queries, users[n], "user");
      const RecommendOptions own = options_of(users[n], options);
      if (!is_known(queries.row(users[n]))) {
        Recommendation unknown = list_of_unknown(searched.counts, own);
        lists[n] = std::move(unknown.items);
        sources[n] = unknown.source;
        continue;
      }
      places.push_back(n);
      factors.push_back(queries.row(users[n]).data());
      requests.push_back(request_of(own, searched.counts));
      requests.back().offsets = searched.offsets;
      if (searched.raised != nullptr)
        raised.emplace_back(searched.raised->row(users[n]), own, searched.counts).put_into(requests.back(), searched.raised->weight);
      if (searched.user_weights.empty()) continue;
      const std::size_t start = own_offsets.size();
      own_offsets.insert(own_offsets.end(), searched.offsets.begin(), searched.offsets.end());
      own_offsets[start].weight *= weight_of_user(searched.user_weights, users[n]);
      requests.back().offsets = std::span<const WeightedOffsets>(own_offsets).subspan(start);
    }
    std::vector<std::vector<Scored>> found = searches[worker].find(factors, requests);
    for (std::size_t n = 0; n < places.size(); ++n) lists[places[n]] = finished(std::move(found[n]), options_of(users[places[n]], options));
  });
  return RankedLists(std::move(lists), std::move(sources));
}

/// Hands `lists_of(some rows, execution)` to `sink`, `share` rows a thread at a time: memory does not grow with the number of rows.
template <typename ListsOf>
void hand_over(std::span<const Index> rows, std::size_t share, Execution execution, const ListSink& sink, ListsOf&& lists_of) {
  ThreadTeam team(execution.executor);
  execution.executor = team.executor();
  execution.threads = resolve_threads(execution.threads);
  const std::size_t round = share * execution.threads;
  for (std::size_t first = 0; first < rows.size(); first += round) {
    const std::span<const Index> some = rows.subspan(first, (std::min)(round, rows.size() - first));
    const RankedLists lists = lists_of(some, std::as_const(execution));
    for (std::size_t n = 0; n < some.size(); ++n) sink(some[n], lists.row(n), lists.source(n));
  }
}

/// Hands `lists_of(some users, options)` to `sink`, a few tiles a thread at a time.
template <typename ListsOf>
void hand_over(std::span<const Index> users, RecommendAllOptions options, const ListSink& sink, ListsOf&& lists_of) {
  hand_over(users, 8 * TopKSearch<float>::tile, options.execution, sink, [&](std::span<const Index> some, const Execution& execution) {
    options.execution = execution;
    return lists_of(some, std::as_const(options));
  });
}

/// The lists of `users`, whose factors are rows of `queries`, to a sink.
template <Real Scalar>
void stream_lists(const Searched<Scalar>& searched, const FactorMatrix<Scalar>& queries, std::span<const Index> users,
                  const RecommendAllOptions& options, const ListSink& sink) {
  hand_over(users, options, sink,
            [&](std::span<const Index> some, const RecommendAllOptions& own) { return many_lists(searched, queries, some, own); });
}

/// All of `candidates` by their scores, best first, ties by the lower row. @throws NumericalError if a score is not finite.
template <Real Scalar>
[[nodiscard]] std::vector<Scored> ranking_of(const FactorMatrix<Scalar>& rows, const Scalar* query, std::span<const Index> candidates,
                                             SimdLevel level) {
  std::vector<Scored> list;
  score_rows(rows, query, candidates, level, [&](Index row, double score) {
    if (!is_finite(score)) throw NumericalError("the score of item " + std::to_string(row) + " is not finite");
    list.push_back({row, score});
  });
  std::sort(list.begin(), list.end(), ranks_before);
  return list;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
