// SPDX-License-Identifier: MIT
// Only pointers and sizes cross the border of this file: it is compiled with other flags than the rest, and with an Eigen of its own (CMakeLists.txt).
#include "recommend_opponents.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>

namespace opponents {

namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Rows = Eigen::Map<const RowMajor>;
using Vector = Eigen::Map<const Eigen::VectorXf>;
using Entry = std::pair<float, std::int32_t>;

/// The best of a stream, the worst kept on top.
class Best {
 public:
  explicit Best(std::size_t count) : count_(count) { kept_.reserve(count); }

  [[nodiscard]] float threshold() const { return kept_.size() < count_ ? -std::numeric_limits<float>::infinity() : kept_.front().first; }
  /// Items come in rising order, so that an equal score never enters.
  void add(float score, std::int32_t item) {
    if (kept_.size() == count_) {
      std::pop_heap(kept_.begin(), kept_.end(), before);
      kept_.back() = {score, item};
    } else {
      kept_.emplace_back(score, item);
    }
    std::push_heap(kept_.begin(), kept_.end(), before);
  }
  void take(std::int32_t* ids, float* scores) {
    std::sort_heap(kept_.begin(), kept_.end(), before);
    for (std::size_t n = 0; n < kept_.size(); ++n) {
      scores[n] = kept_[n].first;
      ids[n] = kept_[n].second;
    }
  }

 private:
  static bool before(const Entry& a, const Entry& b) { return a.first > b.first || (a.first == b.first && a.second < b.second); }

  std::size_t count_;
  std::vector<Entry> kept_;
};

}  // namespace

void tiled_full_scan(const float* users, std::size_t n_users, const float* items, std::size_t n_items, std::size_t factors,
                     std::size_t count, std::int32_t* ids, float* scores) {
  constexpr std::size_t tile = 512, strip = 2048;
  const auto k = static_cast<Eigen::Index>(factors);
  RowMajor products(static_cast<Eigen::Index>(tile), static_cast<Eigen::Index>(strip));
  for (std::size_t first = 0; first < n_users; first += tile) {
    const std::size_t n = (std::min)(tile, n_users - first);
    std::vector<Best> best(n, Best(count));
    for (std::size_t from = 0; from < n_items; from += strip) {
      const std::size_t m = (std::min)(strip, n_items - from);
      products.topLeftCorner(static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(m)).noalias() =
          Rows(users + first * factors, static_cast<Eigen::Index>(n), k) *
          Rows(items + from * factors, static_cast<Eigen::Index>(m), k).transpose();
      for (std::size_t u = 0; u < n; ++u) {
        const float* const row = products.data() + u * strip;
        float threshold = best[u].threshold();
        for (std::size_t i = 0; i < m; ++i) {
          if (!(row[i] > threshold)) continue;
          best[u].add(row[i], static_cast<std::int32_t>(from + i));
          threshold = best[u].threshold();
        }
      }
    }
    for (std::size_t u = 0; u < n; ++u) best[u].take(ids + (first + u) * count, scores + (first + u) * count);
  }
}

void plain_scan(const float* user, const float* items, std::size_t n_items, std::size_t factors, std::size_t count, std::int32_t* ids,
                float* scores) {
  const auto k = static_cast<Eigen::Index>(factors);
  const Vector x(user, k);
  Best best(count);
  float threshold = best.threshold();
  for (std::size_t i = 0; i < n_items; ++i) {
    const float score = Vector(items + i * factors, k).dot(x);
    if (!(score > threshold)) continue;
    best.add(score, static_cast<std::int32_t>(i));
    threshold = best.threshold();
  }
  best.take(ids, scores);
}

void fold_in(const float* gram, const float* items, const std::int32_t* columns, const float* confidences, std::size_t n,
             std::size_t factors, float* x) {
  const auto k = static_cast<Eigen::Index>(factors);
  Eigen::MatrixXf a = Rows(gram, k, k);
  RowMajor gathered(static_cast<Eigen::Index>(n), k);
  Eigen::VectorXf b = Eigen::VectorXf::Zero(k);
  for (std::size_t at = 0; at < n; ++at) {
    const Vector y(items + static_cast<std::size_t>(columns[at]) * factors, k);
    gathered.row(static_cast<Eigen::Index>(at)) = std::sqrt(confidences[at] - 1.0F) * y.transpose();
    b += confidences[at] * y;
  }
  a.selfadjointView<Eigen::Lower>().rankUpdate(gathered.transpose());
  Eigen::LLT<Eigen::Ref<Eigen::MatrixXf>> factorised(a);
  Eigen::Map<Eigen::VectorXf>(x, k) = factorised.solve(b);
}

}  // namespace opponents
