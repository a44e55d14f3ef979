// SPDX-License-Identifier: MIT
#include <kindred/models/similar_lists.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/core/error.hpp>
#include <kindred/core/random.hpp>
#include <kindred/models/factor_model.hpp>
#include <kindred/models/implicit_als.hpp>

#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"
#include "../support/simd_levels.hpp"

namespace kd = kindred;
using doctest::Contains;

namespace {

/// Rows of a few tastes, with copies, parallel rows of other lengths, zeros, and rows far out of range.
template <typename T>
kd::FactorMatrix<T> tastes(kd::Index n, kd::Index k, std::uint64_t seed) {
  kd::FactorMatrix<T> rows(n, k);
  kd::detail::Random random(seed, kd::detail::RandomStream::sample, 9);
  for (kd::Index r = 0; r < n; ++r) {
    const std::span<T> row = rows.row(r);
    for (T& value : row) value = static_cast<T>(random.normal());
    if (r < 20) continue;
    const std::span<const T> earlier = rows.row(static_cast<kd::Index>(random.below(static_cast<std::uint32_t>(r))));
    const std::uint32_t kind = random.below(40);
    const auto power = static_cast<T>(std::pow(10.0, static_cast<double>(random.below(60)) - 30.0));
    for (std::size_t f = 0; f < row.size(); ++f) {
      if (kind == 0) row[f] = T(0);
      if (kind == 1) row[f] = row[f] * power;
      if (kind >= 2 && kind < 8) row[f] = earlier[f];
      if (kind >= 8 && kind < 12) row[f] = earlier[f] * T(4);
      if (kind >= 12) row[f] = earlier[f] + T(0.2) * row[f];
    }
  }
  for (kd::Index r = 0; r < n; ++r)  // sums of large rows, and multiples of multiples, may have left the range
    for (T& value : rows.row(r))
      if (!kd::detail::is_finite(value)) value = T(1);
  return rows;
}

void check_lists(const kd::RankedLists& lists, const std::vector<std::vector<kd::Scored>>& wanted) {
  REQUIRE(lists.size() == wanted.size());
  for (std::size_t n = 0; n < wanted.size(); ++n)
    CHECK(std::equal(lists.row(n).begin(), lists.row(n).end(), wanted[n].begin(), wanted[n].end()));
}

/// The cosines of all other rows with a row, in long double, largest first.
template <typename T>
std::vector<long double> textbook_cosines(const kd::FactorMatrix<T>& rows, kd::Index self) {
  const auto dot = [&](kd::Index a, kd::Index b) {
    long double sum = 0.0L;
    for (std::size_t f = 0; f < rows.row(a).size(); ++f)
      sum += static_cast<long double>(rows.row(a)[f]) * static_cast<long double>(rows.row(b)[f]);
    return sum;
  };
  std::vector<long double> cosines;
  for (kd::Index r = 0; r < rows.rows(); ++r)
    if (r != self && dot(r, r) > 0.0L) cosines.push_back(dot(self, r) / std::sqrt(dot(self, self) * dot(r, r)));
  std::sort(cosines.rbegin(), cosines.rend());
  return cosines;
}

}  // namespace

TEST_SUITE("models/similar_lists") {
  TEST_CASE("four items by hand: a copy, a right angle, and one without a direction") {
    const kd::FactorModel<float> model(kd::FactorMatrix<float>(1, 2, std::vector<float>{1, 0}),
                                       kd::FactorMatrix<float>(4, 2, std::vector<float>{3, 0, 0, 2, 0, 0, 1, 0}));
    const kd::RankedLists lists = model.similar_items_all();
    REQUIRE(lists.size() == 4);
    CHECK(lists == kd::RankedLists({{{3, 1.0}, {1, 0.0}}, {{0, 0.0}, {3, 0.0}}, {}, {{0, 1.0}, {1, 0.0}}},
                                   {kd::ListSource::model, kd::ListSource::model, kd::ListSource::none, kd::ListSource::model}));
    CHECK(model.similar_users_all().row(0).empty());
    const std::vector<kd::Index> some{3, 2, 3};
    const kd::RankedLists asked = model.similar_items_all(some, {.count = 1, .self = kd::SimilarOptions::SelfMatch::included});
    CHECK(asked == kd::RankedLists({{{0, 1.0}}, {}, {{0, 1.0}}}, {kd::ListSource::model, kd::ListSource::none, kd::ListSource::model}));
  }

  TEST_CASE_TEMPLATE("each list is that of the single call to the bit, for any threads, batch and level", T, float, double) {
    const kd::FactorModel<T> model(tastes<T>(700, 19, 1), tastes<T>(1500, 19, 2));
    std::vector<kd::Index> exclude, allow;
    for (kd::Index i = 0; i < 1500; ++i) {
      if (i % 7 == 0) exclude.push_back(i);
      if (i % 3 != 0) allow.push_back(i);
    }
    std::vector<kd::SimilarOptions> settings(7);
    settings[1].count = 150;
    settings[2].exclude = exclude;
    settings[3].filter.allow = allow;
    settings[4].filter.allow = std::span<const kd::Index>(allow).first(40);
    settings[5].filter.min_score = 0.7;
    settings[5].self = kd::SimilarOptions::SelfMatch::included;
    settings[6].filter.candidates = kd::Candidates::all;
    settings[6].count = 2000;
    for (const kd::SimilarOptions& options : settings) {
      std::vector<std::vector<kd::Scored>> wanted;
      for (kd::Index i = 0; i < 1500; ++i) wanted.push_back(model.similar_items(i, options));
      for (const std::size_t threads : {1u, 2u, 3u}) check_lists(model.similar_items_all(options, {.threads = threads}), wanted);
      std::vector<kd::Index> some;
      std::vector<std::vector<kd::Scored>> wanted_some;
      for (kd::Index n = 0; n < 50; ++n) {
        some.push_back(n * 577 % 1500);
        wanted_some.push_back(wanted[static_cast<std::size_t>(some.back())]);
      }
      for (const std::size_t n : {0u, 1u, 2u, 50u})
        check_lists(model.similar_items_all(std::span<const kd::Index>(some).first(n), options),
                    {wanted_some.begin(), wanted_some.begin() + static_cast<std::ptrdiff_t>(n)});
    }
    std::vector<std::vector<kd::Scored>> users;
    for (kd::Index u = 0; u < 700; ++u) users.push_back(model.similar_users(u, {.count = 5}));
    check_lists(model.similar_users_all({.count = 5}, {.threads = 2}), users);
    for (const kd::SimdLevel level : kindred_test::simd_levels()) {  // levels differ by rounding, and where that decides
      const kd::RankedLists lists = model.similar_users_all({.count = 5}, {.simd = level});
      for (std::size_t u = 0; u < 700; ++u) {
        REQUIRE(lists.row(u).size() == users[u].size());
        for (std::size_t n = 0; n < users[u].size(); ++n) CHECK(lists.row(u)[n].score == doctest::Approx(users[u][n].score).epsilon(1e-5));
      }
    }
  }

  TEST_CASE_TEMPLATE("the cosines of a textbook in long double", T, float, double) {
    kd::FactorMatrix<T> rows = tastes<T>(600, 11, 5);
    for (kd::Index r = 0; r < 600; ++r)  // lengths whose squares are in range: of the others nothing is promised
      for (T& value : rows.row(r)) value = std::abs(value) > T(1e12) || std::abs(value) < T(1e-12) ? T(0) : value;
    const kd::FactorModel<T> model(kd::FactorMatrix<T>(1, 11), rows);
    const kd::RankedLists lists = model.similar_items_all({.count = 12});
    const double tolerance = 20.0 * 11.0 * static_cast<double>(std::numeric_limits<T>::epsilon());
    for (kd::Index i = 0; i < 600; ++i) {
      const std::span<const kd::Scored> list = lists.row(static_cast<std::size_t>(i));
      if (std::all_of(rows.row(i).begin(), rows.row(i).end(), [](T value) { return value == T(0); })) {
        CHECK(list.empty());
        continue;
      }
      const std::vector<long double> cosines = textbook_cosines(rows, i);
      REQUIRE(list.size() == 12);
      for (std::size_t n = 0; n < 12; ++n) CHECK(std::abs(list[n].score - static_cast<double>(cosines[n])) < tolerance);
    }
  }

  TEST_CASE("a stream hands over the same lists in the order asked for, across rounds") {
    const kd::FactorModel<float> model(tastes<float>(10, 7, 1), tastes<float>(2500, 7, 3));
    std::vector<kd::Index> items;
    for (kd::Index n = 0; n < 4000; ++n) items.push_back(n * 37 % 2500);
    const kd::SimilarOptions options{.count = 400};  // rounds of 8 tiles
    const kd::RankedLists wanted = model.similar_items_all(items, options);
    for (const std::size_t threads : {1u, 2u}) {
      std::size_t n = 0, wrong = 0;
      model.similar_items_all(items, options, {.threads = threads},
                              [&](kd::Index item, std::span<const kd::Scored> list, kd::ListSource source) {
                                wrong += item == items[n] && source == wanted.source(n) &&
                                                 std::equal(list.begin(), list.end(), wanted.row(n).begin(), wanted.row(n).end())
                                             ? 0
                                             : 1;
                                ++n;
                              });
      CHECK(n == items.size());
      CHECK(wrong == 0);
    }
    kd::Index next = 0;
    model.similar_users_all({}, {}, [&](kd::Index user, std::span<const kd::Scored> list) {
      CHECK(user == next++);
      CHECK(list.size() == 9);
    });
    CHECK(next == 10);
    CHECK_THROWS_AS(model.similar_items_all({}, {}, [](kd::Index, std::span<const kd::Scored>) { throw 7; }), int);
  }

  TEST_CASE("lists follow refits and updates, and copies keep theirs") {
    const kd::CsrMatrix train = kindred_test::random_matrix(80, 60, 0.1, 3), more = kindred_test::random_matrix(5, 60, 0.3, 4);
    kd::ImplicitALS<float> model(kindred_test::small_als());
    (void)model.fit(train);
    const auto check_all = [](const kd::ImplicitALS<float>& one) {
      const kd::FactorModel<float> anew(one.user_factors(), one.item_factors());
      check_lists(one.similar_users_all(), [&] {
        std::vector<std::vector<kd::Scored>> lists;
        for (kd::Index u = 0; u < one.shape().users; ++u) lists.push_back(anew.similar_users(u));
        return lists;
      }());
      check_lists(one.similar_items_all(), [&] {
        std::vector<std::vector<kd::Scored>> lists;
        for (kd::Index i = 0; i < one.shape().items; ++i) lists.push_back(anew.similar_items(i));
        return lists;
      }());
    };
    check_all(model);
    const kd::ImplicitALS<float> copy(model);
    const kd::RankedLists before = model.similar_users_all();
    (void)model.append_users(more);
    CHECK(model.similar_users_all().size() == 85);
    check_all(model);
    CHECK(copy.similar_users_all() == before);
    const std::vector<kd::Index> items{3, 4};
    (void)model.refit_items(items, kindred_test::random_matrix(85, 2, 0.2, 6));
    check_all(model);
    (void)model.fit(kindred_test::random_matrix(40, 90, 0.1, 8));
    check_all(model);
  }

  TEST_CASE("what the calls refuse, before any list") {
    const kd::FactorModel<float> model(tastes<float>(30, 4, 1), tastes<float>(20, 4, 2)), blank;
    const std::vector<kd::Index> falling{3, 1}, wrong{0, 20}, negative{-1}, none;
    CHECK_THROWS_AS((void)blank.similar_items_all(none), kd::NotFitted);
    CHECK_THROWS_AS((void)blank.similar_items_all(), kd::NotFitted);
    CHECK_THROWS_AS((void)blank.similar_users_all(none), kd::NotFitted);
    CHECK_THROWS_WITH_AS((void)model.similar_items_all(wrong), Contains("item is 20"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.similar_items_all(negative), Contains("item is -1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.similar_users_all(negative), Contains("user is -1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.similar_items_all({.filter = {.allow = falling}}), Contains("allow[1] is 1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.similar_users_all({.exclude = falling}), Contains("exclude[1] is 1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.similar_items_all({}, {.threads = 5000}), Contains("threads"), kd::InvalidArgument);
    std::size_t handed = 0;
    CHECK_THROWS_AS(model.similar_items_all(wrong, {}, {}, [&](kd::Index, std::span<const kd::Scored>) { ++handed; }), kd::InvalidArgument);
    CHECK_THROWS_AS(blank.similar_users_all({}, {}, [&](kd::Index, std::span<const kd::Scored>) { ++handed; }), kd::NotFitted);
    CHECK(handed == 0);
    CHECK(model.similar_items_all(none).size() == 0);
  }
}
