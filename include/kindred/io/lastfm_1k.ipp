// SPDX-License-Identifier: MIT
#pragma once

// The bodies of io/lastfm_1k.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/rounding.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/io/delimited.hpp>
#include <kindred/io/lastfm.hpp>
#include <kindred/io/lastfm.ipp>
#include <kindred/io/lastfm_1k.hpp>
#include <kindred/io/numbers.hpp>
#include <kindred/io/profiles.hpp>
#include <kindred/io/table.hpp>

namespace kindred::inline v0 {

KINDRED_ONCE Dataset read_lastfm_1k_events(const Path& path, const LastfmOptions& options) {
  DelimitedFormat format{.field_count = 6, .value = {}, .time = 1, .time_format = detail::TimeFormat::iso_8601};
  detail::set_item_key(format, options.item_key, 2, 3);
  return read_delimited(path, format, options.read);
}

KINDRED_ONCE ProfileTable read_lastfm_1k_profiles(const Path& path, const ReadOptions& options) {
  return detail::read_lastfm_profiles(path, detail::Header::first_line, options);
}

namespace detail {

struct IndexedNames {
  std::vector<std::string> names;
  LoadReport load;
};

/// The names of an "index,name" file in the order of their indices, which are 0, 1, 2 ... in any order; names are unique and not empty.
[[nodiscard]] inline IndexedNames read_indexed_names(const std::string& path, const OpenBytes& open) {
  TableReader table(path, {.separator = ",", .quoting = Quoting::rfc_4180, .field_count = 2}, {.open = open});
  IdMap seen;
  std::vector<std::size_t> indices;
  while (table.next()) {
    const std::string_view name = table.fields()[1];
    const auto index = parse_integer<std::uint32_t>(table.fields()[0]);
    if (!index) table.bad({1, printable(table.fields()[0]), "an index from 0"});
    if (name.empty()) table.bad({2, "an empty name", "a name"});
    if (const Index before = seen.size(); seen.intern(name) != before)
      table.bad({2, "the name " + printable(name) + " again", "every name once"});
    indices.push_back(*index);
  }
  IndexedNames result{{}, table.finish()};
  result.names.resize(indices.size());
  for (std::size_t n = 0; n < indices.size(); ++n) {
    const bool fits = indices[n] < indices.size();
    if (!fits || !result.names[indices[n]].empty())
      throw ParseError(path, 0, 0, "the index " + std::to_string(indices[n]) + (fits ? " twice" : ""),
                       "each index from 0 to " + std::to_string(indices.size() - 1) + " once");
    result.names[indices[n]] = seen.key(static_cast<Index>(n));
  }
  return result;
}

}  // namespace detail

KINDRED_ONCE Dataset read_dense_counts(const Path& path, const DenseCountsOptions& options) {
  const detail::RoundToNearest rounding;
  Dataset data;
  std::vector<LoadReport> companions;
  const auto read_names = [&](const std::string& names_path) {
    if (names_path.empty()) return std::vector<std::string>{};
    detail::IndexedNames read = detail::read_indexed_names(names_path, options.read.open);
    companions.push_back(std::move(read.load));
    return std::move(read.names);
  };
  const std::vector<std::string> user_names = read_names(options.user_names_path);
  const std::vector<std::string> item_names = read_names(options.item_names_path);

  detail::TableReader table(path, {.separator = options.separator, .field_count = item_names.size()}, options.read);
  std::vector<Offset> offsets{0};
  std::vector<Index> columns;
  std::vector<float> values;
  std::size_t width = item_names.size();
  const auto parse_row = [&]() -> std::optional<detail::LineProblem> {
    for (std::size_t n = 0; n < table.fields().size(); ++n) {
      const std::string_view text = table.fields()[n];
      const std::optional<float> count = detail::parse_float(text);
      if (!count || *count < 0.0F) return detail::LineProblem{n + 1, detail::printable(text), "a count of at least 0"};
      if (*count == 0.0F) continue;
      columns.push_back(static_cast<Index>(n));
      values.push_back(*count);
    }
    return std::nullopt;
  };
  while (table.next()) {
    const auto user = static_cast<std::size_t>(table.row_number() - 1);
    if (!user_names.empty() && user >= user_names.size())
      throw ParseError(path.string(), 0, 0, "more than " + std::to_string(user_names.size()) + " rows",
                       "one for each name of " + options.user_names_path);
    width = table.fields().size();
    if (const auto problem = parse_row()) {
      columns.resize(static_cast<std::size_t>(offsets.back()));
      values.resize(columns.size());
      table.bad(*problem);
      continue;
    }
    offsets.push_back(static_cast<Offset>(columns.size()));
    data.users.intern(user_names.empty() ? std::to_string(user) : user_names[user]);
  }
  const auto rows = static_cast<std::size_t>(table.row_number());
  if (!user_names.empty() && rows < user_names.size() && !table.stopped())
    throw ParseError(path.string(), 0, 0, std::to_string(rows) + " rows",
                     std::to_string(user_names.size()) + ", one for each name of " + options.user_names_path);

  for (std::size_t i = 0; i < width; ++i) data.items.intern(item_names.empty() ? std::to_string(i) : item_names[i]);
  data.item_names = item_names;
  data.load = table.finish();
  data.load.companions = std::move(companions);
  data.matrix = CsrMatrix({data.users.size(), data.items.size()}, std::move(offsets), std::move(columns), std::move(values));
  return data;
}

}  // namespace kindred::inline v0
