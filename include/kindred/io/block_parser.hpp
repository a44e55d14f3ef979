// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/text.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/data/id_map.hpp>
#include <kindred/io/field_scanner.hpp>
#include <kindred/io/line_parser.hpp>
#include <kindred/io/line_source.hpp>
#include <kindred/io/record.hpp>
#include <kindred/io/record_parser.hpp>
#include <kindred/io/table.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The place of a row in a file: the number of its block, and in the lowest bits that of the row in it. Blocks are far shorter.
inline constexpr int rows_of_place = 30;
[[nodiscard]] constexpr std::uint64_t block_of(std::uint64_t place) noexcept { return place >> rows_of_place; }

/// What was found in one block of lines.
struct BlockRows {
  struct Bad {
    std::uint64_t line = 0;  ///< Of the block, from 1.
    LineProblem problem;
  };

  std::uint64_t number = 0;                          ///< In the order of the file.
  std::uint64_t rows = 0;                            ///< That are kept.
  std::vector<std::span<const Interaction>> pieces;  ///< They themselves, with the indices of the thread that read them.
  std::vector<std::int64_t> times;                   ///< Of each, or empty.
  std::uint64_t lines = 0;
  std::uint64_t skipped = 0;
  std::array<std::uint64_t, 3> dropped{};  ///< By RecordParser::Outcome, from no_item_key.
  std::uint64_t noted = 0;                 ///< Item keys that were replaced.
  std::uint64_t bad_lines = 0;
  std::vector<Bad> first_bad;
};

/// Rows in slabs of up to 4 MiB, where memory comes in huge pages. A row is written once, never moves, and stays as long as its store.
class RowStore {
 public:
  /// Adds a row to the end of `pieces`.
  void add(const Interaction& row, std::vector<std::span<const Interaction>>& pieces) {
    if (slabs_.empty() || slabs_.back().size() == slabs_.back().capacity()) {
      const std::size_t rows = slabs_.size() < 11 ? std::size_t{256} << slabs_.size() : most;
      slabs_.emplace_back().reserve(rows);
    }
    AlignedVector<Interaction>& slab = slabs_.back();
    slab.push_back(row);
    const Interaction* const added = &slab.back();
    if (!pieces.empty() && pieces.back().data() + pieces.back().size() == added && slab.size() > 1)
      pieces.back() = {pieces.back().data(), pieces.back().size() + 1};
    else
      pieces.emplace_back(added, 1);
  }

 private:
  static constexpr std::size_t most = (std::size_t{4} << 20) / sizeof(Interaction) + 1;

  std::vector<AlignedVector<Interaction>> slabs_;
};

/// Keys in the order in which one thread met them, and where that was.
struct SeenKeys {
  IdMap map;
  std::vector<std::uint64_t> places;  ///< Of the row that had the key first.

  [[nodiscard]] Index intern(std::string_view key, std::uint32_t hash, std::uint64_t place) {
    const Index index = map.intern(key, hash);
    if (static_cast<std::size_t>(index) == places.size()) places.push_back(place);
    return index;
  }
};

/// The key to use instead of an item's, or an empty one for no change; called from many threads. Empty: every key stays.
using Rekey = std::function<std::string_view(std::string_view key)>;

/// Turns blocks of lines into rows: one for each thread, with ids of its own, so that threads share nothing while they work.
class BlockParser {
 public:
  BlockParser(const TableReader& table, const DelimitedFormat& format, const RecordParser& records, RecordParts parts, const Rekey& rekey)
      : lines_(table.parser()),
        records_(records),
        parts_(parts),
        rekey_(&rekey),
        options_(table.options()),
        follows_quotes_(table.follows_quotes()),
        plain_(format.quoting == Quoting::none && format.separator.size() == 1),
        separator_(format.separator.front()) {
    lines_.settle();
  }

  /// Blocks must come in the order of their numbers. Where bad lines fail, it ends at the first.
  [[nodiscard]] BlockRows parse(const LineBlock& block) {
    BlockRows found;
    found.number = block.number + 1;
    times_.clear();
    if (block.too_long) {
      ++found.lines;
      record_bad(found, block.in_quotes ? TableReader::inside_quotes() : TableReader::too_long(options_.max_line_bytes, block.lone_cr));
    } else if (plain_) {
      parse_plain(block, found);
    } else {
      parse_any(block, found);
    }
    flush(found);
    found.times.assign(times_.begin(), times_.end());
    return found;
  }

  /// A row that was read before the first block.
  void take(const Record& record, BlockRows& found) {
    times_.clear();
    keep(record, found);
    flush(found);
    found.times.assign(times_.begin(), times_.end());
  }

  SeenKeys users;
  SeenKeys items;
  std::vector<std::string> item_names;     ///< Of each item: the first that is not empty ...
  std::vector<std::uint64_t> name_places;  ///< ... and where it was.

  /// Gives rows, ids and names back, once they were merged.
  void forget() {
    store_ = {};
    users = items = {};
    std::vector<std::string>().swap(item_names);
  }

 private:
  /// Rows of a file are numbered by their block and their place in it; a block has fewer than 2^30 lines.
  [[nodiscard]] std::uint64_t place(const BlockRows& found) const noexcept { return (found.number << rows_of_place) + found.rows; }

  /// Lines without quotes and with a separator of one character: fields are found 64 bytes at a time, and what is out of the ordinary is left to
  /// LineParser, which also has the words for it.
  void parse_plain(const LineBlock& block, BlockRows& found) {
    const char* line = block.buffer.data() + block.begin;
    const char* const end = block.buffer.data() + block.end;
    FieldScanner scanner(line, end, separator_);
    const std::string_view comment = lines_.format().comment_prefix;
    const std::size_t most = lines_.fields_kept();
    while (line < end) {
      fields_.clear();
      std::size_t more = 0;
      const char* field = line;
      const char* stop = scanner.next();
      for (; stop < end && *stop != '\n'; stop = scanner.next()) {
        if (fields_.size() < most)
          fields_.emplace_back(field, static_cast<std::size_t>(stop - field));
        else
          ++more;
        field = stop + 1;
      }
      const char* const line_end = stop > line && stop[-1] == '\r' ? stop - 1 : stop;
      const std::string_view text(line, static_cast<std::size_t>(line_end - line));
      if (field > line_end) {  // the separator is CR
        parse_line(text, found);
      } else {
        if (fields_.size() < most)
          fields_.emplace_back(field, static_cast<std::size_t>(line_end - field));
        else
          ++more;
        const bool clean = !scanner.odd_since_last_call() || lines_.bytes_are_good(text);
        const bool ordinary = clean && !text.empty() && text.size() <= options_.max_line_bytes && lines_.accepts(fields_.size() + more) &&
                              (comment.empty() || !text.starts_with(comment));
        if (ordinary) {
          ++found.lines;
          take_row(fields_, found);
        } else {
          parse_line(text, found);
        }
      }
      if (done(found)) return;
      line = stop + 1;
    }
  }

  void parse_any(const LineBlock& block, BlockRows& found) {
    std::string_view text = block.text();
    bool in_quotes = block.in_quotes;
    while (!text.empty() && !done(found)) {
      const std::string_view line = next_line(text);
      const std::uint64_t bad_before = found.bad_lines;
      if (in_quotes) {
        ++found.lines;
        record_bad(found, TableReader::inside_quotes());
      } else {
        parse_line(line, found);
      }
      if (follows_quotes_ && found.bad_lines > bad_before) in_quotes = quote_open_after(lines_, line, in_quotes, options_.max_line_bytes);
    }
  }

  void parse_line(std::string_view line, BlockRows& found) {
    ++found.lines;
    if (line.size() > options_.max_line_bytes)
      return record_bad(found, TableReader::too_long(options_.max_line_bytes,
                                                     line.substr(0, options_.max_line_bytes).find('\r') != std::string_view::npos));
    lines_.word_problems(wants_words(found));
    switch (lines_.parse(line, problem_)) {
      case LineKind::row: return take_row(lines_.fields(), found);
      case LineKind::skipped: ++found.skipped; return;
      case LineKind::bad: return record_bad(found, problem_);
    }
  }

  void take_row(std::span<const std::string_view> fields, BlockRows& found) {
    const RecordParser::Outcome outcome = records_.parse(fields, record_, problem_);
    if (outcome == RecordParser::Outcome::kept) return keep(record_, found);
    if (outcome == RecordParser::Outcome::bad) return record_bad(found, problem_);
    ++found.dropped[RecordParser::reason_of(outcome)];
  }

  /// A row whose keys still have to be looked up.
  struct Pending {
    std::string_view user;
    std::string_view item;
    std::string_view item_name;
    std::uint32_t user_hash = 0;
    std::uint32_t item_hash = 0;
    float value = 0.0F;
    bool same_user = false;  // as in the row before
  };

  void keep(const Record& record, BlockRows& found) {
    Pending& row = pending_[n_pending_];
    row.user = record.user;
    row.item = record.item;
    row.item_name = record.item_name;
    row.value = record.value;
    if (*rekey_) {
      if (const std::string_view key = (*rekey_)(record.item); !key.empty()) {
        row.item = key;
        ++found.noted;
      }
    }
    // Most files have the rows of a user one after the other.
    row.same_user = n_pending_ > 0 && record.user == pending_[n_pending_ - 1].user;
    if (!row.same_user) row.user_hash = users.map.hash_of(row.user);
    row.item_hash = items.map.hash_of(row.item);
    if (parts_.times) times_.push_back(record.time);
    // Where quotes are taken off, fields are gone with the next line.
    if (++n_pending_ == pending_.size() || !plain_) flush(found);
  }

  // Looking up a key waits for memory two or three times. Here the waiting of some keys overlaps.
  void flush(BlockRows& found) {
    constexpr std::size_t soon = 12, later = 24;
    for (std::size_t n = 0; n < n_pending_ + later; ++n) {
      if (n < n_pending_) {
        items.map.prefetch_slot(pending_[n].item_hash);
        if (!pending_[n].same_user) users.map.prefetch_slot(pending_[n].user_hash);
      }
      if (n >= soon && n - soon < n_pending_) {
        items.map.prefetch_key(pending_[n - soon].item_hash);
        if (!pending_[n - soon].same_user) users.map.prefetch_key(pending_[n - soon].user_hash);
      }
      if (n < later) continue;
      const Pending& row = pending_[n - later];
      if (!row.same_user) user_ = users.intern(row.user, row.user_hash, place(found));
      const Index item = items.intern(row.item, row.item_hash, place(found));
      if (parts_.item_names) take_name(item, row.item_name, place(found));
      store_.add({user_, item, row.value}, found.pieces);
      ++found.rows;
    }
    n_pending_ = 0;
  }

  void take_name(Index item, std::string_view name, std::uint64_t at_place) {
    const auto at = static_cast<std::size_t>(item);
    if (at == named_.size()) {
      named_.push_back(0);
      item_names.emplace_back();
      name_places.push_back(0);
    }
    if (named_[at] != 0 || name.empty()) return;
    named_[at] = 1;
    item_names[at] = name;
    name_places[at] = at_place;
  }

  void record_bad(BlockRows& found, const LineProblem& problem) {
    ++found.bad_lines;
    if (wants_words(found)) found.first_bad.push_back({found.lines, problem});
  }
  [[nodiscard]] bool wants_words(const BlockRows& found) const noexcept { return fails() || found.first_bad.size() < options_.first_bad; }
  [[nodiscard]] bool fails() const noexcept { return options_.on_bad_line == ReadOptions::BadLinePolicy::fail; }
  [[nodiscard]] bool done(const BlockRows& found) const noexcept { return fails() && found.bad_lines > 0; }

  LineParser lines_;
  RecordParser records_;
  RecordParts parts_;
  const Rekey* rekey_;
  ReadOptions options_;
  bool follows_quotes_;
  bool plain_;
  char separator_;
  std::vector<std::string_view> fields_;
  Record record_;
  LineProblem problem_;
  RowStore store_;
  std::vector<std::int64_t> times_;
  std::vector<std::uint8_t> named_;
  std::array<Pending, 256> pending_{};
  std::size_t n_pending_ = 0;
  Index user_ = -1;  // of the row before
};

}  // namespace detail

}  // namespace kindred::inline v0
