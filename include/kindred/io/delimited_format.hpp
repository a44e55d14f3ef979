// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <kindred/core/error.hpp>
#include <kindred/data/ratings.hpp>
#include <kindred/io/read_options.hpp>

namespace kindred::inline v0 {

namespace detail {

/// A column of a text file: by index from 0 (`.item = 1`), by its name in the header (`.item = "artistID"`), or none (`.value = {}`).
struct Column {
  std::variant<std::monostate, std::size_t, std::string> place;
  bool optional = false;  ///< None, where the header (or else the first line) has no such column.

  Column() = default;
  /// @throws InvalidArgument if `index` is negative.
  template <std::integral T>
  Column(T index) {
    set(static_cast<std::uint64_t>(index), std::cmp_less(index, 0));
  }
  /// By its name in the header line.
  Column(std::string name);
  /// The same.
  Column(const char* name);

  /// True for a column that the file does not have.
  [[nodiscard]] bool is_none() const noexcept { return place.index() == 0; }

 private:
  void set(std::uint64_t index, bool is_negative);
};

/// What a value below zero means.
enum class NegativeValue {
  bad_line,  ///< An error: a count of plays cannot be negative.
  keep,      ///< A dislike.
};

/// What a row without an item key means.
enum class EmptyItem {
  bad_line,  ///< An error.
  drop,      ///< A row to leave out and count ("no item key").
};

/// How a time is written.
enum class TimeFormat {
  /// Seconds since 1970, negative before; a fraction is cut off. 10^11 and more (the year 5138) are a bad line: they are milliseconds.
  unix_seconds,
  /// A date, 2009-05-04, or a date and time, 2009-05-04T23:08:57Z: with a space instead of T, without seconds or with a fraction of them
  /// (cut off), an offset such as +02:00, or none, which is UTC.
  iso_8601,
  unix_milliseconds,  ///< Milliseconds since 1970, cut to seconds; below 10^14.
};

}  // namespace detail

/// The form of a text file of interactions. The default is `user item [value [time]]`, tab-separated, without a header.
struct DelimitedFormat {
  using Column = detail::Column;
  using Header = detail::Header;
  using Quoting = detail::Quoting;
  using FieldRule = detail::FieldRule;
  using NegativeValue = detail::NegativeValue;
  using EmptyItem = detail::EmptyItem;
  using TimeFormat = detail::TimeFormat;

  /// The column, if the file has it: `.value = kd::DelimitedFormat::if_present(2)`.
  [[nodiscard]] static Column if_present(Column column) {
    column.optional = true;
    return column;
  }

  std::string separator = "\t";  ///< One or more characters; two in a row hold an empty field between them.
  Header header = Header::none;
  Quoting quoting = Quoting::none;
  std::string comment_prefix = {};  ///< Lines that start so are skipped; empty: none.
  FieldRule field_rule = FieldRule::same;
  std::size_t field_count = 0;  ///< Fields of every line under DelimitedFormat::FieldRule::same; 0: as many as the header or first line.

  Column user = 0;
  Column item = 1;
  Column item_fallback = {};  ///< The item key of rows whose `item` is empty.
  EmptyItem empty_item = EmptyItem::bad_line;
  Column value = if_present(2);  ///< None: every row counts 1.
  NegativeValue negative = NegativeValue::bad_line;
  std::optional<float> min_value = {};  ///< Rows with a smaller value are dropped and counted.
  /// If set, values are ratings, which become 1 for a like and -1 for a dislike; the others are dropped and counted ("neither liked nor disliked"). Not with
  /// min_value.
  std::optional<RatingRule> ratings = {};
  Column time = if_present(3);
  TimeFormat time_format = TimeFormat::unix_seconds;
  Column item_name = {};  ///< What to call the item; the first that is not empty stays.
};

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/io/delimited_format.ipp>  // IWYU pragma: export
#endif
