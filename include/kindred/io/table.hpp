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
#include <kindred/core/execution.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/data/load_report.hpp>
#include <kindred/io/line_parser.hpp>
#include <kindred/io/line_source.hpp>
#include <kindred/io/read_options.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Takes the first line, without its line end, off the text of a block.
[[nodiscard]] inline std::string_view next_line(std::string_view& text) noexcept {
  const std::size_t stop = text.find('\n');
  std::string_view line = text.substr(0, stop);
  text.remove_prefix(stop == std::string_view::npos ? text.size() : stop + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

/// LineParser::quote_open_after, but for a line beyond the limit, whose quotes are counted: its text may not be at hand.
[[nodiscard]] inline bool quote_open_after(const LineParser& parser, std::string_view line, bool open,
                                           std::size_t max_line_bytes) noexcept {
  if (line.size() <= max_line_bytes) return parser.quote_open_after(line, open);
  return open != (std::count(line.begin(), line.end(), '"') % 2 != 0);
}

/// The rows of a text file, field by field, and the report about them: a LineSource, a LineParser and the policy for bad lines.
///
/// A row that next() hands out counts as kept, unless it is then called bad or dropped.
class TableReader {
 public:
  /// Opens the file and reads the header. @throws IoError, ParseError, InvalidArgument.
  TableReader(const std::string& path, const TableFormat& format, const ReadOptions& options)
      : TableReader(open(path, options), format, options) {}

  /// The same of a file that is open already, and stands at its start.
  TableReader(LineSource source, const TableFormat& format, const ReadOptions& options)
      : options_(options),
        source_(std::move(source)),
        parser_(format),
        follows_quotes_(format.quoting == Quoting::rfc_4180 && options.on_bad_line == ReadOptions::BadLinePolicy::skip) {
    report_.source = source_.path();
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

  /// Opens a file as `options` say. @throws IoError, ParseError, InvalidArgument.
  [[nodiscard]] static LineSource open(const std::string& path, const ReadOptions& options) {
    LineSource source(path, checked_length(options), options.open, options.block_bytes);
    if (options.on_bad_line == ReadOptions::BadLinePolicy::fail) source.stop_at_long_lines();
    return source;
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
      if (in_quotes_) problem = inside_quotes();
      switch (in_quotes_ ? LineKind::bad : line_.too_long ? too_long(problem) : parser_.parse(line_.text, problem)) {
        case LineKind::row: ++report_.rows; return true;
        case LineKind::skipped: ++report_.skipped; break;
        case LineKind::bad:
          if (follows_quotes_)
            in_quotes_ = line_.too_long ? in_quotes_ != line_.odd_quotes : parser_.quote_open_after(line_.text, in_quotes_);
          record_bad(problem);
          break;
      }
    }
    return false;
  }

  /// The rest of the file, block by block; next() may not be called any more. False as for next(). @throws as next() does, but for bad lines.
  [[nodiscard]] bool next_block(LineBlock& block) {
    if (report_.stopped || !source_.next_block(block)) return false;
    block.in_quotes = in_quotes_;
    if (follows_quotes_) follow_quotes(block);
    if (options_.progress && source_.bytes() != told_bytes_) tell_progress();
    return true;
  }
  /// From now on blocks may come unread; fetch() reads them, on any thread. Not where the quotes of a block say how the next one begins.
  void leave_unread() {
    if (!follows_quotes_) source_.leave_unread();
  }
  /// @throws IoError.
  void fetch(LineBlock& block) const { source_.fetch(block); }
  /// Threads that are of use: one a block, and no more than 256, since one thread deals to all.
  [[nodiscard]] std::size_t most_threads() const noexcept {
    constexpr std::uint64_t most = 256;
    const std::uint64_t size = options_.open ? 0 : source_.size();  // 0: not known
    return static_cast<std::size_t>(size == 0 ? most : (std::min)(most, size / options_.block_bytes + 1));
  }
  /// Lines before the first block.
  [[nodiscard]] std::uint64_t lines() const noexcept { return source_.lines(); }
  [[nodiscard]] const LineParser& parser() const noexcept { return parser_; }
  [[nodiscard]] const ReadOptions& options() const noexcept { return options_; }
  [[nodiscard]] LoadReport& report() noexcept { return report_; }

  /// Why a line is bad that a quoted field goes on in.
  [[nodiscard]] static LineProblem inside_quotes() {
    return {0, "a line inside the quotes of a field that an earlier line opened", "a field on one line"};
  }

  /// Whether quotes are followed over bad lines.
  [[nodiscard]] bool follows_quotes() const noexcept { return follows_quotes_; }

  /// Why a line beyond the limit is bad.
  [[nodiscard]] static LineProblem too_long(std::size_t max_line_bytes, bool lone_cr) {
    if (lone_cr)
      return LineParser::lone_cr("a line longer than " + std::to_string(max_line_bytes) + " bytes with a CR that is not before LF");
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
    if (options_.on_bad_line == ReadOptions::BadLinePolicy::fail)
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
    problem = too_long(options_.max_line_bytes, line_.lone_cr);
    return LineKind::bad;
  }

  void record_bad(const LineProblem& problem) { record_bad(line_.number, problem); }

  /// Whether a quoted field is open at the end of the block. Threads parse blocks in any order, so the block has to say how it starts.
  void follow_quotes(const LineBlock& block) {
    if (block.too_long) in_quotes_ = in_quotes_ != block.odd_quotes;
    std::string_view text = block.text();
    if (!in_quotes_ && text.find('"') == std::string_view::npos) return;
    while (!text.empty()) {
      const std::string_view line = next_line(text);
      in_quotes_ = quote_open_after(parser_, line, in_quotes_, options_.max_line_bytes);
    }
  }

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
  bool follows_quotes_;
  bool in_quotes_ = false;  // a quoted field is open after the last line or block
  std::uint64_t told_bytes_ = 0;
  Stopwatch watch_;
};

}  // namespace detail

}  // namespace kindred::inline v0
