// SPDX-License-Identifier: MIT
// Step 2: the three distributions that every listening study starts from. All are heavy-tailed: mind the logarithmic bins.
#include <algorithm>

#include <kindred/data/statistics.hpp>

#include "study.hpp"

namespace kd = kindred;

namespace study {

void explore(Study& s) {
  s.console.section("Three distributions");
  const kd::statistics::MatrixStatistics statistics = kd::statistics::describe(s.data.matrix);
  const auto show = [&](const std::string& title, const std::string& file, const std::vector<double>& values) {
    s.console.histogram(title, values);
    Table rows = {{"low", "high", "count"}};
    for (const kd::statistics::HistogramBin& bin : kd::statistics::log_histogram(values))
      rows.push_back({shortest(bin.low), shortest(bin.high), std::to_string(bin.count)});
    s.results.add_table(file, std::move(rows));
    const kd::statistics::Summary summary = kd::statistics::summarize(values);
    s.results.json["distributions"][file] = {
        {"mean", summary.mean},
        {"median", summary.median},
        {"quantile_90", summary.quantile_90},
        {"quantile_99", summary.quantile_99},
        {"max", summary.max},
        {"share_of_ones", static_cast<double>(std::count(values.begin(), values.end(), 1.0)) / static_cast<double>(values.size())}};
  };
  show("Plays of a user-artist pair", "distribution_plays", statistics.values);
  show("Artists of a user", "distribution_artists_per_user", statistics.items_per_user);
  show("Listeners of an artist", "distribution_listeners_per_artist", statistics.users_per_item);
  s.results.json["distributions"]["gini"] = statistics.item_gini;
  s.console.line("Gini index of listeners over artists: " + fixed(statistics.item_gini, 3) +
                 " (0: all equal, 1: one artist has everybody).");
}

}  // namespace study
