// SPDX-License-Identifier: MIT
// One row of the final table: a fitted model, measured on the test set.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <kindred/evaluation/evaluate.hpp>
#include <kindred/evaluation/groups.hpp>

#include "study.hpp"

namespace study {

inline const std::vector<std::size_t> final_cutoffs = {1, 5, 10, 15, 20};
inline constexpr std::size_t list_length = 10;  // of sample users

/// A metric of a model in results.json, and its standard error.
[[nodiscard]] double metric(const nlohmann::ordered_json& model, const char* name, std::size_t cutoff = 10);
[[nodiscard]] double metric_error(const nlohmann::ordered_json& model, const char* name, std::size_t cutoff = 10);

/// Users in quarters by the plays that train has of them, fewest first.
[[nodiscard]] kindred::EvaluationGroups groups_by_plays(const kindred::CsrView& train);

/// Adds the measured model to results.json, with its lists for the sample users.
void add_model_json(Study& s, const std::string& name, const std::string& settings, const kindred::RankingReport& report,
                    double fit_seconds, nlohmann::ordered_json options, const std::vector<std::vector<kindred::Scored>>& sample_lists);
/// Header and one row a model: all metrics at 10.
[[nodiscard]] Table metric_rows(const Study& s);

/// Measures `model` on the test set and adds it to the final table. @throws kindred::Cancelled after Ctrl-C.
template <kindred::RecommenderModel Model>
void add_final_model(Study& s, const std::string& name, const std::string& settings, const Model& model, double fit_seconds,
                     kindred::EvaluateOptions::SeenItems seen, nlohmann::ordered_json options) {
  double popularity_penalty = 0.0;
  if constexpr (requires { model.popularity_scale(); }) popularity_penalty = s.arguments.popularity_penalty;
  const kindred::RankingReport report = measure(model, s.split.train, s.split.test,
                                                {.cutoffs = final_cutoffs,
                                                 .seen = seen,
                                                 .popularity_penalty = popularity_penalty,
                                                 .user_groups = groups_by_plays(s.split.train),
                                                 .item_groups = kindred::EvaluationGroups::by_popularity(s.split.train),
                                                 .execution = {.threads = s.arguments.threads},
                                                 .progress = s.console.whole("measuring " + name)});
  std::vector<std::vector<kindred::Scored>> lists;
  for (const kindred::Index user : s.sample_users) {
    kindred::RecommendOptions request{.count = list_length, .popularity_penalty = popularity_penalty};
    if (seen == kindred::EvaluateOptions::SeenItems::excluded) request.exclude = s.split.train.row(user);
    lists.push_back(model.recommend(user, request));
  }
  add_model_json(s, name, settings, report, fit_seconds, std::move(options), lists);
}

}  // namespace study
