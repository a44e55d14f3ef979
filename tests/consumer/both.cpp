// SPDX-License-Identifier: MIT
// A program of two shared libraries that both use Kindred, and of its own use of it.
#include <kindred/core/error.hpp>
#include <kindred/data/synthetic.hpp>

#include <cstdio>

#include "sides.hpp"

int main() {
  const kindred::CsrMatrix train = kindred::synthetic_listening({.users = 60, .items = 40, .items_per_user = 8}).matrix;
  const double left = left_best_score(train), right = right_best_score(train);
  std::printf("%.3f %.3f\n", left, right);
  try {
    right_refuses();
  } catch (const kindred::Error& error) {
    std::printf("%s\n", error.what());
    return left == right ? 0 : 1;
  }
  return 1;
}
