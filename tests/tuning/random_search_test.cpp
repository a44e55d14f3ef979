// SPDX-License-Identifier: MIT
#include <kindred/tuning/random_search.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"

namespace kd = kindred;
using doctest::Approx;
using doctest::Contains;

namespace {

struct Data {
  kd::CsrMatrix train, validation;
};

// A third of the cells held out; every tenth user has none of them.
Data random_data(kd::Index users, kd::Index items, std::uint64_t seed) {
  std::vector<kd::Interaction> train, validation;
  kd::detail::Random random(seed, kd::detail::RandomStream::split);
  for (const auto& [cell, value] : kindred_test::cells_of(kindred_test::random_matrix(users, items, 0.2, seed)))
    (cell.first % 10 != 0 && random.below(3) == 0 ? validation : train).push_back({cell.first, cell.second, value});
  return {kd::CsrMatrix::from_triplets({users, items}, train), kd::CsrMatrix::from_triplets({users, items}, validation)};
}

const Data data = random_data(60, 40, 3);

kd::RandomSearchOptions small_search(std::size_t trials) {
  kd::RandomSearchOptions options;
  options.trials = trials;
  options.cutoff = 5;
  options.base = kindred_test::small_als();
  return options;
}

double value_of(const kd::SearchTrial& trial, const std::string& name) {
  for (const auto& parameter : trial.setting)
    if (parameter.first == name) return parameter.second.number;
  throw std::logic_error("no parameter " + name);
}

}  // namespace

TEST_SUITE("tuning/random_search") {
  const kd::SearchSpace space = {
      {"factors", kd::SearchChoices{2, 5}}, {"regularization", kd::SearchChoices{0.1, 1.0}}, {"iterations", kd::SearchChoices{1, 2, 4}}};

  TEST_CASE_TEMPLATE("every trial is what fitting and evaluating its setting alone gives, and the rest is arithmetic", T, float, double) {
    for (const kd::Metric metric :
         {kd::Metric::precision, kd::Metric::recall, kd::Metric::ndcg, kd::Metric::map, kd::Metric::mrr, kd::Metric::hit_rate}) {
      kd::RandomSearchOptions options = small_search(metric == kd::Metric::ndcg ? 100 : 5);
      options.metric = metric;
      options.users = 30;
      const kd::SearchResult result = kd::random_search<T>(data.train, data.validation, space, options);
      REQUIRE(result.trials.size() == (metric == kd::Metric::ndcg ? 12 : 5));  // the whole space
      CHECK(result.users == 30);
      const std::vector<kd::Index> users = kd::detail::sample_test_users(data.validation, 30, options.seed);
      std::vector<std::vector<double>> values;
      for (const kd::SearchTrial& trial : result.trials) {
        REQUIRE_FALSE(trial.failed());
        kd::AlsOptions alone = options.base;
        alone.factors = static_cast<std::size_t>(value_of(trial, "factors"));
        alone.regularization = value_of(trial, "regularization");
        alone.iterations = static_cast<std::size_t>(value_of(trial, "iterations"));
        CHECK(trial.options.factors == alone.factors);
        CHECK(trial.options.iterations == alone.iterations);
        kd::ImplicitALS<T> model(alone);
        const kd::FitReport fit = model.fit(data.train, {.record_loss = true});
        const kd::RankingReport report =
            kd::evaluate(model, data.train, data.validation, {.cutoffs = {5}, .users = users, .keep_per_user = true});
        const kd::CutoffReport& at = report.at(5);
        const kd::MeanAndError wanted = metric == kd::Metric::precision ? at.precision
                                        : metric == kd::Metric::recall  ? at.recall
                                        : metric == kd::Metric::ndcg    ? at.ndcg
                                        : metric == kd::Metric::map     ? at.map
                                        : metric == kd::Metric::mrr     ? at.mrr
                                                                        : at.hit_rate;
        CHECK(trial.metric.mean == wanted.mean);
        CHECK(trial.metric.standard_error == wanted.standard_error);
        CHECK(trial.final_loss == fit.iterations.back().loss->loss_per_total_weight);
        CHECK(trial.fit_seconds > 0.0);
        values.emplace_back();
        for (const kd::RankingReport::UserScores& user : report.per_user) {
          const kd::RankingScores& s = user.cutoffs[0];
          values.back().push_back(metric == kd::Metric::precision ? s.precision
                                  : metric == kd::Metric::recall  ? s.recall
                                  : metric == kd::Metric::ndcg    ? s.ndcg
                                  : metric == kd::Metric::map     ? s.average_precision
                                  : metric == kd::Metric::mrr     ? s.reciprocal_rank
                                                                  : s.hit_rate);
        }
      }
      // The best: the highest mean, the first of equals.
      REQUIRE(result.best.has_value());
      const std::size_t best = *result.best;
      for (std::size_t t = 0; t < result.trials.size(); ++t) {
        CHECK(result.trials[t].metric.mean <= result.trials[best].metric.mean);
        if (t < best) CHECK(result.trials[t].metric.mean < result.trials[best].metric.mean);
        double mean = 0.0, squares = 0.0;
        for (std::size_t n = 0; n < 30; ++n) mean += (values[best][n] - values[t][n]) / 30.0;
        for (std::size_t n = 0; n < 30; ++n) {
          const double off = values[best][n] - values[t][n] - mean;
          squares += off * off;
        }
        const double se = std::sqrt(squares / 29.0 / 30.0);
        CHECK(std::abs(result.trials[t].behind_best.mean - mean) < 1e-14);  // 30 terms of at most 1: 30 * eps
        CHECK(std::abs(result.trials[t].behind_best.standard_error - se) < 1e-14);
        if (std::abs(mean - se) > 1e-12) CHECK(result.trials[t].tied == (mean < se));
      }
      CHECK(result.trials[best].behind_best.mean == 0.0);
      CHECK(result.trials[best].tied);
    }
  }

  TEST_CASE("trials that are equal are all tied, and the first is the best") {
    const kd::SearchSpace idle = {{"loss_tolerance", kd::SearchChoices{1e-15, 2e-15, 3e-15, 4e-15}}};  // none ends a fit early
    const kd::SearchResult result = kd::random_search<float>(data.train, data.validation, idle, small_search(4));
    REQUIRE(result.trials.size() == 4);
    CHECK(*result.best == 0);
    CHECK(result.all_tied);
    for (const kd::SearchTrial& trial : result.trials) {
      CHECK(trial.tied);
      CHECK(trial.behind_best.mean == 0.0);
      CHECK(trial.behind_best.standard_error == 0.0);
    }
  }

  TEST_CASE("a search of one trial, or with a trial behind the best, is not all tied") {
    CHECK_FALSE(kd::random_search<float>(data.train, data.validation, {}, small_search(1)).all_tied);
    const kd::SearchSpace extremes = {{"regularization", kd::SearchChoices{0.1, 1e12}}};
    CHECK_FALSE(kd::random_search<float>(data.train, data.validation, extremes, small_search(2)).all_tied);
  }

  TEST_CASE("a validation that train holds, and parameters without effect, are errors") {
    CHECK_THROWS_WITH_AS((void)kd::random_search<float>(data.train, data.train, {}, small_search(1)), Contains("all are in train too"),
                         kd::InvalidArgument);
    const auto refuses = [&](const kd::SearchSpace& tried, kd::AlsOptions base, const char* words) {
      kd::RandomSearchOptions options = small_search(2);
      options.base = base;
      CHECK_THROWS_WITH_AS((void)kd::random_search<float>(data.train, data.validation, tried, options), Contains(words),
                           kd::InvalidArgument);
    };
    const kd::SearchChoices two{1.0, 2.0};
    refuses({{"background.weight", two}, {"background.ratio", two}}, {}, "'background.weight' beside 'background.ratio'");
    refuses({{"solver.steps", two}}, {}, "'solver.steps', without effect");
    refuses({{"solver.tolerance", kd::SearchChoices{0.1, 0.2}}}, {}, "'solver.tolerance', without effect");
    refuses({{"confidence.log_scale", two}}, kd::AlsOptions::paper(), "'confidence.log_scale', without effect");
    refuses({{"start.scale", two}}, {.units = kd::Units::paper, .start = {.kind = kd::Start::uniform}}, "'start.scale', without effect");
    refuses({{"regularization_exponent", two}}, {.regularization = 0.0, .units = kd::Units::paper},
            "'regularization_exponent', without effect");
    refuses({{"background.item_exponent", two}}, {.units = kd::Units::paper, .background = {.weight = 0.0}},
            "'background.item_exponent', without effect");
    refuses({{"background.user_exponent", two}}, {.units = kd::Units::paper, .background = {.weight = 0.0}},
            "'background.user_exponent', without effect");
    refuses({{"confidence.log_scale", two}}, {.units = kd::Units::paper, .confidence = {.curve = kd::Confidence::log, .alpha = 0.0}},
            "'confidence.log_scale', without effect");
    // Beside the option that they need they have one.
    const auto accepts = [&](const kd::SearchSpace& tried, kd::AlsOptions base) { CHECK_NOTHROW(kd::detail::check_space(tried, base)); };
    accepts({{"regularization_exponent", two}, {"regularization", two}}, {.regularization = 0.0, .units = kd::Units::paper});
    accepts({{"background.item_exponent", two}, {"background.weight", two}}, {.units = kd::Units::paper, .background = {.weight = 0.0}});
    accepts({{"background.user_exponent", two}, {"background.ratio", two}}, {.units = kd::Units::paper, .background = {.weight = 0.0}});
    accepts({{"confidence.log_scale", two}, {"confidence.alpha", two}},
            {.units = kd::Units::paper, .confidence = {.curve = kd::Confidence::log, .alpha = 0.0}});
  }

  // A confidence function is called the same number of times by every fit.
  TEST_CASE("settings that differ in iterations alone share one fit") {
    const auto calls = std::make_shared<std::atomic<std::size_t>>(0);
    kd::RandomSearchOptions options = small_search(100);
    options.base.confidence.curve = kd::Confidence::custom;
    options.base.confidence.function = [calls](double r, kd::Offset, kd::Offset) {
      ++*calls;
      return r;
    };
    kd::ImplicitALS<float> one(options.base);
    one.fit(data.train);
    const std::size_t of_one_fit = calls->exchange(0);
    REQUIRE(of_one_fit > 0);
    const kd::SearchResult result = kd::random_search<float>(data.train, data.validation, space, options);
    CHECK(result.trials.size() == 12);
    CHECK(*calls == 4 * of_one_fit);  // 2 factors x 2 regularizations
  }

  TEST_CASE("the same search again, for any number of threads; another seed, another draw") {
    kd::RandomSearchOptions options = small_search(5);
    options.users = 20;
    options.execution.threads = 1;
    const kd::SearchResult one = kd::random_search<float>(data.train, data.validation, space, options);
    options.execution.threads = 3;
    const kd::SearchResult three = kd::random_search<float>(data.train, data.validation, space, options);
    REQUIRE(three.trials.size() == one.trials.size());
    for (std::size_t t = 0; t < one.trials.size(); ++t) {
      CHECK(three.trials[t].setting == one.trials[t].setting);
      CHECK(three.trials[t].metric.mean == one.trials[t].metric.mean);
      CHECK(three.trials[t].final_loss == one.trials[t].final_loss);
    }
    options.seed = 43;
    const kd::SearchResult other = kd::random_search<float>(data.train, data.validation, space, options);
    bool differs = false;
    for (std::size_t t = 0; t < one.trials.size(); ++t) differs = differs || other.trials[t].setting != one.trials[t].setting;
    CHECK(differs);
  }

  TEST_CASE("the users that a search is measured on") {
    const std::vector<kd::Index> all = kd::detail::sample_test_users(data.validation, 0, 1);
    for (const kd::Index u : all) {
      CHECK(u % 10 != 0);
      CHECK_FALSE(data.validation.row(u).empty());
    }
    CHECK(kd::detail::sample_test_users(data.validation, 1000, 1) == all);
    const std::vector<kd::Index> some = kd::detail::sample_test_users(data.validation, 20, 1);
    CHECK(some.size() == 20);
    CHECK(std::is_sorted(some.begin(), some.end()));
    CHECK(std::adjacent_find(some.begin(), some.end()) == some.end());
    CHECK(std::includes(all.begin(), all.end(), some.begin(), some.end()));
    CHECK(kd::detail::sample_test_users(data.validation, 20, 1) == some);
    CHECK(kd::detail::sample_test_users(data.validation, 20, 2) != some);
    CHECK(static_cast<std::size_t>(kd::random_search<float>(data.train, data.validation, space, small_search(1)).users) == all.size());
  }

  TEST_CASE("a trial that fails is a row with its error") {
    const kd::SearchSpace broken = {{"regularization", kd::SearchChoices{0.1, -1.0}}, {"factors", kd::SearchChoices{0, 3}}};
    std::size_t told = 0;
    kd::RandomSearchOptions options = small_search(10);
    options.progress = [&](const kd::Progress&) {
      ++told;
      return kd::ProgressAnswer::keep_going;
    };
    const kd::SearchResult result = kd::random_search<float>(data.train, data.validation, broken, options);
    REQUIRE(result.trials.size() == 4);
    CHECK(told == 4);
    for (std::size_t t = 0; t < 4; ++t) {
      const kd::SearchTrial& trial = result.trials[t];
      const bool bad_factors = value_of(trial, "factors") == 0.0, bad_lambda = value_of(trial, "regularization") < 0.0;
      CHECK(trial.failed() == (bad_factors || bad_lambda));
      if (bad_factors) CHECK(trial.error == "factors is 0; it must be in [1, 32768]");
      if (!bad_factors && bad_lambda) CHECK(trial.error == "regularization is -1; it must be finite and at least 0");
      if (trial.failed()) CHECK_FALSE(trial.tied);
      if (!trial.failed()) CHECK(*result.best == t);
    }
    const kd::SearchResult hopeless = kd::random_search<float>(
        data.train, data.validation, {{"confidence.popularity_damping", kd::SearchChoices{5, 6}}}, small_search(2));
    CHECK(hopeless.trials.size() == 2);
    CHECK_FALSE(hopeless.best.has_value());
    CHECK(hopeless.trials[1].failed());
  }

  TEST_CASE("a numerical failure is a row with its error too") {
    kd::RandomSearchOptions options = small_search(10);
    options.base.factors = 80;  // more than users
    const kd::SearchResult result =
        kd::random_search<float>(data.train, data.validation, {{"regularization", kd::SearchChoices{0.0, 0.5}}}, options);
    REQUIRE(result.trials.size() == 2);
    for (const kd::SearchTrial& trial : result.trials) {
      if (value_of(trial, "regularization") == 0.0)
        CHECK(trial.error.find("singular") != std::string::npos);
      else
        CHECK_FALSE(trial.failed());
    }
  }

  // It shares its fit with the others, but fails alone.
  TEST_CASE("no iterations at all is a row with its error, whatever the other trials are") {
    const kd::SearchResult result =
        kd::random_search<float>(data.train, data.validation, {{"iterations", kd::SearchChoices{0, 2, 3}}}, small_search(3));
    REQUIRE(result.trials.size() == 3);
    for (const kd::SearchTrial& trial : result.trials) {
      CHECK(trial.failed() == (value_of(trial, "iterations") == 0.0));
      if (trial.failed()) CHECK(trial.error == "iterations is 0; it must be at least 1");
    }
  }

  // A fit of 50 iterations that ends after 5 is what fits of 20, 30 and 50 would have been.
  TEST_CASE("a tolerance that ends a shared fit gives every longer trial the model it ended with") {
    kd::RandomSearchOptions options = small_search(10);
    options.base.loss_tolerance = 0.02;
    const kd::SearchResult result =
        kd::random_search<float>(data.train, data.validation, {{"iterations", kd::SearchChoices{1, 20, 30, 50}}}, options);
    REQUIRE(result.trials.size() == 4);
    for (const kd::SearchTrial& trial : result.trials) {
      REQUIRE_FALSE(trial.failed());
      kd::ImplicitALS<float> alone(trial.options);
      const kd::FitReport fit = alone.fit(data.train, {.record_loss = true});
      REQUIRE((trial.options.iterations == 1 || fit.stop == kd::FitReport::Stop::tolerance));
      CHECK(trial.metric.mean == kd::evaluate(alone, data.train, data.validation, {.cutoffs = {5}}).at(5).precision.mean);
      CHECK(trial.final_loss == fit.iterations.back().loss->loss_per_total_weight);
      CHECK(trial.fit_seconds > 0.0);
    }
  }

  TEST_CASE("progress after every trial; stop keeps what is finished, cancel throws") {
    kd::RandomSearchOptions options = small_search(12);
    std::vector<std::size_t> done;
    options.progress = [&](const kd::Progress& progress) {
      CHECK(progress.what == "random search");
      CHECK(progress.total == 12);
      done.push_back(progress.done);
      return kd::ProgressAnswer::keep_going;
    };
    const kd::SearchResult whole = kd::random_search<float>(data.train, data.validation, space, options);
    REQUIRE(done.size() == 12);
    for (std::size_t n = 0; n < 12; ++n) CHECK(done[n] == n + 1);

    for (const std::size_t stop_at : {1u, 2u, 3u, 7u, 12u}) {
      options.progress = [&](const kd::Progress& progress) {
        return progress.done == stop_at ? kd::ProgressAnswer::stop_and_keep : kd::ProgressAnswer::keep_going;
      };
      const kd::SearchResult part = kd::random_search<float>(data.train, data.validation, space, options);
      REQUIRE(part.trials.size() == stop_at);
      REQUIRE(part.best.has_value());
      std::size_t at = 0;  // the finished ones, in the order drawn
      for (const kd::SearchTrial& trial : part.trials) {
        while (at < 12 && whole.trials[at].setting != trial.setting) ++at;
        REQUIRE(at < 12);
        CHECK(trial.metric.mean == whole.trials[at].metric.mean);
        CHECK(trial.metric.mean <= part.trials[*part.best].metric.mean);
      }
    }
    options.progress = [](const kd::Progress& progress) {
      return progress.done == 3 ? kd::ProgressAnswer::cancel : kd::ProgressAnswer::keep_going;
    };
    CHECK_THROWS_WITH_AS((void)kd::random_search<float>(data.train, data.validation, space, options),
                         Contains("random_search was cancelled"), kd::Cancelled);
  }

  TEST_CASE("progress after every iteration of a fit; stop keeps the trials that are finished") {
    kd::RandomSearchOptions options = small_search(4);
    options.base.iterations = 3;
    const kd::SearchSpace four_fits = {{"confidence.alpha", kd::SearchChoices{1, 2, 3, 4}}};
    std::size_t told = 0;
    options.fit_progress = [&](const kd::Progress& progress) {
      CHECK(progress.what == "fit");
      CHECK(progress.total == 3);
      ++told;
      return kd::ProgressAnswer::keep_going;
    };
    const kd::SearchResult whole = kd::random_search<float>(data.train, data.validation, four_fits, options);
    CHECK(told == 12);
    told = 0;
    options.fit_progress = [&](const kd::Progress&) {
      return ++told == 8 ? kd::ProgressAnswer::stop_and_keep : kd::ProgressAnswer::keep_going;
    };
    const kd::SearchResult part = kd::random_search<float>(data.train, data.validation, four_fits, options);
    REQUIRE(part.trials.size() == 2);
    CHECK(part.trials[1].metric.mean == whole.trials[1].metric.mean);
    options.fit_progress = [](const kd::Progress&) { return kd::ProgressAnswer::cancel; };
    CHECK_THROWS_AS((void)kd::random_search<float>(data.train, data.validation, four_fits, options), kd::Cancelled);
  }

  TEST_CASE("stopping and cancelling at a trial that failed") {
    kd::RandomSearchOptions options = small_search(2);
    const kd::SearchSpace hopeless = {{"confidence.popularity_damping", kd::SearchChoices{5, 6}}};
    options.progress = [](const kd::Progress&) { return kd::ProgressAnswer::stop_and_keep; };
    const kd::SearchResult result = kd::random_search<float>(data.train, data.validation, hopeless, options);
    REQUIRE(result.trials.size() == 1);
    CHECK(result.trials[0].failed());
    options.progress = [](const kd::Progress&) { return kd::ProgressAnswer::cancel; };
    CHECK_THROWS_AS((void)kd::random_search<float>(data.train, data.validation, hopeless, options), kd::Cancelled);
  }

  TEST_CASE("what a progress callback throws ends the search, and is no trial's error") {
    for (const std::size_t at : {1u, 2u, 3u, 4u}) {
      kd::RandomSearchOptions options = small_search(4);
      options.progress = [at](const kd::Progress& progress) {
        if (progress.done == at) throw std::runtime_error("from progress");
        return kd::ProgressAnswer::keep_going;
      };
      const kd::SearchSpace four_fits = {{"confidence.alpha", kd::SearchChoices{1, 2, 3, 4}}},
                            one_fit = {{"iterations", kd::SearchChoices{1, 2, 3, 4}}},
                            no_fit = {{"confidence.popularity_damping", kd::SearchChoices{5, 6, 7, 8}}};
      for (const kd::SearchSpace& any : {four_fits, one_fit, no_fit})
        CHECK_THROWS_WITH_AS((void)kd::random_search<float>(data.train, data.validation, any, options), "from progress",
                             std::runtime_error);
    }
  }

  TEST_CASE("what random_search refuses") {
    const auto run = [](const kd::SearchSpace& s, const kd::RandomSearchOptions& options) {
      (void)kd::random_search<float>(data.train, data.validation, s, options);
    };
    CHECK_THROWS_WITH_AS(run(space, small_search(0)), "trials is 0; it must be at least 1", kd::InvalidArgument);
    kd::RandomSearchOptions options = small_search(2);
    options.cutoff = 0;
    CHECK_THROWS_WITH_AS(run(space, options), "cutoff is 0; it must be at least 1", kd::InvalidArgument);
    options = small_search(2);
    options.base.regularization_exponent = 3.0;
    CHECK_THROWS_WITH_AS(run(space, options), Contains("regularization_exponent is 3"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(run({{"lambda", kd::SearchChoices{1}}}, small_search(2)), Contains("option is 'lambda'"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(run({{"confidence.alpha", kd::SearchChoices{}}}, small_search(2)), Contains("empty list of choices"),
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(run({{"confidence.alpha", kd::SearchRange{.low = 2.0, .high = 1.0}}}, small_search(2)),
                         Contains("a range from 2 to 1"), kd::InvalidArgument);
    const kd::CsrMatrix transposed = kd::transpose(data.validation);
    CHECK_THROWS_WITH_AS((void)kd::random_search<float>(data.train, transposed, space, small_search(2)),
                         Contains("is the input items x users?"), kd::ShapeError);
    const kd::CsrMatrix nothing(data.train.shape(), std::vector<kd::Offset>(61, 0), {}, {});
    CHECK_THROWS_WITH_AS((void)kd::random_search<float>(data.train, nothing, space, small_search(2)),
                         Contains("validation is without a positive interaction"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::random_search<float>(nothing, data.validation, space, small_search(2)),
                         Contains("train is 60 users x 40 items without interactions"), kd::InvalidArgument);
  }

  TEST_CASE("an objective of the caller's takes the place of the metric") {
    // Precision by hand gives the same trials as the metric.
    const auto precision = [&](const kd::ImplicitALS<float>& model) {
      std::vector<double> values;
      for (const auto& user : kd::evaluate(model, data.train, data.validation, {.cutoffs = {5}, .keep_per_user = true}).per_user)
        values.push_back(user.cutoffs.front().precision);
      return values;
    };
    const kd::SearchResult own = kd::random_search(data.train, precision, space, small_search(8));
    const kd::SearchResult metric = kd::random_search(data.train, data.validation, space, small_search(8));
    REQUIRE(own.trials.size() == metric.trials.size());
    for (std::size_t t = 0; t < own.trials.size(); ++t) {
      CHECK(own.trials[t].metric.mean == metric.trials[t].metric.mean);
      CHECK(own.trials[t].behind_best.standard_error == metric.trials[t].behind_best.standard_error);
    }
    CHECK(own.best == metric.best);
    CHECK(own.users == metric.users);

    // One value a model: the fewest factors win.
    const auto small = [](const kd::ImplicitALS<float>& model) { return std::vector{-static_cast<double>(*model.options().factors)}; };
    const kd::SearchResult fewest = kd::random_search(data.train, small, space, small_search(100));
    REQUIRE(fewest.best);
    CHECK(value_of(fewest.trials[*fewest.best], "factors") == 2.0);
    // Values that cannot be compared are the trial's error.
    const auto uneven = [n = std::size_t{0}](const kd::ImplicitALS<float>&) mutable { return std::vector<double>(++n == 2 ? 3 : 2, 0.5); };
    const kd::SearchResult torn = kd::random_search(data.train, uneven, space, small_search(3));
    CHECK(std::count_if(torn.trials.begin(), torn.trials.end(), [](const kd::SearchTrial& trial) { return trial.failed(); }) >= 1);
    kd::RandomSearchOptions with_users = small_search(2);
    with_users.users = 3;
    CHECK_THROWS_AS((void)kd::random_search(data.train, precision, space, with_users), kd::InvalidArgument);
  }
}
