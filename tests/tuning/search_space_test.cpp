// SPDX-License-Identifier: MIT
#include <kindred/tuning/search_space.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../support/als_settings.hpp"

namespace kd = kindred;
using doctest::Contains;
using kd::detail::draw_settings;

namespace {

bool all_different(const std::vector<kd::detail::SearchSetting>& settings) {
  for (std::size_t n = 0; n < settings.size(); ++n)
    if (std::find(settings.begin(), settings.begin() + static_cast<std::ptrdiff_t>(n), settings[n]) !=
        settings.begin() + static_cast<std::ptrdiff_t>(n))
      return false;
  return true;
}

std::vector<double> values_of(const kd::detail::SearchParameter& parameter, std::size_t count, std::uint64_t seed) {
  std::vector<double> values;
  for (const kd::detail::SearchSetting& setting : draw_settings({parameter}, count, seed)) values.push_back(setting.front().second.number);
  return values;
}

}  // namespace

TEST_SUITE("tuning/search_space") {
  TEST_CASE("every numeric option is found by its name") {
    kd::AlsOptions o = kd::AlsOptions::paper();
    kd::detail::set_option(o, "factors", 7.0);
    kd::detail::set_option(o, "iterations", 8.0);
    kd::detail::set_option(o, "solver.steps", 9.0);
    CHECK(o.factors == 7);
    CHECK(o.iterations == 8);
    CHECK(o.solver.steps == 9);
    kd::detail::set_option(o, "background.ratio", 3.5);
    CHECK(o.background.ratio == 3.5);
    double n = 0.0;
    for (const char* name :
         {"regularization", "regularization_exponent", "loss_tolerance", "confidence.alpha", "confidence.base", "confidence.log_scale",
          "confidence.cap", "confidence.cap_quantile", "confidence.popularity_damping", "confidence.dislike_weight", "background.weight",
          "background.item_exponent", "background.user_exponent", "solver.tolerance", "start.scale"})
      kd::detail::set_option(o, name, n += 0.5);
    const std::vector<double> set = {*o.regularization,
                                     *o.regularization_exponent,
                                     *o.loss_tolerance,
                                     *o.confidence.alpha,
                                     *o.confidence.base,
                                     *o.confidence.log_scale,
                                     *o.confidence.cap,
                                     *o.confidence.cap_quantile,
                                     *o.confidence.popularity_damping,
                                     *o.confidence.dislike_weight,
                                     *o.background.weight,
                                     *o.background.item_exponent,
                                     *o.background.user_exponent,
                                     *o.solver.tolerance,
                                     *o.start.scale};
    CHECK(set == std::vector<double>{0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5});
  }

  TEST_CASE("of the weight of the background and its ratio the one that is set last counts") {
    kd::AlsOptions o = kindred_test::play_counts();
    kd::detail::set_option(o, "background.weight", 0.3);
    CHECK(o.background.weight == 0.3);
    CHECK_FALSE(o.background.ratio.has_value());
    kd::detail::set_option(o, "background.ratio", 4.0);
    CHECK(o.background.ratio == 4.0);
    CHECK_FALSE(o.background.weight.has_value());
    CHECK_NOTHROW(kd::validate(o));
  }

  TEST_CASE("whole numbers are rounded; a name that is none and a number that is too large are errors") {
    kd::AlsOptions o = kd::AlsOptions::paper();
    kd::detail::set_option(o, "factors", 7.5);
    CHECK(o.factors == 8);
    kd::detail::set_option(o, "factors", 7.4);
    CHECK(o.factors == 7);
    CHECK_THROWS_WITH_AS(kd::detail::set_option(o, "lambda", 1.0),
                         "option is 'lambda'; it must be the name of a field of AlsOptions but for the seed", kd::InvalidArgument);
    CHECK_THROWS_AS(kd::detail::set_option(o, "", 1.0), kd::InvalidArgument);
    CHECK_THROWS_AS(kd::detail::set_option(o, "Alpha", 1.0), kd::InvalidArgument);
    for (const double bad : {-1.0, 1e16, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
      CHECK_THROWS_WITH_AS(kd::detail::set_option(o, "iterations", bad), Contains("iterations is "), kd::InvalidArgument);
    CHECK(o.factors == 7);
  }

  TEST_CASE("enumerations are set by the names of their values") {
    kd::AlsOptions o;
    kd::detail::set_option(o, "start.kind", "normal");
    kd::detail::set_option(o, "solver.kind", "conjugate_gradient");
    kd::detail::set_option(o, "units", "paper");
    kd::detail::set_option(o, "confidence.curve", "one");
    kd::detail::set_option(o, "background.pairs", "all");
    CHECK(o.start.kind == kd::Start::normal);
    CHECK(o.solver.kind == kd::Solver::conjugate_gradient);
    CHECK(o.units == kd::Units::paper);
    CHECK(o.confidence.curve == kd::Confidence::one);
    CHECK(o.background.pairs == kd::Background::all);
    CHECK_THROWS_WITH_AS(kd::detail::set_option(o, "start.kind", "svd"),
                         "start.kind is 'svd'; it must be one of 'spectral', 'normal', 'uniform'", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(kd::detail::set_option(o, "start.kind", 1.0), Contains("start.kind is 1;"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(kd::detail::set_option(o, "factors", "many"), "factors is 'many'; it must be a number", kd::InvalidArgument);

    const kd::SearchSpace space = {{"start.kind", kd::SearchChoices{"spectral", "normal"}}, {"iterations", kd::SearchChoices{0, 1, 2}}};
    const std::vector<kd::detail::SearchSetting> drawn = draw_settings(space, 100, 7);
    CHECK(drawn.size() == 6);
    CHECK(all_different(drawn));
    CHECK_THROWS_AS(kd::detail::check_space({{"start.kind", kd::SearchRange{}}}, {}), kd::InvalidArgument);
  }

  TEST_CASE("no setting twice, names in the order of the space, a function of the seed") {
    const kd::SearchSpace space = {{"factors", kd::SearchChoices{30, 50, 70, 100}},
                                   {"regularization", kd::SearchChoices{0.001, 0.01, 0.05, 0.1}},
                                   {"iterations", kd::SearchChoices{10, 15, 20}},
                                   {"confidence.alpha", kd::SearchChoices{0.5, 1, 2, 5}}};
    const std::vector<kd::detail::SearchSetting> drawn = draw_settings(space, 100, 7);
    REQUIRE(drawn.size() == 100);
    CHECK(all_different(drawn));
    for (const kd::detail::SearchSetting& setting : drawn) {
      REQUIRE(setting.size() == 4);
      for (std::size_t p = 0; p < 4; ++p) {
        CHECK(setting[p].first == space[p].name);
        const auto& choices = std::get<kd::SearchChoices>(space[p].values);
        CHECK(std::count(choices.begin(), choices.end(), setting[p].second) == 1);
      }
    }
    CHECK(draw_settings(space, 100, 7) == drawn);
    CHECK(draw_settings(space, 100, 8) != drawn);
    const std::vector<kd::detail::SearchSetting> fewer = draw_settings(space, 12, 7);
    CHECK(std::equal(fewer.begin(), fewer.end(), drawn.begin()));
  }

  TEST_CASE("a small space is drawn whole") {
    const kd::SearchSpace space = {{"factors", kd::SearchChoices{1, 2, 3, 4}},
                                   {"confidence.alpha", kd::SearchChoices{1, 2, 3, 4, 5}},
                                   {"regularization_exponent", kd::SearchChoices{0, 1, 2}}};
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const std::vector<kd::detail::SearchSetting> drawn = draw_settings(space, 1000, seed);
      CHECK(drawn.size() == 60);
      CHECK(all_different(drawn));
    }
    CHECK(draw_settings({{"confidence.alpha", kd::SearchChoices{2, 2, 2}}}, 5, 1).size() == 1);
    CHECK(draw_settings({{"confidence.alpha", kd::SearchRange{.low = 3.0, .high = 3.0}}}, 5, 1).size() == 1);
    CHECK(draw_settings({}, 5, 1).size() == 1);  // nothing to vary: the base alone
  }

  TEST_CASE("whole numbers from a range are whole, and different") {
    for (const char* name : {"factors", "iterations", "solver.steps"}) {
      const std::vector<double> values = values_of({name, kd::SearchRange{.low = 2.0, .high = 6.0}}, 100, 3);
      CHECK(values.size() == 5);
      for (const double value : values) CHECK(value == std::round(value));
    }
  }

  // Two thousand draws; the mean of a uniform number is within 5 sd = 0.032 of a half.
  TEST_CASE("ranges stay within their bounds, even in value or even in ratio") {
    const std::vector<double> linear = values_of({"confidence.alpha", kd::SearchRange{.low = 2.0, .high = 10.0}}, 2000, 3);
    const std::vector<double> logarithmic =
        values_of({"confidence.alpha", kd::SearchRange{.low = 1e-4, .high = 1e2, .scale = kd::SearchRange::Scale::logarithmic}}, 2000, 3);
    REQUIRE(linear.size() == 2000);
    REQUIRE(logarithmic.size() == 2000);
    double mean = 0.0, log_mean = 0.0;
    for (const double value : linear) {
      CHECK(value >= 2.0);
      CHECK(value <= 10.0);
      mean += (value - 2.0) / 8.0 / 2000.0;
    }
    for (const double value : logarithmic) {
      CHECK(value >= 1e-4);
      CHECK(value <= 1e2);
      log_mean += (std::log10(value) + 4.0) / 6.0 / 2000.0;
    }
    CHECK(std::abs(mean - 0.5) < 0.032);
    CHECK(std::abs(log_mean - 0.5) < 0.032);
  }

  TEST_CASE("a logarithmic range does not leave its bounds by a rounding") {
    for (double bound = 1e-3; bound < 4.0; bound *= 1.37) {
      const std::vector<double> values = values_of(
          {"background.item_exponent", kd::SearchRange{.low = bound, .high = bound, .scale = kd::SearchRange::Scale::logarithmic}}, 3, 1);
      REQUIRE(values.size() == 1);
      CHECK(values[0] == bound);
    }
  }

  TEST_CASE("spaces that are refused") {
    const auto check = [](kd::SearchSpace space) { kd::detail::check_space(space, kd::AlsOptions::paper()); };
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    CHECK_NOTHROW(check({}));
    CHECK_NOTHROW(check({{"confidence.alpha", kd::SearchChoices{1}}, {"regularization_exponent", kd::SearchRange{}}}));
    CHECK_THROWS_WITH_AS(check({{"lambda", kd::SearchChoices{1}}}), Contains("option is 'lambda'"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(check({{"confidence.alpha", kd::SearchChoices{}}}),
                         "confidence.alpha is an empty list of choices; it must be at least one choice", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(check({{"confidence.alpha", kd::SearchChoices{1}},
                                {"regularization_exponent", kd::SearchChoices{1}},
                                {"confidence.alpha", kd::SearchRange{}}}),
                         Contains("'confidence.alpha' twice"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(check({{"confidence.alpha", kd::SearchRange{.low = 2.0, .high = 1.0}}}),
                         "confidence.alpha is a range from 2 to 1; it must be finite and rising", kd::InvalidArgument);
    CHECK_THROWS_AS(check({{"confidence.alpha", kd::SearchRange{.low = nan, .high = 1.0}}}), kd::InvalidArgument);
    CHECK_THROWS_AS(check({{"confidence.alpha", kd::SearchRange{.low = 0.0, .high = infinity}}}), kd::InvalidArgument);
    for (const double low : {0.0, -1.0})
      CHECK_THROWS_WITH_AS(
          check({{"confidence.alpha", kd::SearchRange{.low = low, .high = 1.0, .scale = kd::SearchRange::Scale::logarithmic}}}),
          Contains("above 0"), kd::InvalidArgument);
    // What no option can take: a NaN would even be drawn again and again, since it differs from itself.
    CHECK_THROWS_WITH_AS(check({{"confidence.alpha", kd::SearchChoices{1, nan}}}), Contains("confidence.alpha is nan"),
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(check({{"confidence.alpha", kd::SearchChoices{1, infinity}}}), Contains("confidence.alpha is inf"),
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(check({{"factors", kd::SearchChoices{10, -1}}}), Contains("factors is -1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(check({{"factors", kd::SearchRange{.low = -3.0, .high = 10.0}}}), Contains("factors is -3"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(check({{"factors", kd::SearchRange{.low = 3.0, .high = 1e17}}}), Contains("factors is 1e+17"),
                         kd::InvalidArgument);
  }
}
