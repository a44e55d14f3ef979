// SPDX-License-Identifier: MIT
// ImplicitALS against the textbook: the factors, the loss, the equivalence of two published forms of the model.
#include <kindred/models/implicit_als.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/linalg/eigenbasis.hpp>
#include <kindred/linalg/gram.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"
#include "../support/simd_levels.hpp"
#include "../support/textbook_als.hpp"

namespace kd = kindred;
using kindred_test::distance;
using kindred_test::Rows;
using kindred_test::textbook_problem;
using kindred_test::TextbookModel;
using kindred_test::TextbookProblem;

namespace {

kd::CsrMatrix with_dislikes(const kd::CsrMatrix& plain) {
  return {plain.shape(),
          {plain.offsets().begin(), plain.offsets().end()},
          {plain.columns().begin(), plain.columns().end()},
          kindred_test::with_dislikes(plain.values(), 6, 4)};
}

// 30 users x 26 items; rows around 6 factors, an empty one, dislikes, and an item (the last) that nobody has.
kd::CsrMatrix small_train() {
  const kd::CsrMatrix rows = kindred_test::matrix_with_lengths(
      std::vector<std::size_t>{0, 1, 1, 2, 3, 4, 5, 5, 6, 6, 7, 8, 9, 10, 12, 15, 20, 24, 2, 3, 4, 5, 6, 7, 8, 3, 2, 1, 4, 5}, 25, 3);
  std::vector<float> values;
  for (const float value : rows.values()) values.push_back(std::fmod(value * 3.0F, 10.0F) + 1.0F);
  return with_dislikes({{30, 26}, {rows.offsets().begin(), rows.offsets().end()}, {rows.columns().begin(), rows.columns().end()}, values});
}

template <typename Scalar>
TextbookModel exact_copy(const kd::ImplicitALS<Scalar>& model) {
  return {Rows<long double>(model.user_factors()), Rows<long double>(model.item_factors())};
}

// The largest difference of two models' scores, relative to the largest score.
double score_distance(const TextbookModel& a, const TextbookModel& b, long double b_scale = 1.0L) {
  long double worst = 0.0L, largest = 0.0L;
  for (std::size_t u = 0; u < a.users.rows; ++u) {
    for (std::size_t i = 0; i < a.items.rows; ++i) {
      const long double difference = std::abs(a.score(u, i) - b_scale * b.score(u, i));
      if (!(difference <= worst)) worst = difference;  // a NaN too
      largest = (std::max)(largest, std::abs(a.score(u, i)));
    }
  }
  return static_cast<double>(largest > 0.0L ? worst / largest : worst);
}

template <typename Scalar>
kd::FactorMatrix<Scalar> scaled(const kd::FactorMatrix<Scalar>& factors, double scale) {
  kd::FactorMatrix<Scalar> result = factors;
  for (kd::Index r = 0; r < result.rows(); ++r)
    for (Scalar& value : result.row(r)) value = static_cast<Scalar>(static_cast<double>(value) * scale);
  return result;
}

}  // namespace

TEST_SUITE("models/implicit_als, exactness") {
  // By hand: one user, one item, one factor, c = 1 + 2 * 3 = 7, lambda 0.5, from x = 1: y = 7 / (7 + 0.5), x = 7 y / (7 y^2 + 0.5).
  TEST_CASE("one user, one item, one factor, by hand") {
    kd::ImplicitALS<double> model(
        {.factors = 1, .regularization = 0.5, .iterations = 1, .units = kd::Units::paper, .confidence = {.alpha = 2.0}});
    kd::ImplicitALS<double>::FitOptions fit{.record_loss = true};
    fit.initial_users = kd::FactorMatrix<double>(1, 1, std::vector<double>{1.0});
    const kd::FitReport report = model.fit(kd::CsrMatrix({1, 1}, {0, 1}, {0}, {3}), fit);
    const double y = 7.0 / 7.5, x = 7.0 * y / (7.0 * y * y + 0.5);
    CHECK(model.predict(0, 0) == doctest::Approx(x * y).epsilon(1e-14));
    const double loss = 7.0 * (1.0 - x * y) * (1.0 - x * y) + 0.5 * (x * x + y * y);
    REQUIRE(report.iterations.size() == 1);
    CHECK(report.iterations[0].loss->total == doctest::Approx(loss).epsilon(1e-13));
    CHECK(report.iterations[0].loss->per_cell == doctest::Approx(loss).epsilon(1e-13));
    CHECK(report.iterations[0].loss->loss_per_total_weight == doctest::Approx(loss / 7.0).epsilon(1e-13));
  }

  TEST_CASE("whole fits of every setting agree with the textbook, score by score") {
    const kd::CsrMatrix train = small_train();
    for (const auto& setting : kindred_test::all_settings()) {
      const std::string& name = setting.first;
      const kd::AlsOptions& options = setting.second;
      CAPTURE(name);
      const kd::FactorMatrix<double> start = kindred_test::random_factors<double>(train.rows(), 6, 0.3, 8);
      kd::ImplicitALS<double> model(options);
      model.fit(train, {.initial_users = start});
      const TextbookModel textbook =
          kindred_test::textbook_fit(textbook_problem(options, train), Rows<long double>(start), *options.iterations);
      // Six half-steps, each exact to a condition number below 1e3 times eps: 1e-12 or so.
      CHECK(score_distance(textbook, exact_copy(model)) < 1e-10);
    }
  }

  TEST_CASE("the users of every setting are the textbook's solution for the stored items") {
    const kd::CsrMatrix train = small_train();
    for (const auto& setting : kindred_test::all_settings()) {
      const std::string& name = setting.first;
      const kd::AlsOptions& options = setting.second;
      CAPTURE(name);
      const TextbookProblem problem = textbook_problem(options, train);
      for (const kd::SimdLevel level : kindred_test::simd_levels()) {
        kd::ImplicitALS<double> model(options);
        model.fit(train, {.execution = {.simd = level}});
        const Rows<long double> items(model.item_factors());
        for (kd::Index u = 0; u < train.rows(); ++u) {
          CAPTURE(u);
          CHECK(distance(model.user_factors().row(u),
                         kindred_test::textbook_user<long double>(problem, items, static_cast<std::size_t>(u))) < 1e-10L);
        }
      }
    }
  }

  // Too large for a textbook solve in long double: instead the objective's gradient, pair by pair, vanishes at every user. Orders 1,024 and 2,048 take their time,
  // so only with KINDRED_TEST_ALL_SIZES set in the environment.
  TEST_CASE_TEMPLATE("users are minima for 256 factors and more", T, float, double) {
    std::vector<std::size_t> factors{256, 520};
    if (std::getenv("KINDRED_TEST_ALL_SIZES") != nullptr) factors.insert(factors.end(), {1024, 2048});
    for (const std::size_t k : factors) {
      std::vector<std::size_t> lengths{0, 1, 17, 100, 255, 256, 257, 300, 521, 600};
      for (std::size_t n = 0; n < 30; ++n) lengths.push_back(20 + n);
      const kd::CsrMatrix train = kindred_test::matrix_with_lengths(lengths, 600, k);
      kd::AlsOptions options{.factors = k, .regularization = 0.5, .iterations = 1, .units = kd::Units::paper, .confidence = {.alpha = 0.4}};
      options.start.scale = 1.0;
      kd::ImplicitALS<T> model(options);
      model.fit(train);
      for (kd::Index u = 0; u < train.rows(); ++u) {
        CAPTURE(train.row(u).size());
        const std::span<const T> x = model.user_factors().row(u);
        std::vector<double> gradient(k), scale(k);
        for (std::size_t f = 0; f < k; ++f) {
          gradient[f] = *options.regularization * static_cast<double>(x[f]);
          scale[f] = std::abs(gradient[f]);
        }
        std::size_t at = 0;
        const kd::SparseRow row = train.row(u);
        for (kd::Index i = 0; i < train.cols(); ++i) {
          const std::span<const T> y = model.item_factors().row(i);
          double score = 0.0;
          for (std::size_t f = 0; f < k; ++f) score += static_cast<double>(x[f]) * static_cast<double>(y[f]);
          const bool known = at < row.size() && row.columns[at] == i;
          const double confidence = known ? 1.0 + *options.confidence.alpha * static_cast<double>(row.values[at++]) : 1.0;
          for (std::size_t f = 0; f < k; ++f) {
            gradient[f] += confidence * (score - (known ? 1.0 : 0.0)) * static_cast<double>(y[f]);
            scale[f] += confidence * (std::abs(score) + (known ? 1.0 : 0.0)) * std::abs(static_cast<double>(y[f]));
          }
        }
        const double largest = *std::max_element(scale.begin(), scale.end());
        double worst = 0.0;
        for (const double entry : gradient) worst = (std::max)(worst, std::abs(entry));
        CHECK(worst <= 200.0 * static_cast<double>(std::numeric_limits<T>::epsilon()) * largest);
      }
    }
  }

  // Rows of every length around the number of factors, where the solver changes its form.
  TEST_CASE("one half-step at 1, 3, 16, 17 and 100 factors, in double and in float") {
    for (const std::size_t k : {1u, 3u, 16u, 17u, 100u}) {
      std::vector<std::size_t> lengths = {0, 1, 2, 3, 4, 15, 16, 17, 18, 40, 99, 100, 101, 140};
      for (std::size_t n = 0; n < 20; ++n) lengths.push_back(5 + n);
      const kd::CsrMatrix train = with_dislikes(kindred_test::matrix_with_lengths(lengths, 140, k));
      for (const kd::Background background : {kd::Background::unobserved, kd::Background::all}) {
        if (k == 100 && background == kd::Background::all) continue;  // the textbook's time
        kd::AlsOptions options{
            .factors = k, .regularization = 0.2, .iterations = 1, .units = kd::Units::paper, .confidence = {.alpha = 0.4}};
        options.background.pairs = background;
        options.confidence.curve = kd::Confidence::log;
        options.confidence.base = 0.3;  // below the background weight: some d < 0
        options.background.item_exponent = 0.4;
        options.start.scale = 1.0;
        const TextbookProblem problem = textbook_problem(options, train);
        CAPTURE(k);
        CAPTURE(static_cast<int>(background));

        kd::ImplicitALS<double> in_double(options);
        in_double.fit(train);
        kd::ImplicitALS<float> in_float(options);
        in_float.fit(train);
        const Rows<long double> items(in_double.item_factors()), float_items(in_float.item_factors());
        const Rows<float> same_items(in_float.item_factors());
        long double worst = 0.0L, worst_textbook = 0.0L;
        for (kd::Index u = 0; u < train.rows(); ++u) {
          const auto user = static_cast<std::size_t>(u);
          CAPTURE(train.row(u).size());
          CHECK(distance(in_double.user_factors().row(u), kindred_test::textbook_user<long double>(problem, items, user)) < 1e-10L);
          const std::vector<long double> truth = kindred_test::textbook_user<long double>(problem, float_items, user);
          const long double error = distance(in_float.user_factors().row(u), truth);
          CHECK(error < 1e-4L);
          if (train.row(u).size() < k) continue;
          worst = (std::max)(worst, error);
          worst_textbook = (std::max)(worst_textbook, distance(kindred_test::textbook_user<float>(problem, same_items, user), truth));
        }
        CAPTURE(static_cast<double>(worst));
        CAPTURE(static_cast<double>(worst_textbook));
        // Both are a handful of roundings; the items were rounded to float once more after their Gram matrix was known.
        CHECK(worst <= (std::max)(worst_textbook, 8.0L * static_cast<long double>(std::numeric_limits<float>::epsilon())));
      }
    }
  }

  TEST_CASE("conjugate gradients, run to convergence, give the exact solver's scores") {
    const kd::CsrMatrix train = small_train();
    for (const auto& setting : kindred_test::all_settings()) {
      const std::string& name = setting.first;
      const kd::AlsOptions& exact_options = setting.second;
      CAPTURE(name);
      kd::AlsOptions options = exact_options;
      options.solver.kind = kd::Solver::conjugate_gradient;
      options.solver.steps = 200;
      options.solver.tolerance = 1e-14;
      const kd::FactorMatrix<double> start = kindred_test::random_factors<double>(train.rows(), 6, 0.3, 8);
      kd::ImplicitALS<double> exact(exact_options), iterative(options);
      exact.fit(train, {.initial_users = start});
      iterative.fit(train, {.initial_users = start});
      // A residual of 1e-14 times condition numbers below 1e3, six half-steps.
      CHECK(score_distance(exact_copy(exact), exact_copy(iterative)) < 1e-9);
    }
  }

  TEST_CASE("three steps of conjugate gradients an iteration end near the exact loss, from a warm start") {
    const kd::CsrMatrix train = kindred_test::random_matrix(80, 60, 0.2, 5);
    kd::AlsOptions options = kindred_test::small_als();
    options.iterations = 15;
    kd::ImplicitALS<double> exact(options);
    options.solver.kind = kd::Solver::conjugate_gradient;
    kd::ImplicitALS<double> iterative(options);
    const double exact_loss = exact.fit(train, {.record_loss = true}).iterations.back().loss->total;
    const double loss = iterative.fit(train, {.record_loss = true}).iterations.back().loss->total;
    CHECK(std::abs(loss - exact_loss) < 0.02 * exact_loss);  // both near a minimum, perhaps not the same one
  }

  TEST_CASE_TEMPLATE("the loss is the objective, every pair added up, after every iteration", T, float, double) {
    const kd::CsrMatrix train = small_train();
    const double cells = static_cast<double>(train.rows()) * static_cast<double>(train.cols());
    // Double: sums of 800 terms. Float: the stored factors are rounded to float after the eigenvalues were computed.
    const double tolerance = std::is_same_v<T, double> ? 1e-11 : 1e-5;
    for (const kd::Solver solver : {kd::Solver::cholesky, kd::Solver::conjugate_gradient}) {
      for (const auto& setting : kindred_test::all_settings()) {
        const std::string& name = setting.first;
        kd::AlsOptions options = setting.second;
        CAPTURE(name);
        options.solver.kind = solver;
        const TextbookProblem problem = textbook_problem(options, train);
        double confidences = 0.0;
        for (const long double c : problem.confidence) confidences += static_cast<double>(c);
        kd::ImplicitALS<T> model(options);
        typename kd::ImplicitALS<T>::FitOptions fit{.record_loss = true};
        std::size_t checked = 0;
        fit.after_iteration = [&](const kd::ImplicitALS<T>& so_far, const kd::FitReport::Iteration& report) {
          const auto loss = static_cast<double>(kindred_test::textbook_loss(problem, exact_copy(so_far)));
          REQUIRE(report.loss.has_value());
          CHECK(report.loss->total == doctest::Approx(loss).epsilon(tolerance));
          CHECK(report.loss->per_cell == doctest::Approx(loss / cells).epsilon(tolerance));
          const double weight = confidences + cells - static_cast<double>(train.nnz());
          CHECK(report.loss->loss_per_total_weight == doctest::Approx(loss / weight).epsilon(tolerance));
          ++checked;
        };
        model.fit(train, fit);
        CHECK(checked == options.iterations);
      }
    }
  }

  TEST_CASE("the loss never rises over exact iterations") {
    const kd::CsrMatrix train = small_train();
    for (const auto& setting : kindred_test::all_settings()) {
      const std::string& name = setting.first;
      kd::AlsOptions options = setting.second;
      CAPTURE(name);
      options.iterations = 12;
      kd::ImplicitALS<double> in_double(options);
      kd::ImplicitALS<float> in_float(options);
      const kd::FitReport doubles = in_double.fit(train, {.record_loss = true});
      const kd::FitReport floats = in_float.fit(train, {.record_loss = true});
      for (std::size_t n = 1; n < options.iterations; ++n) {
        // Beyond rounding: of a sum of 800 terms in double, and of float factors.
        CHECK(doubles.iterations[n].loss->total <= doubles.iterations[n - 1].loss->total * (1.0 + 1e-12));
        CHECK(floats.iterations[n].loss->total <= floats.iterations[n - 1].loss->total * (1.0 + 1e-5));
      }
    }
  }

  // Every step lowers the objective of its row from where the row stood, so a fit of single steps falls too, and a good start in any basis is kept.
  TEST_CASE("the loss never rises over single steps of conjugate gradients, from the warm start") {
    const kd::CsrMatrix train = small_train();
    for (const auto& setting : kindred_test::all_settings()) {
      CAPTURE(setting.first);
      kd::AlsOptions options = setting.second;
      options.iterations = 30;
      kd::ImplicitALS<double> exact(options);
      const double good = exact.fit(train, {.record_loss = true}).iterations.back().loss->total;
      options.solver.kind = kd::Solver::conjugate_gradient;
      options.solver.steps = 1;
      kd::ImplicitALS<double>::FitOptions fit{.record_loss = true};
      fit.initial_users = exact.user_factors();
      fit.initial_items = exact.item_factors();
      const kd::detail::Eigenbasis turned =
          kd::detail::eigenbasis(kd::detail::gram(kindred_test::random_factors<double>(20, 6, 1.0, 3)), 6);
      kd::detail::rotate(*fit.initial_users, turned);
      kd::detail::rotate(*fit.initial_items, turned);
      kd::ImplicitALS<double> iterative(options);
      double last = good;
      for (const kd::FitReport::Iteration& iteration : iterative.fit(train, fit).iterations) {
        CHECK(iteration.loss->total <= last * (1.0 + 1e-12));  // beyond the rounding of a sum of 800 terms
        last = iteration.loss->total;
      }
    }
  }

  // Rendle et al. 2022 write observed (1 - s)^2, all pairs w0 s^2; Hu, Koren, Volinsky 2008 write c (1 - s)^2 and the pairs not observed s^2.
  // alpha g = 1 / w0, penalties times (1 + w0) / w0 and first factors times sqrt(1 + w0) turn one into the other, scores divided by 1 + w0.
  TEST_CASE("the two published forms of the model give the same scores") {
    const kd::CsrMatrix train = kindred_test::random_matrix(40, 30, 0.2, 6);
    const double w0 = 0.15;
    kd::AlsOptions rendle{.factors = 7, .regularization = 0.4, .iterations = 16, .units = kd::Units::paper, .confidence = {.alpha = 0.0}};
    rendle.background.pairs = kd::Background::all;
    rendle.confidence.curve = kd::Confidence::one;
    rendle.background.weight = w0;
    kd::AlsOptions hu{.factors = 7,
                      .regularization = 0.4 * (1.0 + w0) / w0,
                      .iterations = 16,
                      .units = kd::Units::paper,
                      .confidence = {.alpha = 1.0 / w0}};
    hu.confidence.curve = kd::Confidence::one;

    const kd::FactorMatrix<double> start = kindred_test::random_factors<double>(40, 7, 0.1, 3);
    kd::ImplicitALS<double> one(rendle), other(hu);
    one.fit(train, {.initial_users = start});
    other.fit(train, {.initial_users = scaled(start, std::sqrt(1.0 + w0))});
    CHECK(score_distance(exact_copy(one), exact_copy(other), 1.0L / (1.0L + static_cast<long double>(w0))) <
          1e-8);  // asked for; relative to the largest score
  }

  // With nu = 1 the other form needs the penalties as they are: the textbook takes them.
  TEST_CASE("the two published forms with penalties that follow the counts") {
    const kd::CsrMatrix train = kindred_test::random_matrix(40, 30, 0.2, 6);
    const double w0 = 0.15;
    kd::AlsOptions rendle{.factors = 7, .regularization = 0.03, .iterations = 16, .units = kd::Units::paper, .confidence = {.alpha = 0.0}};
    rendle.background.pairs = kd::Background::all;
    rendle.confidence.curve = kd::Confidence::one;
    rendle.background.weight = w0;
    rendle.regularization_exponent = 1.0;
    kd::AlsOptions hu{.factors = 7, .regularization = 0.03, .iterations = 16, .units = kd::Units::paper, .confidence = {.alpha = 1.0 / w0}};
    hu.confidence.curve = kd::Confidence::one;
    TextbookProblem problem = textbook_problem(hu, train);
    const TextbookProblem penalties = textbook_problem(rendle, train);
    const long double scale = (1.0L + static_cast<long double>(w0)) / static_cast<long double>(w0);
    for (std::size_t u = 0; u < problem.users; ++u) problem.user_penalty[u] = penalties.user_penalty[u] * scale;
    for (std::size_t i = 0; i < problem.items; ++i) problem.item_penalty[i] = penalties.item_penalty[i] * scale;

    const kd::FactorMatrix<double> start = kindred_test::random_factors<double>(40, 7, 0.1, 3);
    kd::ImplicitALS<double> model(rendle);
    model.fit(train, {.initial_users = start});
    const TextbookModel textbook = kindred_test::textbook_fit(problem, Rows<long double>(scaled(start, std::sqrt(1.0 + w0))), 16);
    CHECK(score_distance(exact_copy(model), textbook, 1.0L / (1.0L + static_cast<long double>(w0))) < 1e-8);
  }

  TEST_CASE_TEMPLATE("the stored basis: the weighted Gram matrix of the items is diagonal, its values fall", T, float, double) {
    const kd::CsrMatrix train = small_train();
    for (const auto& setting : kindred_test::all_settings()) {
      const std::string& name = setting.first;
      const kd::AlsOptions& options = setting.second;
      CAPTURE(name);
      kd::ImplicitALS<T> model(options);
      model.fit(train);
      const std::vector<double> item_counts = [&] {
        std::vector<double> counts;
        for (const kd::Index count : model.weights().likes(kd::detail::AlsSide::items))
          counts.push_back(std::pow(static_cast<double>(count), options.background.item_exponent.value_or(0.0)));
        double sum = 0.0;
        for (const double count : counts) sum += count;
        for (double& count : counts) count *= static_cast<double>(counts.size()) / sum;
        return counts;
      }();
      const kd::detail::AlignedVector<double> gram = kd::detail::gram(model.item_factors(), std::span<const double>(item_counts));
      const std::span<const double> values = model.eigenvalues();
      REQUIRE(values.size() == options.factors);
      const double tolerance = 200.0 * static_cast<double>(std::numeric_limits<T>::epsilon()) * values[0];
      for (std::size_t a = 0; a < values.size(); ++a) {
        if (a > 0) CHECK(values[a] <= values[a - 1]);
        for (std::size_t b = 0; b < values.size(); ++b)
          CHECK(std::abs(gram[a * values.size() + b] - (a == b ? values[a] : 0.0)) <= tolerance);
      }
    }
  }
}
