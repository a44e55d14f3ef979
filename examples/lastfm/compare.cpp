// SPDX-License-Identifier: MIT
// Step 9: how much better than popularity, at which list lengths, and for how much of the catalogue.
#include <algorithm>

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
  const auto strongest = std::max_element(s.models.begin(), s.models.begin() + n_baselines, [](const FinalModel& x, const FinalModel& y) {
    return x.report.at(10).precision.mean < y.report.at(10).precision.mean;
  });
  const FinalModel& original = s.models.front();
  s.console.section("Improvement over popularity");
  s.console.line("Against the strongest baseline, " + strongest->name + ", and against " + original.name +
                 ", which the original study compared with:");
  Table rows = {{"model", "P@10", "R@10", "NDCG@10", "P@10 vs original's", "R@10 vs original's", "NDCG@10 vs original's"}};
  for (std::size_t m = n_baselines; m < s.models.size(); ++m) {
    const kd::CutoffReport& now = s.models[m].report.at(10);
    const kd::CutoffReport& best = strongest->report.at(10);
    const kd::CutoffReport& first = original.report.at(10);
    rows.push_back({s.models[m].name, percent(now.precision.mean, best.precision.mean), percent(now.recall.mean, best.recall.mean),
                    percent(now.ndcg.mean, best.ndcg.mean), percent(now.precision.mean, first.precision.mean),
                    percent(now.recall.mean, first.recall.mean), percent(now.ndcg.mean, first.ndcg.mean)});
  }
  s.console.table(rows);
  s.results.add_table("improvement", rows);
  s.results.json["strongest_baseline"] = strongest->name;
}

void precision_at_k(Study& s) {
  s.console.section("Precision at K");
  Table rows(1, {"model"});
  for (const std::size_t k : final_cutoffs) rows.front().push_back("P@" + std::to_string(k));
  for (const FinalModel& model : s.models) {
    rows.push_back({model.name});
    for (const std::size_t k : final_cutoffs) rows.back().push_back(number_cell(model.report.at(k).precision.mean, 4));
  }
  s.console.table(rows);
  s.results.add_table("precision_at_k", rows);
}

void coverage(Study& s) {
  s.console.section("Coverage of the catalogue by the lists of 10");
  Table rows = {{"model", "artists recommended", "of all", "never recommended", "Gini", "novelty (bits)"}};
  for (const FinalModel& model : s.models) {
    const kd::CutoffReport& at = model.report.at(10);
    rows.push_back({model.name, count_cell(at.distinct_items), share_cell(at.coverage), share_cell(1.0 - at.coverage),
                    number_cell(model.report.gini, 3), number_cell(model.report.novelty, 2)});
  }
  s.console.table(rows);
  s.console.line("Gini and novelty are those of the lists of " + std::to_string(final_cutoffs.back()) + ".");
  s.results.add_table("coverage", rows);
}

}  // namespace

void compare(Study& s) {
  improvement(s);
  precision_at_k(s);
  coverage(s);
}

}  // namespace study
