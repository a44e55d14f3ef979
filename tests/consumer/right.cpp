// SPDX-License-Identifier: MIT
// The other shared library: the same model, and an error for whoever asks.
#include <kindred/kindred.hpp>

#include "sides.hpp"

double right_best_score(const kindred::CsrMatrix& train) {
  kindred::ImplicitALS<float> als({.factors = 8, .iterations = 3, .units = kindred::Units::paper});
  als.fit(train);
  return als.recommend(0, {.count = 1, .exclude = train.row(0)}).front().score;
}

void right_refuses() { kindred::PopularityRecommender().recommend(0); }
