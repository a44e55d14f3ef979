// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/models/als/constants.hpp>
#include <kindred/models/als/options.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// A like votes with at least this much, so that what it adds is never rounded to 0.
inline constexpr float least_vote = 1e-14F;

/// From the value of an interaction to the strength of its vote, with the constants of the fit.
struct VoteScale {
  Confidence curve = Confidence::linear;
  double log_scale = 1.0;
  double mean = 1.0;

  /// g over its mean, above 0, for a like; -1 for a dislike, which does not vote.
  [[nodiscard]] float of(float value) const {
    if (!(value > 0.0F)) return -1.0F;
    AlsSettings settings;
    settings.curve = curve;
    ValueConstants constants;
    constants.log_scale = log_scale;
    return (std::max)(static_cast<float>(strength_of(settings, constants, value, 0, 0) / mean), least_vote);
  }
};

/// A row of votes that owns its arrays.
struct VoteRow {
  VoteRow() = default;
  /// `row`: checked, without zeros.
  VoteRow(const SparseRow& row, const VoteScale& scale) : columns(row.columns.begin(), row.columns.end()) {
    for (const float value : row.values) votes.push_back(scale.of(value));
  }
  [[nodiscard]] SparseRow row() const noexcept { return {columns, votes}; }

  std::vector<Index> columns;
  std::vector<float> votes;
};

/// What each user votes with: the interactions of train, replaced and appended to since. Votes below 0 are dislikes.
class VoteHistories {
 public:
  VoteHistories() = default;
  /// `owner` keeps the arrays of `rows` alive; copies share them.
  VoteHistories(CsrView rows, std::shared_ptr<const void> owner) : rows_(rows), owner_(std::move(owner)) {}
  /// Histories in memory of their own.
  explicit VoteHistories(CsrMatrix rows) {
    auto held = std::make_shared<const CsrMatrix>(std::move(rows));
    rows_ = held->view();
    owner_ = std::move(held);
  }

  [[nodiscard]] Index users() const noexcept { return places_.empty() ? rows_.rows() : static_cast<Index>(places_.size()); }
  [[nodiscard]] SparseRow row(Index user) const noexcept {
    if (places_.empty()) return rows_.row(user);
    const std::ptrdiff_t place = places_[static_cast<std::size_t>(user)];
    return place < 0 ? rows_.row(user) : own_[static_cast<std::size_t>(place)].row();
  }
  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    std::size_t bytes = rows_.memory_bytes() + places_.size() * sizeof(std::ptrdiff_t);
    for (const VoteRow& row : own_) bytes += row.columns.size() * (sizeof(Index) + sizeof(float));
    return bytes;
  }

  /// Makes room for put() of `rows` rows: what it throws has changed nothing. Room grows as that of a std::vector.
  void reserve(std::size_t rows) {
    const auto known = static_cast<std::size_t>(users());
    if (own_.size() + rows > own_.capacity()) own_.reserve((std::max)(own_.size() + rows, 2 * own_.capacity()));
    if (known + rows > places_.capacity()) places_.reserve((std::max)(known + rows, 2 * places_.capacity()));
  }
  /// Replaces the rows of `users`, or adds them if they are the next new users; reserve() has made room.
  void put(std::span<const Index> users, std::vector<VoteRow> rows) noexcept {
    if (places_.empty()) places_.assign(static_cast<std::size_t>(this->users()), -1);
    for (std::size_t n = 0; n < rows.size(); ++n) {
      if (static_cast<std::size_t>(users[n]) == places_.size()) places_.push_back(-1);
      std::ptrdiff_t& place = places_[static_cast<std::size_t>(users[n])];
      if (place >= 0) {
        own_[static_cast<std::size_t>(place)] = std::move(rows[n]);
        continue;
      }
      place = static_cast<std::ptrdiff_t>(own_.size());
      own_.push_back(std::move(rows[n]));
    }
  }

  /// All rows, as a matrix of `items` columns.
  [[nodiscard]] CsrMatrix matrix(Index items) const {
    std::vector<Offset> offsets{0};
    std::vector<Index> columns;
    std::vector<float> votes;
    for (Index u = 0; u < users(); ++u) {
      const SparseRow one = row(u);
      columns.insert(columns.end(), one.columns.begin(), one.columns.end());
      votes.insert(votes.end(), one.values.begin(), one.values.end());
      offsets.push_back(static_cast<Offset>(columns.size()));
    }
    return CsrMatrix({users(), items}, std::move(offsets), std::move(columns), std::move(votes));
  }

 private:
  CsrView rows_;
  std::shared_ptr<const void> owner_;
  std::vector<std::ptrdiff_t> places_;  // in own_, -1: in rows_; empty until the first change
  std::vector<VoteRow> own_;
};

/// `exclude` and the dislikes of `history`, in `merged` where there are any.
[[nodiscard]] inline std::span<const Index> exclude_dislikes(std::span<const Index> exclude, const SparseRow& history,
                                                             std::vector<Index>& merged) {
  if (std::none_of(history.values.begin(), history.values.end(), [](float vote) { return vote < 0.0F; })) return exclude;
  std::vector<Index> dislikes;
  for (std::size_t n = 0; n < history.size(); ++n)
    if (history.values[n] < 0.0F) dislikes.push_back(history.columns[n]);
  merged.clear();
  std::set_union(exclude.begin(), exclude.end(), dislikes.begin(), dislikes.end(), std::back_inserter(merged));
  return merged;
}

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
