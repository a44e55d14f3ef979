// SPDX-License-Identifier: MIT
// HybridSVD's protocols on MovieLens 1M (Frolov and Oseledets, RecSys 2019): folds of users, and of films.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>

#include "../random_numbers.hpp"
#include "cases.hpp"
#include "movies.hpp"

namespace compare {

/// Of each user of a fold one film at random is held out, and ranked among all that the user does not have.
struct WarmFold {
  kd::CsrMatrix train;
  std::vector<std::pair<kd::Index, kd::Index>> held;  // user, film
};

[[nodiscard]] inline WarmFold warm_fold(const kd::CsrView& likes, std::uint64_t split, std::size_t fold, std::size_t count = 5) {
  const std::vector<std::size_t> folds = folds_of(likes.rows(), count, split);
  WarmFold made;
  std::vector<kd::Interaction> train;
  for (kd::Index u = 0; u < likes.rows(); ++u) {
    const kd::SparseRow row = likes.row(u);
    std::size_t out = row.size();
    if (folds[static_cast<std::size_t>(u)] == fold && !row.empty()) {
      examples::Random random(split, 3, static_cast<std::uint64_t>(u));
      out = random.below(static_cast<std::uint32_t>(row.size()));
      made.held.emplace_back(u, row.columns[out]);
    }
    for (std::size_t n = 0; n < row.size(); ++n)
      if (n != out) train.push_back({u, row.columns[n], 1.0F});
  }
  made.train = kd::CsrMatrix::from_triplets(likes.shape(), train);
  return made;
}

/// The films of a fold are hidden whole; all users are ranked for each of them, one of its users at random is the answer (`answers`: so many, one at a time).
struct ColdFold {
  std::vector<kd::Index> known;                        // films of train, by their numbers in likes
  kd::CsrMatrix train;                                 // users x known films
  std::vector<std::pair<kd::Index, kd::Index>> asked;  // film, user
};

[[nodiscard]] inline ColdFold cold_fold(const kd::CsrView& likes, const kd::FeatureTable& items, std::uint64_t split, std::size_t fold,
                                        std::size_t answers = 1) {
  const std::vector<std::size_t> folds = folds_of(likes.cols(), 5, split + 10);
  ColdFold made;
  const kd::CsrMatrix by_items = kd::transpose(likes);
  for (kd::Index i = 0; i < likes.cols(); ++i) {
    if (folds[static_cast<std::size_t>(i)] != fold) {
      made.known.push_back(i);
      continue;
    }
    const kd::SparseRow users = by_items.row(i);
    if (users.empty() || items.row(i).empty()) continue;
    examples::Random random(split, 3, static_cast<std::uint64_t>(i));
    for (std::size_t n = 0; n < answers; ++n)
      made.asked.emplace_back(i, users.columns[random.below(static_cast<std::uint32_t>(users.size()))]);
  }
  made.train = kd::select_columns(likes, made.known);
  return made;
}

}  // namespace compare
