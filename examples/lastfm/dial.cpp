// SPDX-License-Identifier: MIT
// Step 9: what less popular lists cost. The settings of the defaults with the dial from 0 to 1, and other settings without it, on the split that
// tuning looks at: a dial is a choice too.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <kindred/evaluation/groups.hpp>

#include "../random_numbers.hpp"
#include "final_table.hpp"
#include "interrupt.hpp"
#include "ranks.hpp"

namespace kd = kindred;
using nlohmann::ordered_json;

namespace study {

namespace {

kd::ImplicitALS<float> fitted(const Study& s, kd::AlsOptions options, const std::string& what) {
  options.seed = s.arguments.seed;
  kd::ImplicitALS<float> model(options);
  fit(model, tuning_split(s).train, {.progress = s.console.whole(what), .execution = {.threads = s.arguments.threads}});
  return model;
}

kd::RankingReport measured(const Study& s, const kd::ImplicitALS<float>& model, double dial, std::optional<kd::EvaluationGroups> groups,
                           const std::string& what) {
  const kd::TrainTestSplit& split = tuning_split(s);
  return measure(model, split.train, split.test,
                 {.cutoffs = {10},
                  .popularity_penalty = dial,
                  .user_groups = std::move(groups),
                  .execution = {.threads = s.arguments.threads},
                  .progress = s.console.whole(what)});
}

ordered_json figures(const kd::CutoffReport& at) {
  return {{"ndcg", at.ndcg.mean},
          {"standard_error", at.ndcg.standard_error},
          {"average_popularity", at.average_popularity},
          {"coverage", at.coverage},
          {"tail_share", at.tail_share}};
}

/// Settings that move popularity and taste, drawn at random.
void random_settings(Study& s) {
  const std::size_t count = (std::min)(s.arguments.search_trials, std::size_t{8});
  for (std::size_t n = 0; n < count && !interrupted(); ++n) {
    examples::Random random(s.arguments.seed, 12, n);
    const auto logarithmic = [&](double low, double high) { return low * std::pow(high / low, random.uniform()); };
    kd::AlsOptions options{.regularization = logarithmic(0.02, 0.6)};
    options.background.ratio = logarithmic(4.0, 40.0);
    options.background.item_exponent = 0.5 * random.uniform();
    options.confidence.popularity_damping = 0.3 * random.uniform();
    const std::string what = "random settings " + std::to_string(n + 1);
    const kd::RankingReport report = measured(s, fitted(s, options, what), 0.0, std::nullopt, what);
    if (!interrupted()) s.results.json["dial_random"].push_back(figures(report.at(10)));
  }
}

}  // namespace

void dial(Study& s) {
  const kd::ImplicitALS<float> model = fitted(s, {}, "defaults");
  if (interrupted() || !(model.popularity_scale() > 0.0)) return;
  s.console.section(std::string("One dial against popularity (settings of defaults, lists of 10, ") +
                    (s.arguments.tune_on_test ? "ON THE TEST SET)" : "inner validation split)"));
  Table rows = {
      {"dial", "NDCG@10", {"+-", "standard error of NDCG@10"}, "listeners of an artist", "artists recommended", "places of the tail"}};
  for (const double dial : {0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0}) {
    const kd::RankingReport report =
        measured(s, model, dial, kd::EvaluationGroups::by_mainstreamness(tuning_split(s).train), "dial at " + shortest(dial));
    if (interrupted()) return;
    const kd::CutoffReport& at = report.at(10);
    rows.push_back({shortest(dial), number_cell(at.ndcg.mean, 4), number_cell(at.ndcg.standard_error, 4),
                    number_cell(at.average_popularity, 1), count_cell(at.distinct_items), share_cell(at.tail_share)});
    ordered_json json = {{"dial", dial}};
    json.update(figures(at));
    for (const kd::RankingReport::UserGroup& group : report.user_groups)
      json["user_groups"].push_back({{"name", group.name},
                                     {"users", group.users},
                                     {"ndcg", group.cutoffs.front().ndcg.mean},
                                     {"average_popularity", group.cutoffs.front().average_popularity}});
    s.results.json["dial"].push_back(std::move(json));
  }
  s.console.table(rows);
  s.results.add_table("dial", rows);
  random_settings(s);
}

}  // namespace study
