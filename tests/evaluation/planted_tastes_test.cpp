// SPDX-License-Identifier: MIT
// The whole way from data to figures: where tastes were planted the model finds them, where none were it finds none.
#include <kindred/evaluation/evaluate.hpp>

#include <algorithm>

#include <doctest/doctest.h>

#include <kindred/data/synthetic.hpp>
#include <kindred/models/popularity_recommender.hpp>
#include <kindred/split/per_user_splitter.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"

namespace kd = kindred;

namespace {

struct Precision {
  double als;
  double popularity;  // of the strongest row
};

Precision precision_at_10(double taste_strength) {
  const kd::Dataset data =
      kd::synthetic_listening({.users = 800, .items = 600, .items_per_user = 30, .taste_strength = taste_strength, .seed = 7});
  const auto [train, test] = kd::PerUserSplitter({.test_fraction = 0.2, .seed = 1}).split(data.matrix);
  Precision result{};
  for (const kd::PopularityOptions::By by : {kd::PopularityOptions::By::summed_values, kd::PopularityOptions::By::users}) {
    kd::PopularityRecommender popularity({.by = by});
    popularity.fit(train);
    for (const kd::EvaluateOptions::SeenItems seen : {kd::EvaluateOptions::SeenItems::excluded, kd::EvaluateOptions::SeenItems::allowed})
      result.popularity = (std::max)(result.popularity, kd::evaluate(popularity, train, test, {.seen = seen}).at(10).precision.mean);
  }
  kd::AlsOptions options = kindred_test::play_counts();
  options.seed = 3;
  kd::ImplicitALS<float> als(options);
  als.fit(train);
  result.als = kd::evaluate(als, train, test).at(10).precision.mean;
  return result;
}

}  // namespace

TEST_SUITE("evaluation/planted tastes") {
  TEST_CASE("planted tastes: at least three times the strongest popularity row") {
    const Precision p = precision_at_10(0.8);
    CAPTURE(p.als);
    CAPTURE(p.popularity);
    CHECK(p.popularity > 0.0);
    CHECK(p.als >= 3.0 * p.popularity);
  }

  TEST_CASE("no tastes: at most a tenth better than popularity") {
    const Precision p = precision_at_10(0.0);
    CAPTURE(p.als);
    CAPTURE(p.popularity);
    CHECK(p.popularity > 0.0);
    CHECK(p.als <= 1.1 * p.popularity);
  }
}
