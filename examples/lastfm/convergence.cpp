// SPDX-License-Identifier: MIT
// Step 7: how many iterations are enough, and how many seconds? Fits that are looked at after each of their iterations.
#include <functional>
#include <utility>

#include "ranks.hpp"
#include "study.hpp"

namespace kd = kindred;

namespace study {

namespace {

using Look = std::function<void(const kd::FitReport::Iteration& now, double precision)>;

/// Fits on the inner split; `look` is handed P@10 after every iteration. Returns the seconds before the first one.
double watched_fit(Study& s, const std::string& label, kd::AlsOptions options, bool record_loss, const Look& look) {
  const kd::TrainTestSplit& split = tuning_split(s);
  options.seed = s.arguments.seed;
  kd::ImplicitALS<float> als(options);
  const kd::FitReport report =
      fit(als, split.train,
          {.record_loss = record_loss,
           .progress = s.console.progress(label),
           .after_iteration = [&](const kd::ImplicitALS<float>& model, const kd::FitReport::Iteration& now) {
             look(now, measure(model, split.train, split.test, {.cutoffs = {10}, .execution = {.threads = s.arguments.threads}})
                           .at(10)
                           .precision.mean);
           }});
  return report.choice_seconds + report.prepare_seconds + report.start_seconds;
}

/// The random start of the study against the spectral one, and the defaults: P@10 and the seconds until then.
void quality_against_seconds(Study& s) {
  Table rows = {{"fit", "iteration", "seconds", "P@10"}};
  const auto path = [&](const std::string& name, kd::AlsOptions options, std::size_t iterations) {
    options.iterations = iterations;
    std::vector<std::pair<double, double>> seen;  // seconds of iterations, P@10
    const double before = watched_fit(s, name, options, false, [&](const kd::FitReport::Iteration& now, double precision) {
      seen.emplace_back((seen.empty() ? 0.0 : seen.back().first) + now.seconds, precision);
    });
    for (std::size_t n = 0; n < seen.size(); ++n) {
      rows.push_back({name, std::to_string(n + 1), number_cell(before + seen[n].first, 2), number_cell(seen[n].second, 4)});
      s.results.json["quality_against_seconds"].push_back(
          {{"fit", name}, {"iteration", n + 1}, {"seconds", before + seen[n].first}, {"precision_at_10", seen[n].second}});
    }
  };
  kd::AlsOptions options = study_options(s.arguments);
  path("study, random start", options, 15);
  options.start.kind = kd::Start::spectral;
  path("study, spectral start", options, 5);
  path("defaults", {}, 5);
  s.console.line("\nQuality against seconds:");
  s.console.table(rows);
  s.results.add_table("quality_against_seconds", rows);
}

}  // namespace

void convergence(Study& s) {
  s.console.section("Convergence (factors 100, lambda 0.1, alpha 0.5)");
  kd::AlsOptions options = study_options(s.arguments);
  options.iterations = 20;
  Table rows = {{"iteration", "loss", "per cell", "per total weight", "P@10"}};
  watched_fit(s, "convergence", options, true, [&](const kd::FitReport::Iteration& now, double precision) {
    rows.push_back({std::to_string(now.iteration), count_cell(now.loss->total), number_cell(now.loss->per_cell, 5),
                    number_cell(now.loss->loss_per_total_weight, 5), number_cell(precision, 4)});
    s.results.json["convergence"].push_back({{"iteration", now.iteration},
                                             {"loss", now.loss->total},
                                             {"loss_per_cell", now.loss->per_cell},
                                             {"loss_per_total_weight", now.loss->loss_per_total_weight},
                                             {"precision_at_10", precision},
                                             {"seconds", now.seconds}});
  });
  s.console.table(rows);
  s.results.add_table("convergence", rows);
  quality_against_seconds(s);
}

}  // namespace study
