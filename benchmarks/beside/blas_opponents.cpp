// SPDX-License-Identifier: MIT
#include "blas_opponents.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

#include <cblas.h>

extern "C" {
// LAPACK's solver of symmetric positive definite systems, which OpenBLAS has in its own fast form.
void sposv_(const char* triangle, const int* n, const int* right_sides, float* a, const int* lda, float* b, const int* ldb, int* info);
}

namespace blas {

namespace {

int as_int(std::size_t n) { return static_cast<int>(n); }

void in_threads(std::size_t count, const std::function<void()>& work) {
  std::vector<std::thread> threads;
  for (std::size_t thread = 1; thread < count; ++thread) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
}

/// Y'Y + lambda, both triangles.
std::vector<float> gram_of(const float* fixed, std::size_t n, std::size_t k, float regularization) {
  std::vector<float> gram(k * k);
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, as_int(k), as_int(k), as_int(n), 1.0F, fixed, as_int(k), fixed, as_int(k), 0.0F,
              gram.data(), as_int(k));
  for (std::size_t f = 0; f < k; ++f) gram[f * k + f] += regularization;
  return gram;
}

class RowSolver {
 public:
  RowSolver(const textbook::Rows& rows, const float* fixed, const std::vector<float>& gram, const textbook::Options& options)
      : rows_(rows), fixed_(fixed), gram_(gram), options_(options), k_(options.factors), a_(k_ * k_), r_(k_), p_(k_), ap_(k_) {}

  void solve(std::int64_t first, std::int64_t last, float* x) {
    if (first == last)
      std::fill(x, x + k_, 0.0F);
    else if (options_.solver == textbook::Solver::cholesky)
      solve_exactly(first, last, x);
    else
      improve(first, last, x);
  }

 private:
  [[nodiscard]] const float* item(std::int64_t at) const { return fixed_ + static_cast<std::size_t>(rows_.columns[at]) * k_; }

  void solve_exactly(std::int64_t first, std::int64_t last, float* x) {
    a_ = gram_;
    std::fill(x, x + k_, 0.0F);
    gathered_.resize(static_cast<std::size_t>(last - first) * k_);
    float* to = gathered_.data();
    for (std::int64_t at = first; at < last; ++at, to += k_) {
      const float d = options_.alpha * rows_.values[at], root = std::sqrt(d);
      const float* const y = item(at);
      cblas_saxpy(as_int(k_), 1.0F + d, y, 1, x, 1);
      for (std::size_t f = 0; f < k_; ++f) to[f] = root * y[f];
    }
    cblas_ssyrk(CblasColMajor, CblasLower, CblasNoTrans, as_int(k_), static_cast<int>(last - first), 1.0F, gathered_.data(), as_int(k_),
                1.0F, a_.data(), as_int(k_));
    const int n = as_int(k_), one = 1;
    int info = 0;
    sposv_("L", &n, &one, a_.data(), &n, x, &n, &info);
  }

  /// to = Gram v, and a weighted row of the fixed side for each interaction.
  template <typename Weight>
  void multiply(std::int64_t first, std::int64_t last, float factor, const float* v, float* to, const Weight& weight) {
    const int n = as_int(k_);
    cblas_ssymv(CblasRowMajor, CblasUpper, n, factor, gram_.data(), n, v, 1, 0.0F, to, 1);
    for (std::int64_t at = first; at < last; ++at) {
      const float* const y = item(at);
      cblas_saxpy(n, weight(options_.alpha * rows_.values[at], cblas_sdot(n, y, 1, v, 1)), y, 1, to, 1);
    }
  }

  void improve(std::int64_t first, std::int64_t last, float* x) {
    const int n = as_int(k_);
    multiply(first, last, -1.0F, x, r_.data(), [](float d, float score) { return (1.0F + d) - d * score; });
    p_ = r_;
    float squares = cblas_sdot(n, r_.data(), 1, r_.data(), 1);
    for (std::size_t step = 0; step < options_.cg_steps && squares > 1e-20F; ++step) {
      multiply(first, last, 1.0F, p_.data(), ap_.data(), [](float d, float score) { return d * score; });
      const float length = squares / cblas_sdot(n, p_.data(), 1, ap_.data(), 1);
      cblas_saxpy(n, length, p_.data(), 1, x, 1);
      cblas_saxpy(n, -length, ap_.data(), 1, r_.data(), 1);
      const float next = cblas_sdot(n, r_.data(), 1, r_.data(), 1);
      cblas_sscal(n, next / squares, p_.data(), 1);
      cblas_saxpy(n, 1.0F, r_.data(), 1, p_.data(), 1);
      squares = next;
    }
  }

  const textbook::Rows& rows_;
  const float* fixed_;
  const std::vector<float>& gram_;
  const textbook::Options& options_;
  std::size_t k_;
  std::vector<float> a_, r_, p_, ap_, gathered_;
};

using Entry = std::pair<float, std::int32_t>;

bool better(const Entry& a, const Entry& b) { return a.first > b.first || (a.first == b.first && a.second < b.second); }

/// The best of a stream of scores, whose items come in rising order.
class Best {
 public:
  explicit Best(std::size_t count) : count_(count) { kept_.reserve(count); }

  void look_at(const float* scores, std::size_t n, std::int32_t first_item) {
    constexpr std::size_t group = 64;
    for (std::size_t from = 0; from < n; from += group) {
      const std::size_t to = (std::min)(from + group, n);
      int any = 0;  // compilers make vectors of this
      for (std::size_t at = from; at < to; ++at) any |= static_cast<int>(scores[at] > threshold_);
      if (any == 0) continue;
      for (std::size_t at = from; at < to; ++at)
        if (scores[at] > threshold_) add({scores[at], first_item + static_cast<std::int32_t>(at)});
    }
  }

  void take(std::int64_t* ids, float* scores) {
    std::sort_heap(kept_.begin(), kept_.end(), better);
    for (std::size_t n = 0; n < kept_.size(); ++n) {
      scores[n] = kept_[n].first;
      ids[n] = kept_[n].second;
    }
  }

 private:
  void add(const Entry& entry) {
    if (kept_.size() == count_) {
      std::pop_heap(kept_.begin(), kept_.end(), better);
      kept_.pop_back();
    }
    kept_.push_back(entry);
    std::push_heap(kept_.begin(), kept_.end(), better);
    if (kept_.size() == count_) threshold_ = kept_.front().first;
  }

  std::size_t count_;
  std::vector<Entry> kept_;
  float threshold_ = -std::numeric_limits<float>::infinity();
};

}  // namespace

std::string prepare() {
  openblas_set_num_threads(1);
  return openblas_get_corename();
}

void half_step(const textbook::Rows& rows, const float* fixed, std::size_t n_fixed, float* solved, const textbook::Options& options) {
  const std::vector<float> gram = gram_of(fixed, n_fixed, options.factors, options.regularization);
  std::atomic<std::int32_t> next{0};
  in_threads(options.threads, [&] {
    RowSolver solver(rows, fixed, gram, options);
    constexpr std::int32_t grain = 64;
    for (std::int32_t from = next.fetch_add(grain); from < rows.count; from = next.fetch_add(grain))
      for (std::int32_t row = from; row < (std::min)(from + grain, rows.count); ++row)
        solver.solve(rows.offsets[row], rows.offsets[row + 1], solved + static_cast<std::size_t>(row) * options.factors);
  });
}

void scan(const float* users, std::size_t n_users, const float* items, std::size_t n_items, std::size_t factors, std::size_t count,
          std::size_t threads, std::int64_t* ids, float* scores) {
  constexpr std::size_t tile = 512, strip = 512;  // the best of six sizes tried from 128 x 2,048 to 1,024 x 1,024
  std::atomic<std::size_t> next{0};
  in_threads(threads, [&] {
    std::vector<float> products(tile * strip);
    for (std::size_t first = next.fetch_add(tile); first < n_users; first = next.fetch_add(tile)) {
      const std::size_t n = (std::min)(tile, n_users - first);
      std::vector<Best> best(n, Best(count));
      for (std::size_t from = 0; from < n_items; from += strip) {
        const std::size_t m = (std::min)(strip, n_items - from);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, as_int(n), as_int(m), as_int(factors), 1.0F, users + first * factors,
                    as_int(factors), items + from * factors, as_int(factors), 0.0F, products.data(), as_int(strip));
        for (std::size_t u = 0; u < n; ++u) best[u].look_at(products.data() + u * strip, m, static_cast<std::int32_t>(from));
      }
      for (std::size_t u = 0; u < n; ++u) best[u].take(ids + (first + u) * count, scores + (first + u) * count);
    }
  });
}

}  // namespace blas
