// SPDX-License-Identifier: MIT
// Windows in time for choosing an extra beside a model: each window's model is fitted once, and extras are put on top of it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <kindred/data/events.hpp>
#include <kindred/evaluation/choose.hpp>
#include <kindred/evaluation/rolling.hpp>
#include <kindred/models/factor_model.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/item_offsets.hpp>
#include <kindred/models/trend.hpp>
#include <kindred/split/rolling.hpp>

namespace examples {

/// Windows between these shares of the events, in order of time.
[[nodiscard]] inline std::vector<kindred::RollingSplit> windows_between(const kindred::Events& events, const std::vector<double>& shares,
                                                                        const kindred::RollingSplit::Options& options = {}) {
  std::vector<std::int64_t> sorted(events.times.begin(), events.times.end());
  std::sort(sorted.begin(), sorted.end());
  const auto at = [&](double share) {
    return share >= 1.0 ? sorted.back() + 1 : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size()))];
  };
  std::vector<kindred::RollingSplit> splits;
  for (std::size_t n = 0; n + 1 < shares.size(); ++n) {
    const std::array<std::int64_t, 1> cut{at(shares[n])};
    splits.push_back(std::move(kindred::rolling_split(events, cut, at(shares[n + 1]) - cut[0], options).front()));
  }
  return splits;
}

/// Models of windows.
class FittedWindows {
 public:
  using Als = kindred::ImplicitALS<float>;

  explicit FittedWindows(std::vector<kindred::RollingSplit> splits, const kindred::AlsOptions& options = {},
                         const Als::FitOptions& fit = {})
      : splits_(std::move(splits)) {
    for (const kindred::RollingSplit& split : splits_) {
      models_.emplace_back(options);
      models_.back().fit(split.train.matrix, fit);
    }
  }

  /// One report a window of what `extra(model, split)` returns: the model itself with offsets, or another one over it.
  template <typename Extra>
  [[nodiscard]] std::vector<kindred::RankingReport> measured(const Extra& extra, kindred::EvaluateOptions options = {}) {
    options.keep_per_user = true;
    std::size_t n = 0;
    const auto fit = [&](const kindred::RollingSplit& split) -> decltype(auto) {
      Als& model = models_[n++];
      model.set_item_offsets({});
      return extra(model, split);
    };
    return kindred::evaluate(fit, splits_, options);
  }
  /// The models as they are.
  [[nodiscard]] std::vector<kindred::RankingReport> plain(const kindred::EvaluateOptions& options = {}) {
    return measured([](const Als& model, const kindred::RollingSplit&) -> const Als& { return model; }, options);
  }
  /// The models with the trend of `events` before each cut. Trends that differ in their weight alone, one after the other, are counted once.
  [[nodiscard]] std::vector<kindred::RankingReport> with_trend(const kindred::Events& events, const kindred::TrendOptions& trend,
                                                               const kindred::EvaluateOptions& options = {}) {
    if (trends_.empty() || trend.recent_seconds != counted_.recent_seconds || trend.fade_in_seconds != counted_.fade_in_seconds ||
        trend.kinds != counted_.kinds) {
      trends_.clear();
      counted_ = trend;
      for (const kindred::RollingSplit& split : splits_) {
        counted_.until = split.cut;
        trends_.push_back(kindred::trend_offsets(events, split.train, counted_));
      }
    }
    std::size_t n = 0;
    const auto extra = [&](Als& model, const kindred::RollingSplit&) -> const Als& {
      kindred::ItemOffsets offsets = trends_[n++];
      offsets.weight = trend.weight;
      model.set_item_offsets(std::move(offsets));
      return model;
    };
    return measured(extra, options);
  }

  [[nodiscard]] const std::vector<kindred::RollingSplit>& splits() const noexcept { return splits_; }
  /// Other targets in the same windows: train stays what it is.
  void set_splits(std::vector<kindred::RollingSplit> splits) { splits_ = std::move(splits); }

 private:
  std::vector<kindred::RollingSplit> splits_;
  std::vector<Als> models_;
  std::vector<kindred::ItemOffsets> trends_;  // of the windows, as counted_ says
  kindred::TrendOptions counted_;
};

/// The gain of one way to make lists over another, over users in windows.
[[nodiscard]] inline kindred::Choice::Extra gain_of(const std::vector<kindred::RankingReport>& before,
                                                    const std::vector<kindred::RankingReport>& after) {
  return kindred::choose(before, std::vector<std::vector<kindred::RankingReport>>{after}).extras.front();
}

/// A model that lists `scores`, each at least 0, highest first, for everybody: shape of `split.train`.
[[nodiscard]] inline kindred::FactorModel<float> same_for_all(const kindred::RollingSplit& split, std::vector<float> scores) {
  const auto users = static_cast<std::size_t>(split.train.users.size());
  return {kindred::FactorMatrix<float>(split.train.users.size(), 1, std::vector<float>(users, 1.0F)),
          kindred::FactorMatrix<float>(split.train.items.size(), 1, scores)};
}

}  // namespace examples
