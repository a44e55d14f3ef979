// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>

namespace kindred::inline v0 {

/// Runs `task(worker)` once for each worker in [0, workers), at the same time if it can, and returns when all have returned. `task` does not throw.
/// A program with a thread pool of its own hands in one of these; without it Kindred starts threads for the call and joins them.
using Executor = std::function<void(std::size_t workers, const std::function<void(std::size_t worker)>& task)>;

/// How a parallel loop runs.
struct ParallelOptions {
  std::size_t threads = 0;             ///< 0: all hardware threads. 1 starts none.
  std::size_t grain = 1;               ///< Iterations dealt out at a time.
  const Executor* executor = nullptr;  ///< The caller's own threads, or none.
};

/// The number of threads that `threads` stands for: itself, or all hardware threads for 0.
[[nodiscard]] inline std::size_t resolve_threads(std::size_t threads) noexcept {
  return threads != 0 ? threads : (std::max)(std::size_t{1}, static_cast<std::size_t>(std::thread::hardware_concurrency()));
}

/// Workers that parallel_for uses for `count` iterations; worker numbers are below it, so it sizes per-worker storage.
[[nodiscard]] inline std::size_t worker_count(std::size_t count, const ParallelOptions& options) noexcept {
  const std::size_t grain = (std::max)(std::size_t{1}, options.grain);
  const std::size_t pieces = count / grain + (count % grain != 0 ? 1 : 0);
  return (std::max)(std::size_t{1}, (std::min)(resolve_threads(options.threads), pieces));
}

namespace detail {

/// parallel_for for any body: compiled once, however many loops a program has.
inline void run_pieces(std::size_t count, const ParallelOptions& options, void* body,
                       void (*call)(void* body, std::size_t first, std::size_t last, std::size_t worker)) {
  const std::size_t grain = (std::max)(std::size_t{1}, options.grain);
  const std::size_t workers = worker_count(count, options);

  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;
  std::mutex error_mutex;
  const auto work = [&](std::size_t worker) noexcept {
    try {
      while (!failed.load(std::memory_order_relaxed)) {
        const std::size_t first = next.fetch_add(1, std::memory_order_relaxed) * grain;
        if (first >= count) return;
        call(body, first, (std::min)(count, first + grain), worker);
      }
    } catch (...) {
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
      failed.store(true, std::memory_order_relaxed);
    }
  };

  if (workers == 1) {
    work(0);
  } else if (options.executor != nullptr && *options.executor) {
    (*options.executor)(workers, work);
  } else {
    std::vector<std::thread> threads;
    threads.reserve(workers - 1);
    try {
      for (std::size_t worker = 1; worker < workers; ++worker) threads.emplace_back(work, worker);
    } catch (const std::exception&) {  // The system has no more threads or memory: the ones that run take all the work.
    }
    work(0);
    for (std::thread& thread : threads) thread.join();
  }
  if (error) std::rethrow_exception(error);
  if (next.load(std::memory_order_relaxed) < count / grain + (count % grain != 0 ? 1 : 0))
    throw InvalidArgument("executor", "a function that left work undone", "one that runs its task for every worker");
}

}  // namespace detail

/// Calls `body(first, last, worker)` for consecutive pieces [first, last) of [0, count), in rising order of dealing, over several threads.
///
/// Pieces are `grain` long and start at multiples of `grain`, whatever the number of threads. Where threads cannot be started, those that could do the work.
/// An exception in a body stops the dealing and is rethrown here once every worker has stopped; of several, one is kept.
/// @throws InvalidArgument if the caller's executor returned without running the workers to their end.
template <typename Body>
void parallel_for(std::size_t count, const ParallelOptions& options, Body&& body) {
  if (count == 0) return;
  using Called = std::remove_reference_t<Body>;
  detail::run_pieces(
      count, options, const_cast<void*>(static_cast<const void*>(std::addressof(body))),
      [](void* called, std::size_t first, std::size_t last, std::size_t worker) { (*static_cast<Called*>(called))(first, last, worker); });
}

}  // namespace kindred::inline v0
