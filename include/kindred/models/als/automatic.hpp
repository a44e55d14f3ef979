// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/random.hpp>
#include <kindred/core/thread_team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/data/statistics.hpp>
#include <kindred/data/transposed.hpp>
#include <kindred/linalg/truncated_svd.hpp>
#include <kindred/models/als/constants.hpp>
#include <kindred/models/als/settings.hpp>
#include <kindred/models/als/spectral_start.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Chooses what Units::data leaves to the data.
///
/// The penalty follows the structure of the data beyond the counts of users and items: the energy of the singular values 2 to 32 of the likes,
/// relative to a copy in which every user drew as many items by popularity alone. Such a copy keeps the counts and has no taste.
/// The constants were fitted to public data sets (docs/settings.md).
template <Real Scalar>
class AutomaticSettings {
 public:
  /// Singular values measured.
  static constexpr std::size_t values = 32;

  /// `options` leave something open. All references must outlive this object.
  AutomaticSettings(const AlsOptions& options, const RowsRef& train, const Execution& execution, std::function<void()> between = {})
      : options_(options), train_(train), execution_(execution), between_(std::move(between)) {}

  /// O(interactions * 42). @throws what `between`, which is called after each product, throws.
  [[nodiscard]] ChosenSettings run() {
    ChosenSettings chosen;
    chosen.factors = automatic_factors(train_.cols());
    if (options_.regularization && options_.background.item_exponent && options_.confidence.popularity_damping) return chosen;
    const CsrMatrix sample = sample_of_likes();
    if (sample.nnz() == 0) return chosen;  // weights will say so
    const std::vector<Index> counts = column_counts(sample);
    const double inequality = statistics::gini(std::vector<double>(counts.begin(), counts.end()));
    chosen.item_exponent = (std::min)(0.2, 1.2 * (std::max)(0.0, 0.7 - inequality));
    chosen.popularity_damping = 0.5 * chosen.item_exponent;
    if (options_.regularization) return chosen;
    const double copy = energy_of(copy_without_taste(sample));
    const double structure = copy > 0.0 ? energy_of(sample) / copy : 1.0;
    chosen.regularization = (std::clamp)(0.55 * std::pow((std::max)(structure, 1e-3), -1.5), 0.03, highest_regularization(sample, counts));
    return chosen;
  }

 private:
  /// A matrix of ones in these columns.
  [[nodiscard]] CsrMatrix ones_in(std::vector<Offset> offsets, std::vector<Index> columns) const {
    const MatrixShape shape{static_cast<Index>(offsets.size() - 1), train_.cols()};
    std::vector<float> ones(columns.size(), 1.0F);
    return CsrMatrix(shape, std::move(offsets), std::move(columns), std::move(ones));
  }

  /// The likes of all users, or of every n-th of them where there are too many.
  [[nodiscard]] CsrMatrix sample_of_likes() const {
    const Index step = sample_step(train_.nnz());
    std::vector<Offset> offsets{0};
    std::vector<Index> columns;
    train_.for_each_block([&](const RowBlock& block) {
      for (Index r = 0; r < block.rows.rows(); ++r) {
        if ((block.first + r) % step != 0) continue;
        const SparseRow row = block.rows.row(r);
        for (std::size_t n = 0; n < row.size(); ++n)
          if (row.values[n] > 0.0F) columns.push_back(row.columns[n]);
        offsets.push_back(static_cast<Offset>(columns.size()));
      }
    });
    return ones_in(std::move(offsets), std::move(columns));
  }

  /// Short rows need a higher penalty where there is no structure: .8 (m_u^(-1/2) + m_i^(-1/2))^2, the square of the largest singular value of noise
  /// in a matrix whose used rows and columns have m_u and m_i likes (Marchenko and Pastur 1967), within [.25, .6].
  [[nodiscard]] double highest_regularization(const CsrMatrix& sample, const std::vector<Index>& item_likes) const {
    Index users = 0;
    for (Index r = 0; r < sample.rows(); ++r) users += sample.row(r).size() > 0 ? 1 : 0;
    const auto items = std::count_if(item_likes.begin(), item_likes.end(), [](Index likes) { return likes > 0; });
    const auto likes = static_cast<double>(sample.nnz());
    const double per_user = likes / users, per_item = likes * sample_step(train_.nnz()) / static_cast<double>(items);
    const double edge = 1.0 / std::sqrt(per_user) + 1.0 / std::sqrt(per_item);
    return (std::clamp)(0.8 * edge * edge, 0.25, 0.6);
  }

  /// Each row draws as many items as it has, in proportion to their counts; an item drawn twice counts once.
  [[nodiscard]] CsrMatrix copy_without_taste(const CsrMatrix& sample) const {
    const std::span<const Index> drawn_from = sample.columns();  // each item as often as it is liked
    std::vector<Index> columns(drawn_from.size());
    std::vector<Offset> offsets(static_cast<std::size_t>(sample.rows()) + 1, 0);
    for_each_piece(RowsRef(sample), 256, loop_of(execution_, 1), [&](const RowBlock&, Index first, Index last, std::size_t) {
      for (Index r = first; r < last; ++r) {
        Random random(options_.seed, RandomStream::structure, static_cast<std::uint64_t>(r));
        const std::span<Index> row = std::span(columns).subspan(sample.view().row_begin(r), sample.row(r).size());
        for (Index& item : row) item = drawn_from[random.below(static_cast<std::uint32_t>(drawn_from.size()))];
        std::sort(row.begin(), row.end());
        offsets[static_cast<std::size_t>(r) + 1] = static_cast<Offset>(std::unique(row.begin(), row.end()) - row.begin());
      }
    });
    for (Index r = 0; r < sample.rows(); ++r) {  // close the gaps
      const auto at = static_cast<std::size_t>(r);
      const auto from = columns.begin() + static_cast<std::ptrdiff_t>(sample.view().row_begin(r));
      std::copy(from, from + offsets[at + 1], columns.begin() + offsets[at]);
      offsets[at + 1] += offsets[at];
    }
    columns.resize(static_cast<std::size_t>(offsets.back()));
    return ones_in(std::move(offsets), std::move(columns));
  }

  /// The sum of the squares of the singular values 2 to 32 of the likes.
  [[nodiscard]] double energy_of(const CsrMatrix& likes) const {
    const Transposed transposed(likes, loop_of(execution_, 1));
    const CsrView by_items = transposed.view();
    const SvdOptions wanted{.count = values,
                            .seed = options_.seed,
                            .vectors = SvdVectors::none,
                            .level = execution_.simd,
                            .parallel = loop_of(execution_, 1),
                            .after_product = [this](std::size_t, std::size_t) {
                              if (between_) between_();
                            }};
    const std::vector<double> found = svd_of_likes<Scalar>(RowsRef(likes), RowsRef(by_items), wanted).svd.values;
    double energy = 0.0;
    for (std::size_t f = 1; f < found.size(); ++f) energy += found[f] * found[f];
    return energy;
  }

  const AlsOptions& options_;
  const RowsRef& train_;
  const Execution& execution_;
  std::function<void()> between_;
};

/// The settings of a fit on `train`, with what `options` leave open chosen from it; `progress` is asked after every product.
/// @throws Cancelled.
template <Real Scalar>
[[nodiscard]] AlsSettings settings_for(const AlsOptions& options, const RowsRef& train, const Execution& execution,
                                       const ProgressCallback& progress = {}) {
  if (!leaves_open(options)) return settings_of(options);
  const Stopwatch watch;
  std::size_t done = 0;
  const auto ask = [&] {
    const Progress now{.what = "choosing options", .done = ++done, .total = 8, .elapsed_seconds = watch.seconds()};
    if (progress && progress(now) == ProgressAnswer::cancel) throw Cancelled("fit");
  };
  ThreadTeam team(execution.executor);
  Execution run = execution;
  run.executor = team.executor();
  return settings_of(options, AutomaticSettings<Scalar>(options, train, run, ask).run());
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
