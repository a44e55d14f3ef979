// SPDX-License-Identifier: MIT
#include <kindred/models/als/options.hpp>

#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/als_instances.hpp"
#include "../../support/als_settings.hpp"

namespace kd = kindred;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double highest = std::numeric_limits<double>::max();
constexpr double smallest = std::numeric_limits<double>::denorm_min();

/// The paper's options with `change` made to them.
template <typename Change>
kd::AlsOptions with(Change&& change) {
  kd::AlsOptions options = kd::AlsOptions::paper();
  change(options);
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
  TEST_CASE("the paper's options are valid, and so are the defaults") {
    const kd::AlsOptions paper = kd::AlsOptions::paper({.factors = 50, .regularization = 0.2, .alpha = 3.0, .iterations = 4, .seed = 9});
    CHECK_NOTHROW(kd::validate(paper));
    CHECK(paper.units == kd::Units::paper);
    const kd::detail::AlsSettings s = kd::detail::settings_of(paper);
    CHECK(s.factors == 50);
    CHECK(s.regularization == 0.2);
    CHECK(s.alpha == 3.0);
    CHECK(s.iterations == 4);
    CHECK(s.seed == 9);
    CHECK(s.curve == kd::Confidence::linear);
    CHECK(s.base == 1.0);
    CHECK(s.weight == 1.0);
    CHECK_FALSE(s.ratio.has_value());
    CHECK(s.pairs == kd::Background::unobserved);
    CHECK(s.solver == kd::Solver::cholesky);
    CHECK(s.regularization_exponent == 0.0);
    CHECK(s.start == kd::Start::normal);
    CHECK_NOTHROW(kd::validate(kd::AlsOptions{}));
    const kd::detail::AlsSettings data = kd::detail::settings_of(kd::AlsOptions{});
    CHECK(data.pairs == kd::Background::all);
    CHECK(data.curve == kd::Confidence::log);
    CHECK(data.base == 0.0);
    CHECK(data.start == kd::Start::spectral);
    CHECK(data.iterations == 3);
    CHECK(data.regularization_exponent == 1.0);
    CHECK_NOTHROW(kd::validate(kindred_test::play_counts()));
  }

  TEST_CASE("whole numbers at and outside their ranges") {
    using Field = std::optional<std::size_t>& (*)(kd::AlsOptions&);
    struct Case {
      Field field;
      std::vector<std::size_t> good, bad;
      std::string words;
    };
    const std::vector<Case> cases = {{[](kd::AlsOptions & o) -> auto& {return o.factors;
  }
  , {1, 2, 32'768}, {0, 32'769, 1'000'000'000}, "factors is "
}
, {[](kd::AlsOptions & o) -> auto& {return o.iterations;
}
, {1, 1'000'000'000}, {0}, "iterations is 0; it must be at least 1"
}
, {[](kd::AlsOptions & o) -> auto& {o.solver.kind = kd::Solver::conjugate_gradient;
return o.solver.steps;
}
, {1, 1'000'000'000}, {0}, "solver.steps is 0; it must be at least 1"
}
, {[](kd::AlsOptions & o) -> auto& {o.start.kind = kd::Start::spectral;
return o.start.power_steps;
}
, {0, 1, 32}, {33}, "start.power_steps is 33; it must be at most 32"
}
,
}
;
for (const Case& c : cases) {
  for (const std::size_t value : c.good) CHECK_NOTHROW(kd::validate(with([&](kd::AlsOptions& o) { c.field(o) = value; })));
  for (const std::size_t value : c.bad) refuses(with([&](kd::AlsOptions& o) { c.field(o) = value; }), c.words);
}
refuses(with([](kd::AlsOptions& o) { o.factors = 32'769; }), "factors is 32769; it must be in [1, 32768]");
}

TEST_CASE("real numbers at, inside and outside their ranges") {
  using Field = std::optional<double>& (*)(kd::AlsOptions&);
  struct Case {
    Field field;
    std::string name;
    std::vector<double> good, bad;
    std::string allowed;
  };
  const std::vector<double> from_zero = {0.0, 0.5, highest}, below_zero = {-smallest, -1.0, infinity};
  const std::vector<double> above_zero = {smallest, 1.0, highest}, to_zero = {0.0, -1.0, infinity};
  const std::string at_least = "finite and at least 0", above = "finite and above 0";
  const std::vector<Case> cases = {{[](kd::AlsOptions & o) -> auto& {return o.regularization;
}
, "regularization", from_zero, below_zero, at_least
}
, {[](kd::AlsOptions & o) -> auto& {return o.confidence.alpha;
}
, "confidence.alpha", from_zero, below_zero, at_least
}
, {[](kd::AlsOptions & o) -> auto& {return o.confidence.base;
}
, "confidence.base", from_zero, below_zero, at_least
}
, {[](kd::AlsOptions & o) -> auto& {return o.confidence.dislike_weight;
}
, "confidence.dislike_weight", from_zero, below_zero, at_least
}
, {[](kd::AlsOptions & o) -> auto& {return o.background.weight;
}
, "background.weight", from_zero, below_zero, at_least
}
, {[](kd::AlsOptions & o) -> auto& {return o.background.ratio;
}
, "background.ratio", above_zero, to_zero, above
}
, {[](kd::AlsOptions & o) -> auto& {o.confidence.curve = kd::Confidence::log;
return o.confidence.log_scale;
}
, "confidence.log_scale", above_zero, to_zero, above
}
, {[](kd::AlsOptions & o) -> auto& {return o.start.scale;
}
, "start.scale", above_zero, to_zero, above
}
, {[](kd::AlsOptions & o) -> auto& {o.solver.kind = kd::Solver::conjugate_gradient;
return o.solver.tolerance;
}
, "solver.tolerance", {0.0, 0.5, 0.9999999}, {-smallest, 1.0, infinity}, "in [0, 1)"
}
, {[](kd::AlsOptions & o) -> auto& {return o.item_bias;
}
, "item_bias", above_zero, to_zero, above
}
, {[](kd::AlsOptions & o) -> auto& {return o.loss_tolerance;
}
, "loss_tolerance", {0.0, 0.5, 0.9999999}, {-smallest, 1.0, infinity}, "in [0, 1)"
}
, {[](kd::AlsOptions & o) -> auto& {return o.confidence.popularity_damping;
}
, "confidence.popularity_damping", {0.0, 1.0, 4.0}, {-smallest, 4.0000001, infinity}, "in [0, 4]"
}
, {[](kd::AlsOptions & o) -> auto& {return o.background.item_exponent;
}
, "background.item_exponent", {0.0, 1.0, 4.0}, {-smallest, 4.0000001, infinity}, "in [0, 4]"
}
, {[](kd::AlsOptions & o) -> auto& {return o.background.user_exponent;
}
, "background.user_exponent", {0.0, 1.0, 4.0}, {-smallest, 4.0000001, infinity}, "in [0, 4]"
}
, {[](kd::AlsOptions & o) -> auto& {return o.regularization_exponent;
}
, "regularization_exponent", {0.0, 1.0, 2.0}, {-smallest, 2.0000001, infinity}, "in [0, 2]"
}
,
}
;
for (const Case& c : cases) {
  CAPTURE(c.name);
  const auto set = [&](double value) { return with([&](kd::AlsOptions& o) { c.field(o) = value; }); };
  for (const double value : c.good) {
    CAPTURE(value);
    CHECK_NOTHROW(kd::validate(set(value)));
  }
  for (const double value : c.bad) refuses(set(value), c.name + " is " + kd::detail::number_text(value) + "; it must be " + c.allowed);
  refuses(set(not_a_number), c.name + " is ");
}
}

TEST_CASE("an option without effect is an error that says what it goes with") {
  const auto refused = [](auto&& change, const std::string& words) {
    kd::AlsOptions options;
    change(options);
    refuses(options, words);
  };
  const auto refused_of_paper = [](auto&& change, const std::string& words) { refuses(with(change), words); };
  refused([](kd::AlsOptions& o) { o.confidence.alpha = 1.0; },
          "confidence.alpha is 1; it must be not set: it has an effect with Units::paper alone");
  refused([](kd::AlsOptions& o) { o.background.weight = 0.5; }, "background.weight is 0.5; it must be not set");
  refused([](kd::AlsOptions& o) { o.confidence.base = 1.5; }, "confidence.base is 1.5; it must be in [0, 1] with Units::data");
  refused([](kd::AlsOptions& o) { o.solver.steps = 3; },
          "solver.steps is 3; it must be not set: it has an effect with Solver::conjugate_gradient");
  refused([](kd::AlsOptions& o) { o.solver.tolerance = 0.1; }, "solver.tolerance is 0.1; it must be not set");
  refused_of_paper([](kd::AlsOptions& o) { o.confidence.log_scale = 2.0; }, "confidence.log_scale is 2; it must be not set");
  refused_of_paper([](kd::AlsOptions& o) { o.start.power_steps = 1; }, "start.power_steps is 1; it must be not set");
  refused_of_paper(
      [](kd::AlsOptions& o) {
        o.start.kind = kd::Start::uniform;
        o.start.scale = 0.2;
      },
      "start.scale is 0.2; it must be not set");
  refused_of_paper(
      [](kd::AlsOptions& o) {
        o.confidence.curve = kd::Confidence::one;
        o.confidence.cap = 3.0;
      },
      "confidence.cap is 3; it must be not set");
}

TEST_CASE("caps: a value or a quantile, not both") {
  kd::AlsOptions options = kd::AlsOptions::paper();
  for (const double good : {smallest, 3.0, highest}) {
    options.confidence.cap = good;
    CHECK_NOTHROW(kd::validate(options));
  }
  for (const double bad : {0.0, -1.0, infinity, not_a_number}) {
    options.confidence.cap = bad;
    refuses(options, "confidence.cap is ");
  }
  options.confidence.cap = std::nullopt;
  for (const double good : {smallest, 0.5, 1.0}) {
    options.confidence.cap_quantile = good;
    CHECK_NOTHROW(kd::validate(options));
  }
  for (const double bad : {0.0, -0.1, 1.0000001, infinity, not_a_number}) {
    options.confidence.cap_quantile = bad;
    refuses(options, "confidence.cap_quantile is ");
  }
  options.confidence.cap = 3.0;
  options.confidence.cap_quantile = 0.9;
  refuses(options, "confidence.cap_quantile is 0.9; it must be not set when confidence.cap is");
}

TEST_CASE("a confidence function goes with Confidence::custom, and only with it") {
  kd::AlsOptions options = kd::AlsOptions::paper();
  options.confidence.curve = kd::Confidence::custom;
  refuses(options, "confidence.function is not set; it must be set if, and only if, the curve is Confidence::custom");
  options.confidence.function = [](double r, kd::Offset, kd::Offset) { return r; };
  CHECK_NOTHROW(kd::validate(options));
  for (const kd::Confidence other : {kd::Confidence::linear, kd::Confidence::log, kd::Confidence::one}) {
    options.confidence.curve = other;
    refuses(options, "confidence.function is set");
  }
}

TEST_CASE("something must hold the factors: a background or a penalty") {
  kd::AlsOptions options = kd::AlsOptions::paper();
  options.background.weight = 0.0;
  CHECK_NOTHROW(kd::validate(options));
  options.regularization = 0.0;
  refuses(options, "regularization is 0; it must be above 0 when background.weight is 0");
  options.background.weight = 1.0;
  CHECK_NOTHROW(kd::validate(options));
  options.background.weight = std::nullopt;
  options.background.ratio = 2.0;
  CHECK_NOTHROW(kd::validate(options));
}

TEST_CASE("the background is set by one option of the two") {
  kd::AlsOptions options = kindred_test::play_counts();
  options.background.weight = 0.5;
  refuses(options, "background.weight is 0.5; it must be not set when background.ratio is");
  options.background.ratio = std::nullopt;
  CHECK_NOTHROW(kd::validate(options));
}
}
