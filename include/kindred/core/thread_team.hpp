// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/parallel.hpp>

namespace kindred::inline v0::detail {

/// Threads that live as long as one public call and run all of its loops, instead of being started and joined by each.
class ThreadTeam {
 public:
  /// Starts no thread yet. `given`: the caller's executor, which is then used instead, or null.
  explicit ThreadTeam(const Executor* given = nullptr)
      : own_([this](std::size_t workers, const std::function<void(std::size_t)>& task) { run(workers, task); }),
        executor_(given != nullptr && *given ? given : &own_) {}
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;
  ~ThreadTeam() {
    task_ = nullptr;
    wake();
    for (std::thread& thread : threads_) thread.join();
  }

  /// What the loops of the call run on.
  [[nodiscard]] const Executor* executor() const noexcept { return executor_; }

 private:
  /// Runs `task(worker)` for each worker: 0 on the calling thread, the others on threads of their own, or here where the system has no more threads.
  void run(std::size_t workers, const std::function<void(std::size_t)>& task) {
    if (running_.exchange(true)) {  // a loop within a loop
      for (std::size_t worker = 0; worker < workers; ++worker) task(worker);
      return;
    }
    try {
      while (threads_.size() + 1 < workers)
        threads_.emplace_back([this, worker = threads_.size() + 1, seen = round_.load()] { serve(worker, seen); });
    } catch (const std::exception&) {  // those that run do all the work
    }
    task_ = &task;
    workers_ = workers;
    left_ = threads_.size();
    wake();
    task(0);
    for (std::size_t worker = threads_.size() + 1; worker < workers; ++worker) task(worker);
    for (std::size_t left = left_.load(); left != 0; left = left_.load()) left_.wait(left);
    running_ = false;
  }

  void wake() noexcept {
    round_.fetch_add(1);
    round_.notify_all();
  }

  /// `seen`: the round before the first one to take part in.
  void serve(std::size_t worker, std::uint64_t seen) noexcept {
    for (;;) {
      round_.wait(seen);
      const std::uint64_t now = round_.load();
      if (now == seen) continue;
      seen = now;
      if (task_ == nullptr) return;
      if (worker < workers_) (*task_)(worker);
      if (left_.fetch_sub(1) == 1) left_.notify_all();
    }
  }

  Executor own_;
  const Executor* executor_;
  std::vector<std::thread> threads_;
  const std::function<void(std::size_t)>* task_ = nullptr;  // of the round; null ends the threads
  std::size_t workers_ = 0;
  std::atomic<std::uint64_t> round_{0};
  std::atomic<std::size_t> left_{0};  // threads that have not ended the round
  std::atomic<bool> running_{false};
};

}  // namespace kindred::inline v0::detail
