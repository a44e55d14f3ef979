// SPDX-License-Identifier: MIT
// Somebody who has just typed the names of some artists: a list at once, without a new fit, and why each artist is on it.
#include <algorithm>

#include <kindred/data/statistics.hpp>

#include "served.hpp"

namespace kd = kindred;

namespace study {

void new_listener(Study& s) {
  if (s.typed_items.empty()) return;
  const kd::ImplicitALS<float>& model = served_model(s);
  // Nobody was asked how often: as often as half of all listeners play an artist of theirs.
  const std::vector<double> plays(s.split.train.values().begin(), s.split.train.values().end());
  const double typical = kd::statistics::summarize(plays).median;
  const std::vector<float> values(s.typed_items.size(), static_cast<float>(typical));
  const kd::SparseRow history{s.typed_items, values};
  const kd::Recommendation list =
      model.recommend(history, {.count = 15, .exclude = history, .popularity_penalty = s.arguments.popularity_penalty});

  s.console.section("A listener who typed " + std::to_string(s.typed_items.size()) + " artists");
  auto& json = s.results.json["new_listener"];
  json["plays_assumed"] = typical;
  for (const kd::Index item : s.typed_items) json["artists"].push_back(s.data.item_name(item));
  Table rows = {{"artist", "score", "because of"}};
  Table because = {{"rank", "artist", "score", "because of", "adds"}};
  for (const kd::Scored& scored : list.items) {
    const kd::Explanation why = model.explain(history, scored.item, kd::FoldInBackground::by_history);
    const std::string name(s.data.item_name(scored.item));
    nlohmann::ordered_json entry = {{"name", name}, {"score", scored.score}, {"because", nlohmann::ordered_json::array()}};
    std::string reasons;
    for (std::size_t n = 0; n < (std::min)(why.parts.size(), std::size_t{3}); ++n) {
      if (!(why.parts[n].score > 0.0)) continue;
      const std::string reason(s.data.item_name(why.parts[n].item));
      reasons += (reasons.empty() ? "" : ", ") + reason + " (+" + fixed(why.parts[n].score, 3) + ")";
      entry["because"].push_back({{"name", reason}, {"adds", why.parts[n].score}});
      because.push_back({std::to_string(rows.size()), name, number_cell(scored.score, 3), reason, number_cell(why.parts[n].score, 3)});
    }
    json["items"].push_back(std::move(entry));
    rows.push_back({name, number_cell(scored.score, 3), reasons});
  }
  s.console.table(rows);
  s.console.line("Each artist typed counts as " + about(typical) + " plays, the median of the data.");
  s.results.add_table("new_listener", because);
}

}  // namespace study
