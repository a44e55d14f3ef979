// SPDX-License-Identifier: MIT
// Step 4: popularity, the baseline that a model has to beat, in the three forms that studies use. They differ more than one would think.
#include <kindred/models/popularity_recommender.hpp>

#include "final_table.hpp"
#include "stopwatch.hpp"
#include "study.hpp"

namespace kd = kindred;

namespace study {

void baselines(Study& s) {
  s.console.section("Popularity");
  const auto add = [&](std::string name, kd::PopularityOptions::By by, kd::EvaluateOptions::SeenItems seen) {
    const Stopwatch watch;
    kd::PopularityRecommender model({.by = by});
    model.fit(s.split.train);
    const double seconds = watch.seconds();
    add_final_model(s, std::move(name), "", model, seconds, seen, {{"by", by == kd::PopularityOptions::By::users ? "listeners" : "plays"}});
  };
  add("popularity (plays, nothing excluded)", kd::PopularityOptions::By::summed_values, kd::EvaluateOptions::SeenItems::allowed);
  add("popularity (plays)", kd::PopularityOptions::By::summed_values, kd::EvaluateOptions::SeenItems::excluded);
  add("popularity (listeners)", kd::PopularityOptions::By::users, kd::EvaluateOptions::SeenItems::excluded);
  s.console.table(metric_rows(s));
  s.console.line("Except in the first row, artists that the user had in train are left out of the lists, here and below.");
}

}  // namespace study
