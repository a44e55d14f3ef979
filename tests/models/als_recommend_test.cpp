// SPDX-License-Identifier: MIT
// What ImplicitALS lists beside recommend(user): neighbours, users of an item, rankings, streams, people without an index.
#include <kindred/models/factor_lists.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "../support/als_instances.hpp"
#include "../support/als_settings.hpp"
#include "../support/random_matrix.hpp"
#include "../support/same.hpp"

namespace kd = kindred;
using doctest::Approx;
using doctest::Contains;

namespace {

template <typename T>
kd::ImplicitALS<T> fitted(const kd::CsrMatrix& train) {
  kd::ImplicitALS<T> model(kindred_test::small_als());
  model.fit(train);
  return model;
}

template <typename T>
double cosine(std::span<const T> a, std::span<const T> b) {
  double ab = 0.0, aa = 0.0, bb = 0.0;
  for (std::size_t f = 0; f < a.size(); ++f) {
    ab += static_cast<double>(a[f]) * static_cast<double>(b[f]);
    aa += static_cast<double>(a[f]) * static_cast<double>(a[f]);
    bb += static_cast<double>(b[f]) * static_cast<double>(b[f]);
  }
  return aa * bb > 0.0 ? ab / std::sqrt(aa * bb) : 0.0;
}

/// A list of neighbours against cosines in double: the right number, true cosines, and none left out that is clearly better.
template <typename T>
void check_neighbours(const kd::FactorMatrix<T>& rows, kd::Index self, const std::vector<kd::Scored>& list, std::size_t wanted) {
  const double tolerance = 20 * static_cast<double>(std::numeric_limits<T>::epsilon());
  REQUIRE(list.size() == wanted);
  CHECK(std::is_sorted(list.begin(), list.end(), kd::ranks_before));
  std::size_t better = 0;
  for (kd::Index r = 0; r < rows.rows(); ++r)
    better += r != self && cosine(rows.row(self), rows.row(r)) > list.back().score + tolerance ? 1 : 0;
  CHECK(better <= wanted - 1);
  for (const kd::Scored& one : list) {
    CHECK(one.item != self);
    CHECK(one.score == Approx(cosine(rows.row(self), rows.row(one.item))).epsilon(tolerance));
  }
}

}  // namespace

TEST_SUITE("models/als_recommend") {
  TEST_CASE_TEMPLATE("similar items and users are those of the largest cosine", T, float, double) {
    const kd::CsrMatrix train = kindred_test::random_matrix(200, 150, 0.1, 3);
    const kd::ImplicitALS<T> model = fitted<T>(train);
    for (kd::Index i = 0; i < 40; ++i) check_neighbours(model.item_factors(), i, model.similar_items(i, {.count = 7}), 7);
    for (kd::Index u = 0; u < 40; ++u) check_neighbours(model.user_factors(), u, model.similar_users(u, {.count = 7}), 7);
    const std::vector<kd::Scored> with_self = model.similar_items(3, {.count = 4, .self = kd::SimilarOptions::SelfMatch::included});
    CHECK(with_self[0].item == 3);
    CHECK(with_self[0].score == Approx(1.0).epsilon(1e-15));
    CHECK(model.similar_items(3, {.count = 1000}).size() == 149);
    const std::vector<kd::Index> exclude{2, 3, 9}, allow{1, 2, 3, 9, 14};
    const std::vector<kd::Scored> filtered = model.similar_items(3, {.exclude = exclude, .filter = {.allow = allow}});
    REQUIRE(filtered.size() == 2);
    for (const kd::Scored& one : filtered) CHECK((one.item == 1 || one.item == 14));
    for (const kd::Scored& one : model.similar_items(3, {.count = 1000, .filter = {.min_score = 0.5}})) CHECK(one.score >= 0.5);
  }

  TEST_CASE("the users of an item are those with the highest scores") {
    const kd::CsrMatrix train = kindred_test::random_matrix(90, 60, 0.15, 4);
    const kd::ImplicitALS<float> model = fitted<float>(train);
    const std::vector<kd::Index> exclude{0, 5, 80};
    for (kd::Index item = 0; item < 60; item += 7) {
      std::vector<kd::Scored> wanted;
      for (kd::Index u = 0; u < 90; ++u)
        if (!train.row(u).empty() && !std::binary_search(exclude.begin(), exclude.end(), u)) wanted.push_back({u, model.predict(u, item)});
      std::sort(wanted.begin(), wanted.end(), kd::ranks_before);
      wanted.resize(12);
      CHECK(model.recommend_users(item, {.count = 12, .exclude = exclude}) == wanted);
    }
  }

  TEST_CASE("rank_items orders all candidates by their scores") {
    const kd::CsrMatrix train = kindred_test::random_matrix(30, 60, 0.15, 4);
    const kd::ImplicitALS<double> model = fitted<double>(train);
    const std::vector<kd::Index> candidates{0, 7, 8, 31, 59};
    std::vector<kd::Scored> wanted;
    for (const kd::Index item : candidates) wanted.push_back({item, model.predict(4, item)});
    std::sort(wanted.begin(), wanted.end(), kd::ranks_before);
    CHECK(model.rank_items(4, candidates) == wanted);
    CHECK(model.rank_items(4, {}).empty());
  }

  TEST_CASE("a stream is the matrix, in the order asked for, whatever the number of threads") {
    const kd::CsrMatrix train = kindred_test::random_matrix(5000, 83, 0.1, 3);
    const kd::ImplicitALS<float> model = fitted<float>(train);
    std::vector<kd::Index> users;
    for (kd::Index u = 4999; u >= 0; --u) users.push_back(u);
    const kd::RankedLists lists = model.recommend_all(users, {.count = 5, .exclude = train});
    for (const std::size_t threads : {1u, 2u, 3u}) {
      std::size_t place = 0;
      kindred_test::Same same;
      model.recommend_all(users, {.count = 5, .exclude = train, .execution = {.threads = threads}},
                          [&](kd::Index user, std::span<const kd::Scored> list) {
                            const auto wanted = lists.row(place);
                            same = same + kindred_test::same_array(std::span(&user, 1), std::span(&users[place], 1), "user ") +
                                   kindred_test::same_array(list, wanted, "user " + std::to_string(user) + ", place ");
                            ++place;
                          });
      CHECK(place == users.size());
      CHECK(same);
    }
    const kd::RankedLists all = model.recommend_all(kd::every_user, {.count = 5, .exclude = train});
    REQUIRE(all.size() == 5000);
    CHECK(kindred_test::same_array(all.row(0), lists.row(4999)));
    CHECK_THROWS_AS(
        model.recommend_all(kd::every_user, {}, [](kd::Index, std::span<const kd::Scored>) { throw std::runtime_error("full"); }),
        std::runtime_error);
  }

  TEST_CASE("somebody without an index gets the list of an equal user; nobody gets the fallback, which says so") {
    const kd::CsrMatrix train = kindred_test::random_matrix(60, 83, 0.1, 3);
    const kd::ImplicitALS<float> model = fitted<float>(train);
    for (kd::Index u = 0; u < 60; ++u) {
      // With at least a mean history the background counts in full, as in fit.
      if (static_cast<kd::Offset>(train.row(u).size()) * train.rows() < train.nnz()) continue;
      const kd::Recommendation found = model.recommend(train.row(u), {.exclude = train.row(u)});
      CHECK(found.source == kd::ListSource::model);
      CHECK(found.items == model.recommend(u, {.exclude = train.row(u)}));
    }
    const kd::Recommendation nothing = model.recommend(kd::SparseRow{});
    CHECK(nothing.items.empty());
    CHECK(nothing.source == kd::ListSource::none);
    const kd::Recommendation popular = model.recommend(kd::SparseRow{}, {.count = 6, .fallback = kd::Fallback::popularity});
    CHECK(popular.source == kd::ListSource::popularity);
    std::vector<kd::Scored> wanted;
    const std::vector<kd::Index> counts = kd::column_counts(train);
    for (kd::Index i = 0; i < 83; ++i) wanted.push_back({i, static_cast<double>(counts[static_cast<std::size_t>(i)])});
    std::sort(wanted.begin(), wanted.end(), kd::ranks_before);
    wanted.resize(6);
    CHECK(popular.items == wanted);
    const std::vector<kd::Index> column{4};
    const std::vector<float> zero{0.0F};
    CHECK(model.recommend({column, zero}, {.count = 6, .fallback = kd::Fallback::popularity}).source == kd::ListSource::popularity);
  }

  TEST_CASE("exactly min(count, eligible), over random lists to exclude and to allow, in every call") {
    const kd::CsrMatrix train = kindred_test::random_matrix(40, 83, 0.05, 3);
    const kd::ImplicitALS<float> model = fitted<float>(train);
    const std::vector<kd::Index> item_users = kd::column_counts(train), user_items = kd::row_counts(train);
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      kd::detail::Random random(seed, kd::detail::RandomStream::sample, 3);
      const auto some = [&](kd::Index n, std::uint32_t one_in) {
        std::vector<kd::Index> list;
        for (kd::Index i = 0; i < n; ++i)
          if (random.below(one_in) == 0) list.push_back(i);
        return list;
      };
      const auto eligible = [&](std::span<const kd::Index> counts, const std::vector<kd::Index>& exclude,
                                const std::vector<kd::Index>& allow, kd::Index self) {
        std::size_t n = 0;
        for (const kd::Index i : allow)
          n += counts[static_cast<std::size_t>(i)] > 0 && i != self && !std::binary_search(exclude.begin(), exclude.end(), i) ? 1 : 0;
        return n;
      };
      const std::size_t count = random.below(90);
      const std::vector<kd::Index> exclude = some(83, 3), allow = some(83, 1 + random.below(3));
      const std::vector<kd::Index> exclude_users = some(40, 3), allow_users = some(40, 2);
      const std::size_t items = (std::min)(count, eligible(item_users, exclude, allow, -1));
      kd::Index user = 0, item = 0;  // of whom something is known: the others get no lists
      do user = static_cast<kd::Index>(random.below(40));
      while (user_items[static_cast<std::size_t>(user)] == 0);
      do item = static_cast<kd::Index>(random.below(83));
      while (item_users[static_cast<std::size_t>(item)] == 0);
      CHECK(model.recommend(user, {.count = count, .exclude = exclude, .filter = {.allow = allow}}).size() == items);
      CHECK(model.similar_items(item, {.count = count, .exclude = exclude, .filter = {.allow = allow}}).size() ==
            (std::min)(count, eligible(item_users, exclude, allow, item)));
      CHECK(model.similar_users(user, {.count = count, .exclude = exclude_users, .filter = {.allow = allow_users}}).size() ==
            (std::min)(count, eligible(user_items, exclude_users, allow_users, user)));
      CHECK(model.recommend_users(item, {.count = count, .exclude = exclude_users, .filter = {.allow = allow_users}}).size() ==
            (std::min)(count, eligible(user_items, exclude_users, allow_users, -1)));
      const kd::Recommendation popular = model.recommend(
          kd::SparseRow{}, {.count = count, .exclude = exclude, .filter = {.allow = allow}, .fallback = kd::Fallback::popularity});
      CHECK(popular.items.size() == items);
    }
  }

  TEST_CASE("const calls from many threads, the first of which build the index of users") {
    const kd::CsrMatrix train = kindred_test::random_matrix(300, 83, 0.1, 3);
    const kd::ImplicitALS<float> model = fitted<float>(train);
    const kd::ImplicitALS<float> other = fitted<float>(train);
    const std::vector<kd::Scored> wanted = other.similar_users(5);
    std::vector<int> agreed(4, 0);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int n = 0; n < 50; ++n)
          agreed[t] += model.similar_users(5) == wanted && model.recommend_users(3) == other.recommend_users(3) ? 1 : 0;
      });
    for (std::thread& thread : threads) thread.join();
    CHECK(agreed == std::vector<int>(4, 50));
    const kd::ImplicitALS<float> copy(model);
    CHECK(copy.similar_users(5) == wanted);
  }

  TEST_CASE("what the calls refuse") {
    const kd::CsrMatrix train = kindred_test::random_matrix(30, 20, 0.3, 5);
    const kd::ImplicitALS<float> model = fitted<float>(train), blank;
    const std::vector<kd::Index> falling{3, 1}, outside{30};
    CHECK_THROWS_AS((void)blank.similar_items(0), kd::NotFitted);
    CHECK_THROWS_AS((void)blank.similar_users(0), kd::NotFitted);
    CHECK_THROWS_AS((void)blank.recommend_users(0), kd::NotFitted);
    CHECK_THROWS_AS((void)blank.rank_items(0, {}), kd::NotFitted);
    CHECK_THROWS_WITH_AS((void)model.similar_items(20), Contains("item is 20"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.similar_users(30), Contains("user is 30"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.recommend_users(-1), Contains("item is -1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.recommend_users(0, {.exclude = outside}), "exclude[0] is 30; it must be a user index in [0, 30)",
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.similar_items(0, {.filter = {.allow = falling}}), Contains("allow[1] is 1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.rank_items(0, falling), Contains("candidates[1] is 1"), kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)model.recommend(0, {.filter = {.min_score = std::nan("")}}), Contains("min_score"), kd::InvalidArgument);
  }
}
