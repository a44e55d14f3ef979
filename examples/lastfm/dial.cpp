// SPDX-License-Identifier: MIT
// Step 9: what less popular lists cost. The model of the defaults, with the dial from 0 to 1.
#include <kindred/evaluation/groups.hpp>

#include "final_table.hpp"
#include "interrupt.hpp"
#include "ranks.hpp"
#include "served.hpp"

namespace kd = kindred;

namespace study {

void dial(Study& s) {
  const kd::ImplicitALS<float>& model = served_model(s);
  if (interrupted() || !(model.popularity_scale() > 0.0)) return;
  s.console.section("One dial against popularity (model: defaults, lists of 10)");
  Table rows = {
      {"dial", "NDCG@10", {"+-", "standard error of NDCG@10"}, "listeners of an artist", "artists recommended", "places of the tail"}};
  for (const double dial : {0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0}) {
    const kd::RankingReport report = measure(model, s.split.train, s.split.test,
                                             {.cutoffs = {10},
                                              .popularity_penalty = dial,
                                              .user_groups = kd::EvaluationGroups::by_mainstreamness(s.split.train),
                                              .execution = {.threads = s.arguments.threads},
                                              .progress = s.console.whole("dial at " + shortest(dial))});
    if (interrupted()) return;
    const kd::CutoffReport& at = report.at(10);
    rows.push_back({shortest(dial), number_cell(at.ndcg.mean, 4), number_cell(at.ndcg.standard_error, 4),
                    number_cell(at.average_popularity, 1), count_cell(at.distinct_items), share_cell(at.tail_share)});
    nlohmann::ordered_json json = {{"dial", dial},
                                   {"ndcg", at.ndcg.mean},
                                   {"standard_error", at.ndcg.standard_error},
                                   {"average_popularity", at.average_popularity},
                                   {"coverage", at.coverage},
                                   {"tail_share", at.tail_share}};
    for (const kd::RankingReport::UserGroup& group : report.user_groups)
      json["user_groups"].push_back({{"name", group.name},
                                     {"users", group.users},
                                     {"ndcg", group.cutoffs.front().ndcg.mean},
                                     {"average_popularity", group.cutoffs.front().average_popularity}});
    s.results.json["dial"].push_back(std::move(json));
  }
  s.console.table(rows);
  s.results.add_table("dial", rows);
}

}  // namespace study
