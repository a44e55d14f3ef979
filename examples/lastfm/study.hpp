// SPDX-License-Identifier: MIT
// The study: what its steps share, and the steps in their order. One file a step.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <kindred/data/dataset.hpp>
#include <kindred/io/event_log.hpp>
#include <kindred/models/als/options.hpp>
#include <kindred/split/split.hpp>

#include "arguments.hpp"
#include "console.hpp"
#include "ranks.hpp"
#include "results.hpp"

namespace study {

struct Served;  // served.hpp

struct Study {
  explicit Study(const Arguments& given) : arguments(given), console(given.quiet || !is_first_rank()) {}

  Arguments arguments;
  Console console;
  Results results;  // what steps leave for later ones is here, so that a resumed run has it too; except for the rest:

  kindred::Dataset data;          // as read, then as filtered
  kindred::TrainTestSplit split;  // train and the test set of the final table
  kindred::TrainTestSplit inner;  // train once more split, for tuning
  std::vector<kindred::Index> sample_users;
  std::vector<kindred::Index> typed_items;  // what --artists names, rising
  std::shared_ptr<Served> served;           // the recommended model, once it is fitted
};

/// The settings of the study that this program repeats.
[[nodiscard]] inline kindred::AlsOptions study_options(const Arguments& a) {
  return {.factors = 100,
          .regularization = 0.1,
          .iterations = 15,
          .seed = a.seed,
          .units = kindred::Units::paper,
          .confidence = {.alpha = 0.5}};
}

/// The data that tuning may look at: an inner split of train, or the final split when the user insists.
[[nodiscard]] inline const kindred::TrainTestSplit& tuning_split(const Study& s) { return s.arguments.tune_on_test ? s.split : s.inner; }

void read_data(Study& s);  // read_data.cpp: files or synthetic data; what was read and what was dropped
/// The events of --data one by one; none where it has no times, or cannot be read again.
[[nodiscard]] std::optional<kindred::EventLog> read_events(const Study& s);
void explore(Study& s);       // explore.cpp: the three distributions
void prepare(Study& s);       // prepare.cpp: the filter funnel, the matrix, the split
void picture(Study& s);       // picture.cpp: a small corner of the matrix, as stored and as factors
void baselines(Study& s);     // baselines.cpp: three popularity rows
void search(Study& s);        // search.cpp: random search, sensitivity, loss against ranking
void sensitivity(Study& s);   // sensitivity.cpp: alpha and what it makes of plays
void convergence(Study& s);   // convergence.cpp: loss and precision over iterations
void final_models(Study& s);  // final_models.cpp: fits on all of train, measured on test
void compare(Study& s);       // compare.cpp: improvement, precision at K, coverage
void both(Study& s);          // both.cpp: what neighbours of artists add to factors
void dial(Study& s);          // dial.cpp: accuracy against popularity, over the dial
void profiles(Study& s);      // profiles.cpp: new listeners with a profile
void times(Study& s);         // times.cpp: what repeats, what rises, and whether that pays, for files of events
void show_users(Study& s);    // sample_users.cpp: listeners' histories, lists and hits, and why
void show_artists(Study& s);  // artists.cpp: neighbours of well-known artists, a map of many
void limits(Study& s);        // limits.cpp: what this study cannot do, each with a number
void new_listener(Study& s);  // new_listener.cpp: somebody who typed some names
void write_model(Study& s);   // write_model.cpp

}  // namespace study
