// SPDX-License-Identifier: MIT
#include <kindred/models/als/item_bias.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/error.hpp>
#include <kindred/core/random.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/feature_table.hpp>
#include <kindred/models/implicit_als.hpp>

#include "../../support/als_instances.hpp"
#include "../../support/als_settings.hpp"
#include "../../support/random_matrix.hpp"
#include "../../support/same.hpp"
#include "../../support/textbook_als.hpp"

namespace kd = kindred;
using kindred_test::Rows;
using kindred_test::TextbookProblem;

namespace {

std::vector<std::pair<std::string, kd::AlsOptions>> settings_with_bias() {
  std::vector<std::pair<std::string, kd::AlsOptions>> kept;
  std::size_t n = 0;
  for (auto& one : kindred_test::all_settings()) {
    if (one.second.regularization == 0.0) continue;
    one.second.item_bias = 0.25 * static_cast<double>(1 + n++ % 7);
    kept.push_back(std::move(one));
  }
  return kept;
}

/// The objective with biases, all pairs visited, and its slopes.
struct BiasedLoss {
  template <typename Scalar>
  BiasedLoss(const TextbookProblem& of, const kd::ImplicitALS<Scalar>& model, double item_bias)
      : problem(of), x(model.user_factors()), y(model.item_factors()), penalty(static_cast<long double>(item_bias)) {
    for (const float one : model.item_biases()) bias.push_back(static_cast<long double>(one));
    for (std::size_t u = 0; u < problem.users; ++u) knows.push_back(model.knows(static_cast<kd::Index>(u)));
  }

  [[nodiscard]] long double score(std::size_t u, std::size_t i) const {
    if (!knows[u]) return 0.0L;
    long double sum = bias[i];
    for (std::size_t f = 0; f < x.factors; ++f) sum += x.at(u, f) * y.at(i, f);
    return sum;
  }
  [[nodiscard]] long double total() const {
    long double loss = 0.0L;
    for (std::size_t u = 0; u < problem.users; ++u) {
      for (std::size_t i = 0; i < problem.items; ++i) {
        const long double s = score(u, i);
        const std::size_t at = problem.cell(u, i);
        loss += problem.confidence[at] * (problem.preference[at] - s) * (problem.preference[at] - s) + problem.background[at] * s * s;
      }
      for (std::size_t f = 0; f < x.factors; ++f) loss += problem.user_penalty[u] * x.at(u, f) * x.at(u, f);
    }
    for (std::size_t i = 0; i < problem.items; ++i) {
      loss += problem.item_penalty[i] * penalty * bias[i] * bias[i];
      for (std::size_t f = 0; f < y.factors; ++f) loss += problem.item_penalty[i] * y.at(i, f) * y.at(i, f);
    }
    return loss;
  }
  /// Half the slope of the loss with the score of a pair.
  [[nodiscard]] long double pull(std::size_t u, std::size_t i) const {
    const std::size_t at = problem.cell(u, i);
    return (problem.confidence[at] + problem.background[at]) * score(u, i) - problem.confidence[at] * problem.preference[at];
  }
  /// Half the slope along factor f of a user, relative to the size of its terms.
  [[nodiscard]] long double user_slope(std::size_t u, std::size_t f) const {
    long double slope = problem.user_penalty[u] * x.at(u, f), size = std::abs(slope) + 1e-3L;
    for (std::size_t i = 0; i < problem.items; ++i) {
      const long double term = pull(u, i) * y.at(i, f);
      slope += term;
      size += std::abs(term);
    }
    return std::abs(slope) / size;
  }
  /// The same of an item; f = factors: of its bias.
  [[nodiscard]] long double item_slope(std::size_t i, std::size_t f) const {
    const bool of_bias = f == y.factors;
    long double slope = problem.item_penalty[i] * (of_bias ? penalty * bias[i] : y.at(i, f)), size = std::abs(slope) + 1e-3L;
    for (std::size_t u = 0; u < problem.users; ++u) {
      if (!knows[u]) continue;
      const long double term = pull(u, i) * (of_bias ? 1.0L : x.at(u, f));
      slope += term;
      size += std::abs(term);
    }
    return std::abs(slope) / size;
  }

  const TextbookProblem& problem;
  Rows<long double> x, y;
  long double penalty;
  std::vector<long double> bias;
  std::vector<bool> knows;
};

kd::CsrMatrix columns_of(const kd::CsrMatrix& train, std::vector<kd::Index> items) {
  return transpose(select_rows(transpose(train), items));
}

kd::ImplicitALS<float> fitted(const kd::CsrMatrix& train, const kd::ImplicitALS<float>::FitOptions& fit = {}) {
  kd::AlsOptions options = kindred_test::small_als();
  options.item_bias = 0.5;
  kd::ImplicitALS<float> model(options);
  model.fit(train, fit);
  return model;
}

}  // namespace

TEST_CASE_TEMPLATE("item bias: the loss falls, and rows and biases are where its slope is 0", Scalar, float, double) {
  const auto all = settings_with_bias();
  const long double rounding = std::is_same_v<Scalar, float> ? 2e-5L : 1e-10L;
  const double flat = std::is_same_v<Scalar, float> ? 2e-3 : 2e-5;  // biases are floats
  for (std::uint64_t n = 0; n < 100; ++n) {                         // of either precision
    const std::string& name = all[n % all.size()].first;
    const kd::AlsOptions& options = all[n % all.size()].second;
    CAPTURE(n);
    const kd::CsrMatrix train = kindred_test::random_matrix(18, 14, 0.2 + 0.01 * static_cast<double>(n % 30), n);
    const TextbookProblem problem = kindred_test::textbook_problem(options, train);
    long double loss = HUGE_VALL;
    kd::ImplicitALS<Scalar> model(options);
    model.fit(train,
              {.record_loss = true, .after_iteration = [&](const auto& so_far, const auto& iteration) {
                 const long double now = BiasedLoss(problem, so_far, *options.item_bias).total();
                 CHECK(static_cast<double>(now) <= static_cast<double>(loss + rounding * std::abs(loss)));
                 CHECK(iteration.loss->total == doctest::Approx(static_cast<double>(now)).epsilon(static_cast<double>(rounding) + 1e-12));
                 loss = now;
               }});
    if (options.confidence.curve == kd::Confidence::custom && name == "zero excess of some")
      continue;  // next to nothing is known of some rows
    const BiasedLoss users_solved(problem, model, *options.item_bias);
    for (std::size_t u = 0; u < problem.users; ++u)
      for (std::size_t f = 0; f < users_solved.x.factors && users_solved.knows[u]; ++f)
        CHECK(static_cast<double>(users_solved.user_slope(u, f)) < flat);

    const kd::Index asked = static_cast<kd::Index>(n % 14);
    model.refit_items(std::vector<kd::Index>{asked}, columns_of(train, {asked}));
    const BiasedLoss item_solved(problem, model, *options.item_bias);
    CHECK(static_cast<double>(item_solved.total()) <= static_cast<double>(loss + rounding * std::abs(loss)));
    for (std::size_t f = 0; f <= item_solved.y.factors; ++f)
      CHECK(static_cast<double>(item_solved.item_slope(static_cast<std::size_t>(asked), f)) < flat);
  }
}

TEST_CASE("item bias: scores of all calls have it, and folding in and explaining know it") {
  const kd::CsrMatrix train = kindred_test::random_matrix(60, 40, 0.2, 3);
  const kd::ImplicitALS<float> model = fitted(train);
  CHECK(model.item_biases().size() == 40);
  std::vector<kd::Index> items(40);
  for (kd::Index i = 0; i < 40; ++i) items[static_cast<std::size_t>(i)] = i;
  for (kd::Index u = 0; u < 60; ++u) {
    const kd::SparseRow row = train.row(u);
    for (kd::Index i = 0; i < 40; i += 7) {
      double score = static_cast<double>(model.item_biases()[static_cast<std::size_t>(i)]);
      for (std::size_t f = 0; f < 6; ++f)
        score += static_cast<double>(model.user_factors().row(u)[f]) * static_cast<double>(model.item_factors().row(i)[f]);
      CHECK(model.predict(u, i) == doctest::Approx(score).epsilon(1e-5));
      const kd::Explanation why = model.explain(row, i);
      double parts = why.mean + why.bias;
      for (const kd::Scored& part : why.parts) parts += part.score;
      CHECK(why.score == doctest::Approx(score).epsilon(1e-4));
      CHECK(parts == doctest::Approx(score).epsilon(1e-4));
    }
    const std::vector<kd::Scored> all = model.rank_items(u, items);
    CHECK(model.recommend(u, {.count = 40}) == all);
    CHECK(kindred_test::same_array(std::span<const float>(model.fold_in(row)), model.user_factors().row(u)));
  }
  const kd::RankedLists lists = model.recommend_all(kd::every_user, {.count = 7, .popularity_penalty = 0.2});
  for (kd::Index u = 0; u < 60; ++u) {
    const std::vector<kd::Scored> one = model.recommend(u, {.count = 7, .popularity_penalty = 0.2});
    CHECK(std::vector<kd::Scored>(lists.row(static_cast<std::size_t>(u)).begin(), lists.row(static_cast<std::size_t>(u)).end()) == one);
  }
  for (const kd::Scored& user : model.recommend_users(5, {.count = 60})) CHECK(user.score == model.predict(user.item, 5));
}

TEST_CASE("item bias: updates and threads") {
  const kd::CsrMatrix train = kindred_test::random_matrix(90, 50, 0.15, 8);
  const kd::ImplicitALS<float> model = fitted(train);
  const kd::ImplicitALS<float> threaded = fitted(train, {.execution = {.threads = 3}});
  CHECK(model.item_factors().same_bytes(threaded.item_factors()));
  CHECK(kindred_test::same_array(model.item_biases(), threaded.item_biases()));

  // A column once more is a new item like the old one as it is refitted.
  kd::ImplicitALS<float> grown = model, again = model;
  const kd::Index added = grown.append_items(columns_of(train, {4}));
  again.refit_items(std::vector<kd::Index>{4}, columns_of(train, {4}));
  CHECK(grown.item_biases().size() == 51);
  CHECK(grown.item_biases()[static_cast<std::size_t>(added)] == doctest::Approx(static_cast<double>(again.item_biases()[4])).epsilon(1e-3));
  CHECK(grown.predict(0, added) == doctest::Approx(again.predict(0, 4)).epsilon(1e-3));

  // A user's row once more: after items changed as well, when factors are not in the eigenbasis.
  const kd::CsrMatrix row = select_rows(train, std::vector<kd::Index>{7});
  const kd::CsrMatrix wide({1, 51}, {row.offsets().begin(), row.offsets().end()}, {row.columns().begin(), row.columns().end()},
                           {row.values().begin(), row.values().end()});
  const kd::Index user = grown.append_users(wide);
  CHECK(grown.predict(user, 3) == doctest::Approx(grown.predict(7, 3)).epsilon(0.05));
  const kd::Explanation why = grown.explain(wide.row(0), 3);
  double parts = why.bias;
  for (const kd::Scored& part : why.parts) parts += part.score;
  CHECK(parts == doctest::Approx(why.score).epsilon(1e-4));
  CHECK(why.score == doctest::Approx(grown.predict(user, 3)).epsilon(1e-3));
}

TEST_CASE("item bias: with features, a new item of which these alone are known has the mean bias") {
  const kd::CsrMatrix train = kindred_test::random_matrix(50, 30, 0.2, 5);
  std::vector<kd::Interaction> entries;
  for (kd::Index i = 0; i < 30; ++i) entries.push_back({i, i % 3, 1.0F});
  const kd::FeatureTable features(kd::CsrMatrix::from_triplets({30, 3}, entries));
  for (const kd::FeatureSchedule schedule : {kd::FeatureSchedule::each_iteration, kd::FeatureSchedule::after_fit}) {
    kd::ImplicitALS<float> model = fitted(train, {.record_loss = true, .item_features = features, .schedule = schedule});
    const kd::FeatureTable one(kd::CsrMatrix::from_triplets({1, 3}, std::vector<kd::Interaction>{{0, 1, 1.0F}}));
    double mean = 0.0;
    for (const float bias : model.item_biases()) mean += static_cast<double>(bias) / 30.0;
    const kd::Index added = model.append_items(kd::CsrMatrix({50, 1}, std::vector<kd::Offset>(51, 0), {}, {}), one);
    CHECK(model.item_biases()[static_cast<std::size_t>(added)] == doctest::Approx(mean).epsilon(1e-5));
    const std::vector<kd::Scored> users = model.recommend_users(one.row(0), {.count = 3});
    REQUIRE(users.size() == 3);
    CHECK(users.front().score == doctest::Approx(model.predict(users.front().item, added)).epsilon(1e-5));
  }
  CHECK_THROWS_AS(fitted(train, {.item_features = features, .schedule = kd::FeatureSchedule::sparse_rows}), kd::InvalidArgument);
}

TEST_CASE("item bias: what it cannot go with is said") {
  const kd::CsrMatrix train = kindred_test::random_matrix(20, 10, 0.3, 1);
  const auto refused = [](kd::AlsOptions options, double bias) {
    options.item_bias = bias;
    CHECK_THROWS_AS(kd::ImplicitALS<float>{options}, kd::InvalidArgument);
  };
  refused({}, 0.0);
  refused({}, -1.0);
  refused({}, HUGE_VAL);
  kd::AlsOptions free = kd::AlsOptions::paper({.regularization = 0.0});
  refused(free, 1.0);
  CHECK_THROWS_AS(fitted(train, {.on_snapshot = [](const auto&) {}}), kd::InvalidArgument);
  CHECK(kd::estimate_memory<float>(1000, 1000, 5000, {.item_bias = 1.0}).total() >
        kd::estimate_memory<float>(1000, 1000, 5000, {}).total());
}
