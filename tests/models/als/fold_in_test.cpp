// SPDX-License-Identifier: MIT
// New and changed users and items, and explanations.
#include <kindred/models/als/fold_in.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <span>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/als_instances.hpp"
#include "../../support/als_settings.hpp"
#include "../../support/random_matrix.hpp"
#include "../../support/same.hpp"
#include "../../support/textbook_als.hpp"

namespace kd = kindred;
using doctest::Approx;
using doctest::Contains;
using kindred_test::random_matrix;

namespace {

template <typename T>
kd::ImplicitALS<T> fitted(const kd::AlsOptions& options, const kd::CsrMatrix& train) {
  kd::ImplicitALS<T> model(options);
  model.fit(train);
  return model;
}

/// The matrix of these columns of `matrix`.
kd::CsrMatrix columns_of(const kd::CsrMatrix& matrix, std::span<const kd::Index> columns) {
  std::vector<kd::Interaction> triplets;
  for (kd::Index u = 0; u < matrix.rows(); ++u)
    for (std::size_t n = 0; n < matrix.row(u).size(); ++n) {
      const auto at = std::find(columns.begin(), columns.end(), matrix.row(u).columns[n]);
      if (at != columns.end()) triplets.push_back({u, static_cast<kd::Index>(at - columns.begin()), matrix.row(u).values[n]});
    }
  return kd::CsrMatrix::from_triplets({matrix.rows(), static_cast<kd::Index>(columns.size())}, triplets);
}

/// Options under which one user's values above 100 are refused.
kd::AlsOptions refusing() {
  kd::AlsOptions options = kindred_test::small_als();
  options.confidence.curve = kd::Confidence::custom;
  options.confidence.function = [](double r, kd::Offset, kd::Offset) { return r > 100.0 ? -50.0 : r; };
  return options;
}

}  // namespace

TEST_SUITE("models/als_fold_in") {
  TEST_CASE_TEMPLATE("fold_in_all, refit_users and append_users of train rows give the bytes of fit, for any number of threads", T, float,
                     double) {
    const kd::CsrMatrix train = random_matrix(80, 45, 0.2, 5);
    for (const auto& named : kindred_test::all_settings()) {
      CAPTURE(named.first);
      const kd::AlsOptions& setting = named.second;
      for (const std::size_t threads : {1u, 3u}) {
        const kd::ImplicitALS<T> model = fitted<T>(setting, train);
        CHECK(model.fold_in_all(train, {.execution = {.threads = threads}}).same_bytes(model.user_factors()));
        kd::ImplicitALS<T> refitted = model;
        std::vector<kd::Index> users(80);
        for (std::size_t u = 0; u < 80; ++u) users[u] = static_cast<kd::Index>(u);
        refitted.refit_users(users, train, {.threads = threads});
        CHECK(kindred_test::same_model(refitted, model));
        kd::ImplicitALS<T> longer = model;
        CHECK(longer.append_users(train, {.threads = threads}) == 80);
        REQUIRE(longer.shape() == kd::MatrixShape{160, 45});
        for (kd::Index u = 0; u < 80; ++u) {
          CHECK(kindred_test::same_array(longer.user_factors().row(80 + u), model.user_factors().row(u)));
          CHECK(kindred_test::same_array(longer.user_factors().row(u), model.user_factors().row(u)));
        }
        CHECK(longer.recommend(83, {.exclude = train.row(3)}) == model.recommend(3, {.exclude = train.row(3)}));
      }
    }
  }

  TEST_CASE_TEMPLATE("a refitted item solves its normal equations", T, float, double) {
    // Of sum_u c (p - x_u y)^2 + background + l |y|^2 the gradient is 0 at the new y; with small_als c = 1 + 0.7 r on what is observed and 1 elsewhere.
    const kd::CsrMatrix train = random_matrix(60, 40, 0.2, 5);
    kd::ImplicitALS<T> model = fitted<T>(kindred_test::small_als(), train);
    const kd::CsrMatrix other = random_matrix(60, 2, 0.4, 9);
    const kd::ImplicitALS<T> before = model;
    model.refit_items(std::vector<kd::Index>{7, 30}, other);
    for (const kd::Index n : {0, 1}) {
      const kd::Index item = n == 0 ? 7 : 30;
      std::vector<double> gradient(6, 0.0);
      double scale = 0.0;
      for (kd::Index u = 0; u < 60; ++u) {
        const kd::SparseRow row = other.row(u);
        const auto at = std::find(row.columns.begin(), row.columns.end(), n);
        const double r =
            at == row.columns.end() ? 0.0 : static_cast<double>(row.values[static_cast<std::size_t>(at - row.columns.begin())]);
        const double c = 1.0 + 0.7 * r, p = r > 0.0 ? 1.0 : 0.0;
        for (std::size_t f = 0; f < 6; ++f) {
          const auto x = static_cast<double>(model.user_factors().row(u)[f]);
          gradient[f] += c * (model.predict(u, item) - p) * x;
          scale += std::abs(c * x);
        }
      }
      for (std::size_t f = 0; f < 6; ++f)
        CHECK(std::abs(gradient[f] + 0.3 * static_cast<double>(model.item_factors().row(item)[f])) <=
              100 * static_cast<double>(std::numeric_limits<T>::epsilon()) * scale);
    }
    // Other pairs keep their scores but for rounding: the basis has turned.
    for (kd::Index u = 0; u < 60; ++u)
      CHECK(model.predict(u, 8) == Approx(before.predict(u, 8)).epsilon(200 * static_cast<double>(std::numeric_limits<T>::epsilon())));
    // And fold_in works in the new basis: it solves for the items as they are now.
    const std::vector<T> x = model.fold_in(train.row(4));
    kd::ImplicitALS<T> refitted = model;
    refitted.refit_users(std::vector<kd::Index>{4}, kd::transpose(columns_of(kd::transpose(train), std::vector<kd::Index>{4})));
    CHECK(kindred_test::same_array(x, refitted.user_factors().row(4)));
  }

  TEST_CASE("an appended item is the item that a refit of the same column makes, under every setting") {
    const kd::CsrMatrix train = random_matrix(60, 40, 0.2, 5);
    const kd::CsrMatrix column = columns_of(train, std::vector<kd::Index>{11});
    for (const auto& named : kindred_test::all_settings()) {
      CAPTURE(named.first);
      const kd::AlsOptions& options = named.second;
      const kd::ImplicitALS<double> model = fitted<double>(options, train);
      kd::ImplicitALS<double> appended = model, refitted = model;
      CHECK(appended.append_items(column) == 40);
      CHECK(appended.shape() == kd::MatrixShape{60, 41});
      refitted.refit_items(std::vector<kd::Index>{11}, column);
      // nu > 0 weighs a row by the number of others, so that only users, not items, must be as many: they are.
      for (kd::Index u = 0; u < 60; ++u) CHECK(appended.predict(u, 40) == Approx(refitted.predict(u, 11)).epsilon(1e-7).scale(1.0));
      if (!appended.knows(3)) continue;  // where every confidence is 0
      const std::vector<kd::Scored> list = appended.recommend(3, {.count = 100});
      CHECK(std::any_of(list.begin(), list.end(), [](const kd::Scored& one) { return one.item == 40; }));
    }
  }

  // The turned rows of an updated model against the same model in its eigenbasis, where nothing is turned: every setting, many updates of both sides.
  TEST_CASE("after updates of items everything is solved as in the eigenbasis") {
    const kd::CsrMatrix train = random_matrix(60, 80, 0.2, 5), history = random_matrix(5, 83, 0.2, 6);
    for (const auto& named : kindred_test::all_settings()) {
      CAPTURE(named.first);
      kd::AlsOptions options = named.second;
      options.solver.kind = kd::Solver::cholesky;
      kd::ImplicitALS<double> model = fitted<double>(options, train);
      model.append_items(random_matrix(60, 1, 0.3, 7));
      model.append_users(random_matrix(2, 81, 0.2, 8));
      model.refit_items(std::vector<kd::Index>{3, 80}, random_matrix(62, 2, 0.3, 9));
      model.append_items(random_matrix(62, 2, 0.3, 10));
      model.refit_users(std::vector<kd::Index>{4, 61}, random_matrix(2, 83, 0.2, 11));
      REQUIRE_FALSE(model.is_settled());
      kd::ImplicitALS<double> settled = model.settled();
      REQUIRE(settled.is_settled());
      const auto agree = [&] {
        double worst = 0.0;
        for (kd::Index u = 0; u < model.shape().users; ++u)
          for (kd::Index i = 0; i < model.shape().items; ++i)
            worst = (std::max)(worst, std::abs(model.predict(u, i) - settled.predict(u, i)) / (1.0 + std::abs(settled.predict(u, i))));
        return worst < 1e-8;  // sums of 6 products of factors that were turned a few times; conditions of up to some 1e6
      };
      CHECK(agree());
      for (kd::Index r = 0; r < 5; ++r) {
        const kd::Explanation a = model.explain(history.row(r), 82), b = settled.explain(history.row(r), 82);
        CHECK(a.score == Approx(b.score).epsilon(1e-7).scale(1.0));
        double sum = 0.0;
        for (const kd::Scored& part : a.parts) sum += part.score;
        CHECK(sum == Approx(a.score).epsilon(1e-7).scale(1.0));
      }
      for (kd::ImplicitALS<double>* each : {&model, &settled}) {
        each->append_users(history);
        each->refit_items(std::vector<kd::Index>{7}, random_matrix(67, 1, 0.4, 12));
        each->append_users(random_matrix(1, 83, 0.3, 13));
      }
      CHECK(agree());
    }
  }

  TEST_CASE("once an eighth of the items were updated the model is in its eigenbasis again") {
    kd::ImplicitALS<float> model = fitted<float>(kindred_test::small_als(), random_matrix(60, 80, 0.2, 5));
    for (kd::Index n = 0; n < 11; ++n) {
      CHECK(model.is_settled() == (n == 0));
      model.append_items(random_matrix(60, 1, 0.3, static_cast<std::uint64_t>(n)));
    }
    model.append_items(random_matrix(60, 1, 0.3, 20));  // 12 of 92
    CHECK(model.is_settled());
    CHECK(std::is_sorted(model.eigenvalues().rbegin(), model.eigenvalues().rend()));
    CHECK(model.recommend(1, {.count = 100}).size() == 92);
  }

  TEST_CASE_TEMPLATE("the parts of an explanation sum to the score of fold_in", T, float, double) {
    const kd::CsrMatrix train = random_matrix(50, 45, 0.25, 5);
    for (const auto& named : kindred_test::all_settings()) {
      CAPTURE(named.first);
      const kd::AlsOptions& options = named.second;
      const kd::ImplicitALS<T> model = fitted<T>(options, train);
      for (kd::Index u = 0; u < 50; ++u) {
        const kd::SparseRow row = train.row(u);
        for (const kd::Index item : {0, 13, row.empty() ? 1 : row.columns[0]}) {
          const kd::Explanation why = model.explain(row, item);
          REQUIRE(why.parts.size() == row.size());
          CHECK(std::is_sorted(why.parts.begin(), why.parts.end(), kd::ranks_before));
          double sum = 0.0, magnitude = 0.0;
          for (const kd::Scored& part : why.parts) {
            sum += part.score;
            magnitude += std::abs(part.score);
          }
          const double tolerance = std::is_same_v<T, float> ? 1e-5 : 1e-11;
          CHECK(std::abs(sum - why.score) <= tolerance * magnitude);
          CHECK(std::abs(why.score - model.predict(u, item)) <= tolerance * (magnitude + std::abs(why.score)));
        }
      }
      CHECK(model.explain({}, 3).parts.empty());
    }
  }

  TEST_CASE("with conjugate gradients fold_in_all converges to its tolerance, and explanations stay exact") {
    const kd::CsrMatrix train = random_matrix(50, 45, 0.25, 5);
    kd::AlsOptions options = kindred_test::small_als();
    options.solver.kind = kd::Solver::conjugate_gradient;
    options.solver.steps = 60;
    options.solver.tolerance = 1e-13;
    const kd::ImplicitALS<double> model = fitted<double>(options, train);
    const kd::FactorMatrix<double> folded = model.fold_in_all(train);
    for (kd::Index u = 0; u < 50; ++u)
      for (std::size_t f = 0; f < 6; ++f) CHECK(folded.row(u)[f] == Approx(model.user_factors().row(u)[f]).epsilon(1e-8).scale(1.0));
    CHECK(model.explain(train.row(2), 4).score == Approx(model.predict(2, 4)).epsilon(1e-8));
  }

  TEST_CASE("refitted users count with what they have now; others and the neighbours follow") {
    const kd::CsrMatrix train = random_matrix(50, 45, 0.25, 5);
    kd::ImplicitALS<float> model = fitted<float>(kindred_test::small_als(), train);
    const std::vector<kd::Scored> before = model.similar_users(9);
    const kd::CsrMatrix nothing({1, 45}, {0, 0}, {}, {});
    model.refit_users(std::vector<kd::Index>{before[0].item}, nothing);
    for (const float value : model.user_factors().row(before[0].item)) CHECK(value == 0.0F);
    const std::vector<kd::Scored> after = model.similar_users(9, {.count = 49});
    CHECK(std::none_of(after.begin(), after.end(), [&](const kd::Scored& one) { return one.item == before[0].item; }));
  }

  TEST_CASE("fold_in follows the items: in callbacks of fit, after refits, in copies and moved models, from many threads") {
    const kd::CsrMatrix train = random_matrix(50, 45, 0.25, 5);
    kd::AlsOptions options = kindred_test::small_als();
    kd::ImplicitALS<float> model(options);
    std::size_t same = 0;
    model.fit(train, {.after_iteration = [&](const kd::ImplicitALS<float>& so_far, const kd::FitReport::Iteration&) {
                const std::vector<float> x = so_far.fold_in(train.row(4));
                same += kindred_test::same_array(std::span<const float>(x), so_far.user_factors().row(4)) ? 1 : 0;
              }});
    CHECK(same == options.iterations);
    const auto check = [&](const kd::ImplicitALS<float>& one) {
      const std::vector<float> x = one.fold_in(train.row(4));
      const kd::FactorMatrix<float> all = one.fold_in_all(train);
      return kindred_test::same_array(std::span<const float>(x), all.row(4));
    };
    CHECK(check(model));
    model.refit_items(std::vector<kd::Index>{3}, random_matrix(50, 1, 0.4, 7));
    CHECK(check(model));
    kd::ImplicitALS<float> copy(model);
    CHECK(check(copy));
    kd::ImplicitALS<float> moved(std::move(copy));
    CHECK(check(moved));
    model.fit(random_matrix(50, 45, 0.3, 8));
    CHECK(check(model));
    std::vector<int> agreed(4, 0);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int n = 0; n < 50; ++n) agreed[t] += check(moved) ? 1 : 0;
      });
    for (std::thread& thread : threads) thread.join();
    CHECK(agreed == std::vector<int>(4, 50));
  }

  TEST_CASE("calls that throw leave the model as it was") {
    const kd::CsrMatrix train = random_matrix(30, 20, 0.3, 5);
    kd::ImplicitALS<float> model = fitted<float>(refusing(), train);
    const kd::ImplicitALS<float> before = model;
    const kd::CsrMatrix bad_rows({2, 20}, {0, 1, 2}, {3, 4}, {1, 101});
    const std::vector<kd::Interaction> bad{{4, 0, 101.0F}};
    const kd::CsrMatrix bad_columns = kd::CsrMatrix::from_triplets({30, 1}, bad);
    const std::vector<kd::Index> two{3, 4}, one{3}, falling{4, 3}, outside{3, 30};
    CHECK_THROWS_AS((void)model.fold_in_all(bad_rows), kd::InvalidArgument);
    CHECK_THROWS_AS(model.refit_users(two, bad_rows), kd::InvalidArgument);
    CHECK_THROWS_AS((void)model.append_users(bad_rows), kd::InvalidArgument);
    CHECK_THROWS_AS(model.refit_items(one, bad_columns), kd::InvalidArgument);
    CHECK_THROWS_AS((void)model.append_items(bad_columns), kd::InvalidArgument);
    CHECK_THROWS_AS(model.refit_users(falling, bad_rows), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(model.refit_users(outside, bad_rows), Contains("users[1] is 30"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(model.refit_users(one, bad_rows), "rows is 2 users x 20 items; what these users need is 1 users x 20 items",
                         kd::ShapeError);
    CHECK_THROWS_WITH_AS(model.refit_items(two, kd::transpose(random_matrix(30, 2, 0.3, 1))), Contains("is the input items x users?"),
                         kd::ShapeError);
    CHECK_THROWS_WITH_AS((void)model.append_users(kd::transpose(train)), Contains("rows is 20 users x 30 items"), kd::ShapeError);
    CHECK_THROWS_WITH_AS((void)model.explain(train.row(0), 20), Contains("item is 20"), kd::InvalidArgument);
    CHECK(kindred_test::same_model(model, before));
    CHECK(model.recommend(3) == before.recommend(3));
    kd::ImplicitALS<float> blank;
    CHECK_THROWS_AS((void)blank.fold_in_all(train), kd::NotFitted);
    CHECK_THROWS_AS((void)blank.append_users(train), kd::NotFitted);
    CHECK_THROWS_AS((void)blank.append_items(train), kd::NotFitted);
    CHECK_THROWS_AS(blank.refit_users({}, train), kd::NotFitted);
    CHECK_THROWS_AS(blank.refit_items({}, train), kd::NotFitted);
    CHECK_THROWS_AS((void)blank.explain({}, 0), kd::NotFitted);
  }

  TEST_CASE("by history: the background of a short row counts by its share, that of a long one in full") {
    const kd::CsrMatrix train = random_matrix(60, 40, 0.2, 5);
    for (const auto& named : kindred_test::all_settings()) {
      CAPTURE(named.first);
      if (named.second.background.pairs == kd::Background::unobserved && named.second.confidence.base == 0.0) continue;
      const kd::ImplicitALS<double> model = fitted<double>(named.second, train);
      const kd::FoldInOptions by_history{.background = kd::FoldInBackground::by_history};
      const double mean = model.weights().mean_count(kd::detail::AlsSide::users);
      for (kd::Index u = 0; u < 12; ++u) {
        const kd::SparseRow row = train.row(u);
        CAPTURE(row.size());
        const std::vector<double> full = model.fold_in(row), shared = model.fold_in(row, by_history);
        if (static_cast<double>(row.size()) >= mean) {
          CHECK(full == shared);
          continue;
        }
        // The gradient of the row's objective with its background times n / mean is 0 at the solution.
        const kindred_test::TextbookProblem problem = kindred_test::textbook_problem(named.second, train);
        const double share = static_cast<double>(model.weights().likes_of(row)) / mean;
        const auto user = static_cast<std::size_t>(u);
        std::vector<long double> confidence(40), preference(40), background(40);
        for (std::size_t i = 0; i < 40; ++i) {
          confidence[i] = problem.confidence[problem.cell(user, i)];
          preference[i] = problem.preference[problem.cell(user, i)];
          background[i] = problem.background[problem.cell(user, i)] * static_cast<long double>(share);
        }
        const std::vector<long double> wanted = kindred_test::textbook_row<long double>(
            kindred_test::Rows<long double>(model.item_factors()), confidence, preference, background, problem.user_penalty[user]);
        for (std::size_t f = 0; f < wanted.size(); ++f)
          CHECK(shared[f] == doctest::Approx(static_cast<double>(wanted[f])).epsilon(1e-8).scale(1e-3));
      }
      CHECK(model.fold_in(kd::SparseRow{}, by_history) == std::vector<double>(6, 0.0));
    }
  }

  TEST_CASE("by history: explanations sum to the score of the list, and dislikes alone give nothing") {
    const kd::CsrMatrix train = random_matrix(60, 40, 0.2, 5);
    const kd::ImplicitALS<double> model = fitted<double>(kindred_test::small_als(), train);
    const std::vector<kd::Index> two{3, 17};
    const std::vector<float> values{1.0F, 2.0F}, disliked{-1.0F, -2.0F};
    const kd::Recommendation list = model.recommend(kd::SparseRow{two, values}, {.count = 1, .exclude = two});
    const kd::Explanation why = model.explain({two, values}, list.items.at(0).item, kd::FoldInBackground::by_history);
    CHECK(why.score == doctest::Approx(list.items[0].score).epsilon(1e-6));
    CHECK(why.parts[0].score + why.parts[1].score == doctest::Approx(why.score));
    CHECK(model.recommend(kd::SparseRow{two, disliked}).source == kd::ListSource::none);
  }
}
