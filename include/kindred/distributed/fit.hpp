// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/distributed/agreement.hpp>
#include <kindred/distributed/communicator.hpp>
#include <kindred/distributed/row_shares.hpp>
#include <kindred/models/als/weights.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/simd/level.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Everything that decides about the result of a fit and must be the same on all ranks.
template <Real Scalar>
[[nodiscard]] CommonValues common_values(MatrixShape shape, Offset nnz, const AlsOptions& options,
                                         const AlsFitOptions<Scalar>& fit_options) {
  CommonValues common;
  common.add(shape);
  common.add("interactions", nnz);
  common.add(options);
  common.add("record_loss", fit_options.record_loss);
  common.add("snapshot_every", fit_options.snapshot_every);
  common.add("the iteration to resume from", fit_options.resume_from != nullptr ? fit_options.resume_from->iteration : std::size_t{0});
  const auto add_factors = [&](std::string_view name, const std::optional<FactorMatrix<Scalar>>& given) {
    const std::size_t count = given ? static_cast<std::size_t>(given->rows()) * given->stride() : 0;
    common.add(name, given ? std::span<const Scalar>(given->data(), count) : std::span<const Scalar>());
  };
  add_factors("initial_users", fit_options.initial_users);
  add_factors("initial_items", fit_options.initial_items);
  return common;
}

/// A callback that asks `own` of rank 0 and gives all ranks its answer. What it refers to must outlive it.
template <Communicator C>
[[nodiscard]] ProgressCallback shared_progress(C& communicator, Agreement<C>& agree, ProgressCallback own) {
  return [&communicator, &agree, own = std::move(own)](const Progress& progress) {
    auto answer = static_cast<std::uint8_t>(ProgressAnswer::keep_going);
    agree.on([&] {
      if (communicator.rank() == 0 && own) answer = static_cast<std::uint8_t>(own(progress));
    });
    communicator.broadcast(std::as_writable_bytes(std::span(&answer, 1)), 0);
    return static_cast<ProgressAnswer>(answer);
  };
}

/// The exchanges of a fit by all ranks. `users`, `items`: where the run of each rank begins. What it refers to must outlive it.
template <Real Scalar, Communicator C>
[[nodiscard]] FitPartners<Scalar> fit_partners(C& communicator, Agreement<C>& agree, const SumOverAll& sum, const std::vector<Index>& users,
                                               const std::vector<Index>& items) {
  FitPartners<Scalar> partners;
  partners.rank = communicator.rank();
  partners.ranks = communicator.size();
  partners.gather = [&communicator, &agree, ranks = partners.ranks](std::span<double> numbers, std::size_t pieces) {
    agree(nullptr);
    std::vector<std::uint64_t> starts;
    for (std::size_t r = 0; r <= ranks; ++r) starts.push_back(pieces * r / ranks);
    communicator.all_gather_v(std::as_writable_bytes(numbers), starts, numbers.size_bytes() / pieces);
  };
  partners.sum = sum;
  partners.agree = [&agree](const std::exception_ptr& error) { agree(error); };
  partners.exchange = [&communicator, &users, &items](AlsSide side, FactorMatrix<Scalar>& solved) {
    std::vector<std::uint64_t> starts;
    for (const Index row : side == AlsSide::users ? users : items) starts.push_back(static_cast<std::uint64_t>(row));
    const std::size_t row_bytes = solved.stride() * sizeof(Scalar);
    communicator.all_gather_v(std::as_writable_bytes(std::span(solved.data(), static_cast<std::size_t>(solved.rows()) * solved.stride())),
                              starts, row_bytes);
  };
  return partners;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

namespace kindred::inline v0::inline KINDRED_BUILD {

/// ImplicitALS::fit by all ranks of `communicator` together, each with the same options and the same `train`: the same bytes of factors on every rank, whatever
/// their number, as one process gives at the lowest SIMD level among them.
///
/// A rank solves a run of users and a run of items of about the same cost, and reads the interactions of these alone; after each half-step all factors are
/// gathered. Beside what fit takes, each rank holds all factors, and receives (ranks - 1) / ranks of them an iteration, and as much of the blocks that Gram
/// matrices are summed of.
/// Callbacks: `progress` of rank 0 alone is asked, for all; `after_iteration` and `on_snapshot` are called on every rank that has them.
/// Where a rank fails, all throw: that one its error, the others an Error that names the rank, and every model is as it was.
/// @throws as ImplicitALS::fit does; InvalidArgument if ranks differ in shape, interactions or options.
template <Communicator C, Real Scalar, detail::ShareableSource Source>
FitReport fit_distributed(C& communicator, ImplicitALS<Scalar>& model, const Source& train,
                          typename ImplicitALS<Scalar>::FitOptions fit_options = {}) {
  detail::Agreement<C> agree(communicator);
  const detail::SumOverAll sum = [&](std::span<double> numbers) {
    agree(nullptr);
    communicator.all_reduce(numbers);
  };
  const std::size_t rank = communicator.rank(), ranks = communicator.size();
  FitReport report;
  std::optional<ImplicitALS<Scalar>> fitted;
  agree.together([&] {
    const AlsOptions& options = model.options();
    SimdLevel level = detail::resolve_level(fit_options.execution.simd);
    const MatrixShape shape = train.shape();
    const detail::CommonValues common = detail::common_values<Scalar>(shape, train.nnz(), options, fit_options);
    agree(nullptr);
    common.check(communicator);
    bool asks_progress = false;
    for (const auto& [their_level, their_progress] :
         detail::gathered<C, 2>(communicator, {static_cast<double>(level), fit_options.progress ? 1.0 : 0.0})) {
      level = (std::min)(level, static_cast<SimdLevel>(static_cast<int>(their_level)));
      asks_progress = asks_progress || their_progress > 0.0;
    }
    fit_options.execution.simd = level;
    if (asks_progress) fit_options.progress = detail::shared_progress(communicator, agree, fit_options.progress);

    const auto& by_items = transpose(train);
    detail::check_fit(options, shape, train.nnz(), std::convertible_to<const Source&, CsrView>, false, fit_options);
    std::vector<Index> user_counts = row_counts(train), item_counts = row_counts(by_items);
    const detail::AlsSettings settings =
        detail::settings_for<Scalar>(options, detail::RowsRef(train), fit_options.execution, fit_options.progress);
    // Where the run of each rank begins.
    const std::vector<Index> users =
        row_shares(user_counts, detail::filled_in(options, settings), ranks, static_cast<Index>(detail::loss_grain));
    const std::vector<Index> items = row_shares(item_counts, detail::filled_in(options, settings), ranks, 1);
    const auto own_users = rows_between(train, users[rank], users[rank + 1]);
    const auto own_items = rows_between(by_items, items[rank], items[rank + 1]);
    (void)detail::checked_row_counts(detail::RowsRef(own_users), "train", users[rank], users[rank + 1]);
    (void)detail::checked_row_counts(detail::RowsRef(own_items), "train by items", items[rank], items[rank + 1]);
    const detail::RowsRef own_user_rows(own_users);
    const auto partners = detail::fit_partners<Scalar>(communicator, agree, sum, users, items);
    const detail::Stopwatch total;
    detail::AlsWeights weights(settings, own_user_rows, std::move(user_counts), std::move(item_counts), train.nnz(), sum);
    detail::AlsFit<Scalar> work(options, std::move(weights), own_user_rows, detail::RowsRef(own_items), fit_options, total, &partners);
    auto [state, done] = work.run();
    fitted.emplace(std::move(state), level);
    report = std::move(done);
    report.seconds = total.seconds();
  });
  model = std::move(*fitted);
  return report;
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
