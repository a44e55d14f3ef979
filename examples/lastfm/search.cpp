// SPDX-License-Identifier: MIT
// Step 5: random search, which settings matter, and whether a lower loss means a better ranking (it does not).
#include <algorithm>
#include <map>

#include <kindred/data/statistics.hpp>

#include "als_text.hpp"
#include "interrupt.hpp"
#include "ranks.hpp"
#include "study.hpp"

namespace kd = kindred;

namespace study {

namespace {

double value_of(const kd::SearchTrial& trial, const std::string& name) {
  const auto at = std::find_if(trial.setting.begin(), trial.setting.end(), [&](const auto& p) { return p.first == name; });
  return at->second.number;
}

/// Mean P@10 of the trials at each level of one option.
void show_sensitivity(Study& s, const kd::SearchResult& found, const std::string& name) {
  std::map<double, std::vector<double>> levels;
  for (const kd::SearchTrial& trial : found.trials)
    if (!trial.failed()) levels[value_of(trial, name)].push_back(trial.metric.mean);
  Table rows = {{name, "trials", "mean P@10", "best P@10"}};
  for (const auto& [level, values] : levels)
    rows.push_back({shortest(level), std::to_string(values.size()), number_cell(kd::metrics::mean_and_error(values).mean, 4),
                    number_cell(*std::max_element(values.begin(), values.end()), 4)});
  s.console.line("\nSensitivity to " + name + ":");
  s.console.table(rows);
  s.results.add_table("sensitivity_" + name, rows);
}

/// Ctrl-C ends after the iteration; what is drawn is the progress of the trials.
kd::ProgressAnswer interrupt_only(const kd::Progress&) {
  return interrupted() ? kd::ProgressAnswer::stop_and_keep : kd::ProgressAnswer::keep_going;
}

/// A line of the table of trials.
Table::value_type trial_row(const kd::SearchResult& found, std::size_t t) {
  const kd::SearchTrial& trial = found.trials[t];
  const std::string mark = trial.failed() ? trial.error : found.best == t ? "best" : trial.tied ? "tied with the best" : "";
  return {std::to_string(t + 1),
          shortest(value_of(trial, "factors")),
          shortest(value_of(trial, "regularization")),
          shortest(value_of(trial, "iterations")),
          shortest(value_of(trial, "confidence.alpha")),
          number_cell(trial.metric.mean, 4),
          number_cell(trial.metric.standard_error, 4),
          number_cell(trial.behind_best.mean, 4),
          number_cell(trial.behind_best.standard_error, 4),
          number_cell(trial.final_loss, 5),
          number_cell(trial.fit_seconds, 1),
          mark};
}

nlohmann::ordered_json trial_json(const kd::SearchResult& found, std::size_t t) {
  const kd::SearchTrial& trial = found.trials[t];
  nlohmann::ordered_json entry;
  for (const auto& [name, value] : trial.setting) entry[name] = value.number;
  entry["precision_at_10"] = trial.metric.mean;
  entry["standard_error"] = trial.metric.standard_error;
  entry["behind_best"] = trial.behind_best.mean;
  entry["behind_best_standard_error"] = trial.behind_best.standard_error;
  entry["best"] = found.best == t;
  entry["tied"] = trial.tied;
  entry["loss"] = trial.final_loss;
  entry["fit_seconds"] = trial.fit_seconds;
  if (trial.failed()) entry["error"] = trial.error;
  return entry;
}

}  // namespace

void search(Study& s) {
  const Arguments& a = s.arguments;
  auto& json = s.results.json["search"];
  json["tuned_on"] = a.tune_on_test ? "test" : "inner validation";
  json["trials"] = nlohmann::ordered_json::array();
  if (a.search_trials == 0) return;
  const kd::TrainTestSplit& split = tuning_split(s);
  s.console.section(a.tune_on_test ? "Random search ON THE TEST SET (--tune-on-test)" : "Random search on the inner validation split");
  const kd::SearchSpace space = {{"factors", kd::SearchChoices{30, 50, 70, 100}},
                                 {"regularization", kd::SearchChoices{0.001, 0.01, 0.05, 0.1}},
                                 {"iterations", kd::SearchChoices{10, 15, 20}},
                                 {"confidence.alpha", kd::SearchChoices{0.5, 1, 2, 5}}};
  const kd::SearchResult found = search_settings(split.train, split.test, space,
                                                 {.trials = a.search_trials,
                                                  .seed = a.seed,
                                                  .cutoff = 10,
                                                  .users = a.search_users,
                                                  .base = study_options(a),
                                                  .progress = s.console.progress("random search"),
                                                  .fit_progress = interrupt_only});

  json["users"] = found.users;
  Table rows = {{"trial",
                 "factors",
                 "lambda",
                 "iterations",
                 "alpha",
                 "P@10",
                 {"+-", "standard error of P@10"},
                 "behind best",
                 {"+-", "standard error of behind best"},
                 "loss",
                 "seconds",
                 {"", "remark"}}};
  std::vector<double> losses;
  std::vector<double> precisions;
  for (std::size_t t = 0; t < found.trials.size(); ++t) {
    const kd::SearchTrial& trial = found.trials[t];
    rows.push_back(trial_row(found, t));
    json["trials"].push_back(trial_json(found, t));
    if (trial.failed()) continue;
    losses.push_back(trial.final_loss);
    precisions.push_back(trial.metric.mean);
  }
  s.console.table(rows);
  s.results.add_table("search", rows);
  s.console.line("Every trial is measured on the same " + grouped(found.users) + " users, so differences to the best are paired.");
  show_sensitivity(s, found, "factors");
  show_sensitivity(s, found, "regularization");

  const std::optional<double> correlation = kd::statistics::spearman(losses, precisions);
  if (correlation) {
    s.console.line("\nSpearman's rank correlation of final loss and P@10 over the trials: " + fixed(*correlation, 2) +
                   " (-1: a lower loss always ranks better; the loss of different alpha and lambda measures different things).");
    json["spearman_loss_precision"] = *correlation;
  }
}

}  // namespace study
