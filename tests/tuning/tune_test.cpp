// SPDX-License-Identifier: MIT
#include <kindred/tuning/tune.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/data/events.hpp>
#include <kindred/data/synthetic.hpp>
#include <kindred/evaluation/rolling.hpp>
#include <kindred/split/rolling.hpp>

#include "../support/als_instances.hpp"
#include "../support/random_matrix.hpp"

namespace kd = kindred;
using doctest::Contains;

namespace {

const kd::CsrMatrix& taste_data() {
  static const kd::CsrMatrix matrix =
      kd::synthetic_listening({.users = 500, .items = 300, .items_per_user = 25, .taste_strength = 0.8}).matrix;
  return matrix;
}

kd::TuneOptions small_tune(std::size_t trials = 8) {
  kd::TuneOptions options{.trials = trials};
  options.base.factors = 8;
  return options;
}

bool same_trials(const kd::TuneResult& a, const kd::TuneResult& b) {
  return std::equal(a.trials.begin(), a.trials.end(), b.trials.begin(), b.trials.end(), [](const auto& x, const auto& y) {
    return x.metric.mean == y.metric.mean && x.options.regularization == y.options.regularization &&
           x.options.background.ratio == y.options.background.ratio && x.options.iterations == y.options.iterations;
  });
}

}  // namespace

TEST_SUITE("tuning/tune") {
  TEST_CASE("the first trial has the automatic settings; the choice is tied with the best and nearest to them") {
    const kd::TuneResult found = kd::tune(taste_data(), small_tune());
    REQUIRE(found.trials.size() >= 8);
    CHECK(found.trials[0].distance == 0.0);
    CHECK(found.users > 400);
    const kd::TuneTrial& best = found.trials[found.best];
    CHECK(best.tied);
    CHECK(best.behind_best.mean == 0.0);
    for (const kd::TuneTrial& trial : found.trials) {
      CHECK(trial.metric.mean <= best.metric.mean);
      CHECK(trial.behind_best.mean == doctest::Approx(best.metric.mean - trial.metric.mean));
      CHECK(trial.tied == (trial.behind_best.mean <= trial.behind_best.standard_error));
      if (trial.tied) CHECK(trial.distance >= found.trials[found.chosen].distance);
    }
    CHECK(found.trials[found.chosen].tied);
    CHECK(found.options.regularization == found.trials[found.chosen].options.regularization);
    CHECK_NOTHROW(kd::validate(found.options));
    kd::ImplicitALS<float> tuned(found.options);
    CHECK(tuned.fit(taste_data()).options.factors == 8u);
  }

  TEST_CASE("the weight of dislikes is searched where there are dislikes, and not set by the user") {
    kd::CsrMatrix rated = taste_data();
    std::vector<float> values(rated.values().begin(), rated.values().end());
    for (std::size_t n = 0; n < values.size(); n += 5) values[n] = -values[n];
    rated = kd::CsrMatrix(rated.shape(), {rated.offsets().begin(), rated.offsets().end()}, {rated.columns().begin(), rated.columns().end()},
                          std::move(values));
    const auto weights = [](const kd::TuneResult& found) {
      std::vector<double> seen;
      for (const kd::TuneTrial& trial : found.trials)
        if (trial.options.confidence.dislike_weight) seen.push_back(*trial.options.confidence.dislike_weight);
      return seen;
    };
    const kd::TuneResult found = kd::tune(rated, small_tune(24));
    CHECK(weights(found).size() == found.trials.size());
    CHECK(weights(found).front() == 1.0);
    const std::vector<double> seen = weights(found);
    CHECK(*std::max_element(seen.begin(), seen.end()) > *std::min_element(seen.begin(), seen.end()));
    CHECK(weights(kd::tune(taste_data(), small_tune(4))).empty());
    kd::TuneOptions set = small_tune(4);
    set.base.confidence.dislike_weight = 0.5;
    for (const double weight : weights(kd::tune(rated, set))) CHECK(weight == 0.5);
  }

  TEST_CASE("again, and with other numbers of threads, the same") {
    kd::TuneOptions options = small_tune();
    const kd::TuneResult one = kd::tune(taste_data(), options);
    for (const std::size_t threads : {1u, 3u}) {
      options.execution.threads = threads;
      CHECK(same_trials(kd::tune(taste_data(), options), one));
    }
  }

  TEST_CASE("what the base sets is not searched") {
    kd::TuneOptions options = small_tune();
    options.base.regularization = 0.09;
    options.base.iterations = 1;
    const kd::TuneResult found = kd::tune(taste_data(), options);
    for (const kd::TuneTrial& trial : found.trials) {
      CHECK(*trial.options.regularization == 0.09);
      CHECK(*trial.options.iterations == 1);
      CHECK(*trial.options.factors == 8);
    }
    CHECK(found.trials.size() > 1);
  }

  TEST_CASE("data too small to tune on give the automatic settings") {
    const kd::TuneResult found = kd::tune(kindred_test::random_matrix(20, 15, 0.4, 3), small_tune());
    CHECK_FALSE(found.conclusive);
    CHECK(found.trials.size() == 1);
    CHECK(found.chosen == 0);
  }

  TEST_CASE("one trial is the automatic settings, and the long fits that follow") {
    const kd::TuneResult found = kd::tune(taste_data(), small_tune(1));
    REQUIRE(found.trials.size() == 2);
    CHECK(*found.trials[0].options.iterations == 2);
    CHECK(*found.trials[1].options.iterations == 5);
  }

  TEST_CASE("progress is told of every trial, may stop and may cancel; a time limit ends the search") {
    kd::TuneOptions options = small_tune();
    std::size_t told = 0;
    options.progress = [&](const kd::Progress& progress) {
      CHECK(progress.what == "tune");
      CHECK(progress.done == ++told);
      return told == 3 ? kd::ProgressAnswer::stop_and_keep : kd::ProgressAnswer::keep_going;
    };
    CHECK(kd::tune(taste_data(), options).trials.size() == 3);
    options.progress = [](const kd::Progress&) { return kd::ProgressAnswer::cancel; };
    CHECK_THROWS_AS((void)kd::tune(taste_data(), options), kd::Cancelled);
    options.progress = {};
    options.limit_seconds = 1e-9;
    CHECK(kd::tune(taste_data(), options).trials.size() == 1);
  }

  TEST_CASE("windows in time: trials are fitted before each cut and measured after it") {
    std::vector<std::int64_t> users, items, times;
    kd::detail::Random random(3, kd::detail::RandomStream::sample);
    for (int n = 0; n < 6000; ++n) {
      const auto user = static_cast<std::int64_t>(random.below(150));
      users.push_back(user);
      items.push_back((user % 3) * 40 + static_cast<std::int64_t>(random.below(60)));
      times.push_back(n);
    }
    const kd::Events events{.users = users, .items = items, .times = times};
    const std::vector<std::int64_t> cuts{3000, 4500};
    for (const auto targets : {kd::RollingSplit::Targets::new_pairs, kd::RollingSplit::Targets::repeats}) {
      const std::vector<kd::RollingSplit> windows = kd::rolling_split(events, cuts, 1500, {.targets = targets});
      const kd::TuneResult found = kd::tune(windows, small_tune(4));
      REQUIRE(found.trials.size() >= 4);
      const kd::TuneTrial& first = found.trials.front();
      CHECK(first.distance == 0.0);
      const auto reports = kd::evaluate(
          [&](const kd::RollingSplit& window) {
            kd::ImplicitALS<float> als(first.options);
            als.fit(window.train.matrix);
            return als;
          },
          windows, {.cutoffs = {20}});
      const auto of = [&](std::size_t n) { return static_cast<double>(reports[n].users); };
      CHECK(found.users == reports[0].users + reports[1].users);
      CHECK(first.metric.mean ==
            doctest::Approx((of(0) * reports[0].at(20).ndcg.mean + of(1) * reports[1].at(20).ndcg.mean) / (of(0) + of(1))).epsilon(1e-6));
    }
    CHECK_THROWS_WITH_AS((void)kd::tune(std::vector<kd::RollingSplit>{}, small_tune()), Contains("number of windows is 0"),
                         kd::InvalidArgument);
  }

  TEST_CASE("bad options are named") {
    const auto refused = [](auto&& change, const char* words) {
      kd::TuneOptions options = small_tune();
      change(options);
      CHECK_THROWS_WITH_AS((void)kd::tune(taste_data(), options), Contains(words), kd::InvalidArgument);
    };
    refused([](kd::TuneOptions& o) { o.trials = 0; }, "trials is 0");
    refused([](kd::TuneOptions& o) { o.cutoff = 0; }, "cutoff is 0");
    refused([](kd::TuneOptions& o) { o.validation_fraction = 1.0; }, "validation_fraction is 1");
    refused([](kd::TuneOptions& o) { o.limit_seconds = 0.0; }, "limit_seconds is 0");
    refused([](kd::TuneOptions& o) { o.base = kd::AlsOptions::paper(); }, "base.units is Units::paper");
    refused([](kd::TuneOptions& o) { o.base.factors = 0; }, "factors is 0");
    CHECK_THROWS_WITH_AS((void)kd::tune(kd::CsrMatrix({2, 2}, {0, 0, 0}, {}, {})), Contains("without interactions"), kd::InvalidArgument);
  }
}
