// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <kindred/core/config.hpp>
#include <kindred/core/path.hpp>
#include <kindred/data/dataset.hpp>
#include <kindred/io/delimited_format.hpp>
#include <kindred/io/read_options.hpp>

namespace kindred::inline v0 {

/// Reads a text file of interactions: one line for each `user item [value [time]]`, in the columns that `format` names.
///
/// The dataset is n_users x n_items, both numbered in the order in which they first come with a row that is kept. Rows of the same user and item
/// are summed; `times` holds the first time of each pair, `raw_rows` how many rows it was summed from (empty if no pair came twice).
/// Values are decimal numbers in the range of a float, 1 where there is no value column.
/// O(bytes of the file); memory about 20 bytes a row beside the keys. Lines are parsed by all threads; the dataset, the report and every error are
/// those of reading one line after the other.
///
/// What is decided about doubtful files:
/// - A value of 0, or a pair that sums to 0, is no interaction: dropped and counted, never an error.
/// - Bad lines: another number of fields than the first line; an empty user or item; a number that is empty, not finite, hexadecimal, signed '+',
///   beyond a float, longer than 64 characters or with anything beside it; a negative value; an impossible time; a byte that is not UTF-8, or
///   NUL; a CR that is not before LF; a byte order mark at the start of a line; an open quote, with all lines up to where it closes; a line beyond
///   `max_line_bytes`. Strict reading throws at the first, skipping counts them.
/// - CR LF, a missing last line end, a UTF-8 byte order mark, blank lines and comments are accepted. Ids keep their spaces and quotes.
/// - A file whose rows were all dropped is an empty dataset; one without rows, or with bad lines alone, is an error even when skipping.
///
/// @throws IoError if the file is missing, a directory, or unreadable; ParseError (file, line, column, found, expected) for a bad line, a bad
/// header, or no rows; InvalidArgument if `format` or `options` make no sense, or a sum is beyond a float.
/// Source: quoting as in RFC 4180, except that line ends inside quotes are refused.
[[nodiscard]] KINDRED_ONCE Dataset read_delimited(const Path& path, const DelimitedFormat& format = {}, const ReadOptions& options = {});

}  // namespace kindred::inline v0

#if !defined(KINDRED_COMPILED)
#include <kindred/io/delimited.ipp>  // IWYU pragma: export
#endif
