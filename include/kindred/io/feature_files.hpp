// SPDX-License-Identifier: MIT
#pragma once

// Features of users and items in text files, for FeatureTable::join.
//
// MovieLens 1M (Harper and Konstan, The MovieLens Datasets, ACM TiiS 2015), https://grouplens.org/datasets/movielens; see its README for the terms.
// users.dat    6,040 lines "user::gender::age::occupation::zip"; ages and occupations are codes.
// movies.dat   3,883 lines "movie::title (year)::genre|genre", in Latin-1; 18 genres.
//
// citeulike-a (Wang, Chen, Li, Collaborative Topic Regression with Social Regularization, IJCAI 2013), https://github.com/js05212/citeulike-a.
// item-tag.dat  16,980 lines "n tag tag ...", one an article: 239,253 pairs of 46,390 tags; 3,461 articles have none.
// tags.dat      the name of tag k on line k.
//
// Profiles of Last.fm: read_lastfm_1k_profiles, join_profiles, then FeatureTable::of_profiles.

#include <string>
#include <vector>

#include <kindred/core/path.hpp>
#include <kindred/data/feature_table.hpp>
#include <kindred/io/delimited_format.hpp>
#include <kindred/io/read_options.hpp>

namespace kindred::inline v0 {

/// A column of a text file that becomes a group of features.
struct FeatureField {
  DelimitedFormat::Column column;  ///< By index from 0, or by name.
  std::string group;               ///< Name of the group.
  FeatureColumns::Kind kind = FeatureColumns::Kind::category;
  std::string separator = "|";  ///< Between values of Kind::list and Kind::words.
};

/// Reads a text file with a line for each user or item: its key, and fields that become groups of features. Empty fields are missing.
///
/// `format`: the form of the file; its `user` is the column of keys, no other column is used. `fields`: at least one; Kind::plain is none of them.
/// O(bytes of the file).
/// @throws IoError, ParseError as read_delimited does; ParseError for a key that comes twice and a number that is not finite; InvalidArgument if `fields` is
/// not valid.
[[nodiscard]] KINDRED_ONCE FeatureTable read_features(const Path& path, const DelimitedFormat& format,
                                                      const std::vector<FeatureField>& fields, const ReadOptions& options = {});

/// Reads users.dat or movies.dat of MovieLens 1M, by the number of fields: gender, age and occupation, or genres and year. Latin-1 becomes UTF-8.
/// O(bytes of the file). @throws as read_features does; ParseError for a file of another form. Source: Harper and Konstan 2015.
[[nodiscard]] KINDRED_ONCE FeatureTable read_movielens_features(const Path& path, const ReadOptions& options = {});

/// Reads the tags of citeulike-a, weighed as words are (FeatureTable::add_words): a row for each article, keys "0", "1", ... A tag is called by its
/// number. O(bytes of the file). @throws IoError, ParseError as read_delimited does. Source: Wang, Chen, Li 2013.
[[nodiscard]] KINDRED_ONCE FeatureTable read_citeulike_tags(const Path& path, const ReadOptions& options = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/io/feature_files.ipp>  // IWYU pragma: export
#endif
