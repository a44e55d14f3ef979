// SPDX-License-Identifier: MIT
#pragma once

// The bodies of io/movielens.hpp: included by it, or compiled once in a program that defines KINDRED_COMPILED (core/config.hpp).

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <kindred/core/error.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/movielens.hpp>
#include <kindred/io/read_records.hpp>

namespace kindred::inline v0 {

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

KINDRED_ONCE Dataset read_movielens(const Path& path, const MovielensOptions& options) {
  if (options.min_rating && !detail::is_finite(*options.min_rating)) throw InvalidArgument("min_rating", *options.min_rating, "finite");
  if (options.opinions) detail::check_rating_rule(*options.opinions, "opinions.");
  if (options.opinions && options.min_rating)
    throw InvalidArgument("min_rating", *options.min_rating, "not set: `opinions` says what becomes of ratings");
  detail::LineSource source = detail::TableReader::open(path, options.read);
  DelimitedFormat format = detail::movielens_format(source, options.read);
  format.min_value = options.min_rating;
  format.ratings = options.opinions;
  return detail::read_records(std::move(source), format, options.read);
}

}  // namespace kindred::inline v0
