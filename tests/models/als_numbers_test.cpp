// SPDX-License-Identifier: MIT
// Inputs that break ALS elsewhere: each gives what the long double textbook gives, or a NumericalError that says where; never something in between.
// KINDRED_PRINT_TABLE in the environment prints the table of docs/internal/reliability.md.
#include <kindred/models/implicit_als.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"
#include "../support/simd_levels.hpp"
#include "../support/textbook_als.hpp"

namespace kd = kindred;
using doctest::Contains;
using kindred_test::random_matrix;

namespace {

struct Case {
  std::string name;
  kd::CsrMatrix train;
  kd::AlsOptions options = kd::AlsOptions::paper();
};

kd::CsrMatrix with_values(const kd::CsrMatrix& matrix, float (*value)(std::size_t n)) {
  std::vector<float> values(matrix.values().size());
  for (std::size_t n = 0; n < values.size(); ++n) values[n] = value(n);
  return {matrix.shape(), std::vector<kd::Offset>(matrix.offsets().begin(), matrix.offsets().end()),
          std::vector<kd::Index>(matrix.columns().begin(), matrix.columns().end()), std::move(values)};
}

kd::CsrMatrix from(kd::MatrixShape shape, std::vector<kd::Interaction> triplets) { return kd::CsrMatrix::from_triplets(shape, triplets); }

std::vector<Case> cases() {
  const kd::CsrMatrix plain = random_matrix(24, 16, 0.3, 21);
  kd::AlsOptions usual = kd::AlsOptions::paper();
  usual.factors = 6;
  usual.regularization = 0.1;
  usual.confidence.alpha = 1.0;
  usual.iterations = 4;
  std::vector<Case> all;
  const auto add = [&](std::string name, const kd::CsrMatrix& train, auto&& change) {
    Case one{std::move(name), train, usual};
    change(one.options);
    all.push_back(std::move(one));
  };
  const auto as_usual = [](kd::AlsOptions&) {};
  for (const double alpha : {1e-6, 1e-3, 1e3, 1e6, 1e9})
    add("alpha " + kd::detail::number_text(alpha), plain, [&](kd::AlsOptions& o) { o.confidence.alpha = alpha; });
  add("alpha 1e9, lambda 0", plain, [](kd::AlsOptions& o) { o.confidence.alpha = 1e9, o.regularization = 0.0; });
  for (const double lambda : {0.0, 1e-12, 1e12, 1e300})
    add("lambda " + kd::detail::number_text(lambda), plain, [&](kd::AlsOptions& o) { o.regularization = lambda; });
  add("lambda 0, k above items", plain, [](kd::AlsOptions& o) { o.regularization = 0.0, o.factors = 20; });
  add("lambda 1e-12, k above items", plain, [](kd::AlsOptions& o) { o.regularization = 1e-12, o.factors = 20; });
  add("lambda 1e-6, k above items", plain, [](kd::AlsOptions& o) { o.regularization = 1e-6, o.factors = 20; });
  for (const double w0 : {1e-6, 1e-12, 1e-30, 1e-300})
    add("lambda 0, background " + kd::detail::number_text(w0), plain,
        [&](kd::AlsOptions& o) { o.regularization = 0.0, o.background.weight = w0; });
  add("lambda 1e-12, background 0", plain, [](kd::AlsOptions& o) { o.regularization = 1e-12, o.background.weight = 0.0; });
  for (const double w0 : {1e3, 1e4, 3e4, 1e5, 1e6, 1e8, 1e12})
    add("background " + kd::detail::number_text(w0), plain, [&](kd::AlsOptions& o) { o.background.weight = w0; });
  add("plays of 1e9", with_values(plain, [](std::size_t) { return 1e9F; }), as_usual);
  add("plays of 1 and 1e9", with_values(plain, [](std::size_t n) { return n % 2 == 0 ? 1.0F : 1e9F; }), as_usual);
  add("plays of 1e9, alpha 40", with_values(plain, [](std::size_t) { return 1e9F; }), [](kd::AlsOptions& o) { o.confidence.alpha = 40.0; });
  add("plays of 1e-30 and 1e30", with_values(plain, [](std::size_t n) { return n % 2 == 0 ? 1e-30F : 1e30F; }), as_usual);
  add("c beyond a float: plays of 3e38, alpha 1e9", with_values(plain, [](std::size_t) { return 3e38F; }),
      [](kd::AlsOptions& o) { o.confidence.alpha = 1e9; });
  add("c beyond a double", with_values(plain, [](std::size_t) { return 3e38F; }), [](kd::AlsOptions& o) { o.confidence.alpha = 1e300; });
  add("c in the float's last decade", with_values(plain, [](std::size_t) { return 3e38F; }), as_usual);
  std::vector<kd::Interaction> equal;
  for (kd::Index u = 0; u < 12; ++u)
    for (const kd::Index i : {0, 3, 4}) equal.push_back({u, i, static_cast<float>(i + 1)});
  add("all rows equal", from({12, 7}, equal), as_usual);
  add("all rows equal, lambda 0", from({12, 7}, equal), [](kd::AlsOptions& o) { o.regularization = 0.0; });
  std::vector<kd::Interaction> twins;
  for (kd::Index u = 0; u < 24; ++u)
    for (std::size_t n = 0; n < plain.row(u).size(); ++n) {
      twins.push_back({u, plain.row(u).columns[n], plain.row(u).values[n]});
      if (plain.row(u).columns[n] == 2) twins.push_back({u, 16, plain.row(u).values[n]});
    }
  add("two items with the same listeners", from({24, 17}, twins), as_usual);
  add("one user", from({1, 9}, {{0, 1, 2.0F}, {0, 4, 1.0F}, {0, 8, 7.0F}}), as_usual);
  add("one item", from({9, 1}, {{1, 0, 2.0F}, {4, 0, 1.0F}, {8, 0, 7.0F}}), as_usual);
  add("one interaction", from({7, 9}, {{3, 5, 2.0F}}), as_usual);
  add("one interaction, lambda 0", from({7, 9}, {{3, 5, 2.0F}}), [](kd::AlsOptions& o) { o.regularization = 0.0; });
  add("one user, one item", from({1, 1}, {{0, 0, 2.0F}}), as_usual);
  std::vector<kd::Interaction> blocks;  // of rank 2
  for (kd::Index u = 0; u < 20; ++u)
    for (kd::Index i = u % 2; i < 14; i += 2) blocks.push_back({u, i, 3.0F});
  add("rank 2, k 12", from({20, 14}, blocks), [](kd::AlsOptions& o) { o.factors = 12; });
  add("rank 2, k 12, lambda 1e-12", from({20, 14}, blocks), [](kd::AlsOptions& o) { o.factors = 12, o.regularization = 1e-12; });
  add("rank 2, k 12, lambda 0", from({20, 14}, blocks), [](kd::AlsOptions& o) { o.factors = 12, o.regularization = 0.0; });
  add("k 1", plain, [](kd::AlsOptions& o) { o.factors = 1; });
  add("k 40, 16 items", plain, [](kd::AlsOptions& o) { o.factors = 40; });
  add("empty columns and rows", from({30, 40}, {{2, 3, 1.0F}, {2, 17, 4.0F}, {9, 3, 2.0F}, {28, 39, 1.0F}, {9, 17, 3.0F}}), as_usual);
  add("empty columns, popularity weights", from({30, 40}, {{2, 3, 1.0F}, {2, 17, 4.0F}, {9, 3, 2.0F}, {28, 39, 1.0F}, {9, 17, 3.0F}}),
      [](kd::AlsOptions& o) {
        o.background.item_exponent = 0.7, o.background.user_exponent = 0.5, o.confidence.popularity_damping = 0.4,
        o.regularization_exponent = 1.0;
      });
  add("all dislikes", with_values(plain, [](std::size_t n) { return -1.0F - static_cast<float>(n % 5); }), as_usual);
  add("all dislikes but one", with_values(plain, [](std::size_t n) { return n == 7 ? 2.0F : -3.0F; }), as_usual);
  add("base 0, alpha 1e-9", plain, [](kd::AlsOptions& o) { o.confidence.base = 0.0, o.confidence.alpha = 1e-9; });
  add("first factors of 1e-20", plain, [](kd::AlsOptions& o) { o.start.scale = 1e-20; });
  add("first factors of 1e15", plain, [](kd::AlsOptions& o) { o.start.scale = 1e15; });
  add("first factors of 1e37", plain, [](kd::AlsOptions& o) { o.start.scale = 1e37; });
  return all;
}

/// The relative distance of scores; those below a millionth of a preference all count as 0.
long double distance_or_small(const std::vector<long double>& found, const std::vector<long double>& wanted) {
  long double difference = 0.0L, norm = 0.0L;
  for (std::size_t n = 0; n < found.size(); ++n) {
    difference += (found[n] - wanted[n]) * (found[n] - wanted[n]);
    norm += wanted[n] * wanted[n];
  }
  return std::sqrt(difference) / (std::max)(std::sqrt(norm), 1e-3L);
}

/// What came out of a fit: how far the scores are from the textbook's, or the error.
struct Outcome {
  long double distance = 0.0L;   // of all scores after all iterations
  long double last_step = 0.0L;  // of the worst user, the items being as they are
  std::string error;
  bool textbook_failed = false;
};

template <typename T>
Outcome outcome_of(const Case& one, kd::SimdLevel level, kd::Solver solver) {
  kd::AlsOptions options = one.options;
  options.solver.kind = solver;
  const auto start = kindred_test::random_factors<T>(one.train.rows(), static_cast<kd::Index>(*options.factors),
                                                     0.1 / std::sqrt(static_cast<double>(*options.factors)), 5);
  kd::ImplicitALS<T> als(options);
  Outcome outcome;
  try {
    als.fit(one.train, {.initial_users = start, .execution = {.threads = 2, .simd = level}});
  } catch (const kd::NumericalError& error) {
    outcome.error = error.what();
    CHECK(!als.fitted());
    return outcome;
  } catch (const kd::InvalidArgument& error) {  // a confidence that is not finite
    outcome.error = error.what();
    CHECK(!als.fitted());
    return outcome;
  }
  for (const auto* factors : {&als.user_factors(), &als.item_factors()})
    for (kd::Index r = 0; r < factors->rows(); ++r)
      for (const T value : factors->row(r)) REQUIRE(std::isfinite(value));

  const kindred_test::TextbookProblem problem = kindred_test::textbook_problem(one.options, one.train);
  const kindred_test::TextbookModel textbook = kindred_test::textbook_fit(
      problem, kindred_test::Rows<long double>(start), *one.options.iterations, kindred_test::TextbookRows::least_squares);
  const kindred_test::Rows<long double> items(als.item_factors()), users(als.user_factors());
  std::vector<long double> found, wanted;
  for (std::size_t u = 0; u < users.rows; ++u) {
    // The last half-step alone: the users that belong to the items as they are.
    const std::vector<long double> x = kindred_test::least_squares_user<long double>(problem, items, u);
    std::vector<long double> here, there;
    for (std::size_t i = 0; i < items.rows; ++i) {
      here.push_back(0.0L);
      there.push_back(0.0L);
      for (std::size_t f = 0; f < items.factors; ++f) {
        here.back() += users.at(u, f) * items.at(i, f);
        there.back() += x[f] * items.at(i, f);
      }
    }
    outcome.last_step = (std::max)(outcome.last_step, distance_or_small(here, there));
    for (std::size_t i = 0; i < items.rows; ++i) {
      found.push_back(here[i]);
      wanted.push_back(textbook.score(u, i));
    }
  }
  outcome.textbook_failed = std::any_of(wanted.begin(), wanted.end(), [](long double score) { return !std::isfinite(score); });
  outcome.distance = distance_or_small(found, wanted);
  return outcome;
}

std::string text_of(const Outcome& outcome) {
  if (!outcome.error.empty()) return outcome.error;
  char text[80];
  std::snprintf(text, sizeof(text), "%.0Le (last step %.0Le)", outcome.distance, outcome.last_step);
  return outcome.textbook_failed ? "the textbook divides by 0" : text;
}

}  // namespace

TEST_SUITE("numbers") {
  TEST_CASE("the right answer or an error that says where") {
    const bool print = std::getenv("KINDRED_PRINT_TABLE") != nullptr;
    for (const Case& one : cases()) {
      CAPTURE(one.name);
      Outcome shown_float, shown_double;
      for (const kd::SimdLevel level : kindred_test::simd_levels()) {
        const Outcome in_float = outcome_of<float>(one, level, kd::Solver::cholesky);
        const Outcome in_double = outcome_of<double>(one, level, kd::Solver::cholesky);
        for (const Outcome& outcome : {in_float, in_double}) {
          CAPTURE(text_of(outcome));
          if (outcome.error.empty()) continue;
          const std::string& error = outcome.error;
          const bool says_where = error.find("iteration ") != std::string::npos && error.find("row ") != std::string::npos &&
                                  error.find("side ") != std::string::npos && error.find("lambda ") != std::string::npos &&
                                  error.find("alpha ") != std::string::npos;
          CHECK((says_where || error.find("the confidence of user") != std::string::npos));
        }
        if (in_float.error.empty()) CHECK(in_float.distance < 2e-3L);
        if (in_double.error.empty()) CHECK(in_double.distance < 1e-6L);
        CHECK(!in_float.textbook_failed);
        CHECK(!in_double.textbook_failed);
        shown_float = in_float;
        shown_double = in_double;
        // Approximate solves: finite, or an error.
        (void)outcome_of<float>(one, level, kd::Solver::conjugate_gradient);
        (void)outcome_of<double>(one, level, kd::Solver::conjugate_gradient);
      }
      if (print) std::printf("| %s | %s | %s |\n", one.name.c_str(), text_of(shown_float).c_str(), text_of(shown_double).c_str());
    }
  }

  TEST_CASE_TEMPLATE("a fit that fails half-way leaves the model it was to replace", T, float, double) {
    const kd::CsrMatrix train = random_matrix(24, 16, 0.3, 21);
    kd::AlsOptions options = kindred_test::small_als();
    options.regularization = 0.0;
    options.factors = 8;
    options.iterations = 5;
    kd::ImplicitALS<T> model(options);
    model.fit(train);
    const kd::ImplicitALS<T> before = model;
    const auto unchanged = [&] {
      CHECK(model.shape() == before.shape());
      CHECK(model.user_factors().same_bytes(before.user_factors()));
      CHECK(model.item_factors().same_bytes(before.item_factors()));
      CHECK(model.recommend(3) == before.recommend(3));
      CHECK(model.fold_in(train.row(3)) == before.fold_in(train.row(3)));
    };
    using Fit = typename kd::ImplicitALS<T>::FitOptions;
    const auto fails_at = [](std::size_t when) {
      return [when](const kd::Progress& p) -> kd::ProgressAnswer {
        if (p.done == when) throw std::runtime_error("thrown by the callback");
        return kd::ProgressAnswer::keep_going;
      };
    };
    // Four users alone have not enough data for eight factors without a penalty.
    const kd::CsrMatrix few = random_matrix(4, 4, 0.6, 2);
    CHECK_THROWS_WITH_AS(model.fit(few), Contains("side "), kd::NumericalError);
    unchanged();
    CHECK_THROWS_WITH(model.fit(random_matrix(30, 20, 0.3, 4), {.progress = fails_at(3)}), "thrown by the callback");
    unchanged();
    CHECK_THROWS_AS(
        model.fit(
            random_matrix(30, 20, 0.3, 4),
            {.progress = [](const kd::Progress& p) { return p.done == 2 ? kd::ProgressAnswer::cancel : kd::ProgressAnswer::keep_going; }}),
        kd::Cancelled);
    unchanged();
    Fit fit;
    fit.on_snapshot = [](const kd::FitSnapshot<T>& so_far) {
      if (so_far.iteration == 2) throw std::runtime_error("disk full");
    };
    CHECK_THROWS_WITH(model.fit(random_matrix(30, 20, 0.3, 4), fit), "disk full");
    unchanged();
    fit = {};
    fit.after_iteration = [](const kd::ImplicitALS<T>&, const kd::FitReport::Iteration&) { throw std::runtime_error("no more"); };
    CHECK_THROWS_WITH(model.fit(random_matrix(30, 20, 0.3, 4), fit), "no more");
    unchanged();
  }
}
