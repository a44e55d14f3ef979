// SPDX-License-Identifier: MIT
// Step 10: a listener or several: what the models were shown, what they recommend, and what the listener had in fact also played.
#include <algorithm>

#include "served.hpp"

namespace kd = kindred;

namespace study {

namespace {

constexpr std::size_t shown = 5;  // on the console; the report has more

/// Why the recommended model lists each artist: the three of the history that add most to its score.
void explain(Study& s, kd::Index user, nlohmann::ordered_json& json) {
  const kd::ImplicitALS<float>& model = served_model(s);
  const kd::SparseRow history = s.split.train.row(user);
  for (auto& list : json["lists"]) {
    if (list.at("model") != "defaults") continue;
    for (auto& entry : list["items"]) {
      const kd::Explanation why = model.explain(history, entry.at("item"));
      for (std::size_t n = 0; n < (std::min)(why.parts.size(), std::size_t{3}); ++n)
        if (why.parts[n].score > 0.0)
          entry["because"].push_back({{"name", s.data.item_name(why.parts[n].item)}, {"adds", why.parts[n].score}});
    }
  }
}

void show_user(Study& s, const nlohmann::ordered_json& user, Table& all) {
  const std::string key = user.at("key");
  s.console.section("A sample user: " + key);
  s.console.line(grouped(user.at("artists_in_train")) + " artists in train, " + grouped(user.at("plays_in_train")) + " plays; " +
                 grouped(user.at("artists_in_test")) + " artists held out.");
  Table rows = {{"most played", "plays"}};
  for (const auto& entry : user.value("history", nlohmann::ordered_json::array()))
    if (rows.size() <= shown) rows.push_back({entry.at("name").get<std::string>(), grouped(entry.at("plays"))});
  s.console.table(rows);
  for (const auto& list : user.at("lists")) {
    const std::string model = list.at("model");
    const bool popularity = model.starts_with("popularity");
    Table table = {{model, popularity ? "popularity" : "score", ""}};
    std::size_t rank = 0, hits = 0;
    for (const auto& entry : list.at("items")) {
      const bool hit = entry.at("hit");
      const std::string name = entry.at("name");
      const Cell score = popularity ? count_cell(entry.at("score")) : number_cell(entry.at("score"), 3);
      all.push_back({key, model, std::to_string(++rank), name, score, hit ? "1" : "0"});
      if (rank > shown) continue;
      hits += hit ? 1 : 0;
      table.push_back({"  " + name, score, hit ? "in the test set" : ""});
    }
    s.console.line();
    s.console.table(table);
    s.console.line("  " + std::to_string(hits) + " of " + std::to_string(table.size() - 1) + " are among the held-out artists.");
  }
}

/// The first user once more, with the few entries that results.json has always had.
nlohmann::ordered_json short_form(nlohmann::ordered_json user) {
  const auto cut = [](nlohmann::ordered_json& entries) {
    while (entries.size() > shown) entries.erase(entries.size() - 1);
  };
  if (user.contains("history")) cut(user["history"]);
  for (auto& list : user["lists"]) {
    cut(list["items"]);
    list["hits"] =
        std::count_if(list["items"].begin(), list["items"].end(), [](const auto& entry) { return entry.at("hit").template get<bool>(); });
  }
  return user;
}

}  // namespace

void show_users(Study& s) {
  Table all = {{"user", "model", "rank", "artist", "score", "hit"}};
  for (std::size_t n = 0; n < s.sample_users.size(); ++n) {
    explain(s, s.sample_users[n], s.results.json["sample_users"][n]);
    show_user(s, s.results.json["sample_users"][n], all);
  }
  s.results.json["sample_user"] = short_form(s.results.json["sample_users"][0]);
  s.results.add_table("sample_user", all);
}

}  // namespace study
