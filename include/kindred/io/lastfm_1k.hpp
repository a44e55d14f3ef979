// SPDX-License-Identifier: MIT
#pragma once

// Last.fm 1K (Celma, Music Recommendation and Discovery in the Long Tail, Springer 2010): every play of 992 users until May 2009.
// http://ocelma.net/MusicRecommendationDataset/lastfm-1K.html; non-commercial use, distributed with permission of Last.fm.
//
// userid-timestamp-artid-artname-traid-traname.tsv   tab, no header, a user's newest play first: user, time (2009-05-04T23:08:57Z), mbid of the
//                                                    artist (may be empty), artist name, mbid of the track (may be empty), track name.
// userid-profile.tsv                                 tab, header "#id gender age country registered". 992 users; missing: gender 108, age 706,
//                                                    country 85, signup 8.
//
// The same plays are also shared as a dense table of counts: lcvi_playcounts_dense.csv, comma, no header, a line for each of 992 users, a column for
// each of the 1,003 most played artists; 209,325 cells are not zero, they sum to 10,159,118, the largest is 26,496, and one line is all zeros.
// lcvi_ix2user.csv and lcvi_ix2artist.csv hold "index,name" for its lines and columns, quoted as CSV where a name holds a comma.

#include <string>

#include <kindred/core/path.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/lastfm.hpp>
#include <kindred/io/profiles.hpp>
#include <kindred/io/read_options.hpp>

namespace kindred::inline v0 {

/// Plays of Last.fm 1K (`userid-timestamp-artid-artname-traid-traname.tsv`): n_users x n_artists, values are plays, every line is one.
///
/// `times` holds the first play of each pair, `raw_rows` the number of plays. O(bytes of the file).
/// @throws IoError, ParseError, InvalidArgument as read_delimited does.
/// Source: Celma 2010.
[[nodiscard]] KINDRED_ONCE Dataset read_lastfm_1k_events(const Path& path, const LastfmOptions& options = {});

/// Profiles of Last.fm 1K (`userid-profile.tsv`), for join_profiles. What is decided, and what is thrown, as in read_lastfm_360k_profiles.
[[nodiscard]] KINDRED_ONCE ProfileTable read_lastfm_1k_profiles(const Path& path, const ReadOptions& options = {});

/// How a dense table of counts is read.
struct DenseCountsOptions {
  std::string user_names_path = {};  ///< "index,user" for each line of the table; empty: users are "0", "1", ...
  std::string item_names_path = {};  ///< "index,item" for each column of the table; empty: items are "0", "1", ...
  std::string separator = ",";       ///< Of the table itself.
  ReadOptions read = {};             ///< For the table; `open` for all files. A bad line of a names file is always an error.
};

/// A dense table of counts: a line for each user, a column for each item; cells of 0 are no interactions.
///
/// The dataset has every line and every column of the table, in their order, also those that are all zeros: users x items is what the file says.
/// `load.rows` counts lines. Lines that are bad, if these are skipped, are no users. A count is a decimal number of at least 0.
/// O(bytes of the files); memory for the cells that are not zero.
/// @throws IoError if a file cannot be read; ParseError for a bad line, a table and names of different sizes, or names that are not unique.
/// Source: the tables of Last.fm 1K counts that are described above.
[[nodiscard]] KINDRED_ONCE Dataset read_dense_counts(const Path& path, const DenseCountsOptions& options = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/io/lastfm_1k.ipp>  // IWYU pragma: export
#endif
