// SPDX-License-Identifier: MIT
#include <kindred/core/thread_team.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

namespace kd = kindred;

TEST_SUITE("core/thread_team") {
  TEST_CASE("many loops, of different sizes, each index once") {
    kd::detail::ThreadTeam team;
    for (std::size_t loop = 0; loop < 2000; ++loop) {
      const std::size_t count = loop % 97, threads = 1 + loop % 5;
      std::vector<std::atomic<int>> visits(count);
      kd::detail::parallel_for(count, {.threads = threads, .grain = 3, .executor = team.executor()},
                               [&](std::size_t first, std::size_t last, std::size_t) {
                                 for (std::size_t n = first; n < last; ++n) ++visits[n];
                               });
      int wrong = 0;
      for (const std::atomic<int>& visit : visits) wrong += visit == 1 ? 0 : 1;
      REQUIRE(wrong == 0);
    }
  }

  TEST_CASE("the threads are the same from loop to loop") {
    kd::detail::ThreadTeam team;
    std::set<std::thread::id> seen;
    std::mutex mutex;
    for (int loop = 0; loop < 50; ++loop)
      kd::detail::parallel_for(64, {.threads = 3, .executor = team.executor()}, [&](std::size_t, std::size_t, std::size_t) {
        const std::lock_guard lock(mutex);
        seen.insert(std::this_thread::get_id());
      });
    CHECK(seen.size() <= 3);
    CHECK(seen.count(std::this_thread::get_id()) == 1);
  }

  TEST_CASE("loops nest, and exceptions come out") {
    kd::detail::ThreadTeam team;
    std::atomic<int> calls{0};
    kd::detail::parallel_for(4, {.threads = 2, .executor = team.executor()}, [&](std::size_t, std::size_t, std::size_t) {
      kd::detail::parallel_for(5, {.threads = 2, .executor = team.executor()}, [&](std::size_t, std::size_t, std::size_t) { ++calls; });
    });
    CHECK(calls == 20);
    const auto fail = [&] {
      kd::detail::parallel_for(100, {.threads = 3, .executor = team.executor()}, [](std::size_t first, std::size_t, std::size_t) {
        if (first == 40) throw std::runtime_error("forty");
      });
    };
    CHECK_THROWS_WITH_AS(fail(), "forty", std::runtime_error);
    kd::detail::parallel_for(10, {.threads = 3, .executor = team.executor()}, [&](std::size_t, std::size_t, std::size_t) { ++calls; });
    CHECK(calls == 30);
  }

  TEST_CASE("the caller's executor is used instead") {
    int asked = 0;
    const kd::Executor own = [&](std::size_t workers, const std::function<void(std::size_t)>& task) {
      ++asked;
      for (std::size_t worker = 0; worker < workers; ++worker) task(worker);
    };
    const kd::detail::ThreadTeam team(&own);
    kd::detail::parallel_for(10, {.threads = 2, .executor = team.executor()}, [](std::size_t, std::size_t, std::size_t) {});
    CHECK(asked == 1);
    const kd::Executor empty;
    const kd::detail::ThreadTeam without(&empty);
    int calls = 0;
    kd::detail::parallel_for(1, {.threads = 1, .executor = without.executor()}, [&](std::size_t, std::size_t, std::size_t) { ++calls; });
    CHECK(calls == 1);
  }
}
