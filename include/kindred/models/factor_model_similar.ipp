// SPDX-License-Identifier: MIT
#pragma once

// The bodies of models/factor_model.hpp that are about similar items and users: included by factor_model.ipp.

#include <cstddef>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/cosine_index.hpp>
#include <kindred/models/factor_lists.hpp>
#include <kindred/models/factor_model.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/models/similar_lists.hpp>
#include <kindred/simd/level.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Calls `body` with rows and their index of cosines: the one that `kept` makes, or one of another level of instructions.
template <Real Scalar, typename Body>
auto with_similar_rows(const FactorMatrix<Scalar>& rows, std::span<const Index> counts, const Lazy<CosineIndex<Scalar>>& kept,
                       SimdLevel own, const Execution& run, std::string_view noun, Body&& body) {
  const auto make = [&](SimdLevel level) {
    require_finite(rows, noun);
    return CosineIndex<Scalar>(rows, level, loop_of(run, 1));
  };
  if (run.simd == SimdLevel::best || resolve_level(run.simd) == resolve_level(own))
    return body(SimilarRows<Scalar>{kept.get_or_make([&] { return make(own); }), rows, counts});
  const CosineIndex<Scalar> other = make(run.simd);
  return body(SimilarRows<Scalar>{other, rows, counts});
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

namespace kindred::inline v0::inline KINDRED_BUILD {

template <Real Scalar>
std::vector<Index> FactorModel<Scalar>::all_of(Index count) {
  std::vector<Index> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), Index{0});
  return all;
}

template <Real Scalar>
template <typename Body>
auto FactorModel<Scalar>::with_similar_items(const Execution& run, Body&& body) const {
  return detail::with_similar_rows<Scalar>(items_, item_counts_, similar_items_, simd_, run, "item", body);
}

template <Real Scalar>
template <typename Body>
auto FactorModel<Scalar>::with_similar_users(const Execution& run, Body&& body) const {
  return detail::with_similar_rows<Scalar>(users_, user_counts_, similar_users_, simd_, run, "user", body);
}

template <Real Scalar>
void FactorModel<Scalar>::check_similar_items(std::span<const Index> items, const SimilarOptions& options,
                                              const Execution& execution) const {
  require_fitted();
  for (const Index item : items) detail::check_item(item, shape());
  detail::check_filters(options.exclude, options.filter, "an item", shape().items);
  detail::check_threads(execution.threads);
}

template <Real Scalar>
std::vector<Scored> FactorModel<Scalar>::similar_items(Index item, const SimilarOptions& options) const {
  constexpr Execution alone{.threads = 1};
  check_similar_items({&item, 1}, options, alone);
  return with_similar_items(alone, [&](const auto& searched) { return detail::similar_list(searched, item, options); });
}

template <Real Scalar>
RankedLists FactorModel<Scalar>::similar_items_all(std::span<const Index> items, const SimilarOptions& options,
                                                   const Execution& execution) const {
  check_similar_items(items, options, execution);
  return with_similar_items(execution, [&](const auto& searched) { return detail::similar_lists(searched, items, options, execution); });
}

template <Real Scalar>
void FactorModel<Scalar>::similar_items_all(std::span<const Index> items, const SimilarOptions& options, const Execution& execution,
                                            const detail::ListSink& sink) const {
  check_similar_items(items, options, execution);
  with_similar_items(execution, [&](const auto& searched) { detail::stream_similar(searched, items, options, execution, sink); });
}

template <Real Scalar>
void FactorModel<Scalar>::check_similar_users(std::span<const Index> users, const SimilarOptions& options,
                                              const Execution& execution) const {
  require_fitted();
  for (const Index user : users) detail::check_user(user, shape());
  detail::check_filters(options.exclude, options.filter, "a user", shape().users);
  detail::check_threads(execution.threads);
}

template <Real Scalar>
std::vector<Scored> FactorModel<Scalar>::similar_users(Index user, const SimilarOptions& options) const {
  constexpr Execution alone{.threads = 1};
  check_similar_users({&user, 1}, options, alone);
  return with_similar_users(alone, [&](const auto& searched) { return detail::similar_list(searched, user, options); });
}

template <Real Scalar>
RankedLists FactorModel<Scalar>::similar_users_all(std::span<const Index> users, const SimilarOptions& options,
                                                   const Execution& execution) const {
  check_similar_users(users, options, execution);
  return with_similar_users(execution, [&](const auto& searched) { return detail::similar_lists(searched, users, options, execution); });
}

template <Real Scalar>
void FactorModel<Scalar>::similar_users_all(std::span<const Index> users, const SimilarOptions& options, const Execution& execution,
                                            const detail::ListSink& sink) const {
  check_similar_users(users, options, execution);
  with_similar_users(execution, [&](const auto& searched) { detail::stream_similar(searched, users, options, execution, sink); });
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
