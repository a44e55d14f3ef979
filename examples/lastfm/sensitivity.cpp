// SPDX-License-Identifier: MIT
// Step 6: alpha turns plays into confidence. How much is a play worth?
#include "interrupt.hpp"
#include "ranks.hpp"
#include "study.hpp"

namespace kd = kindred;

namespace study {

void sensitivity(Study& s) {
  s.console.section("Sensitivity to alpha");
  const kd::TrainTestSplit& split = tuning_split(s);
  Table rows = {{"alpha", "confidence of 1 play", {"of 100 plays", "confidence of 100 plays"}, "P@10", {"+-", "standard error of P@10"}}};
  for (const double alpha : {0.5, 1.0, 2.0, 5.0, 40.0}) {
    kd::AlsOptions options = study_options(s.arguments);
    options.confidence.alpha = alpha;
    kd::ImplicitALS<float> als(options);
    fit(als, split.train, {.progress = s.console.progress("alpha " + shortest(alpha))});
    if (interrupted()) break;
    const kd::RankingReport report = measure(als, split.train, split.test,
                                             {.cutoffs = {10},
                                              .execution = {.threads = s.arguments.threads},
                                              .progress = s.console.whole("measuring alpha " + shortest(alpha))});
    rows.push_back({shortest(alpha), shortest(1.0 + alpha), shortest(1.0 + 100.0 * alpha), number_cell(report.at(10).precision.mean, 4),
                    number_cell(report.at(10).precision.standard_error, 4)});
    s.results.json["sensitivity_alpha"].push_back(
        {{"alpha", alpha}, {"precision_at_10", report.at(10).precision.mean}, {"standard_error", report.at(10).precision.standard_error}});
  }
  s.console.table(rows);
  s.results.add_table("sensitivity_alpha", rows);
}

}  // namespace study
