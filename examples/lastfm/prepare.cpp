// SPDX-License-Identifier: MIT
// Step 3: drop users and artists with too little to learn from, and hold out a part of every user's artists.
#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <kindred/data/filters.hpp>
#include <kindred/split/per_user_splitter.hpp>

#include "study.hpp"
#include "suggest.hpp"

namespace kd = kindred;

namespace study {

namespace {

/// The user in the middle of those with test artists, by activity: nobody's favourite example.
kd::Index user_in_the_middle(const kd::TrainTestSplit& split) {
  std::vector<kd::Index> users;
  for (kd::Index u = 0; u < split.test.rows(); ++u)
    if (!split.test.row(u).empty()) users.push_back(u);
  if (users.empty()) throw kd::InvalidArgument("the number of test interactions", 0, "at least 1: raise --test-fraction, or use more data");
  std::stable_sort(users.begin(), users.end(),
                   [&](kd::Index a, kd::Index b) { return split.train.row(a).size() < split.train.row(b).size(); });
  return users[users.size() / 2];
}

/// The users that --user names, or the one in the middle.
std::vector<kd::Index> choose_sample_users(const Study& s) {
  const kd::Index middle = user_in_the_middle(s.split);
  if (s.arguments.user_keys.empty()) return {middle};
  std::vector<std::string> keys;
  for (kd::Index u = 0; u < s.data.users.size(); ++u) keys.emplace_back(s.data.users.key(u));
  std::vector<kd::Index> users;
  for (const std::string& key : s.arguments.user_keys) {
    const std::optional<kd::Index> user = s.data.users.find(key);
    if (!user)
      throw kd::InvalidArgument("--user", "'" + key + "'",
                                "one of the " + grouped(s.data.users.size()) + " users that the filters left" + did_you_mean(key, keys));
    if (std::find(users.begin(), users.end(), *user) == users.end()) users.push_back(*user);
  }
  return users;
}

/// The artists that --artists names, rising: by name, large and small letters alike; of several with the same name the one with the most listeners.
std::vector<kd::Index> find_typed_artists(const Study& s) {
  if (s.arguments.typed_artists.empty()) return {};
  const std::vector<kd::Index> listeners = kd::column_counts(s.split.train);
  std::vector<kd::Index> by_popularity(listeners.size());
  std::iota(by_popularity.begin(), by_popularity.end(), kd::Index{0});
  std::stable_sort(by_popularity.begin(), by_popularity.end(), [&](kd::Index a, kd::Index b) {
    return listeners[static_cast<std::size_t>(a)] > listeners[static_cast<std::size_t>(b)];
  });
  std::vector<std::string> names;
  std::map<std::string, kd::Index> known;
  for (const kd::Index item : by_popularity) {
    names.emplace_back(s.data.item_name(item));
    known.emplace(folded(names.back()), item);
  }
  std::vector<kd::Index> items;
  for (const std::string& typed : s.arguments.typed_artists) {
    const auto found = known.find(folded(typed));
    const std::optional<kd::Index> key = found == known.end() ? s.data.items.find(typed) : found->second;
    if (!key)
      throw kd::InvalidArgument(
          "--artists", "'" + typed + "'",
          "one of the " + grouped(static_cast<double>(names.size())) + " artists that the filters left" + did_you_mean(typed, names));
    items.push_back(*key);
  }
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

/// What the report says of a sample user before any model has spoken.
nlohmann::ordered_json user_json(const Study& s, kd::Index user) {
  const kd::SparseRow history = s.split.train.row(user);
  double plays = 0.0;
  for (const float value : history.values) plays += static_cast<double>(value);
  nlohmann::ordered_json json = {{"key", s.data.users.key(user)},
                                 {"artists_in_train", history.size()},
                                 {"plays_in_train", plays},
                                 {"artists_in_test", s.split.test.row(user).size()}};
  std::vector<std::size_t> order(history.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return history.values[a] > history.values[b]; });
  order.resize((std::min)(order.size(), std::size_t{10}));
  for (const std::size_t n : order)
    json["history"].push_back({{"name", s.data.item_name(history.columns[n])}, {"plays", history.values[n]}});
  json["lists"] = nlohmann::ordered_json::array();
  return json;
}

/// The size of the data after one step of its preparation.
struct FunnelStep {
  std::string step;
  kd::Index users = 0;
  kd::Index items = 0;
  kd::Offset interactions = 0;
};

/// Filters the data of the study; returns the sizes before, between and after the filters.
std::vector<FunnelStep> filter_data(Study& s) {
  const Arguments& a = s.arguments;
  std::vector<FunnelStep> funnel;
  const auto add = [&](std::string step, const kd::Dataset& data) {
    funnel.push_back({std::move(step), data.matrix.rows(), data.matrix.cols(), data.matrix.nnz()});
  };
  const std::string& source = s.data.load.source;
  add(source.empty() ? "synthetic listening data" : "rows read from " + source.substr(source.find_last_of("/\\") + 1), s.data);
  kd::ActivityFilter users_alone = a.filter;
  users_alone.min_users_per_item = 0;
  add("users with >= " + std::to_string(a.filter.min_items_per_user) + " items", kd::filter_active(s.data, users_alone));
  s.data = kd::filter_active(s.data, a.filter);
  add("items with >= " + std::to_string(a.filter.min_users_per_item) + " users" +
          (a.filter.passes == kd::ActivityFilter::Passes::until_stable ? ", repeated until both hold" : ""),
      s.data);
  if (a.top_users > 0) {
    const kd::Index items_before = s.data.matrix.cols();
    s.data = kd::keep_most_active_users(s.data, a.top_users, a.filter.count);
    funnel.push_back(
        {"the " + std::to_string(a.top_users) + " most active users", s.data.matrix.rows(), items_before, s.data.matrix.nnz()});
    add("items with interactions", s.data);
  }
  return funnel;
}

}  // namespace

void prepare(Study& s) {
  const Arguments& a = s.arguments;
  const kd::PerUserSplitter splitter({.test_fraction = a.test_fraction, .min_interactions = 5, .seed = a.seed});
  const kd::PerUserSplitter inner_splitter({.test_fraction = a.test_fraction, .min_interactions = 5, .seed = a.seed + 1});

  s.console.section("Filters");
  const std::vector<FunnelStep> funnel = filter_data(s);
  Table table = {{"step", "users", "artists", "pairs"}};
  for (const FunnelStep& step : funnel)
    table.push_back({step.step, count_cell(step.users), count_cell(step.items), count_cell(static_cast<double>(step.interactions))});
  s.console.table(table);
  s.results.add_table("funnel", table);
  if (s.data.matrix.nnz() == 0)
    throw kd::InvalidArgument("the number of interactions left by the filters", 0,
                              "at least 1: lower --min-items-per-user or --min-users-per-item");

  const kd::CsrMatrix& matrix = s.data.matrix;
  s.console.section("The matrix");
  s.console.line(grouped(matrix.rows()) + " users x " + grouped(matrix.cols()) + " artists, " + grouped(static_cast<double>(matrix.nnz())) +
                 " interactions: " + fixed(100.0 * (1.0 - matrix.density()), 3) + " % of the cells are empty.");
  s.console.line("Stored by rows (CSR) it takes " + bytes_text(static_cast<double>(matrix.memory_bytes())) +
                 "; with every cell as a float it would take " + bytes_text(matrix.dense_bytes()) + ".");
  auto& dataset = s.results.json["dataset"];
  dataset["users"] = matrix.rows();
  dataset["items"] = matrix.cols();
  dataset["interactions"] = matrix.nnz();
  dataset["density"] = matrix.density();
  dataset["csr_bytes"] = matrix.memory_bytes();
  dataset["dense_bytes"] = matrix.dense_bytes();
  for (const FunnelStep& step : funnel)
    dataset["funnel"].push_back({{"step", step.step}, {"users", step.users}, {"items", step.items}, {"interactions", step.interactions}});

  s.split = splitter.split(matrix);
  s.inner = inner_splitter.split(s.split.train);
  s.sample_users = choose_sample_users(s);
  s.typed_items = find_typed_artists(s);
  for (const kd::Index user : s.sample_users) s.results.json["sample_users"].push_back(user_json(s, user));
  if (!a.tune_on_test && s.inner.test.nnz() == 0)
    throw kd::InvalidArgument("the number of inner validation interactions", 0,
                              "at least 1: users need at least 5 artists in train; use more data");
  s.console.section("The split");
  s.console.line("Of every user with at least 5 artists, " + shortest(100.0 * a.test_fraction) + " % are held out at random (seed " +
                 std::to_string(a.seed) + "): train " + grouped(static_cast<double>(s.split.train.nnz())) + ", test " +
                 grouped(static_cast<double>(s.split.test.nnz())) + " interactions.");
  s.console.line(
      a.tune_on_test
          ? "WARNING: --tune-on-test: settings are chosen on the test set itself, so the figures of the searched model are too good."
          : "Settings are chosen on an inner split of train (" + grouped(static_cast<double>(s.inner.train.nnz())) + " to learn from, " +
                grouped(static_cast<double>(s.inner.test.nnz())) + " to predict); the test set is looked at once, at the end.");
  s.results.json["split"] = {{"train", s.split.train.nnz()},
                             {"test", s.split.test.nnz()},
                             {"inner_train", s.inner.train.nnz()},
                             {"inner_validation", s.inner.test.nnz()},
                             {"seed", a.seed},
                             {"test_fraction", a.test_fraction}};
}

}  // namespace study
