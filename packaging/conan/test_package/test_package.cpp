// SPDX-License-Identifier: MIT
#include <kindred/data/csr_matrix.hpp>
#include <kindred/models/popularity_recommender.hpp>
#include <kindred/version.hpp>

#include <cstdio>

int main() {
  const kindred::CsrMatrix train({.users = 2, .items = 3}, {0, 2, 3}, {0, 1, 1}, {1.0F, 2.0F, 5.0F});
  kindred::PopularityRecommender popularity;
  popularity.fit(train);
  std::printf("kindred %d.%d.%d\n", KINDRED_VERSION_MAJOR, KINDRED_VERSION_MINOR, KINDRED_VERSION_PATCH);
  return popularity.recommend(0, {.count = 1}).front().item == 1 ? 0 : 1;
}
