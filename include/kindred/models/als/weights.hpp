// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/team.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/models/als/constants.hpp>
#include <kindred/models/als/settings.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Which side of the matrix the rows being solved are.
enum class AlsSide { users, items };

/// The weights of the objective that AlsOptions documents, for one training matrix.
class AlsWeights {
 public:
  AlsWeights() = default;

  /// `users`: the training matrix, without zeros; `items`: the same by items.
  /// @throws ShapeError, InvalidArgument if they are not in memory and hold what they must not.
  AlsWeights(const AlsSettings& settings, const RowsRef& users, const RowsRef& items)
      : AlsWeights(settings, users, checked_row_counts(users, "train"), checked_row_counts(items, "train by items"), users.nnz(), Team(),
                   {.threads = 1}) {}

  /// From the interactions of each user and item of all of train, and the rows of the users of this member of `team`. `undecayed`: as ValueMeasure has it.
  AlsWeights(const AlsSettings& settings, const RowsRef& users, std::vector<Index> user_counts, std::vector<Index> item_counts, Offset nnz,
             const Team& team, const ParallelOptions& parallel, const RowsRef* undecayed = nullptr)
      : settings_(settings),
        shape_{static_cast<Index>(user_counts.size()), static_cast<Index>(item_counts.size())},
        constants_(ValueMeasure(settings, users, user_counts, item_counts, nnz, team, undecayed, parallel).run()),
        user_counts_(std::move(user_counts)),
        item_counts_(std::move(item_counts)) {
    const std::span<const Index> by_user = likes(AlsSide::users), by_item = likes(AlsSide::items);
    const auto total = static_cast<double>(std::accumulate(by_user.begin(), by_user.end(), Offset{0}));
    const double cells = static_cast<double>(shape_.users) * static_cast<double>(shape_.items);
    unobserved_weight_ = settings.ratio ? *settings.ratio * (cells > 0.0 ? total / cells : 0.0) : settings.weight;
    user_background_ = background_of(by_user, settings.user_exponent, user_background_scale_);
    item_background_ = background_of(by_item, settings.item_exponent, item_background_scale_);
    mean_user_count_ = total / static_cast<double>(shape_.users);
    mean_item_count_ = total / static_cast<double>(shape_.items);
    derive();
  }

  /// What weights are made of beside the settings: the rest follows from it, to the bit.
  struct State {
    std::vector<Index> user_counts;
    std::vector<Index> item_counts;
    ValueConstants constants;
    double unobserved_weight = 1.0;
    double user_background_scale = 1.0;
    double item_background_scale = 1.0;
    double mean_user_count = 1.0;
    double mean_item_count = 1.0;
    bool user_counts_current = true;  // false: items were updated since, and the interactions with them were not counted for their users
    bool item_counts_current = true;  // false: users were updated since
  };
  [[nodiscard]] State state() const {
    return {user_counts_,           item_counts_,     constants_,       unobserved_weight_,   user_background_scale_,
            item_background_scale_, mean_user_count_, mean_item_count_, user_counts_current_, item_counts_current_};
  }
  AlsWeights(const AlsSettings& settings, State state)
      : settings_(settings),
        shape_{static_cast<Index>(state.user_counts.size()), static_cast<Index>(state.item_counts.size())},
        constants_(std::move(state.constants)),
        user_counts_(std::move(state.user_counts)),
        item_counts_(std::move(state.item_counts)),
        unobserved_weight_(state.unobserved_weight),
        user_background_scale_(state.user_background_scale),
        item_background_scale_(state.item_background_scale),
        mean_user_count_(state.mean_user_count),
        mean_item_count_(state.mean_item_count),
        user_counts_current_(state.user_counts_current),
        item_counts_current_(state.item_counts_current) {
    const auto background = [](std::span<const Index> counts, double exponent, double scale) {
      std::vector<double> weights;
      if (exponent > 0.0)
        for (const Index count : counts) weights.push_back(std::pow(static_cast<double>(count), exponent) * scale);
      return weights;
    };
    user_background_ = background(likes(AlsSide::users), settings_.user_exponent, user_background_scale_);
    item_background_ = background(likes(AlsSide::items), settings_.item_exponent, item_background_scale_);
    derive();
  }

  [[nodiscard]] MatrixShape shape() const noexcept { return shape_; }
  [[nodiscard]] std::span<const Index> counts(AlsSide side) const noexcept { return side == AlsSide::users ? user_counts_ : item_counts_; }

  /// The counts that backgrounds, damping and penalties follow: likes under Units::data, else interactions.
  [[nodiscard]] std::span<const Index> likes(AlsSide side) const noexcept {
    const std::vector<Index>& likes = side == AlsSide::users ? constants_.user_likes : constants_.item_likes;
    return likes.empty() ? counts(side) : std::span<const Index>(likes);
  }
  /// The number of `row`'s interactions that likes() counts.
  [[nodiscard]] std::size_t likes_of(const SparseRow& row) const noexcept {
    if (settings_.units == Units::paper) return row.size();
    return count_likes(row);
  }
  /// Likes of a mean row of `side` in train.
  [[nodiscard]] double mean_count(AlsSide side) const noexcept { return side == AlsSide::users ? mean_user_count_ : mean_item_count_; }

  /// @throws InvalidArgument naming the first user or item that has fewer interactions in `data`, which is of the same shape, than in the fit.
  void check_counts(const CsrView& data) const {
    const auto check = [](std::string_view noun, std::span<const Index> known, std::span<const Index> found) {
      const auto [other, _] = std::mismatch(found.begin(), found.end(), known.begin(), std::greater_equal<>());
      if (other == found.end()) return;
      const auto at = static_cast<std::size_t>(other - found.begin());
      throw InvalidArgument("data", std::string(noun) + " " + std::to_string(at) + " with " + std::to_string(*other) + " interactions",
                            "what the model was fitted on, or more: there that " + std::string(noun) + " has " + std::to_string(known[at]) +
                                ". Is it another data set, or the same one in another order?");
    };
    if (user_counts_current_) check("user", user_counts_, row_counts(data));
    if (item_counts_current_) check("item", item_counts_, column_counts(data));
  }

  /// w0.
  [[nodiscard]] double unobserved_weight() const noexcept { return unobserved_weight_; }

  /// a_u or b_i, or empty where all are 1: the weights of the fixed side's Gram matrix.
  [[nodiscard]] std::span<const double> background(AlsSide side) const noexcept {
    return side == AlsSide::users ? user_background_ : item_background_;
  }

  /// a_u of a user with `count` likes who was not in train.
  [[nodiscard]] double new_user_background(std::size_t count) const {
    return settings_.user_exponent > 0.0 ? std::pow(static_cast<double>(count), settings_.user_exponent) * user_background_scale_ : 1.0;
  }

  /// Makes room for `more` new rows of `side`, so that set_count does not throw for them; room grows as a std::vector's does.
  /// `dislikes`: whether some of the rows to come have dislikes.
  void reserve(AlsSide side, std::size_t more, bool dislikes) {
    if (dislikes && settings_.units == Units::data && constants_.user_likes.empty()) {
      std::vector<Index> user_likes = user_counts_;
      constants_.item_likes = item_counts_;
      constants_.user_likes = std::move(user_likes);
    }
    const auto grow = [more](auto& values) {
      if (values.size() + more > values.capacity()) values.reserve((std::max)(values.size() + more, 2 * values.capacity()));
    };
    const bool users = side == AlsSide::users;
    grow(users ? user_counts_ : item_counts_);
    if (!constants_.user_likes.empty()) grow(users ? constants_.user_likes : constants_.item_likes);
    if (exponent(side) > 0.0) grow(users ? user_background_ : item_background_);
    if (!users && settings_.popularity_damping > 0.0) grow(item_boost_);
  }

  /// What set_count changes for `rows` (strictly increasing; new ones last): restore() brings it back. After reserve().
  struct Mark {
    std::vector<Index> counts;  // of the rows that there were
    std::vector<Index> likes;
    bool user_counts_current;
    bool item_counts_current;
  };
  [[nodiscard]] Mark mark(AlsSide side, std::span<const Index> rows) const {
    Mark mark{{}, {}, user_counts_current_, item_counts_current_};
    for (const Index row : rows) {
      const auto at = static_cast<std::size_t>(row);
      if (at >= counts(side).size()) break;
      mark.counts.push_back(counts(side)[at]);
      mark.likes.push_back(likes(side)[at]);
    }
    return mark;
  }
  void restore(AlsSide side, std::span<const Index> rows, const Mark& mark) noexcept {
    for (std::size_t n = 0; n < mark.counts.size(); ++n) set_count(side, rows[n], mark.counts[n], mark.likes[n]);
    for (std::size_t n = rows.size(); n-- > mark.counts.size();) {
      const bool users = side == AlsSide::users;
      const auto drop = [at = static_cast<std::size_t>(rows[n])](auto& values) {
        if (values.size() == at + 1) values.pop_back();
      };
      drop(users ? user_counts_ : item_counts_);
      drop(users ? constants_.user_likes : constants_.item_likes);
      drop(users ? user_background_ : item_background_);
      if (!users) drop(item_boost_);
    }
    shape_ = {static_cast<Index>(user_counts_.size()), static_cast<Index>(item_counts_.size())};
    user_counts_current_ = mark.user_counts_current;
    item_counts_current_ = mark.item_counts_current;
  }

  /// The row `index` of `side`, or the next new one, has `count` interactions from now on, `likes` of them likes (likes_of). What fit took from all
  /// of train stays: the constants of values, the scale of backgrounds, mean counts, w0.
  void set_count(AlsSide side, Index index, Index count, Index likes) {
    const bool users = side == AlsSide::users;
    const auto put = [at = static_cast<std::size_t>(index)](auto& values, auto value) {
      if (at == values.size()) values.push_back(value);
      values[at] = value;
    };
    put(users ? user_counts_ : item_counts_, count);
    if (!constants_.user_likes.empty()) put(users ? constants_.user_likes : constants_.item_likes, likes);
    (users ? item_counts_current_ : user_counts_current_) = false;
    (users ? shape_.users : shape_.items) = static_cast<Index>((users ? user_counts_ : item_counts_).size());
    if (exponent(side) > 0.0)
      put(users ? user_background_ : item_background_,
          std::pow(static_cast<double>(likes), exponent(side)) * (users ? user_background_scale_ : item_background_scale_));
    if (!users && settings_.popularity_damping > 0.0) put(item_boost_, boost_of(likes));
  }

  /// g of a value; of a dislike times its weight.
  [[nodiscard]] double strength(float value, Offset user_count, Offset item_count) const {
    const double strength = strength_of(settings_, constants_, value, user_count, item_count);
    return value < 0.0F ? settings_.dislike_weight * strength : strength;
  }

  /// g of each interaction of a row of `side`, added to `strengths`.
  template <Real Scalar>
  void put_strengths(AlsSide side, const SparseRow& row, Scalar* strengths) const {
    const std::span<const Index> other_counts = counts(side == AlsSide::users ? AlsSide::items : AlsSide::users);
    const auto own = static_cast<Offset>(row.size());
    for (std::size_t n = 0; n < row.size(); ++n) {
      const Offset other = other_counts[static_cast<std::size_t>(row.columns[n])];
      strengths[n] =
          static_cast<Scalar>(side == AlsSide::users ? strength(row.values[n], own, other) : strength(row.values[n], other, own));
    }
  }

  /// True if strength() is worth keeping rather than computing again in every half-step.
  [[nodiscard]] bool strength_is_costly() const noexcept { return keeps_strengths(settings_); }

  /// The confidence of an interaction, and what of it the background does not count already. The excess is not computed as a difference of
  /// two large numbers where it need not be: with c = 1 + alpha r and a background of 1 it is exactly alpha r.
  struct Terms {
    double confidence;
    double excess;
  };
  [[nodiscard]] Terms terms(double strength, Index item, double row_background, double column_background) const noexcept {
    const double boost = item_boost_.empty() ? 1.0 : item_boost_[static_cast<std::size_t>(item)];
    const double covered = settings_.pairs == Background::unobserved ? unobserved_weight_ * row_background * column_background : 0.0;
    const double base = base_ * boost;
    const double rest = alpha_ * strength * boost;
    return {base + rest, (base - covered) + rest};
  }

  /// True where every column's confidence has the same base, so that a kernel can compute the terms of a row.
  [[nodiscard]] bool has_plain_terms() const noexcept {
    return item_boost_.empty() && (settings_.curve == Confidence::linear || strength_is_costly());
  }
  /// True if a confidence may be less than a ten-thousandth of the background that it replaces.
  [[nodiscard]] bool may_cancel() const noexcept {
    if (settings_.pairs == Background::all) return false;
    const auto largest = [](const std::vector<double>& values) {
      return values.empty() ? 1.0 : *std::max_element(values.begin(), values.end());
    };
    const double boost = item_boost_.empty() ? 1.0 : *std::min_element(item_boost_.begin(), item_boost_.end());
    return base_ * boost < 1e-4 * unobserved_weight_ * largest(user_background_) * largest(item_background_);
  }
  [[nodiscard]] double cap() const noexcept { return constants_.cap ? *constants_.cap : (std::numeric_limits<double>::infinity)(); }
  /// c = base + alpha g, before damping.
  [[nodiscard]] double alpha() const noexcept { return alpha_; }
  [[nodiscard]] const AlsSettings& settings() const noexcept { return settings_; }

  /// A lower bound of l / (w0 a) over the rows of a side: what every eigenvalue of the background is raised by, at the least.
  [[nodiscard]] double least_ridge(AlsSide side) const {
    return settings_.regularization_exponent == 0.0 && unobserved_weight_ > 0.0 && background(side).empty()
               ? penalty_scale(side) / unobserved_weight_
               : 0.0;
  }

  /// l of a row with `count` likes (likes_of).
  [[nodiscard]] double penalty(AlsSide side, std::size_t count, double row_background) const {
    if (settings_.regularization_exponent == 0.0) return penalty_scale(side);
    const auto others = static_cast<double>(side == AlsSide::users ? shape_.items : shape_.users);
    return penalty_scale(side) *
           std::pow(static_cast<double>(count) + unobserved_weight_ * row_background * others, settings_.regularization_exponent);
  }

 private:
  [[nodiscard]] double exponent(AlsSide side) const noexcept {
    return side == AlsSide::users ? settings_.user_exponent : settings_.item_exponent;
  }
  [[nodiscard]] double penalty_scale(AlsSide side) const noexcept { return side == AlsSide::users ? user_penalty_ : item_penalty_; }
  [[nodiscard]] double boost_of(Index count) const {
    return count > 0 ? std::pow(static_cast<double>(count) / mean_item_count_, -settings_.popularity_damping) : 0.0;
  }

  /// Turns the units of the settings into those of the formulas above.
  void derive() {
    const bool of_data = settings_.units == Units::data;
    base_ = settings_.base;
    alpha_ = of_data ? (1.0 - settings_.base) / constants_.mean_strength : settings_.alpha;
    const auto scale = [&](double mean) {
      if (!of_data) return settings_.regularization;
      const double exponent = settings_.regularization_exponent;
      return settings_.regularization * std::pow(mean, 1.0 - exponent) * std::pow(1.0 + *settings_.ratio, -exponent);
    };
    user_penalty_ = scale(mean_user_count_);
    item_penalty_ = scale(mean_item_count_);
    if (settings_.popularity_damping > 0.0)
      for (const Index count : likes(AlsSide::items)) item_boost_.push_back(boost_of(count));
  }

  /// n^exponent scaled to mean 1, or empty where all are 1.
  static std::vector<double> background_of(std::span<const Index> counts, double exponent, double& scale) {
    std::vector<double> weights;
    if (exponent == 0.0 || counts.empty()) return weights;
    double sum = 0.0;
    for (const Index count : counts) sum += weights.emplace_back(std::pow(static_cast<double>(count), exponent));
    scale = static_cast<double>(counts.size()) / sum;
    for (double& weight : weights) weight *= scale;
    return weights;
  }

  AlsSettings settings_;
  MatrixShape shape_;
  ValueConstants constants_;
  std::vector<Index> user_counts_;
  std::vector<Index> item_counts_;
  double unobserved_weight_ = 1.0;
  std::vector<double> user_background_;
  std::vector<double> item_background_;
  double user_background_scale_ = 1.0;
  double item_background_scale_ = 1.0;
  double mean_user_count_ = 1.0;
  double mean_item_count_ = 1.0;
  double base_ = 1.0;
  double alpha_ = 1.0;
  double user_penalty_ = 0.0;
  double item_penalty_ = 0.0;
  bool user_counts_current_ = true;
  bool item_counts_current_ = true;
  std::vector<double> item_boost_;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
