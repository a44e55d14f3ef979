// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/text.hpp>
#include <kindred/io/read_options.hpp>

namespace kindred::inline v0 {

namespace detail {

/// How lines become fields.
struct TableFormat {
  std::string separator = "\t";
  Header header = Header::none;
  Quoting quoting = Quoting::none;
  std::string comment_prefix = {};
  FieldRule field_rule = FieldRule::same;
  std::size_t field_count = 0;  ///< For DelimitedFormat::FieldRule::same: 0 takes it from the header or first line.
};

/// Why a line is bad: the words of a ParseError.
struct LineProblem {
  std::uint64_t column = 0;
  std::string found = {};
  std::string expected = {};
};

enum class LineKind { row, skipped, bad };

/// One line to its fields, or the reason why not. Knows no file. Fields are views of the line, or of a buffer that is used again for each line.
class LineParser {
 public:
  /// @throws InvalidArgument if the separator is empty or holds a line end, or a quote while quoting is on.
  explicit LineParser(TableFormat format) : format_(std::move(format)), exact_(format_.field_count), exact_is_given_(exact_ > 0) {
    if (format_.separator.empty() || format_.separator.find_first_of("\r\n") != std::string::npos ||
        (format_.quoting == Quoting::rfc_4180 && format_.separator.find('"') != std::string::npos))
      throw InvalidArgument("separator", printable(format_.separator), "not empty, and without line ends or active quotes");
  }

  /// From now on a row needs at least `count` fields.
  void require_fields(std::size_t count) noexcept { least_ = (std::max)(least_, count); }

  [[nodiscard]] LineKind parse(std::string_view line, LineProblem& problem) {
    if (line.empty()) return LineKind::skipped;
    if (const std::size_t at = line.find('\r'); at != std::string_view::npos) {
      if (words_) problem = lone_cr("a CR that is not before LF, at byte " + std::to_string(at + 1) + " of the line");
      return LineKind::bad;
    }
    if (const std::size_t at = find_byte_order_mark(line); at != std::string_view::npos) {
      if (words_)
        problem = {0, "a byte order mark (U+FEFF) at byte " + std::to_string(at + 1) + " of the line",
                   "one at the start of the file alone: were files joined?"};
      return LineKind::bad;
    }
    if (is_comment(line)) return LineKind::skipped;
    if (const std::size_t at = find_bad_byte(line); at != std::string_view::npos) {
      if (!words_) return LineKind::bad;
      problem = {column_at(line, at), "byte " + byte_text(line[at]) + " at byte " + std::to_string(at + 1) + " of the line", "UTF-8 text"};
      return LineKind::bad;
    }
    fields_.clear();
    count_ = 0;
    most_ = fields_kept();
    if (format_.quoting == Quoting::none)
      split_plain(line);
    else if (!split_quoted(line, problem))
      return LineKind::bad;
    return count_is_right(problem) ? LineKind::row : LineKind::bad;
  }

  /// Whether parse() would find nothing to say about the bytes of a line.
  [[nodiscard]] bool bytes_are_good(std::string_view line) const noexcept {
    return find_bad_byte(line) == std::string_view::npos && line.find('\r') == std::string_view::npos &&
           find_byte_order_mark(line) == std::string_view::npos;
  }

  /// Why a line with a CR inside is bad.
  [[nodiscard]] static LineProblem lone_cr(std::string found) {
    return {0, std::move(found), "line ends LF or CR LF: convert files of classic Mac OS, whose lines end with CR, first"};
  }

  /// Whether a quoted field is open at the end of a line; `open`: at its start.
  [[nodiscard]] bool quote_open_after(std::string_view line, bool open) const noexcept {
    if (!open && is_comment(line)) return false;
    const std::string_view separator = format_.separator;
    for (std::size_t at = 0;;) {
      if (!open && at < line.size() && line[at] == '"') {
        open = true;
        ++at;
      }
      while (open) {
        const std::size_t quote = line.find('"', at);
        if (quote == std::string_view::npos) return true;
        at = quote + 1;
        open = at < line.size() && line[at] == '"';
        if (open) ++at;
      }
      const std::size_t end = line.find(separator, at);
      if (end == std::string_view::npos) return false;
      at = end + separator.size();
    }
  }

  [[nodiscard]] std::span<const std::string_view> fields() const noexcept { return fields_; }

  /// Whether a row may have so many fields. Once the first row has been seen, this is all that a row needs that parse() remembers.
  [[nodiscard]] bool accepts(std::size_t count) const noexcept {
    return count >= least_ && (format_.field_rule != FieldRule::same || exact_ == 0 || count == exact_);
  }
  [[nodiscard]] const TableFormat& format() const noexcept { return format_; }

  /// Fields of a line that are kept, the others being counted alone: a line of a million separators need not become a million views.
  [[nodiscard]] std::size_t fields_kept() const noexcept {
    constexpr std::size_t all = (std::numeric_limits<std::size_t>::max)();
    if (format_.field_rule == FieldRule::at_least) return settled_ ? least_ : all;
    return exact_ > 0 ? exact_ : all;
  }
  /// Fields beyond the required ones are not read from now on.
  void settle() noexcept { settled_ = true; }
  /// Whether anybody reads why a line is bad: to word it takes longer than to find out, and a file may be bad lines throughout. It stays as it was where not.
  void word_problems(bool wanted) noexcept { words_ = wanted; }

 private:
  [[nodiscard]] bool is_comment(std::string_view line) const noexcept {
    return !format_.comment_prefix.empty() && line.starts_with(format_.comment_prefix);
  }

  /// A byte order mark that starts a line. Where lines may have more fields than are used, none may be inside either: two lines may have become one
  /// where a file ended without a line end. A fixed number of fields shows that anyway, and names may hold the character.
  [[nodiscard]] std::size_t find_byte_order_mark(std::string_view line) const noexcept {
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    if (line.starts_with(mark)) return 0;
    return format_.field_rule == FieldRule::at_least ? line.find(mark) : std::string_view::npos;
  }

  void add(std::string_view field) {
    if (count_++ < most_) fields_.push_back(field);
  }

  void split_plain(std::string_view line) {
    const std::string_view separator = format_.separator;
    std::size_t start = 0;
    for (std::size_t end = line.find(separator); end != std::string_view::npos; end = line.find(separator, start)) {
      add(line.substr(start, end - start));
      start = end + separator.size();
    }
    add(line.substr(start));
  }

  [[nodiscard]] bool split_quoted(std::string_view line, LineProblem& problem) {
    const std::string_view separator = format_.separator;
    // Reserved once, so that views of it stay valid while the line's fields are added.
    unquoted_.clear();
    unquoted_.reserve(line.size());
    const auto fail = [&](std::string_view found, std::string_view expected) {
      problem = {count_ + 1, std::string(found), std::string(expected)};
      return false;
    };
    for (std::size_t at = 0;;) {
      if (at == line.size() || line[at] != '"') {
        const std::size_t end = line.find(separator, at);
        const std::string_view field = line.substr(at, end == std::string_view::npos ? end : end - at);
        if (field.find('"') != std::string_view::npos) return fail(printable(field), "a field with quotes around it, or without quotes");
        add(field);
        if (end == std::string_view::npos) return true;
        at = end + separator.size();
        continue;
      }
      const std::size_t start = unquoted_.size();
      for (++at;;) {
        const std::size_t quote = line.find('"', at);
        if (quote == std::string_view::npos) return fail("a quote that is not closed on its line", "a closing quote");
        unquoted_.append(line.substr(at, quote - at));
        at = quote + 1;
        if (at == line.size() || line[at] != '"') break;
        unquoted_.push_back('"');
        ++at;
      }
      add(std::string_view(unquoted_).substr(start));
      if (at == line.size()) return true;
      if (!line.substr(at).starts_with(separator)) return fail("text after a closing quote", "the separator " + printable(separator));
      at += separator.size();
    }
  }

  [[nodiscard]] bool count_is_right(LineProblem& problem) {
    const std::size_t count = count_;
    const bool wrong = format_.field_rule == FieldRule::same && exact_ > 0 && count != exact_;
    if (wrong || count < least_) {
      if (!words_) return false;
      const auto fields = [](std::size_t n) { return std::to_string(n) + (n == 1 ? " field" : " fields"); };
      problem = {0, fields(count),
                 (wrong ? fields(exact_) : "at least " + fields(least_)) + " separated by " + printable(format_.separator)};
      if (wrong && !exact_is_given_) problem.expected += ", as in the first line";
      return false;
    }
    if (exact_ == 0) exact_ = count;
    return true;
  }

  /// The field, from 1, that byte `at` of the line belongs to.
  [[nodiscard]] std::uint64_t column_at(std::string_view line, std::size_t at) const {
    std::uint64_t column = 1;
    bool inside = false;
    for (std::size_t n = 0; n < at; ++n) {
      if (format_.quoting == Quoting::rfc_4180 && line[n] == '"') inside = !inside;
      if (inside || !line.substr(n).starts_with(format_.separator)) continue;
      ++column;
      n += format_.separator.size() - 1;
    }
    return column;
  }

  TableFormat format_;
  std::size_t exact_;  // the number of fields of every line, once it is known
  bool exact_is_given_;
  std::size_t least_ = 1;
  bool settled_ = false;
  bool words_ = true;
  std::vector<std::string_view> fields_;  // the first most_ of count_
  std::size_t count_ = 0;
  std::size_t most_ = 0;
  std::string unquoted_;
};

}  // namespace detail

}  // namespace kindred::inline v0
