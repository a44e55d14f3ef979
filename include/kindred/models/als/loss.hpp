// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/models/als/item_bias.hpp>
#include <kindred/models/als/prior_mean.hpp>
#include <kindred/models/als/report.hpp>
#include <kindred/models/als/state.hpp>
#include <kindred/simd/kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// The loss that AlsOptions documents, of a fit whose items are in the eigenbasis.
///
/// There the sum over all pairs of a_u b_i s^2 is sum_u a_u sum_f e_f x_uf^2: only observed pairs are visited. O(nnz factors + users factors).
template <Real Scalar>
class LossSum {
 public:
  /// `users`: the rows of this process. All references must outlive this object.
  LossSum(const AlsState<Scalar>& state, const SideData<Scalar>& users, SimdLevel simd)
      : state_(state), weights_(state.weights), users_(users), kernels_(row_kernels<Scalar>(simd)), simd_(simd) {
    const std::span<const double> background = weights_.background(AlsSide::items);
    pull_ = pull_of(state.items, state.item_bias, background);
    for (std::size_t i = 0; i < state.item_bias.size(); ++i) {
      const auto bias = static_cast<double>(state.item_bias[i]);
      bias_energy_ += (background.empty() ? 1.0 : background[i]) * bias * bias;
    }
  }

  /// The loss over the rows of all members of `team`.
  [[nodiscard]] FitReport::Loss total(const ParallelOptions& parallel, const Team& team) const {
    std::vector<Partial> partials((static_cast<std::size_t>(users_.rows.rows()) + loss_grain - 1) / loss_grain);
    users_.rows.for_each_block([&](const RowBlock& block) {
      const auto block_first = static_cast<std::size_t>(block.first);
      const std::size_t block_last = block_first + static_cast<std::size_t>(block.rows.rows());
      const std::size_t first_partial = block_first / loss_grain;
      const ParallelOptions by_partial{.threads = parallel.threads, .grain = 1, .executor = parallel.executor};
      parallel_for(
          (block_last + loss_grain - 1) / loss_grain - first_partial, by_partial, [&](std::size_t piece, std::size_t, std::size_t) {
            const std::size_t at = first_partial + piece;
            add_users(block, (std::max)(block_first, at * loss_grain), (std::min)(block_last, (at + 1) * loss_grain), partials[at]);
          });
    });
    if (team.size() > 1) {  // users are dealt in whole partial sums, so that all but one of the numbers that are added up here are 0
      std::vector<double> numbers;
      for (const Partial& partial : partials) numbers.insert(numbers.end(), {partial.loss, partial.confidence});
      team.sum(numbers);
      for (std::size_t n = 0; n < partials.size(); ++n) partials[n] = {numbers[2 * n], numbers[2 * n + 1]};
    }
    return added_up(partials);
  }

 private:
  struct Partial {
    double loss = 0.0;
    double confidence = 0.0;
  };
  struct Buffers {
    AlignedVector<double> exact;
    std::vector<double> scores;
    std::vector<Scalar> made;
  };

  void add_users(const RowBlock& block, std::size_t first, std::size_t last, Partial& partial) const {
    Buffers buffers{AlignedVector<double>(state_.users.stride(), 0.0), {}, {}};
    PriorMean<Scalar> prior(state_.features.users, MapKind::fit, simd_);
    const std::span<const double> background = weights_.background(AlsSide::users);
    for (std::size_t u = first; u < last; ++u) {
      const double a = background.empty() ? 1.0 : background[u];
      const std::span<const Scalar> x = state_.users.row(static_cast<Index>(u));
      const double squares = distance(x, prior.of_row(static_cast<Index>(u)));
      double energy = 0.0;
      for (std::size_t f = 0; f < state_.weights.settings().factors; ++f) {
        const double square = static_cast<double>(x[f]) * static_cast<double>(x[f]);
        energy += state_.eigenvalues[f] * square;
      }
      const bool biased = has_bias(x);  // then the background has (x . y + bias)^2
      if (biased) {
        energy += bias_energy_;
        for (std::size_t f = 0; f < x.size(); ++f) energy += 2.0 * static_cast<double>(x[f]) * static_cast<double>(pull_[f]);
      }
      const std::size_t count = weights_.likes_of(block.rows.row(static_cast<Index>(u) - block.first));
      partial.loss += weights_.penalty(AlsSide::users, count, a) * squares + weights_.unobserved_weight() * a * energy;
      add_observed(block, static_cast<Index>(u), a, buffers, partial);
    }
  }

  void add_observed(const RowBlock& block, Index user, double a, Buffers& buffers, Partial& partial) const {
    const SparseRow row = block.rows.row(user - block.first);
    const std::span<const Scalar> x = state_.users.row(user);
    std::copy(x.begin(), x.end(), buffers.exact.begin());
    buffers.scores.resize(row.size());
    kernels_.exact_dots({.fixed = state_.items.data(),
                         .stride = state_.items.stride(),
                         .factors = state_.weights.settings().factors,
                         .columns = row.columns.data(),
                         .count = row.size()},
                        buffers.exact.data(), buffers.scores.data());
    const bool biased = has_bias(x);
    const std::span<const Scalar> strengths = strengths_of(users_, weights_, block, user, buffers.made);
    const std::span<const double> item_background = weights_.background(AlsSide::items);
    for (std::size_t n = 0; n < row.size(); ++n) {
      const Index item = row.columns[n];
      const auto i = static_cast<std::size_t>(item);
      const double strength = strengths.empty()
                                  ? weights_.strength(row.values[n], static_cast<Offset>(row.size()), weights_.counts(AlsSide::items)[i])
                                  : static_cast<double>(strengths[n]);
      const auto [confidence, excess] = weights_.terms(strength, item, a, item_background.empty() ? 1.0 : item_background[i]);
      const double score = buffers.scores[n] + (biased ? static_cast<double>(state_.item_bias[i]) : 0.0);
      // c (p - s)^2 less the background that the sum over all pairs has counted for this one.
      const double preference = row.values[n] > 0.0F ? 1.0 : 0.0;
      partial.loss += excess * score * score + confidence * preference * (preference - 2.0 * score);
      partial.confidence += confidence;
    }
  }

  /// True for a user whose scores have the biases of items.
  [[nodiscard]] bool has_bias(std::span<const Scalar> x) const noexcept {
    return !pull_.empty() && std::any_of(x.begin(), x.end(), [](Scalar value) { return value != Scalar(0); });
  }

  /// |x - prior|^2; without a prior mean |x|^2.
  [[nodiscard]] static double distance(std::span<const Scalar> x, std::span<const Scalar> prior) {
    double squares = 0.0;
    for (std::size_t f = 0; f < x.size(); ++f) {
      const double apart = static_cast<double>(x[f]) - (prior.empty() ? 0.0 : static_cast<double>(prior[f]));
      squares += apart * apart;
    }
    return squares;
  }

  /// What the map of a side costs.
  [[nodiscard]] static double map_penalty(const FeatureSide<Scalar>& side) {
    double total = 0.0;
    const FactorMatrix<Scalar>& map = side.map(MapKind::fit);
    for (Index c = 0; c < map.rows(); ++c) total += side.ridge[static_cast<std::size_t>(c)] * distance(map.row(c), {});
    return total;
  }

  /// Adds the penalty of the items and of maps.
  [[nodiscard]] FitReport::Loss added_up(std::span<const Partial> partials) const {
    FitReport::Loss total;
    double confidence = 0.0;
    for (const Partial& partial : partials) {
      total.total += partial.loss;
      confidence += partial.confidence;
    }
    const std::span<const double> item_background = weights_.background(AlsSide::items);
    const std::span<const Index> item_counts = weights_.counts(AlsSide::items), item_likes = weights_.likes(AlsSide::items);
    PriorMean<Scalar> prior(state_.features.items, MapKind::fit, simd_);
    total.total += map_penalty(state_.features.users) + map_penalty(state_.features.items);
    for (Index i = 0; i < state_.items.rows(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      double squares = distance(state_.items.row(i), prior.of_row(i));
      if (!pull_.empty())
        squares += *weights_.settings().item_bias * static_cast<double>(state_.item_bias[at]) * static_cast<double>(state_.item_bias[at]);
      total.total +=
          weights_.penalty(AlsSide::items, static_cast<std::size_t>(item_likes[at]), item_background.empty() ? 1.0 : item_background[at]) *
          squares;
    }
    const double cells = static_cast<double>(weights_.shape().users) * static_cast<double>(weights_.shape().items);
    total.per_cell = total.total / cells;
    const double nnz = static_cast<double>(std::accumulate(item_counts.begin(), item_counts.end(), Offset{0}));
    total.loss_per_total_weight = total.total / (confidence + cells - nnz);
    return total;
  }

  const AlsState<Scalar>& state_;
  const AlsWeights& weights_;
  const SideData<Scalar>& users_;
  const RowKernels<Scalar>& kernels_;
  SimdLevel simd_;
  std::vector<Scalar> pull_;  // empty without biases
  double bias_energy_ = 0.0;  // sum of b_i bias_i^2
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
