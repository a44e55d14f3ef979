// SPDX-License-Identifier: MIT
#pragma once

// The bodies of data/feature_table.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/text.hpp>
#include <kindred/data/csr_builder.hpp>
#include <kindred/data/feature_columns.ipp>
#include <kindred/data/feature_table.hpp>

namespace kindred::inline v0 {

KINDRED_ONCE FeatureTable::FeatureTable(Index rows)
    : matrix_({rows, 0}, std::vector<Offset>(static_cast<std::size_t>(rows < 0 ? 0 : rows) + 1, 0), {}, {}) {}

KINDRED_ONCE FeatureTable::FeatureTable(IdMap keys) : FeatureTable(keys.size()) { keys_ = std::move(keys); }

KINDRED_ONCE FeatureTable::FeatureTable(const CsrMatrix& matrix, std::vector<std::string> names, std::string group)
    : matrix_(without_zeros(matrix)) {
  if (names.empty())
    for (Index c = 0; c < matrix.cols(); ++c) names.push_back(std::to_string(c));
  if (names.size() != static_cast<std::size_t>(matrix.cols()))
    throw ShapeError("names has " + std::to_string(names.size()) + " entries; the matrix has " + std::to_string(matrix.cols()) +
                     " columns");
  columns_ = FeatureColumns(std::move(names), {{std::move(group), FeatureColumns::Kind::plain, 0, matrix.cols(), {}, {}}});
}

KINDRED_ONCE FeatureTable::FeatureTable(CsrMatrix matrix, FeatureColumns columns)
    : matrix_(without_zeros(matrix)), columns_(std::move(columns)) {
  if (matrix_.cols() != columns_.size())
    throw ShapeError("the features have " + std::to_string(matrix_.cols()) + " columns, with " + std::to_string(columns_.size()) +
                     " names");
}

KINDRED_ONCE FeatureTable FeatureTable::of_profiles(const Dataset& data) {
  if (data.profiles.size() != static_cast<std::size_t>(data.users.size()))
    throw ShapeError("the dataset has " + std::to_string(data.profiles.size()) + " profiles for " + std::to_string(data.users.size()) +
                     " users");
  std::vector<std::string> genders, countries;
  std::vector<std::optional<double>> ages;
  for (const UserProfile& profile : data.profiles) {
    genders.push_back(profile.gender);
    countries.push_back(profile.country);
    ages.push_back(profile.age ? std::optional<double>(*profile.age) : std::nullopt);
  }
  FeatureTable table(data.users);
  table.add_categories("gender", genders);
  table.add_numbers("age", ages);
  table.add_categories("country", countries);
  return table;
}

KINDRED_ONCE void FeatureTable::check_length(std::string_view group, std::size_t length) const {
  if (length != static_cast<std::size_t>(rows()))
    throw ShapeError("the feature group " + detail::printable(group) + " has " + std::to_string(length) + " values; the table has " +
                     std::to_string(rows()) + " rows");
}

KINDRED_ONCE void FeatureTable::add_group(FeatureColumns::Group group, std::vector<std::string> names,
                                          const std::vector<std::vector<std::pair<Index, float>>>& entries) {
  group.first = columns_.size();
  group.last = group.first + static_cast<Index>(names.size());
  std::vector<std::string> all = columns_.names();
  std::move(names.begin(), names.end(), std::back_inserter(all));
  std::vector<FeatureColumns::Group> groups(columns_.groups().begin(), columns_.groups().end());
  groups.push_back(std::move(group));
  FeatureColumns columns(std::move(all), std::move(groups));
  detail::CsrBuilder builder({rows(), columns.size()});
  for (Index r = 0; r < rows(); ++r) {
    const SparseRow before = row(r);
    for (std::size_t n = 0; n < before.size(); ++n) builder.add(before.columns[n], before.values[n]);
    for (const auto& [column, value] : entries[static_cast<std::size_t>(r)]) builder.add(column, value);
    builder.end_row();
  }
  matrix_ = builder.finish();
  columns_ = std::move(columns);
}

KINDRED_ONCE void FeatureTable::add_categories(std::string_view group, const KeyColumn& values) {
  check_length(group, values.size());
  IdMap found;
  std::vector<std::string> names;
  std::vector<std::vector<detail::FeatureEntry>> entries(values.size());
  KeyColumn::Buffer buffer;
  for (std::size_t r = 0; r < values.size(); ++r) {
    const std::string_view text = values.text(r, buffer);
    if (text.empty()) continue;
    const Index place = found.intern(text);
    if (static_cast<std::size_t>(place) == names.size()) names.push_back(detail::feature_name(group, text));
    entries[r].emplace_back(columns_.size() + place, 1.0F);
  }
  add_group({std::string(group), FeatureColumns::Kind::category, 0, 0, {}, {}}, std::move(names), entries);
}

KINDRED_ONCE void FeatureTable::add_lists(std::string_view group, const KeyColumn& values, std::string_view separator) {
  check_length(group, values.size());
  if (separator.empty()) throw InvalidArgument("separator", "''", "at least one character");
  IdMap found;
  std::vector<std::string> names;
  std::vector<std::vector<detail::FeatureEntry>> entries(values.size());
  KeyColumn::Buffer buffer;
  for (std::size_t r = 0; r < values.size(); ++r) {
    std::vector<Index> places;
    for (const std::string_view part : detail::split_list(values.text(r, buffer), separator)) {
      places.push_back(found.intern(part));
      if (static_cast<std::size_t>(places.back()) == names.size()) names.push_back(detail::feature_name(group, part));
    }
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    for (const Index place : places)
      entries[r].emplace_back(columns_.size() + place, static_cast<float>(1.0 / std::sqrt(static_cast<double>(places.size()))));
  }
  add_group({std::string(group), FeatureColumns::Kind::list, 0, 0, {}, std::string(separator)}, std::move(names), entries);
}

KINDRED_ONCE void FeatureTable::add_numbers(std::string_view group, std::span<const std::optional<double>> values, std::size_t knots) {
  check_length(group, values.size());
  if (knots < 2) throw InvalidArgument("knots", knots, "at least 2");
  std::vector<double> sorted;
  for (std::size_t r = 0; r < values.size(); ++r) {
    if (!values[r]) continue;
    if (!detail::is_finite(*values[r]))
      throw InvalidArgument("the feature " + std::string(group) + ", row " + std::to_string(r), *values[r],
                            "finite, or std::nullopt where it is not known");
    sorted.push_back(*values[r]);
  }
  std::sort(sorted.begin(), sorted.end());
  FeatureColumns::Group made{std::string(group), FeatureColumns::Kind::number, 0, 0, {}, {}};
  for (std::size_t n = 0; n < knots && !sorted.empty(); ++n) {
    const double knot = sorted[(sorted.size() - 1) * n / (knots - 1)];
    if (made.numbers.empty() || knot > made.numbers.back()) made.numbers.push_back(knot);
  }
  std::vector<std::string> names;
  for (const double knot : made.numbers) names.push_back(detail::feature_name(group, detail::number_text(knot)));
  std::vector<std::vector<detail::FeatureEntry>> entries(values.size());
  for (std::size_t r = 0; r < values.size(); ++r)
    if (values[r]) detail::append_knots(made.numbers, *values[r], columns_.size(), entries[r]);
  add_group(std::move(made), std::move(names), entries);
}

KINDRED_ONCE void FeatureTable::add_words(std::string_view group, const KeyColumn& texts, std::size_t min_rows,
                                          std::string_view separator) {
  check_length(group, texts.size());
  if (separator.empty()) throw InvalidArgument("separator", "''", "at least one character");
  IdMap found;
  std::vector<std::size_t> in_rows, last_row;
  KeyColumn::Buffer buffer;
  const auto words_of = [&](std::size_t r) { return detail::split_list(texts.text(r, buffer), separator); };
  for (std::size_t r = 0; r < texts.size(); ++r) {
    for (const std::string_view word : words_of(r)) {
      const auto place = static_cast<std::size_t>(found.intern(word));
      if (place == in_rows.size()) {
        in_rows.push_back(0);
        last_row.push_back(texts.size());
      }
      if (last_row[place] != r) ++in_rows[place];
      last_row[place] = r;
    }
  }
  FeatureColumns::Group made{std::string(group), FeatureColumns::Kind::words, 0, 0, {}, std::string(separator)};
  std::vector<std::string> names;
  std::vector<Index> column(in_rows.size(), -1);
  for (std::size_t word = 0; word < in_rows.size(); ++word) {
    if (in_rows[word] < min_rows) continue;
    column[word] = columns_.size() + static_cast<Index>(names.size());
    names.push_back(detail::feature_name(group, found.key(static_cast<Index>(word))));
    made.numbers.push_back(std::log(static_cast<double>(texts.size()) / static_cast<double>(in_rows[word])));
  }
  std::vector<std::vector<detail::FeatureEntry>> entries(texts.size());
  for (std::size_t r = 0; r < texts.size(); ++r) {
    std::vector<Index> kept;
    for (const std::string_view word : words_of(r))
      if (const Index known = column[static_cast<std::size_t>(*found.find(word))]; known >= 0) kept.push_back(known);
    detail::append_words(std::move(kept), made.numbers, columns_.size(), entries[r]);
  }
  add_group(std::move(made), std::move(names), entries);
}

KINDRED_ONCE FeatureTable::Joined FeatureTable::join(const IdMap& keys) const {
  if (keys_.size() != rows()) throw InvalidArgument("the feature table", "without keys", "one whose rows have keys");
  Joined joined{FeatureTable(keys), 0, 0, 0};
  detail::CsrBuilder builder({keys.size(), columns_.size()});
  for (Index r = 0; r < keys.size(); ++r) {
    if (const std::optional<Index> found = keys_.find(keys.key(r))) {
      ++joined.matched;
      for (std::size_t n = 0; n < row(*found).size(); ++n) builder.add(row(*found).columns[n], row(*found).values[n]);
    }
    builder.end_row();
  }
  joined.unmatched = keys.size() - joined.matched;
  joined.unused = rows() - joined.matched;
  joined.table.matrix_ = builder.finish();
  joined.table.columns_ = columns_;
  joined.table.load_ = load_;
  return joined;
}

KINDRED_ONCE FeatureTable FeatureTable::select(std::span<const Index> wanted) const {
  return FeatureTable(select_rows(matrix_, wanted), columns_);
}

KINDRED_ONCE void FeatureTable::append(const CsrView& below) {
  if (below.cols() != columns_.size())
    throw ShapeError("the features have " + std::to_string(below.cols()) + " columns; the table has " + std::to_string(columns_.size()));
  CsrMatrix cleaned;
  matrix_ = append_rows(matrix_, detail::without_stored_zeros(below, cleaned));
  keys_ = IdMap();
}

}  // namespace kindred::inline v0
