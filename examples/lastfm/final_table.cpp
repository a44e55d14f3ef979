// SPDX-License-Identifier: MIT
#include "final_table.hpp"

#include <algorithm>

#include <kindred/data/statistics.hpp>

namespace kd = kindred;

namespace study {

double metric(const nlohmann::ordered_json& model, const char* name, std::size_t cutoff) {
  return model.at("metrics").at(std::to_string(cutoff)).at(name);
}

double metric_error(const nlohmann::ordered_json& model, const char* name, std::size_t cutoff) {
  return model.at("metrics").at(std::to_string(cutoff)).at("standard_error").at(name);
}

kd::EvaluationGroups groups_by_plays(const kd::CsrView& train) {
  const std::vector<double> plays = kd::statistics::row_sums(train);
  std::vector<kd::Index> counts;
  for (const double user : plays) counts.push_back(static_cast<kd::Index>((std::min)(user, 2e9)));
  return kd::EvaluationGroups::by_count(counts, 4, "plays");
}

namespace {

nlohmann::ordered_json metrics_json(const kd::CutoffReport& c) {
  nlohmann::ordered_json at = {
      {"precision", c.precision.mean}, {"recall", c.recall.mean}, {"ndcg", c.ndcg.mean}, {"map", c.map.mean}, {"mrr", c.mrr.mean},
      {"hit_rate", c.hit_rate.mean}};
  at["standard_error"] = {{"precision", c.precision.standard_error},
                          {"recall", c.recall.standard_error},
                          {"ndcg", c.ndcg.standard_error},
                          {"map", c.map.standard_error},
                          {"mrr", c.mrr.standard_error},
                          {"hit_rate", c.hit_rate.standard_error}};
  return at;
}

/// The list of one sample user, with what of it the user had in fact played.
nlohmann::ordered_json list_json(const Study& s, kd::Index user, const std::string& model, const std::vector<kd::Scored>& list) {
  const kd::SparseRow test = s.split.test.row(user);
  nlohmann::ordered_json entries = nlohmann::ordered_json::array();
  std::size_t hits = 0;
  for (const kd::Scored& scored : list) {
    const bool hit = std::binary_search(test.columns.begin(), test.columns.end(), scored.item);
    hits += hit ? 1 : 0;
    entries.push_back({{"name", s.data.item_name(scored.item)}, {"score", scored.score}, {"hit", hit}, {"item", scored.item}});
  }
  return {{"model", model}, {"items", std::move(entries)}, {"hits", hits}};
}

}  // namespace

void add_model_json(Study& s, const std::string& name, const std::string& settings, const kd::RankingReport& report, double fit_seconds,
                    nlohmann::ordered_json options, const std::vector<std::vector<kd::Scored>>& sample_lists) {
  nlohmann::ordered_json json;
  json["name"] = name;
  json["settings"] = settings;
  json["options"] = std::move(options);
  json["fit_seconds"] = fit_seconds;
  json["protocol"] = report.protocol;
  json["users"] = report.users;
  json["users_without_test"] = report.users_without_test;
  json["untrained_test_items"] = report.untrained_test_items;
  for (const kd::CutoffReport& c : report.cutoffs) {
    auto& at = json["metrics"][std::to_string(c.cutoff)];
    at = metrics_json(c);
    at["coverage"] = c.coverage;
    at["distinct_items"] = c.distinct_items;
  }
  const kd::CutoffReport& at10 = report.at(10);
  json["coverage"] = at10.coverage;
  json["coverage_of_trained"] = at10.coverage_of_trained;
  json["distinct_items"] = at10.distinct_items;
  json["average_popularity"] = at10.average_popularity;
  json["tail_share"] = at10.tail_share;
  json["novelty"] = report.novelty;
  json["gini"] = report.gini;
  for (const kd::RankingReport::UserGroup& group : report.user_groups)
    for (const kd::CutoffReport& c : group.cutoffs)
      if (c.cutoff == 10 && group.users > 0)
        json["user_groups"].push_back({{"name", group.name},
                                       {"users", group.users},
                                       {"precision", c.precision.mean},
                                       {"standard_error", c.precision.standard_error}});
  for (const kd::RankingReport::ItemGroup& group : report.item_groups)
    json["item_groups"].push_back({{"name", group.name},
                                   {"items", group.items},
                                   {"share_of_recommendations", group.share_of_recommendations},
                                   {"recall", group.recall},
                                   {"test_interactions", group.test_interactions}});
  s.results.json["models"].push_back(std::move(json));
  for (std::size_t n = 0; n < sample_lists.size(); ++n)
    s.results.json["sample_users"][n]["lists"].push_back(list_json(s, s.sample_users[n], name, sample_lists[n]));
}

Table metric_rows(const Study& s) {
  Table rows = {
      {"model", "P@10", {"+-", "standard error of P@10"}, "R@10", "NDCG@10", "MAP@10", "MRR@10", "hit@10", {"fit s", "fit seconds"}}};
  for (const auto& model : s.results.json.at("models"))
    rows.push_back({model.at("name").get<std::string>(), number_cell(metric(model, "precision"), 4),
                    number_cell(metric_error(model, "precision"), 4), number_cell(metric(model, "recall"), 4),
                    number_cell(metric(model, "ndcg"), 4), number_cell(metric(model, "map"), 4), number_cell(metric(model, "mrr"), 4),
                    number_cell(metric(model, "hit_rate"), 4), number_cell(model.at("fit_seconds"), 2)});
  return rows;
}

}  // namespace study
