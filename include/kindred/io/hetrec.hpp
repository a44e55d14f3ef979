// SPDX-License-Identifier: MIT
#pragma once

// HetRec 2011 Last.fm 2k (Cantador, Brusilovsky, Kuflik, RecSys 2011; GroupLens and UAM), http://ir.ii.uam.es/hetrec2011.
// Non-commercial research use; data (c) Last.fm.
//
// user_artists.dat   tab, CR LF, header "userID artistID weight": 92,834 rows, 1,892 users, 17,632 artists, weights from 1 to 352,698 that sum to
//                    69,183,975. No zero, no pair twice. Ids have gaps.
// artists.dat        tab, LF, header "id name url pictureURL" (the last may be empty): 17,632 artists. 16 names hold a double quote: never unquote.
//
// The preparation of published studies (users with at least 5 artists, then artists with at least 5 of the remaining users, once: filter_active)
// leaves 71,411 interactions of 1,874 users and 2,828 artists.

#include <string>

#include <kindred/core/path.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/read_options.hpp>

namespace kindred::inline v0 {

/// How read_hetrec2011_lastfm reads.
struct HetrecOptions {
  std::string artists_path = {};  ///< artists.dat, for the names; empty: items have none.
  ReadOptions read = {};          ///< For both files.
};

/// Plays of HetRec 2011 Last.fm (`user_artists.dat`), with the names of `artists.dat`: n_users x n_artists, values are plays.
///
/// O(bytes of the files). Doubtful lines are decided as read_delimited does.
/// @throws IoError, ParseError, InvalidArgument as read_delimited does.
/// Source: Cantador, Brusilovsky, Kuflik 2011.
[[nodiscard]] KINDRED_ONCE Dataset read_hetrec2011_lastfm(const Path& user_artists_path, const HetrecOptions& options = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/io/hetrec.ipp>  // IWYU pragma: export
#endif
