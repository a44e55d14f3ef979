// SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>
#include <vector>

#include "charts.hpp"
#include "sections.hpp"

using nlohmann::ordered_json;

namespace study {

namespace {

void repeated_figure(Page& page, const Results& results, const ordered_json& found) {
  Line line{"repeated", {}, vermilion};
  std::vector<double> places;
  std::vector<std::string> ticks;
  for (const ordered_json& window : found.at("windows")) {
    line.values.push_back(100.0 * window.at("repeated").get<double>());
    places.push_back(static_cast<double>(places.size() + 1));
    ticks.push_back(fixed(window.at("to_day"), 0));
  }
  page.p(
      "The data hold " + grouped(found.at("plays")) + " plays of " + grouped(found.at("days")) + " days. " +
      percent_text(found.at("repeated")) +
      " of them are of an artist that the listener had played before. The other chapters hide artists at random; here the clock decides.");
  page.raw(
      lines({"times-repeated", "Plays of artists that the listener knows, in ten parts of as many plays each",
             "A line: the share of plays that repeat, in ten parts of the plays in the order of time", table_of(results, "times_windows")},
            {line}, places, ticks, "part of the plays that ends with day", "share of plays", true));
  if (!found.contains("rates")) return;
  const auto name_of = [](const ordered_json& one) { return one.at("name").get<std::string>(); };
  page.p("Played again on the listener's next day of music most often: " + names_text(found.at("rates").at("most"), name_of) +
         "; least often, of those with as many days: " + names_text(found.at("rates").at("least"), name_of) + ".");
  page.raw("<div id=\"times-rates\">" + table_html(table_of(results, "times_rates")) + "</div>\n");
}

void rising_part(Page& page, const Results& results, const ordered_json& found) {
  page.heading("What rises");
  const ordered_json& rising = found.at("rising");
  page.p("Artists with more listeners in the last " + about(rising.at("days")) +
         " days than their share of all listeners says. A few standard deviations are chance where hundreds of artists are compared.");
  page.raw("<div id=\"times-rising\">" + table_html(table_of(results, "times_rising")) + "</div>\n");
  const auto points = found.find("half_life");
  if (points == found.end() || points->size() < 2) return;
  const auto best = std::max_element(points->begin(), points->end(), [](const auto& a, const auto& b) {
    return a.at("ndcg").template get<double>() < b.at("ndcg").template get<double>();
  });
  std::vector<Dot> dots;
  for (const ordered_json& point : *points)
    if (point.at("days").get<double>() > 0.0)
      dots.push_back({point.at("days"), point.at("ndcg"), point.at("standard_error"), point == *best ? vermilion : grey});
  const double days = best->at("days");
  page.p(
      "How long does popularity last? Count a listener half for each half-life since the last play, and recommend the same ten artists to "
      "everybody: of new artists in the next window this finds most with " +
      (days > 0.0 ? "a half-life of " + shortest(days) + (days > 1.0 ? " days" : " day") : std::string("no half-life at all")) +
      ", NDCG@10 " + fixed(best->at("ndcg"), 4) + "; all listeners alike: " + fixed(points->front().at("ndcg"), 4) +
      (days > 0.0 ? ", a difference of " + fixed(best->at("gain"), 4) + " ± " + fixed(best->at("gain_error"), 4) : std::string()) + ".");
  if (!dots.empty())
    page.raw(panel({"times-half-life", "Popularity by its half-life",
                    "Dots: NDCG@10 of a popularity list over the half-life of its listeners", table_of(results, "times_half_life")},
                   dots, "half-life in days", "NDCG@10", true));
}

std::string verdict(const ordered_json& extra, const std::string& what) {
  const ordered_json &earlier = extra.at("earlier"), &later = extra.at("later");
  const double gain = later.at("gain"), error = later.at("standard_error");
  const std::string measured = "NDCG@10 " + fixed(later.at("plain"), 4) + " without and " + fixed(later.at("ndcg"), 4) +
                               " with it, a difference of " + fixed(gain, 4) + " ± " + fixed(error, 4);
  if (extra.at("kept").get<bool>())
    return what + " is kept: “" + escape(extra.at("name").get<std::string>()) + "”, chosen of " + grouped(extra.at("candidates")) +
           " on earlier windows (t " + fixed(earlier.at("t"), 1) + "). On the windows after them " + measured + ".";
  return what + " is not kept: of " + grouped(extra.at("candidates")) + " none was surely better on earlier windows. The nearest, “" +
         escape(extra.at("name").get<std::string>()) + "” (t " + fixed(earlier.at("t"), 1) + "), would have given " + measured +
         " on the windows after them.";
}

void extras_figure(Page& page, const Results& results, const ordered_json& found) {
  page.heading("What lists should know of it");
  page.p(
      "Train is what was played before a cut in time, the answer what is played in the window after it. Settings are chosen on four "
      "windows up to 80 % of the plays, and kept only with a gain of 2.5 standard errors; four windows after these measure the choice.");
  std::vector<Bar> rows;
  const auto add = [&](const char* key, const char* plain, const std::string& with) {
    const ordered_json &extra = found.at(key), &later = extra.at("later");
    const double gain = later.at("gain"), error = later.at("standard_error");
    rows.push_back({plain, later.at("plain"), 0.0, fixed(later.at("plain"), 4), blue});
    rows.push_back({with + (extra.at("kept").get<bool>() ? "" : " (not kept)"), later.at("ndcg"), error,
                    fixed(later.at("ndcg"), 4) + ", " + (gain < 0.0 ? "" : "+") + fixed(gain, 4) + " ± " + fixed(error, 4), vermilion});
  };
  page.p(verdict(found.at("offset"), "An offset that lifts what rises"));
  add("offset", "new artists", "with an offset");
  if (found.contains("repeats")) {
    const double favourites = found.at("repeats").at("favourites").at("ndcg");
    page.p(verdict(found.at("repeats"), "Ranking by what a listener comes back to, where lists may hold known artists,") +
           " A list of the artists that the listener has played most, without any model, has " + fixed(favourites, 4) + ".");
    add("repeats", "all artists", "with repeats");
    rows.push_back({"most played alone", favourites, 0.0, fixed(favourites, 4), grey});
  }
  page.raw(bars({"times-extras", "NDCG@10 on the later windows, with the standard error of the difference",
                 "Bars: NDCG@10 of the defaults, with and without what was chosen, for new artists and for all artists",
                 table_of(results, "times_extras")},
                rows));
}

}  // namespace

void times_section(Page& page, const Results& results) {
  const auto found = results.json.find("times");
  if (found == results.json.end()) return;
  page.section("times", "What repeats, and what rises");
  repeated_figure(page, results, *found);
  rising_part(page, results, *found);
  if (found->contains("no_windows"))
    page.note("Too little happens for windows in time: " + escape(found->at("no_windows").get<std::string>()) + ".");
  if (found->contains("offset")) extras_figure(page, results, *found);
}

}  // namespace study
