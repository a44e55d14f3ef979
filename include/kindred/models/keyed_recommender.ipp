// SPDX-License-Identifier: MIT
#pragma once

// The bodies of models/keyed_recommender.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/feature_columns.hpp>
#include <kindred/data/feature_table.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/models/factor_lists.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/item_offsets.hpp>
#include <kindred/models/kept_events.hpp>
#include <kindred/models/keyed_recommender.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/models/rerank.hpp>
#include <kindred/models/trend.hpp>

namespace kindred::inline v0::detail {

/// `dislikes` holds what the request leaves out where known items may be listed.
[[nodiscard]] inline RecommendOptions keyed_request(const KeyedOptions& options, const SparseRow& history, std::vector<Index>& dislikes) {
  RecommendOptions request{.count = options.count,
                           .filter = options.filter,
                           .rerank = options.rerank,
                           .fallback = options.fallback,
                           .popularity_penalty = options.popularity_penalty};
  if (options.known == KeyedOptions::KnownItems::excluded) request.exclude = history.columns;
  if (options.known != KeyedOptions::KnownItems::included) return request;
  for (std::size_t n = 0; n < history.size(); ++n)
    if (history.values[n] < 0.0F) dislikes.push_back(history.columns[n]);
  request.exclude = dislikes;
  return request;
}

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0::inline KINDRED_BUILD {

template <Real Scalar, typename Model>
struct KeyedRecommender<Scalar, Model>::State {
  template <typename Given>
  State(Model fitted, Dataset given, Given events_given, std::vector<float> weights = {})
      : model(std::move(fitted)),
        kept(std::make_shared<const Dataset>(std::move(given))),
        data(*kept),
        new_user_weights(std::move(weights)) {
    if (!model.fitted()) throw NotFitted("the model");
    data.check();
    detail::check_shape("data", data.matrix.shape(), "the model", model.shape());
    model.check_data(data.matrix);
    events = std::make_shared<detail::KeptEvents>(std::move(events_given), data);
    for (std::size_t i = 0; i < data.item_names.size(); ++i) {
      const auto name = static_cast<std::size_t>(names.intern(data.item_names[i]));
      if (name == named_items.size()) named_items.emplace_back(static_cast<Index>(i), 0);
      ++named_items[name].second;
    }
  }

  /// The same with other offsets. `weights`: of new users.
  State(const State& other, ItemOffsets offsets, std::vector<float> weights) requires detail::TakesOffsets<Model>
      : model(other.model),
        kept(other.kept),
        data(*kept),
        events(other.events),
        names(other.names),
        named_items(other.named_items),
        new_user_weights(std::move(weights)) {
    model.set_item_offsets(std::move(offsets));
  }

  [[nodiscard]] Index item(std::string_view text) const {
    if (const std::optional<Index> key = data.items.find(text)) return *key;
    const std::optional<Index> name = text.empty() ? std::nullopt : names.find(text);
    if (!name)
      throw InvalidArgument("item", "'" + std::string(text) + "'",
                            "the key or name of one of the " + std::to_string(data.items.size()) + " items that the model knows");
    const auto& [index, times] = named_items[static_cast<std::size_t>(*name)];
    if (times > 1)
      throw InvalidArgument("item", "'" + std::string(text) + "'", "a key: " + std::to_string(times) + " items have that name");
    return index;
  }

  [[nodiscard]] detail::OwnedRow row_of(std::span<const KeyedInteraction> history) const {
    std::vector<std::pair<Index, float>> pairs;
    for (const KeyedInteraction& one : history) pairs.emplace_back(item(one.item), one.value);
    std::sort(pairs.begin(), pairs.end());
    detail::OwnedRow row;
    for (const auto& [index, value] : pairs) {
      if (!row.columns.empty() && row.columns.back() == index)
        throw InvalidArgument("the history", "'" + std::string(data.item_name(index)) + "' twice", "a list of different items");
      row.columns.push_back(index);
      row.values.push_back(value);
    }
    return row;
  }

  /// The features of a user of the data, if the model has any.
  [[nodiscard]] SparseRow features_of(Index user) const {
    const FeatureTable& features = model.user_features();
    return user < data.users.size() && features.columns().size() > 0 ? features.row(user) : SparseRow{};
  }

  /// How much item offsets count for a user, new ones included.
  [[nodiscard]] float offset_weight(Index user) const {
    if constexpr (!detail::TakesOffsets<Model>) return 1.0F;
    if (user < data.users.size()) return detail::weight_of_user(model.item_offsets().user_weights, user);
    return detail::weight_of_user(new_user_weights, user - data.users.size());
  }

  [[nodiscard]] std::vector<NamedItem> name_items(std::span<const Scored> list) const {
    std::vector<NamedItem> items;
    for (const Scored& one : list)
      items.push_back({std::string(data.items.key(one.item)), std::string(data.item_name(one.item)), one.score});
    return items;
  }
  [[nodiscard]] KeyedAnswer answer(const Recommendation& list) const { return {version, list.source, name_items(list.items), {}}; }
  [[nodiscard]] NamedExplanation named(const Explanation& found) const {
    NamedExplanation explanation{version, found.score, name_items(found.parts), {}, found.mean, found.bias};
    for (const Scored& part : found.features) {
      const std::string column(model.user_features().columns().name(part.item));
      explanation.features.push_back({column, column, part.score});
    }
    return explanation;
  }

  Model model;
  std::shared_ptr<const Dataset> kept;
  const Dataset& data;
  std::shared_ptr<detail::KeptEvents> events;  // of `data`; states with other offsets share them
  IdMap names;
  std::vector<std::pair<Index, Index>> named_items;  // of each name: its first item, and how many there are
  std::vector<float> new_user_weights;               // of item offsets, for users that only events know
  std::uint64_t version = 0;
};

template <Real Scalar, typename Model>
std::uint64_t KeyedRecommender<Scalar, Model>::replace(Model model, Dataset data, const KeyedEvents& events) {
  return replace_by(std::make_shared<State>(std::move(model), std::move(data), events));
}

template <Real Scalar, typename Model>
std::uint64_t KeyedRecommender<Scalar, Model>::replace_by(std::shared_ptr<State> next) {
  const std::lock_guard one_at_a_time(replacing_);
  const std::shared_ptr<const State> before = state();
  // Most events are taken over while answers go on, the last few while nothing can be observed.
  const std::size_t taken = before ? next->events->take_later(*before->events, 0) : 0;
  const std::lock_guard lock(mutex_);
  if (before) {
    before->events->close();
    (void)next->events->take_later(*before->events, taken);
  }
  const std::uint64_t version = state_ ? state_->version + 1 : 1;
  next->version = version;
  state_.swap(next);
  return version;
}

template <Real Scalar, typename Model>
template <typename Make>
std::uint64_t KeyedRecommender<Scalar, Model>::change(Make&& make) {
  for (;;) {
    const std::shared_ptr<const State> from = state();
    std::shared_ptr<State> next = make(*from);
    const std::lock_guard lock(mutex_);
    if (state_ != from) continue;  // replaced meanwhile: the change is for the model that answers now
    next->version = from->version + 1;
    const std::uint64_t version = next->version;
    state_.swap(next);
    return version;
  }
}

template <Real Scalar, typename Model>
std::uint64_t KeyedRecommender<Scalar, Model>::set_item_offsets(ItemOffsets offsets) requires detail::TakesOffsets<Model> {
  return change([&](const State& from) { return std::make_shared<State>(from, offsets, std::vector<float>{}); });
}

template <Real Scalar, typename Model>
std::uint64_t KeyedRecommender<Scalar, Model>::refresh_offsets(std::int64_t reference,
                                                               const TrendOptions& options) requires detail::TakesOffsets<Model> {
  return change([&](const State& from) {
    ItemOffsets offsets = from.events->trend(reference, options);
    std::vector<float> of_new_users;
    if (!offsets.user_weights.empty()) {
      const auto first = offsets.user_weights.begin() + static_cast<std::ptrdiff_t>(from.data.users.size());
      of_new_users.assign(first, offsets.user_weights.end());
      offsets.user_weights.erase(first, offsets.user_weights.end());
    }
    return std::make_shared<State>(from, std::move(offsets), std::move(of_new_users));
  });
}

template <Real Scalar, typename Model>
void KeyedRecommender<Scalar, Model>::observe(std::string_view user, std::string_view item, const Observed& event) {
  for (;;) {
    const std::shared_ptr<const State> s = state();
    if (s->events->observe(user, s->item(item), event)) return;
  }
}

template <Real Scalar, typename Model>
std::uint64_t KeyedRecommender<Scalar, Model>::version() const {
  return state()->version;
}

template <Real Scalar, typename Model>
typename KeyedRecommender<Scalar, Model>::Snapshot KeyedRecommender<Scalar, Model>::snapshot() const {
  const auto s = state();
  return {{s, &s->model}, {s, &s->data}, s->events, {s, &s->new_user_weights}};
}

template <Real Scalar, typename Model>
KeyedAnswer KeyedRecommender<Scalar, Model>::recommend(std::string_view user, const KeyedOptions& options) const {
  const auto s = state();
  const std::optional<Index> u = s->events->find_user(user);
  const bool of_data = u && *u < s->data.users.size();
  const std::optional<detail::OwnedRow> observed = u ? s->events->row_of(*u) : std::nullopt;
  const SparseRow history = observed ? observed->row() : of_data ? s->data.matrix.row(*u) : SparseRow{};
  std::vector<Index> dislikes;
  RecommendOptions wanted = detail::keyed_request(options, history, dislikes);
  if (of_data && !observed && s->model.knows(*u)) return s->answer({s->model.recommend(*u, wanted), ListSource::model});
  if (wanted.rerank.order_for) {
    if (of_data && observed)
      wanted.rerank = detail::rerank_for(*u, wanted.rerank);
    else
      wanted.rerank = {};  // nothing is known to go by
  }
  if (!observed) return s->answer(s->model.recommend(SparseRow{}, wanted));
  return s->answer(
      s->model.recommend(History{.items = history, .features = s->features_of(*u), .offset_weight = s->offset_weight(*u)}, wanted));
}

template <Real Scalar, typename Model>
KeyedAnswer KeyedRecommender<Scalar, Model>::recommend(std::span<const KeyedInteraction> history, const KeyedOptions& options) const {
  const auto s = state();
  const detail::OwnedRow row = s->row_of(history);
  std::vector<Index> dislikes;
  return s->answer(s->model.recommend(row.row(), detail::keyed_request(options, row.row(), dislikes)));
}

template <Real Scalar, typename Model>
KeyedAnswer KeyedRecommender<Scalar, Model>::recommend(std::span<const KeyedInteraction> history,
                                                       std::span<const FeatureColumns::Value> profile, const KeyedOptions& options) const {
  std::vector<Index> dislikes;
  const auto s = state();
  const detail::OwnedRow row = s->row_of(history);
  FeatureColumns::Profile features = s->model.user_features().columns().profile(profile);
  KeyedAnswer answer =
      s->answer(s->model.recommend(History{.items = row.row(), .features = features}, detail::keyed_request(options, row.row(), dislikes)));
  answer.unknown = std::move(features.unknown);
  return answer;
}

template <Real Scalar, typename Model>
KeyedAnswer KeyedRecommender<Scalar, Model>::similar(std::string_view item, std::size_t count) const {
  const auto s = state();
  return s->answer({s->model.similar_items(s->item(item), {.count = count}), ListSource::model});
}

template <Real Scalar, typename Model>
NamedExplanation KeyedRecommender<Scalar, Model>::explain(std::string_view user, std::string_view item) const {
  const auto s = state();
  const std::optional<Index> u = s->events->find_user(user);
  if (!u)
    throw InvalidArgument("user", "'" + std::string(user) + "'",
                          "one of the " + std::to_string(s->data.users.size()) + " users that the model knows");
  const std::optional<detail::OwnedRow> observed = s->events->row_of(*u);
  if (!observed) return s->named(s->model.explain(History{.items = s->data.matrix.row(*u), .features = s->features_of(*u)}, s->item(item)));
  return s->named(
      s->model.explain(History{.items = observed->row(), .features = s->features_of(*u)}, s->item(item), FoldInBackground::by_history));
}

template <Real Scalar, typename Model>
NamedExplanation KeyedRecommender<Scalar, Model>::explain(std::span<const KeyedInteraction> history, std::string_view item) const {
  const auto s = state();
  return s->named(s->model.explain(s->row_of(history).row(), s->item(item), FoldInBackground::by_history));
}

template <Real Scalar, typename Model>
KeyedRecommender<Scalar, Model>::KeyedRecommender(Model model, Dataset data, const KeyedEvents& events) {
  (void)replace(std::move(model), std::move(data), events);
}

template <Real Scalar, typename Model>
KeyedRecommender<Scalar, Model>::KeyedRecommender(Model model, Dataset data, detail::KeptEvents::State events,
                                                  std::vector<float> new_user_weights) {
  (void)replace_by(std::make_shared<State>(std::move(model), std::move(data), std::move(events), std::move(new_user_weights)));
}

template <Real Scalar, typename Model>
std::shared_ptr<const typename KeyedRecommender<Scalar, Model>::State> KeyedRecommender<Scalar, Model>::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
