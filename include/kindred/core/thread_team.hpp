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
  explicit ThreadTeam(const Executor* given = nullptr);
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;
  ~ThreadTeam();

  /// What the loops of the call run on.
  [[nodiscard]] const Executor* executor() const noexcept { return executor_; }

 private:
  /// Runs `task(worker)` for each worker: 0 on the calling thread, the others on threads of their own, or here where the system has no more threads.
  void run(std::size_t workers, const std::function<void(std::size_t)>& task);

  void wake() noexcept;

  /// `seen`: the round before the first one to take part in.
  void serve(std::size_t worker, std::uint64_t seen) noexcept;

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

#if !defined(KINDRED_COMPILED)
#include <kindred/core/thread_team.ipp>  // IWYU pragma: export
#endif
