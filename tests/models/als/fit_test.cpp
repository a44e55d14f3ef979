// SPDX-License-Identifier: MIT
#include <kindred/models/als/fit.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/data/events.hpp>
#include <kindred/data/synthetic.hpp>
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/split/per_user_splitter.hpp>

#include "../../support/als_instances.hpp"
#include "../../support/als_settings.hpp"
#include "../../support/random_matrix.hpp"

namespace kd = kindred;

namespace {

using Model = kd::ImplicitALS<float>;

const kd::CsrMatrix& watched() {
  static const kd::CsrMatrix matrix = kd::synthetic_listening({.users = 200, .items = 120, .items_per_user = 15}).matrix;
  return matrix;
}

Model model_of(std::size_t iterations) {
  kd::AlsOptions options = kindred_test::small_als();
  options.iterations = iterations;
  return Model(options);
}

/// A score that says `told` one after the other.
Model::FitOptions scored(std::vector<double> told, std::size_t patience) {
  Model::FitOptions fit{.patience = patience};
  fit.score = [told = std::move(told), n = std::size_t{0}](const Model&) mutable { return told.at(n++); };
  return fit;
}

/// `a` and `b` have the same factors and eigenvalues.
void check_same(const Model& a, const Model& b) {
  CHECK(a.user_factors().same_bytes(b.user_factors()));
  CHECK(a.item_factors().same_bytes(b.item_factors()));
  REQUIRE(a.eigenvalues().size() == b.eigenvalues().size());
  for (std::size_t f = 0; f < a.eigenvalues().size(); ++f) CHECK(a.eigenvalues()[f] == b.eigenvalues()[f]);
}

}  // namespace

TEST_SUITE("models/als_fit") {
  TEST_CASE("fit keeps the iteration of the best score and stops when patience is used up") {
    Model model = model_of(9);
    const kd::FitReport report = model.fit(watched(), scored({.1, .3, .2, .3, .1}, 2));
    CHECK(report.stop == kd::FitReport::Stop::score);
    CHECK(report.iterations.size() == 4);
    CHECK(report.kept_iteration == 2);  // the first of equals
    REQUIRE(report.iterations[2].score.has_value());
    CHECK(*report.iterations[2].score == .2);
    Model two = model_of(2);
    two.fit(watched());
    check_same(model, two);
    CHECK(model.recommend(3, {.count = 5}) == two.recommend(3, {.count = 5}));
  }

  TEST_CASE("a later improvement within the patience counts, and the last iteration ends fit as ever") {
    Model model = model_of(5);
    const kd::FitReport report = model.fit(watched(), scored({.3, .2, .2, .4, .1}, 3));
    CHECK(report.stop == kd::FitReport::Stop::iterations);
    CHECK(report.iterations.size() == 5);
    CHECK(report.kept_iteration == 4);
    Model four = model_of(4);
    four.fit(watched());
    check_same(model, four);
  }

  TEST_CASE("without a score the last iteration is kept") {
    Model model = model_of(3);
    const kd::FitReport report = model.fit(watched());
    CHECK(report.kept_iteration == 3);
    CHECK_FALSE(report.iterations.back().score.has_value());
  }

  TEST_CASE("a ranking metric on an inner split is a score") {
    const kd::TrainTestSplit inner = kd::PerUserSplitter({.seed = 7}).split(watched());
    std::vector<double> seen;
    const auto ndcg = [&](const Model& so_far) {
      seen.push_back(kd::evaluate(so_far, inner.train, inner.test, {.cutoffs = {10}}).at(10).ndcg.mean);
      return seen.back();
    };
    Model model = model_of(12);
    const kd::FitReport report = model.fit(inner.train, {.score = ndcg, .patience = 2});
    REQUIRE(report.kept_iteration >= 1);
    const double kept = seen[report.kept_iteration - 1];
    for (const double value : seen) CHECK(value <= kept);
    CHECK(kd::evaluate(model, inner.train, inner.test, {.cutoffs = {10}}).at(10).ndcg.mean == kept);
  }

  TEST_CASE("options of the score are checked, and whatever fails leaves the model alone") {
    Model model = model_of(3);
    model.fit(watched());
    const Model before = model;
    CHECK_THROWS_AS(model.fit(watched(), scored({.1, std::numeric_limits<double>::quiet_NaN()}, 2)), kd::InvalidArgument);
    CHECK_THROWS_AS(model.fit(watched(), scored({.1}, 0)), kd::InvalidArgument);
    Model::FitOptions kept = scored({.1, .1, .1}, 2);
    kept.on_snapshot = [](const kd::FitSnapshot<float>&) {};
    CHECK_THROWS_AS(model.fit(watched(), kept), kd::InvalidArgument);
    check_same(model, before);
    Model fresh = model_of(3);
    const kd::MemoryEstimate needs = kd::estimate_memory<float>(200, 120, watched().nnz(), fresh.options(), {});
    Model::FitOptions limited = scored({.1, .1, .1}, 3);
    limited.memory_limit = needs.total() + needs.factors - 1;
    CHECK_THROWS_AS(fresh.fit(watched(), limited), kd::InvalidArgument);
    *limited.memory_limit += 1;
    CHECK(fresh.fit(watched(), limited).kept_iteration == 1);
  }

  TEST_CASE("the mean of Units::data is that of values without decay, by hand") {
    const std::vector<std::string> users{"a", "a", "b"}, items{"x", "y", "y"};
    const std::vector<float> values{1, 3, 2};
    const std::vector<std::int64_t> times{0, 20, 30};
    const kd::Events events{.users = users, .items = items, .values = values, .times = times};
    // Without decay .5, 1.5 and 1; ages 3, 1 and 0 in half-lives.
    const kd::Dataset data = events.dataset({.half_life_seconds = 10});
    REQUIRE(data.matrix == kd::CsrMatrix({2, 2}, {0, 2, 3}, {0, 1, 1}, {0.0625F, 0.75F, 1.0F}));
    const auto constants = [&](kd::Confidence curve, bool without_decay) {
      Model model({.factors = 2, .confidence = {.curve = curve}});
      model.fit(data.matrix, without_decay ? Model::FitOptions{.undecayed = data.undecayed} : Model::FitOptions{});
      return model.weights().state().constants;
    };
    CHECK(constants(kd::Confidence::linear, true).mean_strength == 1.0);
    CHECK(constants(kd::Confidence::linear, false).mean_strength == doctest::Approx((0.0625 + 0.75 + 1.0) / 3.0));
    const kd::detail::ValueConstants log = constants(kd::Confidence::log, true);
    CHECK(log.log_scale == doctest::Approx(0.55));  // the 5 % quantile of .5, 1, 1.5
    CHECK(log.mean_strength == doctest::Approx((std::log1p(0.5 / 0.55) + std::log1p(1.5 / 0.55) + std::log1p(1.0 / 0.55)) / 3.0));
    CHECK(constants(kd::Confidence::log, false).log_scale == doctest::Approx(0.13125));
    // So a pair of one half-life counts half of what it would have when fresh: base + (1 - base) 1.5 / 2.
    Model model({.factors = 2, .confidence = {.curve = kd::Confidence::linear, .base = 0.25}});
    model.fit(data.matrix, {.undecayed = data.undecayed});
    CHECK(model.weights().strength(0.75F, 1, 1) == doctest::Approx(0.75).epsilon(1e-12));
    CHECK(model.weights().state().constants.mean_strength == 1.0);
  }

  TEST_CASE("values without decay: the same as train, of other signs, and refused") {
    const kd::CsrMatrix train = kindred_test::random_matrix(30, 20, 0.3, 5);
    Model plain({.factors = 4}), same({.factors = 4});
    plain.fit(train);
    same.fit(train, {.undecayed = train.values()});
    check_same(plain, same);
    // A like of old that a fresh dislike turned: likes are those of train.
    const kd::CsrMatrix turned({2, 2}, {0, 2, 3}, {0, 1, 1}, {-0.5F, 2.0F, 1.0F});
    const std::vector<float> before{3.0F, 2.0F, 1.0F};
    Model model({.factors = 2, .confidence = {.curve = kd::Confidence::linear}});
    model.fit(turned, {.undecayed = before});
    CHECK(model.weights().state().constants.mean_strength == 2.0);
    CHECK(model.weights().state().constants.user_likes == std::vector<kd::Index>{1, 1});
    const std::vector<float> few{1.0F}, dislikes{-1.0F, -1.0F, -1.0F}, odd{1.0F, std::numeric_limits<float>::infinity(), 1.0F};
    CHECK_THROWS_AS(model.fit(turned, {.undecayed = few}), kd::ShapeError);
    CHECK_THROWS_AS(model.fit(turned, {.undecayed = dislikes}), kd::InvalidArgument);
    CHECK_THROWS_AS(model.fit(turned, {.undecayed = odd}), kd::InvalidArgument);
  }
}
