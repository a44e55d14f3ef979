// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/types.hpp>
#include <kindred/evaluation/report.hpp>
#include <kindred/metrics/mean_and_error.hpp>
#include <kindred/metrics/ranking.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0 {

/// What compare looks at.
struct CompareOptions {
  Metric metric = Metric::ndcg;
  std::size_t cutoff = 10;   ///< One of those that both reports have.
  double confidence = 0.95;  ///< (0, 1), of the interval.
};

/// A mean difference, second minus first, and how sure it is.
struct MeanDifference : MeanAndError {
  double low = 0.0;  ///< The interval of the confidence asked for.
  double high = 0.0;
  double p_value = 1.0;  ///< Two-sided, of a mean difference of 0.
};

/// Two models on the same users of one split.
struct Comparison {
  double first = 0.0;  ///< Mean of the metric.
  double second = 0.0;
  MeanDifference difference;
  Index first_better = 0;  ///< Users.
  Index second_better = 0;
  Index ties = 0;
};

/// How far the lists of two models agree.
struct ListAgreement {
  double overlap = 0.0;        ///< Mean over users of the share of the first K that both lists hold, over the longer of the two.
  double same_lists = 0.0;     ///< Share of users whose first K are the same items in the same order.
  double same_first = 0.0;     ///< Share of users whose first item is the same.
  double rank_drift = 0.0;     ///< Mean |rank in one - rank in the other| of items that both hold, in places.
  double worst_overlap = 0.0;  ///< The smallest overlap of a user.
};

/// Two models on one split: the mean difference over users, second minus first, with a paired t interval.
///
/// Both reports: from evaluate with keep_per_user, over the same users. It says how sure the difference is for users like these on this split; how much
/// it depends on the split is another question (compare_splits). O(users).
/// @throws InvalidArgument if a report has no per-user scores, lacks the cutoff, or has fewer than two users; ShapeError if the users differ.
[[nodiscard]] KINDRED_ONCE Comparison compare(const RankingReport& first, const RankingReport& second, const CompareOptions& options = {});

/// Two models on several windows in time: the mean difference over windows, second minus first, each window counting the same, with a paired t interval over
/// windows.
///
/// Element n of both: the reports of window n, from evaluate with keep_per_user over the same users; at least 2 windows, which do not overlap. `first` and
/// `second` of the answer are means over windows, its counts are of users in windows. The difference of one window, over its users, is compare() of two
/// reports. O(users of all windows).
/// @throws ShapeError if the numbers of windows differ; InvalidArgument if there are fewer than 2; both as compare() of two reports does.
[[nodiscard]] KINDRED_ONCE Comparison compare(std::span<const RankingReport> first, std::span<const RankingReport> second,
                                              const CompareOptions& options = {});

/// Two models over several random splits of the same data: the corrected resampled t test.
///
/// `differences`: second minus first, one mean a split, at least 5. Splits share most of their train data, so that a plain t test over them is far
/// too sure; the variance is taken (1 / splits + test / train) times instead of 1 / splits. `test_fraction`: share held out, (0, 1).
/// @throws InvalidArgument if there are fewer than 5 differences, one is not finite, or an option is out of range.
/// Source: Nadeau and Bengio 2003, section 3.
[[nodiscard]] KINDRED_ONCE MeanDifference compare_splits(std::span<const double> differences, double test_fraction,
                                                         double confidence = 0.95);

/// P values of several comparisons, corrected so that the chance of any false claim among them stays what one p value promises: in the order given.
/// @throws InvalidArgument if one is outside [0, 1]. Source: Holm 1979.
[[nodiscard]] KINDRED_ONCE std::vector<double> holm(std::span<const double> p_values);

/// Whether two models would show people much the same: before one replaces the other. Both lists of a user at a place of `first` and `second`; the first
/// `cutoff` items count. Users with two empty lists agree. O(users * cutoff log cutoff).
/// @throws ShapeError if the numbers of users differ; InvalidArgument if there are none, or `cutoff` is 0.
[[nodiscard]] KINDRED_ONCE ListAgreement compare_lists(const RankedLists& first, const RankedLists& second, std::size_t cutoff = 10);

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/evaluation/compare.ipp>  // IWYU pragma: export
#endif
