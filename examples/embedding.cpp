// SPDX-License-Identifier: MIT
// The lesson: Kindred inside another program: its arrays, its threads, one level of instructions, vectors of another
// tool, and no exception beyond the border.
//
//   embedding
#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <kindred/kindred.hpp>

namespace kd = kindred;

namespace {

/// The program's thread pool, which was there before Kindred.
class Pool {
 public:
  explicit Pool(std::size_t threads) {
    for (std::size_t n = 0; n < threads; ++n) threads_.emplace_back([this] { work(); });
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    submit({});  // no job: the end
    for (std::thread& thread : threads_) thread.join();
  }
  void submit(std::function<void()> job) {
    const std::lock_guard guard(lock_);
    jobs_.push(std::move(job));
    wake_.notify_one();
  }

 private:
  void work() {
    for (;;) {
      std::unique_lock guard(lock_);
      wake_.wait(guard, [this] { return !jobs_.empty(); });
      if (!jobs_.front()) return wake_.notify_all();  // stays in the queue, for the other threads
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop();
      guard.unlock();
      job();
    }
  }

  std::mutex lock_;
  std::condition_variable wake_;
  std::queue<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
};

/// Kindred's work as jobs of `pool`. Jobs own what they use, because submit() may throw half way.
kd::Executor executor_of(Pool& pool, std::size_t& jobs) {
  return [&pool, &jobs](std::size_t workers, const std::function<void(std::size_t)>& task) {
    const auto all = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(workers));
    for (std::size_t worker = 0; worker < workers; ++worker) {
      pool.submit([task, all, worker] {
        task(worker);
        all->count_down();
      });
      ++jobs;
    }
    all->wait();
  };
}

/// A value, or why there is none; nothing in it can throw.
template <typename Value>
struct Outcome {
  std::optional<Value> value;
  std::array<char, 200> error{};
};

/// The border: what `function` returns, or the error in words. Kindred throws kindred::Error, and std::bad_alloc where memory runs out.
template <typename Function>
auto guarded(const Function& function) noexcept {
  Outcome<decltype(function())> outcome;
  try {
    outcome.value.emplace(function());
  } catch (const std::exception& error) {
    std::snprintf(outcome.error.data(), outcome.error.size(), "%s", error.what());
  } catch (...) {
    std::snprintf(outcome.error.data(), outcome.error.size(), "unknown error");
  }
  return outcome;
}

/// What the rest of the program calls.
Outcome<std::vector<kd::Scored>> best_items(const kd::FactorModel<float>& model, kd::Index user, std::size_t count) noexcept {
  return guarded([&] { return model.recommend(user, {.count = count}); });
}

Outcome<kd::FactorModel<float>> model_of(std::span<const float> users, std::span<const float> items, kd::Index factors) noexcept {
  return guarded([&] {
    const auto rows = [&](std::span<const float> values) { return static_cast<kd::Index>(values.size()) / factors; };
    return kd::FactorModel<float>({rows(users), factors, users}, {rows(items), factors, items});
  });
}

}  // namespace

int main() {
  // Vectors of another tool, row-major: 2 users and 4 items with 3 factors each.
  const std::vector<float> users{1, 0, 0, 0, 1, 1};
  const std::vector<float> items{3, 0, 0, 0, 2, 0, 1, 0, 4, 0, 0, 1};
  const Outcome<kd::FactorModel<float>> made = model_of(users, items, 3);
  if (!made.value) return std::fprintf(stderr, "embedding: %s\n", made.error.data()), 1;
  std::printf("user 1 of the other tool:");
  const Outcome<std::vector<kd::Scored>> list = best_items(*made.value, 1, 3);
  if (!list.value) return std::fprintf(stderr, "embedding: %s\n", list.error.data()), 1;
  for (const kd::Scored& one : *list.value) std::printf(" item %d (%.0f)", one.item, one.score);
  std::printf("\nuser 9: %s\n", best_items(*made.value, 9, 3).error.data());
  std::printf("a value short: %s\n", model_of(std::span(users).first(5), items, 3).error.data());

  // Interactions in the program's own arrays, compressed by rows, are read in place.
  const kd::CsrMatrix source = kd::synthetic_listening({.users = 500, .items = 300, .items_per_user = 20}).matrix;
  const std::span<const kd::Offset> offsets = source.offsets();
  const auto fitted = [&](std::size_t threads, const kd::Executor* executor) {
    return guarded([&] {
      const kd::CsrView view(source.shape(), offsets, source.columns(), source.values());
      kd::ImplicitALS<float> als({.factors = 16});
      // The same bytes on old machines: one level of instructions.
      als.fit(view, {.execution = {.threads = threads, .executor = executor, .simd = kd::SimdLevel::base}});
      return als;
    });
  };
  Pool pool(3);
  std::size_t jobs = 0;
  const kd::Executor executor = executor_of(pool, jobs);
  const auto pooled = fitted(3, &executor), alone = fitted(1, nullptr);
  if (!pooled.value || !alone.value) return std::fprintf(stderr, "embedding: %s%s\n", pooled.error.data(), alone.error.data()), 1;
  std::printf("the fit was %zu jobs of the pool; %s as on one thread\n", jobs,
              pooled.value->user_factors().same_bytes(alone.value->user_factors()) ? "the same bytes" : "other bytes");
  std::printf("a level of instructions: %s; this machine has %s\n", std::string(kd::name_of(kd::SimdLevel::base)).c_str(),
              std::string(kd::name_of(kd::highest_simd_level())).c_str());
}
