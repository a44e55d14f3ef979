// SPDX-License-Identifier: MIT
// Scores and top-K lists the long way: one product after the other, every row, sorted. Shares no code with the library, and asks it one thing: whether a
// product that is added to a sum is rounded first.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/top_k.hpp>
#include <kindred/simd/level.hpp>
#include <kindred/simd/score_kernels.hpp>

namespace kindred_test {

/// Whether this build fuses the scores of `level`. Compiler, flags and processor decide together, so ask the library, once: 1 * 1 - (1 + e) * (1 - e) is e^2
/// if the last product is not rounded, and 0 if it is. That every other score keeps to the answer is what the tests are about.
template <typename T>
bool fuses(kindred::SimdLevel level) {
  constexpr T e = std::numeric_limits<T>::epsilon();
  const kindred::FactorMatrix<T> user(1, 2, std::vector<T>{1, -1 - e}), item(1, 2, std::vector<T>{1, 1 - e});
  const kindred::detail::ScoreKernels<T>& kernels = kindred::detail::score_kernels<T>(level);
  const T* const pointer = user.row(0).data();
  const kindred::Index row = 0;
  kindred::detail::AlignedVector<T> panel(2 * kindred::detail::score_block), score(kindred::detail::score_block);
  kernels.pack(item.data(), item.stride(), &row, 1, 2, panel.data());
  kernels.score(&pointer, 1, panel.data(), 1, 2, score.data());
  return score[0] != T(0);
}

/// One accumulator over the factors in their order.
template <typename T>
T plain_score(std::span<const T> x, std::span<const T> y, bool fused) {
  volatile T sum = 0;  // volatile, so that no compiler fuses or reorders by itself
  for (std::size_t f = 0; f < x.size(); ++f) {
    if (fused) {
      sum = std::fma(x[f], y[f], sum);
    } else {
      volatile const T product = x[f] * y[f];
      sum = sum + product;
    }
  }
  return sum;
}

/// The list that a request must get.
template <typename T>
std::vector<kindred::Scored> full_scan(const kindred::FactorMatrix<T>& rows, std::span<const T> query,
                                       const kindred::detail::TopKRequest& request, bool cosine, bool fused) {
  std::vector<kindred::Scored> list;
  const double length = std::sqrt(static_cast<double>(plain_score(query, query, fused)));
  for (kindred::Index r = 0; r < rows.rows(); ++r) {
    if (!request.counts.empty() && request.counts[static_cast<std::size_t>(r)] == 0) continue;
    if (std::find(request.exclude.begin(), request.exclude.end(), r) != request.exclude.end()) continue;
    if (request.allow && std::find(request.allow->begin(), request.allow->end(), r) == request.allow->end()) continue;
    auto score = static_cast<double>(plain_score(query, rows.row(r), fused));
    if (cosine) {
      const double lengths = length * std::sqrt(static_cast<double>(plain_score(rows.row(r), rows.row(r), fused)));
      score = lengths > 0.0 ? score / lengths : 0.0;
    }
    for (const kindred::detail::WeightedOffsets& one : request.offsets)
      if (!cosine && one.weight != 0.0F) score += one.offsets->of(one.weight, r);
    if (std::isnan(score) || score < request.min_score) continue;
    list.push_back({r, score});
  }
  std::stable_sort(list.begin(), list.end(), [](const kindred::Scored& a, const kindred::Scored& b) { return a.score > b.score; });
  if (list.size() > request.count) list.resize(request.count);
  return list;
}

}  // namespace kindred_test
