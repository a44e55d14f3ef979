// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/thread_team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/evaluation/groups.hpp>
#include <kindred/evaluation/report.hpp>
#include <kindred/metrics/beyond_accuracy.hpp>
#include <kindred/metrics/ranking.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/models/streamed_recommend.hpp>

namespace kindred::inline v0 {

/// Whether a list may hold what the user had in train.
enum class SeenItems {
  excluded,  ///< The usual protocol: recommend what is new.
  allowed,   ///< Some published baselines rank everything; their figures are lower.
};

/// The measures, the users and the items that evaluate takes.
struct EvaluateOptions {
  std::vector<std::size_t> cutoffs = {10};  ///< Strictly increasing, each at least 1.
  SeenItems seen = SeenItems::excluded;
  ItemFilter filter = {};  ///< For every user.
  Fallback fallback = Fallback::none;                          ///< For users that the model does not know.
  RankingOptions ranking = {};                                 ///< Variants of the metrics.
  std::optional<std::span<const Index>> users = std::nullopt;  ///< If set, only these users, strictly increasing.
  std::optional<Groups> user_groups = std::nullopt;            ///< If set, the metrics of each group too.
  std::optional<Groups> item_groups = std::nullopt;            ///< If set, what happens to the items of each group.
  bool keep_per_user = false;                                  ///< Fill RankingReport::per_user.
  Execution execution = {};
  /// In users done and in all, about a hundred times; stop_and_keep makes the report one of the users done, the first of those asked for.
  ProgressCallback progress = {};
};

namespace detail {

/// The lists of `users` from any model, through its batch call where it has one.
template <RecommenderModel Model>
[[nodiscard]] RankedLists recommend_block(const Model& model, std::span<const Index> users, const RecommendAllOptions& options) {
  if constexpr (BatchRecommenderModel<Model>) {
    return checked_lists(model.recommend_all(users, options), users.size());
  } else {
    std::vector<std::vector<Scored>> lists;
    for (const Index user : users) lists.push_back(model.recommend(user, options_of(user, options)));
    return RankedLists(std::move(lists));
  }
}

/// The test items of a user: those with a value above 0.
inline void relevant_items(const SparseRow& row, std::vector<Index>& relevant) {
  relevant.clear();
  for (std::size_t n = 0; n < row.size(); ++n)
    if (row.values[n] > 0.0F) relevant.push_back(row.columns[n]);
}

/// Averages of the chosen users (positions in `scores`, one row of cutoffs a user). All metrics in two passes over the scores, which do not fit a cache;
/// the sums are those of estimate().
[[nodiscard]] inline std::vector<CutoffReport> average(std::span<const RankingScores> scores, std::span<const std::size_t> chosen,
                                                       std::span<const std::size_t> cutoffs) {
  struct Metric {
    double RankingScores::*from;
    Estimate CutoffReport::*to;
  };
  constexpr Metric metrics[] = {
      {&RankingScores::precision, &CutoffReport::precision}, {&RankingScores::recall, &CutoffReport::recall},
      {&RankingScores::ndcg, &CutoffReport::ndcg},           {&RankingScores::average_precision, &CutoffReport::map},
      {&RankingScores::reciprocal_rank, &CutoffReport::mrr}, {&RankingScores::hit_rate, &CutoffReport::hit_rate}};
  std::vector<CutoffReport> reports(cutoffs.size());
  for (std::size_t c = 0; c < cutoffs.size(); ++c) reports[c].cutoff = cutoffs[c];
  const auto n = static_cast<double>(chosen.size());
  for (const std::size_t user : chosen)
    for (std::size_t c = 0; c < cutoffs.size(); ++c)
      for (const Metric& metric : metrics) (reports[c].*metric.to).mean += scores[user * cutoffs.size() + c].*metric.from;
  if (chosen.empty()) return reports;
  for (CutoffReport& report : reports)
    for (const Metric& metric : metrics) (report.*metric.to).mean /= n;
  if (chosen.size() < 2) return reports;
  for (const std::size_t user : chosen)
    for (std::size_t c = 0; c < cutoffs.size(); ++c)
      for (const Metric& metric : metrics) {
        Estimate& estimated = reports[c].*metric.to;
        const double off = scores[user * cutoffs.size() + c].*metric.from - estimated.mean;
        estimated.standard_error += off * off;
      }
  for (CutoffReport& report : reports)
    for (const Metric& metric : metrics) (report.*metric.to).standard_error = std::sqrt((report.*metric.to).standard_error / (n - 1.0) / n);
  return reports;
}

inline void check_groups(const std::optional<Groups>& groups, std::string_view name, Index wanted) {
  if (!groups) return;
  if (groups->labels.size() != static_cast<std::size_t>(wanted))
    throw ShapeError(std::string(name) + " has " + std::to_string(groups->labels.size()) + " labels; the matrix needs " +
                     std::to_string(wanted));
  for (const Index label : groups->labels)
    if (label < -1 || label >= static_cast<Index>(groups->names.size()))
      throw InvalidArgument(std::string(name) + " label", label, "-1 or the index of a name");
}

/// The protocol in one sentence, with what was odd about the input and the lists.
[[nodiscard]] inline std::string protocol_text(const EvaluateOptions& options, const RankingReport& report) {
  const auto said = [](std::string_view before, Offset count, std::string_view after) {
    return count == 0 ? std::string() : std::string(before) + std::to_string(count) + std::string(after);
  };
  const bool excluded = options.seen == SeenItems::excluded;
  std::string text = "macro average over " + std::to_string(report.users) + " users with a non-empty test row";
  text += said(", ", report.users_without_train, " of them without train data");
  text += said("; ", report.users_without_list, " users got no list, which counts as 0");
  text += said("; ", report.users_with_fallback, " users got the most popular items as a fallback");
  text += said("; ", report.users_with_equal_scores, " users got a list of equal scores, in the order of the items' numbers");
  text += excluded ? "; items of train excluded" : "; nothing excluded";
  text += said(" (", report.test_items_in_train,
               excluded ? " test interactions are in train too, where no list can find them)" : " test interactions are in train too)");
  text += options.filter.candidates == Candidates::trained ? "; candidates are items with train data" : "; candidates are all items";
  if (options.filter.allow) text += said("; ", options.filter.allow->size(), " items allowed");
  text += said("; the model listed ", report.listed_against_request, " items that it was asked to leave out");
  text += options.ranking.recall_denominator == RecallDenominator::relevant ? "; recall over |T|" : "; recall over min(K, |T|)";
  text += options.ranking.ap_denominator == ApDenominator::min_cutoff_relevant ? "; AP over min(K, |T|)" : "; AP over |T|";
  return text + "; NDCG with binary gain, ideal over min(K, |T|); ties to the lower item";
}

/// How many of `relevant` are in `known`; both strictly increasing.
[[nodiscard]] inline Offset count_common(std::span<const Index> relevant, std::span<const Index> known) {
  return std::count_if(relevant.begin(), relevant.end(), [&](Index item) { return std::binary_search(known.begin(), known.end(), item); });
}

/// @throws InvalidArgument if a test can measure nothing: each interaction is in train, from where lists take nothing.
inline void check_overlap(Offset test_interactions, Offset in_train) {
  if (test_interactions > 0 && in_train == test_interactions)
    throw InvalidArgument("test", std::to_string(test_interactions) + " interactions that all are in train too",
                          "interactions that train does not hold: lists leave out the items of train. Is train the whole matrix?");
}

/// What is odd about one list.
struct ListFacts {
  Index against_request = 0;
  ListSource source = ListSource::model;
  bool empty = false;
  bool equal_scores = false;
};

/// What evaluate needs where other processes measure some of the users.
struct EvaluatePartners {
  std::size_t rank = 0;
  std::size_t size = 1;
  /// Of an array with entries of `unit` bytes this process has filled in [starts[rank], starts[rank + 1]): brings the others.
  std::function<void(std::span<std::byte> data, std::span<const std::uint64_t> starts, std::size_t unit)> gather;
  SumOverAll sum;
};

/// evaluate(), of what need not fit into memory. `train` holds no zeros. With partners, this process makes the lists of its share of the users.
template <RecommenderModel Model>
[[nodiscard]] RankingReport evaluate_rows(const Model& model, const RowsRef& train, const RowsRef& test, const EvaluateOptions& options,
                                          const EvaluatePartners* partners = nullptr) {
  check_shape("train", train.shape(), "the model", model.shape());
  check_shape("test", test.shape(), "train", train.shape());
  check_groups(options.user_groups, "user_groups", train.rows());
  check_groups(options.item_groups, "item_groups", train.cols());
  if (options.cutoffs.empty()) throw InvalidArgument("cutoffs", "an empty list", "at least one cutoff");
  for (std::size_t c = 0; c < options.cutoffs.size(); ++c) {
    if (options.cutoffs[c] < 1) throw InvalidArgument("cutoff", options.cutoffs[c], "at least 1");
    if (c > 0 && options.cutoffs[c] <= options.cutoffs[c - 1])
      throw InvalidArgument("cutoff", options.cutoffs[c], "above the one before it, which is " + std::to_string(options.cutoffs[c - 1]));
  }
  if (options.users) check_index_list(*options.users, "users", "a user", train.rows());
  check_filters({}, options.filter, "an item", train.cols());
  check_threads(options.execution.threads);

  RankingReport report;
  std::vector<Index> item_users(static_cast<std::size_t>(train.cols()), 0);
  train.for_each_block([&](const RowBlock& block) {
    for (const Index item : block.rows.columns()) ++item_users[static_cast<std::size_t>(item)];
  });
  std::vector<Index> users;
  std::vector<Index> relevant;
  std::size_t next_asked_for = 0;
  test.for_each_block([&](const RowBlock& block) {
    const auto consider = [&](Index user) {
      relevant_items(block.rows.row(user - block.first), relevant);
      if (relevant.empty())
        ++report.users_without_test;
      else
        users.push_back(user);
    };
    const Index end = block.first + block.rows.rows();
    if (!options.users) {
      for (Index user = block.first; user < end; ++user) consider(user);
    } else {
      for (; next_asked_for < options.users->size() && (*options.users)[next_asked_for] < end; ++next_asked_for)
        consider((*options.users)[next_asked_for]);
    }
  });
  if (users.empty())
    throw InvalidArgument("test", "without a positive interaction of the users asked for", "a matrix with something to predict");

  // Lists of all users, -1 beyond their end, and their scores; every user writes to places of its own.
  const std::size_t n_cutoffs = options.cutoffs.size();
  const std::size_t length = (std::min)(options.cutoffs.back(), static_cast<std::size_t>(train.cols()));
  std::vector<Index> lists(users.size() * length, -1);
  const auto list_of = [&](std::size_t n) { return std::span<const Index>(lists).subspan(n * length, length); };
  std::vector<RankingScores> scores(users.size() * n_cutoffs);
  std::vector<ListFacts> facts(users.size());
  RecommendAllOptions request{.count = length, .filter = options.filter, .fallback = options.fallback, .execution = {.threads = 1}};
  ThreadTeam team(options.execution.executor);
  const ParallelOptions by_blocks{.threads = resolve_threads(options.execution.threads), .grain = 256, .executor = team.executor()};
  // One round, or as many as there is progress to tell of: never too short for all threads.
  const Stopwatch watch;
  const std::size_t round = options.progress ? (std::max)(by_blocks.grain * by_blocks.threads, users.size() / 100 + 1) : users.size();

  std::vector<double> group_hits(options.item_groups ? options.item_groups->names.size() : 0, 0.0);
  if (options.item_groups)
    for (const std::string& name : options.item_groups->names) report.item_groups.push_back({.name = name});
  // What is counted of the list and the test items of user n, who has `known` in train.
  const auto count_relevant = [&](std::size_t n, std::span<const Index> known) {
    report.users_without_train += known.empty() ? 1 : 0;
    report.users_without_list += facts[n].empty ? 1 : 0;
    report.users_with_fallback += facts[n].source == ListSource::popularity ? 1 : 0;
    report.users_with_equal_scores += facts[n].equal_scores ? 1 : 0;
    report.listed_against_request += facts[n].against_request;
    report.test_interactions += static_cast<Offset>(relevant.size());
    report.test_items_in_train += count_common(relevant, known);
    for (const Index item : relevant) report.untrained_test_items += item_users[static_cast<std::size_t>(item)] == 0 ? 1 : 0;
    if (!options.item_groups) return;
    const std::vector<Index>& labels = options.item_groups->labels;
    for (const Index item : relevant) {
      const Index label = labels[static_cast<std::size_t>(item)];
      if (label >= 0) ++report.item_groups[static_cast<std::size_t>(label)].test_interactions;
    }
    for (const Index listed : list_of(n)) {
      if (listed < 0) break;
      const Index label = labels[static_cast<std::size_t>(listed)];
      if (label >= 0 && std::binary_search(relevant.begin(), relevant.end(), listed)) group_hits[static_cast<std::size_t>(label)] += 1.0;
    }
  };

  std::vector<std::uint64_t> shares = {0, users.size()};  // of the users to measure, where that of each process begins
  if (partners != nullptr) {
    shares.resize(partners->size + 1);
    for (std::size_t r = 0; r <= partners->size; ++r) shares[r] = users.size() * r / partners->size;
  }
  const std::size_t own_end = static_cast<std::size_t>(partners != nullptr ? shares[partners->rank + 1] : users.size());
  BlockAsMatrix train_as_matrix(train.shape());
  std::size_t begin = static_cast<std::size_t>(partners != nullptr ? shares[partners->rank] : 0);
  for_each_shared_block(train, test, [&](Index, Index last_user, const RowBlock& train_block, const RowBlock& test_block) {
    if (options.seen == SeenItems::excluded) request.exclude = train_as_matrix(train_block);
    const auto test_row = [&](Index user) { return test_block.rows.row(user - test_block.first); };
    const auto train_items = [&](Index user) { return train_block.rows.row(user - train_block.first).columns; };
    const auto facts_of = [&](std::span<const Scored> list, Index user, ListSource source) {
      const std::span<const Index> known = train_items(user);
      ListFacts found{.source = source, .empty = list.empty(), .equal_scores = list.size() > 1};
      for (const Scored& one : list) {
        const bool unwanted = (options.seen == SeenItems::excluded && std::binary_search(known.begin(), known.end(), one.item)) ||
                              (options.filter.candidates == Candidates::trained && item_users[static_cast<std::size_t>(one.item)] == 0) ||
                              (options.filter.allow && !std::binary_search(options.filter.allow->begin(), options.filter.allow->end(), one.item)) ||
                              (options.filter.min_score && !(one.score >= *options.filter.min_score));
        found.against_request += unwanted ? 1 : 0;
        found.equal_scores = found.equal_scores && one.score == list.front().score;
      }
      return found;
    };
    const auto measure = [&](std::size_t first_of_round, std::size_t last_of_round, std::size_t) {
      const std::size_t first = begin + first_of_round, last = begin + last_of_round;
      const std::span<const Index> block = std::span<const Index>(users).subspan(first, last - first);
      const RankedLists ranked = recommend_block(model, block, request);
      std::vector<Index> items, wanted;
      for (std::size_t n = 0; n < block.size(); ++n) {
        const std::span<const Scored> row = ranked.row(n);
        items.clear();
        for (const Scored& scored : row) items.push_back(scored.item);
        for (std::size_t place = 0; place < items.size(); ++place) check_listed_item(items, place, static_cast<std::size_t>(train.cols()));
        for (const Scored& scored : row)
          if (!(scored.score == scored.score))
            throw InvalidArgument("the score of item " + std::to_string(scored.item) + " for user " + std::to_string(block[n]),
                                  scored.score, "a number");
        std::copy_n(items.begin(), (std::min)(items.size(), length), lists.begin() + static_cast<std::ptrdiff_t>((first + n) * length));
        facts[first + n] = facts_of(row.first((std::min)(row.size(), length)), block[n], ranked.source(n));
        relevant_items(test_row(block[n]), wanted);
        ranking_scores_into(items, wanted, options.cutoffs, options.ranking,
                            std::span<RankingScores>(scores).subspan((first + n) * n_cutoffs, n_cutoffs));
      }
    };
    const std::size_t end =
        (std::min)(own_end, static_cast<std::size_t>(std::lower_bound(users.begin(), users.end(), last_user) - users.begin()));
    while (begin < end) {
      const std::size_t count = (std::min)(round, end - begin);
      parallel_for(count, by_blocks, measure);
      for (std::size_t n = begin; n < begin + count; ++n) {
        relevant_items(test_row(users[n]), relevant);
        count_relevant(n, train_items(users[n]));
      }
      begin += count;
      if (!options.progress) continue;
      const ProgressAnswer answer =
          options.progress({.what = "evaluate", .done = begin, .total = users.size(), .elapsed_seconds = watch.seconds()});
      if (answer == ProgressAnswer::cancel) throw Cancelled("evaluate");
      if (answer == ProgressAnswer::stop_and_keep) {
        users.resize(begin);
        return false;
      }
    }
    return true;
  });
  if (partners != nullptr) {
    partners->gather(std::as_writable_bytes(std::span(lists)), shares, length * sizeof(Index));
    partners->gather(std::as_writable_bytes(std::span(scores)), shares, n_cutoffs * sizeof(RankingScores));
    Index* const of_users[] = {&report.users_without_train, &report.users_without_list, &report.users_with_fallback,
                               &report.users_with_equal_scores};
    std::vector<Offset*> of_items = {&report.test_interactions, &report.untrained_test_items, &report.test_items_in_train,
                                     &report.listed_against_request};
    for (ItemGroupReport& group : report.item_groups) of_items.push_back(&group.test_interactions);
    std::vector<double> counted = group_hits;
    for (const Index* count : of_users) counted.push_back(static_cast<double>(*count));
    for (const Offset* count : of_items) counted.push_back(static_cast<double>(*count));
    partners->sum(counted);  // whole numbers: exact
    std::copy_n(counted.begin(), group_hits.size(), group_hits.begin());
    auto next = counted.begin() + static_cast<std::ptrdiff_t>(group_hits.size());
    for (Index* count : of_users) *count = static_cast<Index>(*next++);
    for (Offset* count : of_items) *count = static_cast<Offset>(*next++);
  }
  report.users = static_cast<Index>(users.size());
  if (options.seen == SeenItems::excluded) check_overlap(report.test_interactions, report.test_items_in_train);
  if (report.users_without_list == report.users)
    throw InvalidArgument("the model", "without a list for any of " + std::to_string(report.users) + " users",
                          "one that has something to list: a fit on these users, or a fallback");
  report.protocol = protocol_text(options, report);

  std::vector<std::size_t> everybody(users.size());
  std::iota(everybody.begin(), everybody.end(), std::size_t{0});
  report.cutoffs = average(scores, everybody, options.cutoffs);

  // One pass from the top of all lists to their ends counts what each cutoff covers.
  std::vector<Offset> recommended(static_cast<std::size_t>(train.cols()), 0);
  const auto trained = static_cast<double>(std::count_if(item_users.begin(), item_users.end(), [](Index count) { return count > 0; }));
  std::size_t place = 0;
  for (CutoffReport& cutoff : report.cutoffs) {
    for (; place < (std::min)(cutoff.cutoff, length); ++place)
      for (std::size_t n = 0; n < users.size(); ++n)
        if (const Index item = lists[n * length + place]; item >= 0) ++recommended[static_cast<std::size_t>(item)];
    cutoff.distinct_items = distinct_items(recommended);
    cutoff.coverage = catalogue_coverage(recommended, train.cols());
    cutoff.coverage_of_trained = trained > 0.0 ? static_cast<double>(cutoff.distinct_items) / trained : 0.0;
  }
  report.gini = recommendation_gini(recommended);
  // novelty() of every list, with one logarithm an item.
  std::vector<double> bits(item_users.size());
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = novelty(std::array<Index, 1>{static_cast<Index>(i)}, item_users, train.rows());
  Index with_list = 0;
  for (std::size_t n = 0; n < users.size(); ++n) {
    const std::span<const Index> list = list_of(n);
    double sum = 0.0;
    std::size_t shown = 0;
    for (; shown < length && list[shown] >= 0; ++shown) sum += bits[static_cast<std::size_t>(list[shown])];
    if (shown == 0) continue;
    report.novelty += sum / static_cast<double>(shown);
    ++with_list;
  }
  if (with_list > 0) report.novelty /= static_cast<double>(with_list);

  if (options.user_groups) {
    for (std::size_t group = 0; group < options.user_groups->names.size(); ++group) {
      std::vector<std::size_t> members;
      for (std::size_t n = 0; n < users.size(); ++n)
        if (options.user_groups->labels[static_cast<std::size_t>(users[n])] == static_cast<Index>(group)) members.push_back(n);
      report.user_groups.push_back(
          {options.user_groups->names[group], static_cast<Index>(members.size()), average(scores, members, options.cutoffs)});
    }
  }
  if (options.item_groups) {
    const std::vector<Index>& labels = options.item_groups->labels;
    for (const Index label : labels)
      if (label >= 0) ++report.item_groups[static_cast<std::size_t>(label)].items;
    double all_recommended = 0.0;
    for (std::size_t i = 0; i < recommended.size(); ++i) {
      all_recommended += static_cast<double>(recommended[i]);
      if (labels[i] >= 0)
        report.item_groups[static_cast<std::size_t>(labels[i])].share_of_recommendations += static_cast<double>(recommended[i]);
    }
    for (std::size_t group = 0; group < group_hits.size(); ++group) {
      ItemGroupReport& item_group = report.item_groups[group];
      if (all_recommended > 0.0) item_group.share_of_recommendations /= all_recommended;
      if (item_group.test_interactions > 0) item_group.recall = group_hits[group] / static_cast<double>(item_group.test_interactions);
    }
  }
  if (options.keep_per_user)
    for (std::size_t n = 0; n < users.size(); ++n)
      report.per_user.push_back({users[n],
                                 {scores.begin() + static_cast<std::ptrdiff_t>(n * n_cutoffs),
                                  scores.begin() + static_cast<std::ptrdiff_t>((n + 1) * n_cutoffs)}});
  return report;
}

}  // namespace detail

/// Measures how well `model` ranks the interactions of `test` that it was not shown.
///
/// `train`, `test`: n_users x n_items, the shape of the model; stored zeros are no interactions. Test items are those with a value above 0; users
/// without any are counted, not averaged. Users without train data are averaged and counted: what the model lists for them, or options.fallback, or 0.
/// The report counts what makes figures doubtful, test items that are in train for one, and its protocol names what it found.
/// All cutoffs come from one list a user. O(cost of the lists + users * (largest cutoff * log + test items)).
/// @throws ShapeError if shapes differ; InvalidArgument if an option is not valid, no user has a test item, all test items are in train and left out of the
/// lists, all lists are empty, or the model lists an item that is not there, an item twice, a score that is no number, or another number of lists than users; Cancelled; what the model and
/// the progress callback throw.
template <RecommenderModel Model>
[[nodiscard]] RankingReport evaluate(const Model& model, const CsrView& train, const CsrView& test, const EvaluateOptions& options = {}) {
  CsrMatrix cleaned;
  const CsrView known = detail::interactions_of(train, cleaned);
  return detail::evaluate_rows(model, detail::RowsRef(known), detail::RowsRef(test), options);
}

/// The same, of interactions of which one or both need not fit into memory: the same report. Beside the model, memory for a block of each, and for the lists
/// and scores of all users measured. @throws as the overload for views does, and what the sources throw.
template <RecommenderModel Model, RowSource Train, RowSource Test>
requires(!std::convertible_to<const Train&, CsrView> || !std::convertible_to<const Test&, CsrView>) [[nodiscard]] RankingReport
    evaluate(const Model& model, const Train& train, const Test& test, const EvaluateOptions& options = {}) {
  if constexpr (std::convertible_to<const Train&, CsrView>) {
    CsrMatrix cleaned;
    const CsrView known = detail::interactions_of(train, cleaned);
    return detail::evaluate_rows(model, detail::RowsRef(known), detail::RowsRef(test), options);
  } else {
    return detail::evaluate_rows(model, detail::RowsRef(train), detail::RowsRef(test), options);
  }
}

}  // namespace kindred::inline v0
