// SPDX-License-Identifier: MIT
#include <kindred/models/als/automatic.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/data/synthetic.hpp>
#include <kindred/models/implicit_als.hpp>

#include "../../support/als_instances.hpp"
#include "../../support/random_matrix.hpp"
#include "../../support/same.hpp"
#include "../../support/streamed_matrix.hpp"

namespace kd = kindred;

namespace {

const kd::CsrMatrix& heard() {
  static const kd::CsrMatrix matrix = kd::synthetic_listening({.users = 600, .items = 400, .items_per_user = 25}).matrix;
  return matrix;
}

/// Two camps: the users of each like items of its half alone, at random.
kd::CsrMatrix two_camps() {
  kd::detail::Random random(3, kd::detail::RandomStream::sample);
  std::vector<kd::Interaction> likes;
  for (kd::Index u = 0; u < 400; ++u)
    for (kd::Index i = 0; i < 200; ++i)
      if ((u < 200) == (i < 100) && random.uniform() < 0.15) likes.push_back({u, i, 1.0F});
  return kd::CsrMatrix::from_triplets({400, 200}, likes);
}

kd::AlsOptions chosen_for(const kd::CsrView& train, const kd::AlsOptions& asked = {}) {
  kd::ImplicitALS<float> als(asked);
  return als.fit(train).options;
}

kd::CsrMatrix times(const kd::CsrMatrix& matrix, float factor) {
  std::vector<float> values(matrix.values().begin(), matrix.values().end());
  for (float& value : values) value *= factor;
  return kd::CsrMatrix(matrix.shape(), {matrix.offsets().begin(), matrix.offsets().end()},
                       {matrix.columns().begin(), matrix.columns().end()}, values);
}

}  // namespace

TEST_SUITE("models/als_automatic") {
  TEST_CASE("the report names everything that was chosen, and such options fit the same model") {
    kd::ImplicitALS<float> als;
    const kd::FitReport report = als.fit(heard());
    CHECK(report.choice_seconds > 0.0);
    const kd::AlsOptions& all = report.options;
    CHECK(*all.factors == 128);
    CHECK(*all.iterations == 3);
    CHECK(*all.background.ratio == 15.0);
    CHECK(*all.regularization >= 0.03);
    CHECK(*all.regularization <= 0.6);
    CHECK(*all.start.kind == kd::Start::spectral);
    CHECK_FALSE(als.options().regularization.has_value());  // as they were given
    kd::ImplicitALS<float> again(all);
    const kd::FitReport second = again.fit(heard());
    CHECK(second.choice_seconds == 0.0);
    CHECK(kindred_test::same_model(als, again));
  }

  TEST_CASE("data of taste get a lower penalty than data of chance") {
    const kd::CsrMatrix chance = kindred_test::random_matrix(400, 200, 0.075, 7);
    CHECK(*chosen_for(heard()).regularization < *chosen_for(chance).regularization);
    // Chance is worth its own copy: S is 1 but for noise.
    CHECK(*chosen_for(chance).regularization == 0.25);                                        // the highest where rows are long
    CHECK(*chosen_for(kindred_test::random_matrix(400, 200, 0.02, 7)).regularization > 0.4);  // 4 likes a user, 8 an item
  }

  TEST_CASE("what is set stays") {
    kd::AlsOptions asked{.factors = 9, .regularization = 0.07};
    asked.background.ratio = 3.0;
    const kd::AlsOptions all = chosen_for(heard(), asked);
    CHECK(*all.factors == 9);
    CHECK(*all.regularization == 0.07);
    CHECK(*all.background.ratio == 3.0);
    CHECK(all.background.item_exponent.has_value());
  }

  TEST_CASE("a factor on all values changes no byte if it is a power of two, and rounding alone if it is not") {
    const kd::AlsOptions asked{.factors = 12};
    kd::ImplicitALS<float> plain(asked), doubled(asked), tripled(asked);
    plain.fit(heard());
    doubled.fit(times(heard(), 0.0625F));
    tripled.fit(times(heard(), 3.0F));
    CHECK(kindred_test::same_model(plain, doubled));
    for (kd::Index u = 0; u < 20; ++u)
      for (kd::Index i = 0; i < 20; ++i) CHECK(tripled.predict(u, i) == doctest::Approx(plain.predict(u, i)).epsilon(1e-3).scale(0.1));
  }

  TEST_CASE("a single repeated value is as good as 1") {
    kd::ImplicitALS<float> ones({.factors = 8}), sevens({.factors = 8});
    const kd::CsrMatrix camps = two_camps();
    ones.fit(camps);
    sevens.fit(times(camps, 7.0F));
    CHECK(kindred_test::same_model(ones, sevens));
  }

  TEST_CASE("dislikes count neither for counts nor for the choice; without a like there is nothing to learn") {
    std::vector<kd::Interaction> entries;
    for (kd::Index u = 0; u < heard().rows(); ++u) {
      for (std::size_t n = 0; n < heard().row(u).size(); ++n) entries.push_back({u, heard().row(u).columns[n], heard().row(u).values[n]});
      kd::Index disliked = 0;
      while (std::binary_search(heard().row(u).columns.begin(), heard().row(u).columns.end(), disliked)) ++disliked;
      entries.push_back({u, disliked, -1.0F});
    }
    const kd::CsrMatrix both = kd::CsrMatrix::from_triplets(heard().shape(), entries);
    CHECK(*chosen_for(both).regularization == *chosen_for(heard()).regularization);
    CHECK(*chosen_for(both).background.item_exponent == *chosen_for(heard()).background.item_exponent);
    CHECK_THROWS_WITH_AS(chosen_for(times(heard(), -1.0F)), doctest::Contains("train is without a value above 0"), kd::InvalidArgument);
  }

  TEST_CASE("the same for any number of threads, and for rows that come in blocks") {
    kd::ImplicitALS<float> one({.factors = 10}), three({.factors = 10}), streamed({.factors = 10});
    one.fit(heard(), {.execution = {.threads = 1}});
    three.fit(heard(), {.execution = {.threads = 3}});
    streamed.fit(kindred_test::StreamedMatrix(heard(), 37));
    CHECK(kindred_test::same_model(one, three));
    CHECK(kindred_test::same_model(one, streamed));
  }

  TEST_CASE("small and odd shapes") {
    CHECK_NOTHROW(chosen_for(kd::CsrMatrix({1, 1}, {0, 1}, {0}, {3})));
    CHECK_NOTHROW(chosen_for(kd::CsrMatrix({1, 5}, {0, 2}, {1, 3}, {3, 1})));
    CHECK_NOTHROW(chosen_for(kd::CsrMatrix({4, 1}, {0, 1, 1, 2, 2}, {0, 0}, {1, 1})));
    CHECK_NOTHROW(chosen_for(kd::CsrMatrix({2, 2}, {0, 1, 2}, {0, 1}, {1e-30F, 1e30F})));
  }

  TEST_CASE("the choice can be cancelled, and leaves the model as it was") {
    kd::ImplicitALS<float> als({.factors = 4});
    als.fit(two_camps());
    const kd::ImplicitALS<float> before = als;
    const auto cancel = [](const kd::Progress& progress) {
      return progress.what == "choosing options" ? kd::ProgressAnswer::cancel : kd::ProgressAnswer::keep_going;
    };
    CHECK_THROWS_AS(als.fit(heard(), {.progress = cancel}), kd::Cancelled);
    CHECK(kindred_test::same_model(als, before));
  }
}
