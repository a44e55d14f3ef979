// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/key_text.hpp>
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
  /// If set, only these items may be listed, by key or name; those that are not known are reported.
  std::optional<std::vector<std::string>> only = std::nullopt;
  std::vector<std::string> exclude =
      {};  ///< Items to leave out, by key or name, beside those of `known`; those that are not known are reported.
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
  /// Items of the request that the model does not know, each once: the answer was made without them.
  std::vector<std::string> unknown_items = {};
};

/// Explanation with names.
struct NamedExplanation {
  std::uint64_t version = 0;
  double score = 0.0;
  std::vector<NamedItem> parts;          ///< What each item of the history adds, largest first.
  std::vector<NamedItem> features = {};  ///< What each feature of the user adds, largest first; key and name are those of its column.
  double mean = 0.0;                     ///< What the mean of all users adds; 0 without features.
  double bias = 0.0;                     ///< What the bias of the item adds, as in Explanation.
  std::vector<std::string> unknown_items = {};  ///< Of the history: left out.
};

/// One interaction of a history: an item by its key or name, and its value.
struct KeyedInteraction {
  detail::KeyText item;  ///< A text, which has to outlive the call, or a whole number, whose key is its decimal text.
  float value = 1.0F;
};

/// Whom a list is for, in a batch. Spans and texts have to outlive the call.
struct KeyedRequest {
  detail::KeyText user = {};                            ///< A key; empty: a new user.
  std::span<const KeyedInteraction> history = {};       ///< Of a known user: what comes on top of the interactions that the model knows.
  std::span<const FeatureColumns::Value> profile = {};  ///< Of a new user; empty where `user` is not.
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
/// many threads, replace() included; a move is not among them, and what was moved from can only be assigned to or destroyed. A user or an item is named by its
/// key, a text or a whole number (7 is "7"); an item also by its name, where no item has that key. `Model`: ImplicitALS or BlendedRecommender.
template <Real Scalar = float, typename Model = ImplicitALS<Scalar>>
class KeyedRecommender {
 public:
  /// `data`: what `model` was fitted on, or more of the same users and items. Interactions are counted, not compared one by one.
  /// `events`: for observe() and refresh_offsets().
  /// @throws NotFitted; ShapeError if shapes differ; InvalidArgument if a user or an item has fewer interactions than in the fit; as Events::dataset does for
  /// `events`; InvalidArgument for past events without times.
  KeyedRecommender(Model model, Dataset data, const KeyedEvents& events = {});

  KeyedRecommender(KeyedRecommender&&) noexcept = default;
  KeyedRecommender& operator=(KeyedRecommender&&) noexcept = default;

  /// Answers come from `model` from now on. Returns its version. Whatever it throws, the old model goes on.
  ///
  /// `data` should hold what was observed until then. Observed events later than the last of `events.past` stay, if `data` has their items and
  /// `events.weights` their kinds; the others go. @throws as the constructor does.
  std::uint64_t replace(Model model, Dataset data, const KeyedEvents& events = {});

  /// Answers come from the model, the data and the events of `other` from now on: of a model file, say. Returns the version.
  ///
  /// Events observed here stay if `other` does not hold them: of the journal that `other` was saved with by their numbers, others if they are later than all
  /// of its events, or if it has none with a time. `other` must not be shared. @throws InvalidArgument if `other` writes a journal: the old model goes on then.
  std::uint64_t replace(KeyedRecommender other);

  /// Adds an event to the history of a user from the next answer on, without a fit: lists of this user are folded in anew, as those of a new user with this
  /// history. `user`: any key; a new one is a user from now on. `item`: a key or a name of the data.
  ///
  /// The value of the pair grows by weight of the kind * value; a kind of weight 0 changes no list and counts for refresh_offsets alone. snapshot().data
  /// stays as it is. Model files hold observed and past events. O(length of the user's history), 32 bytes.
  /// @throws InvalidArgument for an item or a kind that is not known, several items of that name, an empty user key, a value that is not finite, a time beyond
  /// 10^11 seconds, or a sum beyond the range of a float; IoError if the journal cannot be written: nothing has changed then. IoError if the disk refuses to
  /// flush the journal: the event is observed, and may not outlive the machine.
  void observe(const detail::KeyText& user, const detail::KeyText& item, const Observed& event = {});

  /// Takes in the events of a journal, and writes to it every event that is observed from now on, before observe() returns: a killed process loses none.
  ///
  /// The file is made if there is none, and locked. Model files hold which part of it they hold: events are neither lost nor counted twice, whenever the process
  /// stops, if it starts again from the file that was saved last. save() to a path removes from the journal what the file holds. replace() keeps the journal.
  /// O(events in it). @throws IoError (in use, no permission, ...); FormatError for a damaged event that is not the last, with its place, and if events between
  /// the model file and the journal are missing; InvalidArgument if there is a journal already.
  KeyedEvents::Replayed start_journal(const KeyedEvents::Journal& journal);

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
  /// @throws InvalidArgument if an option is not valid, or `only` or `exclude` has the name of several items.
  [[nodiscard]] KeyedAnswer recommend(const detail::KeyText& user, const KeyedOptions& options = {}) const;

  /// The best items for a user with `plays` on top of the interactions that the model knows: they count for this list alone.
  /// @throws InvalidArgument if an option is not valid, or an item has the name of several.
  [[nodiscard]] KeyedAnswer recommend(const detail::KeyText& user, std::span<const KeyedInteraction> plays,
                                      const KeyedOptions& options = {}) const;

  /// The best items for these interactions; without likes options.fallback. Repeats are added up; items that are not known are left out and listed in
  /// KeyedAnswer::unknown_items. @throws InvalidArgument if an option is not valid, or an item has the name of several.
  [[nodiscard]] KeyedAnswer recommend(std::span<const KeyedInteraction> history, const KeyedOptions& options = {}) const;

  /// The best items for a new user: its interactions, possibly none, and a profile by names, `{{{"country", "Sweden"}, {"age", "31"}}}`, of the
  /// features that the model was fitted with. Values that it does not know are left out and listed in KeyedAnswer::unknown.
  /// @throws as for a history alone; InvalidArgument if a group of the profile is named twice.
  [[nodiscard]] KeyedAnswer recommend(std::span<const KeyedInteraction> history, std::span<const FeatureColumns::Value> profile,
                                      const KeyedOptions& options = {}) const;

  /// The answers to many requests, in their order, each as recommend() gives it, and all from one model. Requests are dealt out to threads.
  /// @throws as recommend() does, naming the request; InvalidArgument for a profile beside a user.
  [[nodiscard]] std::vector<KeyedAnswer> recommend_all(std::span<const KeyedRequest> requests, const KeyedOptions& options = {},
                                                       const Execution& execution = {}) const;

  /// The items most like one, by cosine. @throws InvalidArgument if the item is not known, or several have that name.
  [[nodiscard]] KeyedAnswer similar(const detail::KeyText& item, std::size_t count = 10) const;

  /// The items most like one, by cosine, of which `options` has the count, the filter, `only` and `exclude`; the rest is not used.
  /// @throws InvalidArgument if an option is not valid, the item is not known, or several have that name.
  [[nodiscard]] KeyedAnswer similar(const detail::KeyText& item, const KeyedOptions& options) const;

  /// What in a user's history, and which features, speak for an item. @throws InvalidArgument if user or item is not known.
  [[nodiscard]] NamedExplanation explain(const detail::KeyText& user, const detail::KeyText& item) const;

  /// Explains a score for a history of interactions, in which repeats are added up and items that are not known left out.
  /// @throws InvalidArgument if `item` is not known, or an item has the name of several.
  [[nodiscard]] NamedExplanation explain(std::span<const KeyedInteraction> history, const detail::KeyText& item) const;

  // ---- for model files ----

  KeyedRecommender(Model model, Dataset data, detail::KeptEvents::State events, std::vector<float> new_user_weights);

 private:
  struct State;
  struct Core;

  /// Puts `next` in, which is destroyed after the lock is released: freeing a large model takes long, and every request waits for the lock.
  std::uint64_t replace_by(std::shared_ptr<State> next);
  /// Puts in what `make` makes of the state that answers now.
  template <typename Make>
  std::uint64_t change(Make&& make);

  [[nodiscard]] std::shared_ptr<const State> state() const;

  std::shared_ptr<Core> core_;  // of this object alone
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
