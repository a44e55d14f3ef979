// SPDX-License-Identifier: MIT
#pragma once

// Audioscrobbler 2005 (the plays of the site that became Last.fm, published on 6 May 2005; the data of chapter 3 of Ryza, Laserson, Owen, Wills,
// Advanced Analytics with Spark, O'Reilly 2015). Non-commercial use, data (c) Audioscrobbler.
//
// user_artist_data.txt   space, no header: user, artist, plays; all whole numbers.
// artist_data.txt        tab, no header: artist, name. Some lines are broken (no tab, or a name cut over two lines): skipped and counted, always.
// artist_alias.txt       tab, no header: misspelt artist, the artist that is meant. Some lines lack the first id: skipped and counted, always.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/path.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/io/delimited.hpp>
#include <kindred/io/item_names.hpp>
#include <kindred/io/numbers.hpp>
#include <kindred/io/table.hpp>

namespace kindred::inline v0 {

/// How read_audioscrobbler reads.
struct AudioscrobblerOptions {
  std::string artist_data_path = {};   ///< For the names; empty: items have none.
  std::string artist_alias_path = {};  ///< For the misspelt artists; empty: every id stands for itself.
  ReadOptions read = {};               ///< For user_artist_data.txt; the other two are always read with ReadOptions::BadLinePolicy::skip.
};

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

/// Plays of Audioscrobbler 2005 (`user_artist_data.txt`): n_users x n_artists, values are plays.
///
/// Aliases are applied once, not in chains, as the book does; `load.noted["alias applied"]` counts the rows. A user's plays of the two spellings of
/// an artist become one sum. O(bytes of the files). Doubtful lines are decided as read_delimited does.
/// @throws IoError, ParseError, InvalidArgument as read_delimited does.
/// Source: Ryza, Laserson, Owen, Wills 2015, chapter 3.
[[nodiscard]] inline Dataset read_audioscrobbler(const Path& user_artist_data_path, const AudioscrobblerOptions& options = {}) {
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
