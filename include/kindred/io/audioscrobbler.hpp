// SPDX-License-Identifier: MIT
#pragma once

// Audioscrobbler 2005 (the plays of the site that became Last.fm, published on 6 May 2005; the data of chapter 3 of Ryza, Laserson, Owen, Wills,
// Advanced Analytics with Spark, O'Reilly 2015). Non-commercial use, data (c) Audioscrobbler.
//
// user_artist_data.txt   space, no header: user, artist, plays; all whole numbers.
// artist_data.txt        tab, no header: artist, name. Some lines are broken (no tab, or a name cut over two lines): skipped and counted, always.
// artist_alias.txt       tab, no header: misspelt artist, the artist that is meant. Some lines lack the first id: skipped and counted, always.

#include <string>

#include <kindred/core/path.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/read_options.hpp>

namespace kindred::inline v0 {

/// How read_audioscrobbler reads.
struct AudioscrobblerOptions {
  std::string artist_data_path = {};   ///< For the names; empty: items have none.
  std::string artist_alias_path = {};  ///< For the misspelt artists; empty: every id stands for itself.
  ReadOptions read = {};               ///< For user_artist_data.txt; the other two are always read with ReadOptions::BadLinePolicy::skip.
};

/// Plays of Audioscrobbler 2005 (`user_artist_data.txt`): n_users x n_artists, values are plays.
///
/// Aliases are applied once, not in chains, as the book does; `load.noted["alias applied"]` counts the rows. A user's plays of the two spellings of
/// an artist become one sum. O(bytes of the files). Doubtful lines are decided as read_delimited does.
/// @throws IoError, ParseError, InvalidArgument as read_delimited does.
/// Source: Ryza, Laserson, Owen, Wills 2015, chapter 3.
[[nodiscard]] KINDRED_ONCE Dataset read_audioscrobbler(const Path& user_artist_data_path, const AudioscrobblerOptions& options = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/io/audioscrobbler.ipp>  // IWYU pragma: export
#endif
