// SPDX-License-Identifier: MIT
// Step 9: which listeners and which artists gain when neighbours of artists are added to factors.
#include <string>
#include <utility>

#include <kindred/models/blended_recommender.hpp>
#include <kindred/models/item_neighbours.hpp>

#include "final_table.hpp"
#include "interrupt.hpp"
#include "served.hpp"
#include "stopwatch.hpp"

namespace kd = kindred;
using nlohmann::ordered_json;

namespace study {

namespace {

template <typename Model>
void add(Study& s, ordered_json& json, const std::string& name, const Model& model, double fit_seconds) {
  const kd::RankingReport report = kd::evaluate(model, s.split.train, s.split.test,
                                                {.cutoffs = {10},
                                                 .user_groups = groups_by_plays(s.split.train),
                                                 .item_groups = kd::EvaluationGroups::by_popularity(s.split.train),
                                                 .execution = {.threads = s.arguments.threads},
                                                 .progress = s.console.whole("measuring " + name)});
  if (interrupted()) return;
  const kd::CutoffReport& at = report.at(10);
  ordered_json entry = {{"name", name},
                        {"ndcg", at.ndcg.mean},
                        {"standard_error", at.ndcg.standard_error},
                        {"coverage", at.coverage},
                        {"fit_seconds", fit_seconds}};
  for (const kd::RankingReport::UserGroup& group : report.user_groups)
    if (group.users > 0) entry["user_groups"].push_back({{"name", group.name}, {"ndcg", group.cutoffs.front().ndcg.mean}});
  for (const kd::RankingReport::ItemGroup& group : report.item_groups)
    if (group.test_interactions > 0) entry["item_groups"].push_back({{"name", group.name}, {"recall", group.recall}});
  json.push_back(std::move(entry));
}

/// One column a group of listeners, or of artists.
Table table_by(const ordered_json& json, const char* groups, const char* what) {
  Table rows(1, {"model"});
  std::size_t n = 0;
  for (const ordered_json& group : json.front().at(groups)) {
    const std::string name = group.at("name");
    rows.front().push_back({name, std::to_string(++n) + " (" + name + ")"});
  }
  for (const ordered_json& model : json) {
    rows.push_back({model.at("name").get<std::string>()});
    for (const ordered_json& group : model.at(groups)) rows.back().push_back(number_cell(group.at(what), 4));
  }
  return rows;
}

}  // namespace

void both(Study& s) {
  s.console.section("Factors, neighbours of artists, or both");
  ordered_json json = ordered_json::array();
  double seconds = 0.0;
  for (const ordered_json& model : s.results.json.at("models"))
    if (model.at("name") == "defaults") seconds = model.at("fit_seconds");
  add(s, json, "factors (defaults)", served_model(s), seconds);
  Stopwatch watch;
  kd::ItemNeighbours neighbours;
  neighbours.fit(s.split.train, {.threads = s.arguments.threads});
  if (!interrupted()) add(s, json, "neighbours", neighbours, watch.seconds());
  watch = {};
  kd::BlendedOptions options;
  options.factors.seed = s.arguments.seed;
  kd::BlendedRecommender<float> blend(options);
  if (!interrupted()) blend.fit(s.split.train, {.progress = s.console.whole("both"), .execution = {.threads = s.arguments.threads}});
  if (!interrupted()) add(s, json, "both", blend, watch.seconds());
  if (interrupted()) return;
  Table rows = {{"model", "NDCG@10", {"+-", "standard error of NDCG@10"}, {"of all", "share of the artists in some list"}}};
  std::string seconds_text = "Seconds of fits:";
  for (const ordered_json& model : json) {
    rows.push_back({model.at("name").get<std::string>(), number_cell(model.at("ndcg"), 4), number_cell(model.at("standard_error"), 4),
                    share_cell(model.at("coverage"))});
    seconds_text += " " + rows.back().front().shown + " " + fixed(model.at("fit_seconds"), 2) + ";";
  }
  seconds_text.back() = '.';
  const Table users = table_by(json, "user_groups", "ndcg"), artists = table_by(json, "item_groups", "recall");
  s.console.table(rows);
  s.console.line(seconds_text);
  s.console.line("\nNDCG@10 of listeners in quarters by their plays, fewest first:");
  s.console.table(users);
  s.console.line("\nShare of the hidden artists that lists find, by the popularity of the artist, least popular first:");
  s.console.table(artists);
  s.results.add_table("both", rows);
  s.results.add_table("both_by_plays", users);
  s.results.add_table("both_by_popularity", artists);
  s.results.json["both"] = std::move(json);
}

}  // namespace study
