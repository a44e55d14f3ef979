// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/text.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_view.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/data/pair_sum.hpp>
#include <kindred/models/kept_events.hpp>
#include <kindred/models/recommender.hpp>

namespace kindred::inline v0::detail {

/// What a request asks a model for: `request` refers to the rest.
struct KeyedList {
  RecommendOptions request = {};
  std::vector<Index> excluded = {};
  std::vector<Index> allowed = {};
};

/// Sorted and each once.
inline void sort_unique(std::vector<Index>& items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
}

/// Which items of a history a list leaves out.
enum class LeftOut { none, dislikes, all };

/// `history` outlives the result. `excluded`: beside what is left out of the history; sorted. `allowed` as well.
[[nodiscard]] inline KeyedList keyed_list(RecommendOptions request, const SparseRow& history, LeftOut left_out, std::vector<Index> excluded,
                                          std::optional<std::vector<Index>> allowed) {
  KeyedList list{.request = std::move(request), .excluded = std::move(excluded)};
  if (left_out == LeftOut::all && list.excluded.empty()) {
    list.request.exclude = history.columns;
  } else {
    for (std::size_t n = 0; n < history.size(); ++n)
      if (left_out == LeftOut::all || (left_out == LeftOut::dislikes && history.values[n] < 0.0F))
        list.excluded.push_back(history.columns[n]);
    sort_unique(list.excluded);
    list.request.exclude = list.excluded;
  }
  if (!allowed) return list;
  list.allowed = std::move(*allowed);
  if (const auto both = list.request.filter.allow) {
    std::vector<Index> in_both;
    std::set_intersection(list.allowed.begin(), list.allowed.end(), both->begin(), both->end(), std::back_inserter(in_both));
    list.allowed = std::move(in_both);
  }
  list.request.filter.allow = list.allowed;
  return list;
}

/// The items of a dataset by key or name.
class NamedItems {
 public:
  /// `data` outlives this object.
  explicit NamedItems(const Dataset& data) : data_(&data) {
    for (std::size_t i = 0; i < data.item_names.size(); ++i) {
      const auto name = static_cast<std::size_t>(names_.intern(data.item_names[i]));
      if (name == items_.size()) items_.emplace_back(static_cast<Index>(i), 0);
      ++items_[name].second;
    }
  }

  /// The item of a key or, if there is none, of a name; nothing if it is not known. `where`: for the text of an error.
  /// @throws InvalidArgument if several items have the name.
  [[nodiscard]] std::optional<Index> find(std::string_view text, const std::string& where = "item") const {
    if (const std::optional<Index> key = data_->items.find(text)) return key;
    const std::optional<Index> name = text.empty() ? std::nullopt : names_.find(text);
    if (!name) return std::nullopt;
    const auto& [index, times] = items_[static_cast<std::size_t>(*name)];
    if (times > 1) throw InvalidArgument(where, printable(text), "a key: " + std::to_string(times) + " items have that name");
    return index;
  }

 private:
  const Dataset* data_;
  IdMap names_;
  std::vector<std::pair<Index, Index>> items_;  // of each name: its first item, and how many there are
};

/// Adds a text that is not there yet.
inline void add_once(std::vector<std::string>& texts, std::string_view text) {
  if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.emplace_back(text);
}

/// The row of items and values, repeats added up: a sum that is zero within rounding is no interaction.
[[nodiscard]] inline OwnedRow summed(std::vector<std::pair<Index, float>> pairs) {
  std::sort(pairs.begin(), pairs.end());  // by values too: the order of repeats changes no sum
  OwnedRow row;
  for (std::size_t n = 0; n < pairs.size();) {
    const Index index = pairs[n].first;
    PairSum sum;
    for (; n < pairs.size() && pairs[n].first == index; ++n) sum.add(static_cast<double>(pairs[n].second));
    if (sum.cancels()) continue;
    if (sum.exceeds_float())
      throw InvalidArgument("the sum of the values of an item in a history", sum.value(), "within the range of a float");
    row.columns.push_back(index);
    row.values.push_back(static_cast<float>(sum.value()));
  }
  return row;
}

}  // namespace kindred::inline v0::detail
