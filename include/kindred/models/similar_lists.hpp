// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/cosine_index.hpp>
#include <kindred/linalg/cosine_search.hpp>
#include <kindred/linalg/top_k_request.hpp>
#include <kindred/models/factor_lists.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Rows among which similar ones are found, their index, and the train counts that make a row a candidate.
template <Real Scalar>
struct SimilarRows {
  const CosineIndex<Scalar>& index;
  const FactorMatrix<Scalar>& rows;
  std::span<const Index> counts;

  /// Whether a row has a direction, and a list.
  [[nodiscard]] bool has_list(Index row) const noexcept { return is_known(rows.row(row)); }

  [[nodiscard]] TopKRequest request(Index row, const SimilarOptions& options) const {
    TopKRequest request = request_of({.count = options.count, .exclude = options.exclude, .filter = options.filter}, counts);
    if (options.self == SimilarOptions::SelfMatch::excluded) request.without = row;
    return request;
  }
};

/// The list of one row; empty where its factors are zero.
template <Real Scalar>
[[nodiscard]] std::vector<Scored> similar_list(const SimilarRows<Scalar>& searched, Index row, const SimilarOptions& options) {
  if (!searched.has_list(row)) return {};
  const TopKRequest request = searched.request(row, options);
  CosineSearch<Scalar> search(searched.index, searched.rows);
  return finished(std::move(search.find({&row, 1}, {&request, 1}).front()), {});
}

/// The lists of `asked`, in that order.
template <Real Scalar>
[[nodiscard]] RankedLists similar_lists(const SimilarRows<Scalar>& searched, std::span<const Index> asked, const SimilarOptions& options,
                                        const Execution& execution) {
  std::vector<std::vector<Scored>> lists(asked.size());
  std::vector<ListSource> sources(asked.size(), ListSource::none);
  // By place in the index, with the place in `asked`: a tile of like rows searches the same blocks.
  std::vector<std::pair<std::size_t, std::size_t>> order;
  for (std::size_t n = 0; n < asked.size(); ++n)
    if (searched.has_list(asked[n])) order.emplace_back(searched.index.place(asked[n]), n);
  std::sort(order.begin(), order.end());
  constexpr std::size_t tile = CosineSearch<Scalar>::tile;
  const std::size_t threads = order.size() <= 8 ? 1 : resolve_threads(execution.threads), share = (order.size() + threads - 1) / threads;
  const ParallelOptions parallel{
      .threads = threads, .grain = (std::min)(tile, (std::max)(std::size_t{8}, share)), .executor = execution.executor};
  std::vector<CosineSearch<Scalar>> searches;
  for (std::size_t n = 0; n < worker_count(order.size(), parallel); ++n) searches.emplace_back(searched.index, searched.rows);
  parallel_for(order.size(), parallel, [&](std::size_t first, std::size_t last, std::size_t worker) {
    std::vector<Index> rows;
    std::vector<TopKRequest> requests;
    for (std::size_t n = first; n < last; ++n) {
      rows.push_back(asked[order[n].second]);
      requests.push_back(searched.request(rows.back(), options));
    }
    std::vector<std::vector<Scored>> found = searches[worker].find(rows, requests);
    for (std::size_t n = first; n < last; ++n) {
      lists[order[n].second] = finished(std::move(found[n - first]), {});
      sources[order[n].second] = ListSource::model;
    }
  });
  return RankedLists(std::move(lists), std::move(sources));
}

/// The lists of `asked` to a sink.
template <Real Scalar>
void stream_similar(const SimilarRows<Scalar>& searched, std::span<const Index> asked, const SimilarOptions& options,
                    const Execution& execution, const ListSink& sink) {
  // The more lists are made at a time, the more alike are those of a tile: 64 tiles take a fifth less time than 8.
  constexpr std::size_t tile = CosineSearch<Scalar>::tile, most_entries = std::size_t{1} << 18;
  const std::size_t tiles = (std::clamp)(most_entries / tile / (std::max)(std::size_t{1}, options.count), std::size_t{8}, std::size_t{64});
  hand_over(asked, tiles * tile, execution, sink,
            [&](std::span<const Index> some, const Execution& run) { return similar_lists(searched, some, options, run); });
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
