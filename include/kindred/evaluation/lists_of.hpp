// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0::detail {

/// The lists of `users` from any model, through its batch call where it has one.
template <RecommenderModel Model>
[[nodiscard]] RankedLists recommend_block(const Model& model, std::span<const Index> users, const RecommendAllOptions& options) {
  if constexpr (BatchRecommenderModel<Model>) {
    return checked_lists(model.recommend_all(users, options), users.size());
  } else {
    std::vector<std::vector<Scored>> lists;
    for (const Index user : users) lists.push_back(model.recommend(user, options_of(user, options)));
    return RankedLists(std::move(lists));
  }
}

/// A model of any type, as evaluate sees it: its shape and a function that makes the lists of some users. The model must outlive it.
struct ListsOf {
  const void* model;
  RankedLists (*lists)(const void* model, std::span<const Index> users, const RecommendAllOptions& options);
  MatrixShape shape;
};

template <RecommenderModel Model>
[[nodiscard]] ListsOf lists_of(const Model& model) {
  return {std::addressof(model),
          [](const void* any, std::span<const Index> users, const RecommendAllOptions& options) {
            return recommend_block(*static_cast<const Model*>(any), users, options);
          },
          model.shape()};
}

}  // namespace kindred::inline v0::detail
