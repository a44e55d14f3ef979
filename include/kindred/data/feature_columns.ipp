// SPDX-License-Identifier: MIT
#pragma once

// The bodies of data/feature_columns.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/text.hpp>
#include <kindred/data/feature_columns.hpp>

namespace kindred::inline v0 {

namespace detail {

/// An entry of a row of features.
using FeatureEntry = std::pair<Index, float>;

/// The non-empty parts of `text` between separators.
[[nodiscard]] inline std::vector<std::string_view> split_list(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = separator.empty() ? std::string_view::npos : text.find(separator);
    if (end != 0) parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + separator.size());
  }
  return parts;
}

/// The entries of a number among rising knots, whose columns begin at `first`.
inline void append_knots(std::span<const double> knots, double number, Index first, std::vector<FeatureEntry>& entries) {
  const auto above = static_cast<std::size_t>(std::upper_bound(knots.begin(), knots.end(), number) - knots.begin());
  if (above == 0 || above == knots.size()) {
    entries.emplace_back(first + static_cast<Index>(above == 0 ? 0 : above - 1), 1.0F);
    return;
  }
  const double share = (number - knots[above - 1]) / (knots[above] - knots[above - 1]);
  const Index column = first + static_cast<Index>(above);
  if (const auto low = static_cast<float>(1.0 - share); low > 0.0F) entries.emplace_back(column - 1, low);
  if (const auto high = static_cast<float>(share); high > 0.0F) entries.emplace_back(column, high);
}

/// Weighs words, given as columns with repeats: rising columns, length 1. `weights`: log(rows / rows with the word), from column `first` on.
inline void append_words(std::vector<Index> words, std::span<const double> weights, Index first, std::vector<FeatureEntry>& entries) {
  std::sort(words.begin(), words.end());
  std::vector<std::pair<Index, double>> weighed;
  double squares = 0.0;
  for (std::size_t n = 0; n < words.size();) {
    std::size_t end = n;
    while (end < words.size() && words[end] == words[n]) ++end;
    const double weight = (1.0 + std::log(static_cast<double>(end - n))) * weights[static_cast<std::size_t>(words[n] - first)];
    if (weight > 0.0) weighed.emplace_back(words[n], weight);
    squares += weight * weight;
    n = end;
  }
  for (const auto& [column, weight] : weighed) entries.emplace_back(column, static_cast<float>(weight / std::sqrt(squares)));
}

/// A finite number in decimal, or nothing.
[[nodiscard]] inline std::optional<double> feature_number(std::string_view text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
  });
  if (!plain) return std::nullopt;
  const std::string copy(text);
  char* end = nullptr;
  const double number = std::strtod(copy.c_str(), &end);
  if (end != copy.c_str() + copy.size() || !is_finite(number)) return std::nullopt;
  return number;
}

/// The name of a column.
[[nodiscard]] inline std::string feature_name(std::string_view group, std::string_view value) {
  return std::string(group) + "=" + std::string(value);
}

}  // namespace detail

KINDRED_ONCE FeatureColumns::FeatureColumns(std::vector<std::string> names, std::vector<Group> groups)
    : names_(std::move(names)), groups_(std::move(groups)) {
  for (std::size_t n = 0; n < names_.size(); ++n)
    if (places_.intern(names_[n]) != static_cast<Index>(n))
      throw InvalidArgument("the feature column", detail::printable(names_[n]), "a name that no other column has");
  Index next = 0;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    if (group.first != next || group.last < group.first || group.last > size())
      throw ShapeError("the feature group " + detail::printable(group.name) + " has columns [" + std::to_string(group.first) + ", " +
                       std::to_string(group.last) + "); it must begin at " + std::to_string(next) + " and end by " +
                       std::to_string(size()));
    const bool has_numbers = group.kind == Kind::number || group.kind == Kind::words;
    if (group.numbers.size() != (has_numbers ? static_cast<std::size_t>(group.last - group.first) : 0))
      throw ShapeError("the feature group " + detail::printable(group.name) + " has " + std::to_string(group.numbers.size()) +
                       " numbers for " + std::to_string(group.last - group.first) + " columns");
    for (std::size_t n = 1; group.kind == Kind::number && n < group.numbers.size(); ++n)
      if (!(group.numbers[n] > group.numbers[n - 1]))
        throw InvalidArgument("a knot of the feature group " + detail::printable(group.name), group.numbers[n], "above the one before it");
    for (std::size_t other = 0; other < g; ++other)
      if (groups_[other].name == group.name)
        throw InvalidArgument("the feature group", detail::printable(group.name), "a name that no other group has");
    next = group.last;
  }
  if (next != size())
    throw ShapeError("the feature groups end at column " + std::to_string(next) + "; there are " + std::to_string(size()) + " columns");
}

KINDRED_ONCE std::string_view FeatureColumns::name(Index column) const {
  if (column < 0 || column >= size()) throw InvalidArgument("column", column, "in [0, " + std::to_string(size()) + ")");
  return names_[static_cast<std::size_t>(column)];
}

KINDRED_ONCE FeatureColumns::Profile FeatureColumns::profile(std::span<const Value> values) const {
  Profile profile;
  std::vector<detail::FeatureEntry> entries;
  for (std::size_t n = 0; n < values.size(); ++n) {
    const auto [name, text] = values[n];
    for (std::size_t other = 0; other < n; ++other)
      if (values[other].group == name) throw InvalidArgument("the feature group", detail::printable(name), "named once in a profile");
    if (text.empty()) continue;
    const auto group = std::find_if(groups_.begin(), groups_.end(), [&, wanted = name](const Group& one) { return one.name == wanted; });
    if (group == groups_.end()) {
      profile.unknown.push_back(detail::feature_name(name, text));
      continue;
    }
    if (group->kind == Kind::number) {
      const std::optional<double> number = detail::feature_number(text);
      if (number && !group->numbers.empty())
        detail::append_knots(group->numbers, *number, group->first, entries);
      else
        profile.unknown.push_back(detail::feature_name(name, text));
      continue;
    }
    const bool is_list = group->kind == Kind::list || group->kind == Kind::words;
    const std::vector<std::string_view> parts = is_list ? detail::split_list(text, group->separator) : std::vector<std::string_view>{text};
    std::vector<Index> known;
    for (const std::string_view part : parts) {
      const std::optional<Index> column = places_.find(group->kind == Kind::plain ? std::string(part) : detail::feature_name(name, part));
      if (column && *column >= group->first && *column < group->last)
        known.push_back(*column);
      else
        profile.unknown.push_back(detail::feature_name(name, part));
    }
    if (group->kind == Kind::words) {
      detail::append_words(std::move(known), group->numbers, group->first, entries);
      continue;
    }
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    for (const Index column : known) entries.emplace_back(column, static_cast<float>(1.0 / std::sqrt(static_cast<double>(known.size()))));
  }
  std::sort(entries.begin(), entries.end());
  for (const auto& [column, value] : entries) {
    profile.columns.push_back(column);
    profile.values.push_back(value);
  }
  return profile;
}

}  // namespace kindred::inline v0
