// SPDX-License-Identifier: MIT
// The matrix to look at: where it holds anything, and a small corner of it as stored and as a model with three factors sees it.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <kindred/data/statistics.hpp>
#include <kindred/models/implicit_als.hpp>

#include "study.hpp"

namespace kd = kindred;

namespace study {

namespace {

constexpr std::size_t corner_users = 6;
constexpr std::size_t corner_items = 7;

/// All rows or columns, the largest count first.
std::vector<kd::Index> by_count(const std::vector<kd::Index>& counts) {
  std::vector<kd::Index> order(counts.size());
  std::iota(order.begin(), order.end(), kd::Index{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](kd::Index a, kd::Index b) { return counts[static_cast<std::size_t>(a)] > counts[static_cast<std::size_t>(b)]; });
  return order;
}

/// `count` entries at equal distances.
std::vector<kd::Index> every_nth(const std::vector<kd::Index>& order, std::size_t count) {
  std::vector<kd::Index> chosen;
  count = (std::min)(count, order.size());
  for (std::size_t n = 0; n < count; ++n) chosen.push_back(order[n * order.size() / count]);
  return chosen;
}

float value_at(const kd::SparseRow& row, kd::Index column) {
  const auto at = std::lower_bound(row.columns.begin(), row.columns.end(), column);
  return at != row.columns.end() && *at == column ? row.values[static_cast<std::size_t>(at - row.columns.begin())] : 0.0F;
}

/// A dot for each interaction between every n-th user (most active first) and every m-th artist (most popular first).
void sparsity(Study& s, const kd::CsrMatrix& matrix) {
  const double expected = 120.0 * 180.0 * matrix.density();
  const double scale = (std::min)(1.0, std::sqrt(1200.0 / expected));
  const std::vector<kd::Index> users = every_nth(by_count(kd::row_counts(matrix)), static_cast<std::size_t>(120.0 * scale));
  const std::vector<kd::Index> items = every_nth(by_count(kd::column_counts(matrix)), static_cast<std::size_t>(180.0 * scale));
  Table dots = {{"artist", "user"}};
  for (std::size_t u = 0; u < users.size(); ++u)
    for (std::size_t i = 0; i < items.size(); ++i)
      if (value_at(matrix.row(users[u]), items[i]) > 0.0F) dots.push_back({std::to_string(i), std::to_string(u)});
  s.results.json["sparsity"] = {{"users", users.size()}, {"items", items.size()}, {"dots", dots.size() - 1}};
  s.results.add_table("sparsity", dots);
}

/// Well-known artists, and users who have played some of them but not most.
void choose_corner(const kd::CsrMatrix& matrix, std::vector<kd::Index>& users, std::vector<kd::Index>& items) {
  items = by_count(kd::column_counts(matrix));
  items.resize((std::min)(items.size(), corner_items));
  std::sort(items.begin(), items.end());
  std::vector<kd::Index> fitting;
  for (const std::size_t least : {2U, 1U, 0U}) {
    fitting.clear();
    for (kd::Index u = 0; u < matrix.rows(); ++u) {
      const auto played = static_cast<std::size_t>(
          std::count_if(items.begin(), items.end(), [&](kd::Index i) { return value_at(matrix.row(u), i) > 0.0F; }));
      if (played >= least && played <= 4) fitting.push_back(u);
    }
    if (fitting.size() >= corner_users) break;
  }
  users = every_nth(fitting, corner_users);
}

}  // namespace

void picture(Study& s) {
  const kd::CsrMatrix& matrix = s.split.train;
  sparsity(s, matrix);
  std::vector<kd::Index> users, items;
  choose_corner(matrix, users, items);
  auto& json = s.results.json["corner"];
  for (const kd::Index i : items) json["artists"].push_back(s.data.item_name(i));
  json["offsets"] = {0};
  json["columns"] = nlohmann::ordered_json::array();
  for (const kd::Index u : users) {
    json["users"].push_back(s.data.users.key(u));
    for (std::size_t i = 0; i < items.size(); ++i)
      if (const float plays = value_at(matrix.row(u), items[i]); plays > 0.0F) {
        json["columns"].push_back(i);
        json["values"].push_back(plays);
      }
    json["offsets"].push_back(json["columns"].size());
  }

  kd::AlsOptions options;
  options.factors = 3;
  options.seed = s.arguments.seed;
  kd::ImplicitALS<float> small(options);
  fit(small, matrix, {.progress = s.console.progress("three factors"), .execution = {.threads = s.arguments.threads}});
  const auto rows_of = [](const kd::FactorMatrix<float>& factors, const std::vector<kd::Index>& rows) {
    auto all = nlohmann::ordered_json::array();
    for (const kd::Index r : rows) all.push_back(std::vector<float>(factors.row(r).begin(), factors.row(r).end()));
    return all;
  };
  json["user_factors"] = rows_of(small.user_factors(), users);
  json["item_factors"] = rows_of(small.item_factors(), items);
  for (const kd::Index u : users) {
    json["scores"].push_back(nlohmann::ordered_json::array());
    for (const kd::Index i : items) json["scores"].back().push_back(small.predict(u, i));
  }
}

}  // namespace study
