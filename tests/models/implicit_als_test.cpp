// SPDX-License-Identifier: MIT
// What a fit promises beside its numbers: the same bytes always, errors that say where, a model that failures do not touch, callbacks, first factors.
#include <kindred/models/implicit_als.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"
#include "../support/same.hpp"
#include "../support/simd_levels.hpp"
#include "../support/textbook_als.hpp"

namespace kd = kindred;
using doctest::Approx;
using doctest::Contains;
using kindred_test::random_matrix;
using kindred_test::small_als;

namespace {

template <typename T>
kd::ImplicitALS<T> fitted(const kd::AlsOptions& options, const kd::CsrView& train,
                          const typename kd::ImplicitALS<T>::FitOptions& fit = {}) {
  kd::ImplicitALS<T> model(options);
  model.fit(train, fit);
  return model;
}

kd::CsrMatrix with_values(const kd::CsrMatrix& matrix, std::vector<float> values) {
  return {matrix.shape(),
          {matrix.offsets().begin(), matrix.offsets().end()},
          {matrix.columns().begin(), matrix.columns().end()},
          std::move(values)};
}

// Several blocks of rows for every loop that deals them out; an empty row, dislikes.
kd::CsrMatrix wide_train() {
  std::vector<std::size_t> lengths(700);
  for (std::size_t u = 0; u < lengths.size(); ++u) lengths[u] = u * 37 % 23;
  lengths[5] = 290;
  const kd::CsrMatrix rows = kindred_test::matrix_with_lengths(lengths, 300, 9);
  return with_values(rows, kindred_test::with_dislikes(rows.values(), 8, 2));
}

// Runs the workers one after the other, the last first.
const kd::Executor backwards = [](std::size_t workers, const std::function<void(std::size_t)>& task) {
  while (workers-- > 0) task(workers);
};

// Whether a call throws an exception of this kind.
template <typename Kind>
struct Throws {
  template <typename Call>
  bool operator()(Call&& call) const {
    try {
      call();
    } catch (const Kind&) {
      return true;
    }
    return false;
  }
};

kd::AlsOptions fails_with_singular() {
  kd::AlsOptions options = small_als();
  options.regularization = 0.0;
  options.factors = 60;  // more than users: the Gram matrix has no full rank, and nothing else holds the factors
  return options;
}

}  // namespace

TEST_SUITE("models/implicit_als") {
  TEST_CASE_TEMPLATE("the same bytes for 1, 2, 3 and 8 threads, in a second run and on a caller's executor", T, float, double) {
    const kd::CsrMatrix train = wide_train();
    for (const kd::Solver solver : {kd::Solver::cholesky, kd::Solver::conjugate_gradient}) {
      for (const bool recommended : {false, true}) {
        for (const kd::SimdLevel level : kindred_test::simd_levels()) {
          kd::AlsOptions options = recommended ? kindred_test::play_counts() : kd::AlsOptions::paper();
          options.factors = 17;
          options.iterations = 2;
          options.solver.kind = solver;
          const auto run = [&](std::size_t threads) { return kd::Execution{.threads = threads, .simd = level}; };
          const kd::ImplicitALS<T> one = fitted<T>(options, train, {.execution = run(1)});
          CHECK(kindred_test::same_model(fitted<T>(options, train, {.execution = run(1)}), one));
          for (const std::size_t threads : {2u, 3u, 8u}) {
            CAPTURE(threads);
            kd::ImplicitALS<T> several(options);
            const kd::FitReport report = several.fit(train, {.record_loss = true, .execution = run(threads)});
            CHECK(kindred_test::same_model(several, one));
            kd::ImplicitALS<T> single(options);
            CHECK(report.iterations.back().loss->total ==
                  single.fit(train, {.record_loss = true, .execution = run(1)}).iterations.back().loss->total);
          }
          CHECK(kindred_test::same_model(fitted<T>(options, train, {.execution = {.threads = 3, .executor = &backwards, .simd = level}}),
                                         one));
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("fold_in of a row of train gives the bytes of that user's factors", T, float, double) {
    const kd::CsrMatrix rows =
        kindred_test::matrix_with_lengths(std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 25, 40, 3, 5, 6, 7, 11}, 45, 5);
    const kd::CsrMatrix train = with_values(rows, kindred_test::with_dislikes(rows.values(), 5, 2));
    for (const auto& setting : kindred_test::all_settings()) {
      const std::string& name = setting.first;
      kd::AlsOptions options = setting.second;
      for (const kd::SimdLevel level : kindred_test::simd_levels()) {
        CAPTURE(name);
        const kd::ImplicitALS<T> model = fitted<T>(options, train, {.execution = {.simd = level}});
        for (kd::Index u = 0; u < train.rows(); ++u) {
          CAPTURE(u);
          const std::vector<T> folded = model.fold_in(train.row(u));
          CHECK(kindred_test::same_array(folded, model.user_factors().row(u)));
        }
      }
    }
  }

  TEST_CASE("fold_in: empty rows, stored zeros, new rows, conjugate gradients") {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5);
    const kd::ImplicitALS<double> model = fitted<double>(small_als(), train);
    CHECK(model.fold_in({}) == std::vector<double>(6, 0.0));

    const std::vector<kd::Index> columns{1, 4, 7}, fewer{1, 7};
    const std::vector<float> values{2, 0, 3}, kept{2, 3};
    const std::vector<double> folded = model.fold_in({columns, values});
    CHECK(folded == model.fold_in({fewer, kept}));
    const kd::CsrMatrix with_zero({1, 20}, {0, 3}, columns, values), without({1, 20}, {0, 2}, fewer, kept);
    CHECK(model.fold_in_all(with_zero).same_bytes(model.fold_in_all(without)));
    // A new row is the textbook's solution: appended to train it changes no weight of small_als.
    const kindred_test::Rows<long double> items(model.item_factors());
    std::vector<long double> confidence(20, 0.0L), preference(20, 0.0L), background(20, 1.0L);
    for (std::size_t n = 0; n < fewer.size(); ++n) {
      const auto i = static_cast<std::size_t>(fewer[n]);
      confidence[i] = 1.0L + 0.7L * static_cast<long double>(kept[n]);
      preference[i] = 1.0L;
      background[i] = 0.0L;
    }
    // 1e-10 as everywhere: a well-conditioned system of order 6.
    CHECK(kindred_test::distance(folded, kindred_test::textbook_row<long double>(items, confidence, preference, background, 0.3L)) <
          1e-10L);

    kd::AlsOptions options = small_als();
    options.solver.kind = kd::Solver::conjugate_gradient;
    options.solver.steps = 100;
    options.solver.tolerance = 1e-13;
    const kd::ImplicitALS<double> iterative = fitted<double>(options, train);
    for (kd::Index u = 0; u < train.rows(); ++u)
      CHECK(kindred_test::distance(iterative.fold_in(train.row(u)), iterative.user_factors().row(u)) < 1e-9L);  // both converged to 1e-13
  }

  TEST_CASE("fold_in: what it refuses") {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5);
    const kd::ImplicitALS<float> model = fitted<float>(small_als(), train);
    const std::vector<kd::Index> columns{1, 4}, falling{4, 1}, twice{4, 4}, outside{4, 20}, negative{-1, 4};
    const std::vector<float> values{1, 1}, one{1}, broken{1, std::numeric_limits<float>::infinity()};
    CHECK_THROWS_AS((void)kd::ImplicitALS<float>().fold_in({columns, values}), kd::NotFitted);
    CHECK_THROWS_WITH_AS((void)model.fold_in({falling, values}), Contains("interactions[1] is 1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.fold_in({twice, values}), Contains("interactions[1] is 4"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.fold_in({outside, values}), Contains("interactions[1] is 20"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.fold_in({negative, values}), Contains("interactions[0] is -1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.fold_in({columns, one}), Contains("2 columns and 1 values"), kd::ShapeError);
    CHECK_THROWS_WITH_AS((void)model.fold_in({columns, broken}), Contains("interactions.values[1] is inf"), kd::InvalidArgument);

    kd::AlsOptions options = small_als();
    options.confidence.curve = kd::Confidence::custom;
    options.confidence.function = [](double r, kd::Offset, kd::Offset) { return r > 100.0 ? -50.0 : r; };
    const std::vector<float> large{1, 101};
    CHECK_THROWS_WITH_AS((void)fitted<float>(options, train).fold_in({columns, large}), Contains("item 4"), kd::InvalidArgument);
  }

  TEST_CASE("a confidence function sees |r|, capped, and the counts of the user and of the item") {
    const kd::CsrMatrix train({3, 4}, {0, 2, 5, 6}, {0, 2, 0, 1, 2, 0}, {1, 8, 3, -2, 5, 4});
    using Seen = std::set<std::tuple<double, kd::Offset, kd::Offset>>;
    const Seen wanted = {{1, 2, 3}, {6, 2, 2}, {3, 3, 3}, {2, 3, 1}, {5, 3, 2}, {4, 1, 3}};
    Seen seen;
    std::mutex mutex;
    kd::AlsOptions options = small_als();
    options.confidence.cap = 6.0;
    options.confidence.curve = kd::Confidence::custom;
    options.confidence.function = [&](double r, kd::Offset n_u, kd::Offset n_i) {
      const std::lock_guard lock(mutex);
      seen.insert({r, n_u, n_i});
      return r;
    };
    const kd::ImplicitALS<double> model = fitted<double>(options, train);
    CHECK(seen == wanted);
    seen.clear();
    (void)model.fold_in(train.row(1));
    CHECK(seen == Seen{{3, 3, 3}, {2, 3, 1}, {5, 3, 2}});

    // And a function that does what a named curve does gives the same model.
    options.confidence.function = [](double r, kd::Offset, kd::Offset) { return std::log1p(r / 2.0); };
    kd::AlsOptions named = small_als();
    named.confidence.cap = 6.0;
    named.confidence.curve = kd::Confidence::log;
    named.confidence.log_scale = 2.0;
    CHECK(kindred_test::same_model(fitted<double>(options, train), fitted<double>(named, train)));
    named.confidence.log_scale = 3.0;
    CHECK_FALSE(kindred_test::same_model(fitted<double>(options, train), fitted<double>(named, train)));
  }

  TEST_CASE("a cap gives the model of the capped values") {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5);
    std::vector<float> values(train.values().begin(), train.values().end());
    for (float& value : values) value = (std::min)(value, 4.0F);
    const kd::ImplicitALS<double> wanted = fitted<double>(small_als(), with_values(train, values));
    kd::AlsOptions options = small_als();
    options.confidence.cap = 4.0;
    CHECK(kindred_test::same_model(fitted<double>(options, train), wanted));
    CHECK_FALSE(kindred_test::same_model(fitted<double>(small_als(), train), wanted));
  }

  TEST_CASE_TEMPLATE("stored zeros are no interactions: the same bytes as without them", T, float, double) {
    kd::AlsOptions options = small_als();
    options.regularization_exponent = 1.0;
    options.background.item_exponent = 0.5;
    options.confidence.popularity_damping = 0.5;
    options.background.user_exponent = 0.5;
    options.confidence.cap_quantile = 0.5;
    options.confidence.curve = kd::Confidence::log;
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5);
    std::vector<float> values(train.values().begin(), train.values().end());
    for (std::size_t n = 0; n < values.size(); n += 3) values[n] = n % 2 == 0 ? 0.0F : -0.0F;
    const kd::CsrMatrix zeros = with_values(train, values);
    kd::ImplicitALS<T> with(options), without(options);
    const kd::FitReport a = with.fit(zeros, {.record_loss = true}), b = without.fit(kd::without_zeros(zeros), {.record_loss = true});
    CHECK(kindred_test::same_model(with, without));
    CHECK(a.iterations.back().loss->loss_per_total_weight == b.iterations.back().loss->loss_per_total_weight);
  }

  TEST_CASE("matrices without interactions, models without a fit") {
    kd::ImplicitALS<float> model(small_als());
    CHECK_THROWS_WITH_AS(model.fit(kd::CsrMatrix()), Contains("0 users x 0 items without interactions"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(model.fit(kd::CsrMatrix({2, 3}, {0, 0, 0}, {}, {})), Contains("2 users x 3 items without interactions"),
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(model.fit(kd::CsrMatrix({2, 3}, {0, 1, 1}, {2}, {0})), Contains("without interactions"), kd::InvalidArgument);
    CHECK_FALSE(model.fitted());
    CHECK(model.shape() == kd::MatrixShape{});
    CHECK(model.eigenvalues().empty());
    CHECK_THROWS_WITH_AS((void)model.predict(0, 0), "the model is not fitted yet: call fit(train) first", kd::NotFitted);
    CHECK_THROWS_AS((void)model.recommend(0), kd::NotFitted);
    CHECK_THROWS_AS((void)model.recommend_all(std::vector<kd::Index>{0}), kd::NotFitted);
    CHECK_THROWS_AS((void)model.fold_in({}), kd::NotFitted);
  }

  TEST_CASE("more factors than users and items, one user, one item") {
    kd::AlsOptions options = small_als();
    options.factors = 40;
    for (const kd::MatrixShape shape : {kd::MatrixShape{1, 1}, kd::MatrixShape{1, 9}, kd::MatrixShape{9, 1}}) {
      const kd::CsrMatrix train = random_matrix(shape.users, shape.items, 1.0, 3);
      for (const kd::Solver solver : {kd::Solver::cholesky, kd::Solver::conjugate_gradient}) {
        options.solver.kind = solver;
        const kd::ImplicitALS<float> model = fitted<float>(options, train);
        CHECK(model.shape() == shape);
        CHECK(model.predict(0, 0) > 0.3);
        CHECK(model.predict(0, 0) < 1.0);
      }
    }
  }

  TEST_CASE("initial factors of the wrong shape or not finite") {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5);
    kd::ImplicitALS<double> model(small_als());
    using Fit = kd::ImplicitALS<double>::FitOptions;
    const kd::FactorMatrix<double> users(30, 6), items(20, 6);
    const auto with_users = [](kd::FactorMatrix<double> given) {
      Fit fit;
      fit.initial_users = std::move(given);
      return fit;
    };
    const auto with_items = [](kd::FactorMatrix<double> given) {
      Fit fit;
      fit.initial_items = std::move(given);
      return fit;
    };
    CHECK_THROWS_WITH_AS(model.fit(train, with_users(items)), "initial_users is 20 x 6; this fit needs 30 x 6", kd::ShapeError);
    CHECK_THROWS_WITH_AS(model.fit(train, with_users(kd::FactorMatrix<double>(30, 5))), "initial_users is 30 x 5; this fit needs 30 x 6",
                         kd::ShapeError);
    CHECK_THROWS_WITH_AS(model.fit(train, with_items(users)), "initial_items is 30 x 6; this fit needs 20 x 6", kd::ShapeError);
    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
      kd::FactorMatrix<double> broken = users;
      broken.row(17)[5] = bad;
      CHECK_THROWS_WITH_AS(model.fit(train, with_users(broken)), Contains("initial_users, row 17 is"), kd::InvalidArgument);
      kd::FactorMatrix<double> broken_items = items;
      broken_items.row(3)[0] = bad;
      CHECK_THROWS_WITH_AS(model.fit(train, with_items(broken_items)), Contains("initial_items, row 3 is"), kd::InvalidArgument);
    }
    CHECK_FALSE(model.fitted());
  }

  // Fitting on from a model's users is what one longer fit would have done, up to the rounding of another basis.
  TEST_CASE("initial users continue a fit; initial items beside them matter to conjugate gradients alone") {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5);
    kd::AlsOptions options = small_als();
    const kd::ImplicitALS<double> first = fitted<double>(options, train);
    kd::ImplicitALS<double>::FitOptions on;
    on.initial_users = first.user_factors();
    const kd::ImplicitALS<double> second = fitted<double>(options, train, on);
    options.iterations = 6;
    const kd::ImplicitALS<double> longer = fitted<double>(options, train);
    for (kd::Index u = 0; u < 30; ++u)
      for (kd::Index i = 0; i < 20; ++i) CHECK(second.predict(u, i) == Approx(longer.predict(u, i)).epsilon(1e-9));

    options = small_als();
    options.iterations = 1;
    on.initial_items = first.item_factors();
    kd::ImplicitALS<double>::FitOptions users_only;
    users_only.initial_users = first.user_factors();
    CHECK(kindred_test::same_model(fitted<double>(options, train, on), fitted<double>(options, train, users_only)));
    options.solver.kind = kd::Solver::conjugate_gradient;
    CHECK_FALSE(kindred_test::same_model(fitted<double>(options, train, on), fitted<double>(options, train, users_only)));
  }

  TEST_CASE("a singular system says iteration, side, row, lambda and alpha, and what to do") {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5);
    for (const kd::Solver solver : {kd::Solver::cholesky, kd::Solver::conjugate_gradient}) {
      kd::AlsOptions options = fails_with_singular();
      options.solver.kind = solver;
      kd::ImplicitALS<float> model(options);
      std::string said;
      try {
        model.fit(train);
      } catch (const kd::NumericalError& error) {
        said = error.what();
      }
      for (const char* word : {"iteration 0", "row ", "side users", "lambda 0", "alpha 0.7", "singular", "raise regularization"}) {
        CAPTURE(said);
        CHECK(said.find(word) != std::string::npos);
      }
      CHECK_FALSE(model.fitted());
    }
  }

  TEST_CASE("a solution beyond the scalar's range says so") {
    // Items of about 1e-39 and nothing that holds the users: their factors would be about 1e39.
    kd::AlsOptions options{
        .factors = 1, .regularization = 1e-300, .iterations = 1, .units = kd::Units::paper, .confidence = {.alpha = 1.0}};
    options.start.scale = 1e-39;
    const kd::CsrMatrix train = random_matrix(5, 4, 1.0, 5);
    kd::ImplicitALS<float> model(options);
    CHECK_THROWS_WITH_AS(model.fit(train), Contains("overflows"), kd::NumericalError);
    CHECK_FALSE(model.fitted());
    // Users whose factors are finite, but not what they are in another basis, where a row is as long as one number; and their squares.
    kd::ImplicitALS<float> wide(small_als());
    CHECK_THROWS_WITH_AS(wide.fit(train, {.initial_users = kd::FactorMatrix<float>(5, 6, std::vector<float>(30, 3e38F))}),
                         Contains("iteration 1, row 0"), kd::NumericalError);
    kd::ImplicitALS<double> squares(small_als());
    CHECK_THROWS_WITH_AS(squares.fit(train, {.initial_users = kd::FactorMatrix<double>(5, 6, std::vector<double>(30, 1e200))}),
                         Contains("iteration 1, the Gram matrix of the other side"), kd::NumericalError);
  }

  TEST_CASE("a bad confidence names user and item") {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5);
    kd::AlsOptions options = small_als();
    options.confidence.curve = kd::Confidence::custom;
    for (const double bad : {-2.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
      options.confidence.function = [&](double r, kd::Offset n_u, kd::Offset) {
        return n_u == static_cast<kd::Offset>(train.row(3).size()) ? bad : r;
      };
      kd::ImplicitALS<double> model(options);
      CHECK_THROWS_WITH_AS(model.fit(train), Contains("the confidence of user "), kd::InvalidArgument);
      CHECK_THROWS_WITH_AS(model.fit(train), Contains(" and item "), kd::InvalidArgument);
    }
    // A value so large that its confidence overflows even in double.
    kd::AlsOptions huge = small_als();
    huge.confidence.alpha = 1e300;
    const std::vector<float> values(static_cast<std::size_t>(train.nnz()), 3e38F);
    kd::ImplicitALS<double> model(huge);
    CHECK_THROWS_WITH_AS(model.fit(with_values(train, values)), Contains("finite and at least 0"), kd::InvalidArgument);
  }

  TEST_CASE_TEMPLATE("whatever fit throws, a fitted model is as it was", T, float, double) {
    using Model = kd::ImplicitALS<T>;
    using Fit = typename Model::FitOptions;
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5), other = random_matrix(25, 33, 0.3, 6);
    const auto unchanged_by = [&](const kd::AlsOptions& options, const kd::CsrView& matrix, const Fit& fit, auto&& throws) {
      Model model(options);
      Fit first;
      first.initial_users = kindred_test::random_factors<T>(30, static_cast<kd::Index>(*options.factors), 0.1, 77);
      model.fit(train, first);
      const Model before = model;
      const std::vector<kd::Scored> list = model.recommend(4);
      CHECK(throws([&] { model.fit(matrix, fit); }));
      CHECK(kindred_test::same_model(model, before));
      CHECK(model.shape() == train.shape());
      CHECK(model.recommend(4) == list);
    };
    const auto at_second_iteration = [](kd::ProgressAnswer answer) {
      Fit fit;
      fit.progress = [answer](const kd::Progress& progress) { return progress.done == 2 ? answer : kd::ProgressAnswer::keep_going; };
      return fit;
    };
    unchanged_by(small_als(), other, at_second_iteration(kd::ProgressAnswer::cancel), Throws<kd::Cancelled>{});

    Fit failing;
    failing.progress = [](const kd::Progress& progress) -> kd::ProgressAnswer {
      if (progress.done == 2) throw std::runtime_error("from progress");
      return kd::ProgressAnswer::keep_going;
    };
    unchanged_by(small_als(), other, failing, Throws<std::runtime_error>{});

    Fit after;
    after.after_iteration = [](const Model&, const kd::FitReport::Iteration& report) {
      if (report.iteration == 2) throw 42;
    };
    unchanged_by(small_als(), other, after, Throws<int>{});

    unchanged_by(small_als(), kd::CsrMatrix({2, 2}, {0, 0, 0}, {}, {}), {}, Throws<kd::InvalidArgument>{});
    Fit wrong;
    wrong.initial_users = kd::FactorMatrix<T>(30, 6);
    unchanged_by(small_als(), other, wrong, Throws<kd::ShapeError>{});

    // A confidence that turns bad once the model has been fitted.
    kd::AlsOptions moody = small_als();
    const auto bad = std::make_shared<bool>(false);
    moody.confidence.curve = kd::Confidence::custom;
    moody.confidence.function = [bad](double r, kd::Offset, kd::Offset) { return *bad && r > 5.0 ? -9.0 : r; };
    Model model(moody);
    model.fit(train);
    const Model before = model;
    *bad = true;
    CHECK_THROWS_AS(model.fit(other), kd::InvalidArgument);
    CHECK(kindred_test::same_model(model, before));

    // A system that is singular on other data: 6 factors need 6 users.
    kd::AlsOptions loose = small_als();
    loose.regularization = 0.0;
    Model held(loose);
    held.fit(train);
    const Model held_before = held;
    CHECK_THROWS_AS(held.fit(random_matrix(4, 20, 1.0, 5)), kd::NumericalError);
    CHECK(kindred_test::same_model(held, held_before));
    CHECK(held.shape() == train.shape());

    // An executor that loses its workers.
    const kd::Executor lazy = [](std::size_t, const std::function<void(std::size_t)>&) {};
    Fit unrun;
    unrun.execution = {.threads = 2, .executor = &lazy};
    unchanged_by(small_als(), other, unrun, Throws<kd::InvalidArgument>{});
  }

  TEST_CASE("a second fit forgets the first") {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5), other = random_matrix(25, 33, 0.3, 6);
    kd::ImplicitALS<double> model(small_als());
    model.fit(other);
    model.fit(train);
    CHECK(kindred_test::same_model(model, fitted<double>(small_als(), train)));
    CHECK(model.recommend(4) == fitted<double>(small_als(), train).recommend(4));
  }

  TEST_CASE("progress: what it is told, stop and keep") {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5);
    kd::AlsOptions options = small_als();
    options.iterations = 5;
    std::vector<std::size_t> done;
    kd::ImplicitALS<double>::FitOptions fit;
    fit.progress = [&](const kd::Progress& progress) {
      CHECK(progress.what == "fit");
      CHECK(progress.total == 5);
      CHECK(progress.elapsed_seconds >= 0.0);
      done.push_back(progress.done);
      return kd::ProgressAnswer::keep_going;
    };
    kd::ImplicitALS<double> model(options);
    const kd::FitReport report = model.fit(train, fit);
    CHECK(done == std::vector<std::size_t>{1, 2, 3, 4, 5});
    CHECK(report.stop == kd::FitReport::Stop::iterations);
    CHECK(report.iterations.size() == 5);
    CHECK(report.seconds >= 0.0);
    CHECK_FALSE(report.iterations.front().loss.has_value());

    fit.progress = [](const kd::Progress& progress) {
      return progress.done == 2 ? kd::ProgressAnswer::stop_and_keep : kd::ProgressAnswer::keep_going;
    };
    const kd::FitReport stopped = model.fit(train, fit);
    CHECK(stopped.stop == kd::FitReport::Stop::callback);
    REQUIRE(stopped.iterations.size() == 2);
    CHECK(stopped.iterations[1].iteration == 2);
    options.iterations = 2;
    CHECK(kindred_test::same_model(model, fitted<double>(options, train)));
  }

  TEST_CASE("the report says where the time went") {
    kd::AlsOptions options = small_als();
    kd::ImplicitALS<double> model(options);
    const kd::FitReport report = model.fit(wide_train(), {.record_loss = true, .execution = {.threads = 1}});
    double sum = 0.0;
    for (const double seconds : {report.prepare_seconds, report.gram_seconds, report.eigen_seconds, report.rotate_seconds,
                                 report.item_seconds, report.user_seconds, report.loss_seconds}) {
      CHECK(seconds > 0.0);
      sum += seconds;
    }
    CHECK(sum <= report.seconds);
    double iterations = 0.0;
    for (const kd::FitReport::Iteration& one : report.iterations) iterations += one.seconds;
    CHECK(iterations <= report.seconds);
  }

  TEST_CASE_TEMPLATE("a fit goes on from any of its snapshots to the same bytes", T, float, double) {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5);
    for (const kd::Solver solver : {kd::Solver::cholesky, kd::Solver::conjugate_gradient}) {
      kd::AlsOptions options = small_als();
      options.iterations = 5;
      options.solver.kind = solver;
      options.loss_tolerance = 1e-9;
      std::vector<kd::FitSnapshot<T>> snapshots;
      typename kd::ImplicitALS<T>::FitOptions fit;
      fit.on_snapshot = [&](const kd::FitSnapshot<T>& so_far) { snapshots.push_back(so_far); };
      const kd::ImplicitALS<T> wanted = fitted<T>(options, train, fit);
      REQUIRE(snapshots.size() == 4);  // after the last iteration nothing is left to resume
      for (const kd::FitSnapshot<T>& snapshot : snapshots) {
        CHECK(snapshot.last_loss.has_value());
        CHECK(kindred_test::same_model(fitted<T>(options, train, {.resume_from = &snapshot}), wanted));
      }
      const kd::FitSnapshot<T> last = snapshots.back();
      CHECK(last.iteration == 4);

      snapshots.clear();
      fit.snapshot_every = 2;
      CHECK(kindred_test::same_model(fitted<T>(options, train, fit), wanted));
      REQUIRE(snapshots.size() == 2);
      CHECK(snapshots[0].iteration == 2);
      CHECK(snapshots[1].iteration == 4);
      fit.snapshot_every = 0;
      CHECK_THROWS_WITH_AS((void)fitted<T>(options, train, fit), "snapshot_every is 0; it must be at least 1", kd::InvalidArgument);
      options.iterations = 4;
      CHECK_THROWS_WITH_AS((void)fitted<T>(options, train, {.resume_from = &last}),
                           "iterations is 4; it must be above the 4 of the fit that is resumed", kd::InvalidArgument);
      CHECK_THROWS_AS((void)fitted<T>(options, random_matrix(31, 20, 0.3, 5), {.resume_from = &snapshots[0]}), kd::ShapeError);
    }
  }

  TEST_CASE_TEMPLATE("after an iteration the model is that of so many iterations, ready to recommend", T, float, double) {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5);
    for (const kd::Solver solver : {kd::Solver::cholesky, kd::Solver::conjugate_gradient}) {
      kd::AlsOptions options = small_als();
      options.iterations = 4;
      options.solver.kind = solver;
      std::size_t calls = 0;
      typename kd::ImplicitALS<T>::FitOptions fit;
      fit.after_iteration = [&](const kd::ImplicitALS<T>& so_far, const kd::FitReport::Iteration& report) {
        CHECK(report.iteration == ++calls);
        kd::AlsOptions shorter = options;
        shorter.iterations = report.iteration;
        const kd::ImplicitALS<T> wanted = fitted<T>(shorter, train);
        CHECK(kindred_test::same_model(so_far, wanted));
        for (kd::Index u = 0; u < 30; ++u)
          CHECK(so_far.recommend(u, {.exclude = train.row(u)}) == wanted.recommend(u, {.exclude = train.row(u)}));
        CHECK(so_far.fold_in(train.row(3)) == wanted.fold_in(train.row(3)));
      };
      (void)fitted<T>(options, train, fit);
      CHECK(calls == 4);
    }
  }

  TEST_CASE("a tolerance ends fit once the loss hardly falls any more") {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5);
    kd::AlsOptions options = small_als();
    options.iterations = 100;
    options.loss_tolerance = 0.01;
    kd::ImplicitALS<double> model(options);
    const kd::FitReport report = model.fit(train);
    CHECK(report.stop == kd::FitReport::Stop::tolerance);
    const std::size_t n = report.iterations.size();
    REQUIRE(n >= 2);
    REQUIRE(n < 100);
    const auto fall = [&](std::size_t at) {
      const double before = report.iterations[at - 1].loss->total;
      return (before - report.iterations[at].loss->total) / before;
    };
    CHECK(fall(n - 1) < 0.01);
    for (std::size_t at = 1; at + 1 < n; ++at) CHECK(fall(at) >= 0.01);
    options.loss_tolerance = 0.0;
    options.iterations = n;
    CHECK(kindred_test::same_model(model, fitted<double>(options, train)));
  }

  TEST_CASE("seeds change the factors, and streams keep the two sides apart") {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5);
    kd::AlsOptions options = small_als();
    const kd::ImplicitALS<double> one = fitted<double>(options, train);
    options.seed = 12;
    CHECK_FALSE(kindred_test::same_model(fitted<double>(options, train), one));
    options.seed = 11;
    CHECK(kindred_test::same_model(fitted<double>(options, train), one));
    options.start.kind = kd::Start::uniform;
    CHECK_FALSE(kindred_test::same_model(fitted<double>(options, train), one));
  }

  // One interaction a user and an item, c = 1, and a penalty of 1e4: x_u = y_u / 1e4, then y_u = x_u / 1e4, up to 1e-4 of itself and a rotation. So
  // the inner products of the fitted items are those of the first ones, scaled.
  TEST_CASE("first factors: normal with sd init_scale / sqrt(factors), or uniform in [0, 0.01)") {
    constexpr kd::Index n = 400;
    std::vector<kd::Interaction> pairs;
    for (kd::Index u = 0; u < n; ++u) pairs.push_back({u, u, 1.0F});
    const kd::CsrMatrix identity = kd::CsrMatrix::from_triplets({n, n}, pairs);
    const auto moments = [&](const kd::AlsOptions& options) {
      const kd::ImplicitALS<double> model = fitted<double>(options, identity);
      double square = 0.0, fourth = 0.0, product = 0.0;
      for (kd::Index a = 0; a < n; ++a) {
        const auto dot = [&](kd::Index b) {
          double sum = 0.0;
          for (std::size_t f = 0; f < options.factors; ++f) sum += model.item_factors().row(a)[f] * model.item_factors().row(b)[f];
          return sum * 1e16;
        };
        const double own = dot(a);
        square += own / n;
        fourth += own * own / n;
        product += dot((a + 1) % n) / n;
      }
      return std::vector<double>{square, fourth, product};
    };
    kd::AlsOptions options{.factors = 10, .regularization = 1e4, .iterations = 1, .units = kd::Units::paper, .confidence = {.alpha = 0.0}};
    for (const double scale : {0.1, 1.0}) {
      options.start.scale = scale;
      const std::vector<double> normal = moments(options);
      const double s2 = scale * scale;  // of 10 coordinates of variance scale^2 / 10
      // |x|^2 has mean s2, variance 2 s2^2 / 10; over 400 rows its mean is within 5 sd = 0.11 s2. x.x' has mean 0, variance s2^2 / 10: 5 sd = 0.08 s2.
      CHECK(std::abs(normal[0] - s2) < 0.11 * s2);
      CHECK(std::abs(normal[2]) < 0.08 * s2);
      // E |x|^4 = s2^2 (1 + 2 / 10) for a normal; its own sd over 400 rows is about 0.06 s2^2.
      CHECK(std::abs(normal[1] - 1.2 * s2 * s2) < 0.3 * s2 * s2);
    }
    options.start.kind = kd::Start::uniform;
    options.start.scale = std::nullopt;
    {
      const std::vector<double> uniform = moments(options);
      // E x^2 = 1e-4 / 3, E x x' = 0.005^2 a coordinate; the sds of the means over 400 rows are below 2 %: 5 of them.
      CHECK(uniform[0] == Approx(10.0 * 1e-4 / 3.0).epsilon(0.1));
      CHECK(uniform[2] == Approx(10.0 * 2.5e-5).epsilon(0.1));
    }
  }

  TEST_CASE("the first items are those of the documented generator, whatever else changes") {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5);
    for (const kd::Start init : {kd::Start::normal, kd::Start::uniform}) {
      kd::AlsOptions options = small_als();
      options.start.kind = init;
      if (init == kd::Start::normal) options.start.scale = 0.7;
      kd::FactorMatrix<float> start(20, 6);
      for (kd::Index i = 0; i < 20; ++i) {
        kd::detail::Random random(options.seed, kd::detail::RandomStream::item_factors, static_cast<std::uint64_t>(i));
        for (float& value : start.row(i))
          value = static_cast<float>(init == kd::Start::normal ? 0.7 / std::sqrt(6.0) * random.normal() : 0.01 * random.uniform());
      }
      kd::ImplicitALS<float>::FitOptions fit;
      fit.initial_items = start;
      CHECK(kindred_test::same_model(fitted<float>(options, train, fit), fitted<float>(options, train)));
    }
  }

  TEST_CASE("const calls from many threads") {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5);
    const kd::ImplicitALS<float> model = fitted<float>(small_als(), train);
    const std::vector<kd::Scored> list = model.recommend(3);
    const std::vector<float> folded = model.fold_in(train.row(3));
    std::vector<int> good(4, 0);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < good.size(); ++t)
      threads.emplace_back([&, t] {
        for (int n = 0; n < 20; ++n) good[t] += model.recommend(3) == list && model.fold_in(train.row(3)) == folded ? 1 : 0;
      });
    for (std::thread& thread : threads) thread.join();
    CHECK(good == std::vector<int>(4, 20));
  }
}
