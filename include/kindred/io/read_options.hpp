// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include <kindred/core/config.hpp>
#include <kindred/core/execution.hpp>
#include <kindred/core/progress.hpp>

namespace kindred::inline v0 {

namespace detail {

/// Whether the first line that is neither blank nor a comment holds the names of the columns.
enum class Header { none, first_line };

/// What a double quote means.
enum class Quoting {
  none,      ///< Nothing: a tab file is not CSV, and names like 12" mix hold quotes of their own.
  rfc_4180,  ///< A field may stand in quotes, a quote inside it is doubled. A quoted field that spans lines makes all of them bad.
};

/// How many fields a line must have.
enum class FieldRule {
  same,      ///< As many as the header, or else the first line.
  at_least,  ///< As many as the columns in use need: more at the end are ignored.
};

/// Puts up to `most` bytes (> 0) at `to` and says how many; 0 at the end. @throws IoError.
using ReadBytes = std::function<std::size_t(char* to, std::size_t most)>;

/// Opens something of that name. @throws IoError.
using OpenBytes = std::function<ReadBytes(const std::string& path)>;

}  // namespace detail

/// How a text file is read, whatever its format.
struct ReadOptions {
  /// What to do with a line that is not what its format says.
  enum class BadLinePolicy {
    fail,  ///< Throw ParseError at the first one.
    skip,  ///< Leave it out, count it, and keep the first few in the LoadReport.
  };

  using ReadBytes = detail::ReadBytes;
  using OpenBytes = detail::OpenBytes;

  BadLinePolicy on_bad_line = BadLinePolicy::fail;
  std::size_t max_line_bytes = std::size_t{1} << 20;  ///< >= 1. A longer line is a bad line.
  std::size_t first_bad = 10;                         ///< Bad lines to keep in the report.
  /// After every block, in bytes done and in all; stop_and_keep leaves the rest of the file unread.
  ProgressCallback progress = {};
  Execution execution = {};                        ///< No more threads are used than the file has blocks, nor than 256.
  std::size_t block_bytes = std::size_t{1} << 18;  ///< In [1, 2^30]: read, and handed to a thread, at a time. Changes no result.
  /// Where bytes come from instead of the file system; io/gzip.hpp has one. Without it, the path "-" is the standard input.
  OpenBytes open = {};
};

}  // namespace kindred::inline v0
