// SPDX-License-Identifier: MIT
// Step 9: how much better than popularity, at which list lengths, and for how much of the catalogue.
#include <algorithm>
#include <iterator>

#include "final_table.hpp"
#include "study.hpp"

namespace kd = kindred;

namespace study {

namespace {

constexpr std::size_t n_baselines = 3;

/// How much more `now` is, in percent; nothing can be said against a baseline of 0.
Cell percent(double now, double before) {
  if (!(before > 0.0)) return {"-", ""};
  const double gain = 100.0 * (now / before - 1.0);
  return {(gain >= 0.0 ? "+" : "") + fixed(gain, 0) + " %", shortest(gain)};
}

void improvement(Study& s) {
  const auto& models = s.results.json.at("models");
  const auto strongest = std::max_element(models.begin(), models.begin() + n_baselines,
                                          [](const auto& x, const auto& y) { return metric(x, "precision") < metric(y, "precision"); });
  const std::string name = strongest->at("name");
  const auto& original = models.front();
  s.console.section("Improvement over popularity");
  s.console.line("Against the strongest baseline, " + name + ", and against " + original.at("name").get<std::string>() +
                 ", which the original study compared with:");
  Table rows = {{"model", "P@10", "R@10", "NDCG@10", "P@10 vs original's", "R@10 vs original's", "NDCG@10 vs original's"}};
  for (std::size_t m = n_baselines; m < models.size(); ++m) {
    rows.push_back({models[m].at("name").get<std::string>()});
    for (const auto* baseline : {&*strongest, &original})
      for (const char* what : {"precision", "recall", "ndcg"})
        rows.back().push_back(percent(metric(models[m], what), metric(*baseline, what)));
  }
  s.console.table(rows);
  s.results.add_table("improvement", rows);
  s.results.json["strongest_baseline"] = name;
}

void precision_at_k(Study& s) {
  s.console.section("Precision at K");
  Table rows(1, {"model"});
  for (const std::size_t k : final_cutoffs) rows.front().push_back("P@" + std::to_string(k));
  for (const auto& model : s.results.json.at("models")) {
    rows.push_back({model.at("name").get<std::string>()});
    for (const std::size_t k : final_cutoffs) rows.back().push_back(number_cell(metric(model, "precision", k), 4));
  }
  s.console.table(rows);
  s.results.add_table("precision_at_k", rows);
}

void coverage(Study& s) {
  s.console.section("Coverage of the catalogue by the lists of 10");
  Table rows = {{"model", "artists recommended", "of all", "never recommended", "Gini", "novelty (bits)"}};
  for (const auto& model : s.results.json.at("models")) {
    const double covered = model.at("coverage");
    rows.push_back({model.at("name").get<std::string>(), count_cell(model.at("distinct_items")), share_cell(covered),
                    share_cell(1.0 - covered), number_cell(model.at("gini"), 3), number_cell(model.at("novelty"), 2)});
  }
  s.console.table(rows);
  s.console.line("Gini and novelty are those of the lists of " + std::to_string(final_cutoffs.back()) + ".");
  s.results.add_table("coverage", rows);
}

/// What popularity does: artists in tenths by their listeners in train, and what lists of the largest cutoff hold of each tenth.
void popularity_bias(Study& s) {
  const std::string k = std::to_string(final_cutoffs.back());
  const auto add = [&](const std::string& table, const char* what) {
    Table rows(1, {"model"});
    for (const auto& group : s.results.json.at("models").front().at("item_groups"))
      rows.front().push_back(group.at("name").get<std::string>());
    for (const auto& model : s.results.json.at("models")) {
      rows.push_back({model.at("name").get<std::string>()});
      for (const auto& group : model.at("item_groups")) rows.back().push_back(share_cell(group.at(what)));
    }
    s.console.table(rows);
    // Tenths may be named alike: "1 to 1 users" twice. Programs get their number too.
    for (std::size_t c = 1; c < rows[0].size(); ++c) rows[0][c].plain = "decile " + std::to_string(c) + " (" + rows[0][c].plain + ")";
    s.results.add_table(table, rows);
  };
  s.console.section("Popularity bias of the lists of " + k);
  s.console.line("Share of the recommendations that go to each tenth of the artists, the least popular tenth first:");
  add("share_by_decile", "share_of_recommendations");
  s.console.line("\nShare of the held-out plays' artists of each tenth that the lists find (recall):");
  add("recall_by_decile", "recall");
}

}  // namespace

void compare(Study& s) {
  improvement(s);
  precision_at_k(s);
  coverage(s);
  popularity_bias(s);
}

}  // namespace study
