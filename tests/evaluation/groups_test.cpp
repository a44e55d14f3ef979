// SPDX-License-Identifier: MIT
#include <kindred/evaluation/groups.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../support/random_matrix.hpp"

namespace kd = kindred;
using Labels = std::vector<kd::Index>;
using Names = std::vector<std::string>;

TEST_SUITE("evaluation/groups") {
  // Users with 3 1 0 2 1 items, in two groups: by rising count 1 4 | 3 0.
  TEST_CASE("users by activity, by hand") {
    const kd::CsrMatrix train({5, 4}, {0, 3, 4, 4, 6, 7}, {0, 1, 2, 0, 0, 1, 0}, {1, 1, 1, 1, 1, 1, 1});
    const kd::EvaluationGroups two = kd::EvaluationGroups::by_activity(train, 2);
    CHECK(two.names == Names{"1 items", "2 to 3 items"});
    CHECK(two.labels == Labels{1, 0, -1, 1, 0});
    const kd::EvaluationGroups one = kd::EvaluationGroups::by_activity(train, 1);
    CHECK(one.names == Names{"1 to 3 items"});
    CHECK(one.labels == Labels{0, 0, -1, 0, 0});
  }

  // Items with 4 2 1 0 users, in two groups of at most one apart: 2 | 1 0.
  TEST_CASE("items by popularity, by hand") {
    const kd::CsrMatrix train({5, 4}, {0, 3, 4, 4, 6, 7}, {0, 1, 2, 0, 0, 1, 0}, {1, 1, 1, 1, 1, 1, 1});
    const kd::EvaluationGroups groups = kd::EvaluationGroups::by_popularity(train, 2);
    CHECK(groups.names == Names{"1 users", "2 to 4 users"});
    CHECK(groups.labels == Labels{1, 1, 0, -1});
  }

  // Items have 4 2 1 0 users; users have items of mean popularity 7/3, 4, none, 3, 4.
  TEST_CASE("users by how mainstream their items are, by hand") {
    const kd::CsrMatrix train({5, 4}, {0, 3, 4, 4, 6, 7}, {0, 1, 2, 0, 0, 1, 0}, {1, 1, 1, 1, 1, 1, 1});
    const kd::EvaluationGroups groups = kd::EvaluationGroups::by_mainstreamness(train, 2);
    CHECK(groups.names == Names{"2 to 3 users an item", "4 users an item"});
    CHECK(groups.labels == Labels{0, 1, -1, 0, 1});
  }

  TEST_CASE("by any count, by hand: ties by the lower index, none for a count of 0") {
    const kd::EvaluationGroups groups = kd::EvaluationGroups::by_count(std::vector<kd::Index>{7, 0, 3, 7, 3, 9}, 2, "plays");
    CHECK(groups.names == Names{"3 plays", "7 to 9 plays"});
    CHECK(groups.labels == Labels{1, -1, 0, 1, 0, 1});
    CHECK_THROWS_AS((void)kd::EvaluationGroups::by_count({}, 0, "plays"), kd::InvalidArgument);
  }

  TEST_CASE("more groups than users leaves some empty, and says so") {
    const kd::CsrMatrix train({2, 2}, {0, 1, 3}, {0, 0, 1}, {1, 1, 1});
    const kd::EvaluationGroups groups = kd::EvaluationGroups::by_activity(train, 4);
    CHECK(std::count(groups.names.begin(), groups.names.end(), "empty") == 2);
    for (const kd::Index label : groups.labels) {
      REQUIRE(label >= 0);
      CHECK(groups.names[static_cast<std::size_t>(label)] != "empty");
    }
    CHECK(kd::EvaluationGroups::by_activity(kd::CsrMatrix(), 2).labels.empty());
  }

  TEST_CASE("groups are of equal size up to one, and rise") {
    const kd::CsrMatrix train = kindred_test::random_matrix(103, 60, 0.1, 3);
    const std::vector<kd::Index> counts = kd::row_counts(train);
    for (const std::size_t n : {1u, 2u, 4u, 7u, 10u}) {
      const kd::EvaluationGroups groups = kd::EvaluationGroups::by_activity(train, n);
      REQUIRE(groups.names.size() == n);
      REQUIRE(groups.labels.size() == 103);
      std::vector<kd::Index> sizes(n, 0), low(n, 1000), high(n, 0);
      for (std::size_t u = 0; u < counts.size(); ++u) {
        CHECK((groups.labels[u] == -1) == (counts[u] == 0));
        if (groups.labels[u] < 0) continue;
        const auto label = static_cast<std::size_t>(groups.labels[u]);
        ++sizes[label];
        low[label] = (std::min)(low[label], counts[u]);
        high[label] = (std::max)(high[label], counts[u]);
      }
      CHECK(*std::max_element(sizes.begin(), sizes.end()) - *std::min_element(sizes.begin(), sizes.end()) <= 1);
      for (std::size_t label = 1; label < n; ++label) CHECK(low[label] >= high[label - 1]);
    }
  }

  // Stored zeros are no interactions.
  TEST_CASE("stored zeros do not count") {
    const kd::CsrMatrix train({3, 2}, {0, 2, 3, 4}, {0, 1, 0, 1}, {1, 0, 0, 2});
    CHECK(kd::EvaluationGroups::by_activity(train, 1).names == Names{"1 items"});
    CHECK(kd::EvaluationGroups::by_activity(train, 1).labels == Labels{0, -1, 0});
    CHECK(kd::EvaluationGroups::by_popularity(train, 1).names == Names{"1 users"});
  }

  TEST_CASE("countries: most frequent first, ties in byte order, others in none") {
    std::vector<kd::UserProfile> profiles(8);
    const Names countries{"Chile", "", "Norway", "Chile", "Brazil", "Norway", "Chile", "Austria"};
    for (std::size_t n = 0; n < profiles.size(); ++n) profiles[n].country = countries[n];
    const kd::EvaluationGroups groups = kd::EvaluationGroups::by_country(profiles, 3);
    CHECK(groups.names == Names{"Chile", "Norway", "Austria"});
    CHECK(groups.labels == Labels{0, -1, 1, 0, -1, 1, 0, 2});
    CHECK(kd::EvaluationGroups::by_country(profiles, 100).names.size() == 4);
    CHECK(kd::EvaluationGroups::by_country({}, 3).names.empty());
  }

  TEST_CASE("no groups are an error") {
    const kd::CsrMatrix train({1, 1}, {0, 1}, {0}, {1});
    CHECK_THROWS_WITH_AS((void)kd::EvaluationGroups::by_activity(train, 0), "n_groups is 0; it must be at least 1", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::EvaluationGroups::by_popularity(train, 0), "n_groups is 0; it must be at least 1", kd::InvalidArgument);
    CHECK_THROWS_WITH_AS((void)kd::EvaluationGroups::by_country({}, 0), "n_countries is 0; it must be at least 1", kd::InvalidArgument);
  }
}
