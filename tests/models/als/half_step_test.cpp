// SPDX-License-Identifier: MIT
#include <kindred/models/als/half_step.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/models/implicit_als.hpp>

#include "../../support/als_instances.hpp"

namespace kd = kindred;

TEST_SUITE("models/half_step") {
  TEST_CASE("items that nearly all of 70,000 users have: the same bytes for any number of threads, and the solution of doubles") {
    constexpr kd::Index users = 70'000, items = 9;
    std::vector<kd::Interaction> plays;
    kd::detail::Random random(1, kd::detail::RandomStream::sample, 9);
    for (kd::Index u = 0; u < users; ++u)
      for (kd::Index i = 0; i < items; ++i)
        if (random.uniform() < 1.0 - 0.11 * i) plays.push_back({u, i, static_cast<float>(1 + random.below(5))});
    const kd::CsrMatrix train = kd::CsrMatrix::from_triplets({users, items}, plays);
    const kd::AlsOptions options{
        .factors = 4, .regularization = 3.0, .iterations = 2, .units = kd::Units::paper, .confidence = {.alpha = 0.5}};
    kd::ImplicitALS<float> one(options);
    const kd::FitReport report = one.fit(train, {.record_loss = true, .execution = {.threads = 1}});
    for (const std::size_t threads : {2u, 3u, 7u, 16u, 40u}) {
      kd::ImplicitALS<float> other(options);
      other.fit(train, {.execution = {.threads = threads}});
      CHECK(other.user_factors().same_bytes(one.user_factors()));
      CHECK(other.item_factors().same_bytes(one.item_factors()));
    }
    kd::ImplicitALS<double> precise(options);
    const kd::FitReport wanted = precise.fit(train, {.record_loss = true});
    CHECK(report.iterations.back().loss->total == doctest::Approx(wanted.iterations.back().loss->total).epsilon(1e-6));
    for (kd::Index i = 0; i < items; ++i) CHECK(std::abs(one.predict(123, i) - precise.predict(123, i)) < 1e-4);
  }
}
