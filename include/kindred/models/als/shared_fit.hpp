// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
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

/// A fit by all members of fit.team, each of which has all of `train` at hand and solves the rows of its run: fit.execution.simd becomes the level of all,
/// and fit.progress asks rank 0. `refits`: the model is fitted already.
template <Real Scalar, ShareableSource Source>
[[nodiscard]] std::pair<AlsState<Scalar>, FitReport> fit_by_team(const AlsOptions& options, const Source& train, bool refits,
                                                                 AlsFitOptions<Scalar>& fit) {
  const Team& team = *fit.team;
  std::optional<std::pair<AlsState<Scalar>, FitReport>> fitted;
  team.together([&] {
    const MatrixShape shape = train.shape();
    team.agree(digest_of<Scalar>(shape, train.nnz(), options, fit));
    fit.execution.simd = lowest_level(team, fit.execution.simd);
    const std::vector<double> asks = team.all_of(fit.progress ? 1.0 : 0.0);
    if (*std::max_element(asks.begin(), asks.end()) > 0.0)
      fit.progress = [&team, own = std::move(fit.progress)](const Progress& progress) {
        return team.answer_of_first<ProgressAnswer>([&] { return own ? own(progress) : ProgressAnswer::keep_going; });
      };

    const Stopwatch total;
    check_fit(options, shape, train.nnz(), std::convertible_to<const Source&, CsrView>, refits, fit);
    const auto& by_items = transpose(train);
    std::vector<Index> user_counts = row_counts(train), item_counts = row_counts(by_items);
    const Stopwatch choice;
    const AlsSettings settings = settings_for<Scalar>(options, RowsRef(train), fit.execution, fit.progress);
    const double choice_seconds = leaves_open(options) ? choice.seconds() : 0.0;
    const RankShares shares{row_shares(user_counts, settings, team.size(), static_cast<Index>(loss_grain)),
                            row_shares(item_counts, settings, team.size(), 1)};
    const auto own_rows = [&](const auto& source, const std::vector<std::uint64_t>& starts, std::string_view what) {
      const auto first = static_cast<Index>(starts[team.rank()]), last = static_cast<Index>(starts[team.rank() + 1]);
      auto rows = rows_between(source, first, last);
      (void)checked_row_counts(RowsRef(rows), std::string(what), first, last);
      return rows;
    };
    const auto own_users = own_rows(train, shares.users, "train");
    const auto own_items = own_rows(by_items, shares.items, "train by items");
    const RowsRef users(own_users), items(own_items);
    AlsWeights weights(settings, users, std::move(user_counts), std::move(item_counts), train.nnz(), team);
    fitted.emplace(AlsFit<Scalar>(options, std::move(weights), users, items, fit, total, shares).run());
    FitReport& report = fitted->second;
    report.choice_seconds = choice_seconds;
    report.prepare_seconds -= choice_seconds;
    report.seconds = total.seconds();
  });
  return std::move(*fitted);
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
