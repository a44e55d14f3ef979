// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/linalg/row_system.hpp>
#include <kindred/models/als/item_bias.hpp>
#include <kindred/models/als/weights.hpp>
#include <kindred/simd/kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// The right and left side of one row's system, built from its interactions; one per thread.
template <Real Scalar>
class RowAssembler {
 public:
  /// `bias`: of the items, for rows of users. @throws InvalidArgument if this processor does not have `level`.
  RowAssembler(const AlsWeights& weights, AlsSide side, SimdLevel level, const ItemBias<Scalar>& bias = {})
      : weights_(weights), side_(side), kernels_(row_kernels<Scalar>(level)), bias_(bias) {}

  /// Interactions that will be asked for soon: rows are visited by their length, so the processor cannot guess which comes next.
  void prefetch(const SparseRow& interactions) const {
    kernels_.prefetch(interactions.columns.data(), interactions.values.data(), interactions.size());
  }

  /// `strengths`: g of each interaction, or empty to compute them here. `row_background`: a_u or b_i of the row itself, of which the background
  /// gets `share`. `prior_mean`: of a row with features.
  /// The result refers to this object until the next call.
  /// @throws InvalidArgument naming user and item if a confidence is negative or not finite.
  [[nodiscard]] RowSystem<Scalar> assemble(Index row, const SparseRow& interactions, std::span<const Scalar> strengths,
                                           double row_background, double share = 1.0, std::span<const Scalar> prior_mean = {}) {
    const double pull = share * row_background;
    const std::size_t n = interactions.size();
    const std::size_t likes = weights_.likes_of(interactions);
    const double penalty = weights_.penalty(side_, likes, row_background);
    // Dislikes alone pull a row to 0, where it is; nothing may hold it there, with a penalty in proportion to the likes.
    if (likes == 0 && (prior_mean.empty() || (n > 0 && !(penalty > 0.0))))
      return {.columns = {}, .excess = {}, .target = {}, .background = 1.0, .penalty = 1.0, .prior_mean = {}};
    excess_.resize((n + 7) / 8 * 8);  // the kernel writes whole vectors
    target_.resize((n + 7) / 8 * 8);
    const AlsSide other = side_ == AlsSide::users ? AlsSide::items : AlsSide::users;
    const std::span<const double> column_background = weights_.background(other);
    if (!plain_terms(interactions, strengths, pull, column_background)) {
      const std::span<const Index> column_counts = weights_.counts(other);
      for (std::size_t at = 0; at < n; ++at) {
        const Index column = interactions.columns[at];
        const auto c = static_cast<std::size_t>(column);
        const float value = interactions.values[at];
        const auto own_count = static_cast<Offset>(n);
        const double strength = !strengths.empty()        ? static_cast<double>(strengths[at])
                                : side_ == AlsSide::users ? weights_.strength(value, own_count, column_counts[c])
                                                          : weights_.strength(value, column_counts[c], own_count);
        const auto [confidence, excess] =
            weights_.terms(strength, side_ == AlsSide::users ? column : row, pull, column_background.empty() ? 1.0 : column_background[c]);
        if (!(confidence >= 0.0) || !is_finite(confidence)) throw_bad_confidence(row, column, confidence);
        excess_[at] = excess;
        target_[at] = value > 0.0F ? confidence : 0.0;
      }
    }
    for (std::size_t at = 0; at < n && !bias_.values.empty(); ++at)  // the bias explains its part of every pair
      target_[at] -= excess_[at] * static_cast<double>(bias_.values[static_cast<std::size_t>(interactions.columns[at])]);
    return {.columns = interactions.columns,
            .excess = std::span<const double>(excess_).first(n),
            .target = std::span<const double>(target_).first(n),
            .background = weights_.unobserved_weight() * pull,
            .penalty = penalty,
            .prior_mean = prior_mean};
  }

  /// Adds to an assembled system what the background takes off for the biases: -background * pull on the right side, which stands there as part of a
  /// prior mean. `pull`: in the basis of the system. Refers to this object until the next call.
  void add_pull(RowSystem<Scalar>& system, std::span<const Scalar> pull) {
    if (pull.empty() || (system.columns.empty() && system.prior_mean.empty())) return;
    prior_.resize(pull.size());
    const double share = system.background / system.penalty;
    for (std::size_t f = 0; f < pull.size(); ++f)
      prior_[f] = static_cast<Scalar>((system.prior_mean.empty() ? 0.0 : static_cast<double>(system.prior_mean[f])) -
                                      share * static_cast<double>(pull[f]));
    system.prior_mean = prior_;
  }

 private:
  /// The terms of all interactions at once; false where columns differ in their base, or where a confidence is bad and has to be found.
  [[nodiscard]] bool plain_terms(const SparseRow& interactions, std::span<const Scalar> strengths, double row_background,
                                 std::span<const double> column_background) {
    if (!weights_.has_plain_terms() || !column_background.empty()) return false;
    if (weights_.strength_is_costly() && strengths.empty()) return false;
    const AlsWeights::Terms base = weights_.terms(0.0, 0, row_background, 1.0);
    return kernels_.terms({.values = interactions.values.data(),
                           .strengths = strengths.empty() ? nullptr : strengths.data(),
                           .count = interactions.size(),
                           .cap = weights_.cap(),
                           .alpha = weights_.alpha(),
                           .base = base.confidence,
                           .excess_base = base.excess,
                           .excess = excess_.data(),
                           .target = target_.data()});
  }

  [[noreturn]] void throw_bad_confidence(Index row, Index column, double confidence) const {
    const Index user = side_ == AlsSide::users ? row : column;
    const Index item = side_ == AlsSide::users ? column : row;
    throw InvalidArgument("the confidence of user " + std::to_string(user) + " and item " + std::to_string(item), confidence,
                          "finite and at least 0");
  }

  const AlsWeights& weights_;
  AlsSide side_;
  const RowKernels<Scalar>& kernels_;
  ItemBias<Scalar> bias_;
  AlignedVector<Scalar> prior_;
  AlignedVector<double> excess_;
  AlignedVector<double> target_;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
