// SPDX-License-Identifier: MIT
// The lesson: from interactions to a measured recommender in a dozen lines.
#include <kindred/kindred.hpp>

#include <iostream>

namespace kd = kindred;

int main() {
  kd::Dataset plays = kd::filter_active(kd::synthetic_listening());
  auto [train, test] = kd::PerUserSplitter({.test_fraction = 0.2}).split(plays.matrix);

  kd::ImplicitALS<float> als;
  als.fit(train);

  for (auto [item, score] : als.recommend(7, {.count = 5, .exclude = train.row(7)}))
    std::cout << plays.item_name(item) << "  " << score << "\n";

  std::cout << "precision at 10: " << kd::evaluate(als, train, test).at(10).precision.mean << "\n";
}
