// SPDX-License-Identifier: MIT
#include <kindred/distributed/team.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "../support/thread_communicator.hpp"

namespace kd = kindred;
using kd::test::ThreadCommunicator;

namespace {

/// What each rank of three throws in `body(team)`, or "".
template <typename Body>
std::vector<std::string> errors_of(Body&& body) {
  std::vector<std::string> errors(3);
  ThreadCommunicator::run(3, [&](ThreadCommunicator& communicator) {
    const kd::CommunicatorTeam team(communicator);
    try {
      body(team);
    } catch (const std::exception& error) {
      errors[team.rank()] = error.what();
    }
  });
  return errors;
}

}  // namespace

TEST_SUITE("distributed/team") {
  TEST_CASE("shares, gathers, sums, and the answer of rank 0") {
    for (const std::size_t ranks : {1u, 2u, 5u}) {
      std::atomic<std::size_t> right{0};
      ThreadCommunicator::run(ranks, [&](ThreadCommunicator& communicator) {
        const kd::CommunicatorTeam team(communicator);
        const std::vector<std::uint64_t> shares = team.even_shares(7);
        std::vector<std::int16_t> numbers(7, -1);
        for (std::uint64_t n = shares[team.rank()]; n < shares[team.rank() + 1]; ++n) numbers[n] = static_cast<std::int16_t>(n);
        team.gather(std::as_writable_bytes(std::span(numbers)), shares, sizeof(std::int16_t));
        std::vector<double> sums = {1.0, static_cast<double>(team.rank())};
        team.sum(sums);
        const auto n = static_cast<double>(ranks);
        std::vector<double> all;
        for (std::size_t r = 0; r < ranks; ++r) all.push_back(static_cast<double>(10 * r));
        const std::size_t asked = team.answer_of_first<std::size_t>([&] { return 3 + team.rank(); });
        right += numbers == std::vector<std::int16_t>{0, 1, 2, 3, 4, 5, 6} && sums == std::vector<double>{n, n * (n - 1) / 2} &&
                 team.all_of(static_cast<double>(10 * team.rank())) == all && asked == 3;
      });
      CHECK(right == ranks);
    }
  }

  TEST_CASE("an error of one rank is one of all, wherever the others are") {
    const std::vector<std::string> wanted = {"rank 1: no luck", "no luck", "rank 1: no luck"};
    const auto fail = [](std::size_t rank) {
      if (rank == 1) throw std::runtime_error("no luck");
    };
    CHECK(errors_of([&](const kd::CommunicatorTeam<ThreadCommunicator>& team) { team.on([&] { fail(team.rank()); }); }) == wanted);
    // Before a sum that the others wait in, and at the end of the work.
    CHECK(errors_of([&](const kd::CommunicatorTeam<ThreadCommunicator>& team) {
            team.together([&] {
              fail(team.rank());
              (void)team.all_of(1.0);
            });
          }) == wanted);
    CHECK(errors_of([&](const kd::CommunicatorTeam<ThreadCommunicator>& team) {
            team.together([&] {
              (void)team.all_of(1.0);
              fail(team.rank());
            });
          }) == wanted);
    // Within another agreement; and after an error that was caught.
    CHECK(errors_of([&](const kd::CommunicatorTeam<ThreadCommunicator>& team) {
            team.together([&] { team.together([&] { fail(team.rank()); }); });
          }) == wanted);
    CHECK(errors_of([&](const kd::CommunicatorTeam<ThreadCommunicator>& team) {
            team.together([&] {
              try {
                team.together([&] { fail(team.rank()); });
              } catch (const std::exception&) {
              }
              (void)team.all_of(1.0);
              fail(team.rank());
            });
          }) == wanted);
  }

  TEST_CASE("a network that fails where ranks agree ends the job") {
    struct Broken : kd::SerialCommunicator {
      std::string aborted;
      void all_reduce(std::span<double>) { throw kd::Error("no network"); }
      [[noreturn]] void abort(std::string_view why) {
        aborted = why;
        throw kd::Error("aborted");
      }
    };
    Broken broken;
    const kd::CommunicatorTeam team(broken);
    CHECK_THROWS_WITH_AS(team.together([] { throw std::runtime_error("no luck"); }), "aborted", kd::Error);
    CHECK(broken.aborted == "no luck");
  }

  TEST_CASE("a digest that differs is named on all ranks, the first difference first") {
    const auto errors = errors_of([](const kd::CommunicatorTeam<ThreadCommunicator>& team) {
      kd::detail::Digest digest;
      digest.add("factors", 3);
      digest.add("alpha", team.rank() == 2 ? 2.0 : 1.0);
      digest.add("seed", team.rank() == 0 ? 2 : 1);
      team.agree(digest);
    });
    CHECK(errors == std::vector<std::string>(3, "'seed' on rank 1 is another one; it must be what rank 0 has"));
    CHECK(errors_of([](const kd::CommunicatorTeam<ThreadCommunicator>& team) {
            kd::detail::Digest digest;
            digest.add("factors", 3);
            team.agree(digest);
          }) == std::vector<std::string>(3));
  }
}
