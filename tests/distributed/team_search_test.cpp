// SPDX-License-Identifier: MIT
#include <kindred/distributed/team.hpp>

#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <kindred/distributed/communicator.hpp>

#include "../support/als_instances.hpp"
#include "../support/by_ranks.hpp"
#include "../support/random_matrix.hpp"
#include "../support/thread_communicator.hpp"

namespace kd = kindred;
using kindred_test::random_matrix;

namespace {

const kd::CsrMatrix train = random_matrix(70, 40, 0.2, 5), validation = random_matrix(70, 40, 0.1, 6);

kd::RandomSearchOptions small_search() {
  kd::RandomSearchOptions options;
  options.trials = 6;
  options.cutoff = 5;
  options.users = 30;
  options.execution.threads = 1;
  return options;
}

/// Everything but seconds and the words of errors.
bool same(const kd::SearchResult& a, const kd::SearchResult& b) {
  if (a.trials.size() != b.trials.size() || a.best != b.best || a.users != b.users) return false;
  for (std::size_t t = 0; t < a.trials.size(); ++t) {
    const kd::SearchTrial &x = a.trials[t], &y = b.trials[t];
    if (x.setting != y.setting || x.failed() != y.failed() || x.metric.mean != y.metric.mean || x.behind_best.mean != y.behind_best.mean ||
        x.behind_best.standard_error != y.behind_best.standard_error || x.tied != y.tied || x.final_loss != y.final_loss)
      return false;
  }
  return true;
}

}  // namespace

TEST_SUITE("distributed/team_search") {
  const kd::SearchSpace space = {
      {"factors", kd::SearchChoices{2, 5}}, {"regularization", kd::SearchChoices{-1.0, 0.1, 1.0}}, {"iterations", kd::SearchChoices{1, 3}}};

  TEST_CASE("every rank finds what one process finds") {
    const kd::SearchResult wanted = kd::random_search(train, validation, space, small_search());
    REQUIRE(wanted.best.has_value());
    for (const std::size_t ranks : {1u, 2u, 5u}) {
      std::atomic<std::size_t> found{0};
      kd::test::ThreadCommunicator::run(ranks, [&](kd::test::ThreadCommunicator& communicator) {
        found += same(kindred_test::search_by_ranks(communicator, train, validation, space, small_search()), wanted) ? 1 : 0;
      });
      CHECK(found == ranks);
    }
    kd::SerialCommunicator alone;
    CHECK(same(kindred_test::search_by_ranks(alone, train, validation, space, small_search()), wanted));
  }

  TEST_CASE("ranks that search for different things are told so, all of them") {
    const auto errors_of = [&](auto&& change) {
      std::vector<std::string> errors(2);
      kd::test::ThreadCommunicator::run(2, [&](kd::test::ThreadCommunicator& communicator) {
        kd::RandomSearchOptions options = small_search();
        kd::SearchSpace own = space;
        if (communicator.rank() == 1) change(options, own);
        try {
          (void)kindred_test::search_by_ranks(communicator, train, validation, own, options);
        } catch (const kd::Error& error) {
          errors[communicator.rank()] = error.what();
        }
      });
      CHECK(errors[0].empty() == errors[1].empty());
      return errors[1];
    };
    CHECK(errors_of([](kd::RandomSearchOptions& o, kd::SearchSpace&) { o.seed = 7; }) ==
          "'seed of the search' on rank 1 is another one; it must be what rank 0 has");
    CHECK(errors_of([](kd::RandomSearchOptions& o, kd::SearchSpace&) { o.base.confidence.alpha = 7; }).find("'confidence.alpha'") == 0);
    CHECK(errors_of([](kd::RandomSearchOptions& o, kd::SearchSpace&) { o.trials = 2; }).find("'trials'") == 0);
    CHECK(errors_of([](kd::RandomSearchOptions&, kd::SearchSpace& s) { s[0].values = kd::SearchChoices{2, 6}; }).find("'space'") == 0);
    CHECK(errors_of([](kd::RandomSearchOptions&, kd::SearchSpace& s) { s.pop_back(); }).find("'space'") == 0);
    CHECK(errors_of([](kd::RandomSearchOptions&, kd::SearchSpace&) {}) == "");
  }

  TEST_CASE("a trial that fails on one rank fails on all, and the search goes on") {
    kd::RandomSearchOptions options = small_search();
    options.base.factors = 80;  // more than users: some of the systems are singular
    const kd::SearchSpace half_singular = {{"regularization", kd::SearchChoices{0.0, 0.5}}};
    const kd::SearchResult wanted = kd::random_search(train, validation, half_singular, options);
    std::atomic<int> found{0};
    kd::test::ThreadCommunicator::run(3, [&](kd::test::ThreadCommunicator& communicator) {
      const kd::SearchResult result = kindred_test::search_by_ranks(communicator, train, validation, half_singular, options);
      for (const kd::SearchTrial& trial : result.trials)
        found += trial.failed() && trial.error.find("singular") != std::string::npos ? 1 : 0;
      found += same(result, wanted) ? 100 : 0;
    });
    CHECK(found == 303);
  }

  TEST_CASE("rank 0 is asked for all: between trials and between iterations") {
    for (const bool within_fit : {false, true}) {
      std::atomic<int> asked_elsewhere{0};
      const auto options_of = [&](std::size_t rank, std::size_t at, kd::ProgressAnswer answer, bool throws) {
        kd::RandomSearchOptions options = small_search();
        (within_fit ? options.fit_progress : options.progress) = [=, &asked_elsewhere, told = std::size_t{0}](const kd::Progress&) mutable {
          if (rank != 0) ++asked_elsewhere;
          if (++told != at) return kd::ProgressAnswer::keep_going;
          if (throws) throw std::runtime_error("enough");
          return answer;
        };
        return options;
      };
      const kd::SearchResult wanted =
          kd::random_search(train, validation, space, options_of(0, 4, kd::ProgressAnswer::stop_and_keep, false));
      CHECK(wanted.trials.size() < 6);
      std::atomic<int> kept{0}, cancelled{0}, thrown{0};
      kd::test::ThreadCommunicator::run(3, [&](kd::test::ThreadCommunicator& communicator) {
        const std::size_t rank = communicator.rank();
        const auto search = [&](kd::ProgressAnswer answer, bool throws) {
          return kindred_test::search_by_ranks(communicator, train, validation, space, options_of(rank, 4, answer, throws));
        };
        kept += same(search(kd::ProgressAnswer::stop_and_keep, false), wanted) ? 1 : 0;
        try {
          (void)search(kd::ProgressAnswer::cancel, false);
        } catch (const kd::Error&) {
          ++cancelled;
        }
        try {
          (void)search(kd::ProgressAnswer::keep_going, true);
        } catch (const std::exception& error) {
          thrown += std::string(error.what()).find("enough") != std::string::npos ? 1 : 0;
        }
      });
      CHECK(kept == 3);
      CHECK(cancelled == 3);
      CHECK(thrown == 3);
      CHECK(asked_elsewhere == 0);
    }
  }
}
