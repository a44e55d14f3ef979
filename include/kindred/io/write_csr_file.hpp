// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <kindred/core/config.hpp>
#include <kindred/core/path.hpp>
#include <kindred/core/rounding.hpp>
#include <kindred/data/load_report.hpp>
#include <kindred/io/column_places.hpp>
#include <kindred/io/delimited_format.hpp>
#include <kindred/io/record.hpp>
#include <kindred/io/record_parser.hpp>
#include <kindred/io/table.hpp>
#include <kindred/storage/csr_file_writer.hpp>

namespace kindred::inline v0 {

/// A text file of interactions, of any size, as a file for CsrFile: the rows, users and items that read_delimited makes of it (io/delimited.hpp), in the same
/// order and with the same sums. Times and names of items are left out; a user whose every pair sums to 0 stays, as an empty row.
///
/// Reads line by line. Every call starts anew, whatever ended an earlier one.
/// @throws as read_delimited and CsrFileWriter do.
inline LoadReport write_csr_file(const Path& text_path, const Path& path, const DelimitedFormat& format = {}, CsrFileOptions options = {},
                                 const ReadOptions& read_options = {}) {
  const detail::RoundToNearest rounding;
  detail::check_format(format);
  if (options.input.empty()) options.input = text_path;
  detail::TableReader table(text_path, detail::table_format(format), read_options);
  detail::ColumnPlaces places;
  bool more = detail::find_first_row(format, table, places);
  const detail::RecordParser parser(format, places);

  CsrFileWriter writer(path, std::move(options));
  for (; more; more = table.next()) {
    using Outcome = detail::RecordParser::Outcome;
    detail::Record record;
    detail::LineProblem problem;
    switch (const Outcome outcome = parser.parse(table.fields(), record, problem)) {
      case Outcome::bad: table.bad(problem); break;
      case Outcome::kept: writer.add(record.user, record.item, record.value); break;
      default: table.dropped(detail::RecordParser::reasons[detail::RecordParser::reason_of(outcome)]);
    }
  }
  LoadReport report = table.finish();
  writer.finish();
  return report;
}

}  // namespace kindred::inline v0
