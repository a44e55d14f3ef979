// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/random.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_builder.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/models/als/feature_system.hpp>
#include <kindred/models/als/features.hpp>
#include <kindred/models/als/report.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// The first factors of each row, in which the scores mostly are: enough to tell whether features say anything, at a fraction of the price.
template <Real Scalar>
[[nodiscard]] FactorMatrix<Scalar> first_factors(const FactorMatrix<Scalar>& rows) {
  FactorMatrix<Scalar> first(rows.rows(), (std::min)(rows.factors(), Index{16}));
  for (Index r = 0; r < rows.rows(); ++r) std::copy_n(rows.row(r).begin(), first.row(r).size(), first.row(r).begin());
  return first;
}

/// What the features of a side explain of its factors, by cross-validation: the map of four fifths of the rows predicts the others.
template <Real Scalar>
class FeatureExplanation {
 public:
  /// `penalties`: l of each row. All references must outlive this object.
  FeatureExplanation(const FeatureSide<Scalar>& side, const FactorMatrix<Scalar>& factors, std::span<const double> penalties,
                     const Execution& execution)
      : side_(side), factors_(factors), penalties_(penalties), execution_(execution), residual_(1 + side.table.columns().groups().size()) {}

  /// The share of all features together, from one fold and an approximate map.
  [[nodiscard]] double about() {
    add_fold(0, {8, 3e-2}, false);
    return total_ > 0.0 ? 1.0 - residual_[0] / total_ : 0.0;
  }

  [[nodiscard]] FitReport::Explained run() {
    for (std::size_t fold = 0; fold < folds; ++fold) add_fold(fold, FeatureSystem<Scalar>::exact(200), true);
    FitReport::Explained explained;
    const auto share = [&](std::size_t n) { return total_ > 0.0 ? 1.0 - residual_[n] / total_ : 0.0; };
    explained.share = share(0);
    const std::span<const FeatureColumns::Group> groups = side_.table.columns().groups();
    for (std::size_t g = 0; g < groups.size(); ++g) {
      double squares = 0.0;
      for (Index c = groups[g].first; c < groups[g].last && side_.has(MapKind::cold); ++c)
        for (const Scalar value : side_.map(MapKind::cold).row(c)) squares += static_cast<double>(value) * static_cast<double>(value);
      explained.groups.push_back(
          {groups[g].name, static_cast<std::size_t>(groups[g].last - groups[g].first), std::sqrt(squares), share(1 + g)});
    }
    return explained;
  }

 private:
  static constexpr std::size_t folds = 5;

  [[nodiscard]] static std::size_t fold_of(Index row) {
    Random random(0, RandomStream::sample, static_cast<std::uint64_t>(row));
    return random.below(static_cast<std::uint32_t>(folds));
  }

  void add_fold(std::size_t fold, const typename FeatureSystem<Scalar>::Limits& limits, bool factorise) {
    const CsrMatrix& all = side_.table.matrix();
    CsrBuilder kept(all.shape());
    for (Index r = 0; r < all.rows(); ++r) {
      const SparseRow row = all.row(r);
      const bool is_kept = fold_of(r) != fold;
      for (std::size_t n = 0; n < row.size() && is_kept; ++n) kept.add(row.columns[n], row.values[n]);
      kept.end_row();
    }
    const CsrMatrix others = kept.finish();
    const FeatureSystem<Scalar> system(others, penalties_, cold_ridge, execution_.simd, loop_of(execution_, 1), factorise);
    if (system.columns() == 0) return;
    FactorMatrix<Scalar> some(static_cast<Index>(system.columns()), factors_.factors());
    system.improve(factors_, some, limits);
    const FactorMatrix<Scalar> map = system.scatter(some);
    const std::vector<double> mean = system.mean_of(factors_);
    const std::vector<std::vector<double>> shifts = shifts_of(map, system.centre());
    for (Index r = 0; r < all.rows(); ++r)
      if (fold_of(r) == fold && !all.row(r).empty()) add_row(r, map, shifts, mean);
  }

  void add_row(Index r, const FactorMatrix<Scalar>& map, const std::vector<std::vector<double>>& shifts, const std::vector<double>& mean) {
    const std::span<const FeatureColumns::Group> groups = side_.table.columns().groups();
    const double weight = penalties_[static_cast<std::size_t>(r)];
    const std::size_t k = mean.size();
    std::vector<double> part(k), whole(k, 0.0);
    const auto left = [&](const std::vector<double>& predicted) {
      double squares = 0.0;
      for (std::size_t f = 0; f < k; ++f) {
        const double apart = static_cast<double>(factors_.row(r)[f]) - mean[f] - predicted[f];
        squares += apart * apart;
      }
      return weight * squares;
    };
    total_ += left(whole);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      std::fill(part.begin(), part.end(), 0.0);
      const SparseRow row = side_.table.row(r);
      for (std::size_t n = 0; n < row.size(); ++n)
        if (row.columns[n] >= groups[g].first && row.columns[n] < groups[g].last)
          add(map, row.columns[n], static_cast<double>(row.values[n]), part);
      for (std::size_t f = 0; f < k; ++f) part[f] -= shifts[g][f];
      residual_[1 + g] += left(part);
      for (std::size_t f = 0; f < k; ++f) whole[f] += part[f];
    }
    residual_[0] += left(whole);
  }

  static void add(const FactorMatrix<Scalar>& map, Index column, double value, std::vector<double>& to) {
    for (std::size_t f = 0; f < to.size(); ++f) to[f] += value * static_cast<double>(map.row(column)[f]);
  }

  /// A'centre of the columns of each group.
  [[nodiscard]] std::vector<std::vector<double>> shifts_of(const FactorMatrix<Scalar>& map, const std::vector<double>& centre) const {
    std::vector<std::vector<double>> shifts;
    for (const FeatureColumns::Group& one : side_.table.columns().groups()) {
      std::vector<double>& shift = shifts.emplace_back(static_cast<std::size_t>(map.factors()), 0.0);
      for (Index c = one.first; c < one.last; ++c) add(map, c, centre[static_cast<std::size_t>(c)], shift);
    }
    return shifts;
  }

  const FeatureSide<Scalar>& side_;
  const FactorMatrix<Scalar>& factors_;
  std::span<const double> penalties_;
  Execution execution_;
  double total_ = 0.0;
  std::vector<double> residual_;  // of all groups together, then of each
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
