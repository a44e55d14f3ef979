// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/als/feature_system.hpp>
#include <kindred/models/als/row_assembler.hpp>
#include <kindred/models/als/state.hpp>
#include <kindred/simd/kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Conjugate gradients on the map of one side and, with it, on the side's factors: x_u = A'(f_u - centre) + z_u with z_u fixed, so that the interactions
/// of all rows with a feature decide about its factors at once. In rows that are nearly empty a regression of factors on features sees little more than
/// what it told them before.
///
/// With S_u = w0 a_u G + Y_u'D_uY_u and h_u = Y_u'(c o p) the step dA solves  F_c'[S_u dA'(f_u - centre)]_u + R dA = -(F_c'[S_u x_u - h_u]_u + R A).
/// In the eigenbasis of the fixed side G is a diagonal. O(steps nnz factors), nnz of interactions and features.
template <Real Scalar>
class JointMap {
 public:
  /// `fixed`: in the eigenbasis that `eigenvalues` are of. All references must outlive this object.
  JointMap(const AlsWeights& weights, const SideData<Scalar>& data, const FeatureSystem<Scalar>& system, const FactorMatrix<Scalar>& fixed,
           const std::vector<double>& eigenvalues, const Execution& execution)
      : weights_(weights),
        data_(data),
        system_(system),
        fixed_(fixed),
        eigenvalues_(eigenvalues),
        parallel_(loop_of(execution, 16)),
        simd_(execution.simd),
        kernels_(row_kernels<Scalar>(execution.simd)) {}

  /// Improves `map` and `rows`, which move by what the map moves them.
  void improve(FactorMatrix<Scalar>& rows, FactorMatrix<Scalar>& map, std::size_t steps) const {
    FactorMatrix<Scalar> pulled(rows.rows(), rows.factors());
    FactorMatrix<Scalar> residual(map.rows(), map.factors());
    apply_rows(rows, true, pulled);
    system_.project(pulled, &map, 1.0, residual);
    system_.for_rows(residual, [](std::size_t, std::span<Scalar> row) {
      for (Scalar& value : row) value = -value;
    });
    const FactorMatrix<Scalar> inverse = diagonal();
    FactorMatrix<Scalar> moved(map.rows(), map.factors()), conditioned = residual, product(map.rows(), map.factors());
    multiply(conditioned, inverse);
    FactorMatrix<Scalar> step = conditioned, change(rows.rows(), rows.factors());
    double size = dot(residual, conditioned);
    for (std::size_t n = 0; n < steps && size > 0.0; ++n) {
      system_.predict(step, change);
      apply_rows(change, false, pulled);
      system_.project(pulled, &step, 1.0, product);
      const double energy = dot(step, product);
      if (!(energy > 0.0)) break;
      add(moved, size / energy, step);
      add(residual, -size / energy, product);
      conditioned = residual;
      multiply(conditioned, inverse);
      const double next = dot(residual, conditioned);
      system_.for_rows(step, [&](std::size_t c, std::span<Scalar> p) {
        const std::span<const Scalar> z = std::as_const(conditioned).row(static_cast<Index>(c));
        for (std::size_t f = 0; f < p.size(); ++f) p[f] = z[f] + static_cast<Scalar>(next / size) * p[f];
      });
      size = next;
    }
    add(map, 1.0, moved);
    system_.predict(moved, change);
    add(rows, 1.0, change);
  }

 private:
  [[nodiscard]] double dot(const FactorMatrix<Scalar>& a, const FactorMatrix<Scalar>& b) const {
    double total = 0.0;
    for (const double part : system_.dots(a, b)) total += part;
    return total;
  }
  void add(FactorMatrix<Scalar>& to, double share, const FactorMatrix<Scalar>& what) const {
    system_.for_rows(to, [&](std::size_t r, std::span<Scalar> row) {
      const std::span<const Scalar> from = what.row(static_cast<Index>(r));
      for (std::size_t f = 0; f < row.size(); ++f) row[f] += static_cast<Scalar>(share) * from[f];
    });
  }
  void multiply(FactorMatrix<Scalar>& to, const FactorMatrix<Scalar>& by) const {
    system_.for_rows(to, [&](std::size_t r, std::span<Scalar> row) {
      const std::span<const Scalar> from = by.row(static_cast<Index>(r));
      for (std::size_t f = 0; f < row.size(); ++f) row[f] *= from[f];
    });
  }

  /// Calls body(row, its system, out of the row) for all rows that have features.
  template <typename Body>
  void for_systems(Body&& body) const {
    struct Worker {
      RowAssembler<Scalar> assembler;
      std::vector<Scalar> strengths;
      AlignedVector<Scalar> weights, scores, sum;
    };
    const ParallelOptions by_rows = parallel_;
    std::vector<Worker> workers;
    for (std::size_t n = 0; n < worker_count(data_.order.size(), by_rows); ++n)
      workers.push_back({RowAssembler<Scalar>(weights_, data_.side, simd_), {}, {}, {}, AlignedVector<Scalar>(fixed_.stride())});
    const std::span<const double> background = weights_.background(data_.side);
    // Any prior mean keeps a row of dislikes alone.
    const std::vector<Scalar> zero(static_cast<std::size_t>(fixed_.factors()), Scalar(0));
    data_.rows.for_each_block([&](const RowBlock& block) {
      parallel_for(static_cast<std::size_t>(block.rows.rows()), by_rows, [&](std::size_t first, std::size_t last, std::size_t worker) {
        for (std::size_t n = first; n < last; ++n) {
          const Index row = block.first + static_cast<Index>(n);
          if (!system_.has_features(row)) continue;
          Worker& own = workers[worker];
          const RowSystem<Scalar> system = own.assembler.assemble(
              row, block.rows.row(row - block.first), strengths_of(data_, weights_, block, row, own.strengths),
              background.empty() ? 1.0 : background[static_cast<std::size_t>(row)], 1.0, std::span<const Scalar>(zero));
          body(row, system, own);
        }
      });
    });
  }

  /// out_u = S_u x_u, less h_u if `with_targets`; 0 for rows without features.
  void apply_rows(const FactorMatrix<Scalar>& x, bool with_targets, FactorMatrix<Scalar>& out) const {
    for_systems([&](Index row, const RowSystem<Scalar>& system, auto& own) {
      const std::span<const Scalar> from = x.row(row);
      const std::span<Scalar> to = out.row(row);
      const std::size_t n = system.columns.size();
      const GatherArguments<Scalar> rows{
          .fixed = fixed_.data(), .stride = fixed_.stride(), .factors = from.size(), .columns = system.columns.data(), .count = n};
      own.scores.resize((n + 15) / 16 * 16);
      own.weights.resize((n + 15) / 16 * 16);
      kernels_.dots(rows, from.data(), own.scores.data());
      for (std::size_t at = 0; at < n; ++at)
        own.weights[at] =
            static_cast<Scalar>(system.excess[at] * static_cast<double>(own.scores[at]) - (with_targets ? system.target[at] : 0.0));
      kernels_.combine(rows, own.weights.data(), own.sum.data());
      for (std::size_t f = 0; f < to.size(); ++f)
        to[f] = static_cast<Scalar>(system.background * eigenvalues_[f] * static_cast<double>(from[f])) + own.sum[f];
    });
  }

  /// About the inverse of the diagonal: the ridge, and a feature's spread times the mean diagonal of S_u.
  [[nodiscard]] FactorMatrix<Scalar> diagonal() const {
    const auto k = static_cast<std::size_t>(fixed_.factors());
    FactorMatrix<Scalar> held(data_.rows.rows(), fixed_.factors());
    for_systems([&](Index row, const RowSystem<Scalar>& system, auto&) {
      const std::span<Scalar> to = held.row(row);
      std::vector<double> sum(k);
      for (std::size_t f = 0; f < k; ++f) sum[f] = system.background * eigenvalues_[f];
      for (std::size_t n = 0; n < system.columns.size(); ++n) {
        const std::span<const Scalar> y = fixed_.row(system.columns[n]);
        for (std::size_t f = 0; f < k; ++f) sum[f] += system.excess[n] * static_cast<double>(y[f]) * static_cast<double>(y[f]);
      }
      std::transform(sum.begin(), sum.end(), to.begin(), [](double value) { return static_cast<Scalar>(value); });
    });
    std::vector<double> mean = system_.sum_of(held);
    for (double& value : mean) value /= static_cast<double>(system_.rows_with_features());
    FactorMatrix<Scalar> inverse(static_cast<Index>(system_.columns()), fixed_.factors());
    for (std::size_t c = 0; c < system_.columns(); ++c) {
      for (std::size_t f = 0; f < k; ++f)
        inverse.row(static_cast<Index>(c))[f] =
            static_cast<Scalar>(1.0 / (system_.spread(c) * (std::max)(0.0, mean[f]) + system_.ridge_of(c)));
    }
    return inverse;
  }

  const AlsWeights& weights_;
  const SideData<Scalar>& data_;
  const FeatureSystem<Scalar>& system_;
  const FactorMatrix<Scalar>& fixed_;
  const std::vector<double>& eigenvalues_;
  ParallelOptions parallel_;
  SimdLevel simd_;
  const RowKernels<Scalar>& kernels_;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
