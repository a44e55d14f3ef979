// SPDX-License-Identifier: MIT
#pragma once

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
#include <kindred/data/id_map.hpp>
#include <kindred/models/implicit_als.hpp>
#include <kindred/models/item_offsets.hpp>
#include <kindred/models/kept_events.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/models/trend.hpp>

namespace kindred::inline v0 {

/// What KeyedRecommender::recommend returns.
struct KeyedOptions {
  /// Whether a list may hold items that the user is known to have.
  enum class KnownItems {
    excluded,
    included,  ///< All but those that the user dislikes.
    all,       ///< Those too.
  };

  std::size_t count = 10;
  KnownItems known = KnownItems::excluded;
  Fallback fallback = Fallback::none;  ///< For users without a key, or without likes.
  ItemFilter filter = {};
  Rerank rerank = {};
  double popularity_penalty = 0.0;  ///< [0, 1], as in RecommendOptions.
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
  /// Values of the profile that the model does not know, as "group=value": the answer was made without them.
  std::vector<std::string> unknown = {};
};

/// Explanation with names.
struct NamedExplanation {
  std::uint64_t version = 0;
  double score = 0.0;
  std::vector<NamedItem> parts;          ///< What each item of the history adds, largest first.
  std::vector<NamedItem> features = {};  ///< What each feature of the user adds, largest first; key and name are those of its column.
  double mean = 0.0;                     ///< What the mean of all users adds; 0 without features.
  double bias = 0.0;                     ///< What the bias of the item adds, as in Explanation.
};

/// One interaction of a history: an item by its key or name, and its value.
struct KeyedInteraction {
  std::string_view item;
  float value = 1.0F;
};

}  // namespace kindred::inline v0

namespace kindred::inline v0::detail {

/// A model whose lists add offsets of items.
template <typename Model>
concept TakesOffsets = requires(Model& model, ItemOffsets offsets) {
  model.set_item_offsets(std::move(offsets));
};

}  // namespace kindred::inline v0::detail

namespace kindred::inline v0::inline KINDRED_BUILD {

template <Real Scalar>
class BlendedRecommender;

/// A model that answers by the keys of its users and items, and can be replaced while it answers.
///
/// Each call works on a snapshot of model and data. An old snapshot is freed when the last call that uses it returns. All methods may be called from
/// many threads, replace() included. An item is named by its key or, where no item has that key, by its name. `Model`: ImplicitALS or BlendedRecommender.
template <Real Scalar = float, typename Model = ImplicitALS<Scalar>>
class KeyedRecommender {
 public:
  /// `data`: what `model` was fitted on, or more of the same users and items. Interactions are counted, not compared one by one.
  /// `events`: for observe() and refresh_offsets().
  /// @throws NotFitted; ShapeError if shapes differ; InvalidArgument if a user or an item has fewer interactions than in the fit; as Events::dataset does for
  /// `events`; InvalidArgument for past events without times.
  KeyedRecommender(Model model, Dataset data, const KeyedEvents& events = {});

  /// Answers come from `model` from now on. Returns its version. Whatever it throws, the old model goes on.
  ///
  /// `data` should hold what was observed until then. Observed events later than the last of `events.past` stay, if `data` has their items and
  /// `events.weights` their kinds; the others go. @throws as the constructor does.
  std::uint64_t replace(Model model, Dataset data, const KeyedEvents& events = {});

  /// Adds an event to the history of a user from the next answer on, without a fit: lists of this user are folded in anew, as those of a new user with this
  /// history. `user`: any key; a new one is a user from now on. `item`: a key or a name of the data.
  ///
  /// The value of the pair grows by weight of the kind * value; a kind of weight 0 changes no list and counts for refresh_offsets alone. snapshot().data
  /// stays as it is. Model files hold observed and past events. O(length of the user's history), 32 bytes.
  /// @throws InvalidArgument for an item or a kind that is not known, several items of that name, an empty user key, a value that is not finite, a time beyond
  /// 10^11 seconds, or a sum beyond the range of a float: nothing has changed then.
  void observe(std::string_view user, std::string_view item, const Observed& event = {});

  /// Sets the trend_offsets of all events so far, past and observed, without a fit. Returns the version.
  ///
  /// `reference`: seconds since the Unix epoch, the time of this call; ages count from one second after it, or from `options.until`, which leaves later events
  /// out. Answers go on meanwhile, with the old offsets until all new ones are there. Users' weights are those of this call. O(events + users + items).
  /// @throws InvalidArgument for an event after the reference that `until` does not leave out, `until` above reference + 1, a kind that is not known, no event
  /// that counts, or as trend_offsets and set_item_offsets do: the old offsets stay then.
  std::uint64_t refresh_offsets(std::int64_t reference, const TrendOptions& options = {}) requires detail::TakesOffsets<Model>;

  /// Answers have these offsets from now on, without a fit: the trend of the last hour, say. Returns the version. The model is copied, the data are not.
  /// Whatever it throws, the old model goes on. @throws as FactorModel::set_item_offsets does.
  std::uint64_t set_item_offsets(ItemOffsets offsets) requires detail::TakesOffsets<Model>;

  /// Of the model that answers now: 1 for the first.
  [[nodiscard]] std::uint64_t version() const;

  /// The model and the data that answer now. They stay as they are, whatever replaces them meanwhile.
  struct Snapshot {
    std::shared_ptr<const Model> model;
    std::shared_ptr<const Dataset> data;
    std::shared_ptr<const detail::KeptEvents> events;  // for model files, as the next one
    std::shared_ptr<const std::vector<float>> new_user_weights = {};
  };
  [[nodiscard]] Snapshot snapshot() const;

  /// The best items for a user. A user without a key here, or without likes, gets options.fallback; KeyedAnswer::source says so.
  /// @throws InvalidArgument if an option is not valid.
  [[nodiscard]] KeyedAnswer recommend(std::string_view user, const KeyedOptions& options = {}) const;

  /// The best items for these interactions; without likes options.fallback. @throws InvalidArgument if an item is not known or is named twice.
  [[nodiscard]] KeyedAnswer recommend(std::span<const KeyedInteraction> history, const KeyedOptions& options = {}) const;

  /// The best items for a new user: its interactions, possibly none, and a profile by names, `{{{"country", "Sweden"}, {"age", "31"}}}`, of the
  /// features that the model was fitted with. Values that it does not know are left out and listed in KeyedAnswer::unknown.
  /// @throws InvalidArgument if an item is not known or is named twice, or a group of the profile is named twice.
  [[nodiscard]] KeyedAnswer recommend(std::span<const KeyedInteraction> history, std::span<const FeatureColumns::Value> profile,
                                      const KeyedOptions& options = {}) const;

  /// The items most like one, by cosine. @throws InvalidArgument if the item is not known, or several have that name.
  [[nodiscard]] KeyedAnswer similar(std::string_view item, std::size_t count = 10) const;

  /// What in a user's history, and which features, speak for an item. @throws InvalidArgument if user or item is not known.
  [[nodiscard]] NamedExplanation explain(std::string_view user, std::string_view item) const;

  /// Explains a score for a history of interactions. @throws InvalidArgument if an item is not known or is named twice.
  [[nodiscard]] NamedExplanation explain(std::span<const KeyedInteraction> history, std::string_view item) const;

  // ---- for model files ----

  KeyedRecommender(Model model, Dataset data, detail::KeptEvents::State events, std::vector<float> new_user_weights);

 private:
  struct State;

  /// Puts `next` in, which is destroyed after the lock is released: freeing a large model takes long, and every request waits for the lock.
  std::uint64_t replace_by(std::shared_ptr<State> next);
  /// Puts in what `make` makes of the state that answers now.
  template <typename Make>
  std::uint64_t change(Make&& make);

  // A lock for as long as a pointer is copied: std::atomic<std::shared_ptr> does the same inside, and libc++ does not have it.
  [[nodiscard]] std::shared_ptr<const State> state() const;

  std::mutex replacing_;
  mutable std::mutex mutex_;
  std::shared_ptr<State> state_;
};

template <Real Scalar>
KeyedRecommender(ImplicitALS<Scalar>, Dataset, KeyedEvents = {}) -> KeyedRecommender<Scalar>;
template <Real Scalar>
KeyedRecommender(BlendedRecommender<Scalar>, Dataset, KeyedEvents = {}) -> KeyedRecommender<Scalar, BlendedRecommender<Scalar>>;

#if defined(KINDRED_COMPILED)
extern template class KeyedRecommender<float>;  // in compiled/models.cpp
extern template class KeyedRecommender<double>;
#endif

}  // namespace kindred::inline v0::inline KINDRED_BUILD

#if !defined(KINDRED_COMPILED)
#include <kindred/models/keyed_recommender.ipp>  // IWYU pragma: export
#endif
