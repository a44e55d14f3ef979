// SPDX-License-Identifier: MIT
// The endpoints, from bodies to answers; no HTTP in here.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include <kindred/kindred.hpp>

#include "metrics.hpp"
#include "requests.hpp"

namespace serve {

/// What a client gets.
struct Reply {
  int status = 200;
  std::string body = {};
};

/// Answers requests, from many threads, over one recommender.
class Service {
 public:
  /// `file`: what reload reads; empty: there is none.
  Service(kindred::KeyedRecommender<float> recommender, std::string file, const Limits& limits)
      : recommender_(std::move(recommender)), file_(std::move(file)), limits_(limits) {}

  /// A POST to `path`: a bad request is a Reply of 400 to 499, whatever the body; nothing else of it goes out.
  [[nodiscard]] Reply post(const std::string& path, const std::string& body) noexcept;

  [[nodiscard]] std::string health() const;
  [[nodiscard]] std::string metrics_text() const { return metrics.text(recommender_.version()); }

  /// Writes the model file, with the events that were observed since the last time; nothing where there are none.
  void save();

  kindred::KeyedRecommender<float>& recommender() noexcept { return recommender_; }
  Metrics metrics;

 private:
  [[nodiscard]] nlohmann::json answer(const std::string& path, const std::string& body);
  [[nodiscard]] nlohmann::json reload();

  kindred::KeyedRecommender<float> recommender_;
  std::string file_;
  Limits limits_;
  std::mutex of_file_;
  std::uint64_t saved_ = 0;
};

/// The body of an error. `field`: empty for none.
[[nodiscard]] std::string error_body(const std::string& field, const std::string& message);

/// Compares secrets in a time that depends on their lengths alone.
[[nodiscard]] bool same_secret(const std::string& a, const std::string& b) noexcept;

}  // namespace serve
