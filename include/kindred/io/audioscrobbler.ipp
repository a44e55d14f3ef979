// SPDX-License-Identifier: MIT
#pragma once

// The bodies of io/audioscrobbler.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/data/dataset.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/io/audioscrobbler.hpp>
#include <kindred/io/item_names.hpp>
#include <kindred/io/numbers.hpp>
#include <kindred/io/read_records.hpp>
#include <kindred/io/table.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The artist that is meant by each misspelt one.
struct ArtistAliases {
  IdMap misspelt;
  std::vector<std::string> meant;  ///< Length misspelt.size().
  LoadReport load;
};

/// Of two lines for one misspelt artist the second is bad.
[[nodiscard]] inline ArtistAliases read_artist_aliases(const std::string& path, const ReadOptions& options) {
  TableReader table(path, {.field_count = 2}, options);
  ArtistAliases aliases;
  while (table.next()) {
    const std::string_view misspelt = table.fields()[0];
    const std::string_view meant = table.fields()[1];
    const std::size_t wrong = !parse_integer<std::int64_t>(misspelt) ? 0 : !parse_integer<std::int64_t>(meant) ? 1 : 2;
    if (wrong < 2) {
      table.bad({wrong + 1, printable(table.fields()[wrong]), "an artist id, a whole number"});
    } else if (aliases.misspelt.find(misspelt)) {
      table.bad({1, "the artist " + printable(misspelt) + " again", "one line for each artist"});
    } else {
      aliases.misspelt.intern(misspelt);
      aliases.meant.emplace_back(meant);
    }
  }
  aliases.load = table.finish();
  return aliases;
}

}  // namespace detail

KINDRED_ONCE Dataset read_audioscrobbler(const Path& user_artist_data_path, const AudioscrobblerOptions& options) {
  ReadOptions lenient = options.read;
  lenient.on_bad_line = ReadOptions::BadLinePolicy::skip;
  const bool has_aliases = !options.artist_alias_path.empty();
  const detail::ArtistAliases aliases =
      has_aliases ? detail::read_artist_aliases(options.artist_alias_path, lenient) : detail::ArtistAliases{};
  const auto meant = [&](std::string_view artist) {
    const std::optional<Index> alias = aliases.misspelt.find(artist);
    return alias ? std::string_view(aliases.meant[static_cast<std::size_t>(*alias)]) : std::string_view{};
  };
  Dataset data =
      detail::read_records(user_artist_data_path, {.separator = " ", .field_count = 3, .value = 2, .time = {}}, options.read, meant);
  if (has_aliases) data.load.companions.push_back(aliases.load);
  if (options.artist_data_path.empty()) return data;
  return join_item_names(std::move(data), options.artist_data_path, {.field_count = 2}, lenient);
}

}  // namespace kindred::inline v0
