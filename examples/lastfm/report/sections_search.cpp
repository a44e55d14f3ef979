// SPDX-License-Identifier: MIT
#include <algorithm>

#include "charts.hpp"
#include "sections.hpp"

using nlohmann::ordered_json;

namespace study {

namespace {

std::vector<Dot> dots_of(const ordered_json& trials, const std::string& x) {
  std::vector<Dot> dots;
  for (const auto& trial : trials) {
    if (trial.contains("error")) continue;
    const bool best = trial.at("best"), tied = trial.at("tied");
    dots.push_back({trial.at(x), trial.at("precision_at_10"), trial.at("standard_error"),
                    best   ? vermilion
                    : tied ? green
                           : grey,
                    best ? "best" : ""});
  }
  std::stable_sort(dots.begin(), dots.end(), [](const Dot& a, const Dot& b) { return a.colour < b.colour; });  // the best on top
  return dots;
}

/// The trial with the smallest, or largest, value of a field.
const ordered_json& extreme(const ordered_json& trials, const char* field, bool largest) {
  return *std::min_element(trials.begin(), trials.end(), [&](const auto& a, const auto& b) {
    return largest ? a.at(field).template get<double>() > b.at(field).template get<double>()
                   : a.at(field).template get<double>() < b.at(field).template get<double>();
  });
}

void loss_against_ranking(Page& page, const Results& results, const ordered_json& trials) {
  page.section("loss", "A lower loss is not a better ranking");
  const ordered_json& lowest = extreme(trials, "loss", false);
  const ordered_json& best = extreme(trials, "precision_at_10", true);
  std::string text = "The loss is what the model makes small while it learns, so it is tempting to choose settings by it. ";
  const bool same = lowest == best;
  text += same ? "In this search the trial with the lowest loss happens to rank best too; that is not so in general."
               : "The trial with the lowest loss, " + significant(lowest.at("loss")) + ", has P@10 " +
                     fixed(lowest.at("precision_at_10"), 4) + "; the one that ranks best, with " + fixed(best.at("precision_at_10"), 4) +
                     ", has a loss of " + significant(best.at("loss")) + ".";
  if (results.json["search"].contains("spearman_loss_precision")) {
    const double rho = results.json["search"]["spearman_loss_precision"];
    text += " Over all trials the rank correlation of loss and P@10 is " + fixed(rho, 2) + ": ";
    text += rho < -0.5  ? "a lower loss often, though not always, goes with a better ranking here."
            : rho > 0.5 ? "a lower loss even goes with a worse ranking."
                        : "knowing the loss says little about the ranking.";
  }
  page.p(text + " The losses of different α and λ measure different things: with a small α there is less to explain.");
  std::vector<Dot> dots;
  for (const auto& trial : trials) {
    Dot dot{trial.at("loss"), trial.at("precision_at_10"), trial.at("standard_error"), grey};
    if (trial == best) dot = {dot.x, dot.y, dot.error, vermilion, same ? "best, lowest loss" : "best"};
    if (trial == lowest && !same) dot = {dot.x, dot.y, dot.error, blue, "lowest loss", -1};
    dots.push_back(dot);
  }
  page.raw(scatter({"loss-ranking", "Final loss and P@10 of every trial, with one standard error",
                    "Scatter: the loss of a trial against its P@10; " + escape(text), table_of(results, "search")},
                   dots, "loss per total weight", "P@10 on validation"));
}

}  // namespace

void search_section(Page& page, const Results& results) {
  const auto found = results.json.find("search");
  if (found == results.json.end() || !found->contains("trials")) return;
  ordered_json trials = ordered_json::array();
  for (const auto& trial : found->at("trials"))
    if (!trial.contains("error")) trials.push_back(trial);
  page.section("search", "The search for good settings");
  if (trials.empty()) {
    page.p("No settings were tried in this run.");
    return;
  }
  const ordered_json& best = extreme(trials, "precision_at_10", true);
  const auto tied = std::count_if(trials.begin(), trials.end(),
                                  [](const auto& t) { return t.at("tied").template get<bool>() && !t.at("best").template get<bool>(); });
  page.p(
      "The number of factors, the penalty λ, the weight α and the number of iterations are up to us. " + std::to_string(trials.size()) +
      " settings drawn at random were tried, each measured on the same " + grouped(found->at("users")) + " listeners. The best had " +
      shortest(best.at("factors")) + " factors, λ " + shortest(best.at("regularization")) + ", α " + shortest(best.at("confidence.alpha")) +
      " and " + shortest(best.at("iterations")) + " iterations: P@10 " + fixed(best.at("precision_at_10"), 4) + " on validation. " +
      (tied == 0   ? std::string("No other is within one standard error of it.")
       : tied == 1 ? std::string("One other is within one standard error of it, a tie: this search cannot say which is better.")
                   : std::to_string(tied) + " others are within one standard error of it, ties: this search cannot say which is better."));
  const Table table = table_of(results, "search");
  page.raw("<div class=\"pair\">\n");
  const std::string marks = "The best is marked, ties are green, bars are one standard error.";
  page.raw(panel({"search-factors", "P@10 by number of factors", "Scatter of the trials by number of factors. " + marks, table},
                 dots_of(trials, "factors"), "factors", "P@10", false));
  page.raw(panel({"search-lambda", "P@10 by λ", "Scatter of the trials by lambda. " + marks, table}, dots_of(trials, "regularization"),
                 "lambda", "P@10", true));
  page.raw(panel({"search-alpha", "P@10 by α", "Scatter of the trials by alpha. " + marks, table}, dots_of(trials, "confidence.alpha"),
                 "alpha", "P@10", true));
  if (const auto alphas = results.json.find("sensitivity_alpha"); alphas != results.json.end() && alphas->size() > 1) {
    std::vector<Dot> dots;
    for (const auto& a : *alphas) dots.push_back({a.at("alpha"), a.at("precision_at_10"), a.at("standard_error"), blue, ""});
    page.raw(panel({"alpha", "α alone, everything else as in “study”",
                    "P@10 at several alpha, from " + shortest(alphas->front().at("alpha")) + " to " + shortest(alphas->back().at("alpha")),
                    table_of(results, "sensitivity_alpha")},
                   dots, "alpha", "P@10", true));
  }
  page.raw("</div>\n");
  page.note(marks +
            " Several options change at once from trial to trial, so a panel shows where the good ones lie, not what one option does; the "
            "last panel changes α alone.");
  loss_against_ranking(page, results, trials);
}

namespace {

/// Each fit's P@10 after each of its iterations, at the seconds that had gone by.
void quality_against_seconds(Page& page, const Results& results) {
  const auto found = results.json.find("quality_against_seconds");
  if (found == results.json.end() || found->empty()) return;
  std::vector<Dot> dots;
  for (const auto& row : *found) {
    const std::string fit = row.at("fit");
    const Colour colour = fit == "defaults" ? vermilion : fit == "study, spectral start" ? green : blue;
    dots.push_back({row.at("seconds"), row.at("precision_at_10"), 0.0, colour});
  }
  page.raw(scatter({"quality-against-seconds", "Quality against seconds", "Dots: P@10 after each iteration of three fits, by seconds",
                    table_of(results, "quality_against_seconds")},
                   dots, "seconds from the matrix in memory", "P@10 on validation"));
  page.note(
      "A dot is an iteration. Blue: the settings of “study” from random factors; green: from the spectral start; red: “defaults”. The "
      "spectral start computes the first factors from a singular value decomposition of the likes.");
}

}  // namespace

void convergence_section(Page& page, const Results& results) {
  const auto found = results.json.find("convergence");
  if (found == results.json.end() || found->size() < 2) return;
  page.section("convergence", "How many iterations are enough");
  std::vector<double> loss, precision;
  for (const auto& row : *found) {
    loss.push_back(row.at("loss_per_total_weight"));
    precision.push_back(row.at("precision_at_10"));
  }
  const auto peak = static_cast<std::size_t>(std::max_element(precision.begin(), precision.end()) - precision.begin());
  const std::size_t fifth = (std::min)(std::size_t{4}, loss.size() - 1);
  const double done = loss.front() > loss.back() ? (loss.front() - loss[fifth]) / (loss.front() - loss.back()) : 1.0;
  // Exact alternating solves never raise it; a millionth is rounding in single precision.
  bool rises = false;
  for (std::size_t n = 1; n < loss.size(); ++n) rises = rises || loss[n] > loss[n - 1] * 1.000001;
  page.p(std::string("One fit, looked at after each iteration. ") +
         (rises ? "The loss falls, though not in every one; " : "The loss falls in every one; ") + percent_text(done, 0) +
         " of its fall from the first iteration to the last is done after " + std::to_string(fifth + 1) +
         ". P@10 is highest after iteration " + std::to_string(peak + 1) + ", with " + fixed(precision[peak], 4) + ", and " +
         fixed(precision.back(), 4) + " at the end.");
  const Table table = table_of(results, "convergence");
  page.raw("<div class=\"pair\">\n");
  page.raw(curve(
      {"convergence-loss", "The loss", "Line: the loss falls from " + significant(loss.front()) + " to " + significant(loss.back()), table},
      loss, "iteration", "loss per total weight", blue));
  page.raw(curve({"convergence-precision", "The ranking",
                  "Line: P@10 goes from " + fixed(precision.front(), 4) + " to " + fixed(precision.back(), 4), table},
                 precision, "iteration", "P@10 on validation", vermilion));
  page.raw("</div>\n");
  quality_against_seconds(page, results);
}

}  // namespace study
