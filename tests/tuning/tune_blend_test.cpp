// SPDX-License-Identifier: MIT
#include <kindred/tuning/tune_blend.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/data/synthetic.hpp>

#include "../support/als_instances.hpp"
#include "../support/random_matrix.hpp"

namespace kd = kindred;
using doctest::Contains;

namespace {

const kd::CsrMatrix& blend_data() {
  static const kd::CsrMatrix matrix =
      kd::synthetic_listening({.users = 500, .items = 300, .items_per_user = 25, .taste_strength = 0.8}).matrix;
  return matrix;
}

kd::BlendTuneOptions small_blend_tune(std::size_t trials = 10) {
  kd::BlendTuneOptions options{.trials = trials};
  options.base.factors.factors = 8;
  return options;
}

}  // namespace

TEST_SUITE("tuning/tune_blend") {
  TEST_CASE("the first trial is the base; the choice is tied with the best and nearest to it, with neighbours") {
    const kd::BlendTuneResult found = kd::tune_blend(blend_data(), small_blend_tune(32));
    REQUIRE(found.trials.size() >= 10);
    CHECK(found.trials[0].distance == 0.0);
    CHECK(found.trials[0].options.weight == kd::BlendedOptions{}.weight);
    CHECK(found.users > 400);
    const auto& best = found.trials[found.best];
    CHECK(best.tied);
    double alone = -1.0;
    std::size_t weights = 0, graphs = 0, penalties = 0;
    for (const auto& trial : found.trials) {
      if (trial.options.weight == 0.0) {
        alone = std::max(alone, trial.metric.mean);
        continue;
      }
      if (trial.options.neighbours.popularity == found.options.neighbours.popularity) {
        CHECK(trial.metric.mean <= best.metric.mean);
        if (trial.tied) CHECK(trial.distance >= found.trials[found.chosen].distance);
      }
      CHECK(trial.tied == (trial.behind_best.mean <= trial.behind_best.standard_error));
      weights += trial.options.weight != found.trials[0].options.weight ? 1U : 0U;
      graphs += trial.options.neighbours.popularity != found.trials[0].options.neighbours.popularity ? 1U : 0U;
      penalties += trial.options.factors.regularization != found.trials[0].options.factors.regularization ? 1U : 0U;
    }
    CHECK(std::min({weights, graphs, penalties}) > 0);
    CHECK(found.options.weight > 0.0);
    CHECK(found.options.weight == found.trials[found.chosen].options.weight);
    REQUIRE(alone >= 0.0);
    CHECK(found.gain.mean == doctest::Approx(found.trials[found.chosen].metric.mean - alone));
    CHECK(found.neighbours_help == (found.gain.mean > 2.0 * found.gain.standard_error));
    CHECK_NOTHROW(kd::validate(found.options));
    kd::BlendedRecommender<float> tuned(found.options);
    CHECK(tuned.fit(blend_data()).options.factors == 8U);
  }

  TEST_CASE("again, and with other numbers of threads, the same") {
    kd::BlendTuneOptions options = small_blend_tune();
    const kd::BlendTuneResult one = kd::tune_blend(blend_data(), options);
    for (const std::size_t threads : {std::size_t{1}, std::size_t{3}}) {
      options.execution.threads = threads;
      const kd::BlendTuneResult other = kd::tune_blend(blend_data(), options);
      CHECK(std::equal(one.trials.begin(), one.trials.end(), other.trials.begin(), other.trials.end(), [](const auto& a, const auto& b) {
        return a.metric.mean == b.metric.mean && a.options.weight == b.options.weight && a.distance == b.distance;
      }));
    }
  }

  TEST_CASE("one trial is the base, its factors alone and the long fit") {
    const kd::BlendTuneResult found = kd::tune_blend(blend_data(), small_blend_tune(1));
    REQUIRE(found.trials.size() == 3);
    CHECK(*found.trials[0].options.factors.iterations == 2);
    CHECK(found.trials[1].options.weight == 0.0);
    CHECK(*found.trials[2].options.factors.iterations == 5);
  }

  TEST_CASE("from a random start the iterations are those of the base") {
    kd::BlendTuneOptions options = small_blend_tune(4);
    options.base.factors.start.kind = kd::Start::normal;
    options.base.factors.iterations = 4;
    for (const auto& trial : kd::tune_blend(blend_data(), options).trials) CHECK(*trial.options.factors.iterations == 4);
  }

  TEST_CASE("data too small to tune on give the base") {
    const kd::BlendTuneResult found = kd::tune_blend(kindred_test::random_matrix(20, 15, 0.4, 3), small_blend_tune());
    CHECK(found.trials.size() == 1);
    CHECK_FALSE(found.neighbours_help);
  }

  TEST_CASE("progress is told of every trial, may stop and may cancel; a time limit ends the search") {
    kd::BlendTuneOptions options = small_blend_tune();
    std::size_t told = 0;
    options.progress = [&](const kd::Progress& progress) {
      CHECK(progress.what == "tune_blend");
      CHECK(progress.done == ++told);
      return told == 3 ? kd::ProgressAnswer::stop_and_keep : kd::ProgressAnswer::keep_going;
    };
    CHECK(kd::tune_blend(blend_data(), options).trials.size() == 3);
    options.progress = [](const kd::Progress&) { return kd::ProgressAnswer::cancel; };
    CHECK_THROWS_AS((void)kd::tune_blend(blend_data(), options), kd::Cancelled);
    options.progress = {};
    options.limit_seconds = 1e-9;
    CHECK(kd::tune_blend(blend_data(), options).trials.size() == 1);
  }

  TEST_CASE("bad options are named") {
    const auto refused = [](auto&& change, const char* words) {
      kd::BlendTuneOptions options = small_blend_tune();
      change(options);
      CHECK_THROWS_WITH_AS((void)kd::tune_blend(blend_data(), options), Contains(words), kd::InvalidArgument);
    };
    refused([](kd::BlendTuneOptions& o) { o.trials = 0; }, "trials is 0");
    refused([](kd::BlendTuneOptions& o) { o.cutoff = 0; }, "cutoff is 0");
    refused([](kd::BlendTuneOptions& o) { o.validation_fraction = 0.0; }, "validation_fraction is 0");
    refused([](kd::BlendTuneOptions& o) { o.limit_seconds = -1.0; }, "limit_seconds is -1");
    refused([](kd::BlendTuneOptions& o) { o.base.factors = kd::AlsOptions::paper(); }, "base.factors.units is Units::paper");
    refused([](kd::BlendTuneOptions& o) { o.base.weight = 0.0; }, "base.weight is 0");
    refused([](kd::BlendTuneOptions& o) { o.base.neighbours.neighbours = 0; }, "neighbours is 0");
    CHECK_THROWS_WITH_AS((void)kd::tune_blend(kd::CsrMatrix({2, 2}, {0, 0, 0}, {}, {})), Contains("without interactions"),
                         kd::InvalidArgument);
  }
}
