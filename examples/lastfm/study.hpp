// SPDX-License-Identifier: MIT
// The study: what its steps share, and the steps in their order. One file a step.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <kindred/data/dataset.hpp>
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/models/als_options.hpp>
#include <kindred/models/popularity_recommender.hpp>
#include <kindred/split/split.hpp>

#include "arguments.hpp"
#include "console.hpp"
#include "results.hpp"

namespace study {

/// A model's lists for the sample user are made when the model is at hand, and shown at the end.
struct FinalModel {
  std::string name;
  std::string settings;  // for people
  kindred::RankingReport report;
  double fit_seconds = 0.0;
  std::vector<kindred::Scored> sample_list;
};

struct Study {
  explicit Study(const Arguments& given) : arguments(given), console(given.quiet) {}

  Arguments arguments;
  Console console;
  Results results;

  kindred::Dataset data;  // as read, then as filtered
  kindred::Split split;   // train and the test set of the final table
  kindred::Split inner;   // train once more split, for tuning
  kindred::Index sample_user = 0;
  std::optional<kindred::AlsOptions> searched;  // the best setting of the search
  std::vector<FinalModel> models;
};

/// The settings of the study that this program repeats.
[[nodiscard]] inline kindred::AlsOptions study_options(const Arguments& a) {
  return {.factors = 100, .regularization = 0.1, .alpha = 0.5, .iterations = 15, .seed = a.seed, .threads = a.threads};
}

/// The data that tuning may look at: an inner split of train, or the final split when the user insists.
[[nodiscard]] inline const kindred::Split& tuning_split(const Study& s) { return s.arguments.tune_on_test ? s.split : s.inner; }

void read_data(Study& s);         // read_data.cpp: files or synthetic data; what was read and what was dropped
void explore(Study& s);           // explore.cpp: the three distributions
void prepare(Study& s);           // prepare.cpp: the filter funnel, the matrix, the split
void baselines(Study& s);         // baselines.cpp: three popularity rows
void search(Study& s);            // search.cpp: random search, sensitivity, loss against ranking
void sensitivity(Study& s);       // sensitivity.cpp: alpha and what it makes of plays
void convergence(Study& s);       // convergence.cpp: loss and precision over iterations
void final_models(Study& s);      // final_models.cpp: fits on all of train, measured on test
void compare(Study& s);           // compare.cpp: improvement, precision at K, coverage
void show_sample_user(Study& s);  // sample_user.cpp: one listener's history, lists and hits

}  // namespace study
