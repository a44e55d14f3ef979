// SPDX-License-Identifier: MIT
// Step 7: how many iterations are enough? One fit, looked at after each of them.
#include "ranks.hpp"
#include "study.hpp"

namespace kd = kindred;

namespace study {

void convergence(Study& s) {
  s.console.section("Convergence (factors 100, lambda 0.1, alpha 0.5)");
  const kd::TrainTestSplit& split = tuning_split(s);
  kd::AlsOptions options = study_options(s.arguments);
  options.iterations = 20;
  Table rows = {{"iteration", "loss", "per cell", "per total weight", "P@10"}};
  kd::ImplicitALS<float> als(options);
  fit(als, split.train,
      {.record_loss = true,
       .progress = s.console.progress("convergence"),
       .after_iteration = [&](const kd::ImplicitALS<float>& model, const kd::FitReport::Iteration& now) {
         const double precision = measure(model, split.train, split.test, {.cutoffs = {10}, .execution = {.threads = s.arguments.threads}})
                                      .at(10)
                                      .precision.mean;
         rows.push_back({std::to_string(now.iteration), count_cell(now.loss->total), number_cell(now.loss->per_cell, 5),
                         number_cell(now.loss->loss_per_total_weight, 5), number_cell(precision, 4)});
         s.results.json["convergence"].push_back({{"iteration", now.iteration},
                                                  {"loss", now.loss->total},
                                                  {"loss_per_cell", now.loss->per_cell},
                                                  {"loss_per_total_weight", now.loss->loss_per_total_weight},
                                                  {"precision_at_10", precision},
                                                  {"seconds", now.seconds}});
       }});
  s.console.table(rows);
  s.results.add_table("convergence", rows);
}

}  // namespace study
