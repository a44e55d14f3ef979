// SPDX-License-Identifier: MIT
// A program that has its data in Eigen, after find_package(kindred COMPONENTS eigen).
#include <kindred/eigen.hpp>
#include <kindred/models/popularity_recommender.hpp>

#include <vector>

int main() {
  const std::vector<Eigen::Triplet<float>> plays{{0, 0, 1.0F}, {0, 1, 2.0F}, {1, 1, 5.0F}};
  Eigen::SparseMatrix<float, Eigen::RowMajor> matrix(2, 3);
  matrix.setFromTriplets(plays.begin(), plays.end());
  kindred::PopularityRecommender popularity;
  popularity.fit(kindred::EigenRows(matrix));
  return popularity.recommend(0, {.count = 1}).front().item == 1 ? 0 : 1;
}
