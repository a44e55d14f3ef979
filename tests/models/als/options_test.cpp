// SPDX-License-Identifier: MIT
#include <kindred/models/als/options.hpp>

#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/als_instances.hpp"

namespace kd = kindred;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double highest = std::numeric_limits<double>::max();
constexpr double smallest = std::numeric_limits<double>::denorm_min();

template <typename T>
kd::AlsOptions with(T kd::AlsOptions::*field, double value) {
  kd::AlsOptions options;
  options.*field = static_cast<T>(value);
  return options;
}

// The error's words must name the option and say what is allowed.
void refuses(const kd::AlsOptions& options, const std::string& words) {
  CAPTURE(words);
  std::string said;
  try {
    kd::validate(options);
  } catch (const kd::InvalidArgument& error) {
    said = error.what();
  }
  CHECK(said.rfind(words, 0) == 0);
  CHECK_THROWS_AS(kd::ImplicitALS<float>{options}, kd::InvalidArgument);
  CHECK_THROWS_AS(kd::ImplicitALS<double>{options}, kd::InvalidArgument);
}

}  // namespace

TEST_SUITE("models/als_options") {
  TEST_CASE("the defaults are the paper's, and valid; so are the recommended ones") {
    const kd::AlsOptions options;
    CHECK_NOTHROW(kd::validate(options));
    CHECK(options.alpha == 40.0);
    CHECK(options.confidence == kd::Confidence::linear);
    CHECK(options.confidence_base == 1.0);
    CHECK(options.unobserved_weight == 1.0);
    CHECK(options.background == kd::Background::unobserved);
    CHECK(options.solver == kd::Solver::cholesky);
    CHECK(options.nu == 0.0);
    CHECK_NOTHROW(kd::validate(kd::AlsOptions::recommended()));
    CHECK(kd::AlsOptions::recommended().background == kd::Background::all);
  }

  TEST_CASE("whole numbers at and outside their ranges") {
    struct Case {
      std::size_t kd::AlsOptions::*field;
      std::vector<double> good, bad;
      std::string words;
    };
    const std::vector<Case> cases = {
        {&kd::AlsOptions::factors, {1, 2, 32'768}, {0, 32'769, 1e9}, "factors is "},
        {&kd::AlsOptions::iterations, {1, 1e9}, {0}, "iterations is 0; it must be at least 1"},
        {&kd::AlsOptions::cg_steps, {1, 1e9}, {0}, "cg_steps is 0; it must be at least 1"},
        {&kd::AlsOptions::threads, {0, 1, 4096}, {4097, 1e6}, "threads is "},
    };
    for (const Case& c : cases) {
      for (const double value : c.good) CHECK_NOTHROW(kd::validate(with(c.field, value)));
      for (const double value : c.bad) refuses(with(c.field, value), c.words);
    }
    refuses(with(&kd::AlsOptions::factors, 32'769), "factors is 32769; it must be in [1, 32768]");
  }

  TEST_CASE("real numbers at, inside and outside their ranges") {
    struct Case {
      double kd::AlsOptions::*field;
      std::string name;
      std::vector<double> good, bad;
      std::string allowed;
    };
    const std::vector<Case> cases = {
        {&kd::AlsOptions::regularization, "regularization", {0.0, 0.5, highest}, {-smallest, -1.0, infinity}, "finite and at least 0"},
        {&kd::AlsOptions::alpha, "alpha", {0.0, 0.5, highest}, {-smallest, -1.0, infinity}, "finite and at least 0"},
        {&kd::AlsOptions::confidence_base, "confidence_base", {0.0, 0.5, highest}, {-smallest, -1.0, infinity}, "finite and at least 0"},
        {&kd::AlsOptions::unobserved_weight,
         "unobserved_weight",
         {0.0, 0.5, highest},
         {-smallest, -1.0, infinity},
         "finite and at least 0"},
        {&kd::AlsOptions::log_epsilon, "log_epsilon", {smallest, 1.0, highest}, {0.0, -1.0, infinity}, "finite and above 0"},
        {&kd::AlsOptions::init_scale, "init_scale", {smallest, 1.0, highest}, {0.0, -1.0, infinity}, "finite and above 0"},
        {&kd::AlsOptions::cg_tolerance, "cg_tolerance", {0.0, 0.5, 0.9999999}, {-smallest, 1.0, infinity}, "in [0, 1)"},
        {&kd::AlsOptions::tolerance, "tolerance", {0.0, 0.5, 0.9999999}, {-smallest, 1.0, infinity}, "in [0, 1)"},
        {&kd::AlsOptions::beta, "beta", {0.0, 1.0, 4.0}, {-smallest, 4.0000001, infinity}, "in [0, 4]"},
        {&kd::AlsOptions::rho, "rho", {0.0, 1.0, 4.0}, {-smallest, 4.0000001, infinity}, "in [0, 4]"},
        {&kd::AlsOptions::rho_users, "rho_users", {0.0, 1.0, 4.0}, {-smallest, 4.0000001, infinity}, "in [0, 4]"},
        {&kd::AlsOptions::nu, "nu", {0.0, 1.0, 2.0}, {-smallest, 2.0000001, infinity}, "in [0, 2]"},
    };
    for (const Case& c : cases) {
      CAPTURE(c.name);
      for (const double value : c.good) {
        CAPTURE(value);
        CHECK_NOTHROW(kd::validate(with(c.field, value)));
      }
      for (const double value : c.bad)
        refuses(with(c.field, value), c.name + " is " + kd::detail::number_text(value) + "; it must be " + c.allowed);
      refuses(with(c.field, not_a_number), c.name + " is ");
    }
  }

  TEST_CASE("power steps of the spectral start") {
    for (const std::size_t good : {0u, 2u, 32u}) CHECK_NOTHROW(kd::validate({.start_power_steps = good}));
    refuses({.start_power_steps = 33}, "start_power_steps is 33; it must be at most 32");
  }

  TEST_CASE("caps: a value or a quantile, not both") {
    kd::AlsOptions options;
    for (const double good : {smallest, 3.0, highest}) {
      options.value_cap = good;
      CHECK_NOTHROW(kd::validate(options));
    }
    for (const double bad : {0.0, -1.0, infinity, not_a_number}) {
      options.value_cap = bad;
      refuses(options, "value_cap is ");
    }
    options.value_cap = std::nullopt;
    for (const double good : {smallest, 0.5, 1.0}) {
      options.value_cap_quantile = good;
      CHECK_NOTHROW(kd::validate(options));
    }
    for (const double bad : {0.0, -0.1, 1.0000001, infinity, not_a_number}) {
      options.value_cap_quantile = bad;
      refuses(options, "value_cap_quantile is ");
    }
    options.value_cap = 3.0;
    options.value_cap_quantile = 0.9;
    refuses(options, "value_cap_quantile is 0.9; it must be unset when value_cap is set");
  }

  TEST_CASE("a ratio of the background") {
    kd::AlsOptions options;
    for (const double good : {smallest, 3.0, highest}) {
      options.background_ratio = good;
      CHECK_NOTHROW(kd::validate(options));
    }
    for (const double bad : {0.0, -1.0, infinity, not_a_number}) {
      options.background_ratio = bad;
      refuses(options, "background_ratio is ");
    }
  }

  TEST_CASE("a confidence function goes with Confidence::custom, and only with it") {
    kd::AlsOptions options;
    options.confidence = kd::Confidence::custom;
    refuses(options, "confidence_function is not set; it must be set if, and only if, confidence is Confidence::custom");
    options.confidence_function = [](double r, kd::Offset, kd::Offset) { return r; };
    CHECK_NOTHROW(kd::validate(options));
    for (const kd::Confidence other : {kd::Confidence::linear, kd::Confidence::log, kd::Confidence::one}) {
      options.confidence = other;
      refuses(options, "confidence_function is set");
    }
  }

  TEST_CASE("a level of instructions that the processor does not have is refused, the others are taken") {
    kd::AlsOptions options;
    for (const kd::SimdLevel level : {kd::SimdLevel::best, kd::SimdLevel::base, kd::SimdLevel::avx2, kd::SimdLevel::avx512}) {
      options.simd = level;
      if (level == kd::SimdLevel::best || level <= kd::highest_level())
        CHECK_NOTHROW(kd::validate(options));
      else
        refuses(options, "simd is " + std::string(kd::name_of(level)) + "; it must be at most ");
    }
  }

  TEST_CASE("something must hold the factors: a background or a penalty") {
    kd::AlsOptions options;
    options.unobserved_weight = 0.0;
    CHECK_NOTHROW(kd::validate(options));
    options.regularization = 0.0;
    refuses(options, "regularization is 0; it must be above 0 when unobserved_weight is 0");
    options.unobserved_weight = 1.0;
    CHECK_NOTHROW(kd::validate(options));
    options.background_ratio = 2.0;
    CHECK_NOTHROW(kd::validate(options));
  }

  TEST_CASE("the background is set by one option of the two") {
    kd::AlsOptions options = kd::AlsOptions::recommended();
    options.unobserved_weight = 0.5;
    refuses(options, "unobserved_weight is 0.5; it must be 1 when background_ratio is set, which says the same thing");
    options.background_ratio = std::nullopt;
    CHECK_NOTHROW(kd::validate(options));
  }
}
