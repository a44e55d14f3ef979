// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>

namespace kindred::inline v0::detail {

/// Something derived that is made when first asked for, by const methods of many threads, and shared by copies of its owner. The owner may hold it
/// while T is incomplete.
template <typename T>
class Lazy {
 public:
  Lazy() = default;
  Lazy(const Lazy& other) { set(other.shared()); }
  Lazy(Lazy&& other) noexcept : value_(std::move(other.value_)), ready_(other.ready_.exchange(nullptr)) {}
  Lazy& operator=(Lazy other) noexcept {
    value_ = std::move(other.value_);
    ready_ = other.ready_.load();
    return *this;
  }
  ~Lazy() = default;

  /// What was made, or null; does not wait for a thread that is making it. Valid until the owner changes.
  [[nodiscard]] const T* get() const noexcept { return ready_.load(std::memory_order_acquire); }
  template <typename Make>
  const T& get_or_make(const Make& make) const {
    if (const T* made = get()) return *made;
    const std::lock_guard lock(mutex_);
    if (!value_) {
      value_ = std::make_shared<const T>(make());
      ready_.store(value_.get(), std::memory_order_release);
    }
    return *value_;
  }
  void set(std::shared_ptr<const T> value) noexcept {
    value_ = std::move(value);
    ready_.store(value_.get(), std::memory_order_release);
  }
  void reset() noexcept { set(nullptr); }

 private:
  [[nodiscard]] std::shared_ptr<const T> shared() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

  mutable std::mutex mutex_;
  mutable std::shared_ptr<const T> value_;
  mutable std::atomic<const T*> ready_{nullptr};  // so that reading takes no lock
};

/// Workspaces kept between const calls of many threads. They refer to their owner, so they do not go along when it is copied or moved.
template <typename T>
class Spares {
 public:
  Spares() = default;
  Spares(const Spares&) noexcept {}
  Spares& operator=(const Spares&) noexcept {
    clear();
    return *this;
  }
  ~Spares() = default;

  /// A spare workspace, or a new one.
  template <typename Make>
  [[nodiscard]] std::shared_ptr<T> take(const Make& make) const {
    {
      const std::lock_guard lock(mutex_);
      if (!kept_.empty()) {
        std::shared_ptr<T> spare = std::move(kept_.back());
        kept_.pop_back();
        return spare;
      }
    }
    return std::make_shared<T>(make());
  }
  void give_back(std::shared_ptr<T> spare) const {
    const std::lock_guard lock(mutex_);
    kept_.push_back(std::move(spare));
  }
  void clear() noexcept { kept_.clear(); }

 private:
  mutable std::mutex mutex_;
  mutable std::vector<std::shared_ptr<T>> kept_;
};

}  // namespace kindred::inline v0::detail
