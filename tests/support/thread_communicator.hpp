// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/distributed/communicator.hpp>

namespace kindred::test {

/// Ranks that are threads of one process.
class ThreadCommunicator {
 public:
  [[nodiscard]] std::size_t rank() const noexcept { return rank_; }
  [[nodiscard]] std::size_t size() const noexcept { return shared_->size; }
  [[nodiscard]] std::uint64_t bytes_received() const noexcept { return received_; }

  /// @throws Error, as every call here, on all ranks once one has called abort.
  void all_gather_v(std::span<std::byte> data, std::span<const std::uint64_t> starts, std::size_t unit) {
    exchange(data.data(), [&](std::size_t from, const void* theirs) {
      const auto first = static_cast<std::size_t>(starts[from]) * unit, last = static_cast<std::size_t>(starts[from + 1]) * unit;
      std::copy_n(static_cast<const std::byte*>(theirs) + first, last - first, data.begin() + static_cast<std::ptrdiff_t>(first));
    });
    received_ += detail::gathered_bytes(starts, rank_, unit);
  }
  /// Sums over all ranks, in the order of ranks.
  void all_reduce(std::span<double> numbers) {
    const std::vector<double> own(numbers.begin(), numbers.end());
    std::vector<double> sum(numbers.size(), 0.0);
    exchange(
        own.data(),
        [&](std::size_t from, const void* theirs) {
          const double* const values = from == rank_ ? own.data() : static_cast<const double*>(theirs);
          for (std::size_t n = 0; n < sum.size(); ++n) sum[n] += values[n];
        },
        true);
    std::copy(sum.begin(), sum.end(), numbers.begin());
    received_ += (size() - 1) * numbers.size_bytes();
  }
  /// The bytes of `root` to all.
  void broadcast(std::span<std::byte> data, std::size_t root) {
    exchange(data.data(), [&](std::size_t from, const void* theirs) {
      if (from == root) std::copy_n(static_cast<const std::byte*>(theirs), data.size(), data.begin());
    });
    if (rank_ != root) received_ += data.size();
  }
  /// Waits for all.
  void barrier() { meet(); }

  /// Ends all ranks at their next meeting. @throws Error with this rank and `why`.
  [[noreturn]] void abort(std::string_view why) {
    {
      const std::lock_guard lock(shared_->mutex);
      if (shared_->aborted.empty()) shared_->aborted = "rank " + std::to_string(rank_) + ": " + std::string(why);
    }
    shared_->all_here.notify_all();
    throw Error(shared_->aborted);
  }

  /// Calls `body(communicator)` on `ranks` threads and waits for all. Rethrows what a rank threw, the lowest first, but what an abort of another one threw.
  template <typename Body>
  static void run(std::size_t ranks, Body&& body) {
    Shared shared;
    shared.size = ranks;
    shared.given.resize(ranks);
    std::vector<std::exception_ptr> errors(ranks);
    std::vector<std::thread> threads;
    for (std::size_t rank = 0; rank < ranks; ++rank)
      threads.emplace_back([&, rank] {
        ThreadCommunicator communicator(shared, rank);
        try {
          body(communicator);
        } catch (...) {
          errors[rank] = std::current_exception();
          communicator.leave();
        }
      });
    for (std::thread& thread : threads) thread.join();
    for (const std::exception_ptr& error : errors)
      if (error) std::rethrow_exception(error);
  }

 private:
  struct Shared {
    std::size_t size = 0;
    std::mutex mutex;
    std::condition_variable all_here;
    std::size_t waiting = 0;
    std::uint64_t meeting = 0;
    std::vector<const void*> given;
    std::string aborted;
  };

  ThreadCommunicator(Shared& shared, std::size_t rank) : shared_(&shared), rank_(rank) {}

  /// Waits until all ranks are here.
  void meet() {
    std::unique_lock lock(shared_->mutex);
    if (!shared_->aborted.empty()) throw Error(shared_->aborted);
    const std::uint64_t meeting = shared_->meeting;
    if (++shared_->waiting == shared_->size) {
      shared_->waiting = 0;
      ++shared_->meeting;
      shared_->all_here.notify_all();
      return;
    }
    shared_->all_here.wait(lock, [&] { return shared_->meeting != meeting || !shared_->aborted.empty(); });
    if (shared_->meeting == meeting) throw Error(shared_->aborted);
  }

  /// A rank that is gone cannot be waited for.
  void leave() {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->aborted.empty()) shared_->aborted = "rank " + std::to_string(rank_) + " has left";
    shared_->all_here.notify_all();
  }

  /// Shows `mine` to all, takes from each in the order of ranks, and waits until all have taken.
  template <typename Take>
  void exchange(const void* mine, Take&& take, bool own_too = false) {
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->given[rank_] = mine;
    }
    meet();
    for (std::size_t from = 0; from < size(); ++from)
      if (from != rank_ || own_too) take(from, shared_->given[from]);
    meet();
  }

  Shared* shared_;
  std::size_t rank_;
  std::uint64_t received_ = 0;
};

static_assert(Communicator<ThreadCommunicator>);

}  // namespace kindred::test
