// SPDX-License-Identifier: MIT
#include <kindred/distributed/communicator.hpp>

#include "../support/thread_communicator.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace kd = kindred;

TEST_SUITE("distributed/communicator") {
  TEST_CASE("threads as ranks: everybody gets the pieces, the sums and root's bytes") {
    for (const std::size_t ranks : {1u, 2u, 5u}) {
      std::atomic<std::size_t> right{0};
      kd::test::ThreadCommunicator::run(ranks, [&](kd::test::ThreadCommunicator& communicator) {
        // Rank r fills in r + 1 units of 4 bytes.
        std::vector<std::uint64_t> starts = {0};
        for (std::size_t r = 0; r < ranks; ++r) starts.push_back(starts.back() + r + 1);
        std::vector<std::int32_t> pieces(starts.back(), -1), wanted;
        for (std::size_t r = 0; r < ranks; ++r) wanted.insert(wanted.end(), r + 1, static_cast<std::int32_t>(r));
        const std::size_t own = communicator.rank();
        for (std::uint64_t n = starts[own]; n < starts[own + 1]; ++n) pieces[n] = static_cast<std::int32_t>(own);
        communicator.all_gather_v(std::as_writable_bytes(std::span(pieces)), starts, 4);
        const bool gathered = pieces == wanted && communicator.bytes_received() == 4 * (starts.back() - own - 1);

        std::vector<double> numbers = {1.0, static_cast<double>(own)};
        communicator.all_reduce(numbers);
        const auto n = static_cast<double>(ranks);
        const bool summed = numbers == std::vector<double>{n, n * (n - 1) / 2};

        std::vector<std::byte> bytes(3, static_cast<std::byte>(own));
        communicator.broadcast(bytes, ranks - 1);
        communicator.barrier();
        right +=
            gathered && summed && bytes == std::vector<std::byte>(3, static_cast<std::byte>(ranks - 1)) && communicator.size() == ranks;
      });
      CHECK(right == ranks);
    }
  }

  TEST_CASE("abort and a rank that leaves wake those who wait") {
    std::vector<std::string> errors(3);
    const auto run = [&](bool aborts) {
      kd::test::ThreadCommunicator::run(3, [&](kd::test::ThreadCommunicator& communicator) {
        try {
          if (communicator.rank() == 1) {
            if (aborts) communicator.abort("no more");
            throw kd::Error("gone");
          }
          communicator.barrier();
        } catch (const kd::Error& error) {
          errors[communicator.rank()] = error.what();
          if (communicator.rank() == 1 && !aborts) throw;
        }
      });
    };
    run(true);
    CHECK(errors == std::vector<std::string>(3, "rank 1: no more"));
    CHECK_THROWS_AS(run(false), kd::Error);
    CHECK(errors == std::vector<std::string>{"rank 1 has left", "gone", "rank 1 has left"});
  }

  TEST_CASE("a process by itself has everything already") {
    kd::SerialCommunicator alone;
    CHECK(alone.rank() == 0);
    CHECK(alone.size() == 1);
    std::vector<double> numbers = {2.5};
    const std::vector<std::uint64_t> starts = {0, 1};
    alone.all_gather_v(std::as_writable_bytes(std::span(numbers)), starts, 8);
    alone.all_reduce(numbers);
    alone.broadcast(std::as_writable_bytes(std::span(numbers)), 0);
    alone.barrier();
    CHECK(numbers == std::vector<double>{2.5});
    CHECK(alone.bytes_received() == 0);
    CHECK_THROWS_WITH_AS(alone.abort("no more"), "no more", kd::Error);
  }
}
