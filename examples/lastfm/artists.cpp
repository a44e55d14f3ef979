// SPDX-License-Identifier: MIT
// What the model thinks of artists: the neighbours of five well-known ones, and a map of the most popular.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <Eigen/Dense>

#include <kindred/core/random.hpp>

#include "served.hpp"

namespace kd = kindred;

namespace study {

namespace {

constexpr std::size_t on_map = 300;
constexpr int n_groups = 6;

/// The `count` artists with the most listeners.
std::vector<kd::Index> best_known(const Study& s, std::size_t count) {
  const std::vector<kd::Index> listeners = kd::column_counts(s.split.train);
  std::vector<kd::Index> order(listeners.size());
  std::iota(order.begin(), order.end(), kd::Index{0});
  std::stable_sort(order.begin(), order.end(), [&](kd::Index a, kd::Index b) {
    return listeners[static_cast<std::size_t>(a)] > listeners[static_cast<std::size_t>(b)];
  });
  order.resize((std::min)(order.size(), count));
  return order;
}

/// Well-known artists of different kinds: the most popular ones that are not among the ten nearest of one chosen before.
std::vector<kd::Index> five_artists(Study& s) {
  std::vector<kd::Index> chosen;
  std::vector<kd::Index> near_chosen;
  for (const kd::Index artist : best_known(s, on_map)) {
    if (chosen.size() == 5) break;
    if (std::find(near_chosen.begin(), near_chosen.end(), artist) != near_chosen.end()) continue;
    chosen.push_back(artist);
    for (const kd::Scored& near : served_model(s).similar_items(artist, {.count = 10})) near_chosen.push_back(near.item);
  }
  return chosen;
}

void neighbours(Study& s) {
  s.console.section("Neighbours of five well-known artists (cosine)");
  Table rows = {{"artist", "rank", "neighbour", "cosine"}};
  for (const kd::Index artist : five_artists(s)) {
    nlohmann::ordered_json entry = {{"artist", s.data.item_name(artist)}, {"neighbours", nlohmann::ordered_json::array()}};
    std::string text(s.data.item_name(artist));
    text += ":";
    for (const kd::Scored& near : served_model(s).similar_items(artist, {.count = 5})) {
      const std::string name(s.data.item_name(near.item));
      text += (entry["neighbours"].empty() ? " " : ", ") + name + " " + fixed(near.score, 2);
      rows.push_back(
          {std::string(s.data.item_name(artist)), std::to_string(entry["neighbours"].size() + 1), name, number_cell(near.score, 3)});
      entry["neighbours"].push_back({{"name", name}, {"cosine", near.score}});
    }
    s.console.line(text);
    s.results.json["neighbours"].push_back(std::move(entry));
  }
  s.results.add_table("neighbours", rows);
}

/// Directions of the artists' factors, one a row: length 1, so that popularity, which is in the length, does not rule the map.
Eigen::MatrixXd directions(const kd::FactorMatrix<float>& factors, const std::vector<kd::Index>& artists) {
  Eigen::MatrixXd all(static_cast<Eigen::Index>(artists.size()), factors.factors());
  for (std::size_t n = 0; n < artists.size(); ++n) {
    const std::span<const float> row = factors.row(artists[n]);
    for (std::size_t f = 0; f < row.size(); ++f)
      all(static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(f)) = static_cast<double>(row[f]);
  }
  for (Eigen::Index n = 0; n < all.rows(); ++n)
    if (const double length = all.row(n).norm(); length > 0.0) all.row(n) /= length;
  return all;
}

struct Grouping {
  std::vector<int> group;
  double cosines = 0.0;  // sum over artists of the cosine with the centre of their group
};

/// Spherical k-means from given centres: every artist to the nearest centre, every centre to the mean of its artists.
Grouping k_means(const Eigen::MatrixXd& rows, Eigen::MatrixXd centres) {
  Grouping result{std::vector<int>(static_cast<std::size_t>(rows.rows()), 0)};
  for (int round = 0; round < 20; ++round) {
    const Eigen::MatrixXd cosines = rows * centres.transpose();
    centres.setZero();
    result.cosines = 0.0;
    for (Eigen::Index n = 0; n < rows.rows(); ++n) {
      Eigen::Index best = 0;
      result.cosines += cosines.row(n).maxCoeff(&best);
      result.group[static_cast<std::size_t>(n)] = static_cast<int>(best);
      centres.row(best) += rows.row(n);
    }
    for (int g = 0; g < n_groups; ++g)
      if (const double length = centres.row(g).norm(); length > 0.0) centres.row(g) /= length;
  }
  return result;
}

/// Groups of artists with similar directions: the best of twenty starts from artists drawn at random.
std::vector<int> taste_groups(const Eigen::MatrixXd& rows, std::uint64_t seed) {
  Grouping best;
  for (std::uint64_t start = 0; start < 20; ++start) {
    kd::Random random(seed, kd::RandomStream::sample, start);
    std::vector<Eigen::Index> artists(static_cast<std::size_t>(rows.rows()));
    std::iota(artists.begin(), artists.end(), Eigen::Index{0});
    kd::shuffle_front(std::span<Eigen::Index>(artists), (std::min)(artists.size(), std::size_t{n_groups}), random);
    Eigen::MatrixXd centres = Eigen::MatrixXd::Zero(n_groups, rows.cols());
    for (std::size_t g = 0; g < (std::min)(artists.size(), std::size_t{n_groups}); ++g)
      centres.row(static_cast<Eigen::Index>(g)) = rows.row(artists[g]);
    Grouping found = k_means(rows, std::move(centres));
    if (best.group.empty() || found.cosines > best.cosines) best = std::move(found);
  }
  // Numbered by their best-known artist.
  std::vector<int> number(n_groups, -1);
  int next = 0;
  for (int& group : best.group) {
    int& named = number[static_cast<std::size_t>(group)];
    if (named < 0) named = next++;
    group = named;
  }
  return best.group;
}

void map(Study& s) {
  const std::vector<kd::Index> artists = best_known(s, on_map);
  const std::vector<kd::Index> listeners = kd::column_counts(s.split.train);
  const Eigen::MatrixXd rows = directions(served_model(s).item_factors(), artists);
  const std::vector<int> group = taste_groups(rows, s.arguments.seed);
  // Principal components: the two directions in which the artists differ most.
  const Eigen::MatrixXd centred = rows.rowwise() - rows.colwise().mean();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(centred.transpose() * centred);
  const Eigen::Index last = centred.cols() - 1;
  const double total = solver.eigenvalues().sum();
  auto& json = s.results.json["artist_map"];
  json["variance_share"] =
      total > 0.0 ? (solver.eigenvalues()[last] + solver.eigenvalues()[(std::max)(last - 1, Eigen::Index{0})]) / total : 0.0;
  const Eigen::VectorXd x = centred * solver.eigenvectors().col(last);
  const Eigen::VectorXd y = centred * solver.eigenvectors().col((std::max)(last - 1, Eigen::Index{0}));
  Table table = {{"artist", "x", "y", "group", "listeners"}};
  for (std::size_t n = 0; n < artists.size(); ++n) {
    const auto at = static_cast<Eigen::Index>(n);
    const std::string name(s.data.item_name(artists[n]));
    const double count = listeners[static_cast<std::size_t>(artists[n])];
    json["artists"].push_back({{"name", name}, {"x", x[at]}, {"y", y[at]}, {"group", group[n] + 1}, {"listeners", count}});
    table.push_back({name, number_cell(x[at], 3), number_cell(y[at], 3), std::to_string(group[n] + 1), count_cell(count)});
  }
  s.results.add_table("artist_map", table);
}

}  // namespace

void show_artists(Study& s) {
  neighbours(s);
  map(s);
}

}  // namespace study
