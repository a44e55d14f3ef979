// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/thread_team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/evaluation/evaluate_options.hpp>
#include <kindred/evaluation/lists_of.hpp>
#include <kindred/evaluation/measured_lists.hpp>
#include <kindred/evaluation/report.hpp>
#include <kindred/metrics/beyond_accuracy.hpp>
#include <kindred/metrics/ranking.hpp>
#include <kindred/models/eligibility.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/models/streamed_recommend.hpp>

namespace kindred::inline v0::detail {

/// How many of `relevant` are in `known`; both strictly increasing.
[[nodiscard]] inline Offset count_common(std::span<const Index> relevant, std::span<const Index> known) {
  return std::count_if(relevant.begin(), relevant.end(), [&](Index item) { return std::binary_search(known.begin(), known.end(), item); });
}

/// Makes and scores the lists of users, a block of rows after another, and counts into the report. Every user writes to places of its own.
class ListMeasurement {
 public:
  ListMeasurement(const ListsOf& model, const EvaluateOptions& options, MatrixShape shape, MeasuredLists& lists, RankingReport& report)
      : model_(model),
        options_(&options),
        lists_(&lists),
        report_(&report),
        by_blocks_{.threads = resolve_threads(options.execution.threads), .grain = 256, .executor = team_.executor()},
        request_{.count = lists.length,
                 .filter = options.filter,
                 .fallback = options.fallback,
                 .execution = {.threads = 1},
                 .popularity_penalty = options.popularity_penalty},
        train_as_matrix_(shape) {
    // One round, or as many as there is progress to tell of: never too short for all threads.
    round_ = options.progress ? (std::max)(by_blocks_.grain * by_blocks_.threads, lists.users.size() / 100 + 1) : lists.users.size();
  }
  ListMeasurement(const ListMeasurement&) = delete;
  ListMeasurement& operator=(const ListMeasurement&) = delete;

  /// Measures users `begin` to `end` of the list of users. Progress that answers stop_and_keep ends the list of users where it is.
  void run(const RowsRef& train, const RowsRef& test, std::size_t begin, std::size_t end) {
    if (options_->exclude) request_.exclude = *options_->exclude;
    for_each_shared_block(train, test, [&](Index, Index last_user, const RowBlock& train_block, const RowBlock& test_block) {
      if (options_->seen == EvaluateOptions::SeenItems::excluded && !options_->exclude) request_.exclude = train_as_matrix_(train_block);
      const std::vector<Index>& users = lists_->users;
      const auto end_of_block = static_cast<std::size_t>(std::lower_bound(users.begin(), users.end(), last_user) - users.begin());
      return run_block({train_block, test_block}, begin, (std::min)(end, end_of_block));
    });
  }

 private:
  struct Blocks {
    const RowBlock& train;
    const RowBlock& test;

    [[nodiscard]] std::span<const Index> known(Index user) const { return train.rows.row(user - train.first).columns; }
    [[nodiscard]] SparseRow test_row(Index user) const { return test.rows.row(user - test.first); }
  };

  /// Users from `begin` on, which moves to `end`; false to stop.
  bool run_block(const Blocks& blocks, std::size_t& begin, std::size_t end) {
    while (begin < end) {
      const std::size_t count = (std::min)(round_, end - begin);
      parallel_for(count, by_blocks_,
                   [&](std::size_t first, std::size_t last, std::size_t) { measure(blocks, begin + first, begin + last); });
      for (std::size_t n = begin; n < begin + count; ++n) {
        relevant_items(blocks.test_row(lists_->users[n]), relevant_);
        tested_items(blocks.test_row(lists_->users[n]), tested_);
        this->count(n, blocks.known(lists_->users[n]), left_out(blocks, lists_->users[n]));
      }
      begin += count;
      if (!options_->progress) continue;
      const ProgressAnswer answer =
          options_->progress({.what = "evaluate", .done = begin, .total = lists_->users.size(), .elapsed_seconds = watch_.seconds()});
      if (answer == ProgressAnswer::cancel) throw Cancelled("evaluate");
      if (answer == ProgressAnswer::stop_and_keep) {
        lists_->users.resize(begin);
        return false;
      }
    }
    return true;
  }

  /// Lists, scores and facts of users [first, last).
  void measure(const Blocks& blocks, std::size_t first, std::size_t last) const {
    const std::span<const Index> users = std::span<const Index>(lists_->users).subspan(first, last - first);
    const RankedLists ranked =
        options_->filter.candidates == Candidates::tested ? lists_of_tested(blocks, users) : model_.lists(model_.model, users, request_);
    const std::size_t length = lists_->length, n_cutoffs = lists_->n_cutoffs;
    std::vector<Index> items, wanted, tested;
    for (std::size_t n = 0; n < users.size(); ++n) {
      const std::span<const Scored> row = ranked.row(n);
      items.clear();
      for (const Scored& scored : row) items.push_back(scored.item);
      for (std::size_t place = 0; place < items.size(); ++place) check_listed_item(items, place, lists_->item_users.size());
      for (const Scored& scored : row)
        if (!(scored.score == scored.score))
          throw InvalidArgument("the score of item " + std::to_string(scored.item) + " for user " + std::to_string(users[n]), scored.score,
                                "a number");
      std::copy_n(items.begin(), (std::min)(items.size(), length),
                  lists_->items.begin() + static_cast<std::ptrdiff_t>((first + n) * length));
      tested_items(blocks.test_row(users[n]), tested);
      lists_->facts[first + n] = facts_of(row.first((std::min)(row.size(), length)), left_out(blocks, users[n]), tested, ranked.source(n));
      relevant_items(blocks.test_row(users[n]), wanted);
      ranking_scores_into(items, wanted, options_->cutoffs, options_->ranking,
                          std::span<RankingScores>(lists_->scores).subspan((first + n) * n_cutoffs, n_cutoffs));
    }
  }

  /// Lists of the items alone that were tested with each user.
  [[nodiscard]] RankedLists lists_of_tested(const Blocks& blocks, std::span<const Index> users) const {
    RecommendAllOptions request = request_;
    request.filter.candidates = Candidates::all;
    std::vector<Index> tested;
    std::vector<std::vector<Scored>> lists;
    std::vector<ListSource> sources;
    for (const Index user : users) {
      tested_items(blocks.test_row(user), tested);
      request.filter.allow = tested;
      const RankedLists one = model_.lists(model_.model, {&user, 1}, request);
      lists.emplace_back(one.row(0).begin(), one.row(0).end());
      sources.push_back(one.source(0));
    }
    return RankedLists(std::move(lists), std::move(sources));
  }

  /// What the list of `user` was asked to leave out, beside the filter.
  [[nodiscard]] std::span<const Index> left_out(const Blocks& blocks, Index user) const {
    if (options_->seen != EvaluateOptions::SeenItems::excluded) return {};
    return options_->exclude ? options_->exclude->row(user).columns : blocks.known(user);
  }

  [[nodiscard]] ListFacts facts_of(std::span<const Scored> list, std::span<const Index> excluded, std::span<const Index> tested,
                                   ListSource source) const {
    ListFacts found{.source = source, .empty = list.empty(), .equal_scores = list.size() > 1};
    RecommendOptions asked{.exclude = excluded, .filter = options_->filter};
    if (options_->filter.candidates == Candidates::tested) asked.filter.allow = tested;
    const Eligibility is_eligible(asked, lists_->item_users);
    for (const Scored& one : list) {
      found.against_request += is_eligible(one) ? 0 : 1;
      found.equal_scores = found.equal_scores && one.score == list.front().score;
    }
    return found;
  }

  /// Counts the list and the test items, relevant_, of user n, with the items `known` in train and `excluded` from the list.
  void count(std::size_t n, std::span<const Index> known, std::span<const Index> excluded) {
    RankingReport& report = *report_;
    const ListFacts& facts = lists_->facts[n];
    report.users_without_train += known.empty() ? 1 : 0;
    report.users_without_list += facts.empty ? 1 : 0;
    report.users_with_fallback += facts.source == ListSource::popularity ? 1 : 0;
    report.users_with_equal_scores += facts.equal_scores ? 1 : 0;
    report.listed_against_request += facts.against_request;
    report.test_interactions += static_cast<Offset>(relevant_.size());
    report.test_items_in_train += count_common(relevant_, known);
    report.test_pairs_in_train += count_common(tested_, known);
    report.test_items_excluded += count_common(relevant_, excluded);
    for (const Index item : relevant_) report.untrained_test_items += lists_->item_users[static_cast<std::size_t>(item)] == 0 ? 1 : 0;
    if (!options_->item_groups) return;
    const std::vector<Index>& labels = options_->item_groups->labels;
    for (const Index item : relevant_) {
      const Index label = labels[static_cast<std::size_t>(item)];
      if (label >= 0) ++report.item_groups[static_cast<std::size_t>(label)].test_interactions;
    }
    for (const Index listed : lists_->list(n)) {
      if (listed < 0) break;
      const Index label = labels[static_cast<std::size_t>(listed)];
      if (label >= 0 && std::binary_search(relevant_.begin(), relevant_.end(), listed))
        lists_->group_hits[static_cast<std::size_t>(label)] += 1.0;
    }
  }

  ListsOf model_;
  const EvaluateOptions* options_;
  MeasuredLists* lists_;
  RankingReport* report_;
  ThreadTeam team_;
  ParallelOptions by_blocks_;
  RecommendAllOptions request_;
  BlockAsMatrix train_as_matrix_;
  std::size_t round_ = 0;
  Stopwatch watch_;
  std::vector<Index> relevant_;
  std::vector<Index> tested_;
};

}  // namespace kindred::inline v0::detail
