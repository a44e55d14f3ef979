// SPDX-License-Identifier: MIT
// The last step, where --model asks for it: a recommender for a service, a program or a page in a browser, fitted on all plays.
#include <utility>

#include <kindred/models/keyed_recommender.hpp>
#include <kindred/persistence/model_file.hpp>

#include "interrupt.hpp"
#include "ranks.hpp"
#include "study.hpp"

namespace kd = kindred;

namespace study {

void write_model(Study& s) {
  const Arguments& a = s.arguments;
  if (a.model.empty()) return;
  s.console.section("A model to serve");
  kd::AlsOptions options;
  options.seed = a.seed;
  kd::ImplicitALS<float> als(options);
  fit(als, s.data.matrix, {.progress = s.console.progress("all plays"), .execution = {.threads = a.threads}});
  if (interrupted() || !is_first_rank()) return;
  kd::save(kd::KeyedRecommender<float>(std::move(als), s.data), a.model);
  s.console.line("The defaults, fitted on all plays, with keys and names: " + a.model +
                 ". kindred::load<kindred::KeyedRecommender<float>> takes it, and so does the page of examples/web.");
}

}  // namespace study
