// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/top_k.hpp>
#include <kindred/linalg/top_k_search.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0 {

/// Whether a list of what is similar may hold the very item or user that was asked about.
enum class SelfMatch { excluded, included };

/// What similar_items and similar_users return.
struct SimilarOptions {
  std::size_t count = 10;
  std::span<const Index> exclude = {};                         ///< Strictly increasing.
  std::optional<std::span<const Index>> allow = std::nullopt;  ///< If set, only these, strictly increasing.
  std::optional<double> min_score = std::nullopt;              ///< If set, only cosines at least this high.
  Candidates candidates = Candidates::trained;  ///< Whether those without an interaction in train may be listed (their cosine is 0).
  SelfMatch self = SelfMatch::excluded;
};

/// Where a list comes from.
enum class ListSource {
  model,       ///< The scores of the model.
  popularity,  ///< The number of users of an item, because nothing was known of whom it is for.
};

/// A list for somebody who may be unknown.
struct Recommendation {
  std::vector<Scored> items;
  ListSource source = ListSource::model;
};

/// What to answer where there are no interactions to go by.
enum class Fallback {
  none,        ///< An InvalidArgument: a model has no opinion about nobody.
  popularity,  ///< The items with the most users.
};

namespace detail {

/// Something derived that is made when first asked for, by const methods of many threads, and shared by copies of its owner.
template <typename T>
class Lazy {
 public:
  Lazy() = default;
  Lazy(const Lazy& other) : value_(other.get()) {}
  Lazy(Lazy&& other) noexcept : value_(std::move(other.value_)) {}
  Lazy& operator=(Lazy other) noexcept {
    value_ = std::move(other.value_);
    return *this;
  }
  ~Lazy() = default;

  template <typename Make>
  [[nodiscard]] std::shared_ptr<const T> get_or_make(const Make& make) const {
    const std::lock_guard lock(mutex_);
    if (!value_) value_ = std::make_shared<const T>(make());
    return value_;
  }
  [[nodiscard]] std::shared_ptr<const T> get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }
  void reset() noexcept { value_.reset(); }

 private:
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const T> value_;
};

/// Workspaces kept between const calls of many threads. They refer to their owner, so they do not go along when it is copied or moved.
template <typename T>
class Spares {
 public:
  Spares() = default;
  Spares(const Spares&) noexcept {}
  Spares& operator=(const Spares&) noexcept {
    clear();
    return *this;
  }
  ~Spares() = default;

  /// One that nobody uses, or a new one.
  template <typename Make>
  [[nodiscard]] std::unique_ptr<T> take(const Make& make) const {
    {
      const std::lock_guard lock(mutex_);
      if (!kept_.empty()) {
        std::unique_ptr<T> spare = std::move(kept_.back());
        kept_.pop_back();
        return spare;
      }
    }
    return std::make_unique<T>(make());
  }
  void give_back(std::unique_ptr<T> spare) const {
    const std::lock_guard lock(mutex_);
    kept_.push_back(std::move(spare));
  }
  void clear() noexcept { kept_.clear(); }

 private:
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<T>> kept_;
};

}  // namespace detail
}  // namespace kindred::inline v0

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Rows to find, their index, and the train counts that make a row a candidate.
template <Real Scalar>
struct Searched {
  const TopKIndex<Scalar>& index;
  const FactorMatrix<Scalar>& rows;
  std::span<const Index> counts;
};

/// One list. `query`: length factors; for cosines a row of a FactorMatrix.
template <Real Scalar>
[[nodiscard]] std::vector<Scored> one_list(const Searched<Scalar>& searched, const Scalar* query, const RecommendOptions& options,
                                           Similarity similarity = Similarity::inner_product) {
  const TopKRequest request = request_of(options, searched.counts);
  TopKSearch<Scalar> search(searched.index, searched.rows);
  return reranked(std::move(search.find({&query, 1}, {&request, 1}, similarity).front()), options);
}

/// The neighbours of row `self` by cosine.
template <Real Scalar>
[[nodiscard]] std::vector<Scored> neighbours(const Searched<Scalar>& searched, Index self, const SimilarOptions& options) {
  std::vector<Index> exclude(options.exclude.begin(), options.exclude.end());
  const auto place = std::lower_bound(exclude.begin(), exclude.end(), self);
  if (options.self == SelfMatch::excluded && (place == exclude.end() || *place != self)) exclude.insert(place, self);
  return one_list(searched, searched.rows.row(self).data(),
                  {.count = options.count,
                   .exclude = exclude,
                   .allow = options.allow,
                   .min_score = options.min_score,
                   .candidates = options.candidates},
                  Similarity::cosine);
}

/// The lists of `users`, whose factors are rows of `queries`.
template <Real Scalar>
[[nodiscard]] std::vector<std::vector<Scored>> many_lists(const Searched<Scalar>& searched, const FactorMatrix<Scalar>& queries,
                                                          std::span<const Index> users, const RecommendAllOptions& options) {
  std::vector<std::vector<Scored>> lists(users.size());
  const std::size_t share = (users.size() + resolve_threads(options.threads) - 1) / resolve_threads(options.threads);
  const ParallelOptions parallel{.threads = options.threads,
                                 .grain = (std::min)(TopKSearch<Scalar>::tile, (std::max)(std::size_t{8}, share))};
  std::vector<TopKSearch<Scalar>> searches;
  for (std::size_t n = 0; n < worker_count(users.size(), parallel); ++n) searches.emplace_back(searched.index, searched.rows);
  parallel_for(users.size(), parallel, [&](std::size_t first, std::size_t last, std::size_t worker) {
    std::vector<const Scalar*> factors;
    std::vector<TopKRequest> requests;
    for (std::size_t n = first; n < last; ++n) {
      factors.push_back(queries.row(users[n]).data());
      requests.push_back(request_of(options_of(users[n], options), searched.counts));
    }
    std::vector<std::vector<Scored>> found = searches[worker].find(factors, requests);
    for (std::size_t n = first; n < last; ++n)
      lists[n] = options.rerank ? reranked(std::move(found[n - first]), options_of(users[n], options)) : std::move(found[n - first]);
  });
  return lists;
}

/// The same to a sink, a few tiles a thread at a time: memory does not grow with the number of users.
template <Real Scalar>
void stream_lists(const Searched<Scalar>& searched, const FactorMatrix<Scalar>& queries, std::span<const Index> users,
                  const RecommendAllOptions& options, const ListSink& sink) {
  const std::size_t round = 8 * TopKSearch<Scalar>::tile * resolve_threads(options.threads);
  for (std::size_t first = 0; first < users.size(); first += round) {
    const std::span<const Index> some = users.subspan(first, (std::min)(round, users.size() - first));
    const std::vector<std::vector<Scored>> lists = many_lists(searched, queries, some, options);
    for (std::size_t n = 0; n < some.size(); ++n) sink(some[n], lists[n]);
  }
}

/// All of `candidates` by their scores, best first, ties by the lower row.
template <Real Scalar>
[[nodiscard]] std::vector<Scored> ranking_of(const Searched<Scalar>& searched, const Scalar* query, std::span<const Index> candidates) {
  std::vector<Scored> list = TopKSearch<Scalar>(searched.index, searched.rows).score(query, candidates);
  std::sort(list.begin(), list.end(), ranks_before);
  return list;
}

/// The eligible items with the most users.
[[nodiscard]] inline std::vector<Scored> most_used(std::span<const Index> counts, const RecommendOptions& options) {
  const TopKRequest request = request_of(options, counts);
  BestOf best((std::min)(request.count, counts.size()));
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const Scored candidate{static_cast<Index>(i), static_cast<double>(counts[i])};
    if (candidate.score >= request.min_score && best.would_enter(candidate) && is_eligible(request, candidate.item)) best.add(candidate);
  }
  return reranked(best.take(), options);
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
