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
#include <string_view>
#include <utility>

#include <kindred/core/error.hpp>
#include <kindred/core/path.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/delimited.hpp>

namespace kindred::inline v0 {

/// How read_movielens reads.
struct MovielensOptions {
  float min_rating = 0.0F;  ///< Rows with a lower rating are dropped and counted ("below the minimum").
  ReadOptions read = {};
};

namespace detail {

/// The form of a MovieLens file, by its first line that is not blank.
[[nodiscard]] inline DelimitedFormat movielens_format(LineSource& source, const ReadOptions& options) {
  DelimitedFormat format{.field_count = 4, .value = 2, .time = 3};
  Line line;
  if (!source.peek(line)) return format;
  if (line.text.find("::") != std::string_view::npos) {
    format.separator = "::";
  } else if (line.text.find('\t') != std::string_view::npos) {
    format.separator = "\t";
  } else if (line.text.find(',') != std::string_view::npos) {
    format = {.separator = ",",
              .header = Header::first_line,
              .quoting = Quoting::rfc_4180,
              .user = "userId",
              .item = "movieId",
              .value = "rating",
              .time = "timestamp"};
  } else {
    const std::string found = line.too_long ? TableReader::too_long(options.max_line_bytes, line.lone_cr).found : printable(line.text);
    throw ParseError(source.path(), line.number, 0, found, "four columns separated by tabs, '::' or commas");
  }
  return format;
}

}  // namespace detail

/// Ratings of MovieLens in any of its three forms: n_users x n_movies, values are stars, `times` the times of rating.
///
/// The first line decides between tabs, `::` and csv. O(bytes of the file). Doubtful lines are decided as read_delimited does.
/// @throws IoError, ParseError, InvalidArgument as read_delimited does; ParseError if the first line has none of the three forms.
/// Source: Harper and Konstan 2015.
[[nodiscard]] inline Dataset read_movielens(const Path& path, const MovielensOptions& options = {}) {
  if (!detail::is_finite(options.min_rating)) throw InvalidArgument("min_rating", options.min_rating, "finite");
  detail::LineSource source = detail::TableReader::open(path, options.read);
  DelimitedFormat format = detail::movielens_format(source, options.read);
  format.min_value = options.min_rating;
  return detail::read_records(std::move(source), format, options.read, detail::keep_keys);
}

}  // namespace kindred::inline v0
