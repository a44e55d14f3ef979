// SPDX-License-Identifier: MIT
// What the service counts of its requests, as text for Prometheus.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace serve {

/// Counts of requests by path and status, and a histogram of their seconds by path. Methods may be called from many threads.
class Metrics {
 public:
  void count(const std::string& path, int status, double seconds);

  /// Prometheus text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
  [[nodiscard]] std::string text(std::uint64_t model_version) const;

  std::atomic<std::uint64_t> observed{0}, reloads{0}, in_flight{0};

 private:
  static constexpr std::array<double, 12> bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5};
  struct Histogram {
    std::array<std::uint64_t, bounds.size() + 1> counts{};
    double sum = 0.0;
  };

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, std::uint64_t> requests_;
  std::map<std::string, Histogram> seconds_;
};

}  // namespace serve
