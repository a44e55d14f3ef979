// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/linalg/row_arithmetic.hpp>
#include <kindred/simd/kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// How strongly a map is held at 0.
struct FeatureRidge {
  double by_weight;  ///< tau: of a feature's own weight.
  double by_rows;    ///< gamma: of the mean penalty of a row.
};
/// Of the fit's map: with less, features that say nothing make lists worse.
inline constexpr FeatureRidge fit_ridge{3.0, 5.0};
/// Of the map for new rows, which have nothing else.
inline constexpr FeatureRidge cold_ridge{0.0, 1.0};

/// The regression of the rows of one side on their features, weighted and centred:
///   min over A of  sum_u l_u |x_u - A'(f_u - centre)|^2 + sum_f ridge_f |A_f|^2,   ridge_f = tau sum_u l_u (f_u - centre)_f^2 + gamma mean(l)
/// over the rows with features; centre is their mean, weighted by l. A column that fewer than two rows have keeps A_f = 0: such columns are idle, and
/// maps have a row for each other column here (gather, scatter).
///
/// Solved for all factors at once by conjugate gradients (Hestenes and Stiefel 1952) on sparse products: a step costs 4 nnz k flops. Preconditioned by the
/// diagonal, or by a Cholesky factorisation where there are few columns, which needs one or two steps. Sums run over fixed blocks: the same bytes for any
/// number of threads.
template <Real Scalar>
class FeatureSystem {
 public:
  /// When to stop: the residual of every factor below `tolerance` times its right-hand side, or after `steps`.
  struct Limits {
    std::size_t steps;
    double tolerance;
  };
  [[nodiscard]] static constexpr Limits exact(std::size_t steps) noexcept { return {steps, sizeof(Scalar) == 4 ? 1e-6 : 1e-13}; }

  /// `features`: n_rows x columns; `weights`: l, length n_rows, >= 0. Both must outlive this object. `factorise`: where there are few columns.
  FeatureSystem(const CsrView& features, std::span<const double> weights, FeatureRidge ridge, SimdLevel level,
                const ParallelOptions& parallel, bool factorise = true)
      : weights_(weights), n_columns_(features.cols()), kernels_(row_kernels<Scalar>(level)), parallel_(parallel) {
    has_features_.resize(static_cast<std::size_t>(features.rows()));
    for (Index u = 0; u < features.rows(); ++u) {
      if (features.row(u).empty()) continue;
      has_features_[static_cast<std::size_t>(u)] = 1;
      ++rows_;
      total_weight_ += weights_[static_cast<std::size_t>(u)];
    }
    const std::vector<Index> counts = column_counts(features);
    for (Index c = 0; c < features.cols(); ++c)
      if (counts[static_cast<std::size_t>(c)] >= 2 && total_weight_ > 0.0) used_.push_back(c);
    features_ = select_columns(features, used_);
    by_columns_ = transpose(features_);
    values_.assign(features_.values().begin(), features_.values().end());
    column_values_.assign(by_columns_.values().begin(), by_columns_.values().end());
    weigh(ridge);
    if (factorise && columns() <= most_factorised) this->factorise();
  }

  /// Columns that are not idle.
  [[nodiscard]] std::size_t columns() const noexcept { return used_.size(); }
  /// Of all columns, as the features have them; 0 for idle ones.
  [[nodiscard]] std::vector<double> centre() const { return spread_out(centre_); }
  [[nodiscard]] std::vector<double> ridge() const { return spread_out(ridge_); }
  [[nodiscard]] double ridge_of(std::size_t column) const noexcept { return ridge_[column]; }

  /// Of a map of all columns, the rows of those that are not idle; 0 if `map` is empty.
  [[nodiscard]] FactorMatrix<Scalar> gather(const FactorMatrix<Scalar>& map, Index factors) const {
    FactorMatrix<Scalar> some(static_cast<Index>(columns()), factors);
    if (map.factors() == 0) return some;
    for (std::size_t c = 0; c < used_.size(); ++c)
      std::copy_n(map.row(used_[c]).begin(), map.row(used_[c]).size(), some.row(static_cast<Index>(c)).begin());
    return some;
  }
  /// The map of all columns.
  [[nodiscard]] FactorMatrix<Scalar> scatter(const FactorMatrix<Scalar>& some) const {
    FactorMatrix<Scalar> map(n_columns_, some.factors());
    for (std::size_t c = 0; c < used_.size(); ++c)
      std::copy_n(some.row(static_cast<Index>(c)).begin(), some.row(static_cast<Index>(c)).size(), map.row(used_[c]).begin());
    return map;
  }
  /// The sum over rows with features of (f_u - centre)^2, of one column.
  [[nodiscard]] double spread(std::size_t column) const noexcept { return spread_[column]; }
  [[nodiscard]] bool has_features(Index row) const noexcept { return has_features_[static_cast<std::size_t>(row)] != 0; }
  [[nodiscard]] std::size_t rows_with_features() const noexcept { return rows_; }
  /// The sum of l over the rows with features.
  [[nodiscard]] double total_weight() const noexcept { return total_weight_; }

  /// The mean of `rows` over those with features, weighted by l: length factors.
  [[nodiscard]] std::vector<double> mean_of(const FactorMatrix<Scalar>& rows) const {
    FactorMatrix<Scalar> weighted(rows.rows(), rows.factors(), parallel_);
    weigh_rows(weighted, [&](Index u, Scalar weight, Scalar* out) { set_multiple(out, weight, rows.row(u).data(), rows.stride()); });
    std::vector<double> mean = sum_of(weighted);
    for (double& value : mean) value = total_weight_ > 0.0 ? value / total_weight_ : 0.0;
    return mean;
  }

  /// Improves `map` (columns x factors) for `rows`. `between` is called between steps and may throw. O(steps nnz factors).
  void improve(const FactorMatrix<Scalar>& rows, FactorMatrix<Scalar>& map, const Limits& limits,
               const std::function<void()>& between = {}) const {
    FactorMatrix<Scalar> weighted(rows.rows(), rows.factors(), parallel_);
    // The size of the right-hand side: the residual of the map 0.
    weigh_rows(weighted, [&](Index u, Scalar weight, Scalar* out) { set_multiple(out, weight, rows.row(u).data(), rows.stride()); });
    FactorMatrix<Scalar> residual(map.rows(), map.factors());
    project(weighted, nullptr, 0.0, residual);
    const std::vector<double> target = dots(residual, residual);
    AlignedVector<Scalar> shift = shift_of(map);
    weigh_rows(weighted, [&](Index u, Scalar weight, Scalar* out) {
      predict_row(map, shift, u, out);
      set_multiple_of_rest(out, weight, rows.row(u).data(), rows.stride());
    });
    project(weighted, &map, -1.0, residual);
    minimise(
        map, residual, target, limits,
        [&](const FactorMatrix<Scalar>& step, FactorMatrix<Scalar>& out) {
          shift = shift_of(step);
          weigh_rows(weighted, [&](Index u, Scalar weight, Scalar* to) {
            predict_row(step, shift, u, to);
            set_multiple(to, weight, std::as_const(to), rows.stride());
          });
          project(weighted, &step, 1.0, out);
        },
        between);
  }

  /// Conjugate gradients from `map`, whose `residual` is the right-hand side less S map; apply(P, out) sets out = S P. Uses up `residual`.
  template <typename Apply>
  void minimise(FactorMatrix<Scalar>& map, FactorMatrix<Scalar>& residual, std::span<const double> target, const Limits& limits,
                Apply&& apply, const std::function<void()>& between = {}) const {
    const auto k = static_cast<std::size_t>(map.factors());
    FactorMatrix<Scalar> conditioned(map.rows(), map.factors()), product(map.rows(), map.factors());
    precondition(residual, conditioned);
    FactorMatrix<Scalar> step = conditioned;
    std::vector<double> size = dots(residual, conditioned), left = dots(residual, residual);
    AlignedVector<Scalar> share(map.stride(), Scalar(0)), negative(share);
    for (std::size_t n = 0; n < limits.steps; ++n) {
      bool done = true;
      for (std::size_t f = 0; f < k; ++f) done = done && left[f] <= limits.tolerance * limits.tolerance * target[f];
      if (done) return;
      if (between) between();
      apply(std::as_const(step), product);
      const std::vector<double> energy = dots(step, product);
      for (std::size_t f = 0; f < k; ++f) {
        share[f] = static_cast<Scalar>(energy[f] > 0.0 && size[f] > 0.0 ? size[f] / energy[f] : 0.0);
        negative[f] = -share[f];
      }
      for_rows(map, [&](std::size_t c, std::span<Scalar> row) {
        const auto r = static_cast<Index>(c);
        add_shares(row.data(), share.data(), std::as_const(step).row(r).data(), map.stride());
        add_shares(residual.row(r).data(), negative.data(), std::as_const(product).row(r).data(), map.stride());
      });
      precondition(residual, conditioned);
      const std::vector<double> next = dots(residual, conditioned);
      for (std::size_t f = 0; f < k; ++f) share[f] = static_cast<Scalar>(size[f] > 0.0 ? next[f] / size[f] : 0.0);
      for_rows(step, [&](std::size_t c, std::span<Scalar> p) {
        share_and_add(p.data(), share.data(), std::as_const(conditioned).row(static_cast<Index>(c)).data(), step.stride());
      });
      size = next;
      left = dots(residual, residual);
    }
  }

  /// out_u = A'(f_u - centre), n_rows x factors; 0 for rows without features.
  void predict(const FactorMatrix<Scalar>& map, FactorMatrix<Scalar>& out) const {
    const AlignedVector<Scalar> shift = shift_of(map);
    for_rows(out, [&](std::size_t u, std::span<Scalar> row) {
      if (has_features_[u] != 0)
        predict_row(map, shift, static_cast<Index>(u), row.data());
      else
        std::fill(row.begin(), row.end(), Scalar(0));
    });
  }

  /// out_f = sum_u (f_u - centre)_f t_u + factor ridge_f map_f; `rows` t must be 0 for rows without features.
  void project(const FactorMatrix<Scalar>& rows, const FactorMatrix<Scalar>* map, double factor, FactorMatrix<Scalar>& out) const {
    const std::vector<double> sum = sum_of(rows);
    const ParallelOptions by_column{.threads = parallel_.threads, .grain = 8, .executor = parallel_.executor};
    parallel_for(columns(), by_column, [&](std::size_t first, std::size_t last, std::size_t) {
      AlignedVector<Scalar> part(rows.stride());
      std::vector<double> total(rows.stride());
      for (std::size_t c = first; c < last; ++c) {
        const std::span<Scalar> to = out.row(static_cast<Index>(c));
        for (std::size_t f = 0; f < sum.size(); ++f) total[f] = -centre_[c] * sum[f];
        if (map != nullptr) add_multiple(total.data(), factor * ridge_[c], map->row(static_cast<Index>(c)).data(), map->stride());
        add_column(rows, c, part, total);
        std::transform(total.begin(), total.begin() + static_cast<std::ptrdiff_t>(to.size()), to.begin(),
                       [](double value) { return static_cast<Scalar>(value); });
      }
    });
  }

  /// Of each factor, the sum over rows of a_f b_f.
  [[nodiscard]] std::vector<double> dots(const FactorMatrix<Scalar>& a, const FactorMatrix<Scalar>& b) const {
    return blocked_sum(a, [&](Index r, double* sums) { add_products(sums, a.row(r).data(), b.row(r).data(), a.stride()); });
  }

  /// Of each factor, the sum over rows.
  [[nodiscard]] std::vector<double> sum_of(const FactorMatrix<Scalar>& rows) const {
    return blocked_sum(rows, [&](Index r, double* sums) { add_multiple(sums, 1.0, rows.row(r).data(), rows.stride()); });
  }

  /// Calls body(row, values) for each row.
  template <typename Body>
  void for_rows(FactorMatrix<Scalar>& matrix, Body&& body) const {
    parallel_for(static_cast<std::size_t>(matrix.rows()), by_rows(), [&](std::size_t first, std::size_t last, std::size_t) {
      for (std::size_t r = first; r < last; ++r) body(r, matrix.row(static_cast<Index>(r)));
    });
  }

 private:
  static constexpr std::size_t most_factorised = 256;
  static constexpr std::size_t block = 512;  // rows that are summed one after the other

  [[nodiscard]] ParallelOptions by_rows() const noexcept {
    return {.threads = parallel_.threads, .grain = 64, .executor = parallel_.executor};
  }

  /// Of each factor, what add_to(row, sums) adds up over all rows of a matrix like this.
  template <typename AddTo>
  [[nodiscard]] std::vector<double> blocked_sum(const FactorMatrix<Scalar>& like, AddTo&& add_to) const {
    const auto rows = static_cast<std::size_t>(like.rows());
    const std::size_t blocks = (rows + block - 1) / block, n = like.stride();
    std::vector<double> parts(blocks * n, 0.0), total(n, 0.0);
    parallel_for(blocks, {.threads = parallel_.threads, .grain = 1, .executor = parallel_.executor},
                 [&](std::size_t first, std::size_t last, std::size_t) {
                   for (std::size_t b = first; b < last; ++b)
                     for (std::size_t r = b * block; r < (std::min)(rows, (b + 1) * block); ++r)
                       add_to(static_cast<Index>(r), parts.data() + b * n);
                 });
    for (std::size_t at = 0; at < parts.size(); ++at) total[at % n] += parts[at];
    total.resize(static_cast<std::size_t>(like.factors()));
    return total;
  }
  /// total += sum_u f_uc t_u, the parts of long columns in double.
  void add_column(const FactorMatrix<Scalar>& rows, std::size_t c, AlignedVector<Scalar>& part, std::vector<double>& total) const {
    const CsrView columns = by_columns_.view();
    const std::size_t begin = columns.row_begin(static_cast<Index>(c)), end = columns.row_begin(static_cast<Index>(c) + 1);
    for (std::size_t at = begin; at < end; at += block) {
      kernels_.combine({.fixed = rows.data(),
                        .stride = rows.stride(),
                        .factors = static_cast<std::size_t>(rows.factors()),
                        .columns = columns.columns().data() + at,
                        .count = (std::min)(block, end - at)},
                       column_values_.data() + at, part.data());
      add_multiple(total.data(), 1.0, part.data(), total.size());
    }
  }

  [[nodiscard]] AlignedVector<Scalar> shift_of(const FactorMatrix<Scalar>& map) const {
    const std::vector<double> sum = blocked_sum(
        map, [&](Index c, double* sums) { add_multiple(sums, centre_[static_cast<std::size_t>(c)], map.row(c).data(), map.stride()); });
    AlignedVector<Scalar> shift(map.stride(), Scalar(0));
    std::transform(sum.begin(), sum.end(), shift.begin(), [](double value) { return static_cast<Scalar>(-value); });
    return shift;
  }

  /// Of a row with features. `out`: as long as a row of the map with its padding, as the kernel writes it.
  void predict_row(const FactorMatrix<Scalar>& map, const AlignedVector<Scalar>& shift, Index u, Scalar* out) const {
    const SparseRow row = features_.row(u);
    kernels_.combine({.fixed = map.data(),
                      .stride = map.stride(),
                      .factors = static_cast<std::size_t>(map.factors()),
                      .columns = row.columns.data(),
                      .count = row.size()},
                     values_.data() + features_.view().row_begin(u), out);
    add_row(out, shift.data(), map.stride());
  }

  /// Calls set(u, l_u, out_u) for each row with features; the others stay 0, as they were made.
  template <typename Set>
  void weigh_rows(FactorMatrix<Scalar>& out, Set&& set) const {
    for_rows(out, [&](std::size_t u, std::span<Scalar> row) {
      if (has_features_[u] != 0) set(static_cast<Index>(u), static_cast<Scalar>(weights_[u]), row.data());
    });
  }

  void weigh(FeatureRidge ridge) {
    const auto d = static_cast<std::size_t>(by_columns_.rows());
    const double mean_weight = rows_ > 0 ? total_weight_ / static_cast<double>(rows_) : 0.0;
    centre_.assign(d, 0.0);
    ridge_.assign(d, 0.0);
    inverse_.assign(d, 0.0);
    spread_.assign(d, 0.0);
    for (std::size_t c = 0; c < d; ++c) {
      const SparseRow column = by_columns_.row(static_cast<Index>(c));
      double sum = 0.0, squares = 0.0, plain_sum = 0.0, plain_squares = 0.0;
      for (std::size_t n = 0; n < column.size(); ++n) {
        const double weight = weights_[static_cast<std::size_t>(column.columns[n])], value = static_cast<double>(column.values[n]);
        sum += weight * value;
        squares += weight * value * value;
        plain_sum += value;
        plain_squares += value * value;
      }
      centre_[c] = sum / total_weight_;
      spread_[c] = (std::max)(0.0, plain_squares - 2.0 * centre_[c] * plain_sum + static_cast<double>(rows_) * centre_[c] * centre_[c]);
      const double spread = (std::max)(0.0, squares - sum * centre_[c]);
      ridge_[c] = ridge.by_weight * spread + ridge.by_rows * mean_weight;
      inverse_[c] = ridge_[c] > 0.0 ? 1.0 / (spread + ridge_[c]) : 0.0;
    }
  }

  [[nodiscard]] std::vector<double> spread_out(const std::vector<double>& some) const {
    std::vector<double> all(static_cast<std::size_t>(n_columns_), 0.0);
    for (std::size_t c = 0; c < used_.size(); ++c) all[static_cast<std::size_t>(used_[c])] = some[c];
    return all;
  }

  /// U with U'U = F_c'LF_c + R, row-major.
  void factorise() {
    const std::size_t d = columns();
    std::vector<double> a(d * d, 0.0);
    for (Index u = 0; u < features_.rows(); ++u) {
      const SparseRow row = features_.row(u);
      for (std::size_t i = 0; i < row.size(); ++i)
        for (std::size_t j = i; j < row.size(); ++j)
          a[static_cast<std::size_t>(row.columns[i]) * d + static_cast<std::size_t>(row.columns[j])] +=
              weights_[static_cast<std::size_t>(u)] * static_cast<double>(row.values[i]) * static_cast<double>(row.values[j]);
    }
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t j = i; j < d; ++j) {
        a[i * d + j] -= total_weight_ * centre_[i] * centre_[j];
        if (i == j) a[i * d + i] += ridge_[i];
      }
    }
    for (std::size_t i = 0; i < d; ++i) {
      if (!(a[i * d + i] > 0.0)) return;  // rounding: the diagonal will do
      const double root = std::sqrt(a[i * d + i]);
      for (std::size_t j = i; j < d; ++j) a[i * d + j] /= root;
      for (std::size_t r = i + 1; r < d; ++r) {
        const double u = a[i * d + r];
        if (u == 0.0) continue;
        for (std::size_t j = r; j < d; ++j) a[r * d + j] -= u * a[i * d + j];
      }
    }
    factor_ = std::move(a);
  }

  void precondition(const FactorMatrix<Scalar>& residual, FactorMatrix<Scalar>& out) const {
    if (factor_.empty()) {
      for_rows(out, [&](std::size_t c, std::span<Scalar> row) {
        set_multiple(row.data(), static_cast<Scalar>(inverse_[c]), residual.row(static_cast<Index>(c)).data(), residual.stride());
      });
      return;
    }
    const std::size_t d = columns();
    const ParallelOptions by_factor{.threads = parallel_.threads, .grain = 8, .executor = parallel_.executor};
    parallel_for(static_cast<std::size_t>(residual.factors()), by_factor, [&](std::size_t first, std::size_t last, std::size_t) {
      std::vector<double> z(d);
      for (std::size_t f = first; f < last; ++f) {
        for (std::size_t i = 0; i < d; ++i) z[i] = static_cast<double>(residual.row(static_cast<Index>(i))[f]);
        for (std::size_t i = 0; i < d; ++i) {
          z[i] /= factor_[i * d + i];
          for (std::size_t j = i + 1; j < d; ++j) z[j] -= factor_[i * d + j] * z[i];
        }
        for (std::size_t i = d; i-- > 0;) {
          for (std::size_t j = i + 1; j < d; ++j) z[i] -= factor_[i * d + j] * z[j];
          z[i] /= factor_[i * d + i];
        }
        for (std::size_t i = 0; i < d; ++i) out.row(static_cast<Index>(i))[f] = static_cast<Scalar>(z[i]);
      }
    });
  }

  std::span<const double> weights_;
  Index n_columns_;          // idle ones too
  std::vector<Index> used_;  // those that are not idle
  std::vector<char> has_features_;
  CsrMatrix features_;  // of used columns
  CsrMatrix by_columns_;
  AlignedVector<Scalar> values_;
  AlignedVector<Scalar> column_values_;
  const RowKernels<Scalar>& kernels_;
  ParallelOptions parallel_;
  std::vector<double> centre_;
  std::vector<double> ridge_;
  std::vector<double> inverse_;  // of the diagonal
  std::vector<double> factor_;   // of the whole matrix, or empty
  std::vector<double> spread_;
  double total_weight_ = 0.0;
  std::size_t rows_ = 0;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
