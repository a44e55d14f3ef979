// SPDX-License-Identifier: MIT
#pragma once

// The bodies of models/keyed_recommender.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

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
#include <kindred/core/execution.hpp>
#include <kindred/core/key_text.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/text.hpp>
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
#include <kindred/models/keyed_list.hpp>
#include <kindred/models/keyed_recommender.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/models/rerank.hpp>
#include <kindred/models/trend.hpp>

namespace kindred::inline v0::inline KINDRED_BUILD {

template <Real Scalar, typename Model>
struct KeyedRecommender<Scalar, Model>::State {
  template <typename Given>
  State(Model fitted, Dataset given, Given events_given, std::vector<float> weights = {})
      : model(std::move(fitted)),
        kept(std::make_shared<const Dataset>(std::move(given))),
        data(*kept),
        names(data),
        new_user_weights(std::move(weights)) {
    if (!model.fitted()) throw NotFitted("the model");
    data.check();
    detail::check_shape("data", data.matrix.shape(), "the model", model.shape());
    model.check_data(data.matrix);
    events = std::make_shared<detail::KeptEvents>(std::move(events_given), data);
  }

  /// The same with other offsets. `weights`: of new users.
  State(const State& other, ItemOffsets offsets, std::vector<float> weights) requires detail::TakesOffsets<Model>
      : model(other.model), kept(other.kept), data(*kept), events(other.events), names(other.names), new_user_weights(std::move(weights)) {
    model.set_item_offsets(std::move(offsets));
  }

  [[nodiscard]] Index item(std::string_view text) const {
    if (const std::optional<Index> found = names.find(text)) return *found;
    throw InvalidArgument("item", detail::printable(text),
                          "the key or name of one of the " + std::to_string(data.items.size()) + " items that the model knows");
  }

  /// The known ones of `texts`, sorted; the others are added to `unknown`.
  [[nodiscard]] std::vector<Index> items_of(const std::vector<std::string>& texts, const std::string& where,
                                            std::vector<std::string>& unknown) const {
    std::vector<Index> items;
    for (std::size_t n = 0; n < texts.size(); ++n) {
      if (const std::optional<Index> found = names.find(texts[n], where + "[" + std::to_string(n) + "]"))
        items.push_back(*found);
      else
        detail::add_once(unknown, texts[n]);
    }
    detail::sort_unique(items);
    return items;
  }

  /// `base` with `history` on top, repeats added up: a sum that is zero within rounding is no interaction. Unknown items are added to `unknown`.
  [[nodiscard]] detail::OwnedRow row_of(std::span<const KeyedInteraction> history, std::vector<std::string>& unknown,
                                        const SparseRow& base = {}, const std::string& where = "history") const {
    std::vector<std::pair<Index, float>> pairs;
    for (std::size_t n = 0; n < base.size(); ++n) pairs.emplace_back(base.columns[n], base.values[n]);
    for (std::size_t n = 0; n < history.size(); ++n) {
      const std::string_view text = history[n].item.view();
      if (const std::optional<Index> found = names.find(text, where + "[" + std::to_string(n) + "]"))
        pairs.emplace_back(*found, history[n].value);
      else
        detail::add_once(unknown, text);
    }
    return detail::summed(std::move(pairs));
  }

  /// The list of a request, with the items that it names.
  [[nodiscard]] detail::KeyedList list_of(const KeyedOptions& options, const SparseRow& history, std::vector<std::string>& unknown) const {
    std::vector<Index> excluded = items_of(options.exclude, "exclude", unknown);
    std::optional<std::vector<Index>> allowed;
    if (options.only) allowed = items_of(*options.only, "only", unknown);
    using Known = KeyedOptions::KnownItems;
    const detail::LeftOut left_out = options.known == Known::excluded   ? detail::LeftOut::all
                                     : options.known == Known::included ? detail::LeftOut::dislikes
                                                                        : detail::LeftOut::none;
    return detail::keyed_list({.count = options.count,
                               .filter = options.filter,
                               .rerank = options.rerank,
                               .fallback = options.fallback,
                               .popularity_penalty = options.popularity_penalty},
                              history, left_out, std::move(excluded), std::move(allowed));
  }

  [[nodiscard]] KeyedAnswer answer(const KeyedRequest& request, const KeyedOptions& options, const std::string& where = {}) const;
  [[nodiscard]] KeyedAnswer answer_new_user(const KeyedRequest& request, const KeyedOptions& options, const std::string& where) const;

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
  [[nodiscard]] KeyedAnswer answer(const Recommendation& list) const { return {version, list.source, name_items(list.items), {}, {}}; }
  [[nodiscard]] NamedExplanation named(const Explanation& found) const {
    NamedExplanation explanation{version, found.score, name_items(found.parts), {}, found.mean, found.bias, {}};
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
  detail::NamedItems names;
  std::vector<float> new_user_weights;  // of item offsets, for users that only events know
  std::uint64_t version = 0;
};

template <Real Scalar, typename Model>
struct KeyedRecommender<Scalar, Model>::Core {
  std::mutex replacing;
  // A lock for as long as a pointer is copied: std::atomic<std::shared_ptr> does the same inside, and libc++ does not have it.
  std::mutex mutex;
  std::shared_ptr<State> state;
};

template <Real Scalar, typename Model>
KeyedAnswer KeyedRecommender<Scalar, Model>::State::answer_new_user(const KeyedRequest& request, const KeyedOptions& options,
                                                                    const std::string& where) const {
  std::vector<std::string> unknown;
  const detail::OwnedRow row = row_of(request.history, unknown, {}, where + "history");
  const detail::KeyedList list = list_of(options, row.row(), unknown);
  KeyedAnswer found;
  if (request.profile.empty()) {
    found = answer(model.recommend(row.row(), list.request));
  } else {
    FeatureColumns::Profile features = model.user_features().columns().profile(request.profile);
    found = answer(model.recommend(History{.items = row.row(), .features = features}, list.request));
    found.unknown = std::move(features.unknown);
  }
  found.unknown_items = std::move(unknown);
  return found;
}

template <Real Scalar, typename Model>
KeyedAnswer KeyedRecommender<Scalar, Model>::State::answer(const KeyedRequest& request, const KeyedOptions& options,
                                                           const std::string& where) const {
  const std::string_view user = request.user.view();
  if (!user.empty() && !request.profile.empty())
    throw InvalidArgument(where + "profile", std::to_string(request.profile.size()) + " values", "empty for a request with a user");
  const Index u = user.empty() ? -1 : events->find_user(user).value_or(-1);
  if (u < 0 && !(request.history.empty() && request.profile.empty())) return answer_new_user(request, options, where);
  const bool of_data = u >= 0 && u < data.users.size();
  std::optional<detail::OwnedRow> added = u >= 0 ? events->row_of(u) : std::nullopt;
  std::vector<std::string> unknown;
  if (!request.history.empty()) {
    const SparseRow base = added ? added->row() : of_data ? data.matrix.row(u) : SparseRow{};
    added = row_of(request.history, unknown, base, where + "history");
  }
  const SparseRow history = added ? added->row() : of_data ? data.matrix.row(u) : SparseRow{};
  detail::KeyedList list = list_of(options, history, unknown);
  RecommendOptions& wanted = list.request;
  KeyedAnswer found;
  if (of_data && !added && model.knows(u)) {
    found = answer({model.recommend(u, wanted), ListSource::model});
  } else {
    if (wanted.rerank.order_for)
      wanted.rerank = of_data && added ? detail::rerank_for(u, options.rerank) : Rerank{};  // else nothing to go by
    found =
        answer(!added ? model.recommend(SparseRow{}, wanted)
                      : model.recommend(History{.items = history, .features = features_of(u), .offset_weight = offset_weight(u)}, wanted));
  }
  found.unknown_items = std::move(unknown);
  return found;
}

template <Real Scalar, typename Model>
std::uint64_t KeyedRecommender<Scalar, Model>::replace(Model model, Dataset data, const KeyedEvents& events) {
  return replace_by(std::make_shared<State>(std::move(model), std::move(data), events));
}

template <Real Scalar, typename Model>
std::uint64_t KeyedRecommender<Scalar, Model>::replace(KeyedRecommender other) {
  std::shared_ptr<State> next = std::move(other.core_->state);
  next->events->count_as_given();
  return replace_by(std::move(next));
}

template <Real Scalar, typename Model>
std::uint64_t KeyedRecommender<Scalar, Model>::replace_by(std::shared_ptr<State> next) {
  const std::lock_guard one_at_a_time(core_->replacing);
  const std::shared_ptr<const State> before = state();
  // Most events are taken over while more are observed, the last few while none can be.
  const std::size_t taken = before ? next->events->take_later(*before->events, 0) : 0;
  // From here until the swap observers try again and again; answers go on.
  if (before) {
    before->events->close();
    try {
      (void)next->events->take_later(*before->events, taken);
      next->events->take_journal(*before->events);
    } catch (...) {
      before->events->reopen();
      throw;
    }
  }
  const std::lock_guard lock(core_->mutex);
  const std::uint64_t version = core_->state ? core_->state->version + 1 : 1;
  next->version = version;
  core_->state.swap(next);
  return version;
}

template <Real Scalar, typename Model>
template <typename Make>
std::uint64_t KeyedRecommender<Scalar, Model>::change(Make&& make) {
  for (;;) {
    const std::shared_ptr<const State> from = state();
    std::shared_ptr<State> next = make(*from);
    const std::lock_guard lock(core_->mutex);
    if (core_->state != from) continue;  // replaced meanwhile: the change is for the model that answers now
    next->version = from->version + 1;
    const std::uint64_t version = next->version;
    core_->state.swap(next);
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
void KeyedRecommender<Scalar, Model>::observe(const detail::KeyText& user, const detail::KeyText& item, const Observed& event) {
  for (;;) {
    const std::shared_ptr<const State> s = state();
    if (s->events->observe(user.view(), s->item(item.view()), event)) return;
  }
}

template <Real Scalar, typename Model>
KeyedEvents::Replayed KeyedRecommender<Scalar, Model>::start_journal(const KeyedEvents::Journal& journal) {
  const std::lock_guard one_at_a_time(core_->replacing);
  return state()->events->start_journal(journal);
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
KeyedAnswer KeyedRecommender<Scalar, Model>::recommend(const detail::KeyText& user, const KeyedOptions& options) const {
  return recommend(user, std::span<const KeyedInteraction>(), options);
}

template <Real Scalar, typename Model>
KeyedAnswer KeyedRecommender<Scalar, Model>::recommend(const detail::KeyText& user, std::span<const KeyedInteraction> plays,
                                                       const KeyedOptions& options) const {
  return state()->answer(KeyedRequest{.user = user, .history = plays}, options);
}

template <Real Scalar, typename Model>
KeyedAnswer KeyedRecommender<Scalar, Model>::recommend(std::span<const KeyedInteraction> history, const KeyedOptions& options) const {
  return state()->answer(KeyedRequest{.history = history}, options);
}

template <Real Scalar, typename Model>
KeyedAnswer KeyedRecommender<Scalar, Model>::recommend(std::span<const KeyedInteraction> history,
                                                       std::span<const FeatureColumns::Value> profile, const KeyedOptions& options) const {
  return state()->answer(KeyedRequest{.history = history, .profile = profile}, options);
}

template <Real Scalar, typename Model>
std::vector<KeyedAnswer> KeyedRecommender<Scalar, Model>::recommend_all(std::span<const KeyedRequest> requests, const KeyedOptions& options,
                                                                        const Execution& execution) const {
  const auto s = state();
  std::vector<KeyedAnswer> answers(requests.size());
  detail::parallel_for(requests.size(), detail::loop_of(execution, 1), [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t n = first; n < last; ++n) answers[n] = s->answer(requests[n], options, "requests[" + std::to_string(n) + "].");
  });
  return answers;
}

template <Real Scalar, typename Model>
KeyedAnswer KeyedRecommender<Scalar, Model>::similar(const detail::KeyText& item, std::size_t count) const {
  const auto s = state();
  return s->answer({s->model.similar_items(s->item(item.view()), {.count = count}), ListSource::model});
}

template <Real Scalar, typename Model>
KeyedAnswer KeyedRecommender<Scalar, Model>::similar(const detail::KeyText& item, const KeyedOptions& options) const {
  const auto s = state();
  std::vector<std::string> unknown;
  const detail::KeyedList list = s->list_of(options, {}, unknown);
  const SimilarOptions wanted{.count = options.count, .exclude = list.request.exclude, .filter = list.request.filter};
  KeyedAnswer answer = s->answer({s->model.similar_items(s->item(item.view()), wanted), ListSource::model});
  answer.unknown_items = std::move(unknown);
  return answer;
}

template <Real Scalar, typename Model>
NamedExplanation KeyedRecommender<Scalar, Model>::explain(const detail::KeyText& user, const detail::KeyText& item) const {
  const auto s = state();
  const std::optional<Index> u = s->events->find_user(user.view());
  if (!u)
    throw InvalidArgument("user", detail::printable(user.view()),
                          "one of the " + std::to_string(s->data.users.size()) + " users that the model knows");
  const Index i = s->item(item.view());
  const std::optional<detail::OwnedRow> observed = s->events->row_of(*u);
  if (!observed) return s->named(s->model.explain(History{.items = s->data.matrix.row(*u), .features = s->features_of(*u)}, i));
  return s->named(s->model.explain(History{.items = observed->row(), .features = s->features_of(*u)}, i, FoldInBackground::by_history));
}

template <Real Scalar, typename Model>
NamedExplanation KeyedRecommender<Scalar, Model>::explain(std::span<const KeyedInteraction> history, const detail::KeyText& item) const {
  const auto s = state();
  std::vector<std::string> unknown;
  const detail::OwnedRow row = s->row_of(history, unknown);
  NamedExplanation explanation = s->named(s->model.explain(row.row(), s->item(item.view()), FoldInBackground::by_history));
  explanation.unknown_items = std::move(unknown);
  return explanation;
}

template <Real Scalar, typename Model>
KeyedRecommender<Scalar, Model>::KeyedRecommender(Model model, Dataset data, const KeyedEvents& events) : core_(std::make_shared<Core>()) {
  (void)replace(std::move(model), std::move(data), events);
}

template <Real Scalar, typename Model>
KeyedRecommender<Scalar, Model>::KeyedRecommender(Model model, Dataset data, detail::KeptEvents::State events,
                                                  std::vector<float> new_user_weights)
    : core_(std::make_shared<Core>()) {
  (void)replace_by(std::make_shared<State>(std::move(model), std::move(data), std::move(events), std::move(new_user_weights)));
}

template <Real Scalar, typename Model>
std::shared_ptr<const typename KeyedRecommender<Scalar, Model>::State> KeyedRecommender<Scalar, Model>::state() const {
  const std::lock_guard lock(core_->mutex);
  return core_->state;
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
