// SPDX-License-Identifier: MIT
// Only pointers and sizes cross the border of this file: it is compiled with other flags than the rest, and with an Eigen of its own (CMakeLists.txt).
#include "textbook_als.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>

namespace textbook {

namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic>;
using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXf;
using Factors = Eigen::Map<const RowMajor>;

/// Rows are gathered in blocks of this many, which stay in the second-level cache.
constexpr Eigen::Index block = 256;

/// What a thread needs, allocated once.
struct Workspace {
  explicit Workspace(Eigen::Index k) : gathered(block, k), a(k, k), b(k), p(k), ap(k), r(k) {}

  RowMajor gathered;
  Matrix a;
  Vector b;
  Vector p;
  Vector ap;
  Vector r;
};

/// Y' D Y as a symmetric rank update of gathered rows: of the three ways to form it with Eigen the fastest for 64 to 128 factors (one thread, 20,000 x
/// 67,000: 3.16 s an iteration at 100 factors, a general product 3.18 s, a rank-one update for each interaction 4.80 s).
void solve_exactly(const Rows& rows, std::int64_t first, std::int64_t last, const Factors& y, const Matrix& gram, float* x,
                   const Options& o, Workspace& w) {
  w.a = gram;  // the regularization is in it
  w.b.setZero();
  for (std::int64_t start = first; start < last; start += block) {
    const Eigen::Index n = (std::min)(static_cast<Eigen::Index>(last - start), block);
    for (Eigen::Index at = 0; at < n; ++at) {
      const auto item = y.row(rows.columns[start + at]);
      const float d = o.alpha * rows.values[start + at];
      w.b.noalias() += (1.0F + d) * item.transpose();
      w.gathered.row(at).noalias() = std::sqrt(d) * item;
    }
    w.a.selfadjointView<Eigen::Lower>().rankUpdate(w.gathered.topRows(n).transpose());
  }
  Eigen::LLT<Eigen::Ref<Matrix>> factorised(w.a);
  Eigen::Map<Vector> solution(x, w.b.size());
  solution = w.b;
  factorised.solveInPlace(solution);
}

void improve(const Rows& rows, std::int64_t first, std::int64_t last, const Factors& y, const Matrix& gram, float* x_data, const Options& o,
             Workspace& w) {
  Eigen::Map<Vector> x(x_data, w.b.size());
  w.r.noalias() = -(gram * x);
  for (std::int64_t at = first; at < last; ++at) {
    const auto item = y.row(rows.columns[at]).transpose();
    const float d = o.alpha * rows.values[at];
    w.r.noalias() += ((1.0F + d) - d * item.dot(x)) * item;
  }
  w.p = w.r;
  float squares = w.r.squaredNorm();
  for (std::size_t step = 0; step < o.cg_steps && squares > 1e-20F; ++step) {
    w.ap.noalias() = gram * w.p;
    for (std::int64_t at = first; at < last; ++at) {
      const auto item = y.row(rows.columns[at]).transpose();
      w.ap.noalias() += (o.alpha * rows.values[at] * item.dot(w.p)) * item;
    }
    const float step_length = squares / w.p.dot(w.ap);
    x.noalias() += step_length * w.p;
    w.r.noalias() -= step_length * w.ap;
    const float next = w.r.squaredNorm();
    w.p = w.r + (next / squares) * w.p;
    squares = next;
  }
}

/// X' X in double, by blocks.
[[nodiscard]] Eigen::MatrixXd gram_in_double(const Factors& x) {
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(x.cols(), x.cols());
  for (Eigen::Index start = 0; start < x.rows(); start += 4096) {
    const Eigen::MatrixXd part = x.middleRows(start, (std::min)(Eigen::Index{4096}, x.rows() - start)).cast<double>();
    gram.noalias() += part.transpose() * part;
  }
  return gram;
}

}  // namespace

void half_step(const Rows& rows, const float* fixed, std::size_t n_fixed, float* solved, const Options& options) {
  const auto k = static_cast<Eigen::Index>(options.factors);
  const Factors y(fixed, static_cast<Eigen::Index>(n_fixed), k);
  Matrix gram(k, k);
  gram.noalias() = y.transpose() * y;
  gram.diagonal().array() += options.regularization;

  std::atomic<std::int32_t> next{0};
  const auto work = [&] {
    Workspace workspace(k);
    constexpr std::int32_t grain = 64;
    for (std::int32_t from = next.fetch_add(grain); from < rows.count; from = next.fetch_add(grain)) {
      for (std::int32_t row = from; row < (std::min)(from + grain, rows.count); ++row) {
        const std::int64_t first = rows.offsets[row];
        const std::int64_t last = rows.offsets[row + 1];
        float* const x = solved + static_cast<std::size_t>(row) * options.factors;
        if (first == last) {
          std::fill(x, x + k, 0.0F);
        } else if (options.solver == Solver::cholesky) {
          solve_exactly(rows, first, last, y, gram, x, options, workspace);
        } else {
          improve(rows, first, last, y, gram, x, options, workspace);
        }
      }
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t thread = 1; thread < options.threads; ++thread) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
}

double loss(const Rows& users, const float* user_factors, const float* item_factors, std::size_t n_items, const Options& options) {
  const auto k = static_cast<Eigen::Index>(options.factors);
  const Factors x(user_factors, users.count, k);
  const Factors y(item_factors, static_cast<Eigen::Index>(n_items), k);
  const Eigen::MatrixXd of_users = gram_in_double(x);
  const Eigen::MatrixXd of_items = gram_in_double(y);
  double total =
      of_users.cwiseProduct(of_items).sum() + static_cast<double>(options.regularization) * (of_users.trace() + of_items.trace());
  for (std::int32_t u = 0; u < users.count; ++u) {
    for (std::int64_t at = users.offsets[u]; at < users.offsets[u + 1]; ++at) {
      const double score = x.row(u).cast<double>().dot(y.row(users.columns[at]).cast<double>());
      const double excess = static_cast<double>(options.alpha) * static_cast<double>(users.values[at]);
      total += (1.0 + excess) * (1.0 - score) * (1.0 - score) - score * score;
    }
  }
  return total;
}

void multiply_add(std::size_t steps) {
  // Twelve chains hide the latency of a fused multiply-add on every processor in use.
  typedef float Vector __attribute__((vector_size(peak_lanes * sizeof(float))));
  Vector sums[12];
  for (std::size_t n = 0; n < 12; ++n) sums[n] = Vector{} + static_cast<float>(n);
  const Vector factor = Vector{} + 0.999F, term = Vector{} + 1e-4F;
  for (std::size_t step = 0; step < steps; ++step) {
#pragma GCC unroll 12
    for (std::size_t n = 0; n < 12; ++n) sums[n] = sums[n] * factor + term;
  }
  volatile float kept = 0.0F;
  for (const Vector& sum : sums) kept = kept + sum[0];
}

}  // namespace textbook
