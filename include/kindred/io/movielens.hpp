// SPDX-License-Identifier: MIT
#pragma once

// MovieLens (Harper and Konstan, The MovieLens Datasets, ACM TiiS 2015), https://grouplens.org/datasets/movielens; see each README for its terms.
//
// u.data        100K: tab, no header: user, item, rating, seconds since 1970.
// ratings.dat   1M and 10M: "::" between the same four columns, no header.
// ratings.csv   20M and later, and the "latest" sets: comma, header "userId,movieId,rating,timestamp".
// Ratings run from 0.5 or 1 to 5 stars. Titles: join_item_names on movies.csv (comma, header, RFC 4180 quotes); u.item and movies.dat are Latin-1 and
// have to be converted to UTF-8 first.

#include <optional>
#include <string>

#include <kindred/core/path.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/data/ratings.hpp>
#include <kindred/io/read_options.hpp>

namespace kindred::inline v0 {

/// How read_movielens reads.
struct MovielensOptions {
  std::optional<float> min_rating = std::nullopt;  ///< If set, rows with a lower rating are dropped and counted ("below the minimum").
  /// If set, ratings become 1 for a like and -1 for a dislike; what lies between is dropped and counted ("neither liked nor disliked"). Not with min_rating.
  std::optional<RatingRule> opinions = std::nullopt;
  ReadOptions read = {};
};

/// Ratings of MovieLens in any of its three forms: n_users x n_movies, values are stars or opinions, `times` the times of rating.
///
/// The first line decides between tabs, `::` and csv. O(bytes of the file). Doubtful lines are decided as read_delimited does.
/// @throws IoError, ParseError, InvalidArgument as read_delimited does; ParseError if the first line has none of the three forms.
/// Source: Harper and Konstan 2015.
[[nodiscard]] KINDRED_ONCE Dataset read_movielens(const Path& path, const MovielensOptions& options = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/io/movielens.ipp>  // IWYU pragma: export
#endif
