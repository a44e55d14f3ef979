// SPDX-License-Identifier: MIT
#include <kindred/tuning/search_space.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace kd = kindred;
using doctest::Contains;
using kd::detail::draw_settings;

namespace {

bool all_different(const std::vector<kd::SearchSetting>& settings) {
  return std::set<kd::SearchSetting>(settings.begin(), settings.end()).size() == settings.size();
}

std::vector<double> values_of(const kd::SearchParameter& parameter, std::size_t count, std::uint64_t seed) {
  std::vector<double> values;
  for (const kd::SearchSetting& setting : draw_settings({parameter}, count, seed)) values.push_back(setting.front().second);
  return values;
}

}  // namespace

TEST_SUITE("tuning/search_space") {
  TEST_CASE("every numeric option is found by its name") {
    kd::AlsOptions o;
    kd::set_option(o, "factors", 7.0);
    kd::set_option(o, "iterations", 8.0);
    kd::set_option(o, "cg_steps", 9.0);
    kd::set_option(o, "threads", 2.0);
    CHECK(o.factors == 7);
    CHECK(o.iterations == 8);
    CHECK(o.cg_steps == 9);
    CHECK(o.threads == 2);
    kd::set_option(o, "background_ratio", 3.5);
    CHECK(o.background_ratio == 3.5);
    double n = 0.0;
    for (const char* name : {"regularization", "alpha", "cg_tolerance", "confidence_base", "log_epsilon", "unobserved_weight", "beta",
                             "rho", "rho_users", "nu", "init_scale", "tolerance"})
      kd::set_option(o, name, n += 0.5);
    CHECK(std::vector<double>{o.regularization, o.alpha, o.cg_tolerance, o.confidence_base, o.log_epsilon, o.unobserved_weight, o.beta,
                              o.rho, o.rho_users, o.nu, o.init_scale,
                              o.tolerance} == std::vector<double>{0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6});
  }

  TEST_CASE("of the weight of the background and its ratio the one that is set last counts") {
    kd::AlsOptions o = kd::AlsOptions::recommended();
    kd::set_option(o, "unobserved_weight", 0.3);
    CHECK(o.unobserved_weight == 0.3);
    CHECK_FALSE(o.background_ratio.has_value());
    kd::set_option(o, "background_ratio", 4.0);
    CHECK(o.background_ratio == 4.0);
    CHECK(o.unobserved_weight == 1.0);
    CHECK_NOTHROW(kd::validate(o));
  }

  TEST_CASE("whole numbers are rounded; a name that is none and a number that is too large are errors") {
    kd::AlsOptions o;
    kd::set_option(o, "factors", 7.5);
    CHECK(o.factors == 8);
    kd::set_option(o, "factors", 7.4);
    CHECK(o.factors == 7);
    CHECK_THROWS_WITH_AS(kd::set_option(o, "lambda", 1.0), "option is 'lambda'; it must be the name of a numeric field of AlsOptions",
                         kd::InvalidArgument);
    CHECK_THROWS_AS(kd::set_option(o, "", 1.0), kd::InvalidArgument);
    CHECK_THROWS_AS(kd::set_option(o, "Alpha", 1.0), kd::InvalidArgument);
    for (const double bad : {-1.0, 1e16, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
      CHECK_THROWS_WITH_AS(kd::set_option(o, "iterations", bad), Contains("iterations is "), kd::InvalidArgument);
    CHECK(o.factors == 7);
  }

  TEST_CASE("no setting twice, names in the order of the space, a function of the seed") {
    const kd::SearchSpace space = {{"factors", kd::Choices{30, 50, 70, 100}},
                                   {"regularization", kd::Choices{0.001, 0.01, 0.05, 0.1}},
                                   {"iterations", kd::Choices{10, 15, 20}},
                                   {"alpha", kd::Choices{0.5, 1, 2, 5}}};
    const std::vector<kd::SearchSetting> drawn = draw_settings(space, 100, 7);
    REQUIRE(drawn.size() == 100);
    CHECK(all_different(drawn));
    for (const kd::SearchSetting& setting : drawn) {
      REQUIRE(setting.size() == 4);
      for (std::size_t p = 0; p < 4; ++p) {
        CHECK(setting[p].first == space[p].name);
        const auto& choices = std::get<kd::Choices>(space[p].values);
        CHECK(std::count(choices.begin(), choices.end(), setting[p].second) == 1);
      }
    }
    CHECK(draw_settings(space, 100, 7) == drawn);
    CHECK(draw_settings(space, 100, 8) != drawn);
    const std::vector<kd::SearchSetting> fewer = draw_settings(space, 12, 7);
    CHECK(std::equal(fewer.begin(), fewer.end(), drawn.begin()));
  }

  TEST_CASE("a small space is drawn whole") {
    const kd::SearchSpace space = {
        {"factors", kd::Choices{1, 2, 3, 4}}, {"alpha", kd::Choices{1, 2, 3, 4, 5}}, {"nu", kd::Choices{0, 1, 2}}};
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const std::vector<kd::SearchSetting> drawn = draw_settings(space, 1000, seed);
      CHECK(drawn.size() == 60);
      CHECK(all_different(drawn));
    }
    CHECK(draw_settings({{"alpha", kd::Choices{2, 2, 2}}}, 5, 1).size() == 1);
    CHECK(draw_settings({{"alpha", kd::Range{.low = 3.0, .high = 3.0}}}, 5, 1).size() == 1);
    CHECK(draw_settings({}, 5, 1).size() == 1);  // nothing to vary: the base alone
  }

  TEST_CASE("whole numbers from a range are whole, and different") {
    for (const char* name : {"factors", "iterations", "cg_steps", "threads"}) {
      const std::vector<double> values = values_of({name, kd::Range{.low = 2.0, .high = 6.0}}, 100, 3);
      CHECK(values.size() == 5);
      for (const double value : values) CHECK(value == std::round(value));
    }
  }

  // Two thousand draws; the mean of a uniform number is within 5 sd = 0.032 of a half.
  TEST_CASE("ranges stay within their bounds, even in value or even in ratio") {
    const std::vector<double> linear = values_of({"alpha", kd::Range{.low = 2.0, .high = 10.0}}, 2000, 3);
    const std::vector<double> logarithmic =
        values_of({"alpha", kd::Range{.low = 1e-4, .high = 1e2, .scale = kd::Range::Scale::logarithmic}}, 2000, 3);
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
      const std::vector<double> values =
          values_of({"rho", kd::Range{.low = bound, .high = bound, .scale = kd::Range::Scale::logarithmic}}, 3, 1);
      REQUIRE(values.size() == 1);
      CHECK(values[0] == bound);
    }
  }

  TEST_CASE("spaces that are refused") {
    const auto check = [](kd::SearchSpace space) { kd::detail::check_space(space, {}); };
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    CHECK_NOTHROW(check({}));
    CHECK_NOTHROW(check({{"alpha", kd::Choices{1}}, {"nu", kd::Range{}}}));
    CHECK_THROWS_WITH_AS(check({{"lambda", kd::Choices{1}}}), Contains("option is 'lambda'"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(check({{"alpha", kd::Choices{}}}), "alpha is an empty list of choices; it must be at least one choice",
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(check({{"alpha", kd::Choices{1}}, {"nu", kd::Choices{1}}, {"alpha", kd::Range{}}}), Contains("'alpha' twice"),
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(check({{"alpha", kd::Range{.low = 2.0, .high = 1.0}}}),
                         "alpha is a range from 2 to 1; it must be finite and rising", kd::InvalidArgument);
    CHECK_THROWS_AS(check({{"alpha", kd::Range{.low = nan, .high = 1.0}}}), kd::InvalidArgument);
    CHECK_THROWS_AS(check({{"alpha", kd::Range{.low = 0.0, .high = infinity}}}), kd::InvalidArgument);
    for (const double low : {0.0, -1.0})
      CHECK_THROWS_WITH_AS(check({{"alpha", kd::Range{.low = low, .high = 1.0, .scale = kd::Range::Scale::logarithmic}}}),
                           Contains("above 0"), kd::InvalidArgument);
    // What no option can take: a NaN would even be drawn again and again, since it differs from itself.
    CHECK_THROWS_WITH_AS(check({{"alpha", kd::Choices{1, nan}}}), Contains("alpha is nan"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(check({{"alpha", kd::Choices{1, infinity}}}), Contains("alpha is inf"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(check({{"factors", kd::Choices{10, -1}}}), Contains("factors is -1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(check({{"factors", kd::Range{.low = -3.0, .high = 10.0}}}), Contains("factors is -3"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(check({{"factors", kd::Range{.low = 3.0, .high = 1e17}}}), Contains("factors is 1e+17"), kd::InvalidArgument);
  }
}
