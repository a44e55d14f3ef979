// SPDX-License-Identifier: MIT
#include <kindred/linalg/shared_panel.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>

#include "../support/hard_factors.hpp"
#include "../support/simd_levels.hpp"

namespace kd = kindred;

TEST_SUITE("linalg/shared_panel") {
  TEST_CASE_TEMPLATE("rows of several queries are scored once each, in their order, with the arithmetic of single rows", T, float, double) {
    kd::detail::Random random(2, kd::detail::RandomStream::sample, 4);
    kd::FactorMatrix<T> rows(100, 13);
    kindred_test::fill(rows, 0, random);
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {
      const kd::detail::ScoreKernels<T>& kernels = kd::detail::score_kernels<T>(level);
      kd::detail::SharedPanel<T> panel(&kernels, rows);
      kd::detail::TopKCounters counters;
      std::vector<std::vector<std::pair<kd::Index, T>>> got(6), wanted(6);
      const auto take = [&](std::size_t query, std::span<const kd::Index> some, const T* scores) {
        CHECK(some.size() <= kd::detail::score_group);
        for (std::size_t n = 0; n < some.size(); ++n) got[query].emplace_back(some[n], scores[n]);
      };
      kd::detail::AlignedVector<T> alone(rows.stride() * kd::detail::score_block), scores(kd::detail::score_block);
      for (std::size_t query = 0; query < 6; ++query) {
        const std::vector<kd::Index> some = kindred_test::random_rows(100, query == 3 ? 0.0 : 0.1 * static_cast<double>(query + 1), random);
        const T* const factors = rows.row(static_cast<kd::Index>(query)).data();
        panel.add(query, factors, some, counters, take);
        for (const kd::Index row : some) {
          kernels.pack(rows.data(), rows.stride(), &row, 1, 13, alone.data());
          kernels.score(&factors, 1, alone.data(), 1, 13, scores.data());
          wanted[query].emplace_back(row, scores[0]);
        }
      }
      panel.finish(take);
      CHECK(got == wanted);
      std::size_t all = 0;
      for (const auto& of_query : wanted) all += of_query.size();
      CHECK(counters.scores == all);
      panel.finish(take);  // nothing is left
      CHECK(got == wanted);
    }
  }
}
