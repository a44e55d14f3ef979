// SPDX-License-Identifier: MIT
// The same as main.cpp where the question is only how the library is found: compiled in no time.
#include <kindred/data/csr_matrix.hpp>
#include <kindred/models/popularity_recommender.hpp>

#include <cstdio>

int main() {
  const kindred::CsrMatrix train({.users = 2, .items = 3}, {0, 2, 3}, {0, 1, 1}, {1.0F, 2.0F, 5.0F});
  kindred::PopularityRecommender popularity;
  popularity.fit(train);
  const auto list = popularity.recommend(0, {.count = 3});
  for (const kindred::Scored& scored : list) std::printf("%d %.1f\n", static_cast<int>(scored.item), scored.score);
  return list.front().item == 1 ? 0 : 1;
}
