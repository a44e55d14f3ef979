// SPDX-License-Identifier: MIT
// Step 8: the final models, fitted on all of train and measured once on the test set.
#include "als_instance.hpp"

#include <algorithm>
#include <string>

#include <kindred/persistence/checkpoint.hpp>

#include "als_text.hpp"
#include "final_table.hpp"
#include "study.hpp"

namespace kd = kindred;

namespace study {

namespace {

std::string checkpoint_path(const std::string& folder, std::string model) {
  std::replace(model.begin(), model.end(), ' ', '_');
  return folder + "/" + model + ".safetensors";
}

}  // namespace

void final_models(Study& s) {
  const Arguments& a = s.arguments;
  s.console.section("Final models, measured on the test set");
  const auto add = [&](const std::string& name, kd::AlsOptions options) {
    options.seed = a.seed;
    options.threads = a.threads;
    kd::ImplicitALS<float> als(options);
    const kd::ImplicitALS<float>::FitOptions fit{.progress = s.console.progress(name)};
    const kd::FitReport fitted = a.checkpoint.empty()
                                     ? als.fit(s.split.train, fit)
                                     : kd::fit_with_checkpoints(als, s.split.train, checkpoint_path(a.checkpoint, name), {}, fit);
    add_final_model(s, name, options_text(options), als, fitted.seconds, kd::SeenItems::excluded, options_json(options));
    s.console.line(name + ": " + options_text(options));
  };

  add("study", study_options(a));
  kd::AlsOptions as_run = study_options(a);  // what the original study's library does with the same settings
  as_run.confidence_base = 0.0;
  as_run.solver = kd::Solver::conjugate_gradient;
  as_run.init = kd::Init::uniform;
  add("as run", as_run);
  if (s.searched) add("best of search", *s.searched);
  add("recommended", kd::AlsOptions::recommended());
  if (a.custom) add("custom", *a.custom);

  s.console.line();
  s.console.table(metric_rows(s.models));
  s.console.line("\n" + s.models.back().report.protocol + ".");
  if (s.models.back().report.untrained_test_items > 0)
    s.console.line(grouped(static_cast<double>(s.models.back().report.untrained_test_items)) +
                   " test interactions are with artists that have no train data: nobody can find them.");
  s.results.add_table("models", metric_rows(s.models));
}

}  // namespace study
