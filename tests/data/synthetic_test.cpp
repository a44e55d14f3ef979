// SPDX-License-Identifier: MIT
#include <kindred/data/synthetic.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/data/statistics.hpp>

namespace kd = kindred;

namespace {

bool same(const kd::Dataset& a, const kd::Dataset& b) {
  return a.matrix == b.matrix && a.users == b.users && a.items == b.items && a.item_names == b.item_names && a.profiles == b.profiles &&
         a.times == b.times;
}

// How much more often than by chance the popular items are liked together: the mean over pairs of (seen - expected)^2 / expected. About 1 if users
// draw independently.
double togetherness(const kd::CsrMatrix& matrix, std::size_t n_items) {
  const std::vector<kd::Index> counts = kd::column_counts(matrix);
  std::vector<kd::Index> popular(counts.size());
  std::iota(popular.begin(), popular.end(), 0);
  std::sort(popular.begin(), popular.end(),
            [&](kd::Index a, kd::Index b) { return counts[static_cast<std::size_t>(a)] > counts[static_cast<std::size_t>(b)]; });
  std::vector<std::size_t> place(counts.size(), n_items);
  for (std::size_t n = 0; n < n_items; ++n) place[static_cast<std::size_t>(popular[n])] = n;
  std::vector<double> together(n_items * n_items, 0.0);
  for (kd::Index u = 0; u < matrix.rows(); ++u)
    for (const kd::Index a : matrix.row(u).columns)
      for (const kd::Index b : matrix.row(u).columns)
        if (const std::size_t pa = place[static_cast<std::size_t>(a)], pb = place[static_cast<std::size_t>(b)]; pa < pb && pb < n_items)
          together[pa * n_items + pb] += 1.0;
  double sum = 0.0, pairs = 0.0;
  for (std::size_t a = 0; a < n_items; ++a) {
    for (std::size_t b = a + 1; b < n_items; ++b) {
      const double expected = static_cast<double>(counts[static_cast<std::size_t>(popular[a])]) *
                              static_cast<double>(counts[static_cast<std::size_t>(popular[b])]) / matrix.rows();
      const double seen = together[a * n_items + b];
      sum += (seen - expected) * (seen - expected) / expected;
      pairs += 1.0;
    }
  }
  return sum / pairs;
}

}  // namespace

TEST_SUITE("data/synthetic") {
  const kd::Dataset data = kd::synthetic_listening();

  TEST_CASE("a whole dataset") {
    CHECK_NOTHROW(data.check());
    CHECK(data.matrix.shape() == kd::MatrixShape{2'000, 1'500});
    CHECK(data.users.key(0) == "listener_0000001");
    CHECK(data.items.key(1'499) == "artist_0001500");
    CHECK(data.item_names.size() == 1'500);
    CHECK(data.times.size() == static_cast<std::size_t>(data.matrix.nnz()));
    CHECK(data.profiles.size() == 2'000);
  }

  TEST_CASE("the same for any number of threads, another for another seed") {
    const kd::SyntheticOptions options{.users = 300, .items = 200, .seed = 7, .execution = {.threads = 1}};
    const kd::Dataset one = kd::synthetic_listening(options);
    for (const std::size_t threads : {2u, 3u, 8u}) {
      kd::SyntheticOptions more = options;
      more.execution.threads = threads;
      CHECK(same(one, kd::synthetic_listening(more)));
    }
    kd::SyntheticOptions other = options;
    other.seed = 8;
    CHECK_FALSE(one.matrix == kd::synthetic_listening(other).matrix);
  }

  // Rows are random by themselves: more users do not change the ones before.
  TEST_CASE("more users leave the first ones as they were") {
    const kd::Dataset few = kd::synthetic_listening({.users = 100});
    std::vector<kd::Index> first(100);
    std::iota(first.begin(), first.end(), 0);
    CHECK(kd::select_rows(data.matrix, first) == few.matrix);
  }

  TEST_CASE("activity and plays look like listening: heavy tails, whole counts") {
    const kd::statistics::MatrixStatistics statistics = kd::statistics::describe(data.matrix);
    const kd::statistics::Summary activity = kd::statistics::summarize(statistics.items_per_user);
    CHECK(activity.mean > 36.0);  // 40 asked for, less half an item for rounding down; standard error 0.6
    CHECK(activity.mean < 43.0);
    CHECK(activity.min >= 1.0);
    CHECK(activity.max <= 750.0);
    CHECK(activity.max > 4.0 * activity.mean);
    CHECK(activity.median < activity.mean);

    const kd::statistics::Summary plays = kd::statistics::summarize(statistics.values);
    CHECK(plays.min >= 1.0);
    CHECK(plays.mean > 2.0 * plays.median);
    CHECK(plays.quantile_99 > 10.0 * plays.median);
    CHECK(std::all_of(statistics.values.begin(), statistics.values.end(), [](double v) { return v == std::floor(v); }));

    const kd::statistics::Summary popularity = kd::statistics::summarize(statistics.users_per_item);
    CHECK(popularity.max > 5.0 * popularity.mean);
    CHECK(statistics.item_gini > 0.3);
    CHECK(statistics.item_gini < 0.8);
  }

  TEST_CASE("popularity follows its exponent") {
    const auto inequality = [](double exponent) {
      return kd::statistics::describe(kd::synthetic_listening({.users = 500, .popularity_exponent = exponent}).matrix).item_gini;
    };
    CHECK(inequality(0.0) < inequality(0.5));
    CHECK(inequality(0.5) < inequality(1.2));
    CHECK(inequality(0.0) < 0.25);  // counts of about 13 by chance alone: 0.16
  }

  // Equal activity, so that only taste can bring items together.
  TEST_CASE("tastes are planted, or not") {
    const auto measure = [](double strength) {
      return togetherness(
          kd::synthetic_listening({.users = 1'000, .items = 400, .tastes = 8, .taste_strength = strength, .activity_sd = 0.0}).matrix, 40);
    };
    const double none = measure(0.0), some = measure(0.4), strong = measure(0.9);
    CHECK(none < 2.0);
    CHECK(some > 2.0 * none);
    CHECK(strong > 2.0 * some);
  }

  TEST_CASE("profiles: plausible, with the usual gaps") {
    double ages = 0, genders = 0, countries = 0, men = 0;
    std::set<std::string> distinct;
    bool plausible = true;
    for (const kd::UserProfile& profile : data.profiles) {
      if (profile.age) plausible = plausible && *profile.age >= 13 && *profile.age <= 80;
      plausible = plausible && (profile.gender.empty() || profile.gender == "m" || profile.gender == "f");
      ages += profile.age ? 1 : 0;
      genders += profile.gender.empty() ? 0 : 1;
      men += profile.gender == "m" ? 1 : 0;
      countries += profile.country.empty() ? 0 : 1;
      distinct.insert(profile.country);
    }
    CHECK(plausible);
    // Shares of 2,000 users; the standard error is at most 0.011.
    CHECK(ages / 2000 == doctest::Approx(0.80).epsilon(0.06));
    CHECK(genders / 2000 == doctest::Approx(0.90).epsilon(0.06));
    CHECK(countries / 2000 == doctest::Approx(0.97).epsilon(0.06));
    CHECK(men / genders == doctest::Approx(0.71).epsilon(0.08));
    CHECK(distinct.size() == 21);  // 20 countries and none
  }

  TEST_CASE("first plays come after the account was opened") {
    bool after = true;
    for (kd::Index u = 0; u < data.matrix.rows(); ++u) {
      const kd::UserProfile& profile = data.profiles[static_cast<std::size_t>(u)];
      if (!profile.signup) continue;
      const auto start = static_cast<std::size_t>(data.matrix.offsets()[static_cast<std::size_t>(u)]);
      for (std::size_t n = 0; n < data.matrix.row(u).size(); ++n) after = after && data.times[start + n] >= *profile.signup;
    }
    CHECK(after);
  }

  TEST_CASE("names are made up, and not all alike") {
    const std::set<std::string> names(data.item_names.begin(), data.item_names.end());
    CHECK(names.size() > 1'400);
    CHECK(std::none_of(names.begin(), names.end(), [](const std::string& name) { return name.size() < 4 || name.size() > 40; }));
  }

  TEST_CASE("the smallest worlds") {
    const kd::Dataset one = kd::synthetic_listening({.users = 1, .items = 1, .items_per_user = 1.0, .tastes = 1});
    CHECK(one.matrix.nnz() == 1);
    const kd::Dataset tight = kd::synthetic_listening({.users = 20, .items = 6, .items_per_user = 1000.0, .tastes = 50});
    for (kd::Index u = 0; u < 20; ++u) CHECK(tight.matrix.row(u).size() <= 3);
    // Every option at both its ends.
    for (const double items_per_user : {1.0, 1e9})
      CHECK_NOTHROW((void)kd::synthetic_listening({.users = 9, .items = 7, .items_per_user = items_per_user}));
    for (const double strength : {0.0, 1.0})
      CHECK_NOTHROW((void)kd::synthetic_listening({.users = 9, .items = 7, .taste_strength = strength}));
    for (const double end : {0.0, 3.0})
      CHECK_NOTHROW((void)kd::synthetic_listening({.users = 9, .items = 7, .popularity_exponent = end, .activity_sd = end}));
  }

  TEST_CASE("what it refuses, and in which words") {
    const auto refuse = [](const kd::SyntheticOptions& options) { (void)kd::synthetic_listening(options); };
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_WITH_AS(refuse({.users = 0}), "users is 0; it must be at least 1", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({.items = 0}), "items is 0; it must be at least 1", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({.items_per_user = 0.5}), "items_per_user is 0.5; it must be in [1, 1e9]", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({.tastes = 0}), "tastes is 0; it must be at least 1", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({.taste_strength = 1.5}), "taste_strength is 1.5; it must be in [0, 1]", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({.popularity_exponent = -1.0}), "popularity_exponent is -1; it must be in [0, 3]", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS(refuse({.activity_sd = 4.0}), "activity_sd is 4; it must be in [0, 3]", kd::InvalidArgument);
    CHECK_THROWS_AS(refuse({.items_per_user = 1.0000001e9}), kd::InvalidArgument);
    CHECK_THROWS_AS(refuse({.taste_strength = -1e-9}), kd::InvalidArgument);
    CHECK_THROWS_AS(refuse({.popularity_exponent = 3.0000001}), kd::InvalidArgument);
    CHECK_THROWS_AS(refuse({.activity_sd = -1e-9}), kd::InvalidArgument);
    CHECK_THROWS_AS(refuse({.items_per_user = nan}), kd::InvalidArgument);
    CHECK_THROWS_AS(refuse({.taste_strength = nan}), kd::InvalidArgument);
    CHECK_THROWS_AS(refuse({.popularity_exponent = nan}), kd::InvalidArgument);
    CHECK_THROWS_AS(refuse({.activity_sd = nan}), kd::InvalidArgument);
  }
}
