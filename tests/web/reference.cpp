// SPDX-License-Identifier: MIT
// reference MODEL LINES: a model file of 1,000 made-up listeners for the page of examples/web, and the lists of their histories as JSON, a line each.
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <kindred/kindred.hpp>
#include <kindred/persistence/model_file.hpp>

#include "../support/als_instances.hpp"

namespace kd = kindred;

int main(int argc, char** argv) try {
  if (argc != 3) return std::fputs("usage: reference MODEL LINES\n", stderr), 2;
  const kd::Dataset data = kd::synthetic_listening({.users = 1'000, .items = 700, .items_per_user = 20, .seed = 9});

  kd::ImplicitALS<float> als({.factors = 16});
  als.fit(data.matrix);
  const kd::KeyedRecommender<float> recommender(als, data);
  kd::save(recommender, argv[1]);
  std::ofstream lines(argv[2]);
  for (kd::Index u = 0; u < data.matrix.rows(); ++u) {
    nlohmann::json keys = nlohmann::json::array(), list = nlohmann::json::array();
    std::vector<std::string> texts;
    for (const kd::Index item : data.matrix.row(u).columns) texts.emplace_back(data.items.key(item));
    std::vector<kd::KeyedInteraction> history;
    for (const std::string& text : texts) history.push_back({text});
    for (const kd::NamedItem& item : recommender.recommend(history, {.fallback = kd::Fallback::popularity}).items) list.push_back(item.key);
    lines << nlohmann::json{{"history", texts}, {"list", list}}.dump() << '\n';
  }
  return lines.flush() ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "reference: %s\n", error.what());
  return 1;
}
