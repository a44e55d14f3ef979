// SPDX-License-Identifier: MIT
// One row of the final table: a fitted model, measured on the test set.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "study.hpp"

namespace study {

inline const std::vector<std::size_t> final_cutoffs = {1, 5, 10, 15, 20};

/// The model's entry in results.json.
[[nodiscard]] nlohmann::ordered_json model_json(const FinalModel& model, nlohmann::ordered_json options);
/// Header and one row a model: all metrics at 10.
[[nodiscard]] Table metric_rows(const std::vector<FinalModel>& models);

/// Measures `model` on the test set and adds it to the final table.
template <kindred::RecommenderModel Model>
void add_final_model(Study& s, std::string name, std::string settings, const Model& model, double fit_seconds, kindred::SeenItems seen,
                     nlohmann::ordered_json options) {
  FinalModel row{.name = std::move(name), .settings = std::move(settings), .report = {}, .fit_seconds = fit_seconds, .sample_list = {}};
  row.report =
      kindred::evaluate(model, s.split.train, s.split.test, {.cutoffs = final_cutoffs, .seen = seen, .threads = s.arguments.threads});
  kindred::RecommendOptions request{.count = 5};
  if (seen == kindred::SeenItems::excluded) request.exclude = s.split.train.row(s.sample_user);
  row.sample_list = model.recommend(s.sample_user, request);
  s.results.json["models"].push_back(model_json(row, std::move(options)));
  s.models.push_back(std::move(row));
}

}  // namespace study
