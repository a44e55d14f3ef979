// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/models/als/automatic.hpp>
#include <kindred/models/als/fit.hpp>
#include <kindred/models/als/option_fields.hpp>
#include <kindred/models/als/row_shares.hpp>
#include <kindred/models/als/state.hpp>
#include <kindred/models/als/weights.hpp>
#include <kindred/simd/level.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Everything that decides about the result of a fit and must be the same in all members of a team.
template <Real Scalar>
[[nodiscard]] Digest digest_of(MatrixShape shape, Offset nnz, const AlsOptions& options, const AlsFitOptions<Scalar>& fit) {
  Digest digest;
  digest.add("users", shape.users);
  digest.add("items", shape.items);
  digest.add("interactions", nnz);
  visit_fields(options, [&](std::string_view name, const auto& field, const auto&...) { digest.add(name, field); });
  digest.add("record_loss", fit.record_loss);
  digest.add("score", static_cast<bool>(fit.score));
  digest.add("patience", fit.patience);
  digest.add("snapshot_every", fit.snapshot_every);
  digest.add("the iteration to resume from", fit.resume_from != nullptr ? fit.resume_from->iteration : std::size_t{0});
  const auto add_factors = [&](std::string_view name, const std::optional<FactorMatrix<Scalar>>& given) {
    const std::size_t count = given ? static_cast<std::size_t>(given->rows()) * given->stride() : 0;
    digest.add(name, given ? std::span<const Scalar>(given->data(), count) : std::span<const Scalar>());
  };
  add_factors("initial_users", fit.initial_users);
  add_factors("initial_items", fit.initial_items);
  return digest;
}

/// The lowest instruction level of a team: all use it, so that all compute the same bytes.
[[nodiscard]] inline SimdLevel lowest_level(const Team& team, SimdLevel asked) {
  SimdLevel level = SimdLevel::best;
  team.on([&] { level = resolve_level(asked); });
  const std::vector<double> levels = team.all_of(static_cast<double>(level));
  return static_cast<SimdLevel>(static_cast<int>(*std::min_element(levels.begin(), levels.end())));
}

/// The parts of a fitted model, the report, and the instruction level of its bytes.
template <Real Scalar>
using FittedState = std::pair<std::pair<AlsState<Scalar>, FitReport>, SimdLevel>;

/// The interactions of `train`, which is in memory, with other values; nothing without values.
[[nodiscard]] inline CsrView with_values(const RowsRef& train, std::span<const float> values) {
  if (values.empty()) return {};
  const CsrView rows = train.block(0).rows;
  return CsrView(unchecked, rows.shape(), rows.offsets(), rows.columns(), values);
}

/// A fit by this process. `total`: when fit was called.
template <Real Scalar>
[[nodiscard]] FittedState<Scalar> fit_alone(const AlsOptions& options, const RowsRef& train, const RowsRef& by_items,
                                            const AlsFitOptions<Scalar>& fit, const Stopwatch& total) {
  std::vector<Index> user_counts = checked_row_counts(train, "train");
  std::vector<Index> item_counts = checked_row_counts(by_items, "train by items");
  const Stopwatch choice;
  const AlsSettings settings = settings_for<Scalar>(options, train, fit.execution, fit.progress);
  const double choice_seconds = leaves_open(options) ? choice.seconds() : 0.0;
  const CsrView values = with_values(train, fit.undecayed);
  const RowsRef undecayed(values);
  AlsWeights weights(settings, train, std::move(user_counts), std::move(item_counts), train.nnz(), Team(), loop_of(fit.execution, 1),
                     fit.undecayed.empty() ? nullptr : &undecayed);
  AlsFit<Scalar> work(options, std::move(weights), train, by_items, fit, total, choice_seconds);
  return {work.run(), resolve_level(fit.execution.simd)};
}

/// A fit by all members of given.team, each of which has all interactions at hand and reads those of the rows that it solves.
template <Real Scalar>
[[nodiscard]] FittedState<Scalar> fit_by_team(const AlsOptions& options, const SideRef& users, const SideRef& items,
                                              const AlsFitOptions<Scalar>& given, const Stopwatch& total) {
  const Team& team = *given.team;
  if (!users.is_shareable() || !items.is_shareable())
    throw InvalidArgument("team", "set", "unset for a source of which a part of the rows cannot be read alone");
  team.agree(digest_of<Scalar>(users.rows.shape(), users.rows.nnz(), options, given));
  AlsFitOptions<Scalar> fit = given;
  fit.execution.simd = lowest_level(team, fit.execution.simd);
  const std::vector<double> asks = team.all_of(fit.progress ? 1.0 : 0.0);
  if (*std::max_element(asks.begin(), asks.end()) > 0.0)
    fit.progress = [&team, own = std::move(fit.progress)](const Progress& progress) {
      return team.answer_of_first<ProgressAnswer>([&] { return own ? own(progress) : ProgressAnswer::keep_going; });
    };

  std::vector<Index> user_counts = users.counts(), item_counts = items.counts();
  const Stopwatch choice;
  const AlsSettings settings = settings_for<Scalar>(options, users.rows, fit.execution, fit.progress);
  const double choice_seconds = leaves_open(options) ? choice.seconds() : 0.0;
  const RankShares shares{row_shares(user_counts, settings, team.size(), static_cast<Index>(loss_grain)),
                          row_shares(item_counts, settings, team.size(), 1)};
  const auto own_rows = [&](const SideRef& side, const std::vector<std::uint64_t>& starts, const char* what) {
    const auto first = static_cast<Index>(starts[team.rank()]), last = static_cast<Index>(starts[team.rank() + 1]);
    OwnedRows own = side.between(first, last);
    (void)checked_row_counts(own.rows, what, first, last);
    return own;
  };
  const OwnedRows own_users = own_rows(users, shares.users, "train"), own_items = own_rows(items, shares.items, "train by items");
  AlsWeights weights(settings, own_users.rows, std::move(user_counts), std::move(item_counts), users.rows.nnz(), team,
                     loop_of(fit.execution, 1));
  AlsFit<Scalar> work(options, std::move(weights), own_users.rows, own_items.rows, fit, total, choice_seconds, shares);
  return {work.run(), fit.execution.simd};
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
