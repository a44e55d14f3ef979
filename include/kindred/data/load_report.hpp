// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <kindred/core/config.hpp>

namespace kindred::inline v0 {

/// What a reader saw: every line is a header, blank, a comment, kept, dropped or bad, so the counts add up to `lines`.
struct LoadReport {
  /// A line that a reader did not understand.
  struct BadLine {
    std::uint64_t line = 0;    ///< From 1.
    std::uint64_t column = 0;  ///< Field, from 1; 0: the whole line.
    std::string reason;        ///< What was found and what was expected.
  };

  std::string source;                            ///< The path that was read.
  std::uint64_t bytes = 0;                       ///< Size of the input.
  std::uint64_t lines = 0;                       ///< Lines, the last one with or without its line end.
  std::uint64_t skipped = 0;                     ///< Header, blank and comment lines.
  std::uint64_t rows = 0;                        ///< Kept rows, before repeats of a pair were merged.
  std::uint64_t merged = 0;                      ///< Kept rows that were added to an earlier row of the same user and item.
  std::map<std::string, std::uint64_t> dropped;  ///< Rows left out, by reason ("no item key", "zero value", ...).
  std::uint64_t bad_lines = 0;                   ///< Lines skipped because they could not be understood.
  std::vector<BadLine> first_bad;                ///< The first few of them.
  bool stopped = false;                          ///< The progress callback ended reading before the end of the file.
  std::map<std::string, std::uint64_t> noted;    ///< What was done to rows, by name ("alias applied", "pair with a sum of zero", ...).
  std::vector<LoadReport> companions;            ///< Files read beside this one: names, aliases, profiles.

  /// Rows left out for any reason, bad lines included.
  [[nodiscard]] std::uint64_t dropped_total() const noexcept {
    std::uint64_t total = bad_lines;
    for (const auto& [reason, count] : dropped) total += count;
    return total;
  }
};

}  // namespace kindred::inline v0
