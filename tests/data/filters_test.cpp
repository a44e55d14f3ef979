// SPDX-License-Identifier: MIT
#include <kindred/data/filters.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../support/filter_by_sets.hpp"
#include "../support/random_matrix.hpp"
#include "../support/small_dataset.hpp"

namespace kd = kindred;
using kindred_test::dataset_of;
using kindred_test::filter_by_sets;
using kindred_test::pairs_of;
using kindred_test::random_matrix;

namespace {

std::vector<std::string> keys(const kd::IdMap& ids) {
  std::vector<std::string> out;
  for (kd::Index n = 0; n < ids.size(); ++n) out.emplace_back(ids.key(n));
  return out;
}

template <typename T>
std::vector<T> sorted(std::vector<T> list) {
  std::sort(list.begin(), list.end());
  return list;
}

}  // namespace

TEST_SUITE("data/filters") {
  //        i0 i1 i2
  //   u0    1  1  1
  //   u1    1  1  .
  //   u2    .  .  1
  const kd::CsrMatrix three({3, 3}, {0, 3, 5, 6}, {0, 1, 2, 0, 1, 2}, {1, 1, 1, 1, 1, 1});

  // Users first: u2 goes, then i2 has one user left and goes; u0 stays with two items, though it would not pass a threshold of three now.
  TEST_CASE("one pass by hand, users first") {
    const kd::Dataset kept = kd::filter_active(dataset_of(three), {.min_items_per_user = 2, .min_users_per_item = 2});
    CHECK(keys(kept.users) == std::vector<std::string>{"u0", "u1"});
    CHECK(keys(kept.items) == std::vector<std::string>{"i0", "i1"});
    CHECK(kept.matrix == kd::CsrMatrix({2, 2}, {0, 2, 4}, {0, 1, 0, 1}, {1, 1, 1, 1}));
    const kd::Dataset users_alone = kd::filter_active(dataset_of(three), {.min_items_per_user = 2, .min_users_per_item = 0});
    CHECK(users_alone.matrix == kd::CsrMatrix({2, 3}, {0, 3, 5}, {0, 1, 2, 0, 1}, {1, 1, 1, 1, 1}));
  }

  TEST_CASE("until stable is the core: a user who fell below goes too") {
    // Items 0, 1 and 2 have three, two and one user. Without item 2 the last user has one item left.
    const kd::Dataset data =
        dataset_of(kd::CsrMatrix::from_triplets({3, 3}, std::vector<kd::Interaction>{{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 0}, {2, 2}}));
    const kd::ActivityFilter once{.min_items_per_user = 2, .min_users_per_item = 2};
    const kd::Dataset kept = kd::filter_active(data, once);
    CHECK(kept.matrix.rows() == 3);
    CHECK(kept.matrix.cols() == 2);
    kd::ActivityFilter stable = once;
    stable.passes = kd::ActivityFilter::Passes::until_stable;
    const kd::Dataset core = kd::filter_active(data, stable);
    CHECK(core.matrix.rows() == 2);
    CHECK(core.matrix.cols() == 2);
  }

  // User u has the items u and u + 1: item 0 has one user and goes, then user 0 has one item and goes, then item 1 ... one a pass, to the end.
  TEST_CASE("a chain in which everybody goes because of the one before takes a visit or two an entry, not a pass each") {
    const auto chain = [](kd::Index users) {
      std::vector<kd::Interaction> pairs;
      for (kd::Index u = 0; u < users; ++u)
        for (const kd::Index i : {u, u + 1}) pairs.push_back({u, i});
      return dataset_of(kd::CsrMatrix::from_triplets({users, users + 1}, pairs));
    };
    const kd::ActivityFilter core{.min_items_per_user = 2, .min_users_per_item = 2, .passes = kd::ActivityFilter::Passes::until_stable};
    for (const kd::Index users : {1, 2, 3, 10, 99}) CHECK(kd::filter_active(chain(users), core).matrix.nnz() == 0);
    const kd::Dataset data = chain(100'000);
    std::vector<char> user_kept(100'000, 1), item_kept(100'001, 1);
    CHECK(kd::detail::drop_until_stable(data, core, user_kept, item_kept) <= 2 * data.matrix.nnz());
    CHECK(std::count(user_kept.begin(), user_kept.end(), 1) == 0);
    CHECK(std::count(item_kept.begin(), item_kept.end(), 1) == 0);
    // Closed to a ring nobody goes.
    std::vector<kd::Interaction> pairs;
    for (kd::Index u = 0; u < 100'000; ++u)
      for (const kd::Index i : {u, u == 99'999 ? 0 : u + 1}) pairs.push_back({u, i});
    CHECK(kd::filter_active(dataset_of(kd::CsrMatrix::from_triplets({100'000, 100'000}, pairs)), core).matrix.nnz() == 200'000);
  }

  TEST_CASE("a user whose every item goes is dropped, one pass or not") {
    const kd::Dataset data = dataset_of(kd::CsrMatrix::from_triplets({3, 3}, std::vector<kd::Interaction>{{0, 0}, {1, 0}, {2, 1}, {2, 2}}));
    const kd::Dataset kept = kd::filter_active(data, {.min_items_per_user = 1, .min_users_per_item = 2});
    CHECK(kept.matrix.rows() == 2);
    CHECK(kept.matrix.cols() == 1);
    CHECK(kept.matrix.nnz() == 2);
  }

  TEST_CASE("random data agree with sets, for both counts and both ways") {
    bool differed = false;
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
      const kd::Dataset data = dataset_of(random_matrix(40, 30, 0.15, seed), seed);
      for (const auto count : {kd::ActivityFilter::Count::distinct_pairs, kd::ActivityFilter::Count::raw_rows}) {
        kd::Offset interactions[2] = {0, 0};
        for (const auto passes : {kd::ActivityFilter::Passes::once, kd::ActivityFilter::Passes::until_stable}) {
          const kd::ActivityFilter filter{.min_items_per_user = 5, .min_users_per_item = 6, .passes = passes, .count = count};
          const kd::Dataset kept = kd::filter_active(data, filter);
          const kindred_test::FilteredSets wanted = filter_by_sets(data, filter);
          CHECK_NOTHROW(kept.check());
          CHECK(sorted(keys(kept.users)) == std::vector<std::string>(wanted.users.begin(), wanted.users.end()));
          CHECK(sorted(keys(kept.items)) == std::vector<std::string>(wanted.items.begin(), wanted.items.end()));
          CHECK(pairs_of(kept, count) == wanted.pairs);
          interactions[passes == kd::ActivityFilter::Passes::once ? 0 : 1] = kept.matrix.nnz();
        }
        differed = differed || interactions[0] != interactions[1];
      }
    }
    CHECK(differed);  // else the data would not tell the two ways apart
  }

  TEST_CASE("raw rows count repeats of a pair, distinct pairs do not") {
    kd::Dataset data = dataset_of(kd::CsrMatrix({2, 2}, {0, 1, 3}, {0, 0, 1}, {1, 1, 1}));
    data.raw_rows = {5, 1, 1};
    const kd::ActivityFilter raw{.min_items_per_user = 3, .min_users_per_item = 1, .count = kd::ActivityFilter::Count::raw_rows};
    CHECK(keys(kd::filter_active(data, raw).users) == std::vector<std::string>{"u0"});
    const kd::ActivityFilter distinct{.min_items_per_user = 2, .min_users_per_item = 1};
    CHECK(keys(kd::filter_active(data, distinct).users) == std::vector<std::string>{"u1"});
    data.raw_rows.clear();  // none recorded: every interaction is one row
    CHECK(keys(kd::filter_active(data, {.min_items_per_user = 2, .min_users_per_item = 0, .count = kd::ActivityFilter::Count::raw_rows})
                   .users) == std::vector<std::string>{"u1"});
  }

  TEST_CASE("thresholds of zero keep everything, idle users and items too") {
    const kd::Dataset data = dataset_of(kd::CsrMatrix({3, 3}, {0, 1, 1, 1}, {0}, {1}));
    const kd::Dataset kept = kd::filter_active(data, {.min_items_per_user = 0, .min_users_per_item = 0});
    CHECK(kept.matrix == data.matrix);
    CHECK(keys(kd::drop_unused_items(data).items) == std::vector<std::string>{"i0"});
    CHECK(kd::drop_unused_items(data).matrix.rows() == 3);
  }

  TEST_CASE("the most active users, ties by key, in their present order") {
    // Users with 1, 3, 2, 2, 2 items, whose keys are not in the order of their indices.
    kd::Dataset data = dataset_of(kd::CsrMatrix({5, 4}, {0, 1, 4, 6, 8, 10}, {3, 0, 1, 2, 0, 1, 0, 1, 0, 1}, std::vector<float>(10, 1.0F)));
    data.users = kd::IdMap();
    for (const char* key : {"e", "d", "c", "a", "b"}) data.users.intern(key);
    const kd::Dataset kept = kd::keep_most_active_users(data, 3);
    CHECK(keys(kept.users) == std::vector<std::string>{"d", "a", "b"});
    CHECK(keys(kept.items) == std::vector<std::string>{"i0", "i1", "i2"});  // i3 lost its only user
    CHECK(kept.profiles[0].age == 21);

    data.raw_rows = {9, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    CHECK(keys(kd::keep_most_active_users(data, 1, kd::ActivityFilter::Count::raw_rows).users) == std::vector<std::string>{"e"});
    CHECK(kd::keep_most_active_users(data, 100).matrix.rows() == 5);
  }

  TEST_CASE("the most active users agree with a full sort") {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const kd::Dataset data = dataset_of(random_matrix(50, 30, 0.2, seed), seed);
      std::vector<std::pair<std::ptrdiff_t, std::string>> order;
      for (kd::Index u = 0; u < 50; ++u)
        order.emplace_back(-static_cast<std::ptrdiff_t>(data.matrix.row(u).size()), std::string(data.users.key(u)));
      std::sort(order.begin(), order.end());
      std::vector<std::string> wanted;
      for (std::size_t n = 0; n < 20; ++n) wanted.push_back(order[n].second);
      CHECK(sorted(keys(kd::keep_most_active_users(data, 20).users)) == sorted(wanted));
    }
  }

  TEST_CASE("what it refuses, and in which words") {
    kd::Dataset data = dataset_of(three);
    CHECK_THROWS_WITH_AS((void)kd::filter_active(data, {.min_items_per_user = -1}), "min_items_per_user is -1; it must be at least 0",
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::filter_active(data, {.min_users_per_item = -1}), "min_users_per_item is -1; it must be at least 0",
                         kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::keep_most_active_users(data, 0), "n_users is 0; it must be at least 1", kd::InvalidArgument);
    data.raw_rows.pop_back();
    CHECK_THROWS_AS((void)kd::filter_active(data), kd::ShapeError);
    CHECK_THROWS_AS((void)kd::keep_most_active_users(data, 1), kd::ShapeError);
    CHECK_THROWS_AS((void)kd::drop_unused_items(data), kd::ShapeError);
  }
}
