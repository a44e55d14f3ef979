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
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/interaction_source.hpp>
#include <kindred/models/als/options.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

/// Which side of the matrix the rows being solved are.
enum class AlsSide { users, items };

/// Every weight of the objective that AlsOptions documents, for one training matrix: what a row's system is made of, factors aside.
class AlsWeights {
 public:
  AlsWeights() = default;

  /// `users`: the training matrix, without zeros; `items`: the same by items.
  /// @throws ShapeError, InvalidArgument if they are not in memory and hold what they must not.
  AlsWeights(const AlsOptions& options, const RowsRef& users, const RowsRef& items)
      : AlsWeights(options, checked_row_counts(users, "train"), checked_row_counts(items, "train by items"),
                   options.value_cap_quantile ? std::optional<double>(magnitude_quantile(users, *options.value_cap_quantile, users.nnz()))
                                              : options.value_cap) {}

  /// From the interactions of each user and item, and the cap of values, if there is one.
  AlsWeights(const AlsOptions& options, std::vector<Index> user_counts, std::vector<Index> item_counts, std::optional<double> cap)
      : options_(options),
        shape_{static_cast<Index>(user_counts.size()), static_cast<Index>(item_counts.size())},
        user_counts_(std::move(user_counts)),
        item_counts_(std::move(item_counts)),
        cap_(cap) {
    const auto nnz = static_cast<double>(std::accumulate(user_counts_.begin(), user_counts_.end(), Offset{0}));
    const double cells = static_cast<double>(shape_.users) * static_cast<double>(shape_.items);
    unobserved_weight_ =
        options.background_ratio ? *options.background_ratio * (cells > 0.0 ? nnz / cells : 0.0) : options.unobserved_weight;
    user_background_ = background_of(user_counts_, options.rho_users, user_background_scale_);
    item_background_ = background_of(item_counts_, options.rho, item_background_scale_);
    if (options.beta > 0.0) {
      mean_item_count_ = nnz / static_cast<double>(item_counts_.size());
      for (const Index count : item_counts_) item_boost_.push_back(boost_of(count));
    }
  }

  /// What weights are made of beside the options: the rest follows from it, to the bit.
  struct State {
    std::vector<Index> user_counts;
    std::vector<Index> item_counts;
    std::optional<double> cap;
    double unobserved_weight = 1.0;
    double user_background_scale = 1.0;
    double item_background_scale = 1.0;
    double mean_item_count = 1.0;
    bool user_counts_current = true;  // false: items were updated since, and the interactions with them were not counted for their users
    bool item_counts_current = true;  // false: users were updated since
  };
  [[nodiscard]] State state() const {
    return {user_counts_,       item_counts_,           cap_,
            unobserved_weight_, user_background_scale_, item_background_scale_,
            mean_item_count_,   user_counts_current_,   item_counts_current_};
  }
  AlsWeights(const AlsOptions& options, State state)
      : options_(options),
        shape_{static_cast<Index>(state.user_counts.size()), static_cast<Index>(state.item_counts.size())},
        user_counts_(std::move(state.user_counts)),
        item_counts_(std::move(state.item_counts)),
        cap_(state.cap),
        unobserved_weight_(state.unobserved_weight),
        user_background_scale_(state.user_background_scale),
        item_background_scale_(state.item_background_scale),
        mean_item_count_(state.mean_item_count),
        user_counts_current_(state.user_counts_current),
        item_counts_current_(state.item_counts_current) {
    const auto background = [](const std::vector<Index>& counts, double exponent, double scale) {
      std::vector<double> weights;
      if (exponent > 0.0)
        for (const Index count : counts) weights.push_back(std::pow(static_cast<double>(count), exponent) * scale);
      return weights;
    };
    user_background_ = background(user_counts_, options_.rho_users, user_background_scale_);
    item_background_ = background(item_counts_, options_.rho, item_background_scale_);
    if (options_.beta > 0.0)
      for (const Index count : item_counts_) item_boost_.push_back(boost_of(count));
  }

  [[nodiscard]] MatrixShape shape() const noexcept { return shape_; }
  [[nodiscard]] std::span<const Index> counts(AlsSide side) const noexcept { return side == AlsSide::users ? user_counts_ : item_counts_; }

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

  /// a_u of a user with `count` interactions who was not in train.
  [[nodiscard]] double new_user_background(std::size_t count) const {
    return options_.rho_users > 0.0 ? std::pow(static_cast<double>(count), options_.rho_users) * user_background_scale_ : 1.0;
  }

  /// Makes room for `more` new rows of `side`, so that set_count does not throw for them; room grows as a std::vector's does.
  void reserve(AlsSide side, std::size_t more) {
    const auto grow = [more](auto& values) {
      if (values.size() + more > values.capacity()) values.reserve((std::max)(values.size() + more, 2 * values.capacity()));
    };
    const bool users = side == AlsSide::users;
    grow(users ? user_counts_ : item_counts_);
    if ((users ? options_.rho_users : options_.rho) > 0.0) grow(users ? user_background_ : item_background_);
    if (!users && options_.beta > 0.0) grow(item_boost_);
  }

  /// What set_count changes for `rows` (strictly increasing; new ones last): restore() brings it back.
  struct Mark {
    std::vector<Index> counts;  // of the rows that there were
    bool user_counts_current;
    bool item_counts_current;
  };
  [[nodiscard]] Mark mark(AlsSide side, std::span<const Index> rows) const {
    Mark mark{{}, user_counts_current_, item_counts_current_};
    for (const Index row : rows)
      if (static_cast<std::size_t>(row) < counts(side).size()) mark.counts.push_back(counts(side)[static_cast<std::size_t>(row)]);
    return mark;
  }
  void restore(AlsSide side, std::span<const Index> rows, const Mark& mark) noexcept {
    for (std::size_t n = 0; n < mark.counts.size(); ++n) set_count(side, rows[n], mark.counts[n]);
    for (std::size_t n = rows.size(); n-- > mark.counts.size();) {
      const bool users = side == AlsSide::users;
      const auto drop = [at = static_cast<std::size_t>(rows[n])](auto& values) {
        if (values.size() == at + 1) values.pop_back();
      };
      drop(users ? user_counts_ : item_counts_);
      drop(users ? user_background_ : item_background_);
      if (!users) drop(item_boost_);
    }
    shape_ = {static_cast<Index>(user_counts_.size()), static_cast<Index>(item_counts_.size())};
    user_counts_current_ = mark.user_counts_current;
    item_counts_current_ = mark.item_counts_current;
  }

  /// The row `index` of `side`, or the next new one, has `count` interactions from now on. What fit took from all of train stays: the scale of
  /// backgrounds, the mean number of interactions of an item, the cap, w0.
  void set_count(AlsSide side, Index index, Index count) {
    const bool users = side == AlsSide::users;
    const auto put = [at = static_cast<std::size_t>(index)](auto& values, auto value) {
      if (at == values.size()) values.push_back(value);
      values[at] = value;
    };
    put(users ? user_counts_ : item_counts_, count);
    (users ? item_counts_current_ : user_counts_current_) = false;
    (users ? shape_.users : shape_.items) = static_cast<Index>((users ? user_counts_ : item_counts_).size());
    const double exponent = users ? options_.rho_users : options_.rho;
    if (exponent > 0.0)
      put(users ? user_background_ : item_background_,
          std::pow(static_cast<double>(count), exponent) * (users ? user_background_scale_ : item_background_scale_));
    if (!users && options_.beta > 0.0) put(item_boost_, boost_of(count));
  }

  /// g of a value.
  [[nodiscard]] double strength(float value, Offset user_count, Offset item_count) const {
    double magnitude = std::abs(static_cast<double>(value));
    if (cap_) magnitude = (std::min)(magnitude, *cap_);
    switch (options_.confidence) {
      case Confidence::linear: return magnitude;
      case Confidence::log: return std::log1p(magnitude / options_.log_epsilon);
      case Confidence::one: return 1.0;
      case Confidence::custom: return options_.confidence_function(magnitude, user_count, item_count);
    }
    return magnitude;
  }

  /// g of each interaction of a row of `side`, added to `strengths`.
  template <Real Scalar>
  void append_strengths(AlsSide side, const SparseRow& row, std::vector<Scalar>& strengths) const {
    const std::span<const Index> other_counts = counts(side == AlsSide::users ? AlsSide::items : AlsSide::users);
    const auto own = static_cast<Offset>(row.size());
    for (std::size_t n = 0; n < row.size(); ++n) {
      const Offset other = other_counts[static_cast<std::size_t>(row.columns[n])];
      strengths.push_back(
          static_cast<Scalar>(side == AlsSide::users ? strength(row.values[n], own, other) : strength(row.values[n], other, own)));
    }
  }

  /// True if strength() is worth keeping rather than computing again in every half-step.
  [[nodiscard]] bool strength_is_costly() const noexcept {
    return options_.confidence == Confidence::log || options_.confidence == Confidence::custom;
  }

  /// The confidence of an interaction, and what of it the background does not count already. The excess is not computed as a difference of
  /// two large numbers where it need not be: with c = 1 + alpha r and a background of 1 it is exactly alpha r.
  struct Terms {
    double confidence;
    double excess;
  };
  [[nodiscard]] Terms terms(double strength, Index item, double row_background, double column_background) const noexcept {
    const double boost = item_boost_.empty() ? 1.0 : item_boost_[static_cast<std::size_t>(item)];
    const double covered = options_.background == Background::unobserved ? unobserved_weight_ * row_background * column_background : 0.0;
    const double base = options_.confidence_base * boost;
    const double rest = options_.alpha * strength * boost;
    return {base + rest, (base - covered) + rest};
  }

  /// True where every column's confidence has the same base, so that a kernel can compute the terms of a row.
  [[nodiscard]] bool has_plain_terms() const noexcept {
    return item_boost_.empty() && (options_.confidence == Confidence::linear || strength_is_costly());
  }
  /// True if a confidence may be less than a ten-thousandth of the background that it replaces.
  [[nodiscard]] bool may_cancel() const noexcept {
    if (options_.background == Background::all) return false;
    const auto largest = [](const std::vector<double>& values) {
      return values.empty() ? 1.0 : *std::max_element(values.begin(), values.end());
    };
    const double boost = item_boost_.empty() ? 1.0 : *std::min_element(item_boost_.begin(), item_boost_.end());
    return options_.confidence_base * boost < 1e-4 * unobserved_weight_ * largest(user_background_) * largest(item_background_);
  }
  [[nodiscard]] double cap() const noexcept { return cap_ ? *cap_ : (std::numeric_limits<double>::infinity)(); }
  [[nodiscard]] const AlsOptions& options() const noexcept { return options_; }

  /// A lower bound of l / (w0 a) over the rows of a side: what every eigenvalue of the background is raised by, at the least.
  [[nodiscard]] double least_ridge(AlsSide side) const {
    return options_.nu == 0.0 && unobserved_weight_ > 0.0 && background(side).empty() ? options_.regularization / unobserved_weight_ : 0.0;
  }

  /// l of a row with `count` interactions.
  [[nodiscard]] double penalty(AlsSide side, std::size_t count, double row_background) const {
    if (options_.nu == 0.0) return options_.regularization;
    const auto others = static_cast<double>(side == AlsSide::users ? shape_.items : shape_.users);
    return options_.regularization * std::pow(static_cast<double>(count) + unobserved_weight_ * row_background * others, options_.nu);
  }

 private:
  [[nodiscard]] double boost_of(Index count) const {
    return count > 0 ? std::pow(static_cast<double>(count) / mean_item_count_, -options_.beta) : 0.0;
  }

  /// n^rho scaled to mean 1, or empty where all are 1.
  static std::vector<double> background_of(const std::vector<Index>& counts, double rho, double& scale) {
    std::vector<double> weights;
    if (rho == 0.0 || counts.empty()) return weights;
    double sum = 0.0;
    for (const Index count : counts) sum += weights.emplace_back(std::pow(static_cast<double>(count), rho));
    scale = static_cast<double>(counts.size()) / sum;
    for (double& weight : weights) weight *= scale;
    return weights;
  }

  AlsOptions options_;
  MatrixShape shape_;
  std::vector<Index> user_counts_;
  std::vector<Index> item_counts_;
  std::optional<double> cap_;
  double unobserved_weight_ = 1.0;
  std::vector<double> user_background_;
  std::vector<double> item_background_;
  double user_background_scale_ = 1.0;
  double item_background_scale_ = 1.0;
  double mean_item_count_ = 1.0;
  bool user_counts_current_ = true;
  bool item_counts_current_ = true;
  std::vector<double> item_boost_;
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD
