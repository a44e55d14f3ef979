// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/models/als/settings.hpp>

namespace kindred::inline v0::detail {

/// Users of a partial sum over the interactions: of the loss, and of the constants below.
inline constexpr std::size_t loss_grain = 256;

/// What a fit takes from the values of train and keeps: updates and fold-ins use it, never values of their own.
struct ValueConstants {
  std::optional<double> cap;      ///< Of |r|.
  double log_scale = 1.0;         ///< |r| at which Confidence::log bends.
  double mean_strength = 1.0;     ///< Mean of g over the likes; 1 under Units::paper.
  std::vector<Index> user_likes;  ///< Likes of each user under Units::data; empty where there are no dislikes.
  std::vector<Index> item_likes;  ///< Likes of each item, likewise.
};

[[nodiscard]] inline std::size_t count_likes(const SparseRow& row) noexcept {
  return static_cast<std::size_t>(std::count_if(row.values.begin(), row.values.end(), [](float value) { return value > 0.0F; }));
}

/// g of a value, without the weight of a dislike.
[[nodiscard]] inline double strength_of(const AlsSettings& s, const ValueConstants& constants, float value, Offset user_count,
                                        Offset item_count) {
  double magnitude = std::abs(static_cast<double>(value));
  if (constants.cap) magnitude = (std::min)(magnitude, *constants.cap);
  switch (s.curve) {
    case Confidence::linear: return magnitude;
    case Confidence::log: return std::log1p(magnitude / constants.log_scale);
    case Confidence::one: return 1.0;
    case Confidence::custom: return s.function(magnitude, user_count, item_count);
  }
  return magnitude;
}

/// Takes the constants from the interactions of the users [first_user, ...), which are all of them, or the share of this process.
class ValueMeasure {
 public:
  /// All references must outlive this object. `user_counts`, `item_counts`: interactions in all of train. `undecayed`: the same interactions with their
  /// values before age decayed them, from which constants are taken; null: `users`. Whatever is a like is one by `users`.
  ValueMeasure(const AlsSettings& settings, const RowsRef& users, std::span<const Index> user_counts, std::span<const Index> item_counts,
               Offset nnz, const Team& team, const RowsRef* undecayed = nullptr, const ParallelOptions& parallel = {.threads = 1})
      : settings_(settings),
        users_(users),
        values_(undecayed != nullptr ? *undecayed : users),
        user_counts_(user_counts),
        item_counts_(item_counts),
        nnz_(nnz),
        team_(team),
        parallel_(settings.curve == Confidence::custom ? ParallelOptions{.threads = 1} : parallel) {}

  /// @throws InvalidArgument under Units::data if nothing in train is liked, or a mean is not above 0.
  [[nodiscard]] ValueConstants run() {
    ValueConstants constants;
    constants.cap = settings_.cap_quantile ? magnitude_quantile(values_, *settings_.cap_quantile, nnz_, Magnitudes::all, team_, parallel_)
                                           : settings_.cap;
    constants.log_scale = settings_.log_scale.value_or(1.0);
    if (settings_.units == Units::paper) return constants;
    const Offset in_train = count_likes(constants);
    if (in_train == 0) throw InvalidArgument("train", "without a value above 0", "a matrix with at least one like");
    const Offset likes = &values_ == &users_ ? in_train : likes_in(values_);
    if (likes == 0) throw InvalidArgument("undecayed", "without a value above 0", "the values of a matrix with at least one like");
    const double low = magnitude_quantile(values_, 0.05, likes, Magnitudes::likes, team_, parallel_);
    if (settings_.curve == Confidence::log && !settings_.log_scale) constants.log_scale = low;
    constants.mean_strength = mean_strength(constants, likes, low);
    if (!(constants.mean_strength > 0.0) || !is_finite(constants.mean_strength))
      throw InvalidArgument("the mean strength of the likes in train", constants.mean_strength, "finite and above 0");
    return constants;
  }

 private:
  /// The likes of each row, as numbers that are exact in a sum over processes.
  [[nodiscard]] std::vector<double> likes_of_rows(const RowsRef& rows) const {
    std::vector<double> likes(static_cast<std::size_t>(rows.rows()), 0.0);
    for_each_piece(rows, loss_grain, parallel_, [&](const RowBlock& block, Index first, Index last, std::size_t) {
      for (Index r = first; r < last; ++r)
        likes[static_cast<std::size_t>(r)] = static_cast<double>(detail::count_likes(block.rows.row(r - block.first)));
    });
    team_.sum(likes);
    return likes;
  }

  [[nodiscard]] Offset likes_in(const RowsRef& rows) const {
    const std::vector<double> likes = likes_of_rows(rows);
    return static_cast<Offset>(std::accumulate(likes.begin(), likes.end(), 0.0));
  }

  /// Counts the likes; they are kept for each row only where there are dislikes too.
  [[nodiscard]] Offset count_likes(ValueConstants& constants) const {
    const std::vector<double> of_users = likes_of_rows(users_);
    const auto total = static_cast<Offset>(std::accumulate(of_users.begin(), of_users.end(), 0.0));
    if (total == nnz_) return total;
    std::vector<double> of_items(item_counts_.size(), 0.0);
    users_.for_each_block([&](const RowBlock& block) {
      for (std::size_t n = 0; n < block.rows.values().size(); ++n)
        if (block.rows.values()[n] > 0.0F) ++of_items[static_cast<std::size_t>(block.rows.columns()[n])];
    });
    team_.sum(of_items);
    const auto whole = [](double count) { return static_cast<Index>(count); };
    constants.user_likes.resize(user_counts_.size());
    constants.item_likes.resize(item_counts_.size());
    std::transform(of_users.begin(), of_users.end(), constants.user_likes.begin(), whole);
    std::transform(of_items.begin(), of_items.end(), constants.item_likes.begin(), whole);
    return total;
  }

  /// The mean of g over the likes; g itself where all of them are `low`, so that every confidence is 1 to the bit. Summed over fixed groups of
  /// users first, so that neither blocks nor processes change a bit.
  [[nodiscard]] double mean_strength(const ValueConstants& constants, Offset likes, double low) const {
    const std::size_t groups = (user_counts_.size() + loss_grain - 1) / loss_grain;
    std::vector<double> partials(groups + 1, 0.0);  // the last one: likes that are `low`
    std::vector<double> low_of_groups(groups, 0.0);
    for_each_piece(values_, loss_grain, parallel_, [&](const RowBlock& block, Index first, Index last, std::size_t) {
      const std::size_t group = static_cast<std::size_t>(first) / loss_grain;
      for (Index r = first; r < last; ++r) {
        const auto user = static_cast<std::size_t>(r);
        const SparseRow row = block.rows.row(r - block.first);
        for (std::size_t n = 0; n < row.size(); ++n) {
          if (!(row.values[n] > 0.0F)) continue;
          partials[group] +=
              strength_of(settings_, constants, row.values[n], user_counts_[user], item_counts_[static_cast<std::size_t>(row.columns[n])]);
          if (static_cast<double>(row.values[n]) == low) ++low_of_groups[group];
        }
      }
    });
    partials[groups] = std::accumulate(low_of_groups.begin(), low_of_groups.end(), 0.0);
    team_.sum(partials);
    if (partials[groups] == static_cast<double>(likes) && settings_.curve != Confidence::custom)
      return strength_of(settings_, constants, static_cast<float>(low), 0, 0);
    return std::accumulate(partials.begin(), partials.end() - 1, 0.0) / static_cast<double>(likes);
  }

  const AlsSettings& settings_;
  const RowsRef& users_;
  const RowsRef& values_;
  std::span<const Index> user_counts_;
  std::span<const Index> item_counts_;
  Offset nnz_;
  const Team& team_;
  ParallelOptions parallel_;
};

}  // namespace kindred::inline v0::detail
