// SPDX-License-Identifier: MIT
// One of two shared libraries that use Kindred inside, each for itself, and throw its errors across their borders.
#include <kindred/kindred.hpp>

#include "sides.hpp"

double left_best_score(const kindred::CsrMatrix& train) {
  kindred::ImplicitALS<float> als({.factors = 8, .iterations = 3, .units = kindred::Units::paper});
  als.fit(train);
  return als.recommend(0, {.count = 1, .exclude = train.row(0)}).front().score;
}
