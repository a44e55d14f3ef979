// SPDX-License-Identifier: MIT
// ImplicitALS with features of users and items: what a program sees of them.
#include <kindred/models/implicit_als.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/random.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/feature_table.hpp>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"
#include "../support/streamed_matrix.hpp"

namespace kd = kindred;
using kd::FeatureSchedule;

namespace {

constexpr FeatureSchedule schedules[] = {FeatureSchedule::each_iteration, FeatureSchedule::after_fit, FeatureSchedule::sparse_rows};

/// Two camps of users and of items: a user has items of the own camp, and says so, as items do. User 0 and item 0 have no features.
struct Camps {
  static constexpr kd::Index users = 60, items = 40;
  kd::CsrMatrix train;
  kd::FeatureTable of_users{users};
  kd::FeatureTable of_items{items};

  Camps() {
    std::vector<kd::Interaction> plays;
    std::vector<std::string> user_camp, item_camp, noise;
    for (kd::Index u = 0; u < users; ++u) {
      kd::detail::Random random(3, kd::detail::RandomStream::sample, static_cast<std::uint64_t>(u));
      for (kd::Index i = 0; i < items; ++i)
        if (random.uniform() < (u % 2 == i % 2 ? 0.35 : 0.03)) plays.push_back({u, i, static_cast<float>(1 + random.below(5))});
      user_camp.push_back(u == 0 ? "" : u % 2 == 0 ? "even" : "odd");
      noise.push_back(std::to_string(random.below(4)));
    }
    for (kd::Index i = 0; i < items; ++i) item_camp.push_back(i == 0 ? "" : i % 2 == 0 ? "even" : "odd");
    noise[0] = "";
    train = kd::CsrMatrix::from_triplets({users, items}, plays);
    of_users.add_categories("camp", user_camp);
    of_users.add_categories("noise", noise);
    of_items.add_categories("camp", item_camp);
  }
};

kd::AlsOptions options_of_camps() {
  kd::AlsOptions o{.factors = 8, .regularization = 0.15, .iterations = 4, .seed = 5};
  o.background.ratio = 8.0;
  o.background.item_exponent = 0.0;
  o.confidence.popularity_damping = 0.0;
  return o;
}

template <typename Scalar>
kd::ImplicitALS<Scalar> fitted(const Camps& camps, FeatureSchedule schedule, kd::AlsOptions options = options_of_camps()) {
  kd::ImplicitALS<Scalar> als(std::move(options));
  als.fit(camps.train, {.user_features = camps.of_users, .item_features = camps.of_items, .schedule = schedule});
  return als;
}

template <typename Scalar>
double dot(std::span<const Scalar> a, std::span<const Scalar> b) {
  double sum = 0.0;
  for (std::size_t f = 0; f < a.size(); ++f) sum += static_cast<double>(a[f]) * static_cast<double>(b[f]);
  return sum;
}

}  // namespace

TEST_CASE_TEMPLATE("features without an entry, or used by one row, leave the bytes of the plain model", Scalar, float, double) {
  const Camps camps;
  for (const auto& one : kindred_test::all_settings()) {
    const kd::AlsOptions& options = one.second;
    if (options.regularization == 0.0) continue;
    CAPTURE(one.first);
    kd::ImplicitALS<Scalar> plain(options), zero(options), single(options);
    plain.fit(camps.train);
    const kd::FeatureTable zeros(kd::CsrMatrix({Camps::users, 2}, std::vector<kd::Offset>(Camps::users + 1, 0), {}, {}));
    zero.fit(camps.train, {.user_features = zeros});
    CHECK(zero.user_factors().same_bytes(plain.user_factors()));
    CHECK(zero.item_factors().same_bytes(plain.item_factors()));
    std::vector<std::string> names(Camps::items);
    names[3] = "me";
    kd::FeatureTable alone(Camps::items);
    alone.add_categories("who", names);
    const kd::FitReport report = single.fit(camps.train, {.item_features = alone});
    CHECK(report.item_features.columns == 1);
    CHECK(report.item_features.idle_columns == 1);
    CHECK(report.item_features.rows_without == Camps::items - 1);
    CHECK(single.user_factors().same_bytes(plain.user_factors()));
    CHECK(single.item_factors().same_bytes(plain.item_factors()));
  }
}

TEST_CASE_TEMPLATE("features: the same bytes for any number of threads, from memory and in blocks", Scalar, float, double) {
  const Camps camps;
  for (const FeatureSchedule schedule : schedules) {
    const auto one = fitted<Scalar>(camps, schedule);
    kd::ImplicitALS<Scalar> three(options_of_camps()), streamed(options_of_camps());
    three.fit(camps.train,
              {.execution = {.threads = 3}, .user_features = camps.of_users, .item_features = camps.of_items, .schedule = schedule});
    CHECK(three.user_factors().same_bytes(one.user_factors()));
    CHECK(three.item_factors().same_bytes(one.item_factors()));
    CHECK(three.features().users.maps[1].same_bytes(one.features().users.maps[1]));
    streamed.fit(kindred_test::StreamedMatrix(camps.train, 7),
                 {.user_features = camps.of_users, .item_features = camps.of_items, .schedule = schedule});
    CHECK(streamed.user_factors().same_bytes(one.user_factors()));
    CHECK(streamed.item_factors().same_bytes(one.item_factors()));
  }
}

TEST_CASE_TEMPLATE("features: folding a row of train in gives its bytes", Scalar, float, double) {
  const Camps camps;
  for (const FeatureSchedule schedule : schedules) {
    const auto als = fitted<Scalar>(camps, schedule);
    for (kd::Index u = 0; u < Camps::users; ++u) {
      const auto x = als.fold_in(kd::History{.items = camps.train.row(u), .features = camps.of_users.row(u)});
      const auto stored = als.user_factors().row(u);
      CHECK(std::equal(x.begin(), x.end(), stored.begin(), stored.end()));
    }
  }
}

TEST_CASE_TEMPLATE("features: who says a camp gets its items, and a new item its users", Scalar, float, double) {
  const Camps camps;
  for (const FeatureSchedule schedule : schedules) {
    const auto als = fitted<Scalar>(camps, schedule);
    for (const std::string camp : {"even", "odd"}) {
      const auto parity = static_cast<kd::Index>(camp == "odd");
      const kd::FeatureColumns::Profile profile = als.user_features().columns().profile({{"camp", camp}, {"noise", "17"}});
      CHECK(profile.unknown == std::vector<std::string>{"noise=17"});
      const kd::Recommendation list = als.recommend(kd::History{.features = profile}, {.count = 10});
      CHECK(list.source == kd::ListSource::features);
      REQUIRE(list.items.size() == 10);
      CHECK(std::all_of(list.items.begin(), list.items.end(), [&](const kd::Scored& one) { return one.item % 2 == parity; }));
      const auto users = als.recommend_users(als.item_features().columns().profile({{"camp", camp}}), {.count = 10});
      REQUIRE(users.size() == 10);
      CHECK(std::all_of(users.begin(), users.end(), [&](const kd::Scored& one) { return one.item % 2 == parity; }));
    }
    CHECK(als.recommend_users(kd::SparseRow{}).empty());
    // With interactions the source is the model; without anything there is none.
    CHECK(als.recommend(kd::History{.items = camps.train.row(4), .features = camps.of_users.row(4)}).source == kd::ListSource::model);
    CHECK(als.recommend(kd::History{}).source == kd::ListSource::none);
    CHECK(als.recommend(kd::History{.items = camps.train.row(4)}).items == als.recommend(camps.train.row(4)).items);
  }
}

TEST_CASE("features: the factors of a cold row are the mean of the side and the map of its features") {
  const Camps camps;
  const auto als = fitted<double>(camps, FeatureSchedule::each_iteration);
  const auto& side = als.features().users;
  const kd::SparseRow features = camps.of_users.row(7);
  const auto x = als.fold_in(kd::History{.features = features}, {.background = kd::FoldInBackground::by_history});
  for (std::size_t f = 0; f < x.size(); ++f) {
    double expected = side.mean[f];
    for (std::size_t c = 0; c < side.centre.size(); ++c) expected -= side.centre[c] * side.maps[1].row(static_cast<kd::Index>(c))[f];
    for (std::size_t n = 0; n < features.size(); ++n)
      expected += static_cast<double>(features.values[n]) * side.maps[1].row(features.columns[n])[f];
    CHECK(x[f] == doctest::Approx(expected).epsilon(1e-10));
  }
}

TEST_CASE_TEMPLATE("features: an explanation sums to the score of the factors", Scalar, float, double) {
  const Camps camps;
  auto als = fitted<Scalar>(camps, FeatureSchedule::each_iteration);
  const double close = sizeof(Scalar) == 4 ? 2e-4 : 1e-9;
  const auto check = [&](const kd::History& history, kd::FoldInBackground background) {
    const auto x = als.fold_in(history, {.background = background});
    for (const kd::Index item : {1, 2, 17}) {
      const kd::Explanation why = als.explain(history, item, background);
      double sum = why.mean;
      for (const kd::Scored& part : why.parts) sum += part.score;
      for (const kd::Scored& part : why.features) sum += part.score;
      CHECK(why.score == doctest::Approx(dot<Scalar>(x, als.item_factors().row(item))).epsilon(close).scale(1));
      CHECK(sum == doctest::Approx(why.score).epsilon(close).scale(1));
      CHECK(why.features.size() == history.features.size());
      CHECK(why.parts.size() == history.items.size());
    }
  };
  for (int updated = 0; updated < 2; ++updated) {
    for (const auto background : {kd::FoldInBackground::full, kd::FoldInBackground::by_history}) {
      check({.items = camps.train.row(5), .features = camps.of_users.row(5)}, background);
      check({.items = {}, .features = camps.of_users.row(5)}, background);
      check({.items = camps.train.row(5), .features = {}}, background);
    }
    const std::vector<kd::Index> some{2};  // from here on factors are not in the eigenbasis
    als.refit_items(some, select_columns(camps.train, std::vector<kd::Index>{4}));
    CHECK_FALSE(als.is_settled());
  }
}

TEST_CASE_TEMPLATE("features: appended and refitted rows", Scalar, float, double) {
  const Camps camps;
  const auto original = fitted<Scalar>(camps, FeatureSchedule::each_iteration);
  auto als = original;
  // Rows of train again: the same bytes.
  const std::vector<kd::Index> again{0, 3, 8};
  als.refit_users(again, select_rows(camps.train, again));
  CHECK(als.user_factors().same_bytes(original.user_factors()));
  const kd::Index first = als.append_users(select_rows(camps.train, again), camps.of_users.select(again));
  CHECK(first == Camps::users);
  for (std::size_t n = 0; n < again.size(); ++n) {
    const auto now = als.user_factors().row(first + static_cast<kd::Index>(n)), before = original.user_factors().row(again[n]);
    CHECK(std::equal(now.begin(), now.end(), before.begin()));
  }
  CHECK(als.user_features().rows() == Camps::users + 3);
  als.append_users(select_rows(camps.train, again));  // without features
  CHECK(als.user_features().row(Camps::users + 4).empty());

  // A new item without a listener is listed by its features, a new user without a play answered.
  const kd::CsrMatrix nobody({als.shape().users, 1}, std::vector<kd::Offset>(static_cast<std::size_t>(als.shape().users) + 1, 0), {}, {});
  kd::FeatureTable odd(1);
  odd.add_categories("camp", std::vector<std::string>{"odd"});
  const kd::FeatureTable odd_item(camps.of_items.select(std::vector<kd::Index>{1}).matrix(), camps.of_items.columns());
  const kd::Index item = als.append_items(nobody, odd_item);
  CHECK(als.item_features().rows() == Camps::items + 1);
  const auto list = als.recommend(1, {.count = 30});
  CHECK(std::any_of(list.begin(), list.end(), [&](const kd::Scored& one) { return one.item == item; }));
  const auto users = als.recommend_users(item, {.count = 5});
  REQUIRE(users.size() == 5);
  CHECK(users == als.recommend_users(camps.of_items.row(1), {.count = 5}));
  const auto popular = als.recommend(kd::History{}, {.count = 100, .fallback = kd::Fallback::popularity}).items;
  REQUIRE(popular.size() == Camps::items + 1);
  CHECK(popular.back() == kd::Scored{item, 0.0});
  CHECK_THROWS_AS(als.append_items(nobody, odd), kd::ShapeError);

  // Scores survive the turn into another basis, of maps too.
  const auto settled = als.settled();
  const kd::History history{.items = camps.train.row(5), .features = camps.of_users.row(5)};
  const auto before = als.recommend(history, {.count = 20}).items, after = settled.recommend(history, {.count = 20}).items;
  for (std::size_t n = 0; n < 20; ++n) CHECK(before[n].score == doctest::Approx(after[n].score).epsilon(1e-3));
  const kd::History cold{.features = camps.of_users.row(5)};
  const auto cold_before = als.recommend(cold, {.count = 5}).items, cold_after = settled.recommend(cold, {.count = 5}).items;
  for (std::size_t n = 0; n < 5; ++n) CHECK(cold_before[n].score == doctest::Approx(cold_after[n].score).epsilon(1e-3));
}

TEST_CASE("features: a user without a play is between nothing and its prior mean") {
  const Camps camps;
  std::vector<kd::Interaction> plays;
  for (kd::Index u = 0; u < Camps::users; ++u)
    for (std::size_t n = 0; n < camps.train.row(u).size(); ++n)
      if (u != 7) plays.push_back({u, camps.train.row(u).columns[n], camps.train.row(u).values[n]});
  const auto train = kd::CsrMatrix::from_triplets({Camps::users, Camps::items}, plays);
  for (kd::Solver solver : {kd::Solver::cholesky, kd::Solver::conjugate_gradient}) {
    kd::AlsOptions options = options_of_camps();
    options.solver.kind = solver;
    kd::ImplicitALS<double> als(options);
    als.fit(train, {.user_features = camps.of_users});
    CHECK(als.knows(7));
    const auto list = als.recommend(7, {.count = 5});
    REQUIRE(list.size() == 5);
    CHECK(std::all_of(list.begin(), list.end(), [](const kd::Scored& one) { return one.item % 2 == 1; }));
    CHECK_FALSE(als.recommend_users(1, {.count = 60}).size() < 60);  // user 7 is a candidate too
  }
}

TEST_CASE("features: reports and progress") {
  const Camps camps;
  kd::ImplicitALS<float> als(options_of_camps());
  const kd::FitReport report = als.fit(
      camps.train,
      {.record_loss = true, .user_features = camps.of_users, .item_features = camps.of_items, .schedule = FeatureSchedule::after_fit});
  CHECK(report.iterations.size() == 5);  // one more than asked for
  CHECK(report.user_features.columns == 6);
  CHECK(report.user_features.idle_columns == 0);
  CHECK(report.user_features.rows_without == 1);
  CHECK(report.item_features.columns == 2);
  CHECK(report.feature_seconds > 0.0);
  const auto cancel = [](const kd::Progress& progress) {
    return progress.what == "features" ? kd::ProgressAnswer::cancel : kd::ProgressAnswer::keep_going;
  };
  const kd::FactorMatrix<float> before = als.user_factors();
  CHECK_THROWS_AS(als.fit(camps.train, {.progress = cancel, .user_features = camps.of_users}), kd::Cancelled);
  CHECK(als.user_factors().same_bytes(before));
}

TEST_CASE_TEMPLATE("features: a report says which groups explain anything", Scalar, float, double) {
  const Camps camps;
  const auto als = fitted<Scalar>(camps, FeatureSchedule::each_iteration);
  const kd::FitReport::Explained users = als.explained_by_user_features();
  REQUIRE(users.groups.size() == 2);
  CHECK(users.groups[0].name == "camp");
  CHECK(users.groups[0].columns == 2);
  CHECK(users.groups[0].share > 0.15);  // the camps
  CHECK(users.groups[1].share < 0.05);  // noise
  CHECK(users.groups[0].norm > 1.2 * users.groups[1].norm);
  CHECK(users.share > 0.1);
  CHECK(users.share <= 1.0);
  CHECK(als.explained_by_user_features({.threads = 3}).share == users.share);
  CHECK(als.explained_by_item_features().share > 0.15);
  kd::ImplicitALS<Scalar> plain(options_of_camps());
  CHECK_THROWS_AS((void)plain.explained_by_user_features(), kd::NotFitted);
  plain.fit(camps.train);
  CHECK(plain.explained_by_user_features().groups.empty());
}

TEST_CASE("features: odd tables are fitted") {
  const Camps camps;
  // More columns than rows, constant and equal columns, values far from 0, one row with features.
  std::vector<kd::Interaction> entries;
  for (kd::Index r = 0; r < Camps::users; ++r)
    for (kd::Index c = 0; c < 100; ++c)
      if (c < 3 || (r + c) % 11 == 0) entries.push_back({r, c, c == 2 ? 1e4F + static_cast<float>(r) : 1.0F});
  const kd::FeatureTable wide(kd::CsrMatrix::from_triplets({Camps::users, 100}, entries));
  const kd::FeatureTable lone(kd::CsrMatrix::from_triplets({Camps::users, 2}, std::vector<kd::Interaction>{{4, 0, 1.0F}, {4, 1, 2.0F}}));
  for (const FeatureSchedule schedule : schedules) {
    for (const kd::FeatureTable& table : {wide, lone}) {
      kd::ImplicitALS<float> als(options_of_camps());
      als.fit(camps.train, {.user_features = table, .schedule = schedule});
      for (kd::Index u = 0; u < Camps::users; ++u)
        for (const float x : als.user_factors().row(u)) CHECK(std::isfinite(x));
      CHECK(als.recommend(1).size() == 10);
    }
  }
}

TEST_CASE("features count in the limit of memory") {
  const Camps camps;
  kd::ImplicitALS<float> als(options_of_camps());
  const std::uint64_t plain = kd::estimate_memory<float>(Camps::users, Camps::items, camps.train.nnz(), options_of_camps()).total();
  als.fit(camps.train, {.memory_limit = plain});
  kd::ImplicitALS<float> other(options_of_camps());
  CHECK_THROWS_WITH_AS(other.fit(camps.train, {.memory_limit = plain, .user_features = camps.of_users}), doctest::Contains("memory_limit"),
                       kd::InvalidArgument);
  CHECK_FALSE(other.fitted());
}

TEST_CASE("features: what is refused") {
  const Camps camps;
  kd::ImplicitALS<float> als(options_of_camps());
  CHECK_THROWS_WITH_AS(als.fit(camps.train, {.user_features = camps.of_items}), doctest::Contains("user_features has 40 rows"),
                       kd::ShapeError);
  CHECK_THROWS_WITH_AS(als.fit(camps.train, {.on_snapshot = [](const auto&) {}, .user_features = camps.of_users}),
                       doctest::Contains("snapshot"), kd::InvalidArgument);
  kd::AlsOptions free = kd::AlsOptions::paper({.factors = 4, .regularization = 0.0});
  CHECK_THROWS_WITH_AS(kd::ImplicitALS<float>(free).fit(camps.train, {.user_features = camps.of_users}),
                       doctest::Contains("above 0 with features"), kd::InvalidArgument);
  kd::AlsOptions weightless = options_of_camps();
  weightless.regularization = 0.0;
  CHECK_THROWS_AS(kd::ImplicitALS<float>(weightless).fit(camps.train, {.item_features = camps.of_items}), kd::InvalidArgument);
  als.fit(camps.train);
  CHECK_THROWS_WITH_AS((void)als.recommend(kd::History{.features = camps.of_users.row(1)}), doctest::Contains("without features of users"),
                       kd::InvalidArgument);
  CHECK_THROWS_AS((void)als.recommend_users(camps.of_items.row(1)), kd::InvalidArgument);
  CHECK_THROWS_AS(als.append_users(camps.train.rows(0, 1), camps.of_users.select(std::vector<kd::Index>{0})), kd::InvalidArgument);
  als.fit(camps.train, {.user_features = camps.of_users});
  const std::vector<kd::Index> column{6};
  const std::vector<float> value{1.0F};
  CHECK_THROWS_AS((void)als.recommend(kd::History{.features = {column, value}}), kd::InvalidArgument);
  CHECK_THROWS_AS(als.append_users(camps.train.rows(0, 1), camps.of_users), kd::ShapeError);
  kd::FeatureTable other(1);
  other.add_categories("a", std::vector<std::string>{"b"});
  CHECK_THROWS_AS(als.append_users(camps.train.rows(0, 1), other), kd::ShapeError);
  CHECK_THROWS_WITH_AS(als.append_users(camps.train.rows(0, 1), kd::FeatureTable(kd::CsrMatrix({1, 6}, {0, 0}, {}, {}))),
                       doctest::Contains("as in the model"), kd::InvalidArgument);
}

TEST_CASE("features that tell nothing of new rows are left out where interactions are known") {
  const Camps camps;
  std::vector<std::string> noise;
  for (kd::Index u = 0; u < Camps::users; ++u) {
    kd::detail::Random random(9, kd::detail::RandomStream::sample, static_cast<std::uint64_t>(u));
    noise.push_back(std::to_string(random.below(6)));
  }
  kd::FeatureTable nothing(Camps::users);
  nothing.add_categories("noise", noise);
  kd::ImplicitALS<float> told(options_of_camps()), untold(options_of_camps());
  const kd::FitReport informed = told.fit(camps.train, {.user_features = camps.of_users});
  const kd::FitReport uninformed = untold.fit(camps.train, {.user_features = nothing});
  CHECK(informed.user_features.explained > 0.1);
  CHECK(uninformed.user_features.explained < 0.01);

  const std::vector<kd::Index> items{1, 5};
  const std::vector<float> values{2.0F, 2.0F};
  const kd::SparseRow known{items, values};
  const auto list = [&](const kd::ImplicitALS<float>& als, const kd::History& history) { return als.recommend(history).items; };
  CHECK(list(untold, {.items = known, .features = nothing.row(3)}) == untold.recommend(known).items);
  CHECK(list(told, {.items = known, .features = camps.of_users.row(2)}) != told.recommend(known).items);
  // Without an interaction: the mean of all users, whatever the features say.
  const auto first = list(untold, {.features = nothing.row(3)});
  CHECK(first.size() == 10);
  CHECK(first == list(untold, {.features = nothing.row(4)}));
  const kd::Explanation why = untold.explain(kd::History{.features = nothing.row(3)}, first.front().item, kd::FoldInBackground::by_history);
  CHECK(why.features.empty());
  CHECK(why.mean == doctest::Approx(why.score));
}
