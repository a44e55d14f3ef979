// SPDX-License-Identifier: MIT
#include "charts.hpp"
#include "sections.hpp"

#include <kindred/version.hpp>

using nlohmann::ordered_json;

namespace study {

namespace {

void cold_start(Page& page, const Results& results, const ordered_json& limits) {
  page.heading("Cold start");
  std::string text = "Of people and artists that nobody knows anything of, the model knows nothing either. The filters have left out " +
                     grouped(limits.at("users_left_out")) + " listeners and " + grouped(limits.at("artists_left_out")) +
                     " artists, who get nothing or are never suggested here.";
  if (limits.contains("least_active_quarter"))
    text += " Among those who remain, the quarter with the fewest plays (" + escape(limits.at("least_active_quarter").get<std::string>()) +
            ") gets P@10 " + fixed(limits.at("precision_of_least_active_quarter"), 4) + ", the quarter with the most " +
            fixed(limits.at("precision_of_most_active_quarter"), 4) +
            ". (Who has played little may also have fewer hidden artists that could be found.)";
  page.p(text);
  const auto* recommended = model_named(results, "defaults");
  if (recommended == nullptr || !recommended->contains("user_groups")) return;
  std::vector<Bar> rows;
  Table table = {{"plays in train", "listeners", "P@10", {"±", "standard error"}}};
  for (const auto& group : recommended->at("user_groups")) {
    rows.push_back({group.at("name"), group.at("precision"), group.at("standard_error"),
                    fixed(group.at("precision"), 4) + " ± " + fixed(group.at("standard_error"), 4), vermilion});
    table.push_back({group.at("name").get<std::string>(), count_cell(group.at("users")), number_cell(group.at("precision"), 4),
                     number_cell(group.at("standard_error"), 4)});
  }
  page.raw(bars({"activity", "P@10 of “defaults” by how much a listener has played",
                 "Bars: P@10 of four groups of listeners, from the fewest plays to the most", table},
                rows));
}

}  // namespace

void limits_section(Page& page, const Results& results) {
  const auto found = results.json.find("limits");
  if (found == results.json.end() || !found->contains("test_share_below_median_popularity")) return;
  const ordered_json& limits = *found;
  const auto& data = results.json.at("dataset");
  page.section("limits", "Limits");
  cold_start(page, results, limits);
  page.heading("An empty cell says nothing");
  page.p(percent_text(1.0 - data.at("density").get<double>(), 1) +
         " of the cells are empty, and nobody knows whether that is dislike or never having met. So " +
         percent_text(limits.at("share_of_recommendations_not_in_test"), 0) +
         " of what “defaults” suggests counts as wrong here, although some of it the listener might love: the figures are lower bounds, "
         "good for comparing models, not for promising how "
         "many suggestions will please.");
  page.heading("Popularity bias");
  page.p(percent_text(limits.at("test_share_below_median_popularity"), 1) +
         " of the hidden pairs are with the less popular half of the artists, but only " +
         percent_text(limits.at("recommended_share_below_median_popularity"), 1) + " of the suggestions go there. It finds " +
         percent_text(limits.at("recall_below_median_popularity"), 1) + " of the hidden pairs of that half, and " +
         percent_text(limits.at("recall_above_median_popularity"), 1) + " of the other.");
  page.heading("Time");
  page.p(limits.contains("test_share_older_than_train")
             ? "The split is random and knows no time: " + percent_text(limits.at("test_share_older_than_train"), 0) +
                   " of the hidden pairs began before something of the same listener that the model was shown. To suggest what comes next "
                   "one may "
                   "learn from the past only; figures of a split by time are usually lower."
             : "0 of the " + grouped(data.at("interactions")) +
                   " pairs have a date in this data: tastes that change and artists that are new look like all others, and a test that "
                   "hides the latest plays is not possible.");
  page.heading("What else is known");
  page.p(std::string("The models compared use plays and nothing else: ") +
         (data.at("has_profiles").get<bool>() ? "age, country and gender of the listeners serve people who are new, above"
                                              : "this data was read without anything about the listeners") +
         ". With genres or tags the " + grouped(limits.at("artists_left_out")) + " artists left out above could be suggested too." +
         " How such models stand against neural networks: <code>docs/compare.md</code> of the sources.");
}

void timings_section(Page& page, const Results& results) {
  const auto found = results.json.find("steps");
  if (found == results.json.end()) return;
  page.section("timings", "How long it took");
  Table rows = {{"step", "seconds"}};
  double total = 0.0;
  for (const auto& step : *found) {
    rows.push_back({step.at("step").get<std::string>(), number_cell(step.at("seconds"), 2)});
    total += step.at("seconds").get<double>();
  }
  std::string text = "All steps together took " + fixed(total, 1) + " seconds, this page not counted.";
  if (const auto* recommended = model_named(results, "defaults"))
    text += " To fit “defaults” took " + fixed(recommended->at("fit_seconds"), 2) + " seconds of that, for " +
            grouped(results.json.at("split").at("train")) + " pairs.";
  page.p(text);
  page.raw("<div id=\"seconds\">" + table_html(rows) + "</div>\n");
}

void reproduce_section(Page& page, const Results& results) {
  page.section("reproduce", "Do it again");
  page.p("With Kindred " + std::to_string(KINDRED_VERSION_MAJOR) + "." + std::to_string(KINDRED_VERSION_MINOR) + "." +
         std::to_string(KINDRED_VERSION_PATCH) +
         ", in the folder where this was run; <code>examples/lastfm/run.sh</code> of its sources builds the program and takes the same "
         "arguments:");
  page.raw("<pre id=\"command\">" + escape(results.json.at("command").get<std::string>()) + "</pre>\n");
  page.p(
      "On the same machine every number but the seconds comes out the same, for any number of threads; on another one only rounding "
      "differs. All of it is also in results.json, and a TSV file beside this page holds each table in full.");
}

}  // namespace study
