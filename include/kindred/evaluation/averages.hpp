// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include <kindred/core/types.hpp>
#include <kindred/evaluation/evaluate_options.hpp>
#include <kindred/evaluation/measured_lists.hpp>
#include <kindred/evaluation/report.hpp>
#include <kindred/metrics/beyond_accuracy.hpp>
#include <kindred/metrics/ranking.hpp>

namespace kindred::inline v0::detail {

/// Averages of the chosen users (positions in `scores`, one row of cutoffs a user). All metrics in two passes over the scores, which do not fit a cache;
/// the sums are those of mean_and_error().
[[nodiscard]] inline std::vector<CutoffReport> average(std::span<const RankingScores> scores, std::span<const std::size_t> chosen,
                                                       std::span<const std::size_t> cutoffs) {
  struct Place {
    double RankingScores::*from;
    MeanAndError CutoffReport::*to;
  };
  constexpr Place metrics[] = {
      {&RankingScores::precision, &CutoffReport::precision}, {&RankingScores::recall, &CutoffReport::recall},
      {&RankingScores::ndcg, &CutoffReport::ndcg},           {&RankingScores::average_precision, &CutoffReport::map},
      {&RankingScores::reciprocal_rank, &CutoffReport::mrr}, {&RankingScores::hit_rate, &CutoffReport::hit_rate}};
  std::vector<CutoffReport> reports(cutoffs.size());
  for (std::size_t c = 0; c < cutoffs.size(); ++c) reports[c].cutoff = cutoffs[c];
  const auto n = static_cast<double>(chosen.size());
  for (const std::size_t user : chosen)
    for (std::size_t c = 0; c < cutoffs.size(); ++c)
      for (const Place& metric : metrics) (reports[c].*metric.to).mean += scores[user * cutoffs.size() + c].*metric.from;
  for (CutoffReport& report : reports)
    for (const Place& metric : metrics) (report.*metric.to).count = chosen.size();
  if (chosen.empty()) return reports;
  for (CutoffReport& report : reports)
    for (const Place& metric : metrics) (report.*metric.to).mean /= n;
  if (chosen.size() < 2) return reports;
  for (const std::size_t user : chosen)
    for (std::size_t c = 0; c < cutoffs.size(); ++c)
      for (const Place& metric : metrics) {
        MeanAndError& estimated = reports[c].*metric.to;
        const double off = scores[user * cutoffs.size() + c].*metric.from - estimated.mean;
        estimated.standard_error += off * off;
      }
  for (CutoffReport& report : reports)
    for (const Place& metric : metrics) (report.*metric.to).standard_error = std::sqrt((report.*metric.to).standard_error / (n - 1.0) / n);
  return reports;
}

/// Adds coverage at every cutoff, Gini and novelty. Returns how often each item was recommended at the largest cutoff.
[[nodiscard]] inline std::vector<Offset> add_variety(RankingReport& report, const MeasuredLists& lists, Index train_users) {
  const std::vector<Index>& item_users = lists.item_users;
  const auto n_items = static_cast<Index>(item_users.size());
  // One pass from the top of all lists to their ends counts the items that each cutoff covers.
  std::vector<Offset> recommended(item_users.size(), 0);
  const auto trained = static_cast<double>(std::count_if(item_users.begin(), item_users.end(), [](Index count) { return count > 0; }));
  std::size_t place = 0;
  for (CutoffReport& cutoff : report.cutoffs) {
    for (; place < (std::min)(cutoff.cutoff, lists.length); ++place)
      for (std::size_t n = 0; n < lists.users.size(); ++n)
        if (const Index item = lists.items[n * lists.length + place]; item >= 0) ++recommended[static_cast<std::size_t>(item)];
    cutoff.distinct_items = distinct_items(recommended);
    cutoff.coverage = metrics::catalogue_coverage(recommended, n_items);
    cutoff.coverage_of_trained = trained > 0.0 ? static_cast<double>(cutoff.distinct_items) / trained : 0.0;
  }
  report.gini = metrics::recommendation_gini(recommended);
  // novelty() of every list, with one logarithm an item.
  std::vector<double> bits(item_users.size());
  for (std::size_t i = 0; i < bits.size(); ++i)
    bits[i] = metrics::novelty(std::array<Index, 1>{static_cast<Index>(i)}, item_users, train_users);
  Index with_list = 0;
  for (std::size_t n = 0; n < lists.users.size(); ++n) {
    const std::span<const Index> list = lists.list(n);
    double sum = 0.0;
    std::size_t shown = 0;
    for (; shown < lists.length && list[shown] >= 0; ++shown) sum += bits[static_cast<std::size_t>(list[shown])];
    if (shown == 0) continue;
    report.novelty += sum / static_cast<double>(shown);
    ++with_list;
  }
  if (with_list > 0) report.novelty /= static_cast<double>(with_list);
  return recommended;
}

/// 1 for each item of the tail: of the items with users, by rising number of users and then index, as many as hold at most a fifth of all interactions.
[[nodiscard]] inline std::vector<char> tail_of(std::span<const Index> item_users) {
  std::vector<Index> order(item_users.size());
  std::iota(order.begin(), order.end(), Index{0});
  const auto users = [&](Index item) { return static_cast<Offset>(item_users[static_cast<std::size_t>(item)]); };
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return users(a) < users(b); });
  Offset all = 0, below = 0;
  for (const Index item : order) all += users(item);
  std::vector<char> tail(item_users.size(), 0);
  for (const Index item : order) {
    below += users(item);
    tail[static_cast<std::size_t>(item)] = 5 * below <= all ? 1 : 0;
  }
  return tail;
}

/// Adds the mean popularity of the lists of the chosen users (positions in `lists`) and the share of the tail, at every cutoff.
inline void add_popularity(std::vector<CutoffReport>& cutoffs, const MeasuredLists& lists, std::span<const std::size_t> chosen,
                           std::span<const char> tail) {
  std::vector<double> places(cutoffs.size(), 0.0);
  double with_list = 0.0;
  for (const std::size_t n : chosen) {
    const std::span<const Index> list = lists.list(n);
    double popularity = 0.0, of_tail = 0.0;
    std::size_t shown = 0;
    for (std::size_t c = 0; c < cutoffs.size(); ++c) {
      for (; shown < (std::min)(cutoffs[c].cutoff, list.size()) && list[shown] >= 0; ++shown) {
        popularity += static_cast<double>(lists.item_users[static_cast<std::size_t>(list[shown])]);
        of_tail += tail[static_cast<std::size_t>(list[shown])];
      }
      if (shown == 0) break;
      cutoffs[c].average_popularity += popularity / static_cast<double>(shown);
      cutoffs[c].tail_share += of_tail;
      places[c] += static_cast<double>(shown);
    }
    if (shown > 0) with_list += 1.0;
  }
  for (std::size_t c = 0; c < places.size() && with_list > 0.0; ++c) {
    cutoffs[c].average_popularity /= with_list;
    cutoffs[c].tail_share /= places[c];
  }
}

/// Adds the metrics of each group of users.
inline void add_user_groups(RankingReport& report, const MeasuredLists& lists, const EvaluationGroups& groups,
                            std::span<const std::size_t> cutoffs, std::span<const char> tail) {
  for (std::size_t group = 0; group < groups.names.size(); ++group) {
    std::vector<std::size_t> members;
    for (std::size_t n = 0; n < lists.users.size(); ++n)
      if (groups.labels[static_cast<std::size_t>(lists.users[n])] == static_cast<Index>(group)) members.push_back(n);
    report.user_groups.push_back({groups.names[group], static_cast<Index>(members.size()), average(lists.scores, members, cutoffs)});
    add_popularity(report.user_groups.back().cutoffs, lists, members, tail);
  }
}

/// Completes the groups of items, whose test interactions are counted: sizes, shares and recall. `recommended`: of each item, its places in lists.
inline void complete_item_groups(RankingReport& report, const MeasuredLists& lists, const EvaluationGroups& groups,
                                 std::span<const Offset> recommended) {
  const std::vector<Index>& labels = groups.labels;
  for (const Index label : labels)
    if (label >= 0) ++report.item_groups[static_cast<std::size_t>(label)].items;
  double all_recommended = 0.0;
  for (std::size_t i = 0; i < recommended.size(); ++i) {
    all_recommended += static_cast<double>(recommended[i]);
    if (labels[i] >= 0)
      report.item_groups[static_cast<std::size_t>(labels[i])].share_of_recommendations += static_cast<double>(recommended[i]);
  }
  for (std::size_t group = 0; group < lists.group_hits.size(); ++group) {
    RankingReport::ItemGroup& item_group = report.item_groups[group];
    if (all_recommended > 0.0) item_group.share_of_recommendations /= all_recommended;
    if (item_group.test_interactions > 0) item_group.recall = lists.group_hits[group] / static_cast<double>(item_group.test_interactions);
  }
}

/// Adds all figures that are averages over the measured lists.
inline void add_averages(RankingReport& report, const MeasuredLists& lists, const EvaluateOptions& options, Index train_users) {
  std::vector<std::size_t> everybody(lists.users.size());
  std::iota(everybody.begin(), everybody.end(), std::size_t{0});
  report.cutoffs = average(lists.scores, everybody, options.cutoffs);
  const std::vector<Offset> recommended = add_variety(report, lists, train_users);
  const std::vector<char> tail = tail_of(lists.item_users);
  add_popularity(report.cutoffs, lists, everybody, tail);
  if (options.user_groups) add_user_groups(report, lists, *options.user_groups, options.cutoffs, tail);
  if (options.item_groups) complete_item_groups(report, lists, *options.item_groups, recommended);
  if (!options.keep_per_user) return;
  for (std::size_t n = 0; n < lists.users.size(); ++n) {
    const std::span<const RankingScores> of_user = lists.scores_of(n);
    report.per_user.push_back({lists.users[n], {of_user.begin(), of_user.end()}});
  }
}

}  // namespace kindred::inline v0::detail
