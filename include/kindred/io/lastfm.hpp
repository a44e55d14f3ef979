// SPDX-License-Identifier: MIT
#pragma once

// Last.fm 360K (Celma, Music Recommendation and Discovery in the Long Tail, Springer 2010): users and the artists they played most, collected in
// fall 2008. http://ocelma.net/MusicRecommendationDataset/lastfm-360K.html; non-commercial use, distributed with permission of Last.fm.
//
// usersha1-artmbid-artname-plays.tsv   tab, no header, LF: user sha1 (40 hex digits), MusicBrainz id of the artist (36 characters, or EMPTY),
//                                      artist name, plays. 17.5 million lines, 1.6 GB. Names hold quotes: never unquote them.
// usersha1-profile.tsv                 tab, no header: user sha1, gender (m, f or empty), age (a number or empty), country, signup date
//                                      ("Sep 30, 2005"). Ages include -1337.
//
// Quirks: one mbid stands under several spellings of a name (sigur ros with and without the accent), one name under several mbids, and some
// (user, mbid) pairs come more than once; their plays are summed. Known counts, rows of empty mbid dropped and plays > 0: 358,858 users,
// 160,112 artists, 17,309,518 interactions.

#include <string>

#include <kindred/core/config.hpp>
#include <kindred/core/path.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/profiles.hpp>
#include <kindred/io/read_options.hpp>

namespace kindred::inline v0 {

/// How read_lastfm_360k reads.
struct LastfmOptions {
  /// What stands for an artist in the Last.fm files that hold both a MusicBrainz id and a name.
  enum class ItemKey {
    mbid,            ///< The id, as most published studies do; rows without one are dropped and counted ("no item key").
    name,            ///< The name as written; artists of one name become one item.
    mbid_else_name,  ///< The id, or the name where there is none: no row is lost, but one artist may be two items.
  };

  ItemKey item_key = ItemKey::mbid;
  ReadOptions read = {};
};

/// Plays of Last.fm 360K (`usersha1-artmbid-artname-plays.tsv`): n_users x n_artists, values are plays.
///
/// O(bytes of the file). Doubtful lines are decided as read_delimited does; a row without the chosen item key is dropped and counted.
/// @throws IoError, ParseError, InvalidArgument as read_delimited does.
/// Source: Celma 2010.
[[nodiscard]] KINDRED_ONCE Dataset read_lastfm_360k(const Path& path, const LastfmOptions& options = {});

/// Profiles of Last.fm 360K (`usersha1-profile.tsv`), for join_profiles.
///
/// Empty fields are missing; an age outside 1 to 120 is read as missing and counted; signup is in seconds since the Unix epoch, at the start of the
/// day in UTC. Another gender than m, f or nothing, an age that is no whole number, an impossible date and a repeated user are bad lines.
/// O(bytes of the file).
/// @throws IoError, ParseError, InvalidArgument as read_delimited does.
/// Source: Celma 2010.
[[nodiscard]] KINDRED_ONCE ProfileTable read_lastfm_360k_profiles(const Path& path, const ReadOptions& options = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/io/lastfm.ipp>  // IWYU pragma: export
#endif
