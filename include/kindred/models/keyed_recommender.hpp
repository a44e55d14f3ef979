// SPDX-License-Identifier: MIT
#pragma once

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
#include <kindred/data/id_map.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0 {

/// What KeyedRecommender::recommend returns.
struct KeyedOptions {
  /// Whether a list may hold items that the user is known to have.
  enum class KnownItems { excluded, included };

  std::size_t count = 10;
  KnownItems known = KnownItems::excluded;
  Fallback fallback = Fallback::none;  ///< For users without a key, or without likes.
  ItemFilter filter = {};
  Rerank rerank = {};
};

/// An item by its own key, what it is called, and its score.
struct NamedItem {
  std::string key;
  std::string name;  ///< The key again where there is no name.
  double score = 0.0;

  friend bool operator==(const NamedItem&, const NamedItem&) = default;
};

/// A list and where it comes from.
struct KeyedAnswer {
  std::uint64_t version = 0;  ///< Of the model that answered: 1 for the first, one more for each replacement.
  ListSource source = ListSource::model;
  std::vector<NamedItem> items;  ///< Best first.
};

/// Explanation with names.
struct NamedExplanation {
  std::uint64_t version = 0;
  double score = 0.0;
  std::vector<NamedItem> parts;  ///< What each item of the history adds, largest first.
};

/// One interaction of a history: an item by its key or name, and its value.
struct KeyedInteraction {
  std::string_view item;
  float value = 1.0F;
};

}  // namespace kindred::inline v0

namespace kindred::inline v0::inline KINDRED_BUILD {

/// A model that answers by the keys of its users and items, and can be replaced while it answers.
///
/// Each call works on a snapshot of model and data. An old snapshot is freed when the last call that uses it returns. All methods may be called from
/// many threads, replace() included. An item is named by its key or, where no item has that key, by its name.
template <Real Scalar = float>
class KeyedRecommender {
 public:
  /// `data`: what `model` was fitted on, or more of the same users and items. Interactions are counted, not compared one by one.
  /// @throws NotFitted; ShapeError if shapes differ; InvalidArgument if a user or an item has fewer interactions than in the fit.
  KeyedRecommender(ImplicitALS<Scalar> model, Dataset data) { (void)replace(std::move(model), std::move(data)); }

  /// Answers come from `model` from now on. Returns its version. Whatever it throws, the old model goes on. @throws as the constructor does.
  std::uint64_t replace(ImplicitALS<Scalar> model, Dataset data) {
    auto next = std::make_shared<State>(std::move(model), std::move(data));
    const std::lock_guard lock(mutex_);
    const std::uint64_t version = state_ ? state_->version + 1 : 1;
    next->version = version;
    state_.swap(next);
    return version;
  }  // `next` is destroyed after the lock is released: freeing a large model takes long, and every request waits for the lock

  /// Of the model that answers now: 1 for the first.
  [[nodiscard]] std::uint64_t version() const { return state()->version; }

  /// The model and the data that answer now. They stay as they are, whatever replaces them meanwhile.
  struct Snapshot {
    std::shared_ptr<const ImplicitALS<Scalar>> model;
    std::shared_ptr<const Dataset> data;
  };
  [[nodiscard]] Snapshot snapshot() const {
    const auto s = state();
    return {{s, &s->model}, {s, &s->data}};
  }

  /// The best items for a user. A user without a key here, or without likes, gets options.fallback; KeyedAnswer::source says so.
  /// @throws InvalidArgument if an option is not valid.
  [[nodiscard]] KeyedAnswer recommend(std::string_view user, const KeyedOptions& options = {}) const {
    const auto s = state();
    const std::optional<Index> u = s->data.users.find(user);
    const SparseRow history = u ? s->data.matrix.row(*u) : SparseRow{};
    const RecommendOptions wanted = request(options, history);
    if (!u || !s->model.knows(*u)) return s->answer(s->model.recommend(SparseRow{}, wanted));
    return s->answer({s->model.recommend(*u, wanted), ListSource::model});
  }

  /// The best items for these interactions; without likes options.fallback. @throws InvalidArgument if an item is not known or is named twice.
  [[nodiscard]] KeyedAnswer recommend(std::span<const KeyedInteraction> history, const KeyedOptions& options = {}) const {
    const auto s = state();
    const Row row = s->row_of(history);
    return s->answer(s->model.recommend(row.row(), request(options, row.row())));
  }

  /// The items most like one, by cosine. @throws InvalidArgument if the item is not known, or several have that name.
  [[nodiscard]] KeyedAnswer similar(std::string_view item, std::size_t count = 10) const {
    const auto s = state();
    return s->answer({s->model.similar_items(s->item(item), {.count = count}), ListSource::model});
  }

  /// What in a user's history speaks for an item. @throws InvalidArgument if user or item is not known.
  [[nodiscard]] NamedExplanation explain(std::string_view user, std::string_view item) const {
    const auto s = state();
    const std::optional<Index> u = s->data.users.find(user);
    if (!u)
      throw InvalidArgument("user", "'" + std::string(user) + "'",
                            "one of the " + std::to_string(s->data.users.size()) + " users that the model knows");
    return s->named(s->model.explain(s->data.matrix.row(*u), s->item(item)));
  }

  /// Explains a score for a history of interactions. @throws InvalidArgument if an item is not known or is named twice.
  [[nodiscard]] NamedExplanation explain(std::span<const KeyedInteraction> history, std::string_view item) const {
    const auto s = state();
    return s->named(s->model.explain(s->row_of(history).row(), s->item(item), FoldInBackground::by_history));
  }

 private:
  struct Row {
    std::vector<Index> columns;
    std::vector<float> values;
    [[nodiscard]] SparseRow row() const noexcept { return {columns, values}; }
  };

  struct State {
    State(ImplicitALS<Scalar> fitted, Dataset given) : model(std::move(fitted)), data(std::move(given)) {
      if (!model.fitted()) throw NotFitted("the model");
      data.check();
      detail::check_shape("data", data.matrix.shape(), "the model", model.shape());
      model.check_data(data.matrix);
      for (std::size_t i = 0; i < data.item_names.size(); ++i) {
        const auto name = static_cast<std::size_t>(names.intern(data.item_names[i]));
        if (name == named_items.size()) named_items.emplace_back(static_cast<Index>(i), 0);
        ++named_items[name].second;
      }
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

    [[nodiscard]] Row row_of(std::span<const KeyedInteraction> history) const {
      std::vector<std::pair<Index, float>> pairs;
      for (const KeyedInteraction& one : history) pairs.emplace_back(item(one.item), one.value);
      std::sort(pairs.begin(), pairs.end());
      Row row;
      for (const auto& [index, value] : pairs) {
        if (!row.columns.empty() && row.columns.back() == index)
          throw InvalidArgument("the history", "'" + std::string(data.item_name(index)) + "' twice", "a list of different items");
        row.columns.push_back(index);
        row.values.push_back(value);
      }
      return row;
    }

    [[nodiscard]] std::vector<NamedItem> name_items(std::span<const Scored> list) const {
      std::vector<NamedItem> items;
      for (const Scored& one : list)
        items.push_back({std::string(data.items.key(one.item)), std::string(data.item_name(one.item)), one.score});
      return items;
    }
    [[nodiscard]] KeyedAnswer answer(const Recommendation& list) const { return {version, list.source, name_items(list.items)}; }
    [[nodiscard]] NamedExplanation named(const Explanation& found) const { return {version, found.score, name_items(found.parts)}; }

    ImplicitALS<Scalar> model;
    Dataset data;
    IdMap names;
    std::vector<std::pair<Index, Index>> named_items;  // of each name: its first item, and how many there are
    std::uint64_t version = 0;
  };

  [[nodiscard]] static RecommendOptions request(const KeyedOptions& options, const SparseRow& history) {
    RecommendOptions request{.count = options.count, .filter = options.filter, .rerank = options.rerank, .fallback = options.fallback};
    if (options.known == KeyedOptions::KnownItems::excluded) request.exclude = history.columns;
    return request;
  }

  // A lock for as long as a pointer is copied: std::atomic<std::shared_ptr> does the same inside, and libc++ does not have it.
  [[nodiscard]] std::shared_ptr<const State> state() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }

  mutable std::mutex mutex_;
  std::shared_ptr<State> state_;
};

}  // namespace kindred::inline v0::inline KINDRED_BUILD
