// SPDX-License-Identifier: MIT
// Neighbours of items the long way: every pair of items, every user, in long double. Shares no code with the library.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/models/neighbours/options.hpp>

namespace kindred_test {

class TextbookNeighbours {
 public:
  using Row = std::map<kindred::Index, long double>;  // target or item -> weight or strength

  TextbookNeighbours(const kindred::CsrView& train, const kindred::ItemNeighboursOptions& options) : options_(options) {
    std::vector<float> likes;
    for (const float value : train.values())
      if (value > 0.0F) likes.push_back(value);
    std::sort(likes.begin(), likes.end());
    // The 5 % quantile, between the two values beside its place.
    const double place = 0.05 * static_cast<double>(likes.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const double share = place - static_cast<double>(below);
    low_ = static_cast<double>(likes[below]) + share * static_cast<double>(likes[(std::min)(below + 1, likes.size() - 1)] - likes[below]);
    long double sum = 0.0L;
    for (const float value : likes) sum += curve(value);
    mean_ = sum / static_cast<long double>(likes.size());
    items_ = train.cols();
    for (kindred::Index u = 0; u < train.rows(); ++u) histories_.push_back(history_of(train.row(u)));
    count();
  }

  /// The strengths of the likes of a row.
  [[nodiscard]] Row history_of(const kindred::SparseRow& row) const {
    Row history;
    for (std::size_t n = 0; n < row.size(); ++n)
      if (row.values[n] > 0.0F) history[row.columns[n]] = curve(row.values[n]) / mean_;
    return history;
  }
  [[nodiscard]] const Row& neighbours(kindred::Index item) const { return rows_[static_cast<std::size_t>(item)]; }
  [[nodiscard]] long double cosine(kindred::Index i, kindred::Index j) const {
    return shared_.at({i, j}) / std::sqrt(shared_.at({i, i}) * shared_.at({j, j}));
  }

  /// The votes that each item gets from a history.
  [[nodiscard]] std::vector<long double> votes(const Row& history) const {
    std::vector<long double> sums(static_cast<std::size_t>(items_), 0.0L);
    for (const auto& [item, strength] : history) {
      long double alike = 1.0L;
      if (options_.share_votes)
        for (const auto& [target, weight] : neighbours(item))
          if (history.count(target) > 0) alike += cosine(item, target);
      for (const auto& [target, weight] : neighbours(item)) sums[static_cast<std::size_t>(target)] += strength / alike * weight;
    }
    return sums;
  }

 private:
  [[nodiscard]] long double curve(float value) const {
    if (options_.curve == kindred::Confidence::one) return 1.0L;
    if (options_.curve == kindred::Confidence::log) return std::log1p(static_cast<long double>(value) / low_);
    return value;
  }

  void count() {
    std::map<kindred::Index, long double> users;
    for (const Row& history : histories_) {
      const long double discount = std::pow(static_cast<long double>(history.size()), -options_.user_discount);
      for (const auto& [i, g] : history) {
        ++users[i];
        for (const auto& [j, h] : history) shared_[{i, j}] += g * h * discount;
      }
    }
    rows_.resize(static_cast<std::size_t>(items_));
    for (kindred::Index i = 0; i < items_; ++i) {
      std::vector<std::pair<long double, kindred::Index>> row;
      for (kindred::Index j = 0; j < items_; ++j)
        if (i != j && shared_.count({i, j}) > 0)
          row.emplace_back(-std::pow(users[i], options_.popularity - 1.0L) *
                               std::pow(users[j], -static_cast<long double>(options_.popularity)) * shared_[{i, j}],
                           j);
      std::sort(row.begin(), row.end());
      if (row.size() > options_.neighbours) row.resize(options_.neighbours);
      for (const auto& [weight, j] : row) rows_[static_cast<std::size_t>(i)][j] = -weight;
    }
  }

  kindred::ItemNeighboursOptions options_;
  long double low_ = 1.0L, mean_ = 1.0L;
  kindred::Index items_ = 0;
  std::vector<Row> histories_;
  std::map<std::pair<kindred::Index, kindred::Index>, long double> shared_;
  std::vector<Row> rows_;
};

}  // namespace kindred_test
