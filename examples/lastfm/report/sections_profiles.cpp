// SPDX-License-Identifier: MIT
#include <algorithm>

#include "charts.hpp"
#include "sections.hpp"

using nlohmann::ordered_json;

namespace study {

namespace {

void curve_figure(Page& page, const Results& results, const ordered_json& found) {
  const auto at = found.find("curve");
  if (at == found.end()) return;
  std::vector<Line> shown = {{"popularity", {}, grey}, {"artists", {}, blue}, {"artists, profile", {}, vermilion}};
  std::vector<double> places;
  std::vector<std::string> ticks;
  for (const ordered_json& point : *at) {
    shown[0].values.push_back(point.at("popularity").at("ndcg"));
    shown[1].values.push_back(point.at("history").at("ndcg"));
    shown[2].values.push_back(point.at("profile").at("ndcg"));
    places.push_back(point.at("known").get<double>());
    ticks.push_back(std::to_string(point.at("known").get<int>()));
  }
  const ordered_json& none = at->front().at("gain");
  const double gain = none.at("ndcg"), error = none.at("standard_error");
  page.p("Some listeners were held out whole, " + grouped(found.at("listeners")) +
         " in all. Of each the model is told a few artists, drawn at random, or none, and it must find the twenty that the listener plays "
         "most. With no artist known there is only popularity, the same list for everybody, or the profile: NDCG@10 " +
         fixed(at->front().at("popularity").at("ndcg"), 4) + " and " + fixed(at->front().at("profile").at("ndcg"), 4) +
         ", a difference of " + fixed(gain, 4) + " ± " + fixed(error, 4) + " listener by listener. " +
         (gain > 2.0 * error    ? "The profile helps somebody new."
          : gain < -2.0 * error ? "The profile makes lists worse here."
                                : "That may be chance: in this data a profile says little about taste.") +
         " A single artist says more than gender, age and country together" +
         (at->at(1).at("history").at("ndcg") > at->front().at("profile").at("ndcg") ? "." : " elsewhere; not here."));
  page.raw(lines({"profiles-curve", "Lists for somebody new, by the number of artists that are known",
                  "Lines: NDCG@10 over 0 to 10 known artists, by popularity, by these artists, and by artists and profile",
                  table_of(results, "profiles")},
                 shown, places, ticks, "known artists", "NDCG@10", false));
}

}  // namespace

std::string person_html(const ordered_json& person) {
  std::string html = "<ol>\n";
  for (const ordered_json& item : person.at("items")) {
    html += "<li>" + name(item.at("name").get<std::string>());
    std::size_t n = 0;
    for (const ordered_json& because : item.at("because"))
      if (n < 2) html += (n++ == 0 ? " <span class=\"note\">more than others: " : ", ") + name(because.at("name").get<std::string>());
    html += (n > 0 ? "</span>" : "") + std::string("</li>\n");
  }
  html += "</ol>\n";
  for (const ordered_json& unknown : person.at("unknown"))
    html += "<p class=\"note\">No listener of the data has " + name(unknown.get<std::string>()) + ": the list was made without it.</p>\n";
  if (person.at("by_popularity").get<bool>())
    html += "<p class=\"note\">Nothing of the profile is known, so these are the most popular artists.</p>\n";
  return html;
}

std::string person_text(const ordered_json& person) {
  std::string text;
  for (const ordered_json& one : person.at("profile"))
    text += (text.empty() ? "" : ", ") + one.at("group").get<std::string>() + " " + name(one.at("value").get<std::string>());
  return text;
}

void profiles_section(Page& page, const Results& results) {
  const auto found = results.json.find("profiles");
  if (found == results.json.end()) return;
  page.section("profiles", "Somebody new");
  curve_figure(page, results, *found);
  const auto& explained = found->at("explained");
  page.heading("What a profile explains");
  page.p(
      "A listener's vector is what the model knows of a taste. How much of what makes vectors differ can be told from the profile alone, "
      "of listeners that the model has not learned from: " +
      percent_text(explained.at("share")) + ".");
  page.raw("<div id=\"profiles-explained\">" + table_html(table_of(results, "profiles_explained")) + "</div>\n");
  if (!found->contains("people")) return;
  for (const ordered_json& person : found->at("people")) {
    page.heading("Known: " + person_text(person));
    page.raw(person_html(person));
  }
}

}  // namespace study
