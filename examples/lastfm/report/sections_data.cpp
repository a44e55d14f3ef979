// SPDX-License-Identifier: MIT
#include "charts.hpp"
#include "sections.hpp"

namespace study {

void question_section(Page& page, const Results& results) {
  const auto& data = results.json.at("dataset");
  const double hidden = results.json.at("split").at("test").get<double>() / data.at("users").get<double>();
  page.section("question", "The question");
  page.p("We know which artists " + grouped(data.at("users")) +
         " people have listened to, and how often. Nobody has said what they like or dislike. Can a "
         "program tell from that alone which artists, new to them, they will want to hear next?");
  page.p(
      "To find out we hide a part of what each person has played, let several methods each suggest ten artists that the person is not "
      "known to have played, and "
      "count how many of the hidden ones are among the ten. The share that is, averaged over people, is called <em>precision at 10</em> "
      "(P@10), the number that most figures below show. It cannot come near 100 %: a listener has " +
      about(hidden) + " hidden artists on average.");
}

namespace {

void distributions(Page& page, const Results& results) {
  const auto found = results.json.find("distributions");
  if (found == results.json.end()) return;
  const auto& plays = found->at("distribution_plays");
  const auto& per_user = found->at("distribution_artists_per_user");
  const auto& per_artist = found->at("distribution_listeners_per_artist");
  page.heading("Three distributions");
  page.p("All three are drawn with logarithmic scales, where each step to the right doubles. Half of all user-artist pairs have at most " +
         about(plays.at("median")) + " plays, but one has " + grouped(plays.at("max")) +
         ": plays cannot be taken at face value as a measure of liking. A listener has " + about(per_user.at("median")) +
         " artists in the middle case and at most " + grouped(per_user.at("max")) + ". Half of all artists have at most " +
         about(per_artist.at("median")) + (per_artist.at("median") == 1.0 ? " listener, " : " listeners, ") +
         percent_text(per_artist.at("share_of_ones"), 0) + " have a single one, and the most popular artist has " +
         grouped(per_artist.at("max")) + ". The Gini index of listeners over artists is " + fixed(found->at("gini"), 2) +
         " (0: all artists equal, 1: one artist has everybody).");
  page.raw("<div class=\"pair\">\n");
  page.raw(histogram({"plays", "Plays of a user-artist pair",
                      "Histogram with logarithmic axes: how many user-artist pairs have so many plays; the median is " +
                          about(plays.at("median")) + ", the largest " + grouped(plays.at("max")),
                      table_of(results, "distribution_plays")},
                     "plays", "pairs"));
  page.raw(
      histogram({"artists-per-user", "Artists of a listener",
                 "Histogram with logarithmic axes: how many listeners have so many artists; the median is " + about(per_user.at("median")),
                 table_of(results, "distribution_artists_per_user")},
                "artists", "listeners"));
  page.raw(histogram({"listeners-per-artist", "Listeners of an artist",
                      "Histogram with logarithmic axes: how many artists have so many listeners; the median is " +
                          about(per_artist.at("median")) + ", the largest " + grouped(per_artist.at("max")),
                      table_of(results, "distribution_listeners_per_artist")},
                     "listeners", "artists"));
  page.raw("</div>\n");
}

void funnel(Page& page, const Results& results) {
  const auto& data = results.json.at("dataset");
  if (!data.contains("funnel")) return;
  page.heading("What the filters leave");
  const double kept = data.at("interactions").get<double>() / data.at("raw_interactions").get<double>();
  page.p(
      "From somebody with two artists, or about an artist with two listeners, there is little to learn. What remains after the filters "
      "are " +
      grouped(data.at("users")) + " listeners, " + grouped(data.at("items")) + " artists and " + grouped(data.at("interactions")) +
      " pairs: " + percent_text(kept, 0) + " of the pairs, but only " +
      percent_text(data.at("items").get<double>() / data.at("raw_items").get<double>(), 0) +
      " of the artists. Everything below is about these.");
  std::vector<Bar> rows;
  for (const auto& step : data.at("funnel"))
    rows.push_back({step.at("step"), step.at("interactions"), 0.0, grouped(step.at("interactions")) + " pairs", blue});
  page.raw(bars({"funnel", "User-artist pairs after each step", "Bars: the pairs that are left after each step of the preparation",
                 table_of(results, "funnel")},
                rows));
}

}  // namespace

void data_section(Page& page, const Results& results) {
  const auto& data = results.json.at("dataset");
  page.section("data", "The data");
  const bool synthetic = data.at("source") == "synthetic";
  page.p(
      synthetic
          ? "The data is made up: the program invents listeners with tastes, and artists with names, and lets the ones play the others. It "
            "looks "
            "like the real thing, and shows what a run prints without any download; what it says about people it says about invented ones."
          : "The data was read from <code>" + escape(data.at("source").get<std::string>()) + "</code> (format " +
                escape(data.at("format").get<std::string>()) + ").");
  std::string text = "It holds " + grouped(data.at("raw_plays")) + " plays: " + grouped(data.at("raw_interactions")) + " pairs of one of " +
                     grouped(data.at("raw_users")) + " listeners and one of " + grouped(data.at("raw_items")) + " artists.";
  if (data.at("merged").get<double>() > 0.0) text += " " + grouped(data.at("merged")) + " rows repeated a pair, and were added up.";
  for (const auto& [reason, count] : data.at("dropped").items()) text += " Dropped: " + grouped(count) + " rows (" + escape(reason) + ").";
  page.p(text);
  distributions(page, results);
  funnel(page, results);
}

}  // namespace study
