// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/evaluation/evaluate.hpp>
#include <kindred/evaluation/evaluate_options.hpp>
#include <kindred/evaluation/report.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/split/rolling.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Makes a model from what was known before a cut.
template <typename Fit>
concept FitsSplit = std::invocable<const Fit&, const RollingSplit&> &&
    RecommenderModel<std::remove_cvref_t<std::invoke_result_t<const Fit&, const RollingSplit&>>>;

/// @throws InvalidArgument if an option belongs to one split.
inline void check_rolling_options(const EvaluateOptions& options) {
  const auto unset = [](std::string_view name, bool is_set) {
    if (is_set) throw InvalidArgument(name, "set", "empty over several splits, which differ in users and items");
  };
  unset("users", options.users.has_value());
  unset("user_groups", options.user_groups.has_value());
  unset("item_groups", options.item_groups.has_value());
  unset("exclude", options.exclude.has_value());
}

/// `options` of one split: known pairs are left out where targets are new ones.
[[nodiscard]] inline EvaluateOptions options_of_split(const RollingSplit& split, const EvaluateOptions& options) {
  EvaluateOptions of_split = options;
  if (split.targets != RollingSplit::Targets::new_pairs) of_split.seen = EvaluateOptions::SeenItems::allowed;
  if (of_split.seen == EvaluateOptions::SeenItems::excluded) of_split.exclude = split.known.view();
  return of_split;
}

/// The last event that the offsets and the repeats of a model know of, as far as they say.
template <typename Model>
[[nodiscard]] std::optional<std::int64_t> last_event_of(const Model& model) {
  std::optional<std::int64_t> last;
  const auto take = [&](const std::optional<std::int64_t>& time) {
    if (time) last = last ? (std::max)(*last, *time) : *time;
  };
  if constexpr (requires { model.item_offsets().last_event; }) take(model.item_offsets().last_event);
  if constexpr (requires { model.repeats().last_baskets().last_event; }) {
    take(model.repeats().last_baskets().last_event);
    take(last_event_of(model.model()));
  }
  return last;
}

/// @throws InvalidArgument if `model` knows of events after the cut.
template <typename Model>
void refuse_later_events(const Model& model, const RollingSplit& split) {
  if (const std::optional<std::int64_t> last = last_event_of(model); last && *last >= split.cut)
    throw InvalidArgument("last event behind the model's offsets or repeats", *last,
                          "before the cut, which is " + std::to_string(split.cut) + ": give .until = split.cut");
}

/// What the protocol says of a split.
[[nodiscard]] inline std::string protocol_of(const RollingSplit& split) {
  const char* const names[] = {"new pairs", "repeats", "new pairs and repeats"};
  std::string text = "; train before " + std::to_string(split.cut) + ", targets are " + names[static_cast<std::size_t>(split.targets)] +
                     " up to " + std::to_string(split.until);
  if (split.unknown_pairs > 0) text += ", without " + std::to_string(split.unknown_pairs) + " pairs of users or items that train lacks";
  return text;
}

}  // namespace detail

/// Measures a way to fit models on several cuts in time: one report for each split.
///
/// `fit`: takes a RollingSplit and returns a model of its train, in the shape of `split.train.matrix`; it must not look at `split.test`. `splits`: as
/// rolling_split makes them. Lists leave out `split.known` where the targets are new pairs, and nothing where repeats are targets, or where
/// `options.seen` is `allowed`. Each protocol names the cut, the window, and the pairs left out. compare() of two such answers tells two ways to fit apart.
/// O(fits + evaluations).
/// @throws InvalidArgument if a model has offsets or repeats from events at or after the cut (ItemOffsets::last_event), if there are no splits, or an option is set that belongs to one split (users, groups, exclude); what `fit` and evaluate() of one
/// split throw.
template <detail::FitsSplit Fit>
[[nodiscard]] std::vector<RankingReport> evaluate(const Fit& fit, std::span<const RollingSplit> splits,
                                                  const EvaluateOptions& options = {}) {
  if (splits.empty()) throw InvalidArgument("number of splits", 0, "at least 1");
  detail::check_rolling_options(options);
  std::vector<RankingReport> reports;
  reports.reserve(splits.size());
  for (const RollingSplit& split : splits) {
    const auto& model = std::invoke(fit, split);
    detail::refuse_later_events(model, split);
    reports.push_back(evaluate(model, split.train.matrix.view(), split.test.view(), detail::options_of_split(split, options)));
    reports.back().protocol += detail::protocol_of(split);
  }
  return reports;
}

}  // namespace kindred::inline v0
