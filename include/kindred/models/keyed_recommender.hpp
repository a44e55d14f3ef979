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
#include <kindred/models/recommender.hpp>

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
  /// @throws NotFitted; ShapeError if shapes differ; InvalidArgument if a user or an item has fewer interactions than in the fit.
  KeyedRecommender(Model model, Dataset data);

  /// Answers come from `model` from now on. Returns its version. Whatever it throws, the old model goes on. @throws as the constructor does.
  std::uint64_t replace(
      Model model,
      Dataset
          data);  // `next` is destroyed after the lock is released: freeing a large model takes long, and every request waits for the lock

  /// Answers have these offsets from now on, without a fit: the trend of the last hour, say. Returns the version. The model is copied, the data are not.
  /// Whatever it throws, the old model goes on. @throws as FactorModel::set_item_offsets does.
  std::uint64_t set_item_offsets(ItemOffsets offsets) requires detail::TakesOffsets<Model>;

  /// Of the model that answers now: 1 for the first.
  [[nodiscard]] std::uint64_t version() const;

  /// The model and the data that answer now. They stay as they are, whatever replaces them meanwhile.
  struct Snapshot {
    std::shared_ptr<const Model> model;
    std::shared_ptr<const Dataset> data;
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

 private:
  struct Row;
  struct State;

  // A lock for as long as a pointer is copied: std::atomic<std::shared_ptr> does the same inside, and libc++ does not have it.
  [[nodiscard]] std::shared_ptr<const State> state() const;

  mutable std::mutex mutex_;
  std::shared_ptr<State> state_;
};

template <Real Scalar>
KeyedRecommender(ImplicitALS<Scalar>, Dataset) -> KeyedRecommender<Scalar>;
template <Real Scalar>
KeyedRecommender(BlendedRecommender<Scalar>, Dataset) -> KeyedRecommender<Scalar, BlendedRecommender<Scalar>>;

#if defined(KINDRED_COMPILED)
extern template class KeyedRecommender<float>;  // in compiled/models.cpp
extern template class KeyedRecommender<double>;
#endif

}  // namespace kindred::inline v0::inline KINDRED_BUILD

#if !defined(KINDRED_COMPILED)
#include <kindred/models/keyed_recommender.ipp>  // IWYU pragma: export
#endif
