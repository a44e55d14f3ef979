// SPDX-License-Identifier: MIT
#pragma once

// The bodies of core/thread_team.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/thread_team.hpp>

namespace kindred::inline v0::detail {

KINDRED_ONCE ThreadTeam::ThreadTeam(const Executor* given)
    : own_([this](std::size_t workers, const std::function<void(std::size_t)>& task) { run(workers, task); }),
      executor_(given != nullptr && *given ? given : &own_) {}

KINDRED_ONCE ThreadTeam::~ThreadTeam() {
  task_ = nullptr;
  wake();
  for (std::thread& thread : threads_) thread.join();
}

KINDRED_ONCE void ThreadTeam::run(std::size_t workers, const std::function<void(std::size_t)>& task) {
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

KINDRED_ONCE void ThreadTeam::wake() noexcept {
  round_.fetch_add(1);
  round_.notify_all();
}

KINDRED_ONCE void ThreadTeam::serve(std::size_t worker, std::uint64_t seen) noexcept {
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

}  // namespace kindred::inline v0::detail
