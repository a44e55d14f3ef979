// SPDX-License-Identifier: MIT
// Step 10: one listener: what the models were shown, what they recommend, and what the listener had in fact also played.
#include <algorithm>
#include <numeric>

#include "study.hpp"

namespace kd = kindred;

namespace study {

void show_sample_user(Study& s) {
  const kd::Index user = s.sample_user;
  const kd::SparseRow history = s.split.train.row(user);
  const kd::SparseRow test = s.split.test.row(user);
  const std::string key(s.data.users.key(user));
  s.console.section("A sample user: " + key);

  double plays = 0.0;
  for (const float value : history.values) plays += static_cast<double>(value);
  s.console.line(grouped(static_cast<double>(history.size())) + " artists in train, " + grouped(plays) + " plays; " +
                 grouped(static_cast<double>(test.size())) + " artists held out.");
  auto& json = s.results.json["sample_user"];
  json["key"] = key;
  json["artists_in_train"] = history.size();
  json["plays_in_train"] = plays;
  json["artists_in_test"] = test.size();

  std::vector<std::size_t> order(history.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return history.values[a] > history.values[b]; });
  order.resize((std::min)(order.size(), std::size_t{5}));
  Table rows = {{"most played", "plays"}};
  for (const std::size_t n : order) {
    const std::string name(s.data.item_name(history.columns[n]));
    rows.push_back({name, grouped(static_cast<double>(history.values[n]))});
    json["history"].push_back({{"name", name}, {"plays", history.values[n]}});
  }
  s.console.table(rows);

  Table all = {{"model", "rank", "artist", "score", "hit"}};
  for (const FinalModel& model : s.models) {
    const bool popularity = model.name.starts_with("popularity");
    Table list = {{model.name, popularity ? "popularity" : "score", ""}};
    nlohmann::ordered_json entries = nlohmann::ordered_json::array();
    std::size_t hits = 0;
    for (const kd::Scored& scored : model.sample_list) {
      const bool hit = std::binary_search(test.columns.begin(), test.columns.end(), scored.item);
      hits += hit ? 1 : 0;
      const std::string name(s.data.item_name(scored.item));
      const Cell score = popularity ? count_cell(scored.score) : number_cell(scored.score, 3);
      list.push_back({"  " + name, score, hit ? "in the test set" : ""});
      all.push_back({model.name, std::to_string(entries.size() + 1), name, score, hit ? "1" : "0"});
      entries.push_back({{"name", name}, {"score", scored.score}, {"hit", hit}});
    }
    json["lists"].push_back({{"model", model.name}, {"items", std::move(entries)}, {"hits", hits}});
    s.console.line();
    s.console.table(list);
    s.console.line("  " + std::to_string(hits) + " of " + std::to_string(model.sample_list.size()) + " are among the held-out artists.");
  }
  s.results.add_table("sample_user", all);
}

}  // namespace study
