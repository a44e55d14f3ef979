// SPDX-License-Identifier: MIT
#include <algorithm>
#include <functional>

#include "../final_table.hpp"
#include "charts.hpp"
#include "sections.hpp"

using nlohmann::ordered_json;

namespace study {

namespace {

bool has_final_models(const Results& results) { return results.table("models") != nullptr; }

std::string name_of(const ordered_json& model) { return model.at("name"); }

void settings_list(Page& page, const ordered_json& models) {
  std::string html = "<ul>\n";
  for (const auto& model : models)
    if (const std::string settings = model.at("settings"); !settings.empty())
      html += "<li><b>" + escape(name_of(model)) + "</b>: " + escape(settings) + "</li>\n";
  page.raw(html + "</ul>\n");
  page.note(
      "“study” has the settings of the study that this program repeats; “as run” is the same as the library of that study computes it (no "
      "constant in the confidence, "
      "approximate solves); “defaults” are the settings that the library chooses from the data; “tuned” those that it finds when it tries "
      "two dozen.");
}

void improvement(Page& page, const Results& results, const ordered_json& best) {
  const std::string baseline = results.json.at("strongest_baseline");
  const auto* strongest = model_named(results, baseline);
  const double now = metric(best, "precision"), before = metric(*strongest, "precision");
  if (before > 0.0)
    page.p("Against the strongest baseline, " + escape(baseline) + ", “" + escape(name_of(best)) + "” finds " + fixed(now / before, 1) +
           " times as many of the hidden artists among its first ten.");
  page.raw("<div id=\"improvement\">" +
           table_html(table_of(results, "improvement"),
                      "Gain over the strongest baseline, and over the one that the original study compared with (nothing excluded)") +
           "</div>\n");
}

std::vector<Line> model_lines(const ordered_json& models, const std::function<std::vector<double>(const ordered_json&)>& values) {
  std::vector<Line> lines;
  for (const auto& model : models) lines.push_back({short_name(name_of(model)), values(model), model_colour(name_of(model))});
  return lines;
}

/// Accuracy against popularity: the dial from 0 to 1, and random settings behind it.
void dial_figure(Page& page, const Results& results) {
  const auto found = results.json.find("dial");
  if (found == results.json.end() || found->size() < 2) return;
  page.heading("Less popular lists");
  std::vector<Dot> dots;
  if (const auto random = results.json.find("dial_random"); random != results.json.end())
    for (const auto& one : *random) dots.push_back({one.at("average_popularity"), one.at("ndcg"), one.at("standard_error"), grey});
  const ordered_json& none = found->front();
  const ordered_json* some = &none;
  for (const auto& point : *found) {
    const double at = point.at("dial");
    const bool named = at == 0.0 || at == 1.0;
    if (at == 0.3) some = &point;
    dots.push_back({point.at("average_popularity"), point.at("ndcg"), point.at("standard_error"), vermilion, named ? shortest(at) : ""});
  }
  const auto change = [&](const char* what) { return (*some).at(what).get<double>() / none.at(what).get<double>(); };
  std::string text = "A dial from 0 to 1 makes popularity count against an artist. At 0.3 the artists of a list have " +
                     percent_text(1.0 - change("average_popularity"), 0) + " fewer listeners on average, " + fixed(change("coverage"), 2) +
                     " times as many artists stand in at least one list, and NDCG@10 is " + percent_text(1.0 - change("ndcg"), 1) +
                     " lower, on the split that settings are chosen on.";
  const auto& groups = none.at("user_groups");
  if (groups.size() > 1)
    text += " For the third of the listeners with the least mainstream taste it goes from " +
            fixed(groups.front().at("ndcg").get<double>(), 3) + " to " +
            fixed(some->at("user_groups").front().at("ndcg").get<double>(), 3) + ", for the most mainstream third from " +
            fixed(groups.back().at("ndcg").get<double>(), 3) + " to " + fixed(some->at("user_groups").back().at("ndcg").get<double>(), 3) +
            ".";
  page.p(text);
  page.raw(scatter(
      {"dial", "Accuracy and popularity of the lists of “defaults”, with the dial at 0 to 1; grey: random settings without it",
       "Dots: NDCG@10 against the mean number of listeners of the artists in a list, for the dial from 0 to 1", table_of(results, "dial")},
      dots, "listeners of an artist in a list", "NDCG@10"));
}

}  // namespace

void comparison_section(Page& page, const Results& results) {
  if (!has_final_models(results)) return;
  const auto& models = results.json.at("models");
  const ordered_json& best = *std::max_element(
      models.begin(), models.end(), [](const auto& a, const auto& b) { return metric(a, "precision") < metric(b, "precision"); });
  page.section("comparison", "Who finds most");
  page.p("All models learn from all of the training data and are measured once, on the test set, over " + grouped(best.at("users")) +
         " listeners. “" + escape(name_of(best)) + "” is the best: of ten artists that it suggests, " +
         fixed(10.0 * metric(best, "precision"), 1) + " are among those that were hidden, and " +
         percent_text(metric(best, "hit_rate"), 0) +
         " of the listeners get at least one that is. Differences below two or three of the standard errors drawn may be chance.");
  std::vector<Bar> rows;
  for (const auto& model : models)
    rows.push_back({name_of(model), metric(model, "precision"), metric_error(model, "precision"),
                    fixed(metric(model, "precision"), 4) + " ± " + fixed(metric_error(model, "precision"), 4),
                    model_colour(name_of(model))});
  page.raw(bars({"comparison-bars", "P@10 on the test set, with one standard error",
                 "Bars: P@10 of every model; the longest is " + name_of(best) + " with " + fixed(metric(best, "precision"), 4),
                 table_of(results, "models")},
                rows));
  settings_list(page, models);
  if (results.table("improvement") != nullptr) improvement(page, results, best);
  if (results.table("precision_at_k") == nullptr) return;

  page.heading("Shorter and longer lists");
  page.p("The first suggestion of “" + escape(name_of(best)) + "” is right in " + percent_text(metric(best, "precision", 1), 0) +
         " of the cases; of twenty suggestions " + percent_text(metric(best, "precision", 20), 0) +
         " are. Precision falls with the length of the list, because the best guesses come first.");
  std::vector<double> places;
  std::vector<std::string> ticks;
  for (const std::size_t k : final_cutoffs) {
    places.push_back(static_cast<double>(k));
    ticks.push_back(std::to_string(k));
  }
  page.raw(lines({"precision-at-k", "Precision by length of the list", "Lines: precision at 1, 5, 10, 15 and 20 of every model",
                  table_of(results, "precision_at_k")},
                 model_lines(models,
                             [](const ordered_json& model) {
                               std::vector<double> values;
                               for (const std::size_t k : final_cutoffs) values.push_back(metric(model, "precision", k));
                               return values;
                             }),
                 places, ticks, "length of the list", "precision", false));
}

void both_section(Page& page, const Results& results) {
  const auto found = results.json.find("both");
  if (found == results.json.end() || found->size() < 3) return;
  page.section("both", "Factors, neighbours, or both");
  const auto ndcg = [&](std::size_t n) { return (*found)[n].at("ndcg").get<double>(); };
  const double gain = ndcg(2) - ndcg(0), error = (*found)[0].at("standard_error");
  page.p(
      "Two artists are neighbours if many listeners have both; a list can be made of the neighbours of what somebody plays, with no "
      "factors at all. NDCG@10 is " +
      fixed(ndcg(0), 4) + " by factors, " + fixed(ndcg(1), 4) + " by neighbours and " + fixed(ndcg(2), 4) +
      " by the sum of both, with one standard error of " + fixed(error, 4) + ". " +
      (gain > 2.0 * error    ? "Neighbours add what only few listeners share, and are worth their memory here."
       : gain < -2.0 * error ? "Here factors alone are better: their own settings leave little to add."
                             : "Here the factors hold nearly all of it; neighbours help most where listeners have few artists."));
  page.raw("<div id=\"both-table\">" + table_html(table_of(results, "both")) + "</div>\n");
  page.raw("<div id=\"both-by-plays\">" +
           table_html(table_of(results, "both_by_plays"), "NDCG@10 of listeners in quarters by their plays, fewest first") + "</div>\n");
  page.raw(
      "<div id=\"both-by-popularity\">" +
      table_html(table_of(results, "both_by_popularity"), "Share of the hidden artists that lists find, by the popularity of the artist") +
      "</div>\n");
}

void coverage_section(Page& page, const Results& results) {
  if (results.table("coverage") == nullptr) return;
  const auto& models = results.json.at("models");
  page.section("coverage", "For how much of the catalogue, and for which part");
  const auto* popular = model_named(results, "popularity (plays)");
  const auto* recommended = model_named(results, "defaults");
  if (popular != nullptr && recommended != nullptr)
    page.p("Popularity suggests " + grouped(popular->at("distinct_items")) + " different artists to everybody together, " +
           percent_text(popular->at("coverage"), 1) + " of all; “defaults” suggests " + grouped(recommended->at("distinct_items")) + ", " +
           percent_text(recommended->at("coverage"), 0) + ". The others are never suggested to anybody.");
  std::vector<Bar> rows;
  for (const auto& model : models)
    rows.push_back({name_of(model), 100.0 * model.at("coverage").get<double>(), 0.0,
                    percent_text(model.at("coverage")) + ", " + grouped(model.at("distinct_items")) + " artists",
                    model_colour(name_of(model))});
  page.raw(bars({"coverage-bars", "Share of the artists that stand in somebody's list of ten",
                 "Bars: the share of all artists that each model suggests to anybody", table_of(results, "coverage")},
                rows));

  dial_figure(page, results);
  if (recommended == nullptr || popular == nullptr || results.table("share_by_decile") == nullptr) return;
  const auto& tenths = recommended->at("item_groups");
  const double top = tenths.back().at("share_of_recommendations"), low = tenths.front().at("recall"), high = tenths.back().at("recall");
  page.heading("Popularity bias");
  page.p(
      "Sort the artists by their listeners and cut them into ten parts of equal size. The most popular tenth gets " + percent_text(top, 0) +
      " of the suggestions of “defaults”, and " + percent_text(popular->at("item_groups").back().at("share_of_recommendations"), 0) +
      " of those of the popularity list by plays. "
      "A hidden artist of that tenth is found in " +
      percent_text(high, 0) + " of the cases (among twenty suggestions), one of the least popular tenth in " + percent_text(low, 1) + ".");
  std::vector<double> places;
  std::vector<std::string> ticks;
  for (std::size_t g = 0; g < tenths.size(); ++g) {
    places.push_back(static_cast<double>(g + 1));
    ticks.push_back(std::to_string(g + 1));
  }
  const auto shares = [&](const char* what) {
    return model_lines(models, [what](const ordered_json& model) {
      std::vector<double> values;
      for (const auto& group : model.at("item_groups")) values.push_back(100.0 * group.at(what).get<double>());
      return values;
    });
  };
  const std::string axis = "tenth of the artists, 10: most popular";
  page.raw(lines(
      {"share-by-decile", "Where the suggestions go",
       "Lines: the share of the suggestions that goes to each tenth of the artists, for every model", table_of(results, "share_by_decile")},
      shares("share_of_recommendations"), places, ticks, axis, "share of suggestions", true));
  page.raw(lines({"recall-by-decile", "What is found", "Lines: the share of hidden artists found in each tenth, for every model",
                  table_of(results, "recall_by_decile")},
                 shares("recall"), places, ticks, axis, "share found (recall at 20)", true));
}

}  // namespace study
