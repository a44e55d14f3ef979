// SPDX-License-Identifier: MIT
#include <kindred/distributed/team.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/models/popularity_recommender.hpp>

#include <kindred/distributed/communicator.hpp>
#include <kindred/models/streamed_recommend.hpp>

#include "../support/als_instances.hpp"
#include "../support/by_ranks.hpp"
#include "../support/random_matrix.hpp"
#include "../support/same_report.hpp"
#include "../support/streamed_matrix.hpp"
#include "../support/thread_communicator.hpp"

namespace kd = kindred;
using kindred_test::random_matrix;

TEST_SUITE("distributed/team_evaluate") {
  TEST_CASE("every rank has the report of one process") {
    const kd::CsrMatrix train = random_matrix(90, 40, 0.2, 5), test = random_matrix(90, 40, 0.1, 6);
    kd::ImplicitALS<float> als({.factors = 5, .iterations = 2, .units = kd::Units::paper});
    als.fit(train);
    kd::EvaluateOptions options{.cutoffs = {3, 10}, .keep_per_user = true};
    options.item_groups = kd::EvaluationGroups::by_popularity(train, 4);
    options.user_groups = kd::EvaluationGroups::by_activity(train, 3);
    const std::vector<kd::Index> few = {7};
    for (const bool subset : {false, true}) {
      if (subset) options.users = few;
      const kd::RankingReport wanted = kd::evaluate(als, train, test, options);
      for (const std::size_t ranks : {1u, 2u, 5u}) {
        std::atomic<std::size_t> same{0};
        kd::test::ThreadCommunicator::run(ranks, [&](kd::test::ThreadCommunicator& communicator) {
          const kindred_test::StreamedMatrix streamed(train, 11);
          same += kindred_test::same(kindred_test::evaluate_by_ranks(communicator, als, train, test, options), wanted) ? 1 : 0;
          same += kindred_test::same(kindred_test::evaluate_by_ranks(communicator, als, streamed, test, options), wanted) ? 1 : 0;
        });
        CHECK(same == 2 * ranks);
      }
    }
    kd::SerialCommunicator alone;
    CHECK(kindred_test::same(kindred_test::evaluate_by_ranks(alone, als, train, test, options), kd::evaluate(als, train, test, options)));
  }

  TEST_CASE("an error of one rank is one of all") {
    const kd::CsrMatrix train = random_matrix(50, 20, 0.3, 5), test = random_matrix(50, 20, 0.2, 6);
    struct Model {
      kd::MatrixShape size;
      bool bad;
      [[nodiscard]] kd::MatrixShape shape() const { return size; }
      [[nodiscard]] std::vector<kd::Scored> recommend(kd::Index, const kd::RecommendOptions&) const {
        if (bad) throw std::runtime_error("no list today");
        return {};
      }
    };
    std::vector<std::string> errors(3);
    kd::test::ThreadCommunicator::run(3, [&](kd::test::ThreadCommunicator& communicator) {
      try {
        (void)kindred_test::evaluate_by_ranks(communicator, Model{train.shape(), communicator.rank() == 1}, train, test);
      } catch (const std::exception& error) {
        errors[communicator.rank()] = error.what();
      }
    });
    CHECK(errors == std::vector<std::string>{"rank 1: no list today", "no list today", "rank 1: no list today"});
    kd::SerialCommunicator alone;
    const kd::EvaluateOptions told{.progress = [](const kd::Progress&) { return kd::ProgressAnswer::keep_going; }};
    CHECK_THROWS_AS((void)kindred_test::evaluate_by_ranks(alone, Model{train.shape(), false}, train, test, told), kd::InvalidArgument);
  }

  TEST_CASE("ranks that measure different things are told so, all of them") {
    const kd::CsrMatrix train = random_matrix(50, 30, 0.2, 5), test = random_matrix(50, 30, 0.1, 6);
    kd::PopularityRecommender model;
    model.fit(train);
    const auto errors_of = [&](auto&& change) {
      std::vector<std::string> errors(2);
      kd::test::ThreadCommunicator::run(2, [&](kd::test::ThreadCommunicator& communicator) {
        kd::EvaluateOptions options{.cutoffs = {5}, .execution = {.threads = 1}};
        if (communicator.rank() == 1) change(options);
        try {
          (void)kindred_test::evaluate_by_ranks(communicator, model, train, test, options);
        } catch (const kd::Error& error) {
          errors[communicator.rank()] = error.what();
        }
      });
      CHECK(errors[0].empty() == errors[1].empty());
      return errors[1];
    };
    CHECK(errors_of([](kd::EvaluateOptions& o) { o.cutoffs = {7}; }) == "'cutoffs' on rank 1 is another one; it must be what rank 0 has");
    CHECK(errors_of([](kd::EvaluateOptions& o) { o.seen = kd::EvaluateOptions::SeenItems::allowed; }).find("'seen'") == 0);
    CHECK(errors_of([](kd::EvaluateOptions& o) {
            o.item_groups = kd::EvaluationGroups{{"a"}, std::vector<kd::Index>(30, 0)};
          }).find("'item_groups'") == 0);
    CHECK(errors_of([](kd::EvaluateOptions& o) { o.execution.threads = 2; }) == "");
  }

  TEST_CASE("ranks make the lists of their own users") {
    const kd::CsrMatrix train = random_matrix(60, 30, 0.2, 5);
    kd::ImplicitALS<float> als({.factors = 5, .iterations = 2, .units = kd::Units::paper});
    als.fit(train);
    const kd::RankedLists wanted = als.recommend_all(kd::every_user, {.count = 4, .exclude = train});
    std::atomic<int> same{0};
    kd::test::ThreadCommunicator::run(4, [&](kd::test::ThreadCommunicator& communicator) {
      const auto first = static_cast<kd::Index>(15 * communicator.rank());
      kd::recommend_all(
          als, kd::rows_between(train, first, first + 15), {.count = 4}, [&](kd::Index user, std::span<const kd::Scored> list) {
            const std::span<const kd::Scored> all = wanted.row(static_cast<std::size_t>(user));
            same += user >= first && user < first + 15 && std::equal(list.begin(), list.end(), all.begin(), all.end()) ? 1 : 0;
          });
    });
    CHECK(same == 60);
  }
}
