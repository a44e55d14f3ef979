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

namespace kindred::inline v0::inline KINDRED_BUILD {

/// ImplicitALS::fit by all ranks of `communicator` together, each with the same options and the same `train`: the same bytes of factors on every rank, whatever
/// their number, as one process gives at the lowest SIMD level among them.
///
/// A rank solves a run of users and a run of items of about the same cost, and reads the interactions of these alone; after each half-step all factors are
/// gathered. Beside what fit takes, each rank holds all factors, and receives (ranks - 1) / ranks of them an iteration, and as much of the blocks that Gram
/// matrices are summed of (distributed/plan.hpp).
/// Callbacks: `progress` of rank 0 alone is asked, for all; `after_iteration` and `on_snapshot` are called on every rank that has them.
/// Where a rank fails, all throw: that one its error, the others an Error that names the rank, and every model is as it was.
/// @throws as ImplicitALS::fit does; InvalidArgument if ranks differ in shape, interactions or options.
template <Communicator C, Real Scalar, ShareableSource Source>
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
    AlsOptions options = model.options();
    SimdLevel level = resolve_level(options.simd);
    const MatrixShape shape = train.shape();
    detail::CommonValues common;
    common.add(shape);
    common.add("interactions", train.nnz());
    common.add(options);
    common.add("start_power_steps", options.start_power_steps);
    common.add("record_loss", fit_options.record_loss);
    common.add("snapshot_every", fit_options.snapshot_every);
    common.add("the iteration to resume from", fit_options.resume_from != nullptr ? fit_options.resume_from->iteration : std::size_t{0});
    const auto add_factors = [&](std::string_view name, const std::optional<FactorMatrix<Scalar>>& given) {
      const std::size_t count = given ? static_cast<std::size_t>(given->rows()) * given->stride() : 0;
      common.add(name, given ? std::span<const Scalar>(given->data(), count) : std::span<const Scalar>());
    };
    add_factors("initial_users", fit_options.initial_users);
    add_factors("initial_items", fit_options.initial_items);
    agree(nullptr);
    common.check(communicator);
    bool asks_progress = false;
    for (const auto& [their_level, their_progress] :
         detail::gathered<C, 2>(communicator, {static_cast<double>(level), fit_options.progress ? 1.0 : 0.0})) {
      level = (std::min)(level, static_cast<SimdLevel>(static_cast<int>(their_level)));
      asks_progress = asks_progress || their_progress > 0.0;
    }
    options.simd = level;
    if (asks_progress)
      fit_options.progress = [&, own = fit_options.progress](const Progress& progress) {
        auto answer = static_cast<std::uint8_t>(ProgressAnswer::keep_going);
        agree.on([&] {
          if (rank == 0 && own) answer = static_cast<std::uint8_t>(own(progress));
        });
        communicator.broadcast(std::as_writable_bytes(std::span(&answer, 1)), 0);
        return static_cast<ProgressAnswer>(answer);
      };

    const auto& by_items = transpose(train);
    detail::check_fit(options, shape, train.nnz(), std::convertible_to<const Source&, CsrView>, false, fit_options);
    std::vector<Index> user_counts = row_counts(train), item_counts = row_counts(by_items);
    // Where the run of each rank begins.
    const std::vector<Index> users = row_shares(user_counts, options, ranks, static_cast<Index>(detail::loss_grain));
    const std::vector<Index> items = row_shares(item_counts, options, ranks, 1);
    const auto own_users = rows_between(train, users[rank], users[rank + 1]);
    const auto own_items = rows_between(by_items, items[rank], items[rank + 1]);
    (void)detail::checked_row_counts(detail::RowsRef(own_users), "train", users[rank], users[rank + 1]);
    (void)detail::checked_row_counts(detail::RowsRef(own_items), "train by items", items[rank], items[rank + 1]);
    std::optional<double> cap = options.value_cap;
    if (options.value_cap_quantile)
      cap = detail::magnitude_quantile(detail::RowsRef(own_users), *options.value_cap_quantile, train.nnz(), sum);

    detail::FitPartners<Scalar> partners;
    partners.rank = rank;
    partners.ranks = ranks;
    partners.gather = [&](std::span<double> numbers, std::size_t pieces) {
      agree(nullptr);
      std::vector<std::uint64_t> starts;
      for (std::size_t r = 0; r <= ranks; ++r) starts.push_back(partners.share(pieces, r));
      communicator.all_gather_v(std::as_writable_bytes(numbers), starts, numbers.size_bytes() / pieces);
    };
    partners.sum = sum;
    partners.agree = [&](const std::exception_ptr& error) { agree(error); };
    partners.exchange = [&](detail::AlsSide side, FactorMatrix<Scalar>& solved) {
      std::vector<std::uint64_t> starts;
      for (const Index row : side == detail::AlsSide::users ? users : items) starts.push_back(static_cast<std::uint64_t>(row));
      const std::size_t row_bytes = solved.stride() * sizeof(Scalar);
      communicator.all_gather_v(std::as_writable_bytes(std::span(solved.data(), static_cast<std::size_t>(solved.rows()) * solved.stride())),
                                starts, row_bytes);
    };
    const Stopwatch total;
    detail::AlsFit<Scalar> work(options, detail::AlsWeights(options, std::move(user_counts), std::move(item_counts), cap),
                                detail::RowsRef(own_users), detail::RowsRef(own_items), fit_options, total, &partners);
    auto [state, done] = work.run();
    state.options.simd = model.options().simd;  // the level that all ranks have was for the fit alone
    fitted.emplace(std::move(state));
    report = std::move(done);
    report.seconds = total.seconds();
  });
  model = std::move(*fitted);
  return report;
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
