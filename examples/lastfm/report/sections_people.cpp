// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "charts.hpp"
#include "map.hpp"
#include "sections.hpp"

using nlohmann::ordered_json;

namespace study {

namespace {

std::string entry_name(const ordered_json& entry) { return entry.at("name"); }

/// The list of one model, hits marked, with reasons where there are some.
std::string list_html(const ordered_json& list) {
  const bool reasons = list.at("model") == "defaults";
  std::string html = "<ol>\n";
  for (const auto& entry : list.at("items")) {
    const bool hit = entry.at("hit");
    html += "<li>" + name(entry_name(entry)) + (hit ? " <span class=\"hit\">✓ hidden, found</span>" : "");
    if (reasons && entry.contains("because") && !entry["because"].empty())
      html += " <span class=\"note\">because of " + names_text(entry["because"], entry_name) + "</span>";
    html += "</li>\n";
  }
  return html + "</ol>\n";
}

void user(Page& page, const ordered_json& user) {
  page.heading("Listener " + name(user.at("key").get<std::string>()));
  page.p("The models know " + grouped(user.at("artists_in_train")) + " artists of this listener, with " +
         grouped(user.at("plays_in_train")) + " plays; " + grouped(user.at("artists_in_test")) + " more are hidden. Most played are:");
  Table rows = {{"artist", "plays"}};
  if (user.contains("history"))
    for (const auto& entry : user["history"]) rows.push_back({entry_name(entry), count_cell(entry.at("plays"))});
  page.raw(table_html(rows));
  const auto& lists = user.at("lists");
  const auto recommended = std::find_if(lists.begin(), lists.end(), [](const auto& list) { return list.at("model") == "defaults"; });
  if (recommended != lists.end()) {
    page.p("“defaults” suggests these ten, of which " + grouped(recommended->at("hits")) +
           " were hidden. Of what the listener has played, those that add most to the score are named.");
    page.raw(list_html(*recommended));
  }
  std::string others = "<details><summary>What the other models suggest</summary>\n";
  for (const auto& list : lists) {
    if (list.at("model") == "defaults") continue;
    others += "<p><b>" + escape(list.at("model").get<std::string>()) + "</b>: " + grouped(list.at("hits")) + " of " +
              std::to_string(list.at("items").size()) + " were hidden</p>\n" + list_html(list);
  }
  page.raw(others + "</details>\n");
}

}  // namespace

void users_section(Page& page, const Results& results) {
  const auto found = results.json.find("sample_users");
  if (found == results.json.end() || results.table("sample_user") == nullptr) return;
  page.section("listeners", found->size() == 1 ? "One listener" : "Some listeners");
  if (found->size() == 1)
    page.p(
        "Averages hide people. Here is one; unless <code>--user</code> has named somebody, it is the listener in the middle when all are "
        "sorted by how much is known of them, so nobody's favourite example.");
  for (const auto& one : *found) user(page, one);
  if (results.json.contains("new_listener"))
    page.p(
        "Somebody who is not in the data, but has typed the names of some artists, has a page too: <a "
        "href=\"listener.html\">listener.html</a>.");
}

void artists_section(Page& page, const Results& results) {
  const auto found = results.json.find("neighbours");
  if (found == results.json.end()) return;
  page.section("artists", "What the model thinks of artists");
  page.p(
      "Two artists are neighbours if their vectors point in the same direction (the cosine is near 1): the model expects the same people "
      "to like them. It has never heard a note, nor "
      "read a word about them. The five are the most popular artists that are not already among each other's neighbours.");
  std::string html =
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Neighbours\"><table id=\"neighbours\"><tr><th "
      "scope=\"col\">artist</th><th scope=\"col\" class=\"text\">neighbours (cosine)</th></tr>\n";
  for (const auto& entry : *found) {
    html += "<tr><td><b>" + name(entry.at("artist").get<std::string>()) + "</b></td><td class=\"text\">";
    std::size_t n = 0;
    for (const auto& near : entry.at("neighbours"))
      html += (n++ == 0 ? "" : ", ") + name(entry_name(near)) + " (" + fixed(near.at("cosine"), 2) + ")";
    html += "</td></tr>\n";
  }
  page.raw(html + "</table></div>\n");
  if (const auto map = results.json.find("artist_map"); map != results.json.end() && map->contains("artists"))
    artist_map(page, *map, table_of(results, "artist_map"));
}

}  // namespace study
