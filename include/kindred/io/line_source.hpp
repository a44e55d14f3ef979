// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include <kindred/core/config.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/text.hpp>
#include <kindred/io/input_file.hpp>
#include <kindred/io/read_options.hpp>

namespace kindred::inline v0 {

namespace detail {

/// One line of a text file, without its line end.
struct Line {
  std::string_view text;     ///< Valid until the next line is read. Empty if the line is too long.
  std::uint64_t number = 0;  ///< From 1.
  bool too_long = false;
  bool lone_cr = false;     ///< For a line that is too long: there is a CR within the bytes that are allowed.
  bool odd_quotes = false;  ///< For a line that is too long: it holds an odd number of double quotes.
};

/// Finds out about a line that is too long, piece by piece, since it is not held.
class LongLine {
 public:
  /// `limit`: the most bytes of a line. A CR counts within these alone: how much more of the line is read depends on the blocks.
  explicit LongLine(std::size_t limit) noexcept : left_(limit) {}

  void add(std::string_view piece) noexcept {
    has_cr_ = has_cr_ || piece.substr(0, left_).find('\r') != std::string_view::npos;
    left_ -= (std::min)(left_, piece.size());
    quotes_ += std::count(piece.begin(), piece.end(), '"');
  }
  /// The line, once its last byte before the LF was added.
  [[nodiscard]] Line line(std::uint64_t number) const noexcept { return {{}, number, true, has_cr_, quotes_ % 2 != 0}; }

 private:
  std::size_t left_;
  bool has_cr_ = false;
  std::ptrdiff_t quotes_ = 0;
};

/// A block of whole lines. Reuse the object to reuse its buffer.
struct LineBlock {
  static constexpr std::size_t slack = 64;  ///< Bytes of the buffer beyond `end`, so that whole vectors may be read there.

  std::vector<char> buffer;
  std::size_t begin = 0;  ///< The lines are [begin, end) of the buffer; the last line of a file may lack its line end.
  std::size_t end = 0;
  std::uint64_t number = 0;             ///< From 0.
  bool too_long = false;                ///< The block stands for one line beyond the limit, and holds nothing of it.
  bool lone_cr = false;                 ///< As for Line.
  bool odd_quotes = false;              ///< As for Line.
  bool in_quotes = false;               ///< Whether it starts inside a quoted field that a line before it opened. TableReader says so.
  std::optional<std::uint64_t> unread;  ///< Where in the file the lines are, if LineSource::fetch has to read them yet.

  /// Not while `unread`.
  [[nodiscard]] std::string_view text() const noexcept { return {buffer.data() + begin, end - begin}; }
};

/// The lines of a text file, read in large blocks; "-" is the standard input.
///
/// A line ends with LF or CR LF; the last one may end with the file. A UTF-8 byte order mark at the start of the file is no part of the first line.
/// Lines longer than the limit are passed over without being held. The path is opened once, so it may be a pipe. Memory: about the longest line or a
/// block.
/// @throws IoError if the file cannot be opened or read; ParseError if it starts like UTF-16, gzip, zip or Matrix Market.
class LineSource {
 public:
  static constexpr std::size_t block_bytes = std::size_t{1} << 18;

  /// `open`: where bytes come from instead of the file system, if it is set. `block`: bytes to read at a time.
  explicit LineSource(std::string path, std::size_t max_line_bytes, const OpenBytes& open = {}, std::size_t block = block_bytes)
      : path_(std::move(path)), max_line_bytes_(max_line_bytes), block_(block) {
    if (open) {
      bytes_from_ = open(path_);
      if (!bytes_from_) throw InvalidArgument("open(" + printable(path_) + ")", "an empty function", "a function that reads");
    } else {
      file_ = std::make_unique<InputFile>(path_, path_ == "-");
    }
    buffer_.resize(block_ + LineBlock::slack);
    while (!at_end_ && end_ < longest_start) fill();
    check_start();
  }

  /// From now on a line beyond the limit ends the file, since the caller fails there. Otherwise a device without line ends would be read for ever.
  void stop_at_long_lines() noexcept { stops_at_long_lines_ = true; }

  /// From now on next_block() finds out, where the file lets it, only where a block ends, and fetch() reads it: by the thread that needs it, so that reading
  /// does not take as long as one thread copies.
  void leave_unread() {
    if (file_) places_ = file_->place();
    if (places_) *places_ -= bytes_;
  }

  /// Reads the lines of a block that were left unread. Threads may do so at once, with different blocks.
  /// @throws IoError if the file cannot be read, or became shorter.
  void fetch(LineBlock& block) const {
    if (!block.unread) return;
    block.buffer.resize((std::max)(block.buffer.size(), block.end + LineBlock::slack));
    if (file_->read_at(block.buffer.data(), block.end, *block.unread) < block.end) throw IoError(path_, "read all of it", EIO);
    block.unread.reset();
  }

  /// As many of the next lines as were read at once, at least one, into `block`; false at the end of the file.
  [[nodiscard]] bool next_block(LineBlock& block) {
    block.unread.reset();
    if (places_ && !at_end_ && next_unread(block)) return true;
    std::size_t searched = 0, cut = 0;
    if (!at_end_ && end_ - begin_ < block_) fill();
    for (;;) {
      const std::string_view waiting(buffer_.data() + begin_, end_ - begin_);
      if (waiting.empty() && at_end_) return false;
      const std::size_t line_end = waiting.substr(searched).rfind('\n');
      if (line_end != std::string_view::npos) cut = searched + line_end + 1;
      if (at_end_) cut = waiting.size();
      if (cut > 0) break;
      searched = waiting.size();
      if (searched > max_line_bytes_ && searched - max_line_bytes_ > 1) {
        const Line passed = pass_over_line();
        block.begin = block.end = 0;
        block.too_long = true;
        block.lone_cr = passed.lone_cr;
        block.odd_quotes = passed.odd_quotes;
        block.number = blocks_++;
        return true;
      }
      fill();
    }
    block.buffer.swap(buffer_);
    block.begin = begin_;
    block.end = begin_ + cut;
    block.too_long = false;
    block.number = blocks_++;
    const std::size_t rest = end_ - block.end;
    buffer_.resize((std::max)(buffer_.size(), (std::max)(rest, block_) + LineBlock::slack));
    std::copy_n(block.buffer.data() + block.end, rest, buffer_.data());
    begin_ = 0;
    end_ = rest;
    return true;
  }

  /// The next line, or false at the end of the file.
  [[nodiscard]] bool next(Line& line) {
    std::size_t searched = 0;
    for (;;) {
      const char* const start = buffer_.data() + begin_;
      if (const void* found = std::memchr(start + searched, '\n', end_ - begin_ - searched); found != nullptr) {
        const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - start);
        take(length, 1, line);
        return true;
      }
      searched = end_ - begin_;
      if (at_end_ && searched == 0) return false;
      if (at_end_) {
        take(searched, 0, line);
        return true;
      }
      if (searched > max_line_bytes_ && searched - max_line_bytes_ > 1) {  // One more byte may be the CR of the line end.
        line = pass_over_line();
        line.number = ++lines_;
        return true;
      }
      fill();
    }
  }

  /// The next line that is not blank, which next() will read again; false if there is none.
  [[nodiscard]] bool peek(Line& line) {
    std::uint64_t number = lines_ + 1;
    for (std::size_t from = 0, searched = 0;;) {
      const std::string_view waiting(buffer_.data() + begin_, end_ - begin_);
      const std::size_t stop = waiting.find('\n', searched);
      if (stop == std::string_view::npos && !at_end_) {
        searched = waiting.size();
        if (searched - from > max_line_bytes_ && searched - from - max_line_bytes_ > 1) {
          LongLine start(max_line_bytes_);
          start.add(waiting.substr(from, searched - from - 1));
          line = start.line(number);
          return true;
        }
        fill();
        continue;
      }
      line = line_of(waiting.substr(from, stop == std::string_view::npos ? stop : stop - from), number);
      if (!line.text.empty() || line.too_long) return true;
      if (stop == std::string_view::npos) return false;
      from = searched = stop + 1;
      ++number;
    }
  }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Lines handed out so far, those in blocks excepted.
  [[nodiscard]] std::uint64_t lines() const noexcept { return lines_; }
  /// Bytes read from the file so far.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// Bytes of the whole file; 0 for a pipe. With `open`, bytes of the file of that name, if there is one.
  [[nodiscard]] std::uint64_t size() const noexcept {
    if (file_) return file_->size();
    struct stat found {};
    return ::stat(path_.c_str(), &found) == 0 && S_ISREG(found.st_mode) ? static_cast<std::uint64_t>(found.st_size) : 0;
  }

 private:
  /// The next block, without its lines, if it is not the file's last and its end is found in a few bytes: the same block as with them.
  [[nodiscard]] bool next_unread(LineBlock& block) {
    const std::uint64_t start = unread_from_ ? *unread_from_ : *places_ + bytes_ - (end_ - begin_);
    std::array<char, 4096> tail;
    const std::size_t wanted = (std::min)(tail.size(), block_);
    const std::uint64_t stop = start + block_;
    std::size_t cut = std::string_view::npos;
    if (stop < file_->size() && file_->read_at(tail.data(), wanted, stop - wanted) == wanted)
      cut = std::string_view(tail.data(), wanted).rfind('\n');
    if (cut == std::string_view::npos) {  // goes on as if all before had been read
      if (unread_from_) {
        file_->go_to(*unread_from_);
        bytes_ = *unread_from_ - *places_;
        unread_from_.reset();
      }
      return false;
    }
    begin_ = end_ = 0;
    block.begin = 0;
    block.end = block_ - wanted + cut + 1;
    block.unread = start;
    block.too_long = false;
    block.number = blocks_++;
    unread_from_ = start + block.end;
    bytes_ = stop - *places_;
    return true;
  }

  static constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  static constexpr std::string_view matrix_market = "%%MatrixMarket";
  static constexpr std::size_t longest_start = byte_order_mark.size() + matrix_market.size();

  [[nodiscard]] Line line_of(std::string_view text, std::uint64_t number) const noexcept {
    LongLine whole(max_line_bytes_);
    const std::string_view with_cr = text;
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    if (text.size() <= max_line_bytes_) return {text, number};
    whole.add(with_cr);
    return whole.line(number);
  }

  void take(std::size_t length, std::size_t line_end, Line& line) {
    line = line_of({buffer_.data() + begin_, length}, ++lines_);
    begin_ += length + line_end;
  }

  /// Makes room, moving what is not yet used to the front or growing, and reads once.
  void fill() {
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ + LineBlock::slack >= buffer_.size()) buffer_.resize(2 * end_ + LineBlock::slack + 1);
    const std::size_t wanted = buffer_.size() - LineBlock::slack - end_;
    std::size_t got = 0;
    if (bytes_from_) {
      got = bytes_from_(buffer_.data() + end_, wanted);
      if (got > wanted) throw InvalidArgument("the bytes that `open` read", got, "at most the " + std::to_string(wanted) + " asked for");
    } else {
      got = file_->read(buffer_.data() + end_, wanted);
    }
    at_end_ = got == 0;
    end_ += got;
    bytes_ += got;
  }

  [[nodiscard]] Line pass_over_line() {
    LongLine passed(max_line_bytes_);
    for (;;) {
      const std::string_view waiting(buffer_.data() + begin_, end_ - begin_);
      const std::size_t stop = waiting.find('\n');
      passed.add(waiting.substr(0, stop));
      begin_ = stop == std::string_view::npos ? end_ : begin_ + stop + 1;
      at_end_ = at_end_ || stops_at_long_lines_;
      if (stop != std::string_view::npos || at_end_) return passed.line(0);
      fill();
    }
  }

  void check_start() {
    std::string_view start(buffer_.data(), end_);
    if (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF"))
      throw ParseError(path_, 0, 0, "a UTF-16 byte order mark", "UTF-8 text");
    if (start.starts_with("\x1F\x8B")) throw ParseError(path_, 0, 0, "gzip data", "UTF-8 text: decompress the file first");
    if (start.starts_with("PK\x03\x04")) throw ParseError(path_, 0, 0, "a zip archive", "UTF-8 text: unpack the archive first");
    if (start.starts_with(byte_order_mark)) {
      begin_ = byte_order_mark.size();
      start.remove_prefix(begin_);
    }
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    const auto same_letter = [&](char a, char b) { return lower(a) == lower(b); };
    if (start.size() >= matrix_market.size() && std::equal(matrix_market.begin(), matrix_market.end(), start.begin(), same_letter))
      throw ParseError(path_, 1, 0, "the header of a Matrix Market file",
                       "rows of interactions: remove all lines up to that of the sizes, which is no interaction");
  }

  std::string path_;
  std::size_t max_line_bytes_;
  std::size_t block_;
  std::unique_ptr<InputFile> file_;
  ReadBytes bytes_from_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // what is not yet handed out is [begin_, end_) of the buffer
  std::size_t end_ = 0;
  bool at_end_ = false;
  bool stops_at_long_lines_ = false;
  std::uint64_t lines_ = 0;
  std::uint64_t blocks_ = 0;
  std::uint64_t bytes_ = 0;
  std::optional<std::uint64_t> places_;       // of the first byte in the file, if blocks may be left unread
  std::optional<std::uint64_t> unread_from_;  // what comes after the last block, if that was left unread
};

}  // namespace detail

}  // namespace kindred::inline v0
