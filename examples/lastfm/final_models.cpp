// SPDX-License-Identifier: MIT
// Step 8: the final models, fitted on all of train and measured once on the test set.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <kindred/tuning/tune.hpp>

#include "als_text.hpp"
#include "final_table.hpp"
#include "interrupt.hpp"
#include "ranks.hpp"
#include "served.hpp"

namespace kd = kindred;

namespace study {

namespace {

std::string checkpoint_path(const std::string& folder, std::string model) {
  std::replace(model.begin(), model.end(), ' ', '_');
  return folder + "/" + model + ".safetensors";
}

/// The best setting of the search, read from its results: a resumed run has nothing else.
std::optional<kd::AlsOptions> searched(const Study& s) {
  for (const auto& trial : s.results.json.at("search").at("trials")) {
    if (!trial.at("best").get<bool>()) continue;
    kd::AlsOptions options = study_options(s.arguments);
    options.factors = static_cast<std::size_t>(trial.at("factors").get<double>());
    options.regularization = trial.at("regularization");
    options.iterations = static_cast<std::size_t>(trial.at("iterations").get<double>());
    options.confidence.alpha = trial.at("confidence.alpha");
    return options;
  }
  return std::nullopt;
}

}  // namespace

void final_models(Study& s) {
  const Arguments& a = s.arguments;
  s.console.section("Final models, measured on the test set");
  const auto add = [&](const std::string& name, kd::AlsOptions options) {
    if (interrupted()) return;
    options.seed = a.seed;
    kd::ImplicitALS<float> als(options);
    const kd::ImplicitALS<float>::FitOptions fit{.progress = s.console.progress(name), .execution = {.threads = a.threads}};
    const kd::FitReport fitted = a.checkpoint.empty() ? study::fit(als, s.split.train, fit)
                                                      : fit_with_checkpoints(als, s.split.train, checkpoint_path(a.checkpoint, name), fit);
    if (interrupted()) return;  // a model that was not fitted to its end does not belong into the table
    const kd::AlsOptions& used = fitted.options;
    add_final_model(s, name, options_text(used), als, fitted.seconds, kd::EvaluateOptions::SeenItems::excluded, options_json(used));
    s.console.line(name + ": " + options_text(used));
    if (name == "defaults") s.served = std::make_shared<Served>(Served{std::move(als)});
  };

  add("study", study_options(a));
  kd::AlsOptions as_run = study_options(a);  // what the original study's library does with the same settings
  as_run.confidence.base = 0.0;
  as_run.solver.kind = kd::Solver::conjugate_gradient;
  as_run.start.kind = kd::Start::uniform;
  add("as run", as_run);
  if (const std::optional<kd::AlsOptions> best = searched(s)) add("best of search", *best);
  add("defaults", kd::AlsOptions{});
  if (a.search_trials > 0 && !interrupted()) {
    const kd::TuneResult found = kd::tune(s.split.train, {.metric = kd::Metric::precision,
                                                          .cutoff = 10,
                                                          .seed = a.seed,
                                                          .progress = s.console.progress("tune"),
                                                          .execution = {.threads = a.threads}});
    s.results.json["tune"] = {{"trials", found.trials.size()}, {"seconds", found.seconds}, {"conclusive", found.conclusive}};
    add("tuned", found.options);
    s.console.line("tuned: " + std::to_string(found.trials.size()) + " settings on an inner split of train, in " + fixed(found.seconds, 1) +
                   " seconds" + (found.conclusive ? "." : "; the data are too small to tell them apart."));
  }
  if (a.custom) add("custom", *a.custom);

  s.console.line();
  s.console.table(metric_rows(s));
  const auto& last = s.results.json.at("models").back();
  s.console.line("\n" + last.at("protocol").get<std::string>() + ".");
  if (const auto untrained = last.at("untrained_test_items").get<double>(); untrained > 0)
    s.console.line(grouped(untrained) + " test interactions are with artists that have no train data: nobody can find them.");
  s.results.add_table("models", metric_rows(s));
}

const kd::ImplicitALS<float>& served_model(Study& s) {
  if (!s.served) {
    kd::AlsOptions options;
    options.seed = s.arguments.seed;
    s.served = std::make_shared<Served>(Served{kd::ImplicitALS<float>(options)});
    fit(s.served->model, s.split.train, {.progress = s.console.whole("defaults"), .execution = {.threads = s.arguments.threads}});
  }
  return s.served->model;
}

}  // namespace study
