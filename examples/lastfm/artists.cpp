// SPDX-License-Identifier: MIT
// What the model thinks of artists: the neighbours of five well-known ones, and a map of the most popular.
#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "layout.hpp"
#include "served.hpp"

namespace kd = kindred;

namespace study {

namespace {

constexpr std::size_t on_map = 300;
constexpr std::size_t n_groups = 6;  // as many as there are colours for

/// The `count` artists with the most listeners.
std::vector<kd::Index> best_known(const Study& s, std::size_t count) {
  const std::vector<kd::Index> listeners = kd::column_counts(s.split.train);
  std::vector<kd::Index> order(listeners.size());
  std::iota(order.begin(), order.end(), kd::Index{0});
  std::stable_sort(order.begin(), order.end(), [&](kd::Index a, kd::Index b) {
    return listeners[static_cast<std::size_t>(a)] > listeners[static_cast<std::size_t>(b)];
  });
  order.resize((std::min)(order.size(), count));
  return order;
}

/// Well-known artists of different kinds: the most popular ones that are not among the ten nearest of one chosen before.
std::vector<kd::Index> five_artists(Study& s) {
  std::vector<kd::Index> chosen;
  std::vector<kd::Index> near_chosen;
  for (const kd::Index artist : best_known(s, on_map)) {
    if (chosen.size() == 5) break;
    if (std::find(near_chosen.begin(), near_chosen.end(), artist) != near_chosen.end()) continue;
    chosen.push_back(artist);
    for (const kd::Scored& near : served_model(s).similar_items(artist, {.count = 10})) near_chosen.push_back(near.item);
  }
  return chosen;
}

void neighbours(Study& s) {
  s.console.section("Neighbours of five well-known artists (cosine)");
  Table rows = {{"artist", "rank", "neighbour", "cosine"}};
  for (const kd::Index artist : five_artists(s)) {
    nlohmann::ordered_json entry = {{"artist", s.data.item_name(artist)}, {"neighbours", nlohmann::ordered_json::array()}};
    std::string text(s.data.item_name(artist));
    text += ":";
    for (const kd::Scored& near : served_model(s).similar_items(artist, {.count = 5})) {
      const std::string name(s.data.item_name(near.item));
      text += (entry["neighbours"].empty() ? " " : ", ") + name + " " + fixed(near.score, 2);
      rows.push_back(
          {std::string(s.data.item_name(artist)), std::to_string(entry["neighbours"].size() + 1), name, number_cell(near.score, 3)});
      entry["neighbours"].push_back({{"name", name}, {"cosine", near.score}});
    }
    s.console.line(text);
    s.results.json["neighbours"].push_back(std::move(entry));
  }
  s.results.add_table("neighbours", rows);
}

void map(Study& s) {
  const std::vector<kd::Index> artists = best_known(s, on_map);
  const std::vector<kd::Index> listeners = kd::column_counts(s.split.train);
  const kd::FactorMatrix<float>& factors = served_model(s).item_factors();
  std::vector<std::vector<double>> rows;
  for (const kd::Index artist : artists) rows.emplace_back(factors.row(artist).begin(), factors.row(artist).end());
  const Layout layout = lay_out(std::move(rows), n_groups, s.arguments.seed);
  auto& json = s.results.json["artist_map"];
  json["variance_share"] = layout.variance_share;
  Table table = {{"artist", "x", "y", "group", "listeners"}};
  for (std::size_t n = 0; n < artists.size(); ++n) {
    const std::string name(s.data.item_name(artists[n]));
    const double count = listeners[static_cast<std::size_t>(artists[n])];
    const int group = layout.group[n] + 1;
    json["artists"].push_back({{"name", name}, {"x", layout.x[n]}, {"y", layout.y[n]}, {"group", group}, {"listeners", count}});
    table.push_back({name, number_cell(layout.x[n], 3), number_cell(layout.y[n], 3), std::to_string(group), count_cell(count)});
  }
  s.results.add_table("artist_map", table);
}

}  // namespace

void show_artists(Study& s) {
  neighbours(s);
  map(s);
}

}  // namespace study
