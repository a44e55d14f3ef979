// SPDX-License-Identifier: MIT
// The sections of the page in their order; each is left out, or says so, where its step has not been run.
#pragma once

#include <string>

#include "../results.hpp"
#include "html.hpp"

namespace study {

void question_section(Page& page, const Results& results);     // sections_data.cpp
void data_section(Page& page, const Results& results);         //
void matrix_section(Page& page, const Results& results);       // sections_matrix.cpp
void split_section(Page& page, const Results& results);        //
void baselines_section(Page& page, const Results& results);    // sections_models.cpp
void als_section(Page& page, const Results& results);          //
void search_section(Page& page, const Results& results);       // sections_search.cpp
void convergence_section(Page& page, const Results& results);  //
void comparison_section(Page& page, const Results& results);   // sections_results.cpp
void both_section(Page& page, const Results& results);         //
void coverage_section(Page& page, const Results& results);     //
void users_section(Page& page, const Results& results);        // sections_people.cpp
void artists_section(Page& page, const Results& results);      //
void profiles_section(Page& page, const Results& results);     // sections_profiles.cpp
void times_section(Page& page, const Results& results);        // sections_times.cpp
void limits_section(Page& page, const Results& results);       // sections_end.cpp
void timings_section(Page& page, const Results& results);      //
void reproduce_section(Page& page, const Results& results);    //

/// The list of a new listener with a profile, and the profile, both escaped.
[[nodiscard]] std::string person_html(const nlohmann::ordered_json& person);
[[nodiscard]] std::string person_text(const nlohmann::ordered_json& person);

/// "12.3 %".
[[nodiscard]] inline std::string percent_text(double share, int digits = 1) { return fixed(100.0 * share, digits) + " %"; }

/// The table, or an empty one with nothing to show.
[[nodiscard]] inline Table table_of(const Results& results, std::string_view name) {
  const Table* found = results.table(name);
  return found == nullptr ? Table{{"nothing"}} : *found;
}

/// The model of that name in results.json, or null.
[[nodiscard]] inline const nlohmann::ordered_json* model_named(const Results& results, std::string_view name) {
  const auto models = results.json.find("models");
  if (models == results.json.end()) return nullptr;
  for (const auto& model : *models)
    if (model.at("name") == name) return &model;
  return nullptr;
}

/// "Radiohead, Björk and Muse", escaped.
template <typename Entries, typename NameOf>
[[nodiscard]] std::string names_text(const Entries& entries, NameOf name_of) {
  std::string text;
  std::size_t n = 0;
  for (const auto& entry : entries) text += (n++ == 0 ? "" : n == entries.size() ? " and " : ", ") + name(name_of(entry));
  return text;
}

}  // namespace study
