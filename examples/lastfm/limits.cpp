// SPDX-License-Identifier: MIT
// What this study cannot do, each with a number from this very run.
#include <algorithm>

#include "study.hpp"

namespace kd = kindred;

namespace study {

namespace {

/// Of the held-out interactions, the share that is older than something of the same user that the model was shown: a random split knows no time.
double share_learnt_from_the_future(const Study& s) {
  const kd::CsrMatrix& all = s.data.matrix;
  double older = 0.0;
  for (kd::Index u = 0; u < all.rows(); ++u) {
    const kd::SparseRow row = all.row(u), test = s.split.test.row(u);
    const auto start = static_cast<std::size_t>(all.offsets()[static_cast<std::size_t>(u)]);
    const auto held_out = [&](std::size_t n) { return std::binary_search(test.columns.begin(), test.columns.end(), row.columns[n]); };
    std::int64_t newest = 0;
    for (std::size_t n = 0; n < row.size(); ++n)
      if (!held_out(n)) newest = (std::max)(newest, s.data.times[start + n]);
    for (std::size_t n = 0; n < row.size(); ++n) older += held_out(n) && s.data.times[start + n] < newest ? 1.0 : 0.0;
  }
  return older / static_cast<double>(s.split.test.nnz());
}

/// Sums of the recommended model over the less popular half of the artists.
void popularity(const nlohmann::ordered_json& model, nlohmann::ordered_json& json) {
  const auto& groups = model.at("item_groups");
  double test = 0.0, rare_test = 0.0, rare_found = 0.0, rare_recommended = 0.0, common_found = 0.0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const double interactions = groups[g].at("test_interactions");
    const double found = interactions * groups[g].at("recall").get<double>();
    test += interactions;
    (g < groups.size() / 2 ? rare_found : common_found) += found;
    if (g >= groups.size() / 2) continue;
    rare_test += interactions;
    rare_recommended += groups[g].at("share_of_recommendations").get<double>();
  }
  json["test_share_below_median_popularity"] = test > 0.0 ? rare_test / test : 0.0;
  json["recommended_share_below_median_popularity"] = rare_recommended;
  json["recall_below_median_popularity"] = rare_test > 0.0 ? rare_found / rare_test : 0.0;
  json["recall_above_median_popularity"] = test > rare_test ? common_found / (test - rare_test) : 0.0;
}

}  // namespace

void limits(Study& s) {
  s.console.section("Limits");
  auto& json = s.results.json["limits"];
  for (const auto& model : s.results.json.at("models")) {
    if (model.at("name") != "defaults") continue;
    popularity(model, json);
    json["share_of_recommendations_not_in_test"] = 1.0 - model.at("metrics").at("10").at("precision").get<double>();
    if (const auto groups = model.find("user_groups"); groups != model.end()) {
      json["precision_of_least_active_quarter"] = groups->front().at("precision");
      json["precision_of_most_active_quarter"] = groups->back().at("precision");
      json["least_active_quarter"] = groups->front().at("name");
      s.console.line("P@10 of the quarter of users with the fewest plays (" + groups->front().at("name").get<std::string>() +
                     "): " + fixed(groups->front().at("precision"), 4) +
                     "; of the quarter with the most: " + fixed(groups->back().at("precision"), 4) + ".");
    }
  }
  const auto& dataset = s.results.json.at("dataset");
  json["users_left_out"] = dataset.at("raw_users").get<double>() - dataset.at("users").get<double>();
  json["artists_left_out"] = dataset.at("raw_items").get<double>() - dataset.at("items").get<double>();
  if (!s.data.times.empty()) json["test_share_older_than_train"] = share_learnt_from_the_future(s);
  s.console.line(fixed(100.0 * json.at("test_share_below_median_popularity").get<double>(), 1) +
                 " % of the held-out artists are below the median of popularity, and " +
                 fixed(100.0 * json.at("recommended_share_below_median_popularity").get<double>(), 1) + " % of the recommended ones.");
}

}  // namespace study
