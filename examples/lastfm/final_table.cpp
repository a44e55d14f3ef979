// SPDX-License-Identifier: MIT
#include "final_table.hpp"

namespace kd = kindred;

namespace study {

nlohmann::ordered_json model_json(const FinalModel& model, nlohmann::ordered_json options) {
  nlohmann::ordered_json json;
  json["name"] = model.name;
  json["options"] = std::move(options);
  json["fit_seconds"] = model.fit_seconds;
  json["protocol"] = model.report.protocol;
  json["users"] = model.report.users;
  json["users_without_test"] = model.report.users_without_test;
  json["untrained_test_items"] = model.report.untrained_test_items;
  for (const kd::CutoffReport& c : model.report.cutoffs) {
    auto& at = json["metrics"][std::to_string(c.cutoff)];
    at = {{"precision", c.precision.mean}, {"recall", c.recall.mean}, {"ndcg", c.ndcg.mean}, {"map", c.map.mean}, {"mrr", c.mrr.mean},
          {"hit_rate", c.hit_rate.mean}};
    at["standard_error"] = {{"precision", c.precision.standard_error},
                            {"recall", c.recall.standard_error},
                            {"ndcg", c.ndcg.standard_error},
                            {"map", c.map.standard_error},
                            {"mrr", c.mrr.standard_error},
                            {"hit_rate", c.hit_rate.standard_error}};
    at["coverage"] = c.coverage;
    at["distinct_items"] = c.distinct_items;
  }
  const kd::CutoffReport& at10 = model.report.at(10);
  json["coverage"] = at10.coverage;
  json["coverage_of_trained"] = at10.coverage_of_trained;
  json["distinct_items"] = at10.distinct_items;
  json["novelty"] = model.report.novelty;
  json["gini"] = model.report.gini;
  return json;
}

Table metric_rows(const std::vector<FinalModel>& models) {
  Table rows = {
      {"model", "P@10", {"+-", "standard error of P@10"}, "R@10", "NDCG@10", "MAP@10", "MRR@10", "hit@10", {"fit s", "fit seconds"}}};
  for (const FinalModel& model : models) {
    const kd::CutoffReport& at = model.report.at(10);
    rows.push_back({model.name, number_cell(at.precision.mean, 4), number_cell(at.precision.standard_error, 4),
                    number_cell(at.recall.mean, 4), number_cell(at.ndcg.mean, 4), number_cell(at.map.mean, 4), number_cell(at.mrr.mean, 4),
                    number_cell(at.hit_rate.mean, 4), number_cell(model.fit_seconds, 2)});
  }
  return rows;
}

}  // namespace study
