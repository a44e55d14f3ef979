// SPDX-License-Identifier: MIT
#pragma once

// The one reader that needs a library beside Kindred's own: zlib. Link target kindred::gzip, or add -lz.

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <kindred/core/error.hpp>
#include <kindred/core/path.hpp>
#include <kindred/io/input_file.hpp>
#include <kindred/io/line_source.hpp>

namespace kindred::inline v0 {

namespace detail {

/// The text of a gzip file, or of one that is not compressed. zlib's own reading of files loses bytes where a signal interrupts it.
class GzipFile {
 public:
  explicit GzipFile(const std::string& path) : file_(path, path == "-"), buffer_(std::size_t{1} << 18) {}
  GzipFile(const GzipFile&) = delete;
  GzipFile& operator=(const GzipFile&) = delete;
  ~GzipFile() {
    if (part_ != Part::start && part_ != Part::plain) inflateEnd(&stream_);
  }

  [[nodiscard]] std::size_t read(char* to, std::size_t most) {
    for (;;) {
      if (part_ == Part::start || part_ == Part::between) choose_part();
      if (part_ == Part::end) return 0;
      if (waiting() == 0) fill();
      if (part_ == Part::plain) {
        const std::size_t count = (std::min)(most, waiting());
        std::memcpy(to, buffer_.data() + begin_, count);
        begin_ += count;
        return count;
      }
      if (const std::size_t count = unpack(to, most); count > 0) return count;
    }
  }

 private:
  enum class Part { start, plain, member, between, end };

  [[nodiscard]] std::size_t waiting() const noexcept { return end_ - begin_; }

  /// Adds to what waits, if there is more.
  void fill() {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
    const std::size_t got = file_.read(reinterpret_cast<char*>(buffer_.data()) + end_, buffer_.size() - end_);
    end_ += got;
    at_end_ = got == 0;
  }

  /// What follows: a member, plain text if it is the first, or the end. Zeros may fill up the last block of a tape.
  void choose_part() {
    while (waiting() < 2 && !at_end_) fill();
    const bool packed = waiting() >= 2 && buffer_[begin_] == 0x1F && buffer_[begin_ + 1] == 0x8B;
    if (part_ == Part::start && !packed) {
      part_ = Part::plain;
      return;
    }
    if (packed) {
      if ((part_ == Part::start ? inflateInit2(&stream_, 15 + 16) : inflateReset(&stream_)) != Z_OK)
        throw IoError(file_.path(), "unpack", ENOMEM);
      part_ = Part::member;
      return;
    }
    while (waiting() > 0 || !at_end_) {
      for (; waiting() > 0; ++begin_)
        if (buffer_[begin_] != 0) throw FormatError(file_.path() + ": damaged gzip data: other bytes follow it");
      fill();
    }
    part_ = Part::end;
  }

  [[nodiscard]] std::size_t unpack(char* to, std::size_t most) {
    most = (std::min)(most, std::size_t{1} << 30);
    stream_.next_in = buffer_.data() + begin_;
    stream_.avail_in = static_cast<unsigned>(waiting());
    stream_.next_out = reinterpret_cast<unsigned char*>(to);
    stream_.avail_out = static_cast<unsigned>(most);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    begin_ = end_ - stream_.avail_in;
    const std::size_t count = most - stream_.avail_out;
    if (result == Z_STREAM_END) {
      part_ = Part::between;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      throw FormatError(file_.path() + ": damaged gzip data" + (stream_.msg != nullptr ? ": " + std::string(stream_.msg) : std::string()));
    } else if (count == 0 && waiting() == 0 && at_end_) {
      throw FormatError(file_.path() + ": damaged gzip data: it ends too early");
    }
    return count;
  }

  InputFile file_;
  std::vector<unsigned char> buffer_;
  std::size_t begin_ = 0;  // what waits is [begin_, end_) of the buffer
  std::size_t end_ = 0;
  bool at_end_ = false;
  Part part_ = Part::start;
  z_stream stream_{};
};

}  // namespace detail

/// Opens a gzip file (several members one after the other too) or one that is not compressed, for ReadOptions::open:
/// `read_lastfm_360k("plays.tsv.gz", {.read = {.open = open_gzip}})`. One thread unpacks while the others parse. The path "-" is the standard input.
/// @throws IoError if the file cannot be opened or read; reading throws FormatError if its compression is damaged, ends too early, or is followed by
/// other bytes.
[[nodiscard]] inline detail::ReadBytes open_gzip(const Path& path) {
  const auto file = std::make_shared<detail::GzipFile>(path);
  return [file](char* to, std::size_t most) { return file->read(to, most); };
}

}  // namespace kindred::inline v0
