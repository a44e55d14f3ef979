// SPDX-License-Identifier: MIT
#include "layout.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "../random_numbers.hpp"

namespace study {

namespace {

using Rows = std::vector<std::vector<double>>;

double dot(const std::vector<double>& a, const std::vector<double>& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

void scale_to_length_one(Rows& rows) {
  for (std::vector<double>& row : rows)
    if (const double length = std::sqrt(dot(row, row)); length > 0.0)
      for (double& value : row) value /= length;
}

struct Grouping {
  std::vector<int> group;
  double cosines = 0.0;  // sum over rows of the cosine with the centre of their group
};

/// Every row to the nearest centre, every centre to the mean of its rows.
Grouping k_means(const Rows& rows, Rows centres) {
  Grouping result{std::vector<int>(rows.size(), 0)};
  for (int round = 0; round < 15; ++round) {
    Rows sums(centres.size(), std::vector<double>(rows.front().size(), 0.0));
    result.cosines = 0.0;
    for (std::size_t n = 0; n < rows.size(); ++n) {
      std::vector<double> cosines;
      for (const std::vector<double>& centre : centres) cosines.push_back(dot(rows[n], centre));
      const auto best = static_cast<std::size_t>(std::max_element(cosines.begin(), cosines.end()) - cosines.begin());
      result.cosines += cosines[best];
      result.group[n] = static_cast<int>(best);
      for (std::size_t f = 0; f < rows[n].size(); ++f) sums[best][f] += rows[n][f];
    }
    centres = std::move(sums);
    scale_to_length_one(centres);
  }
  return result;
}

std::vector<int> groups_of(const Rows& rows, std::size_t n_groups, std::uint64_t seed) {
  Grouping best;
  for (std::uint64_t start = 0; start < 20; ++start) {
    examples::Random random(seed, 4, start);
    std::vector<std::size_t> chosen(rows.size());
    std::iota(chosen.begin(), chosen.end(), std::size_t{0});
    random.shuffle_front(std::span<std::size_t>(chosen), n_groups);
    Rows centres;
    for (std::size_t g = 0; g < n_groups; ++g) centres.push_back(rows[chosen[g]]);
    Grouping found = k_means(rows, std::move(centres));
    if (best.group.empty() || found.cosines > best.cosines) best = std::move(found);
  }
  std::vector<int> number(n_groups, -1);
  int next = 0;
  for (int& group : best.group) {
    int& named = number[static_cast<std::size_t>(group)];
    if (named < 0) named = next++;
    group = named;
  }
  return best.group;
}

struct Axis {
  double variance = 0.0;
  std::vector<double> direction;  // of length one; its largest entry is positive
};

/// The largest eigenvalue of a covariance matrix and its eigenvector, by power iteration.
Axis longest_axis(const std::vector<double>& covariance, std::size_t length) {
  std::size_t largest = 0;
  for (std::size_t f = 1; f < length; ++f)
    if (covariance[f * length + f] > covariance[largest * length + largest]) largest = f;
  Axis axis{0.0, std::vector<double>(length, 0.0)};
  axis.direction[largest] = 1.0;
  std::vector<double> product(length);
  for (int step = 0; step < 2000; ++step) {
    for (std::size_t f = 0; f < length; ++f)
      product[f] = std::inner_product(axis.direction.begin(), axis.direction.end(),
                                      covariance.begin() + static_cast<std::ptrdiff_t>(f * length), 0.0);
    const double before = axis.variance;
    axis.variance = std::sqrt(dot(product, product));
    if (!(axis.variance > 0.0)) return axis;
    for (std::size_t f = 0; f < length; ++f) axis.direction[f] = product[f] / axis.variance;
    if (std::abs(axis.variance - before) <= 1e-14 * axis.variance) break;
  }
  const auto highest =
      std::max_element(axis.direction.begin(), axis.direction.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  if (*highest < 0.0)
    for (double& value : axis.direction) value = -value;
  return axis;
}

void project(Rows rows, Layout& layout) {
  const std::size_t length = rows.front().size();
  for (std::size_t f = 0; f < length; ++f) {
    double mean = 0.0;
    for (const auto& row : rows) mean += row[f] / static_cast<double>(rows.size());
    for (auto& row : rows) row[f] -= mean;
  }
  std::vector<double> covariance(length * length, 0.0);
  for (const auto& row : rows)
    for (std::size_t f = 0; f < length; ++f)
      for (std::size_t g = 0; g < length; ++g) covariance[f * length + g] += row[f] * row[g];
  double total = 0.0;
  for (std::size_t f = 0; f < length; ++f) total += covariance[f * length + f];
  const Axis first = longest_axis(covariance, length);
  for (std::size_t f = 0; f < length; ++f)
    for (std::size_t g = 0; g < length; ++g) covariance[f * length + g] -= first.variance * first.direction[f] * first.direction[g];
  const Axis second = length > 1 ? longest_axis(covariance, length) : first;
  for (const auto& row : rows) {
    layout.x.push_back(dot(row, first.direction));
    layout.y.push_back(dot(row, second.direction));
  }
  layout.variance_share = total > 0.0 ? (first.variance + second.variance) / total : 0.0;
}

}  // namespace

Layout lay_out(std::vector<std::vector<double>> rows, std::size_t n_groups, std::uint64_t seed) {
  Layout layout;
  if (rows.empty()) return layout;
  scale_to_length_one(rows);
  layout.group = groups_of(rows, (std::min)(n_groups, rows.size()), seed);
  project(std::move(rows), layout);
  return layout;
}

}  // namespace study
