// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/data/load_report.hpp>
#include <kindred/io/line_parser.hpp>
#include <kindred/io/line_source.hpp>

namespace kindred::inline v0 {

/// What to do with a line that is not what its format says.
enum class BadLinePolicy {
  fail,  ///< Throw ParseError at the first one.
  skip,  ///< Leave it out, count it, and keep the first few in the LoadReport.
};

/// How a text file is read, whatever its format.
struct ReadOptions {
  BadLinePolicy on_bad_line = BadLinePolicy::fail;
  std::size_t max_line_bytes = std::size_t{1} << 20;  ///< >= 1. A longer line is a bad line.
  std::size_t first_bad = 10;                         ///< Bad lines to keep in the report.
  /// After every block, in bytes done and in all; stop_and_keep leaves the rest of the file unread.
  ProgressCallback progress = {};
  std::size_t threads = 0;                                    ///< 0: all hardware threads. The result is the same for any number.
  std::size_t block_bytes = detail::LineSource::block_bytes;  ///< In [1, 2^30]: read, and handed to a thread, at a time. Changes no result.
  /// Where bytes come from instead of the file system; io/gzip.hpp has one. Without it, the path "-" is the standard input.
  OpenBytes open = {};
};

namespace detail {

/// The rows of a text file, field by field, and the report about them: a LineSource, a LineParser and the policy for bad lines.
///
/// A row that next() hands out counts as kept, unless it is then called bad or dropped.
class TableReader {
 public:
  /// Opens the file and reads the header. @throws IoError, ParseError, InvalidArgument.
  TableReader(const std::string& path, const TableFormat& format, const ReadOptions& options)
      : options_(options), source_(path, checked_length(options), options.open, options.block_bytes), parser_(format) {
    report_.source = path;
    if (format.header == Header::none) return;
    while (source_.next(line_)) {
      ++report_.skipped;
      LineProblem problem;
      const LineKind kind = line_.too_long ? too_long(problem) : parser_.parse(line_.text, problem);
      if (kind == LineKind::skipped) continue;
      // Without its header a file means nothing, so that this is never a line to skip.
      if (kind == LineKind::bad) throw ParseError(source_.path(), line_.number, problem.column, problem.found, problem.expected);
      header_.assign(parser_.fields().begin(), parser_.fields().end());
      header_line_ = line_.number;
      return;
    }
    (void)finish();  // No header, so no rows: throws.
  }

  /// The names of the columns; empty without a header.
  [[nodiscard]] const std::vector<std::string>& header() const noexcept { return header_; }
  [[nodiscard]] const std::string& path() const noexcept { return source_.path(); }
  [[nodiscard]] std::uint64_t header_line() const noexcept { return header_line_; }
  /// Whether the progress callback has ended reading.
  [[nodiscard]] bool stopped() const noexcept { return report_.stopped; }
  void require_fields(std::size_t count) noexcept { parser_.require_fields(count); }

  /// Goes to the next row; false at the end of the file, or where the progress callback has stopped.
  /// @throws ParseError for a bad line unless these are skipped; IoError; Cancelled; what the callback throws.
  [[nodiscard]] bool next() {
    while (!report_.stopped && source_.next(line_)) {
      if (options_.progress && source_.bytes() != told_bytes_) tell_progress();
      LineProblem problem;
      switch (line_.too_long ? too_long(problem) : parser_.parse(line_.text, problem)) {
        case LineKind::row: ++report_.rows; return true;
        case LineKind::skipped: ++report_.skipped; break;
        case LineKind::bad: record_bad(problem); break;
      }
    }
    return false;
  }

  /// The rest of the file, block by block; next() may not be called any more. False as for next(). @throws as next() does, but for bad lines.
  [[nodiscard]] bool next_block(LineBlock& block) {
    if (report_.stopped || !source_.next_block(block)) return false;
    if (options_.progress && source_.bytes() != told_bytes_) tell_progress();
    return true;
  }
  /// Lines before the first block.
  [[nodiscard]] std::uint64_t lines() const noexcept { return source_.lines(); }
  [[nodiscard]] const LineParser& parser() const noexcept { return parser_; }
  [[nodiscard]] const ReadOptions& options() const noexcept { return options_; }
  [[nodiscard]] LoadReport& report() noexcept { return report_; }

  /// Why a line beyond the limit is bad.
  [[nodiscard]] static LineProblem too_long(std::size_t max_line_bytes) {
    const std::string limit = std::to_string(max_line_bytes) + " bytes";
    return {0, "a line longer than " + limit, "at most " + limit + " (ReadOptions::max_line_bytes)"};
  }

  /// The fields of this row; valid until the next one.
  [[nodiscard]] std::span<const std::string_view> fields() const noexcept { return parser_.fields(); }
  /// Rows so far, bad ones included: the number of this row, from 1.
  [[nodiscard]] std::uint64_t row_number() const noexcept { return source_.lines() - report_.skipped; }

  /// This row is not what it should be. @throws ParseError unless bad lines are skipped.
  void bad(const LineProblem& problem) {
    --report_.rows;
    record_bad(problem);
  }

  /// A line of a block is bad, in the order of the file. @throws ParseError unless bad lines are skipped.
  void record_bad(std::uint64_t line, const LineProblem& problem) {
    if (options_.on_bad_line == BadLinePolicy::fail)
      throw ParseError(source_.path(), line, problem.column, problem.found, problem.expected);
    ++report_.bad_lines;
    if (report_.first_bad.size() < options_.first_bad)
      report_.first_bad.push_back({line, problem.column, "found " + problem.found + "; expected " + problem.expected});
  }

  /// This row is left out, for a reason that is no fault of the file's.
  void dropped(std::string_view reason) {
    --report_.rows;
    ++report_.dropped[std::string(reason)];
  }

  /// Something was done to this row, which is kept.
  void noted(std::string_view what) { ++report_.noted[std::string(what)]; }

  /// The report, at the end of the file. @throws ParseError if the file had no row that was kept or dropped.
  [[nodiscard]] LoadReport finish() {
    report_.lines += source_.lines();
    report_.bytes = source_.bytes();
    if (report_.rows == 0 && report_.dropped.empty()) {
      std::string found = "no rows";
      if (report_.bad_lines > 0) found = "no good rows in " + std::to_string(report_.bad_lines) + " lines";
      if (!report_.first_bad.empty())
        found += " (line " + std::to_string(report_.first_bad[0].line) + ": " + report_.first_bad[0].reason + ")";
      throw ParseError(source_.path(), 0, 0, found, "at least one row of data");
    }
    return std::move(report_);
  }

 private:
  [[nodiscard]] static std::size_t checked_length(const ReadOptions& options) {
    if (options.block_bytes < 1 || options.block_bytes > (std::size_t{1} << 30))
      throw InvalidArgument("block_bytes", options.block_bytes, "in [1, 2^30]");
    if (options.max_line_bytes < 1) throw InvalidArgument("max_line_bytes", options.max_line_bytes, "at least 1");
    return options.max_line_bytes;
  }

  [[nodiscard]] LineKind too_long(LineProblem& problem) const {
    problem = too_long(options_.max_line_bytes);
    return LineKind::bad;
  }

  void record_bad(const LineProblem& problem) { record_bad(line_.number, problem); }

  void tell_progress() {
    told_bytes_ = source_.bytes();
    const auto done = static_cast<std::size_t>(told_bytes_);
    // A pipe has no size: then what was read is all that is known.
    const auto total = (std::max)(done, static_cast<std::size_t>(source_.size()));
    switch (options_.progress({.what = "read", .done = done, .total = total, .elapsed_seconds = watch_.seconds()})) {
      case ProgressAnswer::keep_going: return;
      case ProgressAnswer::stop_and_keep: report_.stopped = true; return;
      case ProgressAnswer::cancel: throw Cancelled("reading " + source_.path());
    }
  }

  ReadOptions options_;
  LineSource source_;
  LineParser parser_;
  Line line_;
  LoadReport report_;
  std::vector<std::string> header_;
  std::uint64_t header_line_ = 0;
  std::uint64_t told_bytes_ = 0;
  Stopwatch watch_;
};

}  // namespace detail

}  // namespace kindred::inline v0
