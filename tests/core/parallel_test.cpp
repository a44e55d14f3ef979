// SPDX-License-Identifier: MIT
#include <kindred/core/parallel.hpp>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <cstddef>
#include <functional>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace kd = kindred;

TEST_SUITE("core/parallel") {
  TEST_CASE("every index exactly once, in whole pieces, for any number of threads and any grain") {
    for (const std::size_t threads : {1u, 2u, 3u, 8u}) {
      for (const std::size_t grain : {0u, 1u, 3u, 7u, 64u, 1000u}) {
        for (const std::size_t count : {0u, 1u, 2u, 13u, 128u, 129u}) {
          const kd::detail::ParallelOptions options{.threads = threads, .grain = grain};
          const std::size_t workers = kd::detail::worker_count(count, options);
          std::vector<std::atomic<int>> visits(count);
          std::atomic<bool> well_formed{true};
          kd::detail::parallel_for(count, options, [&](std::size_t first, std::size_t last, std::size_t worker) {
            const std::size_t step = (std::max)(grain, std::size_t{1});
            if (first % step != 0 || last != (std::min)(count, first + step) || worker >= workers) well_formed = false;
            for (std::size_t n = first; n < last; ++n) ++visits[n];
          });
          CHECK(well_formed);
          CHECK(std::all_of(visits.begin(), visits.end(), [](const std::atomic<int>& v) { return v == 1; }));
        }
      }
    }
  }

  TEST_CASE("no more workers than pieces, and at least one") {
    CHECK(kd::detail::worker_count(100, {.threads = 8, .grain = 10}) == 8);
    CHECK(kd::detail::worker_count(100, {.threads = 8, .grain = 30}) == 4);
    CHECK(kd::detail::worker_count(100, {.threads = 8, .grain = 100}) == 1);
    CHECK(kd::detail::worker_count(0, {.threads = 8}) == 1);
    CHECK(kd::detail::worker_count(5, {.threads = 3, .grain = 0}) == 3);
    CHECK(kd::detail::resolve_threads(3) == 3);
    CHECK(kd::detail::resolve_threads(0) >= 1);
  }

  TEST_CASE("one thread is the calling thread, in rising order") {
    const std::thread::id caller = std::this_thread::get_id();
    std::vector<std::size_t> order;
    bool stayed = true;
    kd::detail::parallel_for(20, {.threads = 1, .grain = 3}, [&](std::size_t first, std::size_t, std::size_t worker) {
      order.push_back(first);
      stayed = stayed && std::this_thread::get_id() == caller && worker == 0;
    });
    CHECK(stayed);
    CHECK(order == std::vector<std::size_t>{0, 3, 6, 9, 12, 15, 18});
  }

  TEST_CASE("workers are distinct: storage of one worker needs no lock") {
    const kd::detail::ParallelOptions options{.threads = 4, .grain = 5};
    std::vector<std::size_t> sums(kd::detail::worker_count(10'000, options), 0);
    kd::detail::parallel_for(10'000, options, [&](std::size_t first, std::size_t last, std::size_t worker) {
      for (std::size_t n = first; n < last; ++n) sums[worker] += n;
    });
    std::size_t total = 0;
    for (const std::size_t sum : sums) total += sum;
    CHECK(total == 10'000u * 9'999u / 2);
  }

  TEST_CASE("an exception stops the loop and comes out as it went in") {
    for (const std::size_t threads : {1u, 2u, 3u, 8u}) {
      std::atomic<std::size_t> calls{0};
      const auto run = [&] {
        kd::detail::parallel_for(100'000, {.threads = threads}, [&](std::size_t first, std::size_t, std::size_t) {
          ++calls;
          if (first == 7) throw std::out_of_range("seven");
        });
      };
      CHECK_THROWS_WITH_AS(run(), "seven", std::out_of_range);
      if (threads == 1) CHECK(calls == 8);
      CHECK(calls <= 100'000);
    }
    const auto all_fail = [] {
      kd::detail::parallel_for(50, {.threads = 8}, [](std::size_t, std::size_t, std::size_t) { throw kd::ShapeError("each"); });
    };
    CHECK_THROWS_AS(all_fail(), kd::ShapeError);
  }

  TEST_CASE("the caller's executor does the work, on its own threads or in turn") {
    std::vector<std::size_t> asked;
    const kd::Executor in_turn = [&](std::size_t workers, const std::function<void(std::size_t)>& task) {
      asked.push_back(workers);
      for (std::size_t worker = workers; worker-- > 0;) task(worker);
    };
    std::vector<int> visits(100, 0);
    const kd::detail::ParallelOptions options{.threads = 4, .grain = 7, .executor = &in_turn};
    kd::detail::parallel_for(100, options, [&](std::size_t first, std::size_t last, std::size_t) {
      for (std::size_t n = first; n < last; ++n) ++visits[n];
    });
    CHECK(asked == std::vector<std::size_t>{4});
    CHECK(visits == std::vector<int>(100, 1));

    const auto fail = [&] {
      kd::detail::parallel_for(100, options, [](std::size_t first, std::size_t, std::size_t) {
        if (first == 14) throw std::runtime_error("in the executor");
      });
    };
    CHECK_THROWS_WITH_AS(fail(), "in the executor", std::runtime_error);

    // One worker needs nobody else, and an empty function is none.
    asked.clear();
    kd::detail::parallel_for(5, {.threads = 1, .executor = &in_turn}, [](std::size_t, std::size_t, std::size_t) {});
    CHECK(asked.empty());
    const kd::Executor empty;
    std::atomic<int> calls{0};
    kd::detail::parallel_for(5, {.threads = 2, .executor = &empty}, [&](std::size_t, std::size_t, std::size_t) { ++calls; });
    CHECK(calls == 5);
  }

  TEST_CASE("an executor that does nothing is an error, not a result") {
    const kd::Executor lazy = [](std::size_t, const std::function<void(std::size_t)>&) {};
    const auto run = [&] { kd::detail::parallel_for(10, {.threads = 2, .executor = &lazy}, [](std::size_t, std::size_t, std::size_t) {}); };
    CHECK_THROWS_WITH_AS(run(), "executor is a function that left work undone; it must be one that runs its task for every worker",
                         kd::InvalidArgument);
    // One that runs a single worker has that one do everything.
    const kd::Executor lonely = [](std::size_t, const std::function<void(std::size_t)>& task) { task(1); };
    int calls = 0;
    kd::detail::parallel_for(10, {.threads = 2, .executor = &lonely}, [&](std::size_t, std::size_t, std::size_t) { ++calls; });
    CHECK(calls == 10);
  }

  // The tasks of this executor run on threads of their own, which it does not wait for.
  TEST_CASE("an executor that returns early: workers that run are waited for, others find the loop closed") {
    std::vector<std::thread> threads;
    std::vector<std::function<void()>> late;
    std::atomic<bool> go{false};
    for (const bool starts : {true, false}) {
      const kd::Executor early = [&](std::size_t workers, const std::function<void(std::size_t)>& task) {
        for (std::size_t worker = 0; worker < workers; ++worker) {
          if (!starts) {
            late.emplace_back([task, worker] { task(worker); });
            continue;
          }
          threads.emplace_back([task, worker] { task(worker); });
        }
        while (starts && !go.load()) std::this_thread::yield();  // until a body runs
      };
      std::atomic<int> inside{0}, done{0};
      go = false;
      const auto run = [&] {
        kd::detail::parallel_for(64, {.threads = 4, .executor = &early}, [&](std::size_t, std::size_t, std::size_t) {
          ++inside;
          go = true;
          for (int n = 0; n < 1000; ++n) std::this_thread::yield();
          --inside;
          ++done;
        });
      };
      if (starts) {
        run();
        CHECK(done == 64);
      } else {
        CHECK_THROWS_AS(run(), kd::InvalidArgument);
        CHECK(done == 0);
      }
      CHECK(inside == 0);
    }
    for (const std::function<void()>& task : late) task();  // after the loop is gone
    for (std::thread& thread : threads) thread.join();
  }

  TEST_CASE("an executor that keeps a reference to its task and calls it later finds the loop closed") {
    const std::function<void(std::size_t)>* late = nullptr;
    int calls = 0;
    const auto loop = [&](const kd::Executor& executor) {
      kd::detail::parallel_for(8, {.threads = 4, .executor = &executor}, [&](std::size_t, std::size_t, std::size_t) { ++calls; });
    };
    CHECK_THROWS_AS(loop([&](std::size_t, const std::function<void(std::size_t)>& task) { late = &task; }), kd::InvalidArgument);
    for (std::size_t worker = 0; worker < 4; ++worker) (*late)(worker);
    CHECK(calls == 0);
    loop([&](std::size_t, const std::function<void(std::size_t)>& task) {
      late = &task;
      task(2);
    });
    CHECK(calls == 8);
    for (std::size_t worker = 0; worker < 4; ++worker) (*late)(worker);
    CHECK(calls == 8);
  }

  TEST_CASE("an executor that throws: its exception comes out, and no worker runs afterwards") {
    std::vector<std::thread> threads;
    std::atomic<bool> go{false};
    const kd::Executor throwing = [&](std::size_t workers, const std::function<void(std::size_t)>& task) {
      for (std::size_t worker = 0; worker < workers; ++worker) threads.emplace_back([task, worker] { task(worker); });
      while (!go.load()) std::this_thread::yield();
      throw std::runtime_error("no more threads");
    };
    std::atomic<int> inside{0};
    const auto run = [&] {
      kd::detail::parallel_for(64, {.threads = 4, .executor = &throwing}, [&](std::size_t, std::size_t, std::size_t) {
        ++inside;
        go = true;
        for (int n = 0; n < 1000; ++n) std::this_thread::yield();
        --inside;
      });
    };
    CHECK_THROWS_WITH_AS(run(), "no more threads", std::runtime_error);
    CHECK(inside == 0);
    for (std::thread& thread : threads) thread.join();
  }

  TEST_CASE("a worker's number is given once and is below their number, so that storage of a worker has one user") {
    const kd::Executor sloppy = [](std::size_t workers, const std::function<void(std::size_t)>& task) {
      task(workers);  // there is none of that number
      task(workers + 1000);
      for (int times = 0; times < 2; ++times)
        for (std::size_t worker = 0; worker < workers; ++worker) task(worker);
    };
    std::vector<int> visits(40, 0);
    kd::detail::parallel_for(40, {.threads = 4, .executor = &sloppy}, [&](std::size_t first, std::size_t, std::size_t worker) {
      CHECK(worker < 4);
      ++visits[first];
    });
    CHECK(visits == std::vector<int>(40, 1));
  }

  TEST_CASE("more than 4,096 threads are a mistake") {
    CHECK(kd::detail::resolve_threads(4096) == 4096);
    CHECK_THROWS_WITH_AS((void)kd::detail::resolve_threads(4097), "threads is 4097; it must be at most 4096; 0 takes all hardware threads",
                         kd::InvalidArgument);
    CHECK_THROWS_AS(kd::detail::parallel_for(10, {.threads = static_cast<std::size_t>(-1)}, [](std::size_t, std::size_t, std::size_t) {}),
                    kd::InvalidArgument);
  }

  TEST_CASE("bodies run in rounding mode to nearest, and the mode of the thread comes back") {
    for (const std::size_t threads : {1u, 3u}) {
      std::fesetround(FE_UPWARD);
      std::atomic<int> others{0};
      kd::detail::parallel_for(30, {.threads = threads}, [&](std::size_t, std::size_t, std::size_t) {
        if (std::fegetround() != FE_TONEAREST) ++others;
      });
      const int after = std::fegetround();
      std::fesetround(FE_TONEAREST);
      CHECK(after == FE_UPWARD);
      CHECK(others == 0);
    }
  }

  TEST_CASE("loops nest") {
    std::atomic<int> calls{0};
    kd::detail::parallel_for(4, {.threads = 2}, [&](std::size_t, std::size_t, std::size_t) {
      kd::detail::parallel_for(5, {.threads = 2}, [&](std::size_t, std::size_t, std::size_t) { ++calls; });
    });
    CHECK(calls == 20);
  }
}
