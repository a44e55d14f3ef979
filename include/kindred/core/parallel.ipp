// SPDX-License-Identifier: MIT
#pragma once

// The bodies of core/parallel.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <kindred/core/available_cpus.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/rounding.hpp>

namespace kindred::inline v0::detail {

KINDRED_ONCE ParallelOptions loop_of(const Execution& execution, std::size_t grain) {
  check_threads(execution.threads);
  return {.threads = execution.threads, .grain = grain, .executor = execution.executor};
}

KINDRED_ONCE std::size_t resolve_threads(std::size_t threads) {
  check_threads(threads);
  return threads != 0 ? threads : available_cpus();
}

KINDRED_ONCE std::size_t worker_count(std::size_t count, const ParallelOptions& options) {
  const std::size_t grain = (std::max)(std::size_t{1}, options.grain);
  const std::size_t pieces = count / grain + (count % grain != 0 ? 1 : 0);
  check_threads(options.threads);
  if (pieces <= 1) return 1;
  return (std::max)(std::size_t{1}, (std::min)(resolve_threads(options.threads), pieces));
}

using ExecutorTask = std::function<void(std::size_t)>;

/// The workers of one loop that an executor runs. The task keeps it alive, so that a call that comes too late finds the loop closed instead of a stack
/// frame that is gone.
class ExecutorLoop {
 public:
  explicit ExecutorLoop(std::size_t workers) : called_(workers) {}
  ExecutorLoop(const ExecutorLoop&) = delete;
  ExecutorLoop& operator=(const ExecutorLoop&) = delete;
  ~ExecutorLoop() = default;

  /// True if `worker` may run; then leave() must follow. A number is given once, since its storage has one user.
  [[nodiscard]] bool enter(std::size_t worker) noexcept {
    if (worker >= called_.size()) return false;
    const bool is_open = (state_.fetch_add(1) & closed) == 0;
    const bool is_first = !called_[worker].exchange(true);
    if (is_first) calls_.fetch_add(1);
    if (is_first && is_open) return true;
    leave();
    return false;
  }
  void leave() noexcept {
    state_.fetch_sub(1);
    state_.notify_all();
  }
  /// Lets no more workers in and waits for those that run.
  void close() noexcept {
    state_.fetch_or(closed);
    for (std::uint64_t state = state_.load(); state != closed; state = state_.load()) state_.wait(state);
  }

  /// Keeps the task of an executor that has returned until it was called for every worker: threads of its own may refer to it still. A task that is
  /// never called is never freed.
  void keep(std::unique_ptr<std::shared_ptr<const ExecutorTask>> task) noexcept {
    kept_.store(task.release());
    free_if_called();
  }
  void free_if_called() noexcept {
    if (calls_.load() == called_.size()) delete kept_.exchange(nullptr);
  }

 private:
  static constexpr std::uint64_t closed = std::uint64_t{1} << 63;

  std::atomic<std::uint64_t> state_{0};  // workers that run, and whether the loop is closed
  std::vector<std::atomic<bool>> called_;
  std::atomic<std::size_t> calls_{0};  // of different workers
  std::atomic<std::shared_ptr<const ExecutorTask>*> kept_{nullptr};
};

/// A loop on its way to an executor.
struct ExecutorRun {
  std::shared_ptr<ExecutorLoop> loop;
  std::shared_ptr<const ExecutorTask> task;
  std::unique_ptr<std::shared_ptr<const ExecutorTask>> kept;
};

/// A function of its own, so that a leak checker names it where an executor never calls what it was given.
[[nodiscard]] [[gnu::noinline]] inline ExecutorRun executor_run(std::size_t workers, const void* work,
                                                                void (*call)(const void* work, std::size_t worker)) {
  ExecutorRun run{std::make_shared<ExecutorLoop>(workers), nullptr, nullptr};
  run.task = std::make_shared<const ExecutorTask>([loop = run.loop, work, call](std::size_t worker) noexcept {
    std::shared_ptr<ExecutorLoop> own;
    own = loop;  // a copy, since the task may go as soon as all workers have left
    if (own->enter(worker)) {
      call(work, worker);
      own->leave();
    } else {
      own->free_if_called();
    }
  });
  run.kept = std::make_unique<std::shared_ptr<const ExecutorTask>>(run.task);
  return run;
}

/// Runs `work` on `executor`. However it returns, no worker runs afterwards. Throws what `executor` throws.
template <typename Work>
void run_on(const Executor& executor, std::size_t workers, const Work& work) {
  ExecutorRun run =
      executor_run(workers, &work, [](const void* called, std::size_t worker) { (*static_cast<const Work*>(called))(worker); });
  const auto close = [&] {
    run.loop->close();
    run.loop->keep(std::move(run.kept));
  };
  try {
    executor(workers, *run.task);
  } catch (...) {
    close();
    throw;
  }
  close();
}

KINDRED_ONCE void run_pieces(std::size_t count, const ParallelOptions& options, void* body,
                             void (*call)(void* body, std::size_t first, std::size_t last, std::size_t worker)) {
  const std::size_t grain = (std::max)(std::size_t{1}, options.grain);
  const std::size_t workers = worker_count(count, options);

  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;
  std::mutex error_mutex;
  const auto work = [&](std::size_t worker) noexcept {
    const RoundToNearest rounding;  // threads may come with another mode
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
    run_on(*options.executor, workers, work);
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

}  // namespace kindred::inline v0::detail
