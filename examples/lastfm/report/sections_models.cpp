// SPDX-License-Identifier: MIT
#include "../final_table.hpp"
#include "charts.hpp"
#include "sections.hpp"

namespace study {

void baselines_section(Page& page, const Results& results) {
  const auto* all = model_named(results, "popularity (plays, nothing excluded)");
  const auto* plays = model_named(results, "popularity (plays)");
  const auto* listeners = model_named(results, "popularity (listeners)");
  if (all == nullptr || plays == nullptr || listeners == nullptr) return;
  page.section("baselines", "The baselines: what everybody likes");
  page.p(
      "The simplest method suggests the most popular artists to everybody. It is the bar that any model has to clear, and it is set in "
      "three ways that studies do not always tell "
      "apart. Suggesting the most played artists to everybody, also to those who already play them, gets P@10 " +
      fixed(metric(*all, "precision"), 4) + ". Leaving out what each person is known to have played makes that " +
      fixed(metric(*plays, "precision"), 4) + ", and counting listeners instead of plays " + fixed(metric(*listeners, "precision"), 4) +
      ". Who compares with the first only makes a model look better than it is.");
  Table rows = {{"baseline", "P@10", "±", "recall@10", "NDCG@10"}};
  for (const auto* model : {all, plays, listeners})
    rows.push_back({model->at("name").get<std::string>(), number_cell(metric(*model, "precision"), 4),
                    number_cell(metric_error(*model, "precision"), 4), number_cell(metric(*model, "recall"), 4),
                    number_cell(metric(*model, "ndcg"), 4)});
  page.raw(table_html(rows,
                      "± is one standard error over listeners. Recall: share of the hidden artists that are found. NDCG: like precision, "
                      "but the top of a list counts more."));
}

void als_section(Page& page, const Results&) {
  page.section("als", "How the model works, in six lines");
  page.raw(
      "<ol>\n<li>Every listener <i>u</i> gets a vector <i>x<sub>u</sub></i>, every artist <i>i</i> a vector <i>y<sub>i</sub></i>; their "
      "product <i>x<sub>u</sub></i>·<i>y<sub>i</sub></i> is the "
      "score of the pair.</li>\n"
      "<li>Played pairs should score 1, all others 0: the <em>preference</em> <i>p<sub>ui</sub></i>.</li>\n"
      "<li>More plays do not make a pair score higher, they make the model surer of it: the <em>confidence</em> <i>c<sub>ui</sub></i> = 1 "
      "+ <i>α</i>·plays, and 1 for pairs that were not "
      "played.</li>\n"
      "<li>What is made small is the sum of confidence times squared error over <em>all</em> pairs, plus a penalty <i>λ</i> on long "
      "vectors.</li>\n"
      "<li>With all <i>y</i> fixed, every <i>x<sub>u</sub></i> is the exact solution of a small linear system; then the same for <i>y</i> "
      "with <i>x</i> fixed. Each such turn makes the sum smaller.</li>\n"
      "<li>After ten or twenty turns, a listener's suggestions are the artists with the highest scores among those not "
      "played.</li>\n</ol>\n"
      "<span class=\"formula\">min<sub><i>x</i>,<i>y</i></sub> Σ<sub><i>u,i</i></sub> <i>c<sub>ui</sub></i> (<i>p<sub>ui</sub></i> − "
      "<i>x<sub>u</sub></i>·<i>y<sub>i</sub></i>)² + <i>λ</i> (Σ<sub><i>u</i></sub> |<i>x<sub>u</sub></i>|² + Σ<sub><i>i</i></sub> "
      "|<i>y<sub>i</sub></i>|²)</span>\n");
  page.note(
      "Implicit alternating least squares: Hu, Koren and Volinsky, 2008. The model called “defaults” has log-scaled plays, a weaker "
      "pull of the unplayed pairs, and a penalty that grows "
      "with what is known of a row (Rendle and others, 2022; He and others, 2016).");
}

}  // namespace study
