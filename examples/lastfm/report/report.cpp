// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <filesystem>

#include "../final_table.hpp"
#include "figures.hpp"
#include "sections.hpp"

using nlohmann::ordered_json;

namespace study {

namespace {

std::string fact(const std::string& number, const std::string& words) { return "<li><b>" + number + "</b>" + words + "</li>\n"; }

/// What a colleague reads who reads nothing else.
std::string top_html(const Results& results) {
  const auto& data = results.json.at("dataset");
  std::string html;
  if (const auto at = results.json.find("interrupted"); at != results.json.end())
    html += "<p class=\"warning\">This run was ended by Ctrl-C in the step “" + escape(at->get<std::string>()) +
            "”. What had been found by then is here; the same command with <code>--resume</code> goes on.</p>\n";
  html += missing_figures_html();
  const auto* recommended = model_named(results, "defaults");
  const auto baseline = results.json.find("strongest_baseline");
  if (recommended == nullptr || baseline == results.json.end()) return html + "<p class=\"lead\">A study of music recommendation.</p>\n";
  const auto* popular = model_named(results, baseline->get<std::string>());
  const double ours = metric(*recommended, "precision"), theirs = metric(*popular, "precision");
  html +=
      "<p class=\"lead\">We hid some of the artists that people play, and asked a model that knows only the rest of their plays to suggest "
      "ten. On average " +
      fixed(10.0 * ours, 1) + " of the ten are hidden ones; of the ten most popular artists that a person has not played, " +
      fixed(10.0 * theirs, 1) + " are.</p>\n<ul class=\"facts\">\n" + fact(grouped(data.at("users")), "listeners") +
      fact(grouped(data.at("items")), "artists") + fact(grouped(data.at("interactions")), "pairs of both") +
      fact(fixed(ours, 3), "P@10 of “defaults”") + fact(fixed(theirs, 3), "P@10 of the best popularity list") +
      fact(percent_text(recommended->at("coverage"), 0), "of the artists are suggested to somebody") + "</ul>\n";
  return html;
}

std::string report_html(const Results& results) {
  Page page;
  for (const auto section : {question_section, data_section, matrix_section, split_section, baselines_section, als_section, search_section,
                             convergence_section, comparison_section, both_section, coverage_section, users_section, artists_section,
                             profiles_section, times_section, limits_section, timings_section, reproduce_section})
    section(page, results);
  return page.finish("What will they want to hear next?", top_html(results));
}

std::string listener_html(const Results& results) {
  const auto& listener = results.json.at("new_listener");
  const auto name_of = [](const ordered_json& entry) { return entry.at("name").get<std::string>(); };
  Page page;
  page.section("suggestions", "You might like");
  std::string list = "<ol>\n";
  for (const auto& entry : listener.at("items")) {
    list += "<li><b>" + name(name_of(entry)) + "</b> <span class=\"note\">score " + fixed(entry.at("score"), 3);
    std::size_t n = 0;
    for (const auto& because : entry.at("because"))
      list += (n++ == 0 ? ", because of " : ", ") + name(name_of(because)) + " (+" + fixed(because.at("adds"), 3) + ")";
    list += "</span></li>\n";
  }
  page.raw(list + "</ol>\n");
  page.note(
      "The scores are no probabilities; they order the list. Each is the sum of what the artists named add to it, of which the largest "
      "three are shown. Nothing was learnt anew: a listener's vector is the exact solution of one small system "
      "for the artists' vectors as they are. Each artist counts as " +
      about(listener.at("plays_assumed")) + " plays, which is the median of the data.");
  const std::string top = "<p class=\"lead\">Somebody who likes " +
                          names_text(listener.at("artists"), [](const ordered_json& entry) { return entry.get<std::string>(); }) +
                          " and of whom nothing else is known.</p>\n<p><a href=\"report.html\">The study behind it</a></p>\n";
  return page.finish("A new listener", top);
}

std::string profile_html(const ordered_json& person) {
  Page page;
  page.section("suggestions", "You might like");
  page.raw(person_html(person));
  page.note(
      "Nothing this listener plays is known. The list is that of a mean listener, moved by what the profile says; values of the profile "
      "that "
      "raise an artist are named.");
  return page.finish("A new listener", "<p class=\"lead\">A new listener with this profile and no plays: " + person_text(person) +
                                           ".</p>\n<p><a href=\"report.html\">The study behind it</a></p>\n");
}

}  // namespace

void write_report(Study& s) {
  const std::filesystem::path folder = s.arguments.out;
  if (s.results.json.contains("new_listener")) write_file_safely((folder / "listener.html").string(), listener_html(s.results));
  if (const auto found = s.results.json.find("profiles"); found != s.results.json.end() && found->at("asked").get<bool>())
    write_file_safely((folder / "profile.html").string(), profile_html(found->at("people").front()));
  write_file_safely((folder / "report.html").string(), report_html(s.results));
}

}  // namespace study
