// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/types.hpp>
#include <kindred/linalg/row_offsets.hpp>
#include <kindred/models/factor_lists.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0::detail {

/// ln(1 + users) of an item; a count of -1 is that of an item without users.
[[nodiscard]] inline double log_of_users(Index count) noexcept { return std::log1p(static_cast<double>((std::max)(count, Index{0}))); }

/// ln(1 + users) of each item.
[[nodiscard]] inline std::vector<float> log_popularity(std::span<const Index> counts) {
  std::vector<float> logs;
  logs.reserve(counts.size());
  for (const Index count : counts) logs.push_back(static_cast<float>(log_of_users(count)));
  return logs;
}

/// What lists add to scores beside the inner product: item offsets, biases, popularity, in this order.
class ListOffsets {
 public:
  /// `own` and `bias`: length items, or empty for none; `counts`: users of the items, or empty for no popularity. `order`: of the index, or empty for a scan.
  /// O(items).
  ListOffsets(std::vector<float> own, const std::vector<float>& bias, std::span<const Index> counts, std::span<const Index> order = {}) {
    if (!own.empty()) own_.emplace(std::move(own), order);
    if (!bias.empty()) bias_.emplace(bias, order);
    if (!counts.empty()) popularity_.emplace(log_popularity(counts), order);
  }
  /// Refers to this object. The first are item offsets, where `own` is not 0.
  [[nodiscard]] std::vector<WeightedOffsets> weighted(float own, float popularity) const {
    std::vector<WeightedOffsets> offsets;
    if (own_ && own != 0.0F) offsets.push_back({own, &*own_});
    if (bias_) offsets.push_back({1.0F, &*bias_});
    if (popularity_ && popularity != 0.0F) offsets.push_back({popularity, &*popularity_});
    return offsets;
  }

 private:
  std::optional<RowOffsets> own_, bias_, popularity_;
};

/// sd(score) / sd(ln(1 + users)) of one list; 0 where all its items have the same number of users.
[[nodiscard]] inline double score_per_log_user(std::span<const Scored> list, std::span<const Index> counts) {
  const auto logarithm = [&](const Scored& one) { return log_of_users(counts[static_cast<std::size_t>(one.item)]); };
  double mean_score = 0.0, mean_log = 0.0, scores = 0.0, logs = 0.0;
  for (const Scored& one : list) {
    mean_score += one.score / static_cast<double>(list.size());
    mean_log += logarithm(one) / static_cast<double>(list.size());
  }
  if (std::all_of(list.begin(), list.end(), [&](const Scored& one) {
        return counts[static_cast<std::size_t>(one.item)] == counts[static_cast<std::size_t>(list.front().item)];
      }))
    return 0.0;
  for (const Scored& one : list) {
    scores += (one.score - mean_score) * (one.score - mean_score);
    logs += (logarithm(one) - mean_log) * (logarithm(one) - mean_log);
  }
  return std::sqrt(scores / logs);
}

/// Units of score that one unit of ln(1 + users) is worth: the lower quartile over at most 1,000 users, evenly spaced among `known`, of
/// sd(score) / sd(ln(1 + users)) among the 100 items of highest score. 0 where no such list holds items of two popularities. O(1000 lists).
/// The quartile rather than the mean: for three users of four a penalty of 1 is then at most what their scores differ by. With the mean, three to four tenths
/// larger, a penalty of .3 fills lists of ML-1M with items of which next to nothing is known (NDCG@10 -9 %; benchmark popularity_dial).
template <typename ListsOf>
[[nodiscard]] double popularity_scale(std::span<const Index> known, std::span<const Index> counts, ListsOf&& lists_of) {
  constexpr std::size_t most_users = 1000;
  std::vector<Index> asked;
  const std::size_t n = (std::min)(known.size(), most_users);
  for (std::size_t at = 0; at < n; ++at) asked.push_back(known[at * known.size() / n]);
  const RankedLists lists = lists_of(std::span<const Index>(asked));
  std::vector<double> ratios;
  for (std::size_t at = 0; at < n; ++at) {
    const double ratio = score_per_log_user(lists.row(at), counts);
    if (ratio > 0.0 && is_finite(ratio)) ratios.push_back(ratio);
  }
  if (ratios.empty()) return 0.0;
  const auto quartile = ratios.begin() + static_cast<std::ptrdiff_t>((ratios.size() - 1) / 4);
  std::nth_element(ratios.begin(), quartile, ratios.end());
  return *quartile;
}

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// The scale of a model of factors: its lists are those of the users with factors.
template <Real Scalar>
[[nodiscard]] double popularity_scale(const Searched<Scalar>& searched, const FactorMatrix<Scalar>& users, const Execution& execution) {
  std::vector<Index> known;
  for (Index u = 0; u < users.rows(); ++u)
    if (is_known(users.row(u))) known.push_back(u);
  return popularity_scale(known, searched.counts, [&](std::span<const Index> asked) {
    return many_lists(searched, users, asked, {.count = 100, .execution = execution});
  });
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
