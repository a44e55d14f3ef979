// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/evaluation/evaluate_options.hpp>
#include <kindred/evaluation/report.hpp>
#include <kindred/metrics/ranking.hpp>

namespace kindred::inline v0::detail {

/// The protocol in one sentence, with what was odd about the input and the lists.
[[nodiscard]] inline std::string protocol_text(const EvaluateOptions& options, const RankingReport& report) {
  const auto said = [](std::string_view before, Offset count, std::string_view after) {
    return count == 0 ? std::string() : std::string(before) + std::to_string(count) + std::string(after);
  };
  const bool excluded = options.seen == EvaluateOptions::SeenItems::excluded;
  std::string text = "macro average over " + std::to_string(report.users) + " users with a non-empty test row";
  text += said(", ", report.users_without_train, " of them without train data");
  text += said("; ", report.users_without_list, " users got no list, which counts as 0");
  text += said("; ", report.users_with_fallback, " users got the most popular items as a fallback");
  text += said("; ", report.users_with_equal_scores, " users got a list of equal scores, in the order of the items' numbers");
  text += options.exclude ? "; items of options.exclude excluded" : excluded ? "; items of train excluded" : "; nothing excluded";
  if (options.exclude)
    text += said(" (", report.test_items_excluded, " test interactions are among them, where no list can find them)");
  else
    text += said(" (", report.test_items_in_train,
                 excluded ? " test interactions are in train too, where no list can find them)" : " test interactions are in train too)");
  if (options.filter.candidates == Candidates::tested)
    text +=
        "; candidates are the items of the user's test row alone" + said(", of which ", report.test_pairs_in_train, " are in train too");
  else
    text += options.filter.candidates == Candidates::trained ? "; candidates are items with train data" : "; candidates are all items";
  if (options.filter.allow) text += said("; ", static_cast<Offset>(options.filter.allow->size()), " items allowed");
  if (options.popularity_penalty > 0.0) text += "; popularity penalty " + number_text(options.popularity_penalty);
  text += said("; the model listed ", report.listed_against_request, " items that it was asked to leave out");
  text +=
      options.ranking.recall_denominator == RankingOptions::RecallDenominator::relevant ? "; recall over |T|" : "; recall over min(K, |T|)";
  text += options.ranking.ap_denominator == RankingOptions::ApDenominator::min_cutoff_relevant ? "; AP over min(K, |T|)" : "; AP over |T|";
  return text + "; NDCG with binary gain, ideal over min(K, |T|); ties to the lower item";
}

/// @throws InvalidArgument if a test can measure nothing: each interaction is in train, from where lists take nothing.
inline void check_overlap(Offset test_interactions, Offset in_train) {
  if (test_interactions > 0 && in_train == test_interactions)
    throw InvalidArgument("test", std::to_string(test_interactions) + " interactions that all are in train too",
                          "interactions that train does not hold: lists leave out the items of train. Is train the whole matrix?");
}

/// @throws InvalidArgument if a test can measure nothing: each interaction is excluded.
inline void check_left_out(Offset test_interactions, Offset excluded) {
  if (test_interactions > 0 && excluded == test_interactions)
    throw InvalidArgument("test", std::to_string(test_interactions) + " interactions that options.exclude all holds",
                          "interactions that lists may hold");
}

}  // namespace kindred::inline v0::detail
