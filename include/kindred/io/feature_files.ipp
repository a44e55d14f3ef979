// SPDX-License-Identifier: MIT
#pragma once

// The bodies of io/feature_files.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/text.hpp>
#include <kindred/data/feature_table.ipp>
#include <kindred/data/id_map.hpp>
#include <kindred/io/column_places.hpp>
#include <kindred/io/feature_files.hpp>
#include <kindred/io/input_file.hpp>
#include <kindred/io/table.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The values of a group while a file is read.
struct FeatureValues {
  std::vector<std::string> texts;
  std::vector<std::optional<double>> numbers;
};

/// Where a column is in a table.
[[nodiscard]] inline std::size_t feature_place(const Column& column, const TableReader& table) {
  if (const auto* name = std::get_if<std::string>(&column.place)) return place_by_name(*name, column, table);
  if (const auto* index = std::get_if<std::size_t>(&column.place)) return *index;
  throw InvalidArgument("column", "none", "a column of the file");
}

[[nodiscard]] inline FeatureTable table_of(IdMap keys, const std::vector<FeatureField>& fields, std::vector<FeatureValues>& values,
                                           LoadReport load) {
  FeatureTable table(std::move(keys));
  for (std::size_t f = 0; f < fields.size(); ++f) {
    switch (fields[f].kind) {
      case FeatureColumns::Kind::number: table.add_numbers(fields[f].group, values[f].numbers); break;
      case FeatureColumns::Kind::list: table.add_lists(fields[f].group, values[f].texts, fields[f].separator); break;
      case FeatureColumns::Kind::words: table.add_words(fields[f].group, values[f].texts, 2, fields[f].separator); break;
      default: table.add_categories(fields[f].group, values[f].texts);
    }
  }
  table.set_load(std::move(load));
  return table;
}

/// Takes the key of a row; false if the row is bad.
[[nodiscard]] inline bool take_key(TableReader& table, std::size_t place, IdMap& keys) {
  const std::string_view key = table.fields()[place];
  if (key.empty()) {
    table.bad({place + 1, "an empty key", "a key"});
    return false;
  }
  if (keys.find(key)) {
    table.bad({place + 1, "the key " + printable(key) + " again", "one line for each key"});
    return false;
  }
  keys.intern(key);
  return true;
}

/// All bytes of a file, as UTF-8: where they are not, they are taken for Latin-1.
[[nodiscard]] inline std::shared_ptr<const std::string> utf8_of(const Path& path, const ReadOptions& options) {
  std::string bytes;
  char piece[1 << 14];
  if (options.open) {
    const ReadBytes read = options.open(path);
    for (std::size_t got = read(piece, sizeof piece); got > 0; got = read(piece, sizeof piece)) bytes.append(piece, got);
  } else {
    InputFile file(path.string());
    for (std::size_t got = file.read(piece, sizeof piece); got > 0; got = file.read(piece, sizeof piece)) bytes.append(piece, got);
  }
  if (find_bad_byte(bytes) == std::string_view::npos) return std::make_shared<const std::string>(std::move(bytes));
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0 | (byte >> 6));
      text += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return std::make_shared<const std::string>(std::move(text));
}

/// Reading from memory.
[[nodiscard]] inline OpenBytes opens_text(std::shared_ptr<const std::string> text) {
  return [text = std::move(text)](const std::string&) -> ReadBytes {
    return [text, at = std::size_t{0}](char* to, std::size_t most) mutable {
      const std::size_t count = (std::min)(most, text->size() - at);
      std::copy_n(text->data() + at, count, to);
      at += count;
      return count;
    };
  };
}

}  // namespace detail

KINDRED_ONCE FeatureTable read_features(const Path& path, const DelimitedFormat& format, const std::vector<FeatureField>& fields,
                                        const ReadOptions& options) {
  if (fields.empty()) throw InvalidArgument("fields", "empty", "at least one column of features");
  for (const FeatureField& field : fields)
    if (field.kind == FeatureColumns::Kind::plain) throw InvalidArgument("kind", "FeatureColumns::Kind::plain", "one of the others");
  detail::TableReader table(path, detail::table_format(format), options);
  const std::size_t key = detail::feature_place(format.user, table);
  std::vector<std::size_t> places;
  places.reserve(fields.size());
  for (const FeatureField& field : fields) places.push_back(detail::feature_place(field.column, table));
  table.require_fields((std::max)(key, *std::max_element(places.begin(), places.end())) + 1);

  IdMap keys;
  std::vector<detail::FeatureValues> values(fields.size());
  while (table.next()) {
    std::vector<std::optional<double>> numbers(fields.size());
    bool good = true;
    for (std::size_t f = 0; f < fields.size() && good; ++f) {
      const std::string_view text = table.fields()[places[f]];
      if (fields[f].kind != FeatureColumns::Kind::number || text.empty()) continue;
      numbers[f] = detail::feature_number(text);
      good = numbers[f].has_value();
      if (!good) table.bad({places[f] + 1, detail::printable(text), "a finite number, or nothing"});
    }
    if (!good || !detail::take_key(table, key, keys)) continue;
    for (std::size_t f = 0; f < fields.size(); ++f) {
      if (fields[f].kind == FeatureColumns::Kind::number)
        values[f].numbers.push_back(numbers[f]);
      else
        values[f].texts.emplace_back(table.fields()[places[f]]);
    }
  }
  return detail::table_of(std::move(keys), fields, values, table.finish());
}

KINDRED_ONCE FeatureTable read_movielens_features(const Path& path, const ReadOptions& options) {
  ReadOptions from_memory = options;
  from_memory.open = detail::opens_text(detail::utf8_of(path, options));
  const DelimitedFormat format{.separator = "::", .user = 0};
  detail::TableReader table(path, detail::table_format(format), from_memory);
  if (!table.next()) (void)table.finish();  // throws: there is no row
  const std::size_t width = table.fields().size();
  using Kind = FeatureColumns::Kind;
  if (width == 5) return read_features(path, format, {{1, "gender"}, {2, "age"}, {3, "occupation"}}, from_memory);
  if (width != 3) throw ParseError(path.string(), 1, 0, std::to_string(width) + " fields between ::", "5 (users.dat) or 3 (movies.dat)");

  IdMap keys;
  std::vector<detail::FeatureValues> values(2);
  do {
    if (!detail::take_key(table, 0, keys)) continue;
    const std::string_view title = table.fields()[1];
    values[0].texts.emplace_back(table.fields()[2]);
    const bool has_year = title.size() >= 6 && title[title.size() - 6] == '(' && title.back() == ')';
    values[1].numbers.push_back(has_year ? detail::feature_number(title.substr(title.size() - 5, 4)) : std::nullopt);
  } while (table.next());
  return detail::table_of(std::move(keys), {{2, "genre", Kind::list, "|"}, {1, "year", Kind::number}}, values, table.finish());
}

KINDRED_ONCE FeatureTable read_citeulike_tags(const Path& path, const ReadOptions& options) {
  detail::TableReader table(path, {.separator = " ", .field_rule = DelimitedFormat::FieldRule::at_least}, options);
  table.require_fields(1);
  IdMap keys;
  std::vector<detail::FeatureValues> values(1);
  while (table.next()) {
    const auto fields = table.fields();
    if (fields[0] != std::to_string(fields.size() - 1)) {
      table.bad({1, detail::printable(fields[0]), "the number of tags that follow, " + std::to_string(fields.size() - 1)});
      continue;
    }
    keys.intern(std::to_string(keys.size()));
    std::string& tags = values[0].texts.emplace_back();
    for (std::size_t n = 1; n < fields.size(); ++n) tags += (n > 1 ? " " : "") + std::string(fields[n]);
  }
  return detail::table_of(std::move(keys), {{0, "tag", FeatureColumns::Kind::words, " "}}, values, table.finish());
}

}  // namespace kindred::inline v0
